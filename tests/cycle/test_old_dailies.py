"""Dailies that are read no more leave their board by and by; what anybody had a hand in stays, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rayline_demo.board import rows
from rayline_sandbox.notion.comments import add_comment
from rayline_sandbox.notion.richtext import plain_rich_text
from rayline_sandbox.notion.store import Page, Parent
from tests.support.stages import TODAY, Play, small_play
from worker.cli.reasons import find_fate
from worker.config import Limits, Thresholds
from worker.cycle.context import FINGERPRINT, Mode
from worker.cycle.planning import recall
from worker.cycle.report import Report
from worker.domain import document
from worker.domain.document import Bullet, Paragraph
from worker.domain.values import Ref, Value
from worker.plan.facts import Why
from worker.plan.outdated import GOES, LINKED, RESTORED, STAYS, WRITTEN
from worker.plan.plan import Change, FieldChange, Kind, Plan
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import apply

WHY = Why("pages")
BLOCKS = (
    Paragraph("Nothing moved."),
    Bullet("Acme portal", (Bullet("ACME-3 — done"),)),
)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A workspace after its first run, with so many agendas of old that ten dailies may go in a day."""
    with small_play(tmp_path) as found:
        found.sync()
        for number in range(100):
            day = day_before(100 + number)
            key = name_of("monthly", day).key
            found.stage.scribe.add(
                "meetings", name=key, kind="monthly", date=day, worker_key=key
            )
        yield found


def day_before(number: int) -> date:
    return TODAY - timedelta(days=number)


def name_of(kind: str, day: date) -> Ref:
    return Ref("meetings", f"meeting:{kind}:north:{day}")


def make(play: Play, days: Iterable[date], kind: str = "daily") -> dict[date, str]:
    """Let pages stand as Rayline made them on their days; return their ids."""
    context = play.stage.context
    blocks = document.mark(BLOCKS, context.words)
    changes = []
    for day in days:
        ref = name_of(kind, day)
        cells: dict[str, Value] = {"name": f"{kind} {day}", "kind": kind, "date": day}
        fields = [FieldChange(name, None, cell, WHY) for name, cell in cells.items()]
        changes += [
            Change(Kind.CREATE, ref, "", f"{kind} {day}", tuple(fields)),
            Change(Kind.SECTION, ref, "", f"{kind} {day}", blocks=blocks),
        ]
    done = apply(
        Plan(context.name, tuple(changes)),
        context.notion,
        context,
        play.stage.bindings(),
        basis=PlanBasis(),
        control=RunControl(),
    )
    assert not done.failures
    made = {}
    for card in rows(play.stage, "meetings"):
        if card.values["kind"] and card.values["date"]:
            made[str(card.values["worker_key"])] = card.page_id
    pages = {day: made[name_of(kind, day).key] for day in days}
    play.later(minutes=2)
    return pages


def page_of(play: Play, page_id: str) -> Page:
    return play.stage.notion.store.pages[page_id]


def gone(play: Play, pages: Iterable[str]) -> set[str]:
    """Return those of some pages that are archived, after seeing that none is in the trash."""
    archived = set()
    for page_id in pages:
        page = page_of(play, page_id)
        assert not page.in_trash
        if page.is_archived:
            archived.add(page_id)
    return archived


def next_day(play: Play, mode: Mode = Mode.FULL) -> Report:
    play.later(days=1)
    report = play.sync(mode)
    assert not report.refused
    assert not report.failures()
    return report


def fate(play: Play, ref: Ref) -> str | None:
    drawn = recall(play.stage.context)
    told = find_fate(play.stage.context, drawn, ref)
    return told and told[0]


def test_old_dailies_are_archived_and_younger_ones_and_other_meetings_stay(
    play: Play,
) -> None:
    days = [day_before(number) for number in range(25, 40)]
    dailies = make(play, days)
    cuts = make(play, [day_before(40), day_before(60)], "monday_cut")
    first = day_before(39)
    assert fate(play, name_of("daily", first)) is None  # it was not read yet
    next_day(play)
    next_day(play)
    today = play.stage.context.now().date()
    old = {page for day, page in dailies.items() if (today - day).days > 30}
    assert gone(play, dailies.values()) == old
    assert gone(play, cuts.values()) == set()


def test_what_was_archived_is_not_made_again_and_the_runs_after_it_write_nothing(
    play: Play,
) -> None:
    dailies = make(play, [day_before(50)])
    play.later(days=1)
    report = play.sync()
    assert report.applied.counts()["archive"] == 1
    assert gone(play, dailies.values()) == set(dailies.values())
    for mode in (Mode.FULL, Mode.DELTA, Mode.FULL):
        play.later(minutes=10)
        mark = play.mark()
        play.sync(mode)
        assert not play.writes(mark)


def test_a_look_at_changes_archives_nothing(play: Play) -> None:
    dailies = make(play, [day_before(50)])
    play.later(minutes=10)
    play.sync(Mode.DELTA)
    assert not gone(play, dailies.values())


@pytest.mark.parametrize("share", ["0", "0.05"])
def test_no_limit_on_destructive_plans_is_met(play: Play, share: str) -> None:
    dailies = make(play, [day_before(31 + each) for each in range(10)])
    limits = Limits.model_validate({"destructive_share": share})
    report = next_day(play.with_settings(limits=limits))
    ours = len(rows(play.stage, "meetings"))
    archived = len(gone(play, dailies.values()))
    assert archived == report.applied.counts()["archive"]
    assert archived == int(float(share) * ours / 2)


def test_dailies_are_kept_for_ever_where_the_configuration_says_so(play: Play) -> None:
    dailies = make(play, [day_before(400)])
    forever = play.with_settings(thresholds=Thresholds(daily_days=0))
    next_day(forever)
    assert not gone(play, dailies.values())


def write_a_note(play: Play, page_id: str) -> None:
    play.edit("meetings", page_id, notes="we agreed to call them")


def write_below(play: Play, page_id: str) -> None:
    play.stage.notion.control(
        "append", {"block_id": page_id, "children": [_line("ours")]}
    )


def write_into_a_line(play: Play, page_id: str) -> None:
    """Let a person add a line below a line of Rayline's, and Rayline be the last to edit the page."""
    body = play.stage.notion.store.body_of(page_id)
    bullet = next(
        one
        for one in body
        if play.stage.notion.store.blocks[one].type.startswith("bul")
    )
    play.stage.notion.control(
        "append", {"block_id": bullet, "children": [_line("mine")]}
    )
    page_of(play, page_id).edited_by = play.bot_id


def comment_on_the_page(play: Play, page_id: str) -> None:
    _comment(play, Parent("page_id", page_id))


def comment_on_a_line(play: Play, page_id: str) -> None:
    body = play.stage.notion.store.body_of(page_id)
    _comment(play, Parent("block_id", body[1]))


def move_a_page_of_ours_below(play: Play, page_id: str) -> None:
    """Let a person move a page that Rayline made below the row, and Rayline change its title there."""
    notion = play.stage.context.notion
    root = play.stage.notion.root_page_id
    page = notion.create_subpage(root, "Status", icon="🤝")
    play.stage.notion.control(
        "move", {"page_id": page.id, "parent": {"page_id": page_id}}
    )
    title = {"title": [{"text": {"content": "Status of May"}}]}
    notion.update_page(page.id, {"title": title})


def rename(play: Play, page_id: str) -> None:
    play.edit("meetings", page_id, name="The day it all began")


def fill_a_column_of_their_own(play: Play, page_id: str) -> None:
    """Let a person add a column that Rayline does not know and fill it, before Rayline edits the page once more."""
    source = play.data_source("meetings")
    play.stage.notion.control(
        "add_property",
        {"data_source_id": source, "name": "Score", "config": {"number": {}}},
    )
    play.stage.notion.control(
        "edit", {"page_id": page_id, "properties": {"Score": {"number": 5}}}
    )
    page_of(play, page_id).edited_by = play.bot_id


def link_from_a_client(play: Play, page_id: str) -> None:
    address = page_of(play, page_id).id.replace("-", "")
    text = f"see https://app.notion.com/p/{address}"
    task = play.keyed("tasks")[0]
    play.edit("tasks", task.page_id, note=text)


def _comment(play: Play, parent: Parent) -> None:
    notion = play.stage.notion
    add_comment(notion.store, parent, plain_rich_text("why?"), notion.owner_id)


def _line(text: str) -> dict[str, Any]:
    piece = [{"type": "text", "text": {"content": text}}]
    return {"type": "paragraph", "paragraph": {"rich_text": piece}}


ACTS: dict[Callable[[Play, str], None], str] = {
    write_a_note: WRITTEN,
    write_below: WRITTEN,
    write_into_a_line: WRITTEN,
    comment_on_the_page: WRITTEN,
    comment_on_a_line: WRITTEN,
    move_a_page_of_ours_below: WRITTEN,
    rename: WRITTEN,
    fill_a_column_of_their_own: WRITTEN,
    link_from_a_client: LINKED,
}


def test_a_daily_that_anybody_had_a_hand_in_stays_and_is_not_looked_at_twice(
    play: Play,
) -> None:
    days = [day_before(60 + number) for number in range(len(ACTS))]
    untouched = day_before(50)
    dailies = make(play, [*days, untouched])
    reasons = {}
    for day, (act, reason) in zip(days, ACTS.items(), strict=True):
        act(play, dailies[day])
        reasons[day] = STAYS[reason]
    next_day(play)
    assert gone(play, dailies.values()) == {dailies[untouched]}
    assert {day: fate(play, name_of("daily", day)) for day in days} == reasons

    play.later(days=1)
    mark = play.mark()
    play.sync()
    asked = " ".join(one.path for one in play.reads(mark)).replace("-", "")
    assert not [day for day in days if dailies[day].replace("-", "") in asked]


def test_what_people_do_between_the_plan_and_the_writing_counts(play: Play) -> None:
    dailies = make(play, [day_before(60)])
    (page_id,) = dailies.values()
    play.later(days=1)
    drawn = play.draw()
    plan = drawn.plan
    assert [one.page_id for one in plan.changes if one.kind is Kind.ARCHIVE] == [
        page_id
    ]
    comment_on_a_line(play, page_id)
    context = play.stage.context
    done = apply(
        plan,
        context.notion,
        context,
        drawn.bindings,
        basis=PlanBasis(),
        control=RunControl(),
    )
    assert not done.failures
    assert not gone(play, [page_id])


def test_one_that_a_person_brings_back_stays_also_when_nothing_else_tells_of_it(
    play: Play,
) -> None:
    dailies = make(play, [day_before(60)])
    (page_id,) = dailies.values()
    next_day(play)
    assert gone(play, [page_id])
    play.stage.notion.control("restore", {"id": page_id})
    page_of(play, page_id).edited_by = play.bot_id
    for _ in range(3):
        next_day(play)
        assert not gone(play, [page_id])
    assert fate(play, name_of("daily", day_before(60))) == STAYS[RESTORED]
    keys = [card.values["worker_key"] for card in rows(play.stage, "meetings")]
    assert len(keys) == len(set(keys))


def test_one_that_nothing_proves_to_be_ours_stays(play: Play) -> None:
    dailies = make(play, [day_before(60)])
    lost = play.forgetful()
    for _ in range(3):
        next_day(lost)
    assert not gone(play, dailies.values())


def test_nothing_is_archived_while_the_mapping_is_another_or_the_board_was_not_read(
    play: Play,
) -> None:
    dailies = make(play, [day_before(60)])
    context = play.stage.context
    with context.transaction() as tx:
        FINGERPRINT.save(tx, "another")
    report = next_day(play)
    assert not report.refused
    assert not gone(play, dailies.values())
    next_day(play)
    assert gone(play, dailies.values())


def test_a_connection_that_may_not_see_comments_archives_all_the_same(
    play: Play,
) -> None:
    dailies = make(play, [day_before(60)])
    play.stage.notion.control("set_capabilities", {"comments": False})
    next_day(play)
    assert gone(play, dailies.values()) == set(dailies.values())


def test_explain_says_why_an_old_daily_goes(play: Play) -> None:
    day = day_before(60)
    make(play, [day])
    play.sync(Mode.DELTA)
    ref = name_of("daily", day)
    told = find_fate(play.stage.context, recall(play.stage.context), ref)
    assert told is not None
    words, outdated = told
    assert words == GOES
    assert outdated.why.threshold == "30 days"
