"""Forecasts that keep score: what was told of cards against the day their work ended (docs/method.md 9.1).

Of a card the first forecast while less than half of its work is done counts once, and the first one from there on. Both
are remembered and stand in its row, from which they are read back after a lost state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from worker.domain.entities import Card, Stage
from worker.domain.values import Ref
from worker.method.figures import show_day, show_text
from worker.method.formulas.hysteresis import follow
from worker.method.hindsight.scoring import (
    ENOUGH,
    Bin,
    Calibration,
    Chance,
    Correction,
    Day,
    Group,
    correct_days,
    kept,
    list_bins,
    mean,
    score_chances,
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


class _Outcome(msgspec.Struct, frozen=True, gc=False):
    """A forecast, the day that came of it, and whose it was."""

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
    for ref, measure in cards.items():
        card = world.cards[ref]
        track = world.memory.tracks.get(log_name(card))
        known = read_log(track, card)
        log = follow_log(known, card, measure, world.today)
        if not log.told:
            continue
        text = write_log(log)
        tracks[log_name(card)] = follow(track, text, world.today)
        facts.append(_noted(card, log, world))
        outcomes += _outcomes(card, log)

    calibration = judge_outcomes(outcomes, world)
    facts += _corrected(calibration.correction, cards, world)
    return Findings(calibration, tuple(facts), tracks=tracks)


def _outcomes(card: Card, log: Log) -> Iterator[_Outcome]:
    if log.ended is None:
        return
    for forecast in log.told:
        if forecast.day <= log.ended:
            yield _Outcome(card, forecast, log.ended)


def judge_outcomes(outcomes: Iterable[_Outcome], world: World) -> Calibration:
    """Return what the forecasts were worth, in whatever order they are given."""
    likely: list[Day] = []
    safe: list[Day] = []
    chances: list[Chance] = []
    owned: dict[Ref, list[_Outcome]] = defaultdict(list)
    for outcome in outcomes:
        forecast = outcome.told
        likely.append(_likely(outcome))
        safe.append(_safe(outcome))
        if forecast.chance is not None and forecast.due is not None:
            came = outcome.ended <= forecast.due
            chances.append(Chance(forecast.chance, came))
        for owner in _owners(outcome.card, world):
            owned[owner].append(outcome)

    whole = Calibration(kept(likely), kept(safe), _late(likely), len(chances))
    if len(safe) < ENOUGH:
        return whole
    brier = None
    bins: tuple[Bin, ...] = ()
    if len(chances) >= ENOUGH:
        brier = score_chances(chances)
        bins = list_bins(chances)
    groups = []
    for owner in sorted(owned):
        group = _group(owner, owned[owner])
        groups.append(group)
    return Calibration(
        whole.likely,
        whole.safe,
        whole.late,
        whole.chances,
        brier,
        bins,
        correct_days(safe, SAFE),
        tuple(groups),
    )


def _owners(card: Card, world: World) -> Iterator[Ref]:
    """Yield the unit and the service whose forecasts a card's are."""
    client = world.client(card.client)
    if client is not None and client.unit is not None:
        yield client.unit
    if card.service is not None:
        yield card.service


def _group(owner: Ref, outcomes: Iterable[_Outcome]) -> Group:
    likely = []
    safe = []
    for outcome in outcomes:
        likely.append(_likely(outcome))
        safe.append(_safe(outcome))
    return Group(owner, kept(safe), _late(likely))


def _likely(outcome: _Outcome) -> Day:
    return Day(outcome.ended, outcome.told.p50, outcome.told.day)


def _safe(outcome: _Outcome) -> Day:
    return Day(outcome.ended, outcome.told.p85, outcome.told.day)


def _late(days: Iterable[Day]) -> Decimal | None:
    return mean([day.late for day in days])


def _noted(card: Card, log: Log, world: World) -> Fact:
    say = world.words.say
    inputs = []
    for forecast in log.told:
        since = show_day(say("told on"), forecast.day)
        until = show_day(say("P85"), forecast.p85)
        inputs += [since, until]
    inputs.append(show_day(say("ended"), log.ended))
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
    if correction is not None:
        stretch = float(correction.stretch)
        shift = show_text(name, f"{stretch:.3f}")
    for ref, measure in cards.items():
        if not measure.known:
            continue
        safe = _running_safe(world.cards[ref], measure)
        day = None
        if safe is not None and correction is not None and correction.is_better:
            day = correction.apply(safe, world.today)
        before = show_day(say("P85"), safe)
        why = Why("calibration", (before, shift), formula)
        yield Fact(ref, "p85_read", day, why)


def _running_safe(card: Card, measure: CardMeasure) -> date | None:
    """Return the safe day of a card whose work goes on."""
    if card.stage is not Stage.IN_PROGRESS or measure.forecast is None:
        return None
    return measure.forecast.p85 if measure.open else None
