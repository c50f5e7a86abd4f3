"""Ending a run that hangs in a request, so that another process can go on at once."""

from __future__ import annotations

from worker.state import leases, runs, triggers
from worker.state.store import Store

ENDED = "the process was asked to end while a service did not answer"


def abandon(store: Store, workspace: str, owner: str) -> int | None:
    """Record that the run which a process holds a workspace for has ended, let its requests wait again and give the lease
    back; return its number, None when it holds none.

    What was being sent is in the journal: the next run looks what became of it before it does anything again.
    """
    with store.transaction(workspace) as tx:
        held, now = leases.current(tx), store.now()
        if held is None or leases.holder(tx, now=now) != owner:
            return None
        last = next(iter(runs.recent(tx, 1)), None)
        runs.close_lost(tx, now=now, reason=ENDED, stopped=True)
        triggers.give_back(tx)
        leases.release(tx, held)
    is_open = last is not None and last.status is runs.RunStatus.RUNNING
    return last.id if last and is_open else None
