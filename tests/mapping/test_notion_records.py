"""Whatever Notion sends in the place of a record, it is read or told to be malformed; nothing else comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.codecs.blocks import text_of
from worker.codecs.records import (
    Malformed,
    Page,
    read_block,
    read_data_source,
    read_page,
    unread_page,
)

NAMES = (
    "id",
    "type",
    "name",
    "properties",
    "title",
    "plain_text",
    "url",
    "parent",
    "created_by",
    "in_trash",
    "callout",
    "rich_text",
    "select",
    "options",
    "relation",
    "data_source_id",
    "paragraph",
    "icon",
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(NAMES)
    | st.text(st.characters(exclude_categories=()), max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("read", [read_page, read_data_source, read_block])
def test_any_value_is_read_and_can_be_kept_or_is_malformed(
    read: Callable[[object], object],
) -> None:
    @settings(max_examples=400)
    @given(values, values)
    def try_one(raw: Any, cells: Any) -> None:
        whole = {"id": "x", "type": "callout", "properties": {"A": cells}}
        for value in (raw, {**whole, "callout": cells}):
            try:
                found = read(value)
            except Malformed as fault:
                found = unread_page(value, fault)
            msgspec.json.encode(found)

    try_one()


ROW: dict[str, Any] = {
    "object": "page",
    "id": "p1",
    "url": "https://notion/p1",
    "created_time": "2026-11-21T09:30:00.000Z",
    "last_edited_by": {"object": "user", "id": "u1"},
    "in_trash": False,
    "properties": {
        "Name": {"id": "title", "type": "title", "title": [{"plain_text": "Acme"}]},
        "Due": {"id": "d", "type": "date", "date": None},
    },
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"properties": None}, "properties"),
        ({"properties": []}, "properties"),
        ({"url": 7}, "url"),
        ({"created_time": {}}, "created_time"),
        ({"last_edited_by": []}, "last_edited_by"),
        ({"last_edited_by": {"id": 7}}, "last_edited_by.id"),
        ({"in_trash": None}, "in_trash"),
        ({"in_trash": "no"}, "in_trash"),
        ({"url": "half \ud83d"}, "url"),
    ],
)
def test_a_malformed_row_is_named_by_all_that_can_be_read_of_it(
    change: dict[str, Any], field: str
) -> None:
    raw = {**ROW, **change}
    with pytest.raises(Malformed) as caught:
        read_page(raw)
    assert caught.value.field == field
    known = unread_page(raw, caught.value)
    assert known.id == ("" if "id" in change else "p1")
    assert known.url == ("" if "url" in change else "https://notion/p1")
    assert known.title == ("" if "properties" in change else "Acme")


@pytest.mark.parametrize("value", ["half \ud83d", "\udcff", {"deep": ["\ud83d"]}])
def test_a_cell_that_cannot_be_kept_costs_the_row_only_that_cell(value: Any) -> None:
    cells = {
        **ROW["properties"],
        "Note": {"id": "n", "type": "rich_text", "rich_text": value},
        "half \ud83d": {"id": "h", "type": "number", "number": 1},
    }
    page = read_page({**ROW, "properties": cells})
    assert isinstance(page, Page)
    assert page.properties["Name"] == ROW["properties"]["Name"]
    assert page.properties["Note"] == {
        "id": "n",
        "type": "rich_text",
        "unread": "it holds half of a character",
    }
    assert [cell["id"] for cell in page.properties.values()] == ["title", "d", "n", "h"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (None, ""),
        ({"id": 7, "name": "Stage", "type": "select"}, "id"),
        ({"id": "s", "type": "select", "select": {"options": []}}, "name"),
        ({"id": "s", "name": "Stage", "type": []}, "type"),
        ({"id": "s", "name": "Stage", "type": "select"}, "select"),
        ({"id": "s", "name": "Stage", "type": "select", "select": []}, "select"),
        ({"id": "s", "name": "Stage", "type": "select", "select": {}}, "options"),
        (
            {
                "id": "s",
                "name": "Stage",
                "type": "status",
                "status": {"options": [{"id": "o"}]},
            },
            "name",
        ),
        (
            {"id": "s", "name": "Stage", "type": "relation", "relation": {}},
            "data_source_id",
        ),
    ],
)
def test_a_malformed_column_is_set_aside_and_the_others_are_read(
    column: Any, said: str
) -> None:
    good = {"id": "title", "name": "Name", "type": "title", "title": {}}
    raw = {"id": "ds", "properties": {"Name": good, "Stage": column}}
    found = read_data_source(raw)
    assert [one.id for one in found.properties] == ["title"]
    assert [one.name for one in found.unread] == ["Stage"]
    assert said in found.unread[0].said


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"id": "ds"}, {"properties": {}}])
def test_what_is_no_data_source_is_malformed(raw: Any) -> None:
    with pytest.raises(Malformed):
        read_data_source(raw)


@pytest.mark.parametrize(
    "payload",
    [None, [], "x", {"rich_text": {}}, {"rich_text": [7]}, {"icon": "x"}],
    ids=repr,
)
def test_a_block_of_ours_that_cannot_be_read_is_malformed_and_a_foreign_one_is_not(
    payload: Any,
) -> None:
    with pytest.raises(Malformed):
        read_block({"id": "b", "type": "callout", "callout": payload})
    foreign = {"id": "b", "type": "tomorrow", "tomorrow": payload}
    assert read_block(foreign) == foreign


def test_half_a_character_in_a_block_does_not_hide_it() -> None:
    text = [{"plain_text": "half \ud83d of it", "href": None}]
    block = {"id": "b", "type": "paragraph", "paragraph": {"rich_text": text}}
    found = read_block(block)
    assert text_of(found) == "half ? of it"
    msgspec.json.encode(found)
