"""The work ahead: what is left of assigned items, and what proposals may bring (docs/facts/definitions.md 3).

Demand = confirmed hours + p x hours of proposals. An item lies between today (or its card's later start) and its due
date, else its card's, else the day by which 85 % of the forecast's runs end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import HUNTED, Card, Issue, Stage
from worker.domain.values import Ref
from worker.method.capacity.load import Piece
from worker.method.formulas.group import Staffing, Team
from worker.method.formulas.stages import chance_of, lead_end
from worker.method.measures import CardMeasure
from worker.world.world import World

HOUR = 3600
LATE_DAYS = 5
"""What is overdue lies on so many working days from today on."""

OVER = frozenset({Stage.DONE, Stage.LOST})
SOUGHT = (Stage.PROPOSAL, Stage.AGREED)


class Assigned(msgspec.Struct, frozen=True, gc=False):
    """Open assigned items by Jira account: hours as pieces, counts of all items and of those without an estimate.

    `cards` are the cards on which an account has open items.
    """

    pieces: tuple[Piece, ...]
    open: Counter[str]
    unestimated: Counter[str]
    cards: Mapping[str, set[Ref]]


def assigned_work(
    world: World, cards: Mapping[Ref, CardMeasure], *, accounts: Mapping[str, Ref]
) -> Assigned:
    """Return the work that is assigned, each item once. Items of finished cards do not count."""
    seen: set[str] = set()
    for ref, work in world.work.items():
        if not _is_over(world.cards.get(ref)):
            continue
        for issue in work.issues:
            if issue.category != "done":
                seen.add(issue.id)
    assigned = Assigned((), Counter(), Counter(), defaultdict(set))
    split = _split(world)
    seconds: dict[tuple[str, date, date], int] = defaultdict(int)
    for ref, work in world.work.items():
        card = world.cards.get(ref)
        if not _is_over(card):
            own = _count(work.issues, assigned, seen, split=split, ref=ref)
            for place, left in _dated(
                own, world, start=_start(card, world.today), end=_end(cards.get(ref))
            ):
                seconds[place] += left
    loose = _count(world.issues.values(), assigned, seen, split=split)
    for place, left in _dated(loose, world, start=world.today, end=None):
        seconds[place] += left
    pieces = (
        Piece(accounts[who], left / HOUR, start, end)
        for (who, start, end), left in seconds.items()
        if left and who in accounts
    )
    return replace(assigned, pieces=tuple(pieces))


def _is_over(card: Card | None) -> bool:
    return card is None or card.stage in OVER


class Split(msgspec.Struct, frozen=True, gc=False):
    """Items that have sub-tasks, by id: those `replaced` by the estimates of these, and those `covering` ones without any."""

    replaced: Mapping[str, Issue]
    covering: Mapping[str, Issue]


def _split(world: World) -> Split:
    issues = dict(world.issues)
    for work in world.work.values():
        issues |= {issue.id: issue for issue in work.issues}

    replaced: dict[str, Issue] = {}
    covering: dict[str, Issue] = {}
    for issue in issues.values():
        parent = issues.get(issue.parent or "")
        if parent is None or issue.level >= 0:
            continue
        if remaining(issue) is not None:
            replaced[parent.id] = parent
        elif remaining(parent) is not None:
            covering[parent.id] = parent

    if world.thresholds.subtask_estimates == "add":
        return Split({}, covering)
    alone: dict[str, Issue] = {}
    for key, parent in covering.items():
        if key not in replaced:
            alone[key] = parent
    return Split(replaced, alone)


def _count(
    issues: Iterable[Issue],
    assigned: Assigned,
    seen: set[str],
    *,
    split: Split,
    ref: Ref | None = None,
) -> dict[tuple[str, date | None], int]:
    """Count the open items not seen before and return the seconds left by account and due date.

    Of what is replaced nothing is left but what lies in its sub-tasks; one of those that is nobody's is its parent's.
    """
    seconds: dict[tuple[str, date | None], int] = defaultdict(int)
    for issue in issues:
        who = issue.assignee or _assignee_above(issue, split.replaced)
        if issue.category == "done" or not who:
            continue
        if issue.level > 0 or issue.id in seen:
            continue
        seen.add(issue.id)
        assigned.open[who] += 1
        left = 0 if issue.id in split.replaced else remaining(issue)
        if left is None and issue.parent not in split.covering:
            assigned.unestimated[who] += 1
        seconds[who, issue.due] += left or 0
    if ref is not None:
        for who, _ in seconds:
            assigned.cards[who].add(ref)
    return seconds


def _assignee_above(issue: Issue, parents: Mapping[str, Issue]) -> str | None:
    if issue.parent is None or issue.level >= 0:
        return None
    parent = parents.get(issue.parent)
    if parent is None:
        return None
    return parent.assignee


def _dated(
    seconds: Mapping[tuple[str, date | None], int],
    world: World,
    *,
    start: date,
    end: date | None,
) -> Iterator[tuple[tuple[str, date, date], int]]:
    """Yield seconds with their account, first and last day; what is overdue lies on the days right ahead."""
    for (who, due), left in seconds.items():
        last = due or end or start + timedelta(weeks=world.thresholds.undated_weeks)
        if last < world.today:
            first = world.calendar.add(world.today, 0)
            last = world.calendar.add(first, LATE_DAYS - 1)
        yield (who, min(start, last), last), left


def remaining(issue: Issue) -> int | None:
    """Return the seconds of work left: the remaining estimate, else estimate - spent; None without an estimate.

    An amount below zero is none.
    """
    estimate = max(issue.estimate or 0, 0)
    left = issue.remaining
    if left is not None and left >= 0 and (left or estimate):
        return left
    spent = max(issue.spent or 0, 0)
    if not estimate:
        return None
    return max(estimate - spent, 0)


def _start(card: Card | None, today: date) -> date:
    if card is None:
        return today
    planned = card.start
    if card.stage in HUNTED:
        planned = card.expected_start
    return max(today, planned or today)


def _end(card: CardMeasure | None) -> date | None:
    if card is None:
        return None
    if card.due is not None or card.forecast is None:
        return card.due
    return card.forecast.p85


class Expected(msgspec.Struct, frozen=True, gc=False):
    """The hours a proposal or an agreed card without Jira work may bring: `chance` x budget / `rate`, from `start`."""

    card: Ref
    unit: Ref | None
    hours: Decimal
    chance: Decimal
    rate: Decimal
    start: date
    end: date


def expected_work(
    world: World, cards: Mapping[Ref, CardMeasure], staffing: Staffing
) -> Iterator[Expected]:
    """Yield what cards at proposal and agreed may bring; one without budget, expected start or rate says nothing."""
    for card in world.cards.values():
        measure = cards.get(card.ref)
        if (
            card.stage not in SOUGHT
            or not card.budget
            or card.expected_start is None
            or (measure and measure.open)
        ):
            continue
        client = world.client(card.client)
        unit = None
        if client is not None and client.unit in world.units:
            unit = client.unit
        start = max(card.expected_start, world.today)
        team = _still_there(world, staffing.teams.get(unit, {}), start)
        rate = _rate(team, world) or world.thresholds.default_rate
        chance = chance_of(card, world.thresholds.stage_probability)
        if rate and chance:
            yield Expected(
                card.ref,
                unit,
                card.budget / rate * chance,
                chance,
                rate,
                start,
                lead_end(card, start, world),
            )


def _still_there(world: World, team: Team, day: date) -> Team:
    """Return the people of a team that have not left before a day, with their hours a week for it."""
    hours: dict[Ref, Decimal] = {}
    for ref, share in team.items():
        person = world.people[ref]
        if person.capacity and person.is_staff(day):
            hours[ref] = person.capacity * share
    return hours


def _rate(team: Team, world: World) -> Decimal | None:
    """Return the mean rate of a team, weighted by hours a week."""
    worth = hours = Decimal(0)
    for ref, capacity in team.items():
        rate = world.people[ref].rate
        if rate:
            worth += rate * capacity
            hours += capacity
    if not hours:
        return None
    return worth / hours


def team_at(world: World, staffing: Staffing, expected: Expected) -> Team:
    """Return who would do expected work: the unit's producing people of its first day, with their hours a week."""
    team = staffing.teams.get(expected.unit, {})
    return _still_there(world, team, expected.start)


def share_out(expected: Expected, team: Team) -> Iterator[Piece]:
    """Yield the hours as pieces of the team's people, by their hours a week."""
    whole = sum(team.values(), Decimal(0))
    for ref, capacity in team.items():
        part = expected.hours * capacity / whole
        hours = float(part)
        yield Piece(ref, hours, expected.start, expected.end)
