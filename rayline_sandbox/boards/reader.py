"""Reads a workspace through the public Notion API alone, as any client would, so that the boards show what clients see.

One `Reader` lives for one rendered page; titles and schemas are asked for once in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from rayline_sandbox.wire import Handler, Request

VERSION = "2026-03-11"
VIEWER_HEADER = "x-sandbox-viewer"
"""Marks the boards' own reads: neither the limiter nor the log counts them."""
PAGE_SIZE = 100
OLDEST_FIRST: Json = {"timestamp": "created_time", "direction": "ascending"}

Json = dict[str, Any]


class Unreadable(Exception):
    """The API refused a read: `status`, `code` and `message` as it said them."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a query: `clipped` when more exist, `incomplete` when the API itself cut the result."""

    pages: list[Json]
    clipped: bool = False
    incomplete: bool = False
    refusal: str = ""


@dataclass(slots=True)
class Reader:
    """The reads the boards need; every method raises `Unreadable` when the API refuses.

    `host` is where a browser reaches the API: addresses of hosted files begin with it.
    """

    handler: Handler
    token: str
    host: str = ""
    _seen: dict[str, Json] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Where a browser finds hosted files; empty when nowhere."""
        return f"http://{self.host}" if self.host else ""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        body: Json | None = None,
    ) -> Json:
        """Return one decoded API answer."""
        headers = {
            "authorization": f"Bearer {self.token}",
            "notion-version": VERSION,
            VIEWER_HEADER: "1",
            "content-type": "application/json",
        } | ({"host": self.host} if self.host else {})
        payload = b"" if body is None else msgspec.json.encode(body)
        response = self.handler(Request(method, path, query, headers, payload))
        answer = _decode(response.body)
        if response.status >= 400:
            raise Unreadable(
                response.status, answer.get("code", ""), answer.get("message", "")
            )
        return answer

    def _get(self, path: str) -> Json:
        if path not in self._seen:
            self._seen[path] = self.call("GET", path)
        return self._seen[path]

    def page(self, page_id: str) -> Json:
        """Return a page."""
        return self._get(f"/v1/pages/{page_id}")

    def database(self, database_id: str) -> Json:
        """Return a database container."""
        return self._get(f"/v1/databases/{database_id}")

    def data_source(self, data_source_id: str) -> Json:
        """Return a data source with its schema."""
        return self._get(f"/v1/data_sources/{data_source_id}")

    def users(self) -> dict[str, Json]:
        """Return visible users by id; empty where the connection may not see them."""
        if "users" not in self._seen:
            try:
                self._seen["users"] = {
                    user["id"]: user for user in self._listed("/v1/users")
                }
            except Unreadable:
                self._seen["users"] = {}
        return self._seen["users"]

    def children(self, block_id: str, limit: int = 1000) -> list[Json]:
        """Return the child blocks of a page or block, at most `limit`."""
        blocks: list[Json] = []
        for block in self._listed(f"/v1/blocks/{block_id}/children"):
            blocks.append(block)
            if len(blocks) >= limit:
                break
        return blocks

    def views(self, database_id: str) -> list[Json]:
        """Return the views of a database in their order."""
        listed = self._listed("/v1/views", (("database_id", database_id),))
        return [self._get(f"/v1/views/{view['id']}") for view in listed]

    def comments(self, block_id: str) -> list[Json]:
        """Return open comments; empty where the connection may not read them."""
        try:
            return list(self._listed("/v1/comments", (("block_id", block_id),)))
        except Unreadable:
            return []

    def query(
        self,
        data_source_id: str,
        *,
        filter: Json | None = None,
        sorts: list[Json] | None = None,
        limit: int = 500,
    ) -> Rows:
        """Return up to `limit` rows of a data source, without sorts the oldest first, as Notion draws them."""
        body: Json = (
            {"page_size": PAGE_SIZE}
            | ({"filter": filter} if filter else {})
            | {"sorts": sorts or [OLDEST_FIRST]}
        )
        pages: list[Json] = []
        while True:
            answer = self.call(
                "POST", f"/v1/data_sources/{data_source_id}/query", body=body
            )
            pages += answer["results"]
            incomplete = (answer.get("request_status") or {}).get(
                "type"
            ) == "incomplete"
            if not answer.get("has_more") or len(pages) >= limit:
                clipped = bool(answer.get("has_more")) or len(pages) > limit
                return Rows(pages[:limit], clipped, incomplete and not clipped)
            body = {**body, "start_cursor": answer["next_cursor"]}

    def property_items(self, page_id: str, property_id: str) -> list[Json]:
        """Return all items of a long property value (docs/facts/notion-api.md 2.27)."""
        return list(self._listed(f"/v1/pages/{page_id}/properties/{property_id}"))

    def _listed(
        self, path: str, query: tuple[tuple[str, str], ...] = ()
    ) -> Iterator[Json]:
        start: tuple[tuple[str, str], ...] = ()
        while True:
            answer = self.call(
                "GET", path, query=(*query, *start, ("page_size", str(PAGE_SIZE)))
            )
            yield from answer.get("results", [])
            if not answer.get("has_more"):
                return
            start = (("start_cursor", answer["next_cursor"]),)


def _decode(body: bytes) -> Json:
    try:
        answer = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:
        return {"code": "unreadable", "message": body[:200].decode("utf-8", "replace")}
    return answer if isinstance(answer, dict) else {}


def plain(rich_text: list[Json] | None) -> str:
    """Return the text of rich text."""
    return "".join(
        part.get("plain_text") or (part.get("text") or {}).get("content", "")
        for part in rich_text or ()
    )


def page_title(page: Json) -> str:
    """Return a page's title, empty when it has none."""
    for value in (page.get("properties") or {}).values():
        if value.get("type") == "title":
            return plain(value.get("title"))
    return ""


def link(path: str, **query: str | None) -> str:
    """Return a local address."""
    pairs = {name: value for name, value in query.items() if value}
    return quote(path) + (f"?{urlencode(pairs)}" if pairs else "")
