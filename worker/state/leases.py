"""One writer per workspace: a lease with an epoch, taken, renewed and given back by compare-and-set.

A heartbeat keeps the lease while its holder lives, however long it waits; a process that is paused does not beat, and
its lease runs out. That of a process which died on this host is free at once. Whoever wakes from a pause must not go on
from what it believed: `Held.check` asks the database before each request, `Held.confirm` in each transaction. Between
the check and the wire a process can still be paused; what slips through there is caught by the journal's claims
(docs/facts/reliability.md 1.3, 2.2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Row, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from worker.errors import Busy
from worker.state.processes import is_gone
from worker.state.store import Store, Tx, from_micros, insert_new, to_micros
from worker.state.tables import leases
from worker.state.transitions import LEASES, Act, Grip, judge

log = structlog.get_logger("worker.state")
BEATS = 3
"""How often a lease is renewed in the time after which it would run out."""
_GIVEN_BACK = 0
# Made once: a lease is looked at before each request and in each transaction.
_STANDING = select(leases).where(leases.c.workspace == bindparam("space"))
_LOCKED = _STANDING.with_for_update(read=True)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of `owner` to write until an instant, held `since` it was claimed; `epoch` grows with every claim."""

    workspace: str
    owner: str
    epoch: int
    until: datetime
    since: datetime

    def is_same(self, other: Lease) -> bool:
        """Tell whether this is another one as it was before or after it was renewed."""
        return (self.owner, self.epoch) == (other.owner, other.epoch)

    def left(self, now: datetime) -> timedelta | None:
        """Return how much time is left, None when it was given back."""
        if to_micros(self.until) == _GIVEN_BACK:
            return None
        return self.until - now


def claim(tx: Tx, owner: str, *, now: datetime, ttl: timedelta) -> Lease:
    """Take what is free, whose lease ran out, whose owner is dead or whose end a wrong clock set; raise `Busy` when
    another owner holds it."""
    times = {"until": to_micros(now + ttl), "since": to_micros(now)}
    if insert_new(tx, leases, {"owner": owner, "epoch": 1, **times}):
        return _lease(tx.workspace, owner, 1, **times)
    held = current(tx)
    if held is None:
        raise Busy(tx.workspace, _holder(tx))
    grip = _look(held, now=now, ttl=ttl)
    if Act.CLAIM not in LEASES[grip]:
        raise Busy(tx.workspace, _holder(tx))
    epoch = held.epoch + 1
    if not _change(tx, held, _unmoved(held), owner=owner, epoch=epoch, **times):
        raise Busy(tx.workspace, _holder(tx))
    return _lease(tx.workspace, owner, epoch, **times)


def renew(tx: Tx, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
    """Return the lease prolonged; raise `Busy` when it was lost or given back. One that ran out but nobody took can be
    renewed."""
    held = _ours(tx, lease, current(tx))
    until = to_micros(now + ttl)
    grip = judge(held.left(now), ttl=ttl)
    may = Act.RENEW in LEASES[grip]
    if not (may and _change(tx, held, _unmoved(held), until=until)):
        raise Busy(tx.workspace, _holder(tx))
    since = to_micros(lease.since)
    return _lease(lease.workspace, lease.owner, lease.epoch, until=until, since=since)


def release(tx: Tx, lease: Lease) -> None:
    """Give a lease back; nothing happens when it was lost already."""
    _change(tx, lease, until=_GIVEN_BACK)


def current(tx: Tx, *, lock: bool = False) -> Lease | None:
    """Return the workspace's lease as it stands, held or run out; `lock` lets nobody claim it before this ends."""
    query = _LOCKED if lock else _STANDING
    row = tx.connection.execute(query, {"space": tx.workspace}).first()
    if row:
        return _read(row)
    return None


def holder(tx: Tx, *, now: datetime) -> str | None:
    """Return who has the workspace in hand, None when nobody has: a dead process holds nothing."""
    held = current(tx)
    if held and _is_in_hand(held, now):
        return held.owner
    return None


def find_living(store: Store) -> str:
    """Return who holds a lease of any workspace, and is not known to be dead; empty when nobody does."""
    now = store.now()
    with store.reading("") as tx:
        held = [_read(row) for row in tx.connection.execute(select(leases))]
    living = (one.owner for one in held if _is_in_hand(one, now))
    return min(living, default="")


class Held:
    """A lease in use. Whoever holds one checks it before each request and confirms it in each transaction; both raise
    `Busy` once another owner has it. Thread-safe."""

    def __init__(
        self, store: Store, lease: Lease, *, ttl: timedelta, now: Callable[[], datetime]
    ) -> None:
        self._store = store.unguarded()
        self._ttl = ttl
        self._now = now
        self._lease = lease
        self._lock = threading.Lock()

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        return self._lease

    def check(self) -> None:
        """Make sure, by the database, that we may still write and will for a good part of the lease's time."""
        with self._store.reading(self._lease.workspace) as tx:
            standing = _ours(tx, self._lease, current(tx))
        # Read after the row, so that the time left is never thought longer than it is.
        left = standing.left(self._now())
        if Act.SEND not in LEASES[judge(left, ttl=self._ttl)]:
            self.beat()

    def confirm(self, tx: Tx) -> None:
        """Make sure that nobody else takes the lease before this transaction ends."""
        _ours(tx, self._lease, current(tx, lock=True))

    def beat(self) -> None:
        """Renew the lease."""
        with self._lock:
            now = self._now()  # taken before the request that renews, so that our deadline is never the later one
            with self._store.transaction(self._lease.workspace) as tx:
                self._lease = renew(tx, self._lease, now=now, ttl=self._ttl)

    def keep(self, ended: threading.Event, *, beats: int) -> None:
        """Renew the lease in good time until `ended`, until it is lost, or `beats` times.

        A database that is away for a while is asked again: only it can tell that the lease is lost.
        """
        for _ in range(beats):
            if ended.wait(self._ttl.total_seconds() / BEATS):
                return
            try:
                self.beat()
            except Busy as taken:
                log.warning(
                    "lease.lost", workspace=taken.workspace, holder=taken.holder
                )
                return
            except (SQLAlchemyError, OSError) as error:
                log.warning(
                    "lease.not_renewed",
                    workspace=self._lease.workspace,
                    error=type(error).__name__,
                )


@contextmanager
def hold(
    store: Store,
    workspace: str,
    owner: str,
    *,
    ttl: timedelta,
    now: Callable[[], datetime],
    limit: timedelta = timedelta(days=1),
) -> Iterator[Held]:
    """Hold a workspace's lease for a block; raises `Busy` when another owner has it.

    A heartbeat renews it meanwhile, for `limit` at most: who hangs for longer does not keep everybody out for ever.
    """
    with store.transaction(workspace) as tx:
        lease = claim(tx, owner, now=now(), ttl=ttl)
    held = Held(store, lease, ttl=ttl, now=now)
    ended = threading.Event()
    heart = threading.Thread(
        target=held.keep,
        args=(ended,),
        kwargs={"beats": max(1, int(limit / (ttl / BEATS)))},
        name=f"lease-{workspace}",
        daemon=True,
    )
    heart.start()
    try:
        yield held
    finally:
        ended.set()
        heart.join()
        with store.transaction(workspace) as tx:
            release(tx, held.lease)


def _lease(workspace: str, owner: str, epoch: int, *, until: int, since: int) -> Lease:
    return Lease(workspace, owner, epoch, from_micros(until), from_micros(since))


def _read(row: Row[Any]) -> Lease:
    return _lease(row.workspace, row.owner, row.epoch, until=row.until, since=row.since)


def _ours(tx: Tx, lease: Lease, standing: Lease | None) -> Lease:
    if standing is None or not standing.is_same(lease):
        raise Busy(tx.workspace, standing.owner if standing else "nobody")
    return standing


def _look(held: Lease, *, now: datetime, ttl: timedelta) -> Grip:
    return judge(held.left(now), ttl=ttl, is_dead=is_gone(held.owner))


def _is_in_hand(held: Lease, now: datetime) -> bool:
    grip = _look(held, now=now, ttl=timedelta(0))
    return grip in (Grip.FRESH, Grip.ASTRAY)


def _unmoved(held: Lease) -> ColumnElement[bool]:
    return leases.c.until == to_micros(held.until)


def _change(tx: Tx, lease: Lease, *where: ColumnElement[bool], **values: Any) -> bool:
    """Change a lease where it stands, which nobody claimed since; tell whether it does."""
    result = tx.connection.execute(
        leases.update()
        .values(**values)
        .where(
            leases.c.workspace == tx.workspace,
            leases.c.owner == lease.owner,
            leases.c.epoch == lease.epoch,
            *where,
        )
    )
    return bool(result.rowcount)


def _holder(tx: Tx) -> str:
    held = current(tx)
    if held:
        return held.owner
    return "nobody"
