"""How work flows through a card: counts, weights, throughput, cycle time, read from its issues.

Days are UTC days of the instants Jira reports. Throughput is counted on working days: what was finished on a day off
belongs to the next working day, and days on which nothing was finished count as zero (docs/facts/definitions.md 9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from worker.domain.entities import Category, Issue
from worker.domain.periods import WorkCalendar

SHARE = Decimal("0.0001")
HOUR = Decimal(3600)
DONE, ACTIVE = Category.DONE.value, Category.ACTIVE.value


def share(part: Decimal | float, whole: Decimal | float) -> Decimal | None:
    """Return `part / whole` to four decimals, None when there is no whole."""
    return ratio(Decimal(part) / Decimal(whole)) if whole else None


def ratio(value: Decimal | float) -> Decimal:
    """Return a share to four decimals."""
    return Decimal(value).quantize(SHARE, ROUND_HALF_UP)


class Weights(msgspec.Struct, frozen=True, gc=False):
    """How issues weigh: `by` is `estimate` or `count`, `unit` `h`, `points` or empty; one weight for each issue."""

    by: str
    unit: str
    values: tuple[Decimal, ...]


def weigh(issues: Sequence[Issue], least: Decimal) -> Weights:
    """Return weights by hours or points when at least the share `least` of issues carries one, else by count."""
    enough = least * len(issues)
    if issues and sum(1 for issue in issues if issue.estimate) >= enough:
        return Weights(
            "estimate",
            "h",
            tuple(Decimal(issue.estimate or 0) / HOUR for issue in issues),
        )
    if issues and sum(1 for issue in issues if issue.points) >= enough:
        return Weights(
            "estimate",
            "points",
            tuple(Decimal(str(issue.points or 0)) for issue in issues),
        )
    return Weights("count", "", (Decimal(1),) * len(issues))


class Sums(msgspec.Struct, frozen=True, gc=False):
    """The weight of all issues and of parts of them; `by` and `unit` as in `Weights`."""

    by: str
    unit: str
    whole: Decimal
    parts: tuple[Decimal, ...]


def weigh_sums(
    issues: Sequence[Issue], parts: Sequence[Sequence[Issue]], least: Decimal
) -> Sums:
    """Return what `weigh` gives, summed over all issues and over each of the parts."""
    estimates = [issue.estimate for issue in issues]
    if issues and len(estimates) - estimates.count(None) - estimates.count(
        0
    ) >= least * len(issues):
        whole, *rest = (
            Decimal(sum([issue.estimate or 0 for issue in group])) / HOUR
            for group in (issues, *parts)
        )
        return Sums("estimate", "h", whole, tuple(rest))
    weights = weigh(issues, least)
    by_id = {
        issue.id: weight for issue, weight in zip(issues, weights.values, strict=True)
    }
    whole, *rest = (
        sum((by_id[issue.id] for issue in group), Decimal(0))
        for group in (issues, *parts)
    )
    return Sums(weights.by, weights.unit, whole, tuple(rest))


def finished_on(issue: Issue) -> date | None:
    """Return the day a done issue was finished: its resolution, else its last move to done; None when not told."""
    if issue.category != DONE:
        return None
    if issue.resolved is not None:
        return issue.resolved.date()
    return next(
        (move.at.date() for move in reversed(issue.moves) if move.after == DONE), None
    )


class Window(msgspec.Struct, frozen=True, gc=False):
    """The working days that end yesterday; `places` tells for every calendar day on which of them it counts."""

    start: date
    size: int
    places: dict[date, int]

    @property
    def since(self) -> datetime:
        """Return the instant the window begins at."""
        return datetime.combine(self.start, time(), UTC)


def window_before(today: date, weeks: int, calendar: WorkCalendar) -> Window:
    """Return the window of `weeks` weeks before `today`."""
    start = today - timedelta(weeks=weeks)
    places, index = {}, 0
    for offset in range(weeks * 7):
        day = start + timedelta(days=offset)
        places[day] = index
        index += calendar.is_working(day)
    return Window(
        start,
        index,
        {day: min(place, index - 1) for day, place in places.items()} if index else {},
    )


def daily_throughput(
    finished: Iterable[datetime], first: date | None, *, window: Window
) -> list[int]:
    """Return items finished on each working day of the window, from the day the work began (`first`) on."""
    counts = [0] * window.size
    since, places = window.since, window.places
    for day in [moment.date() for moment in finished if moment >= since]:
        if day in places:
            counts[places[day]] += 1
    return counts[places.get(first, 0) if first is not None else 0 :]


Trace = tuple[datetime | None, datetime | None, bool]
"""What an issue's history tells: its first move into work, its last move to done, and whether it ever left done."""


def trace(issues: Iterable[Issue]) -> list[Trace]:
    """Return what the moves of each issue tell."""
    found: list[Trace] = []
    for issue in issues:
        begun = ended = None
        reopened = False
        for move in issue.moves:
            after = move.after
            if after == DONE:
                ended = move.at
                continue
            if begun is None and after == ACTIVE:
                begun = move.at
            if move.before == DONE:
                reopened = True
        found.append((begun, ended, reopened))
    return found


def cycle_days(traces: Iterable[Trace]) -> list[int]:
    """Return days from the first move into work to the last move to done, both included, where the history tells."""
    return [
        ended.toordinal() - begun.toordinal() + 1
        for begun, ended, _ in traces
        if begun is not None and ended is not None
    ]


def percentile(values: Collection[int], percent: int) -> int | None:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


def top_carrier(
    logged: Mapping[str, int], open_issues: Iterable[Issue]
) -> tuple[str, Decimal] | None:
    """Return who carries most of a card and their share: by seconds `logged`, else by open assigned items."""
    load = (
        logged
        if any(logged.values())
        else Counter([issue.assignee for issue in open_issues if issue.assignee])
    )
    if not load:
        return None
    most = max(load.values())
    return min(person for person, part in load.items() if part == most), ratio(
        Decimal(most) / sum(load.values())
    )
