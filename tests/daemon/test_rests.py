"""A storm of events costs a few looks, one event none of a wait, and people wait for no rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from test_runner import Office

from worker.daemon.rests import LEAST, MOST, Rest
from worker.state import triggers
from worker.state.store import Store
from worker.state.triggers import Asker, Order, Source

EVENT = Asker("jira", Source.WEBHOOK)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield Office(store)
    store.close()


def tell(office: Office, asker: Asker = EVENT) -> None:
    with office.store.transaction("studio") as tx:
        triggers.ask(tx, Order(), asker, now=office.now)


def attended(
    office: Office, seconds: float, before: Callable[[], None] = lambda: None
) -> list[float]:
    """Look every half second of a time, and return when cycles were run."""
    clock = [1_000.0]
    office.runner.steady = lambda: clock[0]
    ran = []
    while clock[0] < 1_000.0 + seconds:
        before()
        office.runner.answer_triggers()
        if office.done():
            ran.append(clock[0] - 1_000.0)
        clock[0] += 0.5
    return ran


def test_an_event_after_a_quiet_while_is_answered_at_once(office: Office) -> None:
    tell(office)
    assert attended(office, 60) == [0.0]


def test_a_storm_of_events_costs_fewer_looks_the_longer_it_lasts(
    office: Office,
) -> None:
    ran = attended(office, 10 * 60, lambda: tell(office))
    pauses = [after - before for before, after in pairwise(ran)]
    assert pauses[:4] == [LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST]
    assert set(pauses[4:]) == {MOST}


def test_what_came_last_of_a_storm_is_looked_at_after_it(office: Office) -> None:
    left = iter([True] * 7 + [False] * 1_000)
    last = []

    def before() -> None:
        if next(left):
            tell(office)
            last.append(True)

    ran = attended(office, 120, before)
    assert len(ran) in (2, 3)
    assert ran[-1] >= 3.0
    with office.store.reading("studio") as tx:
        assert triggers.pending(tx) == ()


def test_whoever_waits_for_an_answer_waits_for_no_rest(office: Office) -> None:
    clock = [1_000.0]
    office.runner.steady = lambda: clock[0]
    for asker in (
        EVENT,
        Asker("anna", Source.CONSOLE),
        Asker("notion-button", Source.BUTTON),
    ):
        tell(office, asker)
        office.runner.answer_triggers()
        assert len(office.done()) == 1
    tell(office)
    office.runner.answer_triggers()
    assert office.done() == []
    tell(office, Asker("anna", Source.CLI))
    office.runner.answer_triggers()
    assert office.done() == [("manual", "delta")]


def test_a_rest_that_nothing_waited_for_is_short_again() -> None:
    rest = Rest()
    now = 100.0
    for _ in range(9):
        assert rest.is_over(now)
        rest.begin(now)
        assert not rest.is_over(now)
        now = rest.until
    assert rest.length == MOST
    assert rest.is_over(now)
    rest.begin(now)
    assert rest.length == MOST
    assert rest.is_over(now + 3_600)
    rest.begin(now + 3_600)
    assert rest.length == LEAST
