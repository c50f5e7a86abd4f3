"""Booked money: which rows make a client's month, and which of them are in the workspace's currency.

One job may show as an act, an invoice and a payment, and the payment in a later month; it counts once, by the strongest
kind there is (docs/method.md 2.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from worker.domain.entities import Revenue, Row
from worker.domain.messages import literal, tell
from worker.domain.money import round_money
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.world.world import World

KINDS = ("act", "invoice", "payment")
"""Kinds of money rows, the strongest evidence first."""
BILLED = ("act", "invoice")

Booked = Mapping[tuple[Ref, date], list[Revenue]]
"""Rows by client and first day of their month."""


def book(world: World) -> Booked:
    """Return the rows in the workspace's currency by client (the project's where the row names none) and month."""
    booked: dict[tuple[Ref, date], list[Revenue]] = defaultdict(list)
    for row in world.revenue:
        card = world.card(row.project)
        client = row.client or (card.client if card else None)
        if client is not None and is_own_currency(row, world):
            booked[client, row.month.replace(day=1)].append(row)
    return booked


def recognise(booked: Booked) -> Booked:
    """Return the rows that make the money fact of their month: payments only where a client is never billed."""
    billed = {
        client
        for (client, _), rows in booked.items()
        if any(row.kind in BILLED for row in rows)
    }
    return {
        (client, month): rows
        for (client, month), rows in booked.items()
        if client not in billed or any(row.kind in BILLED for row in rows)
    }


def is_own_currency(row: Revenue, world: World) -> bool:
    """Tell whether a row is in the workspace's currency; one that names none is."""
    return not row.currency or row.currency.strip().upper() == world.words.currency


def currency_problems(world: World) -> tuple[Problem, ...]:
    """Return a problem for each money row in another currency: it counts nowhere."""
    foreign = {row.ref: row for row in world.revenue if not is_own_currency(row, world)}
    if not foreign:
        return ()

    rows = {row.ref: row for row in world.rows.get("revenue", ())}
    own = world.words.currency
    return tuple(
        _other_currency(row, own, rows.get(ref)) for ref, row in foreign.items()
    )


def _other_currency(entry: Revenue, own: str, row: Row | None) -> Problem:
    return Problem(
        code=Code.OTHER_CURRENCY,
        where=tell("Revenue: {name}", name=row.title) if row else literal(entry.ref),
        field="currency",
        message=tell(
            "{currency} is not the workspace's currency, {own}; the entry is left out",
            currency=entry.currency,
            own=own,
        ),
        hint=tell("enter the amount in {own}", own=own),
        url=row.url if row else "",
    )


def amount_of(rows: Iterable[Revenue]) -> tuple[Decimal, str]:
    """Return the money of one client's month with its kind: acts if there are any, else invoices, else payments."""
    rows = tuple(rows)
    kind = next(
        (kind for kind in KINDS if any(row.kind == kind for row in rows)), rows[0].kind
    )
    return total(rows, (kind,)), kind


def total(rows: Iterable[Revenue], kinds: Iterable[str]) -> Decimal:
    """Return the sum of the rows of some kinds, in cents."""
    wanted = frozenset(kinds)
    return round_money(
        sum((row.amount for row in rows if row.kind in wanted), Decimal(0))
    )
