"""The ground that every world of the simulation begins on: a tiny agency, made once a process and copied for each seed.

It holds what there is to go wrong and little else: three clients, six cards, two Jira projects, and eight boards.
"""

from __future__ import annotations

import io
import pickle
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as altered  # noqa: TID251 - neither is a struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from pydantic import SecretStr

from rayline_demo.agency.populate import Scribe
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.events import Events
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.app.build import Surroundings, build_context, open_store
from worker.config import (
    JiraSettings,
    NotionSettings,
    QuarterTargets,
    Thresholds,
    Workspace,
)
from worker.cycle.context import Context
from worker.domain.values import Ref
from worker.mapping.schema import Bindings, Schema
from worker.notion.gateway import NotionGateway
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry
from worker.state.store import Store

NOW = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)
"""A Wednesday morning, on which every world begins."""
LONG_AGO = timedelta(days=35)
SEED = 7
NAME = "studio"
NOTION_URL = "http://notion.invalid"
JIRA_URL = "http://jira.invalid"
BOARDS = frozenset(
    {"units", "people", "services", "clients", "projects", "tasks", "risks", "meetings"}
)
PROJECTS = ("ACME", "BETA")
REQUESTS = 90
"""Requests a minute that the connection may make."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a world is copied from: the workspace's records and the database as bytes, and what both sides are set by."""

    records: bytes
    state: bytes
    bindings: Bindings
    context: Context
    jira: Mapping[str, Any]
    root_page_id: str
    owner_id: str
    person: str
    now: datetime = NOW
    runs: int = 0
    ours: Mapping[Any, Any] = field(default_factory=dict)

    def grown(
        self, notion: NotionSandbox, state: bytes, ours: Mapping[Any, Any]
    ) -> Ground:
        """Return the ground as it stands after a run; `ours` is what the worker wrote, as the witness keeps it."""
        clock = notion.store.clock
        return altered(
            self,
            records=_pack(notion, clock),
            state=state,
            now=clock.now(),
            runs=1,
            ours=ours,
        )

    def notion(self, clock: Clock) -> NotionSandbox:
        """Return a Notion of this content on another clock."""
        notion = NotionSandbox(
            clock,
            seed=SEED,
            limit=REQUESTS,
            real=lambda: clock.now().timestamp(),
            known_token=True,
        )
        notion.store = _Unpickler(io.BytesIO(self.records), clock).load()
        notion.events = Events(notion.store)
        notion.bot_id = notion.store.bot_id
        notion.owner_id = self.owner_id
        notion.root_page_id = self.root_page_id
        notion.control("date", {"clock": "workspace"})
        return notion

    def tracker(self, clock: Clock) -> JiraSandbox:
        """Return a Jira of this content on another clock."""
        jira = JiraSandbox(
            clock, seed=SEED, real=lambda: clock.now().timestamp(), known_token=True
        )
        jira.control("load", dict(self.jira))
        jira.control("date", {"clock": "workspace"})
        return jira


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, clock: Clock) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._clock = clock

    def persistent_id(self, obj: object) -> str | None:
        return "clock" if obj is self._clock else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, clock: Clock) -> None:
        super().__init__(file)
        self._clock = clock

    def persistent_load(self, _pid: str) -> Clock:
        return self._clock


@cache
def lay_ground() -> Ground:
    """Return the ground; made through the public interface as `rayline init` does, then typed into by people."""
    clock = Clock(NOW - LONG_AGO)
    notion = NotionSandbox(clock, seed=SEED, limit=None, known_token=True)
    jira = JiraSandbox(clock, seed=SEED, known_token=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ground.db"
        store = open_store(f"sqlite:///{file}")
        context = _context(notion, jira, store, clock)
        bindings = create_workspace(
            context.notion,
            context.schema,
            parent_page_id=notion.root_page_id,
            private_page_id="",
            locale="en",
        )
        with store.transaction(NAME) as tx:
            registry.save(tx, bindings)
        store.close()
        state = file.read_bytes()
    person = _type_rows(notion, context.schema, bindings)
    return Ground(
        _pack(notion, clock),
        state,
        bindings,
        context,
        _jira_load(),
        notion.root_page_id,
        notion.owner_id,
        person,
    )


def _pack(notion: NotionSandbox, clock: Clock) -> bytes:
    notion.store.on_touch = None
    packed = io.BytesIO()
    _Pickler(packed, clock).dump(notion.store)
    return packed.getvalue()


def _part(schema: Schema) -> Schema:
    """Return the boards of the ground alone, without views and without relations that would lead elsewhere."""
    sources = {}
    for name in sorted(BOARDS):
        source = schema.sources[name]
        properties = {
            key: prop
            for key, prop in source.properties.items()
            if prop.type != "relation" or prop.target in BOARDS
        }
        sources[name] = replace(source, properties=properties, views=())
    return Schema(sources)


def _context(
    notion: NotionSandbox, jira: JiraSandbox, store: Store, clock: Clock
) -> Context:
    settings = Workspace(
        locale="en",
        currency="EUR",
        targets=QuarterTargets(policy="none"),
        thresholds=Thresholds(forecast_draws=100),
        notion=NotionSettings(
            base_url=NOTION_URL,
            token=SecretStr(notion.token),
            root_page_id=notion.root_page_id,
            requests=REQUESTS,
            width=1,
        ),
        jira=JiraSettings(
            base_url=JIRA_URL,
            email=jira.email,
            token=SecretStr(jira.token),
            projects=PROJECTS,
        ),
    )
    context = build_context(NAME, settings, store, Surroundings(clock.now))
    gateway = NotionGateway(
        settings.notion,
        transport=HandlerTransport(notion.handle),
        sleep=lambda seconds: None,
        monotonic=lambda: clock.advance(timedelta(seconds=1)).timestamp(),
    )
    return altered(context, notion=gateway, schema=_part(context.schema))


def _type_rows(notion: NotionSandbox, schema: Schema, bindings: Bindings) -> str:
    """Type the agency's rows as people do, and return who typed them."""
    who = {"name": "Anna Petrova", "email": "anna@studio.example"}
    person = str(notion.control("add_user", who)["id"])
    scribe = Scribe(notion, schema, bindings, person)
    unit = scribe.add("units", name="North")
    people = {
        role: scribe.add(
            "people",
            name=f"{role.upper()} Person",
            role=role,
            jira_account=f"acc-{role}",
            capacity=Decimal(40),
            rate=Decimal(2000),
            start=date(2020, 1, 1),
            unit=(Ref("units", unit),),
        )
        for role in ("am", "tl", "developer")
    }
    scribe.edit(
        "units",
        unit,
        {"am": (Ref("people", people["am"]),), "tls": (Ref("people", people["tl"]),)},
    )
    service = scribe.add("services", name="Support", kind="endless")
    clients = [
        scribe.add(
            "clients",
            name=name,
            group=group,
            engagement="retainer",
            unit=(Ref("units", unit),),
            monthly_fee=Decimal(600_000),
            since=date(2024, 1, 10),
            contract_end=date(2027, 1, 7),
            rate_indexed=date(2026, 1, 15),
            services=(Ref("services", service),),
            last_contact=contact,
            last_partner_contact=date(2026, 11, 6),
        )
        for name, group, contact in (
            ("Acme Bank", "account", date(2026, 11, 16)),
            ("Beta Travel", "account", date(2026, 10, 19)),
            ("Gamma Pitch", "newbiz", date(2026, 11, 16)),
        )
    ]
    cards = (
        ("Acme portal", 0, "in_progress", "ACME", date(2026, 12, 8)),
        ("Acme epic", 0, "in_progress", "ACME-1", date(2027, 1, 20)),
        ("Beta site", 1, "in_progress", "project = BETA", date(2026, 11, 15)),
        ("Beta care", 1, "evolution", "", None),
        ("Gamma idea", 2, "shaping", "", None),
        ("Acme idea", 0, "idea", "", None),
    )
    for name, client, stage, link, due in cards:
        scribe.add(
            "projects",
            name=name,
            client=(Ref("clients", clients[client]),),
            stage=stage,
            service=(Ref("services", service),),
            engagement="retainer",
            budget=Decimal(900_000),
            start=date(2026, 8, 3),
            due=due,
            probability=Decimal("0.5"),
            jira=link or None,
        )
    return person


def _jira_load() -> dict[str, Any]:
    issues = [_issue("ACME", number) for number in range(1, 12)]
    issues += [_issue("BETA", number) for number in range(1, 9)]
    return {
        "projects": [{"key": key, "name": f"{key.title()} work"} for key in PROJECTS],
        "users": [
            {"id": f"acc-{role}", "name": f"{role.upper()} Person"}
            for role in ("am", "tl", "developer")
        ],
        "issues": issues,
    }


def _issue(project: str, number: int) -> dict[str, Any]:
    """Return an issue; the first of a project is an epic, two of three others are done."""
    created = (NOW - LONG_AGO - timedelta(days=40)).isoformat()
    issue: dict[str, Any] = {
        "key": f"{project}-{number}",
        "type": "Epic" if number == 1 else "Task",
        "summary": f"Work {number}",
        "status": "To Do",
        "created": created,
        "updated": created,
        "assignee": "acc-developer",
        "history": [],
        "worklogs": [],
    }
    if number in (2, 3, 4):
        issue["parent"] = f"{project}-1"
    if number == 1 or number % 3 == 0:
        return issue
    finished = NOW - timedelta(days=number)
    moves = (("To Do", "In Progress", 2), ("In Progress", "Done", 0))
    issue |= {
        "status": "Done",
        "updated": finished.isoformat(),
        "resolutiondate": finished.isoformat(),
        "history": [
            {
                "at": (finished - timedelta(days=days)).isoformat(),
                "field": "status",
                "from": before,
                "to": after,
            }
            for before, after, days in moves
        ],
        "worklogs": [
            {
                "author": "acc-developer",
                "started": (finished - timedelta(hours=5)).isoformat(),
                "seconds": 7200,
            }
        ],
    }
    return issue
