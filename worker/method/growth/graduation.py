"""From newbiz to account when one or two people no longer suffice, and the account that has had no work (docs/method.md 5.1).

Graduation asks two people, each by a task of their own: Head of Newbiz hands the client over and the HoA takes it on.
One task with two names would be nobody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, CardWork, Client, Stage, Unit
from worker.domain.messages import message
from worker.domain.periods import A_DAY, monday_of
from worker.domain.values import Ref
from worker.method.conditions import (
    NO,
    Look,
    Sighting,
    Subject,
    state_looks,
    state_signals,
)
from worker.method.formulas.rays import IDEAS, add_months, due_of
from worker.method.measures import CardMeasure, Signal, UnitLoad, WeekLoad
from worker.method.outlook import Graduation
from worker.method.run import Findings
from worker.world.logged import uncounted
from worker.world.world import World

SILENT, GRADUATES = "relations.silent", "newbiz.graduates"
HOUR = 3600
GRADUATED = message("closed automatically: the client is an account now")


class _Portfolios(msgspec.Struct, frozen=True, gc=False):
    """What one run works on: cards by client, and what the units carry."""

    world: World
    measures: Mapping[Ref, CardMeasure]
    units: Mapping[Ref, UnitLoad]
    cards: Mapping[Ref | None, list[Card]]
    accounts: Mapping[Ref | None, int]


def find_graduations(
    world: World, measures: Mapping[Ref, CardMeasure], units: Mapping[Ref, UnitLoad]
) -> Findings[Mapping[Ref, Graduation]]:
    """Return who is ready to be an account, and the condition of every account: whether it has had no work."""
    view = _view_of(world, measures, units)
    graduations = {
        client.ref: graduation
        for client in world.clients.values()
        if (graduation := _graduation(view, client))
    }
    ready: list[Signal] = []
    for client in world.clients.values():
        ready += _graduate(client, graduations.get(client.ref), world)
    conditions, silent = state_looks(_silences(view), words=world.words)
    return Findings(graduations, conditions=conditions, signals=(*ready, *silent))


def _silences(view: _Portfolios) -> Iterator[Look]:
    world = view.world
    for client in world.clients.values():
        if client.group == "account":
            names = {"client": client.name}
            subject = Subject(client.ref, names, client=client.ref, unit=client.unit)
            yield SILENT, subject, _silence(client, _last_work(view, client), world)


def _view_of(
    world: World, measures: Mapping[Ref, CardMeasure], units: Mapping[Ref, UnitLoad]
) -> _Portfolios:
    cards: dict[Ref | None, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        cards[card.client].append(card)
    accounts: dict[Ref | None, int] = defaultdict(int)
    for client in world.clients.values():
        accounts[client.unit] += client.group == "account"
    return _Portfolios(world, measures, units, cards, accounts)


# Newbiz to account


def _graduation(view: _Portfolios, client: Client) -> Graduation | None:
    if client.group != "newbiz":
        return None
    cards = view.cards[client.ref]
    evidence = (
        *_crowd(view, cards),
        *_queue(cards, view.world),
        *_long_work(view, cards),
    )
    return (
        Graduation(client.ref, evidence, _unit(view), _model(client, cards, view.world))
        if evidence
        else None
    )


def _crowd(view: _Portfolios, cards: Iterable[Card]) -> Iterator[str]:
    """Say it when enough people logged enough hours in enough of the last full weeks."""
    world = view.world
    limits = view.world.thresholds
    monday = monday_of(world.today)
    weeks = [
        week
        for week, people in _crew(cards, world, monday).items()
        if people >= limits.graduation_people
    ]
    if len(weeks) >= limits.graduation_weeks:
        yield world.words.count(
            "{people} or more people logged {hours} hours each in {n} of the last "
            "{window} weeks.",
            "{people} or more people logged {hours} hours each in {n} of the last "
            "{window} weeks.",
            len(weeks),
            people=limits.graduation_people,
            hours=world.words.number(limits.graduation_hours),
            window=limits.graduation_window,
        )


def _crew(cards: Iterable[Card], world: World, monday: date) -> dict[int, int]:
    """Return how many people logged the hours that count, by full weeks back from a Monday (0: the last one)."""
    seconds: dict[tuple[int, str], int] = defaultdict(int)
    sunday = monday - A_DAY
    counted: set[str] = set()
    for card in cards:
        work = world.work.get(card.ref, CardWork())
        for log in uncounted(work.worklogs, counted):
            back = (sunday - log.day).days // 7
            if 0 <= back < world.thresholds.graduation_window:
                seconds[back, log.author] += log.seconds
    crew: dict[int, int] = defaultdict(int)
    for (back, _), spent in seconds.items():
        crew[back] += Decimal(spent) / HOUR >= world.thresholds.graduation_hours
    return crew


def _queue(cards: Iterable[Card], world: World) -> Iterator[str]:
    stages = [card.stage for card in cards]
    running = sum(stage in RUNNING for stage in stages)
    ideas = sum(stage in IDEAS for stage in stages)
    if running >= 2 and ideas:
        yield world.words.count(
            "{n} project is running and an idea is waiting.",
            "{n} projects are running and an idea is waiting.",
            running,
        )


def _long_work(view: _Portfolios, cards: Iterable[Card]) -> Iterator[str]:
    """Say it when running work is planned, by its due date or else its P85, beyond the months that make an account."""
    world = view.world
    limit = add_months(world.today, world.thresholds.graduation_months)
    ends = [
        (end, card)
        for card in cards
        if card.stage in RUNNING
        and (end := _planned_end(card, view.measures.get(card.ref)))
        and end > limit
    ]
    if ends:
        end, card = max(ends, key=lambda pair: (pair[0], pair[1].ref))
        yield world.words.say(
            "“{card}” is planned until {day}.",
            card=card.name,
            day=world.words.date(end),
        )


def _planned_end(card: Card, measure: CardMeasure | None) -> date | None:
    return due_of(card, measure) or (
        measure.forecast.p85 if measure and measure.forecast else None
    )


def _unit(view: _Portfolios) -> Ref | None:
    """Return the unit with the least load ahead, when the loads of all are known, then the smallest portfolio."""
    units = list(view.world.units.values())
    loads = {unit.ref: _load(view.units.get(unit.ref)) for unit in units}
    if None in loads.values():
        loads = {}
    ranked = sorted(
        units,
        key=lambda unit: (loads.get(unit.ref) or 0, view.accounts[unit.ref], unit.name),
    )
    return ranked[0].ref if ranked else None


def _load(unit: UnitLoad | None) -> Decimal | None:
    """Return the load of the next 4 weeks to a tenth, so that small moves do not change a proposal."""
    weeks: tuple[WeekLoad, ...] = ()
    if unit is not None:
        weeks = unit.weeks[:4]
    planned = Decimal(0)
    capacity = Decimal(0)
    for week in weeks:
        if week.load is None:
            return None
        planned += week.load
        capacity += week.capacity
    if not capacity:
        return None

    load = planned / capacity
    return load.quantize(Decimal("0.1"))


def _model(client: Client, cards: Iterable[Card], world: World) -> str:
    """Return the next money model: a retainer for a service that does not end or from T&M on, else T&M."""
    services = [
        world.services.get(card.service)
        for card in cards
        if card.stage in RUNNING and card.service
    ]
    endless = any(
        service is not None and service.kind == "endless" for service in services
    )
    evolves = any(card.stage is Stage.EVOLUTION for card in cards)
    return (
        "retainer"
        if endless or evolves or client.engagement in ("tm", "retainer")
        else "tm"
    )


def _graduate(
    client: Client, graduation: Graduation | None, world: World
) -> Iterator[Signal]:
    words = world.words
    unit = world.units.get(graduation.unit) if graduation and graduation.unit else None
    names = {"client": client.name, "unit": unit.name if unit else ""}
    subject = Subject(client.ref, names, client=client.ref)
    seen = NO
    if graduation:
        evidence = (*graduation.evidence, _proposal(graduation, unit, world))
        seen = Sighting(holds=True, evidence=" ".join(evidence))

    for signal in state_signals(GRADUATES, subject, seen, words=words):
        if client.group == "account":
            yield replace(signal, ended=words.say(GRADUATED))
        else:
            yield signal


def _proposal(graduation: Graduation, unit: Unit | None, world: World) -> str:
    words = world.words
    model = (
        words.say("a retainer") if graduation.model == "retainer" else words.say("T&M")
    )
    if unit is None:
        return words.say("Proposed: {model}; no unit to take it.", model=model)
    return words.say("Proposed: unit {unit}, {model}.", unit=unit.name, model=model)


# Accounts without work


def _last_work(view: _Portfolios, client: Client) -> date | None:
    """Return the last day anything was done for a client; today while work may go on unseen; None without a trace."""
    days = [day for card in view.cards[client.ref] if (day := _worked(view, card))]
    return max(days, default=None)


def _worked(view: _Portfolios, card: Card) -> date | None:
    measure = view.measures.get(card.ref)
    if card.stage is Stage.AGREED:
        return view.world.today
    if (
        card.stage in (*RUNNING, Stage.DONE)
        and measure is not None
        and measure.last_activity
    ):
        return min(measure.last_activity, view.world.today)
    if card.stage in RUNNING:
        return view.world.today
    return _ended(card, measure, view.world.today) if card.stage is Stage.DONE else None


def _ended(card: Card, measure: CardMeasure | None, today: date) -> date | None:
    """Return when a finished card ended: its due date, else the day it was seen to be done."""
    day = due_of(card, measure) or (measure.stage_since if measure else None)
    return min(day, today) if day else None


def _is_silent(last: date | None, world: World) -> bool | None:
    return (
        None
        if last is None
        else add_months(last, world.thresholds.silent_months) <= world.today
    )


def _silence(client: Client, last: date | None, world: World) -> Sighting:
    words = world.words
    limits = world.thresholds
    evidence = (
        words.say("The last work was done on {day}.", day=words.date(last))
        if last
        else ""
    )
    return Sighting(
        _is_silent(last, world),
        4,
        evidence,
        words.count("{n} month", "{n} months", limits.silent_months),
        inputs=((words.say("client"), client.name, client.url),),
    )
