"""Whole records as Notion's own schemas describe them: each is read, and a cell of any type in any column is read or named."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from boards_rig import EVERY_TYPE, Workspace, make
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.english import english
from tests.support.json_schemas import MOMENTS, SPECS, Drawing, document
from worker.codecs.blocks import seen, text_of
from worker.codecs.notion import Unreadable, canonicalize, decode
from worker.codecs.records import (
    UNREAD,
    BoardView,
    Database,
    Malformed,
    User,
    read_block,
    read_comment,
    read_data_source,
    read_page,
    read_record,
)
from worker.mapping.schema import Schema

pytestmark = pytest.mark.skipif(
    not SPECS.exists(), reason="../shared/specs is not there"
)
IDS = ("4f0c0c5e-0f3b-4f0d-9a83-6a8e6f2b8a11", "0e7c7b36-5d3e-4b52-8f6e-2a9f2f3b9c10")
IDENTITIES = ("id", "page_id", "database_id", "data_source_id", "block_id")
STAMPS = ("created_time", "last_edited_time")
NAMED = {name: lambda chance: chance.choice(IDS) for name in IDENTITIES} | {
    name: lambda chance: chance.choice(MOMENTS) for name in STAMPS
}
READ: dict[str, Callable[[Any], Any]] = {
    "PageObjectResponse": read_page,
    "BlockObjectResponse": read_block,
    "CommentObjectResponse": read_comment,
    "DataSourceObjectResponse": read_data_source,
    "DatabaseObjectResponse": lambda raw: read_record(Database, raw),
    "UserObjectResponse": lambda raw: read_record(User, raw),
    "DataSourceViewObjectResponse": lambda raw: read_record(BoardView, raw),
}
CHANCE = st.randoms(use_true_random=False)


def drawing(kind: str, chance: Random) -> Any:
    """Return a record of a kind, with ids and instants that Notion would give."""
    known = document(f"notion-json-schemas/{kind}.json")
    return Drawing(known, chance, NAMED).draw(known)


def spoil(record: Any, chance: Random) -> Any:
    """Return a record of which one part, however deep, is of another kind or away."""
    spots = [(record, name) for name in record]
    for around, name in spots:
        part = around[name]
        inner = list(part) if isinstance(part, dict) else []
        inner = list(range(len(part))) if isinstance(part, list) else inner
        spots += [(part, one) for one in inner]
    around, name = chance.choice(spots)
    around[name] = chance.choice([None, {}, [], "", 7, True, [[]], 10**40, {"id": {}}])
    return record


def fault_in(kind: str, raw: Any) -> str | None:
    """Return what is said to be wrong with a record, nothing when it is read."""
    try:
        READ[kind](raw)
    except Malformed as fault:
        return fault.said
    return None


def unread_parts(found: Any) -> list[Any]:
    """Return the cells of a page, or the columns of a data source, that could not be read."""
    if hasattr(found, "unread"):
        return list(found.unread)
    cells = getattr(found, "properties", {})
    return [cell for cell in cells.values() if UNREAD in cell]


@pytest.mark.parametrize("kind", sorted(READ))
def test_every_record_that_the_schema_allows_is_read_whole(kind: str) -> None:
    @settings(max_examples=60)
    @given(CHANCE)
    def is_read(chance: Random) -> None:
        found = READ[kind](drawing(kind, chance))
        assert unread_parts(found) == []

    is_read()


@pytest.mark.parametrize("kind", sorted(READ))
def test_a_record_of_which_a_part_is_spoilt_is_read_or_says_what_is_wrong(
    kind: str,
) -> None:
    @settings(max_examples=60)
    @given(CHANCE)
    def is_read_or_named(chance: Random) -> None:
        assert fault_in(kind, spoil(drawing(kind, chance), chance)) != ""

    is_read_or_named()


@settings(max_examples=150)
@given(CHANCE)
def test_a_block_of_any_kind_shows_a_text_that_can_be_compared(chance: Random) -> None:
    block = read_block(drawing("BlockObjectResponse", chance))
    assert seen(block) == seen(json.loads(json.dumps(block)))
    assert isinstance(text_of(block), str)


@pytest.fixture(scope="module")
def board() -> Workspace:
    return make(Schema({"things": EVERY_TYPE}))


@pytest.mark.parametrize("name", sorted(EVERY_TYPE.properties))
def test_a_cell_of_any_type_in_any_column_is_a_value_or_a_sentence(
    board: Workspace, name: str
) -> None:
    prop, binding = EVERY_TYPE.properties[name], board.bindings["things"]

    @settings(max_examples=40)
    @given(CHANCE)
    def is_value_or_sentence(chance: Random) -> None:
        page = read_page(drawing("PageObjectResponse", chance))
        for cell in page.properties.values():
            found = decode(prop, cell, binding, {})
            if isinstance(found, Unreadable):
                assert english(found.message).strip()
            else:
                assert cell["type"] == prop.type
                assert canonicalize(prop, found) is not NotImplemented

    is_value_or_sentence()
