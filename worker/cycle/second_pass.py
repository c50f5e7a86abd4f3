"""The second pass of a cycle: what follows from rows that were planted on people's boards belongs to the same cycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from worker.cycle.context import Context, CycleRequest, PlannedCycle
from worker.domain.messages import literal, tell
from worker.errors import (
    ApiError,
    Code,
    Problem,
    RaylineError,
    Severity,
    Stopped,
    in_words,
)
from worker.mapping.schema import Owner, Rows, Schema
from worker.plan.plan import Change, Kind
from worker.state import runs
from worker.write.writer import Applied

log = structlog.get_logger("worker.cycle")


def needs_second_pass(
    context: Context, order: CycleRequest, drawn: PlannedCycle, applied: Applied
) -> bool:
    """Tell whether a second round follows: rows planted on people's boards, and cells of theirs that are shared, are
    input as soon as they are written, and what follows from them belongs to this cycle. A plan that was reviewed is
    carried out as it was."""
    is_whole = not (
        drawn.refused or applied.failures or applied.unknown or applied.stopped
    )
    return (
        is_whole
        and not (order.checksum or order.dry_run)
        and any(_becomes_input(context.schema, one) for one in drawn.plan.changes)
    )


def _becomes_input(schema: Schema, change: Change) -> bool:
    """Tell whether what a change writes is read by rules, as what people typed is."""
    source = schema.sources.get(change.ref.source)
    if source is None:
        return False
    if change.kind is Kind.CREATE:
        return source.seeded
    written = (source.properties.get(one.field) for one in change.fields)
    return source.rows is Rows.PEOPLE and any(
        prop is not None and prop.owner is Owner.SHARED for prop in written
    )


def run_second_pass(
    context: Context,
    run_id: int,
    first: tuple[PlannedCycle, Applied],
    run_again: Callable[[], tuple[PlannedCycle, Applied]],
) -> tuple[PlannedCycle, Applied]:
    """Run the second round; when it cannot be done, what the first one wrote is reported all the same."""
    try:
        return _merge_passes(context, run_id, first, run_again())
    except RaylineError as error:
        log.warning(
            "cycle.second_round", workspace=context.name, run=run_id, error=str(error)
        )
        drawn, did = first
        unfinished = Problem(
            code=Code.SECOND_ROUND,
            where=literal(context.name),
            message=tell(
                "what follows from the new rows could not be written: {error}",
                error=error,
            ),
            hint=tell("the next run writes the rest"),
            severity=Severity.ERROR,
        )
        return drawn, replace(
            did,
            failures=(*did.failures, in_words(unfinished, context.words)),
            stopped=did.stopped or isinstance(error, Stopped),
            halted_by=error if isinstance(error, ApiError) else None,
        )


def _merge_passes(
    context: Context,
    run_id: int,
    first: tuple[PlannedCycle, Applied],
    second: tuple[PlannedCycle, Applied],
) -> tuple[PlannedCycle, Applied]:
    """Return two rounds as one, what both wrote; a second one that was refused is the next cycle's to tell."""
    (before, did), (after, done) = first, second
    if after.refused:
        return first
    plan = replace(
        after.plan,
        changes=(*before.plan.changes, *after.plan.changes),
        adopted=(*before.plan.adopted, *after.plan.adopted),
    )
    with context.transaction() as tx:
        runs.save_plan(tx, plan, run_id, now=context.now())
    return replace(after, plan=plan), replace(
        done,
        done=Counter(did.done) + Counter(done.done),
        unknown=(*did.unknown, *done.unknown),
        kept=(*did.kept, *done.kept),
        warnings=tuple(sorted({*did.warnings, *done.warnings})),
    )
