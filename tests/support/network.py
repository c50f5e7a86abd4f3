"""A network on loopback: HTTP and HTTPS servers around a handler, and proxies that make tunnels."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rayline_sandbox.wire import Request, Response, from_parts
from tests.support.certificates import Certificate
from tests.support.waiting import LONG

Answering = Callable[[Request], Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None
    ) -> None:
        self._context = context
        super().__init__(("127.0.0.1", 0), handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection on its own thread, handshake first, as some clients do not come to an end with theirs."""
        if self._context is not None:
            request = self._context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave early on purpose."""


@dataclass(slots=True)
class Server:
    """A server at work: its port, and what it was asked."""

    port: int
    asked: list[Request] = field(default_factory=list)

    def url(self, host: str = "localhost", *, scheme: str = "https") -> str:
        """Return its address under one of its names."""
        return f"{scheme}://{host}:{self.port}"


@contextmanager
def serving(
    answer: Answering,
    folder: Path | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Server]:
    """Serve a handler on a loopback port: over TLS when there is a certificate, whose key is kept in `folder`."""
    running: Server

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            asked = from_parts(self.command, self.path, headers, body)
            running.asked.append(asked)
            said = answer(asked)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_POST = do_PATCH = do_GET  # noqa: N815 - the names the library looks for

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    context = None
    if certificate is not None:
        assert folder is not None
        file = folder / "server.pem"
        file.write_text(certificate.pem + certificate.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
    with _Server(Handler, context) as server:
        running = Server(server.server_address[1])
        with _running(server):
            yield running


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(LONG)


@dataclass(slots=True)
class Proxy:
    """A proxy at work: its port, where it was asked to go, and with what credentials."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def proxying(
    ways: Mapping[str, int], *, login: str = "", refusal: int = 0
) -> Iterator[Proxy]:
    """Make tunnels from `HOST:PORT` to loopback ports, for who knows `login` (NAME:PASSWORD, empty: for anybody).

    With `refusal` every tunnel is refused by that status.
    """
    running: Proxy
    wanted = "Basic " + base64.b64encode(login.encode()).decode() if login else ""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            given = self.headers.get("proxy-authorization", "")
            running.asked.append((self.path, given))
            status = refusal or (407 if wanted and given != wanted else 0)
            if status == 0 and self.path not in ways:
                status = 502
            if status:
                self.send_response(status, http.client.responses.get(status))
                self.send_header("content-length", "0")
                self.end_headers()
                self.close_connection = True
                return
            with socket.create_connection(("127.0.0.1", ways[self.path])) as far:
                self.send_response(200, "Connection established")
                self.end_headers()
                _join(self.connection, far)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with _Server(Handler, None) as server:
        running = Proxy(server.server_address[1])
        with _running(server):
            yield running


def _join(near: socket.socket, far: socket.socket) -> None:
    """Carry bytes both ways until one side has nothing more to say."""
    back = threading.Thread(target=_carry, args=(far, near), daemon=True)
    back.start()
    _carry(near, far)
    back.join(LONG)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65_536):
            target.sendall(block)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
