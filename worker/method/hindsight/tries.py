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
from worker.method.hindsight.spells import RiskHistory, Spell, Spells
from worker.method.hindsight.worth import Case, Worth, weigh_cases
from worker.method.measures import CardMeasure, TaskMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.rows import TaskRow, read_key
from worker.world.world import World

BLANKS = dict.fromkeys(PLACES, "…")
"""What stands for a client, a card or a date where a playbook is spoken of as a whole."""
WORKERS = "task:"
CANCELLED = "cancelled"
HIGH = "risk.high"
"""The signal of whatever risk is high: it is no risk of its own."""


class Try(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is kept of a task: the kind of its client, the last day of its time, and the day it `helped`."""

    until: date
    group: str = ""
    helped: date | None = None


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
    history: RiskHistory | None,
) -> Findings[tuple[Worth, ...] | None]:
    """Return what playbooks were worth so far; `tasks` are the open ones, also those that are made today."""
    if tasks is None or history is None:
        return Findings(None)
    rows = world.task_rows()
    past = _Past(world, cards, _by_key(history.spells))
    facts = list(_begin(tasks, rows, playbooks, world))
    cases = []
    for row in rows:
        tried = read_try(row)
        if tried is None:
            continue
        known = tried.helped
        if known is None:
            helped = _helped(row, tried, past)
            tried = replace(tried, helped=helped)
        if tried.helped != known:
            fact = _noted(row.ref, tried, world)
            facts.append(fact)
        if world.today > tried.until:
            case = _answered(row, tried)
            cases.append(case)

    cases += _unanswered(rows, history.spells, playbooks, world)
    titles = _titles(playbooks, world.words.locale)
    return Findings(weigh_cases(cases, titles), tuple(facts))


def _titles(playbooks: Playbooks, locale: str) -> dict[str, str]:
    """Return what the tasks of each playbook say, whoever they are about."""
    titles = {}
    for name, book in playbooks.tasks.items():
        pattern = book.text.in_locale(locale)
        titles[name] = fill(pattern, BLANKS, locale)
    return titles


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
        key = task.ref.key
        is_new = task.ref not in standing
        if not is_new or not key.startswith(WORKERS):
            continue

        playbook, _ = read_key(key)
        condition = ANSWERED[playbook]
        has_risk = bool(condition.kind) or condition.signal == HIGH
        if task.card is None and not has_risk:
            continue

        book = playbooks.tasks[playbook]
        until = _until(world.today, book, world)
        client = world.client_of(task.client, task.card)
        group = _group(client, world)
        tried = Try(until, group)
        yield _noted(task.ref, tried, world)


def _until(opened: date, book: Playbook, world: World) -> date:
    """Return the last day of a playbook's time."""
    due = world.calendar.add(opened, book.due)
    more = world.thresholds.moved_days
    return due + timedelta(more)


def _group(client: Ref | None, world: World) -> str:
    known = world.client(client)
    if known is None:
        return ""
    return known.group or ""


def _helped(row: TaskRow, tried: Try, past: _Past) -> date | None:
    """Return the first day within its time on which a task's risk was gone, else the one on which its card moved."""
    risk = _risk_of(row)
    gone = []
    for spell in past.risks.get(risk, ()):
        day = spell.gone
        if day is not None and row.opened < day <= tried.until:
            gone.append(day)
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


def _noted(ref: Ref, tried: Try, world: World) -> Fact:
    say = world.words.say
    until = show_day(say("its time ends"), tried.until)
    helped = show_day(say("helped on"), tried.helped)
    group = show_text(say("kind of client"), tried.group or None)
    formula = say("the card moved or the risk was gone within the time of the task")
    inputs = (group, until, helped)
    why = Why("answers", inputs, formula)
    text = write_try(tried)
    return Fact(ref, "tried", text, why)


# -- cases that are over -----------------------------------------------------------------------------------------------


def _answered(row: TaskRow, tried: Try) -> Case:
    """Return a task whose time is over; one that people cancelled was no answer."""
    playbook, _ = read_key(row.key)
    answered = row.status != CANCELLED
    came_good = tried.helped is not None
    return Case(playbook, tried.group, answered, came_good)


def _unanswered(
    rows: Iterable[TaskRow], spells: Spells, playbooks: Playbooks, world: World
) -> Iterator[Case]:
    """Yield the risks in whose time their playbook made no task, as where a client's sprint was full."""
    days = _days_of(rows)
    by_signal: dict[str, list[str]] = defaultdict(list)
    for name, book in playbooks.tasks.items():
        names = by_signal[book.signal]
        names.append(name)

    for row in world.risk_rows():
        own = spells.get(row.ref, ())
        if not own:
            continue
        key, _ = base_of(row.key)
        signal, _ = read_key(key)
        group = _group(row.client, world)
        for name in by_signal[signal]:
            book = playbooks.tasks[name]
            made = days[name, key]
            for came_good in _left_alone(own, made, book, world):
                yield Case(name, group, answered=False, came_good=came_good)


def _days_of(rows: Iterable[TaskRow]) -> dict[tuple[str, str], list[date]]:
    """Return the days on which each playbook made tasks for a risk."""
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for row in rows:
        if row.key.startswith(WORKERS):
            playbook, _ = read_key(row.key)
            risk = _risk_of(row)
            of_risk = days[playbook, risk]
            of_risk.append(row.opened)
    return days


def _left_alone(
    spells: Iterable[Spell], made: Iterable[date], book: Playbook, world: World
) -> Iterator[bool]:
    """Yield for each spell in whose time no task was made, and that is over, whether it came good in it."""
    for spell in spells:
        first = spell.opened
        last = _until(first, book, world)
        if world.today <= last:
            continue
        answers = []
        for day in made:
            if first <= day <= last:
                answers.append(day)
        if not answers:
            yield spell.ended_within(first, last)
