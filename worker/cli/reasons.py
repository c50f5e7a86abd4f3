"""The reasons of values: what the rules state now, and of what was written once the plan that wrote it."""

from __future__ import annotations

from collections.abc import Callable

from worker.cycle.context import Context, PlannedCycle
from worker.domain.messages import message
from worker.domain.values import Ref, Value
from worker.plan.facts import Fact, Why
from worker.state import bases, runs

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
