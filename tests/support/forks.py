"""Small worlds in process that can be forked: a workspace of few boards, its Jira and its state, on a clock of their own.

All waiting, time-outs too, is done on the virtual clock; the servers' clocks, the lease, the budget and the deadline go
by it. A scene is made once and copied for each trial.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as renewed  # noqa: TID251 - a context is no struct
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import requests
from msgspec.structs import replace as renew
from sqlalchemy import event

from rayline_demo.agency.populate import Scribe
from rayline_demo.rig import SEED, Rig, copy_notion, workspace_settings
from rayline_demo.stage import LONG_AGO
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, Handler, HandlerTransport
from tests.support.stages import NOW, small_agency, type_rows
from worker.app.build import Surroundings, build_context
from worker.cycle.context import Context
from worker.domain.values import Value
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.page_sizes import PageSizes
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.mapping.schema import Schema
from worker.notion.gateway import NotionGateway
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry
from worker.state.budgets import ConnectionBudget
from worker.state.store import Store

BOARDS = frozenset(
    {"clients", "people", "units", "projects", "risks", "tasks", "meetings", "services"}
)
"""The boards of the small world: people's rows, the worker's, sections with pictures; what plans money is not there."""
WINDOW = 60.0
BUDGET = 10_000


class VirtualStore(Store):
    """A state whose clock is the world's, in no hurry to reach the disk."""

    clock: Clock

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()


def open_virtual(path: Path, clock: Clock) -> VirtualStore:
    """Return the state in a file, which need not outlive a power cut."""
    store = VirtualStore(f"sqlite:///{path}")
    store.clock = clock

    def hurry(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(store.engine, "connect", hurry)
    store.engine.dispose()
    return store


class PatientTransport(httpx.BaseTransport):
    """Answers through a handler; a time-out takes its time on the virtual clock, `watch` sees what leaves, and another
    `answer` may be given."""

    def __init__(self, notion: NotionSandbox, *, clock: Clock, seconds: float) -> None:
        self.answer: Handler = notion.handle
        self._inner = HandlerTransport(lambda request: self.answer(request))
        self._clock = clock
        self._seconds = seconds
        self.watch: Callable[[httpx.Request], None] = _see_nothing

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.watch(request)
        try:
            return self._inner.handle_request(request)
        except httpx.ReadTimeout:
            self._clock.advance(timedelta(seconds=self._seconds))
            raise


class PatientAdapter(HandlerAdapter):
    """The same for Jira."""

    def __init__(self, jira: JiraSandbox, *, clock: Clock, seconds: float) -> None:
        self.answer: Handler = jira.handle
        super().__init__(lambda request: self.answer(request))
        self._clock = clock
        self._seconds = seconds

    def send(
        self, request: requests.PreparedRequest, *given: Any, **named: Any
    ) -> requests.Response:
        """Answer one request."""
        try:
            return super().send(request, *given, **named)
        except requests.ReadTimeout:
            self._clock.advance(timedelta(seconds=self._seconds))
            raise


def _see_nothing(_request: httpx.Request) -> None:
    """Look away."""


class LenientScribe(Scribe):
    """Types what the small world has boards and columns for."""

    def add(self, source: str, /, **values: Value) -> str:
        """Type a row; empty when there is no such board."""
        known = self.schema.sources.get(source)
        if known is None:
            return ""
        return super().add(source, **_known(known.properties, values))


def _known(properties: Mapping[str, Any], values: Mapping[str, Value]) -> Any:
    return {name: value for name, value in values.items() if name in properties}


@dataclass(frozen=True, slots=True, kw_only=True)
class World(Rig):
    """A rig in process, the rows that people typed, and the wires to both services."""

    scribe: Scribe
    pages: Mapping[str, tuple[str, ...]]
    wire: PatientTransport
    jira_wire: PatientAdapter

    def until(self, moment: datetime) -> None:
        """Let time pass until a moment, if it has not come yet."""
        left = moment - self.clock.now()
        if left > timedelta(0):
            self.clock.advance(left)

    def plan_faults(self, side: str, *rules: Mapping[str, Any]) -> None:
        """Have requests to a service go wrong."""
        sandbox = self.notion if side == "notion" else self.jira
        sandbox.control("faults", {"rules": [dict(rule) for rule in rules]})

    def clear_faults(self) -> None:
        """Have both services well again, with all shared that was."""
        for sandbox in (self.notion, self.jira):
            sandbox.control("clear_faults", {})
            sandbox.control("date", {"clock": "workspace"})
        self.notion.control("share", {"id": self.notion.root_page_id})
        for key in ("ACME", "BETA", "OTHER"):
            self.jira.control("show_project", {"key": key})


@dataclass(frozen=True, slots=True)
class Scene:
    """A world at a moment, as it is kept for copies: nobody works in it."""

    notion: NotionSandbox
    file: Path
    at: datetime
    context: Context
    pages: Mapping[str, tuple[str, ...]]
    user: str
    number: list[int] = field(default_factory=lambda: [0])


def part_of(schema: Schema) -> Schema:
    """Return the boards of the small world, without columns that lead elsewhere."""
    return Schema(
        {
            name: renew(
                source,
                views=(),
                properties={
                    key: prop
                    for key, prop in source.properties.items()
                    if not prop.target or prop.target in BOARDS
                },
            )
            for name, source in schema.sources.items()
            if name in BOARDS
        }
    )


def new_jira(clock: Clock, until: datetime) -> JiraSandbox:
    """Return the small agency's Jira at a moment; nobody has changed anything in it."""
    jira = JiraSandbox(clock, seed=SEED, known_token=True)
    jira.control("load", small_agency("en").jira)
    clock.advance(until - clock.now())
    return jira


def make_scene(folder: Path) -> Scene:
    """Make the small world: people have typed their rows, the worker knows its boards and has not run yet."""
    clock = Clock(NOW - LONG_AGO)
    notion = NotionSandbox(clock, seed=SEED, limit=None, known_token=True)
    jira = JiraSandbox(clock, seed=SEED, known_token=True)
    settings = workspace_settings(notion, jira, locale="en")
    file = folder / "scene.db"
    store = open_virtual(file, clock)
    context = build_context("studio", settings, store, Surroundings(clock.now))
    context = renewed(context, schema=part_of(context.schema))
    gateway = NotionGateway(
        settings.notion, transport=HandlerTransport(notion.handle), monotonic=lambda: 0
    )
    bindings = create_workspace(
        gateway,
        context.schema,
        parent_page_id=notion.root_page_id,
        private_page_id="",
        locale="en",
    )
    with store.transaction(context.name) as tx:
        registry.save(tx, bindings)
    store.close()
    agency = small_agency("en")
    person = {"name": agency.staff[0].name, "email": agency.staff[0].email}
    user = notion.control("add_user", person)["id"]
    scribe = LenientScribe(notion, context.schema, bindings, user)
    pages = type_rows(agency, scribe)
    return Scene(notion, file, NOW, context, pages, user)


@contextmanager
def fork(scene: Scene, folder: Path) -> Iterator[World]:
    """Yield a copy of a scene to live in."""
    scene.number[0] += 1
    file = folder / f"fork-{scene.number[0]}.db"
    shutil.copyfile(scene.file, file)
    clock = Clock(NOW - LONG_AGO)
    jira = new_jira(clock, scene.at)
    notion = copy_notion(scene.notion, clock)
    store = open_virtual(file, clock)
    try:
        yield _wire(scene, clock, notion, jira, store)
    finally:
        store.close()
        file.unlink()


def keep(world: World, scene: Scene, folder: Path, name: str) -> Scene:
    """Return what a world has become as a scene; nothing may have changed in Jira since it was loaded."""
    file = folder / f"{name}.db"
    world.store.close()
    shutil.copyfile(str(world.store.engine.url.database), file)
    notion = copy_notion(world.notion, Clock(world.clock.now()))
    return renewed(scene, notion=notion, file=file, at=world.clock.now())


def _wire(
    scene: Scene,
    clock: Clock,
    notion: NotionSandbox,
    jira: JiraSandbox,
    store: VirtualStore,
) -> World:
    def monotonic() -> float:
        return clock.now().timestamp()

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    base = scene.context
    settings = base.settings
    clocks, sizes = Clocks(clock.now), PageSizes()
    deadline = Deadline(monotonic=monotonic)
    wire = PatientTransport(notion, clock=clock, seconds=settings.notion.timeout)
    adapter = PatientAdapter(jira, clock=clock, seconds=settings.jira.timeout)
    shared = partial(ConnectionBudget, store, holder="world", window=WINDOW)
    context = renewed(
        base,
        store=store,
        now=clock.now,
        sizes=sizes,
        clocks=clocks,
        stop=threading.Event(),
        begin=lambda: deadline.restart(settings.schedule.run_limit),
        pause=sleep,
        notion=NotionGateway(
            settings.notion,
            transport=wire,
            sleep=sleep,
            monotonic=monotonic,
            deadline=deadline,
        )
        .overseen(shared(secret="notion", limit=BUDGET), clocks)
        .sized(sizes),
        jira=JiraGateway(
            settings.jira,
            mapping=load_jira_mapping(),
            adapter=adapter,
            sleep=sleep,
            monotonic=monotonic,
            deadline=deadline,
            sizes=sizes,
        ).overseen(shared(secret="jira", limit=1), clocks),
    )
    with store.reading(context.name) as tx:
        bindings = registry.load(tx)
    scribe = LenientScribe(notion, context.schema, bindings, scene.user)
    world = World(
        clock,
        notion,
        jira,
        context,
        store,
        scribe=scribe,
        pages=scene.pages,
        wire=wire,
        jira_wire=adapter,
    )
    world.clear_faults()
    return world
