"""Scope growth is a risk while it is fresh and nothing was agreed for it (docs/method.md 1.3); shares by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import TODAY, applied, at, card, client, issue, unit, world
from worker.domain.dated import Dated
from worker.domain.entities import Issue
from worker.domain.values import Ref
from worker.method.measures import Condition
from worker.world.world import World

P1 = Ref("projects", "p1")
A_DAY = timedelta(days=1)
DUE = date(2027, 3, 1)
BUDGET = Decimal(100_000)


def days_ago(number: int) -> date:
    """Return the day so many days ago."""
    return TODAY - number * A_DAY


def added(number: int, *, days: int) -> list[Issue]:
    """Return so many issues made on a day."""
    return [issue(1000 * days + n, created=days_ago(days)) for n in range(number)]


def grown(*more: Issue, **fields: Any) -> World:
    """Return the world of a card of twenty known issues and those added later."""
    known = [issue(n) for n in range(20)]
    own = {"due": DUE, "budget": BUDGET, "edited": at(days_ago(90)), **fields}
    return world(client(), unit(), card(**own), work={"p1": [*known, *more]})


def changed_on(day: date, seen: World, **fields: Any) -> World:
    """Return today's world after a run the day before `day`, and one on it, when a person changed the card."""
    before = replace(seen, today=day - A_DAY, now=at(day - A_DAY))
    there = applied(before, judge(before), today=day)
    card = there.cards[P1]
    if "budget" in fields:
        fields["budgets"] = Dated(card.budget, ((day, fields["budget"]),))
    there = replace(there, cards={P1: replace(card, **fields)})
    return applied(there, judge(there), today=TODAY)


def growth(seen: World) -> Condition:
    """Return what is said of the card's scope."""
    conditions = judge(seen).measures.conditions
    (one,) = (found for found in conditions if found.signal == "scope.growth")
    return one


def test_growth_without_a_change_is_a_risk() -> None:
    # 10 beside 20: half as much again.
    found = growth(grown(*added(10, days=10)))
    assert found.holds
    assert found.evidence == "The work grew by 50% in 4 weeks."


@pytest.mark.parametrize(
    "fields", [{"budget": Decimal(150_000)}, {"due": date(2027, 4, 1)}]
)
def test_a_larger_budget_or_a_later_date_answers_for_what_was_added(
    fields: dict[str, Any],
) -> None:
    seen = changed_on(days_ago(5), grown(*added(10, days=10)), **fields)
    assert growth(seen).holds is False
    # The figure of the card stays what it is.
    assert facts_of(judge(seen), "projects", "p1")["scope_change"] == Decimal("0.5000")


@pytest.mark.parametrize(
    "fields",
    [
        {"budget": Decimal(90_000)},
        {"budget": None},
        {"due": date(2027, 2, 1)},
        {"due": None},
        {"name": "Another name"},
    ],
)
def test_less_money_or_an_earlier_date_answers_for_nothing(
    fields: dict[str, Any],
) -> None:
    seen = changed_on(days_ago(5), grown(*added(10, days=10)), **fields)
    assert growth(seen).holds is True


def test_what_is_added_after_the_change_is_not_answered_for() -> None:
    # 10 beside 20 before the change, then 9 beside those 30: 30 %.
    issues = [*added(10, days=10), *added(9, days=2)]
    seen = changed_on(days_ago(5), grown(*issues), budget=Decimal(150_000))
    found = growth(seen)
    assert found.holds
    assert found.evidence == (
        "The work grew by 30% since budget or date were last extended on Nov 13, 2026."
    )


def test_what_is_added_on_the_day_of_the_change_belongs_to_it() -> None:
    seen = changed_on(days_ago(5), grown(*added(10, days=5)), budget=Decimal(150_000))
    assert growth(seen).holds is False


def test_what_was_rejected_after_the_change_is_taken_off() -> None:
    """9 came after the change beside 30, and 3 of the 30 were rejected: 6 more than 30 is 20 %, no risk yet.

    What is left is 36: 27 of the 30, and 9.
    """
    seen = grown(*added(7, days=10), *added(9, days=2))
    gone = [replace(issue(700 + n, done=days_ago(1)), rejected=True) for n in range(3)]
    work = seen.work[P1]
    seen = replace(seen, work={P1: replace(work, rejected=tuple(gone))})
    seen = changed_on(days_ago(5), seen, due=date(2027, 4, 1))
    measure = judge(seen).measures.cards[P1]
    assert measure.unagreed == Decimal("0.2000")
    assert growth(seen).holds is False


def test_a_change_of_long_ago_answers_for_nothing_new() -> None:
    seen = changed_on(days_ago(40), grown(*added(10, days=10)), budget=Decimal(150_000))
    assert growth(seen).evidence == "The work grew by 50% in 4 weeks."


def test_growth_is_told_for_four_weeks_alone() -> None:
    assert growth(grown(*added(10, days=28))).holds is True
    assert growth(grown(*added(10, days=29))).holds is False


def test_a_budget_that_is_typed_for_the_first_time_is_no_agreement() -> None:
    seen = changed_on(
        days_ago(5), grown(*added(10, days=10), budget=None), budget=BUDGET
    )
    assert growth(seen).holds is True


def test_running_twice_on_the_day_of_the_change_says_the_same() -> None:
    seen = changed_on(TODAY, grown(*added(10, days=10)), budget=Decimal(150_000))
    assert growth(seen).holds is False
    assert growth(applied(seen, judge(seen))).holds is False


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        # A date that people gave: from five days ago it is more.
        (((days_ago(5), Decimal(150_000)),), False),
        # More from next week on is not agreed yet, and what was more may be less since.
        (((TODAY + 7 * A_DAY, Decimal(150_000)),), True),
        (((days_ago(40), Decimal(150_000)), (days_ago(5), BUDGET)), True),
        # Less, and then more again.
        (((days_ago(9), Decimal(50_000)), (days_ago(5), Decimal(60_000))), False),
    ],
)
def test_a_dated_budget_answers_from_its_day_on(
    changes: tuple[tuple[date, Decimal], ...], *, holds: bool
) -> None:
    budgets = Dated(BUDGET, changes)
    seen = grown(*added(10, days=10), budget=budgets.on(TODAY), budgets=budgets)
    assert growth(seen).holds is holds
