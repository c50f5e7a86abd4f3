"""The data source query of the Notion emulator: filters, sorts, paging, the cap, lag."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import notion_client
import pytest
from notion_rig import Rig

from rayline_sandbox.wire import HandlerTransport
from tests.support.effort import count_calls

COLUMNS: dict[str, Any] = {
    "Text": {"rich_text": {}},
    "Number": {"number": {}},
    "Done": {"checkbox": {}},
    "Due": {"date": {}},
    "Kind": {
        "select": {"options": [{"name": "red"}, {"name": "blue"}, {"name": "green"}]}
    },
    "Tags": {"multi_select": {"options": [{"name": "a"}, {"name": "b"}]}},
    "Stage": {"status": {}},
    "Who": {"people": {}},
    "Mail": {"email": {}},
    "No": {"unique_id": {"prefix": "T"}},
    "Edited": {"last_edited_time": {}},
    "Link": {"files": {}},
    "Maker": {"created_by": {}},
    "Site": {"url": {}},
    "Phone": {"phone_number": {}},
}


@pytest.fixture
def rig() -> Rig:
    return Rig()


def text(content: str) -> dict[str, Any]:
    return {"rich_text": [{"text": {"content": content}}]}


def names(answer: dict[str, Any]) -> list[str]:
    return [
        "".join(part["plain_text"] for part in row["properties"]["Name"]["title"])
        for row in answer["results"]
    ]


@pytest.fixture
def board(rig: Rig) -> str:
    _, source = rig.database(COLUMNS)
    user = rig.sandbox.owner_id
    rig.row(
        source,
        "one",
        Text=text("Alpha beta"),
        Number={"number": 1},
        Done={"checkbox": True},
        Due={"date": {"start": "2026-07-01"}},
        Kind={"select": {"name": "red"}},
        Stage={"status": {"name": "Done"}},
        Tags={"multi_select": [{"name": "a"}, {"name": "b"}]},
        Who={"people": [{"id": user}]},
    )
    rig.row(
        source,
        "two",
        Text=text("gamma"),
        Number={"number": 2.5},
        Kind={"select": {"name": "blue"}},
        Due={"date": {"start": "2026-07-04T12:00:00+03:00"}},
        Tags={"multi_select": [{"name": "b"}]},
        Mail={"email": "x@example.com"},
        Site={"url": "https://example.com/docs"},
        Phone={"phone_number": "+7 1"},
        Stage={"status": {"name": "In progress"}},
    )
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
    (
        {"property": "Stage", "status": {"equals": ["Complete", "Not started"]}},
        ["one", "three"],
    ),
    ({"property": "Due", "date": {"equals": "2026-07-04"}}, ["two"]),
    ({"property": "Due", "date": {"before": "2026-07-04T09:01:00Z"}}, ["one", "two"]),
    ({"property": "Due", "date": {"on_or_after": "2026-07-02"}}, ["two"]),
    ({"property": "Due", "date": {"this_week": {}}}, ["one", "two"]),
    ({"property": "Due", "date": {"next_week": {}}}, ["two"]),
    ({"property": "Who", "people": {"is_not_empty": True}}, ["one"]),
    ({"property": "Name", "rich_text": {"equals": "one"}}, ["one"]),
    ({"property": "Mail", "rich_text": {"starts_with": "X@"}}, ["two"]),
    ({"property": "Site", "rich_text": {"contains": "docs"}}, ["two"]),
    ({"property": "Phone", "rich_text": {"is_not_empty": True}}, ["two"]),
    ({"property": "Due", "date": {"equals": "2026-07-04T09:00:59.9Z"}}, ["two"]),
    ({"property": "Due", "date": {"after": "2026-07-04T09:00:01Z"}}, []),
    ({"property": "Mail", "email": {"ends_with": "example.com"}}, ["two"]),
    (
        {"property": "No", "unique_id": {"greater_than_or_equal_to": 2}},
        ["two", "three"],
    ),
    ({"property": "Link", "files": {"is_empty": True}}, ["one", "two", "three"]),
    ({"property": "Maker", "created_by": {"contains": "me"}}, ["one", "two", "three"]),
    ({"property": "Edited", "last_edited_time": {"after": "2026-07-04T09:08:00Z"}}, []),
    (
        {
            "timestamp": "last_edited_time",
            "last_edited_time": {"on_or_after": "2026-07-04T09:08:00Z"},
        },
        ["one", "two", "three"],
    ),
    (
        {
            "and": [
                {"property": "Number", "number": {"is_not_empty": True}},
                {
                    "or": [
                        {"property": "Done", "checkbox": {"equals": True}},
                        {"property": "Kind", "select": {"equals": "green"}},
                    ]
                },
            ]
        },
        ["one"],
    ),
]


@pytest.mark.parametrize(
    ("condition", "expected"), FILTERS, ids=[str(one[0])[:70] for one in FILTERS]
)
def test_each_filter_finds_the_rows_it_names(
    rig: Rig, board: str, condition: dict[str, Any], expected: list[str]
) -> None:
    assert sorted(names(ask(rig, board, filter=condition))) == sorted(expected)


BAD_FILTERS: list[tuple[dict[str, Any], str]] = [
    (
        {"property": "Nope", "number": {"equals": 1}},
        "Could not find property with name or id: Nope",
    ),
    (
        {"property": "Number", "rich_text": {"equals": "1"}},
        "database property number does not match filter rich_text",
    ),
    ({"property": "Kind", "select": {"equals": "mauve"}}, "mauve"),
    ({"property": "Number", "number": {"equals": "1"}}, "should be a number"),
    ({"property": "Number", "number": {"contains": 1}}, "should be not present"),
    ({"property": "Due", "date": {"after": "yesterday"}}, "ISO 8601"),
    ({"and": [{"or": [{"and": []}]}]}, "should be not present"),
    ({"property": "Due", "date": {"after": "2026-W01-1"}}, "ISO 8601"),
    ({"property": "Due", "date": {"after": "20260101"}}, "ISO 8601"),
    (
        {"property": "Due", "rich_text": {"equals": "2026"}},
        "database property date does not match filter rich_text",
    ),
    ({"and": [], "or": []}, "body.filter.or should be not present"),
]


@pytest.mark.parametrize(
    ("condition", "words"), BAD_FILTERS, ids=[one[1] for one in BAD_FILTERS]
)
def test_a_filter_that_does_not_fit_the_schema_is_refused(
    rig: Rig, board: str, condition: dict[str, Any], words: str
) -> None:
    response = rig.send(
        "POST", f"/v1/data_sources/{board}/query", {"filter": condition}
    )
    assert response.status == 400
    assert words in response.body.decode()


def test_sorting_puts_empty_cells_last_both_ways(rig: Rig, board: str) -> None:
    up = ask(rig, board, sorts=[{"property": "Number", "direction": "ascending"}])
    down = ask(rig, board, sorts=[{"property": "Number", "direction": "descending"}])
    assert (names(up), names(down)) == (
        ["one", "two", "three"],
        ["two", "one", "three"],
    )


def test_a_second_sort_key_breaks_ties(rig: Rig, board: str) -> None:
    found = ask(
        rig,
        board,
        sorts=[
            {"property": "Done", "direction": "ascending"},
            {"property": "Name", "direction": "ascending"},
        ],
    )
    assert names(found) == ["three", "two", "one"]


def test_select_columns_sort_in_the_order_of_their_options(
    rig: Rig, board: str
) -> None:
    found = ask(rig, board, sorts=[{"property": "Kind", "direction": "descending"}])
    assert names(found) == ["two", "one", "three"]


def test_pages_of_a_listing_join_to_the_whole_without_repeats(
    rig: Rig, board: str
) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = ask(rig, board, page_size=2, **cursor)
        seen += names(answer)
        if not answer["has_more"]:
            break
        cursor = {"start_cursor": answer["next_cursor"]}
    assert seen == ["three", "two", "one"]
    assert answer["next_cursor"] is None


def test_a_cursor_serves_only_the_query_it_came_from(rig: Rig, board: str) -> None:
    cursor = ask(rig, board, page_size=1)["next_cursor"]
    changed = {
        "start_cursor": cursor,
        "filter": {"property": "Done", "checkbox": {"equals": False}},
    }
    assert rig.refused("POST", f"data_sources/{board}/query", changed) == (
        400,
        "validation_error",
    )
    assert rig.refused(
        "POST", f"data_sources/{board}/query", {"start_cursor": "gone"}
    ) == (400, "validation_error")


def test_page_size_over_a_hundred_is_refused(rig: Rig, board: str) -> None:
    assert rig.refused("POST", f"data_sources/{board}/query", {"page_size": 101}) == (
        400,
        "validation_error",
    )


def test_filter_properties_keeps_only_the_columns_named(rig: Rig, board: str) -> None:
    client: Any = notion_client.Client(
        auth=rig.sandbox.token,
        client=httpx.Client(transport=HandlerTransport(rig.sandbox.handle)),
        retry=False,
    )
    number_id = client.data_sources.retrieve(board)["properties"]["Number"]["id"]
    found = client.data_sources.query(board, filter_properties=["title", number_id])
    assert [set(row["properties"]) for row in found["results"]] == [
        {"Name", "Number"}
    ] * 3


def test_ten_thousand_results_end_a_query_and_every_page_says_so(rig: Rig) -> None:
    _, source = rig.database({})
    for index in range(10_001):
        rig.sandbox.control(
            "create",
            {
                "data_source_id": source,
                "properties": {"Name": {"title": [{"text": {"content": str(index)}}]}},
            },
        )
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
        rig.sandbox.control(
            "create",
            {"data_source_id": source, "properties": {"Number": {"number": index}}},
        )
    answers: list[dict[str, Any]] = []

    def turn_page() -> None:
        cursor = {"start_cursor": answers[-1]["next_cursor"]} if answers else {}
        answers.append(
            ask(
                rig,
                source,
                sorts=[{"property": "Number", "direction": "descending"}],
                page_size=1,
                **cursor,
            )
        )

    first = count_calls(turn_page)
    later = [count_calls(turn_page) for _ in range(100)]
    assert max(later) < first / 10
    assert answers[-1]["results"][0]["properties"]["Number"]["number"] == 2899


def test_archived_rows_appear_only_when_asked_for(rig: Rig, board: str) -> None:
    page = ask(rig, board, filter={"property": "Name", "title": {"equals": "one"}})[
        "results"
    ][0]["id"]
    rig.sandbox.control("archive", {"id": page})
    assert names(ask(rig, board)) == ["three", "two"]
    assert names(ask(rig, board, is_archived=True)) == ["one"]
    assert rig.ok("GET", f"pages/{page}")["is_archived"] is True


def test_with_index_lag_a_query_shows_yesterdays_rows_and_a_get_todays(
    rig: Rig, board: str
) -> None:
    rig.clock.advance(timedelta(minutes=5))
    rig.sandbox.control("set_lag", {"query": 20})
    page = rig.row(board, "four")["id"]
    one = ask(rig, board, filter={"property": "Name", "title": {"equals": "one"}})[
        "results"
    ][0]["id"]
    rig.ok("PATCH", f"pages/{one}", {"properties": {"Number": {"number": 99}}})
    assert names(ask(rig, board)) == ["three", "two", "one"]
    assert ask(rig, board)["results"][-1]["properties"]["Number"]["number"] == 1
    assert rig.ok("GET", f"pages/{page}")["id"] == page
    rig.clock.advance(timedelta(seconds=21))
    found = ask(rig, board)
    assert names(found) == ["four", "three", "two", "one"]
    assert found["results"][-1]["properties"]["Number"]["number"] == 99


def test_rows_edited_while_paging_shift_and_one_is_missed(rig: Rig, board: str) -> None:
    rig.sandbox.control("set_lag", {"shifting": True})
    order = [{"timestamp": "last_edited_time", "direction": "ascending"}]
    first = ask(rig, board, sorts=order, page_size=1)
    rig.clock.advance(timedelta(minutes=2))
    rig.sandbox.control(
        "edit",
        {"page_id": first["results"][0]["id"], "properties": {"Number": {"number": 5}}},
    )
    rest = ask(
        rig, board, sorts=order, page_size=100, start_cursor=first["next_cursor"]
    )
    assert names(first) + names(rest) == ["one", "three", "one"]


def test_short_pages_still_say_there_is_more(rig: Rig, board: str) -> None:
    rig.sandbox.control("set_lag", {"short_pages": 2})
    answer = ask(rig, board, page_size=100)
    assert (len(answer["results"]), answer["has_more"]) == (2, True)


def test_a_query_of_a_trashed_database_is_not_found(rig: Rig) -> None:
    database, source = rig.database({})
    rig.ok("PATCH", f"databases/{database}", {"in_trash": True})
    assert rig.refused("POST", f"data_sources/{source}/query", {}) == (
        404,
        "object_not_found",
    )


def test_formula_filters_read_the_frozen_result(rig: Rig) -> None:
    _, source = rig.database({"F": {"formula": {"expression": "1"}}})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control(
        "edit",
        {
            "page_id": page,
            "properties": {"F": {"formula": {"type": "number", "number": 4}}},
        },
    )
    found = ask(
        rig,
        source,
        filter={"property": "F", "formula": {"number": {"greater_than": 3}}},
    )
    assert names(found) == ["x"]
    assert not ask(
        rig,
        source,
        filter={"property": "F", "formula": {"number": {"greater_than": 4}}},
    )["results"]


def test_a_filter_on_a_formula_reads_the_result_of_its_own_type_and_takes_others_for_empty(
    rig: Rig,
) -> None:
    _, source = rig.database({"F": {"formula": {"expression": "1"}}})
    for name, result in (
        ("word", {"type": "string", "string": "Red"}),
        ("flag", {"type": "boolean", "boolean": True}),
        (
            "day",
            {
                "type": "date",
                "date": {"start": "2026-07-01", "end": None, "time_zone": None},
            },
        ),
    ):
        page = rig.row(source, name)["id"]
        rig.sandbox.control(
            "edit", {"page_id": page, "properties": {"F": {"formula": result}}}
        )
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({"string": {"contains": "red"}}, ["word"]),
        ({"checkbox": {"equals": True}}, ["flag"]),
        ({"date": {"before": "2026-07-02"}}, ["day"]),
        ({"number": {"is_empty": True}}, ["day", "flag", "word"]),
    ]
    for condition, expected in wanted:
        assert (
            names(ask(rig, source, filter={"property": "F", "formula": condition}))
            == expected
        ), condition


def test_formulas_sort_as_numbers_and_flags_not_as_text(rig: Rig) -> None:
    _, source = rig.database({"F": {"formula": {"expression": "1"}}})
    for number in (10, 9, -1, 2.5):
        page = rig.row(source, str(number))["id"]
        rig.sandbox.control(
            "edit",
            {
                "page_id": page,
                "properties": {"F": {"formula": {"type": "number", "number": number}}},
            },
        )
    rig.row(source, "none")
    up, down = (
        names(ask(rig, source, sorts=[{"property": "F", "direction": direction}]))
        for direction in ("ascending", "descending")
    )
    assert (up, down) == (
        ["-1", "2.5", "9", "10", "none"],
        ["10", "9", "2.5", "-1", "none"],
    )


MONTHS = [
    ("past_month", "2026-06-04", "2026-06-03"),
    ("next_month", "2026-08-04", "2026-08-05"),
    ("past_year", "2025-07-04", "2025-07-03"),
    ("next_year", "2027-07-04", "2027-07-05"),
    ("past_week", "2026-06-27", "2026-06-26"),
    ("next_week", "2026-07-11", "2026-07-12"),
]


@pytest.mark.parametrize(
    ("span", "inside", "outside"), MONTHS, ids=[one[0] for one in MONTHS]
)
def test_months_and_years_of_a_date_filter_are_those_of_the_calendar(
    rig: Rig, span: str, inside: str, outside: str
) -> None:
    _, source = rig.database({"Due": {"date": {}}})
    for day in (inside, outside):
        rig.row(source, day, Due={"date": {"start": day}})
    assert names(ask(rig, source, filter={"property": "Due", "date": {span: {}}})) == [
        inside
    ]


def test_a_month_before_the_thirty_first_begins_on_the_last_day_of_a_shorter_one(
    rig: Rig,
) -> None:
    rig.clock.advance(timedelta(days=240))  # 1 March 2027
    rig.clock.advance(timedelta(days=30))
    _, source = rig.database({"Due": {"date": {}}})
    for day in ("2027-02-28", "2027-02-27"):
        rig.row(source, day, Due={"date": {"start": day}})
    assert names(
        ask(rig, source, filter={"property": "Due", "date": {"past_month": {}}})
    ) == ["2027-02-28"]


# -- rollups -------------------------------------------------------------------------------------------------------

ROLLED: dict[str, Any] = {
    "Names": "Name",
    "Texts": "Text",
    "Numbers": "No",
    "Results": "F",
    "Days": "Made",
    "Kinds": "Kind",
    "Tagged": "Tags",
    "People": "Who",
    "Makers": "Maker",
    "Next": "Peer",
    "Flags": "Done",
    "Files": "Link",
    "Stages": "Stage",
}


@pytest.fixture
def orders(rig: Rig, board: str) -> str:
    """Return orders that name rows of the board: A names one and two, B names three, C none."""
    rig.ok(
        "PATCH",
        f"data_sources/{board}",
        {
            "properties": {
                "F": {"formula": {"expression": "1"}},
                "Made": {"created_time": {}},
                "Peer": {"relation": {"data_source_id": board, "single_property": {}}},
            }
        },
    )
    rows = {
        name: row["id"]
        for row in ask(rig, board)["results"]
        for name in names({"results": [row]})
    }
    rig.sandbox.control(
        "edit",
        {
            "page_id": rows["one"],
            "properties": {"F": {"formula": {"type": "number", "number": 7}}},
        },
    )
    rig.ok(
        "PATCH",
        f"pages/{rows['three']}",
        {"properties": {"Peer": {"relation": [{"id": rows["one"]}]}}},
    )
    _, source = rig.database(
        {"Rel": {"relation": {"data_source_id": board, "single_property": {}}}}
    )
    rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {
            "properties": {
                **{
                    name: {
                        "rollup": {
                            "relation_property_name": "Rel",
                            "rollup_property_name": target,
                            "function": "show_original",
                        }
                    }
                    for name, target in ROLLED.items()
                },
                "Sum": {
                    "rollup": {
                        "relation_property_name": "Rel",
                        "rollup_property_name": "Number",
                        "function": "sum",
                    }
                },
                "Last": {
                    "rollup": {
                        "relation_property_name": "Rel",
                        "rollup_property_name": "Due",
                        "function": "latest_date",
                    }
                },
            }
        },
    )
    for name, targets in (("A", ("one", "two")), ("B", ("three",)), ("C", ())):
        rig.row(source, name, Rel={"relation": [{"id": rows[one]} for one in targets]})
    return source


def one_id(rig: Rig, board: str) -> str:
    row: str = ask(rig, board, filter={"property": "Name", "title": {"equals": "one"}})[
        "results"
    ][0]["id"]
    return row


ROLLUPS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("Names", {"any": {"rich_text": {"equals": "one"}}}, ["A"]),
    ("Names", {"every": {"rich_text": {"starts_with": "t"}}}, ["B"]),
    ("Names", {"none": {"rich_text": {"contains": "o"}}}, ["B", "C"]),
    ("Texts", {"any": {"rich_text": {"contains": "GAMMA"}}}, ["A"]),
    ("Texts", {"any": {"rich_text": {"is_empty": True}}}, ["B"]),
    ("Numbers", {"any": {"number": {"equals": 3}}}, ["B"]),
    ("Results", {"any": {"number": {"greater_than": 6}}}, ["A"]),
    ("Results", {"any": {"rich_text": {"contains": "x"}}}, []),
    ("Days", {"any": {"date": {"on_or_after": "2026-07-04"}}}, ["A", "B"]),
    ("Kinds", {"any": {"select": {"equals": "red"}}}, ["A"]),
    ("Kinds", {"any": {"select": {"equals": ["blue", "green"]}}}, ["A"]),
    ("Tagged", {"any": {"multi_select": {"contains": "a"}}}, ["A"]),
    ("Tagged", {"every": {"multi_select": {"does_not_contain": "a"}}}, ["B"]),
    ("Stages", {"any": {"status": {"equals": "To-do"}}}, ["B"]),
    ("People", {"any": {"people": {"is_not_empty": True}}}, ["A"]),
    ("Makers", {"any": {"people": {"contains": "me"}}}, ["A", "B"]),
    ("Next", {"any": {"relation": {"is_not_empty": True}}}, ["B"]),
    ("Flags", {"any": {"checkbox": {"equals": True}}}, ["A"]),
    ("Files", {"none": {"files": {"is_not_empty": True}}}, ["A", "B", "C"]),
    ("Sum", {"number": {"equals": 3.5}}, ["A"]),
    ("Last", {"date": {"on_or_after": "2026-07-04"}}, ["A"]),
]


@pytest.mark.parametrize(
    ("column", "condition", "expected"),
    ROLLUPS,
    ids=[f"{one[0]} {one[1]}" for one in ROLLUPS],
)
def test_a_filter_on_a_rollup_reads_the_related_cells(
    rig: Rig, orders: str, column: str, condition: dict[str, Any], expected: list[str]
) -> None:
    found = ask(rig, orders, filter={"property": column, "rollup": condition})
    assert sorted(names(found)) == expected


def test_people_and_rows_are_found_in_rollups_by_their_ids(
    rig: Rig, board: str, orders: str
) -> None:
    people = {"any": {"people": {"contains": rig.sandbox.owner_id}}}
    peers = {"any": {"relation": {"contains": one_id(rig, board)}}}
    assert names(ask(rig, orders, filter={"property": "People", "rollup": people})) == [
        "A"
    ]
    assert names(ask(rig, orders, filter={"property": "Next", "rollup": peers})) == [
        "B"
    ]


BAD_ROLLUPS: list[tuple[str, dict[str, Any]]] = [
    ("Kinds", {"any": {"select": {"equals": {"name": "red"}}}}),
    ("Kinds", {"any": {"select": {"equals": "mauve"}}}),
    ("Kinds", {"any": {"number": {"equals": 1}}}),
    ("Names", {"any": {"string": {"equals": "one"}}}),
    ("Names", {"rich_text": {"equals": "one"}}),
    ("Names", {"any": "one"}),
]


@pytest.mark.parametrize(
    ("column", "condition"),
    BAD_ROLLUPS,
    ids=[f"{one[0]} {one[1]}" for one in BAD_ROLLUPS],
)
def test_a_rollup_filter_that_fits_no_column_is_refused(
    rig: Rig, orders: str, column: str, condition: dict[str, Any]
) -> None:
    body = {"filter": {"property": column, "rollup": condition}}
    assert rig.refused("POST", f"data_sources/{orders}/query", body) == (
        400,
        "validation_error",
    )


def test_a_rollup_filter_looks_past_the_twenty_five_rows_an_answer_shows(
    rig: Rig, board: str, orders: str
) -> None:
    many = [{"id": rig.row(board, f"extra {index}")["id"]} for index in range(30)]
    rig.row(orders, "Big", Rel={"relation": many})
    found = ask(
        rig,
        orders,
        filter={
            "property": "Names",
            "rollup": {"any": {"rich_text": {"equals": "extra 29"}}},
        },
    )
    assert names(found) == ["Big"]
    assert len(found["results"][0]["properties"]["Names"]["rollup"]["array"]) == 25


def test_rollups_sort_as_what_they_roll_up(rig: Rig, board: str, orders: str) -> None:
    for name, number, day in (
        ("nine", 9, "2026-07-09"),
        ("ten", 10, "2026-07-10T01:00:00+05:00"),
    ):
        target = rig.row(
            board, name, Number={"number": number}, Due={"date": {"start": day}}
        )["id"]
        rig.row(orders, name, Rel={"relation": [{"id": target}]})
    for column, expected in (
        ("Sum", ["B", "C", "A", "nine", "ten"]),
        ("Last", ["A", "nine", "ten", "B", "C"]),
        ("Numbers", ["A", "B", "nine", "ten", "C"]),
    ):
        found = ask(rig, orders, sorts=[{"property": column, "direction": "ascending"}])
        assert names(found) == expected, column


@pytest.mark.parametrize("way", ["patched", "retyped by hand"])
def test_a_rollup_over_a_relation_that_became_text_is_empty(
    rig: Rig, orders: str, way: str
) -> None:
    if way == "patched":
        rig.ok(
            "PATCH",
            f"data_sources/{orders}",
            {"properties": {"Rel": {"rich_text": {}}}},
        )
    else:
        rig.sandbox.control(
            "retype_property",
            {"data_source_id": orders, "property": "Rel", "type": "rich_text"},
        )
    shown = rig.ok("GET", f"data_sources/{orders}")["properties"]["Sum"]["rollup"]
    assert (shown["rollup_property_name"], shown["relation_property_name"]) == (
        "",
        "Rel",
    )
    rows = ask(rig, orders, sorts=[{"property": "Sum", "direction": "ascending"}])[
        "results"
    ]
    assert [row["properties"]["Sum"]["rollup"]["array"] for row in rows] == [[], [], []]
    anything = {
        "property": "Names",
        "rollup": {"any": {"rich_text": {"is_not_empty": True}}},
    }
    assert ask(rig, orders, filter=anything)["results"] == []
    assert rig.ok("POST", "search", {})["results"]


def test_a_rollup_of_itself_is_empty_and_answers(rig: Rig) -> None:
    _, source = rig.database({"Number": {"number": {}}})
    rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {
            "properties": {
                "Self": {"relation": {"data_source_id": source, "single_property": {}}}
            }
        },
    )
    rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {
            "properties": {
                "R": {
                    "rollup": {
                        "relation_property_name": "Self",
                        "rollup_property_name": "Number",
                        "function": "show_original",
                    }
                }
            }
        },
    )
    response = rig.send(
        "PATCH",
        f"/v1/data_sources/{source}",
        {
            "properties": {
                "R": {
                    "rollup": {
                        "relation_property_name": "Self",
                        "rollup_property_name": "R",
                        "function": "show_original",
                    }
                }
            }
        },
    )
    if response.status == 400:  # refusing the circle is as good
        return
    page = rig.row(source, "loop")["id"]
    linked = rig.ok(
        "PATCH", f"pages/{page}", {"properties": {"Self": {"relation": [{"id": page}]}}}
    )
    assert linked["properties"]["R"]["rollup"]["array"] == [
        {
            "type": "rollup",
            "rollup": {"type": "array", "array": [], "function": "show_original"},
        }
    ]
    assert names(
        ask(rig, source, sorts=[{"property": "R", "direction": "ascending"}])
    ) == ["loop"]


# -- what a body may say -------------------------------------------------------------------------------------------

LOOSE: list[dict[str, Any]] = [
    {"page_size": "5"},
    {"page_size": 1.5},
    {"page_size": True},
    {"page_size": 0},
    {"filter": []},
    {"filter": ""},
    {"filter": {}},
    {"sorts": {}},
    {"sorts": ""},
    {"result_type": "banana"},
    {"is_archived": "no"},
]


@pytest.mark.parametrize("body", LOOSE, ids=str)
def test_a_body_of_the_wrong_form_is_refused(
    rig: Rig, board: str, body: dict[str, Any]
) -> None:
    assert rig.refused("POST", f"data_sources/{board}/query", body) == (
        400,
        "validation_error",
    )


def test_a_page_size_in_an_address_is_written_in_digits(rig: Rig) -> None:
    assert len(rig.ok("GET", "users?page_size=1")["results"]) == 1
    for size in ("1.5", "many", "0", "1_0"):
        assert rig.refused("GET", f"users?page_size={size}") == (
            400,
            "validation_error",
        )


def test_there_are_no_data_sources_among_the_rows(rig: Rig, board: str) -> None:
    assert len(ask(rig, board, result_type="page")["results"]) == 3
    assert ask(rig, board, result_type="data_source")["results"] == []
