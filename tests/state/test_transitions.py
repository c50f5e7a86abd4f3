"""Claims and leases go by their tables, and under the tables nothing is made twice and nothing hangs for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.interleavings import Claim, Model, State, explore
from tests.support.pictures import PAGE, PICTURES, place_pictures
from worker.domain.values import Ref
from worker.errors import Busy
from worker.mapping.schema import Schema
from worker.state import journal, leases
from worker.state.leases import Held
from worker.state.store import Store, Tx
from worker.state.transitions import (
    INTENTS,
    LEASES,
    OF_WORLD,
    Act,
    Grip,
    Status,
    Step,
    judge,
    origins,
    outcome,
)

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TTL = timedelta(seconds=180)
LONG = timedelta(days=1)
TICK = timedelta(microseconds=1)
REF = Ref("risks", "risk:late:1")
RUN, OTHER = "run 1", "run 2"
_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


# --- the code goes by the tables

_BRINGS = {
    Status.ABSENT: (),
    Status.INTENDED: (Step.CLAIM,),
    Status.UNKNOWN: (Step.CLAIM, Step.DOUBT),
    Status.FAILED: (Step.CLAIM, Step.FAIL),
    Status.DONE: (Step.CLAIM, Step.FINISH),
}


def _take(tx: Tx, step: Step, claim: str) -> None:
    """Have the journal make one step, whatever it says to it."""
    intent = journal.find(tx, REF)
    match step:
        case Step.CLAIM:
            journal.intend(tx, REF, {}, claim=claim, now=NOW)
        case Step.SEND:
            journal.send(tx, REF, claim=claim, now=NOW + TTL)
        case Step.FINISH:
            journal.finish(tx, REF, "page", claim=claim, now=NOW)
        case Step.FAIL:
            journal.fail(tx, REF, claim=claim)
        case Step.DOUBT:
            journal.doubt(tx, REF, claim=claim, now=NOW + TTL)
        case Step.FIND | Step.MISS if intent is not None:
            found = "page" if step is Step.FIND else ""
            journal.settle(tx, intent, found, now=NOW)
        case Step.ADOPT:
            journal.adopt(tx, {REF: "page"}, now=NOW, schema=Schema({}), bindings={})


def _status(tx: Tx) -> Status:
    intent = journal.find(tx, REF)
    return Status.ABSENT if intent is None else intent.status


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("status", list(Status))
def test_the_journal_makes_the_steps_of_the_table_and_no_other(
    store: Store, status: Status, step: Step
) -> None:
    with store.transaction("main") as tx:
        for before in _BRINGS[status]:
            _take(tx, before, RUN)
        assert _status(tx) is status
        standing = journal.find(tx, REF)
        _take(tx, step, RUN)
        assert _status(tx) is INTENTS[status].get(step, status)
        if step not in INTENTS[status]:
            assert journal.find(tx, REF) == standing


@pytest.mark.parametrize("step", list(Step))
def test_a_step_of_a_creation_ends_in_the_same_wherever_it_begins(step: Step) -> None:
    ends = {INTENTS[status][step] for status in origins(step)}
    assert ends == {outcome(step)}


@pytest.mark.parametrize(
    ("step", "where"),
    [
        (Step.CLAIM, {Status.ABSENT, Status.FAILED}),
        (Step.SEND, {Status.INTENDED}),
        (Step.MISS, {Status.INTENDED, Status.UNKNOWN}),
        (Step.ADOPT, {*Status} - {Status.DONE}),
    ],
)
def test_a_row_is_made_only_where_it_certainly_is_not_and_looked_for_where_it_may_be(
    step: Step, where: set[Status]
) -> None:
    assert set(origins(step)) == where


def _lease_in(store: Store, grip: Grip) -> tuple[leases.Lease, datetime]:
    """Return a lease of one that lives here, and an instant at which it is held so."""
    ahead = timedelta(days=3) if grip is Grip.ASTRAY else timedelta(0)
    with store.transaction("main") as tx:
        lease = leases.claim(tx, "one", now=NOW + ahead, ttl=TTL)
        if grip is Grip.FREE:
            leases.release(tx, lease)
    waits = {Grip.SHORT: 0.6 * TTL, Grip.LAPSED: 1.5 * TTL}
    return lease, NOW + waits.get(grip, timedelta(0))


LIVING = [grip for grip in Grip if grip is not Grip.DEAD]


@pytest.mark.parametrize("grip", LIVING)
def test_a_lease_is_claimed_where_the_table_has_it_and_nowhere_else(
    store: Store, grip: Grip
) -> None:
    _, now = _lease_in(store, grip)
    with store.transaction("main") as tx:
        try:
            leases.claim(tx, "two", now=now, ttl=TTL)
        except Busy:
            assert Act.CLAIM not in LEASES[grip]
        else:
            assert Act.CLAIM in LEASES[grip]


@pytest.mark.parametrize("grip", LIVING)
def test_a_request_leaves_under_a_fresh_lease_which_is_renewed_if_it_may_be(
    store: Store, grip: Grip
) -> None:
    lease, now = _lease_in(store, grip)
    held = Held(store, lease, ttl=TTL, now=lambda: now)
    if Act.SEND in LEASES[grip]:
        held.check()
        assert held.lease == lease, "nothing was to be renewed"
    elif Act.RENEW in LEASES[grip]:
        held.check()
        assert held.lease.until == now + TTL
    else:
        with pytest.raises(Busy):
            held.check()


@pytest.mark.parametrize("grip", LIVING)
def test_who_has_a_workspace_in_hand_is_told_until_the_lease_ran_out_or_was_given_back(
    store: Store, grip: Grip
) -> None:
    _, now = _lease_in(store, grip)
    store.now = lambda: now  # type: ignore[method-assign]
    is_held = grip in (Grip.FRESH, Grip.SHORT, Grip.ASTRAY)
    with store.reading("main") as tx:
        assert leases.holder(tx, now=now) == ("one" if is_held else None)
    assert leases.find_living(store) == ("one" if is_held else "")


@pytest.mark.parametrize(
    ("left", "is_dead", "grip"),
    [
        (None, False, Grip.FREE),
        (None, True, Grip.FREE),
        (timedelta(0), False, Grip.LAPSED),
        (timedelta(microseconds=1), False, Grip.SHORT),
        (TTL / 2 - timedelta(microseconds=1), False, Grip.SHORT),
        (TTL / 2, False, Grip.FRESH),
        (TTL / 2, True, Grip.DEAD),
        (-TTL, True, Grip.LAPSED),
        (timedelta(days=1), False, Grip.FRESH),
        (timedelta(days=1, microseconds=1), False, Grip.ASTRAY),
    ],
)
def test_how_a_lease_is_held_goes_by_the_time_it_has_left(
    left: timedelta | None, is_dead: bool, grip: Grip
) -> None:
    assert judge(left, ttl=TTL, is_dead=is_dead) is grip
    if not is_dead:
        assert judge(left, ttl=TTL) is grip


@pytest.mark.parametrize(
    ("left", "grip"),
    [
        (3 * LONG - TICK, Grip.SHORT),
        (3 * LONG, Grip.FRESH),
        (12 * LONG, Grip.FRESH),
        (12 * LONG + TICK, Grip.ASTRAY),
    ],
)
def test_a_lease_of_days_is_believed_to_twice_what_is_asked_for(
    left: timedelta, grip: Grip
) -> None:
    assert judge(left, ttl=6 * LONG) is grip


# --- every interleaving of two workers

START = State((Claim(),), (0,), crashes=2)
LOST = State((Claim(),), (1,), crashes=1)
"""The row is there, and the journal was lost."""
SMALL = START._replace(crashes=1)
PAUSED = State((Claim(),), (0,), runs=3)
TWO = State((Claim(), Claim()), (0, 0), runs=2)


def test_no_row_is_made_twice_and_quiet_is_always_near_in_any_order_of_steps() -> None:
    for start in (START, LOST):
        explored = explore(Model(), start)
        assert explored.found == []
        assert explored.stuck() == set()


def test_the_tables_hold_nothing_that_never_happens() -> None:
    """What only a process meets that was paused between its last check and the wire is there as well."""
    model, paused = Model(), Model(gap=True)
    for start in (SMALL, LOST):
        explore(model, start)
    explore(paused, PAUSED)
    had: set[tuple[Enum, Enum]] = set()
    had |= {(status, step) for status, steps in INTENTS.items() for step in steps}
    had |= {(grip, act) for grip, acts in LEASES.items() for act in acts}
    assert had - model.used - paused.used == set()


def test_two_rows_are_made_once_each_in_any_order_of_steps() -> None:
    explored = explore(Model(), TWO)
    assert explored.found == []
    assert any(state.is_quiet for state in explored.before)


def _with(
    table: Mapping[_State, Mapping[_Event, _State]],
    state: _State,
    **events: _State | None,
) -> dict[_State, dict[_Event, _State]]:
    """Return a table with events added to a state, or taken from it by None."""
    changed = {one: dict(rows) for one, rows in table.items()}
    names = {event.value: event for rows in table.values() for event in rows}
    for name, after in events.items():
        changed[state].pop(names[name], None)
        if after is not None:
            changed[state][names[name]] = after
    return changed


BROKEN = {
    "a doubtful row is made again": Model(
        intents=_with(INTENTS, Status.UNKNOWN, claim=Status.INTENDED)
    ),
    "a doubt counts as a failure": Model(
        intents=_with(INTENTS, Status.INTENDED, doubt=Status.FAILED)
    ),
    "a row under way is claimed": Model(
        intents=_with(INTENTS, Status.INTENDED, claim=Status.INTENDED)
    ),
    "a made row is claimed": Model(
        intents=_with(INTENTS, Status.DONE, claim=Status.INTENDED)
    ),
    "nobody waits for the settle time": Model(waits=False),
    "the time is noted before the fence": Model(notes_last=False),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_makes_a_row_twice(name: str) -> None:
    assert explore(BROKEN[name], SMALL).found[-1:] == ["doubled"]


def test_without_a_look_up_that_misses_a_doubt_never_ends() -> None:
    model = Model(intents=_with(INTENTS, Status.UNKNOWN, miss=None))
    assert explore(model, SMALL).stuck() != set()


def test_a_dead_workers_lease_that_nobody_may_take_is_free_once_it_ran_out() -> None:
    patient = Model(leases=_with(LEASES, Grip.DEAD, claim=None))
    assert explore(patient, SMALL).stuck() == set()
    hopeless = Model(leases=_with(patient.leases, Grip.LAPSED, claim=None))
    assert explore(hopeless, SMALL).stuck() != set()


# --- what the docs show


def test_the_pictures_of_the_docs_are_drawn_from_the_tables() -> None:
    text = PAGE.read_text("utf-8")
    assert place_pictures(text) == text
    assert [name for name, picture in PICTURES.items() if picture not in text] == []


def test_what_happens_by_itself_is_asked_of_nobody() -> None:
    asked = {Act.CLAIM, Act.RENEW, Act.SEND, Act.RELEASE}
    assert set(Act) == asked | OF_WORLD
