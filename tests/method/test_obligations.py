"""Money is counted once: earned, billed and paid of every obligation, each case worked out by hand (docs/method.md 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import card, client, issue, person, unit, worklog, world
from worker.config import Thresholds
from worker.domain.entities import Card, Client, Issue, Revenue
from worker.domain.messages import ENGLISH, render
from worker.domain.money import CENT, round_money
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.measures import MoneyMeasure
from worker.method.money.billing import find_unbilled
from worker.method.money.obligations import Obligation, recognise, unbilled_work
from worker.method.money.revenue import measure_revenue
from worker.world.world import World

C1 = Ref("clients", "c1")
NEW_YEAR = date(2027, 1, 11)
OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
MILLION = Decimal(1_000_000)


def row(
    amount: int | str,
    day: date,
    *,
    kind: str = "act",
    project: str | None = None,
    until: date | None = None,
    key: str = "",
) -> Revenue:
    """Return a money row of client `c1`, for the month of `day` or for all days to `until`."""
    return Revenue(
        Ref("revenue", key or f"{kind}-{day}-{amount}-{project}"),
        C1,
        Ref("projects", project) if project else None,
        day,
        Decimal(amount),
        kind,
        until=until,
    )


def scene(
    *things: Client | Card | Revenue,
    today: date = NEW_YEAR,
    done: Mapping[str, tuple[date, ...]] | None = None,
    hours: Mapping[date, int] | None = None,
) -> World:
    """Return a firm with one client; `done` are the days on which a card's items were finished, `hours` worked on p1 by
    somebody whose hour costs 1,000."""
    work: dict[str, list[Issue]] = {}
    for number, (key, days) in enumerate((done or {}).items()):
        work[key] = [
            issue(100 * number + index, done=day) for index, day in enumerate(days)
        ]
    if hours:
        work.setdefault("p1", [issue(1)])
    logs = [worklog(day, spent) for day, spent in (hours or {}).items()]
    dev = person("dev", rate=Decimal(1000))
    return world(*things, unit(), dev, work=work, logs=logs, today=today)


def money(seen: World) -> MoneyMeasure:
    """Return the money of a scene."""
    found = measure_revenue(seen).value
    assert found is not None
    return found


def months(seen: World) -> dict[str, Decimal]:
    """Return what was recognised by month, where it is anything."""
    return {
        f"{month.month:%Y-%m}": month.amount
        for month in money(seen).history[C1]
        if month.amount
    }


def unbilled(seen: World) -> tuple[Decimal | None, str]:
    """Return the unbilled work of client c1 and what is said of it."""
    found = find_unbilled(seen, money(seen))
    return next(
        (condition.stake, condition.evidence)
        for condition in found.conditions
        if condition.signal == "money.unbilled" and condition.subject == C1
    )


def problems(seen: World) -> tuple[Problem, ...]:
    """Return what was wrong with the rows."""
    return measure_revenue(seen).problems


FIXED = client(engagement="fixed_price")
BUDGET = card(budget=MILLION)
HALVES = {"p1": (date(2026, 10, 14), date(2026, 11, 12))}


# -- one amount of money, whichever comes first ------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["p1", None])
def test_an_act_for_work_that_was_earned_is_not_earned_again(named: str | None) -> None:
    seen = scene(FIXED, BUDGET, row(1_000_000, DECEMBER, project=named), done=HALVES)
    assert months(seen) == {"2026-10": 500_000, "2026-11": 500_000}
    assert unbilled(seen)[0] == 0


@pytest.mark.parametrize("named", ["p1", None])
def test_an_act_ahead_of_the_work_is_recognised_once(named: str | None) -> None:
    seen = scene(FIXED, BUDGET, row(1_000_000, OCTOBER, project=named), done=HALVES)
    assert months(seen) == {"2026-10": 1_000_000}


def test_an_act_for_a_part_ahead_is_caught_up_by_the_work() -> None:
    """Billed 600,000 in October; earned 500,000 in October and 1,000,000 by November: 600,000, then 400,000 more."""
    seen = scene(FIXED, BUDGET, row(600_000, OCTOBER), done=HALVES)
    assert months(seen) == {"2026-10": 600_000, "2026-11": 400_000}


def test_one_act_for_a_quarter_counts_once() -> None:
    """30 hours a month are earned; the act of the whole quarter, for 100,000, brings the 10,000 that are left."""
    worked = {date(2026, month, 12): 30 for month in (10, 11, 12)}
    act = row(100_000, OCTOBER, until=date(2026, 12, 31))
    seen = scene(client(engagement="tm"), card(), act, hours=worked)
    assert sum(months(seen).values()) == 100_000
    assert unbilled(seen)[0] == 0


def test_hours_acted_a_month_later_count_in_their_own_month() -> None:
    worked = {date(2026, 10, 12): 100, date(2026, 11, 12): 50}
    seen = scene(client(engagement="tm"), card(), row(100_000, NOVEMBER), hours=worked)
    assert months(seen) == {"2026-10": 100_000, "2026-11": 50_000}
    assert unbilled(seen) == (
        Decimal(50_000),
        "€50,000 of finished work is not billed: November 2026.",
    )


def test_an_act_of_ten_leaves_the_rest_unbilled() -> None:
    seen = scene(
        client(engagement="tm"),
        card(),
        row(10, OCTOBER),
        hours={date(2026, 10, 12): 40},
    )
    assert months(seen) == {"2026-10": 40_000}
    assert unbilled(seen)[0] == 39_990


def test_every_obligation_is_counted_for_itself() -> None:
    """The act is for card 1, on which nothing was finished; 300,000 were earned on card 2, which an invoice claims."""
    seen = scene(
        FIXED,
        card("p1", budget=Decimal(100_000)),
        card("p2", budget=Decimal(300_000)),
        row(100_000, OCTOBER, project="p1"),
        row(300_000, OCTOBER, kind="invoice", project="p2"),
        done={"p2": (date(2026, 10, 14),)},
    )
    assert months(seen) == {"2026-10": 400_000}


def test_rows_that_name_no_card_settle_the_cards_that_have_none() -> None:
    """Card 1 has an act of its own; the other act is for the rest: card 2 earned 300,000 and is billed 350,000."""
    seen = scene(
        FIXED,
        card("p1", budget=Decimal(100_000)),
        card("p2", budget=Decimal(300_000)),
        row(100_000, OCTOBER, project="p1"),
        row(350_000, OCTOBER),
        done={"p1": (date(2026, 10, 14),), "p2": (date(2026, 10, 15),)},
    )
    assert months(seen) == {"2026-10": 450_000}


# -- credit notes, what is written off, other people's money -----------------------------------------------------------

RETAINER = client(
    engagement="retainer", monthly_fee=Decimal(20_000), since=date(2026, 10, 1)
)


def test_a_credit_note_lowers_what_was_earned() -> None:
    seen = scene(RETAINER, row(-10_000, NOVEMBER), today=date(2026, 12, 1))
    assert months(seen) == {"2026-10": 20_000, "2026-11": 10_000}


def test_a_credit_note_lowers_what_was_billed_too() -> None:
    acts = [row(20_000, OCTOBER), row(20_000, NOVEMBER), row(-5_000, NOVEMBER)]
    seen = scene(RETAINER, *acts, today=date(2026, 12, 1))
    assert months(seen) == {"2026-10": 20_000, "2026-11": 15_000}
    assert unbilled(seen)[0] == 0


WORKED = {date(2026, 10, 12): 100, date(2026, 11, 12): 50}


def test_what_is_written_off_is_taken_back_and_not_unbilled_any_more() -> None:
    seen = scene(
        client(engagement="tm"),
        card(),
        row(100_000, NOVEMBER),
        row(50_000, DECEMBER, kind="write_off"),
        hours=WORKED,
    )
    assert months(seen) == {"2026-10": 100_000, "2026-11": 50_000, "2026-12": -50_000}
    assert unbilled(seen)[0] == 0
    assert problems(seen) == ()


def test_more_than_is_unbilled_cannot_be_written_off() -> None:
    seen = scene(
        client(engagement="tm"),
        card(),
        row(100_000, NOVEMBER),
        row(70_000, DECEMBER, kind="write_off"),
        hours=WORKED,
    )
    assert sum(months(seen).values()) == 100_000
    (problem,) = problems(seen)
    assert (problem.code, problem.field) == (Code.WRITE_OFF_TOO_LARGE, "amount")
    assert "€20,000" in render(problem.message, ENGLISH)


def test_a_write_off_of_a_month_to_come_waits() -> None:
    seen = scene(
        client(engagement="tm"),
        card(),
        row(50_000, date(2027, 2, 1), kind="write_off"),
        hours=WORKED,
    )
    assert sum(months(seen).values()) == 150_000


def test_money_passed_through_is_nobodys_revenue() -> None:
    seen = scene(
        client(), row(423_000, OCTOBER), row(80_000, OCTOBER, kind="pass_through")
    )
    assert months(seen) == {"2026-10": 423_000}


def test_money_passed_through_is_owed() -> None:
    """Both are due on 30 November; 423,000 are paid."""
    seen = scene(
        client(),
        row(423_000, OCTOBER),
        row(80_000, OCTOBER, kind="pass_through"),
        row(423_000, OCTOBER, kind="payment"),
    )
    found = find_unbilled(seen, money(seen))
    late = [one for one in found.conditions if one.signal == "money.late_payment"]
    assert [(one.holds, one.stake) for one in late] == [(True, Decimal(80_000))]


@pytest.mark.parametrize(
    ("basis", "brought"),
    [
        ("recognised", {"2026-10": 100_000, "2026-11": 50_000}),
        ("billed", {"2026-11": 100_000}),
        ("paid", {"2026-12": 60_000}),
    ],
)
def test_revenue_may_be_what_is_recognised_billed_or_paid(
    basis: Literal["recognised", "billed", "paid"], brought: dict[str, int]
) -> None:
    seen = scene(
        client(engagement="tm"),
        card(),
        row(100_000, NOVEMBER),
        row(60_000, date(2026, 12, 20), kind="payment"),
        hours=WORKED,
    )
    seen = replace(seen, thresholds=Thresholds(revenue_basis=basis))
    assert months(seen) == brought
    assert unbilled(seen)[0] == 50_000, "what is unbilled does not depend on it"


@pytest.mark.parametrize(
    ("today", "brought", "open_work"),
    [
        (date(2026, 11, 1), {"2026-10": 100_000}, 0),
        (date(2026, 12, 9), {"2026-10": 100_000, "2026-11": 50_000}, 50_000),
        (NEW_YEAR, {"2026-10": 100_000, "2026-11": 50_000, "2026-12": -20_000}, 30_000),
    ],
)
def test_the_example_of_the_page_on_money_comes_out(
    today: date, brought: dict[str, int], open_work: int
) -> None:
    """As docs/money.md tells it; in November, October's work is not late to bill yet."""
    rows = [row(100_000, NOVEMBER), row(20_000, DECEMBER, kind="write_off")]
    worked = {day: spent for day, spent in WORKED.items() if day < today}
    seen = scene(client(engagement="tm"), card(), *rows, hours=worked, today=today)
    if today < date(2026, 12, 15):
        seen = replace(seen, revenue=tuple(rows[:1]))
    assert months(seen) == brought
    assert unbilled(seen)[0] == open_work


# -- months that are not over ------------------------------------------------------------------------------------------


def test_an_act_for_the_running_month_counts_by_the_days_that_are_over() -> None:
    """On 9 November 5 of 21 working days are over: 5/21 of 21,000 are earned, 5/21 of 42,000 billed."""
    fee = client(
        engagement="retainer", monthly_fee=Decimal(21_000), since=date(2026, 11, 1)
    )
    today = date(2026, 11, 9)
    assert months(scene(fee, today=today)) == {"2026-11": 5_000}
    assert months(scene(fee, row(42_000, NOVEMBER), today=today)) == {"2026-11": 10_000}


def test_an_act_for_a_month_to_come_counts_nothing_yet() -> None:
    assert months(scene(client(), row(500, DECEMBER), today=date(2026, 11, 30))) == {}


@pytest.mark.parametrize("fee", ["100000", "99999.99", "33333.33", "0.07"])
def test_a_finished_month_earns_exactly_its_fee(fee: str) -> None:
    since = date(2025, 1, 1)
    payer = client(engagement="retainer", monthly_fee=Decimal(fee), since=since)
    seen = months(scene(payer, today=date(2026, 12, 1)))
    assert set(seen.values()) == {Decimal(fee)}
    assert len(seen) == 23


def test_a_month_without_working_days_still_has_its_act() -> None:
    seen = scene(client(), row(500, date(2026, 8, 1)), row(70, date(2026, 10, 31)))
    assert months(seen) == {"2026-08": 500, "2026-10": 70}


# -- any rows in any order ---------------------------------------------------------------------------------------------

DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
AMOUNTS = st.decimals(-5_000, 50_000, places=2)
EARNED = st.decimals(0, 50_000, places=4)


@given(
    st.dictionaries(DAYS, EARNED, max_size=8),
    st.dictionaries(DAYS, AMOUNTS, max_size=8),
)
def test_what_is_recognised_in_the_end_is_the_larger_of_both(
    earned: dict[date, Decimal], billed: dict[date, Decimal]
) -> None:
    growths = recognise(Obligation({"tm": earned}, billed), CENT)
    work = round_money(sum(earned.values(), Decimal(0)), CENT)
    acts = sum(billed.values(), Decimal(0))
    assert sum(growth.amount for growth in growths) == (
        max(work, acts) if growths else 0
    )
    assert [growth.day for growth in growths] == sorted({*earned, *billed})


@given(
    st.dictionaries(DAYS, EARNED, max_size=8),
    st.dictionaries(DAYS, st.decimals(0, 50_000, places=2), max_size=8),
)
def test_unbilled_is_what_was_earned_beyond_the_acts(
    earned: dict[date, Decimal], billed: dict[date, Decimal]
) -> None:
    open_work = unbilled_work(recognise(Obligation({"tm": earned}, billed), CENT))
    work = round_money(sum(earned.values(), Decimal(0)), CENT)
    acts = sum(billed.values(), Decimal(0))
    assert sum(open_work.values()) == max(Decimal(0), work - acts)
    assert all(amount > 0 for amount in open_work.values())


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["act", "invoice", "payment", "write_off", "pass_through"]),
        st.integers(1, 900_000),
        DAYS,
        st.sampled_from([None, "p1", "p2"]),
        st.integers(0, 120),
    ),
    max_size=9,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters_and_every_sum_is_the_same(
    drawn: list[tuple[str, int, date, str | None, int]], random: Random
) -> None:
    rows = [
        row(
            amount,
            day,
            kind=kind,
            project=project,
            until=date.fromordinal(day.toordinal() + days) if days else None,
            key=f"r{number}",
        )
        for number, (kind, amount, day, project, days) in enumerate(drawn)
    ]
    things = (FIXED, card("p1", budget=MILLION), card("p2", budget=MILLION))
    done = {"p1": (date(2026, 10, 14), date(2026, 11, 12)), "p2": (date(2026, 9, 3),)}
    first = money(scene(*things, *rows, done=done))
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert money(scene(*things, *shuffled, done=done)) == first

    by_month = sum(month.amount for month in first.history[C1])
    by_obligation = sum(
        growth.amount for growths in first.obligations[C1] for growth in growths
    )
    recent = [month for month in first.history[C1] if month.month >= date(2026, 10, 1)]
    assert by_month == by_obligation
    assert sum(week.amount for week in first.weeks) == sum(
        month.amount for month in recent
    )
