"""A period's share behind us, and a fee by working days: one rule for plans, goals and clients' money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import ref
from worker.config import Holidays
from worker.domain.entities import Client
from worker.domain.money import CENT, minor_unit
from worker.domain.periods import WorkCalendar, month_of
from worker.domain.values import Ref
from worker.method.formulas.phasing import fee_until, passed_share
from worker.world.calendar import work_calendar

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
    assert fee_until(client, JUNE, last, calendar=CALENDAR, minor=CENT) == fee


def contract(fee: str, **fields: Any) -> Client:
    """Return a client with a monthly fee."""
    return Client(ref("clients", "acme"), "Acme", monthly_fee=Decimal(fee), **fields)


def earned(client: Client, last: date, *, calendar: WorkCalendar = CALENDAR) -> Decimal:
    """Return what a contract has earned in the month of a day up to it, in cents."""
    return fee_until(client, month_of(last), last, calendar=calendar, minor=CENT)


RUSSIA = work_calendar(Holidays(country="RU"), range(2022, 2027))
MONTHS = [
    month_of(date(year, month, 1))
    for year in range(2022, 2027)
    for month in range(1, 13)
]


@pytest.mark.parametrize("fee", ["100000", "22000", "0.01", "99999.99", "33333.33"])
def test_a_finished_month_earns_exactly_its_fee(fee: str) -> None:
    lived = {
        (month.code, str(calendar is RUSSIA)): earned(
            contract(fee), month.end, calendar=calendar
        )
        for month in MONTHS
        for calendar in (CALENDAR, RUSSIA)
    }
    assert set(lived.values()) == {Decimal(fee)}


# 100 over June's 22 working days: week parts of 5, 5, 5, 5 and 2 days get 22.7272... and 9.0909...: floors 22.72 four times
# and 9.09 leave three cents, for the equal remainders .27 of the first three. Inside the week of the 8th, 22.73 a week:
# one day 4.546, two 9.092, three 13.638, four 18.184.
@pytest.mark.parametrize(
    ("last", "amount"),
    [
        (5, "22.73"),
        (7, "22.73"),
        (8, "27.28"),
        (9, "31.82"),
        (10, "36.37"),
        (11, "40.91"),
        (12, "45.46"),
        (19, "68.19"),
        (26, "90.91"),
        (29, "95.46"),
        (30, "100.00"),
    ],
)
def test_inside_a_week_part_a_fee_is_cumulated_by_day_then_rounded(
    last: int, amount: str
) -> None:
    assert str(earned(contract("100"), date(2026, 6, last))) == amount


def test_a_month_without_a_working_day_earns_its_fee_by_calendar_days() -> None:
    closed = WorkCalendar(days_off=frozenset(JUNE.days()))
    client = contract("3000")
    assert earned(client, date(2026, 6, 10), calendar=closed) == 1000
    assert earned(client, JUNE.end, calendar=closed) == 3000


# From Wednesday 10 June 15 of 22 working days are left: 68.18. Until Thursday the 11th, two days of it: 9.09.
def test_a_contract_that_begins_or_ends_inside_a_week_earns_its_days() -> None:
    begun = contract("100", since=date(2026, 6, 10))
    assert earned(begun, date(2026, 6, 9)) == 0
    assert earned(begun, JUNE.end) == Decimal("68.18")
    short = contract("100", since=date(2026, 6, 10), contract_end=date(2026, 6, 11))
    assert earned(short, JUNE.end) == Decimal("9.09")


calendars = st.builds(
    WorkCalendar, st.frozensets(st.dates(JUNE.start, JUNE.end), max_size=30)
)


@given(
    cents=st.integers(0, 10**10),
    calendar=calendars,
    since=st.none() | st.dates(date(2026, 5, 20), date(2026, 7, 5)),
    end=st.none() | st.dates(date(2026, 5, 20), date(2026, 7, 5)),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_a_fee_grows_by_day_to_what_the_month_earns(
    cents: int,
    calendar: WorkCalendar,
    since: date | None,
    end: date | None,
    currency: str,
) -> None:
    minor = minor_unit(currency)
    client = replace(contract("0"), monthly_fee=cents * minor, since=since)
    client = replace(client, contract_end=end)
    days = [
        fee_until(client, JUNE, day, calendar=calendar, minor=minor)
        for day in JUNE.days()
    ]
    assert days == sorted(days)
    assert all(amount % minor == 0 for amount in days)
    if (since or JUNE.start) <= JUNE.start and (end or JUNE.end) >= JUNE.end:
        assert days[-1] == cents * minor
