"""The ray of a client: how far its work is known, what follows it, and which ideas could (docs/method.md 4.2). Pure."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import ceil

import msgspec

from worker.domain.entities import HUNTED, RUNNING, Card, Service, Stage
from worker.domain.values import Ref
from worker.method.formulas.stages import chance_of
from worker.method.measures import CardMeasure
from worker.method.outlook import Basis, Horizon

IDEAS = (Stage.IDEA, Stage.SHAPING)
OFFERED = (Stage.PROPOSAL, Stage.AGREED)
AHEAD = (Stage.AGREED, *RUNNING)
NOTHING = Decimal(0)
NEVER = datetime.max.replace(tzinfo=UTC)
MONTHS = 12
DAYS_OF_WEEK = 7


def add_months(day: date, count: int) -> date:
    """Return the same day `count` months later (earlier when negative), or the last day of a shorter month."""
    before = day.month - 1 + count
    years, months = divmod(before, MONTHS)
    year = day.year + years
    month = months + 1
    _, longest = calendar.monthrange(year, month)
    number = min(day.day, longest)
    return date(year, month, number)


def due_of(card: Card, measure: CardMeasure | None) -> date | None:
    """Return when a card is due: as measured, which the card's own field follows once it is written, else that field.

    What was measured comes first, or a run would say other things than the next one that finds its date in the field.
    """
    if measure is not None and measure.due is not None:
        return measure.due
    return card.due


def work_end(card: Card, measure: CardMeasure | None) -> Horizon | None:
    """Return when a card's work is safely over: P85, else the due date; None when neither is known."""
    if measure is not None and measure.forecast is not None:
        return Horizon(measure.forecast.p85, Basis.P85, card.ref)
    due = due_of(card, measure)
    if due is None:
        return None
    return Horizon(due, Basis.DUE, card.ref)


def horizon_of(
    contract_end: date | None,
    cards: Iterable[Card],
    measures: Mapping[Ref, CardMeasure],
) -> Horizon | None:
    """Return the latest end of running and agreed cards, or the end of the contract if that is later.

    A contract without such a card is no horizon.
    """
    ahead = [card for card in cards if card.stage in AHEAD]
    ends = []
    if contract_end and ahead:
        ends.append(Horizon(contract_end, Basis.CONTRACT))
    for card in ahead:
        measure = measures.get(card.ref)
        end = work_end(card, measure)
        if end is not None:
            ends.append(end)
    return max(ends, key=lambda end: end.day, default=None)


def planned_until(
    contract_end: date | None,
    cards: Iterable[Card],
    measures: Mapping[Ref, CardMeasure],
) -> date | None:
    """Return how far work was sold: as the horizon, but a card counts up to its due date, since its delay is no new work."""
    ahead = [card for card in cards if card.stage in AHEAD]
    days = [contract_end] if contract_end and ahead else []
    for card in ahead:
        measure = measures.get(card.ref)
        end = work_end(card, measure)
        if end is None:
            continue
        due = due_of(card, measure)
        if due is None:
            due = end.day
        sold = min(end.day, due)
        days.append(sold)
    return max(days, default=None)


def next_card(cards: Iterable[Card], today: date) -> Card | None:
    """Return the card before the start of work that is expected to start first, from today on."""
    hunted = {}
    for card in cards:
        start = card.expected_start
        if card.stage in HUNTED and start and start >= today:
            place = (start, card.ref)
            hunted[place] = card
    if not hunted:
        return None
    first = min(hunted)
    return hunted[first]


def gap_weeks(horizon: date, start: date) -> int:
    """Return the weeks from the horizon to a start, begun ones counted, never below zero."""
    days = (start - horizon).days
    begun = ceil(days / DAYS_OF_WEEK)
    return max(0, begun)


class Offers(msgspec.Struct, frozen=True, gc=False):
    """By what cards that are offered are judged: the day, the least chance, and the usual chance of a stage."""

    today: date
    least: Decimal
    usual: Mapping[str, Decimal]

    def is_late(self, card: Card) -> bool:
        """Tell whether an offered card was to start before today."""
        start = start_of(card)
        return start is not None and start < self.today

    def is_unlikely(self, card: Card) -> bool:
        """Tell whether an offered card is less likely than what counts."""
        return chance_of(card, self.usual) < self.least


def start_of(card: Card) -> date | None:
    """Return when a card is expected to start."""
    return card.expected_start or card.start


def follower(cards: Iterable[Card], until: date, offers: Offers) -> Card | None:
    """Return a card at proposal or later, not yet running, that starts by a day: likely enough, and not in the past."""
    for card in cards:
        start = start_of(card)
        if card.stage not in OFFERED:
            continue
        if start is None or start > until:
            continue
        is_out = offers.is_late(card) or offers.is_unlikely(card)
        if not is_out:
            return card
    return None


def worth(card: Card, services: Mapping[Ref, Service]) -> Decimal:
    """Return probability x value; the value is the budget, else the service's usual month; unknown counts as zero."""
    value = _value(card, services)
    if value is None or card.probability is None:
        return NOTHING
    return card.probability * value


def _value(card: Card, services: Mapping[Ref, Service]) -> Decimal | None:
    if card.budget:
        return card.budget
    if card.service is None:
        return None
    service = services.get(card.service)
    if service is None:
        return None
    return service.monthly_value


def best_ideas(
    cards: Iterable[Card],
    services: Mapping[Ref, Service],
    *,
    number: int,
    begun: Collection[Ref] = frozenset(),
) -> tuple[Card, ...]:
    """Return the ideas worth moving: those `begun` to be moved first, then by worth, then the older one."""

    def rank(card: Card) -> tuple[bool, Decimal, datetime, Ref]:
        is_new = card.ref not in begun
        value = worth(card, services)
        created = card.created or NEVER
        return is_new, -value, created, card.ref

    ideas = [card for card in cards if card.stage in IDEAS]
    ideas.sort(key=rank)
    return tuple(ideas[:number])
