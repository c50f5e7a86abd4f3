"""Conditions of deadlines: unlikely to be on time, behind schedule, overdue, without a date, stalled (docs/method.md 1.2).

It only looks at every card; the risk map makes and closes the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec

from worker.domain.entities import RUNNING, Card, Stage
from worker.domain.messages import message
from worker.domain.values import Ref
from worker.method.formulas.bands import mark_below
from worker.method.measures import CardMeasure, Condition
from worker.method.run import Found
from worker.world.world import World


class _Sighting(msgspec.Struct, frozen=True, gc=False):
    """One signal of one card today: the condition (None: unknown), how likely it bites (1..5), and why."""

    holds: bool | None
    probability: int = 3
    evidence: str = ""
    threshold: str = ""


NO = _Sighting(holds=False)
UNKNOWN = _Sighting(holds=None)


def find_deadline_conditions(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> Found[None]:
    """Return the conditions of all cards; it states no facts itself."""
    found = tuple(
        condition
        for card in world.cards.values()
        for condition in _conditions(card, cards.get(card.ref), world)
    )
    return Found(None, conditions=found)


def _conditions(
    card: Card, measure: CardMeasure | None, world: World
) -> Iterator[Condition]:
    for signal in SIGNALS:
        look = _look(signal, card, measure, world=world)
        if not look.holds:
            yield Condition(
                signal,
                "deadline",
                card.ref,
                look.holds,
                client=card.client,
                card=card.ref,
            )
            continue
        evidence = f"{look.evidence} {_slow_item(measure, world)}".strip()
        yield Condition(
            signal,
            "deadline",
            card.ref,
            look.holds,
            world.words.say(TITLES[signal], card=card.name),
            evidence,
            look.probability,
            client=card.client,
            card=card.ref,
            horizon=measure.due if measure else None,
            threshold=look.threshold,
        )


def _slow_item(measure: CardMeasure | None, world: World) -> str:
    """Return when the oldest item was begun, where it takes longer than 85 % of the finished ones did."""
    if (
        measure is None
        or measure.oldest_age is None
        or measure.sle is None
        or measure.oldest_age <= measure.sle
    ):
        return ""
    begun = world.words.date(world.today - timedelta(days=measure.oldest_age))
    return world.words.count(
        "One item is in work since {begun}; 85 % of the others took up to {n} day.",
        "One item is in work since {begun}; 85 % of the others took up to {n} days.",
        measure.sle,
        begun=begun,
    )


def _look(
    signal: str, card: Card, measure: CardMeasure | None, *, world: World
) -> _Sighting:
    if measure is None or not measure.known:
        return UNKNOWN
    if card.stage not in (Stage.AGREED, *RUNNING) or (
        measure.total and not measure.open
    ):
        return NO
    return SIGNALS[signal](card, measure, world)


def _p_on_time(card: Card, measure: CardMeasure, world: World) -> _Sighting:
    if card.stage not in RUNNING or measure.due is None or not measure.total:
        return NO
    if measure.forecast is None or measure.forecast.on_time is None:
        return UNKNOWN
    words, chance = world.words, measure.forecast.on_time
    limit = world.thresholds.on_time.amber
    probability = mark_below(chance, limit / 2, limit / 5, least=3)
    return _Sighting(
        chance < limit,
        probability,
        words.say(
            "P(on time) {chance} for {due}: half of the runs end by {p50}, 85 % by {p85}.",
            chance=words.percent(chance),
            due=words.date(measure.due),
            p50=words.date(measure.forecast.p50),
            p85=words.date(measure.forecast.p85),
        ),
        f"P(on time) < {limit}",
    )


def _spi(card: Card, measure: CardMeasure, world: World) -> _Sighting:
    if card.stage not in RUNNING or not measure.total:
        return NO
    if measure.spi_t is None:
        return UNKNOWN
    words, limit = world.words, world.thresholds.spi.amber
    probability = mark_below(measure.spi_t, Decimal("0.7"), Decimal("0.6"), least=3)
    return _Sighting(
        measure.spi_t < limit,
        probability,
        words.say(
            "SPI(t) {spi}: {progress} of the work is done.",
            spi=words.number(measure.spi_t, 2),
            progress=words.percent(measure.progress or Decimal(0)),
        ),
        f"SPI(t) < {limit}",
    )


def _overdue(card: Card, measure: CardMeasure, world: World) -> _Sighting:
    if card.stage not in RUNNING:
        return NO
    words, limit = world.words, world.thresholds.overdue_share
    passed = measure.due is not None and measure.due < world.today
    many = measure.open > 0 and Decimal(measure.overdue) / measure.open >= limit
    items = words.count(
        "{n} overdue item of {open}.",
        "{n} overdue items of {open}.",
        measure.overdue,
        open=measure.open,
    )
    text = (
        words.say("Due {due} has passed.", due=words.date(measure.due))
        if passed and measure.due
        else ""
    )
    return _Sighting(
        passed or many,
        5 if passed else 4,
        f"{text} {items}".strip() if measure.total else text,
        f"due < {world.today} or overdue items >= {limit}",
    )


def _no_due(card: Card, measure: CardMeasure, world: World) -> _Sighting:
    client = world.clients.get(card.client) if card.client else None
    endless = (card.engagement or (client.engagement if client else None)) == "retainer"
    holds = (
        card.stage in (Stage.AGREED, Stage.IN_PROGRESS)
        and measure.due is None
        and not endless
    )
    return _Sighting(
        holds,
        3,
        world.words.say("Neither the card nor its open items have a due date."),
    )


def _stalled(card: Card, measure: CardMeasure, world: World) -> _Sighting:
    if card.stage not in RUNNING or measure.last_activity is None:
        return NO
    days = (world.today - measure.last_activity).days
    limit = world.thresholds.stalled_days
    return _Sighting(
        days > limit,
        4 if days > 2 * limit else 3,
        world.words.say(
            "Nothing has moved in Jira since {day}.",
            day=world.words.date(measure.last_activity),
        ),
        f"days > {limit}",
    )


SIGNALS: dict[str, Callable[[Card, CardMeasure, World], _Sighting]] = {
    "deadline.p_on_time": _p_on_time,
    "deadline.spi": _spi,
    "deadline.overdue": _overdue,
    "deadline.no_due": _no_due,
    "deadline.stalled": _stalled,
}

TITLES = {
    "deadline.p_on_time": message("{card}: unlikely to be on time"),
    "deadline.spi": message("{card}: behind schedule"),
    "deadline.overdue": message("{card}: overdue"),
    "deadline.no_due": message("{card}: no due date"),
    "deadline.stalled": message("{card}: work has stopped"),
}
