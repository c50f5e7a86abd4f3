"""Runs on somebody's order, beside the rules: one plan, drawn from what stands and carried out through the gate of every
other plan. A table is brought in so, a run taken back, a decision of people's written where they would have typed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from worker.cycle.clock import with_right_clock
from worker.cycle.context import Context, CycleRequest
from worker.cycle.execution import (
    OpenRun,
    carry_out,
    claim,
    open_run,
    recording_failure,
    report_on,
)
from worker.cycle.ownership import look_first
from worker.cycle.planning import fetch_boards, find_refusals, managed_rows, page_sizes
from worker.cycle.report import Report, record
from worker.errors import Problem, RenderedProblem, in_words
from worker.mapping.schema import Bindings
from worker.plan.plan import Plan
from worker.read.boards import BoardsRead
from worker.read.schema import Bound, read_schema
from worker.state import runs
from worker.world.memory import Pending
from worker.world.world import World
from worker.write.settle import settle
from worker.write.writer import Applied


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A plan on order, why it may not be carried out (`refused`), and what is to be told beside it (`notes`); `managed`
    counts the rows of each data source as they were read."""

    world: World
    plan: Plan
    bindings: Bindings
    managed: Mapping[str, int]
    refused: tuple[RenderedProblem, ...] = ()
    notes: tuple[RenderedProblem, ...] = ()


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The boards as they were just read, and what of earlier writes is not settled."""

    bound: Bound
    boards: BoardsRead
    unsettled: tuple[Problem, ...]


D = TypeVar("D", bound=Draft)
T = TypeVar("T")


def from_fresh_boards(
    context: Context, order: CycleRequest, draw: Callable[[Context, Standing], T]
) -> T:
    """Read all boards and return what is drawn from them; writes nothing but the snapshot. Raises the API errors."""

    def read_and_draw(watched: Context) -> T:
        now = watched.now()
        bound = read_schema(watched.notion, watched, afresh=True)
        unsettled = settle(watched.notion, watched, bound.bindings).problems
        boards, bound = fetch_boards(watched, bound, order, now=now)
        return draw(watched, Standing(bound, boards, tuple(unsettled)))

    context.begin()
    with page_sizes(context, full=True):
        return with_right_clock(context, read_and_draw)


def draft(
    context: Context,
    order: CycleRequest,
    standing: Standing,
    *,
    world: World,
    plan: Plan,
    faults: Iterable[Problem] = (),
) -> Draft:
    """Return a plan with why it may not be carried out: `faults` of what was ordered, and the limits of all plans."""
    managed = managed_rows(context, world, standing.bound)
    refused = [
        *faults,
        *find_refusals(
            context, order, plan, boards=standing.boards, managed=managed, world=world
        ),
    ]
    return Draft(
        world,
        plan,
        standing.bound.bindings,
        managed,
        tuple(in_words(reason, context.words) for reason in refused),
        tuple(in_words(problem, context.words) for problem in standing.unsettled),
    )


def write_draft(context: Context, drawn: Draft, opened: OpenRun) -> Applied:
    """Keep a plan and carry it out, unless it is refused or empty."""
    with context.transaction() as tx:
        runs.save_plan(tx, drawn.plan, opened.id, now=context.now())
    if drawn.refused or not drawn.plan.changes:
        return Applied()
    claim(context, drawn, opened.fence)
    return carry_out(context, drawn, opened.fence, Pending(), claim=str(opened.id))


def run_errand(
    context: Context,
    order: CycleRequest,
    draw: Callable[[Context], D],
    *,
    rule: str,
    write: Callable[[Context, D, OpenRun], Applied] = write_draft,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> tuple[Report, D]:
    """Draw a plan, carry it out and return how it went; the run is kept under the name of its `rule`.

    Raises `Busy` when another process holds the workspace, and what `draw` raises.
    """
    with open_run(context, order) as opened:
        leased = opened.context
        on_start(opened.id)
        with recording_failure(context, opened):
            look_first(leased, order)
            drawn = draw(leased)
            applied = write(leased, drawn, opened)
        report = report_on(
            context, order, opened, drawn=drawn, applied=applied, notes=drawn.notes
        )
        record(leased, report, rule)
    return report, drawn
