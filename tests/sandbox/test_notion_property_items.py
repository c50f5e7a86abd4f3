"""One property at a time: the Notion emulator gives values too long for a page whole, and nothing that is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def linked(rig: Rig) -> tuple[str, str, list[str]]:
    """A client row of the clients' data source with thirty projects, of a budget from 0 to 29 each."""
    _, projects = rig.database({"Budget": {"number": {}}}, "Projects")
    _, clients = rig.database(
        {"Projects": {"relation": {"data_source_id": projects, "single_property": {}}}},
        "Clients",
    )
    rows = [
        rig.row(projects, str(number), Budget={"number": number})["id"]
        for number in range(30)
    ]
    return (
        rig.row(clients, "Acme", Projects={"relation": [{"id": one} for one in rows]})[
            "id"
        ],
        clients,
        rows,
    )


def rolled(rig: Rig, source: str, column: str, function: str) -> str:
    changed = rig.ok(
        "PATCH",
        f"data_sources/{source}",
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
    return str(changed["properties"]["R"]["id"])


def pages_of(rig: Rig, page: str, column: str, size: int = 20) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        answer = rig.ok(
            "GET", f"pages/{page}/properties/{column}?page_size={size}{cursor}"
        )
        found.append(answer)
        if not answer["has_more"]:
            return found
        cursor = f"&start_cursor={answer['next_cursor']}"


def test_over_25_mentions_are_cut_in_a_page_and_listed_whole(rig: Rig) -> None:
    mention = {"mention": {"page": {"id": rig.root}}}
    _, source = rig.database({"Seen": {"rich_text": {}}})
    row = rig.row(source, "Row", Seen={"rich_text": [mention] * 30})
    column = row["properties"]["Seen"]
    answers = pages_of(rig, row["id"], column["id"])
    assert (len(column["rich_text"]), [len(one["results"]) for one in answers]) == (
        25,
        [20, 10],
    )


def test_a_rollup_of_originals_is_listed_whole(
    rig: Rig, linked: tuple[str, str, list[str]]
) -> None:
    acme, clients, _ = linked
    answers = pages_of(rig, acme, rolled(rig, clients, "Budget", "show_original"))
    assert [item["number"] for one in answers for item in one["results"]] == list(
        range(30)
    )
    assert answers[0]["property_item"]["rollup"] == {
        "type": "array",
        "array": [],
        "function": "show_original",
    }
    assert (
        len(rig.ok("GET", f"pages/{acme}")["properties"]["R"]["rollup"]["array"]) == 25
    )


def test_the_items_of_rolled_up_texts_are_listed_flat(
    rig: Rig, linked: tuple[str, str, list[str]]
) -> None:
    acme, clients, _ = linked
    answers = pages_of(rig, acme, rolled(rig, clients, "Name", "show_unique"), size=100)
    assert [item["title"]["plain_text"] for item in answers[0]["results"]] == [
        str(number) for number in range(30)
    ]
    assert answers[0]["property_item"]["rollup"]["type"] == "unsupported"


def test_a_calculated_rollup_comes_with_its_links_and_is_final_on_the_last_page(
    rig: Rig, linked: tuple[str, str, list[str]]
) -> None:
    acme, clients, rows = linked
    first, last = pages_of(rig, acme, rolled(rig, clients, "Budget", "sum"))
    assert [
        item["relation"]["id"] for one in (first, last) for item in one["results"]
    ] == rows
    assert first["property_item"]["rollup"] == {
        "type": "incomplete",
        "incomplete": {},
        "function": "sum",
    }
    assert last["property_item"]["rollup"] == {
        "type": "number",
        "number": sum(range(30)),
        "function": "sum",
    }


def test_a_relation_to_what_is_not_shared_is_hidden_however_one_asks(rig: Rig) -> None:
    hidden, secrets = rig.database({}, "Secrets")
    _, source = rig.database(
        {"Secret": {"relation": {"data_source_id": secrets, "single_property": {}}}}
    )
    secret = rig.row(secrets, "x")["id"]
    row = rig.row(source, "Row", Secret={"relation": [{"id": secret}]})
    column = row["properties"]["Secret"]["id"]
    assert rig.ok("GET", f"pages/{row['id']}?filter_properties={column}")[
        "properties"
    ].keys() == {"Secret"}
    rig.sandbox.control("unshare", {"id": hidden})
    assert (
        rig.ok("GET", f"pages/{row['id']}?filter_properties={column}")["properties"]
        == {}
    )
    assert rig.refused("GET", f"pages/{row['id']}/properties/{column}") == (
        404,
        "object_not_found",
    )
