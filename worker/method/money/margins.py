"""What clients bring beyond what their hours cost, month by month (docs/method.md 2.12). Private.

A month with hours nobody gave a cost rate for has no margin: without them it would come out too high. The row of a
closed month stays as it was once its margin is known. Of these figures
nothing may leave the private rows: the rule returns no value for other rules or pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from worker.domain.entities import Client
from worker.domain.messages import literal, tell
from worker.domain.money import round_money
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, month_of, next_period
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem
from worker.method.formulas.flow import share
from worker.method.formulas.rates import rates_of
from worker.method.measures import HoursMeasure, MoneyMeasure, Spent
from worker.method.money.costs import Costs, costs_of, duplicate_problems
from worker.method.money.hours import Worked, add_up, kept_since
from worker.method.money.servicing import realisation_of, recognised_in
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Ledger
from worker.world.rows import margin_key
from worker.world.world import World

ZERO = Decimal(0)
TENTH = Decimal("0.1")


class _Spending(msgspec.Struct, gc=False):
    """The hours of a client's month and their cost; `uncosted` are hours without a cost rate, by account."""

    hours: Decimal = ZERO
    cost: Decimal = ZERO
    uncosted: dict[str, Decimal] = msgspec.field(default_factory=dict)

    def add(self, spent: Spent, rate: Decimal | None) -> None:
        """Count some hours at a cost rate."""
        self.hours += spent.hours
        if rate is not None:
            self.cost += spent.hours * rate
            return
        known = self.uncosted.get(spent.author, ZERO)
        self.uncosted[spent.author] = known + spent.hours


class _Margin(msgspec.Struct, frozen=True, gc=False):
    """One client's month: what it brought, all its hours with their cost, and the billable ones with their worth."""

    client: Client
    month: Period
    recognised: Decimal
    spending: _Spending
    worked: Worked
    minor: Decimal

    @property
    def cost(self) -> Decimal | None:
        """Return what the hours cost; None when some have no cost rate."""
        if self.spending.uncosted:
            return None
        return round_money(self.spending.cost, self.minor)

    @property
    def amount(self) -> Decimal | None:
        """Return what was brought beyond the cost; None when that is not known."""
        if self.cost is None:
            return None
        return self.recognised - self.cost


Spendings = defaultdict[tuple[Ref, date], _Spending]


def measure_margins(
    world: World, revenue: MoneyMeasure | None, hours: HoursMeasure | None
) -> Findings[None]:
    """Return the margin rows of every client's closed months of this and the last quarter."""
    if "costs" not in world.sources or revenue is None or hours is None:
        return Findings(None)
    problems = [*duplicate_problems(world)]
    costs = costs_of(world)
    if not costs.by_account:
        return Findings(None, problems=tuple(problems))

    months = tuple(_finished_months(world.today))
    spendings = _spend(hours.spent, costs)
    problems += _no_cost_problems(spendings, world)
    worked = add_up(hours.spent, world)
    kept = _kept(world)
    facts: list[Fact] = []
    for client in world.clients.values():
        known = kept[client.ref]
        brought = recognised_in(revenue, client.ref, world)
        closed = revenue.closed.get(client.ref, Ledger())
        margins: list[_Margin] = []
        for month in months:
            spending = spendings[client.ref, month.start]
            margin = _Margin(
                client,
                month,
                brought[month.start],
                spending,
                worked[client.ref][month.start],
                world.minor_unit,
            )
            has_row = month.start in known
            is_closed = month.start <= closed.until
            if is_closed and (margin.recognised or spending.hours or has_row):
                margins.append(margin)
        facts += _facts_of(margins, known, world)
    return Findings(None, tuple(facts), problems=tuple(problems))


def _finished_months(today: date) -> Iterator[Period]:
    """Yield the months of this and the last quarter that are over."""
    month = month_of(kept_since(today))
    while month.end < today:
        yield month
        month = next_period(month)


def _spend(spent: Iterable[Spent], costs: Costs) -> Spendings:
    spendings: Spendings = defaultdict(_Spending)
    for log in spent:
        rate = costs.on(log.author, log.day)
        spending = spendings[log.client, log.month]
        spending.add(log, rate)
    return spendings


def _no_cost_problems(spendings: Spendings, world: World) -> Iterator[Problem]:
    """Yield a problem for each person with hours and without a cost rate for them."""
    people = rates_of(world).people
    accounts: set[str] = set()
    for spending in spendings.values():
        accounts.update(spending.uncosted)
    for account in sorted(accounts):
        person = people.get(account)
        name = person.name if person else account
        yield Problem(
            code=Code.NO_COST_RATE,
            where=literal(name),
            field="cost_rate",
            message=tell(
                "hours of {person} have no cost rate; "
                "the margins of their months are not known",
                person=name,
            ),
            hint=tell("enter a cost rate of this person from before these hours"),
            url=person.url if person else "",
        )


# -- rows --------------------------------------------------------------------------------------------------------------


def _facts_of(
    margins: Iterable[_Margin], kept: Mapping[date, Decimal | None], world: World
) -> Iterator[Fact]:
    known = {**kept}
    for margin in margins:
        if known.get(margin.month.start) is None:
            known[margin.month.start] = margin.amount
    for margin in margins:
        ref = Ref("margins", margin_key(margin.client.ref, margin.month))
        if ref in world.trashed:
            continue
        until = margin.month.start
        amounts = [amount for month, amount in known.items() if month <= until]
        yield _to_date(ref, margin, _sum(amounts), world)
        if kept.get(until) is None:
            yield from _facts(ref, margin, world)


def _kept(world: World) -> defaultdict[Ref, dict[date, Decimal | None]]:
    """Return the margins that stand in rows, by client and first day of the month."""
    kept: defaultdict[Ref, dict[date, Decimal | None]] = defaultdict(dict)
    for row in world.margin_rows():
        if row.client is not None and row.month is not None:
            kept[row.client][row.month] = row.margin
    return kept


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _to_date(ref: Ref, margin: _Margin, amount: Decimal | None, world: World) -> Fact:
    say = world.words.say
    inputs = (Input(say("client"), margin.client.name, margin.client.url),)
    formula = say("margins of this and all earlier rows")
    return Fact(ref, "margin_to_date", amount, Why("margins", inputs, formula))


def _facts(ref: Ref, margin: _Margin, world: World) -> Iterator[Fact]:
    words = world.words
    say = words.say
    spending = margin.spending
    inputs = (
        Input(say("client"), margin.client.name, margin.client.url),
        Input(say("recognised"), words.money(margin.recognised)),
        Input(say("hours"), words.number(spending.hours, 1)),
    )
    title = period_title(margin.month, words)
    whose = say("the client and the month")
    costed = say(
        "hours × cost rate of the person on the day; unknown when one has none"
    )
    values: Mapping[str, tuple[Value, str]] = {
        "name": (f"{title} · {margin.client.name}", whose),
        "client": ((margin.client.ref,), whose),
        "month": (margin.month.start, whose),
        "recognised": (margin.recognised, say("recognised in the month")),
        "hours": (_tenths(spending.hours), say("all hours on the client's cards")),
        "cost": (margin.cost, costed),
        "margin": (margin.amount, say("recognised − cost")),
        "margin_share": (_share(margin), say("margin / recognised")),
        "realisation": (
            realisation_of(margin.recognised, margin.worked),
            say("recognised / (billable hours × rates)"),
        ),
        "uncosted": (_uncosted(spending, world) or None, costed),
    }
    for name, (value, formula) in values.items():
        yield Fact(ref, name, value, Why("margins", inputs, formula))


def _tenths(hours: Decimal) -> Decimal:
    return hours.quantize(TENTH, ROUND_HALF_UP)


def _share(margin: _Margin) -> Decimal | None:
    if margin.amount is None or margin.recognised <= 0:
        return None
    return share(margin.amount, margin.recognised)


def _uncosted(spending: _Spending, world: World) -> str:
    people = rates_of(world).people
    parts = []
    for account, hours in sorted(spending.uncosted.items()):
        person = people.get(account)
        name = person.name if person else account
        number = world.words.number(hours, 1)
        part = world.words.say("{name}: {hours} h", name=name, hours=number)
        parts.append(part)
    return "; ".join(parts)
