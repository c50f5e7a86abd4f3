"""The hours a retainer buys as a running balance: used, left, rolled over (docs/method.md 2.10).

Every month brings the frame of hours. What is not used rolls over for some months, the oldest are used first, then they
lapse. Hours beyond what there is make the month's balance negative; they are told, and borrow nothing of months to come.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from worker.domain.entities import Client
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, WorkCalendar, month_of, next_period
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.method.conditions import NO, Sighting, Subject, state_signals
from worker.method.formulas.rays import add_months
from worker.method.measures import HoursBalance, HoursMeasure, Signal, Spent
from worker.method.money.hours import BY_THE_MONTH, hours_on_cards
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
HUNDREDTH = Decimal("0.01")
REACH = 12
"""Months back from which a balance is run: work logs reach about that far."""

Used = Mapping[date, Decimal]


def measure_hours(world: World) -> Findings[HoursMeasure | None]:
    """Return the hours on all cards, and what every client with a frame of hours has left of this month's."""
    spent = tuple(hours_on_cards(world))
    used = _used(spent, world)
    balances: dict[Ref, HoursBalance] = {}
    facts: list[Fact] = []
    signals: list[Signal] = []
    for client in world.clients.values():
        balance = _balance(client, used[client.ref], world)
        if balance is not None:
            balances[client.ref] = balance
        facts += _facts(client, balance, world)
        names = {"client": client.name, "unit": ""}
        subject = Subject(client.ref, names, client=client.ref)
        seen = _look(balance, world)
        signals += state_signals("money.hours_spent", subject, seen, words=world.words)
    measure = HoursMeasure(spent, balances)
    return Findings(measure, tuple(facts), signals=tuple(signals))


def _used(
    spent: Iterable[Spent], world: World
) -> defaultdict[Ref, defaultdict[date, Decimal]]:
    """Return the billable hours under each client's running contract, by month."""
    used: defaultdict[Ref, defaultdict[date, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for one in spent:
        model = world.clients[one.client].engagement
        if one.billable and one.model == model:
            used[one.client][one.day.replace(day=1)] += one.hours
    return used


def _balance(client: Client, used: Used, world: World) -> HoursBalance | None:
    if not client.hours_frame or client.engagement not in BY_THE_MONTH:
        return None
    rollover = client.rollover_months
    if rollover is None:
        rollover = world.thresholds.rollover_months
    now = month_of(world.today)
    months = [
        (
            month.start,
            _frame(client, month, world.calendar),
            used.get(month.start, ZERO),
        )
        for month in _months(_first(client, used, now), now)
    ]
    *_, last = run_balance(months, rollover=rollover)
    return last


def _first(client: Client, used: Used, now: Period) -> date:
    """Return the month a balance begins with: that of the contract, else of the first hours on record."""
    reach = add_months(now.start, -REACH)
    begun = client.since or min(used, default=now.start)
    return min(max(begun, reach), now.start)


def _months(first: date, last: Period) -> Iterator[Period]:
    month = month_of(first)
    while month.start <= last.start:
        yield month
        month = next_period(month)


def _frame(client: Client, month: Period, calendar: WorkCalendar) -> Decimal:
    """Return a month's frame: its part by working days where the contract is in force for a part of the month."""
    frame = client.hours_frame or ZERO
    first = max(client.since or month.start, month.start)
    last = min(client.contract_end or month.end, month.end)
    if (first, last) == (month.start, month.end):
        return frame
    whole = calendar.in_period(month)
    if first > last or not whole:
        return ZERO
    part = frame * calendar.working_days(first, last) / whole
    return part.quantize(HUNDREDTH, ROUND_HALF_UP)


def run_balance(
    months: Iterable[tuple[date, Decimal, Decimal]], *, rollover: int
) -> Iterator[HoursBalance]:
    """Yield the balance of every month from (first day, frame, hours used), in order without gaps."""
    kept: deque[tuple[int, Decimal]] = deque()
    for number, (start, frame, used) in enumerate(months):
        while kept and kept[0][0] < number - rollover:
            kept.popleft()
        rolled = sum((hours for _, hours in kept), ZERO)
        yield HoursBalance(start, frame, rolled, used)

        kept.append((number, frame))
        due = used
        while kept and due >= kept[0][1]:
            _, hours = kept.popleft()
            due -= hours
        if kept:
            oldest, hours = kept.popleft()
            kept.appendleft((oldest, hours - due))


def _facts(
    client: Client, balance: HoursBalance | None, world: World
) -> Iterator[Fact]:
    words = world.words
    say = words.say
    inputs = [Input(say("client"), client.name, client.url)]
    values: dict[str, Value] = dict.fromkeys(
        ("hours_used", "hours_left", "hours_rolled")
    )
    if balance is not None:
        inputs.append(Input(say("hours a month"), words.number(balance.frame, 2)))
        values = {
            "hours_used": _rounded(balance.used),
            "hours_left": _rounded(balance.left),
            "hours_rolled": _rounded(balance.rolled),
        }
    formulas = {
        "hours_used": say("billable hours under the contract this month"),
        "hours_left": say("hours a month + rolled over - used"),
        "hours_rolled": say("unused hours of the months before, without what lapsed"),
    }
    for name, value in values.items():
        why = Why("hours", tuple(inputs), formulas[name])
        yield Fact(client.ref, name, value, why)


def _rounded(hours: Decimal) -> Decimal:
    return hours.quantize(HUNDREDTH, ROUND_HALF_UP)


def _look(balance: HoursBalance | None, world: World) -> Sighting:
    limit = world.thresholds.budget_warning
    if balance is None or not balance.used:
        return NO
    if balance.used < balance.available * limit:
        return NO
    month = period_title(month_of(balance.month), world.words)
    evidence = f"{month}: {describe_balance(balance, world.words)}"
    return Sighting(holds=True, evidence=evidence, threshold=f"used >= {limit}")


def describe_balance(balance: HoursBalance, words: Words) -> str:
    """Return a balance in one sentence."""
    numbers = {
        "used": words.number(balance.used, 1),
        "available": words.number(balance.available, 1),
        "rolled": words.number(balance.rolled, 1),
        "left": words.number(abs(balance.left), 1),
    }
    if balance.left < 0:
        return words.say(
            "{used} h are used, {left} h more than the {available} h there were ({rolled} h of them rolled over).",
            **numbers,
        )
    return words.say(
        "{used} of {available} h are used ({rolled} h of them rolled over), {left} h are left.",
        **numbers,
    )
