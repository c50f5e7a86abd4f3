"""A worker's process in a simulated world: it can be reached at any step, to die there, to be paused, or to be worked beside.

A process that is dead does nothing more: no request leaves it, no transaction begins. Whether its lease is seen to be a
dead one's depends on where it ran.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as altered  # noqa: TID251 - a context is no struct
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import httpx
import requests
from sqlalchemy import event

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, Handler, HandlerTransport, Request, Response
from tests.soak.ground import NAME
from tests.support.crashes import Crash
from worker.cycle.context import Context
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.page_sizes import PageSizes
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.notion.gateway import NotionGateway
from worker.state.budgets import ConnectionBudget
from worker.state.processes import name_owner
from worker.state.store import Store, Tx

LATENCY = timedelta(seconds=0.2)
"""How long a request takes."""
TIMEOUT = 65.0
"""Seconds after which an answer that does not come is given up."""


class Place(StrEnum):
    """Where a process can be reached."""

    TURN = "turn"  # before a request waits for its turn
    WIRE = "wire"  # as a request leaves, after the last check
    ANSWER = "answer"  # when the server has done it, before the process knows
    BEGIN = "begin"  # before a transaction of the state
    COMMIT = "commit"  # after one


@dataclass(slots=True)
class Stroke:
    """Something that befalls a process when it comes to a place for the `nth` time; with `writes`, to a writing one."""

    place: Place
    nth: int
    act: Callable[[], None]
    writes: bool = False


@dataclass(slots=True)
class Life:
    """How far a process has come, and what is still to befall it."""

    strokes: list[Stroke] = field(default_factory=list)
    counts: Counter[tuple[Place, bool]] = field(default_factory=Counter)
    is_dead: bool = False
    place: Place = Place.BEGIN
    is_in_gap: bool = False
    """Whether it was paused after it asked the state for the last time: what leaves now nothing can hold back."""

    def begin(self, strokes: Sequence[Stroke]) -> None:
        """Begin a run, which these strokes are to befall."""
        self.strokes = list(strokes)
        self.counts.clear()
        self.is_in_gap = False

    def reach(self, place: Place, *, write: bool = False) -> None:
        """Come to a place; raises `Crash` when the process is dead, or dies here."""
        if self.is_dead:
            raise Crash
        self.place = place
        self.counts[place, False] += 1
        if write:
            self.counts[place, True] += 1
        for stroke in self._due(place, write=write):
            self.strokes.remove(stroke)
            stroke.act()

    def _due(self, place: Place, *, write: bool) -> list[Stroke]:
        return [
            stroke
            for stroke in self.strokes
            if stroke.place is place
            and (write or not stroke.writes)
            and self.counts[place, stroke.writes] == stroke.nth
        ]

    def end(self) -> None:
        """Die."""
        self.is_dead = True
        raise Crash


class ReachedStore(Store):
    """The state as a process of a simulated world uses it: on the world's clock, and reached at each transaction."""

    def __init__(self, url: str, clock: Clock, life: Life) -> None:
        self._clock = clock
        self._life = life
        super().__init__(url)
        event.listen(self.engine, "connect", _hurry)
        self.engine.dispose()

    def now(self) -> datetime:
        """Return the world's instant."""
        return self._clock.now()

    @contextmanager
    def reading(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction that only reads."""
        self._life.is_in_gap = False
        with super().reading(workspace) as tx:
            yield tx

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction; the process may die before it begins and after it ended."""
        self._life.reach(Place.BEGIN)
        with super().transaction(workspace) as tx:
            yield tx
        self._life.reach(Place.COMMIT)


def _hurry(connection: Any, _record: object) -> None:
    """Wait for no disk: what a power cut would lose is not simulated."""
    connection.execute("PRAGMA synchronous=OFF")


class ReachedBudget(ConnectionBudget):
    """A budget whose user is reached before each request waits for its turn."""

    life: Life

    def paused(self, part: str = "") -> float:
        """Return how long a part is not to be asked."""
        self.life.reach(Place.TURN)
        return super().paused(part)


Serve = Callable[[Request], Response]


class ReachedTransport(httpx.BaseTransport):
    """The way to Notion in process: each request takes its time, and may be the last."""

    def __init__(self, serve: Handler, clock: Clock, life: Life) -> None:
        self._inner = HandlerTransport(serve)
        self._clock = clock
        self._life = life

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        write = is_write(request.method, request.url.path)
        self._life.reach(Place.WIRE, write=write)
        self._clock.advance(LATENCY)
        try:
            response = self._inner.handle_request(request)
        except httpx.ReadTimeout:
            self._clock.advance(timedelta(seconds=TIMEOUT))
            self._life.reach(Place.ANSWER, write=write)
            raise
        self._life.reach(Place.ANSWER, write=write)
        return response


class ReachedAdapter(HandlerAdapter):
    """The way to Jira in process."""

    def __init__(self, serve: Handler, clock: Clock, life: Life) -> None:
        super().__init__(serve)
        self._clock = clock
        self._life = life

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Answer one request."""
        self._life.reach(Place.WIRE)
        self._clock.advance(LATENCY)
        try:
            response = super().send(request, stream, timeout, verify, cert, proxies)
        except requests.ReadTimeout:
            self._clock.advance(timedelta(seconds=TIMEOUT))
            raise
        self._life.reach(Place.ANSWER)
        return response


def is_write(method: str, path: str) -> bool:
    """Tell whether a request to Notion changes something."""
    if method == "GET":
        return False
    return not (method == "POST" and path.endswith(("/query", "/search")))


@dataclass(slots=True)
class Process:
    """A worker's process: its name, its life, and what its cycles work with."""

    name: str
    life: Life
    store: ReachedStore
    context: Context

    def close(self) -> None:
        """Close its connections to the state."""
        self.store.close()


@dataclass(frozen=True, slots=True)
class Wires:
    """The ways to both services, for one process by its name."""

    notion: Callable[[str, Request], Response]
    jira: Callable[[str, Request], Response]


_MAPPING = load_jira_mapping()


def start(name: str, url: str, clock: Clock, base: Context, wires: Wires) -> Process:
    """Start a process on a state."""
    life = Life()
    store = ReachedStore(url, clock, life)
    settings = base.settings
    stop = threading.Event()
    clocks = Clocks(clock.now)

    def monotonic() -> float:
        return clock.now().timestamp()

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    deadline = Deadline(monotonic=monotonic)
    sizes = PageSizes()
    budgets = []
    for secret, limit, window in (
        (settings.notion.token, settings.notion.requests, settings.notion.window),
        (settings.jira.token, 1, 60.0),
    ):
        budget = ReachedBudget(
            store, secret.get_secret_value(), name, limit=limit, window=window
        )
        budget.life = life
        budgets.append(budget)
    notion = NotionGateway(
        settings.notion,
        transport=ReachedTransport(
            lambda request: wires.notion(name, request), clock, life
        ),
        sleep=sleep,
        monotonic=monotonic,
        deadline=deadline,
    )
    jira = JiraGateway(
        settings.jira,
        mapping=_MAPPING,
        adapter=ReachedAdapter(lambda request: wires.jira(name, request), clock, life),
        sleep=sleep,
        monotonic=monotonic,
        deadline=deadline,
        sizes=sizes,
    )
    context = altered(
        base,
        store=store,
        now=clock.now,
        notion=notion.overseen(budgets[0], clocks).sized(sizes),
        sizes=sizes,
        jira=jira.overseen(budgets[1], clocks),
        owner=f"{name}:1:elsewhere.1",
        begin=lambda: deadline.restart(settings.schedule.run_limit),
        clocks=clocks,
        stop=stop,
        pause=sleep,
    )
    return Process(name, life, store, context)


def bury(store: Store, owner: str) -> None:
    """Have a process that held a lease be known as dead: it ran on this machine, whose processes can be looked up."""
    host, pid, mark = name_owner().rsplit(":", 2)
    space, _, _ = mark.partition(".")
    gone = f"{host}:{pid}:{space}.1"
    with Store.transaction(store, NAME) as tx:
        tx.connection.exec_driver_sql(
            "UPDATE leases SET owner = ? WHERE owner = ?", (gone, owner)
        )
