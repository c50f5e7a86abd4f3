"""What a cycle remembers, and when: what was seen before it writes, what was written with the writing, the rest at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from worker.cycle.context import (
    FINGERPRINT,
    MANAGED,
    Context,
    CycleRequest,
    PlannedCycle,
)
from worker.cycle.idling import PAST, past_after
from worker.cycle.stale_memory import DOUBTS, HELD
from worker.domain.values import Ref
from worker.method.formulas.occurrences import is_step, row_of
from worker.plan.plan import Kind, Plan
from worker.read.absent import GONE
from worker.state import journal, memory, snapshots
from worker.state.settings import Setting
from worker.state.store import Tx
from worker.world.memory import Memory, Pending, Track, Turn
from worker.world.world import World
from worker.write.writer import Applied

MARKS = ("probability", "impact")
"""Fields of risks that people may set over ours, told by what we wrote last."""
AUTHORS = Setting("own_authors", frozenset[str], frozenset)
"""Who made our line on the root page, and the rows of which the journal proves that we did: we, by the ids of all
connections that this was done with."""


def remember_pass(
    context: Context,
    order: CycleRequest,
    run_id: int,
    passed: tuple[PlannedCycle, Applied],
) -> None:
    """Save what the next cycle goes by."""
    drawn, applied = passed
    with context.transaction() as tx:
        if not drawn.refused and not applied.stopped:
            memory.end_first_run(tx)
            FINGERPRINT.save(tx, context.fingerprint)
            after = managed_after(tx, drawn.plan, applied, drawn.managed)
            MANAGED.save(tx, after)
        forget_deleted(tx, applied.gone)
        _remember_authors(tx, drawn.world)
        last = PAST.load(tx)
        PAST.save(tx, past_after(run_id, drawn, applied, last=last, order=order))


def remember_doubts(tx: Tx, drawn: PlannedCycle) -> None:
    """Save what is asked of people since the memory was new or old, where that changed."""
    if HELD.load(tx) != drawn.held:
        HELD.save(tx, drawn.held)
    if DOUBTS.load(tx) != drawn.doubts:
        DOUBTS.save(tx, dict(drawn.doubts))


def pending_of(drawn: PlannedCycle) -> Pending:
    """Return what is remembered with the writing of rows, and not before it."""
    return Pending(_turns_of(drawn), _marks_of(drawn))


def _turns_of(drawn: PlannedCycle) -> dict[Ref, Turn]:
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


def _marks_of(drawn: PlannedCycle) -> dict[str, Track]:
    """Return the marks that are written over others.

    What a row shows beside such a mark tells whether a person changed it. One that was remembered before it was written,
    or not with its writing, would make a value of our own a person's, if the process died in between.
    """
    before = drawn.world.memory.tracks
    now = drawn.outcome.memory.tracks
    marks = {}
    for change in drawn.plan.changes:
        if change.kind is Kind.UPDATE:
            for item in change.fields:
                key = f"{change.ref}#{item.field}"
                if item.field in MARKS and key in before and key in now:
                    marks[key] = now[key]
    return marks


def observe(drawn: PlannedCycle, pending: Pending) -> Memory:
    """Return the memory with what is still to be written as it was before."""
    occurrences = dict(drawn.outcome.memory.occurrences)
    for turn in pending.turns.values():
        if turn.before is None:
            del occurrences[turn.now.key]
        else:
            occurrences[turn.now.key] = turn.before
    tracks = dict(drawn.outcome.memory.tracks)
    for key in pending.marks:
        tracks[key] = drawn.world.memory.tracks[key]
    return replace(
        drawn.outcome.memory,
        tracks=tracks,
        occurrences=occurrences,
        first_run=drawn.world.memory.first_run,
    )


def _remember_authors(tx: Tx, world: World) -> None:
    """Learn who we are in Notion from the rows as they were read: nobody needs to be asked."""
    ours = journal.created_pages(tx)
    rows = (row for each in world.rows.values() for row in each)
    add_authors(tx, frozenset(row.created_by for row in rows if row.page_id in ours))


def add_authors(tx: Tx, authors: frozenset[str]) -> None:
    """Remember ids under which Notion knows us."""
    standing = AUTHORS.load(tx)
    known = (standing | authors) - {""}
    if known != standing:
        AUTHORS.save(tx, known)


def forget_deleted(tx: Tx, gone: frozenset[str]) -> None:
    """Remember pages found deleted while writing, as a full read would have."""
    if gone:
        snapshots.forget_pages(tx, sorted(gone))
        GONE.save(tx, tuple(sorted({*GONE.load(tx), *gone})))


def managed_after(
    tx: Tx, plan: Plan, applied: Applied, before: Mapping[str, int]
) -> dict[str, int]:
    """Return how many rows each data source has after a plan was carried out: those that were really made, which
    another may have refused, and without those put away."""
    is_creating = any(change.kind is Kind.CREATE for change in plan.changes)
    standing = journal.canonical_pages(tx) if is_creating else {}
    change_of: Counter[str] = Counter()
    for change in plan.changes:
        source = change.ref.source
        if change.kind is Kind.CREATE and change.ref in standing:
            change_of[source] += 1
        if change.kind is Kind.ARCHIVE and change.page_id in applied.gone:
            change_of[source] -= 1
    return {name: count + change_of[name] for name, count in before.items()}


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
