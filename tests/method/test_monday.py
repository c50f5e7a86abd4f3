"""The Monday cut: a week in two months, its causes, what is required and where the shortfall went, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import client, ref
from worker.domain.money import CENT
from worker.domain.periods import Period, WorkCalendar, month_of, quarter_of, week_of
from worker.domain.values import Ref
from worker.method.measures import MoneyFact, PlanMeasure, Rag
from worker.method.money.monday import cut, find_causes, last_week

MONDAY = date(2026, 12, 7)
UNIT = ref("units", "u1")
CALENDAR = WorkCalendar(
    days_off=frozenset({date(2026, 12, 31)}), days_on=frozenset({date(2026, 12, 5)})
)
CLIENTS = {
    ref("clients", key): client(key, name=name, engagement=model)
    for key, name, model in (
        ("bank", "Bank", "retainer"),
        ("shop", "Shop", "tm"),
        ("farm", "Farm", "tm"),
    )
}


def plan(period: Period, target: int, carry: str = "0") -> PlanMeasure:
    """Return a node of the unit's plan."""
    return PlanMeasure(
        UNIT,
        period,
        Decimal(target),
        False,
        None,
        "",
        None,
        Decimal(carry),
        None,
        None,
        Rag.GREY,
    )


def money(key: str, day: date, amount: int) -> MoneyFact:
    """Return a client's money in the week part of a day."""
    return MoneyFact(ref("clients", key), UNIT, week_of(day), Decimal(amount), "tm")


def decimals(*numbers: int) -> tuple[Decimal, ...]:
    """Return whole numbers as Decimals."""
    return tuple(Decimal(number) for number in numbers)


def plans(*found: PlanMeasure) -> dict[Period, PlanMeasure]:
    """Return plans by period."""
    return {one.period: one for one in found}


TREE = plans(
    plan(quarter_of(MONDAY), 1000, "30"),
    plan(month_of(MONDAY), 230),
    plan(week_of(date(2026, 11, 30)), 10),
    plan(week_of(date(2026, 12, 1)), 50),
    plan(week_of(date(2026, 12, 7)), 50, "8.34"),
    plan(week_of(date(2026, 12, 14)), 50, "8.33"),
)
# The four weeks before: the bank 60, the shop 30; the farm is new.
FACTS = (
    money("bank", date(2026, 11, 3), 40),
    money("bank", date(2026, 11, 24), 20),
    money("shop", date(2026, 11, 17), 30),
    money("bank", date(2026, 11, 30), 4),
    money("bank", date(2026, 12, 2), 20),
    money("farm", date(2026, 12, 3), 6),
    money("bank", date(2026, 10, 28), 999),
    money("bank", MONDAY, 999),
)


def test_a_week_in_two_months_is_its_two_parts() -> None:
    assert [week.code for week in last_week(MONDAY)] == ["2026-11-W49", "2026-12-W49"]
    assert [week.code for week in last_week(date(2026, 11, 16))] == ["2026-11-W46"]


def test_last_week_is_plan_fact_and_variance_of_both_parts() -> None:
    found = cut(MONDAY, TREE, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    assert (found.week.plan, found.week.fact, found.week.variance) == decimals(
        60, 30, -30
    )
    assert found.week.pace == Decimal("0.5")
    assert (found.week.period.start, found.week.period.end) == (
        date(2026, 11, 30),
        date(2026, 12, 6),
    )


def test_the_causes_are_what_was_missing_from_each_client_and_model() -> None:
    found = cut(MONDAY, TREE, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    # 60 expected as 60 : 30 of the weeks before: the bank 40, the shop 20; 24, nothing and 6 came.
    assert [one.client.key for one in found.clients if one.client] == [
        "shop",
        "bank",
        "farm",
    ]
    assert [(one.expected, one.fact, one.amount) for one in found.clients] == [
        decimals(20, 0, -20),
        decimals(40, 24, -16),
        decimals(0, 6, 6),
    ]
    assert [(one.model, one.amount) for one in found.models] == [
        ("retainer", Decimal(-16)),
        ("tm", Decimal(-14)),
    ]
    assert sum(one.amount for one in found.clients) == found.week.variance


def test_to_date_ends_on_sunday_and_the_rest_is_required_of_the_days_left() -> None:
    found = cut(MONDAY, TREE, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    # December: 26 of 230 after the first part; 18 working days left, the 31st is off.
    assert (found.month.plan, found.month.fact) == decimals(50, 26)
    assert found.month.required == Decimal(204) / 18
    # The quarter's earlier weeks have no plan here, so that its plan to date is not known; its fact is.
    assert (found.quarter.plan, found.quarter.pace) == (None, None)
    assert found.quarter.fact == 999 + 60 + 30 + 30


def test_the_carry_over_says_where_the_shortfall_went() -> None:
    found = cut(MONDAY, TREE, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    assert found.short == 30
    assert [(one.period.code, one.target, one.carry) for one in found.carried] == [
        ("2026-12-W50", Decimal(50), Decimal("8.34")),
        ("2026-12-W51", Decimal(50), Decimal("8.33")),
    ]


def test_unknown_money_is_not_zero() -> None:
    found = cut(MONDAY, TREE, None, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    assert (
        found.week.fact,
        found.week.variance,
        found.week.pace,
        found.month.required,
    ) == (None, None, None, None)
    assert found.clients == found.models == ()


def test_without_plans_the_cut_is_of_facts_against_the_usual() -> None:
    found = cut(MONDAY, {}, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT)
    assert (found.week.plan, found.week.variance) == (None, None)
    assert (found.week.fact, found.short) == decimals(30, 0)
    # 90 in four weeks are 22.50 a week: the bank 15, the shop 7.50.
    assert [one.client.key for one in found.clients if one.client] == [
        "bank",
        "shop",
        "farm",
    ]
    assert [one.amount for one in found.clients] == [
        Decimal(9),
        Decimal("-7.5"),
        Decimal(6),
    ]


def test_a_plan_when_nobody_brought_anything_is_expected_of_nobody_by_name() -> None:
    found = find_causes(
        Decimal(60),
        last_week(MONDAY),
        [money("farm", date(2026, 12, 2), 10)],
        clients=CLIENTS,
        minor=CENT,
    )
    assert [(one.client, one.amount) for one in found] == [
        (None, Decimal(-60)),
        (ref("clients", "farm"), Decimal(10)),
    ]


def test_the_last_monday_of_a_quarter_requires_nothing_of_days_that_are_not_left() -> (
    None
):
    found = cut(
        date(2027, 1, 4), TREE, FACTS, clients=CLIENTS, calendar=CALENDAR, minor=CENT
    )
    assert [week.code for week in found.weeks] == ["2026-12-W53", "2027-01-W53"]
    assert found.month.period.code == "2027-01"
    assert found.quarter.required is None


@given(
    plan_cents=st.integers(0, 10**9),
    amounts=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.integers(0, 10**7)),
        max_size=12,
    ),
)
def test_causes_always_sum_to_the_variance(
    plan_cents: int, amounts: list[tuple[str, int, int]]
) -> None:
    facts = [
        MoneyFact(
            Ref("clients", key),
            UNIT,
            week_of(date.fromordinal(MONDAY.toordinal() - 1 - days)),
            Decimal(cents) / 100,
            "tm",
        )
        for key, days, cents in amounts
    ]
    target, weeks = Decimal(plan_cents) / 100, last_week(MONDAY)
    fact = sum((one.amount for one in facts if one.week in weeks), Decimal(0))
    assert (
        sum(
            one.amount
            for one in find_causes(target, weeks, facts, clients={}, minor=CENT)
        )
        == fact - target
    )
