"""Taking a run back: its plan reversed against the boards as they stand, through the gate of every other plan.

The rules still want what the run wrote, so the workspace is paused: else the next cycle would write it again. Rows that
are put away stay away, as those do that people delete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from worker.cycle.context import MANAGED, Context, CycleRequest
from worker.cycle.errands import Draft, Standing, draft, from_fresh_boards, run_errand
from worker.cycle.execution import OpenRun, carry_out, claim
from worker.cycle.planning import normalize, recall_links, recall_written
from worker.cycle.remembering import forget_deleted, managed_after
from worker.cycle.report import Report
from worker.domain.messages import Text, tell
from worker.errors import Code, ConfigError, Problem, Severity, in_words
from worker.plan.plan import Change, Plan
from worker.plan.undo import RULE, Boards, reverse
from worker.state import journal, pauses, runs
from worker.state.pauses import Pause
from worker.state.runs import RunStatus
from worker.world.memory import Pending
from worker.world.world import World
from worker.write.writer import Applied

NEAR = 5
"""How many of the latest runs are named where one is not known."""


def plan_undo(context: Context, order: CycleRequest) -> Draft:
    """Read the boards and return what would take back the run that an order `undoes`, what stays as it is among the
    notes; writes nothing but the snapshot.

    Raises `ConfigError` for a run that is not known or wrote nothing, and the API errors.
    """
    changes = _changes_of(context, order.undoes)

    def draw(watched: Context, standing: Standing) -> Draft:
        return _reverse(watched, changes, order, standing)

    return from_fresh_boards(context, order, draw)


def _reverse(
    context: Context, changes: Sequence[Change], order: CycleRequest, standing: Standing
) -> Draft:
    bound, boards = standing.bound, standing.boards
    veiled = bound.veiled(context.schema)
    links = recall_links(context, bound)
    world = normalize(context, bound, links, now=context.now(), losses=veiled)

    unread = {one.id for some in boards.unread.values() for one in some}
    unread |= {row.page_id for name in bound.unseen for row in world.rows[name]}
    rows = {row.page_id: row for rows in world.rows.values() for row in rows}
    with context.reading() as tx:
        made = journal.created_by(tx, str(order.undoes))
    reversal = reverse(
        changes,
        order.undoes,
        Boards(
            rows,
            context.schema,
            bound.bindings,
            replace(recall_written(context), made=made),
            frozenset(unread),
            _pinned_targets(world),
        ),
    )
    plan = Plan(context.name, reversal.changes)
    drawn = draft(context, order, standing, world=world, plan=plan)
    left = (*boards.problems, *reversal.left)
    told = tuple(in_words(problem, context.words) for problem in left)
    return replace(drawn, notes=(*drawn.notes, *told))


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
    report, _ = run_errand(
        context,
        order,
        lambda leased: plan_undo(leased, order),
        rule=RULE,
        write=lambda leased, drawn, opened: _carry_out(leased, drawn, opened, order),
        on_start=on_start,
    )
    return report


def _carry_out(
    context: Context, drawn: Draft, opened: OpenRun, order: CycleRequest
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

    applied = carry_out(context, drawn, opened.fence, Pending(), claim=str(opened.id))
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
