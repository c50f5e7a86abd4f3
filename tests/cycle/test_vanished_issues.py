"""What is not visible any more keeps its figures with their age; only what Jira says is deleted is deleted.

Both kinds of Jira, in process, without Notion.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Request, Response, json_response
from tests.support.jira_site import FACES, LinkedSite, create
from worker.read.tracker import TrackerRead, read_tracker
from worker.state import snapshots
from worker.world.links import parse_link


@pytest.fixture(params=FACES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> LinkedSite:
    made = LinkedSite(tmp_path, request.param)
    made.jira.control("add_project", {"key": "WEB", "name": "Web"})
    return made


def branch(site: LinkedSite, ours: int = 1, theirs: int = 13) -> tuple[str, list[str]]:
    """Return the key of an epic of GAMMA and the keys below it, some of them in WEB."""
    epic = create(site, "GAMMA", issuetype="Epic")
    keys = [create(site, "GAMMA", parent=epic) for _ in range(ours)]
    keys += [create(site, "WEB", parent=epic) for _ in range(theirs)]
    site.cells["epic"] = epic
    return epic, sorted(keys)


def hidden(site: LinkedSite, read: TrackerRead) -> dict[str, datetime]:
    """Return since when issues are not visible, by key."""
    with site.store.reading("studio") as tx:
        keys = {issue.id: issue.key for issue in snapshots.load_issues(tx)}
    return {keys[identity]: since for identity, since in read.hidden.items()}


HIDING = [("hide", "show"), ("archive", "restore")]


@pytest.mark.parametrize(("act", "heal"), HIDING)
def test_issues_of_a_project_out_of_view_stay_with_their_age_and_come_back(
    site: LinkedSite, act: str, heal: str
) -> None:
    _, keys = branch(site)
    site.read(full=True)
    last = site.clock.now()
    site.jira.control(f"{act}_project", {"key": "WEB"})
    theirs = [key for key in keys if key.startswith("WEB")]
    for full in (True, False, True):
        read = site.read(full=full)
        assert site.work(read, "epic") == keys
        assert hidden(site, read) == dict.fromkeys(theirs, last)
        assert site.recall().hidden == read.hidden
    site.jira.control(f"{heal}_project", {"key": "WEB"})
    read = site.read(full=True)
    assert site.work(read, "epic") == keys
    assert read.hidden == {}


def test_a_project_that_jira_says_is_deleted_takes_its_issues_with_it(
    site: LinkedSite,
) -> None:
    """Data Center says nothing of a deleted project: it looks like a hidden one."""
    _, keys = branch(site)
    site.read(full=True)
    site.jira.control("delete_project", {"key": "WEB"})
    read = site.read(full=True)
    if site.deployment == "cloud":
        assert site.work(read, "epic") == ["GAMMA-6"]
        assert read.hidden == {}
    else:
        assert site.work(read, "epic") == keys
        assert len(read.hidden) == 13


@pytest.mark.parametrize("count", [1, 3])
def test_single_issues_that_are_gone_from_a_visible_project_are_deleted(
    site: LinkedSite, count: int
) -> None:
    _, keys = branch(site)
    site.read(full=True)
    for key in keys[-count:]:
        site.jira.control("delete", {"issue": key})
    read = site.read(full=True)
    assert site.work(read, "epic") == keys[:-count]
    assert read.hidden == {}


def test_many_that_go_at_once_from_a_visible_project_are_taken_for_hidden(
    site: LinkedSite,
) -> None:
    _, keys = branch(site)
    site.read(full=True)
    for key in keys[-11:]:
        site.jira.control("conceal", {"issue": key})
    for full in (True, True, False):
        read = site.read(full=full)
        assert site.work(read, "epic") == keys
        assert sorted(hidden(site, read)) == keys[-11:]
    for key in keys[-11:-2]:
        site.jira.control("reveal", {"issue": key})
    read = site.read(full=True)
    assert site.work(read, "epic") == keys
    assert sorted(hidden(site, read)) == keys[-2:]


def test_an_issue_that_was_archived_alone_is_not_visible_any_more(
    site: LinkedSite,
) -> None:
    _, keys = branch(site)
    site.cells["gamma"] = "GAMMA"
    site.read(full=True)
    for key in ("WEB-2", "GAMMA-2"):
        site.jira.control("archive_issue", {"issue": key})
    read = site.read(full=True)
    assert site.work(read, "epic") == keys
    assert sorted(hidden(site, read)) == ["GAMMA-2", "WEB-2"]
    site.jira.control("restore_issue", {"issue": "WEB-2"})
    site.touch("WEB-2")
    assert sorted(hidden(site, site.read())) == ["GAMMA-2"]


def test_issues_that_move_to_a_project_nobody_links_leave(site: LinkedSite) -> None:
    site.cells["acme"] = "ACME"
    site.read(full=True)
    for number in range(1, 4):
        site.jira.control("move", {"issue": f"ACME-{number}", "project": "WEB"})
    read = site.read(full=True)
    assert site.work(read, "acme") == ["ACME-4"]
    assert read.hidden == {}


def test_issues_that_change_their_epic_leave(site: LinkedSite) -> None:
    _, keys = branch(site)
    other = create(site, "GAMMA", issuetype="Epic")
    site.read(full=True)
    for key in keys[-12:]:
        site.jira.control("edit", {"issue": key, "fields": {"parent": {"key": other}}})
    read = site.read(full=True)
    assert site.work(read, "epic") == keys[:-12]
    assert read.hidden == {}


@pytest.mark.parametrize("full", [False, True])
def test_issues_of_a_card_that_links_something_else_leave_at_once(
    site: LinkedSite, full: bool
) -> None:
    branch(site)
    site.read(full=True)
    site.jira.control("hide_project", {"key": "WEB"})
    assert len(site.read(full=True).hidden) == 13
    site.cells["epic"] = "GAMMA"
    read = site.read(full=full)
    assert read.hidden == {}
    with site.store.reading("studio") as tx:
        assert {issue.project for issue in snapshots.load_issues(tx)} == {"GAMMA"}


@pytest.mark.parametrize("full", [False, True])
def test_a_card_that_goes_takes_nothing_out_of_view_with_it_that_others_link(
    site: LinkedSite, full: bool
) -> None:
    """The epic above a query's issue is linked with it, as long as it was read once."""
    _, keys = branch(site)
    above = create(site, "WEB", issuetype="Epic")
    below = create(site, "GAMMA", parent=above)
    site.jira.control("edit", {"issue": below, "fields": {"labels": ["ours"]}})
    site.cells |= {"query": "labels = ours", "web": "WEB", "beta": "BETA"}
    site.read(full=True)
    site.jira.control("hide_project", {"key": "WEB"})
    del site.cells["web"]
    read = site.read(full=True)
    assert above in hidden(site, read)
    assert len(read.hidden) == 14

    del site.cells["beta"]
    read = site.read(full=full)
    assert len(hidden(site, read)) == 14
    assert site.work(read, "epic") == keys
    with site.store.reading("studio") as tx:
        projects = {issue.project for issue in snapshots.load_issues(tx)}
    assert projects == {"GAMMA", "WEB"}


@pytest.mark.parametrize("full", [False, True])
def test_what_a_query_matched_in_a_project_out_of_view_stays(
    site: LinkedSite, full: bool
) -> None:
    for key in ("ACME-1", "BETA-1", "BETA-2"):
        site.jira.control("edit", {"issue": key, "fields": {"labels": ["ours"]}})
    site.cells["query"] = "labels = ours"
    site.read(full=True)
    site.jira.control("hide_project", {"key": "BETA"})
    site.touch("ACME-1")
    for again in (full, False, True):
        read = site.read(full=again)
        assert site.work(read, "query") == ["ACME-1", "BETA-1", "BETA-2"]
        assert sorted(hidden(site, read)) == ["BETA-1", "BETA-2"]
    site.jira.control("show_project", {"key": "BETA"})
    assert site.read(full=True).hidden == {}


@pytest.mark.parametrize("full", [False, True])
def test_what_a_query_does_not_match_any_more_leaves(
    site: LinkedSite, full: bool
) -> None:
    for key in ("ACME-1", "BETA-1", "BETA-2"):
        site.jira.control("edit", {"issue": key, "fields": {"labels": ["ours"]}})
    site.cells["query"] = "labels = ours"
    site.read(full=True)
    site.jira.control("edit", {"issue": "BETA-1", "fields": {"labels": []}})
    site.touch("ACME-1")
    read = site.read(full=full)
    assert site.work(read, "query") == ["ACME-1", "BETA-2"]
    assert read.hidden == {}


def test_what_hangs_below_an_epic_out_of_view_stays_with_it(site: LinkedSite) -> None:
    """The epic between lies in WEB, the work below it in ACME."""
    top = create(site, "GAMMA", issuetype="Epic")
    middle = create(site, "WEB", parent=top)
    below = create(site, "WEB", parent=middle, issuetype="Sub-task")
    site.cells["epic"] = top
    site.read(full=True)
    site.jira.control("hide_project", {"key": "WEB"})
    for _ in range(2):
        read = site.read(full=True)
        assert site.work(read, "epic") == sorted([middle, below])
        assert sorted(hidden(site, read)) == sorted([middle, below])


def test_by_order_of_a_person_what_is_not_visible_is_dropped(site: LinkedSite) -> None:
    branch(site)
    site.read(full=True)
    site.jira.control("hide_project", {"key": "WEB"})
    site.read(full=True)
    site.later(10)
    links = {card: parse_link(cell) for card, cell in site.cells.items()}
    read = read_tracker(
        site.gateway,
        site.workspace(),
        links=links,
        full=True,
        now=site.clock.now(),
        forgets=True,
    )
    assert site.work(read, "epic") == ["GAMMA-6"]
    assert read.hidden == {}


def test_after_a_lost_state_nothing_is_made_up(
    site: LinkedSite, tmp_path: Path
) -> None:
    epic, _ = branch(site)
    site.jira.control("hide_project", {"key": "WEB"})
    read = site.read(full=True)
    assert site.work(read, "epic") == ["GAMMA-6"]
    assert read.hidden == {}
    assert epic == "GAMMA-5"


def test_a_quiet_delta_costs_three_requests_while_issues_are_out_of_view(
    site: LinkedSite,
) -> None:
    branch(site)
    site.read(full=True)
    site.jira.control("hide_project", {"key": "WEB"})
    site.read(full=True)
    site.read()
    assert site.asked() == 3


def test_an_issue_that_cannot_be_read_is_no_issue_out_of_view(site: LinkedSite) -> None:
    site.cells["acme"] = "ACME"
    site.read(full=True)

    def spoil(request: Request) -> Response:
        answer = site.jira.handle(request)
        if "search" not in request.path:
            return answer
        body = msgspec.json.decode(answer.body)
        for issue in body.get("issues", ()):
            if issue["key"] == "ACME-2":
                issue["fields"]["duedate"] = "soon"
        return json_response(200, body)

    site.gateway._session._adapter._inner = HandlerAdapter(spoil)
    for _ in range(2):
        read = site.read(full=True)
        assert [one.code for one in read.problems] == ["bad-issue"]
        assert read.hidden == {}
        assert site.work(read, "acme") == ["ACME-1", "ACME-3", "ACME-4"]


def test_a_history_that_lacks_a_change_that_was_seen_is_told_and_asked_for_again(
    tmp_path: Path,
) -> None:
    site = LinkedSite(tmp_path, "cloud")
    key = create(site, "GAMMA")
    site.cells["card"] = key
    site.read(full=True)
    site.touch(key)
    silent = json_response(200, {"issueChangeLogs": [], "nextPageToken": None})

    def answer(request: Request) -> Response:
        if request.path.endswith("changelog/bulkfetch"):
            return silent
        return handle(request)

    handle, site.jira.handle = site.jira.handle, answer  # type: ignore[method-assign]
    told = site.read()
    site.jira.handle = handle  # type: ignore[method-assign]
    assert moves(site, key) == []
    assert [one.code for one in told.problems] == ["bad-history"]
    assert [one.code for one in site.read().problems] == ["bad-history"]
    assert site.read(full=True).problems == ()
    assert moves(site, key) == ["done"]


def moves(site: LinkedSite, key: str) -> list[str]:
    """Return the categories that the history of an issue leads through."""
    with site.store.reading("studio") as tx:
        (issue,) = (one for one in snapshots.load_issues(tx) if one.key == key)
    return [move.after for move in issue.moves]
