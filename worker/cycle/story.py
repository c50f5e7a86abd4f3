"""One cycle, told on one page: lease, plan, show and check, write, remember, report.

`sync` holds the lease; a pass plans and carries the plan out. Nothing is remembered of a plan that was only looked at, or
refused.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from worker.cycle.context import Context, CycleRequest, Mode, PlannedCycle
from worker.cycle.execution import (
    OpenRun,
    Proposed,
    carry_out,
    claim,
    open_run,
    recording_failure,
    report_on,
)
from worker.cycle.idling import Idle
from worker.cycle.ownership import look_first
from worker.cycle.planning import plan_cycle, plan_unless_idle
from worker.cycle.remembering import (
    observe,
    past_of,
    pending_of,
    remember_doubts,
    remember_pass,
)
from worker.cycle.report import Report, early_ends, finish
from worker.cycle.second_pass import needs_second_pass, run_second_pass
from worker.cycle.sync_now import answer_boxes
from worker.errors import Busy, Stopped, Transient, in_words
from worker.state import history, memory, runs
from worker.write.writer import Applied


def sync(
    context: Context,
    order: CycleRequest,
    *,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> Report:
    """Run one cycle and return how it went; a refused plan is returned as such, with nothing written.

    Raises `Busy` when another process holds the workspace, `ConfigError` and the API errors when nothing can be done.
    """
    if context.stop.is_set():
        raise Stopped("ended before it began")
    with open_run(context, order) as opened:
        on_start(opened.id)
        try:
            with recording_failure(context, opened):
                drawn, applied = _run_passes(opened, order)
        except Transient as error:
            if context.stop.is_set():
                raise Stopped("ended while waiting for an answer") from error
            raise
        ends = early_ends(context.name, applied)
        notes = tuple(in_words(note, context.words) for note in ends)
        report = report_on(
            context, order, opened, drawn=drawn, applied=applied, notes=notes
        )
        return finish(opened.context, report, order)


def _run_passes(opened: OpenRun, order: CycleRequest) -> tuple[Proposed, Applied]:
    """Run a pass unless there is nothing to think about, a second one where the first made what is read by rules, and
    answer the boxes that people ticked; an idle run has the plan of the one before."""
    leased, run_id, fence = opened.context, opened.id, opened.fence
    look_first(leased, order)
    found = plan_unless_idle(leased, order, run_id)
    if isinstance(found, Idle):
        return found, Applied()
    drawn, applied = run_pass(leased, order, run_id, fence, found)
    if needs_second_pass(leased, order, drawn, applied):
        again = replace(order, mode=Mode.DELTA)
        drawn, applied = run_second_pass(
            leased,
            run_id,
            (drawn, applied),
            lambda: run_pass(leased, again, run_id, fence, plan_cycle(leased, again)),
        )
    answer_boxes(leased, order, (drawn, applied), run_id=run_id, fence=fence)
    return drawn, applied


def run_pass(
    context: Context,
    order: CycleRequest,
    run_id: int,
    fence: Callable[[], None],
    drawn: PlannedCycle,
) -> tuple[PlannedCycle, Applied]:
    """Carry a plan out; a refused one, or one that is only looked at, leaves no trace but itself.

    What was observed is remembered before anything is written, what follows from a write together with it; a run that
    was broken off has the next one go on where it ended.
    """
    notes = () if order.dry_run else claim(context, drawn, fence)
    pending = pending_of(drawn)
    with context.transaction() as tx:
        runs.save_plan(tx, drawn.plan, run_id, now=context.now())
        if not (drawn.refused or order.dry_run):
            memory.save(tx, observe(drawn, pending))
            history.record(tx, past_of(drawn.world), day=drawn.world.today)
            remember_doubts(tx, drawn)
    if order.dry_run:
        return drawn, Applied()
    applied = (
        Applied()
        if drawn.refused
        else carry_out(context, drawn, fence, pending, claim=str(run_id))
    )
    try:
        remember_pass(context, order, run_id, (drawn, applied))
    except Busy as taken:
        applied = replace(applied, stopped=True, taken_by=taken.holder)
    context.clocks.check()
    warnings = (*applied.warnings, *(in_words(one, context.words) for one in notes))
    return drawn, replace(applied, warnings=warnings)
