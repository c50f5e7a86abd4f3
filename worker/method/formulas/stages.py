"""Since when a card stands at its stage, and how likely that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

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
