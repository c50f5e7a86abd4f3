"""The emulator's objects against the official types, over a broad scenario (exceptions: notion_schemas)."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig
from notion_schemas import SCHEMAS, assert_valid, objects_in

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not SCHEMAS.exists(), reason="../shared/specs/notion-json-schemas is not there"
    ),
]


class Checked(Rig):
    """A rig that validates every object of every answer and counts them by kind."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.counts: dict[str, int] = {}

    def ok(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> dict[str, Any]:
        """Send a request that must succeed; all that it answers with must be valid."""
        value = super().ok(method, path, body, **more)
        for found in objects_in(value):
            if not (method == "DELETE" and found["object"] == "view"):
                assert_valid(found["object"], found)
                self.counts[found["object"]] = self.counts.get(found["object"], 0) + 1
        return value


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


COLUMNS: dict[str, Any] = {
    "Text": {"rich_text": {}},
    "Number": {"number": {"format": "ruble"}},
    "Checkbox": {"checkbox": {}},
    "Select": {
        "select": {"options": [{"name": "новый", "color": "red"}, {"name": "old"}]}
    },
    "Multi": {"multi_select": {"options": [{"name": "a"}, {"name": "b"}]}},
    "Status": {"status": {}},
    "Date": {"date": {}},
    "People": {"people": {}},
    "Files": {"files": {}},
    "URL": {"url": {}},
    "Mail": {"email": {}},
    "Phone": {"phone_number": {}},
    "ID": {"unique_id": {"prefix": "RAY"}},
    "Made": {"created_time": {}},
    "Maker": {"created_by": {}},
    "Edited": {"last_edited_time": {}},
    "Editor": {"last_edited_by": {}},
    "Formula": {"formula": {"expression": "1 + 1"}},
}

BLOCKS: list[dict[str, Any]] = [
    *(
        {
            f"heading_{level}": {
                "rich_text": text(f"H{level}"),
                "is_toggleable": level == 3,
            }
        }
        for level in (1, 2, 3)
    ),
    {
        "paragraph": {
            "rich_text": [
                {"text": {"content": "plain ", "link": {"url": "https://example.com"}}},
                {
                    "text": {"content": "bold"},
                    "annotations": {"bold": True, "color": "red"},
                },
                {"equation": {"expression": "x^2"}},
                {"mention": {"date": {"start": "2026-07-04"}}},
            ],
            "children": [{"quote": {"rich_text": text("nested")}}],
        }
    },
    {"bulleted_list_item": {"rich_text": text("b")}},
    {"numbered_list_item": {"rich_text": text("n")}},
    {"to_do": {"rich_text": text("t"), "checked": True}},
    {"toggle": {"rich_text": text("t")}},
    {
        "callout": {
            "rich_text": text("c"),
            "icon": {"type": "emoji", "emoji": "🔥"},
            "color": "blue_background",
        }
    },
    {"code": {"rich_text": text("x = 1"), "language": "python"}},
    {"divider": {}},
    {"equation": {"expression": "y"}},
    {"bookmark": {"url": "https://example.com"}},
    {"embed": {"url": "https://example.com"}},
    {"image": {"type": "external", "external": {"url": "https://example.com/a.png"}}},
    {
        "table": {
            "table_width": 2,
            "has_column_header": True,
            "has_row_header": False,
            "children": [{"table_row": {"cells": [text("a"), text("b")]}}],
        }
    },
    {"table_of_contents": {}},
    {"breadcrumb": {}},
    {
        "column_list": {
            "children": [
                {"column": {"children": [{"divider": {}}]}},
                {"column": {"children": [{"divider": {}}]}},
            ]
        }
    },
]


def full_row(rig: Rig) -> dict[str, Any]:
    owner = rig.sandbox.owner_id
    return {
        "Text": {"rich_text": text("слова")},
        "Number": {"number": 12.5},
        "Checkbox": {"checkbox": True},
        "Select": {"select": {"name": "новый"}},
        "Multi": {"multi_select": [{"name": "a"}, {"name": "fresh"}]},
        "Status": {"status": {"name": "In progress"}},
        "People": {"people": [{"id": owner}]},
        "Date": {
            "date": {
                "start": "2026-07-04T10:00:00+03:00",
                "end": "2026-07-05T10:00:00+03:00",
            }
        },
        "Files": {
            "files": [
                {
                    "name": "f",
                    "type": "external",
                    "external": {"url": "https://example.com/f"},
                }
            ]
        },
        "URL": {"url": "https://example.com"},
        "Mail": {"email": "a@example.com"},
        "Phone": {"phone_number": "+7 495 000-00-00"},
    }


def live_a_day(rig: Checked) -> None:
    """Use every endpoint with every type of value once."""
    database, source = rig.database(COLUMNS)
    _, other = rig.database(
        {
            "Back": {
                "relation": {
                    "data_source_id": source,
                    "type": "dual_property",
                    "dual_property": {"synced_property_name": "Forth"},
                }
            },
            "Sum": {
                "rollup": {
                    "relation_property_name": "Back",
                    "rollup_property_name": "Number",
                    "function": "sum",
                }
            },
        }
    )
    row = rig.row(source, "full", **full_row(rig))
    rig.row(source, "empty")
    rig.row(other, "related", Back={"relation": [{"id": row["id"]}]})
    rig.ok(
        "PATCH",
        f"pages/{row['id']}",
        {
            "icon": {"type": "emoji", "emoji": "🚀"},
            "cover": {"external": {"url": "https://example.com/c.png"}},
        },
    )
    for one in (source, other):
        rig.ok("GET", f"data_sources/{one}")
        rig.ok("POST", f"data_sources/{one}/query", {})
    rig.ok("GET", f"databases/{database}")
    _write_a_page(rig)
    _look_at_views(rig, database, source)
    rig.ok(
        "POST",
        "comments",
        {"parent": {"page_id": rig.root}, "markdown": "**well** done"},
    )
    rig.ok("GET", f"comments?block_id={rig.root}")
    for path in ("users", "users/me", f"users/{rig.sandbox.owner_id}"):
        rig.ok("GET", path)
    rig.ok("POST", "search", {})
    rig.ok("PATCH", f"databases/{database}", {"in_trash": True})


def _write_a_page(rig: Checked) -> None:
    page = rig.page("body", children=BLOCKS)
    for block in rig.ok("GET", f"blocks/{page['id']}/children")["results"]:
        rig.ok("GET", f"blocks/{block['id']}")
        rig.ok("GET", f"blocks/{block['id']}/children")
    markdown = rig.ok("GET", f"pages/{page['id']}/markdown")["markdown"]
    again = rig.page("again")
    rig.ok(
        "PATCH",
        f"pages/{again['id']}/markdown",
        {"type": "replace_content", "replace_content": {"new_str": markdown}},
    )
    rig.ok("GET", f"blocks/{again['id']}/children")
    rig.ok("GET", f"blocks/{rig.root}/children")
    rig.ok("DELETE", f"blocks/{again['id']}")


def _look_at_views(rig: Checked, database: str, source: str) -> None:
    ids = {
        name: column["id"]
        for name, column in rig.ok("GET", f"data_sources/{source}")[
            "properties"
        ].items()
    }
    configurations = {
        "table": {
            "type": "table",
            "wrap_cells": True,
            "properties": [{"property_id": ids["Text"], "visible": False}],
        },
        "board": {
            "type": "board",
            "group_by": {
                "type": "status",
                "group_by": "option",
                "property_id": ids["Status"],
                "sort": {"type": "manual"},
            },
        },
        "calendar": {"type": "calendar", "date_property_id": ids["Date"]},
        "timeline": {"type": "timeline", "date_property_id": ids["Date"]},
        "gallery": {"type": "gallery"},
        "list": {"type": "list"},
    }
    for kind, configuration in configurations.items():
        view = rig.ok(
            "POST",
            "views",
            {
                "database_id": database,
                "data_source_id": source,
                "name": kind,
                "type": kind,
                "configuration": configuration,
            },
        )
        rig.ok("GET", f"views/{view['id']}")
        rig.ok(
            "PATCH",
            f"views/{view['id']}",
            {"sorts": [{"property": "Number", "direction": "ascending"}]},
        )


@pytest.mark.parametrize("version", ["2025-09-03", "2026-03-11"])
def test_every_object_of_a_busy_day_fits_the_official_types(version: str) -> None:
    rig = Checked(version=version)
    live_a_day(rig)
    floors = {
        "page": 12,
        "database": 3,
        "data_source": 5,
        "block": 60,
        "comment": 2,
        "user": 4,
        "view": 15,
    }
    assert {
        kind: rig.counts.get(kind, 0) >= least for kind, least in floors.items()
    } == dict.fromkeys(floors, True)


def test_only_the_old_version_says_archived() -> None:
    said = {
        version: "archived" in Rig(version=version).page()
        for version in ("2025-09-03", "2026-03-11")
    }
    assert said == {"2025-09-03": True, "2026-03-11": False}


def test_the_validator_finds_a_wrong_object() -> None:
    page = Rig().page()
    page["properties"]["title"]["title"][0]["annotations"]["color"] = "ultraviolet"
    with pytest.raises(AssertionError, match="PageObjectResponse"):
        assert_valid("page", page)
