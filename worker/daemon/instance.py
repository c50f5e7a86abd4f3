"""One daemon per workspace and state: the right to be it is a lease of its own, beside that of the cycle under way.

A second daemon would not write at the same time, for each cycle holds the workspace; but it would read everything
twice, spend the same rate limits, and answer to nobody who believes that there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from worker.errors import AlreadyRunning, Busy, StateFault
from worker.state import leases
from worker.state.leases import Held
from worker.state.store import Store

log = structlog.get_logger("worker.daemon")


def lease_name(workspace: str) -> str:
    """Return under which name a workspace's daemon holds its lease."""
    return f"{workspace} (daemon)"


@contextmanager
def hold_workspaces(
    store: Store, patience: Mapping[str, timedelta], *, owner: str
) -> Iterator[Callable[[], None]]:
    """Be the one daemon of workspaces for a block; `patience` tells after which silence each may be taken over.

    Yields a check that nobody took one over. It and the start raise `AlreadyRunning`; a database that is away for a
    while is no reason to.
    """
    stack = ExitStack()
    held = dict[str, Held]()

    def check() -> None:
        for name, one in held.items():
            try:
                one.check()
            except Busy as taken:
                raise _running(store, name, taken, is_loss=True) from None
            except SQLAlchemyError as error:
                reason = str(error) if isinstance(error, StateFault) else ""
                kind = type(error).__name__
                log.error("state.failed", workspace=name, error=kind, reason=reason)

    try:
        for name, silence in sorted(patience.items()):
            try:
                held[name] = stack.enter_context(
                    leases.hold(
                        store,
                        lease_name(name),
                        owner,
                        ttl=silence,
                        now=store.now,
                        limit=timedelta.max,
                    )
                )
            except Busy as busy:
                raise _running(store, name, busy) from None
        yield check
    finally:
        _give_back(stack)


def _running(
    store: Store, workspace: str, busy: Busy, *, is_loss: bool = False
) -> AlreadyRunning:
    with store.reading(lease_name(workspace)) as tx:
        standing = leases.current(tx)
    since = standing.since if standing and standing.owner == busy.holder else None
    return AlreadyRunning(workspace, busy.holder, since=since, is_loss=is_loss)


def _give_back(stack: ExitStack) -> None:
    """Give the leases back; where the database is away they run out, or their owner is seen to be dead."""
    try:
        stack.close()
    except SQLAlchemyError as error:
        log.warning("lease.not_released", error=type(error).__name__)
