"""How work flows through a card: counts, weights, throughput, cycle time, read from its issues.

Days are those of the workspace's zone. Throughput is counted on working days: what was finished on a day off
belongs to the next working day, and days on which nothing was finished count as zero (docs/facts/definitions.md 9).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Category, Issue
from worker.domain.periods import A_DAY, WorkCalendar, day_begins, local_day

SHARE = Decimal("0.0001")
HOUR = Decimal(3600)
DONE = Category.DONE.value
ACTIVE = Category.ACTIVE.value


def share(part: Decimal | float, whole: Decimal | float) -> Decimal | None:
    """Return `part / whole` to four decimals, None when there is no whole."""
    if not whole:
        return None
    dividend = Decimal(part)
    divisor = Decimal(whole)
    return ratio(dividend / divisor)


def ratio(value: Decimal | float) -> Decimal:
    """Return a share to four decimals."""
    exact = Decimal(value)
    return exact.quantize(SHARE, ROUND_HALF_UP)


def weigh(issues: Sequence[Issue], least: Decimal) -> list[Decimal]:
    """Return the weight of each issue: hours or points when at least the share `least` of them carries one, else 1.

    Looked at is the level that carries estimates: a parent weighs nothing beside its sub-tasks, or they beside it.
    """
    scale = _scale_of(issues, least)
    return [_weigh([issue], scale) for issue in issues]


class Sums(msgspec.Struct, frozen=True, gc=False):
    """The weight of all issues and of parts of them: `by` is `estimate` or `count`, `unit` `h`, `points` or empty."""

    by: str
    unit: str
    whole: Decimal
    parts: tuple[Decimal, ...]


def weigh_sums(
    issues: Sequence[Issue], parts: Sequence[Sequence[Issue]], least: Decimal
) -> Sums:
    """Return what `weigh` gives, summed over all issues and over each of the parts.

    Issues of a part that are none of all (they left) weigh what they did beside the others.
    """
    scale = _scale_of(issues, least)
    before = _with_those_that_left(scale, issues, parts)
    weights = []
    for part in parts:
        weight = _weigh(part, before)
        weights.append(weight)
    return Sums(
        by="estimate" if scale.unit else "count",
        unit=scale.unit,
        whole=_weigh(issues, scale),
        parts=tuple(weights),
    )


class _Scale(msgspec.Struct, frozen=True, gc=False):
    """The unit of weights, empty when issues are counted, and the ids of those that another level weighs for."""

    unit: str = ""
    left_out: frozenset[str] = frozenset()


def _with_those_that_left(
    scale: _Scale, issues: Sequence[Issue], parts: Sequence[Sequence[Issue]]
) -> _Scale:
    """Return the scale for issues that are still there and for those that left."""
    here = {issue.id for issue in issues}
    gone: list[Issue] = []
    for part in parts:
        for issue in part:
            if issue.id not in here:
                gone.append(issue)
    if not scale.unit or not gone:
        return scale

    every = [*issues, *gone]
    carries = _carriers(every, scale.unit)
    silent = _left_out(every, carries) - here
    left_out = scale.left_out | silent
    return replace(scale, left_out=left_out)


def _scale_of(issues: Sequence[Issue], least: Decimal) -> _Scale:
    """Return the unit that at least the share `least` of the issues that count is estimated in."""
    for unit in ("h", "points"):
        carries = _carriers(issues, unit)
        left_out = _left_out(issues, carries)
        carries -= left_out
        counted = len(issues) - len(left_out)
        enough = least * counted
        if carries and len(carries) >= enough:
            return _Scale(unit, left_out)
    return _Scale()


def _carriers(issues: Sequence[Issue], unit: str) -> set[str]:
    """Return the ids of the issues that carry an estimate."""
    carriers = set()
    for issue in issues:
        if _amount(issue, unit):
            carriers.add(issue.id)
    return carriers


def _left_out(issues: Sequence[Issue], carries: set[str]) -> frozenset[str]:
    """Return the ids of parents whose sub-tasks all carry an estimate, and of sub-tasks beside a parent that counts."""
    parents = {issue.id for issue in issues if issue.level >= 0}
    if len(parents) == len(issues):
        return frozenset()
    left_out: set[str] = set()
    for parent, children in _sub_tasks(issues).items():
        if parent in parents:
            gives_way = _gives_way(children, carries, is_estimated=parent in carries)
            if gives_way:
                left_out.add(parent)
            else:
                left_out |= children
        elif parents:
            # Their parent is no work of this card: without an estimate they say nothing beside others.
            left_out |= children - carries
    return frozenset(left_out)


def _sub_tasks(issues: Sequence[Issue]) -> dict[str, set[str]]:
    """Return the ids of sub-tasks by their parent's."""
    below: dict[str, set[str]] = defaultdict(set)
    for issue in issues:
        if issue.level >= 0:
            continue
        parent = issue.parent or ""
        children = below[parent]
        children.add(issue.id)
    return below


def _gives_way(children: set[str], carries: set[str], *, is_estimated: bool) -> bool:
    """Tell whether a parent gives way to its sub-tasks: all carry an estimate, or some do and it does not itself."""
    missing = children - carries
    if not missing:
        return True
    some = missing != children
    return some and not is_estimated


def _weigh(issues: Sequence[Issue], scale: _Scale) -> Decimal:
    """Return what issues weigh together; an amount below zero is none."""
    if not scale.unit:
        return Decimal(len(issues))
    counted = [issue for issue in issues if issue.id not in scale.left_out]
    amounts = [_amount(issue, scale.unit) for issue in counted]
    if scale.unit == "h":
        # Seconds are summed before they are divided: thousands of issues are added up as whole numbers.
        seconds = sum(amounts)
        return Decimal(seconds) / HOUR
    # By its digits: a float of 0.1 is not a tenth.
    written = [str(amount) for amount in amounts]
    return sum(map(Decimal, written), Decimal(0))


def _amount(issue: Issue, unit: str) -> float:
    """Return the seconds or points of an issue; none below zero."""
    match unit:
        case "h":
            amount: float | None = issue.estimate
        case _:
            amount = issue.points
    return max(amount or 0, 0)


def finished_on(issue: Issue, zone: tzinfo) -> date | None:
    """Return the day a done issue was finished; None when not told."""
    end = ended_at(issue)
    if end is None:
        return None
    return local_day(end, zone)


def ended_at(issue: Issue) -> datetime | None:
    """Return when a done issue was finished: its resolution, else its last move to done; None when not told."""
    if issue.category != DONE:
        return None
    if issue.resolved is not None:
        return issue.resolved
    for move in reversed(issue.moves):
        if move.after == DONE:
            return move.at
    return None


class Window(msgspec.Struct, frozen=True, gc=False):
    """The working days that end yesterday; `places` tells for every calendar day on which of them it counts."""

    start: date
    size: int
    places: dict[date, int]
    zone: tzinfo

    @property
    def since(self) -> datetime:
        """Return the instant the window begins at."""
        return day_begins(self.start, self.zone)


def window_before(
    today: date, weeks: int, *, calendar: WorkCalendar, zone: tzinfo
) -> Window:
    """Return the window of `weeks` weeks before `today`."""
    start = today - timedelta(weeks=weeks)
    places: dict[date, int] = {}
    size = 0
    day = start
    while day < today:
        places[day] = size
        size += calendar.is_working(day)
        day += A_DAY
    if not size:
        return Window(start, size, {}, zone)

    # Days off at the end have no working day after them inside the window: they count on the last one.
    last = size - 1
    for day, place in places.items():
        places[day] = min(place, last)
    return Window(start, size, places, zone)


def daily_throughput(
    finished: Iterable[datetime], first: date | None, *, window: Window
) -> list[int]:
    """Return items finished on each working day of the window, from the day the work began (`first`) on."""
    counts = [0] * window.size
    since = window.since
    places = window.places
    for moment in finished:
        # Comparing instants is cheaper than asking each for its day, and most lie before the window.
        if moment < since:
            continue
        day = local_day(moment, window.zone)
        place = places.get(day)
        if place is not None:
            counts[place] += 1
    if first is None:
        return counts
    begun = places.get(first, 0)
    return counts[begun:]


class Trace(msgspec.Struct, frozen=True, gc=False):
    """What an issue's history tells: its first move into work, its last move to done, and whether it ever left done.

    `since` is its first move into work after it was last done, if ever.
    """

    begun: datetime | None
    ended: datetime | None
    since: datetime | None
    reopened: bool


def read_traces(issues: Iterable[Issue]) -> list[Trace]:
    """Return what the moves of each issue tell."""
    return [_read_trace(issue) for issue in issues]


def _read_trace(issue: Issue) -> Trace:
    begun = None
    ended = None
    since = None
    reopened = False
    for move in issue.moves:
        after = move.after
        if after == DONE:
            ended = move.at
            since = None
            continue
        if after == ACTIVE:
            begun = begun or move.at
            since = since or move.at
        if move.before == DONE:
            reopened = True
    return Trace(begun, ended, since, reopened)


def cycle_days(traces: Iterable[Trace], zone: tzinfo) -> list[int]:
    """Return days from the first move into work to the last move to done, both included, where the history tells."""
    days = []
    for trace in traces:
        if trace.begun is None or trace.ended is None:
            continue
        first = local_day(trace.begun, zone)
        last = local_day(trace.ended, zone)
        passed = last - first
        days.append(passed.days + 1)
    return days


def percentile(values: Collection[int], percent: int) -> int | None:
    """Return the nearest-rank percentile."""
    if not values:
        return None
    ordered = sorted(values)
    # Rounded up in whole numbers: a float would miss the rank at round shares.
    part = len(ordered) * percent
    rank, rest = divmod(part, 100)
    if rest:
        rank += 1
    return ordered[rank - 1]


def top_carrier(
    logged: Mapping[str, int], open_issues: Iterable[Issue]
) -> tuple[str, Decimal] | None:
    """Return who carries most of a card and their share: by seconds `logged`, else by open assigned items."""
    load = logged
    if not any(logged.values()):
        assignees = [issue.assignee for issue in open_issues if issue.assignee]
        load = Counter(assignees)
    if not load:
        return None

    most = max(load.values())
    whole = sum(load.values())
    part = share(most, whole) or Decimal(0)
    carriers = []
    for person, amount in load.items():
        if amount == most:
            carriers.append(person)
    return min(carriers), part
