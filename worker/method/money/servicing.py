"""Work given away: what the hours of a month are worth against what they bring (docs/method.md 2.7).

A retainer whose hours are worth more than its fee by a fifth serves too much, and its client should hear of it while
the month lasts: as soon as the hours of the running month are worth more than its whole fee. Hours without a rate are
told by the rule of revenue and count nowhere here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import Client, Worklog
from worker.domain.money import round_money
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, month_of, previous_period
from worker.domain.values import Ref
from worker.method.conditions import NO, Look, Sighting, Subject, state_looks
from worker.method.formulas.flow import HOUR, ratio
from worker.method.formulas.phasing import fee_until
from worker.method.formulas.rates import rates_of
from worker.method.measures import MoneyMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)


class _Worked(msgspec.Struct, gc=False):
    """The hours of one client in one month, and what they are worth at the rates of those who worked them."""

    hours: Decimal = ZERO
    worth: Decimal = ZERO

    def add(self, log: Worklog, rate: Decimal) -> None:
        """Count a log at a rate an hour."""
        hours = log.seconds / HOUR
        self.hours += hours
        self.worth += hours * rate


Months = Mapping[date, _Worked]
Worked = defaultdict[Ref, defaultdict[date, _Worked]]


def measure_servicing(
    world: World, revenue: MoneyMeasure | None
) -> Findings[Mapping[Ref, Decimal] | None]:
    """Return the realisation of every client's last finished month, and what retainers give away."""
    if revenue is None:
        return Findings(None)
    last = previous_period(month_of(world.today))
    realisations: dict[Ref, Decimal] = {}
    facts: list[Fact] = []
    looks: list[Look] = []
    every, in_fee = _worked_by_client(world)
    for client in world.clients.values():
        months = revenue.history.get(client.ref, ())
        amounts = {month.month: month.amount for month in months}
        brought = amounts.get(last.start, ZERO)
        worked = every[client.ref][last.start]
        share = None
        if worked.worth:
            share = realisations[client.ref] = ratio(brought / worked.worth)
        facts.append(_fact(client, share, brought, worked=worked, world=world))
        looks.append(_look(client, in_fee[client.ref], last, world))
    conditions, signals = state_looks(looks, words=world.words)
    return Findings(realisations, tuple(facts), conditions=conditions, signals=signals)


def _worked_by_client(world: World) -> tuple[Worked, Worked]:
    """Return the hours by client and month: all of them, and those its fee is for; shared hours count once."""
    rates = rates_of(world)
    every: Worked = defaultdict(lambda: defaultdict(_Worked))
    in_fee: Worked = defaultdict(lambda: defaultdict(_Worked))
    seen: set[tuple[Ref, str]] = set()
    for card in world.cards.values():
        client = world.client(card.client)
        work = world.work.get(card.ref)
        if client is None or work is None:
            continue

        model = card.engagement or client.engagement
        for log in work.worklogs:
            place = (client.ref, log.id)
            rate = rates.of(log.author, world.day_of(log.started))
            if rate is None or place in seen:
                continue
            seen.add(place)
            month = world.day_of(log.started).replace(day=1)
            every[client.ref][month].add(log, rate)
            if model == "retainer":
                in_fee[client.ref][month].add(log, rate)
    return every, in_fee


def _fact(
    client: Client,
    share: Decimal | None,
    brought: Decimal,
    *,
    worked: _Worked,
    world: World,
) -> Fact:
    words = world.words
    inputs = (
        Input(words.say("client"), client.name, client.url),
        Input(words.say("recognised in the last finished month"), words.money(brought)),
        Input(words.say("hours"), words.number(worked.hours, 1)),
        Input(words.say("worth at standard rates"), words.money(worked.worth)),
    )
    formula = words.say("recognised / (hours x rates), last finished month")
    return Fact(client.ref, "realisation", share, Why("servicing", inputs, formula))


def _look(client: Client, in_fee: Months, last: Period, world: World) -> Look:
    subject = Subject(client.ref, {"client": client.name}, client=client.ref)
    return "money.over_servicing", subject, _sighting(client, in_fee, last, world)


def _sighting(client: Client, in_fee: Months, last: Period, world: World) -> Sighting:
    words = world.words
    limit = world.thresholds.over_servicing
    if client.engagement != "retainer" or not client.monthly_fee:
        return NO
    overrun = max(_overruns(client, in_fee, last, world), default=None)
    evidence = ""
    if overrun is not None:
        given, start = overrun
        month = month_of(start)
        worked = in_fee[start]
        evidence = words.say(
            "{month}: {hours} h worth {worth} for a fee of {fee}: {given} given away.",
            month=period_title(month, words),
            hours=words.number(worked.hours, 0),
            worth=words.money(worked.worth),
            fee=words.money(_fee(client, month, world)),
            given=words.money(given),
        )
    return Sighting(
        overrun is not None,
        4,
        evidence,
        f"> {1 + limit}",
        stake=overrun[0] if overrun else ZERO,
    )


def _overruns(
    client: Client, in_fee: Months, last: Period, world: World
) -> Iterator[tuple[Decimal, date]]:
    """Yield what the last and the running month gave away beyond the limit, with the month's first day."""
    for month in (last, month_of(world.today)):
        worked = in_fee.get(month.start)
        fee = _fee(client, month, world)
        if worked is None or not fee:
            continue
        if worked.worth > fee * (1 + world.thresholds.over_servicing):
            given_away = worked.worth - fee
            yield round_money(given_away, world.minor_unit), month.start


def _fee(client: Client, month: Period, world: World) -> Decimal:
    return fee_until(
        client, month, month.end, calendar=world.calendar, minor=world.minor_unit
    )
