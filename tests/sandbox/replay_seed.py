"""What a recording takes for granted: pages, data sources and people that were there before it began.

They are read off its answers and made in the emulator, through the API as far as the API goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replay import UUID, Cassette, Exchange, IdMap

Api = Callable[[str, str, dict[str, Any] | None], dict[str, Any]]
"""`api(method, path, body)` returns the JSON of a successful answer, else an empty object.

The method `SEND` posts a small form whose file has the `filename` and `content_type` of the body.
"""

Control = Callable[[str, dict[str, Any]], Any]
"""`control(action, payload)` lets a person act."""

CREATES = re.compile(r"/v1/(pages|databases|data_sources|comments|file_uploads|views)$")
WHOLE = {
    "page": "properties",
    "data_source": "properties",
    "user": "type",
    "file_upload": "status",
}
"""The key that tells a complete object from a reference to one."""
COLUMN = re.compile(r"\{\{notion:block_property:([^:}]+):([^:}]+):([^:}]+)\}\}")
"""A column in a formula: its id, its data source's, the workspace's."""
READ_ONLY = (
    "formula",
    "rollup",
    "unique_id",
    "button",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "verification",
)


@dataclass(frozen=True, slots=True)
class Presupposed:
    """Recorded objects by id that no request of the recording made, in order of appearance."""

    data_sources: dict[str, dict[str, Any]]
    pages: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]
    uploads: dict[str, dict[str, Any]]


def presupposed(cassette: Cassette) -> Presupposed:
    """Return the objects a recording answers with but did not make."""
    made: set[str] = set()
    found: dict[str, dict[str, dict[str, Any]]] = {
        "data_source": {},
        "page": {},
        "user": {},
        "file_upload": {},
    }
    for exchange in cassette.exchanges:
        made |= _made(exchange)
        for value in _objects(exchange.answer):
            shelf = found.get(value["object"])
            whole = WHOLE.get(value["object"], "id") in value
            if shelf is not None and value["id"] not in made and whole:
                shelf.setdefault(value["id"], value)
    return Presupposed(
        found["data_source"], found["page"], found["user"], found["file_upload"]
    )


def _made(exchange: Exchange) -> set[str]:
    if (
        exchange.method != "POST"
        or not CREATES.search(exchange.url.partition("?")[0])
        or not exchange.answer
    ):
        return set()
    return {
        exchange.answer.get("id", ""),
        *(one["id"] for one in exchange.answer.get("data_sources", ())),
    }


def _objects(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, list):
        for item in answer:
            yield from _objects(item)
    elif isinstance(answer, dict):
        if isinstance(answer.get("object"), str) and isinstance(answer.get("id"), str):
            yield answer
        for inner in answer.values():
            yield from _objects(inner)


def seed(
    cassette: Cassette, api: Api, control: Control, ids: IdMap, *, root: str
) -> None:
    """Make what the recording presupposes and teach `ids` its ids."""
    wanted = presupposed(cassette)
    _adopt_root(cassette, wanted, api, ids, root)
    for source in reversed(wanted.data_sources.values()):
        _make_source(source, api, ids, root)
    for source in wanted.data_sources.values():
        _add_references(source, api, ids, root)
    for page in reversed(wanted.pages.values()):
        for one in reversed(list(_line(page, wanted.pages))):
            _make_page(one, api, control, ids, root=root)
    for page in wanted.pages.values():
        _relate(page, api, control, ids)
    if any(_cut_short(exchange) for exchange in cassette.exchanges):
        api("POST", "/v1/file_uploads", {"filename": "older.txt"})
    for upload in reversed(wanted.uploads.values()):
        _upload(upload, api, ids)


def _cut_short(exchange: Exchange) -> bool:
    answer = exchange.answer or {}
    return answer.get("type") == "file_upload" and bool(answer.get("has_more"))


def _adopt_root(
    cassette: Cassette, wanted: Presupposed, api: Api, ids: IdMap, root: str
) -> None:
    tops = [page for page in wanted.pages.values() if page["parent"].get("workspace")]
    for page in tops[:1]:
        ids.pair(page["id"], root)
        title = {"title": {"title": _texts(page["properties"]["title"]["title"])}}
        api("PATCH", f"/v1/pages/{root}", {"properties": title, **_looks(page)})
    for exchange in cassette.exchanges:
        parent = _parent_page(exchange)
        if (
            parent
            and UUID.fullmatch(parent)
            and not ids.knows(parent)
            and parent not in wanted.pages
        ):
            ids.pair(parent, root)
            return


def _parent_page(exchange: Exchange) -> str:
    if "json" not in exchange.content_type or not exchange.body:
        return ""
    return str((json.loads(exchange.body).get("parent") or {}).get("page_id") or "")


def _looks(value: dict[str, Any]) -> dict[str, Any]:
    looks = {
        key: _file_as_external(value[key])
        for key in ("icon", "cover")
        if value.get(key)
    }
    return {
        key: look
        for key, look in looks.items()
        if look["type"] in ("emoji", "external", "icon", "custom_emoji")
    }


def _file_as_external(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("type") != "file":
        return value
    return {
        **{key: value[key] for key in ("name",) if key in value},
        "type": "external",
        "external": {"url": value["file"]["url"].partition("?")[0]},
    }


def _texts(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "type": "text",
            "text": {
                "content": item["plain_text"],
                "link": (item.get("text") or {}).get("link"),
            },
            "annotations": item["annotations"],
        }
        if item["type"] == "mention"
        else item
        for item in items
    ]


# Schemas.


def _column(config: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    kind, inner = config["type"], config[config["type"]]
    match kind:
        case "formula":
            written = COLUMN.sub(
                lambda found: f'prop("{names[found[1]]}")', inner["expression"]
            )
            inner = {"expression": written}
        case "select" | "multi_select":
            inner = {
                "options": [
                    {"name": one["name"], "color": one["color"]}
                    for one in inner["options"]
                ]
            }
        case "status":
            group = {
                option: one["name"]
                for one in inner["groups"]
                for option in one["option_ids"]
            }
            named = {"To-do", "In progress", "Complete"}
            inner = {
                "options": [
                    {"name": one["name"], "color": one["color"]}
                    | (
                        {"group": group[one["id"]]}
                        if group.get(one["id"]) in named
                        else {}
                    )
                    for one in inner["options"]
                ]
            }
    described = (
        {"description": config["description"]} if config.get("description") else {}
    )
    return {"type": kind, kind: inner, **described}


def _make_source(source: dict[str, Any], api: Api, ids: IdMap, root: str) -> None:
    names = {config["id"]: name for name, config in source["properties"].items()}
    columns = {
        name: _column(config, names)
        for name, config in source["properties"].items()
        if config["type"] not in ("relation", "rollup")
    }
    made = api(
        "POST",
        "/v1/databases",
        {
            "parent": {"type": "page_id", "page_id": root},
            "title": _texts(source["title"]),
            "is_inline": source["is_inline"],
            "initial_data_source": {"properties": columns},
        },
    )
    actual = made["data_sources"][0]["id"]
    ids.pair(source["id"], actual)
    ids.pair(source["parent"].get("database_id", ""), made["id"])
    if _looks(source):
        api("PATCH", f"/v1/data_sources/{actual}", _looks(source))
    _learn_columns(source, api, ids)


def _learn_columns(source: dict[str, Any], api: Api, ids: IdMap) -> None:
    actual = api("GET", f"/v1/data_sources/{ids.translate(source['id'])}", None)
    for name, config in source["properties"].items():
        known = actual["properties"].get(name)
        if known:
            ids.pair(config["id"], known["id"])


def _add_references(source: dict[str, Any], api: Api, ids: IdMap, root: str) -> None:
    for wanted in ("relation", "rollup"):
        present = api("GET", f"/v1/data_sources/{ids.translate(source['id'])}", None)[
            "properties"
        ]
        columns = {
            name: _reference(config, api, ids, root)
            for name, config in source["properties"].items()
            if config["type"] == wanted and name not in present
        }
        for name, column in columns.items():
            api(
                "PATCH",
                f"/v1/data_sources/{ids.translate(source['id'])}",
                {"properties": {name: column}},
            )
    _learn_columns(source, api, ids)


def _reference(
    config: dict[str, Any], api: Api, ids: IdMap, root: str
) -> dict[str, Any]:
    kind, inner = config["type"], config[config["type"]]
    if kind == "rollup":
        return {
            "rollup": {
                key: inner[key]
                for key in (
                    "relation_property_name",
                    "rollup_property_name",
                    "function",
                )
            }
        }
    if not ids.knows(inner["data_source_id"]):
        made = api(
            "POST",
            "/v1/databases",
            {
                "parent": {"type": "page_id", "page_id": root},
                "title": [],
                "initial_data_source": {"properties": {"Name": {"title": {}}}},
            },
        )
        ids.pair(inner["data_source_id"], made["data_sources"][0]["id"])
    way = inner["type"]
    mirror = (
        {"synced_property_name": inner[way]["synced_property_name"]}
        if inner.get(way)
        else {}
    )
    return {
        "relation": {
            "data_source_id": ids.translate(inner["data_source_id"]),
            "type": way,
            way: mirror,
        }
    }


# Pages.


def _line(
    page: dict[str, Any], pages: Mapping[str, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield a page and the pages it stands below."""
    above: dict[str, Any] | None = page
    while above is not None:
        yield above
        above = pages.get(above["parent"].get("page_id", ""))


def _make_page(
    page: dict[str, Any], api: Api, control: Control, ids: IdMap, *, root: str
) -> None:
    """Make a page by the hand that made it: a person's, unless the recording says that it was the connection."""
    if ids.knows(page["id"]):
        return
    parent = page["parent"]
    kind = (
        "data_source_id"
        if "data_source_id" in parent and ids.knows(parent["data_source_id"])
        else "page_id"
    )
    place = parent.get(kind, "")
    target = ids.translate(place) if ids.knows(place) else root
    values = _values(page, kind, ids)
    if _by_connection(page, "created_by"):
        made = api(
            "POST", "/v1/pages", {"parent": {kind: target}, "properties": values}
        )
    else:
        made = control("create", {kind: target, "properties": values})
    ids.pair(page["id"], made["id"])
    if _looks(page):
        api("PATCH", f"/v1/pages/{made['id']}", _looks(page))


def _values(page: dict[str, Any], kind: str, ids: IdMap) -> dict[str, Any]:
    values = {
        name: {value["type"]: _value(value, ids)}
        for name, value in page["properties"].items()
        if value["type"] not in (*READ_ONLY, "relation")
    }
    if kind == "data_source_id":
        return values
    return {
        "title": next(
            (value for value in values.values() if "title" in value), {"title": []}
        )
    }


def _value(value: dict[str, Any], ids: IdMap) -> Any:
    kind, inner = value["type"], value[value["type"]]
    match kind:
        case "title" | "rich_text":
            return _texts(inner)
        case "select" | "status":
            return inner and {"name": inner["name"]}
        case "multi_select":
            return [{"name": one["name"]} for one in inner]
        case "people":
            return [
                {"id": ids.translate(one["id"])}
                for one in inner
                if ids.knows(one["id"])
            ]
        case "files":
            return [_file_as_external(one) for one in inner]
        case _:
            return inner


def _by_connection(page: dict[str, Any], column: str) -> bool:
    return any(
        "bot" in value[column]
        for value in page["properties"].values()
        if value["type"] == column
    )


def _relate(page: dict[str, Any], api: Api, control: Control, ids: IdMap) -> None:
    related = {
        name: {
            "relation": [
                {"id": ids.translate(one["id"])}
                for one in value["relation"]
                if ids.knows(one["id"])
            ]
        }
        for name, value in page["properties"].items()
        if value["type"] == "relation" and value["relation"]
    }
    computed = {
        name: {"formula": value["formula"]}
        for name, value in page["properties"].items()
        if value["type"] == "formula"
    }
    actual = ids.translate(page["id"])
    control("edit", {"page_id": actual, "properties": related | computed})
    if _by_connection(page, "last_edited_by"):
        title = next(
            {name: {"title": _texts(value["title"])}}
            for name, value in page["properties"].items()
            if value["type"] == "title"
        )
        api("PATCH", f"/v1/pages/{actual}", {"properties": title})


# Uploads.


def _upload(value: dict[str, Any], api: Api, ids: IdMap) -> None:
    given = {"filename": value["filename"], "content_type": value["content_type"]}
    imported = {"mode": "external_url", "external_url": "https://example.com/file"}
    is_imported = "file_import_result" in value
    made = api("POST", "/v1/file_uploads", given | (imported if is_imported else {}))
    ids.pair(value["id"], made["id"])
