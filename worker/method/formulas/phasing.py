"""Phasing by working days: the share of a period behind us, and what of a monthly fee is earned (docs/facts/definitions.md 6).

Plans and facts ask the same function what a contract earns, so that a quiet one is exactly on its plan on every day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from worker.domain.dated import Dated
from worker.domain.entities import Card, Client
from worker.domain.money import round_money, split
from worker.domain.periods import A_DAY, Period, WorkCalendar
from worker.method.formulas.cascade import parts_of

Spans = tuple[tuple[date, date, Decimal], ...]
"""Stretches of days, each with its monthly fee."""


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

    Each working day earns its part of the fee in force on it, as far as the contract is in force. The
    sum lies on the month's week parts by largest remainder; inside a week part it is cumulated by working day, then
    rounded. So a finished month in force from end to end earns exactly its fee. A month without working days is phased
    by calendar days.
    """
    since = max(month.start, client.since or month.start)
    if since > month.end or since > last:
        return Decimal(0)
    spans = _fee_spans(client, month)
    if not spans:
        return Decimal(0)

    weeks = _fee_by_week(spans, month, calendar=calendar, minor=minor)
    if not weeks and not calendar.in_period(month):
        calendar = _every_day(month)
        weeks = _fee_by_week(spans, month, calendar=calendar, minor=minor)
    earned = Decimal(0)
    for week, amount in weeks:
        if week.start > last:
            break
        if week.end <= last:
            earned += amount
            continue
        behind = _weight(spans, week.start, last, calendar)
        if behind:
            whole = _weight(spans, week.start, week.end, calendar)
            earned += round_money(amount * behind / whole, minor)
    return earned


def _fee_spans(client: Client, month: Period) -> Spans:
    """Return the stretches of a month on which a contract is in force, each with its monthly fee."""
    first = month.start
    if client.since is not None:
        first = max(first, client.since)
    end = month.end
    if client.contract_end is not None:
        end = min(end, client.contract_end)
    if first > end:
        return ()
    fees = client.fees or Dated(client.monthly_fee)
    spans = []
    for start, until in _retainer_spans(client, first, end):
        for day, last, fee in fees.spans(start, until):
            if fee is None:
                continue
            span = (day, last, fee)
            spans.append(span)
    return tuple(spans)


def _retainer_spans(
    client: Client, first: date, end: date
) -> Iterator[tuple[date, date]]:
    """Yield the stretches on which a fee is promised: of a client that became a retainer, or was one, only those."""
    models = client.models
    if models is None or "retainer" not in models.values():
        yield first, end
        return
    for start, until, model in models.spans(first, end):
        if model == "retainer":
            yield start, until


def _weight(spans: Spans, start: date, end: date, calendar: WorkCalendar) -> Decimal:
    """Return working days x fee of the stretches that lie between two days."""
    weight = Decimal(0)
    for first, last, fee in spans:
        days = calendar.working_days(max(first, start), min(last, end))
        weight += fee * days
    return weight


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
    spans: Spans, month: Period, *, calendar: WorkCalendar, minor: Decimal
) -> tuple[tuple[Period, Decimal], ...]:
    """Return the parts of the fees that lie on the week parts of a month."""
    weeks = parts_of(month)
    weights = []
    for week in weeks:
        weight = _weight(spans, week.start, week.end, calendar)
        weights.append(weight)
    if not any(weights):
        return ()
    whole = calendar.in_period(month)
    fee = sum(weights, Decimal(0)) / whole
    earned = round_money(fee, minor)
    amounts = split(earned, weights, minor)
    return tuple(zip(weeks, amounts, strict=True))


@lru_cache(maxsize=128)
def _every_day(period: Period) -> WorkCalendar:
    """Return a calendar on which each day of a period is worked."""
    return WorkCalendar(days_on=frozenset(period.days()))
