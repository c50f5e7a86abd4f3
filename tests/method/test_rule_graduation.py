"""From newbiz to account, and the account without work (docs/method.md 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    TODAY,
    card,
    client,
    issue,
    person,
    unit,
    worklog,
    world,
)
from worker.domain.entities import Card, CardWork, LoggedTime, Service, Stage
from worker.domain.values import Ref
from worker.method.growth.graduation import find_graduations
from worker.method.measures import CardMeasure, Forecast, Signal, UnitLoad, WeekLoad
from worker.method.outlook import Graduation
from worker.world.world import World

C1, P1 = Ref("clients", "c1"), Ref("projects", "p1")
PORTAL = Ref("services", "portal")
LOGO = Ref("services", "logo")
SERVICES = {
    PORTAL: Service(PORTAL, "Portal", "endless"),
    LOGO: Service(LOGO, "Logo", "one_off"),
}
MONDAY = TODAY - timedelta(days=TODAY.weekday())


def newbiz(**fields: Any) -> Any:
    """Return a newbiz client with a fixed price."""
    return client(group="newbiz", engagement="fixed_price", unit=None, **fields)


def graduation(
    seen: World,
    cards: Mapping[Ref, CardMeasure] | None = None,
    units: Mapping[Ref, UnitLoad] | None = None,
) -> Graduation | None:
    """Return why client c1 graduates."""
    return find_graduations(seen, cards or {}, units or {}).value.get(C1)


def signals(
    seen: World, cards: Mapping[Ref, CardMeasure] | None = None
) -> dict[str, Signal]:
    """Return the rule's signals by playbook."""
    found = find_graduations(seen, cards or {}, {}).signals
    return {one.playbook: one for one in found if one.subject == C1}


def crew(*weeks_and_hours: tuple[int, int, float]) -> list[LoggedTime]:
    """Return logs of so many people on the Tuesday of a week back (1: the last full one), so many hours each."""
    return [
        worklog(
            MONDAY - timedelta(weeks=back) + timedelta(days=1),
            hours,
            author=f"dev{who}",
        )
        for back, people, hours in weeks_and_hours
        for who in range(people)
    ]


@pytest.mark.parametrize(
    ("logs", "ready"),
    [
        (crew((1, 3, 8), (3, 3, 8)), True),
        (crew((1, 3, 8)), False),
        (crew((1, 3, 8), (3, 2, 20)), False),
        (crew((1, 3, 8), (3, 3, 7.75)), False),
        (crew((1, 3, 4), (1, 3, 4), (4, 3, 8)), True),
        (crew((1, 3, 8), (5, 3, 8)), False),
        (crew((0, 3, 8), (1, 3, 8)), False),
    ],
)
def test_three_people_with_a_day_each_in_two_of_the_last_four_full_weeks(
    logs: list[LoggedTime], ready: bool
) -> None:
    found = graduation(
        world(newbiz(), unit(), card(), work={"p1": [issue(1)]}, logs=logs)
    )
    assert (found is not None) is ready
    if found:
        assert found.evidence == (
            "3 or more people logged 8 hours each in 2 of the last 4 weeks.",
        )


def test_hours_on_two_cards_with_the_same_issues_count_once() -> None:
    logs = tuple(crew((1, 3, 5), (2, 3, 5)))
    seen = world(newbiz(), unit(), card(), card("p2"))
    seen = replace(
        seen, work={one: CardWork("x", (), logs) for one in (P1, Ref("projects", "p2"))}
    )
    assert graduation(seen) is None


@pytest.mark.parametrize(
    ("stages", "ready"),
    [
        ((Stage.IN_PROGRESS, Stage.EVOLUTION, Stage.IDEA), True),
        ((Stage.IN_PROGRESS, Stage.IN_PROGRESS, Stage.SHAPING), True),
        ((Stage.IN_PROGRESS, Stage.IN_PROGRESS, Stage.PROPOSAL), False),
        ((Stage.IN_PROGRESS, Stage.IDEA, Stage.IDEA), False),
    ],
)
def test_two_running_projects_and_an_idea_waiting(
    stages: tuple[Stage, ...], ready: bool
) -> None:
    cards = [
        card(f"p{number}", stage, jira=None) for number, stage in enumerate(stages)
    ]
    found = graduation(world(newbiz(), *cards))
    assert (found.evidence if found else None) == (
        ("2 projects are running and an idea is waiting.",) if ready else None
    )


@pytest.mark.parametrize(
    ("made", "measure", "ready"),
    [
        (card(due=date(2027, 2, 19)), None, True),
        (card(due=date(2027, 2, 18)), None, False),
        (card(stage=Stage.AGREED, due=date(2027, 5, 1)), None, False),
        (card(due=None), CardMeasure(P1, due=date(2027, 3, 1)), True),
        (
            card(due=None),
            CardMeasure(P1, forecast=Forecast(TODAY, date(2027, 3, 1), 5, 100)),
            True,
        ),
        (
            card(due=date(2027, 1, 1)),
            CardMeasure(P1, forecast=Forecast(TODAY, date(2027, 3, 1), 5, 100)),
            False,
        ),
    ],
)
def test_running_work_planned_beyond_three_months(
    made: Card, measure: CardMeasure | None, ready: bool
) -> None:
    found = graduation(world(newbiz(), made), {P1: measure} if measure else {})
    assert (found is not None) is ready


def test_the_proposed_unit_has_the_least_load_then_the_smallest_portfolio() -> None:
    def loaded(key: str, load: int | None) -> UnitLoad:
        weeks = tuple(
            WeekLoad(MONDAY, Decimal(40), None if load is None else Decimal(load))
            for _ in range(8)
        )
        return UnitLoad(
            Ref("units", key),
            (),
            Decimal(40),
            None,
            Decimal(0),
            None,
            None,
            (),
            weeks,
            (),
        )

    seen = world(
        newbiz(),
        card(due=date(2027, 5, 1)),
        unit("u1", name="North"),
        unit("u2", name="South"),
        client("c2"),
        client("c3", unit=Ref("units", "u2")),
        client("c4", unit=Ref("units", "u2")),
    )
    found = graduation(seen)
    assert found is not None
    assert found.unit == Ref("units", "u1")
    busy = {one.unit: one for one in (loaded("u1", 36), loaded("u2", 20))}
    found = graduation(seen, units=busy)
    assert found is not None
    assert found.unit == Ref("units", "u2")
    vague = {one.unit: one for one in (loaded("u1", None), loaded("u2", 20))}
    found = graduation(seen, units=vague)
    assert found is not None
    assert found.unit == Ref("units", "u1")
    assert (
        "no unit to take it" in signals(replace(seen, units={}))["graduate_hoa"].reason
    )


@pytest.mark.parametrize(
    ("fields", "made", "model"),
    [
        ({}, card(due=date(2027, 5, 1)), "tm"),
        ({}, card(due=date(2027, 5, 1), service=PORTAL), "retainer"),
        ({}, card(due=date(2027, 5, 1), service=LOGO), "tm"),
        ({}, card(due=date(2027, 5, 1), service=Ref("services", "gone")), "tm"),
        ({}, card(stage=Stage.EVOLUTION, due=date(2027, 5, 1)), "retainer"),
        ({"engagement": "tm"}, card(due=date(2027, 5, 1)), "retainer"),
    ],
)
def test_fixed_price_becomes_tm_or_a_retainer(
    fields: dict[str, str], made: Card, model: str
) -> None:
    found = graduation(world(replace(newbiz(), **fields), made, services=SERVICES))
    assert found is not None
    assert found.model == model


def test_both_heads_get_a_task_with_the_evidence() -> None:
    seen = world(
        newbiz(name="Museum"),
        unit(),
        person("nb", role="head_newbiz"),
        person("head", role="hoa"),
        card(due=date(2027, 5, 1), jira=None),
        card("p2", jira=None),
        card("p3", Stage.IDEA, jira=None),
    )
    outcome = judge(seen)
    for playbook, name, who in (
        ("graduate_newbiz", "Hand Museum over to a unit", "nb"),
        (
            "graduate_hoa",
            "Move Museum to account: choose the unit and the engagement model",
            "head",
        ),
    ):
        task = facts_of(outcome, "tasks", f"task:{playbook}:c1")
        assert (task["name"], task["assignee"]) == (name, (Ref("people", who),))
        assert task["reason"] == (
            "2 projects are running and an idea is waiting. “Card p1” is planned until "
            "May 1, 2027. Proposed: unit North, T&M."
        )


def test_an_account_has_graduated_and_a_calm_newbiz_has_not() -> None:
    assert signals(world(client(), card(due=date(2027, 5, 1))))[
        "graduate_hoa"
    ].ended == ("closed automatically: the client is an account now")
    calm = signals(world(newbiz(), card(due=TODAY)))
    assert (calm["graduate_hoa"].holds, calm["graduate_hoa"].ended) == (
        False,
        "closed automatically: one or two people suffice again",
    )


# Accounts without work


def silent(seen: World, cards: Mapping[Ref, CardMeasure]) -> bool | None:
    """Return whether client c1 is known to have had no work."""
    conditions = find_graduations(seen, cards, {}).conditions
    (found,) = (one for one in conditions if one.subject == C1)
    assert signals(seen, cards)["silent_account"].holds is found.holds
    return found.holds


def active(key: str, last: date | None, **fields: Any) -> dict[Ref, CardMeasure]:
    """Return the measure of one card with its last activity."""
    ref = Ref("projects", key)
    return {ref: CardMeasure(ref, last_activity=last, **fields)}


AUGUST = date(2026, 8, 18)


@pytest.mark.parametrize(
    ("made", "cards", "expected"),
    [
        (card(stage=Stage.DONE), active("p1", AUGUST), True),
        (card(stage=Stage.DONE), active("p1", AUGUST + timedelta(days=1)), False),
        (card(), active("p1", AUGUST), True),
        (card(), active("p1", None), False),
        (card(jira=None), {}, False),
        (card(stage=Stage.DONE, due=AUGUST, jira=None), {}, True),
        (
            card(stage=Stage.DONE, due=None, jira=None),
            active("p1", None, stage_since=AUGUST),
            True,
        ),
        (card(stage=Stage.DONE, due=date(2030, 1, 1), jira=None), {}, False),
        (card(stage=Stage.DONE, due=None, jira=None), {}, None),
        (card(stage=Stage.IDEA), active("p1", TODAY), None),
        (card(stage=Stage.AGREED, jira=None), {}, False),
    ],
)
def test_three_months_without_work(
    made: Card, cards: dict[Ref, CardMeasure], expected: bool | None
) -> None:
    assert silent(world(client(), made), cards) is expected


def test_one_working_card_keeps_an_account_from_silence() -> None:
    cards = {
        Ref("projects", key): CardMeasure(Ref("projects", key), last_activity=last)
        for key, last in (("p1", AUGUST), ("p2", TODAY - timedelta(days=3)))
    }
    seen = world(client(), card(stage=Stage.DONE), card("p2"))
    assert silent(seen, cards) is False


def test_silence_is_a_risk_and_a_task_of_the_hoa_and_newbiz_is_never_silent() -> None:
    seen = world(
        client(),
        unit(),
        person("head", role="hoa"),
        card(stage=Stage.DONE, due=AUGUST, jira=None),
    )
    outcome = judge(seen)
    assert facts_of(outcome, "risks", "risk:relations.silent:c1")["evidence"] == (
        "The last work was done on Aug 18, 2026."
    )
    task = facts_of(outcome, "tasks", "task:silent_account:c1")
    assert (task["assignee"], task["reason"]) == (
        (Ref("people", "head"),),
        "The last work was done on Aug 18, 2026.",
    )
    assert find_graduations(world(newbiz()), {}, {}).conditions == ()
