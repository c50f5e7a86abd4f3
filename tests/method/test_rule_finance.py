"""Shares, concentration, mix, plan and pace: worked out by hand on months of round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import facts_of
from tests.support.worlds import (
    at,
    card,
    client,
    person,
    ref,
    revenue,
    row,
    unit,
    worklog,
    world,
)
from worker.domain.entities import FIRM, Issue, Revenue, Stage
from worker.domain.periods import month_of, quarter_of
from worker.domain.values import Ref
from worker.errors import RenderedProblem, in_words
from worker.locales import load_words
from worker.method.measures import CardMeasure, Condition, PlanMeasure, Rag
from worker.method.money.finance import measure_client_money
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.world import World

MONTHS = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))


Judged = Findings[Mapping[Ref, Decimal | None] | None]


def judge(
    scene: World, *plans: PlanMeasure, cards: Mapping[Ref, CardMeasure] | None = None
) -> Judged:
    """Measure the money and look at the finances."""
    revenue = measure_revenue(scene).value
    return measure_client_money(scene, cards or {}, revenue, plans)


def conditions(outcome: Judged, signal: str) -> dict[str, Condition]:
    """Return the conditions of a signal by the key of their subject."""
    return {one.subject.key: one for one in outcome.conditions if one.signal == signal}


def acts(key: str, *amounts: int, months: tuple[date, ...] = MONTHS) -> list[Revenue]:
    """Return an act for each month."""
    return [
        revenue(amount, month, client=key)
        for amount, month in zip(amounts, months, strict=True)
    ]


@pytest.mark.parametrize(
    ("own", "others", "holds", "probability"),
    [
        ((25, 25, 25), (75, 75, 75), True, 3),  # exactly a quarter is too much
        ((30, 24, 30), (70, 76, 70), False, 3),  # not three months in a row
        ((35, 40, 90), (65, 60, 10), True, 4),  # never below 35 %
        ((50, 60, 70), (50, 40, 30), True, 5),  # half of everything
        ((30, 30, 0), (70, 70, 0), None, 3),  # October is not known
    ],
)
def test_a_quarter_of_the_revenue_for_three_months_is_too_much(
    own: tuple[int, ...], others: tuple[int, ...], holds: bool | None, probability: int
) -> None:
    scene = world(
        client("c1"), client("c2"), unit(), *acts("c1", *own), *acts("c2", *others)
    )
    found = conditions(judge(scene), "money.concentration")["c1"]
    assert found.holds is holds
    if holds:
        assert (found.probability, found.stake) == (probability, Decimal(sum(own)))


def test_the_evidence_of_concentration_names_the_months() -> None:
    scene = world(
        client("c1", name="Bank"),
        client("c2"),
        unit(),
        *acts("c1", 30, 28, 26),
        *acts("c2", 70, 72, 74),
    )
    found = conditions(judge(scene), "money.concentration")["c1"]
    assert found.title == "Bank: too large a part of the revenue"
    assert (
        found.evidence
        == "Share of the firm's revenue: August 2026 30%, September 2026 28%, October 2026 26%."
    )


def test_share_and_trend_are_of_finished_months() -> None:
    before = (date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1))
    scene = world(
        client("c1"),
        client("c2"),
        unit(),
        *acts("c1", 20, 20, 15, months=before),
        *acts("c1", 20, 20, 20),
        *acts("c2", 60, 70, 80),
        revenue(900, date(2026, 11, 3), client="c1"),
    )
    outcome = judge(scene)
    # c1: 60 of 60 + 210; 60 against 55 is 9 % more, which is less than the tenth that counts
    assert facts_of(outcome, "clients", "c1")["revenue_share"] == Decimal("0.222")
    assert facts_of(outcome, "clients", "c1")["revenue_trend"] == "flat"
    assert facts_of(outcome, "clients", "c2")["revenue_trend"] is None


@pytest.mark.parametrize(
    ("now", "trend"),
    [(110, "up"), (109, "flat"), (91, "flat"), (90, "down"), (0, "down")],
)
def test_a_trend_is_a_tenth_more_or_less(now: int, trend: str) -> None:
    scene = world(
        client(), unit(), revenue(100, date(2026, 6, 1)), revenue(now, date(2026, 9, 1))
    )
    assert facts_of(judge(scene), "clients", "c1")["revenue_trend"] == trend


@pytest.mark.parametrize(
    ("newbiz", "holds", "probability"),
    [(10, False, 3), (9, True, 3), (30, False, 3), (31, True, 3), (45, True, 4)],
)
def test_the_mix_may_drift_a_tenth_from_eighty_twenty(
    newbiz: int, holds: bool, probability: int
) -> None:
    scene = world(
        client("c1"),
        client("c2", group="newbiz", unit=None),
        unit(),
        revenue(100 - newbiz, MONTHS[2], client="c1"),
        revenue(newbiz, MONTHS[2], client="c2"),
    )
    found = conditions(judge(scene), "money.mix")
    assert (found["firm"].holds, found["firm"].probability, found["firm"].subject) == (
        holds,
        probability,
        FIRM,
    )


def test_a_newbiz_client_in_a_unit_is_still_newbiz() -> None:
    scene = world(
        client("c1"),
        client("c2", group="newbiz"),
        unit(),
        revenue(60, MONTHS[2], client="c1"),
        revenue(40, MONTHS[2], client="c2"),
    )
    found = conditions(judge(scene), "money.mix")["firm"]
    assert found.evidence.startswith("Units brought 60% of the revenue, newbiz 40%")
    assert found.stake == Decimal("20.00")


def test_newbiz_is_what_its_group_says_and_nothing_else() -> None:
    """Of 100 an account in a unit brought 50, newbiz 20, an account without a unit 20, a client of no group 10."""
    scene = world(
        client("c1"),
        client("c2", group="newbiz", unit=None),
        client("c3", unit=None),
        client("c4", group=None, unit=None),
        unit(),
        revenue(50, MONTHS[2], client="c1"),
        revenue(20, MONTHS[2], client="c2"),
        revenue(20, MONTHS[2], client="c3"),
        revenue(10, MONTHS[2], client="c4"),
    )
    found = conditions(judge(scene), "money.mix")["firm"]
    assert found.evidence.startswith("Units brought 50% of the revenue, newbiz 20%")


def test_the_mix_of_nothing_is_not_known() -> None:
    assert conditions(judge(world(client(), unit())), "money.mix")["firm"].holds is None


def plan(pace: str | None, rag: Rag, **fields: Any) -> PlanMeasure:
    """Return the quarter's plan of unit u1."""
    found = PlanMeasure(
        ref("units", "u1"),
        quarter_of(date(2026, 11, 18)),
        Decimal(1000),
        False,
        Decimal(300),
        "",
        None,
        Decimal(0),
        None,
        Decimal(pace) if pace else None,
        rag,
        "why",
        planned=Decimal(500),
    )
    return replace(found, **fields)


@pytest.mark.parametrize(
    ("pace", "rag", "holds", "probability"),
    [
        ("0.6", Rag.RED, True, 4),
        ("0.45", Rag.RED, True, 5),
        ("0.8", Rag.AMBER, False, 4),
        ("1", Rag.GREEN, False, 4),
        (None, Rag.GREY, None, 4),
    ],
)
def test_a_unit_is_behind_when_its_quarter_is_red(
    pace: str | None, rag: Rag, holds: bool | None, probability: int
) -> None:
    outcome = judge(world(client(), unit()), plan(pace, rag))
    found = conditions(outcome, "money.pace")["u1"]
    assert (found.holds, found.probability, found.unit) == (
        holds,
        probability,
        ref("units", "u1"),
    )
    assert found.stake == Decimal(200)
    assert found.horizon == date(2026, 12, 31)
    signal = next(one for one in outcome.signals if one.playbook == "catch_up")
    assert (signal.holds, signal.unit, signal.values["unit"]) == (
        holds,
        ref("units", "u1"),
        "North",
    )


def test_a_unit_without_a_plan_is_not_judged() -> None:
    assert conditions(judge(world(client(), unit())), "money.pace")["u1"].holds is None


def test_the_plan_of_a_client_is_its_fee_and_its_dated_budgets() -> None:
    # Without holidays Q4 2026 has 22 + 21 + 23 = 66 working days, 34 of them before 18 November: 22 + 12.
    # Fee: 90 for three months; to date 30 and 12 of 21 days. Budget 100 over 2-27 November (20 days): 12 to date, 60.
    scene = world(
        client(engagement="retainer", monthly_fee=Decimal(30), since=date(2026, 10, 1)),
        unit(),
        revenue(50, date(2026, 10, 1)),
        card(
            "p1",
            engagement="fixed_price",
            budget=Decimal(100),
            start=date(2026, 11, 2),
            due=date(2026, 11, 27),
        ),
        card(
            "p2",
            engagement="retainer",
            budget=Decimal(999),
            start=date(2026, 11, 2),
            due=date(2026, 11, 27),
        ),
        card(
            "p3",
            Stage.IDEA,
            engagement="tm",
            budget=Decimal(999),
            start=date(2026, 11, 2),
            due=date(2026, 11, 27),
        ),
        card("p4", engagement="tm", budget=Decimal(999), due=date(2026, 11, 27)),
    )
    outcome = judge(scene)
    found = facts_of(outcome, "clients", "c1")
    assert found["plan"] == Decimal("190.00")
    # November's fee: week parts of 7.15, 7.14, 7.14, 7.14 and 1.43; to date 7.15 + 7.14 + 2 / 5 of 7.14 (2.86) = 17.15.
    # Fact: the larger of 50 billed and 30 + 17.15 earned; planned 30 + 17.15 + 60 = 107.15: 50 / 107.15
    assert found["pace"] == Decimal("0.4666")
    assert outcome.value == {ref("clients", "c1"): Decimal("0.4666")}


def test_a_date_taken_over_from_jira_counts_before_it_stands_in_the_cards_own_field() -> (
    None
):
    scene = world(
        client(engagement="retainer"),
        unit(),
        revenue(50, date(2026, 10, 1)),
        card(
            "p1",
            engagement="fixed_price",
            budget=Decimal(100),
            start=date(2026, 11, 2),
            due=None,
        ),
    )
    p1 = ref("projects", "p1")
    taken = {p1: CardMeasure(p1, due=date(2026, 11, 27))}
    assert facts_of(judge(scene), "clients", "c1")["plan"] is None
    found = facts_of(judge(scene, cards=taken), "clients", "c1")
    assert found["plan"] == Decimal("100.00")


@pytest.mark.parametrize(
    ("today", "pace"), [(date(2026, 10, 14), None), (date(2026, 10, 15), Decimal(1))]
)
def test_a_clients_pace_is_silent_early_in_the_quarter(
    today: date, pace: Decimal | None
) -> None:
    # 15 % of 66 working days are 9.9: nine lie behind us on the 14th, ten on the 15th.
    scene = world(
        client(engagement="retainer", monthly_fee=Decimal(2200)), unit(), today=today
    )
    assert facts_of(judge(scene), "clients", "c1")["pace"] == pace


def test_a_client_without_fee_and_budget_has_no_plan() -> None:
    found = facts_of(
        judge(world(client(), unit(), revenue(5, date(2026, 10, 1)))), "clients", "c1"
    )
    assert (found["plan"], found["pace"]) == (None, None)


def test_without_money_nothing_is_said() -> None:
    scene = world(client(), unit())
    found = measure_client_money(scene, {}, None, ())
    assert (found.value, found.facts, found.conditions, found.signals) == (
        None,
        (),
        (),
        (),
    )


# -- the money of a whole life -----------------------------------------------------------------------------------------


def history(scene: World, key: str = "c1") -> list[tuple[str, str, str]]:
    """Return a client's months as text."""
    found = measure_revenue(scene).value
    assert found is not None
    return [
        (f"{one.month:%Y-%m}", f"{one.amount:.2f}", one.basis)
        for one in found.history[ref("clients", key)]
    ]


def test_the_history_has_every_month_since_the_first() -> None:
    scene = world(
        client(),
        unit(),
        revenue(100, date(2026, 7, 15)),
        revenue(70, date(2026, 9, 1), kind="payment"),
        revenue(90, date(2026, 9, 1), kind="invoice"),
    )
    assert history(scene) == [
        ("2026-07", "100.00", "act"),
        ("2026-08", "0.00", "none"),
        ("2026-09", "0.00", "none"),
        ("2026-10", "0.00", "none"),
        ("2026-11", "0.00", "none"),
    ]


def test_a_retainer_is_accrued_from_the_day_it_began() -> None:
    # March 2026 has 22 working days, 12 of them from the 16th; November 21, 12 of them before the 18th.
    scene = world(
        client(
            engagement="retainer", monthly_fee=Decimal(2200), since=date(2026, 3, 16)
        ),
        unit(),
        revenue(2000, date(2026, 5, 1)),
    )
    found = history(scene)
    assert found[:3] == [
        ("2026-03", "1200.00", "retainer"),
        ("2026-04", "2200.00", "retainer"),
        ("2026-05", "2200.00", "retainer"),
    ]
    assert [amount for _, amount, _ in found[3:-1]] == [
        "2200.00",
        "2200.00",
        "2200.00",
        "2200.00",
        "2200.00",
    ]
    assert found[-1] == ("2026-11", "1257.14", "retainer")


def test_a_retainer_ends_with_its_contract() -> None:
    # April 2026 has 22 working days, 11 of them up to the 15th.
    scene = world(
        client(
            engagement="retainer",
            monthly_fee=Decimal(2200),
            since=date(2026, 3, 1),
            contract_end=date(2026, 4, 15),
        ),
        unit(),
    )
    assert history(scene) == [
        ("2026-03", "2200.00", "retainer"),
        ("2026-04", "1100.00", "retainer"),
        *((f"2026-{month:02d}", "0.00", "none") for month in range(5, 12)),
    ]


def test_hours_that_two_cards_share_count_once() -> None:
    log = worklog(date(2026, 2, 10), 8)
    issue = Issue(
        id="1",
        key="ACME-1",
        project="ACME",
        type="Story",
        level=0,
        status="New",
        category="new",
        created=at(date(2026, 2, 1)),
        updated=at(date(2026, 2, 1)),
    )
    scene = world(
        client(engagement="tm"),
        unit(),
        person("dev"),
        card("p1"),
        card("p2"),
        work={"p1": [issue], "p2": [issue]},
        logs=[log],
    )
    assert history(scene)[0] == ("2026-02", "8000.00", "tm")


def test_a_client_of_the_future_has_no_history() -> None:
    assert history(world(client(since=date(2027, 1, 10)), unit())) == []


def test_the_history_and_the_weeks_say_the_same() -> None:
    scene = world(
        client(
            engagement="retainer", monthly_fee=Decimal(1000), since=date(2026, 1, 1)
        ),
        unit(),
        revenue(333, date(2026, 10, 1)),
    )
    money = measure_revenue(scene).value
    assert money is not None
    for one in money.history[ref("clients", "c1")]:
        if one.month >= date(2026, 7, 1):
            weeks = [
                fact.amount
                for fact in money.weeks
                if fact.week.start in month_of(one.month)
            ]
            assert sum(weeks) == one.amount


def test_rows_in_another_currency_are_listed_and_left_out() -> None:
    dollars = replace(
        revenue(100, date(2026, 10, 1)), ref=ref("revenue", "d"), currency="USD"
    )
    euros = replace(
        revenue(7, date(2026, 10, 1)), ref=ref("revenue", "e"), currency=" eur "
    )
    scene = world(
        client(),
        unit(),
        dollars,
        euros,
        rows={"revenue": (row("revenue", "d", title="A bill"),)},
    )
    outcome = measure_revenue(scene)
    assert history(scene)[0] == ("2026-10", "7.00", "act")
    (problem,) = outcome.problems
    assert (problem.code, english(problem.where), problem.field) == (
        "other-currency",
        "Revenue: A bill",
        "currency",
    )
    assert problem.url == "https://notion.so/d"
    assert in_words(problem, load_words("ru", "RUB")) == RenderedProblem(
        code="other-currency",
        where="Выручка: A bill",
        field="currency",
        message="USD — не валюта рабочего пространства, EUR; запись не учтена",
        hint="введите сумму в EUR",
        url=problem.url,
    )


def test_a_slip_of_the_pen_does_not_make_a_client_of_the_middle_ages() -> None:
    assert len(history(world(client(since=date(1026, 11, 1)), unit()))) == 50 * 12 + 1


def test_a_payment_earns_nothing() -> None:
    billed = world(
        client(),
        unit(),
        revenue(100, date(2026, 9, 1)),
        revenue(100, date(2026, 10, 12), kind="payment"),
    )
    assert history(billed) == [
        ("2026-09", "100.00", "act"),
        ("2026-10", "0.00", "none"),
        ("2026-11", "0.00", "none"),
    ]
    never_billed = world(
        client(), unit(), revenue(100, date(2026, 10, 12), kind="payment")
    )
    assert history(never_billed) == []
