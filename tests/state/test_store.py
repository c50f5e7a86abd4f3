"""The same claims about the state over SQLite and PostgreSQL."""

from __future__ import annotations

import json
import stat
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from worker.codecs.records import Page
from worker.domain.entities import Issue, Move, Worklog
from worker.domain.messages import literal
from worker.domain.values import Ref, Span, Value
from worker.domain.words import Words
from worker.errors import (
    Busy,
    Code,
    Problem,
    QueueFull,
    RenderedProblem,
    Severity,
    StateFault,
    in_words,
)
from worker.mapping.schema import Binding, Owner, Property, Rows, Schema
from worker.mapping.schema import Source as Board
from worker.plan.facts import Why
from worker.plan.plan import Adopted, Change, FieldChange, Kind, Plan
from worker.state import (
    bases,
    bindings,
    history,
    journal,
    leases,
    memory,
    problems,
    runs,
    snapshots,
    tables,
    triggers,
)
from worker.state.journal import Intent
from worker.state.leases import Held, hold
from worker.state.migrate import configure, upgrade
from worker.state.runs import RunStatus
from worker.state.settings import Setting
from worker.state.store import NoState, Store, Tx, to_micros, upsert
from worker.state.tables import counters, metadata, settings
from worker.state.tables import memory as memory_table
from worker.state.transitions import Status
from worker.state.triggers import Asker, Order, Source, TriggerState
from worker.world.memory import Baseline, Closing, Memory, Occurrence, Track

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TTL = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
RUN, OTHER_RUN = "17", "18"
KEPT = [status for status in Status if status is not Status.ABSENT]
COUNT = Setting("count", int, int)
RISK = Ref("risks", "risk:deadline.p_on_time:p1")
SCHEMA = Schema(
    {
        "risks": Board(
            "risks",
            Rows.WORKER,
            {"en": "Risks"},
            "",
            {
                name: Property(name, kind, owner, {"en": name})
                for name, kind, owner in (
                    ("title", "title", Owner.WORKER),
                    ("exposure", "number", Owner.WORKER),
                    ("is_new", "checkbox", Owner.WORKER),
                    ("probability", "number", Owner.SHARED),
                    ("steps", "rich_text", Owner.SEED),
                    ("review", "date", Owner.SEED),
                    ("unbound", "number", Owner.WORKER),
                )
            },
        )
    }
)
BINDINGS = {
    "risks": Binding(
        "risks",
        "database",
        "data source",
        {
            name: name
            for name in SCHEMA.sources["risks"].properties
            if name != "unbound"
        },
    )
}

Opener = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Yield what opens one and the same new database, each time as another process would."""
    url = (
        f"sqlite:///{tmp_path / 'home' / 'state.db'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres_url"))
    )
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store(url))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Store:
    return opener()


def test_the_migrations_build_exactly_the_tables_the_code_knows(store: Store) -> None:
    with store.reading("main") as tx:
        assert (
            compare_metadata(MigrationContext.configure(tx.connection), metadata) == []
        )


def test_every_table_has_the_workspace_first_in_its_key() -> None:
    assert {
        table.primary_key.columns.keys()[0] for table in metadata.tables.values()
    } == {"workspace"}


def test_opening_an_existing_database_keeps_what_is_in_it(opener: Opener) -> None:
    with opener().transaction("main") as tx:
        COUNT.save(tx, 42)
    with opener().reading("main") as tx:
        assert COUNT.load(tx) == 42


def test_an_up_to_date_database_is_opened_while_somebody_writes_in_it(
    opener: Opener,
) -> None:
    with opener().transaction("main") as tx:
        COUNT.save(tx, 42)
        with opener().reading("main") as other:
            assert COUNT.load(other) == 0


def test_a_database_opened_by_several_at_once_is_built_once(opener: Opener) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: opener(), range(4)))
    assert "intents" in inspect(stores[0].engine).get_table_names()


def migrate(store: Store, revision: str) -> None:
    """Take a database back to an older schema."""
    config = configure()
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def test_the_first_migration_can_be_taken_back(store: Store) -> None:
    migrate(store, "base")
    assert inspect(store.engine).get_table_names() == ["alembic_version"]
    upgrade(store.engine)
    assert set(inspect(store.engine).get_table_names()) > set(metadata.tables)


def test_a_state_of_the_first_version_keeps_its_claims_and_leases(
    opener: Opener,
) -> None:
    store, config = opener(), configure()
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, {"name": "Late"}, claim=RUN, now=NOW)
        leases.claim(tx, "one", now=NOW, ttl=TTL)
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    columns = {one["name"] for one in inspect(store.engine).get_columns("intents")}
    assert "claim" not in columns
    with opener().transaction("main") as tx:
        assert journal.unsettled(tx) == (
            Intent(RISK, Status.INTENDED, NOW, wanted={"name": "Late"}),
        )
        assert not journal.send(tx, RISK, claim=RUN, now=NOW)
        lease = leases.current(tx)
        assert lease is not None
        assert (lease.owner, lease.epoch, lease.until) == ("one", 1, NOW + TTL)
        assert journal.settle(tx, _intent(tx), "found", now=NOW)


SAYS = "0f1e2d3c4b5a6978"


@pytest.mark.parametrize(
    ("remembered", "attempted", "left"),
    [(100, None, SAYS), (101, None, ""), (350, None, ""), (350, "other", "")],
)
def test_a_long_section_of_an_older_version_is_written_again(
    store: Store, remembered: int, attempted: str | None, left: str
) -> None:
    """It may be out of order; its blocks stay known, a short one and other fields stay as they are."""
    blocks = tuple(f"b{number}=meant=shown" for number in range(remembered))
    cells: dict[str, Value] = {"§": SAYS, "§blocks": blocks, "name": "Neptune"}
    with store.transaction("main") as tx:
        bases.record(tx, "p1", cells)
        bases.record(tx, "p2", {"§": SAYS, "§blocks": blocks[:3]})
        if attempted:
            bases.attempt(tx, "p1", {"§": attempted})
    migrate(store, "0002")
    upgrade(store.engine)
    with store.reading("main") as tx:
        assert bases.of_page(tx, "p1") == {**cells, "§": left}
        assert bases.of_page(tx, "p2")["§"] == SAYS
        assert bases.load(tx)[1] == ({("p1", "§"): attempted} if attempted else {})


def test_the_databases_clock_tells_the_present_in_utc(store: Store) -> None:
    before = datetime.now(UTC)
    now = store.now()
    after = datetime.now(UTC)
    assert before <= now <= after


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction("main") as tx:
            COUNT.save(tx, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading("main") as tx:
        assert COUNT.load(tx) == 0


def test_workspaces_do_not_see_each_other(store: Store) -> None:
    with store.transaction("one") as tx:
        journal.intend(tx, RISK, {}, claim=RUN, now=NOW)
        bases.record(tx, "p1", {"health": "red"})
        memory.save(tx, Memory())
    with store.reading("two") as tx:
        assert journal.find(tx, RISK) is None
        assert bases.load(tx) == ({}, {})
        assert memory.load(tx).first_run


def test_four_threads_lose_no_update(store: Store) -> None:
    with store.transaction("main") as tx:
        COUNT.save(tx, 0)

    def add(_: int) -> None:
        for _ in range(25):
            with store.transaction("main") as tx:
                lock = (
                    select(settings.c.body)
                    .where(settings.c.key == "count")
                    .with_for_update()
                )
                tx.connection.execute(lock)
                COUNT.save(tx, COUNT.load(tx) + 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    with store.reading("main") as tx:
        assert COUNT.load(tx) == 100


def test_numbers_of_runs_are_unique_between_threads(store: Store) -> None:
    def start(_: int) -> int:
        with store.transaction("main") as tx:
            return runs.start(tx, "manual", now=NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(start, range(20))) == list(range(1, 21))


# --- leases


def test_two_stores_on_one_database_cannot_both_hold_the_lease(opener: Opener) -> None:
    with opener().transaction("main") as tx:
        leases.claim(tx, "one", now=NOW, ttl=TTL)
    with pytest.raises(Busy) as caught, opener().transaction("main") as tx:
        leases.claim(tx, "two", now=NOW + timedelta(seconds=59), ttl=TTL)
    assert caught.value.holder == "one"


def test_of_many_claims_at_once_one_wins(opener: Opener) -> None:
    stores = [opener() for _ in range(4)]
    gate = threading.Barrier(4)

    def claim(index: int) -> bool:
        gate.wait()
        try:
            with stores[index].transaction("main") as tx:
                leases.claim(tx, f"owner {index}", now=NOW, ttl=TTL)
        except Busy:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(4))) == 1


def test_a_lease_that_ran_out_is_taken_over_and_the_old_owner_stops(
    opener: Opener,
) -> None:
    first, second = opener(), opener()
    instant = [NOW]
    with first.transaction("main") as tx:
        held = Held(
            first,
            leases.claim(tx, "one", now=NOW, ttl=TTL),
            ttl=TTL,
            now=lambda: instant[0],
        )
    instant[0] += 2 * TTL
    with second.transaction("main") as tx:
        assert leases.claim(tx, "two", now=instant[0], ttl=TTL).epoch == 2
    with pytest.raises(Busy):
        held.check()


def test_a_lease_in_use_is_renewed_before_it_runs_out(store: Store) -> None:
    instant = [NOW]
    with hold(store, "main", "one", ttl=TTL, now=lambda: instant[0]) as held:
        for _ in range(10):
            instant[0] += TTL / 2
            held.check()
        with pytest.raises(Busy), store.transaction("main") as tx:
            leases.claim(tx, "two", now=instant[0], ttl=TTL)
    with store.transaction("main") as tx:
        assert leases.claim(tx, "two", now=instant[0], ttl=TTL).owner == "two"


def test_giving_back_a_lost_lease_does_not_free_the_new_owners(store: Store) -> None:
    with store.transaction("main") as tx:
        lost = leases.claim(tx, "one", now=NOW, ttl=TTL)
    with store.transaction("main") as tx:
        taken = leases.claim(tx, "two", now=NOW + TTL, ttl=TTL)
        leases.release(tx, lost)
        assert leases.current(tx) == taken


def test_a_heartbeat_keeps_a_lease_far_beyond_its_time_without_a_check(
    store: Store,
) -> None:
    ttl = timedelta(seconds=0.3)
    with hold(store, "main", "one", ttl=ttl, now=store.now) as held:
        first = held.lease
        _wait_for(lambda: held.lease.until > first.until + 3 * ttl)
        held.check()
        with store.reading("main") as tx:
            standing = leases.current(tx)
    assert standing is not None
    assert (standing.owner, standing.epoch, standing.since) == (
        "one",
        first.epoch,
        first.since,
    )


def test_a_heartbeat_that_finds_the_lease_taken_ends_and_leaves_the_new_owners_alone(
    opener: Opener,
) -> None:
    first, second = opener(), opener()
    with first.transaction("main") as tx:
        held = Held(
            first,
            leases.claim(tx, "one", now=NOW, ttl=TTL),
            ttl=timedelta(milliseconds=30),
            now=first.now,
        )
    with second.transaction("main") as tx:
        taken = leases.claim(tx, "two", now=NOW + TTL, ttl=TTL)
    held.keep(threading.Event(), beats=10**6)
    with second.reading("main") as tx:
        assert leases.current(tx) == taken


def test_a_heartbeat_survives_a_database_that_is_away(store: Store) -> None:
    class Away(Held):
        missed = 0

        def beat(self) -> None:
            if self.missed < 3:
                self.missed += 1
                raise OperationalError("UPDATE", {}, ConnectionError("no connection"))
            super().beat()

    with store.transaction("main") as tx:
        lease = leases.claim(tx, "one", now=NOW, ttl=TTL)
    held = Away(store, lease, ttl=timedelta(milliseconds=30), now=store.now)
    held.keep(threading.Event(), beats=4)
    assert held.lease.until > lease.until


def test_who_hangs_for_longer_than_the_limit_loses_the_lease(store: Store) -> None:
    ttl = timedelta(seconds=0.3)

    def claim() -> bool:
        try:
            with store.transaction("main") as tx:
                leases.claim(tx, "two", now=store.now(), ttl=TTL)
        except Busy:
            return False
        return True

    with hold(store, "main", "one", ttl=ttl, now=store.now, limit=2 * ttl) as held:
        _wait_for(claim)
        with pytest.raises(Busy, match="two"):
            held.check()


def test_a_lease_that_ran_out_unnoticed_is_good_again_when_nobody_took_it(
    store: Store,
) -> None:
    instant = [NOW]
    with hold(store, "main", "one", ttl=TTL, now=lambda: instant[0]) as held:
        instant[0] += 100 * TTL
        held.check()
        assert held.lease.until == instant[0] + TTL


def test_after_a_check_a_good_part_of_the_lease_is_left(store: Store) -> None:
    instant = [NOW]
    with hold(store, "main", "one", ttl=TTL, now=lambda: instant[0]) as held:
        for seconds in range(200):
            instant[0] = NOW + timedelta(seconds=seconds)
            held.check()
            assert held.lease.until - instant[0] >= TTL / 2


def test_a_lease_lost_and_given_back_by_the_other_stays_lost(opener: Opener) -> None:
    first, second = opener(), opener()
    instant = [NOW]
    with first.transaction("main") as tx:
        held = Held(
            first,
            leases.claim(tx, "one", now=NOW, ttl=TTL),
            ttl=TTL,
            now=lambda: instant[0],
        )
    instant[0] += 2 * TTL
    with hold(second, "main", "two", ttl=TTL, now=lambda: instant[0]):
        pass
    with pytest.raises(Busy, match="two"):
        held.check()
    with pytest.raises(Busy, match="two"), first.transaction("main") as tx:
        held.confirm(tx)


def test_a_guarded_state_keeps_nothing_once_the_lease_is_lost(opener: Opener) -> None:
    first, second = opener(), opener()
    with first.transaction("main") as tx:
        held = Held(
            first, leases.claim(tx, "one", now=NOW, ttl=TTL), ttl=TTL, now=lambda: NOW
        )
    guarded = first.guarded(held.confirm)
    with guarded.transaction("main") as tx:
        COUNT.save(tx, 1)
    with second.transaction("main") as tx:
        leases.claim(tx, "two", now=NOW + TTL, ttl=TTL)
    with pytest.raises(Busy, match="two"), guarded.transaction("main") as tx:
        COUNT.save(tx, 2)
    with guarded.reading("main") as tx:
        assert COUNT.load(tx) == 1
    with guarded.unguarded().transaction("main") as tx:
        COUNT.save(tx, 3)


def _wait_for(seen: Callable[[], bool]) -> None:
    """Wait for an event, for as long as the test may take."""
    while not seen():
        time.sleep(0.01)


# --- the journal


def test_a_creation_is_claimed_once(opener: Opener) -> None:
    stores = [opener() for _ in range(4)]
    gate = threading.Barrier(4)

    def intend(index: int) -> bool:
        gate.wait()
        with stores[index].transaction("main") as tx:
            return journal.intend(tx, RISK, {"name": "Late"}, claim=RUN, now=NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(intend, range(4))) == 1


@pytest.mark.parametrize("outcome", [Status.INTENDED, Status.UNKNOWN, Status.DONE])
def test_only_a_creation_that_certainly_failed_is_claimed_again(
    store: Store, outcome: Status
) -> None:
    _bring_to(store, outcome)
    with store.transaction("main") as tx:
        assert not journal.intend(tx, RISK, {}, claim=RUN, now=NOW)
        assert not journal.intend(tx, RISK, {}, claim=OTHER_RUN, now=NOW)


def test_a_failed_creation_is_claimed_by_the_next_run_as_its_second_attempt(
    store: Store,
) -> None:
    _bring_to(store, Status.FAILED)
    with store.transaction("main") as tx:
        assert journal.intend(tx, RISK, {}, claim=OTHER_RUN, now=NOW + MINUTE)
        intent = journal.find(tx, RISK)
    assert intent == Intent(
        RISK, Status.INTENDED, NOW + MINUTE, attempt=2, claim=OTHER_RUN
    )


def _bring_to(store: Store, status: Status, *, claim: str = RUN) -> Intent:
    with store.transaction("main") as tx:
        assert journal.intend(tx, RISK, {}, claim=claim, now=NOW)
        match status:
            case Status.UNKNOWN:
                assert journal.doubt(tx, RISK, claim=claim, now=NOW)
            case Status.DONE:
                journal.finish(tx, RISK, "page-1", claim=claim, now=NOW)
            case Status.FAILED:
                assert journal.fail(tx, RISK, claim=claim)
        return _intent(tx)


def _intent(tx: Tx) -> Intent:
    found = journal.find(tx, RISK)
    assert found is not None
    return found


@pytest.mark.parametrize("status", KEPT)
def test_another_run_can_neither_send_nor_fail_nor_doubt_a_claim(
    store: Store, status: Status
) -> None:
    before, later = _bring_to(store, status), NOW + MINUTE
    with store.transaction("main") as tx:
        assert not journal.send(tx, RISK, claim=OTHER_RUN, now=later)
        assert not journal.fail(tx, RISK, claim=OTHER_RUN)
        assert not journal.doubt(tx, RISK, claim=OTHER_RUN, now=later)
        assert _intent(tx) == before


@pytest.mark.parametrize("status", KEPT)
def test_another_runs_page_never_replaces_what_stands_and_is_proved_all_the_same(
    store: Store, status: Status
) -> None:
    before = _bring_to(store, status)
    with store.transaction("main") as tx:
        standing = journal.finish(tx, RISK, "late", claim=OTHER_RUN, now=NOW)
        assert standing == before.page_id
        assert _intent(tx) == before
        assert "late" in journal.created_pages(tx)


def test_a_run_that_wakes_after_its_claim_was_reopened_and_made_anew_changes_nothing(
    store: Store,
) -> None:
    intent = _bring_to(store, Status.INTENDED)
    with store.transaction("main") as tx:
        assert journal.settle(tx, intent, "", now=NOW)
        assert journal.intend(tx, RISK, {}, claim=OTHER_RUN, now=NOW)
        journal.finish(tx, RISK, "theirs", claim=OTHER_RUN, now=NOW)
        assert not journal.send(tx, RISK, claim=RUN, now=NOW)
        assert journal.finish(tx, RISK, "late", claim=RUN, now=NOW) == "theirs"
        assert not journal.doubt(tx, RISK, claim=RUN, now=NOW)
        assert not journal.fail(tx, RISK, claim=RUN)
        assert journal.canonical_pages(tx) == {RISK: "theirs"}
        assert journal.created_pages(tx) == {"theirs", "late"}


def test_a_page_made_after_all_takes_its_reopened_claim_back_while_nobody_else_has_it(
    store: Store,
) -> None:
    intent = _bring_to(store, Status.INTENDED)
    with store.transaction("main") as tx:
        journal.settle(tx, intent, "", now=NOW)
        assert journal.finish(tx, RISK, "late", claim=RUN, now=NOW) == "late"
        assert not journal.intend(tx, RISK, {}, claim=OTHER_RUN, now=NOW)


def test_a_doubt_about_a_reopened_claim_keeps_the_next_run_from_making_it_at_once(
    store: Store,
) -> None:
    intent = _bring_to(store, Status.INTENDED)
    with store.transaction("main") as tx:
        journal.settle(tx, intent, "", now=NOW)
        assert journal.doubt(tx, RISK, claim=RUN, now=NOW)
        assert not journal.intend(tx, RISK, {}, claim=OTHER_RUN, now=NOW)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.DONE, Status.FAILED])
def test_only_a_claim_under_way_is_sent_or_failed(store: Store, status: Status) -> None:
    before = _bring_to(store, status)
    with store.transaction("main") as tx:
        assert not journal.send(tx, RISK, claim=RUN, now=NOW + MINUTE)
        assert not journal.fail(tx, RISK, claim=RUN)
        assert _intent(tx) == before


def test_the_settle_time_runs_from_each_sending_and_anew_from_a_doubt(
    store: Store,
) -> None:
    def due(tx: Tx, at: datetime) -> bool:
        return bool(journal.unsettled(tx, before=at - 3 * MINUTE))

    _bring_to(store, Status.INTENDED)
    with store.transaction("main") as tx:
        for waited in (15 * MINUTE, 20 * MINUTE):
            assert due(tx, NOW + waited)
            assert journal.send(tx, RISK, claim=RUN, now=NOW + waited)
            assert not due(tx, NOW + waited + 2 * MINUTE)
            assert due(tx, NOW + waited + 3 * MINUTE)
        assert journal.doubt(tx, RISK, claim=RUN, now=NOW + 22 * MINUTE)
        assert not due(tx, NOW + 24 * MINUTE)
        assert due(tx, NOW + 25 * MINUTE)


@pytest.mark.parametrize("page_id", ["", "found"])
def test_a_look_up_settles_only_the_row_it_was_made_for(
    store: Store, page_id: str
) -> None:
    read = _bring_to(store, Status.INTENDED)
    with store.transaction("main") as tx:
        journal.send(tx, RISK, claim=RUN, now=NOW + MINUTE)
        sent = _intent(tx)
        assert not journal.settle(tx, read, page_id, now=NOW)
        assert (_intent(tx), journal.created_pages(tx)) == (sent, frozenset())
        assert journal.settle(tx, sent, page_id, now=NOW)
        assert not journal.settle(tx, sent, "another", now=NOW)
        assert _intent(tx).page_id == page_id


def test_a_page_that_people_made_theirs_is_no_longer_proved_to_be_ours(
    store: Store,
) -> None:
    _bring_to(store, Status.DONE)
    with store.transaction("main") as tx:
        journal.finish(tx, RISK, "late", claim=RUN, now=NOW)
        journal.disown(tx, "late")
        assert journal.created_pages(tx) == {"page-1"}


def test_an_intent_remembers_what_its_fields_were_to_hold(store: Store) -> None:
    wanted: dict[str, Value] = {
        "name": "Срыв срока 🚨",
        "score": Decimal("9.50"),
        "first_seen": date(2026, 11, 20),
        "steps": None,
        "project": (Ref("projects", "p1"),),
        "period": Span(date(2026, 10, 1), date(2026, 12, 31)),
    }
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, wanted, claim=RUN, now=NOW)
    with store.reading("main") as tx:
        intent = journal.find(tx, RISK)
    assert intent is not None
    assert intent.wanted == wanted
    assert intent.sent_at == NOW


def test_only_creations_older_than_the_settle_time_are_unsettled(store: Store) -> None:
    other = Ref("tasks", "task:ray:c1")
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, {}, claim=RUN, now=NOW - 5 * MINUTE)
        journal.intend(tx, other, {}, claim=RUN, now=NOW)
        assert [
            intent.ref for intent in journal.unsettled(tx, before=NOW - 3 * MINUTE)
        ] == [RISK]
        assert [intent.ref for intent in journal.unsettled(tx)] == [RISK, other]


def test_the_journal_proves_every_page_it_made_for_a_key(store: Store) -> None:
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, {}, claim=RUN, now=NOW)
        assert journal.finish(tx, RISK, "page-1", claim=RUN, now=NOW) == "page-1"
        assert journal.finish(tx, RISK, "page-2", claim=RUN, now=NOW) == "page-1"
        assert journal.canonical_pages(tx) == {RISK: "page-1"}
        assert journal.created_pages(tx) == {"page-1", "page-2"}


def test_a_base_is_replaced_and_an_attempt_leaves_it(store: Store) -> None:
    with store.transaction("main") as tx:
        bases.record(tx, "p1", {"health": "red", "score": Decimal(40)})
        bases.attempt(tx, "p1", {"health": "amber", "why": "late"})
        assert bases.load(tx) == (
            {("p1", "health"): "red", ("p1", "score"): Decimal(40)},
            {("p1", "health"): "amber", ("p1", "why"): "late"},
        )
        bases.record(tx, "p1", {"health": "amber"})
        bases.adopt(tx, [Adopted("p1", "why", None)])
        assert bases.load(tx) == (
            {
                ("p1", "health"): "amber",
                ("p1", "score"): Decimal(40),
                ("p1", "why"): None,
            },
            {},
        )


def test_rows_that_were_read_rebuild_a_lost_journal_without_proving_anything(
    store: Store,
) -> None:
    done, doubted = Ref("risks", "done"), Ref("risks", "doubted")
    with store.transaction("main") as tx:
        journal.intend(tx, done, {}, claim=RUN, now=NOW)
        journal.finish(tx, done, "page-1", claim=RUN, now=NOW)
        journal.intend(tx, doubted, {"name": "Late"}, claim=RUN, now=NOW)
        read = {done: "copy", doubted: "page-2", RISK: "page-3"}
        journal.adopt(tx, read, now=NOW, schema=SCHEMA, bindings=BINDINGS)
        assert journal.canonical_pages(tx) == {
            done: "page-1",
            doubted: "page-2",
            RISK: "page-3",
        }
        assert journal.created_pages(tx) == {"page-1"}
        assert journal.unsettled(tx) == ()
        assert bases.load(tx) == ({}, {("page-2", "name"): "Late"})
        assert not journal.intend(tx, RISK, {}, claim=RUN, now=NOW)


@pytest.mark.parametrize("outcome", ["under way", "in doubt", "not made"])
def test_a_claimed_row_read_under_our_name_is_proven_ours_and_others_are_not(
    store: Store, outcome: str
) -> None:
    ours, copied = Ref("risks", "ours"), Ref("risks", "copied")
    with store.transaction("main") as tx:
        for ref in (ours, copied):
            journal.intend(tx, ref, {}, claim=RUN, now=NOW)
            if outcome == "in doubt":
                journal.doubt(tx, ref, claim=RUN, now=NOW)
            elif outcome == "not made":
                journal.fail(tx, ref, claim=RUN)
        read = {ours: "page-1", copied: "page-2", RISK: "page-3"}
        journal.adopt(
            tx,
            read,
            now=NOW,
            schema=SCHEMA,
            bindings=BINDINGS,
            made={"page-1", "page-3"},
        )
        assert journal.created_pages(tx) == {"page-1"}
        assert journal.created_by(tx, RUN) == {"page-1"}


def test_of_a_row_made_unseen_all_it_was_given_and_what_is_ours_alone_is_known(
    store: Store,
) -> None:
    wanted: dict[str, Value] = {
        "title": "Late",
        "probability": Decimal("0.3"),
        "steps": "call",
    }
    with store.transaction("main") as tx:
        journal.intend(tx, RISK, wanted, claim=RUN, now=NOW)
        journal.adopt(
            tx, {RISK: "page"}, now=NOW, schema=SCHEMA, bindings=BINDINGS, made={"page"}
        )
        assert bases.load(tx) == (
            {
                ("page", "title"): "Late",
                ("page", "probability"): Decimal("0.3"),
                ("page", "steps"): "call",
                ("page", "exposure"): None,
            },
            {},
        )


def test_what_was_attempted_can_be_withdrawn_and_a_page_forgotten(store: Store) -> None:
    with store.transaction("main") as tx:
        bases.record(tx, "p1", {"health": "red"})
        bases.attempt(tx, "p1", {"health": "amber", "why": "late"})
        bases.withdraw(tx, "p1", ["health", "why"])
        assert bases.load(tx) == ({("p1", "health"): "red"}, {})
        bases.forget(tx, ["p1"])
        assert bases.load(tx) == ({}, {})


# --- snapshots


def _page(
    page_id: str, edited: str = "2026-11-20T09:00:00.000Z", **extra: object
) -> Page:
    return Page(page_id, dict(extra), last_edited_time=edited)


def test_only_new_and_changed_pages_are_reported(store: Store) -> None:
    with store.transaction("main") as tx:
        assert snapshots.save_pages(
            tx, "clients", [_page("a"), _page("b")], complete=True
        ).changed == {"a", "b"}
        assert snapshots.save_pages(
            tx, "clients", [_page("a"), _page("b", name="Б")], complete=False
        ).changed == {"b"}
        assert snapshots.load_pages(tx) == {
            "clients": (_page("a"), _page("b", name="Б"))
        }


def test_absence_counts_only_in_complete_reads_and_a_page_seen_again_is_back(
    store: Store,
) -> None:
    with store.transaction("main") as tx:
        snapshots.save_pages(tx, "clients", [_page("a"), _page("b")], complete=True)
        assert (
            snapshots.save_pages(tx, "clients", [_page("a")], complete=False).missing
            == frozenset()
        )
        assert snapshots.save_pages(
            tx, "clients", [_page("a")], complete=True
        ).missing == {"b"}
        snapshots.save_pages(tx, "clients", [_page("a")], complete=True)
        assert snapshots.missing_pages(tx, "clients") == {"b": 2}
        assert snapshots.load_pages(tx) == {"clients": (_page("a"),)}
        snapshots.save_pages(tx, "clients", [_page("b")], complete=False)
        assert snapshots.missing_pages(tx, "clients") == {}
        snapshots.forget_pages(tx, ["c"])
        assert snapshots.load_pages(tx) == {"clients": (_page("a"), _page("b"))}


def _issue(number: int, summary: str = "Сделать") -> Issue:
    created = NOW - timedelta(days=90)
    return Issue(
        str(number),
        f"ACME-{number}",
        "ACME",
        "Story",
        0,
        "Done",
        "done",
        created,
        NOW,
        summary,
        due=date(2026, 12, 1),
        parent="1",
        estimate=3600,
        labels=("web",),
        moves=(
            Move(created, "new", "indeterminate"),
            Move(NOW, "indeterminate", "done"),
        ),
    )


def test_issues_and_worklogs_come_back_as_they_were(store: Store) -> None:
    log = Worklog("w1", "7", "anna", NOW, 5400)
    with store.transaction("main") as tx:
        assert snapshots.save_issues(tx, [_issue(7), _issue(8)]) == {"7", "8"}
        assert snapshots.save_issues(tx, [_issue(7), _issue(8, "new")]) == {"8"}
        snapshots.save_worklogs(tx, [log, Worklog("w2", "8", "anna", NOW, 60)], ["w2"])
    with store.reading("main") as tx:
        assert snapshots.load_issues(tx) == (_issue(7), _issue(8, "new"))
        assert [*snapshots.load_worklogs(tx)] == [log]
    with store.transaction("main") as tx:
        assert snapshots.find_issues(tx, ["8", "9"]) == (_issue(8, "new"),)
        assert snapshots.issue_ids(tx) == {"7", "8"}
        snapshots.forget_issues(tx, ["7"])
        assert snapshots.load_issues(tx) == (_issue(8, "new"),)
        assert [*snapshots.load_worklogs(tx)] == []


def test_cursors_and_bindings_come_back(store: Store) -> None:
    binding = Binding(
        "risks",
        "db",
        "ds",
        {"name": "title", "kind": "%3Ab"},
        {"kind": {"team": ("id", "Команда")}},
    )
    with store.transaction("main") as tx:
        bindings.set_cursor(tx, "notion:risks", "2026-11-20T09:30:00Z")
        bindings.save(tx, {"risks": binding, "tasks": binding})
        bindings.save(tx, {"risks": binding})
    with store.transaction("main") as tx:
        assert bindings.load(tx) == {"risks": binding}
        assert bindings.load_cursors(tx) == {"notion:risks": "2026-11-20T09:30:00Z"}


# --- records


def test_memory_of_an_earlier_version_with_more_to_say_is_read(store: Store) -> None:
    body = b'{"key":"late:acme","number":2,"snoozed_until":"2026-11-25"}'
    with store.transaction("main") as tx:
        row = {"kind": "occurrence", "key": "late:acme", "body": body}
        upsert(tx, memory_table, [row])
        assert memory.load(tx).occurrences == {
            "late:acme": Occurrence("late:acme", number=2)
        }


def test_memory_comes_back_and_forgets_what_was_dropped(store: Store) -> None:
    day = date(2026, 11, 20)
    full = Memory(
        {"clients/c1#health": Track("red", day, "amber", day, day)},
        {"risk:a": Occurrence("risk:a", 2, day, None, day, Closing.PERSON, day)},
        {"projects/p1": Baseline(day, day, day, 37.5)},
        first_run=False,
    )
    with store.transaction("main") as tx:
        assert memory.load(tx).first_run
        memory.save(tx, full)
    with store.transaction("main") as tx:
        assert memory.load(tx) == full
        memory.save(tx, Memory(full.tracks))
    with store.reading("main") as tx:
        assert memory.load(tx) == Memory(full.tracks, first_run=False)


def test_a_run_tells_how_it_went(store: Store) -> None:
    with store.transaction("main") as tx:
        first, second = (
            runs.start(tx, trigger, now=NOW) for trigger in ("delta", "manual")
        )
        runs.finish(
            tx,
            first,
            RunStatus.DONE,
            outcome={"mode": "delta"},
            requests={"notion": 11},
            now=NOW + MINUTE,
        )
    with store.reading("main") as tx:
        assert [run.id for run in runs.recent(tx)] == [second, first]
        done = runs.last_success(tx, "delta")
        assert done == runs.Run(
            first,
            "delta",
            NOW,
            NOW + MINUTE,
            RunStatus.DONE,
            {"mode": "delta"},
            {"notion": 11},
        )
        assert runs.last_success(tx, "full") is None
        unfinished = runs.get(tx, second)
    assert unfinished is not None
    assert unfinished.status is RunStatus.RUNNING


def _plan(after: str) -> Plan:
    change = FieldChange("health", None, after, Why("health"))
    return Plan(
        "main",
        (Change(Kind.UPDATE, Ref("clients", "c1"), "c1", "Нептун", (change,)),),
        problems=(
            RenderedProblem(
                code="bad-date", where="clients/c1", severity=Severity.INFO
            ),
        ),
    )


def test_plans_are_found_by_checksum_or_as_the_latest(store: Store) -> None:
    with store.transaction("main") as tx:
        runs.save_plan(tx, _plan("red"), 1, now=NOW)
        runs.save_plan(tx, _plan("amber"), 2, now=NOW + MINUTE)
        assert runs.load_plan(tx, _plan("red").checksum()) == _plan("red")
        assert runs.load_plan(tx) == _plan("amber")
        assert runs.load_plan(tx, "absent") is None
        runs.prune(tx, before=NOW + MINUTE)
        assert runs.load_plan(tx, _plan("red").checksum()) is None


def test_problems_say_when_they_came_and_went(store: Store) -> None:
    bad, worse = (
        RenderedProblem(code="bad-date", where="ACME-1", field="due"),
        RenderedProblem(code="unmatched-card", where="projects/p1", message="нет"),
    )
    with store.transaction("main") as tx:
        assert problems.replace(tx, [bad], now=NOW) == problems.Flips((bad,), ())
        assert problems.replace(tx, [bad, worse], now=NOW + MINUTE) == problems.Flips(
            (worse,), ()
        )
        assert problems.load(tx) == {bad: NOW, worse: NOW + MINUTE}
        assert problems.replace(tx, [worse], now=NOW + 2 * MINUTE) == problems.Flips(
            (), (bad,)
        )
        assert problems.replace(tx, [worse], now=NOW + 3 * MINUTE) == problems.Flips(
            (), ()
        )


OF_AN_EARLIER_RELEASE = (
    b'{"code":"bad-date","where":"ACME-1","field":"due","message":"no date","hint":"",'
    b'"url":"","severity":"info"}'
)
"""A problem as releases before this one stored it, with a code that this one does not know."""


def test_a_problem_of_an_earlier_release_is_read_and_stays_the_same(
    store: Store,
) -> None:
    stored = blake2b(OF_AN_EARLIER_RELEASE, digest_size=16).hexdigest()
    row = {
        "workspace": "main",
        "digest": stored,
        "first_seen": to_micros(NOW),
        "body": OF_AN_EARLIER_RELEASE,
    }
    with store.transaction("main") as tx:
        tx.connection.execute(insert(tables.problems).values(row))
        (standing,) = problems.load(tx)
        assert (standing.code, standing.severity) == ("bad-date", Severity.INFO)
        again = problems.replace(tx, [standing], now=NOW + MINUTE)
        assert again == problems.Flips((), ())
        gone = problems.replace(tx, [], now=NOW + MINUTE)
        assert gone == problems.Flips((), (standing,))


def test_every_code_is_stored_by_its_value(store: Store) -> None:
    found = [
        in_words(Problem(code=code, where=literal("ACME-1")), Words()) for code in Code
    ]
    with store.transaction("main") as tx:
        problems.replace(tx, found, now=NOW)
        assert {one.code for one in problems.load(tx)} == {*Code}
        rows = tx.connection.execute(select(tables.problems.c.body)).scalars()
        assert {json.loads(row)["code"] for row in rows} == {
            code.value for code in Code
        }


def test_history_keeps_intervals_of_days(store: Store) -> None:
    cell, monday = (Ref("clients", "c1"), "health"), date(2026, 11, 16)
    with store.transaction("main") as tx:
        assert history.record(tx, {cell: "green"}, day=monday) == 1
        assert history.record(tx, {cell: "green"}, day=monday + timedelta(1)) == 0
        assert history.record(tx, {cell: "amber"}, day=monday + timedelta(2)) == 1
        assert history.record(tx, {cell: "red"}, day=monday + timedelta(2)) == 1
        assert history.load(tx) == (
            history.Interval(*cell, monday, monday + timedelta(2), "green"),
            history.Interval(*cell, monday + timedelta(2), None, "red"),
        )


ANN, BEN = Asker("Ann", Source.CLI), Asker("Ben", Source.CONSOLE)
ACME = Order("Acme")


def test_requests_for_the_same_wait_as_one_that_names_all_who_asked(
    store: Store,
) -> None:
    with store.transaction("main") as tx:
        first = triggers.ask(tx, asker=ANN, now=NOW)
        assert not first.joined
        for who in (BEN, ANN, BEN):
            again = triggers.ask(tx, asker=who, now=NOW + MINUTE)
            assert again == triggers.Asked(first.id, joined=True)
        other = triggers.ask(tx, ACME, now=NOW)
        taken = triggers.take(tx, runs.start(tx, "manual", now=NOW))
        assert [trigger.id for trigger in taken] == [first.id, other.id]
        assert triggers.pending(tx) == ()
        assert triggers.ask(tx, now=NOW).id not in (first.id, other.id)
        found = triggers.get(tx, first.id)
    assert found == triggers.Trigger(
        first.id, Order(), ANN, NOW, TriggerState.RUNNING, 1, also=(BEN,)
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (runs.RunStatus.DONE, TriggerState.DONE),
        (runs.RunStatus.FAILED, TriggerState.FAILED),
        (runs.RunStatus.REFUSED, TriggerState.REFUSED),
    ],
)
def test_a_request_ends_as_the_run_that_answers_it(
    store: Store, status: runs.RunStatus, state: TriggerState
) -> None:
    with store.transaction("main") as tx:
        number, run_id = triggers.ask(tx, now=NOW).id, runs.start(tx, "m", now=NOW)
        triggers.take(tx, run_id)
        outcome = {"error": "no air"} if status is runs.RunStatus.FAILED else {}
        runs.finish(tx, run_id, status, outcome=outcome, requests={}, now=NOW)
        run = runs.get(tx, run_id)
        assert run is not None
        triggers.finish(tx, run, now=NOW + MINUTE)
        answered = triggers.get(tx, number)
    assert answered is not None
    assert (answered.state, answered.error, answered.ended_at) == (
        state,
        outcome.get("error", ""),
        NOW + MINUTE,
    )


FULL, PLAN_ONLY = Order(full=True), Order(dry_run=True)
FORCED, REVIEWED = Order(force=True), Order(checksum="abc")


@pytest.mark.parametrize(
    ("run", "order", "covers"),
    [
        (Order(), Order(), True),
        (Order(), ACME, True),
        (ACME, Order(), False),
        (ACME, Order("Beta"), False),
        (FULL, Order(), True),
        (Order(), FULL, False),
        (FULL, ACME, True),
        (Order(), PLAN_ONLY, False),
        (PLAN_ONLY, PLAN_ONLY, True),
        (PLAN_ONLY, Order(), False),
        (PLAN_ONLY, Order("Acme", dry_run=True), False),
        (Order(), FORCED, False),
        (FORCED, Order(), False),
        (REVIEWED, REVIEWED, True),
        (REVIEWED, Order(checksum="def"), False),
        (Order(), REVIEWED, False),
    ],
)
def test_a_run_answers_what_it_does_as_well(
    run: Order, order: Order, covers: bool
) -> None:
    assert run.covers(order) is covers
    merged = triggers.merge([run, order])
    assert merged.covers(run)
    assert merged.covers(order) or not (run.is_plain() and order.is_plain())


@pytest.mark.parametrize("source", list(Source))
def test_a_run_that_reads_already_leaves_what_has_just_changed_to_the_next(
    store: Store, source: Source
) -> None:
    with store.transaction("main") as tx:
        triggers.ask(tx, asker=Asker("x", source), now=NOW)
        taken = triggers.take(tx, 5, is_reading=True)
        assert bool(taken) is (source not in triggers.TOLD_OF_A_CHANGE)
        triggers.take(tx, 6)
        assert triggers.pending(tx) == ()


def test_a_queue_takes_only_so_many_different_requests_and_loses_none_it_has(
    store: Store,
) -> None:
    with store.transaction("main") as tx:
        for number in range(triggers.MOST_WAITING):
            triggers.ask(tx, Order(checksum=str(number)), now=NOW)
        with pytest.raises(QueueFull, match="100 requests wait"):
            triggers.ask(tx, Order(checksum="one more"), now=NOW)
        assert triggers.ask(tx, Order(checksum="7"), now=NOW).joined
        assert len(triggers.pending(tx)) == triggers.MOST_WAITING


def test_old_answered_requests_are_dropped_and_those_that_wait_are_not(
    store: Store,
) -> None:
    with store.transaction("main") as tx:
        run_id = runs.start(tx, "manual", now=NOW)
        done, waiting = triggers.ask(tx, now=NOW).id, triggers.ask(tx, ACME, now=NOW).id
        triggers.take(tx, run_id, Order())
        triggers.give_back(tx)
        triggers.take(tx, run_id, ACME)
        runs.finish(tx, run_id, runs.RunStatus.DONE, outcome={}, requests={}, now=NOW)
        run = runs.get(tx, run_id)
        assert run is not None
        triggers.finish(tx, run, now=NOW)
        triggers.prune(tx, before=NOW + MINUTE)
        assert triggers.get(tx, waiting) is None
        assert [one.id for one in triggers.pending(tx)] == [done]


def test_how_far_a_run_has_come_is_seen_by_others(store: Store) -> None:
    with store.transaction("main") as tx:
        run_id = runs.start(tx, "manual", now=NOW, scope="Acme", dry_run=True)
        runs.save_progress(tx, run_id, runs.Progress("apply", 3, 40))
    with store.reading("main") as tx:
        assert runs.progress(tx, run_id) == runs.Progress("apply", 3, 40)
        assert runs.progress(tx, run_id + 1) is None
        run = runs.get(tx, run_id)
    assert run is not None
    assert (run.scope, run.dry_run) == ("Acme", True)


@pytest.mark.parametrize("narrow", [{"scope": "Acme"}, {"dry_run": True}])
def test_a_run_of_one_client_or_of_a_plan_alone_is_no_success_of_all(
    store: Store, narrow: Mapping[str, Any]
) -> None:
    with store.transaction("main") as tx:
        for number, how in enumerate(({}, narrow), 1):
            runs.start(tx, "manual", now=NOW, **how)
            runs.finish(
                tx,
                number,
                runs.RunStatus.DONE,
                outcome={"mode": "full"},
                requests={},
                now=NOW,
            )
        last = runs.last_success(tx, "full")
    assert last is not None
    assert last.id == 1


# --- what only SQLite has


def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "fresh" / "state.db"
    store = Store(f"sqlite:///{path}")
    modes = {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    store.close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == {0o600}


def test_the_journal_survives_power_loss_by_syncing_every_commit(
    tmp_path: Path,
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    with store.reading("main") as tx:
        assert tx.connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert tx.connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    store.close()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Store("sqlite://")


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    with store.transaction("main") as writer:
        COUNT.save(writer, 1)
        with store.reading("main") as reader:
            assert COUNT.load(reader) == 0
    store.close()


def test_a_hundred_thousand_issues_are_kept_and_loaded(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    many = [_issue(number) for number in range(100_000)]
    with store.transaction("main") as tx:
        snapshots.save_issues(tx, many)
    with store.reading("main") as tx:
        assert len(snapshots.load_issues(tx)) == 100_000
    store.close()


def test_writing_an_empty_batch_is_nothing(store: Store) -> None:
    with store.transaction("main") as tx:
        upsert(tx, settings, [])
        assert Setting("absent", str, lambda: "default").load(tx) == "default"


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_database_that_was_open_to_others_is_closed_with_all_beside_it(
    tmp_path: Path, mode: int
) -> None:
    first = Store(f"sqlite:///{tmp_path / 'state.db'}")
    files = sorted(tmp_path.glob("state.db*"))
    assert len(files) == 3
    for path in files:
        path.chmod(mode)
    Store(f"sqlite:///{tmp_path / 'state.db'}").close()
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    first.close()


def test_only_a_folder_that_was_made_for_the_state_is_kept_from_git(
    tmp_path: Path,
) -> None:
    for folder in (tmp_path, tmp_path / "made" / "here"):
        Store(f"sqlite:///{folder / 'state.db'}").close()
    assert (tmp_path / "made/here/.gitignore").read_text() == "*\n"
    assert not (tmp_path / ".gitignore").exists()


def test_nothing_is_made_where_nothing_was_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere' / 'state.db'}"
    with pytest.raises(NoState):
        Store(url, create=False)
    assert not (tmp_path / "nowhere").exists()

    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere/state.db").touch()
    with pytest.raises(NoState):
        Store(url, create=False)
    Store(url).close()
    Store(url, create=False).close()


WORDS = "Carla said the team is slow"


def _break_unique(store: Store) -> None:
    row = {"workspace": WORDS, "name": WORDS, "value": 1}
    with store.transaction("main") as tx:
        tx.connection.execute(counters.insert(), [row, row])


def _break_check(store: Store) -> None:
    """Have the database refuse a row, as a full disk or an administrator's rule would."""
    refuse = (
        "CREATE TRIGGER full BEFORE INSERT ON problems BEGIN "
        "SELECT RAISE(ABORT, 'database or disk is full'); END"
        if store.engine.dialect.name == "sqlite"
        else "ALTER TABLE problems ADD CONSTRAINT full_disk CHECK (workspace <> 'main')"
    )
    with store.transaction("main") as tx:
        tx.connection.exec_driver_sql(refuse)
    with store.transaction("main") as tx:
        problems.replace(
            tx, [RenderedProblem(code="x", where=WORDS, message=WORDS)], now=NOW
        )


def _break_type(store: Store) -> None:
    with store.transaction("main") as tx:
        tx.connection.execute(
            text("SELECT CAST(:a AS INTEGER) + value, nothing FROM counters"),
            {"a": WORDS},
        )


def _break_number(store: Store) -> None:
    """Give a number that is none; SQLite takes it, which is no error to tell of."""
    with store.transaction("main") as tx:
        row = {"workspace": "main", "name": "n", "value": WORDS}
        tx.connection.execute(counters.insert(), [row])
        if store.engine.dialect.name == "sqlite":
            raise IntegrityError("none", None, ValueError("none"))


@pytest.mark.parametrize(
    "breaks", [_break_unique, _break_check, _break_type, _break_number]
)
def test_a_database_error_tells_what_was_wrong_and_no_value(
    store: Store, breaks: Callable[[Store], None]
) -> None:
    with pytest.raises(SQLAlchemyError) as broken:
        breaks(store)
    told = "".join(traceback.format_exception(broken.value))
    assert WORDS not in told
    assert WORDS.encode().hex() not in told
    assert WORDS not in f"{broken.value!r} {broken.value} {broken.value.args}"
    assert "Error" in told
    with store.reading("main") as tx:
        assert tx.connection.execute(select(counters)).all() == []


def _fill(store: Store) -> None:
    with store.transaction("main") as tx:
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        problems.replace(
            tx,
            [RenderedProblem(code="x", where=WORDS * 20_000, message=WORDS)],
            now=NOW,
        )


def test_a_full_database_says_so(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    with pytest.raises(StateFault, match="no room left") as broken:
        _fill(store)
    assert WORDS not in "".join(traceback.format_exception(broken.value))
    store.close()
