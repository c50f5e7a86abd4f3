"""The request budget that processes share: never more than it together, and no request before a pause is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import event

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from worker.notion.pacer import Pacer, Unaffordable
from worker.state.budgets import ConnectionBudget
from worker.state.store import Store

NOW = datetime(2026, 11, 18, tzinfo=UTC)
LIMIT, WINDOW = 24, 60.0


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    else:
        opened = Store(str(request.getfixturevalue("postgres_url")))
    yield opened
    opened.close()


class World:
    """Processes of one connection on one clock, which sleeping moves on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at = 0.0
        self.started = 0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def budget(self, secret: str = "secret") -> ConnectionBudget:
        """Return the budget as a process finds it that has just started."""
        self.started += 1
        holder = f"host:{self.started}:0.1 studio"
        return ConnectionBudget(
            self.store, secret, holder, limit=LIMIT, window=WINDOW, now=self.now
        )

    def pacer(self, secret: str = "secret") -> Pacer:
        """Return the pacer of a process that has just started."""
        pacer = Pacer(LIMIT, WINDOW, sleep=self.sleep, monotonic=lambda: self.at)
        pacer.shared = self.budget(secret)
        return pacer

    def ask(self, pacer: Pacer, *, part: str = "") -> float:
        """Send a request and return when it arrived."""
        with pacer.slot(part=part):
            arrived = self.at + 0.1
            self.at += 0.3
        return arrived


@pytest.mark.parametrize("seed", range(4))
def test_processes_together_never_exceed_the_budget_also_when_some_are_killed(
    store: Store, seed: int
) -> None:
    world, chance = World(store), Random(seed)
    pacers = [world.pacer() for _ in range(3)]
    arrivals = []
    for _ in range(150):
        place = chance.randrange(3)
        if chance.random() < 0.08:
            pacers[place] = world.pacer()
        world.at += chance.choice((0.0, 0.0, 0.2, 9.0))
        arrivals.append(world.ask(pacers[place]))
    for opening in arrivals:
        within = [one for one in arrivals if opening <= one < opening + WINDOW]
        assert len(within) <= LIMIT


def test_a_process_alone_has_the_whole_budget_at_once(store: Store) -> None:
    world = World(store)
    pacer = world.pacer()
    arrivals = [world.ask(pacer) for _ in range(LIMIT)]
    assert arrivals[-1] < WINDOW / 2


def test_a_pause_holds_for_the_next_process_and_all_others_of_the_connection(
    store: Store,
) -> None:
    world = World(store)
    first, beside, stranger = world.pacer(), world.pacer(), world.pacer("other")
    for pacer in (first, beside):
        world.ask(pacer)
    first.pause(45)
    until = world.at + 45
    assert world.ask(stranger) < until
    for pacer in (world.pacer(), beside, first):
        with pytest.raises(Unaffordable), pacer.slot(10):
            pass
    assert world.ask(world.pacer()) >= until
    assert world.ask(beside) >= until


def test_a_pause_of_one_part_of_a_service_holds_for_that_part_alone(
    store: Store,
) -> None:
    world = World(store)
    world.pacer().tell_others(50, "POST search")
    until = world.at + 50
    following = world.pacer()
    assert world.ask(following, part="GET pages") < until
    assert world.ask(following, part="POST search") >= until


def test_a_longer_pause_is_not_shortened_by_another(store: Store) -> None:
    world = World(store)
    budget = world.budget()
    budget.pause(60)
    budget.pause(5)
    assert budget.paused() == pytest.approx(60)


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=40)])
def test_what_a_wrong_clock_noted_in_the_future_holds_nobody(
    store: Store, ahead: timedelta
) -> None:
    world = World(store)
    world.at = ahead.total_seconds()
    early = world.pacer()
    for _ in range(LIMIT):
        world.ask(early)
    early.pause(60)
    world.at = 0.0
    assert world.budget().paused() == 0
    assert world.ask(world.pacer()) < 1


def test_neither_token_nor_a_mark_that_others_could_make_of_it_is_kept(
    store: Store, tmp_path: Path
) -> None:
    world = World(store)
    world.ask(world.pacer("ntn_hidden"))
    with store.reading("any") as tx:
        rows = tx.connection.exec_driver_sql("SELECT workspace, body FROM settings")
        said = str([(name, bytes(body)) for name, body in rows])
    assert "ntn_hidden" not in said
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    elsewhere = World(other)
    elsewhere.ask(elsewhere.pacer("ntn_hidden"))
    with other.reading("any") as tx:
        names = tx.connection.exec_driver_sql("SELECT workspace FROM settings")
        assert [name for (name,) in names if name and name in said] == []
    other.close()


def test_requests_are_reserved_in_blocks_and_not_written_one_by_one(
    store: Store,
) -> None:
    world = World(store)
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    pacer = Pacer(240, WINDOW, sleep=world.sleep, monotonic=lambda: world.at)
    pacer.shared = ConnectionBudget(
        store, "s", "h", limit=240, window=WINDOW, now=world.now
    )
    for _ in range(100):
        with pacer.slot():
            world.at += 0.05
    assert len(commits) <= 8
