"""A process that dies at any point of its work is taken up by the next: nothing lost, nothing doubled, the same memory.

Four stories are cut off before and after every request and every commit. What a death leaves behind is judged once, by
running again until nothing is written. `RAYLINE_CRASHES=all` judges every state, else those of a sample in which
everything that happens is cut off once.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rayline_demo.rig import Rig
from tests.support import invariants
from tests.support.crashes import Crash, Point, Points, in_a_fork, sample, states
from tests.support.invariants import Cell
from tests.support.mortal_office import (
    Office,
    differences,
    find_unjournalled,
    open_office,
    picture,
    rest,
    run,
)
from tests.support.postgres import (
    cut_connections,
    empty_database,
    postgres_url,  # noqa: F401 - a fixture
)
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.cycle.triggering import ask_cycle
from worker.cycle.undoing import undo
from worker.daemon.job_log import JobLog
from worker.domain.values import Ref
from worker.errors import RaylineError
from worker.state.triggers import Asker, Order, Source

CHOICE = os.environ.get("RAYLINE_CRASHES", "4")
"""How many states of each story are judged beside one of each kind: a number, or all."""
ON_A_SERVER, SEED = 4, 13
UNDONE = 3
"""The number of the next day's run."""
TICK = "sync_now"
"""The one cell of people's that the worker answers by emptying it."""
ANSWER = re.compile(
    r"I4 (clients \S+ ⚙ Synced|state cell \S+ synced|state request \d+): "
)
"""How a run that was asked for says that it ended: a run whose changes were in doubt says so, and is right."""
WAITS = (0, 300)
"""Seconds until the next process comes: at once, when nobody can know yet what became of a request; and later."""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are copied and named"
)


@dataclass(frozen=True)
class Story:
    """How a world comes to be (at an address of a state, empty: a file), the work that is cut off, and how it is taken up
    again; the work has more than so many points, and does changes of these kinds. Where a sample begins: what was read
    before is the same in each cycle, so that one story is enough to sample it."""

    prepare: Callable[[Path, str], Office]
    work: Callable[[Office, Points], Report]
    again: Callable[[Office], Report]
    points: int
    kinds: frozenset[str]
    begins: str = ""


def _serve(office: Office, points: Points | None = None) -> Report:
    """Run a cycle as a daemon does: what people asked for is taken by the run, and answered by how it ended."""
    context = office.start(points or Points())
    jobs = JobLog(context.store, context.name)
    order = Order(full=True)
    report = sync(
        context,
        CycleRequest(Mode.FULL),
        on_start=lambda run_id: jobs.take(run_id, order, is_reading=False),
    )
    jobs.answered(report.run_id)
    context.store.close()
    return report


def _doubled(folder: Path, url: str) -> Office:
    """A first run was paused as a request left, another did its work meanwhile: one row stands twice."""
    office = open_office(folder, url)
    made = count()

    def pause(point: Point) -> None:
        if point.label == "before POST /v1/pages" and next(made) == 20:
            office.later(minutes=10)
            run(office.restarted())

    report = run(office, Points(pause))
    assert report.applied.taken_by
    assert [one.code for one in report.applied.failures] == ["surplus-row"]
    return office.restarted().restarted()


def _next_day(folder: Path, url: str) -> Office:
    """People worked, pinned, asked and ticked since the first run; the line that names the installation is a day old."""
    office = _doubled(folder, url)
    office.later(days=1)
    for number in (5, 10):
        office.rig.jira.control(
            "transition", {"issue": f"ACME-{number}", "status": "Done"}
        )
    client = office.pages["clients"][0]
    today = office.rig.clock.now().date()
    office.edit("clients", client, last_contact=today, sync_now=True)
    office.edit("projects", office.pages["projects"][0], stage="proposal")
    plan = next(one for one in office.keyed("plans") if one.values["target"])
    office.edit("plans", plan.page_id, target=plan.values["target"] * 2, pinned=True)
    context = office.start(Points())
    ask_cycle(context, Order(full=True), Asker("Ann", Source.CONSOLE))
    context.store.close()
    return office


def _to_be_undone(folder: Path, url: str) -> Office:
    office = _next_day(folder, url)
    report = _serve(office)
    assert report.run_id == UNDONE
    office = rest(office.restarted(), _serve)
    office.later(minutes=10)
    return office


def _undo(office: Office, points: Points | None = None) -> Report:
    context = office.start(points or Points())
    order = CycleRequest(Mode.FULL, "undo", force=True, undoes=UNDONE, who="Ann")
    report = undo(context, order)
    context.store.close()
    assert not report.refused
    return report


def _in_doubt(folder: Path, url: str) -> Office:
    """The answers of three creations were lost, two of which had been made."""
    office = open_office(folder, url)
    pages = {"method": "POST", "path_regex": "^/v1/pages$"}
    faults = (("reset_after", 3), ("reset_before", 8), ("reset_after", 30))
    rules = [{"kind": kind, "match": {**pages, "nth": nth}} for kind, nth in faults]
    office.rig.notion.control("faults", {"rules": rules})
    report = run(office)
    assert len(report.applied.unknown) == len(faults)
    office.later(minutes=5)
    return office.restarted()


STORIES = {
    "first import": Story(
        open_office,
        run,
        run,
        600,
        frozenset({"create", "update", "sections"}),
        begins="cycle.story.run_pass",
    ),
    "next day": Story(
        _next_day,
        _serve,
        _serve,
        500,
        frozenset({"create", "update", "archive", "sections"}),
        begins="cycle.story.run_pass",
    ),
    "undo": Story(
        _to_be_undone,
        _undo,
        _undo,
        400,
        frozenset({"update", "archive"}),
        begins="cycle.undoing._carry_out",
    ),
    "settling": Story(_in_doubt, run, run, 100, frozenset({"create"})),
}


@dataclass
class Case:
    """One story in two worlds: one in which it was never disturbed, and one whose worker dies."""

    story: Story
    office: Office
    golden: Mapping[str, Any]
    points: list[Point]
    typed: Mapping[Cell, Any]
    before: list[str]
    found: list[str] = field(default_factory=list)
    judged: int = 0

    def judge(self, office: Office, point: Point) -> list[str]:
        """Return what is wrong with a world whose worker died at a point, after it was taken up again."""
        lost = find_unjournalled(office)
        office.later(seconds=WAITS[point.number % len(WAITS)])
        doubts: list[Ref] = []

        def again(office: Office) -> Report:
            report = self.story.again(office)
            doubts.extend(report.applied.unknown)
            return report

        office = rest(office, again)
        rig = office.rig
        unlike = differences(picture(office), self.golden)
        return [
            *lost,
            *(one for one in unlike if not (doubts and ANSWER.match(one))),
            *(one for one in _broken(rig) if one not in self.before),
            *invariants.find_changed(rig, self.typed),
        ]

    def note(self, point: Point, look: Callable[[], list[str]]) -> None:
        """Judge a world in a copy of this process."""
        self.judged += 1
        try:
            told = in_a_fork(look)
        except AssertionError as error:
            told = [str(error)]
        self.found += [f"died at {point.number}, {point.label}: {one}" for one in told]


def _open_case(story: Story, folder: Path, url: str = "") -> Case:
    """Live through a story undisturbed, and prepare it once more; what is loaded only once is loaded then."""
    calm = story.prepare(folder / "calm", "")
    points = Points()
    report = story.work(calm, points)
    done = {kind for kind, number in report.applied.counts().items() if number}
    assert done >= story.kinds
    golden = picture(rest(calm.restarted(), story.again))
    office = story.prepare(folder / "cut", url)
    typed = {
        cell: value
        for cell, value in invariants.people_cells(office.rig).items()
        if cell.field != TICK
    }
    gc.collect()
    gc.freeze()
    return Case(story, office, golden, points.passed, typed, _broken(office.rig))


def _broken(rig: Rig) -> list[str]:
    log = rig.notion.entries(0)
    return [*invariants.find_doubled(rig), *invariants.find_archived(rig, log)]


@pytest.fixture
def frozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("name", ["first import", "settling", "next day", "undo"])
def test_a_process_that_dies_at_any_point_is_taken_up_as_if_it_had_not(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    case = _open_case(STORIES[name], tmp_path)
    every = states(case.points)
    chosen = {point.changes for point in every}
    if CHOICE != "all":
        begins = case.story.begins
        first = next(point for point in case.points if begins in point.label)
        later = case.points[first.number - 1 :]
        chosen = {point.changes for point in sample(later, each=int(CHOICE))}
    assert len(case.points) > case.story.points
    office, judged = case.office, set()

    def visit(point: Point) -> None:
        if point.changes not in chosen or point.changes in judged:
            return
        judged.add(point.changes)
        place = tmp_path / f"{point.number}.db"
        case.note(point, lambda: case.judge(office.image(place), point))

    case.story.work(office, Points(visit))
    assert judged == chosen, "both worlds came by the same points"
    told = (
        f"{name}: {len(case.points)} points, {len(every)} states, {case.judged} judged"
    )
    record_property("told", told)
    assert case.found == [], told
    assert (
        differences(picture(rest(office.restarted(), case.story.again)), case.golden)
        == []
    )


def _seeded(case: Case, number: int) -> list[Point]:
    """Return points at which something lasting has just changed, drawn by a seed."""
    return sorted(
        Random(SEED).sample(states(case.points)[1:], number),
        key=lambda point: point.number,
    )


def _disturbed(case: Case, url: str, point: Point, *, dies: bool) -> list[str]:
    """Return what is wrong with a world on a server whose worker lost all connections at a point, and perhaps died."""
    office = case.office.elsewhere(url)
    found: list[str] = []

    def visit(passed: Point) -> None:
        if passed.number != point.number:
            return
        assert cut_connections(url) > 0
        if dies:
            found.extend(case.judge(office.elsewhere(url), point))
            raise Crash

    with suppress(Crash, RaylineError):
        case.story.work(office, Points(visit))
    if not dies:
        found.extend(case.judge(office.elsewhere(url), point))
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("name", "dies"), [("first import", True), ("next day", False)]
)
def test_a_process_cut_off_from_its_server_is_taken_up_as_if_it_had_not(
    name: str,
    dies: bool,
    tmp_path: Path,
    postgres_url: str,  # noqa: F811 - the fixture
    record_property: Callable[[str, object], None],
) -> None:
    case = _open_case(STORIES[name], tmp_path, postgres_url)
    case.office.rig.store.close()
    chosen = _seeded(case, ON_A_SERVER)
    for point in chosen:
        with empty_database(postgres_url) as url:
            case.note(point, partial(_disturbed, case, url, point, dies=dies))
    told = f"{name}, on PostgreSQL: cut off at {[one.label for one in chosen]}"
    record_property("told", told)
    assert case.found == [], told
