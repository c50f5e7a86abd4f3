"""What rests on the calendar of a year whose moved days are not known yet says so (docs/method.md 3.1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.support.outcomes import judge
from tests.support.worlds import client, issue, person, ref, unit, world
from worker.domain.periods import WorkCalendar
from worker.world.world import World

NEW_YEAR = date(2026, 12, 28)
"""The next quarter begins in four days and is planned already."""


def planned(*years: int) -> World:
    """Return a world with a plan of two years, of which some are provisional."""
    dee = person("dee", role="designer", capacity=Decimal(40), unit=ref("units", "u1"))
    return world(
        unit(),
        client(
            engagement="retainer", monthly_fee=Decimal(1000), since=date(2026, 1, 1)
        ),
        dee,
        today=NEW_YEAR,
        issues={"1": issue(1, assignee="dee", estimate=36_000)},
        calendar=WorkCalendar(provisional=frozenset(years)),
    )


@pytest.mark.parametrize("name", ["target", "capacity"])
def test_a_plan_of_a_provisional_year_names_its_calendar(name: str) -> None:
    told = {}
    for fact in judge(planned(2027)).facts:
        if fact.ref.source == "plans" and fact.field == name:
            inputs = {one.name: one.value for one in fact.why.inputs}
            told[fact.ref.key] = inputs.get("calendar")
    assert told["plan:u1:2026-Q4"] is None
    assert (
        told["plan:u1:2027-Q1"]
        == "provisional: the days moved in 2027 are not known yet"
    )
    assert {text for key, text in told.items() if ":2027" in key} == {
        told["plan:u1:2027-Q1"]
    }


def test_a_plan_of_a_decreed_year_says_nothing_of_its_calendar() -> None:
    facts = judge(planned()).facts
    assert not [
        one for fact in facts for one in fact.why.inputs if one.name == "calendar"
    ]
