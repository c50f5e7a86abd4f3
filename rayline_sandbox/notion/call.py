"""What a route is and what its handler gets: the one type every endpoint module shares."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rayline_sandbox.notion.errors import invalid, should_be
from rayline_sandbox.notion.store import Store
from rayline_sandbox.wire import Request, Response

OLD, NEW = "2025-09-03", "2026-03-11"
PAGE_SIZE = 100
INCOMPLETE = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
ENDED = {"has_more": False, "next_cursor": None, "request_status": INCOMPLETE}


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request: version known, body parsed, path parameters cut out, capability granted."""

    store: Store
    request: Request
    version: str
    actor: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def old(self) -> bool:
        """Return whether answers carry `archived` beside `in_trash` (docs/facts/notion-api.md 1.2)."""
        return self.version == OLD


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's answer when it is not simply 200."""

    status: int
    value: Any


Answer = dict[str, Any] | Reply | Response
Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: `pattern` like `/v1/pages/{page_id}`; `needs` names the capability (`Capabilities` field or empty).

    `keys` lists the body keys allowed (empty: any). `raw` leaves the body unparsed (multipart). `kind` names the
    endpoint in logs and counts; `write` tells whether it changes anything.
    """

    method: str
    pattern: str
    handler: Endpoint
    kind: str
    needs: str = "read"
    write: bool = False
    keys: frozenset[str] = frozenset()
    raw: bool = False


def read_trash(call: Call) -> bool | None:
    """Return what a request says of the trash in the words of its version; None when it says nothing."""
    body = call.body
    if "archived" in body and not call.old:
        raise should_be("body.archived", "not present", body["archived"])
    for key in ("in_trash", "archived"):
        given = body.get(key)
        if given is not None and not isinstance(given, bool):
            raise should_be(f"body.{key}", "a boolean", given)
    return body.get("in_trash", body.get("archived"))


def with_archived(call_version: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return the object with `archived` repeated from `in_trash` when the version asks for it."""
    if call_version == OLD:
        value["archived"] = value["in_trash"]
    return value


def page_size(call: Call) -> int:
    """Return the page size asked for, from body or query string; over 100 is refused."""
    asked: Any = call.body.get("page_size", call.request.first("page_size"))
    if asked is None:
        return PAGE_SIZE
    size = _whole(asked, text="page_size" not in call.body)
    if size is None:
        raise should_be("body.page_size", "a number", asked)
    if not 1 <= size <= PAGE_SIZE:
        bound = "≤ `100`" if size > PAGE_SIZE else "≥ `1`"
        raise invalid(
            f"body failed validation: body.page_size should be {bound}, instead was `{size}`."
        )
    return min(size, call.store.lag.short_pages or size)


def _whole(asked: Any, *, text: bool) -> int | None:
    """Return a whole number as JSON writes it or, with `text`, as an address does."""
    if text:
        if re.fullmatch(r"-?\d{1,9}", asked, re.ASCII):
            return int(asked)
        return None
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        return None
    if float(asked).is_integer():
        return int(asked)
    return None


def start_cursor(call: Call) -> str | None:
    """Return the cursor asked for, from body or query string."""
    cursor = call.body.get("start_cursor", call.request.first("start_cursor"))
    if cursor is not None and not isinstance(cursor, str):
        raise should_be("body.start_cursor", "a string or `undefined`", cursor)
    return call.store.repeats.get(cursor, cursor)


def listing(
    kind: str, results: Sequence[Any], cursor: str | None = None
) -> dict[str, Any]:
    """Return a list object; `kind` is its `type` and the key of the empty object beside it."""
    return {
        "object": "list",
        "results": list(results),
        "next_cursor": cursor,
        "has_more": cursor is not None,
        "type": kind,
        kind: {},
    }


def bend(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """Return a list as the faults in force shape it; a repeated page leads to itself."""
    lag = call.store.lag
    if lag.incomplete:
        rows = answer["results"]
        half = len(rows) // 2
        return answer | ENDED | {"results": rows[:half]}
    if lag.repeated:
        cursor = call.store.ids.request()
        call.store.repeats[cursor] = start_cursor(call)
        return answer | {"next_cursor": cursor, "has_more": True}
    return answer


def paginate(call: Call, ids: Sequence[str]) -> tuple[list[str], str | None]:
    """Return the ids of the page asked for and the next cursor, which is the next id (as recorded for blocks)."""
    size = page_size(call)
    cursor = start_cursor(call)
    first = 0
    if cursor is not None:
        first = position_of(ids, cursor)
    chunk = list(ids[first : first + size])
    rest = ids[first + size : first + size + 1]
    return chunk, (rest[0] if rest else None)


def position_of(ids: Sequence[str], cursor: str) -> int:
    """Return the index a cursor names, or raise the 400 for a cursor that is not valid any more."""
    try:
        return ids.index(str(uuid.UUID(cursor)))
    except ValueError:
        raise bad_cursor() from None


def bad_cursor() -> Exception:
    """Return the 400 for an unknown or expired cursor (docs/facts/notion-api.md 2.15)."""
    return invalid("The start_cursor provided is invalid.")


def encode_offset(tag: str, offset: int) -> str:
    """Return an opaque cursor for an offset."""
    return base64.urlsafe_b64encode(f"{tag}:{offset}".encode()).decode()


def decode_offset(tag: str, cursor: str) -> int:
    """Return the offset in a cursor made by `encode_offset` with the same tag."""
    try:
        found, _, offset = (
            base64.urlsafe_b64decode(cursor.encode()).decode().rpartition(":")
        )
        if found == tag:
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise bad_cursor()
