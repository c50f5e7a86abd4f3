"""Hours worked for clients: each once, on its day, by whom, and whether the client is to pay them (docs/method.md 2.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

import msgspec

from worker.domain.entities import Card, Client, LoggedTime
from worker.domain.periods import previous_period, quarter_of
from worker.domain.values import Ref
from worker.method.formulas.billable import billable_of
from worker.method.formulas.flow import HOUR
from worker.method.formulas.rates import rates_of
from worker.method.measures import Spent
from worker.world.logged import uncounted
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


def kept_since(today: date) -> date:
    """Return the first day whose hours are kept: margins look at the months of this and the last quarter."""
    return previous_period(quarter_of(today)).start


def hours_on_cards(world: World) -> Iterator[Spent]:
    """Yield the hours on all clients' cards, a sum for each person and day of a card, by days of the workspace's zone.

    A log on several cards of one client counts once: on one where it is billable, of those the first by ref. Days to come
    tell nothing yet.
    """
    billable = billable_of(world)
    for client, cards in _cards_by_client(world).items():
        counted: set[str] = set()
        for card in cards:
            logs = billable.logs_of(card)
            sums = _sum_up(logs, counted, world.today)
            yield from _spent(sums, card, world.clients[client], is_billable=True)
        for card in cards:
            logs = iter(world.work[card.ref].worklogs)
            sums = _sum_up(logs, counted, world.today)
            yield from _spent(sums, card, world.clients[client], is_billable=False)


def _cards_by_client(world: World) -> Mapping[Ref, list[Card]]:
    """Return the cards with work of every client, by ref."""
    by_client: dict[Ref, list[Card]] = {}
    for ref in sorted(world.work):
        card = world.cards.get(ref)
        if card is None or card.client is None or card.client not in world.clients:
            continue
        by_client.setdefault(card.client, []).append(card)
    return by_client


def _sum_up(
    logs: Iterator[LoggedTime], counted: set[str], today: date
) -> Mapping[tuple[str, date], int]:
    """Return the seconds of the logs that were not counted yet, by author and day up to today."""
    seconds: defaultdict[tuple[str, date], int] = defaultdict(int)
    for log in uncounted(logs, counted):
        if log.day <= today:
            seconds[log.author, log.day] += log.seconds
    return seconds


def _spent(
    sums: Mapping[tuple[str, date], int],
    card: Card,
    client: Client,
    *,
    is_billable: bool,
) -> Iterator[Spent]:
    for (author, day), seconds in sums.items():
        model = model_on(card, client, day)
        hours = _hours_of(seconds)
        yield Spent(client.ref, card.ref, model, author, day, hours, is_billable)


@lru_cache(maxsize=1024)
def _hours_of(seconds: int) -> Decimal:
    """Return how many hours it is; the same few amounts are logged time and again, and are one object."""
    return seconds / HOUR


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
