"""When a card's work ends: by its own pace and growth, or by the pace of cards beside it (docs/method.md 1.1).

A project that runs takes in new items while it goes on: those that came since its scope was known are drawn as its
finished ones are. Its scope is known `scope_weeks` after its first item, and not before its start. An endless service
takes in new items by its nature, so its forecast is of what is known now. A card with too little history of its own
borrows the pace of its client's other cards, else of the other cards of the unit: each run draws the days of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, Issue, Stage
from worker.domain.periods import A_DAY
from worker.domain.values import Ref
from worker.method.delivery.bursts import leave_out
from worker.method.delivery.forecasting import seed_of, simulate_any
from worker.method.formulas import flow
from worker.method.formulas.flow import Window, ratio
from worker.method.measures import CardFlow, CardMeasure, Forecast
from worker.world.world import World

FEWEST_DAYS = 10
"""Working days of growth below which nothing is said of it."""
MOST_LENDERS = 5
MOST_NAMED = 3
A_WEEK_OF_WORK = 5


def count_arrivals(
    card: Card, issues: Sequence[Issue], *, window: Window, world: World
) -> tuple[int, ...]:
    """Return how many items came on each working day since the card's scope was known; days of re-planning left out."""
    if card.stage is not Stage.IN_PROGRESS or not issues:
        return ()
    made: list[datetime] = [issue.created for issue in issues]
    weeks = timedelta(weeks=world.thresholds.scope_weeks)
    known = max(world.day_of(min(made)) + weeks, card.start or date.min)
    begin = max(known + A_DAY, window.start)
    if begin >= world.today:
        return ()
    since = world.begin_of(begin)
    new = [moment for moment in made if moment >= since]
    came = flow.daily_throughput(new, begin, window=window)
    limits = world.thresholds
    usual, _ = leave_out(came, least=limits.burst_items, times=limits.burst_times)
    return tuple(usual) if len(usual) >= FEWEST_DAYS else ()


def forecast_cards(
    cards: Mapping[Ref, CardMeasure], world: World, *, ahead: Sequence[date]
) -> dict[Ref, CardMeasure]:
    """Return the measures with their forecasts; `ahead` are yesterday and the working days after it."""
    least = world.thresholds.forecast_minimum
    lending = [
        measure
        for measure in cards.values()
        if measure.history >= least and any(measure.flow.done)
    ]
    lending.sort(key=lambda measure: (-measure.history, measure.card))
    return {
        ref: _forecast(measure, _paces(measure, lending, world), world, ahead=ahead)
        for ref, measure in cards.items()
    }


Paces = Sequence[CardMeasure]


def _paces(measure: CardMeasure, lending: Paces, world: World) -> Paces:
    """Return the cards whose pace a card goes by: itself, else those it borrows from."""
    if measure.history >= world.thresholds.forecast_minimum:
        return [measure]
    card = world.cards[measure.card]
    if card.stage not in RUNNING or not measure.open:
        return []
    client = world.client(card.client)
    near: list[CardMeasure] = []
    far: list[CardMeasure] = []
    for other in lending:
        lender = world.cards[other.card]
        if lender.stage not in (Stage.DONE, *RUNNING):
            continue
        owner = world.client(lender.client)
        if client is not None and lender.client == client.ref:
            near.append(other)
        elif client and client.unit and owner and owner.unit == client.unit:
            far.append(other)
    lenders = near or far
    return lenders[:MOST_LENDERS]


def _forecast(
    measure: CardMeasure, paces: Paces, world: World, *, ahead: Sequence[date]
) -> CardMeasure:
    due = measure.due
    own = measure.flow
    if measure.open == 0 and own.last is not None:
        chance = ratio(int(own.last <= due)) if due else None
        return replace(measure, forecast=Forecast(own.last, own.last, chance, 0, 0))
    if not paces or not measure.open:
        return measure

    draws = world.thresholds.forecast_draws
    runs = simulate_any(
        [pace.flow.done for pace in paces],
        own.left,
        arrivals=own.came,
        draws=draws,
        seed=seed_of(measure.card, world.today),
    )
    lenders = tuple(pace.card for pace in paces if pace.card != measure.card)
    if runs is None:
        is_outgrown = any(own.came) and any(any(pace.flow.done) for pace in paces)
        return replace(measure, is_outgrown=is_outgrown, lenders=lenders)
    days = world.calendar.working_days(world.today, due) if due else 0
    forecast = Forecast(
        ahead[runs.quantile(50)],
        ahead[runs.quantile(85)],
        ratio(runs.within(days)) if due else None,
        measure.open,
        draws,
    )
    return replace(measure, forecast=forecast, lenders=lenders)


def new_a_week(own: CardFlow) -> Decimal | None:
    """Return how many items come in a week of five working days; None where nothing tells."""
    if not any(own.came):
        return None
    mean = Decimal(A_WEEK_OF_WORK * sum(own.came)) / len(own.came)
    return mean.quantize(Decimal("0.1"))


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
            "As much work comes in as is finished ({n} new items a week): there is no date.",
            n=words.number(coming),
        )


def _describe_lenders(measure: CardMeasure, world: World) -> str:
    words = world.words
    card = world.cards[measure.card]
    lenders = [world.cards[ref] for ref in measure.lenders]
    names = [lender.name for lender in lenders[:MOST_NAMED]]
    if len(lenders) > MOST_NAMED:
        names.append("…")
    cards = ", ".join(names)
    if lenders[0].client == card.client:
        return words.say(
            "Too little history of its own: the pace is borrowed from other cards of the client ({cards}).",
            cards=cards,
        )
    return words.say(
        "Too little history of its own: the pace is borrowed from other cards of the unit ({cards}).",
        cards=cards,
    )
