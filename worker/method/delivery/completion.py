"""When a card's work ends: by its own pace and growth, or by the pace of cards beside it (docs/method.md 1.1).

A project that runs takes in new items while it goes on: those that came since its scope was known are drawn as its
finished ones are. Its scope is known `scope_weeks` after its first item, and not before its start. An endless service
takes in new items by its nature, so its forecast is of what is known now. A card with too little history of its own
borrows the pace of its client's other cards, else of the other cards of the unit: each run draws the days of one of them.
Where its work is a part of another card's, as an epic of a whole project, the people who work on that one have more to do than
this part of it: it goes by that card alone, and ends with what is open there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, CardWork, Client, Issue, Stage, Unit
from worker.domain.periods import A_DAY
from worker.domain.values import Ref
from worker.method.delivery.bursts import BUSIEST, leave_out
from worker.method.delivery.forecasting import (
    Runs,
    chance_within,
    seed_of,
    simulate_any,
)
from worker.method.delivery.records import CardFlow
from worker.method.formulas import flow
from worker.method.formulas.flow import Window, ratio
from worker.method.measures import CardMeasure, Forecast
from worker.world.world import World

FEWEST_DAYS = 10
"""Working days of growth below which nothing is said of it."""
MOST_LENDERS = 5
A_WEEK_OF_WORK = 5
TENTH = Decimal("0.1")


def count_arrivals(
    card: Card, issues: Sequence[Issue], *, window: Window, world: World
) -> tuple[int, ...]:
    """Return how many items came on each working day since the card's scope was known; days of re-planning left out.

    Empty where nothing tells of growth: what came on one or two days alone was a decision.
    """
    if card.stage is not Stage.IN_PROGRESS or not issues:
        return ()
    made = [issue.created for issue in issues]
    begin = max(_scope_known(card, made, world), window.start)
    if begin >= world.today:
        return ()

    since = world.begin_of(begin)
    new = [moment for moment in made if moment >= since]
    came = flow.daily_throughput(new, begin, window=window)
    days = sum(1 for items in came if items)
    if days < BUSIEST or len(came) < FEWEST_DAYS:
        return ()
    limits = world.thresholds
    usual, _ = leave_out(came, least=limits.burst_items, times=limits.burst_times)
    return tuple(usual)


def _scope_known(card: Card, made: Sequence[datetime], world: World) -> date:
    """Return the first day on which what comes is new: the items made up to it are what the card began with."""
    first = world.day_of(min(made))
    known = first + timedelta(weeks=world.thresholds.scope_weeks)
    if card.start is not None:
        known = max(known, card.start)
    return known + A_DAY


def forecast_cards(
    cards: Mapping[Ref, CardMeasure], world: World, *, ahead: Sequence[date]
) -> dict[Ref, CardMeasure]:
    """Return the measures with their forecasts; `ahead` are yesterday and the working days after it."""
    lending = _lenders(cards.values(), world)
    forecasts = {}
    for ref, measure in cards.items():
        basis = _basis(measure, lending, world)
        forecasts[ref] = _forecast(measure, basis, world, ahead=ahead)
    return forecasts


Paces = Sequence[CardMeasure]


class _Basis(msgspec.Struct, frozen=True, gc=False):
    """The cards whose pace a card goes by, and how many items are to be done until its own are."""

    paces: Paces
    left: int


def _lenders(cards: Iterable[CardMeasure], world: World) -> Paces:
    """Return the cards that have a pace of their own, the one with the longest history first."""
    least = world.thresholds.forecast_minimum
    lending = []
    for measure in cards:
        stage = world.cards[measure.card].stage
        is_real = stage is Stage.DONE or stage in RUNNING
        if is_real and measure.history >= least and any(measure.flow.done):
            lending.append(measure)
    lending.sort(key=lambda measure: (-measure.history, measure.card))
    return lending


def _basis(measure: CardMeasure, lending: Paces, world: World) -> _Basis:
    """Return what a card goes by: its own pace, else the whole it is a part of, else those it borrows from."""
    left = measure.flow.left
    if measure.history >= world.thresholds.forecast_minimum:
        return _Basis([measure], left)
    card = world.cards[measure.card]
    if card.stage not in RUNNING or not measure.open:
        return _Basis([], left)

    whole = _whole_of(measure, lending, world)
    if whole is not None:
        queue = _queue(whole, world)
        return _Basis([whole], max(queue, left))
    lenders = _lenders_of(card, lending, world)
    return _Basis(lenders, left)


def _whole_of(measure: CardMeasure, lending: Paces, world: World) -> CardMeasure | None:
    """Return the card of the same client whose work holds all of a card's and more, of several the smallest."""
    client = world.cards[measure.card].client
    own = _ids(measure, world)
    wholes = []
    for other in lending:
        if world.cards[other.card].client != client:
            continue
        ids = _ids(other, world)
        if own < ids:
            wholes.append((len(ids), other))
    if not wholes:
        return None
    _, smallest = min(wholes, key=lambda place: place[0])
    return smallest


def _ids(measure: CardMeasure, world: World) -> frozenset[str]:
    """Return the ids of the items of a card."""
    work = world.work.get(measure.card, CardWork())
    return frozenset(issue.id for issue in work.issues)


def _queue(whole: CardMeasure, world: World) -> int:
    """Return how many open items of a card anybody has touched in the weeks from which paces are drawn."""
    weeks = world.thresholds.throughput_weeks
    since = world.begin_of(world.today - timedelta(weeks=weeks))
    queue = 0
    for issue in world.work[whole.card].issues:
        queue += not issue.done and issue.updated >= since
    return queue


def _lenders_of(card: Card, lending: Paces, world: World) -> Paces:
    """Return the cards a card borrows the pace of: its client's, else its unit's."""
    near: list[CardMeasure] = []
    far: list[CardMeasure] = []
    unit = _unit_of(card, world)
    for other in lending:
        lender = world.cards[other.card]
        if card.client is not None and lender.client == card.client:
            near.append(other)
        elif unit is not None and _unit_of(lender, world) == unit:
            far.append(other)
    lenders = near or far
    return lenders[:MOST_LENDERS]


def _unit_of(card: Card, world: World) -> Ref | None:
    client = world.client(card.client)
    return client.unit if client else None


def _forecast(
    measure: CardMeasure, basis: _Basis, world: World, *, ahead: Sequence[date]
) -> CardMeasure:
    own = measure.flow
    paces = basis.paces
    if measure.open == 0:
        return _ended(measure)
    if not paces:
        return measure

    refs = [pace.card for pace in paces]
    lenders = tuple(ref for ref in refs if ref != measure.card)
    queue = basis.left if basis.left > own.left else 0
    measure = replace(measure, lenders=lenders, queue=queue)
    done = [pace.flow.done for pace in paces]
    runs = simulate_any(
        done,
        basis.left,
        arrivals=own.came,
        draws=world.thresholds.forecast_draws,
        seed=seed_of(measure.card, world.today),
    )
    if runs is not None:
        return _date(measure, runs, world, ahead=ahead)
    if any(own.came) and any(map(any, done)):
        return _without_end(measure, done, basis.left, world)
    return measure


def _ended(measure: CardMeasure) -> CardMeasure:
    """Return a card on which nothing is left with the day of its end, where that is told."""
    last = measure.flow.last
    if last is None:
        return measure
    chance = None
    if measure.due is not None:
        in_time = int(last <= measure.due)
        chance = ratio(in_time)
    forecast = Forecast(last, last, remaining=0, draws=0)
    return replace(measure, forecast=forecast, on_time=chance)


def _date(
    measure: CardMeasure, runs: Runs, world: World, *, ahead: Sequence[date]
) -> CardMeasure:
    """Return a card with the days by which the runs end."""
    half = runs.quantile(50)
    safe = runs.quantile(85)
    chance = None
    if measure.due is not None:
        days = world.calendar.working_days(world.today, measure.due)
        chance = ratio(runs.within(days))
    forecast = Forecast(
        ahead[half], ahead[safe], remaining=measure.open, draws=runs.draws
    )
    return replace(measure, forecast=forecast, on_time=chance)


def _without_end(
    measure: CardMeasure, done: Sequence[Sequence[int]], left: int, world: World
) -> CardMeasure:
    """Return a card that grows as fast as it is finished: no day can be told, the chance to meet one can."""
    chance = None
    if measure.due is not None:
        days = world.calendar.working_days(world.today, measure.due)
        arrivals = measure.flow.came
        by_due = chance_within(days, done, left, arrivals=arrivals)
        chance = ratio(by_due)
    return replace(measure, is_outgrown=True, on_time=chance)


def new_a_week(own: CardFlow) -> Decimal | None:
    """Return how many items come in a week of five working days; None where nothing tells."""
    if not any(own.came):
        return None
    days = len(own.came)
    items = sum(own.came)
    week = Decimal(A_WEEK_OF_WORK * items) / days
    return week.quantize(TENTH)


def describe_pace(measure: CardMeasure, world: World) -> str:
    """Return what a card's dates rest on, where that is not its own pace alone."""
    return " ".join(_describe(measure, world))


def _describe(measure: CardMeasure, world: World) -> Iterator[str]:
    words = world.words
    if measure.lenders:
        yield _describe_lenders(measure, world)
    coming = new_a_week(measure.flow)
    if measure.is_outgrown and coming is not None:
        yield words.say(
            "As much work comes in as is finished ({n} new issues a week): there is no date.",
            n=words.number(coming),
        )


def _describe_lenders(measure: CardMeasure, world: World) -> str:
    card = world.cards[measure.card]
    lenders = [world.cards[ref] for ref in measure.lenders]
    names = [lender.name for lender in lenders]
    if measure.queue:
        return world.words.say(
            "Too little history of its own: it is a part of {card} and is taken to end "
            "with what is open there (issues: {n}).",
            card=", ".join(names),
            n=measure.queue,
        )
    owner: Client | Unit | None = world.client(card.client)
    if lenders[0].client != card.client:
        owner = world.unit(_unit_of(card, world))
    return world.words.say(
        "Too little history of its own: "
        "the pace is borrowed from other cards of {owner} ({cards}).",
        owner=owner.name if owner else "-",
        cards=", ".join(names),
    )
