"""What a process may take of a shared budget, decision by decision and to the microsecond, on a clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from worker.state.budgets import ConnectionBudget
from worker.state.store import Store, Tx, to_micros, upsert
from worker.state.tables import settings

NOW = datetime(2026, 11, 18, tzinfo=UTC)
LIMIT, WINDOW = 156, 60.0
BLOCK, LAPSE = 13, 5.0
"""A twelfth of the budget, and of the window."""
TICK = 1e-6
SLACK = 60.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Yield one database for all tests, each of which has a connection of its own."""
    opened = Store(f"sqlite:///{tmp_path_factory.mktemp('budgets') / 'state.db'}")
    yield opened
    opened.close()


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


class Connected:
    """Processes that use one connection, on one clock."""

    def __init__(self, store: Store, secret: str) -> None:
        self.store, self.secret = store, secret
        self.at = 0.0
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return NOW + timedelta(seconds=self.at)

    def process(
        self, name: str, *, limit: int = LIMIT, window: float = WINDOW
    ) -> ConnectionBudget:
        return ConnectionBudget(
            self.store,
            self.secret,
            f"{name} of {self.secret}",
            limit=limit,
            window=window,
            now=self.now,
        )

    def kept(self) -> str:
        """Return all that is kept of connections, as it is kept."""
        with self.store.reading("") as tx:
            bodies = tx.connection.execute(select(settings.c.body)).scalars()
            return b"\n".join(map(bytes, bodies)).decode()


@pytest.fixture
def world(store: Store, request: pytest.FixtureRequest) -> Connected:
    return Connected(store, request.node.name)


# --- a block


@pytest.mark.parametrize(
    ("limit", "window", "block"),
    [
        (LIMIT, WINDOW, (BLOCK, LAPSE)),
        (LIMIT - 1, WINDOW, (BLOCK - 1, LAPSE)),
        (24, 12.0, (2, 1.0)),
        (LIMIT, 600.0, (BLOCK, 5.0)),
        (12, WINDOW, (1, LAPSE)),
        (5, WINDOW, (1, LAPSE)),
        (1, WINDOW, (1, LAPSE)),
    ],
)
def test_a_process_reserves_a_twelfth_at_a_time_for_five_seconds_at_most(
    world: Connected, limit: int, window: float, block: tuple[int, float]
) -> None:
    assert world.process("a", limit=limit, window=window).take([], 0) == block


@pytest.mark.parametrize(
    ("answered", "under_way", "granted"),
    [
        ([(1.0, 143)], 0, 13),
        ([(1.0, 144)], 0, 12),
        ([(1.0, 100), (2.0, 43)], 12, 1),
        ([(1.0, 100)], 56, 0),
        ([(1.0, 150)], 9, 0),
        ([(1.0, 3)], 140, 13),
    ],
)
def test_what_was_answered_and_what_is_under_way_is_spent(
    world: Connected, answered: list[tuple[float, int]], under_way: int, granted: int
) -> None:
    block = (granted, LAPSE) if granted else (0, 59.0)
    assert world.process("a").take(answered, under_way) == block


@pytest.mark.parametrize(
    ("answered", "under_way", "wait"),
    [
        ([(10.0, 100), (50.0, 56)], 0, 10.0),
        ([(50.0, 56), (10.0, 100)], 0, 10.0),
        ([(59.99, 156)], 0, 0.05),
        ([(59.9, 156)], 0, 0.1),
        ([], 156, LAPSE + WINDOW),
    ],
)
def test_who_gets_none_waits_for_the_first_that_is_free_again(
    world: Connected, answered: list[tuple[float, int]], under_way: int, wait: float
) -> None:
    granted, told = world.process("a").take(answered, under_way)
    assert granted == 0
    assert told == pytest.approx(wait)


@pytest.mark.parametrize(
    ("waited", "under_way", "granted"),
    [
        (0.0, 110, 10),
        (10.0 - TICK, 110, 10),
        (10.0, 130, 10),
        (65.0 - TICK, 130, 10),
        (65.0, 145, 11),
        (65.0, 150, 6),
    ],
)
def test_what_another_process_sent_counts_for_the_window_and_its_block_beyond_it(
    world: Connected, waited: float, under_way: int, granted: int
) -> None:
    """It sent 20 requests fifty seconds ago, three are under way, and with a block it may send 13 more."""
    assert world.process("a").take([(50.0, 20)], 3) == (BLOCK, LAPSE)
    world.at += waited
    assert world.process("b").take([], under_way) == (granted, LAPSE)


def test_a_process_that_spent_all_leaves_nothing_though_it_reserved_nothing(
    world: Connected,
) -> None:
    assert world.process("a").take([(20.0, LIMIT)], 0) == (0, 40.0)
    assert world.process("b").take([], 0) == (0, 40.0)


def test_what_a_process_says_anew_replaces_what_it_said(world: Connected) -> None:
    process = world.process("a")
    for _ in range(3):
        assert process.take([], LIMIT - BLOCK) == (BLOCK, LAPSE)


@pytest.mark.parametrize(("at", "wait"), [(13.0, 47.0), (20.0, 40.0)])
def test_a_block_that_lapsed_is_not_waited_for_when_its_answers_still_count(
    world: Connected, at: float, wait: float
) -> None:
    """A process with a shorter window said so, which an earlier release may have had."""
    world.process("a", window=12.0).take([(0.0, LIMIT)], 0)
    world.at = at
    assert world.process("b").take([], 0) == (0, wait)


def test_of_a_process_that_is_gone_nothing_is_kept(world: Connected) -> None:
    world.process("gone").take([(1.0, 20)], 0)
    world.at += LAPSE + WINDOW
    world.process("next").take([], 0)
    assert f"gone of {world.secret}" not in world.kept()
    assert f"next of {world.secret}" in world.kept()


# --- a clock that is wrong


@pytest.mark.parametrize(
    ("ahead", "granted"), [(0.0, 0), (SLACK, 0), (SLACK + TICK, BLOCK)]
)
def test_what_was_sent_by_a_clock_a_minute_ahead_counts_and_beyond_it_does_not(
    world: Connected, ahead: float, granted: int
) -> None:
    world.at = ahead
    world.process("a").take([], LIMIT)
    world.at = 0.0
    assert world.process("b").take([], 0)[0] == granted


@pytest.mark.parametrize(
    ("ahead", "left"), [(0.0, 10.0), (SLACK, SLACK + 10.0), (SLACK + TICK, 0.0)]
)
def test_a_pause_of_a_clock_a_minute_ahead_holds_and_beyond_it_does_not(
    world: Connected, ahead: float, left: float
) -> None:
    world.at = ahead
    world.process("a").pause(10.0)
    world.at = 0.0
    process = world.process("b")
    assert process.paused() == left
    assert process.take([], 0) == ((0, left) if left else (BLOCK, LAPSE))


def test_a_pause_of_a_wrong_clock_does_not_stand_in_the_way_of_a_right_one(
    world: Connected,
) -> None:
    process = world.process("a")
    world.at = 7200.0
    process.pause(10.0)
    world.at = 0.0
    process.pause(20.0)
    assert process.paused() == 20.0


# --- pauses


def test_nothing_is_asked_before_a_pause_is_over_and_then_it_is(
    world: Connected,
) -> None:
    world.process("a").pause(45.0)
    process = world.process("b")
    for at, left in ((0.0, 45.0), (44.5, 0.5), (45.0 - TICK, TICK)):
        world.at = at
        granted, wait = process.take([], 0)
        assert granted == 0
        assert wait == pytest.approx(left)
        assert process.paused() == pytest.approx(left)
    world.at = 45.0
    assert process.paused() == 0.0
    assert process.take([], 0) == (BLOCK, LAPSE)


def test_an_hour_is_an_hour(world: Connected) -> None:
    process = world.process("a")
    process.pause(3600.0)
    world.at = 3600.0 - 0.001
    assert process.paused() == pytest.approx(0.001)
    world.at = 3600.0
    assert process.paused() == 0.0


@pytest.mark.parametrize(
    ("first", "at", "second", "left"),
    [
        (60.0, 0.0, 5.0, 60.0),
        (5.0, 0.0, 60.0, 60.0),
        (60.0, 50.0, 5.0, 10.0),
        (60.0, 50.0, 20.0, 20.0),
    ],
)
def test_of_two_pauses_the_later_end_counts(
    world: Connected, first: float, at: float, second: float, left: float
) -> None:
    process = world.process("a")
    process.pause(first)
    world.at = at
    process.pause(second)
    assert process.paused() == left


def test_a_part_is_paused_by_its_own_pause_and_by_that_of_everything(
    world: Connected,
) -> None:
    process = world.process("a")
    process.pause(20.0, "POST search")
    assert process.paused("POST search") == 20.0
    assert process.paused() == process.paused("GET pages") == 0.0
    assert process.take([], 0) == (BLOCK, LAPSE)
    process.pause(10.0)
    assert process.paused("POST search") == 20.0
    assert process.paused() == process.paused("GET pages") == 10.0
    process.pause(30.0)
    assert process.paused("POST search") == 30.0


def test_a_pause_leaves_those_of_other_parts_and_forgets_those_that_are_over(
    world: Connected,
) -> None:
    process = world.process("a")
    process.pause(1.0, "first part")
    world.at = 0.5
    process.pause(5.0, "second part")
    assert process.paused("first part") == 0.5
    world.at = 1.0
    process.pause(5.0, "third part")
    assert "first part" not in world.kept()
    assert process.paused("second part") == 4.5


def test_a_pause_leaves_what_was_spent_and_a_block_leaves_the_pauses(
    world: Connected,
) -> None:
    process = world.process("a")
    process.pause(5.0, "POST search")
    process.take([(0.0, LIMIT)], 0)
    assert process.paused("POST search") == 5.0
    process.pause(1.0)
    world.at = 1.0
    assert world.process("b").take([], 0) == (0, 59.0)


# --- the connection


def test_without_a_clock_of_its_own_a_process_goes_by_the_databases(
    store: Store, world: Connected
) -> None:
    process = ConnectionBudget(store, world.secret, "a", limit=LIMIT, window=WINDOW)
    assert process.take([], 0) == (BLOCK, LAPSE)
    assert process.paused() == 0.0
    process.pause(3600.0)
    assert 0.0 < process.paused() <= 3600.0


def test_a_look_before_a_request_writes_nothing_and_asks_no_clock_unless_it_must(
    world: Connected,
) -> None:
    world.process("a").take([], 0)
    written: list[Connection] = []
    event.listen(world.store.engine, "commit", written.append)
    looks = world.looks
    assert world.process("b").paused() == 0.0
    assert (written, world.looks) == ([], looks)


def test_two_processes_that_begin_at_once_know_of_each_other(new_store: Store) -> None:
    world = Connected(new_store, "secret")
    first, second = world.process("a"), world.process("b")
    quicker = [second]

    def begin(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Have the other process note its pause as the first is about to write."""
        if statement == "BEGIN IMMEDIATE" and quicker:
            quicker.pop().pause(30.0)

    event.listen(new_store.engine, "before_cursor_execute", begin)
    first.pause(10.0)
    assert not quicker
    assert first.paused() == second.paused() == 30.0


def test_what_is_kept_of_a_secret_says_nothing_in_another_database(
    world: Connected, new_store: Store
) -> None:
    names = []
    for store in (world.store, new_store):
        Connected(store, world.secret).process("a").pause(1.0)
        with store.reading("") as tx:
            spaces = select(settings.c.workspace)
            names.append(set(tx.connection.execute(spaces).scalars()))
    here, there = names
    assert here & there == {""}
    assert len(there) == 2


def test_a_pause_that_an_earlier_release_noted_holds(new_store: Store) -> None:
    space = "connection 0702febf1fca659afe272b5876cc1239"
    body = f'{{"pauses":{{"":{{"at":{to_micros(NOW)},"until":{to_micros(NOW) + 30_000_000}}}}}}}'
    with new_store.transaction("") as tx:
        key = b'"00112233445566778899aabbccddeeff"'
        upsert(tx, settings, [{"key": "connections_key", "body": key}])
        there = Tx(tx.connection, space)
        upsert(there, settings, [{"key": "ledger", "body": body.encode()}])
    assert Connected(new_store, "ntn_secret").process("a").paused() == 30.0
