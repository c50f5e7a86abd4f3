"""What was told of a card while its work ran, and when it ended: read back from its row after a lost state (docs/method.md 9.1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, Stage
from worker.method.measures import CardMeasure
from worker.world.memory import Track

HALF = Decimal("0.5")
NAME = "#told"


class Moment(StrEnum):
    """When a forecast is noted: while less than half of the work is done, and from there on."""

    BEGIN = "begin"
    HALF = "half"


class Told(msgspec.Struct, frozen=True, gc=False):
    """The first forecast of a moment: the chance (0..1) is that to meet the day `due`; None where none was due."""

    moment: Moment
    day: date
    p50: date
    p85: date
    chance: Decimal | None = None
    due: date | None = None


class Start(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """When a proposal was first expected to start, as of a `day`, and when its work began, once it has."""

    day: date
    expected: date
    began: date | None = None


class Log(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What was told of one card, one forecast a moment, and the day its work `ended`, once it has; `start` as long as it
    was a proposal."""

    told: tuple[Told, ...] = ()
    ended: date | None = None
    start: Start | None = None

    def at(self, moment: Moment) -> Told | None:
        """Return what was told at a moment."""
        for forecast in self.told:
            if forecast.moment is moment:
                return forecast
        return None


def log_name(card: Card) -> str:
    """Return the name under which memory holds what was told of a card."""
    return f"{card.ref}{NAME}"


def read_log(track: Track | None, card: Card) -> Log:
    """Return what is remembered, else what the card's row says; an empty log where that cannot be read."""
    text = card.forecasts or "{}"
    if track is not None:
        text = track.value
    try:
        return msgspec.json.decode(text, type=Log)
    except msgspec.MsgspecError:
        return Log()


def write_log(log: Log) -> str:
    """Return a log as it is remembered and as its row holds it."""
    encoded = msgspec.json.encode(log)
    return encoded.decode()


def follow_log(known: Log, card: Card, measure: CardMeasure, today: date) -> Log:
    """Return a card's log as of today: what is told for the first time, the beginning and the end of its work."""
    match card.stage:
        case Stage.PROPOSAL:
            return _expect(known, card, today)
        case Stage.IN_PROGRESS:
            running = replace(known, ended=None)
            return _begin(_note(running, measure, today), card, measure, today)
        case Stage.DONE if known.told and known.ended is None:
            ended = _end_of(measure, today)
            return replace(known, ended=ended)
    return known


def _expect(known: Log, card: Card, today: date) -> Log:
    expected = card.expected_start
    if known.start is not None or expected is None or expected < today:
        return known
    start = Start(today, expected)
    return replace(known, start=start)


def _begin(known: Log, card: Card, measure: CardMeasure, today: date) -> Log:
    start = known.start
    if start is None or start.began is not None:
        return known
    began = card.start or measure.stage_since or today
    start = replace(start, began=began)
    return replace(known, start=start)


def _note(known: Log, measure: CardMeasure, today: date) -> Log:
    forecast = measure.forecast
    if forecast is None or not measure.open:
        return known
    moment = Moment.BEGIN
    progress = measure.progress or Decimal(0)
    if progress >= HALF:
        moment = Moment.HALF
    if known.at(moment) is not None:
        return known

    chance = None
    if measure.due is not None:
        chance = measure.on_time
    first = Told(moment, today, forecast.p50, forecast.p85, chance, measure.due)
    return replace(known, told=(*known.told, first))


def _end_of(measure: CardMeasure, today: date) -> date:
    """Return the day the last item was finished, else that on which people called the card done."""
    last = measure.flow.last
    if last is not None and not measure.open:
        return last
    return measure.stage_since or today
