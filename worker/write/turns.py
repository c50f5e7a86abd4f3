"""What is remembered with the writing of a row: a step in the life of a signal, taken with its row or not at all, and the
marks of a risk, once they stand."""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.values import Ref
from worker.state import memory
from worker.state.store import Tx
from worker.write.context import WriteContext


def take(target: WriteContext, tx: Tx, ref: Ref) -> None:
    """Remember the step; before the call, as its outcome may never be known."""
    if ref in target.pending.turns:
        now = target.pending.turns[ref].now
        memory.put(tx, now.key, now)


def take_back(target: WriteContext, tx: Tx, ref: Ref) -> None:
    """Forget a step that was certainly not taken."""
    if ref in target.pending.turns:
        turn = target.pending.turns[ref]
        memory.put(tx, turn.now.key, turn.before)


def mark(target: WriteContext, tx: Tx, ref: Ref, fields: Iterable[str]) -> None:
    """Remember the marks that were answered as written; until then what was tried counts as ours (`bases.attempt`)."""
    marks = target.pending.marks
    named = {f"{ref}#{field}" for field in fields}
    keys = named & marks.keys()
    memory.put_tracks(tx, {key: marks[key] for key in keys})
