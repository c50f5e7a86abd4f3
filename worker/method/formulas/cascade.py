"""A quarter's money over its months and week parts, exact to the cent, with people's pins kept (docs/method.md 2.2).

Every node gets its share by working days. A pinned node keeps its value and the rest goes to its unpinned siblings; a
node whose pinned parts need more than its share takes what they need. Where pins leave no way at all, the pinned values
still stand, the node is reported as a conflict, and an unpinned quarter gives way so that the sums stay exact.
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

ZERO = Decimal("0.00")


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
    found = [quarter]
    for month in parts_of(quarter):
        found.append(month)
        found += parts_of(month)
    return tuple(found)


class Conflict(msgspec.Struct, frozen=True, gc=False):
    """A node whose own target and the pins below it exclude each other: they sum to `below`."""

    period: Period
    target: Decimal
    below: Decimal


class Cascade(msgspec.Struct, frozen=True, gc=False):
    """Targets by period code; a node above which nothing is set has none."""

    targets: Mapping[str, Decimal | None]
    conflicts: tuple[Conflict, ...] = ()


class _Node(msgspec.Struct, frozen=True, gc=False):
    """What a node can be: at least `low`; no more than that either when `fixed`."""

    period: Period
    weight: int
    low: Decimal
    fixed: bool
    parts: tuple[_Node, ...] = msgspec.field(default=())

    def needs(self) -> Decimal:
        """Return what its parts take at least."""
        lows = [part.low for part in self.parts]
        return sum(lows, ZERO)

    def is_settled(self) -> bool:
        """Tell whether none of its parts may take more than its least."""
        return all(part.fixed for part in self.parts)


def cascade(
    total: Decimal | None,
    quarter: Period,
    calendar: WorkCalendar,
    *,
    pins: Mapping[str, Decimal],
    minor: Decimal,
) -> Cascade:
    """Return the target of the quarter and of every month and week part in it.

    `total` is the quarter's target when the quarter is not pinned (None: there is none). `pins` are people's targets by
    period code, not negative, multiples of `minor`. Source: docs/facts/definitions.md 6.
    """
    root = _measure(quarter, calendar, pins)
    own = pins.get(quarter.code, total)
    targets: dict[str, Decimal | None] = {}
    conflicts: list[Conflict] = []

    is_pinned = quarter.code in pins
    if own is not None and not is_pinned and not _fits(root, own):
        conflicts.append(Conflict(quarter, own, root.low))
        own = root.low
    _place(root, own, pins, minor=minor, targets=targets, conflicts=conflicts)
    return Cascade(targets, tuple(conflicts))


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


def _measure(
    period: Period, calendar: WorkCalendar, pins: Mapping[str, Decimal]
) -> _Node:
    """Return what a period can be: a pinned one its pin, a week without working days nothing, another what its parts can."""
    weight = calendar.in_period(period)
    is_idle = period.grain is Grain.WEEK and weight == 0
    node = _Node(
        period=period,
        weight=weight,
        low=ZERO,
        fixed=is_idle,
        parts=tuple(_measure(part, calendar, pins) for part in parts_of(period)),
    )

    pin = pins.get(period.code)
    if pin is not None:
        return replace(node, low=pin, fixed=True)
    if not node.parts:
        return node
    return replace(node, low=node.needs(), fixed=node.is_settled())


def _fits(node: _Node, value: Decimal) -> bool:
    low = node.needs()
    if value > low:
        return not node.is_settled()
    return value == low


def _place(
    node: _Node,
    value: Decimal | None,
    pins: Mapping[str, Decimal],
    *,
    minor: Decimal,
    targets: dict[str, Decimal | None],
    conflicts: list[Conflict],
) -> None:
    targets[node.period.code] = value
    if not node.parts:
        return

    shares: list[Decimal | None] = []
    if value is None:
        shares += [pins.get(part.period.code) for part in node.parts]
    elif not _fits(node, value):
        conflict = Conflict(node.period, value, node.needs())
        conflicts.append(conflict)
        shares += [part.low for part in node.parts]
    else:
        shares += _share(value, node.parts, minor)

    for part, share in zip(node.parts, shares, strict=True):
        _place(part, share, pins, minor=minor, targets=targets, conflicts=conflicts)


def _share(value: Decimal, parts: tuple[_Node, ...], minor: Decimal) -> list[Decimal]:
    """Split by working days among the free parts; one that needs more than its share gets that first."""
    settled = {part.period: part.low for part in parts if part.fixed}
    while True:
        free = [part for part in parts if part.period not in settled]
        rest = value - sum(settled.values(), ZERO)
        shares = _split(rest, free, minor)

        short = [part for part in free if shares[part.period] < part.low]
        if not short:
            shares |= settled
            return [shares[part.period] for part in parts]
        for part in short:
            settled[part.period] = part.low


def _split(value: Decimal, parts: list[_Node], minor: Decimal) -> dict[Period, Decimal]:
    if not parts:
        return {}
    weights = [part.weight for part in parts]
    shares = split(value, weights, minor)
    periods = [part.period for part in parts]
    return dict(zip(periods, shares, strict=True))
