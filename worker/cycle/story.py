"""One cycle, told on one page: lease, plan, show and check, write, remember, report.

`sync` holds the lease; a pass plans and carries the plan out. Nothing is remembered of a plan that was only looked at, or
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import timedelta

from msgspec.structs import replace

from worker.cycle.context import (
    Context,
    CycleRequest,
    Mode,
    PlannedCycle,
    readable,
    shortened,
)
from worker.cycle.ownership import claim_boards, look_first
from worker.cycle.planning import plan_cycle
from worker.cycle.progress import ProgressRecord
from worker.cycle.remembering import observe, past_of, remember_pass, turns_of
from worker.cycle.report import (
    Report,
    count_requests,
    count_since,
    early_ends,
    finish,
    finish_failed,
    in_doubt,
)
from worker.cycle.second_pass import needs_second_pass, run_second_pass
from worker.cycle.sync_now import answer_boxes
from worker.domain.values import Ref
from worker.errors import Busy, Problem, Stopped, Transient, in_words
from worker.plan.diff import known_pages
from worker.state import history, journal, leases, memory, runs, triggers
from worker.world.memory import Turn
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import Applied, apply


def sync(
    context: Context,
    order: CycleRequest,
    *,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> Report:
    """Run one cycle and return how it went; a refused plan is returned as such, with nothing written.

    Raises `Busy` when another process holds the workspace, `ConfigError` and the API errors when nothing can be done.
    """
    store = context.store
    began = context.now()
    before = count_requests(context)
    if context.stop.is_set():
        raise Stopped("ended before it began")
    with leases.hold(
        store,
        context.name,
        context.owner,
        ttl=timedelta(seconds=context.settings.schedule.lease),
        now=store.now,
        limit=timedelta(seconds=2 * context.settings.schedule.run_limit),
    ) as held:
        with store.transaction(context.name) as tx:
            runs.close_lost(tx, now=began)
            triggers.give_back(tx)
            run_id = runs.start(
                tx, order.trigger, now=began, scope=order.scope, dry_run=order.dry_run
            )
        on_start(run_id)
        leased = renew(
            context,
            store=store.guarded(held.confirm),
            progress=ProgressRecord(store, context.name, run_id, context.progress),
        )

        def fence() -> None:
            context.clocks.check()
            held.check()

        try:
            look_first(leased, order)
            drawn, applied = run_pass(leased, order, run_id, fence)
            if needs_second_pass(leased, order, drawn, applied):
                again = replace(order, mode=Mode.DELTA)
                drawn, applied = run_second_pass(
                    leased,
                    run_id,
                    (drawn, applied),
                    lambda: run_pass(leased, again, run_id, fence),
                )
            answer_boxes(leased, order, (drawn, applied), run_id=run_id, fence=fence)
        except Exception as error:
            finish_failed(context, run_id, error, before)
            if context.stop.is_set() and isinstance(error, Transient):
                raise Stopped("ended while waiting for an answer") from error
            raise
        report = Report(
            run_id,
            context.name,
            (context.now() - began).total_seconds(),
            count_since(context, before),
            drawn.plan,
            drawn.refused,
            applied,
            order.trigger,
            tuple(readable(in_doubt(ref), context.words) for ref in applied.unknown),
            tuple(
                readable(note, context.words)
                for note in early_ends(context.name, applied)
            ),
        )
        return finish(leased, report, order)


def run_pass(
    context: Context, order: CycleRequest, run_id: int, fence: Callable[[], None]
) -> tuple[PlannedCycle, Applied]:
    """Draw a plan and carry it out; a refused one, or one that is only looked at, leaves no trace but itself.

    What was observed is remembered before anything is written, what follows from a write together with it; a run that
    was broken off has the next one go on where it ended.
    """
    drawn = plan_cycle(context, order)
    notes = _claim(context, order, drawn, fence)
    turns = turns_of(drawn)
    with context.transaction() as tx:
        runs.save_plan(tx, drawn.plan, run_id, now=context.now())
        if not (drawn.refused or order.dry_run):
            memory.save(tx, observe(drawn, turns))
            history.record(tx, past_of(drawn.world), day=drawn.world.today)
    if order.dry_run:
        return drawn, Applied()
    applied = (
        Applied()
        if drawn.refused
        else _apply(context, drawn, fence, turns, claim=str(run_id))
    )
    try:
        remember_pass(context, drawn, applied)
    except Busy as taken:
        applied = replace(applied, stopped=True, taken_by=taken.holder)
    context.clocks.check()
    warnings = (*applied.warnings, *(in_words(one, context.words) for one in notes))
    return drawn, replace(applied, warnings=warnings)


def _claim(
    context: Context,
    order: CycleRequest,
    drawn: PlannedCycle,
    fence: Callable[[], None],
) -> tuple[Problem, ...]:
    """Make sure that the boards are ours where something will be written; return what is to be told."""
    if order.dry_run or drawn.refused or not drawn.plan.changes:
        return ()
    return claim_boards(context, context.notion.guarded(fence))


def _apply(
    context: Context,
    drawn: PlannedCycle,
    fence: Callable[[], None],
    turns: Mapping[Ref, Turn],
    *,
    claim: str,
) -> Applied:
    with context.reading() as tx:
        known = known_pages(drawn.world, context.schema, journal.canonical_pages(tx))
    seen = {row.page_id: row for rows in drawn.world.rows.values() for row in rows}
    applied = apply(
        drawn.plan,
        context.notion,
        context,
        drawn.bindings,
        basis=PlanBasis(known, seen, turns),
        control=RunControl(claim, context.stop, fence, context.progress),
    )
    return replace(
        applied,
        failures=tuple(shortened(failure) for failure in applied.failures),
        warnings=tuple(shortened(warning) for warning in applied.warnings),
    )
