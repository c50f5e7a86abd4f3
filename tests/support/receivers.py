"""Receivers of alerts and pings on loopback: an HTTP server that keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Receiver:
    """What was received, and how it is answered: `status`, and not before `answering` is set."""

    port: int = 0
    status: int = 200
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def target(self) -> str:
        """Return the address by which Apprise sends JSON here."""
        return f"json://127.0.0.1:{self.port}/hook-secret-9f3b"

    @property
    def url(self) -> str:
        """Return the address by which a switch is pinged here."""
        return f"http://127.0.0.1:{self.port}/ping-secret-77aa"

    @property
    def titles(self) -> list[str]:
        """Return the subjects of the messages."""
        return [str(body["title"]) for body in self.bodies]

    @property
    def texts(self) -> list[str]:
        """Return the messages."""
        return [str(body["message"]) for body in self.bodies]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Yield a receiver on a free port of loopback."""
    receiver = Receiver()
    receiver.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            receiver.paths.append(self.path)
            receiver.arrived.release()
            receiver.answering.wait()
            if body and receiver.status < 400:
                receiver.bodies.append(json.loads(body))
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = _take  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()
