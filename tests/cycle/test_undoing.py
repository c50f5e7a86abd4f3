"""A run taken back: what it wrote goes back where nobody touched it since, and stays so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from rayline_demo.board import living
from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.store import Parent
from tests.support.crashes import Crash, MortalNotion, Steps
from tests.support.stages import Play, small_play
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.errands import Draft
from worker.cycle.planning import recall_written
from worker.cycle.report import Report
from worker.cycle.undoing import plan_undo, undo
from worker.errors import Code, ConfigError
from worker.mapping.schema import Owner
from worker.plan.plan import Kind
from worker.plan.undo import Boards, reverse
from worker.ports.notion import Notion
from worker.state import pauses, runs

CARDS = "projects"
CUT = 160
"""At which step of talking to Notion a first run is cut off: after some of its rows were made, before others."""


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


@pytest.fixture
def moved(play: Play) -> tuple[Play, int]:
    """A workspace in which a second run followed what had changed, and the number of that run."""
    play.sync()
    play.later(days=12)
    report = play.sync()
    assert report.applied.counts()["update"]
    play.later(minutes=10)
    return play, report.run_id


def order(run: int, **more: Any) -> CycleRequest:
    return CycleRequest(Mode.FULL, "undo", undoes=run, who="Ann", **more)


def look(play: Play, run: int, **more: Any) -> Draft:
    return plan_undo(play.stage.context, order(run, **more))


def take_back(play: Play, run: int, **more: Any) -> Report:
    return undo(play.stage.context, order(run, force=True, **more))


def shown(play: Play) -> dict[str, dict[str, Any]]:
    """Return every cell of every living row, by page."""
    found = {}
    for source in play.stage.bindings():
        for card in living(play.stage, source):
            found[card.page_id] = dict(card.values)
    return found


def worker_cells(play: Play, cells: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the cells that only the worker fills, by page and field."""
    schema = play.stage.context.schema
    found = {}
    for source in play.stage.bindings():
        properties = schema.sources[source].properties
        for card in living(play.stage, source):
            for name, prop in properties.items():
                if prop.owner is Owner.WORKER and card.page_id in cells:
                    found[f"{card.page_id} {name}"] = cells[card.page_id].get(name)
    return found


def test_a_first_run_taken_back_leaves_what_people_had_and_nothing_else(
    play: Play,
) -> None:
    before = shown(play)
    report = play.sync()
    play.later(minutes=10)
    assert play.all_keyed()
    take_back(play, report.run_id)
    assert play.all_keyed() == {}
    schema = play.stage.context.schema
    after = shown(play)
    assert after.keys() == before.keys()
    for source in play.stage.bindings():
        for card in living(play.stage, source):
            for name, prop in schema.sources[source].properties.items():
                if prop.owner is not Owner.SEED:
                    assert after[card.page_id].get(name) == before[card.page_id].get(
                        name
                    )


def test_a_later_run_taken_back_leaves_the_cells_of_the_run_before(play: Play) -> None:
    play.sync()
    before = shown(play)
    play.later(days=12)
    run = play.sync().run_id
    play.later(minutes=10)
    changed = shown(play)
    assert changed != before

    report = take_back(play, run)
    assert not report.failures()
    after = shown(play)
    assert after.keys() == before.keys()
    assert worker_cells(play, after) == worker_cells(play, before)


def test_looking_writes_nothing_and_says_what_would_go_back(
    moved: tuple[Play, int],
) -> None:
    play, run = moved
    mark = play.mark()
    before = shown(play)
    drawn = look(play, run)
    assert drawn.plan.changes
    assert {change.kind for change in drawn.plan.changes} <= {Kind.UPDATE, Kind.ARCHIVE}
    assert play.writes(mark) == []
    assert shown(play) == before


def test_what_somebody_changed_since_stays_and_is_told(moved: tuple[Play, int]) -> None:
    play, run = moved
    sources = play.stage.context.schema.sources
    touched, item = next(
        (change, item)
        for change in look(play, run).plan.changes
        for item in change.fields
        if sources[change.ref.source].properties[item.field].type == "rich_text"
    )
    play.edit(touched.ref.source, touched.page_id, **{item.field: "people say no"})
    play.later(minutes=10)

    report = take_back(play, run)
    assert shown(play)[touched.page_id][item.field] == "people say no"
    assert (str(touched.ref), item.field) in {
        (note.where, note.field)
        for note in report.notes
        if note.code == Code.NOT_UNDONE
    }


@pytest.mark.parametrize("act", ["cell", "block", "comment"])
def test_a_row_that_people_wrote_into_is_not_put_away(play: Play, act: str) -> None:
    run = play.sync().run_id
    play.later(minutes=10)
    card = play.keyed("tasks")[0]
    notion = play.stage.notion
    if act == "cell":
        play.edit("tasks", card.page_id, name="Call them myself")
    elif act == "block":
        text = [{"type": "text", "text": {"content": "I called"}}]
        block = {"type": "paragraph", "paragraph": {"rich_text": text}}
        notion.control("append", {"block_id": card.page_id, "children": [block]})
    else:
        words = plain_rich_text("done?")
        parent = Parent("page_id", card.page_id)
        add_comment(notion.store, parent, words, notion.owner_id)
    play.later(minutes=10)

    report = take_back(play, run)
    assert card.page_id in {one.page_id for one in play.keyed("tasks")}
    assert Code.NOT_UNDONE in {note.code for note in report.problems()}
    assert len(play.keyed("tasks")) == 1


def test_the_workspace_is_paused_until_somebody_resumes_it(
    moved: tuple[Play, int],
) -> None:
    play, run = moved
    take_back(play, run)
    context = play.stage.context
    with context.store.reading("studio") as tx:
        pause = pauses.current(tx, now=context.now())
    assert pause is not None
    assert (pause.by, pause.until) == ("Ann", None)


def test_rows_put_away_stay_away_and_cells_are_written_again_by_the_next_cycle(
    play: Play,
) -> None:
    run = play.sync().run_id
    play.later(minutes=10)
    client = play.page("clients", 0)
    written = shown(play)[client]["health"]
    assert written
    take_back(play, run)
    assert not shown(play)[client]["health"]

    play.later(minutes=10)
    report = play.sync()
    assert not report.refused
    assert shown(play)[client]["health"] == written
    assert play.keyed("tasks") == play.keyed("risks") == []
    play.later(minutes=10)
    mark = play.mark()
    assert sum(play.sync().applied.counts().values()) == 0
    assert play.writes(mark) == []


def test_taking_a_run_back_twice_changes_nothing_the_second_time(
    moved: tuple[Play, int],
) -> None:
    play, run = moved
    take_back(play, run)
    play.later(minutes=10)
    mark = play.mark()
    report = take_back(play, run)
    assert sum(report.applied.counts().values()) == 0
    assert play.writes(mark) == []


def test_too_much_at_once_is_refused_with_nothing_written(play: Play) -> None:
    run = play.sync().run_id
    play.later(minutes=10)
    mark = play.mark()
    report = undo(play.stage.context, order(run))
    assert {reason.code for reason in report.refused} >= {Code.TOO_DESTRUCTIVE}
    assert play.writes(mark) == []
    for reason in report.refused:
        assert f"`rayline undo {run} --apply {report.plan.checksum()} --force`" in (
            reason.hint
        )
    shares = [
        re.match(r"(\d+) of (\d+) rows", reason.message) for reason in report.refused
    ]
    assert any(shares)
    assert all(int(share[1]) <= int(share[2]) for share in shares if share)
    with play.stage.store.reading("studio") as tx:
        assert pauses.current(tx, now=play.stage.context.now()) is None


def test_only_the_plan_that_was_looked_at_is_applied(moved: tuple[Play, int]) -> None:
    play, run = moved
    seen = look(play, run).plan.checksum()
    mark = play.mark()
    other = take_back(play, run, checksum="0" * 16)
    assert [reason.code for reason in other.refused] == [Code.OTHER_PLAN]
    assert play.writes(mark) == []
    assert not take_back(play, run, checksum=seen).refused


@pytest.mark.parametrize("kind", ["unknown", "idle", "looked"])
def test_a_run_that_wrote_nothing_is_told_with_the_way_out(
    play: Play, kind: str
) -> None:
    play.sync()
    play.later(minutes=10)
    number = 99
    if kind != "unknown":
        number = play.sync(dry_run=kind == "looked").run_id
    with pytest.raises(ConfigError) as caught:
        take_back(play, number)
    (problem,) = caught.value.problems
    assert problem.code is Code.RUN
    assert problem.hint


def test_jira_is_not_asked(moved: tuple[Play, int]) -> None:
    play, run = moved
    report = take_back(play, run)
    assert report.requests["jira"] == 0
    assert report.requests["notion"] > 0


def test_rows_that_a_run_put_into_the_trash_are_told_when_it_is_taken_back(
    play: Play,
) -> None:
    first = play.sync().run_id
    play.later(minutes=10)
    away = take_back(play, first)
    archived = away.applied.counts()["archive"]
    assert archived
    play.later(minutes=10)

    report = take_back(play, away.run_id)
    told = [note for note in report.notes if note.code == Code.NOT_UNDONE]
    assert any(str(archived) in note.message for note in told)
    assert play.all_keyed() == {}


def test_a_target_that_a_person_pinned_since_stays(play: Play) -> None:
    play.sync()
    play.later(minutes=10)
    quarters = play.keyed("plans", ":2026-Q4")
    quarter = next(
        card for card in quarters if "firm" not in str(card.values["worker_key"])
    )
    play.edit("plans", quarter.page_id, target=Decimal(9_000_000), pinned=True)
    play.later(minutes=10)
    run = play.sync()
    targets = [
        change.page_id
        for change in run.plan.changes
        for item in change.fields
        if change.kind is Kind.UPDATE and item.field == "target"
    ]
    pinned, free = targets[0], targets[1]
    before = shown(play)
    play.edit("plans", pinned, pinned=True)
    play.later(minutes=10)

    report = take_back(play, run.run_id)
    after = shown(play)
    assert after[pinned]["target"] == before[pinned]["target"]
    assert after[free]["target"] != before[free]["target"]
    assert "target" in {
        note.field for note in report.notes if note.code == Code.NOT_UNDONE
    }


def test_words_of_people_below_a_block_of_ours_keep_the_row(play: Play) -> None:
    run = play.sync().run_id
    play.later(minutes=10)
    notion = play.stage.context.notion
    card = next(
        card for card in play.keyed("meetings") if notion.children(card.page_id)
    )
    host = next(
        block for block in notion.children(card.page_id) if block["type"] == "paragraph"
    )
    text = [{"type": "text", "text": {"content": "They said no"}}]
    child = {"type": "paragraph", "paragraph": {"rich_text": text}}
    play.stage.notion.control("append", {"block_id": host["id"], "children": [child]})
    play.later(minutes=10)
    title = play.stage.bindings()["meetings"].properties["name"]
    words = [{"type": "text", "text": {"content": card.values["name"]}}]
    page = notion.update_page(card.page_id, {title: {"title": words}})
    assert page.last_edited_by == page.created_by
    play.later(minutes=10)

    report = take_back(play, run)
    assert card.page_id in {one.page_id for one in play.keyed("meetings")}
    assert Code.NOT_UNDONE in {note.code for note in report.problems()}


def test_rows_that_a_later_run_made_stay_when_one_that_was_cut_off_is_taken_back(
    play: Play,
) -> None:
    steps = Steps(fatal=CUT)
    mortal = cast("Notion", MortalNotion(play.stage.context.notion, steps))
    with pytest.raises(Crash):
        play.through(mortal).sync()
    first = set(play.all_keyed())
    play.later(minutes=30)
    later = play.sync()
    play.later(minutes=10)
    standing = set(play.all_keyed())
    assert first
    assert first < standing

    take_back(play, later.run_id - 1)
    left = set(play.all_keyed())
    assert standing - first <= left


@pytest.mark.parametrize("change", ["nothing", "other installation"])
def test_an_undo_that_writes_nothing_leaves_the_workspace_as_it_was(
    moved: tuple[Play, int], change: str
) -> None:
    play, run = moved
    if change == "nothing":
        take_back(play, run)
        context = play.stage.context
        with context.store.transaction(context.name) as tx:
            pauses.resume(tx)
        play.later(minutes=10)
        take_back(play, run)
    else:
        play.forgetful()
        with pytest.raises(ConfigError):
            take_back(play, run)
    context = play.stage.context
    with context.store.reading(context.name) as tx:
        assert pauses.current(tx, now=context.now()) is None


def test_rows_that_cannot_be_read_now_stay_and_are_told(
    moved: tuple[Play, int],
) -> None:
    play, number = moved
    context = play.stage.context
    drawn = look(play, number)
    with context.store.reading(context.name) as tx:
        run = runs.get(tx, number)
        assert run is not None
        plan = runs.plan_of(tx, run)
    assert plan is not None
    rows = {row.page_id: row for rows in drawn.world.rows.values() for row in rows}
    boards = Boards(rows, context.schema, drawn.bindings, recall_written(context))

    readable = reverse(plan.changes, number, boards)
    pages = {change.page_id for change in readable.changes}
    assert {Kind.UPDATE, Kind.ARCHIVE} == {change.kind for change in readable.changes}
    hidden = reverse(plan.changes, number, replace(boards, unread=pages))
    assert hidden.changes == ()
    assert len(hidden.left) >= len(pages)
