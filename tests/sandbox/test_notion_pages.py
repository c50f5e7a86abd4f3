"""Pages and rows of the Notion emulator: values in and out, relations, rollups, trash."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import notion_client
import pytest
from notion_rig import Rig

from rayline_sandbox.wire import HandlerTransport

VALUES: list[tuple[str, dict[str, Any], Any, Any]] = [
    (
        "rich_text",
        {},
        [{"text": {"content": "hi"}, "annotations": {"bold": True}}],
        None,
    ),
    ("number", {}, 3.5, 3.5),
    ("number", {}, None, None),
    ("checkbox", {}, True, True),
    ("url", {}, "https://example.com", "https://example.com"),
    ("email", {}, "a@b.c", "a@b.c"),
    ("phone_number", {}, "+7 900", "+7 900"),
    (
        "date",
        {},
        {"start": "2026-01-31"},
        {"start": "2026-01-31", "end": None, "time_zone": None},
    ),
    (
        "date",
        {},
        {"start": "2026-01-31T10:00:00+03:00", "end": "2026-01-31T11:00:00+03:00"},
        {
            "start": "2026-01-31T10:00:00.000+03:00",
            "end": "2026-01-31T11:00:00.000+03:00",
            "time_zone": None,
        },
    ),
    (
        "files",
        {},
        [{"name": "a", "external": {"url": "https://example.com/a.pdf"}}],
        [
            {
                "name": "a",
                "type": "external",
                "external": {"url": "https://example.com/a.pdf"},
            }
        ],
    ),
]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(("kind", "config", "given", "shown"), VALUES)
def test_a_written_value_reads_back(
    rig: Rig, kind: str, config: dict[str, Any], given: Any, shown: Any
) -> None:
    _, source = rig.database({"P": {kind: config}})
    page = rig.row(source, "x", P={kind: given})
    read = rig.ok("GET", f"pages/{page['id']}")["properties"]["P"]
    assert read["type"] == kind
    if kind == "rich_text":
        assert (read[kind][0]["plain_text"], read[kind][0]["annotations"]["bold"]) == (
            "hi",
            True,
        )
    else:
        assert read[kind] == shown


def test_select_options_are_made_on_the_fly_and_kept(rig: Rig) -> None:
    _, source = rig.database({"K": {"select": {}}, "M": {"multi_select": {}}})
    first = rig.row(
        source,
        "x",
        K={"select": {"name": "new"}},
        M={"multi_select": [{"name": "p"}, {"name": "q"}]},
    )
    second = rig.row(source, "y", K={"select": {"name": "NEW"}})
    assert (
        first["properties"]["K"]["select"]["id"]
        == second["properties"]["K"]["select"]["id"]
    )
    options = rig.ok("GET", f"data_sources/{source}")["properties"]["M"][
        "multi_select"
    ]["options"]
    assert [option["name"] for option in options] == ["p", "q"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"S": {"status": {"name": "Nowhere"}}}, "does not exist"),
    ({"Nope": {"number": 1}}, "Nope is not a property that exists."),
    ({"N": {"number": "3"}}, "body.properties.N.number should be a number"),
    ({"N": {"checkbox": True}}, "N is expected to be number."),
    ({"C": {"created_time": "2026-01-01"}}, "cannot be updated"),
    ({"U": {"unique_id": {"number": 5}}}, "cannot be updated"),
    ({"F": {"formula": {"number": 5}}}, "cannot be updated"),
    (
        {"T": {"rich_text": [{"text": {"content": "x" * 2001}}]}},
        "should be ≤ `2000`, instead was `2001`",
    ),
    ({"T": {"rich_text": [{"text": {"content": "x"}}] * 101}}, "should be ≤ `100`"),
    (
        {"M": {"multi_select": [{"name": f"{index}"} for index in range(101)]}},
        "should be ≤ `100`",
    ),
    ({"M": {"multi_select": [{"name": "a,b"}]}}, "commas not allowed"),
    ({"L": {"url": "h" * 2001}}, "should be ≤ `2000`"),
    ({"E": {"email": "e" * 201}}, "should be ≤ `200`"),
    ({"D": {"date": {"start": "+51502-01-01"}}}, "ISO 8601"),
    (
        {"D": {"date": {"start": "2026-02-02", "end": "2026-02-01"}}},
        "may not lie before",
    ),
    (
        {"P": {"people": [{"id": "00000000-0000-4000-8000-000000000000"}]}},
        "Could not find user",
    ),
    ({"B": {"checkbox": "yes"}}, "should be a boolean"),
]


@pytest.mark.parametrize(
    ("properties", "words"), REFUSED, ids=[one[1] for one in REFUSED]
)
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_made(
    rig: Rig, properties: dict[str, Any], words: str
) -> None:
    _, source = rig.database(
        {
            "S": {"status": {}},
            "N": {"number": {}},
            "C": {"created_time": {}},
            "B": {"checkbox": {}},
            "U": {"unique_id": {}},
            "F": {"formula": {"expression": "1"}},
            "T": {"rich_text": {}},
            "M": {"multi_select": {}},
            "L": {"url": {}},
            "E": {"email": {}},
            "D": {"date": {}},
            "P": {"people": {}},
            "K": {"select": {}},
        }
    )
    response = rig.send(
        "POST",
        "/v1/pages",
        {
            "parent": {"data_source_id": source},
            "properties": {"K": {"select": {"name": "made"}}, **properties},
        },
    )
    body = json.loads(response.body)
    assert (response.status, body["code"]) == (400, "validation_error")
    assert words in body["message"]
    assert rig.ok("POST", f"data_sources/{source}/query", {})["results"] == []
    assert (
        rig.ok("GET", f"data_sources/{source}")["properties"]["K"]["select"]["options"]
        == []
    )


def test_a_patch_changes_only_what_it_names(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}, "B": {"number": {}}})
    page = rig.row(source, "x", A={"number": 1}, B={"number": 2})
    changed = rig.ok(
        "PATCH", f"pages/{page['id']}", {"properties": {"A": {"number": 7}}}
    )["properties"]
    assert (changed["A"]["number"], changed["B"]["number"]) == (7, 2)
    assert changed["Name"]["title"][0]["plain_text"] == "x"


def test_properties_may_be_addressed_by_id(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    column = rig.ok("GET", f"data_sources/{source}")["properties"]["A"]["id"]
    page = rig.ok(
        "POST",
        "pages",
        {"parent": {"data_source_id": source}, "properties": {column: {"number": 4}}},
    )
    assert page["properties"]["A"]["number"] == 4


def test_times_are_floored_to_the_minute_and_the_editor_is_named(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x")
    assert page["created_time"] == "2026-07-04T09:08:00.000Z"
    assert page["last_edited_by"]["id"] == rig.sandbox.bot_id
    rig.clock.advance(timedelta(seconds=45))
    user = rig.sandbox.control("add_user", {"name": "Vera", "email": "v@example.com"})[
        "id"
    ]
    rig.sandbox.control(
        "edit",
        {"page_id": page["id"], "properties": {"A": {"number": 1}}, "user": user},
    )
    read = rig.ok("GET", f"pages/{page['id']}")
    assert (read["last_edited_time"], read["last_edited_by"]["id"]) == (
        "2026-07-04T09:09:00.000Z",
        user,
    )
    assert read["created_by"]["id"] == rig.sandbox.bot_id


@pytest.mark.parametrize(
    ("version", "extra"), [("2025-09-03", {"archived"}), ("2026-03-11", set())]
)
def test_the_old_version_repeats_in_trash_as_archived(
    version: str, extra: set[str]
) -> None:
    rig = Rig(version)
    page = rig.page()
    assert {"in_trash", "archived"} & set(page) == {"in_trash"} | extra


def test_archived_in_a_request_belongs_to_the_old_version() -> None:
    old, new = Rig("2025-09-03"), Rig("2026-03-11")
    assert (
        old.ok("PATCH", f"pages/{old.page()['id']}", {"archived": True})["in_trash"]
        is True
    )
    assert new.refused("PATCH", f"pages/{new.page()['id']}", {"archived": True}) == (
        400,
        "validation_error",
    )


def test_every_answer_carries_its_request_id_twice(rig: Rig) -> None:
    response = rig.send("GET", f"/v1/pages/{rig.root}")
    assert (
        json.loads(response.body)["request_id"]
        == response.headers["x-notion-request-id"]
    )


# -- relations and computed columns --------------------------------------------------------------------------------


@pytest.fixture
def linked(rig: Rig) -> tuple[str, str]:
    _, clients = rig.database({"Fee": {"number": {}}}, "Clients")
    _, projects = rig.database(
        {
            "Budget": {"number": {}},
            "Due": {"date": {}},
            "Open": {"checkbox": {}},
            "Client": {
                "relation": {
                    "data_source_id": clients,
                    "dual_property": {"synced_property_name": "Projects"},
                }
            },
        },
        "Projects",
    )
    return clients, projects


def related(page: dict[str, Any], name: str) -> list[str]:
    return [one["id"] for one in page["properties"][name]["relation"]]


def test_a_dual_relation_keeps_both_sides_in_step(
    rig: Rig, linked: tuple[str, str]
) -> None:
    clients, projects = linked
    acme, other = rig.row(clients, "Acme")["id"], rig.row(clients, "Other")["id"]
    card = rig.row(projects, "Site", Client={"relation": [{"id": acme}]})["id"]
    assert related(rig.ok("GET", f"pages/{acme}"), "Projects") == [card]
    rig.ok(
        "PATCH",
        f"pages/{card}",
        {"properties": {"Client": {"relation": [{"id": other}]}}},
    )
    assert related(rig.ok("GET", f"pages/{acme}"), "Projects") == []
    rig.ok(
        "PATCH",
        f"pages/{acme}",
        {"properties": {"Projects": {"relation": [{"id": card}]}}},
    )
    assert related(rig.ok("GET", f"pages/{card}"), "Client") == [other, acme]


def test_the_mirror_of_a_relation_names_its_twin(
    rig: Rig, linked: tuple[str, str]
) -> None:
    clients, projects = (
        rig.ok("GET", f"data_sources/{one}")["properties"] for one in linked
    )
    assert clients["Projects"]["relation"]["dual_property"] == {
        "synced_property_id": projects["Client"]["id"],
        "synced_property_name": "Client",
    }
    assert projects["Client"]["relation"]["data_source_id"] == linked[0]


def test_a_trashed_row_leaves_relations_and_rollups_until_it_returns(
    rig: Rig, linked: tuple[str, str]
) -> None:
    clients, projects = linked
    acme = rig.row(clients, "Acme")["id"]
    card = rig.row(projects, "Site", Client={"relation": [{"id": acme}]})["id"]
    rig.sandbox.control("trash", {"id": card})
    assert related(rig.ok("GET", f"pages/{acme}"), "Projects") == []
    rig.sandbox.control("restore", {"id": card})
    assert related(rig.ok("GET", f"pages/{acme}"), "Projects") == [card]


ROLLUPS: list[tuple[str, str, Any]] = [
    ("Budget", "sum", {"type": "number", "number": 30}),
    ("Budget", "average", {"type": "number", "number": 15}),
    ("Budget", "min", {"type": "number", "number": 10}),
    ("Budget", "max", {"type": "number", "number": 20}),
    ("Budget", "range", {"type": "number", "number": 10}),
    ("Budget", "count", {"type": "number", "number": 3}),
    ("Budget", "count_values", {"type": "number", "number": 2}),
    ("Budget", "empty", {"type": "number", "number": 1}),
    ("Open", "percent_checked", {"type": "number", "number": 1 / 3}),
    ("Open", "checked", {"type": "number", "number": 1}),
    (
        "Due",
        "latest_date",
        {
            "type": "date",
            "date": {"start": "2026-08-01", "end": None, "time_zone": None},
        },
    ),
    (
        "Due",
        "date_range",
        {
            "type": "date",
            "date": {"start": "2026-07-01", "end": "2026-08-01", "time_zone": None},
        },
    ),
    ("Budget", "median", {"type": "unsupported", "unsupported": {}}),
    (
        "Budget",
        "show_original",
        {
            "type": "array",
            "array": [
                {"type": "number", "number": 10},
                {"type": "number", "number": 20},
                {"type": "number", "number": None},
            ],
        },
    ),
]


@pytest.mark.parametrize(
    ("column", "function", "expected"), ROLLUPS, ids=[one[1] for one in ROLLUPS]
)
def test_rollups_compute_over_the_related_rows(
    rig: Rig, linked: tuple[str, str], column: str, function: str, expected: Any
) -> None:
    clients, projects = linked
    rig.ok(
        "PATCH",
        f"data_sources/{clients}",
        {
            "properties": {
                "R": {
                    "rollup": {
                        "relation_property_name": "Projects",
                        "rollup_property_name": column,
                        "function": function,
                    }
                }
            }
        },
    )
    acme = rig.row(clients, "Acme")["id"]
    link = {"relation": [{"id": acme}]}
    rig.row(
        projects,
        "a",
        Client=link,
        Budget={"number": 10},
        Open={"checkbox": True},
        Due={"date": {"start": "2026-07-01"}},
    )
    rig.row(
        projects,
        "b",
        Client=link,
        Budget={"number": 20},
        Due={"date": {"start": "2026-08-01"}},
    )
    rig.row(projects, "c", Client=link)
    assert rig.ok("GET", f"pages/{acme}")["properties"]["R"]["rollup"] == expected | {
        "function": function
    }


def test_over_25_links_are_cut_with_has_more_and_listed_whole_by_property(
    rig: Rig, linked: tuple[str, str]
) -> None:
    clients, projects = linked
    cards = [rig.row(projects, str(index))["id"] for index in range(60)]
    acme = rig.row(
        clients, "Acme", Projects={"relation": [{"id": one} for one in cards]}
    )
    assert acme["properties"]["Projects"]["has_more"] is True
    assert related(acme, "Projects") == cards[:25]
    column, found, cursor = acme["properties"]["Projects"]["id"], [], ""
    while True:
        answer = rig.ok(
            "GET", f"pages/{acme['id']}/properties/{column}?page_size=25{cursor}"
        )
        found += [item["relation"]["id"] for item in answer["results"]]
        if not answer["has_more"]:
            break
        cursor = f"&start_cursor={answer['next_cursor']}"
    assert found == cards


def test_a_relation_takes_only_rows_of_its_target(
    rig: Rig, linked: tuple[str, str]
) -> None:
    _, projects = linked
    stranger = rig.page()["id"]
    body = {
        "parent": {"data_source_id": projects},
        "properties": {"Client": {"relation": [{"id": stranger}]}},
    }
    assert rig.refused("POST", "pages", body) == (400, "validation_error")


def test_unique_ids_count_up_and_are_never_reused(rig: Rig) -> None:
    _, source = rig.database({"No": {"unique_id": {"prefix": "RL"}}})
    first = rig.row(source, "a")
    rig.sandbox.control("delete_forever", {"id": first["id"]})
    assert rig.row(source, "b")["properties"]["No"]["unique_id"] == {
        "prefix": "RL",
        "number": 2,
    }


# -- states --------------------------------------------------------------------------------------------------------


def test_trash_hides_a_row_refuses_edits_and_gives_it_back(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x", A={"number": 1})["id"]
    assert rig.ok("PATCH", f"pages/{page}", {"in_trash": True})["in_trash"] is True
    assert rig.ok("POST", f"data_sources/{source}/query", {})["results"] == []
    assert rig.ok("GET", f"pages/{page}")["in_trash"] is True
    assert rig.refused(
        "PATCH", f"pages/{page}", {"properties": {"A": {"number": 2}}}
    ) == (400, "validation_error")
    back = rig.ok(
        "PATCH",
        f"pages/{page}",
        {"in_trash": False, "properties": {"A": {"number": 3}}},
    )
    assert (back["in_trash"], back["properties"]["A"]["number"]) == (False, 3)


def test_a_row_deleted_for_good_is_not_found(rig: Rig) -> None:
    _, source = rig.database({})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("delete_forever", {"id": page})
    assert rig.refused("GET", f"pages/{page}") == (404, "object_not_found")


def test_rows_of_a_trashed_database_cannot_be_edited(rig: Rig) -> None:
    database, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x")["id"]
    rig.ok("DELETE", f"blocks/{database}")
    assert rig.ok("GET", f"pages/{page}")["in_trash"] is True
    assert rig.refused(
        "PATCH", f"pages/{page}", {"properties": {"A": {"number": 2}}}
    ) == (400, "validation_error")


def test_a_lock_does_not_stop_the_api(rig: Rig) -> None:
    _, source = rig.database({"A": {"number": {}}})
    page = rig.row(source, "x")["id"]
    rig.sandbox.control("lock", {"id": page})
    changed = rig.ok("PATCH", f"pages/{page}", {"properties": {"A": {"number": 2}}})
    assert (changed["is_locked"], changed["properties"]["A"]["number"]) == (True, 2)


def test_moving_a_row_keeps_the_columns_both_sides_have(rig: Rig) -> None:
    columns: dict[str, Any] = {"A": {"number": {}}, "K": {"select": {}}}
    (_, one), (_, two) = (
        rig.database({**columns, "Only": {"number": {}}}, "one"),
        rig.database(columns, "two"),
    )
    page = rig.row(
        one, "x", A={"number": 5}, K={"select": {"name": "red"}}, Only={"number": 1}
    )["id"]
    moved = rig.ok(
        "POST",
        f"pages/{page}/move",
        {"parent": {"type": "data_source_id", "data_source_id": two}},
    )
    assert moved["parent"]["data_source_id"] == two
    assert (
        moved["properties"]["A"]["number"],
        moved["properties"]["K"]["select"]["name"],
    ) == (5, "red")
    assert rig.ok("POST", f"data_sources/{one}/query", {})["results"] == []


def test_a_page_may_be_made_from_markdown_or_children_but_not_both(rig: Rig) -> None:
    base = {
        "parent": {"page_id": rig.root},
        "properties": {"title": [{"text": {"content": "x"}}]},
    }
    page = rig.ok("POST", "pages", base | {"markdown": "# Head\n\nBody"})
    kinds = [
        block["type"]
        for block in rig.ok("GET", f"blocks/{page['id']}/children")["results"]
    ]
    assert kinds == ["heading_1", "paragraph"]
    both = base | {"markdown": "x", "children": [{"divider": {}}]}
    assert rig.refused("POST", "pages", both) == (400, "validation_error")


def test_erasing_content_empties_the_body(rig: Rig) -> None:
    page = rig.page(children=[{"divider": {}}, {"divider": {}}])["id"]
    rig.ok("PATCH", f"pages/{page}", {"erase_content": True})
    assert rig.ok("GET", f"blocks/{page}/children")["results"] == []


def test_internal_connections_make_no_workspace_pages(rig: Rig) -> None:
    body = {"parent": {"type": "workspace", "workspace": True}, "properties": {}}
    assert rig.refused("POST", "pages", body) == (400, "validation_error")


def test_the_published_python_client_works_against_it(rig: Rig) -> None:
    client: Any = notion_client.Client(
        auth=rig.sandbox.token,
        retry=False,
        client=httpx.Client(transport=HandlerTransport(rig.sandbox.handle)),
    )
    _, source = rig.database({"A": {"number": {}}})
    made = client.pages.create(
        parent={"data_source_id": source}, properties={"A": {"number": 1}}
    )
    read = client.pages.properties.retrieve(made["id"], made["properties"]["A"]["id"])
    assert read["number"] == 1
    assert client.users.me()["id"] == rig.sandbox.bot_id
    with pytest.raises(notion_client.APIResponseError) as caught:
        client.pages.update(made["id"], properties={"B": {"number": 1}})
    assert (caught.value.status, caught.value.code) == (400, "validation_error")


def test_two_workspaces_of_one_seed_answer_alike() -> None:
    def run() -> list[bytes]:
        rig = Rig()
        _, source = rig.database({"A": {"number": {}}})
        rig.row(source, "x", A={"number": 1})
        return [
            rig.send("POST", f"/v1/data_sources/{source}/query", {}).body,
            rig.send("GET", "/v1/users").body,
        ]

    assert run() == run()
