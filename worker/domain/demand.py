"""The work ahead: what is left of assigned items, and what proposals may bring (facts/definitions.md, forecast load).

Demand = confirmed hours + p x hours of proposals. An item lies between today (or its card's later start) and its due
date, else its card's, else the day by which 85 % of the forecast's runs end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from worker.domain.load import Piece
from worker.domain.measures import CardMeasure
from worker.domain.model import HUNTED, Card, Issue, Person, Stage
from worker.domain.staffing import Staffing
from worker.domain.values import Ref
from worker.domain.world import World

HOUR = 3600
LATE_DAYS = 5
"""What is overdue lies on so many working days from today on."""

OVER = frozenset({Stage.DONE, Stage.LOST})
SOUGHT = (Stage.PROPOSAL, Stage.AGREED)


@dataclass(frozen=True, slots=True)
class Assigned:
    """Open assigned items: hours as pieces, counts of all and of estimated items by person, the cards they belong to.

    `strangers` counts the open items of accounts that are nobody's in People.
    """

    pieces: tuple[Piece, ...]
    open: Counter[Ref]
    estimated: Counter[Ref]
    cards: Mapping[Ref, set[Ref]]
    strangers: Counter[str]


def assigned_work(world: World, cards: Mapping[Ref, CardMeasure], *, accounts: Mapping[str, Ref],
                  owners: Mapping[str, Ref]) -> Assigned:
    """Return the work that is assigned; `owners` gives the card of an issue. Items of finished cards do not count."""
    found = Assigned((), Counter(), Counter(), defaultdict(set), Counter())
    seconds: Counter[tuple[Ref, Ref | None, date | None]] = Counter()
    dead = {ref for ref, card in world.cards.items() if card.stage in OVER}
    for issue in world.issues.values():
        if issue.category == "done" or not issue.assignee or issue.level > 0:
            continue
        card = owners.get(issue.id)
        if card in dead:
            continue
        person = accounts.get(issue.assignee)
        if person is None:
            found.strangers[issue.assignee] += 1
            continue
        left = remaining(issue)
        found.open[person] += 1
        if card is not None:
            found.cards[person].add(card)
        if left is not None:
            found.estimated[person] += 1
            seconds[person, card, issue.due] += left
    return Assigned(tuple(_pieces(seconds, world, cards)), found.open, found.estimated, found.cards, found.strangers)


def remaining(issue: Issue) -> int | None:
    """Return the seconds of work left: the remaining estimate, else estimate - spent; None without an estimate."""
    if issue.remaining is not None and (issue.remaining or issue.estimate):
        return issue.remaining
    return max(issue.estimate - (issue.spent or 0), 0) if issue.estimate else None


def _pieces(seconds: Mapping[tuple[Ref, Ref | None, date | None], int], world: World,
            cards: Mapping[Ref, CardMeasure]) -> Iterator[Piece]:
    for (person, card, due), left in seconds.items():
        start = _start(world.cards.get(card) if card else None, world.today)
        end = due or _end(cards.get(card) if card else None) or start + timedelta(weeks=world.thresholds.undated_weeks)
        if end < world.today:
            end = world.calendar.add(world.calendar.add(world.today, 0), LATE_DAYS - 1)
        if left:
            yield Piece(person, left / HOUR, min(start, end), end)


def _start(card: Card | None, today: date) -> date:
    planned = (card.expected_start if card.stage in HUNTED else card.start) if card else None
    return max(today, planned or today)


def _end(card: CardMeasure | None) -> date | None:
    if card is None:
        return None
    return card.due or (card.forecast.p85 if card.forecast else None)


def owners_of(world: World, wanted: Container[str]) -> dict[str, Ref]:
    """Return the card of every open issue and of the issues in `wanted`; of several cards the first that is alive."""
    owners: dict[str, Ref] = {}
    alive = [ref for ref in world.work if (card := world.cards.get(ref)) and card.stage not in OVER]
    for ref in (*alive, *(world.work.keys() - set(alive))):
        for issue in world.work[ref].issues:
            if issue.category != "done" or issue.id in wanted:
                owners.setdefault(issue.id, ref)
    return owners


@dataclass(frozen=True, slots=True)
class Expected:
    """The hours a proposal or an agreed card without Jira work may bring: `chance` x budget / `rate`, from `start`."""

    card: Ref
    unit: Ref | None
    hours: Decimal
    chance: Decimal
    rate: Decimal
    start: date
    end: date


def expected_work(world: World, cards: Mapping[Ref, CardMeasure], staffing: Staffing) -> Iterator[Expected]:
    """Yield what cards at proposal and agreed may bring; one without budget, expected start or rate says nothing."""
    for card in world.cards.values():
        measure = cards.get(card.ref)
        if card.stage not in SOUGHT or not card.budget or card.expected_start is None or (measure and measure.open):
            continue
        client = world.clients.get(card.client) if card.client else None
        unit = client.unit if client and client.unit in world.units else None
        rate = _rate([world.people[ref] for ref in staffing.teams.get(unit, ())]) or world.thresholds.default_rate
        chance = _chance(card, world)
        if rate and chance:
            start = max(card.expected_start, world.today)
            yield Expected(card.ref, unit, card.budget / rate * chance, chance, rate, start, _until(card, start, world))


def _chance(card: Card, world: World) -> Decimal:
    usual = world.thresholds.stage_probability.get(str(card.stage), Decimal(0))
    return card.probability if card.probability is not None else usual


def _until(card: Card, start: date, world: World) -> date:
    """Return the last day of the service's lead time, which begins with the work."""
    service = world.services.get(card.service) if card.service else None
    weeks = service.lead_weeks if service and service.lead_weeks else world.thresholds.service_lead_weeks
    return start + timedelta(days=max(ceil(weeks * 7), 1) - 1)


def _rate(team: Sequence[Person]) -> Decimal | None:
    """Return the mean rate of a team, weighted by hours a week."""
    paid = [(person.rate, person.capacity) for person in team if person.rate and person.capacity]
    hours = sum((capacity for _, capacity in paid), Decimal(0))
    return sum((rate * capacity for rate, capacity in paid), Decimal(0)) / hours if hours else None


def share_out(expected: Expected, team: Sequence[Person]) -> Iterator[Piece]:
    """Yield the hours as pieces of the team's people, by their hours a week."""
    whole = sum((person.capacity or Decimal(0) for person in team), Decimal(0))
    for person in team:
        if person.capacity:
            part = float(expected.hours * person.capacity / whole)
            yield Piece(person.ref, part, expected.start, expected.end)
