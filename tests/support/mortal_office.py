"""A very small agency in process, whose worker dies at any point and is started again; all that lasts, as one picture."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace  # noqa: TID251 - an office is no struct
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table, make_url, select

from rayline_demo.agency.model import Agency
from rayline_demo.agency.populate import Scribe
from rayline_demo.board import Card, rows
from rayline_demo.rig import Empty, Rig, make_empty, open_rig
from rayline_demo.stage import LONG_AGO
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import HandlerTransport, Request
from tests.support import invariants
from tests.support.crashes import MortalStore, Points, name_of_the_dead
from tests.support.stages import NOW, small_agency, type_rows
from worker.app import logs
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.notion.gateway import NotionGateway
from worker.state import bindings as registry
from worker.state import journal, tables
from worker.state.budgets import ConnectionBudget
from worker.state.store import Store

TASKS = 2
LEASE = 6 * 3600
"""Seconds; no heartbeat falls into a test, and nobody waits for a lease: the owner of each is dead."""
PATIENCE = 3600.0
ISSUES = 12
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OWN = (
    "installation",
    "owner_mark",
    "connections_key",
    "ledger",
    "picture:",
    "run_problems:",
    "last_footing",
    "card_links",
)
"""Settings that differ between any two installations; uploads kept for another try, what single runs told, and what goes
by how many runs and changes there were."""
_IDS = re.compile(r"(?<=\[\{)'id': [^\]]*(?=\}\])")
"""Pages that a relation names: Notion shows them in the order in which they were made."""
NEVER = frozenset({"0", "False"})
"""How the two databases say that a page was never missing."""
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_RUN = re.compile(r"(Synced|Not synced|Synced in part) .*?, run \d+")


@cache
def _empty() -> Empty:
    logs.configure(level="CRITICAL")
    with tempfile.TemporaryDirectory(prefix="rayline-empty-") as folder:
        return make_empty("en", Path(folder))


def tiny_agency() -> Agency:
    """Return an account and a newbiz client with a card each, and a dozen issues."""
    whole = small_agency("en")
    names = {f"ACME-{number}" for number in range(1, ISSUES + 1)}
    issues = [one for one in whole.jira["issues"] if one["key"] in names]
    return replace(
        whole,
        clients=(whole.clients[0],),
        cards=(whole.cards[0],),
        contacts=(),
        revenue=tuple(one for one in whole.revenue if one.client == 0),
        jira={**whole.jira, "issues": issues},
    )


@dataclass(frozen=True, slots=True)
class Office:
    """Both services, the people's rows by source, and the address of the state; `number` counts the processes."""

    rig: Rig
    scribe: Scribe
    pages: Mapping[str, tuple[str, ...]]
    url: str
    number: int = 0

    def start(self, points: Points) -> Context:
        """Return what a new process works with."""
        given = self.rig.context
        settings, clock = given.settings, self.rig.clock
        store = MortalStore(self.url, points, clock)

        def monotonic() -> float:
            return clock.now().timestamp()

        def sleep(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        notion = NotionGateway(
            # A process that is paused with a request in hand still gets its answer.
            settings.notion.model_copy(update={"timeout": PATIENCE}),
            transport=HandlerTransport(
                points.watch(self.rig.notion.handle, is_write=_is_write)
            ),
            sleep=sleep,
            monotonic=monotonic,
        )
        jira = JiraGateway(
            settings.jira,
            mapping=load_jira_mapping(),
            adapter=HandlerAdapter(
                points.watch(self.rig.jira.handle, is_write=lambda _: False)
            ),
            sleep=sleep,
            monotonic=monotonic,
        )
        owner = name_of_the_dead(self.number)
        shared = ConnectionBudget(store, "notion", owner, limit=1_000_000, window=60.0)
        return replace(
            given,
            store=store,
            notion=notion.overseen(shared, given.clocks),
            jira=jira,
            owner=owner,
        )

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.rig.clock.advance(timedelta(**by))

    def edit(self, source: str, page_id: str, /, **values: Any) -> None:
        """Let a person change cells."""
        self.scribe.edit(source, page_id, values)

    def restarted(self) -> Office:
        """Return the office for the next process."""
        return replace(self, number=self.number + 1)

    def elsewhere(self, url: str) -> Office:
        """Return the office as it is, with its state at another address, for the next process."""
        store = Store(url)
        context = replace(self.rig.context, store=store)
        rig = replace(self.rig, store=store, context=context)
        return replace(self, rig=rig, url=url, number=self.number + 1)

    def image(self, place: Path) -> Office:
        """Return the office with a copy of its database as it is on the disk now, in the midst of a transaction too."""
        own = Path(make_url(self.url).database or "")
        for ending in ("", "-wal"):
            if (file := own.with_name(own.name + ending)).exists():
                shutil.copyfile(file, place.with_name(place.name + ending))
        return self.elsewhere(f"sqlite:///{place}")

    def writes(self) -> int:
        """Return how many writes of the worker Notion was asked for."""
        bot = self.rig.notion.bot_id
        log = self.rig.notion.log
        return sum(1 for entry in log if entry.write and entry.actor == bot)

    def keyed(self, source: str) -> list[Card]:
        """Return the worker's living rows of a source, by key."""
        found = [
            card
            for card in rows(self.rig, source)
            if card.values.get("worker_key") and not card.in_trash
        ]
        return sorted(found, key=lambda card: str(card.values["worker_key"]))


def open_office(folder: Path, url: str = "") -> Office:
    """Return an agency that has worked for a month before the worker comes; its state is at an address, else a file."""
    folder.mkdir(parents=True)
    settings = {"thresholds": {"tasks_per_client": TASKS}, "schedule": {"lease": LEASE}}
    rig = open_rig(_empty(), folder, start=NOW - LONG_AGO, settings=settings)
    agency = tiny_agency()
    rig.jira.control("load", agency.jira)
    owner = agency.staff[0]
    user = rig.notion.control("add_user", {"name": owner.name, "email": owner.email})
    scribe = Scribe(rig.notion, rig.context.schema, rig.bindings(), user["id"])
    pages = type_rows(agency, scribe)
    rig.clock.advance(LONG_AGO)
    office = Office(rig, scribe, pages, str(rig.store.engine.url))
    if not url:
        return office
    bound = office.rig.bindings()
    office = office.elsewhere(url)
    with office.rig.store.transaction("studio") as tx:
        registry.save(tx, bound)
    return office


def run(
    office: Office, points: Points | None = None, mode: Mode = Mode.FULL, **order: Any
) -> Report:
    """Run one cycle as a process of its own."""
    context = office.start(points or Points())
    report = sync(context, CycleRequest(mode, **order))
    context.store.close()
    assert not report.refused
    assert not [one for one in report.plan.problems if one.code == "rule-failed"]
    return report


def rest(
    office: Office, again: Callable[[Office], Report] = run, *, pause: float = 300
) -> Office:
    """Run again, each time as a new process, until nothing is written; return the office then."""
    for _ in range(6):
        before = office.writes()
        report = again(office)
        office = office.restarted()
        if office.writes() == before and not report.applied.unknown:
            return office
        office.later(seconds=pause)
    raise AssertionError("the worker never came to rest")


def _is_write(request: Request) -> bool:
    return request.method != "GET" and not request.path.endswith("/query")


def picture(office: Office) -> dict[str, Any]:
    """Return all that stands in Notion and in the state, with the worker's pages named by their keys and without times."""
    rig = office.rig
    shown: dict[str, Any] = {
        # How often a page was not shown counts the reads there were.
        place: words not in NEVER if place.startswith("state pages ") else words
        for place, words in invariants.picture(rig).items()
        if not place.startswith("state bases ")
    }
    bot = rig.notion.bot_id
    typed = (page for page in rig.notion.store.pages.values() if page.created_by != bot)
    names = {page.id: page.id.replace("-", "") for page in typed}
    names |= invariants.keyed_rows(rig)

    def spell(text: str) -> str:
        named = _ID.sub(lambda found: names.get(found[0], "some page"), text)
        sorted_ids = _IDS.sub(lambda found: str(sorted(found[0].split("}, {"))), named)
        return _TIME.sub("a time", _RUN.sub(r"\1", sorted_ids))

    with rig.store.reading("studio") as tx:
        for name, (table, read) in _REMEMBERED.items():
            query = select(table).where(table.c.workspace == "studio")
            for row in tx.connection.execute(query):
                for key, value in read(row._asdict()).items():
                    place = spell(f"state {name} {key}")
                    shown[place] = spell(str(value))
    root = rig.notion.root_page_id
    lines = [str(rig.notion.store.blocks.get(one)) for one in _body(rig, root)]
    owners = [line for line in lines if "rayline-owner:" in line]
    return {spell(key): spell(str(value)) for key, value in shown.items()} | {
        "owner lines": len(owners)
    }


def _body(rig: Rig, page_id: str) -> list[str]:
    return rig.notion.store.body_of(page_id)


def find_unjournalled(office: Office) -> list[str]:
    """I8: return the rows of ours of which the journal knows nothing."""
    with office.rig.store.reading("studio") as tx:
        known = {str(intent.ref) for intent in journal.load(tx)}
    bot = office.rig.notion.bot_id
    return [
        f"I8 {source}/{card.values['worker_key']} is not in the journal"
        for source in office.rig.bindings()
        for card in rows(office.rig, source)
        if card.created_by == bot
        and card.values.get("worker_key")
        and f"{source}/{card.values['worker_key']}" not in known
    ]


def _json(body: bytes | None) -> Any:
    return None if body is None else msgspec.json.decode(body)


def _base(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we wrote last into a cell, whether its answer was seen or not: what stands there counts as ours in
    both cases. An empty one is as good as none; digests of sections hold the ids of pages, so that only their being
    there is compared: what they show is seen on the page."""
    value = _json(row["attempted"] or row["value"])
    shown = bool(value) if row["field"].startswith("§") else value
    return {f"{row['page_id']} {row['field']}": shown} if value else {}


_REMEMBERED: Mapping[str, tuple[Table, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "cell": (tables.bases, lambda row: _base(row)),
    "setting": (
        tables.settings,
        lambda row: (
            {} if row["key"].startswith(_OWN) else {row["key"]: _json(row["body"])}
        ),
    ),
    "problem": (tables.problems, lambda row: {_json(row["body"])["code"]: row["body"]}),
    "request": (tables.triggers, lambda row: {row["id"]: row["state"]}),
    "run": (
        tables.runs,
        lambda row: {"under way": 1} if row["status"] == "running" else {},
    ),
}
"""What a state remembers beside what `invariants.picture` compares, by table."""


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return how two pictures differ, a line for each place."""
    return [
        f"I4 {place}: {found.get(place, 'missing')} instead of {wanted.get(place, 'nothing')}"
        for place in sorted(found.keys() | wanted.keys())
        if found.get(place) != wanted.get(place)
    ]
