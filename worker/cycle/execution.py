"""A run: the workspace held, the run recorded, its plan carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import datetime, timedelta
from typing import Protocol

from worker.cycle.context import Context, CycleRequest
from worker.cycle.ownership import begin_writing, claim_boards
from worker.cycle.progress import ProgressRecord
from worker.cycle.remembering import AUTHORS
from worker.cycle.report import (
    Report,
    Traffic,
    count_answers,
    count_since,
    finish_failed,
    in_doubt,
    sum_requests,
)
from worker.errors import Problem, RenderedProblem, in_words
from worker.mapping.schema import Bindings
from worker.plan.diff import known_pages
from worker.plan.plan import Plan
from worker.state import journal, leases, runs, triggers
from worker.world.memory import Pending
from worker.world.world import World
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import Applied, apply


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run under way: its number, the context whose writing ends with the lease, and the check before a request;
    since when, and which requests were answered before."""

    id: int
    context: Context
    fence: Callable[[], None]
    began: datetime
    before: Traffic


class Proposed(Protocol):
    """A plan, and why it may not be carried out."""

    @property
    def plan(self) -> Plan:
        """Return what is to be written."""

    @property
    def refused(self) -> tuple[RenderedProblem, ...]:
        """Return why it may not be carried out."""


class Drawn(Proposed, Protocol):
    """A proposed plan with the world it was made from, and where that world's columns are."""

    @property
    def world(self) -> World:
        """Return what was seen."""

    @property
    def bindings(self) -> Bindings:
        """Return where the columns of each data source are."""


@contextmanager
def open_run(context: Context, order: CycleRequest) -> Iterator[OpenRun]:
    """Hold the workspace for a block and record that a run begins, and with it its deadline; raises `Busy` when another
    process holds it."""
    store = context.store
    began = context.now()
    before = count_answers(context)
    with leases.hold(
        store,
        context.name,
        context.owner,
        ttl=timedelta(seconds=context.settings.schedule.lease),
        now=store.now,
        limit=timedelta(seconds=2 * context.settings.schedule.run_limit),
    ) as held:
        now = context.now()
        with store.transaction(context.name) as tx:
            runs.close_lost(tx, now=now)
            triggers.give_back(tx)
            run_id = runs.start(
                tx,
                order.trigger,
                now=now,
                scope=order.in_short(),
                dry_run=order.dry_run,
            )
        leased = renew(
            context,
            store=store.guarded(held.confirm),
            progress=ProgressRecord(store, context.name, run_id, context.progress),
        )

        def fence() -> None:
            context.clocks.check()
            held.check()

        context.begin()
        yield OpenRun(run_id, leased, fence, began, before)


@contextmanager
def recording_failure(context: Context, opened: OpenRun) -> Iterator[None]:
    """Record that a run ended with what a block dies of."""
    try:
        yield
    except Exception as error:
        finish_failed(context, opened.id, error, opened.before)
        raise


def claim(
    context: Context, drawn: Drawn, fence: Callable[[], None]
) -> tuple[Problem, ...]:
    """Make sure that the boards are ours where something will be written; return what is to be told."""
    if drawn.refused or not drawn.plan.changes:
        return ()
    return claim_boards(context, context.notion.guarded(fence))


def carry_out(
    context: Context,
    drawn: Drawn,
    fence: Callable[[], None],
    pending: Pending,
    *,
    claim: str,
) -> Applied:
    """Write a plan, and remember with each row what is `pending` until it is written."""
    with context.reading() as tx:
        known = known_pages(drawn.world, context.schema, journal.canonical_pages(tx))
        authors = AUTHORS.load(tx)
    is_first = bool(drawn.plan.changes) and begin_writing(context) and not known
    seen = {row.page_id: row for rows in drawn.world.rows.values() for row in rows}
    return apply(
        drawn.plan,
        context.notion,
        context,
        drawn.bindings,
        basis=PlanBasis(known, seen, pending, authors, is_first),
        control=RunControl(claim, context.stop, fence, context.progress),
    )


def report_on(
    context: Context,
    order: CycleRequest,
    opened: OpenRun,
    *,
    drawn: Proposed,
    applied: Applied,
    notes: tuple[RenderedProblem, ...],
) -> Report:
    """Return how a run went that wrote what was `applied` of a plan."""
    answers = count_since(context, opened.before)
    doubts = tuple(in_words(in_doubt(ref), context.words) for ref in applied.unknown)
    return Report(
        opened.id,
        context.name,
        (context.now() - opened.began).total_seconds(),
        sum_requests(answers),
        drawn.plan,
        drawn.refused,
        applied,
        order.trigger,
        doubts,
        notes,
        answers,
        order.undoes,
    )
