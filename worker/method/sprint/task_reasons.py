"""Why each field of a task the worker made has its value (docs/method.md 6.4)."""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.messages import message
from worker.mapping.playbooks import Playbook
from worker.method.figures import show_day, show_text
from worker.method.formulas.inputs import name_rows
from worker.method.measures import Signal
from worker.plan.facts import Input, Why
from worker.world.world import World

PLACES = {
    "card": message("card"),
    "client": message("client"),
    "date": message("date"),
    "hours": message("hours"),
    "name": message("name"),
    "risk": message("risk"),
    "role": message("role"),
    "unit": message("unit"),
}
"""The places of a playbook's text, as a person reads them."""


def give_reasons(signal: Signal, book: Playbook, world: World) -> dict[str, Why]:
    """Return the reason of every field but those that hang on the condition alone."""
    say = world.words.say
    playbook = show_text(say("playbook"), signal.playbook)
    rows = name_rows(signal.card, signal.client, world)
    filled = [
        Input(say(name), signal.values[place])
        for place, name in PLACES.items()
        if signal.values.get(place)
    ]
    about = _why(
        (show_text(say("signal"), book.signal), *rows),
        say("what the condition is about"),
    )
    text = show_text(say("text"), book.text.in_locale(world.words.locale))
    copied = _why(
        (playbook, show_text(say("strength"), book.strength)),
        say("as the playbook says"),
    )
    return {
        "name": _why((text, *filled), say("the playbook's text, its places filled")),
        "assignee": _why(
            (playbook, show_text(say("role"), signal.role or book.role), *rows),
            say("who has the playbook's role for the client"),
        ),
        "due": _due(signal, book, world),
        "client": about,
        "project": about,
        "risk": about,
        "kind": copied,
        "source": copied,
        "signal": copied,
    }


def _due(signal: Signal, book: Playbook, world: World) -> Why:
    say = world.words.say
    playbook = show_text(say("playbook"), signal.playbook)
    if signal.due is not None:
        day = show_day(say("day"), signal.due)
        return _why((playbook, day), say("the day the condition names"))
    return _why(
        (
            playbook,
            show_day(say("today"), world.today),
            show_text(say("working days"), book.due),
        ),
        say("the playbook's working days from the day the task is made"),
    )


def _why(inputs: Iterable[Input], formula: str) -> Why:
    return Why("tasks", tuple(inputs), formula)
