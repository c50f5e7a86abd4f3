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
from worker.method.delivery.records import GivenDate, Promises
from worker.method.formulas.hysteresis import follow
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
    counted = int(card.due_moves or 0)
    lost = max(counted, 0)
    if promised is None or promised == first.due:
        return Promises((first,), lost)
    # One of the moves that were counted led to the date that stands there.
    last = GivenDate(promised)
    lost = max(lost - 1, 0)
    return Promises((first, last), lost)


def follow_promises(
    known: Promises | None, card: Card, promised: date | None, *, world: World
) -> Promises | None:
    """Return the dates promised for a card up to today; `promised` is today's."""
    if promised is None or card.stage not in PROMISED:
        return known
    if known is None:
        first = GivenDate(promised, _given_on(card, world))
        return Promises((first,))

    last = known.last
    if last.due == promised:
        return known
    earlier = known.dates
    if last.given == world.today:
        earlier = earlier[:-1]
    if earlier and earlier[-1].due == promised:
        return replace(known, dates=earlier)
    given = GivenDate(promised, world.today)
    return replace(known, dates=(*earlier, given))


def _given_on(card: Card, world: World) -> date:
    """Return the day on which a card that was never seen before had its date at the latest."""
    if card.edited is None:
        return world.today
    edited = world.day_of(card.edited)
    return min(edited, world.today)


def keep_promises(track: Track | None, promises: Promises, today: date) -> Track:
    """Return how promises are remembered."""
    value = msgspec.json.encode(promises)
    return follow(track, value.decode(), today)


def describe_moves(promises: Promises | None, words: Words) -> str:
    """Return how often and how far the promised date moved; nothing where it did not."""
    if promises is None or not promises.moves:
        return ""
    first = promises.first.due
    last = promises.last.due
    return words.count(
        "The promised date moved {n} time, from {first} to {last} ({shift}).",
        "The promised date moved {n} times, from {first} to {last} ({shift}).",
        promises.moves,
        first=words.date(first),
        last=words.date(last),
        shift=describe_shift(first, last, words),
    )


def describe_shift(before: date, after: date, words: Words) -> str:
    """Return how far one day lies from another."""
    moved = after - before
    days = abs(moved.days)
    if not days:
        return words.say("the same day again")
    if after > before:
        return words.count("{n} day later", "{n} days later", days)
    return words.count("{n} day earlier", "{n} days earlier", days)


def state_moves(card: Card, promises: Promises, world: World) -> Iterator[Fact]:
    """Yield how often a card's date moved, and the first one."""
    say = world.words.say
    inputs = tuple(_inputs(card, promises, world))
    counted = say("changes of the date people gave, by day")
    first = say("the first date people gave")
    yield Fact(
        card.ref, "due_moves", Decimal(promises.moves), Why("progress", inputs, counted)
    )
    yield Fact(
        card.ref, "due_first", promises.first.due, Why("progress", inputs, first)
    )


def _inputs(card: Card, promises: Promises, world: World) -> Iterator[Input]:
    say = world.words.say
    name = say("promised")
    for given in promises.dates:
        seen = say("before memory was lost")
        if given.given is not None:
            seen = given.given.isoformat()
        yield Input(name, f"{given.due} ({seen})", card.url)
    if promises.lost:
        lost = str(promises.lost)
        yield Input(say("moves counted before"), lost, card.url)
