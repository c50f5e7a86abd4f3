"""What work earns, by part of time: hours at the rate of their day, a retainer's fee by working days passed (yesterday
included), a fixed price as far as the work had come on each day (docs/method.md 2.1)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from worker.domain.entities import Card, Client
from worker.domain.messages import literal, tell
from worker.domain.money import round_money
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.formulas.billable import Billable
from worker.method.formulas.flow import HOUR
from worker.method.formulas.phasing import fee_until
from worker.method.formulas.rates import Rates
from worker.method.measures import Correction
from worker.method.money.completion import Completion, complete
from worker.method.money.timeline import Series, Timeline, add_series
from worker.world.logged import uncounted
from worker.world.memory import Ledger
from worker.world.world import World

NOTHING = Decimal(0)

Earned = Mapping[Ref, Mapping[str, Series]]
"""What every card that earns by itself earned, by model."""


@dataclass(slots=True)
class Earning:
    """What earned series are made with, and what was met on the way."""

    world: World
    rates: Rates
    billable: Billable
    problems: list[Problem] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)


def earned_by_card(
    client: Client,
    cards: Iterable[Card],
    timeline: Timeline,
    *,
    ledger: Ledger | None,
    earning: Earning,
) -> Earned:
    """Return what the cards earned under the models in force on each day; shared hours count once.

    Of a card that is gone, or whose work cannot be found any more, what it earned in closed months stays.
    """
    world = earning.world
    earned: dict[Ref, dict[str, Series]] = {}
    seen: set[str] = set()
    for card in cards:
        models = _models(card, client)
        if "tm" in models:
            series = _hours(card, client, timeline, earning=earning, seen=seen)
            earned.setdefault(card.ref, {})["tm"] = series
        if "fixed_price" in models:
            series = _progress(card, client, timeline, earning=earning)
            earned.setdefault(card.ref, {})["fixed_price"] = series

    if ledger is None:
        return earned
    for name, kept in ledger.earned.items():
        ref = Ref.parse(name)
        if _is_gone(ref, world):
            earned[ref] = {model: dict(months) for model, months in kept.items()}
    return earned


def _is_gone(card: Ref, world: World) -> bool:
    """Tell whether a card was deleted, or nothing of its work can be found any more."""
    if card not in world.cards:
        return True
    work = world.work.get(card)
    if work is None:
        return True
    return not work.issues and not work.worklogs


def sum_models(earned: Iterable[Mapping[str, Series]]) -> dict[str, Series]:
    """Return what several cards earned together, by model."""
    total: dict[str, Series] = {}
    for models in earned:
        for model, series in models.items():
            add_series(total.setdefault(model, {}), series)
    return total


def _models(card: Card, client: Client) -> set[str | None]:
    """Return the models a card ever had."""
    days = [date.min]
    for dated in (card.models, client.models):
        days += [start for start, _ in dated.changes] if dated else []
    return {model_on(card, client, day) for day in days}


def model_on(card: Card, client: Client, day: date) -> str | None:
    """Return the model a card earns by on a day: its own, else its client's."""
    return card.model_on(day) or client.model_on(day)


def earned_fees(
    client: Client, world: World, timeline: Timeline, *, since: date
) -> Series:
    """Return a retainer's fee by working days passed, `since` a day."""
    series: Series = {}
    models = client.models.values() if client.models else (client.engagement,)
    if "retainer" not in models:
        return series
    for month in timeline.months(since):
        before = NOTHING
        for part in timeline.parts(month.start, month.end):
            until = min(part.end, timeline.last)
            now = fee_until(
                client, month, until, calendar=world.calendar, minor=timeline.minor
            )
            if now != before:
                series[part.start] = now - before
            before = now
    return series


def hours_by_month(cards: Sequence[Card], world: World) -> Mapping[date, Decimal]:
    """Return the hours logged on a client's cards by month; hours that two cards share count once."""
    by_day: Counter[date] = Counter()
    seen: set[str] = set()
    for card in cards:
        work = world.work.get(card.ref)
        if work is None:
            continue
        for log in uncounted(work.worklogs, seen):
            by_day[log.day] += log.seconds

    by_month: Counter[date] = Counter()
    for day, seconds in by_day.items():
        month = day.replace(day=1)
        by_month[month] += seconds
    hours = {}
    for month, spent in by_month.items():
        hours[month] = Decimal(spent) / HOUR
    return hours


def _hours(
    card: Card, client: Client, timeline: Timeline, *, earning: Earning, seen: set[str]
) -> Series:
    """Return billable hours x rate of the day by day of work."""
    seconds: Counter[tuple[str, date]] = Counter()
    for log in uncounted(earning.billable.logs_of(card), seen):
        seconds[log.author, log.day] += log.seconds

    series: Series = defaultdict(Decimal)
    for (author, day), spent in seconds.items():
        if model_on(card, client, day) != "tm":
            continue
        rate = earning.rates.of(author, day)
        if rate is not None:
            series[timeline.place(day)] += rate * spent
        elif day >= timeline.recent:
            earning.problems.append(_no_rate(client, author))
    # Divided once: in whatever order hours are added, the sum is the same to the last digit.
    return {day: amount / HOUR for day, amount in series.items()}


def _no_rate(client: Client, author: str) -> Problem:
    return Problem(
        code=Code.NO_RATE,
        where=literal(client.name),
        field="rate",
        message=tell(
            "hours of {person} have no rate and are left out of the accrued revenue",
            person=author,
        ),
        hint=tell("fill the rate of this person"),
        url=client.url,
    )


def _progress(
    card: Card, client: Client, timeline: Timeline, *, earning: Earning
) -> Series:
    """Return the growth of budget x share of the work finished, both as of each day.

    What a day changes beyond the work finished on it (scope, the budget, reopened items) is a correction of what was
    earned before.
    """
    world = earning.world
    work = world.work.get(card.ref)
    series: Series = defaultdict(Decimal)
    if work is None or not work.issues:
        return series
    steps = complete(work, world.thresholds.estimate_share, world.zone)
    before = NOTHING
    for step in _with_budget_days(steps, card):
        budget = card.budget_on(step.day) or NOTHING
        now = budget * step.share
        growth = now - before
        before = now
        if model_on(card, client, step.day) != "fixed_price":
            continue
        if not growth:
            continue
        day = timeline.place(step.day)
        series[day] += growth
        beyond = growth - budget * step.gained
        restated = round_money(beyond, timeline.minor)
        if restated and step.day >= timeline.recent:
            correction = Correction(client.ref, step.day, restated, card=card.ref)
            earning.corrections.append(correction)
    return series


def _with_budget_days(steps: Sequence[Completion], card: Card) -> Iterable[Completion]:
    """Return the steps with one for every day on which the budget changed."""
    if card.budgets is None:
        return steps
    by_day = {step.day: step for step in steps}
    for day, _ in card.budgets.changes:
        reached = NOTHING
        for step in steps:
            if step.day < day:
                reached = step.share
        by_day.setdefault(day, Completion(day, reached, NOTHING))
    return [by_day[day] for day in sorted(by_day)]
