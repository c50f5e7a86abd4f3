"""What a cycle reads may be older than what stands: at any one read, all the same comes out as if it had not been.

Services answer from copies that trail. Here one read of a cycle is answered as it would have been a while before, by
copies of both services that stood still: as the last cycle left them, or amid the morning, a moment that no cycle saw.
What the cycle then writes goes to the services as they are. The next ones see all; in the end boards and memory must be
those of a life that always saw what stood. `RAYLINE_VIEWS=all` has each read trail, else the first of each kind does.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from rayline_demo.rig import copy_notion
from rayline_demo.stage import LONG_AGO
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.wire import Clock, Handler, Request, Response
from tests.support import invariants
from tests.support.forks import Scene, World, fork, keep, make_scene, new_jira
from tests.support.stages import NOW, TODAY
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.story import sync
from worker.domain.values import Ref

ALL = os.environ.get("RAYLINE_VIEWS") == "all"
BEAT = timedelta(minutes=40)
MOST_CYCLES = 6


class Read(NamedTuple):
    """One read of a cycle: of which service, what, and which of its like."""

    side: str
    what: str
    nth: int


MOMENTS = LAST_CYCLE, AMID = "as the last cycle left it", "as it was amid the morning"
Past = dict[str, Handler]
"""Both services as they were."""


@dataclass
class Sight:
    """Through what a worker looks: each service as it is, but at one read as it was."""

    past: Past = field(default_factory=dict)
    late: Read | None = None
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    was_late: bool = False

    def through(self, side: str, now: Handler) -> Handler:
        """Return a service as it is seen."""

        def answer(request: Request) -> Response:
            if not _is_read(request):
                return now(request)
            what = f"{request.method} {request.path}"
            self.seen[side, what] += 1
            if Read(side, what, self.seen[side, what]) != self.late:
                return now(request)
            self.was_late = True
            return self.past[side](request)

        return answer

    def reads(self) -> Iterator[Read]:
        """Yield every read there was so far."""
        for (side, what), times in self.seen.items():
            for nth in range(1, times + 1):
                yield Read(side, what, nth)


def _is_read(request: Request) -> bool:
    """Tell whether a request only looks, at what services answer from copies: a page asked for by its id is as it is."""
    if request.method == "POST":
        return request.path.endswith(("/query", "/search", "/search/jql"))
    return request.method == "GET" and not request.path.startswith("/v1/pages/")


def early_in_jira(jira: JiraSandbox) -> None:
    """Let some work be done."""
    jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    jira.control("create", {"project": "ACME", "fields": {"summary": "New work"}})


def early_morning(world: World) -> None:
    """Let some time of a morning pass, in which no cycle looks."""
    early_in_jira(world.jira)
    projects = world.pages["projects"]
    world.scribe.edit("projects", projects[2], {"budget": Decimal(950_000)})
    world.scribe.edit("projects", projects[1], {"due": TODAY + timedelta(days=9)})


def late_morning(world: World) -> None:
    """Let the rest of it pass."""
    jira, notion = world.jira, world.notion
    jira.control("transition", {"issue": "ACME-6", "status": "Done"})
    jira.control("delete", {"issue": "ACME-31"})
    projects, clients = world.pages["projects"], world.pages["clients"]
    world.scribe.add(
        "projects",
        name="Late card",
        client=(Ref("clients", clients[1]),),
        stage="in_progress",
        due=TODAY - timedelta(days=5),
    )
    world.scribe.edit("projects", projects[2], {"budget": Decimal(700_000)})
    notion.control("trash", {"id": projects[3]})
    task = next(iter(invariants.keyed_rows(world)))
    notion.control("duplicate", {"page_id": task})


def stand_still(world: World, work: Callable[[JiraSandbox], None]) -> Past:
    """Return copies of both services as they are now, which tell the time as the services do.

    In Jira nothing but `work` has been done since it was loaded.
    """
    clock = Clock(NOW - LONG_AGO)
    jira = new_jira(clock, world.clock.now())
    work(jira)
    notion = copy_notion(world.notion, world.clock)
    for copy in (notion, jira):
        copy.control("date", {"clock": "workspace"})

    def answer(request: Request) -> Response:
        clock.advance(world.clock.now() - clock.now())
        return jira.handle(request)

    return {"notion": notion.handle, "jira": answer}


@dataclass
class Life:
    """A morning as one cycle saw it, and what stood in the end."""

    sight: Sight
    reads: list[Read] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    standing: invariants.Picture = field(default_factory=dict)


def live(
    scene: Scene, folder: Path, moment: str = "", late: Read | None = None
) -> Life:
    """Live through a morning, one read of whose first cycle shows a moment before it; then until nothing is written."""
    with fork(scene, folder) as world:
        life = Life(Sight(late=late))
        if moment == LAST_CYCLE:
            life.sight.past = stand_still(world, lambda _jira: None)
        early_morning(world)
        if moment == AMID:
            life.sight.past = stand_still(world, early_in_jira)
        late_morning(world)
        typed = invariants.people_cells(world)
        world.wire.answer = life.sight.through("notion", world.notion.handle)
        world.jira_wire.answer = life.sight.through("jira", world.jira.handle)
        for _ in range(MOST_CYCLES):
            world.clock.advance(BEAT)
            since = world.notion.revision()
            report = sync(world.context, CycleRequest(Mode.FULL))
            log = world.notion.entries(since)
            life.broken += invariants.find_untrue(world, log, report)
            writes = invariants.find_writes(world, log)
            life.made.update(report.applied.counts())
            life.reads = life.reads or list(life.sight.reads())
            life.sight.late = None
            if not writes and not report.refused:
                break
        else:
            life.broken.append("I5 it never came to rest")
        log = world.notion.entries(0)
        life.broken += invariants.find_doubled(world)
        life.broken += invariants.find_changed(world, typed)
        life.broken += invariants.find_archived(world, log)
        life.standing = invariants.picture(world)
        return life


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Return the small world on which the worker has done all there is to do."""
    folder = tmp_path_factory.mktemp("scenes")
    fresh = make_scene(folder)
    with fork(fresh, folder) as world:
        for _ in range(2):
            sync(world.context, CycleRequest(Mode.FULL))
        return keep(world, fresh, folder, "settled")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_read_that_trails_changes_nothing_in_the_end(
    moment: str, scene: Scene, tmp_path: Path
) -> None:
    calm = live(scene, tmp_path)
    assert calm.broken == []
    chosen = [read for read in calm.reads if ALL or read.nth == 1]
    assert len(chosen) > 20
    found: list[str] = []
    for read in chosen:
        life = live(scene, tmp_path, moment, read)
        wrong = [*life.broken, *invariants.differences(calm.standing, life.standing)]
        for kind in ("create", "archive"):
            if life.made[kind] != calm.made[kind]:
                wrong.append(f"{kind}: {life.made[kind]} instead of {calm.made[kind]}")
        if not life.sight.was_late:
            wrong.append("the read was not made")
        found += [f"{read.side} {read.what}, {read.nth}: {one}" for one in wrong]
    assert found == []
