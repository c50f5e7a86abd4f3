"""A client that left: said once, and then nothing nags it any further (docs/method.md 4.5).

It left when all its cards are done or lost, its contract is over and no money came for three finished months and this
one. A newbiz client needs no contract to be over; an account without an end of contract has only fallen silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec.structs import replace

from worker.domain.entities import Client, Stage
from worker.domain.periods import month_of, months_between
from worker.domain.values import Ref
from worker.method.conditions import CONDITIONS, NO, Sighting, Subject, state_condition
from worker.method.measures import Condition, MoneyMeasure, MonthMoney, Signal
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

LEFT = "relations.left"
OVER = frozenset({Stage.DONE, Stage.LOST})


def find_churn(
    world: World, revenue: MoneyMeasure | None
) -> Findings[Mapping[Ref, date]]:
    """Return who left, by the day their life ended, with the condition that says so."""
    if revenue is None:
        return Findings({})
    stages: dict[Ref, set[Stage | None]] = defaultdict(set)
    for card in world.cards.values():
        if card.client is not None:
            stages[card.client].add(card.stage)
    left = {
        ref: day
        for ref, client in world.clients.items()
        if (
            day := _life_end(
                client, stages[ref], revenue.history.get(ref, ()), world=world
            )
        )
        is not None
    }
    facts = tuple(
        _fact(client, left.get(client.ref), world) for client in world.clients.values()
    )
    return Findings(left, facts, conditions=tuple(_conditions(left, world)))


def end_conditions(
    _world: World, conditions: Iterable[Condition], left: Mapping[Ref, date]
) -> Findings[tuple[Condition, ...]]:
    """Return conditions with those about clients that left at an end: that they left says all."""
    return Findings(
        tuple(
            replace(condition, holds=False) if condition.client in left else condition
            for condition in conditions
        )
    )


def end_signals(
    world: World, signals: Iterable[Signal], left: Mapping[Ref, date]
) -> Findings[tuple[Signal, ...]]:
    """Return signals with those about clients that left at an end: their tasks close by themselves."""
    ended = world.words.say("closed automatically: the client has left")
    return Findings(
        tuple(
            replace(signal, holds=False, ended=ended)
            if signal.client in left
            else signal
            for signal in signals
        )
    )


def _life_end(
    client: Client,
    stages: set[Stage | None],
    history: Iterable[MonthMoney],
    *,
    world: World,
) -> date | None:
    """Return the day the client's life ended, None while it lives: the end of its contract or of its last money."""
    end = client.contract_end
    today = world.today
    if not stages or not stages <= OVER or (end is not None and end >= today):
        return None
    if end is None and client.group != "newbiz":
        return None
    paid = [money.month for money in history if money.amount > 0]
    last = None
    if paid:
        last = month_of(max(paid)).end
    if last is not None and months_between(last, today) <= world.thresholds.left_months:
        return None
    return max((day for day in (end, last) if day is not None), default=None)


def _conditions(left: dict[Ref, date], world: World) -> Iterator[Condition]:
    words = world.words
    for ref, client in world.clients.items():
        names = {"client": client.name}
        subject = Subject(ref, names, client=ref)
        day = left.get(ref)
        seen = NO
        if day is not None:
            seen = _left_since(day, world)
        yield state_condition(LEFT, subject, seen, words=words)


def _left_since(day: date, world: World) -> Sighting:
    words = world.words
    return Sighting(
        holds=True,
        probability=5,
        impact=2,
        evidence=words.say(
            "All projects are done or lost, and there was no money since {day}.",
            day=words.date(day),
        ),
        threshold=words.count(
            "{n} finished month without money",
            "{n} finished months without money",
            world.thresholds.left_months,
        ),
    )


def _fact(client: Client, day: date | None, world: World) -> Fact:
    say = world.words.say
    inputs = (
        Input(say("client"), client.name, client.url),
        Input(say("contract end"), str(client.contract_end or "-")),
    )
    return Fact(
        client.ref,
        "life_end",
        day,
        Why("farewell", inputs, say(CONDITIONS[LEFT].formula)),
    )
