"""Delivery off its rails before a date slips: scope, budget, one carrier, falling quality, stale data (docs/method.md 1.3).

It only looks at running cards; the risk map makes and closes the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Issue
from worker.domain.values import Ref
from worker.method.conditions import CONDITIONS, NO, UNKNOWN, Sighting
from worker.method.delivery.sightings import CardTest, find_card_conditions
from worker.method.formulas.bands import mark_above
from worker.method.formulas.flow import DONE, share
from worker.method.formulas.hysteresis import Tracks, follow, to_change
from worker.method.measures import CardMeasure
from worker.method.run import Findings
from worker.world.world import World


def find_quality_conditions(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> Findings[None]:
    """Return the conditions of all cards, and since when the Jira work of some cannot be read."""
    tracks = to_change(world.memory.tracks)
    seen = replace(world, memory=replace(world.memory, tracks=tracks))
    for card in world.cards.values():
        _remember(tracks, card, cards.get(card.ref), today=world.today)
    conditions = find_card_conditions(TESTS, _look, cards=cards, world=seen)
    return Findings(None, conditions=tuple(conditions), tracks=tracks.maps[0])


def _remember(
    tracks: Tracks, card: Card, measure: CardMeasure | None, *, today: date
) -> None:
    """Follow whether a card's work can be read, from the first day it could not."""
    name = f"{card.ref}#readable"
    if measure is not None and (not measure.known or name in tracks):
        tracks[name] = follow(tracks.get(name), "yes" if measure.known else "no", today)


def _look(
    signal: str, card: Card, measure: CardMeasure | None, world: World
) -> Sighting:
    if measure is None:
        return UNKNOWN
    if card.stage not in RUNNING or not card.jira:
        return NO
    if CONDITIONS[signal].needs_work and not measure.known:
        return UNKNOWN
    return TESTS[signal](card, measure, world)


def _scope(_card: Card, measure: CardMeasure, world: World) -> Sighting:
    growth = measure.open_growth
    limit = world.thresholds.scope_growth
    if not measure.open:
        return NO
    if growth is None:
        return UNKNOWN
    return Sighting(
        growth > limit,
        _mark(growth / limit),
        _describe_growth(measure, growth, world),
        world.words.say("growth > {limit}", limit=limit),
    )


def _describe_growth(measure: CardMeasure, growth: Decimal, world: World) -> str:
    words = world.words
    if measure.agreed is not None:
        return words.say(
            "The work grew by {share} since budget or date were last extended on "
            "{day}.",
            share=words.percent(growth),
            day=words.date(measure.agreed),
        )
    return words.count(
        "The work grew by {share} in {n} week.",
        "The work grew by {share} in {n} weeks.",
        world.thresholds.scope_weeks,
        share=words.percent(growth),
    )


def _mark(times: Decimal) -> int:
    """Mark 3 for up to twice the limit, 4 up to three times, then 5."""
    return mark_above(times, 2, 3, least=3)


def _burn(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if not card.budget or not measure.open:
        return NO
    if measure.burn is None or measure.progress is None:
        return UNKNOWN
    words = world.words
    limit = world.thresholds.burn_ahead
    ahead = measure.burn - measure.progress
    evidence = [
        words.say(
            "{burn} of the budget is spent for {progress} of the work.",
            burn=words.percent(measure.burn),
            progress=words.percent(measure.progress),
        )
    ]
    if measure.progress:
        evidence.append(
            words.say(
                "At this rate the whole work costs {cost} of {budget}.",
                cost=words.money(
                    (card.budget * measure.burn / measure.progress).quantize(Decimal(1))
                ),
                budget=words.money(card.budget),
            )
        )
    mark = 5 if measure.burn >= 1 else _mark(ahead / limit)
    return Sighting(
        ahead > limit,
        mark,
        " ".join(evidence),
        words.say("burn − progress > {limit}", limit=limit),
    )


def _carrier(_card: Card, measure: CardMeasure, world: World) -> Sighting:
    words = world.words
    limits = world.thresholds
    if not measure.open:
        return NO
    # The first hours of a project are always one person's: too little to speak of a carrier.
    little = (
        measure.hours < limits.carrier_hours
        if measure.hours
        else measure.open < limits.carrier_items
    )
    if measure.top_share is None or little:
        return UNKNOWN
    evidence = words.say(
        "{person} carries {share} of the work.",
        person=measure.top_person,
        share=words.percent(measure.top_share),
    )
    return Sighting(
        measure.top_share > limits.carrier_share,
        4 if measure.top_share > Decimal("0.8") else 3,
        evidence,
        words.say("share > {limit}", limit=limits.carrier_share),
    )


class _Weeks(msgspec.Struct, frozen=True, gc=False):
    """Counts of some weeks: items finished, items that left done again, items made, defects among them."""

    finished: int = 0
    reopened: int = 0
    created: int = 0
    defects: int = 0


def _falling(card: Card, measure: CardMeasure, world: World) -> Sighting:
    if not measure.open:
        return NO
    limits = world.thresholds
    before, after = count_weeks(world.work[card.ref].issues, world)
    least = limits.quality_items
    comparisons = {
        "reopened": _shares(
            before.reopened,
            before.finished,
            after.reopened,
            after.finished,
            least=least,
        ),
        "defects": _shares(
            before.defects, before.created, after.defects, after.created, least=least
        ),
    }
    known = {name: shares for name, shares in comparisons.items() if shares}
    if not known:
        return UNKNOWN
    growth = 1 + limits.quality_growth
    worse = {
        name: (old, new)
        for name, (old, new) in known.items()
        if new > 0 and new >= old * growth
    }
    sharp = any(new >= 2 * old * growth for old, new in worse.values())
    evidence = " ".join(
        _worsening(name, *pair, world=world) for name, pair in worse.items()
    )
    return Sighting(
        bool(worse),
        4 if sharp else 3,
        evidence,
        world.words.say("share ≥ {growth} × the share before", growth=growth),
    )


def _worsening(name: str, old: Decimal, new: Decimal, *, world: World) -> str:
    words = world.words
    weeks = world.thresholds.quality_weeks
    before = words.percent(old)
    after = words.percent(new)
    if name == "reopened":
        return words.count(
            "Reopened issues are {after} of the finished ones in {n} week, {before} before.",
            "Reopened issues are {after} of the finished ones in {n} weeks, {before} before.",
            weeks,
            after=after,
            before=before,
        )
    return words.count(
        "Defects are {after} of the new issues in {n} week, {before} before.",
        "Defects are {after} of the new issues in {n} weeks, {before} before.",
        weeks,
        after=after,
        before=before,
    )


def _shares(
    old: int, old_whole: int, new: int, new_whole: int, *, least: int
) -> tuple[Decimal, Decimal] | None:
    """Return both shares; None where one stands on fewer than `least` items, or the new on a single event."""
    if min(old_whole, new_whole) < least:
        return None
    before = share(Decimal(old), Decimal(old_whole))
    after = share(Decimal(new), Decimal(new_whole))
    return (
        (before or Decimal(0), after or Decimal(0))
        if new > 1
        else (Decimal(0), Decimal(0))
    )


def count_weeks(issues: Iterable[Issue], world: World) -> tuple[_Weeks, _Weeks]:
    """Return the counts of the four weeks before the last four, and of the last four, today included."""
    span = timedelta(weeks=world.thresholds.quality_weeks)
    tomorrow = world.today + timedelta(days=1)
    end = world.begin_of(tomorrow)
    middle = world.begin_of(tomorrow - span)
    begin = world.begin_of(tomorrow - 2 * span)
    defects = frozenset(name.casefold() for name in world.thresholds.defect_types)
    recent = [issue for issue in issues if issue.updated >= begin]
    made = Counter(
        [
            (issue.created >= middle, issue.type.casefold() in defects)
            for issue in recent
            if begin <= issue.created < end
        ]
    )
    # An issue finished or reopened several times in one span counts once.
    moved = Counter(
        [
            (late, finished)
            for _, late, finished in {
                (issue.id, move.at >= middle, move.after == DONE)
                for issue in recent
                for move in issue.moves
                if move.at >= begin and (move.after == DONE) != (move.before == DONE)
            }
        ]
    )
    before, after = (
        _Weeks(
            moved[late, True],
            moved[late, False],
            made[late, True] + made[late, False],
            made[late, True],
        )
        for late in (False, True)
    )
    return before, after


def _stale(card: Card, measure: CardMeasure, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.stale_days
    track = world.memory.tracks.get(f"{card.ref}#readable")
    if not measure.known:
        since = track.since if track else world.today
        return Sighting(
            (world.today - since).days >= limit,
            3,
            words.say(
                "The Jira work of this card cannot be read since {day}.",
                day=words.date(since),
            ),
            words.say("days ≥ {limit}", limit=limit),
        )
    if not measure.total:
        return Sighting(
            holds=True,
            evidence=words.say("The Jira link of this running card leads to no work."),
            threshold=words.say("issues > 0"),
        )
    return NO


TESTS: dict[str, CardTest] = {
    "scope.growth": _scope,
    "money.burn": _burn,
    "team.bus_factor": _carrier,
    "quality.falling": _falling,
    "data.stale": _stale,
}
