"""Since when a card stands at its stage, how likely that makes it, and how long its work is to take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from worker.domain.entities import Card
from worker.domain.values import Ref
from worker.method.measures import CardMeasure
from worker.world.world import World


def stage_since(
    card: Card, world: World, cards: Mapping[Ref, CardMeasure]
) -> date | None:
    """Return since when a card stands at its stage: as measured today, else as remembered."""
    measure = cards.get(card.ref)
    if measure is not None:
        return measure.stage_since
    track = world.memory.tracks.get(f"{card.ref}#stage")
    return track.since if track else None


def chance_of(card: Card, usual: Mapping[str, Decimal]) -> Decimal:
    """Return the probability people gave a card, else the `usual` one of its stage, which is none before proposal."""
    if card.probability is not None:
        return card.probability
    return usual.get(str(card.stage), Decimal(0))


def lead_end(card: Card, start: date, world: World) -> date:
    """Return the last day of the lead time of a card's service, which begins with the work."""
    weeks = world.thresholds.service_lead_weeks
    service = world.service(card.service)
    if service is not None:
        weeks = service.lead_weeks or weeks
    days = ceil(weeks * 7)
    last = max(days, 1) - 1
    return start + timedelta(last)
