"""What a cycle remembers, and when: what was seen before it writes, what was written with the writing, the rest at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from worker.cycle.context import FINGERPRINT, MANAGED, Context, PlannedCycle
from worker.domain.values import Ref
from worker.method.formulas.occurrences import is_step, row_of
from worker.plan.plan import Kind
from worker.read.absent import GONE
from worker.state import memory, snapshots
from worker.state.store import Tx
from worker.world.memory import Memory, Turn
from worker.world.world import World
from worker.write.writer import Applied


def remember_pass(context: Context, drawn: PlannedCycle, applied: Applied) -> None:
    """Save what the next cycle goes by."""
    with context.transaction() as tx:
        if not drawn.refused and not applied.stopped:
            memory.end_first_run(tx)
            FINGERPRINT.save(tx, context.fingerprint)
            MANAGED.save(tx, _after(drawn))
        _forget_deleted(tx, applied.gone)


def turns_of(drawn: PlannedCycle) -> dict[Ref, Turn]:
    """Return the steps in the lives of signals that are taken by writing their rows."""
    written = {
        change.ref
        for change in drawn.plan.changes
        if change.kind in (Kind.CREATE, Kind.UPDATE)
    }
    earlier = drawn.world.memory.occurrences
    turns = {}
    for key, now in drawn.outcome.memory.occurrences.items():
        before = earlier.get(key)
        ref = row_of(now)
        if ref in written and is_step(before, now):
            turns[ref] = Turn(before, now)
    return turns


def observe(drawn: PlannedCycle, turns: Mapping[Ref, Turn]) -> Memory:
    """Return the memory with the steps that are still to be written as they were before."""
    occurrences = dict(drawn.outcome.memory.occurrences)
    for turn in turns.values():
        if turn.before is None:
            del occurrences[turn.now.key]
        else:
            occurrences[turn.now.key] = turn.before
    return replace(
        drawn.outcome.memory,
        occurrences=occurrences,
        first_run=drawn.world.memory.first_run,
    )


def _forget_deleted(tx: Tx, gone: frozenset[str]) -> None:
    """Remember pages found deleted while writing, as a full read would have."""
    if gone:
        snapshots.forget_pages(tx, sorted(gone))
        GONE.save(tx, tuple(sorted({*GONE.load(tx), *gone})))


def _after(drawn: PlannedCycle) -> dict[str, int]:
    created = Counter(
        change.ref.source for change in drawn.plan.changes if change.kind is Kind.CREATE
    )
    return {name: count + created[name] for name, count in drawn.managed.items()}


def past_of(world: World) -> dict[tuple[Ref, str], str]:
    stages = {
        (ref, "stage"): card.stage.value
        for ref, card in world.cards.items()
        if card.stage
    }
    return stages | {
        (ref, "due"): card.due.isoformat()
        for ref, card in world.cards.items()
        if card.due
    }
