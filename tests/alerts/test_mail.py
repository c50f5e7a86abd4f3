"""Alerts by mail, to a server on loopback that takes SMTP."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from worker.alerts.sending import send
from worker.alerts.wording import Message
from worker.app.targets import Target


class Letters(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to leave a letter."""

    taken: list[str]

    def handle(self) -> None:
        """Take letters until the client is done."""
        self._say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self._say("354 go on")
                self.taken.append(self._read())
            self._say("221 bye" if word == "QUIT" else "250 well")

    def _read(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.decode())
        return "".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def post() -> Iterator[tuple[int, list[str]]]:
    letters: list[str] = []
    handler = type("Handler", (Letters,), {"taken": letters})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], letters
        server.shutdown()
        thread.join()


def test_a_letter_arrives_with_its_subject_and_text(
    post: tuple[int, list[str]],
) -> None:
    port, letters = post
    url = (
        f"mailto://127.0.0.1:{port}?from=rayline@studio.example&to=anna@studio.example"
    )
    reason = send(Target("mailto-1", url), Message("runs fail", "since noon\nhelp"))
    assert not reason, reason
    assert "Subject: runs fail" in letters[0]
    assert "since noon" in letters[0]
