"""The earned schedule of a card against the plan frozen when it went to work (docs/facts/definitions.md 8).

Both clocks stop at the end of yesterday: today's work is still ahead, whatever the hour of the run. The plan rises from
due date to due date of the items, evenly between them; items without one are spread over the whole of it. Only what was
planned then earns: work added later does not, and what was rejected or taken away leaves the plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, CardWork, Issue, Stage
from worker.domain.periods import A_DAY, WorkCalendar
from worker.method.formulas.flow import finished_on, weigh
from worker.method.measures import CardMeasure
from worker.world.memory import Baseline, PlannedItem
from worker.world.world import World

HUNDREDTH = Decimal("0.01")
EXACT = 6
"""Decimals of work that are kept: sums of the same weights in another order are then the same."""


class _Point(msgspec.Struct, frozen=True, gc=False):
    """So much work is planned to be done by the end of so many working days."""

    days: int
    work: float


def keep_baseline(card: Card, measure: CardMeasure, world: World) -> Baseline | None:
    """Return the plan frozen for a card, now or once; None while there is nothing to freeze."""
    kept = world.memory.baselines.get(str(card.ref))
    if kept is not None:
        return _with_items(kept, card, world)
    if (
        card.stage is not Stage.IN_PROGRESS
        or measure.due is None
        or not measure.work_total
    ):
        return None
    issues = world.work[card.ref].issues
    # Without a start on the card the plan begins with the work itself, or progress made before would look like speed.
    begun = min(issue.created for issue in issues)
    start = card.start or world.day_of(begun)
    if start >= measure.due:
        return None
    total = float(measure.work_total)
    items = _plan_items(issues, world)
    return Baseline(world.today, start, measure.due, total, measure.by, items)


def _with_items(kept: Baseline, card: Card, world: World) -> Baseline:
    """Return a plan that was kept without its items with those that stood when it was frozen."""
    work = world.work.get(card.ref)
    if kept.items or work is None or work.as_of is not None:
        return kept
    after = world.begin_of(kept.frozen + A_DAY)
    stood = [issue for issue in work.issues if issue.created < after]
    return replace(kept, items=_plan_items(stood, world))


def _plan_items(issues: Sequence[Issue], world: World) -> dict[str, PlannedItem]:
    weights = weigh(issues, world.thresholds.estimate_share)
    return {
        issue.id: PlannedItem(float(weight), issue.due)
        for issue, weight in zip(issues, weights, strict=True)
        if weight
    }


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """The working days in which the plan had done so much, and those that have passed."""

    earned: Decimal
    actual: int

    @property
    def index(self) -> Decimal:
        """Return SPI(t) = earned schedule / actual time."""
        index = self.earned / self.actual
        return index.quantize(HUNDREDTH)


def measure_schedule(
    card: Card, measure: CardMeasure, world: World, *, baseline: Baseline | None
) -> Schedule | None:
    """Return the earned schedule and the actual time of a card, in working days; None while they say nothing.

    On its first days (`spi_muted_share` of the plan) every project is "behind".
    """
    if baseline is None or not measure.known:
        return None
    if baseline.by != measure.by:
        return None
    work = world.work.get(card.ref, CardWork())
    planned = _planned(work, baseline, world)
    until = _last_day(planned, world)
    calendar = world.calendar
    actual = calendar.working_days(baseline.start, until)
    length = calendar.working_days(baseline.start, baseline.due)
    muted = world.thresholds.spi_muted_share * length
    if not actual or actual < muted:
        return None

    scope = {issue.id: baseline.items[issue.id] for issue in planned}
    curve = _planned_value(scope, baseline, calendar)
    if not curve[-1].work:
        return None
    weights = [
        scope[issue.id].weight
        for issue in planned
        if _is_done(issue, until, world.zone)
    ]
    earned = round(sum(weights), EXACT)
    schedule = _earned_schedule(curve, earned, actual)
    return Schedule(Decimal(schedule), actual)


def _planned(work: CardWork, baseline: Baseline, world: World) -> list[Issue]:
    """Return the issues of the plan; what was done before it begins is no part of it, or it would look like speed."""
    planned = []
    for issue in work.issues:
        if issue.id not in baseline.items:
            continue
        end = finished_on(issue, world.zone)
        if end is None or end >= baseline.start:
            planned.append(issue)
    return planned


def _last_day(planned: Sequence[Issue], world: World) -> date:
    """Return the day the planned work ended, else yesterday."""
    yesterday = world.today - A_DAY
    if not all(issue.done for issue in planned):
        return yesterday
    ends = [finished_on(issue, world.zone) for issue in planned]
    return max(filter(None, ends), default=yesterday)


def _is_done(issue: Issue, until: date, zone: tzinfo) -> bool:
    """Tell whether an issue was finished by a day; one whose day nobody knows was."""
    if not issue.done:
        return False
    end = finished_on(issue, zone)
    return end is None or end <= until


def _planned_value(
    items: Mapping[str, PlannedItem], baseline: Baseline, calendar: WorkCalendar
) -> list[_Point]:
    """Return the corners of the plan's curve; the last is the end of the plan."""
    length = calendar.working_days(baseline.start, baseline.due)
    dated: dict[int, float] = defaultdict(float)
    spread = 0.0
    for item in items.values():
        if item.due is None:
            spread += item.weight
            continue
        days = calendar.working_days(baseline.start, item.due)
        # What was due before the start is due on its first day; the card's own date is the last.
        day = min(max(days, 1), length)
        dated[day] += item.weight
    curve = [_Point(0, 0.0)]
    due = 0.0
    for days in sorted({*dated, length}):
        due += dated[days]
        planned = due + spread * days / length
        work = round(planned, EXACT)
        point = _Point(days, work)
        curve.append(point)
    return curve


def _earned_schedule(curve: Sequence[_Point], earned: float, actual: int) -> float:
    """Return by how many working days so much work was planned; where the plan rests, not less than have passed."""
    for left, right in pairwise(curve):
        if earned >= right.work:
            continue
        work = right.work - left.work
        days = right.days - left.days
        part = (earned - left.work) / work
        return left.days + part * days

    end = curve[-1]
    reached = [point.days for point in curve if point.work >= end.work]
    first = min(reached)
    return min(max(first, actual), end.days)
