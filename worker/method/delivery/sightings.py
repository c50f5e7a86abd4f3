"""The conditions of cards, looked at card by card; deadlines and quality bring the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from worker.domain.entities import Card
from worker.domain.values import Ref
from worker.method.conditions import Sighting, Subject, state_condition
from worker.method.measures import CardMeasure, Condition
from worker.world.world import World

CardTest = Callable[[Card, CardMeasure, World], Sighting]
"""One condition of one measured card."""

CardLook = Callable[[str, Card, CardMeasure | None, World], Sighting]
"""One signal of any card: says whether its test applies, and if so what it gives."""


def find_card_conditions(
    signals: Iterable[str],
    look: CardLook,
    *,
    cards: Mapping[Ref, CardMeasure],
    world: World,
) -> Iterator[Condition]:
    """Yield every signal's condition of every card; one that holds bites on the card's due date."""
    for card in world.cards.values():
        measure = cards.get(card.ref)
        subject = Subject(
            card.ref, {"card": card.name}, client=card.client, card=card.ref
        )
        for signal in signals:
            seen = look(signal, card, measure, world)
            if seen.holds and measure is not None:
                seen = replace(seen, horizon=measure.due)
            yield state_condition(signal, subject, seen, words=world.words)
