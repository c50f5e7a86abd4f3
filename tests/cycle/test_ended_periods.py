"""Which cells measured a period that is over: emptying those alone takes nothing away."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.worlds import row, world
from worker.cycle.planning import cells_of_ended_periods
from worker.domain.values import Span, Value
from worker.mapping.load import load_schema

TODAY = date(2026, 11, 18)
MONDAY = date(2026, 11, 9)


def cells(period: Value, source: str = "plans") -> frozenset[tuple[str, str]]:
    """Return the cells of a row of some period whose emptying takes nothing away today."""
    seen = world(rows={source: (row(source, "k", period=period),)}, today=TODAY)
    return cells_of_ended_periods(load_schema(), seen)


def test_a_period_is_over_on_the_day_after_its_last() -> None:
    over = cells(Span(MONDAY, date(2026, 11, 17)))
    assert over == frozenset({("page-k", "per_day"), ("page-k", "carry")})


@pytest.mark.parametrize(
    "period", [Span(MONDAY, TODAY), Span(MONDAY, date(2026, 11, 19)), None, "November"]
)
def test_a_period_that_runs_or_is_not_known_is_not_over(period: Value) -> None:
    assert cells(period) == frozenset()


def test_what_a_closed_month_of_the_ledger_says_is_kept() -> None:
    assert cells(Span(date(2026, 9, 1), date(2026, 9, 30)), "ledger") == frozenset()
