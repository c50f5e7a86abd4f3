"""The development backlog: how old an idea is, on which agenda it stands, and the card it becomes (docs/method.md 5.5).

Strategic hypotheses go to the quarter's meeting, validated features and whatever people send to the group to the next
one. What is accepted is planted once as a card at `idea`, linked both ways; from then on the card is people's, and the
account sprint gives it its next steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from worker.domain.entities import Idea
from worker.domain.messages import tell
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.method.figures import show_day
from worker.method.formulas.agendas import agenda_title, next_planned
from worker.method.formulas.hysteresis import Tracks, follow, to_change
from worker.method.growth.development import CLOSED
from worker.method.growth.hypotheses import measure_effect
from worker.method.measures import BacklogItem, Effect
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World


def plan_backlog(world: World) -> Findings[tuple[BacklogItem, ...] | None]:
    """Return the facts of every idea and of the cards planted for accepted ones."""
    facts: list[Fact] = []
    items: list[BacklogItem] = []
    problems: list[Problem] = []
    tracks = to_change(world.memory.tracks)
    for idea in world.ideas.values():
        effect = measure_effect(idea, tracks, world)
        item = _item(idea, world, effect=effect)
        items.append(item)
        facts += _facts(item, idea, world)
        if idea.status == "accepted" and item.client is None and not idea.cards:
            problems.append(_homeless(idea))
        elif idea.status == "accepted":
            facts += _card(item, idea, world=world, tracks=tracks)
    return Findings(
        tuple(items), tuple(facts), problems=tuple(problems), tracks=tracks.maps[0]
    )


def _item(idea: Idea, world: World, *, effect: Effect | None) -> BacklogItem:
    client = idea.client or _only_client(idea.unit, world)
    client_row = world.client(client)
    strategic = idea.kind == "hypothesis" and idea.horizon == "strategic"
    made = world.today
    if idea.created:
        made = world.day_of(idea.created)
    age = (world.today - made).days
    card = next((ref for ref in idea.cards if ref in world.cards), None)
    return BacklogItem(
        idea.ref,
        idea.name,
        idea.url,
        idea.kind or "",
        idea.status or "new",
        strategic,
        idea.unit or (client_row.unit if client_row else None),
        client,
        idea.author,
        idea.impact,
        idea.effort,
        max(age, 0) // 7,
        _agenda(idea, world, strategic=strategic),
        card,
        effect,
    )


def _only_client(unit: Ref | None, world: World) -> Ref | None:
    """Return the client of a unit that serves one."""
    served = (
        [ref for ref, client in world.clients.items() if client.unit == unit]
        if unit
        else []
    )
    return served[0] if len(served) == 1 else None


def _agenda(idea: Idea, world: World, *, strategic: bool) -> Period | None:
    sent = idea.status == "for_group"
    ripe = idea.kind == "feature" and idea.status == "validated"
    big = strategic and idea.status in ("new", "validated", "for_group", None)
    return (
        next_planned(world.today, strategic=strategic) if sent or ripe or big else None
    )


def _facts(item: BacklogItem, idea: Idea, world: World) -> Iterator[Fact]:
    say = world.words.say
    name = Input(say("idea"), item.title, item.url)
    status = Input(say("status"), item.status)
    horizon = idea.horizon or ""
    what = f"{item.kind} {horizon}".strip()
    kind = Input(say("kind"), what)
    yield Fact(
        item.ref,
        "agenda",
        agenda_title(item.agenda, world.words) if item.agenda else None,
        Why(
            "backlog",
            (name, kind, status),
            say(
                "strategic hypotheses go to the quarter's meeting; validated features and what is "
                "sent to the group to the next one"
            ),
        ),
    )
    if item.status not in CLOSED:
        yield Fact(
            item.ref,
            "age_weeks",
            Decimal(item.weeks),
            Why(
                "backlog",
                (name, show_day(say("written on"), idea.created), status),
                say(
                    "whole weeks since the row was made; it stops when the idea is decided on"
                ),
            ),
        )


def _card(
    item: BacklogItem, idea: Idea, *, world: World, tracks: Tracks
) -> Iterator[Fact]:
    """Plant the card of an accepted idea, unless people linked one, and link the two."""
    say, planted, place = (
        world.words.say,
        Ref("projects", f"card:backlog:{idea.ref.key}"),
        f"{idea.ref}#card",
    )
    why = Why(
        "backlog",
        (Input(say("idea"), item.title, item.url),),
        say("an accepted idea becomes a card at the stage “idea”, once"),
    )
    fresh = place not in tracks
    tracks[place] = follow(tracks.get(place), "planted", world.today)
    if idea.cards:
        yield Fact(idea.ref, "card", idea.cards, why)
        return
    page = world.seeds.get(planted)
    if page is not None or fresh:
        yield Fact(idea.ref, "card", (page or planted,), why)
    values = {
        "name": item.title,
        "client": (item.client,) if item.client else (),
        "stage": "idea",
    }
    for name, value in values.items():
        yield Fact(planted, name, value, why)


def _homeless(idea: Idea) -> Problem:
    return Problem(
        code=Code.IDEA_WITHOUT_CLIENT,
        where=tell("Idea backlog: {name}", name=idea.name),
        field="client",
        message=tell("the accepted idea names no client, so it cannot become a card"),
        hint=tell("choose its client"),
        url=idea.url,
    )
