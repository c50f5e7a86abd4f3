"""Views: made, listed, changed, deleted, and queried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from notion_rig import Rig
from notion_schemas import SCHEMAS, assert_valid

STAGE = {
    "select": {
        "options": [
            {"name": "idea", "color": "gray"},
            {"name": "done", "color": "green"},
        ]
    }
}


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def board(rig: Rig) -> tuple[str, str]:
    return rig.database({"Stage": STAGE, "State": {"status": {}}, "Due": {"date": {}}})


def make(
    rig: Rig, board: tuple[str, str], kind: str = "table", **more: Any
) -> dict[str, Any]:
    return rig.ok(
        "POST",
        "views",
        {
            "database_id": board[0],
            "data_source_id": board[1],
            "name": f"My {kind}",
            "type": kind,
            **more,
        },
    )


def column_id(rig: Rig, board: tuple[str, str], name: str) -> str:
    properties = rig.ok("GET", f"data_sources/{board[1]}")["properties"]
    return str(properties[name]["id"])


def test_a_new_database_has_one_default_table(rig: Rig, board: tuple[str, str]) -> None:
    (only,) = rig.ok("GET", f"views?database_id={board[0]}")["results"]
    assert only.keys() == {"object", "id"}
    view = rig.ok("GET", f"views/{only['id']}")
    assert (view["name"], view["type"], view["configuration"]) == (
        "Default view",
        "table",
        {"type": "table"},
    )


def test_a_board_without_a_group_is_refused(rig: Rig, board: tuple[str, str]) -> None:
    body = {
        "database_id": board[0],
        "data_source_id": board[1],
        "name": "B",
        "type": "board",
    }
    assert rig.refused("POST", "views", body) == (400, "validation_error")


def test_a_board_names_the_column_it_is_grouped_by(
    rig: Rig, board: tuple[str, str]
) -> None:
    stage = column_id(rig, board, "Stage")
    group = {"type": "select", "property_id": stage, "sort": {"type": "manual"}}
    view = make(rig, board, "board", configuration={"type": "board", "group_by": group})
    assert view["configuration"]["group_by"] == {**group, "property_name": "Stage"}


def test_a_status_column_may_be_grouped_by_its_groups(
    rig: Rig, board: tuple[str, str]
) -> None:
    group = {
        "type": "status",
        "property_id": column_id(rig, board, "State"),
        "sort": {"type": "manual"},
        "group_by": "group",
    }
    view = make(rig, board, "board", configuration={"type": "board", "group_by": group})
    assert view["configuration"]["group_by"]["group_by"] == "group"


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("calendar", {"type": "calendar"}),
        ("timeline", {"type": "timeline"}),
        ("chart", {"type": "chart"}),
        ("calendar", {"type": "calendar", "date_property_id": "title"}),
        (
            "board",
            {"type": "board", "group_by": {"type": "select", "property_id": "nope"}},
        ),
        ("table", {"type": "board"}),
        ("kanban", None),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    rig: Rig, board: tuple[str, str], kind: str, configuration: dict[str, Any] | None
) -> None:
    body = {
        "database_id": board[0],
        "data_source_id": board[1],
        "name": "V",
        "type": kind,
        "configuration": configuration,
    }
    assert rig.refused("POST", "views", body) == (400, "validation_error")


@pytest.mark.shared
@pytest.mark.skipif(
    not SCHEMAS.exists(), reason="../shared/specs/notion-json-schemas is not there"
)
@pytest.mark.parametrize(
    ("column", "kind", "step"),
    [
        ("Owner", "person", None),
        ("Note", "text", "exact"),
        ("Due", "date", "relative"),
        ("State", "status", "option"),
        ("Stage", "select", None),
    ],
)
def test_a_group_has_the_type_and_step_of_its_column(
    rig: Rig, column: str, kind: str, step: str | None
) -> None:
    board = rig.database(
        {
            "Owner": {"people": {}},
            "Note": {"rich_text": {}},
            "Due": {"date": {}},
            "State": {"status": {}},
            "Stage": STAGE,
        }
    )
    group = {"property_id": column_id(rig, board, column), "type": kind}
    view = make(rig, board, "table", configuration={"type": "table", "group_by": group})
    assert_valid("view", view)
    shown = view["configuration"]["group_by"]
    assert (shown["type"], shown.get("group_by")) == (kind, step)


def test_a_null_takes_a_setting_back(rig: Rig, board: tuple[str, str]) -> None:
    view = make(
        rig,
        board,
        configuration={
            "type": "table",
            "wrap_cells": True,
            "show_vertical_lines": False,
        },
    )
    changed = rig.ok(
        "PATCH",
        f"views/{view['id']}",
        {"configuration": {"type": "table", "wrap_cells": None}},
    )
    assert changed["configuration"] == {"type": "table", "show_vertical_lines": False}


def test_a_calendar_shows_a_date_column(rig: Rig, board: tuple[str, str]) -> None:
    due = column_id(rig, board, "Due")
    view = make(
        rig,
        board,
        "calendar",
        configuration={"type": "calendar", "date_property_id": due},
    )
    assert view["configuration"] == {
        "type": "calendar",
        "date_property_id": due,
        "date_property_name": "Due",
    }


def test_a_view_changes_its_name_and_filter_but_not_its_type(
    rig: Rig, board: tuple[str, str]
) -> None:
    view = make(rig, board)
    wanted = {"property": "Stage", "select": {"equals": "done"}}
    changed = rig.ok("PATCH", f"views/{view['id']}", {"name": "Done", "filter": wanted})
    assert (changed["name"], changed["filter"], changed["type"]) == (
        "Done",
        wanted,
        "table",
    )
    assert rig.refused("PATCH", f"views/{view['id']}", {"type": "board"}) == (
        400,
        "validation_error",
    )


def test_a_filter_on_an_unknown_column_is_refused(
    rig: Rig, board: tuple[str, str]
) -> None:
    body = {
        "database_id": board[0],
        "data_source_id": board[1],
        "name": "V",
        "type": "table",
        "filter": {"property": "Nope", "select": {"equals": "x"}},
    }
    assert rig.refused("POST", "views", body) == (400, "validation_error")


def test_a_deleted_view_is_gone_and_the_last_one_stays(
    rig: Rig, board: tuple[str, str]
) -> None:
    view = make(rig, board)
    gone = rig.ok("DELETE", f"views/{view['id']}")
    assert gone.keys() == {"object", "id", "parent", "type", "request_id"}
    assert rig.refused("GET", f"views/{view['id']}") == (404, "object_not_found")
    (last,) = rig.ok("GET", f"views?data_source_id={board[1]}")["results"]
    assert rig.refused("DELETE", f"views/{last['id']}") == (400, "validation_error")


def test_a_position_puts_the_new_tab_first(rig: Rig, board: tuple[str, str]) -> None:
    view = make(rig, board, position={"type": "start"})
    listed = rig.ok("GET", f"views?database_id={board[0]}")["results"]
    assert listed[0]["id"] == view["id"]
    assert len(listed) == 2


def test_a_view_query_is_a_page_of_ids_frozen_when_made(
    rig: Rig, board: tuple[str, str]
) -> None:
    for number in range(5):
        rig.row(
            board[1],
            f"row {number}",
            Stage={"select": {"name": "done" if number else "idea"}},
        )
    view = make(
        rig,
        board,
        filter={"property": "Stage", "select": {"equals": "done"}},
        sorts=[{"property": "Name", "direction": "descending"}],
    )
    query = rig.ok("POST", f"views/{view['id']}/queries", {"page_size": 3})
    rig.row(board[1], "row 9", Stage={"select": {"name": "done"}})
    assert (query["total_count"], query["has_more"], len(query["results"])) == (
        4,
        True,
        3,
    )
    rest = rig.ok(
        "GET",
        f"views/{view['id']}/queries/{query['id']}?start_cursor={query['next_cursor']}",
    )
    titles = [
        rig.ok("GET", f"pages/{one['id']}")["properties"]["Name"]["title"][0][
            "plain_text"
        ]
        for one in (*query["results"], *rest["results"])
    ]
    assert titles == ["row 4", "row 3", "row 2", "row 1"]
    assert rest["has_more"] is False


def test_a_view_query_ends_after_a_quarter_of_an_hour(
    rig: Rig, board: tuple[str, str]
) -> None:
    view = make(rig, board)
    query = rig.ok("POST", f"views/{view['id']}/queries", {})
    rig.clock.advance(timedelta(minutes=16))
    assert rig.refused("GET", f"views/{view['id']}/queries/{query['id']}") == (
        404,
        "object_not_found",
    )


def test_a_view_query_can_be_dropped(rig: Rig, board: tuple[str, str]) -> None:
    view = make(rig, board)
    query = rig.ok("POST", f"views/{view['id']}/queries", {})
    assert (
        rig.ok("DELETE", f"views/{view['id']}/queries/{query['id']}")["deleted"] is True
    )
    assert rig.refused("GET", f"views/{view['id']}/queries/{query['id']}") == (
        404,
        "object_not_found",
    )


def listed(rig: Rig, board: tuple[str, str]) -> list[str]:
    return [
        one["id"] for one in rig.ok("GET", f"views?database_id={board[0]}")["results"]
    ]


def test_a_view_may_come_after_another_of_its_database(
    rig: Rig, board: tuple[str, str]
) -> None:
    (first,), last = listed(rig, board), make(rig, board)["id"]
    between = make(rig, board, position={"type": "after_view", "view_id": first})["id"]
    assert listed(rig, board) == [first, between, last]


@pytest.mark.parametrize(
    "position",
    [
        {"type": "after_view", "view_id": "00000000-0000-4000-8000-000000000000"},
        {"type": "after_view"},
        {"type": "middle"},
        {},
        "start",
    ],
)
def test_a_view_refused_for_its_position_is_not_made(
    rig: Rig, board: tuple[str, str], position: Any
) -> None:
    before = listed(rig, board)
    body = {
        "database_id": board[0],
        "data_source_id": board[1],
        "name": "V",
        "type": "table",
        "position": position,
    }
    assert rig.send("POST", "/v1/views", body).status in (400, 404)
    assert listed(rig, board) == before


def test_a_view_does_not_come_after_one_of_another_database(
    rig: Rig, board: tuple[str, str]
) -> None:
    (stranger,) = listed(rig, rig.database({}, "Other"))
    body = {
        "database_id": board[0],
        "data_source_id": board[1],
        "name": "V",
        "type": "table",
        "position": {"type": "after_view", "view_id": stranger},
    }
    assert rig.refused("POST", "views", body) == (400, "validation_error")


# Linked views on a page.


def link(rig: Rig, board: tuple[str, str], page: str, **more: Any) -> dict[str, Any]:
    position = {"position": more.pop("position")} if "position" in more else {}
    place = {"parent": {"type": "page_id", "page_id": page}, **position}
    body = {"data_source_id": board[1], "name": "Here", "type": "table", **more}
    return rig.ok("POST", "views", {"create_database": place, **body})


def test_a_linked_view_stands_on_a_page_and_shows_the_rows_of_elsewhere(
    rig: Rig, board: tuple[str, str]
) -> None:
    page = rig.page("Home")["id"]
    stage = column_id(rig, board, "Stage")
    view = link(
        rig,
        board,
        page,
        type="board",
        filter={"property": stage, "select": {"equals": "idea"}},
        configuration={
            "type": "board",
            "group_by": {
                "type": "select",
                "property_id": stage,
                "sort": {"type": "manual"},
            },
        },
    )
    home = view["parent"]["database_id"]
    assert (home != board[0], view["data_source_id"]) == (True, board[1])
    (block,) = rig.ok("GET", f"blocks/{page}/children")["results"]
    assert (block["id"], block["type"]) == (home, "child_database")
    listed = rig.ok("GET", f"views?database_id={home}")["results"]
    assert [each["id"] for each in listed] == [view["id"]]
    assert len(rig.ok("GET", f"views?data_source_id={board[1]}")["results"]) == 2
    assert rig.refused("GET", f"databases/{home}")[0] == 404
    assert rig.ok("GET", f"views/{view['id']}")["filter"] == view["filter"]


def test_linked_views_take_their_places_among_the_blocks(
    rig: Rig, board: tuple[str, str]
) -> None:
    page = rig.page("Home")["id"]
    paragraph = {"paragraph": {"rich_text": [{"text": {"content": "x"}}]}}
    made = rig.ok(
        "PATCH", f"blocks/{page}/children", {"children": [paragraph, paragraph]}
    )
    first, last = (each["id"] for each in made["results"])
    after = {"type": "after_block", "block_id": first}
    between = link(rig, board, page, position=after)["parent"]["database_id"]
    end = link(rig, board, page)["parent"]["database_id"]
    body = rig.ok("GET", f"blocks/{page}/children")["results"]
    assert [each["id"] for each in body] == [first, between, last, end]


def test_a_linked_view_goes_without_what_it_shows(
    rig: Rig, board: tuple[str, str]
) -> None:
    page = rig.page("Home")["id"]
    view = link(rig, board, page)
    rig.ok("DELETE", f"blocks/{view['parent']['database_id']}")
    assert rig.ok("GET", f"blocks/{page}/children")["results"] == []
    assert rig.ok("GET", f"data_sources/{board[1]}")["in_trash"] is False
    assert rig.ok("GET", f"databases/{board[0]}")["in_trash"] is False


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"parent": {"type": "workspace"}},
        {"parent": {"type": "page_id"}},
        {
            "parent": {
                "type": "page_id",
                "page_id": "12345678-1234-4234-8234-123456789abc",
            }
        },
        {"position": {"type": "start"}},
        {"position": {"type": "after_block", "block_id": "elsewhere"}},
        "page",
    ],
)
def test_a_linked_view_needs_a_page_and_a_place(
    rig: Rig, board: tuple[str, str], place: Any
) -> None:
    page = rig.page("Home")["id"]
    if isinstance(place, dict) and "position" in place:
        place = {"parent": {"type": "page_id", "page_id": page}, **place}
    body = {"data_source_id": board[1], "name": "Here", "type": "table"}
    refused = rig.refused("POST", "views", {"create_database": place, **body})
    assert refused[0] in (400, 404)
    assert rig.ok("GET", f"blocks/{page}/children")["results"] == []
    assert len(rig.ok("GET", f"views?data_source_id={board[1]}")["results"]) == 1
