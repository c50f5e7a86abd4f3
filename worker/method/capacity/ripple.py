"""Ripples: what holds a shared person up moves the dates of other clients' cards (docs/method.md 3.5).

A person is held up by a card that goes on beyond its due date, or away: for a time, or for good after their last day.
A card depends on whoever has more than `ripple_share` of its open work; its end moves past the days on which they are
taken from it. A person's days are those of their own week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

import msgspec

from worker.domain.entities import RUNNING, Card, Issue, Person, Stage
from worker.domain.messages import message
from worker.domain.periods import A_DAY
from worker.domain.values import Ref
from worker.method.capacity.demand import HOUR, remaining
from worker.method.conditions import NO, UNKNOWN, Look, Sighting, Subject, state_looks
from worker.method.formulas.bands import mark_above
from worker.method.formulas.flow import DONE, share
from worker.method.formulas.group import staff
from worker.method.formulas.working_time import is_usual_day
from worker.method.measures import CardMeasure, PersonLoad
from worker.method.run import Findings
from worker.world.world import World

SIGNAL = "deadline.ripple"
STAGES = frozenset({Stage.AGREED, *RUNNING})
"""Of the cards that have dates to keep."""
WEEK = 5
"""Working days by which hours a week are divided, where a person has no week of their own."""
MOVED = message("The end moves from {end} to {moved}; it is due on {due}.")
GONE = message(
    "Unless somebody takes it over, the end moves from {end} beyond {last}; it is due on {due}."
)


class _Part(msgspec.Struct, frozen=True, gc=False):
    """One person's part of the open work of a card: its share, and its working days where its hours are known."""

    person: Person
    share: Decimal
    days: int | None


class _Open(msgspec.Struct, frozen=True, gc=False):
    """A card with open work, with the parts of people."""

    card: Card
    measure: CardMeasure
    parts: Mapping[Ref, _Part]


class _Cause(msgspec.Struct, frozen=True, gc=False):
    """Working days on which a person is taken from other work.

    A `card` goes on from its due date (`since`) `until` its end; without one the person is away between these days, or
    `leaves`: is no more there after `since`, as far as is looked ahead (`until`).
    """

    person: Person
    days: tuple[date, ...]
    since: date
    until: date
    card: Card | None = None
    leaves: bool = False


class _Move(msgspec.Struct, frozen=True, gc=False):
    """What a cause does to a card: its end before and after, in working days `delay`, and `beyond` the due date."""

    cause: _Cause
    share: Decimal
    due: date
    end: date
    moved: date
    delay: int
    beyond: int


class _Firm(msgspec.Struct, frozen=True, gc=False):
    """What one run looks at: cards with open work, the clients of every person, what holds people up."""

    world: World
    cards: Mapping[Ref, CardMeasure]
    open: Mapping[Ref, _Open]
    clients: Mapping[Ref, frozenset[Ref]]
    causes: Mapping[Ref, tuple[_Cause, ...]]
    last: date


def find_ripples(
    world: World, cards: Mapping[Ref, CardMeasure], people: Mapping[Ref, PersonLoad]
) -> Findings[None]:
    """Return a condition and a signal for every card; it states no facts itself."""
    firm = _look_around(world, cards, people)
    looks = [_look(card, firm) for card in world.cards.values()]
    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(None, conditions=conditions, signals=signals)


def _look_around(
    world: World, cards: Mapping[Ref, CardMeasure], people: Mapping[Ref, PersonLoad]
) -> _Firm:
    open_cards: dict[Ref, _Open] = {}
    for held in _open_work(world, cards):
        open_cards[held.card.ref] = held

    last = world.today + timedelta(weeks=world.thresholds.ripple_weeks)
    clients: dict[Ref, frozenset[Ref]] = {}
    causes: dict[Ref, tuple[_Cause, ...]] = {}
    for ref, load in people.items():
        served = clients[ref] = _clients(load, world)
        if len(served) > 1:
            person = world.people[ref]
            causes[ref] = (
                *_overruns(person, open_cards.values(), last, world),
                *_absences(person, last, world),
                *_departures(person, last, world),
            )
    return _Firm(world, cards, open_cards, clients, causes, last)


def _clients(load: PersonLoad, world: World) -> frozenset[Ref]:
    """Return the clients on whose cards a person has open items or logged of late."""
    served = set()
    for ref in load.projects:
        card = world.card(ref)
        client = world.client(card.client) if card else None
        if client is not None:
            served.add(client.ref)
    return frozenset(served)


def _open_work(world: World, cards: Mapping[Ref, CardMeasure]) -> Iterator[_Open]:
    """Yield the agreed and running cards whose work is known and not done."""
    accounts = staff(world).accounts
    for ref, card in world.cards.items():
        measure = cards.get(ref)
        work = world.work.get(ref)
        if (
            measure is None
            or work is None
            or card.stage not in (*RUNNING, Stage.AGREED)
        ):
            continue
        if measure.known and measure.open:
            parts = _parts(work.issues, accounts, world)
            yield _Open(card, measure, parts)


def _parts(
    issues: Iterable[Issue], accounts: Mapping[str, Ref], world: World
) -> dict[Ref, _Part]:
    """Return the parts of people by hours left, or by items where too few carry an estimate."""
    seconds: dict[str, int] = defaultdict(int)
    items: dict[str, int] = defaultdict(int)
    count = 0
    estimated = 0
    for issue in _counted(issues, world):
        who = issue.assignee or ""
        left = remaining(issue)
        count += 1
        items[who] += 1
        if left is not None:
            estimated += 1
            seconds[who] += left

    by_hours = estimated >= world.thresholds.estimate_share * count
    amounts = seconds if by_hours else items
    whole = sum(amounts.values())
    parts = {}
    for account, ref in accounts.items():
        amount = amounts.get(account)
        # Nobody works on most cards: that is not worth a division for each.
        part = share(amount, whole) if amount else None
        if not part:
            continue
        days = None
        person = world.people[ref]
        if by_hours:
            days = _days_of(person, seconds[account])
        parts[ref] = _Part(person, part, days)
    return parts


def _counted(issues: Iterable[Issue], world: World) -> Iterator[Issue]:
    """Yield the open items; of one whose sub-tasks carry estimates these count alone."""
    covered = set()
    still_open = []
    for issue in issues:
        if issue.category == DONE:
            continue
        if issue.level <= 0:
            still_open.append(issue)
        if issue.level < 0 and remaining(issue) is not None:
            covered.add(issue.parent)

    is_added = world.thresholds.subtask_estimates == "add"
    for issue in still_open:
        if is_added or issue.id not in covered:
            yield issue


def _days_of(person: Person, seconds: int) -> int | None:
    """Return the days at work that so much work takes a person; None without hours a week."""
    if not person.capacity:
        return None
    week = WEEK
    if person.week is not None:
        week = sum(hours > 0 for hours in person.week)
    hours = Decimal(seconds) / HOUR
    return ceil(hours * week / person.capacity)


def _overruns(
    person: Person, cards: Iterable[_Open], last: date, world: World
) -> Iterator[_Cause]:
    """Yield the cards that keep a person beyond their due dates, at most for the person's own work left on them."""
    for held in cards:
        part = held.parts.get(person.ref)
        due = held.measure.due
        if part is None or due is None:
            continue
        if held.card.stage not in RUNNING:
            continue
        end = _end(held, part, world)
        if end is None or end <= due:
            continue
        after = due + A_DAY
        first = max(world.today, after)
        until = min(end, last)
        days = _working(person, first, until, world=world)
        if days:
            own = days[: part.days]
            yield _Cause(person, own, due, end, held.card)


def _absences(person: Person, last: date, world: World) -> Iterator[_Cause]:
    until = last
    if person.end is not None:
        until = min(person.end, last)
    days = tuple(
        day
        for day in _working(person, world.today, until, world=world)
        if any(day in away for away in person.time_off)
    )
    if days:
        yield _Cause(person, days, days[0], days[-1])


def _departures(person: Person, last: date, world: World) -> Iterator[_Cause]:
    """Yield the days after a person's last one: they do not come back, and take nothing up again."""
    if person.end is None:
        return
    after = person.end + A_DAY
    first = max(world.today, after)
    days = _working(person, first, last, world=world)
    if days:
        yield _Cause(person, days, person.end, last, leaves=True)


def _working(
    person: Person, first: date, last: date, *, world: World
) -> tuple[date, ...]:
    """Return the days of a person's week from one day to another."""
    days = []
    day = first
    while day <= last:
        if is_usual_day(person, day, world.calendar):
            days.append(day)
        day += A_DAY
    return tuple(days)


def _later(person: Person, day: date, count: int, *, world: World) -> date:
    """Return the day of a person's week `count` days of theirs after a day; 0 means that day or their next."""
    later = day
    while not is_usual_day(person, later, world.calendar):
        later += A_DAY
    for _ in range(count):
        later += A_DAY
        while not is_usual_day(person, later, world.calendar):
            later += A_DAY
    return later


def _end(held: _Open, part: _Part, world: World) -> date | None:
    """Return the P85 of a card, else the day by which a person's own part of it is done; None when neither is known."""
    forecast = held.measure.forecast
    if forecast is not None:
        return forecast.p85
    if part.days is None:
        return None
    further = max(part.days - 1, 0)
    return _later(part.person, world.today, further, world=world)


def _look(card: Card, firm: _Firm) -> Look:
    client = firm.world.client(card.client)
    move = None
    seen = UNKNOWN
    measure = firm.cards.get(card.ref)
    held = firm.open.get(card.ref)
    if card.stage not in STAGES:
        seen = NO
    elif held is not None:
        seen, move = _sight(held, firm)
    elif measure is not None and measure.known:
        seen = NO
    names = {
        "card": card.name,
        "client": client.name if client else "",
        "name": move.cause.person.name if move else "",
    }
    subject = Subject(card.ref, names, client=card.client, card=card.ref)
    return SIGNAL, subject, seen


def _sight(held: _Open, firm: _Firm) -> tuple[Sighting, _Move | None]:
    """Return how a card is touched, and by what most; what has no known end is unknown as soon as there is a cause."""
    limits = firm.world.thresholds
    due = held.measure.due
    if due is None or not firm.world.today <= due <= firm.last:
        return NO, None
    late: list[_Move] = []
    seen = NO
    for cause, part in _causes_of(held, firm):
        end = _end(held, part, firm.world)
        if end is None:
            seen = UNKNOWN
            continue
        move = _move(cause, part, end, due, world=firm.world)
        if move.beyond and move.delay >= limits.ripple_days:
            late.append(move)

    if not late:
        return seen, None
    worst = max(late, key=_rank)
    return _sighting(worst, held, firm), worst


def _causes_of(held: _Open, firm: _Firm) -> Iterator[tuple[_Cause, _Part]]:
    """Yield what holds up whoever a card depends on, work for its own client left out."""
    least = firm.world.thresholds.ripple_share
    for ref, part in held.parts.items():
        if part.share <= least:
            continue
        for cause in firm.causes.get(ref, ()):
            if cause.card is None or cause.card.client != held.card.client:
                yield cause, part


def _rank(move: _Move) -> tuple[int, str, str]:
    cause = move.cause
    work = cause.card.name if cause.card else ""
    return move.delay, cause.person.name, work


def _move(cause: _Cause, part: _Part, end: date, due: date, *, world: World) -> _Move:
    """Move an end past the days that are taken before it, and past those it meets on its way."""
    calendar = world.calendar
    moved = end
    for day in cause.days:
        if day <= moved:
            next_day = moved + A_DAY
            moved = _later(cause.person, next_day, 0, world=world)
    return _Move(
        cause,
        part.share,
        due,
        end,
        moved,
        delay=calendar.working_days(end + A_DAY, moved),
        beyond=calendar.working_days(due + A_DAY, moved),
    )


def _sighting(move: _Move, held: _Open, firm: _Firm) -> Sighting:
    words = firm.world.words
    say = words.say
    limits = firm.world.thresholds
    person = move.cause.person
    cause = _reason(move, held, firm)
    moved = say(
        GONE if move.cause.leaves else MOVED,
        end=words.date(move.end),
        moved=words.date(move.moved),
        due=words.date(move.due),
        last=words.date(firm.last),
    )
    return Sighting(
        holds=True,
        probability=mark_above(move.beyond, WEEK, 2 * WEEK, least=3),
        evidence=f"{cause} {moved}",
        threshold=say(
            "share > {share}, days ≥ {days}, weeks: {weeks}",
            share=limits.ripple_share,
            days=limits.ripple_days,
            weeks=limits.ripple_weeks,
        ),
        horizon=move.due,
        inputs=(
            (say("person"), person.name, person.url),
            (say("share of the open work"), words.percent(move.share), ""),
            (say("working days taken"), str(len(move.cause.days)), ""),
            (say("delay, working days"), str(move.delay), ""),
        ),
    )


def _reason(move: _Move, held: _Open, firm: _Firm) -> str:
    """Say who is held up, by whose work or for how long."""
    words = firm.world.words
    cause = move.cause
    card = cause.card
    if cause.leaves:
        return words.say(
            "{person} ({share} of the open work) leaves after {day}, and also works for {clients}.",
            person=cause.person.name,
            share=words.percent(move.share),
            day=words.date(cause.since),
            clients=_others(cause.person, held.card, firm),
        )
    if card is None:
        return words.count(
            "{person} ({share} of the open work) is away for {n} working day between {since} and {until}, "
            "and also works for {clients}.",
            "{person} ({share} of the open work) is away for {n} working days between {since} and {until}, "
            "and also works for {clients}.",
            len(cause.days),
            person=cause.person.name,
            share=words.percent(move.share),
            since=words.date(cause.since),
            until=words.date(cause.until),
            clients=_others(cause.person, held.card, firm),
        )
    payer = firm.world.client(card.client)
    return words.count(
        "{person} ({share} of the open work) is held up for {n} working day by “{card}” of {client}: due {since}, "
        "it goes on until {until}.",
        "{person} ({share} of the open work) is held up for {n} working days by “{card}” of {client}: due {since}, "
        "it goes on until {until}.",
        len(cause.days),
        person=cause.person.name,
        share=words.percent(move.share),
        card=card.name,
        client=payer.name if payer else "-",
        since=words.date(cause.since),
        until=words.date(cause.until),
    )


def _others(person: Person, card: Card, firm: _Firm) -> str:
    names = []
    for ref in firm.clients[person.ref]:
        if ref != card.client:
            names.append(firm.world.clients[ref].name)
    names.sort()
    return ", ".join(names)
