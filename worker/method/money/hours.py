"""Hours worked for clients: each once, on its day, by whom, and whether the client is to pay them (docs/method.md 2.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import Card, Client, Worklog
from worker.domain.values import Ref
from worker.method.formulas.billable import billable_of
from worker.method.formulas.flow import HOUR
from worker.method.formulas.rates import rates_of
from worker.method.measures import Spent
from worker.world.world import World

ZERO = Decimal(0)
BY_THE_MONTH = ("retainer", "tm")
"""Models of a running contract, whose hours a frame of hours a month may bound."""


class Worked(msgspec.Struct, gc=False):
    """The billable hours of a month, what they are worth at standard rates, and those that have no rate."""

    hours: Decimal = ZERO
    worth: Decimal = ZERO
    unpriced: Decimal = ZERO


Months = defaultdict[date, Worked]
WorkedByClient = defaultdict[Ref, Months]
"""By client and first day of the month; months without hours are zero."""


def hours_on_cards(world: World) -> Iterator[Spent]:
    """Yield the hours on all clients' cards by days of the workspace's zone.

    A log on several cards of one client counts once: on one where it is billable, of those the first by ref. Days to come
    tell nothing yet.
    """
    seen: set[tuple[Ref, str]] = set()
    every = sorted(_logs(world), key=_billable_first)
    for client, card, log, is_billable in every:
        place = (client.ref, log.id)
        if place in seen:
            continue
        seen.add(place)
        day = world.day_of(log.started)
        if day > world.today:
            continue
        yield Spent(
            client.ref,
            card.ref,
            model_on(card, client, day),
            log.author,
            day,
            log.seconds / HOUR,
            is_billable,
        )


def _logs(world: World) -> Iterator[tuple[Client, Card, Worklog, bool]]:
    billable = billable_of(world)
    for card in world.cards.values():
        client = world.client(card.client)
        work = world.work.get(card.ref)
        if client is None or work is None:
            continue
        paid = {log.id for log in billable.logs_of(card)}
        for log in work.worklogs:
            yield client, card, log, log.id in paid


def _billable_first(one: tuple[Client, Card, Worklog, bool]) -> tuple[bool, Ref]:
    _, card, _, is_billable = one
    return not is_billable, card.ref


def model_on(card: Card, client: Client, day: date) -> str | None:
    """Return by which model a card was worked on a day: its own, else its client's."""
    return card.model_on(day) or client.model_on(day)


def add_up(spent: Iterable[Spent], world: World) -> WorkedByClient:
    """Return the billable ones of some hours, by client and month."""
    rates = rates_of(world)
    by_client: WorkedByClient = defaultdict(lambda: defaultdict(Worked))
    for log in spent:
        if not log.billable:
            continue
        month = by_client[log.client][log.month]
        month.hours += log.hours
        rate = rates.of(log.author, log.day)
        if rate is None:
            month.unpriced += log.hours
        else:
            month.worth += log.hours * rate
    return by_client
