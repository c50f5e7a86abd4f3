"""The hours a retainer buys as a running balance: used, left, rolled over (docs/method.md 2.10).

Every month brings the frame of hours. What is not used rolls over for some months, the oldest are used first, then they
lapse. Hours beyond what there is make the month's balance negative; they are told, and borrow nothing of months to come.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from worker.domain.dated import Dated
from worker.domain.entities import Client
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, WorkCalendar, month_of, next_period
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.method.conditions import NO, Sighting, Subject, state_signals
from worker.method.formulas.rays import add_months
from worker.method.measures import HoursBalance, HoursMeasure, Signal, Spent
from worker.method.money.hours import BY_THE_MONTH, hours_on_cards, kept_since
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

ZERO = Decimal(0)
HUNDREDTH = Decimal("0.01")
REACH = 12
"""Months back from which a balance is run: work logs reach about that far."""

Used = Mapping[date, Decimal]


class MonthHours(msgspec.Struct, frozen=True, gc=False):
    """What a month (its first day) brings of hours and what was used in it."""

    month: date
    frame: Decimal
    used: Decimal


class _Kept(msgspec.Struct, gc=False):
    """Hours of a month that nobody used yet; `number` counts the months."""

    number: int
    month: date
    hours: Decimal


def measure_hours(world: World) -> Findings[HoursMeasure | None]:
    """Return the hours on all cards, and what every client with a frame of hours has left of this month's."""
    since = kept_since(world.today)
    spent: list[Spent] = []
    under_contract: defaultdict[Ref, list[Spent]] = defaultdict(list)
    for log in hours_on_cards(world):
        if log.day >= since:
            spent.append(log)
        if _is_under_contract(log, world):
            under_contract[log.client].append(log)
    month = month_of(world.today).start
    balances: dict[Ref, HoursBalance] = {}
    facts: list[Fact] = []
    signals: list[Signal] = []
    for client in world.clients.values():
        logs = under_contract[client.ref]
        balance = _balance(client, _by_months(logs), world)
        if balance is not None:
            balances[client.ref] = balance
        lately = [log for log in logs if log.month == month]
        facts += _facts(client, balance, lately, world)
        names = {"client": client.name, "unit": ""}
        subject = Subject(client.ref, names, client=client.ref)
        seen = _look(balance, world)
        signals += state_signals("money.hours_spent", subject, seen, words=world.words)
    measure = HoursMeasure(tuple(spent), balances)
    return Findings(measure, tuple(facts), signals=tuple(signals))


def _is_under_contract(log: Spent, world: World) -> bool:
    """Tell whether hours are billable under a running contract that has a frame of hours."""
    client = world.clients[log.client]
    if not client.hours_frame or not log.billable:
        return False
    model = client.model_on(log.day)
    return log.model == model and model in BY_THE_MONTH


def _by_months(logs: Iterable[Spent]) -> Used:
    used: defaultdict[date, Decimal] = defaultdict(Decimal)
    for log in logs:
        used[log.month] += log.hours
    return {month: _rounded(hours) for month, hours in used.items()}


def _balance(client: Client, used: Used, world: World) -> HoursBalance | None:
    if not client.hours_frame or client.model_on(world.today) not in BY_THE_MONTH:
        return None
    rollover = client.rollover_months
    if rollover is None:
        rollover = world.thresholds.rollover_months
    now = month_of(world.today)
    months: list[MonthHours] = []
    first = _first(client, used, now)
    for month in _months(first, now):
        frame = _frame(client, month, world.calendar)
        spent = used.get(month.start, ZERO)
        hours = MonthHours(month.start, frame, spent)
        months.append(hours)
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
    days = 0
    for first, last in _in_force(client, month):
        if (first, last) == (month.start, month.end):
            return frame
        days += calendar.working_days(first, last)
    if not days:
        return ZERO
    whole = calendar.in_period(month)
    return _rounded(frame * days / whole)


def _in_force(client: Client, month: Period) -> Iterator[tuple[date, date]]:
    """Yield the stretches of a month on which the client's contract runs by the month."""
    first = max(client.since or month.start, month.start)
    last = min(client.contract_end or month.end, month.end)
    models = client.models or Dated(client.engagement)
    for start, end, model in models.spans(first, last):
        if model in BY_THE_MONTH:
            yield start, end


def run_balance(
    months: Iterable[MonthHours], *, rollover: int
) -> Iterator[HoursBalance]:
    """Yield the balance of every month; months are in order, without gaps."""
    kept: deque[_Kept] = deque()
    for number, month in enumerate(months):
        while kept and kept[0].number < number - rollover:
            kept.popleft()
        rolled = []
        for earlier in kept:
            if earlier.hours:
                part = earlier.month, earlier.hours
                rolled.append(part)
        yield HoursBalance(month.month, month.frame, tuple(rolled), month.used)

        own = _Kept(number, month.month, month.frame)
        kept.append(own)
        due = month.used
        for earlier in kept:
            taken = min(due, earlier.hours)
            earlier.hours -= taken
            due -= taken


FORMULAS = {
    "hours_used": message("billable hours under the contract this month"),
    "hours_rolled": message("unused hours of the months before, without what lapsed"),
    "hours_left": message("hours a month + rolled over − used"),
}


def _facts(
    client: Client, balance: HoursBalance | None, spent: Iterable[Spent], world: World
) -> Iterator[Fact]:
    words = world.words
    whose = Input(words.say("client"), client.name, client.url)
    values: dict[str, Decimal] = {}
    figures: dict[str, Iterable[Input]] = {}
    if balance is not None:
        values = {
            "hours_used": balance.used,
            "hours_rolled": balance.rolled,
            "hours_left": balance.left,
        }
        figures = {
            "hours_used": _by_card(spent, world),
            "hours_rolled": _by_month(balance, words),
            "hours_left": _parts(balance, words),
        }
    for name, formula in FORMULAS.items():
        inputs = figures.get(name, ())
        value = values.get(name)
        why = Why("hours", (whose, *inputs), words.say(formula))
        yield Fact(client.ref, name, value, why)


def _by_card(spent: Iterable[Spent], world: World) -> Iterator[Input]:
    hours: dict[Ref, Decimal] = defaultdict(Decimal)
    for log in spent:
        hours[log.card] += log.hours
    for ref in sorted(hours):
        card = world.cards[ref]
        shown = world.words.number(hours[ref], 2)
        yield Input(card.name, shown, card.url)


def _by_month(balance: HoursBalance, words: Words) -> Iterator[Input]:
    for day, hours in balance.kept:
        title = period_title(month_of(day), words)
        yield Input(title, words.number(hours, 2))


def _parts(balance: HoursBalance, words: Words) -> Iterator[Input]:
    parts = {
        words.say("hours a month"): balance.frame,
        words.say("rolled over"): balance.rolled,
        words.say("used"): balance.used,
    }
    for name, hours in parts.items():
        shown = words.number(hours, 2)
        yield Input(name, shown)


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
    return Sighting(
        holds=True,
        evidence=evidence,
        threshold=world.words.say("hours used ≥ {limit}", limit=limit),
    )


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
            "{used} h are used, {left} h more than the {available} h there were "
            "({rolled} h of them rolled over).",
            **numbers,
        )
    return words.say(
        "{used} of {available} h are used ({rolled} h of them rolled over), "
        "{left} h are left.",
        **numbers,
    )
