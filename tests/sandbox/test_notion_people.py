"""What people do in the Notion emulator, and what the connection then sees."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def rows(rig: Rig, source: str) -> dict[str, dict[str, Any]]:
    found = rig.ok("POST", f"data_sources/{source}/query", {})["results"]
    return {
        "".join(part["plain_text"] for part in one["properties"]["Name"]["title"]): one
        for one in found
    }


def test_a_duplicate_carries_every_value_and_the_body_but_its_own_number(
    rig: Rig,
) -> None:
    _, other = rig.database({}, "Other")
    _, source = rig.database(
        {
            "Key": {"rich_text": {}},
            "K": {"select": {}},
            "No": {"unique_id": {}},
            "Link": {
                "relation": {
                    "data_source_id": other,
                    "dual_property": {"synced_property_name": "Back"},
                }
            },
        }
    )
    target = rig.row(other, "t")["id"]
    page = rig.row(
        source,
        "x",
        Key={"rich_text": [{"text": {"content": "jira:1"}}]},
        K={"select": {"name": "a"}},
        Link={"relation": [{"id": target}]},
    )
    rig.ok(
        "PATCH",
        f"blocks/{page['id']}/children",
        {
            "children": [
                {
                    "toggle": {
                        "rich_text": [{"text": {"content": "t"}}],
                        "children": [{"divider": {}}],
                    }
                }
            ]
        },
    )
    copy = rig.sandbox.control("duplicate", {"page_id": page["id"]})
    found = rows(rig, source)["x (1)"]
    assert found["id"] == copy["id"] != page["id"]
    for name in ("Key", "K", "Link"):
        assert found["properties"][name] == page["properties"][name]
    assert found["properties"]["No"]["unique_id"]["number"] == 2
    assert {
        one["id"]
        for one in rig.ok("GET", f"pages/{target}")["properties"]["Back"]["relation"]
    } == {page["id"], copy["id"]}
    toggle = rig.ok("GET", f"blocks/{copy['id']}/children")["results"][0]
    assert (
        rig.ok("GET", f"blocks/{toggle['id']}/children")["results"][0]["type"]
        == "divider"
    )


def test_an_edit_by_a_person_is_theirs_in_last_edited_by(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("edit", {"page_id": page, "properties": {"A": {"number": 4}}})
    found = rig.ok("GET", f"pages/{page}")
    assert (found["properties"]["A"]["number"], found["last_edited_by"]["id"]) == (
        4,
        rig.sandbox.owner_id,
    )


def test_a_row_made_by_a_person_is_theirs(rig: Rig) -> None:
    _, source = rig.database({})
    user = rig.sandbox.control("add_user", {"name": "Vera"})["id"]
    made = rig.sandbox.control(
        "create",
        {
            "data_source_id": source,
            "user": user,
            "properties": {"Name": {"title": [{"text": {"content": "hers"}}]}},
            "children": [{"divider": {}}],
        },
    )
    assert rows(rig, source)["hers"]["created_by"]["id"] == user
    assert len(rig.ok("GET", f"blocks/{made['id']}/children")["results"]) == 1


def test_columns_change_under_the_connection(rig: Rig) -> None:
    _, source = rig.database(
        {"A": {"number": {}}, "B": {"number": {}}, "C": {"number": {}}}
    )
    page = rig.row(source, "x", A={"number": 1}, C={"number": 3})["id"]
    rig.sandbox.control(
        "rename_property", {"data_source_id": source, "property": "A", "name": "Alpha"}
    )
    rig.sandbox.control("delete_property", {"data_source_id": source, "property": "B"})
    rig.sandbox.control(
        "retype_property",
        {"data_source_id": source, "property": "C", "type": "rich_text"},
    )
    rig.sandbox.control(
        "add_property",
        {"data_source_id": source, "name": "D", "config": {"checkbox": {}}},
    )
    found = rig.ok("GET", f"pages/{page}")["properties"]
    assert set(found) == {"Name", "Alpha", "C", "D"}
    assert found["Alpha"]["number"] == 1
    assert found["C"]["rich_text"][0]["plain_text"] == "3"
    body = {"properties": {"A": {"number": 2}}}
    assert rig.refused("PATCH", f"pages/{page}", body) == (400, "validation_error")


def test_a_renamed_option_stays_on_its_rows_under_the_same_id(rig: Rig) -> None:
    _, source = rig.database({"K": {"select": {}}})
    before = rig.row(source, "x", K={"select": {"name": "old"}})["properties"]["K"][
        "select"
    ]
    rig.sandbox.control(
        "rename_option",
        {"data_source_id": source, "property": "K", "option": "old", "name": "new"},
    )
    assert rows(rig, source)["x"]["properties"]["K"]["select"] == before | {
        "name": "new"
    }


def test_a_renamed_database_renames_its_only_data_source(rig: Rig) -> None:
    database, source = rig.database({})
    rig.sandbox.control("rename_database", {"id": database, "title": "Новое имя"})
    assert rig.ok("GET", f"databases/{database}")["data_sources"] == [
        {"id": source, "name": "Новое имя"}
    ]


def test_trash_restore_and_delete_of_a_whole_database(rig: Rig) -> None:
    database, source = rig.database({})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("trash", {"id": database})
    assert rig.ok("GET", f"databases/{database}")["in_trash"] is True
    rig.sandbox.control("restore", {"id": database})
    assert set(rows(rig, source)) == {"x"}
    rig.sandbox.control("delete_forever", {"id": database})
    for path in (f"databases/{database}", f"data_sources/{source}", f"pages/{page}"):
        assert rig.refused("GET", path) == (404, "object_not_found")
    assert rig.ok("GET", f"blocks/{rig.root}/children")["results"] == []


def test_a_page_moves_between_data_sources(rig: Rig) -> None:
    (_, one), (_, two) = rig.database({}, "One"), rig.database({}, "Two")
    page = rig.row(one, "x")["id"]
    rig.sandbox.control("move", {"page_id": page, "parent": {"data_source_id": two}})
    assert (set(rows(rig, one)), set(rows(rig, two))) == (set(), {"x"})


def test_a_removed_member_stays_as_a_bare_reference(rig: Rig) -> None:
    _, source = rig.database({"Who": {"people": {}}})
    user = rig.sandbox.control("add_user", {"name": "Vera", "email": "v@example.com"})[
        "id"
    ]
    rig.row(source, "x", Who={"people": [{"id": user}]})
    rig.sandbox.control("remove_user", {"id": user})
    assert rows(rig, source)["x"]["properties"]["Who"]["people"] == [
        {"object": "user", "id": user}
    ]
    assert user not in {one["id"] for one in rig.ok("GET", "users")["results"]}


def test_a_garbled_cell_shows_anything_and_only_there(rig: Rig) -> None:
    _, source = rig.database({"D": {"date": {}}})
    page = rig.row(source, "x", D={"date": {"start": "2026-01-01"}})["id"]
    rig.row(source, "y")
    rig.sandbox.control(
        "garble", {"page_id": page, "property": "D", "value": {"start": "+51502-01-01"}}
    )
    found = rows(rig, source)
    assert found["x"]["properties"]["D"]["date"] == {"start": "+51502-01-01"}
    assert found["y"]["properties"]["D"]["date"] is None
    rig.sandbox.control("garble", {"page_id": page, "property": "D"})
    assert rows(rig, source)["x"]["properties"]["D"]["date"]["start"] == "2026-01-01"


def test_people_write_blocks_and_the_page_shows_their_hand(rig: Rig) -> None:
    page = rig.page()["id"]
    made = rig.sandbox.control(
        "append",
        {
            "block_id": page,
            "children": [{"paragraph": {"rich_text": [{"text": {"content": "note"}}]}}],
        },
    )["block_ids"]
    block = rig.ok("GET", f"blocks/{made[0]}")
    assert block["created_by"]["id"] == rig.sandbox.owner_id
    assert (
        rig.ok("GET", f"pages/{page}")["last_edited_by"]["id"] == rig.sandbox.owner_id
    )


def test_a_stale_page_is_served_while_reads_lag(rig: Rig) -> None:
    page = rig.page("before")["id"]
    rig.sandbox.control("advance", {"seconds": 60})
    rig.sandbox.control("set_lag", {"page": 30})
    title = {"properties": {"title": [{"text": {"content": "after"}}]}}
    rig.ok("PATCH", f"pages/{page}", title)

    def shown() -> str:
        text: str = rig.ok("GET", f"pages/{page}")["properties"]["title"]["title"][0][
            "plain_text"
        ]
        return text

    assert shown() == "before"
    rig.sandbox.control("advance", {"seconds": 31})
    assert shown() == "after"


def test_the_dump_shows_hidden_and_trashed_rows_with_uncut_values(rig: Rig) -> None:
    database, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x", A={"number": 5})["id"]
    rig.sandbox.control("trash", {"id": page})
    rig.sandbox.control("unshare", {"id": database})
    found = rig.sandbox.control("dump", {})["pages"][page]
    assert (found["in_trash"], found["properties"]["A"]["number"]) == (True, 5)
