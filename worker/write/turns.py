"""What is remembered with the writing of a row: a step in the life of a signal, taken with its row or not at all."""

from __future__ import annotations

from worker.domain.values import Ref
from worker.state import memory
from worker.state.store import Tx
from worker.write.context import WriteContext


def take(target: WriteContext, tx: Tx, ref: Ref) -> None:
    """Remember the step; before the call, as its outcome may never be known."""
    if ref in target.turns:
        now = target.turns[ref].now
        memory.put(tx, now.key, now)


def take_back(target: WriteContext, tx: Tx, ref: Ref) -> None:
    """Forget a step that was certainly not taken."""
    if ref in target.turns:
        turn = target.turns[ref]
        memory.put(tx, turn.now.key, turn.before)
