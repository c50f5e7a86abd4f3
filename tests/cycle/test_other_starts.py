"""Wherever a cycle begins, it reaches what it is to reach, and stays there.

A change is made and a cycle carries it out; it dies on the way, at points all along it. From each half-made state the
change is taken back, and all must stand as if it had never been made. From the state that was reached nothing is written
in twenty more cycles; then the change is taken back there. `RAYLINE_STARTS=all` begins at every state there is.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest

from rayline_sandbox.notion.workspace import dumped_page
from tests.support import invariants
from tests.support.crashes import Point, Points, in_a_fork, states
from tests.support.mortal_office import (
    Office,
    differences,
    open_office,
    picture,
    rest,
    run,
)
from tests.support.stages import TODAY
from worker.cycle.context import Mode
from worker.domain.values import Value

EACH = 6
"""How many half-made states of a change are tried; all of them with RAYLINE_STARTS=all."""
ALL = os.environ.get("RAYLINE_STARTS") == "all"
CYCLES, EACH_FULL = 20, 5

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are copied and named"
)


class Change(NamedTuple):
    """What a person changes in a row, to take it back later: cells and their other values."""

    source: str
    values: Mapping[str, Value]

    def page(self, office: Office) -> str:
        """Return the page in which it is made."""
        return office.pages[self.source][0]

    def make(self, office: Office) -> None:
        """Make it."""
        office.edit(self.source, self.page(office), **self.values)

    def take_back(self, office: Office, stood: Mapping[str, Any]) -> None:
        """Put back what stood there before, cells as Notion gives them."""
        asked = {"page_id": self.page(office), "properties": stood}
        office.rig.notion.control("edit", {**asked, "user": office.scribe.user})

    def stands(self, office: Office) -> dict[str, Any]:
        """Return what stands in its cells."""
        store = office.rig.notion.store
        page = dumped_page(store, store.pages[self.page(office)])
        columns = office.rig.bindings()[self.source].properties
        ids = {unquote(columns[name]) for name in self.values}
        return {
            prop["id"]: {prop["type"]: prop[prop["type"]]}
            for prop in page["properties"].values()
            if unquote(prop["id"]) in ids
        }


CHANGES = {
    "a fee": Change("clients", {"monthly_fee": Decimal(100_000)}),
    "a fee and the frame of hours": Change(
        "clients", {"monthly_fee": Decimal(70_000), "hours_frame": Decimal(25)}
    ),
    "a name": Change("clients", {"name": "Another name"}),
    "a card's name": Change("projects", {"name": "Another card"}),
    "a link that leads nowhere": Change("projects", {"jira": "NOPE"}),
    "an end of the contract": Change(
        "clients", {"contract_end": TODAY + timedelta(days=400)}
    ),
    "an unreadable amount": Change("projects", {"budget": Decimal(-5)}),
}


def _shown(office: Office) -> dict[str, Any]:
    """Return all that stands; of cells what Notion confirmed.

    What a process meant to write as it died stays noted until the cell is written again: it might have arrived.
    """
    shown = {
        place: words
        for place, words in picture(office).items()
        if not place.startswith("state cell ")
    }
    confirmed = {
        place: words
        for place, words in invariants.picture(office.rig).items()
        if place.startswith("state bases ")
    }
    return shown | confirmed


class Settled(NamedTuple):
    """An office in which there is nothing to do, and what stands there."""

    office: Office
    standing: Mapping[str, Any]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settled]:
    office = rest(open_office(tmp_path_factory.mktemp("office") / "settled"))
    office.later(minutes=10)
    gc.collect()
    gc.freeze()
    yield Settled(office, _shown(office))
    gc.unfreeze()


def _linger(office: Office) -> list[str]:
    """I5: run on, each time as a new process; return what was written all the same."""
    found = []
    for number in range(CYCLES):
        office.later(minutes=5)
        before = office.writes()
        run(office, mode=Mode.FULL if number % EACH_FULL == 0 else Mode.DELTA)
        office = office.restarted()
        if office.writes() != before:
            found.append(f"cycle {number}: {office.writes() - before} writes")
    return found


def _pass(office: Office) -> list[Point]:
    points = Points()
    run(office, points)
    return points.passed


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_taken_back_leaves_nothing_wherever_the_change_stood(
    name: str, settled: Settled, tmp_path: Path
) -> None:
    change = CHANGES[name]

    def go_back(office: Office, stood: Mapping[str, Any]) -> list[str]:
        change.take_back(office, stood)
        office.later(minutes=5)
        return differences(_shown(rest(office)), settled.standing)

    def live() -> list[str]:
        office = settled.office.image(tmp_path / "whole.db")
        stood = change.stands(office)
        change.make(office)
        office.later(minutes=5)
        every = states(in_a_fork(lambda: _pass(office.image(tmp_path / "calm.db"))))
        stride = 1 if ALL else max(1, len(every) // EACH)
        chosen = {point.number for point in every[::stride]}
        found = [] if len(chosen) >= EACH else [f"{len(chosen)} states"]

        def visit(point: Point) -> None:
            if point.number in chosen:
                place = tmp_path / f"{point.number}.db"
                left = in_a_fork(lambda: go_back(office.image(place), stood))
                found.extend(f"from {point.label}: {one}" for one in left)

        run(office, Points(visit))
        office = rest(office.restarted())
        return [*found, *_linger(office), *go_back(office, stood)]

    assert "\n".join(in_a_fork(live)) == ""
