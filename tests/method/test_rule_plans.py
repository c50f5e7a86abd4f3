"""Money facts and the plans of units (docs/method.md 2.1, 2.2), by hand.

Q4 2026 has 22 + 21 + 23 = 66 weekdays. TODAY is Wednesday 18 November; 34 of them lie behind: 22 in October, 12 in
November (2-6, 9-13, 16-17).
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import facts_of, judge, keys_of
from tests.support.worlds import (
    TODAY,
    applied,
    card,
    changed,
    client,
    issue,
    person,
    ref,
    revenue,
    row,
    unit,
    worklog,
    world,
)
from worker.config import QuarterTargets, Thresholds
from worker.domain.entities import Row
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span, Unset, Value
from worker.domain.words import Words
from worker.errors import Problem
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.method.formulas.cascade import is_exact
from worker.method.measures import Rag
from worker.plan.facts import Input, Why
from worker.world.world import World

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def plan(seen: World, code: str, *, of: str = "u1") -> dict[str, Value | Unset]:
    """Return the facts of one plan row."""
    return facts_of(judge(seen), "plans", f"plan:{of}:{code}")


def fee(amount: int, **fields: Any) -> World:
    """Return a world with one unit and one client with a monthly fee, without any revenue."""
    return world(unit(), client(monthly_fee=Decimal(amount), **fields))


def pinned(code: str, target: object, *, of: str = "u1") -> Row:
    """Return a plan row a person pinned."""
    amount = target if target is None else Decimal(str(target))
    return row(
        "plans", f"plan:{of}:{code}", title=f"Plan {code}", pinned=True, target=amount
    )


def test_the_target_of_a_quarter_is_the_sum_of_contracts() -> None:
    # 3 x 22,000; by working days 22:21:23.
    seen = fee(22000)
    assert [
        plan(seen, code)["target"]
        for code in ("2026-Q4", "2026-10", "2026-11", "2026-12")
    ] == [66000, 22000, 21000, 23000]


def test_a_contract_counts_only_while_it_is_in_force() -> None:
    # From 12 October (14 of 22 days) to 13 November (10 of 21 days): 22000 x 14/22 + 21000... of the fee 21 a day.
    seen = fee(4620, since=date(2026, 10, 12), contract_end=date(2026, 11, 13))
    # 4620/22 = 210 x 15 weekdays (12-30 October) = 3150; 4620/21 = 220 x 10 = 2200.
    assert plan(seen, "2026-Q4")["target"] == 5350


def test_a_unit_without_known_fees_has_no_target_but_shows_its_fact() -> None:
    seen = world(unit(), client(), revenue(2200, OCTOBER))
    facts = plan(seen, "2026-10")
    assert "target" not in facts
    assert (facts["fact"], facts["health"], facts["why"]) == (
        2200,
        "grey",
        "There is no target.",
    )


def test_growth_is_over_the_fact_of_the_last_quarter() -> None:
    seen = replace(
        world(
            unit(),
            client(),
            client("c2", unit=None),
            revenue(1000, date(2026, 8, 3)),
            revenue(500, date(2026, 9, 3), client="c2"),
        ),
        targets=QuarterTargets(policy="growth"),
    )
    assert plan(seen, "2026-Q4")["target"] == 1100
    assert plan(seen, "2026-Q4", of="firm")["target"] == 1650


def test_no_policy_means_no_targets_but_pins_hold() -> None:
    seen = replace(
        fee(22000),
        targets=QuarterTargets(policy="none"),
        rows={"plans": (pinned("2026-11", 210),)},
    )
    assert "target" not in plan(seen, "2026-Q4")
    assert plan(seen, "2026-11-W46")["target"] == 50


def test_acts_win_over_invoices_and_payments_of_the_same_month() -> None:
    seen = world(
        unit(),
        client(),
        revenue(100, OCTOBER, kind="payment"),
        revenue(220, OCTOBER, kind="act"),
        revenue(90, OCTOBER, kind="invoice"),
    )
    facts = plan(seen, "2026-10")
    assert (facts["fact"], facts["fact_basis"]) == (220, "acts")
    # Week 41, 5-11 October: 5 of 22 days.
    assert plan(seen, "2026-10-W41")["fact"] == 50


def test_a_row_of_a_project_belongs_to_its_client() -> None:
    paid = replace(revenue(100, OCTOBER), client=None, project=Ref("projects", "p1"))
    assert plan(world(unit(), client(), card(), paid), "2026-10")["fact"] == 100
    orphan = replace(paid, project=None)
    assert plan(world(unit(), client(), card(), orphan), "2026-10")["fact"] == 0


def test_a_retainer_accrues_by_working_days_passed() -> None:
    # 21,000 in November: 12 of 21 days are behind us.
    facts = plan(fee(21000, engagement="retainer"), "2026-11")
    assert (facts["fact"], facts["fact_basis"]) == (
        12000,
        "accrued: fee by working days",
    )


def test_hours_accrue_on_the_day_of_work_at_the_persons_rate() -> None:
    logs = [
        worklog(1, date(2026, 11, 9), 2),
        worklog(2, date(2026, 11, 16), 3),
        worklog(3, date(2026, 1, 5), 50),
    ]
    seen = world(
        unit(),
        client(engagement="tm"),
        person("dev"),
        card(),
        work={"p1": [issue(1)]},
        logs=logs,
    )
    assert (plan(seen, "2026-11-W46")["fact"], plan(seen, "2026-11-W47")["fact"]) == (
        2000,
        3000,
    )
    assert plan(seen, "2026-11")["fact_basis"] == "accrued: hours x rate"


def test_hours_without_a_rate_are_left_out_and_named() -> None:
    seen = world(
        unit(),
        client(engagement="tm"),
        card(),
        work={"p1": [issue(1)]},
        logs=[worklog(1, date(2026, 11, 9), 2), worklog(2, date(2026, 11, 10), 2)],
    )
    outcome = judge(seen)
    assert [
        english(problem.where)
        for problem in outcome.problems
        if problem.code == "no-rate"
    ] == ["C1"]
    assert facts_of(outcome, "plans", "plan:u1:2026-11")["fact"] == 0
    priced = replace(seen, thresholds=Thresholds(default_rate=Decimal(100)))
    assert plan(priced, "2026-11")["fact"] == 400


def test_fixed_price_accrues_with_the_share_of_work_finished() -> None:
    # 1 of 4 items in week 46 of a budget of 8000; one finished long ago.
    issues = [
        issue(1, done=date(2026, 11, 10)),
        issue(2, done=date(2026, 3, 1)),
        issue(3),
        issue(4),
    ]
    seen = world(
        unit(),
        client(engagement="fixed_price"),
        card(budget=Decimal(8000)),
        work={"p1": issues},
    )
    assert (plan(seen, "2026-11-W46")["fact"], plan(seen, "2026-Q4")["fact"]) == (
        2000,
        2000,
    )


def test_pace_forecast_and_required_rate_count_finished_days() -> None:
    # Target 66,000 = 1000 a day, 34 days behind; fact 22,000 (October): pace 22/34, projection 22,000 x 66/34,
    # required (66,000 - 22,000) / 32 days left.
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(22000, OCTOBER))
    facts = plan(seen, "2026-Q4")
    assert facts["pace"] == Decimal("0.6471")
    assert facts["forecast"] == Decimal("42705.88")
    assert facts["per_day"] == Decimal("1375.00")
    assert facts["health"] == "red"


def test_pace_is_muted_at_the_start_of_a_period() -> None:
    # Friday 2 October: 1 of 66 days has passed.
    seen = replace(fee(22000, engagement="retainer"), today=date(2026, 10, 2))
    facts = plan(seen, "2026-Q4")
    assert (facts["health"], facts["forecast"]) == ("grey", None)
    assert facts["why"] == "Too early: 2% of the working days have passed."


def test_the_shortfall_of_finished_weeks_goes_to_the_weeks_left_of_the_month() -> None:
    # Finished weeks end on 15 November: October's 22,000 and 10 November days of 1000 were planned, 22,000 came in.
    # 10,000 over weeks 47 (5 days), 48 (5) and 49 (1): remainders are .4545, .4545 and .0909, the cent goes to week 47.
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(22000, OCTOBER))
    carries = [plan(seen, f"2026-11-W{week}")["carry"] for week in (46, 47, 48, 49)]
    assert carries == [0, Decimal("4545.46"), Decimal("4545.45"), Decimal("909.09")]
    assert plan(seen, "2026-11")["carry"] == plan(seen, "2026-Q4")["carry"] == 10000
    assert plan(seen, "2026-11-W47")["target"] == 5000


def test_the_carry_policy_may_be_next_week_or_none() -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(22000, OCTOBER))
    after = replace(seen, thresholds=Thresholds(carry_over="next_week"))
    assert (
        plan(after, "2026-11-W47")["carry"],
        plan(after, "2026-11-W48")["carry"],
    ) == (10000, 0)
    assert (
        plan(replace(seen, thresholds=Thresholds(carry_over="none")), "2026-Q4")[
            "carry"
        ]
        == 0
    )


def test_pinned_weeks_take_no_carry_and_then_the_quarter_does() -> None:
    seen = world(
        unit(),
        client(monthly_fee=Decimal(22000)),
        revenue(22000, OCTOBER),
        rows={
            "plans": tuple(
                pinned(f"2026-11-W{week}", amount)
                for week, amount in ((47, 5000), (48, 5000), (49, 1000))
            )
        },
    )
    assert plan(seen, "2026-11")["carry"] == 0
    # December: 4, 5, 5, 5, 4 days of 23 take the 10,000.
    assert plan(seen, "2026-12")["carry"] == 10000


def test_more_than_planned_carries_nothing() -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(99000, OCTOBER))
    assert plan(seen, "2026-Q4")["carry"] == 0


def test_rows_are_named_linked_and_dated() -> None:
    facts = plan(fee(1), "2026-11-W47")
    assert facts["name"] == "Week 47 · 16–22 Nov · North"
    assert facts["period"] == Span(date(2026, 11, 16), date(2026, 11, 22))
    assert facts["parent"] == (Ref("plans", "plan:u1:2026-11"),)
    assert (facts["unit"], facts["grain"]) == ((Ref("units", "u1"),), "week")
    assert plan(fee(1), "2026-11")["parent"] == (Ref("plans", "plan:u1:2026-Q4"),)
    assert plan(fee(1), "2026-Q4")["parent"] == ()


def test_titles_are_russian_in_a_russian_workspace() -> None:
    seen = replace(fee(1), words=load_words("ru", "RUB"))
    assert [
        plan(seen, code)["name"] for code in ("2026-Q4", "2026-11", "2026-11-W47")
    ] == [
        "4 кв. 2026 · North",
        "Ноябрь 2026 · North",
        "Неделя 47 · 16–22 нояб. · North",
    ]


def test_the_firm_has_plans_of_its_own_over_all_clients() -> None:
    seen = world(
        unit(),
        client(monthly_fee=Decimal(22000)),
        client("c2", unit=None, monthly_fee=Decimal(2200)),
        revenue(100, OCTOBER),
        revenue(10, OCTOBER, client="c2"),
    )
    facts = plan(seen, "2026-Q4", of="firm")
    assert (facts["target"], facts["fact"], facts["unit"], facts["name"]) == (
        72600,
        110,
        (),
        "Q4 2026 · Whole firm",
    )


def test_a_pinned_month_stays_and_the_others_take_the_rest() -> None:
    seen = fee(22000)
    first = applied(seen, judge(seen))
    held = changed(
        first, "plans", "plan:u1:2026-11", pinned=True, target=Decimal(30000)
    )
    outcome = judge(held)
    assert facts_of(outcome, "plans", "plan:u1:2026-11")["target"] == 30000
    # 36,000 over 22 + 23 days: 800 a day.
    assert facts_of(outcome, "plans", "plan:u1:2026-10")["target"] == 17600
    assert is_exact(outcome.measures.plans)


def test_an_impossible_pin_is_reported_with_its_page() -> None:
    rows = (pinned("2026-11", 100), pinned("2026-11-W46", 150))
    outcome = judge(replace(fee(22000), rows={"plans": rows}))
    (problem,) = [
        problem for problem in outcome.problems if problem.code == "pin-conflict"
    ]
    assert (english(problem.where), problem.url) == (
        "November 2026 · North",
        "https://notion.so/plan:u1:2026-11",
    )
    assert is_exact(outcome.measures.plans)


def test_a_pin_without_an_amount_is_reported_and_ignored() -> None:
    for target in (None, -5):
        outcome = judge(
            replace(fee(22000), rows={"plans": (pinned("2026-11", target),)})
        )
        assert [problem.code for problem in outcome.problems] == ["bad-pin"]
        assert facts_of(outcome, "plans", "plan:u1:2026-11")["target"] == 21000


def test_the_next_quarter_appears_ten_working_days_before_it_begins() -> None:
    # The last ten weekdays of the quarter begin on Friday 18 December.
    late = judge(replace(fee(22000), today=date(2026, 12, 17)))
    assert not [key for key in keys_of(late, "plans") if ":2027" in key]
    early = replace(fee(22000, engagement="retainer"), today=date(2026, 12, 18))
    assert plan(early, "2027-Q1")["target"] == 66000
    assert (
        plan(early, "2027-01")["why"]
        == "Too early: 0% of the working days have passed."
    )


def test_a_deleted_plan_row_stays_deleted() -> None:
    seen, gone = fee(22000), "plan:u1:2026-11"
    kept = judge(replace(seen, trashed=frozenset({Ref("plans", gone)})))
    assert keys_of(judge(seen), "plans") - keys_of(kept, "plans") == {gone}


def test_the_colour_of_a_plan_waits_for_a_second_day() -> None:
    seen = world(
        unit(),
        client(monthly_fee=Decimal(22000)),
        revenue(22000, OCTOBER),
        revenue(26250, NOVEMBER),  # 12 of 21 working days of it are over: 15,000
    )
    outcome = judge(seen)
    assert outcome.measures.plans[0].rag is Rag.GREEN
    poor = replace(
        applied(seen, outcome, today=TODAY + timedelta(days=1)),
        revenue=(revenue(9000, OCTOBER),),
    )
    first = judge(poor)
    assert first.measures.plans[0].rag is Rag.GREEN
    second = judge(applied(poor, first, today=TODAY + timedelta(days=2)))
    assert second.measures.plans[0].rag is Rag.RED


def test_a_calendar_without_working_days_breaks_nothing() -> None:
    off = frozenset(date(2026, 10, 1) + timedelta(days=n) for n in range(92))
    seen = replace(
        world(
            unit(),
            client(monthly_fee=Decimal(22000), engagement="retainer", since=OCTOBER),
            revenue(500, OCTOBER),
        ),
        calendar=WorkCalendar(off),
    )
    assert plan(seen, "2026-10")["fact"] == 500
    assert plan(seen, "2026-11")["target"] == 0


@settings(max_examples=25)
@given(
    fees=st.lists(st.integers(1, 10**7), min_size=1, max_size=3),
    pins=st.dictionaries(
        st.sampled_from(["2026-Q4", "2026-10", "2026-11-W46", "2026-12"]),
        st.integers(0, 10**7),
    ),
)
def test_plans_are_exact_whatever_people_pin(
    fees: list[int], pins: dict[str, int]
) -> None:
    clients = [
        client(f"c{n}", monthly_fee=Decimal(amount) / 100)
        for n, amount in enumerate(fees)
    ]
    seen = world(
        unit(),
        *clients,
        rows={"plans": tuple(pinned(code, amount) for code, amount in pins.items())},
    )
    assert is_exact(judge(seen).measures.plans)


def test_the_firms_month_is_the_sum_of_its_units_months_pins_included() -> None:
    pin = pinned("2026-11", 15000)
    seen = world(
        unit(),
        unit("u2"),
        client(monthly_fee=Decimal(22000)),
        client("c2", unit=Ref("units", "u2"), monthly_fee=Decimal(7700)),
        rows={"plans": (pin,)},
    )
    found = {
        (plan.unit.key, plan.period.code): plan.target
        for plan in judge(seen).measures.plans
    }
    assert found["u1", "2026-11"] == 15000
    for (key, code), target in found.items():
        if key == "firm":
            assert target == (found["u1", code] or 0) + (found["u2", code] or 0)


def test_an_inexact_cascade_is_told() -> None:
    plans = judge(fee(22000)).measures.plans
    broken = tuple(
        replace(p, target=Decimal(1)) if p.period.code == "2026-11" else p
        for p in plans
    )
    assert is_exact(plans)
    assert not is_exact(broken)
    assert not is_exact(plans[:5])


def test_a_quarter_pinned_at_nothing_empties_only_what_its_period_measures_but_lost_targets_empty_more() -> (
    None
):
    def emptied(before: World, after: World) -> set[str]:
        rows = [f"plan:u1:{period}" for period in ("2026-Q4", "2026-11", "2026-12")]
        old, new = (
            {
                (key, name): value
                for key in rows
                for name, value in facts_of(judge(seen), "plans", key).items()
            }
            for seen in (before, after)
        )
        return {
            name
            for (key, name), value in old.items()
            if value is not None and new.get((key, name), "") is None
        }

    planned = fee(22_000)
    nothing = replace(planned, rows={"plans": (pinned("2026-Q4", 0),)})
    periodic = {name for source, name in load_schema().periodic() if source == "plans"}
    assert emptied(planned, nothing) == {"pace"} <= periodic
    assert emptied(planned, world(unit(), client())) - periodic, (
        "so that losing every target is still refused"
    )


def test_a_target_typed_without_a_pin_is_named_with_the_way_out_until_it_is_pinned_or_emptied() -> (
    None
):
    seen = fee(22_000)
    first = judge(seen)
    kept = applied(seen, first)
    assert complaints(kept) == []
    key = "plan:u1:2026-12"
    typed = changed(kept, "plans", key, target=Decimal(30_000))
    (told,) = complaints(typed)
    assert (english(told.where), told.field) == ("December 2026 · North", "target")
    assert "30,000" in english(told.message)
    assert "Pinned" in english(told.hint)
    again = replace(typed, memory=judge(typed).memory)
    assert len(complaints(again)) == 1, "for as long as it stands"
    for healed in ({"pinned": True}, {"target": None}):
        assert complaints(changed(typed, "plans", key, **healed)) == []
    # The worker's own target of yesterday is nobody's, whatever it is today.
    assert (
        complaints(
            replace(
                kept,
                clients={
                    ref: replace(one, monthly_fee=Decimal(1))
                    for ref, one in kept.clients.items()
                },
            )
        )
        == []
    )
    assert complaints(replace(typed, memory=seen.memory)) == [], (
        "a worker that forgot cannot tell whose it is"
    )


def test_a_target_typed_where_nothing_is_planned_is_named_too() -> None:
    seen = world(unit(), client())
    kept = applied(seen, judge(seen))
    typed = changed(kept, "plans", "plan:u1:2026-12", target=Decimal(30_000))
    assert [english(problem.where) for problem in complaints(typed)] == [
        "December 2026 · North"
    ]


# --- the currency's smallest amount


MONEY_FIELDS = {
    (name, prop.name)
    for name, source in load_schema(currency="EUR").sources.items()
    for prop in source.properties.values()
    if prop.format == "euro"
}


# Russia's last quarter of 2026 has 22, 20 and 22 working days: 1,000,001 x 22 / 64 = 343,750.34, x 20 / 64 = 312,500.31.
def test_a_yen_is_never_cut() -> None:
    seen = replace(
        fee(22000),
        words=Words("en", "JPY"),
        calendar=WorkCalendar(frozenset({date(2026, 11, 4), date(2026, 12, 31)})),
        rows={"plans": (pinned("2026-Q4", 1_000_001),)},
    )
    months = [plan(seen, f"2026-{month}")["target"] for month in (10, 11, 12)]
    assert [str(target) for target in months] == ["343751", "312500", "343750"]


@pytest.mark.parametrize(
    ("currency", "minor"),
    [("JPY", 1), ("EUR", Decimal("0.01")), ("KWD", Decimal("0.001"))],
)
def test_all_money_is_stated_in_whole_minor_units(
    currency: str, minor: Decimal | int
) -> None:
    """A retainer, hours, a fixed price, a third of a fee, an act and a bonus: whatever a rule divides is rounded alike."""
    seen = world(
        unit(bonus_rate=Decimal("0.07")),
        client(engagement="retainer", monthly_fee=Decimal(100_001)),
        client("c2", engagement="fixed_price"),
        client("c3", engagement="tm"),
        client("c4", unit=None, engagement="retainer", monthly_fee=Decimal(70_001)),
        card("p2", client=ref("clients", "c2"), budget=Decimal(1_000_001)),
        card("p3", client=ref("clients", "c3")),
        person("dev", rate=Decimal(1001)),
        revenue(10_001, OCTOBER),
        work={
            "p2": [issue(1, done=date(2026, 11, 10)), issue(2), issue(3)],
            "p3": [issue(4)],
        },
        logs=[worklog(1, date(2026, 11, 9), 1.1)],
        words=Words("en", currency),
    )
    amounts = {
        (fact.ref, fact.field): fact.value
        for fact in judge(seen).facts
        if (fact.ref.source, fact.field) in MONEY_FIELDS
        and isinstance(fact.value, Decimal)
    }
    assert len(amounts) > 50
    assert {place: value for place, value in amounts.items() if value % minor} == {}


def complaints(seen: World) -> list[Problem]:
    """Return what is said of targets that are not pinned."""
    return [one for one in judge(seen).problems if one.code == "unpinned-target"]


# --- no target is not a target of nothing


def test_a_firm_none_of_whose_parts_has_a_target_has_none() -> None:
    seen = world(unit(), unit("u2"), client(), client("c2", unit=None))
    for measure in judge(seen).measures.plans:
        assert measure.target is None
    assert "target" not in plan(seen, "2026-Q4", of="firm")
    assert plan(seen, "2026-Q4", of="firm")["why"] == "There is no target."


@pytest.mark.parametrize("fee_of_other", [None, 0])
def test_the_firms_target_is_the_sum_of_those_that_are_known(
    fee_of_other: int | None,
) -> None:
    other = None if fee_of_other is None else Decimal(fee_of_other)
    seen = world(
        unit(),
        unit("u2"),
        client(monthly_fee=Decimal(22000)),
        client("c2", unit=Ref("units", "u2"), monthly_fee=other),
    )
    assert plan(seen, "2026-Q4", of="firm")["target"] == 66000
    assert plan(seen, "2026-11-W47", of="firm")["target"] == 5000


def test_a_fee_or_a_pin_of_nothing_is_a_target_of_nothing() -> None:
    facts = plan(fee(0), "2026-Q4", of="firm")
    assert (facts["target"], facts["why"]) == (0, "Nothing was planned here.")
    held = replace(fee(22000), rows={"plans": (pinned("2026-12", 0),)})
    assert plan(held, "2026-12")["target"] == 0
    # The whole 66,000 lies on 22 and 21 working days.
    assert plan(held, "2026-10")["target"] == Decimal("33767.44")


@pytest.mark.parametrize(
    ("money", "rag", "pace"),
    [
        # Planned from 1 October to 17 November: 34 days of 1,000. Bands 95 and 75 %.
        (32300, Rag.GREEN, Decimal("0.95")),
        (32299, Rag.GREEN, Decimal("0.95")),
        (32290, Rag.AMBER, Decimal("0.9497")),
        (25500, Rag.AMBER, Decimal("0.75")),
        (25490, Rag.RED, Decimal("0.7497")),
        (0, Rag.RED, 0),
    ],
)
def test_a_pace_at_its_band_has_reached_it(money: int, rag: Rag, pace: Decimal) -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(money, OCTOBER))
    measure = judge(seen).measures.plans[0]
    assert (measure.pace, measure.rag) == (pace, rag)


@pytest.mark.parametrize(
    ("today", "muted"), [(date(2026, 11, 4), True), (date(2026, 11, 6), False)]
)
def test_a_month_says_nothing_before_fifteen_percent_of_its_days(
    today: date, muted: bool
) -> None:
    # Of November's 21 working days two (10 %) or four (19 %) have passed.
    facts = plan(replace(fee(21000, engagement="retainer"), today=today), "2026-11")
    assert (facts["health"] == "grey") is muted
    assert (facts["forecast"] is None) is muted


def test_a_fifth_of_a_week_is_enough_to_tell_its_pace() -> None:
    limits = Thresholds(pace_muted_share=Decimal("0.2"))
    seen = replace(
        fee(21000, engagement="retainer"), today=date(2026, 11, 17), thresholds=limits
    )
    facts = plan(seen, "2026-11-W47")
    assert (facts["health"], facts["forecast"]) == ("green", 5000)


def test_what_is_still_to_do_a_day_is_never_less_than_nothing() -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(99000, OCTOBER))
    assert plan(seen, "2026-Q4")["per_day"] == 0
    over = replace(seen, today=date(2026, 11, 18))
    assert plan(over, "2026-10")["per_day"] is None, "no day is left"


def test_a_plan_says_what_its_target_and_pace_were_taken_from() -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(32300, OCTOBER))

    def why(outcome_of: World, field: str) -> Why:
        (found,) = [
            fact.why
            for fact in judge(outcome_of).facts
            if fact.ref.key == "plan:u1:2026-Q4" and fact.field == field
        ]
        return found

    assert why(seen, "target").formula == "share of the parent's target by working days"
    held = replace(seen, rows={"plans": (pinned("2026-Q4", 5),)})
    assert why(held, "target").formula == "pinned by a person"
    assert why(seen, "pace").threshold == why(seen, "health").threshold
    assert why(seen, "health").threshold == "pace >= 0.95 / 0.75"
    assert why(seen, "fact").threshold == ""
    assert why(seen, "pace").inputs == (
        Input("unit", "North"),
        Input("target", "66000.00"),
        Input("fact", "32300.00"),
        Input("planned to date", "34000.00"),
        Input("working days", "66"),
    )
