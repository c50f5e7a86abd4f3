"""What is next: the most urgent open task, shown on its card and on its client (docs/method.md 6.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worker.domain.values import Ref
from worker.method.figures import show_day, show_text
from worker.method.measures import TaskMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.world import World


def find_next_tasks(
    world: World, tasks: Sequence[TaskMeasure] | None
) -> Findings[None]:
    """Return the next task of every card and the next action of every client."""
    if tasks is None:
        return Findings(None)
    cards: dict[Ref, TaskMeasure] = {}
    clients: dict[Ref, TaskMeasure] = {}
    for task in tasks:
        client = task.client or (
            world.cards[task.card].client
            if task.card in world.cards and task.card
            else None
        )
        if task.card is not None:
            cards.setdefault(task.card, task)
        if client is not None:
            clients.setdefault(client, task)
    facts = (*_card_facts(cards, world), *_client_facts(clients, world))
    return Findings(None, facts)


def _card_facts(tasks: dict[Ref, TaskMeasure], world: World) -> Iterator[Fact]:
    for ref in world.cards:
        task = tasks.get(ref)
        yield Fact(ref, "next_task", (task.ref,) if task else (), _why(task, world))


def _client_facts(tasks: dict[Ref, TaskMeasure], world: World) -> Iterator[Fact]:
    for ref in world.clients:
        task = tasks.get(ref)
        yield Fact(
            ref, "next_action", _line(task, world) if task else None, _why(task, world)
        )


def _line(task: TaskMeasure, world: World) -> str:
    person = world.person(task.assignee)
    parts = [
        task.title,
        world.words.say("due {day}", day=world.words.date(task.due))
        if task.due
        else "",
        person.name if person else "",
    ]
    return " · ".join(part for part in parts if part)


def _why(task: TaskMeasure | None, world: World) -> Why:
    say = world.words.say
    inputs = [show_text(say("task"), task.title if task else None)]
    if task is not None:
        inputs.append(show_day(say("due"), task.due))
        inputs.append(show_text(say("strength"), task.strength))
    return Why(
        "actions",
        tuple(inputs),
        say("the open task with the earliest due date, then the strongest signal"),
    )
