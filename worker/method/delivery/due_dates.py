"""How often and how far the date promised for a card moved (docs/method.md 1.1).

Counted from the day the card is agreed on, before which a date is a wish, and up to its end, after which it is
book-keeping. Several changes on one day leave the last. A date that is taken away is no move; another one that is given
later is. After a lost state the row itself tells the first date and the count, though not the dates between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Stage
from worker.domain.words import Words
from worker.method.formulas.hysteresis import follow
from worker.method.measures import GivenDate, Promises
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Track
from worker.world.world import World

PROMISED = (Stage.AGREED, *RUNNING)


def all_promises(card: Card) -> str:
    """Return the name under which memory holds all dates promised for a card."""
    return f"{card.ref}#promises"


def read_promises(
    track: Track | None, card: Card, promised: date | None
) -> Promises | None:
    """Return what is remembered, else what the card's row tells; None where nothing was ever promised."""
    if track is not None:
        return msgspec.json.decode(track.value, type=Promises)
    if card.due_first is None:
        return None
    first = GivenDate(card.due_first)
    counted = max(int(card.due_moves or 0), 0)
    if promised is None or promised == first.due:
        return Promises((first,), lost=counted)
    # One of the moves that were counted led to the date that stands there.
    return Promises((first, GivenDate(promised)), lost=max(counted - 1, 0))


def follow_promises(
    known: Promises | None, card: Card, promised: date | None, *, world: World
) -> Promises | None:
    """Return the dates promised for a card up to today; `promised` is today's."""
    if promised is None or card.stage not in PROMISED:
        return known
    if known is None:
        # Who was not edited today had its date before.
        edited = world.day_of(card.edited) if card.edited else world.today
        return Promises((GivenDate(promised, min(edited, world.today)),))
    if known.last.due == promised:
        return known
    earlier = known.dates
    if known.last.given == world.today:
        earlier = earlier[:-1]
    if earlier and earlier[-1].due == promised:
        return replace(known, dates=earlier)
    return replace(known, dates=(*earlier, GivenDate(promised, world.today)))


def keep_promises(track: Track | None, promises: Promises, today: date) -> Track:
    """Return how promises are remembered."""
    value = msgspec.json.encode(promises)
    return follow(track, value.decode(), today)


def describe_moves(promises: Promises | None, words: Words) -> str:
    """Return how often and how far the promised date moved; nothing where it did not."""
    if promises is None or not promises.moves:
        return ""
    return words.count(
        "The promised date moved {n} time, from {first} to {last} ({shift}).",
        "The promised date moved {n} times, from {first} to {last} ({shift}).",
        promises.moves,
        first=words.date(promises.first.due),
        last=words.date(promises.last.due),
        shift=describe_shift(promises.first.due, promises.last.due, words),
    )


def describe_shift(before: date, after: date, words: Words) -> str:
    """Return how far one day lies from another."""
    moved = after - before
    if moved.days > 0:
        return words.count("{n} day later", "{n} days later", moved.days)
    if moved.days < 0:
        return words.count("{n} day earlier", "{n} days earlier", -moved.days)
    return words.say("the same day again")


def state_moves(card: Card, promises: Promises, world: World) -> Iterator[Fact]:
    """Yield how often a card's date moved, and the first one."""
    say = world.words.say
    inputs = []
    for given in promises.dates:
        seen = str(given.given) if given.given else say("before memory was lost")
        inputs.append(Input(say("promised"), f"{given.due} ({seen})", card.url))
    if promises.lost:
        inputs.append(Input(say("moves counted before"), str(promises.lost), card.url))
    why = Why("progress", tuple(inputs), say("changes of the date people gave, by day"))
    first = Why("progress", tuple(inputs), say("the first date people gave"))
    yield Fact(card.ref, "due_moves", Decimal(promises.moves), why)
    yield Fact(card.ref, "due_first", promises.first.due, first)
