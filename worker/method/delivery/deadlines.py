"""Conditions of deadlines: unlikely to be on time, behind schedule, overdue, without a date, stalled, ageing (docs/method.md 1.2).

It only looks at every card; the risk map makes and closes the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Stage
from worker.domain.values import Ref
from worker.method.conditions import CONDITIONS, NO, UNKNOWN, Sighting
from worker.method.delivery.completion import describe_pace
from worker.method.delivery.sightings import CardTest, find_card_conditions
from worker.method.formulas.bands import mark_above, mark_below
from worker.method.formulas.lateness import is_past_due, tell_lateness
from worker.method.measures import CardMeasure
from worker.method.run import Findings
from worker.world.world import World

UNENDING = 4
"""The mark of work that takes in as much as is finished: a due date is hardly met, though nobody can tell how late."""


def find_deadline_conditions(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> Findings[None]:
    """Return the conditions of all cards; it states no facts itself."""
    conditions = find_card_conditions(TESTS, _look, cards=cards, world=world)
    return Findings(None, conditions=tuple(conditions))


def _look(
    signal: str, card: Card, measure: CardMeasure | None, world: World
) -> Sighting:
    if measure is None or (CONDITIONS[signal].needs_work and not measure.known):
        return UNKNOWN
    if card.stage not in (Stage.AGREED, *RUNNING) or (
        measure.total and not measure.open
    ):
        return NO
    seen = TESTS[signal](card, measure, world)
    if not seen.holds:
        return seen
    evidence = f"{seen.evidence} {_slow_item(measure, world)}".strip()
    return replace(seen, evidence=evidence)


def _slow_item(measure: CardMeasure, world: World) -> str:
    """Return when the oldest item was begun, where it takes longer than 85 % of the finished ones did."""
    if (
        measure.oldest_age is None
        or measure.sle is None
        or measure.oldest_age <= measure.sle
    ):
        return ""
    first = world.today - timedelta(days=measure.oldest_age - 1)
    begun = world.words.date(first)
    return world.words.count(
        "{key} is in work since {begun}; 85% of the others took up to {n} day.",
        "{key} is in work since {begun}; 85% of the others took up to {n} days.",
        measure.sle,
        begun=begun,
        key=measure.oldest,
    )


def _p_on_time(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if card.stage not in RUNNING or measure.due is None or not measure.total:
        return NO
    limit = world.thresholds.on_time.amber
    if measure.is_outgrown:
        return Sighting(
            holds=True,
            probability=UNENDING,
            evidence=describe_pace(measure, world),
            threshold=world.words.say("finished a week > new a week"),
        )
    if measure.forecast is None or measure.on_time is None:
        return UNKNOWN
    words = world.words
    chance = measure.on_time
    probability = mark_below(chance, limit / 2, limit / 5, least=3)
    evidence = words.say(
        "On-time chance {chance} for {due}: half of the scenarios finish by {p50}, 85% by {p85}.",
        chance=words.percent(chance),
        due=words.date(measure.due),
        p50=words.date(measure.forecast.p50),
        p85=words.date(measure.forecast.p85),
    )
    return Sighting(
        chance < limit,
        probability,
        f"{evidence} {describe_pace(measure, world)}".strip(),
        words.say("on-time chance < {limit}", limit=limit),
    )


def _spi(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if card.stage not in RUNNING or not measure.total:
        return NO
    if measure.spi_t is None:
        return UNKNOWN
    words = world.words
    limit = world.thresholds.spi.amber
    probability = mark_below(measure.spi_t, Decimal("0.7"), Decimal("0.6"), least=3)
    return Sighting(
        measure.spi_t < limit,
        probability,
        words.say(
            "SPI(t) {spi}: {progress} of the work is done.",
            spi=words.number(measure.spi_t, 2),
            progress=words.percent(measure.progress or Decimal(0)),
        ),
        f"SPI(t) < {words.number(limit, 2)}",
    )


def _overdue(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if card.stage not in RUNNING:
        return NO
    words = world.words
    limit = world.thresholds.overdue_share
    passed = is_past_due(measure, world.today)
    many = measure.open > 0 and Decimal(measure.overdue) / measure.open >= limit
    return Sighting(
        passed or many,
        5 if passed else 4,
        tell_lateness(measure, world.today, words),
        words.say(
            "due before {day}, or share of overdue issues ≥ {limit}",
            day=words.date(world.today),
            limit=limit,
        ),
    )


def _no_due(card: Card, measure: CardMeasure, world: World) -> Sighting:
    client = world.client(card.client)
    endless = (card.engagement or (client.engagement if client else None)) == "retainer"
    holds = (
        card.stage in (Stage.AGREED, Stage.IN_PROGRESS)
        and measure.due is None
        and not endless
    )
    return Sighting(
        holds,
        3,
        world.words.say("Neither the card nor its open issues have a due date."),
    )


def _stalled(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if card.stage not in RUNNING or measure.last_activity is None:
        return NO
    days = (world.today - measure.last_activity).days
    limit = world.thresholds.stalled_days
    return Sighting(
        days > limit,
        4 if days > 2 * limit else 3,
        world.words.say(
            "Nothing has moved in Jira since {day}.",
            day=world.words.date(measure.last_activity),
        ),
        world.words.say("days > {limit}", limit=limit),
    )


def _ageing(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if card.stage not in RUNNING or measure.oldest_age is None:
        return NO
    if measure.sle is None:
        return UNKNOWN
    limit = max(measure.sle, world.thresholds.ageing_days)
    times = measure.oldest_age / measure.sle
    return Sighting(
        measure.oldest_age > limit,
        mark_above(times, 2, 8, least=2),
        threshold=world.words.say("days > {limit}", limit=limit),
    )


TESTS: dict[str, CardTest] = {
    "deadline.p_on_time": _p_on_time,
    "deadline.spi": _spi,
    "deadline.overdue": _overdue,
    "deadline.no_due": _no_due,
    "deadline.stalled": _stalled,
    "deadline.ageing": _ageing,
}
