"""A receiver of webhooks on a real socket of loopback: what came, and what it answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import wait_for

Answer = Callable[[int], int]
"""Gives the status of the n-th delivery, the first being 1."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came; header names in lower case."""

    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON that came."""
        found: dict[str, Any] = json.loads(self.raw)
        return found


@dataclass(slots=True)
class Receiver:
    """What came so far, in the order of arrival."""

    url: str
    deliveries: list[Delivery] = field(default_factory=list)

    def events(self, key: str) -> list[dict[str, Any]]:
        """Return the bodies that name an event under `key`."""
        bodies = [one.body for one in list(self.deliveries)]
        return [body for body in bodies if key in body]

    def wait(self, count: int, key: str) -> list[dict[str, Any]]:
        """Wait until so many events came, and return all that did."""
        wait_for(lambda: len(self.events(key)) >= count, f"{count} deliveries")
        return self.events(key)


@contextmanager
def listening(answer: Answer = lambda number: 200) -> Iterator[Receiver]:
    """Yield a receiver on a free port."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            names = {name.lower(): value for name, value in self.headers.items()}
            delivery = Delivery(names, self.rfile.read(size))
            with lock:
                receiver.deliveries.append(delivery)
                status = answer(len(receiver.deliveries))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
