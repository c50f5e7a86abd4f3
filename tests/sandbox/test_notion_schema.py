"""Databases and data sources of the Notion emulator: columns made, renamed, retyped, removed; options replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from notion_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def columns(rig: Rig, source: str) -> dict[str, Any]:
    found: dict[str, Any] = rig.ok("GET", f"data_sources/{source}")["properties"]
    return found


def change(rig: Rig, source: str, **properties: Any) -> dict[str, Any]:
    return rig.ok("PATCH", f"data_sources/{source}", {"properties": properties})


def test_a_database_starts_with_one_data_source_of_its_title(rig: Rig) -> None:
    made = rig.ok(
        "POST",
        "databases",
        {
            "parent": {"type": "page_id", "page_id": rig.root},
            "title": [{"text": {"content": "Клиенты"}}],
            "initial_data_source": {"properties": {"Имя": {"title": {}}}},
        },
    )
    assert [one["name"] for one in made["data_sources"]] == ["Клиенты"]
    source = rig.ok("GET", f"data_sources/{made['data_sources'][0]['id']}")
    assert source["properties"] == {
        "Имя": {
            "id": "title",
            "name": "Имя",
            "description": None,
            "type": "title",
            "title": {},
        }
    }
    assert source["database_parent"] == {"type": "page_id", "page_id": rig.root}
    assert made["created_time"] == "2026-07-04T09:08:30.000+00:00"


def test_a_second_data_source_stops_rows_addressed_by_database(rig: Rig) -> None:
    database, _ = rig.database({})
    body = {"parent": {"database_id": database}, "properties": {}}
    assert rig.ok("POST", "pages", body)["parent"]["database_id"] == database
    rig.ok(
        "POST",
        "data_sources",
        {
            "parent": {"type": "database_id", "database_id": database},
            "properties": {"Name": {"title": {}}},
        },
    )
    assert rig.refused("POST", "pages", body) == (400, "validation_error")
    assert len(rig.ok("GET", f"databases/{database}")["data_sources"]) == 2


def test_a_rename_keeps_the_id_and_the_values(rig: Rig) -> None:
    _, source = rig.database({"Fee": {"number": {}}})
    before = columns(rig, source)["Fee"]["id"]
    page = rig.row(source, "x", Fee={"number": 9})["id"]
    after = change(rig, source, Fee={"name": "Плата"})["properties"]
    assert "Fee" not in after
    assert after["Плата"]["id"] == before
    assert rig.ok("GET", f"pages/{page}")["properties"]["Плата"]["number"] == 9


def test_columns_are_added_and_removed_by_patch(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    after = change(rig, source, A=None, B={"rich_text": {}})["properties"]
    assert set(after) == {"Name", "B"}


@pytest.mark.parametrize(
    "patch",
    [
        {"Name": None},
        {"Name": {"number": {}}},
        {"Nope": None},
        {"A": {"name": "Name"}},
        {"Second": {"title": {}}},
        {"R": {"rollup": {"function": "sum"}}},
        {"L": {"relation": {"data_source_id": "00000000-0000-4000-8000-000000000000"}}},
    ],
)
def test_impossible_schema_changes_are_refused_whole(
    rig: Rig, patch: dict[str, Any]
) -> None:
    _, source = rig.database({"A": {"number": {}}})
    before = columns(rig, source)
    status, _ = rig.refused(
        "PATCH",
        f"data_sources/{source}",
        {"properties": {"New": {"number": {}}, **patch}},
    )
    assert status in (400, 404)
    assert columns(rig, source) == before


def test_select_options_are_replaced_and_values_of_lost_ones_cleared(rig: Rig) -> None:
    _, source = rig.database(
        {"K": {"select": {"options": [{"name": "a"}, {"name": "b"}]}}}
    )
    page = rig.row(source, "x", K={"select": {"name": "a"}})["id"]
    kept = columns(rig, source)["K"]["select"]["options"][1]
    after = change(
        rig, source, K={"select": {"options": [kept, {"name": "c", "color": "red"}]}}
    )
    assert [one["name"] for one in after["properties"]["K"]["select"]["options"]] == [
        "b",
        "c",
    ]
    assert after["properties"]["K"]["select"]["options"][0]["id"] == kept["id"]
    assert rig.ok("GET", f"pages/{page}")["properties"]["K"]["select"] is None


@pytest.mark.parametrize(
    "options",
    [
        [{"name": "a", "color": "red"}],
        [{"name": "b"}, {"name": "B"}],
        [{"name": "x,y"}],
        [{"name": f"n{index}"} for index in range(101)],
    ],
)
def test_options_cannot_be_recoloured_repeated_or_hold_commas(
    rig: Rig, options: list[dict[str, Any]]
) -> None:
    _, source = rig.database(
        {"K": {"select": {"options": [{"name": "a", "color": "blue"}]}}}
    )
    body = {"properties": {"K": {"select": {"options": options}}}}
    assert rig.refused("PATCH", f"data_sources/{source}", body) == (
        400,
        "validation_error",
    )


def groups(column: dict[str, Any]) -> dict[str, list[str]]:
    names = {one["id"]: one["name"] for one in column["status"]["options"]}
    return {
        group["name"]: [names[one] for one in group["option_ids"]]
        for group in column["status"]["groups"]
    }


def test_an_empty_status_has_three_options_in_three_groups(rig: Rig) -> None:
    _, source = rig.database({"S": {"status": {}}})
    assert groups(columns(rig, source)["S"]) == {
        "To-do": ["Not started"],
        "In progress": ["In progress"],
        "Complete": ["Done"],
    }
    assert rig.row(source, "x")["properties"]["S"]["status"]["name"] == "Not started"


def test_status_options_go_to_the_group_they_name(rig: Rig) -> None:
    _, source = rig.database(
        {
            "S": {
                "status": {
                    "options": [
                        {"name": "idea"},
                        {"name": "doing", "group": "In progress"},
                        {"name": "won", "group": "Complete"},
                    ]
                }
            }
        }
    )
    assert groups(columns(rig, source)["S"]) == {
        "To-do": ["idea"],
        "In progress": ["doing"],
        "Complete": ["won"],
    }
    kept = columns(rig, source)["S"]["status"]["options"]
    after = change(
        rig,
        source,
        S={"status": {"options": [*kept, {"name": "lost", "group": "Complete"}]}},
    )
    assert groups(after["properties"]["S"])["Complete"] == ["won", "lost"]


@pytest.mark.parametrize(
    ("old", "value", "new", "expected"),
    [
        ("rich_text", [{"text": {"content": "12,5"}}], "number", 12.5),
        ("rich_text", [{"text": {"content": "words"}}], "number", None),
        ("number", 3, "rich_text", "3"),
        ("checkbox", True, "rich_text", "Yes"),
        ("rich_text", [{"text": {"content": "2026-05-01"}}], "date", "2026-05-01"),
        ("select", {"name": "red"}, "rich_text", "red"),
        ("select", {"name": "red"}, "multi_select", "red"),
        ("multi_select", [{"name": "a"}, {"name": "b"}], "rich_text", "a, b"),
        ("people", [], "files", None),
    ],
)
def test_retyping_keeps_what_text_can_carry(
    rig: Rig, old: str, value: Any, new: str, expected: Any
) -> None:
    _, source = rig.database({"P": {old: {}}})
    page = rig.row(source, "x", P={old: value})["id"]
    change(rig, source, P={new: {}})
    found = rig.ok("GET", f"pages/{page}")["properties"]["P"]
    shown = found[new]
    if isinstance(shown, list):
        shown = (
            "".join(one.get("plain_text") or one.get("name") for one in shown) or None
        )
    if isinstance(shown, dict):
        shown = shown.get("start") or shown.get("name")
    assert (found["type"], shown) == (new, expected)


def test_removing_one_side_of_a_dual_relation_removes_the_other(rig: Rig) -> None:
    _, one = rig.database({}, "One")
    _, two = rig.database(
        {"Link": {"relation": {"data_source_id": one, "dual_property": {}}}}, "Two"
    )
    assert "Related to Two (Link)" in columns(rig, one)
    change(rig, two, Link=None)
    assert set(columns(rig, one)) == {"Name"}


def test_columns_to_an_unshared_database_are_missing(rig: Rig) -> None:
    other, one = rig.database({}, "One")
    _, two = rig.database(
        {"Link": {"relation": {"data_source_id": one, "single_property": {}}}}, "Two"
    )
    rig.sandbox.control("unshare", {"id": other})
    assert set(columns(rig, two)) == {"Name"}
    assert set(rig.row(two, "x")["properties"]) == {"Name"}
    assert rig.refused("GET", f"data_sources/{one}") == (404, "object_not_found")


def test_database_looks_and_lock_change_by_patch(rig: Rig) -> None:
    database, _ = rig.database({})
    after = rig.ok(
        "PATCH",
        f"databases/{database}",
        {
            "title": [{"text": {"content": "New"}}],
            "is_locked": True,
            "icon": {"emoji": "🔥"},
        },
    )
    assert after["title"][0]["plain_text"] == "New"
    assert (after["is_locked"], after["icon"]) == (
        True,
        {"type": "emoji", "emoji": "🔥"},
    )


def test_rollups_are_shown_with_names_and_undecorated_ids(rig: Rig) -> None:
    _, one = rig.database({"Fee": {"number": {}}}, "One")
    _, two = rig.database(
        {
            "Link": {"relation": {"data_source_id": one, "single_property": {}}},
            "Sum": {
                "rollup": {
                    "relation_property_name": "Link",
                    "rollup_property_name": "Fee",
                    "function": "sum",
                }
            },
        },
        "Two",
    )
    shown = columns(rig, two)["Sum"]["rollup"]
    assert (
        shown["relation_property_name"],
        shown["rollup_property_name"],
        shown["function"],
    ) == ("Link", "Fee", "sum")
    after = change(
        rig, two, Sum={"rollup": {"rollup_property_name": "Name", "function": "count"}}
    )
    assert after["properties"]["Sum"]["rollup"]["rollup_property_id"] == "title"


def test_a_column_keeps_its_description(rig: Rig) -> None:
    _, source = rig.database({"Sum": {"number": {}, "description": "What it costs"}})

    def told() -> str | None:
        columns = rig.ok("GET", f"data_sources/{source}")["properties"]
        found: str | None = columns["Sum"]["description"]
        return found

    def tell(text: Any) -> dict[str, Any]:
        return {"properties": {"Sum": {"number": {}, "description": text}}}

    assert told() == "What it costs"
    rig.ok("PATCH", f"data_sources/{source}", {"properties": {"Sum": {"number": {}}}})
    assert told() == "What it costs"
    rig.ok("PATCH", f"data_sources/{source}", tell("я" * 280))
    assert told() == "я" * 280
    for wrong, reason in (
        ("x" * 281, "description.length should be ≤ `280`, instead was `281`"),
        ("", "description.length should be ≥ `1`, instead was `0`"),
        (7, "description should be a string"),
    ):
        answer = rig.send("PATCH", f"/v1/data_sources/{source}", tell(wrong))
        assert answer.status == 400
        assert reason in json.loads(answer.body)["message"]
        assert told() == "я" * 280
    rig.ok("PATCH", f"data_sources/{source}", tell(None))
    assert told() is None
