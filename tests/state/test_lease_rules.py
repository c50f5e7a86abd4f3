"""Who may hold a workspace, decision by decision: claimed, renewed, checked, kept by a heartbeat, given back.

The clock is moved by hand, also under a heartbeat. What only a server's locks can show is asked of PostgreSQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import ClauseElement, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.dml import Update

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from worker.errors import Busy
from worker.state import leases
from worker.state.leases import Held, Lease, hold
from worker.state.processes import name_owner
from worker.state.store import Store, Tx
from worker.state.tables import leases as kept

NOW = datetime(2026, 11, 18, tzinfo=UTC)
TTL = timedelta(seconds=180)
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Yield one database for all tests, each of which has a workspace of its own."""
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('leases') / 'state.db'}")
    yield opened
    opened.close()


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def tx(store: Store, space: str) -> Iterator[Tx]:
    """Yield a transaction in which another workspace is held as well."""
    with store.transaction(f"{space}, beside") as beside:
        leases.claim(beside, "neighbour", now=NOW, ttl=TTL)
        yield Tx(beside.connection, space)
        standing = leases.current(beside)
    assert standing is not None
    assert (standing.owner, standing.until) == ("neighbour", NOW + TTL)


@pytest.fixture
def lease(store: Store, space: str) -> Lease:
    """Return a lease that is held from now on."""
    with store.transaction(space) as tx:
        return leases.claim(tx, "one", now=NOW, ttl=TTL)


class Clock:
    """A clock that is moved by hand, and by who waits."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def event(self) -> Waited:
        """Return an event for which waiting moves the clock on."""
        return Waited(self)


class Waited(threading.Event):
    """An event that never comes while it is waited for, only before."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.at += timedelta(seconds=timeout or 0)
        return self.is_set()


def standing_in(store: Store, space: str) -> Lease:
    with store.reading(space) as tx:
        found = leases.current(tx)
    assert found is not None
    return found


# --- claiming


def test_a_workspace_nobody_ever_had_is_taken_as_it_is_then_kept(tx: Tx) -> None:
    assert leases.current(tx) is None
    assert leases.holder(tx, now=NOW) is None
    taken = leases.claim(tx, "one", now=NOW, ttl=TTL)
    assert taken == Lease(tx.workspace, "one", 1, NOW + TTL, NOW)
    assert leases.current(tx) == taken
    assert leases.holder(tx, now=NOW) == "one"


@pytest.mark.parametrize("owner", ["two", "one"])
def test_a_lease_is_nobody_elses_to_the_last_moment_and_the_next_ones_after_it(
    tx: Tx, owner: str
) -> None:
    first = leases.claim(tx, "one", now=NOW, ttl=TTL)
    with pytest.raises(Busy) as refused:
        leases.claim(tx, owner, now=NOW + TTL - TICK, ttl=TTL)
    assert (refused.value.workspace, refused.value.holder) == (tx.workspace, "one")
    assert leases.current(tx) == first
    assert leases.holder(tx, now=NOW + TTL - TICK) == "one"
    assert leases.holder(tx, now=NOW + TTL) is None

    end = NOW + TTL
    taken = leases.claim(tx, owner, now=end, ttl=TTL)
    assert taken == Lease(tx.workspace, owner, 2, end + TTL, end)
    assert leases.current(tx) == taken


def test_a_dead_process_on_this_host_keeps_nobody_out(tx: Tx) -> None:
    host, pid, mark = name_owner().split(":")
    living, dead = f"{host}:{pid}:{mark}", f"{host}:{pid}:{mark}0"
    leases.claim(tx, dead, now=NOW, ttl=TTL)
    assert leases.holder(tx, now=NOW) is None
    assert leases.claim(tx, living, now=NOW, ttl=TTL).epoch == 2
    assert leases.holder(tx, now=NOW) == living
    with pytest.raises(Busy):
        leases.claim(tx, "two", now=NOW, ttl=TTL)


@contextmanager
def meanwhile(store: Store, tx: Tx, act: Callable[[Tx], object]) -> Iterator[None]:
    """Have another process's transaction end between the look at a lease and the change of it, as a server lets it."""
    waiting = [act]

    def hear(_connection: object, clause: object, *_: object) -> None:
        if isinstance(clause, Update) and waiting:
            waiting.pop()(tx)

    event.listen(store.engine, "before_execute", hear)
    yield
    event.remove(store.engine, "before_execute", hear)
    assert not waiting


def test_of_two_who_see_a_free_lease_at_once_the_later_is_refused(
    store: Store, tx: Tx
) -> None:
    leases.release(tx, leases.claim(tx, "one", now=NOW, ttl=TTL))

    def take(tx: Tx) -> None:
        leases.claim(tx, "quicker", now=NOW, ttl=TTL)

    with meanwhile(store, tx, take), pytest.raises(Busy) as refused:
        leases.claim(tx, "two", now=NOW, ttl=TTL)
    assert refused.value.holder == "quicker"
    assert leases.holder(tx, now=NOW) == "quicker"


def test_a_lapsed_lease_that_is_renewed_in_the_last_moment_is_not_taken(
    store: Store, tx: Tx
) -> None:
    lease = leases.claim(tx, "one", now=NOW, ttl=TTL)
    late = NOW + 2 * TTL

    def renew(tx: Tx) -> None:
        leases.renew(tx, lease, now=late, ttl=TTL)

    with meanwhile(store, tx, renew), pytest.raises(Busy, match="one"):
        leases.claim(tx, "two", now=late, ttl=TTL)
    assert leases.holder(tx, now=late) == "one"


def test_who_can_neither_take_nor_see_a_lease_is_refused_in_nobodys_name(
    tx: Tx,
) -> None:
    refuse = (
        "CREATE TEMP TRIGGER swallowed BEFORE INSERT ON main.leases "
        "BEGIN SELECT RAISE(IGNORE); END"
    )
    tx.connection.execute(text(refuse))
    with pytest.raises(Busy) as refused:
        leases.claim(tx, "one", now=NOW, ttl=TTL)
    assert refused.value.holder == "nobody"
    tx.connection.execute(text("DROP TRIGGER swallowed"))


# --- renewing and giving back


@pytest.mark.parametrize("waited", [timedelta(0), TTL - TICK, TTL, 9 * TTL])
def test_a_lease_that_nobody_took_is_renewed_however_late(
    tx: Tx, waited: timedelta
) -> None:
    lease = leases.claim(tx, "one", now=NOW, ttl=TTL)
    later = NOW + waited
    renewed = leases.renew(tx, lease, now=later, ttl=TTL)
    assert renewed == Lease(tx.workspace, "one", 1, later + TTL, NOW)
    assert leases.current(tx) == renewed
    assert renewed.is_same(lease)


def test_a_lease_that_was_given_back_is_free_at_once_and_is_not_renewed(tx: Tx) -> None:
    lease = leases.claim(tx, "one", now=NOW, ttl=TTL)
    leases.release(tx, lease)
    assert leases.holder(tx, now=NOW) is None
    with pytest.raises(Busy, match="one"):
        leases.renew(tx, lease, now=NOW, ttl=TTL)
    assert leases.holder(tx, now=NOW) is None
    assert leases.claim(tx, "two", now=NOW, ttl=TTL).epoch == 2


def test_the_leases_of_a_state_put_back_from_a_copy_are_given_back(tx: Tx) -> None:
    lease = leases.claim(tx, "one", now=NOW, ttl=TTL)
    ours = kept.c.workspace == tx.workspace
    tx.connection.execute(kept.update().values(until=0).where(ours))
    standing = leases.current(tx)
    assert standing is not None
    assert standing.left(NOW) is None
    with pytest.raises(Busy):
        leases.renew(tx, lease, now=NOW, ttl=TTL)


def test_a_lease_tells_how_much_time_it_has_left() -> None:
    lease = Lease("studio", "one", 1, NOW + TTL, NOW)
    assert lease.left(NOW) == TTL
    assert lease.left(NOW + 2 * TTL) == -TTL


@pytest.mark.parametrize("owner", ["two", "one"])
def test_a_lost_lease_is_neither_renewed_nor_given_back_nor_confirmed(
    store: Store, tx: Tx, owner: str
) -> None:
    lost = leases.claim(tx, "one", now=NOW, ttl=TTL)
    taken = leases.claim(tx, owner, now=NOW + TTL, ttl=TTL)
    assert not taken.is_same(lost)
    with pytest.raises(Busy) as refused:
        leases.renew(tx, lost, now=NOW + TTL, ttl=TTL)
    assert refused.value.holder == owner
    with pytest.raises(Busy, match=owner):
        Held(store, lost, ttl=TTL, now=lambda: NOW).confirm(tx)
    leases.release(tx, lost)
    assert leases.current(tx) == taken
    Held(store, taken, ttl=TTL, now=lambda: NOW).confirm(tx)


def test_a_lease_of_which_the_state_knows_nothing_any_more_is_lost(
    store: Store, tx: Tx, space: str
) -> None:
    unknown = Lease(space, "one", 1, NOW + TTL, NOW)
    with pytest.raises(Busy) as refused:
        leases.renew(tx, unknown, now=NOW, ttl=TTL)
    assert refused.value.holder == "nobody"
    with pytest.raises(Busy):
        Held(store, unknown, ttl=TTL, now=lambda: NOW).confirm(tx)


# --- telling who holds one


def test_who_holds_any_workspace_is_told_the_first_by_name(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = Store(f"sqlite:///{tmp_path_factory.mktemp('living') / 'state.db'}")
    at = Clock()
    alone.now = at.now  # type: ignore[method-assign]
    assert leases.find_living(alone) == ""
    for space, owner in (("a", "berta"), ("b", "anna"), ("c", "carla")):
        with alone.transaction(space) as tx:
            leases.claim(tx, owner, now=NOW, ttl=TTL)
    assert leases.find_living(alone) == "anna"
    with alone.transaction("c") as tx:
        leases.claim(tx, "dora", now=NOW + TTL, ttl=TTL)
    at.at += TTL
    assert leases.find_living(alone) == "dora"
    at.at += TTL
    assert leases.find_living(alone) == ""
    alone.close()


# --- a lease in use


@pytest.mark.parametrize(
    ("waited", "is_renewed"),
    [
        (timedelta(0), False),
        (TTL / 2, False),
        (TTL / 2 + TICK, True),
        (TTL, True),
        (5 * TTL, True),
    ],
)
def test_a_request_leaves_under_a_lease_that_has_half_its_time_left_or_is_renewed(
    store: Store, lease: Lease, waited: timedelta, *, is_renewed: bool
) -> None:
    clock = Clock()
    held = Held(store, lease, ttl=TTL, now=clock.now)
    clock.at += waited
    held.check()
    until = clock.at + TTL if is_renewed else NOW + TTL
    assert held.lease == Lease(lease.workspace, "one", 1, until, NOW)
    assert standing_in(store, lease.workspace) == held.lease


def test_no_request_leaves_under_a_lease_that_was_lost(
    store: Store, lease: Lease
) -> None:
    held = Held(store, lease, ttl=TTL, now=lambda: NOW)
    with store.transaction(lease.workspace) as tx:
        leases.claim(tx, "two", now=NOW + TTL, ttl=TTL)
    with pytest.raises(Busy) as refused:
        held.check()
    assert refused.value.holder == "two"
    with pytest.raises(Busy):
        held.beat()


# --- the heartbeat


def test_a_heartbeat_comes_again_before_the_lease_lapses_though_once_it_fails(
    store: Store, lease: Lease
) -> None:
    clock = Clock()

    class Away(Held):
        beaten = 0

        def beat(self) -> None:
            assert clock.now() < self.lease.until
            self.beaten += 1
            if self.beaten % 2:
                raise OperationalError("UPDATE", {}, ConnectionError("no connection"))
            super().beat()

    held = Away(store, lease, ttl=TTL, now=clock.now)
    held.keep(clock.event(), beats=8)
    assert held.beaten == 8
    assert held.lease.until == clock.at + TTL


def test_a_heartbeat_ends_with_its_run(store: Store, lease: Lease) -> None:
    clock = Clock()
    ended = clock.event()
    ended.set()
    held = Held(store, lease, ttl=TTL, now=clock.now)
    held.keep(ended, beats=3)
    assert held.lease == lease


def test_a_heartbeat_that_finds_the_lease_lost_beats_no_more(
    store: Store, lease: Lease
) -> None:
    clock = Clock()
    with store.transaction(lease.workspace) as tx:
        taken = leases.claim(tx, "two", now=NOW + TTL, ttl=TTL)
    Held(store, lease, ttl=TTL, now=clock.now).keep(clock.event(), beats=9)
    assert clock.at < NOW + TTL
    assert standing_in(store, lease.workspace) == taken


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock by which heartbeats wait, which takes no time."""
    moved = Clock()
    waiting = SimpleNamespace(
        Event=moved.event, Lock=threading.Lock, Thread=threading.Thread
    )
    monkeypatch.setattr(leases, "threading", waiting)
    return moved


def heartbeat(space: str) -> threading.Thread | None:
    for thread in threading.enumerate():
        if thread.name == f"lease-{space}":
            return thread
    return None


def live_through(store: Store, space: str, clock: Clock, **how: timedelta) -> Lease:
    """Return the lease of one who hangs until his heartbeat has ended, as it then stands."""
    with hold(store, space, "one", now=clock.now, **how):
        if heart := heartbeat(space):
            heart.join()
        return standing_in(store, space)


@pytest.mark.parametrize(
    ("limit", "ttl"),
    [(3 * TTL, TTL), (5 * TTL, TTL), (timedelta(minutes=45), timedelta(minutes=5))],
)
def test_who_hangs_keeps_a_workspace_for_the_limit_and_a_lease_after_it(
    store: Store, space: str, clock: Clock, limit: timedelta, ttl: timedelta
) -> None:
    last = live_through(store, space, clock, ttl=ttl, limit=limit)
    assert last.until == NOW + limit + ttl
    assert last.since == NOW


def test_who_hangs_keeps_a_workspace_for_a_day_when_nothing_is_said(
    store: Store, space: str, clock: Clock
) -> None:
    ttl = timedelta(hours=8)
    last = live_through(store, space, clock, ttl=ttl)
    assert last.until == NOW + timedelta(days=1) + ttl


def test_a_lease_is_renewed_once_however_near_the_limit(
    store: Store, space: str, clock: Clock
) -> None:
    last = live_through(store, space, clock, ttl=TTL, limit=TTL / 100)
    assert last.until == clock.at + TTL
    assert NOW < clock.at < NOW + TTL / 2, "it was renewed again"


def test_a_lease_is_given_back_at_the_end_also_of_a_run_that_fails(
    store: Store, space: str, clock: Clock
) -> None:
    def fail() -> None:
        with hold(store, space, "one", ttl=TTL, now=clock.now) as held:
            assert held.lease.owner == "one"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert heartbeat(space) is None
    with store.reading(space) as tx:
        assert leases.holder(tx, now=NOW) is None
    assert standing_in(store, space).left(NOW) is None


def test_the_end_of_a_process_waits_for_no_heartbeat(store: Store, space: str) -> None:
    with hold(store, space, "one", ttl=TTL, now=lambda: NOW):
        heart = heartbeat(space)
        assert heart is not None
        assert heart.daemon


# --- what a server's locks add


@contextmanager
def said_to_a_server(store: Store) -> Iterator[list[str]]:
    """Yield what is asked of the database meanwhile, as PostgreSQL would be asked it."""
    said: list[str] = []
    server = make_url("postgresql+psycopg://").get_dialect()()

    def hear(_connection: object, clause: ClauseElement, *_: object) -> None:
        said.append(str(clause.compile(dialect=server)))

    event.listen(store.engine, "before_execute", hear)
    yield said
    event.remove(store.engine, "before_execute", hear)


def test_a_confirmation_shares_a_lock_and_a_look_takes_none(
    store: Store, lease: Lease
) -> None:
    held = Held(store, lease, ttl=TTL, now=lambda: NOW)
    with said_to_a_server(store) as looked:
        held.check()
    assert len(looked) == 1
    assert " FOR " not in looked[0]
    with store.transaction(lease.workspace) as tx, said_to_a_server(store) as locked:
        held.confirm(tx)
    assert len(locked) == 1
    assert locked[0].endswith("FOR SHARE")


@pytest.fixture
def servers(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = Store(str(request.getfixturevalue("postgres_url")))
    yield opened
    opened.close()


@pytest.fixture
def patient(servers: Store) -> Iterator[Tx]:
    """Yield a transaction that waits for a lock no longer than it must."""
    with servers.transaction("studio") as tx:
        leases.claim(tx, "one", now=NOW, ttl=TTL)
    with servers.transaction("studio") as tx:
        tx.connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
        yield tx


def test_on_postgresql_a_confirmed_lease_is_nobody_elses_before_the_end(
    servers: Store, patient: Tx
) -> None:
    held = Held(servers, _current(patient), ttl=TTL, now=lambda: NOW)
    with servers.transaction("studio") as tx:
        held.confirm(tx)
        with pytest.raises(OperationalError, match="lock timeout"):
            leases.claim(patient, "two", now=NOW + TTL, ttl=TTL)
        patient.connection.rollback()


def test_on_postgresql_two_transactions_of_a_run_do_not_wait_for_each_other(
    servers: Store, patient: Tx
) -> None:
    held = Held(servers, _current(patient), ttl=TTL, now=lambda: NOW)
    with servers.transaction("studio") as tx:
        held.confirm(tx)
        held.confirm(patient)


def test_on_postgresql_who_only_looks_keeps_nobody_from_a_lapsed_lease(
    servers: Store, patient: Tx
) -> None:
    with servers.transaction("studio") as tx:
        assert _current(tx).owner == "one"
        assert leases.claim(patient, "two", now=NOW + TTL, ttl=TTL).epoch == 2


def _current(tx: Tx) -> Lease:
    found = leases.current(tx)
    assert found is not None
    return found
