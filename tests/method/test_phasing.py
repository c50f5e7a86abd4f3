"""A period's share behind us, and a fee by working days: one rule for plans, goals and clients' money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from worker.domain.entities import Client
from worker.domain.periods import WorkCalendar, month_of
from worker.domain.values import Ref
from worker.method.formulas.phasing import fee_until, passed_share

JUNE = month_of(date(2026, 6, 1))
"""A month of 22 weekdays that begins on a Monday."""
CALENDAR = WorkCalendar()


@pytest.mark.parametrize(
    ("today", "share"),
    [
        (date(2026, 5, 20), Decimal(0)),
        (date(2026, 6, 1), Decimal(0)),
        (date(2026, 6, 2), Decimal(1) / 22),
        (date(2026, 6, 16), Decimal("0.5")),
        (date(2026, 6, 30), Decimal(21) / 22),
        (date(2026, 7, 1), Decimal(1)),
    ],
)
def test_yesterday_is_the_last_day_behind_us(today: date, share: Decimal) -> None:
    assert passed_share(JUNE, today, CALENDAR) == share


@pytest.mark.parametrize(
    ("since", "end", "last", "fee"),
    [
        (None, None, date(2026, 6, 30), 2200),
        (date(2026, 6, 16), None, date(2026, 6, 30), 1100),
        (None, date(2026, 6, 15), date(2026, 6, 30), 1100),
        (None, None, date(2026, 6, 1), 100),
        (date(2026, 7, 1), None, date(2026, 6, 30), 0),
        (None, date(2026, 5, 31), date(2026, 6, 30), 0),
        (None, None, date(2026, 5, 31), 0),
    ],
)
def test_a_fee_counts_the_working_days_a_contract_is_in_force(
    since: date | None, end: date | None, last: date, fee: int
) -> None:
    client = Client(
        Ref("clients", "acme"),
        "Acme",
        monthly_fee=Decimal(2200),
        since=since,
        contract_end=end,
    )
    assert fee_until(client, JUNE, last, calendar=CALENDAR) == fee
