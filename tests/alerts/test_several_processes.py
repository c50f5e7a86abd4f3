"""Several processes over one state, a fleet or cron beside a daemon: each thing is told once, by whichever saw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.receivers import Receiver, receiving
from tests.support.stages import Play, rayline, small_play, start_rayline, write_config
from tests.support.waiting import LONG, wait_for
from tests.support.watched import DONE, FAILED, Office, alerts_to
from worker.alerts.watch import Watch, take_round
from worker.config import Alerts
from worker.state.store import Store

AT_ONCE = """
[workspaces.studio.alerts]
targets_file = "targets"
heartbeat_url_file = "ping"
failures = 1
steady = 0.001
"""


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    store = Store(url)
    yield Office(store)
    store.close()


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def _alerts(chat: Receiver, switch: Receiver) -> Alerts:
    url = SecretStr(switch.url)
    return alerts_to(chat.target, failures=1, steady=0.001, heartbeat_url=url)


def write_office(play: Play, chat: Receiver, switch: Receiver) -> Path:
    """Write the configuration of a workspace of which a chat and a switch are told."""
    for name, text in {"targets": chat.target, "ping": switch.url}.items():
        file = play.folder / name
        file.write_text(text)
        file.chmod(0o600)
    return write_config(play, extra=AT_ONCE)


def ends(switch: Receiver) -> list[str]:
    """Return what a switch heard of ends; a short run may have no begin."""
    heard = [path.removeprefix("/ping-secret-77aa") for path in switch.paths]
    return [one for one in heard if one != "/start"]


def look_together(office: Office, watches: list[Watch]) -> None:
    """Have all look at once, and again when what they saw is gathered."""
    with ThreadPoolExecutor(len(watches)) as pool:
        for _ in range(2):
            list(pool.map(Watch.look, watches))
            office.now += timedelta(seconds=1)
    for watch in watches:
        watch.join()


def test_of_many_watches_one_tells_and_one_pings(office: Office) -> None:
    with receiving() as chat, receiving() as switch:
        office.open(_alerts(chat, switch))
        office.run(DONE)
        watches = [Watch(lambda: dict(office.contexts)) for _ in range(4)]
        look_together(office, watches)
        for status in (FAILED, FAILED, DONE):
            office.run(status)
            look_together(office, watches)
        look_together(office, watches)
        assert Counter(title.split(": ")[1] for title in chat.titles) == {
            "runs fail": 1,
            "runs go well again": 1,
        }
        assert (
            sorted(switch.paths)
            == ["/ping-secret-77aa"] + ["/ping-secret-77aa/fail"] * 2
        )


def test_of_a_fleet_one_worker_looks_in_each_round(office: Office) -> None:
    with ThreadPoolExecutor(4) as pool:
        took = list(pool.map(lambda _: take_round(office.store), range(4)))
    assert took.count(True) == 1


def test_the_last_look_of_a_process_waits_for_nothing_more(
    office: Office, chat: Receiver
) -> None:
    office.open(alerts_to(chat.target, failures=1, gather=3600))
    office.run(FAILED)
    office.watch.look()
    assert chat.titles == []
    office.watch.look(is_last=True)
    assert chat.titles == ["🔴 Rayline · studio: runs fail"]


def test_a_command_of_cron_tells_what_changed_and_pings(tmp_path: Path) -> None:
    with receiving() as chat, receiving() as switch, small_play(tmp_path) as play:
        config = write_office(play, chat, switch)
        sync = ("sync", "--all", "-c", str(config))
        assert rayline(*sync, "--due", home=tmp_path).returncode == 0
        assert ends(switch) == [""]
        assert chat.titles == []

        token = tmp_path / "jira-token"
        right = token.read_text()
        token.write_text("wrong-token-0123456789")
        for _ in range(2):
            assert rayline(*sync, home=tmp_path).returncode == 2
        token.write_text(right)
        assert chat.titles == ["🔴 Rayline · studio: runs fail"]
        assert ends(switch) == ["", "/fail", "/fail"]

        assert rayline(*sync, home=tmp_path).returncode == 0
        assert rayline(*sync, home=tmp_path).returncode == 0
        assert chat.titles[1:] == ["🟢 Rayline · studio: runs go well again"]


def test_a_chat_that_hangs_keeps_no_command_from_its_end(tmp_path: Path) -> None:
    with small_play(tmp_path) as play, receiving() as chat, receiving() as switch:
        chat.answering.clear()
        config = write_office(play, chat, switch)
        (tmp_path / "jira-token").write_text("wrong-token-0123456789")
        command = start_rayline("sync", "--all", "-c", str(config), home=tmp_path)
        # Of a run that failed there is something to tell only when it is over.
        wait_for(lambda: chat.paths, "the message")
        command.terminate()
        command.communicate(timeout=LONG)
        assert command.returncode == 2
        chat.answering.set()
