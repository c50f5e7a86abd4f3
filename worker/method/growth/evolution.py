"""Evolution and revolution: after 18 months an endless service is due for a redesign, and a card is planted (docs/method.md 5.2).

The card is people's from the day it is made; the same revolution is never proposed twice. When it starts, the months
are counted anew from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from worker.domain.entities import RUNNING, Card, Stage
from worker.domain.values import Ref, Value
from worker.method.formulas.rays import add_months
from worker.method.outlook import Revolution
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

PREFIX = "card:revolution:"


def plan_revolutions(world: World) -> Findings[tuple[Revolution, ...]]:
    """Return the idea cards of all revolutions that are due, with every evolution that counts towards one."""
    revolutions = tuple(_revolutions(world))
    facts = tuple(
        fact
        for revolution in revolutions
        if revolution.due <= world.today
        for fact in _facts(revolution, world)
    )
    return Findings(revolutions, facts)


def _revolutions(world: World) -> Iterator[Revolution]:
    planted = _planted(world)
    # A revolution of work that still runs counts for both, or two cards would be planted for one service.
    counted = {
        page
        for origin, pages in planted.items()
        if _is_running(world.cards.get(origin))
        for page in pages
    }
    for card in world.cards.values():
        if card.start is None or not _is_endless(card, world) or card.ref in counted:
            continue
        begun = [
            start
            for page in planted.get(card.ref, ())
            if (start := _began(world.cards.get(page)))
        ]
        number = len(begun) + 1
        since = max([card.start, *begun])
        due = add_months(since, world.thresholds.revolution_months)
        key = f"{PREFIX}{card.ref.key}:{number}"
        seed = Ref("projects", key)
        yield Revolution(
            card=card.ref,
            client=card.client,
            number=number,
            since=since,
            due=due,
            seed=seed,
            page=world.seeds.get(seed),
        )


def _planted(world: World) -> dict[Ref, list[Ref]]:
    """Return the living revolution cards by the card they came from."""
    cards_by_origin: dict[Ref, list[Ref]] = defaultdict(list)
    for seed, page in world.seeds.items():
        if seed.source == "projects" and seed.key.startswith(PREFIX):
            key = seed.key.removeprefix(PREFIX).rpartition(":")[0]
            cards_by_origin[Ref("projects", key)].append(page)
    return cards_by_origin


def _is_endless(card: Card, world: World) -> bool:
    service = world.service(card.service)
    return _is_running(card) and service is not None and service.kind == "endless"


def _is_running(card: Card | None) -> bool:
    return card is not None and card.stage in RUNNING


def _began(card: Card | None) -> date | None:
    if card is None or card.stage not in (*RUNNING, Stage.DONE):
        return None
    return card.start or card.expected_start


def _facts(revolution: Revolution, world: World) -> Iterator[Fact]:
    words = world.words
    card = world.cards[revolution.card]
    name = Input(words.say("card"), card.name, card.url)
    since = Input(words.say("since"), words.date(revolution.since))
    limit = words.count("{n} month", "{n} months", world.thresholds.revolution_months)
    ran = words.say(
        "an ongoing service has run this long since its start or last revolution"
    )
    long_run = Why("evolution", (name, since), ran, limit)
    copied = Why("evolution", (name,), words.say("as the card it follows"))
    values: dict[str, tuple[Value, Why]] = {
        "name": (
            words.say("Redesign and refactoring of “{card}”", card=card.name),
            long_run,
        ),
        "stage": (Stage.IDEA.value, long_run),
        "client": ((card.client,) if card.client else (), copied),
        "service": ((card.service,) if card.service else (), copied),
    }
    for field, (value, why) in values.items():
        yield Fact(revolution.seed, field, value, why)
