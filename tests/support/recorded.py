"""Cycles of an earlier version: the state each went by, and the plan that it drew.

`python -m tests.support.recorded FOLDER` lives through some weeks of the small agency and keeps every moment's state and
plan there. A later version draws its plan from the same states: what differs is a change for people who upgrade.
"""

from __future__ import annotations

import json
import lzma
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from rayline_demo.agency.populate import Scribe
from rayline_demo.rig import Rig, make_empty, open_rig, workspace_settings
from rayline_demo.stage import LONG_AGO
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock
from tests.support.stages import NOW, TODAY, small_agency, type_rows
from worker.app.build import Surroundings, build_context, open_store
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.planning import plan_cycle, recall
from worker.cycle.story import sync
from worker.domain.values import Ref
from worker.plan.plan import Plan

Lines = dict[str, str]
"""What a plan would do, by place: rows with their cells and sections."""
LOCALE = "en"


class Moment(NamedTuple):
    """A moment of a life: its name, when it was, and the plan that was drawn."""

    name: str
    at: datetime
    plan: Lines


def lines_of(plan: Plan) -> Lines:
    """Return what a plan would do, in words."""
    lines = {}
    for change in plan.changes:
        row = f"{change.ref}"
        lines[row] = f"{change.kind.value} {change.title}"
        for cell in change.fields:
            lines[f"{row} {cell.field}"] = f"{cell.before!r} -> {cell.after!r}"
        if change.blocks:
            lines[f"{row} section"] = "\n".join(map(str, change.blocks))
    for kept in plan.kept:
        place = f"{kept.ref} {kept.field} kept"
        lines[place] = f"{kept.current!r} beside {kept.desired!r}"
    for problem in plan.problems:
        lines[f"problem {problem.code} {problem.where} {problem.field}"] = (
            problem.message
        )
    return lines


# -- recording ---------------------------------------------------------------------------------------------------------


def record(target: Path) -> None:
    """Live through some weeks and keep each moment."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, rig in _lived(Path(folder)):
            plan_cycle(rig.context, CycleRequest(Mode.FULL, dry_run=True))
            drawn = recall(rig.context)
            rig.store.close()
            body = Path(str(rig.store.engine.url.database)).read_bytes()
            moment = {"at": rig.clock.now().isoformat(), "plan": lines_of(drawn.plan)}
            told = json.dumps(moment, ensure_ascii=False, sort_keys=True)
            (target / f"{name}.db.xz").write_bytes(lzma.compress(body))
            (target / f"{name}.json.xz").write_bytes(lzma.compress(told.encode()))


def _lived(folder: Path) -> Iterator[tuple[str, Rig]]:
    """Yield the small agency at some moments, each time before the worker writes."""
    rig = open_rig(make_empty(LOCALE, folder), folder, start=NOW - LONG_AGO)
    agency = small_agency(LOCALE)
    rig.jira.control("load", agency.jira)
    owner = agency.staff[0]
    user = rig.notion.control("add_user", {"name": owner.name, "email": owner.email})
    scribe = Scribe(rig.notion, rig.context.schema, rig.bindings(), user["id"])
    pages = type_rows(agency, scribe)
    rig.clock.advance(LONG_AGO)
    yield "first-import", rig
    _rest(rig)

    for number in (5, 6):
        issue = {"issue": f"ACME-{number}", "status": "Done"}
        rig.jira.control("transition", issue)
    rig.jira.control("delete", {"issue": "ACME-31"})
    scribe.edit("projects", pages["projects"][2], {"budget": Decimal(950_000)})
    scribe.edit("projects", pages["projects"][0], {"due": TODAY + timedelta(days=3)})
    client = Ref("clients", pages["clients"][1])
    scribe.add(
        "projects",
        name="Late card",
        client=(client,),
        stage="in_progress",
        due=TODAY - timedelta(days=5),
    )
    rig.notion.control("trash", {"id": pages["projects"][3]})
    yield "a-busy-morning", rig
    _rest(rig)

    rig.clock.advance(timedelta(days=14))
    scribe.edit("projects", pages["projects"][1], {"stage": "done"})
    scribe.edit("clients", pages["clients"][0], {"monthly_fee": Decimal(70_000)})
    yield "two-weeks-later", rig
    _rest(rig)

    rig.clock.advance(timedelta(days=30))
    yield "the-next-month", rig


def _rest(rig: Rig) -> None:
    for _ in range(2):
        sync(rig.context, CycleRequest(Mode.FULL))
        rig.clock.advance(timedelta(minutes=10))


# -- reading -----------------------------------------------------------------------------------------------------------


def load_moment(file: Path) -> Moment:
    """Return a moment as it was kept beside its state."""
    name = file.name.partition(".")[0]
    beside = file.with_name(f"{name}.json.xz")
    told = json.loads(lzma.decompress(beside.read_bytes()))
    return Moment(name, datetime.fromisoformat(told["at"]), told["plan"])


@contextmanager
def recalled(file: Path, at: datetime, folder: Path) -> Iterator[Context]:
    """Yield what a worker of this version works with on a kept state, brought up to date."""
    state = folder / "state.db"
    state.touch(mode=0o600)
    state.write_bytes(lzma.decompress(file.read_bytes()))
    clock = Clock(at)
    notion, jira = NotionSandbox(clock), JiraSandbox(clock)
    settings = workspace_settings(notion, jira, locale=LOCALE)
    store = open_store(f"sqlite:///{state}")
    try:
        yield build_context("studio", settings, store, Surroundings(clock.now))
    finally:
        store.close()


if __name__ == "__main__":
    record(Path(sys.argv[1]))
