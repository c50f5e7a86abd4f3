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
from worker.config import Holidays, QuarterTargets, Thresholds
from worker.domain.entities import Client, Row, Stage
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span, Unset, Value
from worker.domain.words import Words
from worker.errors import Code, Problem
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.method.formulas.cascade import is_exact
from worker.method.measures import Rag
from worker.method.outcome import Outcome
from worker.plan.facts import Input, Why
from worker.world.calendar import work_calendar
from worker.world.memory import Memory
from worker.world.world import World

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def plan(seen: World, code: str, *, of: str = "u1") -> dict[str, Value | Unset]:
    """Return the facts of one plan row."""
    return facts_of(judge(seen), "plans", f"plan:{of}:{code}")


def fee(amount: int, **fields: Any) -> World:
    """Return a world with one unit and one client with a monthly fee, without any revenue."""
    return world(unit(), client(monthly_fee=Decimal(amount), **fields))


def by_days(*more: object, **fields: Any) -> World:
    """Return a world with one unit whose quarter is pinned at 66,000, which is 1,000 a working day, and one client."""
    pins = {"plans": (pinned("2026-Q4", 66000), *fields.pop("pins", ()))}
    return world(unit(), client(), *more, rows=pins, **fields)


def pinned(code: str, target: object, *, of: str = "u1") -> Row:
    """Return a plan row a person pinned."""
    amount = target if target is None else Decimal(str(target))
    return row(
        "plans", f"plan:{of}:{code}", title=f"Plan {code}", pinned=True, target=amount
    )


def test_the_target_of_a_quarter_is_the_sum_of_contracts() -> None:
    # 3 x 22,000, each month its fee.
    seen = fee(22000)
    assert [
        plan(seen, code)["target"]
        for code in ("2026-Q4", "2026-10", "2026-11", "2026-12")
    ] == [66000, 22000, 22000, 22000]


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
        worklog(date(2026, 11, 9), 2),
        worklog(date(2026, 11, 16), 3),
        worklog(date(2026, 1, 5), 50),
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
    assert plan(seen, "2026-11")["fact_basis"] == "accrued: hours × rate"


def test_hours_without_a_rate_are_left_out_and_named() -> None:
    seen = world(
        unit(),
        client(engagement="tm"),
        card(),
        work={"p1": [issue(1)]},
        logs=[worklog(date(2026, 11, 9), 2), worklog(date(2026, 11, 10), 2)],
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
    # Target 66,000 = 1000 a day, 34 days behind; fact 22,000 (October): pace 22/34, nothing more is known to come,
    # required (66,000 - 22,000) / 32 days left.
    seen = by_days(revenue(22000, OCTOBER))
    facts = plan(seen, "2026-Q4")
    assert facts["pace"] == Decimal("0.6471")
    assert facts["forecast"] == 22000
    assert facts["per_day"] == Decimal("1375.00")
    assert facts["health"] == "red"


def test_pace_is_muted_at_the_start_of_a_period() -> None:
    # Friday 2 October: 1 of 66 days has passed. The forecast is no projection: three fees are known to come.
    seen = replace(fee(22000, engagement="retainer"), today=date(2026, 10, 2))
    facts = plan(seen, "2026-Q4")
    assert (facts["health"], facts["forecast"]) == ("grey", 66000)
    assert facts["why"] == (
        "Too early: 2% of the working days have passed. Forecast €66,000: actual €1,000, committed €65,000, weighted pipeline €0."
    )


def test_the_shortfall_of_finished_weeks_goes_to_the_weeks_left_of_the_month() -> None:
    # Finished weeks end on 15 November: October's 22,000 and 10 November days of 1000 were planned, 22,000 came in.
    # 10,000 over weeks 47 (5 days), 48 (5) and 49 (1): remainders are .4545, .4545 and .0909, the cent goes to week 47.
    seen = by_days(revenue(22000, OCTOBER))
    carries = [plan(seen, f"2026-11-W{week}")["carry"] for week in (46, 47, 48, 49)]
    assert carries == [0, Decimal("4545.46"), Decimal("4545.45"), Decimal("909.09")]
    assert plan(seen, "2026-11")["carry"] == plan(seen, "2026-Q4")["carry"] == 10000
    assert plan(seen, "2026-11-W47")["target"] == 5000


def test_the_carry_policy_may_be_next_week_or_none() -> None:
    seen = by_days(revenue(22000, OCTOBER))
    after = replace(seen, thresholds=Thresholds(carry_over="next_week"))
    assert (
        plan(after, "2026-11-W47")["carry"],
        plan(after, "2026-11-W48")["carry"],
    ) == (10000, 0)
    none = replace(seen, thresholds=Thresholds(carry_over="none"))
    carries = [plan(none, code)["carry"] for code in ("2026-Q4", "2026-11", "2026-12")]
    assert carries == [10000, 0, 0], "the shortfall is named, and placed nowhere"
    assert plan(none, "2026-11-W47")["carry"] == 0


def test_pinned_weeks_take_no_carry_and_then_the_quarter_does() -> None:
    seen = by_days(
        revenue(22000, OCTOBER),
        pins=(
            pinned(f"2026-11-W{week}", amount)
            for week, amount in ((47, 5000), (48, 5000), (49, 1000))
        ),
    )
    assert plan(seen, "2026-11")["carry"] == 0
    # December: 4, 5, 5, 5, 4 days of 23 take the 10,000.
    assert plan(seen, "2026-12")["carry"] == 10000


def test_more_than_planned_carries_nothing() -> None:
    seen = world(unit(), client(monthly_fee=Decimal(22000)), revenue(99000, OCTOBER))
    assert plan(seen, "2026-Q4")["carry"] == 0


def test_rows_are_named_linked_and_dated() -> None:
    facts = plan(fee(1), "2026-11-W47")
    assert facts["name"] == "Week 47 · Nov 16–22 · North"
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


def test_what_belongs_to_no_unit_has_rows_so_that_those_of_units_come_to_the_firms() -> (
    None
):
    """North: 22,000 a month; outside: 2,200; one of a unit that is gone counts as outside."""
    seen = world(
        unit(),
        client(monthly_fee=Decimal(22000)),
        client("c2", unit=None, monthly_fee=Decimal(2200)),
        client("c3", unit=Ref("units", "gone")),
        revenue(100, OCTOBER),
        revenue(10, OCTOBER, client="c2"),
        revenue(5, OCTOBER, client="c3"),
    )
    outside = plan(seen, "2026-10", of="outside")
    assert outside["name"] == "October 2026 · Outside of units"
    assert (outside["target"], outside["fact"], outside["unit"]) == (2200, 15, ())
    firm = plan(seen, "2026-10", of="firm")
    north = plan(seen, "2026-10")
    assert (firm["target"], firm["fact"]) == (24200, 115)
    assert (north["target"], north["fact"]) == (22000, 100)


def test_a_firm_whose_clients_all_have_their_units_has_no_row_beside_them() -> None:
    only_a_client = world(client(unit=None, monthly_fee=Decimal(1)))
    for seen in (fee(1), only_a_client):
        with pytest.raises(AssertionError, match="nothing is said of"):
            plan(seen, "2026-Q4", of="outside")


def test_a_pinned_month_stays_and_the_others_take_the_rest() -> None:
    seen = fee(22000)
    first = applied(seen, judge(seen))
    held = changed(
        first, "plans", "plan:u1:2026-11", pinned=True, target=Decimal(30000)
    )
    outcome = judge(held)
    assert facts_of(outcome, "plans", "plan:u1:2026-11")["target"] == 30000
    # October is over and keeps its 22,000; of 66,000 December has 14,000.
    assert facts_of(outcome, "plans", "plan:u1:2026-10")["target"] == 22000
    assert facts_of(outcome, "plans", "plan:u1:2026-12")["target"] == 14000
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
        assert facts_of(outcome, "plans", "plan:u1:2026-11")["target"] == 22000


def test_the_next_quarter_appears_ten_working_days_before_it_begins() -> None:
    # The last ten weekdays of the quarter begin on Friday 18 December.
    late = judge(replace(fee(22000), today=date(2026, 12, 17)))
    assert not [key for key in keys_of(late, "plans") if ":2027" in key]
    early = replace(fee(22000, engagement="retainer"), today=date(2026, 12, 18))
    assert plan(early, "2027-Q1")["target"] == 66000
    assert (
        plan(early, "2027-01")["why"]
        == "Too early: 0% of the working days have passed. Forecast €22,000: actual €0, committed €22,000, weighted pipeline €0."
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
    # The fee is earned, and October's act of 500 settles a part of it.
    assert plan(seen, "2026-10")["fact"] == 22000
    # By calendar days, 17 of 30 behind: the 1st 733.34, weeks 5,133.34 and 5,133.33, of the third two days of seven.
    november = plan(seen, "2026-11")
    assert (november["target"], november["fact"]) == (22000, Decimal("12466.68"))


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
    transient = {
        name for source, name in load_schema().transient() if source == "plans"
    }
    assert emptied(planned, nothing) == {"pace"} <= transient
    assert emptied(planned, world(unit(), client())) - transient, (
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
        logs=[worklog(date(2026, 11, 9), 1.1)],
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
    # 22,000 x 5 / 21 = 5,238.0952..., four times, and 1,047.6190... on the 30th: the 30th, W45 and W46 take the cents.
    assert plan(seen, "2026-11-W47", of="firm")["target"] == Decimal("5238.09")


def test_a_fee_or_a_pin_of_nothing_is_a_target_of_nothing() -> None:
    facts = plan(fee(0), "2026-Q4", of="firm")
    assert (facts["target"], facts["why"]) == (0, "Nothing was planned here.")
    held = replace(fee(22000), rows={"plans": (pinned("2026-12", 0),)})
    assert plan(held, "2026-12")["target"] == 0
    # October keeps its 22,000, November has what is left of 66,000.
    assert plan(held, "2026-10")["target"] == 22000
    assert plan(held, "2026-11")["target"] == 44000


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
    seen = by_days(revenue(money, OCTOBER))
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
    assert facts["forecast"] == 21000


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
    seen = by_days(revenue(32300, OCTOBER))

    def why(outcome_of: World, field: str, code: str = "2026-Q4") -> Why:
        (found,) = [
            fact.why
            for fact in judge(outcome_of).facts
            if fact.ref.key == f"plan:u1:{code}" and fact.field == field
        ]
        return found

    assert why(seen, "target").formula == "pinned by a person"
    assert (
        why(seen, "target", "2026-11").formula
        == "share of the parent's target by working days"
    )
    assert (
        why(fee(22000), "target").formula
        == "what contracts and dated budgets are to earn in the period"
    )
    assert why(seen, "pace").threshold == why(seen, "health").threshold
    assert why(seen, "health").threshold == "pace ≥ 0.95 / 0.75"
    assert why(seen, "fact").threshold == ""
    row = (Input("unit", "North"), Input("period", "Q4 2026"))
    assert why(seen, "pace").inputs == (
        *row,
        Input("actual", "€32,300"),
        Input("planned to date", "€34,000"),
    )
    assert why(seen, "fact").inputs == (*row, Input("C1", "€32,300"))
    # The share of the quarter's 66 working days that are in November's 21.
    assert why(seen, "target", "2026-11").inputs == (
        Input("unit", "North"),
        Input("period", "November 2026"),
        Input("target of the period above", "€66,000"),
        Input("working days", "21"),
        Input("working days of the whole", "66"),
    )


# --- contracts: plan and fact are earned by one function


def retainer(key: str, amount: int, **fields: Any) -> Client:
    """Return a client on a retainer."""
    return client(key, engagement="retainer", monthly_fee=Decimal(amount), **fields)


QUIET = (
    retainer("c1", 22000),
    retainer("c2", 100_000, since=date(2026, 10, 14)),
    retainer("c3", 33_333, contract_end=date(2026, 12, 9)),
    retainer("c4", 7777, unit=None),
)


@pytest.mark.parametrize(
    "today", [date(2026, 10, 1) + timedelta(days=n) for n in range(0, 92, 3)]
)
@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_quiet_retainers_are_exactly_on_plan_every_day(
    today: date, currency: str
) -> None:
    """Fees of 22,000, a contract that begins, one that ends in mid-week, and one outside of units."""
    seen = world(unit(), *QUIET, today=today, words=Words("en", currency))
    measures = judge(seen).measures
    pairs = [
        (plan.fact, plan.planned)
        for plan in measures.plans
        if ":2027" not in plan.period.code
    ]
    assert len(pairs) >= 40
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert {pace for pace in (measures.paces or {}).values() if pace is not None} <= {1}
    for plan in measures.plans:
        if plan.period.end < today:
            assert plan.fact == plan.target


def test_a_finished_retainer_month_is_its_fee_in_plan_and_fact() -> None:
    seen = replace(
        world(unit(), retainer("c1", 100_000), today=date(2026, 12, 1)),
        calendar=work_calendar(Holidays(country="RU"), (2026,)),
    )
    for month in ("2026-10", "2026-11"):
        facts = plan(seen, month)
        assert (facts["target"], facts["fact"], facts["pace"]) == (100_000, 100_000, 1)


# A fixed price of 1,000,000 from 2 November to 11 December, 30 working days; 12 lie behind. November 21 of 30: 700,000.
def test_a_dated_budget_is_in_the_targets_of_unit_and_firm_and_in_the_clients_plan() -> (
    None
):
    seen = world(
        unit(),
        client(engagement="fixed_price"),
        card(
            budget=Decimal(1_000_000), start=date(2026, 11, 2), due=date(2026, 12, 11)
        ),
    )
    outcome = judge(seen)
    for of in ("u1", "firm"):
        targets = [
            facts_of(outcome, "plans", f"plan:{of}:{code}")["target"]
            for code in ("2026-Q4", "2026-10", "2026-11", "2026-12")
        ]
        assert targets == [1_000_000, 0, 700_000, 300_000]
    assert facts_of(outcome, "clients", "c1")["plan"] == 1_000_000
    planned = {plan.period.code: plan.planned for plan in outcome.measures.plans}
    assert planned["2026-Q4"] == 400_000


# A retainer of 22,000 a month and, with a model of its own, a card of 640,000 from 15 December to 15 January: 24 working
# days, 13 of them in December: 346,666.67. Cards of the retainer itself and ideas promise nothing more.
def test_a_unit_is_to_bring_what_its_clients_are_to_bring() -> None:
    dated: dict[str, Any] = {"start": date(2026, 12, 15), "due": date(2027, 1, 15)}
    seen = world(
        unit(),
        retainer("c1", 22000),
        client("c2", unit=None, monthly_fee=Decimal(900)),
        card(budget=Decimal(640_000), engagement="fixed_price", **dated),
        card("p2", budget=Decimal(999), engagement=None, **dated),
        card("p3", Stage.IDEA, budget=Decimal(999), engagement="fixed_price", **dated),
    )
    outcome = judge(seen)
    promised = Decimal("412666.67")
    assert facts_of(outcome, "plans", "plan:u1:2026-Q4")["target"] == promised
    assert facts_of(outcome, "clients", "c1")["plan"] == promised
    firm = facts_of(outcome, "plans", "plan:firm:2026-Q4")["target"]
    assert firm == promised + 2700


# --- the baseline


def test_a_lost_client_never_turns_a_pace_green() -> None:
    both = (retainer("c1", 22000), retainer("c2", 22000))
    begun = world(unit(), *both, today=date(2026, 10, 1))
    seen = applied(begun, judge(begun), today=date(2026, 12, 1))
    gone = replace(both[1], contract_end=date(2026, 10, 30))
    seen = replace(seen, clients={one.ref: one for one in (both[0], gone)})
    facts = plan(seen, "2026-Q4")
    # Planned 44,000 a month, earned 44,000 and 22,000: 66 of 88.
    assert (facts["target"], facts["pace"]) == (132_000, Decimal("0.75"))
    assert "now come to €88,000" in str(facts["why"])
    assert plan(seen, "2026-12")["target"] == 44000
    firm = plan(seen, "2026-Q4", of="firm")
    assert firm["target"] == 132_000
    assert "now come to €88,000" in str(firm["why"])


def test_growth_stays_over_what_was_known_when_the_quarter_began() -> None:
    begun = replace(
        world(
            unit(), client(), revenue(1000, date(2026, 8, 3)), today=date(2026, 10, 1)
        ),
        targets=QuarterTargets(policy="growth"),
    )
    seen = applied(begun, judge(begun), today=date(2026, 10, 20))
    late = revenue(500, date(2026, 9, 3))
    seen = replace(seen, revenue=(*seen.revenue, late))
    facts = plan(seen, "2026-Q4")
    assert facts["target"] == 1100
    assert "now come to €1,650" in str(facts["why"])


def test_a_quarter_that_has_not_begun_is_not_frozen() -> None:
    # 1 to 8 January are holidays: the quarter begins on the 11th.
    holidays = frozenset(date(2027, 1, day) for day in range(1, 9))
    seen = replace(
        world(unit(), retainer("c1", 1000), today=date(2026, 12, 20)),
        calendar=WorkCalendar(holidays),
    )
    for today, asked, target in (
        (date(2027, 1, 10), 2000, 6000),
        (date(2027, 1, 11), 3000, 9000),
        (date(2027, 1, 12), 4000, 9000),
    ):
        seen = applied(seen, judge(seen), today=today)
        seen = replace(seen, clients={ref("clients", "c1"): retainer("c1", asked)})
        assert plan(seen, "2027-Q1")["target"] == target


def test_a_baseline_is_read_back_from_the_rows_when_the_state_is_lost() -> None:
    begun = world(unit(), retainer("c1", 22000))
    seen = replace(
        applied(begun, judge(begun)),
        memory=Memory(),
        clients={ref("clients", "c1"): retainer("c1", 11000)},
    )
    assert seen.memory.first_run
    assert plan(seen, "2026-Q4")["target"] == 66000
    assert plan(seen, "2026-12")["target"] == 22000


# --- what is over keeps its targets


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize(
    ("pins", "left"),
    [
        # Of 66,000 October keeps 22,000; the rest is for what has not ended.
        ({"2026-12": 30_000}, {"2026-11": 14_000, "2026-12": 30_000}),
        ({"2026-11": 30_000}, {"2026-11": 30_000, "2026-12": 14_000}),
        ({"2026-12-W50": 30_000}, {"2026-11": 14_000, "2026-12": 30_000}),
        ({"2026-Q4": 100_000}, {"2026-Q4": 100_000}),
    ],
)
def test_no_pin_of_a_later_period_rewrites_what_is_over(
    pins: dict[str, int], left: dict[str, int], remembered: bool
) -> None:
    begun = judge(fee(22000))
    seen = applied(fee(22000), begun) if remembered else fee(22000)
    rows = {row.ref: row for row in seen.rows.get("plans", ())}
    rows |= {row.ref: row for row in (pinned(*pin) for pin in pins.items())}
    outcome = judge(replace(seen, rows={"plans": tuple(rows.values())}))

    before, now = targets_of(begun), targets_of(outcome)
    over = {code for code in before if month_of_code(code) == "2026-10"}
    if remembered:
        over |= {"2026-11-W45", "2026-11-W46"}
    if not remembered and "2026-Q4" in pins:
        over = set()
    assert {code: now[code] for code in over} == {code: before[code] for code in over}
    assert {code: now[code] for code in left} == left
    assert is_exact(outcome.measures.plans)
    assert outcome.problems == ()


def month_of_code(code: str) -> str:
    """Return the month that a month or a week part is or lies in."""
    return code[:7]


def targets_of(outcome: Outcome, unit_key: str = "u1") -> dict[str, Decimal | None]:
    """Return a unit's targets by period code."""
    return {
        measure.period.code: measure.target
        for measure in outcome.measures.plans
        if measure.unit.key == unit_key
    }


def test_a_pin_below_what_is_over_is_a_conflict_that_names_both() -> None:
    # November's finished weeks had 5,238.10 twice.
    begun = applied(fee(22000), judge(fee(22000)))
    key = "plan:u1:2026-11"
    seen = changed(begun, "plans", key, pinned=True, target=Decimal(5000))
    (problem,) = judge(seen).problems
    assert problem.code == Code.PIN_CONFLICT
    assert english(problem.where) == "November 2026 · North"
    assert english(problem.message) == (
        "its target is 5000.00, the parts below that are pinned or over come to 10476.20"
    )


def test_a_month_that_is_over_takes_the_pin_a_person_gives_it_since() -> None:
    seen = replace(fee(22000), rows={"plans": (pinned("2026-10", 11000),)})
    # 11,000 over 22 days are 500 a day; what is missing is for November and December.
    assert plan(seen, "2026-10-W41")["target"] == 2500
    assert judge(seen).problems == ()
    assert is_exact(judge(seen).measures.plans)


@settings(max_examples=20)
@given(
    pins=st.dictionaries(
        st.sampled_from(
            ["2026-Q4", "2026-11", "2026-11-W46", "2026-12", "2026-12-W50"]
        ),
        st.integers(20_000, 30_000).map(lambda cents: Decimal(cents) / 3),
        max_size=3,
    )
)
def test_the_end_of_a_week_moves_no_cent_of_what_is_planned(
    pins: dict[str, Decimal],
) -> None:
    seen = replace(
        fee(10007),
        rows={"plans": tuple(pinned(code, amount) for code, amount in pins.items())},
        today=date(2026, 10, 1),
    )
    first = judge(seen)
    targets = {(plan.unit, plan.period): plan.target for plan in first.measures.plans}
    for today in (date(2026, 10, 27), date(2026, 11, 18), date(2026, 12, 10)):
        later = judge(replace(seen, memory=first.memory, today=today))
        assert {
            (plan.unit, plan.period): plan.target for plan in later.measures.plans
        } == targets


# --- the firm over its units


def two_units(*pins: Row, **shares: str) -> World:
    """Return a world of two units whose fees come to 400,000 and 600,000 a quarter."""
    wholes = {key: Decimal(share) for key, share in shares.items()}
    return world(
        unit(target_share=wholes.get("u1")),
        unit("u2", target_share=wholes.get("u2")),
        client(monthly_fee=Decimal("133333.33")),
        client("c2", unit=ref("units", "u2"), monthly_fee=Decimal(200_000)),
        client("c3", unit=ref("units", "u1"), monthly_fee=Decimal("0")),
        today=date(2026, 10, 1),
        rows={"plans": pins},
    )


FIRMS_PINS = pytest.mark.parametrize(
    ("code", "amount"),
    [("2026-Q4", 5_000_000), ("2026-11", 400_000), ("2026-12-W50", 100_000)],
)


@FIRMS_PINS
def test_a_pin_of_the_firm_that_its_units_do_not_come_to_is_a_conflict(
    code: str, amount: int
) -> None:
    below = targets_of(judge(two_units()), "firm")[code]
    seen = two_units(pinned(code, amount, of="firm"))
    (problem,) = judge(seen).problems
    assert problem.code == Code.PIN_CONFLICT
    assert english(problem.where).endswith("Whole firm")
    assert english(problem.message) == (
        f"its target is {amount}.00, its units come to {below}"
    )
    assert plan(seen, code, of="firm")["target"] == amount


@FIRMS_PINS
def test_a_pin_of_the_firm_is_shared_out_by_the_target_shares(
    code: str, amount: int
) -> None:
    seen = two_units(pinned(code, amount, of="firm"), u1="0.3", u2="0.7")
    outcome = judge(seen)
    assert outcome.problems == ()
    assert plan(seen, code)["target"] == Decimal(amount) * 3 / 10
    assert plan(seen, code, of="u2")["target"] == Decimal(amount) * 7 / 10
    assert is_exact(outcome.measures.plans)
    first, second = targets_of(outcome), targets_of(outcome, "u2")
    for period, target in targets_of(outcome, "firm").items():
        assert target == (first[period] or 0) + (second[period] or 0)


def test_a_unit_that_is_pinned_leaves_the_rest_of_the_firms_pin_to_the_others() -> None:
    firm = pinned("2026-Q4", 5_000_000, of="firm")
    own = pinned("2026-Q4", 2_000_000)
    seen = two_units(firm, own, u1="0.3", u2="0.7")
    assert judge(seen).problems == ()
    assert plan(seen, "2026-Q4", of="u2")["target"] == 3_000_000
    # A unit without a share keeps what its contracts come to.
    seen = two_units(firm, u2="0.7")
    assert plan(seen, "2026-Q4")["target"] == Decimal("399999.99")
    assert plan(seen, "2026-Q4", of="u2")["target"] == Decimal("4600000.01")
    # What the shares leave is for clients outside of units.
    seen = two_units(firm, u1="0.3", u2="0.5")
    assert judge(seen).problems == ()
    assert plan(seen, "2026-Q4", of="u2")["target"] == 2_500_000


def test_pins_that_leave_nothing_to_share_are_a_conflict() -> None:
    firm = pinned("2026-Q4", 1_000_000, of="firm")
    seen = two_units(firm, pinned("2026-Q4", 2_000_000), u1="0.3", u2="0.7")
    (problem,) = judge(seen).problems
    assert english(problem.message) == (
        "its target is 1000000.00, its units come to 2600000.00"
    )


# --- carry-over at the end of a month


# October and November have 43 days; 42 lie before the 30th, 37 before the 23rd, at 1,000 a day. 3,000 came.
@pytest.mark.parametrize(
    ("today", "carry_days", "november", "december"),
    [
        (date(2026, 11, 30), 5, 0, 39_000),
        (date(2026, 12, 1), 5, 0, 40_000),
        (date(2026, 11, 30), 1, 39_000, 0),
        # Friday the 27th and Monday the 30th are left, and the week of the 23rd is not over.
        (date(2026, 11, 27), 5, 0, 34_000),
        (date(2026, 11, 27), 2, 34_000, 0),
        (date(2026, 11, 23), 6, 34_000, 0),
        (date(2026, 11, 24), 6, 0, 34_000),
    ],
)
def test_a_shortfall_goes_to_the_next_month_when_few_days_are_left_of_this_one(
    today: date, carry_days: int, november: int, december: int
) -> None:
    limits = Thresholds(carry_days=carry_days)
    seen = by_days(revenue(3000, OCTOBER), today=today, thresholds=limits)
    assert plan(seen, "2026-11")["carry"] == november
    assert plan(seen, "2026-12")["carry"] == december
    assert plan(seen, "2026-Q4")["carry"] == november + december


def test_the_last_days_of_a_quarter_take_what_is_short() -> None:
    seen = by_days(revenue(3000, OCTOBER), today=date(2026, 12, 30))
    # The last week began on the 28th: 62 of 66 days are behind.
    assert plan(seen, "2026-12-W53")["carry"] == 59_000
    after = (pinned(f"2026-12-W{week}", 1000) for week in (49, 50, 51, 52, 53))
    full = by_days(revenue(3000, OCTOBER), today=date(2026, 11, 30), pins=after)
    assert plan(full, "2026-11-W49")["carry"] == plan(full, "2026-Q4")["carry"]
