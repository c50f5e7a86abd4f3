"""The pages of the workspace for a browser: a pure handler from addresses to HTML, without scripts of others."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

import jinja2

from rayline_sandbox.boards.blocks import read_blocks
from rayline_sandbox.boards.cells import Cell, Draughtsman, moment_text
from rayline_sandbox.boards.drawing import (
    ROW_LIMIT,
    ROW_LIMIT_MOST,
    Choice,
    Drawing,
    draw,
)
from rayline_sandbox.boards.reader import Reader, Unreadable, link, page_title, plain
from rayline_sandbox.boards.texts import icon_of
from rayline_sandbox.boards.tree import Node, path_to, read_backlinks, read_tree
from rayline_sandbox.boards.words import LOCALES, Words, speak
from rayline_sandbox.wire import Handler, Request, Response, from_parts, json_response

HERE = Path(__file__).parent
HOST_NAME = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)")
SIGNED = re.compile(rb"\?expires=[^\"' ]*")
STATIC = {
    "boards.css": "text/css; charset=utf-8",
    "boards.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: who draws it, in what language, as of which day."""

    request: Request
    reader: Reader
    pen: Draughtsman
    today: date

    @property
    def words(self) -> Words:
        """The language of the visit."""
        return self.pen.words


class Boards:
    """The browser view: `handle` answers GET requests for pages, styles and the version of what a page shows.

    `revision` changes whenever the workspace may have changed; while it stands still nothing is drawn again.
    `api_port` is where the same host serves the API to browsers: images kept there are shown, others are links.
    """

    def __init__(
        self,
        api: Handler,
        *,
        token: str,
        root_page_id: str,
        locale: str = "en",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        revision: Callable[[], object] | None = None,
        api_port: int = 0,
    ) -> None:
        self._api = api
        self._token = token
        self._root = root_page_id
        self._locale = locale
        self._now = now
        self._revision = revision
        self._api_port = api_port
        self._versions: dict[tuple[str, str], tuple[object, str]] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.globals["link"] = link
        self._static = {name: (HERE / "static" / name).read_bytes() for name in STATIC}

    def handle(self, request: Request) -> Response:
        """Answer one request of a browser."""
        if request.method not in ("GET", "HEAD"):
            return json_response(405, {"error": "the boards are read only"})
        match request.path.strip("/").split("/"):
            case ["_static", name] if name in STATIC:
                return Response(200, _headers(STATIC[name]), self._static[name])
            case ["_version"]:
                return json_response(
                    200,
                    {"version": self._version(request)},
                    {"cache-control": "no-store"},
                )
            case _:
                return self._page(request)

    def _version(self, request: Request) -> str:
        """Return a digest of what the address in `of` shows, drawn again only after a change."""
        address = request.first("of") or "/"
        key = (address, self._language(request))
        revision = (
            (self._revision(), self._now().date()) if self._revision else object()
        )
        known = self._versions.get(key)
        if known is None or known[0] != revision:
            if len(self._versions) > 500:
                self._versions.clear()
            known = (
                revision,
                _digest(
                    self._page(from_parts("GET", address, request.headers, b"")).body
                ),
            )
            self._versions[key] = known
        return known[1]

    def _language(self, request: Request) -> str:
        asked = (request.first("lang"), _cookie(request, "lang"))
        return next(
            (name for name in asked if name in LOCALES), speak(self._locale).locale
        )

    def _api_host(self, request: Request) -> str:
        """Return host and port of the API as this visitor reaches it; empty without one."""
        name = HOST_NAME.match(request.headers.get("host", ""))
        return f"{name.group()}:{self._api_port}" if name and self._api_port else ""

    def _page(self, request: Request) -> Response:
        reader = Reader(self._api, self._token, self._api_host(request))
        words = speak(self._language(request))
        visit = Visit(request, reader, Draughtsman(reader, words), self._now().date())
        try:
            status, template, context = self._route(visit)
        except Unreadable as refusal:
            status, template, context = _refused(visit, refusal)
        return self._render(visit, status, template=template, context=context)

    def _route(self, visit: Visit) -> tuple[int, str, Json]:
        match visit.request.path.strip("/").split("/"):
            case [""]:
                return 200, "page.html", self._page_context(visit, self._root)
            case ["p", name] if page_id := _id_in(name):
                return self._opened(visit, page_id)
            case ["d", database_id] if _is_id(database_id):
                return 200, "database.html", _database_context(visit, database_id)
            case _:
                raise Unreadable(404, "object_not_found", "")

    def _opened(self, visit: Visit, record_id: str) -> tuple[int, str, Json]:
        """Return what an address of Notion's form leads to: a page, or a database, whose addresses look the same."""
        try:
            return 200, "page.html", self._page_context(visit, record_id)
        except Unreadable:
            return 200, "database.html", _database_context(visit, record_id)

    def _page_context(self, visit: Visit, page_id: str) -> Json:
        page = visit.reader.page(page_id)
        tree = read_tree(visit.reader, visit.words, self._root)
        path = path_to(visit.reader, visit.words, page)
        at_home = bool(path) and path[-1].kind == "database"
        return {
            "title": page_title(page) or visit.words["untitled"],
            "icon": icon_of(page.get("icon")),
            "page": page,
            "cover": icon_of(page.get("cover")).image,
            "cells": _page_cells(visit, page),
            "current": path[-1].id if at_home else page["id"],
            "path": path,
            "blocks": read_blocks(visit.reader, visit.pen, page["id"]),
            "tree": tree,
            "backlinks": read_backlinks(visit.reader, visit.pen, tree, page),
            "comments": _comments(visit, page["id"]),
        }

    def _render(
        self, visit: Visit, status: int, *, template: str, context: Json
    ) -> Response:
        tree = context.pop("tree", None) or self._tree(visit)
        html = self._templates.get_template(template).render(
            words=visit.words,
            tree=tree,
            here=_here(visit.request),
            files=visit.reader.origin,
            **context,
        )
        rules = _rules(context.get("drawing"))
        html = html.replace("/*rules*/", rules)
        headers = _headers(
            "text/html; charset=utf-8", _policy(rules, visit.reader.origin)
        )
        if visit.request.first("lang"):
            headers["set-cookie"] = (
                f"lang={visit.words.locale}; Path=/; SameSite=Strict; Max-Age=31536000"
            )
        return Response(status, headers, html.encode())

    def _tree(self, visit: Visit) -> Node:
        return read_tree(visit.reader, visit.words, self._root)


def _page_cells(visit: Visit, page: Json) -> list[Cell]:
    source_id = (page.get("parent") or {}).get("data_source_id")
    schema: Mapping[str, Json] = {}
    if source_id:
        try:
            schema = visit.reader.data_source(source_id).get("properties") or {}
        except Unreadable:
            schema = {}
    values: Json = page.get("properties") or {}
    names = [name for name in schema if name in values] + [
        name for name in values if name not in schema
    ]
    return [
        visit.pen.cell(name, _whole(visit, page["id"], values[name]), schema.get(name))
        for name in names
        if values[name].get("type") != "title"
    ]


def _whole(visit: Visit, page_id: str, value: Json) -> Json:
    """Return a relation with all its items: a page carries 25 of them (docs/facts/notion-api.md 2.27)."""
    if value.get("type") != "relation" or not value.get("has_more"):
        return value
    try:
        items = visit.reader.property_items(page_id, value["id"])
    except Unreadable:
        return value
    return {
        **value,
        "relation": [
            item["relation"] for item in items if item.get("type") == "relation"
        ],
    }


def _comments(visit: Visit, page_id: str) -> list[Json]:
    return [
        {
            "runs": visit.pen.runs(comment.get("rich_text")),
            "when": moment_text(comment.get("created_time"), visit.words),
            "who": visit.pen.cell(
                "", {"type": "people", "people": [comment.get("created_by") or {}]}
            ).chips[0],
        }
        for comment in visit.reader.comments(page_id)
    ]


def _database_context(visit: Visit, database_id: str) -> Json:
    database = visit.reader.database(database_id)
    views = _views(visit, database)
    wanted = _bare(visit.request.first("v"))
    view = next((view for view in views if _bare(view.get("id")) == wanted), views[0])
    sources = database.get("data_sources") or []
    source = (
        visit.reader.data_source(view.get("data_source_id") or sources[0]["id"])
        if sources
        else {"id": ""}
    )
    drawing = _draw(visit, source, view) if sources else Drawing("table")
    return {
        "title": plain(database.get("title")) or visit.words["untitled"],
        "icon": icon_of(database.get("icon")),
        "description": visit.pen.runs(database.get("description")),
        "views": views,
        "view": view,
        "drawing": drawing,
        "path": path_to(visit.reader, visit.words, database),
        "current": database["id"],
        "database": database,
        "cover": icon_of(database.get("cover")).image,
        "more": min(_limit(visit.request) * 4, ROW_LIMIT_MOST),
    }


def _bare(record_id: str | None) -> str:
    return (record_id or "").replace("-", "")


def _views(visit: Visit, database: Json) -> list[Json]:
    try:
        views = visit.reader.views(database["id"])
    except Unreadable:
        views = []
    return [view for view in views if view.get("type") != "dashboard"] or [
        {"id": "", "name": visit.words["default_view"], "type": "table"}
    ]


def _draw(visit: Visit, source: Json, view: Json) -> Drawing:
    choice = Choice(
        visit.request.first("group") or "",
        visit.request.first("month") or "",
        _limit(visit.request),
    )
    return draw(visit.reader, visit.pen, source, view, today=visit.today, choice=choice)


def _limit(request: Request) -> int:
    text = request.first("rows") or ""
    return (
        min(max(int(text), 1), ROW_LIMIT_MOST)
        if text.isascii() and text.isdigit()
        else ROW_LIMIT
    )


def _refused(visit: Visit, refusal: Unreadable) -> tuple[int, str, Json]:
    words = visit.words
    text = (
        words["not_found_text"]
        if refusal.status in (400, 404)
        else words.say("failed", status=refusal.status, message=refusal.message)
    )
    context: Json = {
        "title": words["not_found"]
        if refusal.status in (400, 404)
        else words["sandbox"],
        "text": text,
        "path": [],
        "current": "",
    }
    return (404 if refusal.status in (400, 404) else 502), "refused.html", context


def _rules(drawing: Drawing | None) -> str:
    """Return the places of ticks and bars as css: numbers only, allowed by their hash where inline styles are not."""
    if drawing is None or drawing.timeline is None:
        return ""
    line = drawing.timeline
    rules = [
        f"#t{n}{{left:{tick.left}%;width:{tick.width}%}}"
        for n, tick in enumerate(line.ticks)
    ]
    bars = [bar for band in line.bands for bar in band.bars]
    rules += [
        f"#b{n}{{left:{bar.left}%;width:{bar.width}%}}" for n, bar in enumerate(bars)
    ]
    rules.append(
        f".now{{left:{line.today}%}}.axis{{min-width:{len(line.ticks) * 84}px}}"
    )
    return "".join(rules)


def _policy(rules: str, images: str) -> str:
    """Return a content security policy that lets in our own files, these css rules and images from one origin."""
    style_hash = b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'self' 'sha256-{style_hash}'; script-src 'self'; connect-src 'self'; "
        f"img-src 'self' {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _headers(content_type: str, policy: str = "default-src 'none'") -> dict[str, str]:
    return {
        "content-type": content_type,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


def _here(request: Request) -> Json:
    return {
        name: request.first(name) or "" for name in ("v", "group", "month", "rows")
    } | {"path": request.path}


def _digest(body: bytes) -> str:
    """Return a short digest of a page; signatures of hosted files differ at each reading and do not count."""
    return hashlib.sha256(SIGNED.sub(b"", body)).hexdigest()[:16]


def _id_in(name: str) -> str:
    """Return the id an address ends with, behind a title or alone; empty without one."""
    if _is_id(name):
        return name
    last = name.rpartition("-")[2]
    return last if _is_id(last) else ""


def _is_id(text: str) -> bool:
    bare = text.replace("-", "")
    return len(bare) == 32 and all(
        letter in "0123456789abcdefABCDEF" for letter in bare
    )


def _cookie(request: Request, name: str) -> str:
    try:
        jar = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
