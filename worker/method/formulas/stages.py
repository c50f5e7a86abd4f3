"""Since when a card stands at its stage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

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
