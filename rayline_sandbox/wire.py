"""The seam of both emulators: a request value in, a response value out, a clock that can be moved.

An emulator is `handle(Request) -> Response`, pure but for its own state. Two adapters exist: `HandlerTransport`
(in-process, for httpx clients) here, and real sockets in `rayline_sandbox.server`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: header names in lower case, query pairs decoded, body raw."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def first(self, name: str, default: str | None = None) -> str | None:
        """Return the first query value called `name`."""
        return next((value for key, value in self.query if key == name), default)

    def every(self, name: str) -> tuple[str, ...]:
        """Return all query values called `name`, with or without a `[]` suffix."""
        return tuple(value for key, value in self.query if key in (name, f"{name}[]"))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; `fault` asks the adapter to misbehave: `reset`, `hang`, `truncate`, `drip` (empty: no)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""
    delay: float = 0.0


def named_wait(response: Response) -> str:
    """Return the Retry-After header of an answer, empty when there is none."""
    headers = httpx.Headers(dict(response.headers))
    wait: str = headers.get("retry-after", "")
    return wait


def json_response(
    status: int, value: Any, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response with the usual content type."""
    return Response(
        status,
        {"content-type": "application/json; charset=utf-8", **(headers or {})},
        _encode(value),
    )


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half of a surrogate pair, which real sites hold and send, escaped.
        return json.dumps(msgspec.to_builtins(value)).encode()


Handler = Callable[[Request], Response]


@dataclass(slots=True)
class Clock:
    """A clock that stands still or runs: `now()` is `start` + real time x `speed` + what was advanced.

    `speed` 0 freezes it (tests), 1 is real time (demo). `real` returns monotonic seconds.
    """

    start: datetime
    speed: float = 0.0
    real: Callable[[], float] = lambda: 0.0
    _origin: float = field(init=False, default=0.0)
    _shift: timedelta = field(init=False, default=timedelta())

    def __post_init__(self) -> None:
        self._origin = self.real()

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        passed = (self.real() - self._origin) * self.speed
        return (self.start + self._shift + timedelta(seconds=passed)).astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and return the new instant."""
        self._shift += by
        return self.now()


class HandlerTransport(httpx.BaseTransport):
    """An httpx transport that calls a handler in process; `fault` values become the httpx errors a client would see."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one httpx request through the handler."""
        response = self._handler(
            from_parts(
                request.method, str(request.url), dict(request.headers), request.read()
            )
        )
        if response.fault == "reset":
            raise httpx.RemoteProtocolError("connection reset", request=request)
        if response.fault in ("hang", "drip"):
            raise httpx.ReadTimeout("timed out", request=request)
        body = (
            response.body[: len(response.body) // 2]
            if response.fault == "truncate"
            else response.body
        )
        return httpx.Response(
            response.status,
            headers=dict(response.headers),
            content=body,
            request=request,
        )


def from_parts(
    method: str, url: str, headers: Mapping[str, str], body: bytes
) -> Request:
    """Return the `Request` for a method, an absolute or relative URL, headers and a body."""
    parts = urlsplit(url)
    return Request(
        method.upper(),
        parts.path,
        tuple(parse_qsl(parts.query, keep_blank_values=True)),
        {key.lower(): value for key, value in headers.items()},
        body,
    )
