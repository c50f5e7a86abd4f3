"""Tasks of the account sprint: made once, updated, never repeated, closed when their reason ends (docs/method.md 6.4).

Text, assignee and due date are given at creation and then belong to people. A task a person finished, cancelled or
deleted is final until its condition ended and the cooldown passed; what comes after is a new row. An untouched task
closes by itself as done, with the reason. What does not fit into a client's sprint or a person's day waits and is
listed. On the first day the due dates of each person lie apart (`worker/method/sprint/first_day.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Stage
from worker.domain.messages import Text, literal, stage_label, tell
from worker.domain.typography import fill
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem, Severity
from worker.mapping.playbooks import PLACES, Playbook, Playbooks
from worker.method.figures import show_day
from worker.method.formulas.inputs import name_rows
from worker.method.formulas.occurrences import (
    COMPLETE,
    Rules,
    Sight,
    advance,
    name_of,
    recall,
)
from worker.method.formulas.roles import person_for
from worker.method.formulas.sprints import sprint_of, sprints_between
from worker.method.measures import RequestMeasure, Signal, SprintMeasure, TaskMeasure
from worker.method.run import Findings
from worker.method.sprint.first_day import is_first_day, spread_days, take_day
from worker.method.sprint.task_reasons import give_reasons
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Closing, Occurrence
from worker.world.rows import TaskRow, by_key, read_key, risk_key, seed_of, task_key
from worker.world.world import World

LAST = "next_step"
"""The playbook that only helps cards nobody else has work for: looked at after all others."""


class _Task(msgspec.Struct, frozen=True, gc=False):
    """One signal with the occurrence it is in now; `before` is what was remembered, `due` the day it is given in
    place of its playbook's."""

    key: str
    signal: Signal
    book: Playbook
    before: Occurrence | None
    now: Occurrence | None
    row: TaskRow | None
    due: date | None = None


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    """A new task without a place, for want of one in the client's sprint or else in the person's day."""

    task: _Task
    made: _Made
    for_client: bool


class _Made(msgspec.Struct, frozen=True, gc=False):
    """What a task is given once, at its creation."""

    name: str
    assignee: Ref | None
    due: date

    @property
    def fields(self) -> dict[str, Value]:
        """Return it by field."""
        return {
            "name": self.name,
            "assignee": (self.assignee,) if self.assignee else (),
            "due": self.due,
        }


@dataclass(slots=True)
class _Sprint:
    """What one run works on: rows by key, people's `own` rows, what is remembered, and how many new tasks each client got
    this sprint and each person today."""

    world: World
    own: tuple[TaskRow, ...]
    rows: dict[str, TaskRow]
    known: dict[str, Occurrence]
    taken: Counter[str]
    given: Counter[str]


def plan_tasks(
    world: World,
    playbooks: Playbooks,
    signals: Sequence[Signal] | None,
    requests: Sequence[RequestMeasure],
) -> Findings[SprintMeasure]:
    """Return the task rows of the account sprint, what waits, and the occurrences to remember; `signals` None: not
    looked for, so that nothing is said of tasks and nothing forgotten."""
    if signals is None:
        return Findings(SprintMeasure())
    under_way = _under_way(world)
    answered = [
        (_key_of(s), s, playbooks.tasks[s.playbook])
        for s in (*signals, *_orphans(under_way, signals))
        if s.playbook in playbooks.tasks
    ]
    early = [
        _look(under_way, *triple) for triple in answered if triple[1].playbook != LAST
    ]
    tasks, waiting = _admit(under_way, early)
    busy = {task.signal.card for task in tasks if _is_open(task)}
    late = [
        _look(under_way, key, _behind(signal, busy), book)
        for key, signal, book in answered
        if signal.playbook == LAST
    ]
    admitted, more = _admit(under_way, late)
    tasks += admitted
    if is_first_day(under_way.known, world.today):
        tasks = _spread(tasks, world)
    tasks = [_stamped(task, world) for task in tasks]
    occurrences = {task.key: task.now for task in tasks if task.now}
    facts = tuple(fact for task in tasks for fact in _facts(task, world))
    measures = [
        _measure(task, world)
        for task in tasks
        if _is_open(task) and not _was_never_made(task) and not _asleep(task.row, world)
    ]
    asked = {request.ref: request for request in requests}
    measures += _own_tasks(under_way, asked)
    held_back = waiting + more
    listed = tuple(_waits(one, world) for one in held_back)
    sprint = SprintMeasure(
        tuple(sorted(measures, key=urgency)),
        tuple(_measure(one.task, world) for one in held_back),
    )
    return Findings(sprint, facts, problems=listed, occurrences=occurrences)


def _key_of(signal: Signal) -> str:
    return task_key(signal.playbook, signal.subject)


def urgency(task: TaskMeasure) -> tuple[date, int, str]:
    """Order tasks: earliest due date first, then the strongest signal."""
    return task.due or date.max, -task.strength, str(task.ref)


def _under_way(world: World) -> _Sprint:
    every = world.task_rows()
    own = tuple(row for row in every if not row.key)
    rows = by_key(every)
    opened = {key: row.opened for key, row in rows.items()}
    known = recall("tasks", opened, world.trashed, known=world.memory.occurrences)
    taken, given = _count_places(known, rows, world)
    return _Sprint(world, own, rows, known, taken, given)


def _count_places(
    known: Mapping[str, Occurrence], rows: Mapping[str, TaskRow], world: World
) -> tuple[Counter[str], Counter[str]]:
    """Count what each client was given this sprint and each person today; what was forgotten stands in the rows."""
    taken: Counter[str] = Counter()
    given: Counter[str] = Counter()
    weeks = world.thresholds.sprint_weeks
    sprint = sprint_of(world.today, weeks)

    for key, occurrence in known.items():
        day = occurrence.opened
        if day is None or sprint_of(day, weeks) != sprint:
            continue
        row = rows.get(name_of(key, occurrence.number))
        taken[occurrence.client or _text(row.client if row else None)] += 1
        if day == world.today:
            given[occurrence.assignee or _text(row.assignee if row else None)] += 1
    return taken, given


def _text(ref: Ref | None) -> str:
    """Return a row as memory holds it."""
    return str(ref) if ref else ""


def _orphans(under_way: _Sprint, signals: Sequence[Signal]) -> Iterator[Signal]:
    """Look at remembered signals whose subject nobody spoke of: a subject that is gone has ended its signal."""
    spoken = {_key_of(signal) for signal in signals}
    evaluated = {signal.playbook for signal in signals}
    for key in sorted(under_way.known.keys() - spoken):
        playbook, subject = read_key(key)
        yield Signal(
            playbook,
            Ref("gone", subject),
            None,
            None,
            False if playbook in evaluated else None,
            ended=under_way.world.words.say(
                "closed automatically: what it was about is gone"
            ),
        )


def _behind(signal: Signal, busy: set[Ref | None]) -> Signal:
    return replace(signal, may_open=signal.may_open and signal.card not in busy)


def _look(under_way: _Sprint, key: str, signal: Signal, book: Playbook) -> _Task:
    world = under_way.world
    before = under_way.known.get(key)
    row = under_way.rows.get(name_of(key, before.number)) if before else None
    sight = Sight(
        signal.holds,
        world.today,
        row.status if row else None,
        trashed=before is not None
        and Ref("tasks", name_of(key, before.number)) in world.trashed,
        may_open=signal.may_open,
        may_close=not world.memory.first_run and _untouched(before, row),
    )
    rules = Rules(gone_days=world.thresholds.risk_gone_days, cooldown=book.cooldown)
    now = advance(before, key, sight, rules=rules)
    return _Task(
        key,
        signal,
        book,
        before,
        now,
        under_way.rows.get(name_of(key, now.number)) if now else None,
    )


def _untouched(before: Occurrence | None, row: TaskRow | None) -> bool:
    """Tell whether nobody changed a task since it was made: text, assignee, due date, status, note, snooze."""
    if row is None or before is None:
        return True
    return (
        row.seed == before.seed
        and row.status in ("new", None)
        and not row.note
        and row.snooze_until is None
    )


def _is_new(task: _Task) -> bool:
    return task.now is not None and (
        task.before is None or task.now.number > task.before.number
    )


def _is_open(task: _Task) -> bool:
    return task.now is not None and task.now.closed is None


def _was_never_made(task: _Task) -> bool:
    """Tell whether a run ended before it made the row of a task whose reason is gone by now."""
    return task.row is None and not task.signal.holds


def _admit(
    under_way: _Sprint, tasks: list[_Task]
) -> tuple[list[_Task], list[_Waiting]]:
    """Give new tasks their place in the client's sprint and the person's day, strongest first; return what is in and
    what waits."""
    running = [task for task in tasks if task.now is not None and not _is_new(task)]
    fresh = [task for task in tasks if _is_new(task)]
    limits = under_way.world.thresholds
    waiting = []

    for task in sorted(fresh, key=_rank):
        made = _made(task, under_way.world)
        client = _text(task.signal.client)
        person = _text(made.assignee)
        is_full = bool(client) and under_way.taken[client] >= limits.tasks_per_client
        is_busy = bool(person) and under_way.given[person] >= limits.tasks_per_person
        if is_full or is_busy:
            waiting.append(_Waiting(task, made, is_full))
            if task.before:
                running.append(replace(task, now=task.before))
            continue

        under_way.taken[client] += 1
        under_way.given[person] += 1
        running.append(task)
    return running, waiting


def _rank(task: _Task) -> tuple[int, int, str]:
    return -task.book.strength, -task.signal.strength, task.key


def _spread(tasks: Sequence[_Task], world: World) -> list[_Task]:
    """Let what each person was given today be due on days apart, the strongest first; what is about a day keeps it, and so
    does the only task of a person."""
    given: dict[Ref | None, list[_Task]] = defaultdict(list)
    others = []
    for task in sorted(tasks, key=_rank):
        is_of_today = task.now is not None and task.now.opened == world.today
        if is_of_today and task.signal.due is None:
            given[_made(task, world).assignee].append(task)
        else:
            others.append(task)
    others += given.pop(None, [])
    for of_person in given.values():
        others += _spread_out(of_person, world)
    return others


def _spread_out(tasks: Sequence[_Task], world: World) -> list[_Task]:
    if len(tasks) == 1:
        return list(tasks)
    free = spread_days(world)
    spread = []
    for task in tasks:
        own = _made(task, world).due
        due = take_day(free, own)
        spread.append(replace(task, due=due))
    return spread


def _stamped(task: _Task, world: World) -> _Task:
    """Remember with a new occurrence what its row is made with."""
    if task.now is None or not _is_new(task):
        return task
    made = _made(task, world)
    card = world.card(task.signal.card)
    seed = seed_of(made.name, [made.assignee] if made.assignee else (), made.due)
    now = replace(
        task.now,
        client=_text(task.signal.client),
        assignee=_text(made.assignee),
        seed=seed,
        stage=card.stage or "" if card else "",
    )
    return replace(task, now=now)


def _made(task: _Task, world: World) -> _Made:
    signal = task.signal
    person = person_for(
        signal.role or task.book.role, signal.client, world, unit=signal.unit
    )
    pattern = task.book.text.in_locale(world.words.locale)
    values = {**NOTHING, **signal.values}
    text = fill(pattern, values, world.words.locale)
    own_day = world.calendar.add(world.today, task.book.due)
    due = task.due or signal.due or own_day
    return _Made(text, person, due)


NOTHING = dict.fromkeys(PLACES, "")


def _facts(task: _Task, world: World) -> Iterator[Fact]:
    now = task.now
    if now is None:
        return
    name = name_of(task.key, now.number)
    ref = Ref("tasks", name)
    inputs = _inputs(task, world)
    yield from _moved(task, ref, now, world=world, inputs=inputs)
    if now.closed is not None:
        if now.closing is Closing.CONDITION and task.row is not None:
            why = Why(
                "tasks",
                inputs,
                task.signal.ended,
                world.words.say(
                    "days ≥ {limit}", limit=world.thresholds.risk_gone_days
                ),
            )
            yield Fact(ref, "status", "done", why)
            yield Fact(ref, "reason", task.signal.ended, why)
        return
    if _was_never_made(task):
        return
    why = Why("tasks", inputs, task.signal.reason)
    values: dict[str, Value] = {}
    if task.row is None:
        values |= _made(task, world).fields
    if task.signal.holds:
        values |= _standing(task)
    reasons = give_reasons(task.signal, task.book, world)
    for field, value in values.items():
        yield Fact(ref, field, value, reasons.get(field, why))
    yield from _carried(ref, now, world=world)


def _standing(task: _Task) -> dict[str, Value]:
    """Return what the worker keeps true while the condition of a task holds."""
    signal = task.signal
    key = risk_key(task.book.signal, signal.subject)
    return {
        "risk": (signal.risk or Ref("risks", key),),
        "client": (signal.client,) if signal.client else (),
        "project": (signal.card,) if signal.card else (),
        "kind": task.book.kind,
        "source": "worker",
        "signal": task.book.signal,
        "reason": signal.reason,
        "status": "new",
    }


def _carried(ref: Ref, now: Occurrence, *, world: World) -> Iterator[Fact]:
    """Carry an open task into the running sprint and count it, whether its condition still holds or not."""
    say = world.words.say
    weeks = world.thresholds.sprint_weeks
    opened = now.opened or world.today
    today = show_day(say("today"), world.today)
    made = show_day(say("made on"), opened)
    span = say("weeks: {weeks}", weeks=weeks)
    yield Fact(
        ref,
        "sprint",
        sprint_of(world.today, weeks),
        Why(
            "tasks",
            (today,),
            say("the running sprint: an open task goes into every new one"),
            span,
        ),
    )
    yield Fact(
        ref,
        "carried",
        Decimal(sprints_between(opened, world.today, weeks=weeks)),
        Why("tasks", (made, today), say("sprints begun since the task was made"), span),
    )


def _moved(
    task: _Task, ref: Ref, now: Occurrence, *, world: World, inputs: tuple[Input, ...]
) -> Iterator[Fact]:
    """Record on the task that its card moved, up to two weeks after the task was closed."""
    card = world.card(task.signal.card)
    old = (
        now.closed is not None
        and (world.today - now.closed).days > world.thresholds.moved_days
    )
    if (
        card is None
        or card.stage is None
        or not now.stage
        or card.stage == now.stage
        or old
        or task.row is None
    ):
        return
    words = world.words
    yield Fact(
        ref,
        "moved",
        words.say("moved to {stage}", stage=stage_label(card.stage, words)),
        Why(
            "tasks",
            inputs,
            words.say(
                "the card stood at “{stage}” when the task was made",
                stage=stage_label(Stage(now.stage), words),
            ),
        ),
    )


def _inputs(task: _Task, world: World) -> tuple[Input, ...]:
    say = world.words.say
    signal = task.signal
    playbook = Input(say("playbook"), signal.playbook)
    return (playbook, *name_rows(signal.card, signal.client, world))


def _measure(task: _Task, world: World) -> TaskMeasure:
    ref = Ref("tasks", name_of(task.key, task.now.number if task.now else 1))
    strength = task.book.strength
    if task.row is not None:
        return _from_row(
            task.row,
            client=task.signal.client,
            card=task.signal.card,
            strength=strength,
        )
    made = _made(task, world)
    return TaskMeasure(
        ref,
        made.name,
        task.signal.client,
        task.signal.card,
        made.due,
        made.assignee,
        strength,
    )


def _own_tasks(
    under_way: _Sprint, requests: Mapping[Ref, RequestMeasure]
) -> Iterator[TaskMeasure]:
    """Yield the open tasks of people; those from outside with what their empty cells are given in this run."""
    for row in under_way.own:
        if row.status in COMPLETE or _asleep(row, under_way.world):
            continue
        task = _from_row(row, client=row.client, card=row.card)
        asked = requests.get(row.ref)
        if asked is not None:
            task = replace(
                task, client=asked.client, due=asked.due, assignee=asked.assignee
            )
        yield task


def _asleep(row: TaskRow | None, world: World) -> bool:
    if row is None or row.snooze_until is None:
        return False
    return row.snooze_until > world.today


def _from_row(
    row: TaskRow, *, client: Ref | None, card: Ref | None, strength: int = 50
) -> TaskMeasure:
    return TaskMeasure(
        row.ref, row.title, client, card, row.due, row.assignee, strength
    )


def _waits(waiting: _Waiting, world: World) -> Problem:
    client = world.client(waiting.task.signal.client)
    message, hint = _reasons(waiting, world)
    return Problem(
        code=Code.WAITING_TASK,
        where=literal(client.name if client else ""),
        message=message,
        hint=hint,
        url=client.url if client else "",
        severity=Severity.INFO,
    )


def _reasons(waiting: _Waiting, world: World) -> tuple[Text, Text]:
    """Return what waits for what, and the limit that makes it wait."""
    limits = world.thresholds
    made = waiting.made
    if waiting.for_client:
        return (
            tell("waits for the next sprint: {task}", task=made.name),
            tell(
                "{limit} new tasks a sprint are the limit for one client",
                limit=limits.tasks_per_client,
            ),
        )
    person = world.people.get(made.assignee) if made.assignee else None
    return (
        tell(
            "waits for another day of {person}: {task}",
            person=person.name if person else "",
            task=made.name,
        ),
        tell(
            "{limit} new tasks a day are the limit for one person",
            limit=limits.tasks_per_person,
        ),
    )
