"""A service that takes every request and answers none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.offices import Office


class Silence:
    """A server that takes every request and answers none, until it is closed."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked = threading.Event()
        self._held: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
                self._held.append(link)
                if link.recv(1):
                    self.asked.set()
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()
        for link in self._held:
            link.close()


@contextmanager
def silent() -> Iterator[Silence]:
    """Yield such a service on a port of its own."""
    server = Silence()
    try:
        yield server
    finally:
        server.close()


def unanswered(office: Office, silence: Silence) -> None:
    """Lead a workspace to a server that never answers, and have it wait longer than any test."""
    text = office.config.read_text().replace(
        '[workspaces.studio.notion]\nbase_url = "http://127.0.0.1:9"',
        f'[workspaces.studio.notion]\ntimeout = 3600\nbase_url = "http://127.0.0.1:{silence.port}"',
    )
    office.config.write_text(text)
