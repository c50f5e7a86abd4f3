"""Birthdays on every side and newcomers at the client; who looks after whom (docs/method.md 6.3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    at,
    client,
    contact,
    person,
    unit,
    world,
)
from worker.domain.values import Ref
from worker.mapping.playbooks import Playbooks
from worker.method.measures import Signal
from worker.method.sprint.occasions import find_occasions
from worker.world.world import World

U1 = Ref("units", "u1")


def team(*more: object, **fields: Any) -> World:
    """Return a world with a unit of AM, TL and PM and a head of accounts."""
    staff = [
        person(key, role=key, unit=U1, **fields.get(key, {}))
        for key in ("am", "tl", "pm")
    ]
    return world(
        client(),
        unit(),
        *staff,
        person("hoa", role="hoa", **fields.get("hoa", {})),
        *more,
    )


def signals(seen: World, playbook: str) -> dict[str, Signal]:
    """Return the signals of a playbook by the key of whom they are about."""
    return {
        signal.subject.key: signal
        for signal in find_occasions(seen, PLAYBOOKS).signals
        if signal.playbook == playbook
    }


def assignee(seen: World, key: str) -> str:
    """Return whom a task is given to."""
    values = [
        fact.value
        for fact in judge(seen).facts
        if fact.ref == Ref("tasks", key) and fact.field == "assignee"
    ]
    (value,) = values
    assert isinstance(value, tuple)
    return ",".join(ref.key for ref in value if isinstance(ref, Ref))


@pytest.mark.parametrize(
    ("born", "coming"),
    [
        (date(1990, 11, 18), date(2026, 11, 18)),
        (date(1990, 11, 17), date(2027, 11, 17)),
        (date(1904, 2, 29), date(2027, 2, 28)),
        (None, None),
    ],
)
def test_the_next_birthday_is_the_next_anniversary(
    born: date | None, coming: date | None
) -> None:
    seen = team(contact("ivan", birthday=born))
    (fact,) = [
        fact
        for fact in find_occasions(seen, PLAYBOOKS).facts
        if fact.field == "next_birthday"
    ]
    assert fact.value == coming


@pytest.mark.parametrize(("days", "holds"), [(0, True), (7, True), (8, False)])
def test_a_birthday_is_told_a_week_ahead_on_every_side(days: int, holds: bool) -> None:
    born = (TODAY + timedelta(days=days)).replace(year=1985)
    seen = team(
        contact("ivan", birthday=born),
        contact("guild", birthday=born, client=None, side="contractor"),
        person("dev", birthday=born, unit=U1),
    )
    found = signals(seen, "birthday")
    assert {key: signal.holds for key, signal in found.items()} == dict.fromkeys(
        ("ivan", "guild", "dev"), holds
    )
    assert found["ivan"].values["client"] == "C1"


@pytest.mark.parametrize(("who", "host"), [("tl", "am"), ("am", "pm"), ("hoa", "hoa")])
def test_nobody_congratulates_themselves(who: str, host: str) -> None:
    """The unit's AM does; the PM when it is the AM's own; a head alone in the agency has nobody else."""
    seen = team(**{who: {"birthday": date(1990, 11, 20)}})
    assert assignee(seen, f"task:birthday:{who}") == host


def test_a_contractors_birthday_is_the_head_of_accounts() -> None:
    seen = team(
        contact("guild", birthday=date(1990, 11, 20), client=None, side="contractor")
    )
    assert assignee(seen, "task:birthday:guild") == "hoa"


def days_ago(count: int) -> date:
    """Return the day so many days ago."""
    return TODAY - timedelta(days=count)


@pytest.mark.parametrize(
    ("since", "holds"),
    [(days_ago(-1), False), (TODAY, True), (days_ago(30), True), (days_ago(31), False)],
)
def test_who_is_new_at_a_client_is_met_within_thirty_days(
    since: date, holds: bool
) -> None:
    seen = team(contact("ivan", side="client", since=since))
    assert signals(seen, "meet_newcomer")["ivan"].holds is holds


@pytest.mark.parametrize(
    ("added", "since", "holds"),
    [
        # Added to a client that stands here for 100 days: today, 30 and 31 days ago.
        (0, None, True),
        (30, None, True),
        (31, None, False),
        # Typed in with the client, on the same day: nobody knows since when, and nobody is new.
        (100, None, None),
        # Added today, at the client for 400 days: met long ago; added long ago, and now begins.
        (0, 400, False),
        (90, 2, True),
    ],
)
def test_a_row_that_was_added_to_a_clients_lately_is_a_newcomer(
    added: int, since: int | None, holds: bool | None
) -> None:
    seen = team(
        client(created=at(days_ago(100), 9)),
        contact(
            "ivan",
            side="client",
            created=at(days_ago(added)),
            since=None if since is None else days_ago(since),
        ),
    )
    found = signals(seen, "meet_newcomer")
    assert {key: signal.holds for key, signal in found.items()} == (
        {} if holds is None else {"ivan": holds}
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"side": "contractor"},
        {"side": "partner"},
        {"side": None},
        {"side": "client", "client": None},
    ],
)
def test_only_people_of_a_client_are_newcomers(fields: dict[str, Any]) -> None:
    seen = team(contact("ivan", since=TODAY, **fields))
    assert signals(seen, "meet_newcomer") == {}


def test_a_new_employee_of_the_agency_is_no_newcomer_at_a_client() -> None:
    seen = team(person("dev", start=TODAY, unit=U1), am={"start": TODAY})
    assert signals(seen, "meet_newcomer") == {}


def test_the_clients_am_meets_its_newcomer() -> None:
    seen = team(contact("ivan", side="client", since=TODAY))
    task = facts_of(judge(seen), "tasks", "task:meet_newcomer:ivan")
    assert task["assignee"] == (Ref("people", "am"),)
    assert task["client"] == (Ref("clients", "c1"),)
    assert task["name"] == "Meet Ivan, new at C1 (since Nov 18, 2026)"


def test_playbooks_that_are_switched_off_give_no_signals() -> None:
    found = find_occasions(team(contact("ivan", birthday=TODAY)), Playbooks())
    assert found.signals == ()
