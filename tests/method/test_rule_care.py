"""Birthdays on every side and newcomers to meet; who looks after whom (docs/method.md 6.3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.outcomes import judge
from tests.support.worlds import PLAYBOOKS, TODAY, client, contact, person, unit, world
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


@pytest.mark.parametrize(
    ("start", "holds"),
    [
        (TODAY + timedelta(days=1), False),
        (TODAY, True),
        (TODAY - timedelta(days=14), True),
        (TODAY - timedelta(days=15), False),
    ],
)
def test_a_newcomer_is_met_within_two_weeks(start: date, holds: bool) -> None:
    assert (
        signals(team(person("dev", start=start, unit=U1)), "meet_newcomer")["dev"].holds
        is holds
    )


def test_the_units_am_meets_the_newcomer_and_the_pm_a_new_am() -> None:
    assert (
        assignee(team(person("dev", start=TODAY, unit=U1)), "task:meet_newcomer:dev")
        == "am"
    )
    assert assignee(team(am={"start": TODAY}), "task:meet_newcomer:am") == "pm"
    assert assignee(team(person("dev", start=TODAY)), "task:meet_newcomer:dev") == "hoa"


def test_playbooks_that_are_switched_off_give_no_signals() -> None:
    found = find_occasions(team(contact("ivan", birthday=TODAY)), Playbooks())
    assert found.signals == ()
