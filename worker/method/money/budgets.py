"""Budgets of cards that are nearly spent: told once, while something can still be done (docs/method.md 2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from worker.domain.entities import Card
from worker.domain.values import Ref
from worker.method.conditions import Sighting, Subject, state_signals
from worker.method.formulas.budgets import is_nearly_spent
from worker.method.measures import CardMeasure, Signal
from worker.method.run import Findings
from worker.world.world import World

ZERO = Decimal(0)


def find_spent_budgets(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> Findings[None]:
    """Return what calls for a task of every card; it states no facts itself."""
    signals: list[Signal] = []
    for card in world.cards.values():
        seen = _look(card, cards.get(card.ref), world)
        client = world.client(card.client)
        payer = client.name if client else ""
        names = {"card": card.name, "client": payer}
        subject = Subject(card.ref, names, client=card.client, card=card.ref)
        signals += state_signals("money.budget_spent", subject, seen, words=world.words)
    return Findings(None, signals=tuple(signals))


def _look(card: Card, measure: CardMeasure | None, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.budget_warning
    holds = is_nearly_spent(card, measure, limit)
    evidence = ""
    if holds and measure is not None:
        evidence = words.say(
            "{hours} h are spent: {burn} of the budget of {budget}; "
            "{progress} of the work is done.",
            hours=words.number(measure.hours or ZERO, 0),
            burn=words.percent(measure.burn or ZERO),
            budget=words.money(card.budget or ZERO),
            progress=words.percent(measure.progress or ZERO),
        )
    return Sighting(
        holds,
        evidence=evidence,
        threshold=words.say("budget spent ≥ {limit}", limit=limit),
    )
