"""The rows that a number or a line of text rests on, as its reason names them."""

from __future__ import annotations

from datetime import date

from worker.domain.values import Ref
from worker.plan.facts import Input
from worker.world.world import World


def name_rows(card: Ref | None, client: Ref | None, world: World) -> list[Input]:
    """Return the card and the client a task or risk is about, those that stand."""
    say = world.words.say
    inputs: list[Input] = []
    work = world.card(card)
    if work is not None:
        inputs.append(Input(say("card"), work.name, work.url))
    payer = world.client(client)
    if payer is not None:
        inputs.append(Input(say("client"), payer.name, payer.url))
    return inputs


def provisional_inputs(day: date, world: World) -> tuple[Input, ...]:
    """Say it of what rests on the calendar of a year whose moved days are not known yet; nothing of other years."""
    if day.year not in world.calendar.provisional:
        return ()
    say = world.words.say
    text = say(
        "provisional: the days moved in {year} are not known yet", year=str(day.year)
    )
    return (Input(say("calendar"), text),)
