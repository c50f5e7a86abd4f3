"""Phasing by working days: the share of a period behind us, and what of a monthly fee is earned (docs/facts/definitions.md 6).

Plans and facts ask the same function what a contract earns, so that a quiet one is exactly on its plan on every day.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

from worker.domain.entities import Card, Client
from worker.domain.money import round_money, split
from worker.domain.periods import A_DAY, Period, WorkCalendar
from worker.method.formulas.cascade import parts_of


def passed_share(period: Period, today: date, calendar: WorkCalendar) -> Decimal:
    """Return the share of a period's working days that lie behind us, 0..1, yesterday included."""
    if period.end < today:
        return Decimal(1)

    whole = calendar.in_period(period)
    if not whole:
        return Decimal(0)
    yesterday = today - A_DAY
    behind = calendar.working_days(period.start, min(period.end, yesterday))
    return Decimal(behind) / whole


def fee_until(
    client: Client, month: Period, last: date, *, calendar: WorkCalendar, minor: Decimal
) -> Decimal:
    """Return what a contract earns in a month up to `last`, in multiples of `minor`.

    The month's fee, as far as the contract is in force, lies on the month's week parts by largest remainder; inside a
    week part it is cumulated by working day, then rounded. So a finished month in force from end to end earns exactly
    its fee. A month without working days is phased by calendar days.
    """
    if client.monthly_fee is None:
        return Decimal(0)
    since = client.since or month.start
    until = client.contract_end or month.end
    if since > month.end or since > last:
        return Decimal(0)
    if until < month.start:
        return Decimal(0)

    if not calendar.in_period(month):
        calendar = _every_day(month)
    first = max(since, month.start)
    end = min(until, month.end)
    earned = Decimal(0)
    for week, amount in _fee_by_week(
        client.monthly_fee, month, first, end, calendar=calendar, minor=minor
    ):
        start = max(week.start, first)
        ends = min(week.end, end)
        if ends <= last:
            earned += amount
            continue
        behind = calendar.working_days(start, min(ends, last))
        if behind:
            whole = calendar.working_days(start, ends)
            earned += round_money(amount * behind / whole, minor)
    return earned


def budget_until(
    card: Card, last: date, *, calendar: WorkCalendar, minor: Decimal
) -> Decimal:
    """Return what of a card's budget is planned up to `last`, cumulated by working day from its start to its due date.

    Dates without a working day between them plan the whole budget for the due date; a card without budget or dates, or
    with dates the wrong way round, plans nothing.
    """
    if card.budget is None:
        return Decimal(0)
    if card.start is None or card.due is None:
        return Decimal(0)
    if card.start > card.due:
        return Decimal(0)
    if last >= card.due:
        return round_money(card.budget, minor)

    behind = calendar.working_days(card.start, last)
    if not behind:
        return Decimal(0)
    whole = calendar.working_days(card.start, card.due)
    return round_money(card.budget * behind / whole, minor)


@lru_cache(maxsize=2048)
def _fee_by_week(
    fee: Decimal,
    month: Period,
    first: date,
    end: date,
    *,
    calendar: WorkCalendar,
    minor: Decimal,
) -> tuple[tuple[Period, Decimal], ...]:
    """Return the parts of a fee that lie on the week parts of a month, in force from `first` to `end`."""
    weeks = parts_of(month)
    days = []
    for week in weeks:
        start = max(week.start, first)
        last = min(week.end, end)
        days.append(calendar.working_days(start, last))

    whole = calendar.in_period(month)
    earned = round_money(fee * sum(days) / whole, minor)
    if not any(days):
        return ()
    amounts = split(earned, days, minor)
    return tuple(zip(weeks, amounts, strict=True))


@lru_cache(maxsize=128)
def _every_day(period: Period) -> WorkCalendar:
    """Return a calendar on which each day of a period is worked."""
    return WorkCalendar(days_on=frozenset(period.days()))
