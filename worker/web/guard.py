"""What every request passes first: a known host, a body of bearable size, a form sent from our own pages.

Answers carry the headers that keep other sites and injected code out. Written as plain ASGI, so that nothing behind it
sees what it refuses; how a refusal looks is the application's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from worker.domain.messages import Text, tell
from worker.http.webhooks import LARGEST

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Refuse = Callable[[Message, int, Text], App]
"""Makes the answer with a status and a reason to who sent a request."""

MOST_BODY = 256 * 1024
"""Bytes of a body: forms and orders are small."""
EVENTS = "/hooks/"
PATIENCE = 60.0
"""Seconds in which a body must have come."""
HOLD = "held_back"
"""In the state of a request: seconds for which its answer waits, while no thread does."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
STRICT_TRANSPORT = {"strict-transport-security": "max-age=31536000"}


@dataclass(frozen=True, slots=True)
class Guard:
    """The application behind its guard. `hosts` are the names, without a port, by which it may be called."""

    app: App
    refuse: Refuse
    hosts: Collection[str]
    https: bool = False
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        send = self._with_headers(scope, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await self.refuse(scope, *refusal)(scope, receive, send)
            return
        try:
            most = most_of(scope)
            body = await asyncio.wait_for(_read_body(receive, most), PATIENCE)
        except TimeoutError:
            late = tell("the request did not come to an end")
            await self.refuse(scope, 408, late)(scope, receive, send)
            return
        if body is None:
            await self.refuse(scope, 413, too_large(most))(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Message) -> tuple[int, Text] | None:
        """Return the status and reason for which a request is refused by its head alone."""
        hosts = _headers(scope, b"host")
        if len(hosts) != 1 or not host_name(hosts[0]):
            return 400, tell("the request must name one host")
        if host_name(hosts[0]) not in self.hosts:
            return 421, tell("this is not served under that name; see console.hosts")
        lengths = _headers(scope, b"content-length")
        most = most_of(scope)
        if any(not length.isdecimal() or int(length) > most for length in lengths):
            return 413, too_large(most)
        if scope["method"] not in SAFE and not self._is_own(scope, hosts[0]):
            return 403, tell("the request was sent from another site")
        return None

    def _is_own(self, scope: Message, host: str) -> bool:
        """Tell whether a request with an effect comes from our own pages, or from no page at all.

        Browsers say where each such request comes from; only programs do not.
        """
        scheme = "https" if self.https else "http"
        origins = _headers(scope, b"origin")
        sites = _headers(scope, b"sec-fetch-site")
        return all(one == f"{scheme}://{host}" for one in origins) and all(
            one in ("same-origin", "none") for one in sites
        )

    def _with_headers(self, scope: Message, send: Send) -> Send:
        added = {**HEADERS, **(STRICT_TRANSPORT if self.https else {})}
        is_static = scope["path"].startswith("/static/")

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                held_back = scope["state"].get(HOLD, 0.0)
                if held_back:
                    await self.sleep(held_back)
                given = [
                    pair for pair in message["headers"] if pair[0].decode() not in added
                ]
                given += [
                    (name.encode(), text.encode()) for name, text in added.items()
                ]
                if not is_static and b"cache-control" not in dict(given):
                    given.append((b"cache-control", b"no-store"))
                message = {**message, "headers": given}
            await send(message)

        return sender


def too_large(most: int) -> Text:
    """Return why a body is refused that has more bytes than it may."""
    return tell("the body is larger than {number} bytes", number=most)


def most_of(scope: Message) -> int:
    """Return how large a body may be: an event of Jira holds a whole issue with its comments."""
    return LARGEST if scope["path"].startswith(EVENTS) else MOST_BODY


def host_name(host: str) -> str:
    """Return the name in a Host header, small and without its port; empty when it is none."""
    try:
        parts = urlsplit(f"//{host}")
        usable = parts.port != 0 and not any(sign.isspace() for sign in host)
    except ValueError:
        return ""
    is_bare = not (parts.path or parts.query or parts.fragment or "@" in host)
    return (parts.hostname or "") if usable and is_bare else ""


def _headers(scope: Message, name: bytes) -> list[str]:
    return [text.decode("latin-1") for key, text in scope["headers"] if key == name]


async def _read_body(receive: Receive, most: int) -> bytes | None:
    """Return the whole body; None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives the body once, then whatever comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
