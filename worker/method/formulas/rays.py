"""The ray of a client: how far its work is known, what follows it, and which ideas could (docs/method.md 4.2). Pure."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal

from worker.domain.entities import HUNTED, RUNNING, Card, Service, Stage
from worker.domain.values import Ref
from worker.method.measures import CardMeasure
from worker.method.outlook import Basis, Horizon

IDEAS = (Stage.IDEA, Stage.SHAPING)
OFFERED = (Stage.PROPOSAL, Stage.AGREED)
AHEAD = (Stage.AGREED, *RUNNING)


def add_months(day: date, count: int) -> date:
    """Return the same day `count` months later (earlier when negative), or the last day of a shorter month."""
    year, month = divmod(12 * day.year + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def due_of(card: Card, measure: CardMeasure | None) -> date | None:
    """Return when a card is due: as measured, which the card's own field follows once it is written, else that field.

    What was measured comes first, or a run would say other things than the next one that finds its date in the field.
    """
    return (measure.due if measure is not None else None) or card.due


def work_end(card: Card, measure: CardMeasure | None) -> Horizon | None:
    """Return when a card's work is safely over: P85, else the due date; None when neither is known."""
    if measure is not None and measure.forecast is not None:
        return Horizon(measure.forecast.p85, Basis.P85, card.ref)
    due = due_of(card, measure)
    return Horizon(due, Basis.DUE, card.ref) if due else None


def horizon_of(
    contract_end: date | None,
    cards: Iterable[Card],
    measures: Mapping[Ref, CardMeasure],
) -> Horizon | None:
    """Return the latest end of running and agreed cards, or the end of the contract if that is later."""
    ends = [Horizon(contract_end, Basis.CONTRACT)] if contract_end else []
    ends += [
        end
        for card in cards
        if card.stage in AHEAD and (end := work_end(card, measures.get(card.ref)))
    ]
    return max(ends, key=lambda end: end.day, default=None)


def next_card(cards: Iterable[Card]) -> Card | None:
    """Return the card before the start of work that is expected to start first."""
    dated = [card for card in cards if card.stage in HUNTED and card.expected_start]
    return min(
        dated,
        key=lambda card: (card.expected_start or date.max, card.ref),
        default=None,
    )


def gap_weeks(horizon: date, start: date) -> int:
    """Return the weeks from the horizon to a start, begun ones counted, never below zero."""
    return max(0, -(-(start - horizon).days // 7))


def follower(cards: Iterable[Card], until: date) -> Card | None:
    """Return a card at proposal or later, not yet running, that starts by a day."""
    return next(
        (
            card
            for card in cards
            if card.stage in OFFERED
            and (start := card.expected_start or card.start)
            and start <= until
        ),
        None,
    )


def worth(card: Card, services: Mapping[Ref, Service]) -> Decimal:
    """Return probability x value; the value is the budget, else the service's usual month; unknown counts as zero."""
    service = services.get(card.service) if card.service else None
    value = card.budget or (service.monthly_value if service else None)
    return (card.probability or Decimal(0)) * (value or Decimal(0))


def best_ideas(
    cards: Iterable[Card],
    services: Mapping[Ref, Service],
    *,
    number: int,
    begun: Collection[Ref] = frozenset(),
) -> tuple[Card, ...]:
    """Return the ideas worth moving: those `begun` to be moved first, then by worth, then the older one."""
    ideas = [card for card in cards if card.stage in IDEAS]
    ideas.sort(
        key=lambda card: (
            card.ref not in begun,
            -worth(card, services),
            card.created.date() if card.created else date.max,
            card.ref,
        )
    )
    return tuple(ideas[:number])
