"""The published notion-client package against the emulator over a real socket, used as its documentation uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from notion_client import APIResponseError, AsyncClient, Client
from notion_client.helpers import (
    async_collect_paginated_api,
    collect_paginated_api,
    is_full_block,
    is_full_data_source,
    is_full_database,
    is_full_page,
    is_full_user,
    is_text_rich_text_item_response,
    iterate_paginated_api,
)
from notion_rig import START

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import Listener
from rayline_sandbox.wire import Clock

STAGES = [
    {"name": "idea", "color": "gray"},
    {"name": "in progress", "color": "blue"},
    {"name": "done"},
]


@pytest.fixture(scope="module")
def sandbox() -> NotionSandbox:
    return NotionSandbox(Clock(START), limit=None)


@pytest.fixture(scope="module")
def address(sandbox: NotionSandbox) -> Iterator[str]:
    listener = Listener(sandbox.handle, name="notion", host="127.0.0.1", port=0)
    listener.start()
    yield listener.url
    listener.ask_to_stop()
    listener.join()


@pytest.fixture(params=["2025-09-03", "2026-03-11"])
def notion(
    request: pytest.FixtureRequest, sandbox: NotionSandbox, address: str
) -> Iterator[Any]:
    with Client(
        auth=sandbox.token, base_url=address, notion_version=request.param
    ) as client:
        yield client


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


def projects(notion: Any, sandbox: NotionSandbox) -> tuple[str, str]:
    """Create a database through the client; return its id and its data source's."""
    made = notion.databases.create(
        parent={"type": "page_id", "page_id": sandbox.root_page_id},
        title=text("Проекты"),
        initial_data_source={
            "properties": {
                "Name": {"title": {}},
                "Stage": {"select": {"options": STAGES}},
                "Budget": {"number": {"format": "ruble"}},
                "Due": {"date": {}},
            }
        },
    )
    assert is_full_database(made)
    return made["id"], made["data_sources"][0]["id"]


def card(notion: Any, source: str, name: str, budget: int) -> Any:
    return notion.pages.create(
        parent={"type": "data_source_id", "data_source_id": source},
        properties={
            "Name": {"title": text(name)},
            "Budget": {"number": budget},
            "Stage": {"select": {"name": "idea"}},
        },
    )


def titles(pages: list[Any]) -> list[str]:
    return [page["properties"]["Name"]["title"][0]["plain_text"] for page in pages]


def test_rows_are_made_changed_and_found_by_a_filter(
    notion: Any, sandbox: NotionSandbox
) -> None:
    _, source = projects(notion, sandbox)
    pages = [card(notion, source, f"Card {number}", number) for number in range(5)]
    changed = notion.pages.update(
        page_id=pages[3]["id"], properties={"Stage": {"select": {"name": "done"}}}
    )
    assert changed["properties"]["Stage"]["select"]["name"] == "done"
    found = notion.data_sources.query(
        source,
        filter={
            "or": [
                {"property": "Stage", "select": {"equals": "done"}},
                {"property": "Budget", "number": {"less_than": 1}},
            ]
        },
        sorts=[{"property": "Budget", "direction": "descending"}],
    )
    assert titles(found["results"]) == ["Card 3", "Card 0"]
    assert all(is_full_page(page) for page in found["results"])


def test_the_pagination_helpers_see_every_row_once(
    notion: Any, sandbox: NotionSandbox
) -> None:
    _, source = projects(notion, sandbox)
    for number in range(7):
        card(notion, source, f"Card {number}", number)
    walked = list(
        iterate_paginated_api(
            notion.data_sources.query, data_source_id=source, page_size=3
        )
    )
    collected = collect_paginated_api(
        notion.data_sources.query, data_source_id=source, page_size=2
    )
    assert (
        sorted(titles(walked))
        == sorted(titles(collected))
        == [f"Card {number}" for number in range(7)]
    )


def test_the_async_client_collects_as_well(
    sandbox: NotionSandbox, address: str
) -> None:
    async def run() -> tuple[Any, Any]:
        async with AsyncClient(auth=sandbox.token, base_url=address) as client:
            return await client.users.me(), await async_collect_paginated_api(
                client.users.list, page_size=1
            )

    me, everyone = asyncio.run(run())
    assert me["id"] == sandbox.bot_id
    assert {user["type"] for user in everyone} == {"bot", "person"}
    assert all(is_full_user(user) for user in everyone)


def test_a_schema_changes_and_a_renamed_column_keeps_its_id(
    notion: Any, sandbox: NotionSandbox
) -> None:
    _, source = projects(notion, sandbox)
    before = notion.data_sources.retrieve(source)
    assert is_full_data_source(before)
    after = notion.data_sources.update(
        source,
        properties={"Budget": {"name": "Бюджет"}, "Owner": {"people": {}}, "Due": None},
    )
    assert after["properties"]["Бюджет"]["id"] == before["properties"]["Budget"]["id"]
    assert {"Owner", "Бюджет"} <= after["properties"].keys()
    assert "Due" not in after["properties"]


def test_blocks_are_appended_listed_changed_and_deleted(
    notion: Any, sandbox: NotionSandbox
) -> None:
    page = notion.pages.create(
        parent={"page_id": sandbox.root_page_id}, properties={"title": text("Body")}
    )
    made = notion.blocks.children.append(
        page["id"],
        children=[
            {"heading_2": {"rich_text": text("Plan")}},
            {
                "bulleted_list_item": {
                    "rich_text": text("first"),
                    "children": [{"paragraph": {"rich_text": text("deep")}}],
                }
            },
        ],
    )
    heading, item = made["results"]
    assert is_full_block(heading)
    assert is_text_rich_text_item_response(heading["heading_2"]["rich_text"][0])
    assert item["has_children"] is True
    changed = notion.blocks.update(heading["id"], heading_2={"rich_text": text("План")})
    assert changed["heading_2"]["rich_text"][0]["plain_text"] == "План"
    notion.blocks.delete(item["id"])
    listed = collect_paginated_api(notion.blocks.children.list, block_id=page["id"])
    assert [block["id"] for block in listed] == [heading["id"]]


def test_markdown_is_written_read_and_edited(
    notion: Any, sandbox: NotionSandbox
) -> None:
    page = notion.pages.create(
        parent={"page_id": sandbox.root_page_id},
        properties={"title": text("Digest")},
        markdown="# Plan\n\n- one\n- two",
    )
    assert (
        notion.pages.retrieve_markdown(page["id"])["markdown"] == "# Plan\n- one\n- two"
    )
    edited = notion.pages.update_markdown(
        page["id"],
        type="update_content",
        update_content={"content_updates": [{"old_str": "two", "new_str": "three"}]},
    )
    assert edited["markdown"] == "# Plan\n- one\n- three"


def test_views_are_made_listed_and_queried(notion: Any, sandbox: NotionSandbox) -> None:
    database, source = projects(notion, sandbox)
    card(notion, source, "Card", 1)
    stage = notion.data_sources.retrieve(source)["properties"]["Stage"]["id"]
    board = notion.views.create(
        database_id=database,
        data_source_id=source,
        name="Board",
        type="board",
        configuration={
            "type": "board",
            "group_by": {
                "type": "select",
                "property_id": stage,
                "sort": {"type": "manual"},
            },
        },
    )
    assert notion.views.update(board["id"], name="Доска")["name"] == "Доска"
    assert board["id"] in [
        view["id"] for view in notion.views.list(database_id=database)["results"]
    ]
    query = notion.views.queries.create(board["id"])
    results = notion.views.queries.results(board["id"], query["id"])["results"]
    assert [
        notion.pages.retrieve(row["id"])["properties"]["Name"]["title"][0]["plain_text"]
        for row in results
    ] == ["Card"]
    assert notion.views.queries.delete(board["id"], query["id"])["deleted"] is True
    notion.views.delete(board["id"])


def test_a_picture_travels_from_upload_to_the_reader(
    notion: Any, sandbox: NotionSandbox
) -> None:
    upload = notion.file_uploads.create(
        mode="single_part", filename="chart.png", content_type="image/png"
    )
    sent = notion.file_uploads.send(
        upload["id"], file=("chart.png", BytesIO(b"\x89PNG bytes"), "image/png")
    )
    assert sent["status"] == "uploaded"
    made = notion.blocks.children.append(
        sandbox.root_page_id,
        children=[
            {
                "type": "image",
                "image": {"type": "file_upload", "file_upload": {"id": upload["id"]}},
            }
        ],
    )
    answer = httpx.get(made["results"][0]["image"]["file"]["url"])
    assert (answer.status_code, answer.content) == (200, b"\x89PNG bytes")


def test_comments_are_made_and_listed(notion: Any, sandbox: NotionSandbox) -> None:
    page = notion.pages.create(
        parent={"page_id": sandbox.root_page_id}, properties={"title": text("Talk")}
    )
    comment = notion.comments.create(
        parent={"page_id": page["id"]}, rich_text=text("Согласовано")
    )
    assert comment["display_name"]["type"] == "integration"
    assert [
        one["id"] for one in notion.comments.list(block_id=page["id"])["results"]
    ] == [comment["id"]]
    notion.comments.update(comment["id"], rich_text=text("Нет"))
    notion.comments.delete(comment["id"])
    assert notion.comments.list(block_id=page["id"])["results"] == []


def test_a_trashed_page_comes_back_and_moves(
    notion: Any, sandbox: NotionSandbox
) -> None:
    page = notion.pages.create(
        parent={"page_id": sandbox.root_page_id}, properties={"title": text("Gone")}
    )
    target = notion.pages.create(
        parent={"page_id": sandbox.root_page_id}, properties={"title": text("Target")}
    )
    assert notion.pages.update(page["id"], in_trash=True)["in_trash"] is True
    assert notion.pages.update(page["id"], in_trash=False)["in_trash"] is False
    moved = notion.pages.move(page["id"], parent={"page_id": target["id"]})
    assert moved["parent"]["page_id"] == target["id"]


def test_search_finds_by_title(notion: Any, sandbox: NotionSandbox) -> None:
    name = f"Needle{notion.options.notion_version.replace('-', '')}"
    page = notion.pages.create(
        parent={"page_id": sandbox.root_page_id}, properties={"title": text(name)}
    )
    found = notion.search(query=name, filter={"property": "object", "value": "page"})[
        "results"
    ]
    assert [one["id"] for one in found] == [page["id"]]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("pages/00000000-0000-4000-8000-000000000000", 404, "object_not_found"),
        ("nowhere", 400, "invalid_request_url"),
    ],
)
def test_a_refusal_is_the_client_s_own_error(
    notion: Any, path: str, status: int, code: str
) -> None:
    with pytest.raises(APIResponseError) as caught:
        notion.request(path=path, method="GET")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.request_id


def test_a_wrong_token_is_unauthorised(address: str) -> None:
    with (
        Client(auth="ntn_wrong", base_url=address) as client,
        pytest.raises(APIResponseError) as caught,
    ):
        client.users.me()
    assert (caught.value.status, caught.value.code) == (401, "unauthorized")
