"""Notion's failures, translated once (docs/facts/notion-api.md 5.1, 5.2, 5.3, 5.4, 5.5, 5.6, 5.8).

The table that decides everything: refusals (4xx) did not happen; 429, 529 and 409 did not happen and may be repeated by
anybody; anything else (5xx, time-outs, dropped connections, unreadable answers) may have happened, and only a safe
call is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from notion_client.errors import (
    HTTPResponseError,
    InvalidPathParameterError,
    RequestTimeoutError,
)

from worker.codecs.records import Malformed, is_sayable
from worker.domain.messages import message
from worker.errors import (
    ApiError,
    Denied,
    Missing,
    Rejected,
    TooHeavy,
    Transient,
    Unknown,
)
from worker.http.obstacles import (
    Obstacle,
    Place,
    find_obstacle,
    find_stranger,
    is_page,
    is_refused,
    judge_page,
    judge_product,
)
from worker.http.retry import Setback, read_retry_after
from worker.http.secrets import redact

API = "notion"
BLOCKED = "public_api_request_blocked"
ONE_ENDPOINT = "public_api_endpoint_rate_limit"
HEAVY = (502, 504)
"""What stands before a server that does not come to an end with an answer says so."""
REFUSED = message(
    "nobody answers at this address: the service is being started, or the address or its port is wrong"
)
TIMED_OUT = message("it did not answer in time")
NO_CONNECTION = message("no connection came about in time")
_OTHER_VERSION = (
    message("{service} does not know the version of its API that is asked for"),
    message("correct {side}.version, or leave it out"),
)
_VERSION = re.compile(r"missing_version|notion-version", re.IGNORECASE)
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_PROPERTY = re.compile(
    r"body\.properties\.([^.\s]+)|^(.+?) is not a property that exists|^(.+?) is expected to be"
)


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: `name` is method and path; `safe` calls may be repeated whatever happened."""

    name: str
    safe: bool
    place: Place
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer taken apart; `more` is `additional_data`, `code` empty when it is not in Notion's own form."""

    status: int
    code: str
    message: str
    request_id: str
    more: Mapping[str, Any]
    retry_after: float | None

    @property
    def blocked(self) -> bool:
        """Tell whether Notion shut this connection out, where waiting does not help."""
        return self.more.get("rate_limit_reason") == BLOCKED

    @property
    def concerns_everybody(self) -> bool:
        """Tell whether all requests must wait, not just this endpoint's (docs/facts/notion-api.md 2.3, 2.4)."""
        return self.status in (429, 529) and self.more.get("rate_limit_reason") not in (
            BLOCKED,
            ONE_ENDPOINT,
        )


class Oversized(httpx.DecodingError):
    """The answer is larger than accepted."""


class ForeignPage(ValueError):
    """A page for people stands where JSON was asked for; `headers` and `body` of that answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__("a page for people")
        self.status = status
        self.headers = headers
        self.body = body


def read_refusal(error: HTTPResponseError) -> Refusal:
    """Return an error answer's parts; the client drops `additional_data` of codes it does not know, so read again.

    Source: docs/facts/notion-api.md 1.11.
    """
    try:
        body = msgspec.json.decode(error.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    more = body.get("additional_data")
    more = more if isinstance(more, dict) else {}
    return Refusal(
        error.status,
        str(body.get("code", "")),
        str(body.get("message", "")),
        str(body.get("request_id") or error.headers.get("x-notion-request-id", "")),
        more,
        read_retry_after(error.headers, more.get("retry_after")),
    )


def translate(error: Exception, call: Call) -> Setback:
    """Return what a failed attempt means."""
    obstacle = _obstacle(error, call)
    if obstacle is not None:
        status = getattr(error, "status", None)
        return Setback(call.place.fails(call.name, obstacle, status=status))
    match error:
        case HTTPResponseError():
            return judge(read_refusal(error), call)
        case (
            InvalidPathParameterError()
            | httpx.UnsupportedProtocol()
            | httpx.InvalidURL()
        ):
            return Setback(Rejected(API, call.name, "not a usable address"))
        case RequestTimeoutError():
            sent = not isinstance(error.__context__, NOT_SENT)
            return (
                _unclear(call, TIMED_OUT, kind=TooHeavy)
                if sent
                else _not_sent(call, NO_CONNECTION)
            )
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return _not_sent(
                call, REFUSED if is_refused(error) else type(error).__name__
            )
        case httpx.ProxyError():
            return _not_sent(call, f"{type(error).__name__}: {error}")
        case Oversized():
            return _unclear(call, f"DecodingError: {error}", kind=TooHeavy)
        case httpx.HTTPError():
            return _unclear(call, f"{type(error).__name__}: {error}")
        case _:
            return _unclear(call, "the answer is not JSON")


def _obstacle(error: Exception, call: Call) -> Obstacle | None:
    """Return what stands before Notion, if waiting does not mend it and the request was certainly not carried out."""
    match error:
        case ForeignPage():
            # A page that came after the change was made would look like this too.
            if not call.safe:
                return None
            return find_stranger(error.status, error.headers, error.body, call.place)
        case HTTPResponseError():
            return _strange_refusal(error, call)
        case _:
            return find_obstacle(error, call.place)


def _strange_refusal(error: HTTPResponseError, call: Call) -> Obstacle | None:
    """Return who else than Notion refused, or that it does not know the version of what was asked."""
    body = error.body.encode("utf-8", "replace")
    stranger = find_stranger(error.status, error.headers, body, call.place)
    if stranger is not None or error.status >= 500:
        return stranger
    if is_page(error.headers, body):
        return judge_page(error.body, call.place)
    refusal = read_refusal(error)
    if error.status == 400 and _VERSION.search(f"{refusal.code} {refusal.message}"):
        return call.place.tell(*_OTHER_VERSION)
    if error.status == 404 and not refusal.code:
        return judge_product(call.place)
    return None


def misread(fault: Malformed, raw: object, call: Call) -> Setback:
    """Return what an answer means that is not what was asked for: it may have happened, and may name what was made."""
    detail = redact(f"the answer cannot be read: {fault}", call.secrets)
    if call.safe:
        return Setback(Transient(API, call.name, detail), again=True)
    named = raw.get("id") if isinstance(raw, dict) else None
    made = named if isinstance(named, str) and is_sayable(named) else ""
    return Setback(Unknown(API, call.name, detail, committed_id=made))


def judge(refusal: Refusal, call: Call) -> Setback:
    """Return what an error answer means."""
    status = refusal.status
    if refusal.blocked or status in (401, 403):
        return Setback(_error(Denied, refusal, call))
    if status in (429, 529):
        return Setback(_transient(refusal, call), again=True, wait=refusal.retry_after)
    if status == 409 and refusal.code != "row_limit_exceeded":
        return Setback(_transient(refusal, call), again=True)
    if status in (404, 410):
        return Setback(_error(Missing, refusal, call))
    if status >= 500 or status == 408:
        return _failed(refusal, call)
    return Setback(
        Rejected(
            API,
            call.name,
            _detail(refusal, call),
            status=status,
            request_id=refusal.request_id,
            field=_property(refusal.message),
        )
    )


def _failed(refusal: Refusal, call: Call) -> Setback:
    if call.safe:
        return Setback(_transient(refusal, call), again=True, wait=refusal.retry_after)
    committed = refusal.more.get("committed_resource_id")
    return Setback(
        Unknown(
            API,
            call.name,
            _detail(refusal, call),
            status=refusal.status,
            request_id=refusal.request_id,
            committed_id=str(committed or ""),
        )
    )


def _not_sent(call: Call, detail: str) -> Setback:
    return Setback(Transient(API, call.name, redact(detail, call.secrets)), again=True)


def _unclear(call: Call, detail: str, *, kind: type[Transient] = Transient) -> Setback:
    detail = redact(detail, call.secrets)
    if call.safe:
        return Setback(kind(API, call.name, detail), again=True)
    return Setback(Unknown(API, call.name, detail))


def _transient(refusal: Refusal, call: Call) -> Transient:
    kind = TooHeavy if refusal.status in HEAVY else Transient
    return kind(
        API,
        call.name,
        _detail(refusal, call),
        status=refusal.status,
        request_id=refusal.request_id,
        retry_after=refusal.retry_after,
    )


def _error(kind: type[ApiError], refusal: Refusal, call: Call) -> ApiError:
    return kind(
        API,
        call.name,
        _detail(refusal, call),
        status=refusal.status,
        request_id=refusal.request_id,
    )


def _detail(refusal: Refusal, call: Call) -> str:
    return redact(
        f"{refusal.code} {refusal.message}".strip() or f"HTTP {refusal.status}",
        call.secrets,
    )


def _property(message: str) -> str:
    found = _PROPERTY.search(message)
    return next((group for group in found.groups() if group), "") if found else ""
