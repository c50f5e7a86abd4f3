"""A run that ends anywhere, by a crash or a signal, is taken up by the next: the same rows, the same memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from rayline_demo.agency.populate import Scribe
from rayline_demo.board import living
from rayline_demo.rig import Empty, Rig, make_empty, open_rig
from rayline_demo.stage import LONG_AGO
from rayline_sandbox.wire import Clock
from tests.support.crashes import Crash, MortalNotion, Steps
from tests.support.stages import NOW, small_agency, type_rows
from worker.app import logs
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.story import sync
from worker.ports.notion import Notion
from worker.state import history, memory
from worker.state.store import Store, Tx

ALLOWED, SETTLE = 2, timedelta(minutes=4)
SAMPLES = int(os.environ.get("RAYLINE_CRASHES", "10"))
"""At how many steps of a run it dies, spread evenly; a number above the steps there are: at each of them."""


class MortalStore(Store):
    """A state that may die before and after each commit; its clock is the virtual one."""

    steps = Steps()
    clock = Clock(NOW)

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction."""
        with super().transaction(workspace) as tx:
            yield tx
            self.steps.take()
        self.steps.take()


@cache
def empty() -> Empty:
    """Return an empty workspace, made once."""
    logs.configure(level="ERROR")
    with tempfile.TemporaryDirectory(prefix="rayline-empty-") as folder:
        return make_empty("en", Path(folder))


@dataclass(frozen=True, slots=True)
class Life:
    """A small agency in process, whose runs may die."""

    rig: Rig
    scribe: Scribe
    pages: Mapping[str, tuple[str, ...]]

    def run(self, steps: Steps, mode: Mode = Mode.FULL) -> int:
        """Run one cycle as a process of its own; return how many changes it made."""
        store = MortalStore(str(self.rig.store.engine.url))
        store.steps, store.clock = steps, self.rig.clock
        given = self.rig.context
        context = Context(
            **{
                name: getattr(given, name)
                for name in Context.__dataclass_fields__
                if name not in ("store", "notion")
            },
            store=store,
            notion=cast(Notion, MortalNotion(given.notion, steps)),
        )
        try:
            report = sync(context, CycleRequest(mode))
        finally:
            store.steps = Steps()
            store.close()
        assert not report.refused
        assert not [one for one in report.plan.problems if one.code == "rule-failed"]
        return sum(report.applied.counts().values())

    def converge(self, steps: Steps) -> None:
        """Run until nothing is left to write, as a new process after each crash."""
        for _ in range(8):
            try:
                if not self.run(steps):
                    return
            except Crash:
                self.rig.clock.advance(SETTLE)
        raise AssertionError("the plan never became empty")

    def move_on(self) -> None:
        """Let work be done, an alarm end and days pass, so that rows change, open and close."""
        for number in (5, 10, 15, 20):
            self.rig.jira.control(
                "transition", {"issue": f"ACME-{number}", "status": "Done"}
            )
        today = self.rig.clock.now().date()
        self.scribe.edit("clients", self.pages["clients"][1], {"last_contact": today})
        self.scribe.edit("projects", self.pages["projects"][3], {"stage": "proposal"})

    def picture(self) -> Mapping[str, Any]:
        """Return all that stands in Notion and in the memory, with the worker's rows named by their keys."""
        cards = [
            (source, card)
            for source in self.rig.bindings()
            for card in living(self.rig, source)
        ]
        names = {
            card.page_id: card.values.get("worker_key") or card.page_id
            for _, card in cards
        }
        assert len(set(names.values())) == len(names), "two rows carry one key"
        with self.rig.store.reading("studio") as tx:
            remembered, past = memory.load(tx), history.load(tx)
        return {
            **{
                f"{source}/{names[card.page_id]}": {
                    name: _named(value, names) for name, value in card.values.items()
                }
                for source, card in cards
            },
            "memory": {
                part: dict(sorted(items.items()))
                for part, items in (
                    ("tracks", remembered.tracks),
                    ("occurrences", remembered.occurrences),
                    ("baselines", remembered.baselines),
                )
            },
            "is first": remembered.first_run,
            "history": past,
        }


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list | tuple):
        return sorted(str(names.get(item, item)) for item in value)
    return value


@contextmanager
def live(folder: Path) -> Iterator[Life]:
    """Yield a small agency that has worked for a month before the worker came."""
    folder.mkdir()
    settings = {"thresholds": {"tasks_per_client": ALLOWED}}
    rig = open_rig(empty(), folder, start=NOW - LONG_AGO, settings=settings)
    agency = small_agency("en")
    rig.jira.control("load", agency.jira)
    owner = agency.staff[0]
    user = rig.notion.control("add_user", {"name": owner.name, "email": owner.email})
    scribe = Scribe(rig.notion, rig.context.schema, rig.bindings(), user["id"])
    pages = type_rows(agency, scribe)
    rig.clock.advance(LONG_AGO)
    try:
        yield Life(rig, scribe, pages)
    finally:
        rig.close()


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    told = [f"only {name}" for name in sorted(found.keys() ^ wanted.keys())]
    for name in sorted(found.keys() & wanted.keys()):
        one, other = found[name], wanted[name]
        if one != other and isinstance(one, dict):
            told += [
                f"{name} {part}: {one.get(part)} instead of {other.get(part)}"
                for part in sorted({*one, *other}, key=str)
                if one.get(part) != other.get(part)
            ]
        elif one != other:
            told.append(f"{name}: {one} instead of {other}")
    return told


def _spread(steps: int) -> list[int]:
    """Return the steps at which a run dies."""
    stride = max(1, steps // SAMPLES)
    return list(range(1, steps + 1, stride))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_first_run_that_dies_anywhere_is_taken_up_where_it_ended(
    tmp_path: Path,
) -> None:
    counting = Steps()
    with live(tmp_path / "golden") as life:
        life.run(counting)
        life.converge(Steps())
        golden = life.picture()
    clients = [
        row["client"]
        for name, row in golden.items()
        if name.startswith("tasks/") and row["client"]
    ]
    assert max(map(clients.count, clients)) <= ALLOWED
    assert counting.taken > 100
    for fatal in _spread(counting.taken):
        with live(tmp_path / str(fatal)) as life:
            life.converge(Steps(fatal))
            assert _differences(life.picture(), golden) == [], f"died at step {fatal}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_later_run_that_dies_anywhere_is_taken_up_where_it_ended(
    tmp_path: Path,
) -> None:
    def later(folder: Path, steps: Steps) -> Mapping[str, Any]:
        with live(folder) as life:
            life.converge(Steps())
            life.move_on()
            for days in (1, 1):
                life.rig.clock.advance(timedelta(days=days))
                life.converge(steps)
            return life.picture()

    counting = Steps()
    golden = later(tmp_path / "golden", counting)
    closed = [
        one
        for one in golden["memory"]["occurrences"].values()
        if one.closing == "condition"
    ]
    assert closed, "something closed by itself"
    for fatal in _spread(counting.taken):
        found = later(tmp_path / str(fatal), Steps(fatal))
        assert _differences(found, golden) == [], f"died at step {fatal}"
