"""Tasks from outside: what a lawyer, a finance manager or the client's concierge form put into the sprint (docs/method.md 6.5).

Such a row is a person's: it has a source and no Worker key. It gets an assignee (the client's AM), a due date, its
sprint and, for a concierge request, steps and candidates: each once, where the cell is empty, and never again, so that
whatever people do with it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from rapidfuzz import fuzz

from worker.domain.entities import Contact
from worker.domain.messages import tell
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem
from worker.mapping.playbooks import Playbooks, Request
from worker.method.figures import show_day, show_text
from worker.method.formulas.hysteresis import Tracks, follow, to_change
from worker.method.formulas.inputs import name_rows
from worker.method.formulas.occurrences import COMPLETE
from worker.method.formulas.roles import person_for
from worker.method.formulas.sprints import sprint_of
from worker.method.formulas.steps import write_steps
from worker.method.measures import RequestMeasure, Step
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.rows import TaskRow
from worker.world.world import World

OWN = "worker"
ALIKE = 80
"""How alike two words are, of 100, to be one in two cases: photographer, photographers."""
CANDIDATES = 5


def measure_requests(
    world: World, playbooks: Playbooks
) -> Findings[tuple[RequestMeasure, ...] | None]:
    """Return what open tasks from outside get once, and all of them as measured."""
    facts: list[Fact] = []
    measures: list[RequestMeasure] = []
    problems: list[Problem] = []
    tracks = to_change(world.memory.tracks)
    for row in world.task_rows():
        source = row.source
        if row.key or source in (None, OWN) or row.status in COMPLETE:
            continue
        kind = row.request or source
        book = playbooks.requests.get(kind, playbooks.requests.get(source))
        if book is None:
            continue
        client = world.client_of(row.client, row.card)
        facts += _facts(row, book, client, world=world, tracks=tracks)
        problems += [] if client else [_homeless(row)]
        measures.append(_measure(row, kind, client, book=book, world=world))
    return Findings(
        tuple(measures), tuple(facts), problems=tuple(problems), tracks=tracks.maps[0]
    )


def _homeless(row: TaskRow) -> Problem:
    return Problem(
        code=Code.REQUEST_WITHOUT_CLIENT,
        where=tell("Account sprint: {name}", name=row.title),
        field="client",
        message=tell(
            "a task from outside names no client, so it goes to the Head of Accounts"
        ),
        hint=tell("choose its client and assignee"),
        url=row.url,
    )


def _facts(
    row: TaskRow, book: Request, client: Ref | None, *, world: World, tracks: Tracks
) -> Iterator[Fact]:
    say = world.words.say
    task = Input(say("task"), row.title, row.url)
    given = say("given once, where the cell is empty")
    goes = say(
        "a task from outside goes to the client's account manager; given once, where the cell is empty"
    )
    payer = name_rows(None, client, world)
    days = show_text(say("working days"), book.due)
    asked = show_day(say("asked on"), row.created)
    weeks = world.thresholds.sprint_weeks
    routed = Why("requests", (task, *payer), goes)
    timed = Why("requests", (task, asked, days), say("working days after the asking"))
    run = Why(
        "requests",
        (task, show_day(say("today"), world.today)),
        say("the running sprint, once"),
        say("weeks: {weeks}", weeks=weeks),
    )
    copied = Why("requests", (task,), given)
    person = person_for(book.role, client, world)
    values: dict[str, tuple[Value, Why]] = {
        "kind": ("external", copied),
        "due": (_due(row, book, world), timed),
        "assignee": ((person,) if person else (), routed),
        "client": ((client,) if client else (), routed),
    }
    if book.steps:
        steps = write_steps(_steps(row, book, world), world.words)
        values["steps"] = steps, timed
    if book.candidates:
        offered = tuple(contact.ref for contact in candidates_for(row, world))
        fitting = [
            Input(world.contacts[ref].name, world.contacts[ref].offers or "-")
            for ref in offered
        ]
        why = Why(
            "requests",
            (task, *fitting),
            say("contractors whose offers the request names, the lately met first"),
        )
        values["candidates"] = row.candidates or offered, why
    place = f"{row.ref}#routed"
    if place not in tracks and not row.sprint:
        values["sprint"] = sprint_of(world.today, weeks), run
    tracks[place] = follow(tracks.get(place), "routed", world.today)
    for name, (value, why) in values.items():
        yield Fact(row.ref, name, value, why)


def _begun(row: TaskRow, book: Request, world: World) -> date:
    """Return the day the answer time runs from: the asking, or today when the answer would be late already."""
    answered = world.calendar.add(row.created, book.due)
    return row.created if answered >= world.today else world.today


def _due(row: TaskRow, book: Request, world: World) -> date:
    return world.calendar.add(_begun(row, book, world), book.due)


def _steps(row: TaskRow, book: Request, world: World) -> Iterator[Step]:
    first = _begun(row, book, world)
    for step in book.steps:
        day = world.calendar.add(first, step.days)
        text = step.in_locale(world.words.locale)
        yield Step(day, text)


def candidates_for(row: TaskRow, world: World) -> tuple[Contact, ...]:
    """Return the contractors whose offers the request names in its title or note, the lately met first."""
    wanted = _words(f"{row.title} {row.note or ''}")
    candidates = [
        contact
        for contact in world.contacts.values()
        if contact.side == "contractor"
        and contact.offers
        and _is_wanted(contact.offers, wanted)
    ]
    candidates.sort(
        key=lambda contact: (
            -(contact.last_contact or date.min).toordinal(),
            contact.name,
            contact.ref,
        )
    )
    return tuple(candidates[:CANDIDATES])


@lru_cache(maxsize=4096)
def _is_wanted(offers: str, wanted: tuple[str, ...]) -> bool:
    """Tell whether every word of one of the offers is among the wanted words."""
    spoken = (_words(offer) for offer in re.split(r"[,;\n]", offers))
    return any(
        words
        and all(
            any(fuzz.ratio(word, other) >= ALIKE for other in wanted) for word in words
        )
        for words in spoken
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w{3,}", text.casefold()))


def _measure(
    row: TaskRow, kind: str, client: Ref | None, *, book: Request, world: World
) -> RequestMeasure:
    person = row.assignee or person_for(book.role, client, world)
    return RequestMeasure(
        row.ref,
        row.title,
        row.source or "",
        kind,
        client,
        person,
        row.created,
        row.due or _due(row, book, world),
    )
