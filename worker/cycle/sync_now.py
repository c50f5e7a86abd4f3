"""Answering the clients whose box "Sync now" was ticked when a cycle read them, once it is known how the cycle went."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog

from worker.cycle.context import Context, CycleRequest, PlannedCycle
from worker.cycle.remembering import AUTHORS
from worker.errors import RaylineError
from worker.pages.sync_now import state_answers, ticked
from worker.plan.diff import Written, known_pages, make_plan
from worker.plan.scope import find_scope
from worker.state import bases, journal
from worker.write.context import PlanBasis, RunControl
from worker.write.writer import Applied, apply

log = structlog.get_logger("worker.cycle")


def answer_boxes(
    context: Context,
    order: CycleRequest,
    passed: tuple[PlannedCycle, Applied],
    *,
    run_id: int,
    fence: Callable[[], None],
) -> None:
    """Take the ticks back and say how it went. A run that was broken off, or of some rules only, answers none: the next
    one serves them."""
    drawn, applied = passed
    if order.dry_run or order.rules or applied.stopped:
        return
    only = find_scope(drawn.world, order.scope) if order.scope else None
    clients = ticked(drawn.world, only)
    if not clients:
        return
    answer = _how_it_went(context, drawn, applied, run_id)
    with context.reading() as tx:
        last, attempted = bases.load(tx)
        ours = journal.canonical_pages(tx)
        authors = AUTHORS.load(tx)
        written = Written(last, attempted, ours, journal.created_pages(tx))
    plan = make_plan(
        drawn.world,
        state_answers(clients, answer),
        context.schema,
        drawn.bindings,
        written,
    )
    known = known_pages(drawn.world, context.schema, ours)
    seen = {row.page_id: row for rows in drawn.world.rows.values() for row in rows}
    try:
        done = apply(
            plan,
            context.notion,
            context,
            drawn.bindings,
            basis=PlanBasis(known, seen, authors=authors),
            control=RunControl(str(run_id), context.stop, fence, context.progress),
        )
    except RaylineError as error:
        log.warning("sync_now.not_answered", workspace=context.name, error=str(error))
        return
    log.info(
        "sync_now.answered",
        workspace=context.name,
        run=run_id,
        clients=len(clients),
        failures=len(done.failures),
    )


def _how_it_went(
    context: Context, drawn: PlannedCycle, applied: Applied, run_id: int
) -> str:
    words = context.words
    local = context.now().astimezone(ZoneInfo(context.settings.time_zone))
    moment = f"{words.date(local.date())} {local:%H:%M}"
    if drawn.refused:
        return words.say(
            "Not synced {moment}, run {run}: {reason}",
            moment=moment,
            run=run_id,
            reason=drawn.refused[0].message,
        )
    if applied.failures or applied.unknown:
        return words.say(
            "Synced in part {moment}, run {run}: {count} changes could not be written",
            moment=moment,
            run=run_id,
            count=len(applied.failures) + len(applied.unknown),
        )
    return words.say("Synced {moment}, run {run}", moment=moment, run=run_id)
