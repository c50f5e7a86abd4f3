"""Whole cycles over real sockets while people work: what they type between the reading and the writing stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from rayline_demo.board import Card, living
from tests.support.stages import Play, small_play
from worker.cycle.context import Mode
from worker.cycle.report import Report
from worker.mapping.schema import Owner, Property
from worker.ports.notion import Notion

OF_PEOPLE = (Owner.SHARED, Owner.SEED)


class Interrupted:
    """The port of a run; somebody acts once, right before its writing begins."""

    def __init__(self, inner: Notion, acts: list[Callable[[], None]]) -> None:
        self._inner, self._acts = inner, acts

    def guarded(self, check: Callable[[], None]) -> Interrupted:
        """Return the same port with a check before each request."""
        return Interrupted(self._inner.guarded(check), self._acts)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            if self._acts and name in ("page", "create_page", "update_page"):
                self._acts.pop()()
            return call(*args, **kwargs)

        return interrupted


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        notion = found.stage.context.settings.notion
        yield found.with_settings(notion=notion.model_copy(update={"width": 1}))


def interrupted(play: Play, act: Callable[[], None]) -> Play:
    return play.through(cast(Notion, Interrupted(play.stage.context.notion, [act])))


def _value(prop: Property) -> Any:
    """Return something a person could type into a cell, unlike what the worker gives."""
    match prop.type:
        case "number":
            return Decimal(77)
        case "date":
            return date(2029, 9, 9)
        case "title" | "rich_text":
            return "typed by hand"
        case "select" | "status":
            return prop.options[-1].key
    return None


def _type_all(play: Play, source: str, card: Card) -> dict[str, Any]:
    """Let a person type into every shared and seed cell of a row; return what then stands, by field."""
    properties = play.stage.context.schema.sources[source].properties
    typed = {
        name: _value(prop)
        for name, prop in properties.items()
        if prop.owner in OF_PEOPLE and _value(prop) is not None
    }
    play.edit(source, card.page_id, **typed)
    now = next(one for one in living(play.stage, source) if one.page_id == card.page_id)
    return {name: now.values[name] for name in typed}


def _shown(play: Play, source: str) -> dict[str, Card]:
    return {card.page_id: card for card in living(play.stage, source)}


def _move_the_source(play: Play) -> None:
    """Let Jira, the fees and the days move on, so that plans, risks and tasks are to be changed."""
    for number in (5, 10, 15):
        play.stage.jira.control(
            "transition", {"issue": f"ACME-{number}", "status": "Done"}
        )
    for index in (0, 1):
        fee = Decimal(900_000 if index == 0 else 300_000)
        play.edit("clients", play.page("clients", index), monthly_fee=fee)
    _pin_the_quarter(play)
    play.later(days=3)


def _pin_the_quarter(play: Play) -> Card:
    quarter = next(
        card for card in play.keyed("plans", "2026-Q4") if card.values["target"]
    )
    play.edit(
        "plans", quarter.page_id, target=quarter.values["target"] * 2, pinned=True
    )
    return quarter


def test_all_shared_and_seed_cells_typed_while_a_run_is_under_way_stand_and_are_told(
    play: Play,
) -> None:
    play.sync()
    play.later(days=1)
    _move_the_source(play)
    drawn = play.draw()
    schema = play.stage.context.schema.sources
    planned = {
        (change.ref.source, change.page_id, item.field)
        for change in drawn.plan.changes
        for item in change.fields
        if change.page_id
        and schema[change.ref.source].properties[item.field].owner in OF_PEOPLE
    }
    assert len(planned) > 10, "the run is to write cells that people may type into"
    stood: dict[tuple[str, str], dict[str, Any]] = {}

    def act() -> None:
        for source in ("plans", "risks", "tasks", "goals"):
            for card in play.keyed(source):
                stood[source, card.page_id] = _type_all(play, source, card)

    report = interrupted(play, act).sync(Mode.DELTA)
    assert len(stood) > 20
    told = {(kept.ref.source, kept.page_id, kept.field) for kept in report.kept()}
    assert {cell for cell in planned if cell[2] in stood.get(cell[:2], {})} <= told, (
        "what the run had wanted otherwise is told"
    )
    _assert_stands(play, stood)
    for _ in range(2):
        play.later(days=1)
        play.sync()
        _assert_stands(play, stood)


def _assert_stands(play: Play, stood: dict[tuple[str, str], dict[str, Any]]) -> None:
    for source in {source for source, _ in stood}:
        now = _shown(play, source)
        for (of, page_id), typed in stood.items():
            if of == source:
                assert {name: now[page_id].values[name] for name in typed} == typed, (
                    f"{source} {now[page_id].values['name']}"
                )


@pytest.mark.parametrize("typed", [True, False])
def test_targets_pinned_while_a_changed_quarter_is_being_written_stand(
    play: Play, typed: bool
) -> None:
    """A tick alone pins what stood there when it was set."""
    play.sync()
    play.later(days=1)
    quarter = _pin_the_quarter(play)
    months = [
        card
        for card in play.keyed("plans")
        if card.page_id != quarter.page_id and card.values["target"]
    ]
    assert len(months) > 3
    pinned: dict[str, Decimal] = {}

    def act() -> None:
        for number, card in enumerate(months):
            target = Decimal(1000 + number) if typed else card.values["target"]
            change = {"pinned": True} | ({"target": target} if typed else {})
            play.edit("plans", card.page_id, **change)
            pinned[card.page_id] = target

    report: Report = interrupted(play, act).sync(Mode.DELTA)
    assert pinned, "the run wrote something"
    assert {kept.ref.source for kept in report.kept()} >= {"plans"}
    for _ in range(3):
        now = _shown(play, "plans")
        assert {page_id: now[page_id].values["target"] for page_id in pinned} == pinned
        play.later(minutes=10)
        play.sync()


def test_a_task_touched_while_a_run_closes_it_stays_open(play: Play) -> None:
    play.sync()
    play.later(days=1)  # the day before, the account manager had enough new tasks
    play.sync()
    task = play.keyed("tasks", "contact_client")[0]
    client = play.page("clients", 1)
    play.edit("clients", client, last_contact=play.stage.clock.now().date())
    play.later(days=1)
    play.sync()
    play.later(days=1)
    closing = {
        change.page_id: {item.field: item.after for item in change.fields}
        for change in play.draw(Mode.DELTA).plan.changes
    }
    assert closing[task.page_id]["status"] == "done"

    def act() -> None:
        play.edit("tasks", task.page_id, note="I call them tomorrow")

    report = interrupted(play, act).sync(Mode.DELTA)
    assert [
        (kept.page_id, kept.field)
        for kept in report.kept()
        if kept.ref.source == "tasks"
    ] == [(task.page_id, "status")]
    for _ in range(3):
        assert _shown(play, "tasks")[task.page_id].values["status"] == "New"
        play.later(days=1)
        play.sync()
