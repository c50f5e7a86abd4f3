"""Reading little: bounds that miss nothing and repeat nothing, links of all kinds, what an incomplete read may do.

The tests share one stage; each leaves it so that the next does not mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.english import english
from tests.support.stages import ACME, BETA, EPIC, PITCH, Play, small_play
from worker.cycle.context import Mode
from worker.cycle.planning import recall
from worker.cycle.report import Report
from worker.errors import ConfigError
from worker.notion.workspace import create_workspace
from worker.read.boards import read_boards
from worker.read.schema import Bound
from worker.read.tracker import UPDATED
from worker.state import bindings as registry
from worker.state import snapshots


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("fetch")) as found:
        found.sync()
        yield found


@pytest.fixture
def play(shared: Play) -> Iterator[Play]:
    """Yield the stage after two quiet deltas, so that no cursor is hot."""
    for _ in range(2):
        shared.later(minutes=10)
        shared.sync(Mode.DELTA)
    shared.later(minutes=10)
    yield shared
    shared.stage.notion.control("set_lag", {"query": 0})
    shared.edit("projects", shared.page("projects", PITCH), jira=" ", stage="shaping")


def done_and_total(play: Play, index: int) -> tuple[int, int]:
    done, total = (
        str(play.row("projects", index).values["done_total"])
        .split(" by ")[0]
        .split(" / ")
    )
    return int(done), int(total)


def issue_keys(play: Play) -> set[str]:
    with play.stage.store.reading("studio") as tx:
        return {issue.key for issue in snapshots.load_issues(tx)}


def queries(play: Play, since: int) -> list[str]:
    return [entry.path for entry in play.reads(since) if entry.path.endswith("/query")]


def jira_calls(play: Play, since: int) -> list[str]:
    return [entry["path"].rpartition("/api/3/")[2] for entry in play.jira_log(since)]


def codes(report: Any) -> dict[str, str]:
    return {
        problem["code"]: problem["message"] for problem in report.data()["problems"]
    }


def test_an_idle_delta_asks_each_board_once_gets_no_row_and_jira_three_times(
    play: Play,
) -> None:
    mark, seen = play.mark(), len(play.stage.jira.log)
    with play.stage.store.reading("studio") as tx:
        before = snapshots.load_pages(tx)
    report = play.sync(Mode.DELTA)
    assert (
        len(play.reads(mark))
        == len(queries(play, mark))
        == len(play.stage.bindings())
        == report.requests["notion"]
    )
    assert report.requests["jira"] == 3
    assert (
        len([path for path in jira_calls(play, seen) if path.startswith("search")]) == 1
    )
    with play.stage.store.reading("studio") as tx:
        assert snapshots.load_pages(tx) == before


def test_an_edit_in_the_same_minute_as_the_last_read_is_seen(play: Play) -> None:
    card = play.page("projects", PITCH)
    play.edit("projects", card, probability=Decimal("0.1"))
    play.sync(Mode.DELTA)
    play.edit("projects", card, probability=Decimal("0.9"))
    play.later(seconds=20)
    drawn = play.draw(Mode.DELTA)
    assert next(
        one for ref, one in drawn.world.cards.items() if ref.key == card
    ).probability == Decimal("0.9")


def test_an_edit_that_joins_the_minute_after_it_was_read_is_seen_however_late_the_next_read(
    play: Play,
) -> None:
    card = play.page("projects", PITCH)
    play.edit("projects", card, probability=Decimal("0.2"))
    play.sync(Mode.DELTA)
    play.edit("projects", card, probability=Decimal("0.8"))
    play.later(minutes=45)
    drawn = play.draw(Mode.DELTA)
    assert next(
        one for ref, one in drawn.world.cards.items() if ref.key == card
    ).probability == Decimal("0.8")


def test_a_read_that_lags_a_minute_behind_misses_nothing(play: Play) -> None:
    play.stage.notion.control("set_lag", {"query": 60})
    card = play.page("projects", PITCH)
    play.edit("projects", card, probability=Decimal("0.1"))
    play.later(seconds=90)
    play.sync(Mode.DELTA)
    play.edit("projects", card, probability=Decimal("0.9"))
    play.sync(Mode.DELTA)
    play.later(seconds=70)
    drawn = play.draw(Mode.DELTA)
    assert next(
        one for ref, one in drawn.world.cards.items() if ref.key == card
    ).probability == Decimal("0.9")


def test_deleted_and_moved_issues_leave_with_the_full_pass(play: Play) -> None:
    _, total = done_and_total(play, ACME)
    play.stage.jira.control("delete", {"issue": "ACME-5"})
    moved = play.stage.jira.control("move", {"issue": "ACME-10", "project": "OTHER"})[
        "key"
    ]
    play.sync(Mode.FULL)
    # Its epic is linked by another card, which has its branch in all projects.
    assert issue_keys(play) & {"ACME-5", "ACME-10", moved} == {moved}
    assert done_and_total(play, ACME)[1] == total - 2
    play.stage.jira.control("edit", {"issue": moved, "fields": {"parent": None}})
    play.later(minutes=10)
    play.sync(Mode.FULL)
    assert moved not in issue_keys(play)
    assert done_and_total(play, ACME)[1] == total - 2


def test_an_issue_that_moves_into_a_linked_project_brings_its_hours(play: Play) -> None:
    jira = play.stage.jira
    jira.control(
        "worklog",
        {
            "issue": "OTHER-1",
            "author": "acc-developer",
            "seconds": 36_000,
            "started": play.stage.clock.now().isoformat(),
        },
    )
    play.later(minutes=10)
    play.sync(Mode.DELTA)
    before = play.row("projects", ACME).values["hours"]
    jira.control("move", {"issue": "OTHER-1", "project": "ACME"})
    play.later(minutes=10)
    play.sync(Mode.DELTA)
    assert play.row("projects", ACME).values["hours"] == before + 10


def test_worklogs_come_by_their_feed_and_go_by_it(play: Play) -> None:
    # The bound stands at the newest work log seen: one is seen first, whatever ran before.
    play.stage.jira.control(
        "worklog",
        {
            "issue": "ACME-20",
            "author": "acc-developer",
            "seconds": 60,
            "started": play.stage.clock.now().isoformat(),
        },
    )
    play.later(minutes=5)
    play.sync(Mode.DELTA)
    before = play.row("projects", ACME).values["hours"]
    made = play.stage.jira.control(
        "worklog",
        {
            "issue": "ACME-20",
            "author": "acc-developer",
            "seconds": 7200,
            "started": play.stage.clock.now().isoformat(),
        },
    )
    play.later(minutes=5)
    seen = len(play.stage.jira.log)
    play.sync(Mode.DELTA)
    assert play.row("projects", ACME).values["hours"] == before + 2
    asked = [
        entry
        for entry in play.jira_log(seen)
        if entry["path"].endswith("worklog/updated")
    ]
    assert (
        int(dict(asked[0]["query"])["since"])
        > play.stage.clock.now().timestamp() * 1000 - 90 * 60_000
    )
    play.stage.jira.control("delete_worklog", {"id": made["id"]})
    play.later(minutes=5)
    play.sync(Mode.DELTA)
    assert play.row("projects", ACME).values["hours"] == before


def test_an_issue_changed_in_the_future_does_not_blind_the_deltas(play: Play) -> None:
    site = play.stage.jira._site.store
    strange, now = site.find_issue("ACME-7"), play.stage.clock.now()
    assert strange is not None
    before, strange.updated = (
        strange.updated,
        int((now + timedelta(days=26_000)).timestamp() * 1000),
    )
    play.sync(Mode.DELTA)
    strange.updated = before
    play.stage.jira.control("transition", {"issue": "ACME-25", "status": "Done"})
    play.later(minutes=10)
    done, _ = done_and_total(play, ACME)
    play.sync(Mode.DELTA)
    assert done_and_total(play, ACME)[0] == done + 1


def test_a_bound_that_lies_ahead_is_forgotten(play: Play) -> None:
    with play.stage.store.transaction("studio") as tx:
        registry.set_cursor(tx, UPDATED, "2099-01-01T00:00:00+00:00")
    play.stage.jira.control("transition", {"issue": "ACME-30", "status": "Done"})
    play.later(minutes=10)
    done, _ = done_and_total(play, ACME)
    play.sync(Mode.DELTA)
    assert done_and_total(play, ACME)[0] == done + 1
    with play.stage.store.reading("studio") as tx:
        assert registry.load_cursors(tx)[UPDATED] < play.stage.clock.now().isoformat()


def test_what_jira_spoilt_is_told_until_it_is_mended_and_the_rest_goes_on(
    play: Play,
) -> None:
    site = play.stage.jira._site.store
    log = play.stage.jira.control(
        "worklog",
        {
            "issue": "ACME-20",
            "author": "acc-developer",
            "seconds": 3600,
            "started": play.stage.clock.now().isoformat(),
        },
    )
    worklog = site.worklogs[int(log["id"])]
    worklog.seconds = 2**64
    hours = play.row("projects", ACME).values["hours"]
    for mode in (Mode.DELTA, Mode.DELTA, Mode.FULL):
        play.later(minutes=5)
        found = [
            one for one in play.sync(mode).plan.problems if one.code == "bad-worklog"
        ]
        assert [(one.where, one.field) for one in found] == [
            (f"time log {log['id']} of ACME-20", "timeSpentSeconds")
        ]
        # The log cannot be read, but Jira's own total of the issue holds its hour.
        assert play.row("projects", ACME).values["hours"] == hours + 1
    play.stage.jira.control("delete_worklog", {"id": log["id"]})
    play.later(minutes=5)
    assert "bad-worklog" not in codes(play.sync(Mode.DELTA))


def test_an_unknown_project_key_is_the_problem_of_its_card_alone(play: Play) -> None:
    play.edit("projects", play.page("projects", PITCH), jira="NOSUCH")
    report = play.sync(Mode.DELTA)
    found = [
        problem for problem in report.plan.problems if problem.code == "unresolved-link"
    ]
    assert [(problem.where, problem.field) for problem in found] == [
        ("Projects: Gamma idea", "jira")
    ]
    assert "NOSUCH" in found[0].message
    assert play.row("projects", ACME).values["progress"] is not None


BETA_LINK = 'project = BETA AND labels = "web"'
FIGURES = ("progress", "done_total", "p50", "p85", "on_time", "health", "hours")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("project = NOSUCH", "Jira does not accept “project = NOSUCH”: The value"),
        ("nofield = 1", "Field 'nofield' does not exist"),
        ("project = ACME;", "reserved JQL character"),
        ("was ACME, now BETA", "cannot read “was ACME, now BETA”"),
        ("filter=99999", "99999"),
        ("https://other.example/browse/BETA-1", "another Jira, other.example"),
        ("http://127.0.0.1:1/issues/?jql=key=BETA-1", "another Jira, 127.0.0.1:1"),
    ],
)
def test_a_link_jira_refuses_is_the_problem_of_its_card_and_empties_no_figure(
    play: Play, cell: str, said: str
) -> None:
    before = play.row("projects", BETA).values
    client = play.row("clients", 1).values
    done, _ = done_and_total(play, ACME)
    finished = play.stage.jira.control(
        "create", {"project": "ACME", "fields": {"summary": cell}}
    )["key"]
    play.stage.jira.control("transition", {"issue": finished, "status": "Done"})
    play.edit("projects", play.page("projects", BETA), jira=cell)
    for mode in (Mode.DELTA, Mode.FULL, Mode.DELTA):
        play.later(minutes=10)
        report = play.sync(mode)
        told = [one for one in report.plan.problems if one.field == "jira"]
        told = [one for one in told if one.code in ("unresolved-link", "bad-link")]
        assert [one.where for one in told] == [f"Projects: {before['name']}"]
        assert said in told[0].message
        assert "the figures are those of " in told[0].message
        assert told[0] in recall(play.stage.context).plan.problems
        after = play.row("projects", BETA).values
        assert {name: after.get(name) for name in FIGURES} == {
            name: before.get(name) for name in FIGURES
        }
        assert play.row("clients", 1).values["progress"] == client["progress"]
        assert done_and_total(play, ACME)[0] == done + 1
    play.later(minutes=10)
    assert play.sync(Mode.DELTA).requests["jira"] == 3
    play.edit("projects", play.page("projects", BETA), jira=BETA_LINK)
    play.later(minutes=10)
    assert "unresolved-link" not in codes(play.sync(Mode.DELTA))
    play.stage.jira.control("delete", {"issue": finished})
    play.sync(Mode.FULL)


def test_issues_out_of_view_empty_no_figure_and_are_told_on_their_card(
    play: Play,
) -> None:
    jira = play.stage.jira
    jira.control("add_project", {"key": "FAR", "name": "Far"})
    epic = {"summary": "Out", "issuetype": {"name": "Epic"}}
    key = jira.control("create", {"project": "BETA", "fields": epic})["key"]
    made = ""
    for number in range(13):
        below = {"summary": f"Far {number}", "parent": {"key": key}}
        made = jira.control("create", {"project": "FAR", "fields": below})["key"]
        if number < 12:
            jira.control("transition", {"issue": made, "status": "Done"})
    play.edit("projects", play.page("projects", PITCH), jira=key, stage="in_progress")
    play.sync(Mode.FULL)
    assert done_and_total(play, PITCH) == (12, 13)

    before = play.row("projects", PITCH).values
    jira.control("hide_project", {"key": "FAR"})
    for mode in (Mode.FULL, Mode.DELTA, Mode.FULL):
        play.later(minutes=10)
        report = play.sync(mode)
        (told,) = [one for one in report.plan.problems if one.code == "not-visible"]
        assert told.where == f"Projects: {before['name']}"
        assert told.message.startswith(
            "13 issues are not visible any more; the figures"
        )
        assert told in recall(play.stage.context).plan.problems
        after = play.row("projects", PITCH).values
        assert {name: after.get(name) for name in FIGURES} == {
            name: before.get(name) for name in FIGURES
        }
    jira.control("show_project", {"key": "FAR"})
    jira.control("transition", {"issue": made, "status": "Done"})
    play.later(minutes=10)
    assert "not-visible" not in codes(play.sync(Mode.FULL))
    assert done_and_total(play, PITCH) == (13, 13)
    jira.control("delete_project", {"key": "FAR"})
    jira.control("delete", {"issue": key})


def test_half_a_character_in_a_summary_is_told_and_the_rest_goes_on(play: Play) -> None:
    def told() -> list[tuple[str, str]]:
        problems = play.sync(Mode.FULL).plan.problems
        return [(one.where, one.field) for one in problems if one.code == "bad-issue"]

    issue, before = play.stage.jira._site.store.find_issue("ACME-7"), told()
    assert issue is not None
    summary, issue.summary = issue.summary, "\ud83d"
    for _ in range(2):
        assert sorted(told()) == sorted([*before, ("ACME-7", "summary")])
    issue.summary = summary
    assert told() == before


@pytest.mark.parametrize("shape", ["filter={id}", "{base}/issues/?filter={id}"])
def test_a_filter_counts_what_it_matches_whatever_its_order(
    play: Play, shape: str
) -> None:
    number = play.stage.jira.control(
        "add_filter",
        {
            "name": "Beta",
            "jql": "project = BETA AND statusCategory != Done OR key = BETA-1 ORDER BY Rank ASC",
        },
    )["id"]
    link = shape.format(id=number, base=play.stage.sockets.jira_url)
    play.edit("projects", play.page("projects", PITCH), jira=link, stage="in_progress")
    play.sync(Mode.DELTA)
    assert done_and_total(play, PITCH) == (1, 4)


def test_a_filter_nobody_shares_is_the_problem_of_its_card(play: Play) -> None:
    play.edit("projects", play.page("projects", PITCH), jira="filter=99999")
    report = play.sync(Mode.DELTA)
    assert "99999" in codes(report)["unresolved-link"]


def test_a_card_that_newly_names_an_epic_is_counted_at_once(play: Play) -> None:
    play.edit(
        "projects", play.page("projects", PITCH), jira="acme-2", stage="in_progress"
    )
    play.sync(Mode.DELTA)
    assert done_and_total(play, PITCH)[1] + done_and_total(play, EPIC)[1] == len(
        [
            key
            for key in issue_keys(play)
            if key.startswith("ACME-") and key not in play.stage.epics | {"ACME-33"}
        ]
    )


def test_a_read_of_jira_that_breaks_off_drops_no_issue_and_is_told(play: Play) -> None:
    before = issue_keys(play)
    play.stage.jira.control(
        "faults",
        {
            "rules": [
                {"kind": "warnings", "match": {"path_regex": "search/jql"}, "times": 0}
            ]
        },
    )
    report = play.sync(Mode.FULL)
    play.stage.jira.control("clear_faults", {})
    assert "incomplete-read" in codes(report)
    assert issue_keys(play) == before
    assert "incomplete-read" not in codes(play.sync(Mode.DELTA))


def test_a_trashed_row_leaves_with_the_full_pass_and_is_asked_about_once(
    play: Play,
) -> None:
    risk = play.keyed("risks")[0]
    play.stage.notion.control("trash", {"id": risk.page_id})
    play.sync(Mode.FULL)
    with play.stage.store.reading("studio") as tx:
        assert risk.page_id not in {
            page.id for page in snapshots.load_pages(tx)["risks"]
        }
    mark = play.mark()
    play.sync(Mode.FULL)
    assert [
        entry.path for entry in play.reads(mark) if risk.page_id in entry.path
    ] == []


def test_a_row_that_came_back_from_the_trash_is_ours_again(play: Play) -> None:
    risk = play.keyed("risks")[-1]
    play.stage.notion.control("trash", {"id": risk.page_id})
    play.sync(Mode.FULL)
    play.stage.notion.control("restore", {"id": risk.page_id})
    play.later(minutes=10)
    report = play.sync(Mode.FULL)
    assert report.applied.counts()["create"] == 0
    assert [
        card.page_id for card in play.keyed("risks", risk.values["worker_key"])
    ] == [risk.page_id]


@pytest.mark.parametrize(("hurt", "heal"), [("trash", "restore"), ("unshare", "share")])
def test_a_database_that_is_not_shown_any_more_is_named_at_once(
    play: Play, hurt: str, heal: str
) -> None:
    database = play.stage.bindings()["risks"].database_id
    play.stage.notion.control(hurt, {"id": database})
    mark = play.mark()
    report = play.sync(Mode.DELTA)
    assert [
        one.where for one in report.plan.problems if one.code == "board-unseen"
    ] == ["Risks"]
    assert report.refused == ()
    assert play.writes(mark) == []
    play.stage.notion.control(heal, {"id": database})
    play.later(minutes=10)
    assert not play.sync(Mode.FULL).refused


def test_a_database_lost_between_schema_and_rows_is_told_and_the_others_are_read(
    play: Play,
) -> None:
    database = play.stage.bindings()["risks"].database_id
    play.stage.notion.control("trash", {"id": database})
    context = play.stage.context
    with context.store.reading("studio") as tx:
        bindings, before = registry.load(tx), snapshots.load_pages(tx)["risks"]
    read = read_boards(
        context.notion, context, Bound(bindings), full=True, now=context.now()
    )
    with context.store.reading("studio") as tx:
        assert snapshots.load_pages(tx)["risks"] == before
    play.stage.notion.control("restore", {"id": database})
    assert set(read.incomplete) == {"risks"}
    assert [english(one.where) for one in read.problems] == ["risks"]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("hurt", "heal"), [("trash", "restore"), ("unshare", "share")])
def test_a_private_page_that_is_not_shown_any_more_stops_its_own_boards_alone(
    tmp_path: Path, mode: Mode, hurt: str, heal: str
) -> None:
    with small_play(tmp_path) as play:
        stage = play.stage
        private = stage.notion.add_private_root()
        settings = stage.context.settings
        again = play.with_settings(
            notion=settings.notion.model_copy(update={"private_root_page_id": private})
        )
        create_workspace(
            again.stage.context.notion,
            stage.context.schema,
            parent_page_id=settings.notion.root_page_id,
            private_page_id=private,
            locale="en",
        )
        again.sync()
        stage.notion.control(hurt, {"id": private})
        again.later(minutes=10)
        hidden = again.sync(mode)
        stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
        again.later(minutes=10)
        later = again.sync(mode)
        stage.notion.control(heal, {"id": private})
        again.later(minutes=10)
        healed = again.sync(mode)
        again.later(minutes=10)
        at_rest = again.sync(Mode.FULL)
        sources = stage.context.schema.sources
        private_boards = {one.title["en"] for one in sources.values() if one.private}
    assert told(hidden) == told(later) == private_boards
    assert not hidden.refused
    assert later.applied.done
    assert told(healed) == set()
    assert not healed.refused
    assert at_rest.plan.changes == ()


def told(report: Report) -> set[str]:
    """Return the boards that are said not to be shown."""
    return {one.where for one in report.plan.problems if one.code == "board-unseen"}


def test_a_private_page_that_was_never_shown_is_named(tmp_path: Path) -> None:
    with small_play(tmp_path) as play:
        page = play.stage.notion.add_private_root()
        play.stage.notion.control("unshare", {"id": page})
        settings = play.stage.context.settings
        again = play.with_settings(
            notion=settings.notion.model_copy(update={"private_root_page_id": page})
        )
        with pytest.raises(ConfigError) as caught:
            again.sync()
    assert [(english(one.where), one.field) for one in caught.value.problems] == [
        (f"Notion page {page}", "notion.private_root_page_id")
    ]


def test_a_row_of_a_person_in_the_trash_is_gone_from_the_rules(play: Play) -> None:
    play.stage.notion.control("trash", {"id": play.page("projects", BETA)})
    drawn = play.draw(Mode.FULL)
    assert play.page("projects", BETA) not in {ref.key for ref in drawn.world.cards}
    play.stage.notion.control("restore", {"id": play.page("projects", BETA)})
