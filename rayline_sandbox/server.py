"""Real sockets for both emulators and for the browser view, so that clients not written here can talk to them.

Each listener is one uvicorn server in its own thread around a pure `handle(Request) -> Response`; faults which a
response asks for happen here, on the connection itself, because only a real connection can be reset or starved.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rayline_sandbox.boards import Boards
from rayline_sandbox.boards.issues import IssuePages
from rayline_sandbox.control import Control, hosts_allowed
from rayline_sandbox.wire import Handler, Request, Response, from_parts

HANG_SECONDS = 300.0
"""Longest time a `hang` or a `drip` holds a connection."""
DRIP_SECONDS = 0.05
"""Pause between two bytes of a dripped body."""
BODY_LIMIT = 32 * 1024 * 1024
"""Largest request body read: above the 20 MB of a single-part upload (docs/facts/notion-api.md 3.19)."""
THREADS = 8
NOTION_GREETING = "Rayline sandbox: a Notion API. Clients call /v1/... here.\n"
JIRA_GREETING = "Rayline sandbox: a Jira API. Clients call /rest/... here.\n"

Message = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Message], Any]


class NotionEmulator(Protocol):
    """What the listeners need of the Notion emulator."""

    token: str
    root_page_id: str

    def handle(self, request: Request) -> Response:
        """Answer one API request."""

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Do one control action; ValueError when it cannot be done."""

    def now(self) -> datetime:
        """Return the present instant of the workspace."""

    def close(self) -> None:
        """Send no more events to those who subscribed."""

    def revision(self) -> int:
        """Return a number that grows with every request and control action, the boards' own reads left out."""


class JiraEmulator(Protocol):
    """What the listeners need of the Jira emulator."""

    email: str
    token: str

    def handle(self, request: Request) -> Response:
        """Answer one API request."""

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Do one control action; ValueError when it cannot be done."""

    def close(self) -> None:
        """Send no more events to those who subscribed."""


class _Connection(H11Protocol):
    """uvicorn's connection, findable by its peer so that a fault can cut it."""

    open: dict[tuple[str, int], asyncio.Transport]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # The listening socket is made by hand, so asyncio does not switch Nagle's algorithm off: 40 ms an answer.
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        if self.client is not None:
            self.config.app.open[self.client] = transport  # type: ignore[union-attr]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self.config.app.open.pop(self.client, None)  # type: ignore[union-attr]
        super().connection_lost(exc)


class HandlerApp:
    """A raw ASGI application around a handler; `greeting` answers a browser at the root."""

    def __init__(self, handler: Handler, *, name: str, greeting: str = "") -> None:
        self.open: dict[tuple[str, int], asyncio.Transport] = {}
        self._handler = handler
        self._greeting = greeting
        self._hung: dict[asyncio.Transport, asyncio.AbstractEventLoop] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"sandbox-{name}")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        body = await _read_body(receive)
        response = await self._respond(scope, body)
        if response.delay > 0:
            await asyncio.sleep(response.delay)
        match response.fault:
            case "":
                await _send_whole(response, send)
            case "drip":
                await _send_dripping(response, receive, send)
            case "truncate":
                await _send_half(response, send, self.open.get(scope["client"]))
            case "hang":
                await self._hang(receive, self.open.get(scope["client"]))
            case _:
                _abort(self.open.get(scope["client"]))
                await _wait_for_leaving(receive, 1.0)

    async def _hang(
        self, receive: Receive, transport: asyncio.Transport | None
    ) -> None:
        if transport is None:
            return
        self._hung[transport] = asyncio.get_running_loop()
        await _wait_for_leaving(receive, HANG_SECONDS)
        self._hung.pop(transport, None)
        _abort(transport)

    async def _respond(self, scope: Message, body: bytes | None) -> Response:
        if body is None:
            return _text(413, "request body too large")
        if (
            self._greeting
            and scope["path"] == "/"
            and scope["method"] in ("GET", "HEAD")
        ):
            return _text(200, self._greeting)
        request = _request(scope, body)
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self._handler, request
        )

    def release(self) -> None:
        """Cut the connections left hanging on purpose; may be called from any thread."""
        for transport, loop in list(self._hung.items()):
            loop.call_soon_threadsafe(_abort, transport)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _request(scope: Message, body: bytes) -> Request:
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
    }
    return from_parts(scope["method"], target, headers, body)


async def _read_body(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _text(status: int, text: str) -> Response:
    return Response(
        status, {"content-type": "text/plain; charset=utf-8"}, text.encode()
    )


def _start(response: Response) -> Message:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
        if name.lower() != "content-length"
    ]
    if response.status not in (204, 304):
        headers.append((b"content-length", str(len(response.body)).encode()))
    return {
        "type": "http.response.start",
        "status": response.status,
        "headers": headers,
    }


async def _send_whole(response: Response, send: Send) -> None:
    await send(_start(response))
    await send(
        {
            "type": "http.response.body",
            "body": b"" if response.status in (204, 304) else response.body,
        }
    )


async def _send_half(
    response: Response, send: Send, transport: asyncio.Transport | None
) -> None:
    await send(_start(response))
    half = response.body[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    if transport is not None:
        transport.close()
    await asyncio.sleep(0)


async def _send_dripping(response: Response, receive: Receive, send: Send) -> None:
    await send(_start(response))
    for sent in itertools.count():
        more = sent + 1 < len(response.body) and sent * DRIP_SECONDS < HANG_SECONDS
        rest = response.body[sent : sent + 1] if more else response.body[sent:]
        await send({"type": "http.response.body", "body": rest, "more_body": more})
        if not more or await _wait_for_leaving(receive, DRIP_SECONDS):
            return


async def _wait_for_leaving(receive: Receive, seconds: float) -> bool:
    """Wait until the client has gone, at most `seconds`; return whether it has."""
    try:
        message = await asyncio.wait_for(receive(), seconds)
    except TimeoutError:
        return False
    return bool(message["type"] == "http.disconnect")


def _abort(transport: asyncio.Transport | None) -> None:
    """Drop the connection with RST: a lingering time of zero makes the kernel send it."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    transport.abort()


class Listener:
    """One handler on one port, served from a thread of its own."""

    def __init__(
        self, handler: Handler, *, name: str, host: str, port: int, greeting: str = ""
    ) -> None:
        self._socket = socket.create_server(
            (host, port), family=_family(host), backlog=256
        )
        self._app = HandlerApp(handler, name=name, greeting=greeting)
        config = uvicorn.Config(
            self._app,
            http=_Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            interface="asgi3",
            access_log=False,
            log_config=None,
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            args=([self._socket],),
            name=f"sandbox-{name}",
            daemon=True,
        )
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{_literal(host)}:{self.port}"

    def start(self, seconds: float = 60.0) -> None:
        """Serve, and return when connections are accepted; RuntimeError after `seconds`."""
        self._thread.start()
        deadline = time.monotonic() + seconds
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"{self.url} did not start")
            time.sleep(0.005)

    def ask_to_stop(self) -> None:
        """Accept no more; answers under way get one second."""
        self._app.release()
        self._server.should_exit = True

    def join(self) -> None:
        """Wait until the thread has ended and the port is free."""
        self._thread.join(60.0)
        self._app.close()
        self._socket.close()


@dataclass(slots=True)
class Running:
    """Three running listeners: where they are, and the way to stop them."""

    notion: NotionEmulator
    jira: JiraEmulator
    control: bool
    listeners: tuple[Listener, Listener, Listener]
    _stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def notion_url(self) -> str:
        """Base URL for Notion clients, without `/v1`."""
        return self.listeners[0].url

    @property
    def jira_url(self) -> str:
        """Base URL for Jira clients."""
        return self.listeners[1].url

    @property
    def boards_url(self) -> str:
        """Where a browser finds the pages."""
        return self.listeners[2].url

    @property
    def control_url(self) -> str | None:
        """Base URL of the control API; None while it is off."""
        return f"{self.boards_url}/_sandbox" if self.control else None

    def describe(self) -> dict[str, Any]:
        """Return addresses and credentials, as `rayline sandbox --json` prints them."""
        return {
            "notion": {
                "base_url": self.notion_url,
                "token": self.notion.token,
                "root_page_id": self.notion.root_page_id,
            },
            "jira": {
                "base_url": self.jira_url,
                "email": self.jira.email,
                "token": self.jira.token,
            },
            "boards_url": self.boards_url,
            "control_url": self.control_url,
        }

    def stop(self) -> None:
        """Close all listeners; safe to call twice."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self.notion.close()
        self.jira.close()
        for listener in self.listeners:
            listener.ask_to_stop()
        for listener in self.listeners:
            listener.join()

    def wait(self, seconds: float | None = None) -> bool:
        """Block until stopped or for `seconds`; return whether it has stopped."""
        return self._stopped.wait(seconds)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    notion: NotionEmulator,
    jira: JiraEmulator,
    *,
    host: str = "127.0.0.1",
    ports: tuple[int, int, int] = (0, 0, 0),
    control: bool = False,
    locale: str = "en",
    allow_remote: bool = False,
    hosts: Iterable[str] = (),
) -> Running:
    """Serve Notion, Jira and the boards on three ports (0: any free one); ValueError for a `host` others can reach.

    `control` switches the control API on, at the boards' port; `allow_remote` permits a host that is not loopback;
    `hosts` are further names by which the listeners may be called: a page on the web can point a name of its own at
    this machine, and would then be answered as if it stood here.
    """
    if not (allow_remote or is_loopback(host)):
        raise ValueError(
            f"{host} can be reached by other machines: the sandbox listens on loopback unless asked"
        )
    names = {host, *hosts}
    api = Listener(
        hosts_allowed(notion.handle, names),
        name="notion",
        host=host,
        port=ports[0],
        greeting=NOTION_GREETING,
    )
    tracker = IssuePages(jira.handle, email=jira.email, token=jira.token, locale=locale)
    issues = Listener(
        hosts_allowed(tracker.around(jira.handle), names),
        name="jira",
        host=host,
        port=ports[1],
        greeting=JIRA_GREETING,
    )
    boards = Boards(
        notion.handle,
        token=notion.token,
        root_page_id=notion.root_page_id,
        locale=locale,
        now=notion.now,
        revision=notion.revision,
        api_port=api.port,
    )
    site = Control(notion.control, jira.control, enabled=control).around(boards.handle)
    pages = Listener(
        hosts_allowed(site, names), name="boards", host=host, port=ports[2]
    )
    notion.control("set_site", {"url": pages.url})
    for listener in (api, issues, pages):
        listener.start()
    return Running(notion, jira, control, (api, issues, pages))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
