"""Moving pages, databases and data sources of the Notion emulator, and what points at them afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def links(rig: Rig, page: str, column: str) -> list[str]:
    return [
        one["id"]
        for one in rig.ok("GET", f"pages/{page}")["properties"][column]["relation"]
    ]


def to_source(source: str) -> dict[str, Any]:
    return {"parent": {"type": "data_source_id", "data_source_id": source}}


@pytest.mark.parametrize("moved", ["project", "client"])
def test_a_row_that_moves_away_and_back_is_linked_on_neither_side(
    rig: Rig, moved: str
) -> None:
    _, clients = rig.database({}, "Clients")
    _, projects = rig.database(
        {
            "Client": {
                "relation": {
                    "data_source_id": clients,
                    "dual_property": {"synced_property_name": "Projects"},
                }
            }
        },
        "Projects",
    )
    _, elsewhere = rig.database({}, "Elsewhere")
    client = rig.row(clients, "Acme")["id"]
    project = rig.row(projects, "Site", Client={"relation": [{"id": client}]})["id"]
    page, home = (project, projects) if moved == "project" else (client, clients)
    rig.ok("POST", f"pages/{page}/move", to_source(elsewhere))
    rig.ok("POST", f"pages/{page}/move", to_source(home))
    assert (links(rig, project, "Client"), links(rig, client, "Projects")) == ([], [])


def test_a_row_moved_to_where_it_is_keeps_its_values(rig: Rig) -> None:
    _, source = rig.database({"Id": {"unique_id": {"prefix": "T"}}}, "Tasks")
    rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {
            "properties": {
                "After": {"relation": {"data_source_id": source, "single_property": {}}}
            }
        },
    )
    first = rig.row(source, "First")["id"]
    second = rig.row(source, "Second", After={"relation": [{"id": first}]})["id"]
    moved = rig.ok("POST", f"pages/{second}/move", to_source(source))
    assert moved["properties"]["Id"]["unique_id"]["number"] == 2
    assert links(rig, second, "After") == [first]


def test_a_relation_that_becomes_dual_shows_the_links_it_has_on_the_other_side(
    rig: Rig,
) -> None:
    _, clients = rig.database({}, "Clients")
    _, projects = rig.database(
        {"Client": {"relation": {"data_source_id": clients, "single_property": {}}}},
        "Projects",
    )
    acme, other = (rig.row(clients, name)["id"] for name in ("Acme", "Other"))
    rows = [
        rig.row(projects, name, Client={"relation": [{"id": acme}]})["id"]
        for name in ("Site", "Shop")
    ]
    rig.ok(
        "PATCH",
        f"data_sources/{projects}",
        {
            "properties": {
                "Client": {
                    "relation": {
                        "data_source_id": clients,
                        "dual_property": {"synced_property_name": "Projects"},
                    }
                }
            }
        },
    )
    assert (links(rig, acme, "Projects"), links(rig, other, "Projects")) == (rows, [])
    rig.ok(
        "PATCH",
        f"pages/{acme}",
        {"properties": {"Projects": {"relation": [{"id": rows[1]}]}}},
    )
    assert (links(rig, rows[0], "Client"), links(rig, rows[1], "Client")) == (
        [],
        [acme],
    )


def test_a_database_does_not_go_below_itself(rig: Rig) -> None:
    database, source = rig.database({})
    row = rig.row(source, "Row")["id"]
    inside = rig.ok("POST", "pages", {"parent": {"page_id": row}, "properties": {}})[
        "id"
    ]
    for parent in (row, inside):
        body = {"parent": {"type": "page_id", "page_id": parent}}
        assert rig.refused("PATCH", f"databases/{database}", body) == (
            400,
            "validation_error",
        )
    assert rig.ok("GET", f"databases/{database}")["parent"] == {
        "type": "page_id",
        "page_id": rig.root,
    }


def test_a_database_goes_below_a_page_and_nothing_else(rig: Rig) -> None:
    database, _ = rig.database({})
    other, source = rig.database({}, "Other")
    page = rig.page("New home")["id"]
    for parent in ({"data_source_id": source}, {"database_id": other}):
        assert rig.refused("PATCH", f"databases/{database}", {"parent": parent}) == (
            400,
            "validation_error",
        )
    assert (
        rig.ok("PATCH", f"databases/{database}", {"parent": {"page_id": page}})[
            "parent"
        ]["page_id"]
        == page
    )


def test_nothing_moves_into_the_trash(rig: Rig) -> None:
    bin_ = rig.page("Bin")["id"]
    page, (database, source) = rig.page()["id"], rig.database({})
    other, _ = rig.database({}, "Other")
    for one in (bin_, other):
        rig.ok("DELETE", f"blocks/{one}")
    for method, path, parent in (
        ("POST", f"pages/{page}/move", {"page_id": bin_}),
        ("PATCH", f"databases/{database}", {"page_id": bin_}),
        ("PATCH", f"data_sources/{source}", {"database_id": other}),
    ):
        assert rig.refused(method, path, {"parent": parent}) == (
            400,
            "validation_error",
        )


def test_a_data_source_moves_to_another_database_with_its_rows_and_views(
    rig: Rig,
) -> None:
    old, source = rig.database({}, "Movable")
    new, first = rig.database({}, "Target")
    row = rig.row(source, "Row")["id"]
    moved = rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {"parent": {"type": "database_id", "database_id": new}},
    )
    assert moved["parent"] == {"type": "database_id", "database_id": new}
    assert rig.ok("GET", f"pages/{row}")["parent"] == {
        "type": "data_source_id",
        "data_source_id": source,
        "database_id": new,
    }
    assert [one["id"] for one in rig.ok("GET", f"databases/{new}")["data_sources"]] == [
        first,
        source,
    ]
    assert rig.ok("GET", f"databases/{old}")["data_sources"] == []
    views = rig.ok("GET", f"views?database_id={new}")["results"]
    assert len(views) == 2
    assert rig.ok("GET", f"views/{views[0]['id']}")["parent"] == {
        "type": "database_id",
        "database_id": new,
    }


def test_a_data_source_does_not_go_below_its_own_rows(rig: Rig) -> None:
    _, source = rig.database({})
    row = rig.row(source, "Row")["id"]
    inner = rig.ok("POST", "databases", {"parent": {"page_id": row}})["id"]
    for parent in ({"database_id": inner}, {"page_id": rig.root}, "x"):
        assert rig.refused("PATCH", f"data_sources/{source}", {"parent": parent}) == (
            400,
            "validation_error",
        )


def test_the_description_of_a_database_is_that_of_its_only_data_source(
    rig: Rig,
) -> None:
    database, source = rig.database({})
    rig.ok(
        "PATCH",
        f"databases/{database}",
        {"description": [{"text": {"content": "What it is for"}}]},
    )
    (item,) = rig.ok("GET", f"data_sources/{source}")["description"]
    assert item["plain_text"] == "What it is for"
