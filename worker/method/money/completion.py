"""How far a card's work had come, as of each day: scope and finished work as they stood then (docs/method.md 2.1).

So a fixed price that was earned is not restated: new scope and a reopened item count from the day they came about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, tzinfo
from decimal import Decimal

import msgspec

from worker.domain.entities import CardWork, Category, Issue
from worker.domain.periods import local_day
from worker.method.formulas.flow import finished_on, weigh

ZERO = Decimal(0)
DONE = Category.DONE.value


class Completion(msgspec.Struct, frozen=True, gc=False):
    """The share of the scope that was finished at the end of a day, 0..1; `gained` was finished on it."""

    day: date
    share: Decimal
    gained: Decimal


def complete(work: CardWork, least: Decimal, zone: tzinfo) -> tuple[Completion, ...]:
    """Return how far work had come at the end of each day on which that changed, the oldest first.

    Weights are those of today; `least` is the share of issues that must carry an estimate to be weighed by it. What was
    rejected is scope until it was.
    """
    weights = weigh(work.issues, least)
    scope: dict[date, Decimal] = defaultdict(Decimal)
    finished: dict[date, Decimal] = defaultdict(Decimal)
    reopened: dict[date, Decimal] = defaultdict(Decimal)
    for issue, weight in zip(work.issues, weights, strict=True):
        spans = tuple(_done_spans(issue, zone))
        entered = local_day(issue.created, zone)
        if spans:
            entered = min(entered, spans[0][0])
        scope[entered] += weight
        for start, end in spans:
            finished[start] += weight
            if end is not None:
                reopened[end] += weight
    _add_rejected(work, scope, least=least, zone=zone)

    whole = done = ZERO
    steps = []
    for day in sorted({*scope, *finished, *reopened}):
        whole += scope.get(day, ZERO)
        gained = finished.get(day, ZERO)
        done += gained - reopened.get(day, ZERO)
        if whole:
            steps.append(Completion(day, done / whole, gained / whole))
    return tuple(steps)


def _add_rejected(
    work: CardWork, scope: dict[date, Decimal], *, least: Decimal, zone: tzinfo
) -> None:
    if not work.rejected:
        return
    every = (*work.issues, *work.rejected)
    weights = weigh(every, least)
    count = len(work.issues)
    for issue, weight in zip(work.rejected, weights[count:], strict=True):
        left = finished_on(issue, zone)
        entered = local_day(issue.created, zone)
        if left is None:
            continue
        if entered < left:
            scope[entered] += weight
            scope[left] -= weight


def _done_spans(issue: Issue, zone: tzinfo) -> Iterator[tuple[date, date | None]]:
    """Yield when an issue was done: from a day, to the day it was reopened (None: it still is)."""
    start: date | None = None
    end = date.min
    for move in issue.moves:
        day = local_day(move.at, zone)
        if move.after == DONE and start is None:
            start = day
        elif move.after != DONE and start is not None:
            if start < day:
                yield start, day
            start = None
            end = day
    last = finished_on(issue, zone)
    if last is not None:
        yield max(last, end), None
    elif start is not None and issue.category != DONE:
        # The history ends with the work done, yet it is open: it was reopened since.
        reopened = local_day(issue.updated, zone)
        if start < reopened:
            yield start, reopened
