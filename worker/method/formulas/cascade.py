"""A quarter's money over its months and week parts, exact to the minor unit, with people's pins kept (docs/method.md 2.2).

Every node gets what is usual for it where that adds up, else its share by working days. A pinned node keeps its value,
a week that is over the target it had, and the rest goes to the others; a node whose pinned or past parts need more than
its share takes what they need. Where that leaves no way at all, those values still stand, the node is reported as a
conflict, and an unpinned quarter gives way so that the sums stay exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from worker.domain.money import split
from worker.domain.periods import Grain, Period, WorkCalendar, children
from worker.domain.values import Ref
from worker.method.measures import PlanMeasure

ZERO = Decimal(0)


@lru_cache(maxsize=512)
def parts_of(period: Period) -> tuple[Period, ...]:
    """Return the months of a quarter or the week parts of a month, remembered: every unit asks for the same ones."""
    return children(period)


@lru_cache(maxsize=512)
def weeks_of(period: Period) -> tuple[Period, ...]:
    """Return the week parts of a quarter or a month, in order."""
    if period.grain is Grain.MONTH:
        return parts_of(period)
    found: list[Period] = []
    for month in parts_of(period):
        found += parts_of(month)
    return tuple(found)


@lru_cache(maxsize=128)
def tree_of(quarter: Period) -> tuple[Period, ...]:
    """Return a quarter, and each of its months followed by its week parts: every period that has a plan."""
    periods = [quarter]
    for month in parts_of(quarter):
        periods.append(month)
        periods += parts_of(month)
    return tuple(periods)


class Conflict(msgspec.Struct, frozen=True, gc=False):
    """A node whose own target and what stands below it exclude each other: that sums to `below`, `past` of it over.

    Below the firm (`is_firm`) are the units, else the node's own parts.
    """

    period: Period
    target: Decimal
    below: Decimal
    past: Decimal = ZERO
    is_firm: bool = False


class Cascade(msgspec.Struct, frozen=True, gc=False):
    """Targets by period code; a node above which nothing is set has none."""

    targets: Mapping[str, Decimal | None]
    conflicts: tuple[Conflict, ...] = ()


class Given(msgspec.Struct, frozen=True, gc=False):
    """What a cascade must keep, by period code, in multiples of `minor` and never negative.

    `pins` are people's targets; `past` the targets of week parts that are over; `usual` what every week part is to
    bring where nobody decides otherwise (all of them, or none: then its share by working days).
    """

    minor: Decimal
    pins: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    past: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    usual: Mapping[str, Decimal] = msgspec.field(default_factory=dict)


class _Node(msgspec.Struct, frozen=True, gc=False):
    """What a node can be: at least `low`, of which `past` is over; no more than that either when `fixed`."""

    period: Period
    weight: int
    low: Decimal
    fixed: bool
    past: Decimal = ZERO
    usual: Decimal | None = None
    parts: tuple[_Node, ...] = msgspec.field(default=())

    def needs(self) -> Decimal:
        """Return what its parts take at least."""
        low = ZERO
        for part in self.parts:
            low += part.low
        return low

    def is_settled(self) -> bool:
        """Tell whether none of its parts may take more than its least."""
        return all(part.fixed for part in self.parts)

    def conflict(self, target: Decimal) -> Conflict:
        """Return that its parts do not come to its target."""
        past = ZERO
        for part in self.parts:
            past += part.past
        low = self.needs()
        return Conflict(self.period, target, low, past)

    def takes(self, share: Decimal) -> bool:
        """Tell whether it can have a share."""
        if self.fixed:
            return share == self.low
        return share >= self.low

    def is_over(self) -> bool:
        """Tell whether it is fixed by nothing but what its weeks had."""
        return self.fixed and self.low == self.past


def cascade(
    total: Decimal | None, quarter: Period, calendar: WorkCalendar, *, given: Given
) -> Cascade:
    """Return the target of the quarter and of every month and week part in it.

    `total` is the quarter's target when the quarter is not pinned (None: there is none).
    Source: docs/facts/definitions.md 6.
    """
    own = given.pins.get(quarter.code, total)
    if own is not None and not given.usual:
        usual = phase(own, quarter, calendar=calendar, minor=given.minor)
        given = replace(given, usual=usual)
    root = _measure(quarter, calendar, given)
    targets: dict[str, Decimal | None] = {}
    conflicts: list[Conflict] = []

    is_pinned = quarter.code in given.pins
    if own is not None and not is_pinned and not _fits(root, own):
        conflict = root.conflict(own)
        conflicts.append(conflict)
        own = root.low
    _place(root, own, given, targets=targets, conflicts=conflicts)
    return Cascade(targets, tuple(conflicts))


def phase(
    amount: Decimal, period: Period, *, calendar: WorkCalendar, minor: Decimal
) -> dict[str, Decimal]:
    """Return an amount over the week parts of a period, by working days month by month; nothing where nobody works."""
    parts = parts_of(period)
    if not parts:
        return {period.code: amount}
    days = [calendar.in_period(part) for part in parts]
    if not any(days):
        return {}

    weeks: dict[str, Decimal] = {}
    for part, share in zip(parts, split(amount, days, minor), strict=True):
        weeks |= phase(share, part, calendar=calendar, minor=minor)
    return weeks


def is_exact(plans: Iterable[PlanMeasure]) -> bool:
    """Tell whether every target equals the sum of its parts' targets, conflicts that were reported aside."""
    nodes = {}
    for plan in plans:
        place = (plan.unit, plan.period.code)
        nodes[place] = plan
    return all(_adds_up(plan, nodes) for plan in nodes.values())


def _adds_up(plan: PlanMeasure, nodes: Mapping[tuple[Ref, str], PlanMeasure]) -> bool:
    parts = parts_of(plan.period)
    if plan.conflict or plan.target is None or not parts:
        return True

    total = ZERO
    for part in parts:
        node = nodes.get((plan.unit, part.code))
        if node is None or node.target is None:
            return False
        total += node.target
    return total == plan.target


def _measure(period: Period, calendar: WorkCalendar, given: Given) -> _Node:
    """Return what a period can be: a pinned one its pin, a week that is over what it had, another what its parts can.

    A week without working days is nothing, unless something else is usual for it.
    """
    weight = calendar.in_period(period)
    pin = given.pins.get(period.code)
    if period.grain is Grain.WEEK:
        return _measure_week(period, weight, given)

    below = given
    if pin is not None:
        usual = phase(pin, period, calendar=calendar, minor=given.minor)
        below = replace(given, usual=usual)
    past = ZERO
    parts = []
    for part in parts_of(period):
        child = _measure(part, calendar, below)
        past += child.past
        parts.append(child)
    node = _Node(
        period=period,
        weight=weight,
        low=ZERO,
        fixed=True,
        past=past,
        usual=_sum([part.usual for part in parts]),
        parts=tuple(parts),
    )
    if pin is not None:
        return replace(node, low=pin, past=ZERO)
    low = node.needs()
    fixed = node.is_settled()
    return replace(node, low=low, fixed=fixed)


def _measure_week(week: Period, weight: int, given: Given) -> _Node:
    code = week.code
    usual = given.usual.get(code)
    pin = given.pins.get(code)
    past = given.past.get(code)
    node = _Node(period=week, weight=weight, low=ZERO, fixed=True, usual=usual)
    if pin is not None:
        return replace(node, low=pin)
    if past is not None:
        return replace(node, low=past, past=past)
    if weight == 0:
        return replace(node, low=usual or ZERO)
    return replace(node, fixed=False)


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    """Return the sum; None when one is not known."""
    whole = ZERO
    for amount in amounts:
        if amount is None:
            return None
        whole += amount
    return whole


def _fits(node: _Node, value: Decimal) -> bool:
    low = node.needs()
    if value > low:
        return not node.is_settled()
    return value == low


def _place(
    node: _Node,
    value: Decimal | None,
    given: Given,
    *,
    targets: dict[str, Decimal | None],
    conflicts: list[Conflict],
) -> None:
    targets[node.period.code] = value
    if not node.parts:
        return

    shares: list[Decimal | None] = []
    if value is None:
        known = {**given.past, **given.pins}
        shares += [known.get(part.period.code) for part in node.parts]
    elif not _fits(node, value):
        conflict = node.conflict(value)
        conflicts.append(conflict)
        shares += [part.low for part in node.parts]
    else:
        shares += _share(value, node.parts, given.minor)

    for part, share in zip(node.parts, shares, strict=True):
        _place(part, share, given, targets=targets, conflicts=conflicts)


def _share(value: Decimal, parts: tuple[_Node, ...], minor: Decimal) -> list[Decimal]:
    """Split among the free parts; one that needs more than its share gets that first.

    Parts that are over share too, as long as that leaves them what they had: so no cent moves when a week ends.
    """
    settled: dict[Period, Decimal] = {}
    pinned: dict[Period, Decimal] = {}
    for part in parts:
        if not part.fixed:
            continue
        settled[part.period] = part.low
        if not part.is_over():
            pinned[part.period] = part.low
    if len(settled) == len(parts):
        return list(settled.values())

    shares = _share_rest(value, parts, pinned, minor=minor)
    unsuited = _unsuited(parts, shares)
    while unsuited:
        shares = _share_rest(value, parts, settled, minor=minor)
        unsuited = _unsuited(parts, shares)
        for part in unsuited:
            settled[part.period] = part.low
    return [shares[part.period] for part in parts]


def _unsuited(parts: tuple[_Node, ...], shares: dict[Period, Decimal]) -> list[_Node]:
    """Return the parts that cannot take their share."""
    return [part for part in parts if not part.takes(shares[part.period])]


def _share_rest(
    value: Decimal,
    parts: tuple[_Node, ...],
    settled: Mapping[Period, Decimal],
    *,
    minor: Decimal,
) -> dict[Period, Decimal]:
    """Return what is settled, and shares of the rest: what is usual where that adds up, else by working days."""
    rest = value
    free = []
    for part in parts:
        if part.period in settled:
            rest -= settled[part.period]
        else:
            free.append(part)
    shares = _usual(rest, free)
    if not shares:
        shares = _split(rest, free, minor)
    shares |= settled
    return shares


def _usual(value: Decimal, parts: list[_Node]) -> dict[Period, Decimal]:
    """Return what is usual for the parts, if that is exactly the value and enough for each; else nothing."""
    usual = {}
    for part in parts:
        if part.usual is None:
            return {}
        if part.usual < part.low:
            return {}
        usual[part.period] = part.usual
    if sum(usual.values(), ZERO) != value:
        return {}
    return usual


def _split(value: Decimal, parts: list[_Node], minor: Decimal) -> dict[Period, Decimal]:
    """Return the parts' shares by working days."""
    if not parts:
        return {}
    periods = []
    weights = []
    for part in parts:
        periods.append(part.period)
        weights.append(part.weight)
    shares = split(value, weights, minor)
    return dict(zip(periods, shares, strict=True))
