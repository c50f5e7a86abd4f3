"""The reasons of values: what the rules state now, and of what was written once the plan that wrote it."""

from __future__ import annotations

from collections.abc import Callable

from worker.cycle.context import Context, PlannedCycle
from worker.domain.messages import message
from worker.domain.values import Ref, Value
from worker.plan.facts import Fact, Outdated, Why
from worker.plan.outdated import GOES, STAYS, UNPROVEN, WRITTEN, why_kept
from worker.plan.surplus import holds_more
from worker.state import bases, journal, runs

ONCE = message("set once, when the row was made; what people write there stands")
EMPTY: tuple[Value, ...] = (None, "", (), False)


def find_reasons(
    context: Context,
    drawn: PlannedCycle,
    is_asked: Callable[[Ref], bool],
    *,
    field: str = "",
) -> list[Fact]:
    """Return why the fields of some rows, or one of them, have their values."""
    facts: list[Fact] = []
    for fact in drawn.outcome.facts:
        if is_asked(fact.ref) and field in ("", fact.field):
            facts.append(fact)
    stated = {(fact.ref, fact.field) for fact in facts}
    once = _written_once(context, drawn, is_asked)
    lacking: set[tuple[Ref, str]] = set()
    for place in once.keys() - stated:
        if field in ("", place[1]):
            lacking.add(place)
    if not lacking:
        return facts

    with context.reading() as tx:
        reasons = runs.find_reasons(tx, lacking)
    for ref, name in sorted(lacking):
        rule = context.schema.sources[ref.source].properties[name].rule
        untold = Why(rule, formula=context.words.say(ONCE))
        why = reasons.get((ref, name), untold)
        facts.append(Fact(ref, name, once[ref, name], why))
    return facts


def _written_once(
    context: Context, drawn: PlannedCycle, is_asked: Callable[[Ref], bool]
) -> dict[tuple[Ref, str], Value]:
    """Return the values of fields by a rule that stand as the worker wrote them, by row and field."""
    with context.reading() as tx:
        written, _ = bases.load(tx)
    standing: dict[tuple[Ref, str], Value] = {}
    for source, rows in drawn.world.rows.items():
        properties = context.schema.sources[source].properties
        for row in rows:
            if not is_asked(row.ref):
                continue
            for name, value in row.fields.items():
                is_ours = written.get((row.page_id, name)) == value
                if properties[name].rule and is_ours and value not in EMPTY:
                    standing[row.ref, name] = value
    return standing


def find_fate(
    context: Context, drawn: PlannedCycle, row: Ref
) -> tuple[str, Outdated] | None:
    """Return what becomes of a row that has had its time, as a message, and why; None for any other."""
    for outdated in drawn.outcome.outdated:
        if outdated.ref == row:
            reason = _find_hold(context, drawn, row)
            return STAYS.get(reason, GOES), outdated
    return None


def _find_hold(context: Context, drawn: PlannedCycle, ref: Ref) -> str:
    """Return why a row that has had its time stays, as far as is known."""
    with context.reading() as tx:
        page_id = journal.canonical_pages(tx).get(ref, "")
        made = journal.created_pages(tx)
        cells, _ = bases.load(tx)
        written = bases.of_page(tx, page_id)
        attempted = bases.attempts_of(tx, page_id)
    if page_id not in made:
        return UNPROVEN
    reason = why_kept(page_id, cells)
    source = context.schema.sources[ref.source]
    binding = drawn.bindings[ref.source]
    for row in drawn.world.rows.get(ref.source, ()):
        if row.page_id == page_id and holds_more(
            row, None, source, binding, written=written, attempted=attempted
        ):
            return reason or WRITTEN
    return reason
