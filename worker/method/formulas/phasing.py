"""Phasing by working days: the share of a period behind us, and the part of a monthly fee (facts/definitions.md)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from worker.domain.entities import Client
from worker.domain.periods import A_DAY, Period, WorkCalendar


def passed_share(period: Period, today: date, calendar: WorkCalendar) -> Decimal:
    """Return the share of a period's working days that lie behind us, 0..1, yesterday included."""
    if period.end < today:
        return Decimal(1)

    whole = calendar.in_period(period)
    if not whole:
        return Decimal(0)
    yesterday = today - A_DAY
    behind = calendar.working_days(period.start, yesterday)
    return Decimal(behind) / whole


def fee_until(
    client: Client, month: Period, last: date, *, calendar: WorkCalendar
) -> Decimal:
    """Return what a contract's fee comes to in a month up to `last`, by the working days it is in force; unrounded."""
    whole = calendar.in_period(month)
    if not whole:
        return Decimal(0)

    since = client.since or month.start
    until = client.contract_end or month.end
    start = max(month.start, since)
    end = min(month.end, last, until)

    fee = client.monthly_fee or Decimal(0)
    days = calendar.working_days(start, end)
    return fee * days / whole
