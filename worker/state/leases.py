"""One writer per workspace: a lease with an epoch, taken, renewed and given back by compare-and-set.

A lease alone does not stop two writers that overlap; the journal's claims do (facts/reliability.md 1.3, 2.2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from worker.errors import Busy
from worker.state.store import Store, Tx, from_micros, insert_new, to_micros
from worker.state.tables import leases


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of `owner` to write until an instant; `epoch` grows with every claim."""

    workspace: str
    owner: str
    epoch: int
    until: datetime


def claim(tx: Tx, owner: str, *, now: datetime, ttl: timedelta) -> Lease:
    """Take a workspace that is free or whose lease ran out; raise `Busy` when another owner holds it."""
    until = to_micros(now + ttl)
    if insert_new(tx, leases, {"owner": owner, "epoch": 1, "until": until}):
        return Lease(tx.workspace, owner, 1, from_micros(until))
    taken = tx.connection.execute(
        leases.update()
        .values(owner=owner, epoch=leases.c.epoch + 1, until=until)
        .where(leases.c.workspace == tx.workspace, leases.c.until <= to_micros(now))
        .returning(leases.c.epoch)
    ).scalar()
    if taken is None:
        raise Busy(tx.workspace, _holder(tx))
    return Lease(tx.workspace, owner, taken, from_micros(until))


def renew(tx: Tx, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
    """Return the lease prolonged; raise `Busy` when it was lost. One that ran out but nobody took can be renewed."""
    until = to_micros(now + ttl)
    if not _set_until(tx, lease, until):
        raise Busy(tx.workspace, _holder(tx))
    return Lease(lease.workspace, lease.owner, lease.epoch, from_micros(until))


def release(tx: Tx, lease: Lease) -> None:
    """Give a lease back; nothing happens when it was lost already."""
    _set_until(tx, lease, 0)


def current(tx: Tx) -> Lease | None:
    """Return the workspace's lease as it stands, held or run out."""
    row = tx.connection.execute(
        select(leases).where(leases.c.workspace == tx.workspace)
    ).first()
    return (
        Lease(row.workspace, row.owner, row.epoch, from_micros(row.until))
        if row
        else None
    )


class Held:
    """A lease in use: `check` before every write renews it in time and raises `Busy` once it is lost. Thread-safe."""

    def __init__(
        self, store: Store, lease: Lease, *, ttl: timedelta, now: Callable[[], datetime]
    ) -> None:
        self._store, self._ttl, self._now = store, ttl, now
        self._lease = lease
        self._lock = threading.Lock()

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        return self._lease

    def check(self) -> None:
        """Make sure that we may still write."""
        with self._lock:
            now = self._now()  # taken before the request that renews, so that our deadline is never the later one
            if now >= self._lease.until - self._ttl * 2 / 3:
                with self._store.transaction(self._lease.workspace) as tx:
                    self._lease = renew(tx, self._lease, now=now, ttl=self._ttl)


@contextmanager
def hold(
    store: Store,
    workspace: str,
    owner: str,
    *,
    ttl: timedelta,
    now: Callable[[], datetime],
) -> Iterator[Held]:
    """Hold a workspace's lease for a block; raises `Busy` when another owner has it."""
    with store.transaction(workspace) as tx:
        held = Held(store, claim(tx, owner, now=now(), ttl=ttl), ttl=ttl, now=now)
    try:
        yield held
    finally:
        with store.transaction(workspace) as tx:
            release(tx, held.lease)


def _set_until(tx: Tx, lease: Lease, until: int) -> bool:
    result = tx.connection.execute(
        leases.update()
        .values(until=until)
        .where(
            leases.c.workspace == tx.workspace,
            leases.c.owner == lease.owner,
            leases.c.epoch == lease.epoch,
        )
    )
    return bool(result.rowcount)


def _holder(tx: Tx) -> str:
    held = current(tx)
    return held.owner if held else "nobody"
