"""A console on a real socket over a small agency, with a daemon beside it where a test wants its requests answered."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from tests.support.stages import Play
from tests.support.waiting import LONG
from worker.config import ConsolePerson, ConsoleSettings
from worker.daemon.service import WorkspaceRunner, open_runner
from worker.web.access import Access, Attempts
from worker.web.desk import Desk
from worker.web.server import serve_console

TOKENS = {"anna": "operator-token-of-anna-1", "vera": "viewer-token-of-vera-123"}
PEOPLE = {
    "anna": ConsolePerson(role="operator", token=SecretStr(TOKENS["anna"])),
    "vera": ConsolePerson(role="viewer", token=SecretStr(TOKENS["vera"])),
}
FORM_KEY = re.compile(r'name="form_key" value="([0-9a-f]{64})"')


@dataclass(slots=True)
class Console:
    """A served console: its address, and clients that call it."""

    address: str
    desk: Desk
    play: Play
    opened: list[httpx.Client] = field(default_factory=list)

    def client(self, **options: object) -> httpx.Client:
        """Return a client that nobody signed in."""
        plain = self.address.replace("https:", "http:")
        client = httpx.Client(base_url=plain, timeout=LONG, **options)  # type: ignore[arg-type]
        self.opened.append(client)
        return client

    def signed_in(self, name: str = "anna") -> httpx.Client:
        """Return a client that somebody signed in by token."""
        client = self.client()
        answer = client.post("/sign-in", data={"token": TOKENS[name]})
        assert answer.status_code == 303, answer.text
        return client

    def program(self, name: str = "anna") -> httpx.Client:
        """Return a client that shows somebody's token."""
        return self.client(headers={"authorization": f"Bearer {TOKENS[name]}"})

    def form_key(self, client: httpx.Client, path: str = "/w/studio") -> str:
        """Return what the forms of a page carry."""
        match = FORM_KEY.search(client.get(path).text)
        assert match is not None
        return match[1]


@contextmanager
def served(
    play: Play,
    settings: ConsoleSettings | None = None,
    attempts: Attempts | None = None,
) -> Iterator[Console]:
    """Yield a console on a free port of loopback; wrong tokens lock nobody out unless `attempts` say so."""
    given = settings or ConsoleSettings(people=PEOPLE)
    desk = Desk(
        lambda: {"studio": play.stage.context},
        given,
        Access(given.people),
        attempts=attempts or Attempts(of_one=1_000, of_all=1_000),
    )
    with serve_console(desk, "127.0.0.1:0") as address:
        console = Console(address, desk, play)
        yield console
        for client in console.opened:
            client.close()


@contextmanager
def answering(play: Play) -> Iterator[WorkspaceRunner]:
    """Answer a workspace's requests from a thread of its own, as the daemon does."""
    runner = open_runner(play.stage.context)
    stop = threading.Event()

    def answer() -> None:
        while not stop.is_set():
            runner.answer_triggers()
            time.sleep(0.05)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield runner
    finally:
        stop.set()
        thread.join()
