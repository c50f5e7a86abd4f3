"""A small agency on both emulators behind real sockets, quick to set: two cards' worth of Jira, three clients.

The clock stands still at a Wednesday morning, so that nothing changes by itself between two cycles.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rayline_demo.agency.model import (
    Agency,
    SampleCard,
    SampleClient,
    SampleContact,
    SampleRevenue,
    Staff,
)
from rayline_demo.agency.populate import Cast, Scribe
from rayline_demo.board import Card, living
from rayline_demo.rig import Empty, copy_notion, hasty, make_empty
from rayline_demo.stage import LONG_AGO, Stage
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion.journal import LogEntry
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from tests.support.forked import run_forked
from worker.app.build import Surroundings, build_context, open_store
from worker.config import JiraSettings, NotionSettings, Workspace
from worker.cycle.context import CycleRequest, Mode, PlannedCycle
from worker.cycle.foresight import NOWHERE
from worker.cycle.ownership import claim_boards
from worker.cycle.planning import plan_cycle
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.values import Ref
from worker.mapping.schema import Rows
from worker.ports.notion import Notion
from worker.state import bindings as registry

NOW = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)
TODAY = NOW.date()
TIMEOUT = 20.0
"""Seconds a call may take, so many that the emulators answer in time beside any load."""
ACME, EPIC, BETA, PITCH = 0, 1, 2, 3
"""Places of the cards in `stage.cast.pages["projects"]`: a project, an epic, a JQL and one without Jira."""


def _staff() -> tuple[Staff, ...]:
    roles = ("am", "tl", "pm", "developer", "founder")
    return tuple(
        Staff(
            f"{role.title()} Person",
            f"{role}@studio.example",
            role,
            None if role == "founder" else 0,
            40,
            2000,
            date(2020, 1, 1),
            date(1990, 3, 4),
            jira=f"acc-{role}",
        )
        for role in roles
    )


def _client(name: str, group: str, *, key: str = "", silent: int = 2) -> SampleClient:
    is_account = group == "account"
    return SampleClient(
        name,
        group,
        "retainer",
        0 if is_account else None,
        key,
        Decimal(600_000) if is_account else None,
        date(2024, 1, 10),
        "referral",
        TODAY + timedelta(days=50) if is_account else None,
        date(2026, 1, 15),
        TODAY - timedelta(days=silent),
        TODAY - timedelta(days=12),
    )


def _card(
    name: str, client: int, stage: str, jira: str, *, due: date | None = None
) -> SampleCard:
    return SampleCard(
        name,
        client,
        stage,
        0,
        "retainer",
        Decimal(900_000),
        date(2026, 8, 3),
        due,
        Decimal("0.5"),
        None,
        jira,
    )


def _issue(
    number: int, *, project: str, done: bool, parent: str = "", kind: str = "Task"
) -> dict[str, Any]:
    created = NOW - LONG_AGO - timedelta(days=40)
    finished = NOW - timedelta(days=1 + number)
    issue: dict[str, Any] = {
        "key": f"{project}-{number}",
        "type": kind,
        "summary": f"{kind} {number}",
        "status": "To Do",
        "created": created.isoformat(),
        "updated": created.isoformat(),
        "assignee": "acc-developer",
        "labels": ["web"],
        "history": [],
        "worklogs": [],
    }
    if parent:
        issue["parent"] = parent
    if done:
        issue |= {
            "status": "Done",
            "updated": finished.isoformat(),
            "resolutiondate": finished.isoformat(),
        }
        issue["history"] = [
            {
                "at": (finished - timedelta(days=2)).isoformat(),
                "field": "status",
                "from": "To Do",
                "to": "In Progress",
            },
            {
                "at": finished.isoformat(),
                "field": "status",
                "from": "In Progress",
                "to": "Done",
            },
        ]
        issue["worklogs"] = [
            {
                "author": "acc-developer",
                "started": (finished - timedelta(hours=5)).isoformat(),
                "seconds": 7200,
            }
        ]
    return issue


def _issues() -> list[dict[str, Any]]:
    epics = [
        _issue(number, project="ACME", done=False, kind="Epic") for number in (1, 2)
    ]
    acme = [
        _issue(
            number,
            project="ACME",
            done=number % 5 != 0,
            parent=f"ACME-{1 + number % 2}",
        )
        for number in range(3, 33)
    ]
    beta = [_issue(number, project="BETA", done=number <= 9) for number in range(1, 13)]
    other = [_issue(number, project="OTHER", done=False) for number in range(1, 4)]
    return [*epics, *acme, *beta, *other]


def small_agency(locale: str) -> Agency:
    """Return an agency of five people, two accounts and a newbiz client with four cards."""
    staff = _staff()
    clients = (
        _client("Acme Bank", "account", key="ACME"),
        _client("Beta Travel", "account", key="BETA", silent=30),
        _client("Gamma Pitch", "newbiz"),
    )
    cards = (
        _card("Acme portal", 0, "in_progress", "ACME", due=TODAY + timedelta(days=20)),
        _card("Acme epic", 0, "evolution", "ACME-1"),
        _card(
            "Beta site",
            1,
            "in_progress",
            'project = BETA AND labels = "web"',
            due=TODAY - timedelta(days=3),
        ),
        _card("Gamma idea", 2, "shaping", ""),
    )
    revenue = tuple(
        SampleRevenue(index, date(2026, month, 1), Decimal(600_000), "act")
        for month in range(5, 11)
        for index in (0, 1)
    )
    contacts = (
        SampleContact(
            "Carla Client",
            "Acme Bank",
            "client",
            "Owner",
            0,
            date(1988, 2, 29),
            "c@acme.example",
            TODAY - timedelta(days=5),
        ),
    )
    load = {
        "projects": [
            {"key": key, "name": name}
            for key, name in (
                ("ACME", "Acme Bank"),
                ("BETA", "Beta Travel"),
                ("OTHER", "Other things"),
            )
        ],
        "users": [
            {"id": person.jira, "name": person.name, "email": person.email}
            for person in staff
        ],
        "issues": _issues(),
    }
    return Agency(
        locale=locale,
        today=TODAY,
        staff=staff,
        units=("North",),
        clients=clients,
        services=(("Support", "endless", 300_000, 8),),
        cards=cards,
        contacts=contacts,
        documents=(),
        revenue=revenue,
        jira=load,
    )


def type_rows(agency: Agency, scribe: Scribe) -> dict[str, tuple[str, ...]]:
    """Type the agency's rows as people do; return their page ids by source in the order of the agency."""
    units = tuple(scribe.add("units", name=name) for name in agency.units)
    people = tuple(
        scribe.add(
            "people",
            name=one.name,
            role=one.role,
            jira_account=one.jira,
            capacity=Decimal(one.capacity),
            rate=Decimal(one.rate),
            start=one.start,
            birthday=one.birthday,
            unit=None if one.unit is None else (Ref("units", units[one.unit]),),
        )
        for one in agency.staff
    )
    for name, role in (("am", "am"), ("tls", "tl"), ("pms", "pm")):
        chosen = [
            page
            for page, one in zip(people, agency.staff, strict=True)
            if one.role == role
        ]
        scribe.edit(
            "units", units[0], {name: tuple(Ref("people", page) for page in chosen)}
        )
    services = tuple(
        scribe.add(
            "services",
            name=name,
            kind=kind,
            monthly_value=Decimal(value),
            lead_weeks=Decimal(lead),
        )
        for name, kind, value, lead in agency.services
    )
    clients = tuple(
        scribe.add(
            "clients",
            name=one.name,
            group=one.group,
            engagement=one.engagement,
            contract_end=one.contract_end,
            monthly_fee=one.fee,
            since=one.since,
            source=one.source,
            rate_indexed=one.rate_indexed,
            unit=None if one.unit is None else (Ref("units", units[one.unit]),),
            services=(Ref("services", services[0]),),
            last_contact=one.last_contact,
            last_partner_contact=one.last_partner_contact,
        )
        for one in agency.clients
    )
    projects = tuple(
        scribe.add(
            "projects",
            name=one.name,
            client=(Ref("clients", clients[one.client]),),
            stage=one.stage,
            service=(Ref("services", services[one.service]),),
            engagement=one.engagement,
            budget=one.budget,
            start=one.start,
            due=one.due,
            probability=one.probability,
            jira=one.jira or None,
        )
        for one in agency.cards
    )
    contacts = tuple(
        scribe.add(
            "contacts",
            name=one.name,
            organisation=one.organisation,
            side=one.side,
            client=(Ref("clients", clients[one.client or 0]),),
            birthday=one.birthday,
            email=one.email,
            last_contact=one.last_contact,
        )
        for one in agency.contacts
    )
    revenue = tuple(
        scribe.add(
            "revenue",
            name=f"Act {one.month:%Y-%m}",
            client=(Ref("clients", clients[one.client]),),
            month=one.month,
            amount=one.amount,
            kind=one.kind,
        )
        for one in agency.revenue
    )
    return {
        "units": units,
        "people": people,
        "services": services,
        "clients": clients,
        "projects": projects,
        "contacts": contacts,
        "revenue": revenue,
    }


@dataclass(frozen=True, slots=True)
class Play:
    """A stage and the state's folder, with the acts tests are made of."""

    stage: Stage
    folder: Path
    number: list[int] = field(default_factory=lambda: [0])

    @property
    def bot_id(self) -> str:
        """Who the worker is in Notion."""
        return self.stage.notion.bot_id

    def sync(self, mode: Mode = Mode.FULL, **order: Any) -> Report:
        """Run one cycle."""
        return sync(self.stage.context, CycleRequest(mode, **order))

    def draw(self, mode: Mode = Mode.FULL, **order: Any) -> PlannedCycle:
        """Return what a cycle would write."""
        return plan_cycle(self.stage.context, CycleRequest(mode, **order))

    def page(self, source: str, index: int) -> str:
        """Return the page id of a person's row by its place in the agency."""
        return self.stage.cast.pages[source][index]

    def row(self, source: str, index: int) -> Card:
        """Return a person's row as it stands."""
        return next(
            card
            for card in living(self.stage, source)
            if card.page_id == self.page(source, index)
        )

    def keyed(self, source: str, part: str = "") -> list[Card]:
        """Return the worker's living rows whose key contains `part`, by key."""
        found = [
            card
            for card in living(self.stage, source)
            if part in (card.values["worker_key"] or "") and card.values["worker_key"]
        ]
        return sorted(found, key=lambda card: str(card.values["worker_key"]))

    def all_keyed(self) -> dict[str, Card]:
        """Return every living row of the worker's, by page id."""
        sources = self.stage.context.schema.sources
        return {
            card.page_id: card
            for name in self.stage.bindings()
            if sources[name].rows is Rows.WORKER
            for card in self.keyed(name)
        }

    def label(self, source: str, name: str) -> str:
        """Return what a property is called in Notion."""
        return (
            self.stage.context.schema.sources[source]
            .properties[name]
            .label[self.stage.agency.locale]
        )

    def data_source(self, source: str) -> str:
        """Return the id of a data source."""
        return self.stage.bindings()[source].data_source_id

    def edit(self, source: str, page_id: str, /, **values: Any) -> None:
        """Let a person change cells."""
        self.stage.scribe.edit(source, page_id, values)

    def garble(self, source: str, page_id: str, name: str, /, value: Any) -> None:
        """Have Notion answer any JSON in a cell."""
        self.stage.notion.control(
            "garble",
            {"page_id": page_id, "property": self.label(source, name), "value": value},
        )

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.stage.clock.advance(timedelta(**by))

    def mark(self) -> int:
        """Return the number of the newest entry of Notion's log."""
        return max((entry.seq for entry in self.stage.notion.entries(0)), default=0)

    def writes(self, since: int) -> list[LogEntry]:
        """Return what the worker wrote in Notion after a mark, or tried to; what it asked of a page that does not exist, to
        learn what it may do, is none of it."""
        return [
            entry
            for entry in self.stage.notion.entries(since)
            if entry.write and entry.actor == self.bot_id and NOWHERE not in entry.path
        ]

    def reads(self, since: int) -> list[LogEntry]:
        """Return what the worker asked of Notion after a mark."""
        return [
            entry
            for entry in self.stage.notion.entries(since)
            if entry.actor == self.bot_id and not entry.write
        ]

    def jira_log(self, since: int = 0) -> list[dict[str, Any]]:
        """Return Jira's log after so many entries."""
        return list(self.stage.jira.log)[since:]

    def with_settings(self, **change: Any) -> Play:
        """Return the same stage with other settings of the workspace."""
        return self._again(
            self.stage.context.settings.model_copy(update=change), "rayline.db"
        )

    def through(self, notion: Notion) -> Play:
        """Return the same stage with another way to Notion."""
        context = replace(self.stage.context, notion=notion)
        return replace(self, stage=replace(self.stage, context=context))

    def forgetful(self) -> Play:
        """Return the same stage with an empty database, whose owner a person confirmed."""
        lost = self.newcomer()
        context = lost.stage.context
        claim_boards(context, context.notion, take_over=True)
        return lost

    def disown(self) -> None:
        """Take away the line that says whose the boards are."""
        context = self.stage.context
        for block in context.notion.children(context.settings.notion.root_page_id):
            if "rayline-owner:" in str(block):
                context.notion.delete_block(block["id"])

    def newcomer(self) -> Play:
        """Return another installation on the same stage, with an empty database."""
        self.number[0] += 1
        return self._again(self.stage.context.settings, f"lost-{self.number[0]}.db")

    def reopened(self, name: str, change: Mapping[str, Any] | None = None) -> Play:
        """Return the same stage with the database of this name, and other settings of Notion."""
        settings = self.stage.context.settings
        notion = settings.notion.model_copy(update=dict(change or {}))
        return self._again(settings.model_copy(update={"notion": notion}), name)

    def _again(self, settings: Workspace, name: str) -> Play:
        store = hasty(open_store(f"sqlite:///{self.folder / name}"))
        context = build_context(
            "studio", settings, store, Surroundings(self.stage.clock.now)
        )
        return replace(self, stage=replace(self.stage, context=context, store=store))


@cache
def _empty(locale: str, *, private: bool) -> Empty:
    """Return a workspace as the worker makes it, made once a process: some hundred requests, and always the same."""
    with tempfile.TemporaryDirectory(prefix="rayline-empty-") as folder:
        return make_empty(locale, Path(folder), start=NOW - LONG_AGO, private=private)


@contextmanager
def small_play(
    folder: Path,
    *,
    locale: str = "en",
    control: bool = False,
    known: bool = True,
    private: bool = False,
) -> Iterator[Play]:
    """Yield a small agency at work; with `known` false the worker has not seen its workspace yet, `private` adds boards."""
    empty = _empty(locale, private=private)
    bindings = empty.bindings
    clock = Clock(NOW - LONG_AGO)
    notion, jira = copy_notion(empty.notion, clock), JiraSandbox(clock)
    with serve(notion, jira, control=control, locale=locale) as sockets:
        where = sockets.describe()
        settings = Workspace(
            locale="ru" if locale == "ru" else "en",
            currency="EUR",
            notion=NotionSettings(
                base_url=where["notion"]["base_url"],
                token=SecretStr(notion.token),
                root_page_id=notion.root_page_id,
                private_root_page_id=notion.private_root_page_id,
                requests=1_000_000,
                timeout=TIMEOUT,
            ),
            jira=JiraSettings(
                base_url=where["jira"]["base_url"],
                email=jira.email,
                token=SecretStr(jira.token),
                timeout=TIMEOUT,
            ),
        )
        store = hasty(open_store(f"sqlite:///{folder / 'rayline.db'}"))
        context = build_context("studio", settings, store, Surroundings(clock.now))
        if known:
            with store.transaction(context.name) as tx:
                registry.save(tx, bindings)
        agency = small_agency(locale)
        jira.control("load", agency.jira)
        user = notion.control(
            "add_user", {"name": agency.staff[0].name, "email": agency.staff[0].email}
        )["id"]
        scribe = Scribe(notion, context.schema, bindings, user)
        cast = Cast(type_rows(agency, scribe), (user,))
        clock.advance(LONG_AGO)
        stage = Stage(
            clock,
            notion,
            jira,
            context,
            store,
            {"ACME-1", "ACME-2"},
            sockets=sockets,
            agency=agency,
            cast=cast,
            scribe=scribe,
        )
        yield Play(stage, folder)
        store.close()


def config_text(play: Play, *, state: str = "cli.db", extra: str = "") -> str:
    """Return the TOML of a workspace on this stage; the tokens stand in files beside it."""
    where = play.stage.sockets.describe()
    for side in ("notion", "jira"):
        file = play.folder / f"{side}-token"
        file.write_text(where[side]["token"])
        file.chmod(0o600)
    return f"""
state = "sqlite:///{play.folder / state}"
[workspaces.studio]
locale = "{play.stage.agency.locale}"
currency = "EUR"
[workspaces.studio.notion]
base_url = "{where["notion"]["base_url"]}"
root_page_id = "{where["notion"]["root_page_id"]}"
token_file = "{play.folder / "notion-token"}"
requests = 100000
window = 1.0
timeout = {TIMEOUT}
[workspaces.studio.jira]
base_url = "{where["jira"]["base_url"]}"
email = "{where["jira"]["email"]}"
token_file = "{play.folder / "jira-token"}"
timeout = {TIMEOUT}
{extra}
"""


def write_config(
    play: Play, *, name: str = "rayline.toml", state: str = "cli.db", extra: str = ""
) -> Path:
    """Write the configuration of a workspace on this stage and return its path."""
    path = play.folder / name
    path.write_text(config_text(play, state=state, extra=extra), "utf-8")
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment for a process of its own: an empty home and none of our variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAYLINE_", "COV_", "COVERAGE"))
        and name not in ("HOME", "COLUMNS")
    }
    return {**kept, "HOME": str(home), **more}


def rayline(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own and return how it ended."""
    return run_forked(words, home=home, env=environment(home, **more))


def start_rayline(*words: str, home: Path, **more: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "worker", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
        env=environment(home, **more),
    )


def one_object(text: str) -> Mapping[str, Any]:
    """Return the one JSON object that stdout is; fails when there is more or less."""
    found = json.loads(text)
    assert isinstance(found, dict)
    assert text.count("\n") == 1
    return found
