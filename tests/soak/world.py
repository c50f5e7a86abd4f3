"""A simulated world: both services, one state, the processes on it, and how a cycle of one of them goes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from rayline_demo.rig import Rig
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, Request, Response
from tests.soak.ground import Ground
from tests.soak.people import Hands, type_against
from tests.soak.process import Process, Stroke, Wires, bury, start
from tests.soak.story import Story
from tests.soak.witness import PAGE, Witness
from tests.support.crashes import Crash
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.ownership import claim_boards
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.charts import Chart
from worker.errors import Busy, RaylineError
from worker.state.processes import is_gone
from worker.state.store import to_micros
from worker.write import writer
from worker.write.uploads import PNG

PICTURE = PNG + b"a chart"
LEASE = 180
"""Seconds after which a lease lapses."""


@dataclass(slots=True)
class World:
    """Everything of one seed. `armed` befalls the next cycle; `states` counts the databases there have been. In a world
    that `is_compared` with a calm one nobody acts during a run: what is done then depends on how the run goes."""

    ground: Ground
    folder: Path
    story: Story = field(default_factory=Story)
    clock: Clock = field(init=False)
    notion: NotionSandbox = field(init=False)
    jira: JiraSandbox = field(init=False)
    witness: Witness = field(init=False)
    file: Path = field(init=False)
    processes: dict[int, Process] = field(default_factory=dict)
    started: int = 0
    armed: list[Stroke] = field(default_factory=list)
    copy: Path | None = None
    copy_is_strange: bool = False
    rival: Hands | None = None
    """A person who is about to type into what the worker writes next into a cell of people's."""
    states: int = 0
    waited: timedelta = field(default_factory=timedelta)
    forces: bool = False
    is_compared: bool = False
    nested: int = 0

    def __post_init__(self) -> None:
        self.clock = Clock(self.ground.now)
        self.notion = self.ground.notion(self.clock)
        self.jira = self.ground.tracker(self.clock)
        self.file = self.folder / "state-0.db"
        _write(self.file, self.ground.state)
        self.witness = Witness(
            self.notion,
            self.jira,
            self.clock,
            self.story,
            self.ground.context.schema,
            self.ground.bindings,
            lambda: self.file,
            ours=dict(self.ground.ours),
        )
        self.story.sums["runs"] = self.ground.runs

    def next_morning(self) -> None:
        """Let the next morning come, at the hour at which the world began."""
        passed = self.clock.now() - self.ground.now
        days = timedelta(days=passed // timedelta(days=1) + 1)
        self.clock.advance(days - passed)

    # Processes

    def process(self, number: int) -> Process:
        """Return a process by its number; a dead one is followed by another."""
        running = self.processes.get(number)
        if running is not None and not running.life.is_dead:
            return running
        self.started += 1
        wires = Wires(self._serve_notion, self.witness.serve_jira)
        fresh = start(
            f"worker-{self.started}",
            f"sqlite:///{self.file}",
            self.clock,
            self.ground.context,
            wires,
        )
        self.processes[number] = fresh
        return fresh

    def _serve_notion(self, name: str, request: Request) -> Response:
        gap = any(
            process.name == name and process.life.is_in_gap
            for process in self.processes.values()
        )
        page = PAGE.match(request.path)
        if self.rival and page and request.method == "PATCH":
            cells = json.loads(request.body or b"{}").get("properties") or {}
            if type_against(self.rival, page[1], cells):
                self.rival = None
        return self.witness.serve_notion(name, request, in_gap=gap)

    def close(self) -> None:
        """Close every connection."""
        for process in self.processes.values():
            process.close()
        self.processes.clear()

    # State

    def keep_copy(self) -> None:
        """Make a copy of the state, as `rayline backup` does."""
        self.close()
        self.copy = self.folder / "copy.db"
        self.copy_is_strange = self.story.sums["runs"] == 0
        shutil.copy(self.file, self.copy)
        self.copy.chmod(0o600)

    def put_back(self) -> bool:
        """Put the copy back; tell whether there was one."""
        if self.copy is None:
            return False
        self._replace_state(self.copy.read_bytes())
        self.witness.is_outdated = True
        if self.copy_is_strange:
            self._take_over()
        return True

    def lose(self) -> None:
        """Lose the state. A copy made before is then one of an earlier owner of the boards."""
        self._replace_state(b"")
        self.witness.is_outdated = False
        self._take_over()
        self.copy_is_strange = True

    def _take_over(self) -> None:
        """Have a person confirm that a state which does not know whose the boards are is their owner's."""
        process = self.process(0)
        try:
            claim_boards(process.context, process.context.notion, take_over=True)
        except RaylineError as error:
            self.story.tell("ended", type(error).__name__)

    def _replace_state(self, content: bytes) -> None:
        self.close()
        self.states += 1
        self.file = self.folder / f"state-{self.states}.db"
        if content:
            _write(self.file, content)
        self.witness.is_forgetful = True

    def rig(self) -> Rig:
        """Return the world as checks of other tests look at it."""
        process = self.process(0)
        return Rig(self.clock, self.notion, self.jira, process.context, process.store)

    # Cycles

    def cycle(self, number: int, mode: Mode, strokes: list[Stroke]) -> Report | None:
        """Have a process run a cycle, which these strokes befall; None when it ended otherwise than by itself."""
        # That a row is gone is seen by a look at everything alone. Until then a cycle goes by what it knew, and one of two
        # lives that are compared would know longer than the other.
        if self.is_compared and self.witness.thrown:
            mode = Mode.FULL
        process = self.process(number)
        process.life.begin(strokes)
        self.witness.begin_run(process.name)
        order = CycleRequest(mode, "soak", force=self.forces)
        began, waited, writes = self.clock.now(), self.waited, self.writes()
        answered = self.story.sums["answers"]
        around, self.nested = self.nested, 0
        self.story.sums["cycles"] += 1
        lease = self._look_at_lease()
        report = None
        try:
            report = sync(process.context, order)
        except Crash:
            self.processes.pop(number).close()
        except RaylineError as error:
            self.story.tell("ended", f"{type(error).__name__}: {error}")
            if isinstance(error, Busy):
                self.story.tell("lease", "held by another")
        except Exception as error:  # noqa: BLE001 - whatever else escapes a cycle is what is looked for
            self.story.accuse(f"uncaught {type(error).__name__}: {error}")
        finally:
            process.life.strokes = []
        if process.context.stop.is_set() and number in self.processes:
            self.processes.pop(number).close()
        self._check_time(process, began, self.waited - waited)
        done = self.writes() - writes - (self.story.sums["answers"] - answered)
        if report is not None:
            self.story.sums["runs"] += 1
            self.story.tell("lease", lease)
            self._check_report(report, done - self.nested)
        # What a run wrote while another was paused is not that one's.
        self.nested = around + done
        self.witness.check_keys()
        return report

    def _look_at_lease(self) -> str:
        """Return what the workspace's lease is, before a run claims it."""
        with closing(sqlite3.connect(self.file)) as connection:
            row = connection.execute("SELECT owner, until FROM leases").fetchone()
        if row is None or row[1] == 0:
            return "free"
        if is_gone(row[0]):
            return "of a dead process"
        return "that lapsed" if row[1] <= to_micros(self.clock.now()) else "held"

    def writes(self) -> int:
        """Return how often the worker changed something in Notion so far."""
        return self.story.sums["committed"]

    def _check_time(self, process: Process, began: Any, waited: timedelta) -> None:
        """I9: a cycle ends by its deadline."""
        limit = timedelta(seconds=process.context.settings.schedule.run_limit)
        if self.clock.now() - began - waited > limit + timedelta(minutes=5):
            self.story.accuse("I9 a cycle went on beyond its deadline")

    def _check_report(self, report: Report, writes: int) -> None:
        """I7, I10: a refused plan writes nothing, and what is said was done."""
        for problem in report.problems():
            self.story.tell("problem", problem.code)
        end = "done"
        if report.refused:
            end = "refused"
            for reason in report.refused:
                self.story.tell("refused", reason.code)
            if writes:
                self.story.accuse(f"I7 a refused plan wrote {writes} times")
        elif report.applied.taken_by:
            end = "taken over"
        elif report.applied.stopped:
            end = "stopped"
        self.story.tell("cycle", end)
        for name, count in report.applied.counts().items():
            if count:
                self.story.tell("wrote", name)
        if report.applied.unknown:
            self.story.tell("doubt", "creation")
        if report.kept():
            self.story.tell("kept", "a person's value")
        said = sum(report.applied.counts().values())
        if writes and not said and not _explained(report):
            self.story.accuse(
                f"I10 {writes} writes, and the report says nothing was done"
            )

    # What befalls a process

    def crash(self, number: int, *, is_local: bool) -> Callable[[], None]:
        """Return a death of a process, on this machine or on another."""

        where = "on this machine" if is_local else "elsewhere"

        def die() -> None:
            process = self.processes[number]
            when = "in a later run" if self.story.sums["runs"] else "in the first run"
            self.story.tell("crash", f"{process.life.place} {where} {when}")
            self.story.sums["crashes"] += 1
            if is_local:
                bury(process.store, process.context.owner)
            process.life.end()

        return die

    def pause(
        self, number: int, seconds: float, other: int | None, then: Callable[[], None]
    ) -> Callable[[], None]:
        """Return a pause of a process, in which another one may run a cycle, and something may happen."""

        def wait() -> None:
            life = self.processes[number].life
            length = "beyond" if seconds > LEASE else "within"
            self.story.tell("pause", f"{life.place} {length} the lease")
            self.clock.advance(timedelta(seconds=seconds))
            began = self.clock.now()
            then()
            if other is not None:
                self.cycle(other, Mode.DELTA, [])
            life.is_in_gap = True
            self.waited += timedelta(seconds=seconds) + self.clock.now() - began

        return wait


def _explained(report: Report) -> bool:
    """Tell whether a report says that something may have been written all the same."""
    return bool(
        report.applied.unknown
        or report.applied.failures
        or report.applied.stopped
        or report.applied.warnings
        or report.applied.taken_by
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


@contextmanager
def overheard(story: Story) -> Iterator[None]:
    """Have what the worker logs be events of a story, and be printed nowhere."""

    def hear(_logger: Any, _method: str, entry: dict[str, Any]) -> dict[str, Any]:
        name = entry.get("event", "")
        outcome = entry.get("outcome", "")
        story.tell("log", f"{name} {entry.get('kind', '')} {outcome}")
        raise structlog.DropEvent

    processors = structlog.get_config()["processors"]
    before = processors.copy()
    processors[:] = [hear]
    try:
        yield
    finally:
        processors[:] = before


class _Easel:
    """Stands in for the processes of the chart engine, which would take all of the time: one picture for every chart."""

    def draw(self, _chart: Chart) -> bytes:
        """Return a picture."""
        return PICTURE


@contextmanager
def drawn_at_once() -> Iterator[None]:
    """Have no process of the chart engine begun."""

    @contextmanager
    def open_easel() -> Iterator[_Easel]:
        yield _Easel()

    with patch.object(writer, "open_engines", open_easel):
        yield
