"""What contracts and dated budgets promise: the one plan that units and clients are measured by (docs/method.md 2.2).

A contract's fee is phased as it is earned, a budget by the working days from the card's start to its due date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Client, Stage
from worker.domain.periods import Period, month_of, next_period
from worker.domain.values import Ref
from worker.method.formulas.phasing import budget_until, fee_until
from worker.method.formulas.rays import due_of
from worker.method.measures import CardMeasure
from worker.world.world import World

ZERO = Decimal(0)
PLANNED = (Stage.AGREED, *RUNNING, Stage.DONE)
A_DAY = timedelta(days=1)

Cards = Mapping[Ref, Iterable[Card]]
"""The cards whose budgets are promised, by client."""


def promised_cards(world: World, measures: Mapping[Ref, CardMeasure]) -> Cards:
    """Return the cards whose budget is promised for dated work, with their measured due dates, by client.

    A retainer's cards are in its fee, unless they have a model of their own.
    """
    cards: dict[Ref, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        client = world.client(card.client)
        if client is None:
            continue
        if card.stage not in PLANNED:
            continue
        model = card.engagement or client.engagement
        dated = replace(card, due=due_of(card, measures.get(card.ref)))
        is_dated = dated.start and dated.due
        if card.budget and is_dated and model not in (None, "retainer"):
            cards[client.ref].append(dated)
    return cards


def promised(
    client: Client,
    cards: Iterable[Card],
    period: Period,
    *,
    world: World,
    until: date | None = None,
) -> Decimal:
    """Return what a client's contract and its promised `cards` come to in a period, as far as `until`."""
    last = period.end
    if until is not None:
        last = min(last, until)
    if last < period.start:
        return ZERO
    before = period.start - A_DAY
    calendar = world.calendar
    minor = world.minor_unit

    amount = ZERO
    month = month_of(period.start)
    while month.start <= last:
        amount += fee_until(client, month, last, calendar=calendar, minor=minor)
        amount -= fee_until(client, month, before, calendar=calendar, minor=minor)
        month = next_period(month)
    for card in cards:
        amount += budget_until(card, last, calendar=calendar, minor=minor)
        amount -= budget_until(card, before, calendar=calendar, minor=minor)
    return amount
