"""The data source query of the Notion emulator: filters, sorts, paging, the cap, lag."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import httpx
import notion_client
import pytest
from notion_rig import Rig

from worker.sandbox.wire import HandlerTransport

COLUMNS: dict[str, Any] = {
    "Text": {"rich_text": {}}, "Number": {"number": {}}, "Done": {"checkbox": {}}, "Due": {"date": {}},
    "Kind": {"select": {"options": [{"name": "red"}, {"name": "blue"}, {"name": "green"}]}},
    "Tags": {"multi_select": {"options": [{"name": "a"}, {"name": "b"}]}}, "Stage": {"status": {}},
    "Who": {"people": {}}, "Mail": {"email": {}}, "No": {"unique_id": {"prefix": "T"}},
    "Edited": {"last_edited_time": {}}, "Link": {"files": {}}, "Maker": {"created_by": {}},
}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def text(content: str) -> dict[str, Any]:
    return {"rich_text": [{"text": {"content": content}}]}


def names(answer: dict[str, Any]) -> list[str]:
    return ["".join(part["plain_text"] for part in row["properties"]["Name"]["title"]) for row in answer["results"]]


@pytest.fixture
def board(rig: Rig) -> str:
    _, source = rig.database(COLUMNS)
    user = rig.sandbox.owner_id
    rig.row(source, "one", Text=text("Alpha beta"), Number={"number": 1}, Done={"checkbox": True},
            Due={"date": {"start": "2026-07-01"}}, Kind={"select": {"name": "red"}}, Stage={"status": {"name": "Done"}},
            Tags={"multi_select": [{"name": "a"}, {"name": "b"}]}, Who={"people": [{"id": user}]})
    rig.row(source, "two", Text=text("gamma"), Number={"number": 2.5}, Kind={"select": {"name": "blue"}},
            Due={"date": {"start": "2026-07-04T12:00:00+03:00"}}, Tags={"multi_select": [{"name": "b"}]},
            Mail={"email": "x@example.com"}, Stage={"status": {"name": "In progress"}})
    rig.row(source, "three")
    return source


def ask(rig: Rig, source: str, **body: Any) -> dict[str, Any]:
    return rig.ok("POST", f"data_sources/{source}/query", body)


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"property": "Name", "title": {"equals": "one"}}, ["one"]),
    ({"property": "Name", "title": {"contains": "T"}}, ["two", "three"]),
    ({"property": "Name", "title": {"starts_with": "t", "ends_with": "o"}}, ["two"]),
    ({"property": "Text", "rich_text": {"contains": "BETA"}}, ["one"]),
    ({"property": "Text", "rich_text": {"does_not_contain": "beta"}}, ["two", "three"]),
    ({"property": "Text", "rich_text": {"is_empty": True}}, ["three"]),
    ({"property": "Number", "number": {"greater_than": 1}}, ["two"]),
    ({"property": "Number", "number": {"less_than_or_equal_to": 2.5}}, ["one", "two"]),
    ({"property": "Number", "number": {"does_not_equal": 1}}, ["two", "three"]),
    ({"property": "Number", "number": {"is_not_empty": True}}, ["one", "two"]),
    ({"property": "Done", "checkbox": {"equals": False}}, ["two", "three"]),
    ({"property": "Done", "checkbox": {"does_not_equal": False}}, ["one"]),
    ({"property": "Kind", "select": {"equals": "red"}}, ["one"]),
    ({"property": "Kind", "select": {"equals": ["red", "blue"]}}, ["one", "two"]),
    ({"property": "Kind", "select": {"does_not_equal": "red"}}, ["two", "three"]),
    ({"property": "Kind", "select": {"is_empty": True}}, ["three"]),
    ({"property": "Tags", "multi_select": {"contains": "a"}}, ["one"]),
    ({"property": "Tags", "multi_select": {"does_not_contain": "a"}}, ["two", "three"]),
    ({"property": "Stage", "status": {"equals": "Done"}}, ["one"]),
    ({"property": "Stage", "status": {"equals": "To-do"}}, ["three"]),
    ({"property": "Stage", "status": {"equals": ["Complete", "Not started"]}}, ["one", "three"]),
    ({"property": "Due", "date": {"equals": "2026-07-04"}}, ["two"]),
    ({"property": "Due", "date": {"before": "2026-07-04T09:00:01Z"}}, ["one", "two"]),
    ({"property": "Due", "date": {"on_or_after": "2026-07-02"}}, ["two"]),
    ({"property": "Due", "date": {"this_week": {}}}, ["one", "two"]),
    ({"property": "Due", "date": {"next_week": {}}}, ["two"]),
    ({"property": "Who", "people": {"is_not_empty": True}}, ["one"]),
    ({"property": "Mail", "email": {"ends_with": "example.com"}}, ["two"]),
    ({"property": "No", "unique_id": {"greater_than_or_equal_to": 2}}, ["two", "three"]),
    ({"property": "Link", "files": {"is_empty": True}}, ["one", "two", "three"]),
    ({"property": "Maker", "created_by": {"contains": "me"}}, ["one", "two", "three"]),
    ({"property": "Edited", "last_edited_time": {"after": "2026-07-04T09:08:00Z"}}, []),
    ({"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-07-04T09:08:00Z"}},
     ["one", "two", "three"]),
    ({"and": [{"property": "Number", "number": {"is_not_empty": True}},
              {"or": [{"property": "Done", "checkbox": {"equals": True}},
                      {"property": "Kind", "select": {"equals": "green"}}]}]}, ["one"]),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS, ids=[str(one[0])[:70] for one in FILTERS])
def test_each_filter_finds_the_rows_it_names(rig: Rig, board: str, condition: dict[str, Any],
                                             expected: list[str]) -> None:
    assert sorted(names(ask(rig, board, filter=condition))) == sorted(expected)


BAD_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"property": "Nope", "number": {"equals": 1}}, "Could not find property with name or id: Nope"),
    ({"property": "Number", "rich_text": {"equals": "1"}}, "database property number does not match filter rich_text"),
    ({"property": "Kind", "select": {"equals": "mauve"}}, "mauve"),
    ({"property": "Number", "number": {"equals": "1"}}, "should be a number"),
    ({"property": "Number", "number": {"contains": 1}}, "should be not present"),
    ({"property": "Due", "date": {"after": "yesterday"}}, "ISO 8601"),
    ({"and": [{"or": [{"and": []}]}]}, "should be not present"),
]


@pytest.mark.parametrize(("condition", "words"), BAD_FILTERS, ids=[one[1] for one in BAD_FILTERS])
def test_a_filter_that_does_not_fit_the_schema_is_refused(rig: Rig, board: str, condition: dict[str, Any],
                                                          words: str) -> None:
    response = rig.send("POST", f"/v1/data_sources/{board}/query", {"filter": condition})
    assert response.status == 400
    assert words in response.body.decode()


def test_sorting_puts_empty_cells_last_both_ways(rig: Rig, board: str) -> None:
    up = ask(rig, board, sorts=[{"property": "Number", "direction": "ascending"}])
    down = ask(rig, board, sorts=[{"property": "Number", "direction": "descending"}])
    assert (names(up), names(down)) == (["one", "two", "three"], ["two", "one", "three"])


def test_a_second_sort_key_breaks_ties(rig: Rig, board: str) -> None:
    found = ask(rig, board, sorts=[{"property": "Done", "direction": "ascending"},
                                   {"property": "Name", "direction": "ascending"}])
    assert names(found) == ["three", "two", "one"]


def test_select_columns_sort_in_the_order_of_their_options(rig: Rig, board: str) -> None:
    found = ask(rig, board, sorts=[{"property": "Kind", "direction": "descending"}])
    assert names(found) == ["two", "one", "three"]


def test_pages_of_a_listing_join_to_the_whole_without_repeats(rig: Rig, board: str) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = ask(rig, board, page_size=2, **cursor)
        seen += names(answer)
        if not answer["has_more"]:
            break
        cursor = {"start_cursor": answer["next_cursor"]}
    assert seen == ["one", "two", "three"]
    assert answer["next_cursor"] is None


def test_a_cursor_serves_only_the_query_it_came_from(rig: Rig, board: str) -> None:
    cursor = ask(rig, board, page_size=1)["next_cursor"]
    changed = {"start_cursor": cursor, "filter": {"property": "Done", "checkbox": {"equals": False}}}
    assert rig.refused("POST", f"data_sources/{board}/query", changed) == (400, "validation_error")
    assert rig.refused("POST", f"data_sources/{board}/query", {"start_cursor": "gone"}) == (400, "validation_error")


def test_page_size_over_a_hundred_is_refused(rig: Rig, board: str) -> None:
    assert rig.refused("POST", f"data_sources/{board}/query", {"page_size": 101}) == (400, "validation_error")


def test_filter_properties_keeps_only_the_columns_named(rig: Rig, board: str) -> None:
    client: Any = notion_client.Client(auth=rig.sandbox.token, client=httpx.Client(transport=HandlerTransport(
        rig.sandbox.handle)), retry=False)
    number_id = client.data_sources.retrieve(board)["properties"]["Number"]["id"]
    found = client.data_sources.query(board, filter_properties=["title", number_id])
    assert [set(row["properties"]) for row in found["results"]] == [{"Name", "Number"}] * 3


def test_ten_thousand_results_end_a_query_and_every_page_says_so(rig: Rig) -> None:
    _, source = rig.database({})
    for index in range(10_001):
        rig.sandbox.control("create", {"data_source_id": source,
                                       "properties": {"Name": {"title": [{"text": {"content": str(index)}}]}}})
    total, cursor, flags = 0, None, []
    while True:
        answer = ask(rig, source, **({"start_cursor": cursor} if cursor else {}))
        total, cursor = total + len(answer["results"]), answer["next_cursor"]
        flags.append(answer["request_status"]["incomplete_reason"])
        if not answer["has_more"]:
            break
    assert total == 10_000
    assert set(flags) == {"query_result_limit_reached"}


def test_later_pages_of_a_long_listing_cost_no_new_scan(rig: Rig) -> None:
    _, source = rig.database({"Number": {"number": {}}})
    for index in range(3000):
        rig.sandbox.control("create", {"data_source_id": source, "properties": {"Number": {"number": index}}})
    answer = ask(rig, source, sorts=[{"property": "Number", "direction": "descending"}], page_size=1)
    started = time.perf_counter()
    for _ in range(100):
        answer = ask(rig, source, sorts=[{"property": "Number", "direction": "descending"}], page_size=1,
                     start_cursor=answer["next_cursor"])
    assert time.perf_counter() - started < 1.0
    assert answer["results"][0]["properties"]["Number"]["number"] == 2899


def test_archived_rows_appear_only_when_asked_for(rig: Rig, board: str) -> None:
    page = ask(rig, board, filter={"property": "Name", "title": {"equals": "one"}})["results"][0]["id"]
    rig.sandbox.control("archive", {"id": page})
    assert names(ask(rig, board)) == ["two", "three"]
    assert names(ask(rig, board, is_archived=True)) == ["one"]
    assert rig.ok("GET", f"pages/{page}")["is_archived"] is True


def test_with_index_lag_a_query_shows_yesterdays_rows_and_a_get_todays(rig: Rig, board: str) -> None:
    rig.clock.advance(timedelta(minutes=5))
    rig.sandbox.control("set_lag", {"query": 20})
    page = rig.row(board, "four")["id"]
    one = ask(rig, board, filter={"property": "Name", "title": {"equals": "one"}})["results"][0]["id"]
    rig.ok("PATCH", f"pages/{one}", {"properties": {"Number": {"number": 99}}})
    assert names(ask(rig, board)) == ["one", "two", "three"]
    assert ask(rig, board)["results"][0]["properties"]["Number"]["number"] == 1
    assert rig.ok("GET", f"pages/{page}")["id"] == page
    rig.clock.advance(timedelta(seconds=21))
    found = ask(rig, board)
    assert names(found) == ["one", "two", "three", "four"]
    assert found["results"][0]["properties"]["Number"]["number"] == 99


def test_rows_edited_while_paging_shift_and_one_is_missed(rig: Rig, board: str) -> None:
    rig.sandbox.control("set_lag", {"shifting": True})
    order = [{"timestamp": "last_edited_time", "direction": "ascending"}]
    first = ask(rig, board, sorts=order, page_size=1)
    rig.clock.advance(timedelta(minutes=2))
    rig.sandbox.control("edit", {"page_id": first["results"][0]["id"], "properties": {"Number": {"number": 5}}})
    rest = ask(rig, board, sorts=order, page_size=100, start_cursor=first["next_cursor"])
    assert names(first) + names(rest) == ["one", "three", "one"]


def test_short_pages_still_say_there_is_more(rig: Rig, board: str) -> None:
    rig.sandbox.control("set_lag", {"short_pages": 2})
    answer = ask(rig, board, page_size=100)
    assert (len(answer["results"]), answer["has_more"]) == (2, True)


def test_a_query_of_a_trashed_database_is_not_found(rig: Rig) -> None:
    database, source = rig.database({})
    rig.ok("PATCH", f"databases/{database}", {"in_trash": True})
    assert rig.refused("POST", f"data_sources/{source}/query", {}) == (404, "object_not_found")


def test_formula_filters_read_the_frozen_result(rig: Rig) -> None:
    _, source = rig.database({"F": {"formula": {"expression": "1"}}})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("edit", {"page_id": page, "properties": {"F": {"formula": {"type": "number", "number": 4}}}})
    found = ask(rig, source, filter={"property": "F", "formula": {"number": {"greater_than": 3}}})
    assert names(found) == ["x"]
    assert not ask(rig, source, filter={"property": "F", "formula": {"number": {"greater_than": 4}}})["results"]
