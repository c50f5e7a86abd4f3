"""Rows of money as people enter them: of which client and month they are, and which are in the workspace's currency.

Acts say what is billed. An invoice claims what an act says or will say; a payment is cash; pass-through is other
people's money (media budgets, licences), which is billed and owed but nobody's revenue (docs/method.md 2.1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import Revenue
from worker.domain.messages import Text, literal, tell
from worker.domain.money import round_money
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.world.world import World

ACT = "act"
WRITE_OFF = "write_off"
PASS_THROUGH = "pass_through"
INVOICE = "invoice"
PAYMENT = "payment"
CLAIMS = (ACT, INVOICE, PASS_THROUGH)
"""Kinds of rows that ask for money; an act and an invoice of one month are one bill."""

Booked = Mapping[tuple[Ref, date], list[Revenue]]
"""Rows by client and first day of their month."""


def book(world: World) -> Booked:
    """Return the rows in the workspace's currency by client (the project's where the row names none) and month."""
    booked: dict[tuple[Ref, date], list[Revenue]] = defaultdict(list)
    for row in world.revenue:
        client = world.client_of(row.client, row.project)
        if client is None or not is_own_currency(row, world):
            continue
        amount = round_money(row.amount, world.minor_unit)
        rounded = replace(row, amount=amount)
        month = row.month.replace(day=1)
        booked[client, month].append(rounded)
    return booked


def rows_of(world: World, kinds: Container[str]) -> Mapping[Ref, list[Revenue]]:
    """Return the rows of some kinds by client."""
    rows: dict[Ref, list[Revenue]] = defaultdict(list)
    for (client, _), entries in book(world).items():
        rows[client] += [row for row in entries if row.kind in kinds]
    return rows


def is_own_currency(row: Revenue, world: World) -> bool:
    """Tell whether a row is in the workspace's currency; one that names none is."""
    return not row.currency or row.currency.strip().upper() == world.words.currency


def currency_problems(world: World) -> tuple[Problem, ...]:
    """Return a problem for each money row in another currency: it counts nowhere."""
    own = world.words.currency
    problems = []
    for row in world.revenue:
        if is_own_currency(row, world):
            continue
        title, url = title_of(row, world)
        problem = Problem(
            code=Code.OTHER_CURRENCY,
            where=title,
            field="currency",
            message=tell(
                "{currency} is not the workspace's currency, {own}; the entry is left out",
                currency=row.currency,
                own=own,
            ),
            hint=tell("enter the amount in {own}", own=own),
            url=url,
        )
        problems.append(problem)
    return tuple(problems)


def nobodys_problems(world: World) -> tuple[Problem, ...]:
    """Return a problem for each money row whose project names no client: it counts nowhere."""
    problems = []
    for row in world.revenue:
        if world.client_of(row.client, row.project) is not None:
            continue
        title, url = title_of(row, world)
        problem = Problem(
            code=Code.INCOMPLETE_REVENUE,
            where=title,
            field="client",
            message=tell("its project names no client; the entry is left out"),
            hint=tell("choose the client of the entry or of its project"),
            url=url,
        )
        problems.append(problem)
    return tuple(problems)


def title_of(row: Revenue, world: World) -> tuple[Text, str]:
    """Return what a row of money is called, and its address."""
    for shown in world.rows.get("revenue", ()):
        if shown.ref == row.ref:
            return tell("Revenue: {name}", name=shown.title), shown.url
    return literal(row.ref), ""


def claimed(rows: Iterable[Revenue]) -> Decimal:
    """Return what the rows of one client's month ask for: acts if there are any, else invoices."""
    entries = tuple(rows)
    for row in entries:
        if row.kind == ACT:
            return total(entries, (ACT,))
    return total(entries, (INVOICE,))


def total(rows: Iterable[Revenue], kinds: Iterable[str]) -> Decimal:
    """Return the sum of the rows of some kinds."""
    wanted = frozenset(kinds)
    amount = Decimal(0)
    for row in rows:
        if row.kind in wanted:
            amount += row.amount
    return amount
