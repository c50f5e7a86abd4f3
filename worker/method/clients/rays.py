"""Rays: how far each client's work is known, what follows, and the alarm when nothing does (docs/method.md 4.2).

A ray breaks when its horizon is nearer than the lead time and nothing at proposal or later starts by then: with a start
that is not past, and likely enough. A contract without running or agreed work is no horizon. The alarm is a risk; the answer is tasks that move the client's best ideas, or the search for one where there are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Card, Client, Stage
from worker.domain.messages import stage_label
from worker.domain.values import Ref
from worker.method.conditions import (
    NO,
    Sighting,
    Subject,
    state_condition,
    state_signal,
)
from worker.method.figures import name_row, show_day
from worker.method.formulas.rays import (
    AHEAD,
    IDEAS,
    OFFERED,
    Offers,
    best_ideas,
    follower,
    gap_weeks,
    horizon_of,
    next_card,
    planned_until,
    start_of,
    worth,
)
from worker.method.formulas.stages import chance_of
from worker.method.measures import CardMeasure, Condition, Signal
from worker.method.outlook import Basis, Horizon, RayMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.memory import Memory
from worker.world.rows import read_key, task_key
from worker.world.world import World

RULE = "rays"
SIGNAL = "ray.breaks"
NEAR, FAR, IMPACT = 5, 4, 4
"""Marks of the risk: near when half the lead time is left. Both make it high, as the method says."""


class _View(msgspec.Struct, frozen=True, gc=False):
    """One client with its cards and its ray."""

    client: Client
    cards: tuple[Card, ...]
    ray: RayMeasure
    until: date


def measure_rays(
    world: World, measures: Mapping[Ref, CardMeasure]
) -> Findings[Mapping[Ref, RayMeasure]]:
    """Return the rays of all clients with their facts, the condition of each account's and the tasks they call for."""
    cards: dict[Ref | None, list[Card]] = defaultdict(list)
    for card in world.cards.values():
        cards[card.client].append(card)
    begun = _begun(world.memory)
    views = [
        _view(client, tuple(cards[client.ref]), world, measures, begun=begun)
        for client in world.clients.values()
    ]
    facts = tuple(fact for view in views for fact in _facts(view, world))
    conditions = tuple(
        _condition(view, world) for view in views if view.client.group == "account"
    )
    signals = tuple(signal for view in views for signal in _signals(view, world))
    return Findings(
        {view.client.ref: view.ray for view in views},
        facts,
        conditions=conditions,
        signals=signals,
    )


def _view(
    client: Client,
    cards: tuple[Card, ...],
    world: World,
    measures: Mapping[Ref, CardMeasure],
    *,
    begun: frozenset[Ref],
) -> _View:
    horizon = horizon_of(client.contract_end, cards, measures)
    coming = next_card(cards, world.today)
    gap = (
        gap_weeks(horizon.day, coming.expected_start)
        if horizon and coming and coming.expected_start
        else None
    )
    until = horizon.day if horizon else world.today
    breaks = _breaks(client, cards, horizon, world=world)
    ideas = (
        best_ideas(
            cards, world.services, number=world.thresholds.ray_ideas, begun=begun
        )
        if breaks
        else ()
    )
    return _View(
        client,
        cards,
        RayMeasure(
            client.ref,
            horizon,
            coming.ref if coming else None,
            gap,
            breaks,
            tuple(card.ref for card in ideas),
            planned_until(client.contract_end, cards, measures),
        ),
        until,
    )


def _breaks(
    client: Client, cards: tuple[Card, ...], horizon: Horizon | None, *, world: World
) -> bool | None:
    """Tell whether an account's ray breaks. Work that ended, or a contract alone, with nothing after it has broken; no
    work at all and work without dates are unknown."""
    if client.group != "account":
        return False
    if horizon is None and not _is_idle(client, cards):
        return None
    until = horizon.day if horizon else world.today
    near = until < world.today + timedelta(weeks=world.thresholds.ray_lead_weeks)
    last = max(until, world.today)
    return near and follower(cards, last, _offers(world)) is None


def _is_idle(client: Client, cards: tuple[Card, ...]) -> bool:
    """Tell whether a client that is served has nothing running or agreed: it had work, or has a contract."""
    stages = {card.stage for card in cards}
    if not stages.isdisjoint(AHEAD):
        return False
    return Stage.DONE in stages or client.contract_end is not None


def _offers(world: World) -> Offers:
    limits = world.thresholds
    return Offers(world.today, limits.ray_chance, limits.stage_probability)


def _begun(memory: Memory) -> frozenset[Ref]:
    """Return the ideas that have an open task to move them: they stay chosen when others grow."""
    return frozenset(
        Ref("projects", read_key(key)[1])
        for key, found in memory.occurrences.items()
        if key.startswith("task:move_idea:") and found.closed is None
    )


def _facts(view: _View, world: World) -> Iterator[Fact]:
    say = world.words.say
    client = view.client
    horizon = view.ray.horizon
    gap = view.ray.gap_weeks
    row = name_row(say("client"), client)
    end = show_day(say("work secured until"), horizon.day if horizon else None)
    last = world.card(horizon.card if horizon else None)
    following = world.card(view.ray.next_card)
    ends = [row]
    if last is not None:
        ends.append(name_row(say("card"), last))
    ends.append(show_day(say("contract end"), client.contract_end))
    gaps = [row, end]
    if following is not None:
        gaps.append(name_row(say("next card"), following))
        gaps.append(show_day(say("expected start"), following.expected_start))
    yield Fact(
        client.ref,
        "horizon",
        horizon.day if horizon else None,
        Why(
            RULE,
            tuple(ends),
            say("latest P85 end, due date or contract end of running and agreed work"),
        ),
    )
    yield Fact(
        client.ref,
        "ray_gap",
        Decimal(gap) if gap is not None else None,
        Why(
            RULE,
            tuple(gaps),
            say("weeks from the end of secured work to the next expected start"),
        ),
    )


def _condition(view: _View, world: World) -> Condition:
    words = world.words
    client = view.client
    ray = view.ray
    lead = world.thresholds.ray_lead_weeks
    weeks = words.count("{n} week", "{n} weeks", lead)
    halfway = world.today + timedelta(weeks=lead) / 2
    subject = Subject(
        client.ref, {"client": client.name}, client=client.ref, unit=client.unit
    )
    seen = Sighting(
        ray.breaks,
        NEAR if view.until < halfway else FAR,
        " ".join(
            (
                _describe_end(view, world),
                _describe_next(view, world),
                *_describe_offers(view, world),
            )
        ),
        f"{weeks}, {words.percent(world.thresholds.ray_chance)}",
        impact=IMPACT,
        stake=3 * client.monthly_fee if client.monthly_fee else None,
        horizon=view.until,
        inputs=((words.say("client"), client.name, client.url),),
    )
    return state_condition(SIGNAL, subject, seen, words=words)


def _describe_end(view: _View, world: World) -> str:
    words = world.words
    horizon = view.ray.horizon
    if horizon is None:
        return words.say("No work is running or agreed.")
    day = words.date(horizon.day)
    card = world.card(horizon.card)
    match horizon.basis:
        case Basis.CONTRACT:
            return words.say(
                "Work is secured until {day}, the end of the contract.", day=day
            )
        case Basis.P85:
            return words.say(
                "Work is secured until {day}, the P85 of “{card}”.",
                day=day,
                card=card.name if card else "",
            )
        case Basis.DUE:
            return words.say(
                "Work is secured until {day}, the due date of “{card}”.",
                day=day,
                card=card.name if card else "",
            )


def _describe_next(view: _View, world: World) -> str:
    words = world.words
    card = world.card(view.ray.next_card)
    if card is None or card.expected_start is None:
        return words.say("No next start is expected.")
    return words.say(
        "Next is “{card}” ({stage}), expected on {day}.",
        card=card.name,
        stage=stage_label(card.stage, words),
        day=words.date(card.expected_start),
    )


def _describe_offers(view: _View, world: World) -> Iterator[str]:
    """Say of every offered card that does not count why it does not."""
    words = world.words
    offers = _offers(world)
    for card in view.cards:
        start = start_of(card)
        if card.stage not in OFFERED or start is None:
            continue
        if offers.is_late(card):
            yield words.say(
                "“{card}” does not count: it was to start on {day}.",
                card=card.name,
                day=words.date(start),
            )
        elif offers.is_unlikely(card):
            yield words.say(
                "“{card}” does not count: its probability is {chance}.",
                card=card.name,
                chance=words.percent(chance_of(card, offers.usual)),
            )


def _signals(view: _View, world: World) -> Iterator[Signal]:
    words = world.words
    client = view.client
    ray = view.ray
    day = words.date(view.until)
    yield state_signal(
        "ray_break",
        Subject(client.ref, {"client": client.name, "date": day}, client=client.ref),
        Sighting(
            ray.breaks and not ray.ideas,
            evidence=words.say(
                "Work ends on {day} and nothing agreed follows it.", day=day
            ),
        ),
        words=words,
    )
    for card in view.cards:
        names = {"client": client.name, "card": card.name, "date": day}
        subject = Subject(card.ref, names, client=client.ref, card=card.ref)
        if card.stage in IDEAS:
            chosen = card.ref in ray.ideas if ray.breaks is not None else None
            yield state_signal(
                "move_idea",
                subject,
                Sighting(chosen, evidence=_describe_idea(view, card, world)),
                words=words,
                strength=_strength(ray, card.ref),
            )
        elif task_key("move_idea", card.ref) in world.memory.occurrences:
            moved = words.say(
                "closed automatically: the card stands at “{stage}” now",
                stage=stage_label(card.stage, words),
            )
            signal = state_signal("move_idea", subject, NO, words=words)
            yield replace(signal, ended=moved)


def _strength(ray: RayMeasure, card: Ref) -> int:
    return len(ray.ideas) - ray.ideas.index(card) if card in ray.ideas else 0


def _describe_idea(view: _View, card: Card, world: World) -> str:
    words = world.words
    value = worth(card, world.services)
    start = words.say(
        "Work with {client} ends on {day} and nothing agreed follows it.",
        client=view.client.name,
        day=words.date(view.until),
    )
    if value:
        reason = words.say(
            "The idea is worth {money} (probability × value), among the most.",
            money=words.money(value),
        )
    else:
        reason = words.say("The idea has no value yet; it is among the oldest.")
    return f"{start} {reason}"
