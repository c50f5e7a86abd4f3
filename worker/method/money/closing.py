"""Months that close: what was counted of them stays, and what becomes known later is money of the day it is learnt
(docs/method.md 2.9).

So the ledger, the months and the lifetime value are one sum: what the rows say now of closed months, less what was
counted of them, is the true-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Client
from worker.domain.periods import month_of, previous_period
from worker.domain.values import Ref
from worker.method.measures import TRUE_UP
from worker.method.money.timeline import Timeline
from worker.world.memory import ClosedMonth, Ledger, Part, TrueUp
from worker.world.rows import LedgerRow, ledger_key
from worker.world.world import World

ZERO = Decimal(0)
NONE = (ZERO, ZERO, ZERO)


class Sums(msgspec.Struct, frozen=True, gc=False):
    """What the four series of a client come to."""

    recognised: Decimal = ZERO
    earned: Decimal = ZERO
    billed: Decimal = ZERO
    paid: Decimal = ZERO

    def __bool__(self) -> bool:
        return bool(self.recognised or self.earned or self.billed or self.paid)

    def plus(self, other: Part | TrueUp | Sums, sign: int = 1) -> Sums:
        """Return the sums with another's added, or taken away by `sign` -1."""
        return Sums(
            self.recognised + sign * other.recognised,
            self.earned + sign * other.earned,
            self.billed + sign * other.billed,
            self.paid + sign * other.paid,
        )


def sum_up(parts: Iterable[Part | TrueUp]) -> Sums:
    """Return what parts come to together."""
    sums = Sums()
    for part in parts:
        sums = sums.plus(part)
    return sums


def first_open_month(world: World) -> date:
    """Return the first day of the oldest month that is not closed.

    Rows enter a month until the end of the `close_days`-th working day after it.
    """
    month = month_of(world.today)
    while True:
        before = previous_period(month)
        last = world.calendar.add(before.end, world.thresholds.close_days)
        if last < world.today:
            return month.start
        month = before


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What all rows and all work of a client come to now, and the `hours` logged by month."""

    parts: Sequence[Part]
    hours: Mapping[date, Decimal]


def close_months(
    client: Client,
    counted: Counted,
    *,
    ledger: Ledger | None,
    rows: Sequence[LedgerRow],
    timeline: Timeline,
    world: World,
) -> tuple[tuple[Part, ...], Ledger]:
    """Return a client's money with what is closed as it was closed, and the ledger with the months that close now.

    `ledger` is that of yesterday, and `rows` give it back where nobody remembers it.
    """
    by_month = _by_month(counted.parts)
    if ledger is None and rows:
        ledger = _restored(by_month, rows)

    standing = ledger or Ledger()
    now = replace(standing, true_ups=_true_ups(standing, by_month, world.today))
    still_open = _open_months(now, by_month, client, timeline)
    closed = [_compact(month, timeline) for month in standing.months]
    open_from = first_open_month(world)
    for month in sorted(still_open):
        if month < open_from:
            worked = counted.hours.get(month, ZERO)
            entry = ClosedMonth(month, still_open[month], worked)
            closed.append(entry)
    now = replace(now, months=tuple(closed))
    last = previous_period(month_of(open_from)).start
    if last > standing.until:
        now = replace(now, until=last, turned=world.today, before=standing.until)
    if ledger is None and not _is_deleted(client, world):
        now = replace(now, opening=last)

    parts = {month.month: month.parts for month in standing.months} | still_open
    return tuple(chain.from_iterable(parts[month] for month in sorted(parts))), now


def _by_month(parts: Iterable[Part]) -> dict[date, list[Part]]:
    by_month: dict[date, list[Part]] = defaultdict(list)
    for part in parts:
        month = part.day.replace(day=1)
        by_month[month].append(part)
    return by_month


def _open_months(
    ledger: Ledger,
    by_month: Mapping[date, Sequence[Part]],
    client: Client,
    timeline: Timeline,
) -> dict[date, tuple[Part, ...]]:
    """Return the months that were not closed yesterday, with what was learnt in them of those that were."""
    parts: dict[date, list[Part]] = defaultdict(list)
    for month, counted in by_month.items():
        if month > ledger.until:
            parts[month] += counted
    learnt_in: dict[date, Sums] = defaultdict(Sums)
    for learnt in ledger.true_ups:
        day = timeline.place(learnt.day)
        if day.replace(day=1) > ledger.until:
            learnt_in[day] = learnt_in[day].plus(learnt)
    for day, sums in sorted(learnt_in.items()):
        if sums:
            part = _part(day, client, TRUE_UP, sums)
            parts[day.replace(day=1)].append(part)
    return {month: tuple(inside) for month, inside in parts.items()}


def as_of_yesterday(ledger: Ledger, world: World) -> Ledger | None:
    """Return the ledger without what closed today; None when it began today."""
    if ledger.has_begun(world.today):
        return None
    if ledger.turned != world.today:
        return ledger
    months = [month for month in ledger.months if month.month <= ledger.before]
    earned = {
        card: {
            model: {
                month: amount
                for month, amount in amounts.items()
                if month <= ledger.before
            }
            for model, amounts in models.items()
        }
        for card, models in ledger.earned.items()
    }
    return replace(ledger, months=tuple(months), until=ledger.before, earned=earned)


def _is_deleted(client: Client, world: World) -> bool:
    """Tell whether people deleted a client's opening balance."""
    return Ref("ledger", ledger_key(client.ref)) in world.trashed


def begins_anew(
    ledger: Ledger, parts: Iterable[Part], client: Client, world: World
) -> bool:
    """Tell whether what is known of a client has only begun: nothing was counted wrongly before.

    So it is when work alone brings the first money of closed months; and when a person deleted the opening balance,
    which asks to count everything before anew.
    """
    if ledger.opening is not None and _is_deleted(client, world):
        return True

    counted = any(sum_up(month.parts) for month in ledger.months)
    if counted or ledger.true_ups:
        return False
    found = [part for part in parts if part.day.replace(day=1) <= ledger.until]
    return bool(found) and not any(part.billed or part.paid for part in found)


def _true_ups(
    ledger: Ledger, by_month: Mapping[date, Sequence[Part]], today: date
) -> tuple[TrueUp, ...]:
    """Return what became known of closed months, with what became known today."""
    earlier = [learnt for learnt in ledger.true_ups if learnt.day < today]
    expected: dict[date, Sums] = {}
    for closed in ledger.months:
        own = [part for part in closed.parts if part.basis != TRUE_UP]
        expected[closed.month] = sum_up(own)
    for learnt in earlier:
        expected[learnt.month] = expected.get(learnt.month, Sums()).plus(learnt)

    for month in by_month:
        if month <= ledger.until:
            expected.setdefault(month, Sums())
    today_learnt = []
    for month in sorted(expected):
        delta = sum_up(by_month.get(month, ())).plus(expected[month], -1)
        if delta:
            learnt = TrueUp(
                today, month, delta.recognised, delta.earned, delta.billed, delta.paid
            )
            today_learnt.append(learnt)
    return (*earlier, *today_learnt)


def _part(day: date, client: Client, basis: str, sums: Sums) -> Part:
    unit = client.unit_on(day)
    return Part(
        day,
        str(unit or ""),
        basis,
        sums.recognised,
        sums.earned,
        sums.billed,
        sums.paid,
    )


def _compact(month: ClosedMonth, timeline: Timeline) -> ClosedMonth:
    """Return a closed month without its week parts, once nobody asks for them."""
    if month.month >= timeline.recent or all(
        part.day == month.month for part in month.parts
    ):
        return month
    sums: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for part in month.parts:
        place = part.unit, part.basis
        sums[place] = sums[place].plus(part)
    parts = [
        Part(month.month, unit, basis, *msgspec.structs.astuple(total))
        for (unit, basis), total in sorted(sums.items())
    ]
    return replace(month, parts=tuple(parts))


# -- after a lost state -------------------------------------------------------------------------------------------------


def _restored(
    by_month: Mapping[date, Sequence[Part]], rows: Iterable[LedgerRow]
) -> Ledger:
    """Return the ledger as its rows keep it: sums are theirs, how they lie on weeks is counted anew."""
    months: list[ClosedMonth] = []
    true_ups: list[TrueUp] = []
    ordered = _in_force(rows)
    opening = ordered[0].month if ordered[0].is_opening else None
    before = date.min
    for row in ordered:
        if not row.is_opening:
            months += _without_row(by_month, before, row.month, rows=ordered)
            before = previous_period(month_of(row.month)).start
        learnt = [
            TrueUp(row.until, month, amount, ZERO, ZERO, ZERO)
            for month, amount in row.true_ups
        ]
        true_ups += learnt
        own = Sums(row.recognised, row.earned, row.billed, row.paid)
        for correction in learnt:
            own = own.plus(correction, -1)
        spanned = [month for month in by_month if before < month <= row.month]
        counted = [part for month in sorted(spanned) for part in by_month[month]]
        rest = own.plus(sum_up(counted), -1)
        months += _filled(row, by_month, spanned, rest=rest, learnt=learnt)
        before = row.month
    return Ledger(tuple(months), tuple(true_ups), until=before, opening=opening)


def _in_force(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """Return the rows, the oldest first; months that an opening balance holds are in it."""
    ordered = sorted(rows, key=lambda row: (row.month, not row.is_opening))
    openings = [number for number, row in enumerate(ordered) if row.is_opening]
    return ordered[openings[-1] :] if openings else ordered


def _without_row(
    by_month: Mapping[date, Sequence[Part]],
    after: date,
    before: date,
    *,
    rows: Iterable[LedgerRow],
) -> Iterator[ClosedMonth]:
    """Yield the months between two that no row keeps: as they are counted now, less what rows learnt of them later."""
    later: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        for month, amount in row.true_ups:
            later[month] += amount
    for month in sorted(by_month):
        if not after < month < before:
            continue
        parts = list(by_month[month])
        if later[month]:
            known = Part(month, parts[0].unit, parts[0].basis, -later[month], *NONE)
            parts.append(known)
        if sum_up(parts).recognised or not later[month]:
            yield ClosedMonth(month, tuple(parts), ZERO)


def _filled(
    row: LedgerRow,
    by_month: Mapping[date, Sequence[Part]],
    spanned: Iterable[date],
    *,
    rest: Sums,
    learnt: Sequence[TrueUp],
) -> Iterator[ClosedMonth]:
    """Yield the months a row spans; in the last lies what the row holds beside what is counted now."""
    for month in sorted({*spanned, row.month}):
        parts = list(by_month.get(month, ()))
        if month != row.month:
            yield ClosedMonth(month, tuple(parts), ZERO)
            continue
        day = parts[-1].day if parts else month
        unit = parts[-1].unit if parts else ""
        if rest:
            basis = parts[-1].basis if parts else "act"
            parts.append(Part(day, unit, basis, *msgspec.structs.astuple(rest)))
        known = sum_up(learnt)
        if known:
            parts.append(Part(day, unit, TRUE_UP, *msgspec.structs.astuple(known)))
        yield ClosedMonth(month, tuple(parts), row.hours)
