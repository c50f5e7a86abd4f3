"""Commands where a service is not reached, or asks to wait: what is said, with what exit code, and what stays behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_commands import _signals_and_logs, run

from rayline_sandbox.wire import Response
from tests.support.certificates import Authority
from tests.support.network import serving
from tests.support.stages import Play, small_play, write_config
from tests.support.waiting import forget_pauses
from worker.state import leases
from worker.state.store import Store

__all__ = ["_signals_and_logs"]
AUTHORITY = Authority()
SIDES = ("notion", "jira")


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def configure(play: Play, side: str, *, url: str = "", more: str = "") -> None:
    """Write a configuration in which one side has another address, or more settings."""
    path = write_config(play)
    text = path.read_text("utf-8")
    before, table, rest = text.partition(f"[workspaces.studio.{side}]\n")
    if url:
        rest = re.sub(r'base_url = ".*?"', f'base_url = "{url}"', rest, count=1)
    path.write_text(f"{before}{table}{more}\n{rest}", "utf-8")


def requests_to(play: Play, side: str) -> int:
    """Return how many requests of the worker a service has seen."""
    return len(play.reads(0)) if side == "notion" else len(play.jira_log())


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("command", ["sync", "plan", "check"])
def test_a_login_page_ends_every_command_with_2_and_its_way_out(
    play: Play, side: str, command: str
) -> None:
    page = Response(200, {"content-type": "text/html"}, b"<title>Sign in</title>")
    with serving(lambda _: page) as server:
        configure(play, side, url=server.url(scheme="http"))
        result = run(play, command)
        assert result.exit_code == 2
        said = " ".join((result.stdout + result.stderr).split())
        assert "a login page answered instead of" in said
        assert f"{side}.token" in said
        assert "codes" not in said
        assert len(server.asked) == 1, "nothing is asked again"


@pytest.mark.parametrize("side", SIDES)
def test_a_service_behind_a_private_authority_is_read_with_its_file(
    play: Play, side: str
) -> None:
    handle = getattr(play.stage, side).handle
    (play.folder / "authority.pem").write_text(AUTHORITY.pem)
    with serving(handle, play.folder, AUTHORITY.issue("localhost")) as server:
        configure(play, side, url=server.url())
        refused = run(play, "sync", "--json")
        assert refused.exit_code == 2
        error = json.loads(refused.stdout)
        assert error["error"] == "Unreachable"
        assert f"{side}.ca_file" in error["message"]
        assert server.asked == []
        configure(play, side, url=server.url(), more='ca_file = "authority.pem"')
        assert run(play, "sync", "--json").exit_code == 0


@pytest.mark.parametrize("side", SIDES)
def test_a_check_that_has_to_wait_says_so_and_ends_with_75(
    play: Play, side: str
) -> None:
    write_config(play)
    sandbox = getattr(play.stage, side)
    rule = {"kind": "429", "retry_after": 1200, "times": 1}
    sandbox.control("faults", {"rules": [rule]})
    looked = run(play, "check", "--json")
    assert looked.exit_code == 75
    told = json.loads(looked.stdout)["problems"]
    errors = [one["code"] for one in told if one["severity"] == "error"]
    assert errors == ["postponed"]


@pytest.mark.parametrize("side", SIDES)
def test_a_long_wait_ends_the_run_at_once_and_is_told_until_it_is_over(
    play: Play, side: str
) -> None:
    write_config(play)
    sandbox = getattr(play.stage, side)
    rule = {"kind": "429", "retry_after": 1200, "times": 1}
    sandbox.control("faults", {"rules": [rule]})
    result = run(play, "sync", "--json")
    assert result.exit_code == 75
    assert json.loads(result.stdout)["error"] == "Postponed"
    assert "1200 s" in json.loads(result.stdout)["message"]
    store = Store(f"sqlite:///{play.folder / 'cli.db'}")
    with store.reading("studio") as tx:
        lease = leases.current(tx)
    assert lease is None or lease.until < store.now(), "the workspace is let go"
    status = run(play, "status", "--json")
    assert side in json.loads(status.stdout)["put_off"]["reason"]

    asked = requests_to(play, side)
    again = run(play, "sync", "--json")
    assert again.exit_code == 75, "a person is answered at once"
    assert requests_to(play, side) == asked, "nothing is asked before its time"

    forget_pauses(store)
    store.close()
    assert run(play, "sync", "--json").exit_code == 0
    status = run(play, "status", "--json")
    assert json.loads(status.stdout)["put_off"] is None


def test_a_long_wait_while_writing_ends_the_run_and_puts_the_next_one_off(
    play: Play,
) -> None:
    write_config(play)
    match = {"method": "POST", "path_regex": "/v1/pages$", "nth": 3}
    rule = {"kind": "429", "retry_after": 1200, "times": 1, "match": match}
    play.stage.notion.control("faults", {"rules": [rule]})
    result = run(play, "sync", "--json")
    assert result.exit_code == 5
    report = json.loads(result.stdout)
    assert "postponed" in {one["code"] for one in report["problems"]}
    assert report["changes"]["create"] < 10
    status = json.loads(run(play, "status", "--json").stdout)
    assert status["put_off"] is not None
