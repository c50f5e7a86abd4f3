"""Taking a run back: its plan reversed against the boards as they stand, through the gate of every other plan.

The rules still want what the run wrote, so the workspace is paused: else the next cycle would write it again. Rows that
are put away stay away, as those do that people delete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from worker.cycle.clock import with_right_clock
from worker.cycle.context import MANAGED, Context, CycleRequest
from worker.cycle.execution import OpenRun, carry_out, claim, open_run
from worker.cycle.ownership import look_first
from worker.cycle.planning import (
    fetch_boards,
    find_refusals,
    managed_rows,
    normalize,
    page_sizes,
    recall_links,
    recall_written,
)
from worker.cycle.remembering import forget_deleted, managed_after
from worker.cycle.report import (
    Report,
    count_answers,
    count_since,
    finish_failed,
    in_doubt,
    record,
    sum_requests,
)
from worker.domain.messages import Text, tell
from worker.errors import (
    Code,
    ConfigError,
    Problem,
    RenderedProblem,
    Severity,
    in_words,
)
from worker.mapping.schema import Bindings
from worker.plan.plan import Change, Plan
from worker.plan.undo import RULE, Boards, reverse
from worker.read.schema import read_schema
from worker.state import journal, pauses, runs
from worker.state.pauses import Pause
from worker.state.runs import RunStatus
from worker.world.world import World
from worker.write.settle import settle
from worker.write.writer import Applied

NEAR = 5
"""How many of the latest runs are named where one is not known."""


class PlannedUndo(msgspec.Struct, frozen=True, gc=False):
    """What would take a run back, why it may not (`refused`), and what stays as it is (`left`); `managed` counts the rows
    of each data source as they were read."""

    world: World
    plan: Plan
    bindings: Bindings
    managed: Mapping[str, int]
    refused: tuple[RenderedProblem, ...] = ()
    left: tuple[RenderedProblem, ...] = ()


def plan_undo(context: Context, order: CycleRequest) -> PlannedUndo:
    """Read the boards and return what would take back the run that an order `undoes`; writes nothing but the snapshot.

    Raises `ConfigError` for a run that is not known or wrote nothing, and the API errors.
    """
    changes = _changes_of(context, order.undoes)
    context.begin()
    with page_sizes(context, full=True):
        return with_right_clock(
            context, lambda watched: _read_and_reverse(watched, changes, order)
        )


def _read_and_reverse(
    context: Context, changes: Sequence[Change], order: CycleRequest
) -> PlannedUndo:
    now = context.now()
    bound = read_schema(context.notion, context, afresh=True)
    unsettled = settle(context.notion, context, bound.bindings).problems
    boards, bound = fetch_boards(context, bound, order, now=now)
    veiled = bound.veiled(context.schema)
    links = recall_links(context, bound)
    world = normalize(context, bound, links, now=now, losses=veiled)

    unread = {one.id for some in boards.unread.values() for one in some}
    unread |= {row.page_id for name in bound.unseen for row in world.rows[name]}
    rows = {row.page_id: row for rows in world.rows.values() for row in rows}
    with context.reading() as tx:
        made = journal.created_by(tx, str(order.undoes))
    standing = Boards(
        rows,
        context.schema,
        bound.bindings,
        replace(recall_written(context), made=made),
        frozenset(unread),
        _pinned_targets(world),
    )
    reversal = reverse(changes, order.undoes, standing)
    plan = Plan(context.name, reversal.changes)
    managed = managed_rows(context, world, bound)
    refused = find_refusals(context, order, plan, boards=boards, managed=managed)
    problems = (*unsettled, *boards.problems, *reversal.left)
    return PlannedUndo(
        world,
        plan,
        bound.bindings,
        managed,
        tuple(in_words(reason, context.words) for reason in refused),
        tuple(in_words(problem, context.words) for problem in problems),
    )


def _pinned_targets(world: World) -> frozenset[tuple[str, str]]:
    """Return the cells of targets that people pinned: what stands there counts as typed by them."""
    pinned = {plan.ref for plan in world.plan_rows() if plan.pinned}
    rows = world.rows.get("plans", ())
    return frozenset((row.page_id, "target") for row in rows if row.ref in pinned)


def undo(
    context: Context,
    order: CycleRequest,
    *,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> Report:
    """Take back the run that an order `undoes` and return how it went; a refused plan, or one that is only looked at, is
    returned as such, with nothing written.

    The workspace is paused before anything is written, until somebody resumes it. Raises as `plan_undo`, and `Busy`.
    """
    before = count_answers(context)
    began = context.now()
    with open_run(context, order) as opened:
        leased = opened.context
        on_start(opened.id)
        try:
            look_first(leased, order)
            drawn = plan_undo(leased, order)
            applied = _carry_out(leased, drawn, opened, order)
        except Exception as error:
            finish_failed(context, opened.id, error, before)
            raise
        answers = count_since(context, before)
        report = Report(
            opened.id,
            context.name,
            (context.now() - began).total_seconds(),
            sum_requests(answers),
            drawn.plan,
            drawn.refused,
            applied,
            order.trigger,
            tuple(in_words(in_doubt(ref), context.words) for ref in applied.unknown),
            drawn.left,
            answers,
            order.undoes,
        )
        record(leased, report, RULE)
    return report


def _carry_out(
    context: Context, drawn: PlannedUndo, opened: OpenRun, order: CycleRequest
) -> Applied:
    is_wanted = not (drawn.refused or order.dry_run)
    if is_wanted:
        claim(context, drawn, opened.fence)
    with context.transaction() as tx:
        runs.save_plan(tx, drawn.plan, opened.id, now=context.now())
        if is_wanted and drawn.plan.changes:
            pauses.pause(tx, _pause(order, context.now()))
    if not is_wanted:
        return Applied()

    applied = carry_out(context, drawn, opened.fence, {}, claim=str(opened.id))
    with context.transaction() as tx:
        after = managed_after(tx, drawn.plan, applied, drawn.managed)
        MANAGED.save(tx, after)
        forget_deleted(tx, applied.gone)
    return applied


def _pause(order: CycleRequest, now: datetime) -> Pause:
    return Pause(order.who, now, None, f"undo {order.undoes}")


def _changes_of(context: Context, number: int) -> tuple[Change, ...]:
    with context.reading() as tx:
        run = runs.get(tx, number)
        latest = runs.recent(tx, NEAR)
        plan = runs.plan_of(tx, run) if run else None
    if run is None:
        names = ", ".join(str(one.id) for one in latest)
        raise _refusal(
            tell("there is no run {run}", run=number),
            tell("the latest are {runs}", runs=names)
            if names
            else tell("no run was made yet"),
        )
    if run.dry_run or run.status is RunStatus.REFUSED or not (plan and plan.changes):
        raise _refusal(
            tell("run {run} wrote nothing", run=number),
            tell("look at `rayline runs` for one that did"),
        )
    return plan.changes


def _refusal(message: Text, hint: Text) -> ConfigError:
    problem = Problem(
        code=Code.RUN,
        where=tell("command line"),
        field="RUN_ID",
        message=message,
        hint=hint,
        severity=Severity.ERROR,
    )
    return ConfigError([problem])
