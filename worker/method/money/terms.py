"""The rows of `terms`: a change that people made in a plain cell, dated on the day it was seen (docs/method.md 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from worker.domain.messages import message
from worker.domain.values import Ref, Value
from worker.method.figures import show_day, show_text
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.rows import term_key
from worker.world.terms import SeenTerm
from worker.world.world import World

NAMES = {
    "fee": message("monthly fee"),
    "rate": message("rate"),
    "model": message("engagement model"),
    "budget": message("budget"),
    "unit": message("unit"),
}
RELATIONS = {"clients": "client", "projects": "project", "people": "person"}


def record_terms(world: World) -> Findings[None]:
    """Return the rows of the changes that nobody dated, and what is to be remembered of the cells."""
    facts: list[Fact] = []
    for seen in world.terms.seen:
        facts += _facts(seen, world)
    return Findings(None, tuple(facts), cells=world.terms.cells)


def _facts(seen: SeenTerm, world: World) -> Iterator[Fact]:
    say = world.words.say
    ref = Ref("terms", seen.key)
    start = _start(seen, world)
    day = world.words.date(start)
    what = say(NAMES[seen.what])
    cell = Input(say("cell"), f"{seen.name}, {what}")
    changed = Why("terms", (cell,), say("the cell that people changed"))
    values: dict[str, Value] = {
        "name": f"{seen.name} · {what} · {day}",
        RELATIONS[seen.subject.source]: (seen.subject,),
        "what": seen.what,
    }
    for name, value in values.items():
        yield Fact(ref, name, value, changed)
    yield Fact(
        ref,
        "from",
        start,
        Why(
            "terms",
            (cell, show_day(say("seen on"), seen.change.day)),
            say(
                "a change of the cell that nobody dated counts from the day it is seen"
            ),
        ),
    )
    for name, value in _value(seen).items():
        yield Fact(
            ref,
            name,
            value,
            Why(
                "terms",
                (cell, show_text(say("what it says"), seen.change.value)),
                say("as the cell says"),
            ),
        )


def _start(seen: SeenTerm, world: World) -> date:
    """Return the first day: of what the cell said in the beginning the day its row began, if it is known."""
    if seen.key != term_key(seen.what, seen.subject):
        return seen.change.day
    began = None
    if client := world.client(seen.subject):
        began = client.since
    if card := world.card(seen.subject):
        began = card.start
    if person := world.person(seen.subject):
        began = person.start
    return min(began or seen.change.day, seen.change.day)


def _value(seen: SeenTerm) -> dict[str, Value]:
    text = seen.change.value
    if seen.what == "model":
        return {"model": text or None}
    if seen.what == "unit":
        return {"unit": (Ref.parse(text),) if text else ()}
    return {"value": Decimal(text) if text else None}
