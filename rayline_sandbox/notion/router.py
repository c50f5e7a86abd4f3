"""From a raw request to a handler and back: token, version, route, body, capability, in Notion's order of refusal."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rayline_sandbox import routing
from rayline_sandbox.notion import (
    blocks,
    comments,
    data_sources,
    databases,
    files,
    markdown,
    pages,
    query,
    search,
    users,
    views,
)
from rayline_sandbox.notion.call import NEW, OLD, Call, Reply, Route, bend
from rayline_sandbox.notion.errors import (
    NotionError,
    bad_url,
    invalid,
    restricted,
    should_be,
)
from rayline_sandbox.notion.store import Store
from rayline_sandbox.routing import Routes
from rayline_sandbox.wire import Request, Response, json_response

MODULES = (
    users,
    search,
    pages,
    databases,
    data_sources,
    query,
    blocks,
    markdown,
    views,
    files,
    comments,
)
ROUTES: tuple[Route, ...] = tuple(
    route for module in MODULES for route in module.ROUTES
)
Match = routing.Match[Route]
_TABLE = Routes((route.method, route.pattern, route) for route in ROUTES)
UUIDS = frozenset(
    {
        "page_id",
        "block_id",
        "database_id",
        "data_source_id",
        "user_id",
        "view_id",
        "comment_id",
        "file_upload_id",
    }
)
UUID = re.compile(
    "[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}|0{32}|f{32}", re.IGNORECASE
)
"""A UUID of a known version and variant, or the nil or the greatest one, without its dashes (recorded)."""
PAYLOAD_BYTES = 500 * 1024
DEPTH = 100


def find_route(request: Request) -> Match | None:
    """Return the route of a request, or None."""
    return _TABLE.find(request.method, request.path)


def check_ids(match: Match) -> None:
    """Refuse path parameters that should be UUIDs and are not."""
    for name, value in match.params.items():
        if name in UUIDS and not UUID.fullmatch(value.replace("-", "")):
            raise invalid(
                f'path failed validation: path.{name} should be a valid uuid, instead was `"{value}"`.'
            )


def check_token(request: Request, token: str) -> None:
    """Refuse any token but the connection's."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or given.strip() != token:
        raise NotionError(401, "unauthorized", "API token is invalid.")


def check_version(request: Request) -> str:
    """Return the API version, or raise the 400 for a missing or unsupported one."""
    version = request.headers.get("notion-version", "")
    if not version:
        raise NotionError(
            400,
            "missing_version",
            "Notion-Version header should be defined, instead was `undefined`.",
        )
    if version not in (OLD, NEW):
        raise invalid(
            f'Notion-Version header should be `"{OLD}"` or `"{NEW}"`, instead was `"{version}"`.'
        )
    return version


def parse_body(request: Request, route: Route) -> dict[str, Any]:
    """Return the JSON body of a request, checked for size, form and keys."""
    if route.raw or request.method in ("GET", "DELETE") or not request.body:
        return {}
    if len(request.body) > PAYLOAD_BYTES:
        raise invalid(
            f"body failed validation: body's size should be ≤ `{PAYLOAD_BYTES}` bytes, "
            f"instead was `{len(request.body)}`."
        )
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError):
        raise NotionError(400, "invalid_json", "Error parsing JSON body.") from None
    if too_deep(request.body, body):
        raise NotionError(400, "invalid_json", "Error parsing JSON body.")
    if not isinstance(body, dict):
        raise should_be("body", "an object", body)
    unknown = next((key for key in body if route.keys and key not in route.keys), None)
    if unknown is not None:
        raise should_be(f"body.{unknown}", "not present", body[unknown])
    return body


def too_deep(text: bytes, body: Any) -> bool:
    """Return whether a JSON value is nested deeper than any request can mean (the handlers walk it recursively)."""
    level = [body] if text.count(b"[") + text.count(b"{") > DEPTH else []
    for _ in range(DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


def answer(store: Store, request: Request, match: Match | None) -> Response:
    """Return the answer to an authorised request; refusals are raised."""
    version = check_version(request)
    if match is None:
        raise bad_url()
    check_ids(match)
    body = parse_body(request, match.endpoint)
    if match.endpoint.needs and not allowed(store, match.endpoint.needs):
        # Before anything is looked for (docs/facts/notion-api.md 3.22).
        raise restricted()
    call = Call(store, request, version, store.bot_id, match.params, body)
    value = match.endpoint.handler(call)
    if isinstance(value, Response):
        return value
    if isinstance(value, dict) and value.get("object") == "list":
        value = value if match.endpoint.write else bend(call, value)
    request_id = store.ids.request()
    status, value = (
        (value.status, value.value) if isinstance(value, Reply) else (200, value)
    )
    return json_response(
        status, value | {"request_id": request_id}, {"x-notion-request-id": request_id}
    )


def allowed(store: Store, capability: str) -> bool:
    """Return whether the connection has a capability."""
    granted = getattr(store.capabilities, capability)
    return bool(granted != "none" if capability == "users" else granted)


def refusal(store: Store, error: NotionError) -> Response:
    """Return an error as a response."""
    request_id = store.ids.request()
    return json_response(
        error.status,
        error.envelope(request_id),
        {"x-notion-request-id": request_id, **error.headers},
    )


def about(match: Match | None, response: Response) -> str:
    """Return the id of the record a request was about: from the path, else from the answer."""
    if match and match.params:
        return next(iter(match.params.values()))
    found = re.search(rb'"id":"([0-9a-f-]{36})"', response.body[:200])
    return found.group(1).decode() if found else ""
