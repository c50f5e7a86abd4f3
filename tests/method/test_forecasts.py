"""The forecast of a period: what is recognised, what is committed, what proposals may bring (docs/method.md 2.13), by hand.

TODAY is Wednesday 18 November 2026. The 20 working days before it are 21 October to 17 November. Ahead lie 9 working days
of November (18-20, 23-27, 30) and 23 of December.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.firms import firms
from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    TODAY,
    applied,
    card,
    client,
    issue,
    person,
    ref,
    unit,
    worklog,
    world,
)
from worker.config import Thresholds
from worker.domain.dated import Dated
from worker.domain.entities import Client, Issue, Revenue, Service, Stage
from worker.domain.periods import Grain, month_of, quarter_of
from worker.domain.values import Ref
from worker.method.measures import PlanMeasure
from worker.world.world import World

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
FIXED = client(engagement="fixed_price")
HOURLY = client(engagement="tm")
DEV = person("dev", rate=Decimal(1000))


def act(
    amount: int,
    day: date,
    *,
    project: str | None = None,
    until: date | None = None,
    kind: str = "act",
) -> Revenue:
    """Return an act of client `c1`."""
    return Revenue(
        ref("revenue", f"{kind}-{day}-{amount}"),
        ref("clients", "c1"),
        ref("projects", project) if project else None,
        day,
        Decimal(amount),
        kind,
        until=until,
    )


def retainer(fee: int, **fields: Any) -> Client:
    """Return a client with a monthly fee."""
    return client(engagement="retainer", monthly_fee=Decimal(fee), **fields)


def measures(seen: World) -> dict[tuple[str, str], PlanMeasure]:
    """Return the plans by unit and period code."""
    return {
        (plan.unit.key, plan.period.code): plan for plan in judge(seen).measures.plans
    }


def parts(seen: World, code: str, *, of: str = "u1") -> tuple[int, int, int]:
    """Return fact, committed and weighted pipeline of a period, which together are its forecast."""
    facts = facts_of(judge(seen), "plans", f"plan:{of}:{code}")
    numbers = []
    for name in ("fact", "committed", "weighted"):
        value = facts[name]
        assert isinstance(value, Decimal)
        numbers.append(value)
    assert facts["forecast"] == sum(numbers)
    fact, committed, weighted = map(int, numbers)
    return fact, committed, weighted


def hours(*days: date, each: int = 8) -> dict[str, Any]:
    """Return the work of card p1: so many hours on each day, at 1,000."""
    logs = [worklog(day, each) for day in days]
    return {"work": {"p1": [issue(1)]}, "logs": logs}


# -- what is committed -------------------------------------------------------------------------------------------------


def test_an_act_for_the_running_month_is_not_extrapolated() -> None:
    # Monday 9 November: 5 of 21 days have earned 5,000 of the fee; 4,761.90 of the act are behind. 16,000 are to come.
    seen = world(
        unit(), retainer(21_000), act(20_000, NOVEMBER), today=date(2026, 11, 9)
    )
    assert parts(seen, "2026-11") == (5_000, 16_000, 0)
    # The quarter has the fees of October and December besides.
    assert parts(seen, "2026-Q4") == (26_000, 37_000, 0)


def test_an_act_for_the_running_month_above_its_work_counts_whole_and_once() -> None:
    # 9 November, T&M without hours: 5/21 of 21,000 are behind, the rest comes as the days pass.
    seen = world(unit(), HOURLY, card(), act(21_000, NOVEMBER), today=date(2026, 11, 9))
    assert parts(seen, "2026-11") == (5_000, 16_000, 0)
    assert parts(seen, "2026-12") == (0, 0, 0)


def test_a_fee_is_still_to_come_for_the_days_that_are_left() -> None:
    # A fee of 21,000: 12 of November's 21 days are behind.
    seen = world(unit(), retainer(21_000))
    assert parts(seen, "2026-11") == (12_000, 9_000, 0)
    assert parts(seen, "2026-12") == (0, 21_000, 0)
    assert parts(seen, "2026-Q4") == (33_000, 30_000, 0)


def test_a_contract_that_ends_commits_nothing_after_its_end() -> None:
    # In force to Friday 20 November: three more days of 1,000.
    ending = retainer(21_000, contract_end=date(2026, 11, 20))
    assert parts(world(unit(), ending), "2026-11") == (12_000, 3_000, 0)
    assert parts(world(unit(), ending), "2026-12") == (0, 0, 0)
    over = retainer(21_000, contract_end=date(2026, 11, 13))
    assert parts(world(unit(), over), "2026-11") == (10_000, 0, 0)


def test_an_act_billed_ahead_takes_in_the_work_that_follows() -> None:
    # One act of 63,000 for the quarter's fees of 63,000, entered for October: December and the rest of November bring 0.
    seen = world(unit(), retainer(21_000, since=date(2026, 10, 1)))
    paid_ahead = replace(seen, revenue=(act(63_000, date(2026, 10, 5)),))
    assert parts(seen, "2026-Q4") == (33_000, 30_000, 0)
    assert parts(paid_ahead, "2026-Q4") == (63_000, 0, 0)
    # One of 70,000 for October to December: 36,060.61 are billed (34 of 66 days), all 70,000 by the end.
    whole = act(70_000, date(2026, 10, 1), until=date(2026, 12, 31))
    facts = facts_of(judge(replace(seen, revenue=(whole,))), "plans", "plan:u1:2026-Q4")
    assert (facts["fact"], facts["forecast"]) == (Decimal("36060.61"), 70_000)


def test_an_act_entered_for_a_month_ahead_is_still_to_come_in_it() -> None:
    # December: fee 23,000, act 26,000. All before is billed: 42,000 by acts of October and November.
    seen = world(
        unit(),
        retainer(21_000, since=date(2026, 10, 1)),
        act(21_000, date(2026, 10, 1)),
        act(21_000, NOVEMBER),
        act(26_000, DECEMBER),
    )
    assert parts(seen, "2026-12") == (0, 26_000, 0)


def test_a_credit_note_for_the_days_ahead_lowers_what_is_to_come() -> None:
    # A fee of 21,000 in November, a note of -2,100 for the month: 1,200 of it are behind, 900 ahead.
    seen = world(unit(), retainer(21_000), act(-2_100, NOVEMBER))
    assert parts(seen, "2026-11") == (10_800, 8_100, 0)


def test_work_by_the_hour_goes_on_at_the_pace_of_the_last_20_working_days() -> None:
    # 5 x 8 hours at 1,000 between 21 October and 17 November: 40,000 / 20 = 2,000 a day. One day earlier does not count.
    days = [date(2026, 10, 21), *(date(2026, 11, day) for day in (2, 3, 16, 17))]
    seen = world(unit(), DEV, HOURLY, card(), **hours(*days))
    assert parts(seen, "2026-11") == (32_000, 18_000, 0)
    assert parts(seen, "2026-12") == (0, 46_000, 0)
    earlier = world(unit(), DEV, HOURLY, card(), **hours(date(2026, 10, 20)))
    assert parts(earlier, "2026-Q4") == (8_000, 0, 0)


def test_what_today_has_brought_already_is_not_to_come_once_more() -> None:
    # 20,000 in the window, 1,000 a day; 3 of today's hours are in already: 9,000 less 3,000 are to come in November.
    days = [date(2026, 11, day) for day in (9, 10, 11, 12, 13)]
    logs = [worklog(day, 4) for day in days]
    seen = world(
        unit(),
        DEV,
        HOURLY,
        card(),
        work={"p1": [issue(1)]},
        logs=[*logs, worklog(TODAY, 3)],
    )
    assert parts(seen, "2026-11") == (23_000, 6_000, 0)
    # A fixed price of 80,000: two of eight items, 1,000 a day; a third was finished today: 10,000 of the next 10 days.
    done = [*items(2, 5), issue(50, done=TODAY)]
    fixed = card(budget=Decimal(80_000), due=date(2027, 1, 29))
    seen = world(unit(), FIXED, fixed, work={"p1": done})
    assert parts(seen, "2026-11") == (30_000, 0, 0)
    assert parts(seen, "2026-12") == (0, 22_000, 0)


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.LOST, Stage.PROPOSAL])
def test_work_that_is_not_under_way_has_no_pace(stage: Stage) -> None:
    seen = world(unit(), DEV, HOURLY, card(stage=stage), **hours(date(2026, 11, 16)))
    assert parts(seen, "2026-Q4") == (8_000, 0, 0)


def test_work_by_the_hour_ends_on_the_day_people_promised_or_the_contract_ends() -> (
    None
):
    # 40,000 in the window: 2,000 a day, on 18, 19 and 20 November.
    days = [date(2026, 11, day) for day in (9, 10, 11, 12, 13)]
    promised = card(due=date(2026, 11, 20))
    seen = world(unit(), DEV, HOURLY, promised, **hours(*days))
    assert parts(seen, "2026-Q4") == (40_000, 6_000, 0)
    ending = client(engagement="tm", contract_end=date(2026, 11, 20))
    seen = world(unit(), DEV, ending, card(), **hours(*days))
    assert parts(seen, "2026-Q4") == (40_000, 6_000, 0)
    # One that is late goes on: 32 days of 2,000.
    late = card(due=date(2026, 11, 13))
    seen = world(unit(), DEV, HOURLY, late, **hours(*days))
    assert parts(seen, "2026-Q4") == (40_000, 64_000, 0)


def items(done: int, still_open: int, day: date = date(2026, 11, 10)) -> list[Issue]:
    """Return items of one weight, so many finished on a day."""
    finished = [issue(number, done=day) for number in range(done)]
    return finished + [issue(100 + number) for number in range(still_open)]


@pytest.mark.parametrize(
    ("done", "due", "november", "december"),
    [
        # 2 of 8 items of 80,000 in the window: 20,000 / 20 = 1,000 a day, 5 of them to 24 November.
        (2, date(2026, 11, 24), 5_000, 0),
        # To the end of January all of November and December: 9 and 23 days.
        (2, date(2027, 1, 29), 9_000, 23_000),
        # 7 of 8: 3,500 a day, but only 10,000 of the budget are left.
        (7, date(2027, 1, 29), 10_000, 0),
        (8, date(2027, 1, 29), 0, 0),
        # Past its due date nobody knows.
        (2, date(2026, 11, 17), 0, 0),
    ],
)
def test_a_fixed_price_goes_on_at_its_pace_up_to_its_budget_and_due_date(
    done: int, due: date, november: int, december: int
) -> None:
    seen = world(
        unit(),
        FIXED,
        card(budget=Decimal(80_000), due=due),
        work={"p1": items(done, 8 - done)},
    )
    assert parts(seen, "2026-11")[1] == november
    assert parts(seen, "2026-12")[1] == december


def test_a_fixed_price_billed_before_its_work_brings_nothing_more() -> None:
    # 40,000 earned, 80,000 billed in October: what follows is in the act.
    seen = world(
        unit(),
        FIXED,
        card(budget=Decimal(80_000), due=date(2026, 12, 31)),
        act(80_000, date(2026, 10, 1), project="p1"),
        work={"p1": items(4, 4)},
    )
    assert parts(seen, "2026-Q4") == (80_000, 0, 0)
    # 50,000 billed: 2,000 a day reach 50,000 after 5 days; the 27 after them bring 30,000 at most (80,000 in all).
    less = replace(seen, revenue=(act(50_000, date(2026, 10, 1), project="p1"),))
    assert parts(less, "2026-11") == (0, 8_000, 0)
    assert parts(less, "2026-12") == (0, 22_000, 0)


AGREED: dict[str, Any] = {
    "budget": Decimal(40_000),
    "expected_start": date(2026, 11, 23),
    "due": date(2026, 12, 4),
}
"""10 working days: 6 in November, 4 in December; 4,000 a day."""


@pytest.mark.parametrize("engagement", ["fixed_price", "tm", None])
def test_an_agreed_card_is_committed_from_its_start(engagement: str | None) -> None:
    seen = world(
        unit(), client(engagement=engagement), card(stage=Stage.AGREED, **AGREED)
    )
    assert parts(seen, "2026-11") == (0, 24_000, 0)
    assert parts(seen, "2026-12") == (0, 16_000, 0)


def test_an_agreed_card_whose_start_has_passed_begins_today() -> None:
    # 18 November to 1 December: 9 + 1 days of 4,000.
    late = AGREED | {"expected_start": date(2026, 11, 2), "due": date(2026, 12, 1)}
    seen = world(unit(), FIXED, card(stage=Stage.AGREED, **late))
    assert parts(seen, "2026-11") == (0, 36_000, 0)
    assert parts(seen, "2026-Q4") == (0, 40_000, 0)


@pytest.mark.parametrize("missing", ["budget", "expected_start"])
@pytest.mark.parametrize("stage", [Stage.AGREED, Stage.PROPOSAL])
def test_a_card_without_budget_or_start_says_nothing(
    missing: str, stage: Stage
) -> None:
    seen = world(unit(), FIXED, card(stage=stage, **AGREED | {missing: None}))
    assert parts(seen, "2026-Q4") == (0, 0, 0)


def test_a_card_in_a_retainers_fee_is_not_added_to_it() -> None:
    seen = world(
        unit(),
        retainer(21_000),
        card(stage=Stage.AGREED, **AGREED),
        card("p2", stage=Stage.PROPOSAL, **AGREED),
    )
    assert parts(seen, "2026-12") == (0, 21_000, 0)
    # With a model of its own it is: 4 days of 4,000.
    own = card(stage=Stage.AGREED, engagement="fixed_price", **AGREED)
    assert parts(world(unit(), retainer(21_000), own), "2026-12") == (0, 37_000, 0)


def test_work_by_the_hour_gives_way_to_the_fee_that_follows_it() -> None:
    # 2,000 a day to the end of November; from 1 December the client has a fee of 23,000, and hours earn no more.
    days = [date(2026, 11, day) for day in (9, 10, 11, 12, 13)]
    turning = client(
        engagement="tm",
        monthly_fee=Decimal(23_000),
        models=Dated("tm", ((DECEMBER, "retainer"),)),
        fees=Dated(None, ((DECEMBER, Decimal(23_000)),)),
    )
    seen = world(unit(), DEV, turning, card(), **hours(*days))
    assert parts(seen, "2026-11") == (40_000, 18_000, 0)
    assert parts(seen, "2026-12") == (0, 23_000, 0)


def test_what_is_to_come_belongs_to_the_unit_that_serves_the_client_then() -> None:
    moving = retainer(
        21_000, units=Dated(ref("units", "u1"), ((DECEMBER, ref("units", "u2")),))
    )
    seen = world(unit(), unit("u2"), moving)
    assert parts(seen, "2026-11") == (12_000, 9_000, 0)
    assert parts(seen, "2026-12") == (0, 0, 0)
    assert parts(seen, "2026-12", of="u2") == (0, 21_000, 0)


# -- what proposals may bring ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chance", "november", "december"),
    [
        (Decimal("0.25"), 6_000, 4_000),
        # The usual chance of a proposal is a half.
        (None, 12_000, 8_000),
        (Decimal(0), 0, 0),
    ],
)
def test_a_proposal_counts_by_its_probability_over_its_time(
    chance: Decimal | None, november: int, december: int
) -> None:
    seen = world(
        unit(), FIXED, card(stage=Stage.PROPOSAL, probability=chance, **AGREED)
    )
    assert parts(seen, "2026-11") == (0, 0, november)
    assert parts(seen, "2026-12") == (0, 0, december)


def test_a_proposal_without_a_due_date_takes_the_lead_time_of_its_service() -> None:
    # Two weeks from 23 November: to 6 December, the same 10 working days.
    service = Service(ref("services", "s1"), "Site", lead_weeks=Decimal(2))
    fields = AGREED | {"due": None, "service": service.ref}
    seen = world(unit(), FIXED, card(stage=Stage.PROPOSAL, **fields))
    seen = replace(seen, services={service.ref: service})
    assert parts(seen, "2026-11") == (0, 0, 12_000)
    assert parts(seen, "2026-12") == (0, 0, 8_000)


def test_a_proposal_whose_start_has_passed_counts_for_nothing_until_it_is_moved() -> (
    None
):
    late = AGREED | {"expected_start": date(2026, 11, 17)}
    seen = world(unit(), FIXED, card(stage=Stage.PROPOSAL, **late))
    assert parts(seen, "2026-Q4") == (0, 0, 0)


@pytest.mark.parametrize("stage", [Stage.IDEA, Stage.SHAPING, Stage.LOST, None])
def test_what_was_not_proposed_is_no_forecast(stage: Stage | None) -> None:
    seen = world(unit(), FIXED, card(stage=stage, probability=Decimal("0.9"), **AGREED))
    assert parts(seen, "2026-Q4") == (0, 0, 0)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_why_tells_the_three_parts_of_a_forecast() -> None:
    seen = world(
        unit(), retainer(21_000), card(stage=Stage.PROPOSAL, engagement="tm", **AGREED)
    )
    why = facts_of(judge(seen), "plans", "plan:u1:2026-11")["why"]
    assert (
        "Forecast €33,000: actual €12,000, committed €9,000, weighted pipeline €12,000."
        in str(why)
    )


def test_the_forecast_does_not_depend_on_how_much_of_the_period_has_passed() -> None:
    for day in (date(2026, 10, 1), date(2026, 11, 2), date(2026, 11, 30)):
        seen = world(unit(), retainer(21_000), today=day)
        facts = facts_of(judge(seen), "plans", "plan:u1:2026-11")
        assert (day, facts["forecast"]) == (day, 21_000)


def test_clients_without_a_unit_are_in_the_firms_forecast() -> None:
    seen = world(
        unit(), retainer(21_000), client("c2", unit=None, engagement="fixed_price")
    )
    own = card("p2", stage=Stage.AGREED, client=ref("clients", "c2"), **AGREED)
    seen = replace(seen, cards={own.ref: own})
    assert parts(seen, "2026-12") == (0, 21_000, 0)
    assert parts(seen, "2026-12", of="firm") == (0, 37_000, 0)


def test_the_days_that_tell_of_the_pace_may_be_set() -> None:
    # 8,000 in 2 days: 4,000 a day.
    seen = world(unit(), DEV, HOURLY, card(), **hours(date(2026, 11, 17)))
    seen = replace(seen, thresholds=Thresholds(pace_days=2))
    assert parts(seen, "2026-11") == (8_000, 36_000, 0)


# -- any firm ----------------------------------------------------------------------------------------------------------


@given(firms())
def test_a_forecast_is_never_below_its_fact_and_the_past_is_its_fact(
    seen: World,
) -> None:
    for plan in judge(seen).measures.plans:
        assert plan.fact is not None
        assert plan.forecast is not None
        assert plan.forecast >= plan.fact
        if plan.period.end < seen.today:
            assert plan.forecast == plan.fact


@given(firms())
def test_weeks_come_to_their_month_months_to_the_quarter_and_clients_to_the_firm(
    seen: World,
) -> None:
    found = judge(seen).measures
    above: Mapping[Grain, Any] = {Grain.WEEK: month_of, Grain.MONTH: quarter_of}
    sums: dict[tuple[Ref, Any], Decimal] = defaultdict(Decimal)
    for plan in found.plans:
        assert plan.forecast is not None
        if plan.period.grain in above:
            sums[plan.unit, above[plan.period.grain](plan.period.start)] += (
                plan.forecast
            )
    for plan in found.plans:
        if plan.period.grain is not Grain.WEEK:
            assert plan.forecast == sums[plan.unit, plan.period]

    quarter = quarter_of(seen.today)
    whole = measures(seen)["firm", quarter.code]
    coming = [part for part in found.coming or () if part.week.start in quarter]
    assert whole.committed == sum(part.committed for part in coming)
    assert whole.weighted == sum(part.weighted for part in coming)


@given(firms(), st.integers(1, 40))
def test_days_that_pass_turn_what_was_committed_by_contracts_and_acts_into_fact(
    seen: World, days: int
) -> None:
    """Fees and acts alone: nothing else happens, so every later day forecasts the same."""
    seen = replace(seen, cards={}, work={})
    later = applied(seen, judge(seen), today=TODAY + timedelta(days=days))
    before, after = measures(seen), measures(later)
    for place in before.keys() & after.keys():
        assert before[place].forecast == after[place].forecast
