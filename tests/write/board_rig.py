"""A small agency on the emulated Notion, and whole cycles over it: read, diff, apply, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import httpx
from pydantic import SecretStr

from rayline_sandbox.notion.sandbox import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.config import NotionSettings, Thresholds, Workspace
from worker.domain.entities import Row
from worker.domain.values import Ref, Unset, Value
from worker.domain.words import Words
from worker.mapping.schema import (
    KEY_PROPERTY,
    Bindings,
    Option,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.notion.gateway import NotionGateway
from worker.notion.workspace import create_workspace
from worker.plan.diff import Written, known_pages, make_plan
from worker.plan.facts import Fact, Why
from worker.plan.plan import Plan
from worker.ports.notion import Notion
from worker.site import Site
from worker.state import bases, journal
from worker.state.store import Store
from worker.world.normalize import find_seeds, read_pages
from worker.world.world import World
from worker.write.context import PlanBasis, RunControl
from worker.write.settle import Settled, settle
from worker.write.writer import Applied, apply

SETTLE = timedelta(seconds=180)
NO_TIME = timedelta(0)
WORKSPACE = "main"


def _property(
    name: str, type: str, owner: Owner = Owner.WORKER, **extra: Any
) -> Property:
    return Property(name, type, owner, {"en": name}, **extra)


def _source(
    name: str, rows: Rows, *properties: Property, seeded: bool = False
) -> Source:
    return Source(
        name,
        rows,
        {"en": name},
        "📌",
        {prop.name: prop for prop in properties},
        seeded=seeded,
    )


SCHEMA = Schema(
    {
        source.name: source
        for source in (
            _source(
                "clients",
                Rows.PEOPLE,
                _property("name", "title", Owner.HUMAN),
                _property(
                    "health",
                    "select",
                    options=tuple(
                        Option(key, {"en": key}) for key in ("red", "amber", "green")
                    ),
                ),
                _property("score", "number"),
                _property("due", "date", Owner.SHARED),
            ),
            _source(
                "risks",
                Rows.WORKER,
                _property("name", "title"),
                _property("client", "relation", target="clients"),
                _property("probability", "number", Owner.SHARED),
                _property("steps", "rich_text", Owner.SEED),
                _property("note", "rich_text", Owner.HUMAN),
                _property("card", "relation", target="cards"),
                _property(KEY_PROPERTY, "rich_text"),
            ),
            _source(
                "cards",
                Rows.PEOPLE,
                _property("name", "title", Owner.HUMAN),
                _property("client", "relation", Owner.HUMAN, target="clients"),
                _property("score", "number"),
                _property(KEY_PROPERTY, "rich_text"),
                seeded=True,
            ),
            _source(
                "plans",
                Rows.WORKER,
                _property("name", "title"),
                _property("parent", "relation", target="plans"),
                _property("target", "number", Owner.SHARED),
                _property(KEY_PROPERTY, "rich_text"),
            ),
        )
    }
)


def fact(ref: Ref, name: str, value: Value | Unset) -> Fact:
    """Return a fact of a nameless rule."""
    return Fact(ref, name, value, Why("test"))


class BoardStore(Store):
    """A state whose clock is the board's."""

    clock: Clock

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()


@dataclass(slots=True)
class Board:
    """The emulator, a gateway into it, a state on disk, and people who work in it. `reopen` is a new process."""

    folder: Path
    clock: Clock = field(
        default_factory=lambda: Clock(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    )
    sandbox: NotionSandbox = field(init=False)
    notion: Notion = field(init=False)
    store: Store = field(init=False)
    bindings: Bindings = field(init=False)
    gone: set[str] = field(default_factory=set)
    seen: Mapping[str, Row] = field(default_factory=dict)
    pass_time: Callable[[float], None] = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = NotionSandbox(self.clock, limit=None)
        self.pass_time = self._pass_time
        self.notion = self.connect(HandlerTransport(self.sandbox.handle))
        self.bindings = create_workspace(
            self.notion, SCHEMA, parent_page_id=self.sandbox.root_page_id, locale="en"
        )
        self.reopen()

    def _pass_time(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def connect(self, transport: httpx.BaseTransport) -> NotionGateway:
        """Return a gateway over a transport; its waits pass by `pass_time`."""
        settings = NotionSettings(
            base_url="http://notion.test",
            token=SecretStr(self.sandbox.token),
            requests=10**6,
        )
        return NotionGateway(
            settings,
            transport=transport,
            sleep=lambda seconds: self.pass_time(seconds),
            monotonic=lambda: self.clock.now().timestamp(),
        )

    def reopen(self) -> None:
        """Open the state as a new process would."""
        store = BoardStore(f"sqlite:///{self.folder / 'state.db'}")
        store.clock = self.clock
        self.store = store

    def client(self, name: str) -> Ref:
        """Let a person add a client."""
        return Ref(
            "clients",
            self.person(
                "create",
                data_source_id=self.bindings["clients"].data_source_id,
                properties={"name": {"title": [{"text": {"content": name}}]}},
            )["id"],
        )

    def person(self, action: str, **payload: Any) -> dict[str, Any]:
        """Let a person do something in Notion."""
        return self.sandbox.control(action, payload)

    def edit(self, page_id: str, name: str, value: Any) -> None:
        """Let a person type into a cell; texts, numbers and options in plain form."""
        prop = next(
            source.properties[name]
            for source in SCHEMA.sources.values()
            if name in source.properties
        )
        self.person(
            "edit", page_id=page_id, properties={_label(prop): _typed(prop, value)}
        )

    def rows(self) -> Mapping[str, tuple[Row, ...]]:
        """Return all rows as the mapping reads them."""
        pages = {
            name: self.notion.query(binding.data_source_id).pages
            for name, binding in self.bindings.items()
        }
        return read_pages(SCHEMA, self.bindings, pages).rows

    def row(self, ref: Ref) -> Row:
        """Return the one row of a ref."""
        (found,) = (row for row in self.rows()[ref.source] if row.ref == ref)
        return found

    def content(self) -> dict[str, dict[str, Value]]:
        """Return what every keyed or people's row holds, by ref: the state of the world but for ids."""
        rows = [row for rows in self.rows().values() for row in rows]
        assert len({row.ref for row in rows}) == len(rows), "two rows carry one key"
        return {str(row.ref): dict(row.fields) for row in rows}

    def draw(
        self, facts: Iterable[Fact], *, insists: bool = False
    ) -> tuple[Plan, dict[Ref, str]]:
        """Return the plan for some facts, and the pages of the keyed rows read."""
        rows = self.rows()
        self.seen = {row.page_id: row for some in rows.values() for row in some}
        with self.store.reading(WORKSPACE) as tx:
            ours, made = journal.canonical_pages(tx), journal.created_pages(tx)
            written, attempted = bases.load(tx)
            unsettled = {one.ref: one.wanted for one in journal.unsettled(tx)}
        trashed = frozenset(
            ref for ref, page_id in ours.items() if page_id in self.gone
        )
        world = World(
            WORKSPACE,
            self.clock.now(),
            self.clock.now().date(),
            Thresholds(),
            Words(),
            sources=frozenset(SCHEMA.sources),
            rows=rows,
            trashed=trashed,
            seeds=find_seeds(rows, SCHEMA),
        )
        plan = make_plan(
            world,
            facts,
            SCHEMA,
            self.bindings,
            Written(written, attempted, ours, made, unsettled=unsettled),
            insists=insists,
        )
        return plan, known_pages(world, SCHEMA, ours)

    def settle(self, notion: Notion | None = None) -> Settled:
        """Settle what is old enough."""
        site = self.site(settle_after=SETTLE)
        return settle(notion or self.notion, site, self.bindings)

    def site(self, *, settle_after: timedelta = NO_TIME, width: int = 1) -> Site:
        """Return the workspace as the worker finds it."""
        notion = NotionSettings(
            settle=settle_after.total_seconds(),
            width=width,
            root_page_id=self.sandbox.root_page_id,
        )
        return Site(
            WORKSPACE,
            Workspace(notion=notion),
            SCHEMA,
            Words(),
            self.store,
            self.clock.now,
        )

    def apply(
        self,
        plan: Plan,
        notion: Notion | None = None,
        *,
        known: Mapping[Ref, str] = MappingProxyType({}),
        seen: Mapping[str, Row] = MappingProxyType({}),
        control: RunControl | None = None,
        settle_after: timedelta = NO_TIME,
        width: int = 1,
    ) -> Applied:
        """Apply a plan."""
        return apply(
            plan,
            notion or self.notion,
            self.site(settle_after=settle_after, width=width),
            self.bindings,
            basis=PlanBasis(known, seen, authors=frozenset({self.sandbox.bot_id})),
            control=control or RunControl(),
        )

    def cycle(
        self, facts: Iterable[Fact], notion: Notion | None = None, **options: Any
    ) -> Applied:
        """Settle, read, diff and apply."""
        self.settle(notion)
        plan, known = self.draw(facts)
        return self.apply(plan, notion, known=known, seen=self.seen, **options)

    def writes(self) -> int:
        """Return how many writes the connection has sent."""
        return sum(
            entry.write and entry.actor == self.sandbox.bot_id
            for entry in self.sandbox.log
        )

    def break_next(
        self, kind: str, *, method: str = "POST", path: str = "/v1/pages$", **extra: Any
    ) -> None:
        """Let the next matching request go wrong."""
        rule = {"kind": kind, "match": {"method": method, "path_regex": path}, **extra}
        self.sandbox.control("faults", {"rules": [rule]})


def _label(prop: Property) -> str:
    return prop.label["en"]


def _typed(prop: Property, value: Any) -> dict[str, Any]:
    match prop.type:
        case "title" | "rich_text":
            return {prop.type: [{"text": {"content": value}}] if value else []}
        case "select":
            return {"select": {"name": value} if value else None}
        case "date":
            return {"date": {"start": value} if value else None}
        case _:
            return {
                prop.type: float(cast(Decimal, value)) if value is not None else None
            }
