"""The table of plans: what stands in it adds up, however little divides without a remainder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.outcomes import judge
from tests.support.worlds import client, revenue, row, unit, world
from worker.domain.periods import Grain
from worker.method.measures import PlanMeasure
from worker.pages.view import View, look
from worker.web.plan_table import AMOUNTS, list_plans

NARROWER = {Grain.QUARTER: Grain.MONTH, Grain.MONTH: Grain.WEEK}
FIRST = date(2026, 10, 1)


def seen(target: Decimal, acts: Sequence[tuple[int, Decimal]]) -> View:
    """Return the view of a unit whose quarter is pinned, with acts on some days of it."""
    pin = row(
        "plans", "plan:u1:2026-Q4", title="Plan of Q4", pinned=True, target=target
    )
    brought = [
        revenue(str(amount), FIRST + timedelta(days=day)) for day, amount in acts
    ]
    made = world(unit(), client(), *brought, rows={"plans": (pin,)})
    return look(made, judge(made))


def amounts_of(rows: Sequence[PlanMeasure], whole: PlanMeasure, name: str) -> Decimal:
    """Return what the parts of a period come to."""
    return sum(
        (
            getattr(part, name) or Decimal(0)
            for part in rows
            if part.period.grain is NARROWER[whole.period.grain]
            and part.period.start in whole.period
        ),
        Decimal(0),
    )


CENTS = st.decimals("0.01", "999999.99", places=2)


@given(target=CENTS, acts=st.lists(st.tuples(st.integers(0, 47), CENTS), max_size=4))
@settings(max_examples=25, deadline=None)
def test_months_come_to_their_quarter_and_weeks_to_their_month(
    target: Decimal, acts: list[tuple[int, Decimal]]
) -> None:
    view = seen(target, acts)
    exact = {(one.unit, one.period): one for one in view.plans.values()}
    tables = list_plans(view)
    assert len(tables) == 2
    for _, rows in tables:
        assert len([one for one in rows if one.period.grain is Grain.MONTH]) == 3
        for line in rows:
            for name in AMOUNTS:
                amount = getattr(line, name)
                told = getattr(exact[line.unit, line.period], name)
                assert (amount is None) is (told is None)
                if amount is None:
                    continue
                assert amount == amount.to_integral_value()
                assert abs(amount - told) < 2
                if line.period.grain in NARROWER and name != "forecast":
                    assert amounts_of(rows, line, name) == amount


def test_two_hundred_are_shown_as_parts_of_two_hundred() -> None:
    """By 22, 21 and 23 of 66 days: 66.67, 63.64 and 69.70, which one by one would be shown as 67, 64 and 70, or 201."""
    _, rows = list_plans(seen(Decimal(200), []))[1]
    months = [one.target for one in rows if one.period.grain is Grain.MONTH]
    assert months == [67, 63, 70]
