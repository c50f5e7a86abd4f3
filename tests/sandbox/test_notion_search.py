"""The search of the Notion emulator: what a body may say, and the order of what is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from notion_rig import Rig

LOOSE: list[dict[str, Any]] = [
    {"query": 5},
    {"query": ["a"]},
    {"sort": {"direction": "up", "timestamp": "last_edited_time"}},
    {"sort": {"direction": "ascending", "timestamp": "created_time"}},
    {"sort": "ascending"},
    {"page_size": "5"},
]


@pytest.mark.parametrize("body", LOOSE, ids=str)
def test_a_search_of_the_wrong_form_is_refused(body: dict[str, Any]) -> None:
    assert Rig().refused("POST", "search", body) == (400, "validation_error")


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ({}, "second"),
        (
            {"sort": {"direction": "descending", "timestamp": "last_edited_time"}},
            "second",
        ),
        (
            {"sort": {"direction": "ascending", "timestamp": "last_edited_time"}},
            "first",
        ),
    ],
    ids=str,
)
def test_a_search_is_sorted_by_the_last_edit_either_way(
    sort: dict[str, Any], first: str
) -> None:
    rig = Rig()
    ids = {}
    for title in ("first", "second"):
        ids[rig.page(title)["id"]] = title
        rig.clock.advance(timedelta(minutes=2))
    found = [
        ids[one["id"]]
        for one in rig.ok("POST", "search", sort)["results"]
        if one["id"] in ids
    ]
    assert found[0] == first
