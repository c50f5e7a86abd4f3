"""The rows that a number or a line of text rests on, as its reason names them."""

from __future__ import annotations

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
