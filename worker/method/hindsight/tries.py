"""Which answers help: tasks that moved their card or ended their risk in time, beside cases without (docs/method.md 9.3).

A task's time is its playbook's working days and `moved_days` more, fixed when the task is made. What came of it stands in
its row alone, from which it is read back after a lost state. Tasks that people cancelled count as cases without one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Stage
from worker.domain.typography import fill
from worker.domain.values import Ref
from worker.mapping.playbooks import PLACES, Playbook, Playbooks
from worker.method.conditions import ANSWERED
from worker.method.figures import show_day, show_text
from worker.method.formulas.occurrences import base_of
from worker.method.formulas.stages import stage_since
from worker.method.hindsight.spells import Spell, Spells
from worker.method.hindsight.worth import Case, Worth, weigh_cases
from worker.method.measures import CardMeasure, TaskMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.rows import TaskRow, read_key
from worker.world.world import World

BLANKS = dict.fromkeys(PLACES, "…")
"""What stands for a client, a card or a date where a playbook is spoken of as a whole."""
WORKERS = "task:"
HIGH = "risk.high"
"""The signal of whatever risk is high: it is no risk of its own."""


class Try(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is kept of a task: the kind of its client, the last day of its time, and the day it `helped`."""

    until: date
    group: str = ""
    helped: date | None = None


class _Made(msgspec.Struct, frozen=True, gc=False):
    """A task with what is kept of it; `risk` is the key of the risk it answers."""

    playbook: str
    risk: str
    made: date
    tried: Try
    is_cancelled: bool


class _Past(msgspec.Struct, frozen=True, gc=False):
    """What came of cards, and of risks by their keys."""

    world: World
    cards: Mapping[Ref, CardMeasure]
    risks: Mapping[str, Sequence[Spell]]


def weigh_answers(
    world: World,
    playbooks: Playbooks,
    cards: Mapping[Ref, CardMeasure],
    tasks: Iterable[TaskMeasure] | None,
    spells: Spells | None,
) -> Findings[tuple[Worth, ...] | None]:
    """Return what playbooks were worth so far; `tasks` are the open ones, also those that are made today."""
    if tasks is None or spells is None:
        return Findings(None)
    past = _Past(world, cards, _by_key(spells))
    rows = world.task_rows()
    facts = list(_begin(tasks, rows, playbooks, world))
    made: list[_Made] = []
    for row in rows:
        tried = read_try(row)
        if tried is None:
            continue
        if tried.helped is None:
            tried = replace(tried, helped=_helped(row, tried, past))
            if tried.helped is not None:
                facts.append(_noted(row.ref, tried, world))
        made.append(_recall(row, tried))

    cases = list(_answered(made, world))
    cases += _unanswered(made, spells, playbooks, world)
    titles = {}
    for name, book in playbooks.tasks.items():
        pattern = book.text.in_locale(world.words.locale)
        titles[name] = fill(pattern, BLANKS, world.words.locale)
    return Findings(weigh_cases(cases, titles), tuple(facts))


def read_try(row: TaskRow) -> Try | None:
    """Return what is kept of a task of the worker's; None of one that cannot be judged."""
    if not row.key.startswith(WORKERS) or not row.tried:
        return None
    try:
        return msgspec.json.decode(row.tried, type=Try)
    except msgspec.MsgspecError:
        return None


def write_try(tried: Try) -> str:
    """Return what is kept of a task as its row holds it."""
    encoded = msgspec.json.encode(tried)
    return encoded.decode()


def _by_key(spells: Spells) -> dict[str, list[Spell]]:
    """Return the spells of all rows of one risk together."""
    by_key: dict[str, list[Spell]] = {}
    for ref, own in spells.items():
        key, _ = base_of(ref.key)
        of_risk = by_key.setdefault(key, [])
        of_risk += own
    return by_key


# -- what is kept of tasks ---------------------------------------------------------------------------------------------


def _begin(
    tasks: Iterable[TaskMeasure],
    rows: Iterable[TaskRow],
    playbooks: Playbooks,
    world: World,
) -> Iterator[Fact]:
    """Yield what is kept of the tasks that are made today, as far as they have a card or a risk to be judged by."""
    standing = {row.ref for row in rows}
    for task in tasks:
        if task.ref in standing or not task.ref.key.startswith(WORKERS):
            continue
        playbook, _ = read_key(task.ref.key)
        condition = ANSWERED[playbook]
        if task.card is None and not condition.kind and condition.signal != HIGH:
            continue
        until = _until(world.today, playbooks.tasks[playbook], world)
        client = world.client_of(task.client, task.card)
        tried = Try(until, _group(client, world))
        yield _noted(task.ref, tried, world)


def _until(opened: date, book: Playbook, world: World) -> date:
    """Return the last day of a playbook's time."""
    due = world.calendar.add(opened, book.due)
    return due + timedelta(days=world.thresholds.moved_days)


def _group(client: Ref | None, world: World) -> str:
    known = world.client(client)
    if known is None:
        return ""
    return known.group or ""


def _helped(row: TaskRow, tried: Try, past: _Past) -> date | None:
    """Return the first day within its time on which a task's risk was gone, else the one on which its card moved."""
    gone = []
    for spell in past.risks.get(_risk_of(row), ()):
        if spell.gone is not None and spell.ended_within(row.opened, tried.until):
            gone.append(spell.gone)
    if gone:
        return min(gone)

    card = past.world.card(row.card)
    if card is None or card.stage is Stage.LOST:
        return None
    since = stage_since(card, past.world, past.cards)
    if since is not None and row.opened < since <= tried.until:
        return since
    return None


def _risk_of(row: TaskRow) -> str:
    """Return the key of the risk that a task answers."""
    for ref in row.risks:
        key, _ = base_of(ref.key)
        return key
    return ""


def _recall(row: TaskRow, tried: Try) -> _Made:
    playbook, _ = read_key(row.key)
    cancelled = row.status == "cancelled"
    return _Made(playbook, _risk_of(row), row.opened, tried, cancelled)


def _noted(ref: Ref, tried: Try, world: World) -> Fact:
    say = world.words.say
    until = show_day(say("its time ends"), tried.until)
    helped = show_day(say("helped on"), tried.helped)
    group = show_text(say("kind of client"), tried.group or None)
    formula = say("the card moved or the risk was gone within the time of the task")
    why = Why("answers", (group, until, helped), formula)
    return Fact(ref, "tried", write_try(tried), why)


# -- cases that are over -----------------------------------------------------------------------------------------------


def _answered(made: Iterable[_Made], world: World) -> Iterator[Case]:
    """Yield the tasks whose time is over; those that people cancelled were no answers."""
    for task in made:
        tried = task.tried
        if world.today > tried.until:
            answered = not task.is_cancelled
            came_good = tried.helped is not None
            yield Case(task.playbook, tried.group, answered, came_good)


def _unanswered(
    made: Iterable[_Made], spells: Spells, playbooks: Playbooks, world: World
) -> Iterator[Case]:
    """Yield the risks in whose time their playbook made no task, as where a client's sprint was full."""
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for task in made:
        of_risk = days[task.playbook, task.risk]
        of_risk.append(task.made)

    books: dict[str, list[tuple[str, Playbook]]] = defaultdict(list)
    for name, book in playbooks.tasks.items():
        books[book.signal].append((name, book))

    for row in world.risk_rows():
        if row.ref not in spells:
            continue
        key, _ = base_of(row.key)
        signal, _ = read_key(key)
        group = _group(row.client, world)
        for name, book in books[signal]:
            for spell in spells[row.ref]:
                until = _until(spell.opened, book, world)
                answers = days[name, key]
                answered = any(spell.opened <= day <= until for day in answers)
                if world.today > until and not answered:
                    came_good = spell.ended_within(spell.opened, until)
                    yield Case(name, group, answered=False, came_good=came_good)
