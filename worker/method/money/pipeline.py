"""The pipeline of newbiz: what it holds by stage, how it moves, and whether it can feed the target (docs/method.md 2.14).

Stages are told by the history that is kept from run to run: the day a card came to a stage is known when the move was
seen, and only what was seen counts as won, lost or as days in a stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from msgspec.structs import replace

from worker.domain.entities import FIRM, HUNTED, RUNNING, Card, Stage
from worker.domain.money import round_money
from worker.domain.period_titles import period_name
from worker.domain.periods import Grain, Period, month_of
from worker.domain.values import Ref
from worker.method.conditions import UNKNOWN, Look, Sighting, Subject, state_looks
from worker.method.formulas.rays import add_months, start_of
from worker.method.formulas.stages import chance_of, stage_since
from worker.method.measures import CardMeasure, Coming, MoneyMeasure, PlanMeasure
from worker.method.outlook import Feed, Pipeline, StageValue
from worker.method.run import Findings
from worker.world.memory import Track
from worker.world.world import World

ZERO = Decimal(0)
WON = (Stage.AGREED, *RUNNING, Stage.DONE)
MOVED = "moved"
"""What is remembered of a stage whose first day was seen; else it may have begun earlier."""
STOOD = "stood"
FAR = Decimal("0.75")
FARTHEST = Decimal("0.5")
"""Parts of the target below which the pipeline is far, and very far, from feeding it."""

Stays = Mapping[Stage, Track]
"""Since when a card stood at each of its stages."""


def measure_pipeline(
    world: World,
    cards: Mapping[Ref, CardMeasure],
    plans: Iterable[PlanMeasure],
    money: MoneyMeasure | None,
    coming: Iterable[Coming] | None,
) -> Findings[Pipeline | None]:
    """Return the pipeline, None where there is no newbiz client; with the stages to remember and the condition."""
    clients = set()
    for client in world.clients.values():
        if client.is_newbiz:
            clients.add(client.ref)
    tracks = _remember(clients, world, cards)
    feed = None
    pipeline = None
    if clients:
        hunted = _hunted(clients, world)
        feed = _feed(hunted, clients, world, plans=plans, money=money, coming=coming)
        seen = {**world.memory.tracks, **tracks}
        pipeline = _pipeline(hunted, seen, world, cards)
        pipeline = replace(pipeline, feed=feed)
    looks = [_look(feed, world)]
    conditions, signals = state_looks(looks, words=world.words, by_probability=True)
    return Findings(pipeline, conditions=conditions, signals=signals, tracks=tracks)


def _hunted(clients: set[Ref], world: World) -> list[Card]:
    hunted = []
    for card in world.cards.values():
        if card.client in clients and card.stage in HUNTED:
            hunted.append(card)
    hunted.sort(key=_place)
    return hunted


def _place(card: Card) -> tuple[str, Ref]:
    return card.name, card.ref


def _pipeline(
    hunted: Sequence[Card],
    tracks: Mapping[str, Track],
    world: World,
    cards: Mapping[Ref, CardMeasure],
) -> Pipeline:
    history = _history(tracks, world)
    won, decided = _count_decisions(history, world)
    stages = []
    for stage in HUNTED:
        value = _stage(stage, hunted, history, world)
        stages.append(value)
    due = []
    still = []
    for card in hunted:
        if _is_due(card, world):
            due.append(card.ref)
        if _is_still(card, world, cards):
            still.append(card.ref)
    return Pipeline(
        tuple(stages),
        since=_year_ago(world),
        won=won,
        decided=decided,
        due=tuple(due),
        still=tuple(still),
    )


# -- stages ------------------------------------------------------------------------------------------------------------


def _remember(
    clients: set[Ref], world: World, cards: Mapping[Ref, CardMeasure]
) -> dict[str, Track]:
    """Return since when the cards of newbiz stand at their stages, where that is new."""
    known = world.memory.tracks
    tracks = {}
    for card in world.cards.values():
        since = stage_since(card, world, cards)
        if card.client not in clients:
            continue
        if card.stage is None or since is None:
            continue
        name = _name(card.ref, card.stage)
        before = known.get(f"{card.ref}#stage")
        if before is None:
            is_seen = not world.memory.first_run
        else:
            is_seen = before.value != card.stage
        if is_seen or name not in known:
            how = STOOD
            if is_seen:
                how = MOVED
            tracks[name] = Track(how, since)
    return tracks


def _name(card: Ref, stage: Stage) -> str:
    return f"{card}#newbiz.{stage}"


def _history(tracks: Mapping[str, Track], world: World) -> Mapping[Ref, Stays]:
    """Return the stays of every card that was one of newbiz while they were seen."""
    history: dict[Ref, Stays] = {}
    for card in world.cards:
        stays = {}
        for stage in Stage:
            track = tracks.get(_name(card, stage))
            if track is not None:
                stays[stage] = track
        if stays:
            history[card] = stays
    return history


def _year_ago(world: World) -> date:
    return add_months(world.today, -world.thresholds.win_months)


def _count_decisions(history: Mapping[Ref, Stays], world: World) -> tuple[int, int]:
    """Return how many cards were won, of how many decided, among those whose decision was seen in the last months."""
    year_ago = _year_ago(world)
    won = decided = 0
    for stays in history.values():
        wins = []
        for stage in WON:
            if stage in stays:
                wins.append(stays[stage])
        ends = wins
        if not wins and Stage.LOST in stays:
            ends = [stays[Stage.LOST]]
        first = min(ends, key=lambda track: track.since, default=None)
        if first is None or first.value != MOVED:
            continue
        if first.since < year_ago:
            continue
        decided += 1
        if wins:
            won += 1
    return won, decided


def _stage(
    stage: Stage, cards: Iterable[Card], history: Mapping[Ref, Stays], world: World
) -> StageValue:
    """Return what the cards of a stage come to, and how many days cards usually stayed at it."""
    own = [card for card in cards if card.stage is stage]
    usual = world.thresholds.stage_probability
    value = weighted = ZERO
    unvalued = 0
    for card in own:
        if not card.budget:
            unvalued += 1
            continue
        value += card.budget
        chance = chance_of(card, usual)
        weighted += card.budget * chance
    days = []
    for stays in history.values():
        stay = _days_at(stage, stays)
        if stay is not None:
            days.append(stay)
    return StageValue(
        stage,
        cards=len(own),
        value=value,
        weighted=round_money(weighted, world.minor_unit),
        unvalued=unvalued,
        days=Decimal(median(days)) if days else None,
    )


def _days_at(stage: Stage, stays: Stays) -> int | None:
    """Return how many days a card stayed at a stage; None where it stands there yet or its first day was not seen."""
    stay = stays.get(stage)
    if stay is None or stay.value != MOVED:
        return None
    later = []
    for other in stays.values():
        if other.since > stay.since:
            later.append(other.since)
    if not later:
        return None
    return (min(later) - stay.since).days


def _is_due(card: Card, world: World) -> bool:
    """Tell whether a card was to start by the end of this month."""
    start = start_of(card)
    month = month_of(world.today)
    return start is not None and start <= month.end


def _is_still(card: Card, world: World, cards: Mapping[Ref, CardMeasure]) -> bool:
    """Tell whether a card has not moved for too many days."""
    since = stage_since(card, world, cards)
    days = timedelta(world.thresholds.next_step_days)
    last = world.today - days
    return since is not None and since <= last


# -- the target --------------------------------------------------------------------------------------------------------


def _feed(
    hunted: Sequence[Card],
    clients: set[Ref],
    world: World,
    *,
    plans: Iterable[PlanMeasure],
    money: MoneyMeasure | None,
    coming: Iterable[Coming] | None,
) -> Feed | None:
    """Return what newbiz is to bring in the last quarter that is planned, and what feeds it; None where it is not known."""
    if money is None or coming is None:
        return None
    quarters = {}
    for plan in plans:
        if plan.period.grain is Grain.QUARTER:
            quarters[plan.unit, plan.period] = plan
    if not quarters:
        return None
    quarter = max(period for _, period in quarters)
    target = _target(quarter, quarters, world)
    if target is None or not _is_told(hunted, world):
        return None
    fact = ZERO
    for earned in money.weeks:
        if earned.client in clients and earned.week.start in quarter:
            fact += earned.amount
    committed = weighted = ZERO
    for part in coming:
        if part.client in clients and part.week.start in quarter:
            committed += part.committed
            weighted += part.weighted
    return Feed(quarter, target, fact, committed, weighted)


def _target(
    quarter: Period, plans: Mapping[tuple[Ref, Period], PlanMeasure], world: World
) -> Decimal | None:
    """Return what newbiz is to bring: what is pinned for units of newbiz alone, else its share of the firm's target."""
    kinds: dict[Ref, set[bool]] = defaultdict(set)
    for client in world.clients.values():
        if client.unit is not None:
            own = kinds[client.unit]
            own.add(client.is_newbiz)
    pinned = []
    for unit, own in kinds.items():
        plan = plans.get((unit, quarter))
        if plan is None or own != {True}:
            continue
        if plan.pinned and plan.target is not None:
            pinned.append(plan.target)
    if pinned:
        return sum(pinned, ZERO)

    firm = plans.get((FIRM, quarter))
    if firm is None or not firm.target:
        return None
    share = 1 - world.thresholds.units_share
    return round_money(firm.target * share, world.minor_unit)


def _is_told(hunted: Iterable[Card], world: World) -> bool:
    """Tell whether people keep what a forecast needs: proposals of which none has budget, start and chance tell nothing."""
    proposals = []
    for card in hunted:
        if card.stage is Stage.PROPOSAL:
            proposals.append(card)
    usual = world.thresholds.stage_probability
    for card in proposals:
        start = start_of(card)
        has_chance = Stage.PROPOSAL in usual
        if card.probability is not None:
            has_chance = True
        if card.budget and start and has_chance:
            return True
    return not proposals


def _look(feed: Feed | None, world: World) -> Look:
    names = {"client": "", "unit": ""}
    subject = Subject(FIRM, names)
    signal = "money.pipeline_short"
    if feed is None:
        return signal, subject, UNKNOWN
    words = world.words
    evidence = words.say(
        "Newbiz is to bring {target} in {quarter}: recognised {fact}, committed {committed}, "
        "weighted pipeline {weighted}; {short} are missing.",
        target=words.money(feed.target),
        quarter=period_name(feed.quarter, words),
        fact=words.money(feed.fact),
        committed=words.money(feed.committed),
        weighted=words.money(feed.weighted),
        short=words.money(feed.short),
    )
    seen = Sighting(
        feed.short > 0,
        _mark(feed),
        evidence,
        f"< {words.money(feed.target)}",
        stake=feed.short,
        horizon=feed.quarter.end,
    )
    return signal, subject, seen


def _mark(feed: Feed) -> int:
    if feed.fed < feed.target * FARTHEST:
        return 5
    if feed.fed < feed.target * FAR:
        return 4
    return 3
