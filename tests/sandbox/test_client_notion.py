"""The published clients of Notion, method by method, over a real socket at both API versions: one list of steps for both.

The npm package is looked for below `.venv/npm`, where CI puts it; without it, or without node, its tests are skipped.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clients import documented, untold
from notion_client import APIResponseError, Client
from notion_rig import START

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import Listener
from rayline_sandbox.wire import Clock
from tests.support.waiting import LONG

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / ".venv" / "npm" / "node_modules"
RUNNER = Path(__file__).with_name("notion_client_runner.cjs")
VERSIONS = ("2025-09-03", "2026-03-11")
AGENTS = "agents and sessions"
MEETINGS = "meeting notes"
OAUTH = "OAuth"


class Step(NamedTuple):
    """One call: the name of its answer, the method, its arguments, and what a part of the answer must be."""

    name: str
    method: str
    arguments: dict[str, Any]
    path: str
    value: Any


def text(content: str) -> list[dict[str, Any]]:
    return [{"text": {"content": content}}]


def paragraph(content: str) -> dict[str, Any]:
    return {"paragraph": {"rich_text": text(content)}}


STAGES = {"options": [{"name": "idea"}, {"name": "done"}]}
COLUMNS = {"Name": {"title": {}}, "Stage": {"select": STAGES}}
DONE = {"property": "Stage", "select": {"equals": "done"}}
STEPS = (
    Step("me", "users.me", {}, "type", "bot"),
    Step("people", "users.list", {}, "object", "list"),
    Step("person", "users.retrieve", {"user_id": "$me.id"}, "id", "$me.id"),
    Step(
        "page",
        "pages.create",
        {
            "parent": {"page_id": "$root"},
            "properties": {"title": text("Plan")},
            "children": [paragraph("One")],
        },
        "object",
        "page",
    ),
    Step("read", "pages.retrieve", {"page_id": "$page.id"}, "url", "$page.url"),
    Step(
        "renamed",
        "pages.update",
        {"page_id": "$page.id", "properties": {"title": text("Plan B")}},
        "properties.title.title.0.plain_text",
        "Plan B",
    ),
    Step(
        "property",
        "pages.properties.retrieve",
        {"page_id": "$page.id", "property_id": "title"},
        "results.0.title.plain_text",
        "Plan B",
    ),
    Step(
        "target",
        "pages.create",
        {"parent": {"page_id": "$root"}, "properties": {"title": text("Target")}},
        "object",
        "page",
    ),
    Step(
        "moved",
        "pages.move",
        {"page_id": "$page.id", "parent": {"type": "page_id", "page_id": "$target.id"}},
        "parent.page_id",
        "$target.id",
    ),
    Step(
        "beside",
        "blocks.children.append",
        {"block_id": "$page.id", "children": [paragraph("Aside")]},
        "object",
        "list",
    ),
    Step(
        "gone", "blocks.delete", {"block_id": "$beside.results.0.id"}, "in_trash", True
    ),
    Step(
        "appended",
        "blocks.children.append",
        {"block_id": "$page.id", "children": [paragraph("Two")]},
        "results.0.paragraph.rich_text.0.plain_text",
        "Two",
    ),
    Step(
        "block",
        "blocks.retrieve",
        {"block_id": "$appended.results.0.id"},
        "type",
        "paragraph",
    ),
    Step(
        "edited",
        "blocks.update",
        {"block_id": "$block.id", "paragraph": {"rich_text": text("Three")}},
        "paragraph.rich_text.0.plain_text",
        "Three",
    ),
    Step(
        "body",
        "blocks.children.list",
        {"block_id": "$page.id"},
        "results.1.paragraph.rich_text.0.plain_text",
        "Three",
    ),
    Step(
        "words",
        "pages.retrieve_markdown",
        {"page_id": "$page.id"},
        "markdown",
        "One\nThree",
    ),
    Step(
        "rewritten",
        "pages.update_markdown",
        {
            "page_id": "$page.id",
            "type": "update_content",
            "update_content": {
                "content_updates": [{"old_str": "Three", "new_str": "Four"}]
            },
        },
        "markdown",
        "One\nFour",
    ),
    Step(
        "database",
        "databases.create",
        {
            "parent": {"type": "page_id", "page_id": "$root"},
            "title": text("Cards"),
            "initial_data_source": {"properties": COLUMNS},
        },
        "title.0.plain_text",
        "Cards",
    ),
    Step(
        "again",
        "databases.retrieve",
        {"database_id": "$database.id"},
        "id",
        "$database.id",
    ),
    Step(
        "retitled",
        "databases.update",
        {"database_id": "$database.id", "title": text("Boards")},
        "title.0.plain_text",
        "Boards",
    ),
    Step(
        "source",
        "data_sources.retrieve",
        {"data_source_id": "$database.data_sources.0.id"},
        "properties.Stage.type",
        "select",
    ),
    Step(
        "widened",
        "data_sources.update",
        {"data_source_id": "$source.id", "properties": {"Due": {"date": {}}}},
        "properties.Due.type",
        "date",
    ),
    Step(
        "second",
        "data_sources.create",
        {
            "parent": {"type": "database_id", "database_id": "$database.id"},
            "properties": COLUMNS,
            "title": text("Archive"),
        },
        "title.0.plain_text",
        "Archive",
    ),
    Step(
        "templates",
        "data_sources.list_templates",
        {"data_source_id": "$source.id"},
        "templates",
        [],
    ),
    Step(
        "row",
        "pages.create",
        {
            "parent": {"type": "data_source_id", "data_source_id": "$source.id"},
            "properties": {
                "Name": {"title": text("Card")},
                "Stage": {"select": {"name": "done"}},
            },
        },
        "parent.data_source_id",
        "$source.id",
    ),
    Step(
        "rows",
        "data_sources.query",
        {"data_source_id": "$source.id", "filter": DONE},
        "results.0.id",
        "$row.id",
    ),
    Step(
        "view",
        "views.create",
        {
            "database_id": "$database.id",
            "data_source_id": "$source.id",
            "name": "Done",
            "type": "table",
            "filter": DONE,
        },
        "name",
        "Done",
    ),
    Step("one", "views.retrieve", {"view_id": "$view.id"}, "name", "Done"),
    Step(
        "other",
        "views.update",
        {"view_id": "$view.id", "name": "All done"},
        "name",
        "All done",
    ),
    Step(
        "views",
        "views.list",
        {"data_source_id": "$source.id"},
        "results.1.id",
        "$view.id",
    ),
    Step("asked", "views.queries.create", {"view_id": "$view.id"}, "total_count", 1),
    Step(
        "told",
        "views.queries.results",
        {"view_id": "$view.id", "query_id": "$asked.id"},
        "results.0.id",
        "$row.id",
    ),
    Step(
        "dropped",
        "views.queries.delete",
        {"view_id": "$view.id", "query_id": "$asked.id"},
        "deleted",
        True,
    ),
    Step("less", "views.delete", {"view_id": "$view.id"}, "id", "$view.id"),
    Step(
        "comment",
        "comments.create",
        {"parent": {"page_id": "$page.id"}, "rich_text": text("Agreed")},
        "rich_text.0.plain_text",
        "Agreed",
    ),
    Step(
        "remark",
        "comments.retrieve",
        {"comment_id": "$comment.id"},
        "discussion_id",
        "$comment.discussion_id",
    ),
    Step(
        "reworded",
        "comments.update",
        {"comment_id": "$comment.id", "rich_text": text("Not yet")},
        "rich_text.0.plain_text",
        "Not yet",
    ),
    Step(
        "remarks",
        "comments.list",
        {"block_id": "$page.id"},
        "results.0.id",
        "$comment.id",
    ),
    Step(
        "silence", "comments.delete", {"comment_id": "$comment.id"}, "id", "$comment.id"
    ),
    Step(
        "upload",
        "file_uploads.create",
        {"mode": "single_part", "filename": "plan.txt", "content_type": "text/plain"},
        "status",
        "pending",
    ),
    Step(
        "sent",
        "file_uploads.send",
        {"file_upload_id": "$upload.id", "file": ["plan.txt", "One", "text/plain"]},
        "status",
        "uploaded",
    ),
    Step(
        "file",
        "file_uploads.retrieve",
        {"file_upload_id": "$upload.id"},
        "filename",
        "plan.txt",
    ),
    Step("files", "file_uploads.list", {}, "results.0.id", "$upload.id"),
    Step(
        "parts",
        "file_uploads.create",
        {
            "mode": "multi_part",
            "number_of_parts": 1,
            "filename": "long.txt",
            "content_type": "text/plain",
        },
        "status",
        "pending",
    ),
    Step(
        "part",
        "file_uploads.send",
        {
            "file_upload_id": "$parts.id",
            "file": ["long.txt", "Two", "text/plain"],
            "part_number": "1",
        },
        "status",
        "pending",
    ),
    Step(
        "whole",
        "file_uploads.complete",
        {"file_upload_id": "$parts.id"},
        "status",
        "uploaded",
    ),
    Step("emojis", "custom_emojis.list", {}, "results", []),
    Step(
        "found",
        "search",
        {"query": "Plan B", "filter": {"property": "object", "value": "page"}},
        "results.0.id",
        "$page.id",
    ),
    Step(
        "no",
        "async_tasks.retrieve",
        {"task_id": "12345678-1234-4234-8234-123456789abc"},
        "error",
        "object_not_found",
    ),
)
MISSING = {
    "oauth.token": OAUTH,
    "oauth.introspect": OAUTH,
    "oauth.revoke": OAUTH,
    "blocks.meeting_notes.query": MEETINGS,
    "blocks.meeting_notes.create": MEETINGS,
    **dict.fromkeys(
        (
            *("agents.retrieve", "agents.query", "agents.retrieve_insights"),
            *("agents.update_credit_limit", "agents.update_status", "agents.delete"),
            *("agents.batch", "sessions.retrieve", "sessions.update"),
            *("sessions.stream", "sessions.cancel", "sessions.query"),
            "sessions.query_events",
        ),
        AGENTS,
    ),
}
TRIED = {step.method for step in STEPS}
PLUMBING = frozenset({"close", "request"})


def part(answers: Mapping[str, Any], path: str) -> Any:
    """Return the part of the answers a path names."""
    value: Any = answers
    for key in path.split("."):
        value = value[int(key) if key.isdigit() else key]
    return value


def filled(answers: Mapping[str, Any], value: Any) -> Any:
    """Return arguments with parts of earlier answers in the places of their names."""
    match value:
        case str() if value.startswith("$"):
            return part(answers, value[1:])
        case list():
            return [filled(answers, each) for each in value]
        case dict():
            return {key: filled(answers, each) for key, each in value.items()}
        case _:
            return value


def run_python(address: str, token: str, version: str, root: str) -> dict[str, Any]:
    """Return the answers of the steps as notion-client gives them."""
    answers: dict[str, Any] = {"root": root}
    known = set(methods_of_python())
    with Client(auth=token, base_url=address, notion_version=version) as client:
        for step in STEPS:
            if step.method not in known:
                continue
            given = filled(answers, step.arguments)
            if "file" in given:
                name, content, kind = given["file"]
                given["file"] = (name, BytesIO(content.encode()), kind)
            method: Any = attrgetter(step.method)(client)
            try:
                answers[step.name] = method(**given)
            except APIResponseError as error:
                answers[step.name] = {"error": str(error.code)}
    return answers


def methods_of_python() -> Iterator[str]:
    """Yield the methods of notion-client that make requests."""

    def walk(node: Any, path: tuple[str, ...]) -> Iterator[str]:
        for name in dir(node):
            if name.startswith("_") or (not path and name in PLUMBING):
                continue
            value = getattr(node, name)
            if inspect.ismethod(value):
                yield ".".join((*path, name))
            elif type(value).__module__.startswith("notion_client.api_endpoints"):
                yield from walk(value, (*path, name))

    return walk(Client(auth="x"), ())


def run_node(address: str, token: str, version: str, root: str) -> dict[str, Any]:
    """Return the answers of the steps as the npm package gives them, and its methods."""
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "@notionhq" / "client").is_dir():
        pytest.skip("node or @notionhq/client below .venv/npm is not there")
    steps = [filled_root(step, root) for step in STEPS]
    order = {"address": address, "token": token, "version": version, "steps": steps}
    ended = subprocess.run(
        [node, str(RUNNER)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=LONG,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    answered: dict[str, Any] = json.loads(ended.stdout)
    return {**answered["answers"], "root": root, "methods": answered["methods"]}


def filled_root(step: Step, root: str) -> dict[str, Any]:
    shown = json.loads(json.dumps(step._asdict()).replace('"$root"', f'"{root}"'))
    return {name: shown[name] for name in ("name", "method", "arguments")}


def differences(answers: Mapping[str, Any]) -> list[str]:
    """Return the steps whose answers are not what they must be."""
    wrong = []
    for step in STEPS:
        if step.name not in answers:
            continue
        try:
            given = part(answers[step.name], step.path)
        except (KeyError, IndexError, TypeError):
            wrong.append(f"{step.method}: {answers[step.name]}")
            continue
        if given != filled(answers, step.value):
            wrong.append(f"{step.method}: {given}")
    return wrong


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", name)


@pytest.fixture
def place() -> Iterator[tuple[str, str, str]]:
    sandbox = NotionSandbox(Clock(START), limit=None)
    listener = Listener(sandbox.handle, name="notion", host="127.0.0.1", port=0)
    listener.start()
    yield listener.url, sandbox.token, sandbox.root_page_id
    listener.ask_to_stop()
    listener.join()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("run", [run_python, run_node])
def test_a_client_gets_what_its_methods_promise(
    place: tuple[str, str, str], version: str, run: Any
) -> None:
    address, token, root = place
    answers = run(address, token, version, root)
    assert differences(answers) == []


def told_share(known: set[str]) -> str:
    """Return how much of a client works, after checking that each method is tried or named."""
    assert known <= TRIED | MISSING.keys()
    return f"{len(known & TRIED)} of {len(known)}"


def test_every_method_of_notion_client_is_tried_or_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    share = told_share(set(methods_of_python()))
    with capsys.disabled():
        print(f"\nnotion-client: {share} methods")  # noqa: T201
    assert documented(f"`notion-client` {share}")
    assert untold(MISSING.values()) == []


def test_every_method_of_the_npm_package_is_tried_or_named(
    place: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    address, token, root = place
    answers = run_node(address, token, VERSIONS[-1], root)
    share = told_share({snake(name) for name in answers["methods"]})
    with capsys.disabled():
        print(f"\n@notionhq/client: {share} methods")  # noqa: T201
    assert documented(f"`@notionhq/client` {share}")
