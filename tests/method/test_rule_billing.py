"""What nobody billed and what nobody paid, month by month and by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.support.worlds import (
    SOURCES,
    card,
    client,
    person,
    revenue,
    steady,
    unit,
    worklog,
    world,
)
from worker.domain.entities import Revenue
from worker.domain.periods import WorkCalendar
from worker.method.measures import Condition, Signal
from worker.method.money.billing import find_unbilled
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.world import World


def judge(scene: World) -> Findings[None]:
    """Measure the money and look at the bills."""
    return find_unbilled(scene, measure_revenue(scene).value)


def condition(scene: World, signal: str, key: str = "c1") -> Condition:
    """Return a client's condition of a signal."""
    return next(
        one
        for one in judge(scene).conditions
        if (one.signal, one.subject.key) == (signal, key)
    )


def hours(*days: date) -> World:
    """Return a T&M client with eight hours at 1,000 on each day, in a firm that bills since August."""
    logs = [worklog(day, 8) for day in days]
    return world(
        client(engagement="tm"),
        client("c2"),
        unit(),
        person("dev"),
        card(),
        revenue(1, date(2026, 8, 1), client="c2"),
        work={"p1": steady(1, 1)},
        logs=logs,
    )


def with_rows(scene: World, *rows: Revenue) -> World:
    """Return the scene with more money rows."""
    return world(
        *scene.clients.values(),
        *scene.units.values(),
        *scene.people.values(),
        *scene.cards.values(),
        *scene.revenue,
        *rows,
        work={key.key: list(work.issues) for key, work in scene.work.items()},
        logs=[log for work in scene.work.values() for log in work.worklogs],
        today=scene.today,
    )


# -- unbilled ----------------------------------------------------------------------------------------------------------


def test_hours_of_a_finished_month_without_an_act_are_unbilled() -> None:
    found = condition(
        hours(date(2026, 9, 10), date(2026, 10, 6), date(2026, 10, 7)), "money.unbilled"
    )
    assert (found.holds, found.stake, found.probability) == (
        True,
        Decimal("24000.00"),
        4,
    )
    assert (
        found.evidence
        == "€24,000 of finished work is not billed: September 2026, October 2026."
    )


def test_one_month_is_less_likely_lost_than_two() -> None:
    found = condition(hours(date(2026, 10, 6)), "money.unbilled")
    assert (found.holds, found.probability) == (True, 3)


@pytest.mark.parametrize(
    ("kind", "holds"), [("act", False), ("invoice", True), ("payment", True)]
)
def test_an_act_bills_work_an_invoice_only_claims_and_a_payment_only_pays(
    kind: str, holds: bool
) -> None:
    scene = with_rows(
        hours(date(2026, 10, 6)), revenue(9000, date(2026, 10, 15), kind=kind)
    )
    assert condition(scene, "money.unbilled").holds is holds


@pytest.mark.parametrize(
    ("today", "holds"), [(date(2026, 11, 6), False), (date(2026, 11, 7), True)]
)
def test_a_month_may_be_billed_in_five_working_days(today: date, holds: bool) -> None:
    # October ends on a Saturday; the fifth working day after it is Friday, 6 November.
    scene = hours(date(2026, 10, 6))
    scene = world(
        *scene.clients.values(),
        unit(),
        person("dev"),
        card(),
        *scene.revenue,
        work={"p1": steady(1, 1)},
        logs=[worklog(date(2026, 10, 6), 8)],
        today=today,
    )
    assert condition(scene, "money.unbilled").holds is holds


def test_the_running_month_and_what_was_before_the_books_are_not_unbilled() -> None:
    assert (
        condition(hours(date(2026, 7, 30), date(2026, 11, 3)), "money.unbilled").holds
        is False
    )


def test_a_firm_that_never_billed_cannot_be_judged() -> None:
    scene = world(
        client(engagement="tm"),
        unit(),
        person("dev"),
        card(),
        work={"p1": steady(1, 1)},
        logs=[worklog(date(2026, 9, 10), 8)],
    )
    assert condition(scene, "money.unbilled").holds is None


@pytest.mark.parametrize(
    ("today", "billed", "amount", "unbilled"),
    [
        # September's milestone may still be billed in November, not after five working days of December.
        (date(2026, 11, 18), None, 0, 0),
        (date(2026, 12, 8), None, 0, 1000),
        # An act settles what it says, before or after the work.
        (date(2026, 12, 8), date(2026, 11, 20), 1000, 0),
        (date(2026, 12, 8), date(2026, 11, 20), 400, 600),
        (date(2026, 12, 8), date(2026, 8, 20), 1000, 0),
        (date(2026, 12, 8), date(2026, 8, 20), 250, 750),
    ],
)
def test_fixed_price_is_billed_by_milestones(
    today: date, billed: date | None, amount: int, unbilled: int
) -> None:
    # Ten of twenty items were done in September, half of 2,000.
    issues = steady(10, 10, step=1, last=date(2026, 9, 20))
    rows = [revenue(amount, billed)] if billed else []
    scene = world(
        client(engagement="fixed_price"),
        client("c2"),
        unit(),
        card(budget=Decimal(2000)),
        *rows,
        revenue(1, date(2026, 8, 1), client="c2"),
        work={"p1": issues},
        today=today,
    )
    found = condition(scene, "money.unbilled")
    assert (found.holds, found.stake) == (unbilled > 0, Decimal(unbilled))


# -- late --------------------------------------------------------------------------------------------------------------


SEPTEMBER = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("today", "holds", "probability"),
    [
        (date(2026, 10, 30), False, 3),
        (date(2026, 10, 31), True, 3),
        (date(2026, 11, 30), True, 3),
        (date(2026, 12, 1), True, 4),
        (date(2026, 12, 30), True, 4),
        (date(2026, 12, 31), True, 5),
    ],
)
def test_a_bill_is_late_thirty_days_after_its_month(
    today: date, holds: bool, probability: int
) -> None:
    scene = world(
        client(),
        client("c2"),
        unit(),
        revenue(500, SEPTEMBER),
        revenue(1, SEPTEMBER, client="c2"),
        revenue(1, SEPTEMBER, client="c2", kind="payment"),
        today=today,
    )
    found = condition(scene, "money.late_payment")
    assert (found.holds, found.probability) == (holds, probability)
    assert condition(scene, "money.late_payment", "c2").holds is False


def test_payments_settle_the_oldest_bill_first() -> None:
    scene = world(
        client(),
        unit(),
        revenue(400, date(2026, 8, 1)),
        revenue(500, SEPTEMBER),
        revenue(700, date(2026, 8, 20), kind="payment"),
    )
    found = condition(scene, "money.late_payment")
    assert (found.stake, found.evidence) == (
        Decimal("200.00"),
        "€200 is not paid (September 2026); the oldest bill is late since Oct 31, 2026.",
    )


def test_a_bill_that_is_not_due_yet_is_settled_in_its_turn() -> None:
    scene = world(
        client(),
        unit(),
        revenue(400, date(2026, 8, 1)),
        revenue(500, date(2026, 10, 1)),
        revenue(400, date(2026, 10, 20), kind="payment"),
    )
    assert condition(scene, "money.late_payment").holds is False


def test_an_act_and_its_invoice_are_one_bill() -> None:
    scene = world(
        client(),
        unit(),
        revenue(500, SEPTEMBER),
        revenue(500, SEPTEMBER, kind="invoice"),
        revenue(500, date(2026, 9, 30), kind="payment"),
    )
    assert condition(scene, "money.late_payment").holds is False


def test_bills_older_than_the_first_payment_on_record_are_not_judged() -> None:
    scene = world(
        client(),
        unit(),
        revenue(500, date(2026, 3, 1)),
        revenue(400, SEPTEMBER),
        revenue(400, SEPTEMBER, kind="payment"),
    )
    assert condition(scene, "money.late_payment").holds is False


def test_a_firm_that_records_no_payments_cannot_be_judged() -> None:
    scene = world(client(), unit(), revenue(500, date(2026, 3, 1)))
    assert condition(scene, "money.late_payment").holds is None


# -- both --------------------------------------------------------------------------------------------------------------


def test_each_condition_has_its_task() -> None:
    scene = with_rows(
        hours(date(2026, 10, 6)),
        revenue(500, SEPTEMBER, client="c2"),
        revenue(1, date(2026, 8, 2), client="c2", kind="payment"),
    )
    signals: dict[tuple[str, str], Signal] = {
        (one.playbook, one.subject.key): one for one in judge(scene).signals
    }
    assert signals["bill_work", "c1"].holds is True
    assert signals["chase_payment", "c2"].holds is True
    assert signals["chase_payment", "c2"].ended == "closed automatically: it was paid"
    assert (
        signals["bill_work", "c2"].ended == "closed automatically: everything is billed"
    )


def test_without_a_revenue_board_nothing_is_said() -> None:
    scene = world(
        client(), unit(), revenue(500, SEPTEMBER), sources=SOURCES - {"revenue"}
    )
    assert judge(scene).conditions == ()
    assert find_unbilled(world(client()), None).conditions == ()


def test_holidays_give_more_time_to_bill() -> None:
    scene = world(
        client(engagement="tm"),
        client("c2"),
        unit(),
        person("dev"),
        card(),
        revenue(1, date(2026, 8, 1), client="c2"),
        work={"p1": steady(1, 1)},
        logs=[worklog(date(2026, 10, 6), 8)],
        today=date(2026, 11, 7),
        calendar=WorkCalendar(days_off=frozenset({date(2026, 11, 4)})),
    )
    assert condition(scene, "money.unbilled").holds is False
