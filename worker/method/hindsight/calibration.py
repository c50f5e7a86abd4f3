"""Forecasts that keep score: what was told of cards against the day their work ended (docs/method.md 9.1).

Of a card the first forecast while less than half of its work is done counts once, and the first one from there on. Both
are remembered and stand in its row, from which they are read back after a lost state.

A day is judged once it is over, whether or not the work has ended: if only ended work counted, work that goes on and on would
never be held against what was told of it. Work that goes on counts as late as it is by now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, Stage
from worker.domain.values import Ref
from worker.method.figures import show_day, show_text
from worker.method.formulas.hysteresis import follow
from worker.method.hindsight.scoring import (
    ENOUGH,
    Calibration,
    Chance,
    Correction,
    Day,
    Group,
    correct_days,
    kept,
    mean,
    weigh_days,
    weigh_odds,
)
from worker.method.hindsight.told import (
    Log,
    Told,
    follow_log,
    log_name,
    read_log,
    write_log,
)
from worker.method.measures import CardMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.memory import Track
from worker.world.world import World

SAFE = Fraction(85, 100)
BEFORE_WORK = (Stage.PROPOSAL, Stage.AGREED)
"""Stages in which a card still waits for its start."""


class _Outcome(msgspec.Struct, frozen=True, gc=False):
    """A forecast, whose it was, and the day on which its work `ended`: of work that goes on, not before today."""

    card: Card
    told: Told
    ended: date


def keep_score(
    world: World, cards: Mapping[Ref, CardMeasure]
) -> Findings[Calibration | None]:
    """Return what forecasts were worth so far, with what is told today and the days that are read in their light."""
    tracks: dict[str, Track] = {}
    facts: list[Fact] = []
    outcomes: list[_Outcome] = []
    starts: list[Day] = []
    for ref, measure in cards.items():
        card = world.cards[ref]
        name = log_name(card)
        track = world.memory.tracks.get(name)
        known = read_log(track, card)
        log = follow_log(known, card, measure, world.today)
        if log == Log():
            continue
        text = write_log(log)
        tracks[name] = follow(track, text, world.today)
        fact = _noted(card, log, world)
        facts.append(fact)
        outcomes += _outcomes(card, log, measure, world.today)
        starts += _starts(card, log, world.today)

    calibration = judge_outcomes(outcomes, world)
    punctuality = weigh_days(starts)
    calibration = replace(calibration, starts=punctuality)
    facts += _corrected(calibration.correction, cards, world)
    return Findings(calibration, tuple(facts), tracks=tracks)


def _outcomes(
    card: Card, log: Log, measure: CardMeasure, today: date
) -> Iterator[_Outcome]:
    ended = log.ended or _end_so_far(card, measure, today)
    if ended is None:
        return
    for forecast in log.told:
        if forecast.day <= ended:
            yield _Outcome(card, forecast, ended)


def _end_so_far(card: Card, measure: CardMeasure, today: date) -> date | None:
    """Return the day before which running work does not end; None where nobody knows how far it is."""
    if card.stage is not Stage.IN_PROGRESS or not measure.known:
        return None
    if measure.open:
        return today
    return measure.flow.last


def _starts(card: Card, log: Log, today: date) -> Iterator[Day]:
    start = log.start
    if start is None or start.expected >= today:
        return
    began = start.began
    if began is None and card.stage in BEFORE_WORK:
        began = today
    if began is not None:
        yield Day(began, start.expected, start.day)


def judge_outcomes(outcomes: Iterable[_Outcome], world: World) -> Calibration:
    """Return what the forecasts were worth whose days are over, in whatever order they are given."""
    chances: list[Chance] = []
    owned: dict[Ref, list[_Outcome]] = defaultdict(list)
    every = tuple(outcomes)
    for outcome in every:
        chances += _chances(outcome, world.today)
        for owner in _owners(outcome.card, world):
            of_owner = owned[owner]
            of_owner.append(outcome)

    likely = _likely(every, world.today)
    safe = _safe(every, world.today)
    odds = weigh_odds(chances)
    whole = Calibration(kept(likely), kept(safe), _late(likely), odds)
    if len(safe) < ENOUGH:
        return whole
    groups = []
    for owner in sorted(owned):
        group = _group(owner, owned[owner], world.today)
        groups.append(group)
    correction = correct_days(safe, SAFE)
    return replace(whole, correction=correction, groups=tuple(groups))


def _owners(card: Card, world: World) -> Iterator[Ref]:
    """Yield the unit and the service whose forecasts a card's are."""
    client = world.client(card.client)
    if client is not None and client.unit is not None:
        yield client.unit
    if card.service is not None:
        yield card.service


def _group(owner: Ref, outcomes: Iterable[_Outcome], today: date) -> Group:
    own = tuple(outcomes)
    likely = _likely(own, today)
    safe = _safe(own, today)
    return Group(owner, kept(safe), _late(likely))


def _likely(outcomes: Iterable[_Outcome], today: date) -> list[Day]:
    return _days_over(outcomes, today, lambda forecast: forecast.p50)


def _safe(outcomes: Iterable[_Outcome], today: date) -> list[Day]:
    return _days_over(outcomes, today, lambda forecast: forecast.p85)


def _days_over(
    outcomes: Iterable[_Outcome], today: date, named: Callable[[Told], date]
) -> list[Day]:
    """Return the days that forecasts named and that are over, beside the days on which their work ended."""
    days = []
    for outcome in outcomes:
        forecast = outcome.told
        named_day = named(forecast)
        if named_day < today:
            day = Day(outcome.ended, named_day, forecast.day)
            days.append(day)
    return days


def _chances(outcome: _Outcome, today: date) -> Iterator[Chance]:
    forecast = outcome.told
    due = forecast.due
    chance = forecast.chance
    if chance is None or due is None:
        return
    if due < today:
        came = outcome.ended <= due
        yield Chance(chance, came)


def _late(days: Iterable[Day]) -> Decimal | None:
    late = []
    for day in days:
        late.append(day.late)
    return mean(late)


def _noted(card: Card, log: Log, world: World) -> Fact:
    say = world.words.say
    inputs = []
    for forecast in log.told:
        since = show_day(say("told on"), forecast.day)
        until = show_day(say("P85"), forecast.p85)
        inputs += [since, until]
    ended = show_day(say("ended"), log.ended)
    inputs.append(ended)
    start = log.start
    if start is not None:
        expected = show_day(say("expected start"), start.expected)
        began = show_day(say("began"), start.began)
        inputs += [expected, began]
    formula = say("the first forecast before and after half of the work")
    why = Why("calibration", tuple(inputs), formula)
    return Fact(card.ref, "forecasts", write_log(log), why)


def _corrected(
    correction: Correction | None, cards: Mapping[Ref, CardMeasure], world: World
) -> Iterator[Fact]:
    """Yield the safe days of running cards as outcomes teach to read them, once that has proved the better way."""
    say = world.words.say
    name = say("lateness as a share of the days ahead")
    formula = say("P85 + the days ahead × how late earlier ones came")
    shift = show_text(name, None)
    better = None
    if correction is not None:
        stretch = float(correction.stretch)
        shift = show_text(name, f"{stretch:.3f}")
        if correction.is_better:
            better = correction
    for ref, measure in cards.items():
        if not measure.known:
            continue
        safe = _running_safe(world.cards[ref], measure)
        day = None
        if safe is not None and better is not None:
            day = better.apply(safe, world.today)
        before = show_day(say("P85"), safe)
        why = Why("calibration", (before, shift), formula)
        yield Fact(ref, "p85_read", day, why)


def _running_safe(card: Card, measure: CardMeasure) -> date | None:
    """Return the safe day of a card whose work goes on."""
    if card.stage is not Stage.IN_PROGRESS or measure.forecast is None:
        return None
    if not measure.open:
        return None
    return measure.forecast.p85
