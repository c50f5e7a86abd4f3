"""A percentage of capacity never stands without its hours (docs/facts/definitions.md 2)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from tests.pages.test_pages import pages, said
from tests.support.worlds import (
    SOURCES,
    card,
    client,
    issue,
    person,
    ref,
    unit,
    worklog,
    world,
)
from worker.world.world import World

U1 = ref("units", "u1")
HOUR = 3600
TODAY = date(2026, 11, 30)
"""A Monday; tomorrow a month is planned."""

PAST = [
    date(2026, 11, 2) + timedelta(days=7 * week + day)
    for week in range(4)
    for day in range(5)
]
"""The working days of the last four full weeks."""


def agency() -> World:
    """Return a unit whose designer logs 7 of 8 h a day, 6 of them on a card, and whose AM has 40 h in four weeks."""
    manager = person("am", role="am", capacity=Decimal(20), unit=U1)
    designer = person("dee", role="designer", capacity=Decimal(40), unit=U1)
    logs = []
    for day in PAST:
        logs.append(worklog(day, 6, author="dee", issue="1"))
        logs.append(worklog(day, 1, author="dee", issue="2"))
    work = issue(
        3, assignee="am", estimate=40 * HOUR, due=date(2026, 12, 25), created=TODAY
    )
    seen = world(
        client(),
        unit(),
        manager,
        designer,
        card("p1"),
        card("p2", start=TODAY),
        work={"p1": [issue(1)], "p2": [work]},
        today=TODAY,
        sources=SOURCES | {"meetings"},
    )
    paid = [log for log in logs if log.issue == "1"]
    p1 = ref("projects", "p1")
    return replace(
        seen,
        issues={"1": issue(1), "2": issue(2), "3": work},
        worklogs=tuple(logs),
        work={
            **{key: replace(own, worklogs=()) for key, own in seen.work.items()},
            p1: replace(seen.work[p1], worklogs=tuple(paid)),
        },
    )


def told() -> str:
    """Return the text of all pages."""
    return "\n".join(said(page.blocks) for page in pages(agency()).values())


def test_the_agenda_tells_billable_utilization_with_hours_and_target() -> None:
    """Logged 140 of 160 h, of them 120 on a card: 88 % and 75 %."""
    text = told()
    assert "Utilization of the last four weeks: 88% of 160 effective hours" in text
    assert "Billable: 75% of 160 effective hours, target 75%" in text


def test_an_account_managers_load_stands_with_their_hours() -> None:
    """40 h of work in the four weeks from 30 November to 25 December, 20 h a week."""
    assert "50% of 80 h" in told()
