"""Malformed requests to the Notion emulator: each is answered by a refusal or done, never by a crash."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from notion_rig import Rig

JUNK: list[Any] = [
    None,
    1,
    -1,
    "",
    "x",
    [],
    {},
    [1],
    [None],
    {"a": 1},
    True,
    1e99,
    "x" * 2500,
    [[]],
    {"id": 1},
    {"name": 1},
    {"type": "x"},
    "00000000-0000-4000-8000-000000000000",
]
TEXT: list[Any] = [
    {"text": {"content": "x", "link": {"url": "u"}}, "annotations": {"bold": True}},
    {"mention": {"date": {"start": "2026-01-01"}}},
    {"equation": {"expression": "x"}},
]
BLOCKS: list[Any] = [
    {"table": {"table_width": 1, "children": [{"table_row": {"cells": [TEXT]}}]}},
    {"link_to_page": {"page_id": "x"}},
    {"image": {"external": {"url": "u"}, "caption": TEXT}},
    {"callout": {"rich_text": TEXT, "icon": {"emoji": "a"}}},
    {"synced_block": {"synced_from": {"block_id": "x"}}},
    {"code": {"rich_text": TEXT, "language": "python"}},
    {
        "column_list": {
            "children": [{"column": {"children": [{"paragraph": {"rich_text": TEXT}}]}}]
            * 2
        }
    },
]
FILTER: dict[str, Any] = {
    "and": [
        {
            "or": [
                {"property": "K", "select": {"equals": ["a"]}},
                {"property": "D", "date": {"this_week": {}}},
            ]
        },
        {"timestamp": "created_time", "created_time": {"after": "2026-01-01"}},
        {"property": "R", "rollup": {"number": {"greater_than": 1}}},
        {"property": "X", "formula": {"string": {"contains": "x"}}},
        {"property": "P", "people": {"contains": "me"}},
    ]
}


class Ground:
    """A small workspace and well-formed requests against it."""

    def __init__(self) -> None:
        self.rig = Rig()
        _, other = self.rig.database({"Fee": {"number": {}}}, "Other")
        self.database, self.source = self.rig.database(
            {
                "S": {"status": {}},
                "K": {"select": {"options": [{"name": "a"}]}},
                "M": {"multi_select": {}},
                "D": {"date": {}},
                "P": {"people": {}},
                "F": {"files": {}},
                "T": {"rich_text": {}},
                "N": {"number": {}},
                "L": {"relation": {"data_source_id": other, "dual_property": {}}},
                "X": {"formula": {"expression": "1"}},
                "R": {
                    "rollup": {
                        "relation_property_name": "L",
                        "rollup_property_name": "Fee",
                        "function": "sum",
                    }
                },
            }
        )
        self.other, self.target = other, self.rig.row(other, "target")["id"]
        self.row = self.rig.row(self.source, "row")["id"]
        made = self.rig.ok(
            "PATCH",
            f"blocks/{self.row}/children",
            {"children": [{"paragraph": {"rich_text": []}}]},
        )
        self.block = made["results"][0]["id"]

    def values(self) -> dict[str, Any]:
        return {
            "Name": {"title": TEXT},
            "S": {"status": {"name": "Done"}},
            "K": {"select": {"name": "a"}},
            "M": {"multi_select": [{"name": "q"}]},
            "P": {"people": [{"id": self.rig.sandbox.bot_id}]},
            "D": {
                "date": {
                    "start": "2026-01-01",
                    "end": "2026-01-02",
                    "time_zone": "Europe/Moscow",
                }
            },
            "L": {"relation": [{"id": self.target}]},
            "N": {"number": 1},
            "T": {"rich_text": TEXT},
            "F": {"files": [{"name": "a", "external": {"url": "x"}}]},
        }

    def requests(self) -> list[tuple[str, str, Any]]:
        return [
            (
                "POST",
                "pages",
                {
                    "parent": {"data_source_id": self.source},
                    "properties": self.values(),
                    "children": BLOCKS,
                    "icon": {"emoji": "a"},
                    "cover": {"external": {"url": "u"}},
                    "position": {"type": "page_start"},
                    "template": {"type": "none"},
                },
            ),
            (
                "PATCH",
                f"pages/{self.row}",
                {
                    "properties": self.values(),
                    "icon": {"emoji": "a"},
                    "is_locked": False,
                },
            ),
            (
                "POST",
                f"pages/{self.row}/move",
                {"parent": {"data_source_id": self.source}},
            ),
            (
                "POST",
                f"data_sources/{self.source}/query",
                {
                    "filter": FILTER,
                    "page_size": 3,
                    "start_cursor": None,
                    "sorts": [
                        {"property": "N", "direction": "ascending"},
                        {"timestamp": "created_time"},
                    ],
                },
            ),
            (
                "PATCH",
                f"data_sources/{self.source}",
                {
                    "title": TEXT,
                    "properties": {
                        "K": {"select": {"options": [{"name": "b", "color": "red"}]}},
                        "N": {"name": "N2"},
                        "S": {
                            "status": {"options": [{"name": "i", "group": "Complete"}]}
                        },
                        "R": {"rollup": {"function": "count"}},
                        "U": {"unique_id": {"prefix": "a"}},
                        "Z": {
                            "relation": {
                                "data_source_id": self.other,
                                "dual_property": {"synced_property_name": "b"},
                            }
                        },
                        "T": {"type": "number", "number": {"format": "euro"}},
                    },
                },
            ),
            (
                "POST",
                "databases",
                {
                    "parent": {"page_id": self.rig.root},
                    "title": TEXT,
                    "icon": {"emoji": "x"},
                    "initial_data_source": {
                        "properties": {"Name": {"title": {}}, "S": {"status": {}}}
                    },
                },
            ),
            (
                "POST",
                "data_sources",
                {
                    "parent": {"database_id": self.database},
                    "properties": {"Name": {"title": {}}},
                },
            ),
            ("PATCH", f"databases/{self.database}", {"title": TEXT, "is_locked": True}),
            (
                "PATCH",
                f"blocks/{self.row}/children",
                {
                    "children": BLOCKS,
                    "position": {
                        "type": "after_block",
                        "after_block": {"id": self.block},
                    },
                },
            ),
            (
                "PATCH",
                f"blocks/{self.block}",
                {"paragraph": {"rich_text": TEXT, "color": "red"}, "in_trash": False},
            ),
            (
                "POST",
                "search",
                {
                    "query": "x",
                    "filter": {"property": "object", "value": "page"},
                    "sort": {"timestamp": "last_edited_time", "direction": "ascending"},
                },
            ),
        ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every part of a JSON value but the whole."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def spoiled(random_: random.Random, body: Any) -> Any:
    """Return the body with one part dropped or replaced by junk."""
    body = copy.deepcopy(body)
    *way, last = random_.choice(list(places(body)))
    part = body
    for key in way:
        part = part[key]
    if isinstance(part, dict) and random_.random() < 0.2:
        del part[last]
    else:
        part[last] = copy.deepcopy(random_.choice(JUNK))
    return body


def test_the_unspoiled_requests_are_accepted() -> None:
    for index in range(len(Ground().requests())):
        ground = Ground()
        method, path, body = ground.requests()[index]
        ground.rig.ok(method, path, body)


@pytest.mark.parametrize("seed", range(12))
def test_no_malformed_request_crashes_the_emulator(seed: int) -> None:
    random_, ground = random.Random(seed), Ground()
    statuses = set()
    for _ in range(150):
        method, path, body = random_.choice(ground.requests())
        sent = spoiled(random_, body)
        response = ground.rig.send(method, f"/v1/{path}", sent)
        assert response.status in (200, 400, 404), (method, path, sent, response.body)
        statuses.add(response.status)
    assert {200, 400} <= statuses


@pytest.mark.parametrize("seed", range(6))
def test_a_refused_request_leaves_no_trace(seed: int) -> None:
    random_, ground = random.Random(1000 + seed), Ground()
    refused = 0
    while refused < 40:
        method, path, body = random_.choice(ground.requests())
        before = ground.rig.sandbox.control("dump", {})
        if ground.rig.send(method, f"/v1/{path}", spoiled(random_, body)).status != 200:
            refused += 1
            assert ground.rig.sandbox.control("dump", {}) == before, (method, path)
        else:
            ground = Ground()
