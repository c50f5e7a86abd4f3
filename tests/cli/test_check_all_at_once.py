"""`check` in a workspace in which much is wrong at once: all of it is told, the worst first, each with what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from test_commands import _signals_and_logs, run

from tests.support.stages import ACME, Play, small_play, write_config
from worker.errors import Severity
from worker.notion.gateway import NotionGateway

__all__ = ["_signals_and_logs"]
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
AM, DEVELOPER = 0, 3
"""Places of people in the agency."""
SETTINGS = """
token_expires = {ends}
projects = ["ACME", "BETA", "NOSUCH"]
[workspaces.studio.targets]
policy = "none"
[workspaces.studio.schedule]
delta = 10
"""
REMEDIES = {
    "denied": ("error", "update content", "tick what it may do"),
    "token-expires": ("warning", "the Jira token expires", "make a new one"),
    "board-unseen": ("warning", "not shared with this connection", "share it again"),
    "schema-deleted": ("warning", "“Budget” was deleted", "restore it in Notion"),
    "free-plan": ("warning", "1000 blocks in all", "take a larger plan"),
    "request-budget": ("warning", "of 60000 that are allowed", "schedule.delta"),
    "broken-triangle": ("warning", "there is no team lead", "at least one TL"),
    "no-capacity": ("warning", "has no hours a week", "fill in this field"),
    "card-without-client": ("warning", "the card has no client", "choose its client"),
    "unknown-project": ("warning", "no project NOSUCH", "correct the key"),
    "unknown-account": ("info", "nobody's in People", "into the person's row"),
    "unmatched-card": ("info", "names no Jira work", "put a project key"),
    "missing-view": ("info", "made with the board: Timeline", "`rayline init`"),
    "rule-off": ("info", "targets are switched off", "set it to “contracts”"),
}
"""What is told of each, how badly it is wrong, and what to do about it."""


@pytest.fixture(scope="module", params=["en", "ru"])
def play(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp(f"wrong-{request.param}")
    with small_play(folder, locale=request.param) as standing:
        write_config(standing)
        run(standing, "sync")
        standing.later(minutes=10)
        spoil(standing)
        yield standing


def spoil(play: Play) -> None:
    """Have people, and whoever runs it, err in each of the ways that `check` looks for."""
    notion = play.stage.notion
    bindings = play.stage.bindings()
    notion.control("unshare", {"id": bindings["documents"].database_id})
    column = {
        "data_source_id": play.data_source("projects"),
        "property": play.label("projects", "budget"),
    }
    notion.control("delete_property", column)
    delete_view(play, "projects")
    notion.control("set_free", {"is_free": True})
    empty = {"properties": {play.label("people", "capacity"): {"number": None}}}
    notion.control("edit", {"page_id": play.page("people", AM), **empty})
    play.edit("people", play.page("people", DEVELOPER), jira_account="acc-nobody")
    play.edit("units", play.page("units", 0), tls=())
    play.edit("projects", play.page("projects", ACME), client=())
    play.later(minutes=10)
    ends = datetime.now(UTC).date() + timedelta(days=5)
    file = write_config(play, extra=SETTINGS.format(ends=ends))
    text = file.read_text("utf-8").replace("requests = 100000", "requests = 1000")
    file.write_text(text.replace("window = 1.0", "window = 60.0"), "utf-8")
    notion.control("set_capabilities", {"update": False})


def delete_view(play: Play, source: str) -> None:
    notion = play.stage.context.notion
    assert isinstance(notion, NotionGateway)
    views = notion.views(database_id=play.stage.bindings()[source].database_id)
    lost = next(view for view in views if view.type == "timeline")
    notion._call("DELETE", f"views/{lost.id}", lambda answer: answer)


def test_all_is_told_at_once_the_worst_first_each_with_what_to_do(play: Play) -> None:
    looked = run(play, "check", "--json")
    shown = run(play, "check").stdout
    assert looked.exit_code == 2
    told = json.loads(looked.stdout)["problems"]

    severities = [Severity(one["severity"]) for one in told]
    assert severities == sorted(severities, key=list(Severity).index)
    assert [one for one in told if not one["hint"]] == []
    for one in told:
        assert one["hint"] in " ".join(shown.split())
    assert {one["code"] for one in told} >= REMEDIES.keys()

    if play.stage.agency.locale == "ru":
        strange = [
            one
            for one in told
            for text in (one["message"], one["hint"])
            if not CYRILLIC.search(text)
        ]
        assert strange == []
        return
    for code, (severity, reason, remedy) in REMEDIES.items():
        fitting = [one for one in told if one["code"] == code]
        assert any(
            one["severity"] == severity
            and reason in one["message"]
            and remedy in one["hint"]
            for one in fitting
        ), (code, fitting)


def test_one_cause_is_one_line(play: Play) -> None:
    told = json.loads(run(play, "check", "--json").stdout)["problems"]
    hidden = play.stage.context.schema.sources["documents"].title
    of_hidden = [
        one for one in told if one["where"] == hidden[play.stage.agency.locale]
    ]
    assert "board-unseen" in {one["code"] for one in of_hidden}
    hints = [one["hint"] for one in of_hidden if "`rayline init`" in one["hint"]]
    assert hints == [], "a board that is hidden is not to be made"
    private = [one for one in told if "private_root_page_id" in json.dumps(one)]
    assert len(private) == 1
