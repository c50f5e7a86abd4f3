"""Rows as they stand beside what we know to have written, and whether anything in them is people's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from worker.domain.entities import Row
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.mapping.schema import KEY_PROPERTY, Binding, Owner, Property, Rows, Source
from worker.plan.surplus import holds_more

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
US, SOMEBODY = "bot", "ann"
CARD, OTHER_CARD = Ref("projects", "c1"), Ref("projects", "c2")


def _property(name: str, kind: str, owner: Owner, mirror: str = "") -> Property:
    return Property(name, kind, owner, {"en": name}, mirror=mirror)


COLUMNS = (
    _property("name", "title", Owner.WORKER),
    _property(KEY_PROPERTY, "rich_text", Owner.WORKER),
    _property("note", "rich_text", Owner.HUMAN),
    _property("done", "checkbox", Owner.SHARED),
    _property("cards", "relation", Owner.WORKER, mirror="risks"),
    _property("people", "relation", Owner.SHARED, mirror="risks"),
    _property("client", "relation", Owner.WORKER),
)
SOURCE = Source(
    "risks", Rows.WORKER, {"en": "risks"}, "", {one.name: one for one in COLUMNS}
)
WRITTEN: dict[str, Value] = {"name": "late", KEY_PROPERTY: "risk:late:c1"}


def _row(**cells: Value | Unset) -> Row:
    fields: dict[str, Any] = {
        **dict.fromkeys(SOURCE.properties),
        **WRITTEN,
        "done": False,
        **cells,
    }
    shown = {name: value for name, value in fields.items() if value is not UNSET}
    ref = Ref("risks", "risk:late:c1")
    return Row(ref, "page", ref.key, "late", "", NOW, NOW, US, shown, US)


def _holds_more(
    row: Row,
    standing: Row | None = None,
    *,
    written: dict[str, Value] = WRITTEN,
    attempted: dict[str, Value] | None = None,
    bound: tuple[str, ...] = tuple(SOURCE.properties),
) -> bool:
    return holds_more(
        row,
        standing,
        SOURCE,
        Binding("risks", "db", "ds", {name: f"id-{name}" for name in bound}),
        written=written,
        attempted=attempted or {},
    )


@pytest.mark.parametrize("standing", [None, _row()])
def test_a_row_that_shows_what_we_wrote_and_no_more_is_ours(
    standing: Row | None,
) -> None:
    assert _holds_more(_row(), standing) is False


@pytest.mark.parametrize("standing", [None, _row()])
def test_a_row_that_somebody_else_edited_last_is_theirs_whatever_it_shows(
    standing: Row | None,
) -> None:
    theirs = replace(_row(), edited_by=SOMEBODY)
    assert _holds_more(theirs, standing) is True


@pytest.mark.parametrize("standing", [None, _row()])
@pytest.mark.parametrize(
    "cells",
    [
        {"note": "call them"},
        {"done": True},
        {"name": "very late"},
        {"people": (CARD,)},
        {"client": (CARD,)},
    ],
    ids=repr,
)
def test_a_cell_with_what_we_never_wrote_is_peoples(
    standing: Row | None, cells: dict[str, Value]
) -> None:
    assert _holds_more(_row(**cells), standing) is True


@pytest.mark.parametrize("standing", [None, _row()])
@pytest.mark.parametrize("name", ["name", "note", "done", "client"])
def test_a_cell_that_cannot_be_read_counts_as_written_in(
    standing: Row | None, name: str
) -> None:
    assert _holds_more(_row(**{name: UNSET}), standing) is True


def test_a_cell_that_cannot_be_read_in_either_row_counts_as_written_in() -> None:
    assert _holds_more(_row(note=UNSET), _row(note=UNSET)) is True


def test_a_cell_of_ours_that_was_emptied_is_an_edit() -> None:
    assert _holds_more(_row(name=None)) is True
    assert _holds_more(_row(name=None), _row(name=None)) is False


def test_a_cell_holds_what_was_written_or_tried_last() -> None:
    row = _row(name="later", client=(CARD,))
    assert _holds_more(row, attempted={"name": "later", "client": (CARD,)}) is False
    assert _holds_more(row, attempted={"name": "later"}) is True
    assert _holds_more(_row(), attempted={"name": "later"}) is False


def test_a_value_is_compared_as_notion_gives_it_back() -> None:
    written = WRITTEN | {"name": "very\nlate", "client": (OTHER_CARD, CARD), "note": ""}
    row = _row(name="very late", client=(CARD, OTHER_CARD))
    assert _holds_more(row, written=written) is False


def test_what_the_standing_row_shows_too_is_not_lost_with_the_second_one() -> None:
    row = _row(note="call them", done=True, name="very late")
    assert _holds_more(row, row) is False
    assert _holds_more(row, _row(note="call them", done=True)) is True
    assert _holds_more(row, _row(name="very late", done=True)) is True
    assert _holds_more(row) is True


def test_a_cell_that_shows_rows_of_the_other_side_says_nothing_of_a_row_alone() -> None:
    row = _row(cards=(CARD,))
    assert _holds_more(row) is False
    assert _holds_more(_row(cards=UNSET)) is False
    assert _holds_more(row, _row()) is True
    assert _holds_more(row, _row(cards=(OTHER_CARD,))) is True
    assert _holds_more(row, row) is False


@pytest.mark.parametrize("standing", [None, _row()])
@pytest.mark.parametrize("key", ["risk:late:other", "", UNSET])
def test_the_key_itself_is_nothing_that_people_wrote(
    standing: Row | None, key: str | Unset
) -> None:
    assert _holds_more(_row(**{KEY_PROPERTY: key}), standing) is False


def test_a_column_that_no_board_has_is_not_asked_for() -> None:
    bound = ("name", "done", "columns of a later release")
    assert _holds_more(_row(note=UNSET, client=UNSET), bound=bound) is False
    assert _holds_more(_row(name="very late"), bound=bound) is True
