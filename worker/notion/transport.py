"""The connection to Notion, bounded: total time, size, host, and a count of what was sent."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from worker.http.body import ACCEPT_ENCODING, LIMIT, Garbled, Slow, TooLarge, read_body
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.obstacles import is_page
from worker.http.route import Route
from worker.http.tally import Tally
from worker.notion.errors import API, ForeignPage, Oversized

CONNECT_SECONDS = 10.0
CONNECTIONS = 16
DEEPEST = 100
"""Rows and blocks are nested some ten levels deep."""
DEEPER = "\udcff nested too deeply"
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class Bearer(httpx.Auth):
    """Adds the token at the last moment, so that no client option or default header ever holds it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        request.headers["authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


class Answer(httpx.Response):
    """An answer whose JSON is read as far as it can be."""

    def json(self, **_given: object) -> object:
        """Return the body as `read_json` does; raises `ForeignPage` when it is a page for people."""
        if is_page(self.headers, self.content):
            raise ForeignPage(self.status_code, self.headers, self.content)
        return read_json(self.content)


def read_json(body: bytes) -> object:
    """Return the values of a JSON text; ValueError when it is none.

    What no JSON text may hold does not spoil what stands around it: a wrong byte or half of a character becomes a
    surrogate, and what is nested deeper than anything of Notion's becomes the word `DEEPER`.
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(_cut_depth(text))


def _cut_depth(text: str) -> str:
    parts: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEEPEST:
                parts += (text[start : token.start()], json.dumps(DEEPER))
        elif token[0] in "]}":
            if depth == DEEPEST:
                start = token.end()
            depth -= 1
    return "".join([*parts, text[start:]])


class BoundedTransport(httpx.BaseTransport):
    """Sends through `inner` and reads the whole body within `seconds` (and the run's deadline) and `limit` bytes.

    Raises httpx's own errors: `ReadTimeout` when time is up, `DecodingError` for a body that is not what it says.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        seconds: float,
        deadline: Deadline,
        monotonic: Callable[[], float] = time.monotonic,
        limit: int = LIMIT,
    ) -> None:
        self._inner = inner
        self._seconds = seconds
        self._deadline = deadline
        self._monotonic = monotonic
        self._limit = limit
        self.clocks = Clocks()
        self.tally = Tally()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its answer, read to the end."""
        seconds = min(self._seconds, self._deadline.remaining())
        if seconds <= 0:
            raise httpx.PoolTimeout("no time left", request=request)
        began = self._monotonic()
        ends = began + seconds
        request.headers["accept-encoding"] = ACCEPT_ENCODING
        request.extensions["timeout"] = {
            "connect": min(CONNECT_SECONDS, seconds),
            "read": seconds,
            "write": seconds,
            "pool": seconds,
        }
        self.tally.note_sent()
        response = self._inner.handle_request(request)
        self.clocks.note(API, response.headers)
        self.tally.note_answer(response.status_code)
        try:
            answer = self._read(response, request, ends)
        finally:
            response.close()
        self.tally.note_trip(self._monotonic() - began)
        return answer

    def _read(
        self, response: httpx.Response, request: httpx.Request, ends: float
    ) -> httpx.Response:
        if not isinstance(response.stream, httpx.SyncByteStream):
            raise httpx.DecodingError("not a synchronous answer", request=request)
        try:
            body = read_body(
                response.stream,
                response.headers,
                limit=self._limit,
                expired=lambda: self._monotonic() > ends,
            )
        except Slow as error:
            raise httpx.ReadTimeout(str(error), request=request) from None
        except TooLarge as error:
            raise Oversized(str(error), request=request) from None
        except Garbled as error:
            raise httpx.DecodingError(str(error), request=request) from None
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower()
            not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        return Answer(response.status_code, headers=headers, content=body)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class CheckedTransport(httpx.BaseTransport):
    """Calls `checks` in turn right before each request leaves through `inner`; what one raises stops the request.

    On a network (`wired`) that is after a connection was found or opened, when httpcore is about to write the headers.
    Nothing can close the gap that is left, between the check's answer and the first byte: a process can be paused
    anywhere, for any time.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        checks: Sequence[Callable[[], None]],
        *,
        wired: bool,
    ) -> None:
        self._inner = inner
        self._checks = tuple(checks)
        self._wired = wired

    def _check(self) -> None:
        for check in self._checks:
            check()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Check, and send one request."""
        if not self._wired:
            self._check()
            return self._inner.handle_request(request)
        watch = _Watch(self._check, request.extensions.get("trace"))
        request.extensions["trace"] = watch
        response = self._inner.handle_request(request)
        if not watch.has_checked:
            raise RuntimeError("httpcore did not tell when the request left")
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class _Watch:
    """Follows a request through httpcore, whose steps have names, and checks before the headers leave."""

    def __init__(
        self, check: Callable[[], None], after: Callable[[str, Any], None] | None
    ) -> None:
        self._check = check
        self._after = after
        self.has_checked = False

    def __call__(self, event: str, info: Any) -> None:
        """Take note of one step."""
        if event.endswith(".send_request_headers.started"):
            self._check()
            self.has_checked = True
        if self._after is not None:
            self._after(event, info)


def open_connections(route: Route) -> httpx.HTTPTransport:
    """Return a pool of verified connections that go the given way, whatever else the environment says."""
    context = route.context(API)
    proxy = None
    if route.proxy:
        is_checked = route.proxy.startswith("https://")
        proxy = httpx.Proxy(route.proxy, ssl_context=context if is_checked else None)
    limits = httpx.Limits(
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=30.0,
    )
    return httpx.HTTPTransport(
        verify=context, trust_env=False, limits=limits, proxy=proxy, retries=0
    )
