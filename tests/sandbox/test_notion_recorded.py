"""What recordings of the real Notion show and its documentation does not say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from notion_rig import Rig

Json = dict[str, Any]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def run(content: str) -> Json:
    return {"type": "text", "text": {"content": content}}


def titles(found: Json) -> list[str]:
    return [
        row["properties"]["Name"]["title"][0]["plain_text"] for row in found["results"]
    ]


def schema(rig: Rig, source: str) -> Json:
    found: Json = rig.ok("GET", f"data_sources/{source}")["properties"]
    return found


# -- the order of rows -------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 1], ids=["of one minute", "minutes apart"])
def test_a_query_without_sorts_answers_the_newest_row_first(
    rig: Rig, minutes: int
) -> None:
    _, source = rig.database({})
    for name in ("first", "second", "third"):
        rig.row(source, name)
        rig.sandbox.control("advance", {"seconds": 60 * minutes})
    path = f"data_sources/{source}/query"
    newest_first = ["third", "second", "first"]
    assert titles(rig.ok("POST", path, {})) == newest_first
    assert titles(rig.ok("POST", path, {"sorts": []})) == newest_first

    begun = rig.ok("POST", path, {"page_size": 2})
    rest = {"page_size": 2, "start_cursor": begun["next_cursor"]}
    assert titles(begun) + titles(rig.ok("POST", path, rest)) == newest_first


def test_a_sort_by_creation_answers_the_oldest_row_first(rig: Rig) -> None:
    _, source = rig.database({})
    for name in ("first", "second"):
        rig.row(source, name)
    by_age = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
    assert titles(rig.ok("POST", f"data_sources/{source}/query", by_age)) == [
        "first",
        "second",
    ]


# -- relations ---------------------------------------------------------------------


def dual(rig: Rig) -> tuple[str, str, str, str]:
    """Return two data sources with a dual relation between them, and a row of each that are linked."""
    _, clients = rig.database({}, title="Clients")
    link = {"data_source_id": clients, "dual_property": {"synced_property_name": "All"}}
    _, projects = rig.database({"Client": {"relation": link}}, title="Projects")
    client = rig.row(clients, "Acme")["id"]
    cell = {"Client": {"relation": [{"id": client}]}}
    return clients, projects, client, rig.row(projects, "Site", **cell)["id"]


@pytest.mark.parametrize("side", ["its own", "the mirror"])
def test_a_dual_relation_that_becomes_single_leaves_its_mirror_behind(
    rig: Rig, side: str
) -> None:
    clients, projects, client, project = dual(rig)
    source, other, column, left, row, linked = (
        (projects, clients, "Client", "All", client, project)
        if side == "its own"
        else (clients, projects, "All", "Client", project, client)
    )
    alone = {"data_source_id": other, "type": "single_property", "single_property": {}}
    rig.ok(
        "PATCH", f"data_sources/{source}", {"properties": {column: {"relation": alone}}}
    )

    for where, name in ((source, column), (other, left)):
        shown = schema(rig, where)[name]["relation"]
        assert (shown["type"], shown["single_property"]) == ("single_property", {})
    cell = rig.ok("GET", f"pages/{row}")["properties"][left]["relation"]
    assert cell == [{"id": linked}]

    emptied: Json = {"properties": {column: {"relation": []}}}
    rig.ok("PATCH", f"pages/{linked}", emptied)
    kept = rig.ok("GET", f"pages/{row}")["properties"][left]["relation"]
    assert kept == [{"id": linked}]

    rig.ok("PATCH", f"data_sources/{source}", {"properties": {column: None}})
    assert left in schema(rig, other)


# -- comments ----------------------------------------------------------------------


def said(rig: Rig, text: str, parent: Json) -> Json:
    return rig.ok("POST", "comments", {"parent": parent, "rich_text": [run(text)]})


def test_the_comments_on_a_page_are_one_discussion(rig: Rig) -> None:
    here = {"page_id": rig.root}
    elsewhere = {"page_id": rig.page()["id"]}
    first, second, other = (
        said(rig, text, parent)["discussion_id"]
        for text, parent in (("one", here), ("two", here), ("three", elsewhere))
    )
    assert first == second
    assert other != first


def test_a_comment_on_a_block_is_no_part_of_the_page_s_discussion(rig: Rig) -> None:
    children: Json = {"children": [{"divider": {}}]}
    block = rig.ok("PATCH", f"blocks/{rig.root}/children", children)["results"][0]
    on_page = said(rig, "one", {"page_id": rig.root})
    on_block = said(rig, "two", {"block_id": block["id"]})
    assert on_page["discussion_id"] != on_block["discussion_id"]


# -- formulas ----------------------------------------------------------------------


def reference(rig: Rig, source: str, property_id: str) -> str:
    workspace = rig.sandbox.store.workspace_id
    return f"{{{{notion:block_property:{property_id}:{source}:{workspace}}}}}"


def test_a_formula_is_answered_with_the_ids_of_the_columns_it_names(rig: Rig) -> None:
    written = 'format(prop("Name")) + prop("Due").formatDate("D") + prop("Nobody")'
    _, source = rig.database({"F": {"formula": {"expression": written}}, "Due": DATE})
    shown = schema(rig, source)
    due = reference(rig, source, shown["Due"]["id"])
    name = reference(rig, source, "title")
    expected = f'format({name}) + {due}.formatDate("D") + prop("Nobody")'
    assert shown["F"]["formula"] == {"expression": expected}


DATE: Json = {"date": {}}


def test_a_formula_outlives_the_names_of_its_columns(rig: Rig) -> None:
    _, source = rig.database({"Due": DATE})
    days = 'dateBetween(now(), prop("Due"), "days")'
    rig.ok(
        "PATCH",
        f"data_sources/{source}",
        {"properties": {"Days": {"formula": {"expression": days}}}},
    )
    before = schema(rig, source)["Days"]["formula"]
    rig.ok(
        "PATCH", f"data_sources/{source}", {"properties": {"Due": {"name": "Until"}}}
    )
    assert schema(rig, source)["Days"]["formula"] == before
    assert "prop(" not in before["expression"]

    row = rig.row(source, "x", Until={"date": {"start": "2026-07-01"}})
    assert row["properties"]["Days"]["formula"]["number"] == 3

    echoed = {"properties": {"Days": {"formula": before}}}
    answer = rig.ok("PATCH", f"data_sources/{source}", echoed)
    assert answer["properties"]["Days"]["formula"] == before


# -- mentions ----------------------------------------------------------------------


def kept(rig: Rig, *items: Json) -> list[Json]:
    block = {"paragraph": {"rich_text": list(items)}}
    answer = rig.ok("PATCH", f"blocks/{rig.root}/children", {"children": [block]})
    shown: list[Json] = answer["results"][0]["paragraph"]["rich_text"]
    return shown


def test_a_mention_of_a_person_carries_the_whole_user(rig: Rig) -> None:
    owner = rig.sandbox.owner_id
    [item] = kept(rig, {"mention": {"user": {"id": owner}}})
    user = rig.ok("GET", f"users/{owner}")
    del user["request_id"]
    assert item["mention"] == {"type": "user", "user": user}
    assert item["plain_text"] == f"@{user['name']}"
    assert kept(rig, item) == [item]


@pytest.mark.parametrize(
    ("given", "start"),
    [
        ({"start": "2026-07-01"}, "2026-07-01"),
        ({"start": "2026-07-01T10:20:30Z"}, "2026-07-01T10:20:00.000+00:00"),
        (
            {"start": "2026-07-01T10:20:30", "time_zone": "Europe/Berlin"},
            "2026-07-01T10:20:00.000+02:00",
        ),
    ],
    ids=["day", "time", "time of a zone"],
)
def test_a_mention_of_a_date_reads_as_a_date_cell(
    rig: Rig, given: Json, start: str
) -> None:
    _, source = rig.database({"Due": DATE})
    cell = rig.row(source, "x", Due={"date": given})["properties"]["Due"]["date"]
    [item] = kept(rig, {"mention": {"date": given}})
    assert item["mention"]["date"] == cell
    assert cell["start"] == item["plain_text"] == start


def test_a_custom_emoji_reads_as_its_name(rig: Rig) -> None:
    emoji = {
        "id": "393abc1e-edcd-8124-a32c-eb218a6acdb1",
        "name": "bufo",
        "url": "https://example.com/bufo.png",
    }
    [item] = kept(rig, {"mention": {"custom_emoji": emoji}})
    assert item["plain_text"] == ":bufo:"
    assert item["mention"]["custom_emoji"] == emoji


def test_equal_runs_side_by_side_stay_apart(rig: Rig) -> None:
    shown = kept(rig, run("one "), run("two"))
    assert [item["plain_text"] for item in shown] == ["one ", "two"]


# -- rollups -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "found"),
    [("every", ["all done"]), ("any", ["all done", "half done"]), ("none", ["alone"])],
)
def test_every_holds_for_no_row_without_related_rows(
    rig: Rig, word: str, found: list[str]
) -> None:
    _, tasks = rig.database({"Done": {"checkbox": {}}}, title="Tasks")
    link = {"relation": {"data_source_id": tasks, "single_property": {}}}
    rollup = {
        "rollup": {
            "relation_property_name": "Tasks",
            "rollup_property_name": "Done",
            "function": "show_original",
        }
    }
    _, goals = rig.database({"Tasks": link, "All": rollup})
    done = rig.row(tasks, "a", Done={"checkbox": True})["id"]
    todo = rig.row(tasks, "b", Done={"checkbox": False})["id"]
    for name, ids in (("alone", []), ("half done", [done, todo]), ("all done", [done])):
        rig.row(goals, name, Tasks={"relation": [{"id": one} for one in ids]})

    condition = {"rollup": {word: {"checkbox": {"equals": True}}}}
    asked = {"filter": {"property": "All", **condition}}
    assert sorted(titles(rig.ok("POST", f"data_sources/{goals}/query", asked))) == found


# -- blocks ------------------------------------------------------------------------


def test_an_update_may_say_that_a_block_has_no_children(rig: Rig) -> None:
    block = {"paragraph": {"rich_text": [run("old")]}}
    answer = rig.ok("PATCH", f"blocks/{rig.root}/children", {"children": [block]})
    path = f"blocks/{answer['results'][0]['id']}"
    changed = {"paragraph": {"rich_text": [run("new")], "children": []}}
    shown = rig.ok("PATCH", path, changed)
    assert shown["paragraph"]["rich_text"][0]["plain_text"] == "new"
    assert "children" not in shown["paragraph"]

    full = {"paragraph": {"rich_text": [run("new")], "children": [block]}}
    assert rig.refused("PATCH", path, full) == (400, "validation_error")


STRANGE: list[tuple[str, Json, str]] = [
    ("paragraph", {"rich_text": [], "colour": "red"}, "colour"),
    ("paragraph", {"rich_text": [], "text": []}, "text"),
    ("quote", {"rich_text": [], "icon": None}, "icon"),
    ("to_do", {"rich_text": [], "is_toggleable": True}, "is_toggleable"),
    ("heading_2", {"rich_text": [], "checked": True}, "checked"),
    ("callout", {"rich_text": [], "emoji": "⭐"}, "emoji"),
    ("code", {"rich_text": [], "lang": "python"}, "lang"),
    ("divider", {"color": "red"}, "color"),
    ("equation", {"expression": "x", "rich_text": []}, "rich_text"),
    ("bookmark", {"url": "https://example.com", "title": "x"}, "title"),
    ("image", {"external": {"url": "https://example.com/a.png"}, "alt": "x"}, "alt"),
    ("table_of_contents", {"depth": 2}, "depth"),
]


@pytest.mark.parametrize(
    ("kind", "payload", "key"), STRANGE, ids=[f"{a}.{c}" for a, _, c in STRANGE]
)
def test_a_key_that_a_block_s_type_does_not_know_is_refused(
    rig: Rig, kind: str, payload: Json, key: str
) -> None:
    path = f"/v1/blocks/{rig.root}/children"
    response = rig.send("PATCH", path, {"children": [{kind: payload}]})
    message = json.loads(response.body)["message"]
    assert response.status == 400
    assert f"body.children[0].{kind}.{key} should be not present" in message
    assert rig.ok("GET", f"blocks/{rig.root}/children")["results"] == []


def test_a_key_that_a_block_s_type_does_not_know_is_refused_in_an_update(
    rig: Rig,
) -> None:
    block = {"to_do": {"rich_text": [run("old")]}}
    answer = rig.ok("PATCH", f"blocks/{rig.root}/children", {"children": [block]})
    path = f"blocks/{answer['results'][0]['id']}"
    body = {"to_do": {"checked": True, "done": True}}
    assert rig.refused("PATCH", path, body) == (400, "validation_error")
    assert rig.ok("GET", path)["to_do"]["checked"] is False


# -- databases ---------------------------------------------------------------------


@pytest.mark.parametrize("named", [{}, {"title": []}], ids=["no title", "empty title"])
def test_a_database_made_without_a_title_is_a_new_database(
    rig: Rig, named: Json
) -> None:
    parent = {"type": "page_id", "page_id": rig.root}
    made = rig.ok("POST", "databases", {"parent": parent, **named})
    [source] = made["data_sources"]
    shown = rig.ok("GET", f"data_sources/{source['id']}")
    block = rig.ok("GET", f"blocks/{made['id']}")
    assert source["name"] == "New database"
    assert [one["title"][0]["plain_text"] for one in (made, shown)] == [
        "New database",
        "New database",
    ]
    assert block["child_database"]["title"] == "New database"


def test_the_icon_of_a_database_is_that_of_its_data_source(rig: Rig) -> None:
    fire = {"type": "emoji", "emoji": "🔥"}
    wave = {"type": "emoji", "emoji": "🌊"}
    parent = {"type": "page_id", "page_id": rig.root}
    made = rig.ok("POST", "databases", {"parent": parent, "icon": fire})
    path = f"data_sources/{made['data_sources'][0]['id']}"
    assert rig.ok("GET", path)["icon"] == made["icon"] == fire

    rig.ok("PATCH", f"databases/{made['id']}", {"icon": wave})
    assert rig.ok("GET", path)["icon"] == wave

    rig.ok("PATCH", f"databases/{made['id']}", {"icon": None})
    assert rig.ok("GET", path)["icon"] is None


# -- ids ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("12345678-1234-1234-1234-123456789abc", 400),
        ("12345678123412341234123456789abc", 400),
        ("12345678-1234-0234-8234-123456789abc", 400),
        ("12345678-1234-9234-8234-123456789abc", 400),
        ("00000000-0000-0000-0000-000000000000", 404),
        ("12345678-1234-4234-8234-123456789abc", 404),
        ("393abc1e-edcd-8124-a32c-eb218a6acdb1", 404),
    ],
)
@pytest.mark.parametrize("kind", ["pages", "blocks", "data_sources"])
def test_an_id_that_is_no_uuid_is_refused_and_another_is_not_found(
    rig: Rig, kind: str, given: str, status: int
) -> None:
    response = rig.send("GET", f"/v1/{kind}/{given}")
    message = json.loads(response.body)["message"]
    assert response.status == status, message
    assert ("should be a valid uuid" in message) == (status == 400)


# -- files -------------------------------------------------------------------------


def uploaded(rig: Rig, filename: str) -> str:
    form = (
        f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: text/plain\r\n\r\nhello\r\n--edge--\r\n"
    ).encode()
    made = rig.ok("POST", "file_uploads", {"filename": filename})
    rig.ok(
        "POST",
        f"file_uploads/{made['id']}/send",
        form,
        content_type="multipart/form-data; boundary=edge",
    )
    found: str = made["id"]
    return found


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("my_robot", "my_robot.txt"),
        ("my_robot.txt", "my_robot.txt"),
        ("MY_ROBOT.TXT", "MY_ROBOT.TXT"),
    ],
)
@pytest.mark.parametrize("place", ["cell", "block"])
def test_an_uploaded_file_keeps_its_ending_under_another_name(
    rig: Rig, place: str, name: str, shown: str
) -> None:
    file = {"file_upload": {"id": uploaded(rig, "robot.txt")}, "name": name}
    if place == "cell":
        _, source = rig.database({"Files": {"files": {}}})
        row = rig.row(source, "x", Files={"files": [file]})
        answered = row["properties"]["Files"]["files"][0]
    else:
        children = {"children": [{"file": file}]}
        answer = rig.ok("PATCH", f"blocks/{rig.root}/children", children)
        answered = answer["results"][0]["file"]
    assert answered["name"] == shown


@pytest.mark.parametrize(
    ("url", "name", "color"),
    [
        ("https://www.notion.so/icons/snowflake_blue.svg", "snowflake", "blue"),
        ("https://www.notion.so/icons/snowflake_blue.svg?mode=dark", "snowflake", None),
        ("https://www.notion.so/icons/arrow-up_lightgray.svg", "arrow-up", None),
        ("https://app.notion.com/icons/snowflake_gray.svg", "snowflake", "gray"),
    ],
)
def test_the_address_of_a_built_in_icon_is_answered_as_that_icon(
    rig: Rig, url: str, name: str, color: str | None
) -> None:
    icon = rig.page(icon={"type": "external", "external": {"url": url}})["icon"]
    assert (icon["type"], icon["icon"]["name"]) == ("icon", name)
    assert color in (None, icon["icon"]["color"])


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/icons/snowflake_blue.svg",
        "https://www.notion.so/icons/snowflake_blue.png",
        "https://www.notion.so/icons/snowflake_mauve.svg",
    ],
)
def test_any_other_address_stays_an_external_icon(rig: Rig, url: str) -> None:
    given = {"type": "external", "external": {"url": url}}
    assert rig.page(icon=given)["icon"] == given


def test_an_expired_upload_tells_no_time_of_expiry(rig: Rig) -> None:
    path = f"file_uploads/{uploaded(rig, 'robot.txt')}"
    assert rig.ok("GET", path)["expiry_time"] == "2026-07-04T10:08:00.000Z"
    rig.sandbox.control("advance", {"seconds": 3600})
    late = rig.ok("GET", path)
    assert (late["status"], late["expiry_time"]) == ("expired", None)


# -- people and search -------------------------------------------------------------


def test_people_are_listed_before_bots(rig: Rig) -> None:
    rig.sandbox.control("add_user", {"name": "Ada", "email": "ada@example.com"})
    kinds = [one["type"] for one in rig.ok("GET", "users")["results"]]
    assert kinds == ["person", "person", "bot"]


def test_a_search_finds_data_sources_in_the_trash_and_no_pages_there(rig: Rig) -> None:
    database, source = rig.database({}, title="Gone")
    page = rig.page("Gone")["id"]
    rig.ok("PATCH", f"databases/{database}", {"in_trash": True})
    rig.ok("PATCH", f"pages/{page}", {"in_trash": True})
    found = rig.ok("POST", "search", {"query": "Gone"})["results"]
    assert [(one["id"], one["in_trash"]) for one in found] == [(source, True)]


def test_a_search_answers_the_newest_of_one_minute_first(rig: Rig) -> None:
    pages = [rig.page("Same")["id"] for _ in range(3)]
    found = rig.ok("POST", "search", {"query": "Same"})["results"]
    assert [one["id"] for one in found] == pages[::-1]
