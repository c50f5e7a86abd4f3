"""Which rows of `scenarios` can be asked, and what is wrong with the others (docs/method.md 10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from worker.domain.entities import HUNTED, Card, Scenario, Stage
from worker.domain.messages import Text, tell
from worker.domain.values import Ref
from worker.method.measures import Measures
from worker.method.whatif.answers import Fault
from worker.world.rows import plan_key
from worker.world.world import World

OVER = (Stage.DONE, Stage.LOST)
WEEK_HOURS = Decimal(168)
YEARS = 10
"""So far ahead a change may lie."""
CORRECT = tell("choose one that is not over")


class Seen(msgspec.Struct, frozen=True, gc=False):
    """The real world as it is after its run (with the memory of it), and what was measured of it."""

    world: World
    measures: Measures


class Part(StrEnum):
    """What of a row may be wrong; `SUBJECT` is what it names."""

    WHAT = "what"
    SUBJECT = "subject"
    ROLE = "role"
    VALUE = "value"
    DATE = "date"


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with a part of a row, and the way out."""

    part: Part
    said: Text
    hint: Text


Verdict = Refusal | None
"""None: nothing is wrong."""


class Kind(msgspec.Struct, frozen=True, gc=False):
    """A kind of change: the data source its subject is of, how that is to be named, and what else it needs.

    `check` tells what is wrong with a subject, `amount` with the value; `dated` ones make no sense without a date.
    """

    source: str
    name_one: Text
    check: Callable[[Scenario, Seen], Verdict]
    amount: Callable[[Decimal | None], Verdict] = lambda _value: None
    dated: bool = False


# -- amounts -----------------------------------------------------------------------------------------------------------


MISSING = Refusal(Part.VALUE, tell("the amount is missing"), tell("enter the amount"))


def _money(value: Decimal | None) -> Verdict:
    if value is None:
        return MISSING
    if value < 0:
        fault = tell("an amount is not below zero")
        return Refusal(Part.VALUE, fault, tell("enter zero or more"))
    return None


def _price(value: Decimal | None) -> Verdict:
    if value is None:
        return MISSING
    if value <= 0:
        fault = tell("a rate is above zero")
        return Refusal(Part.VALUE, fault, tell("enter more than zero"))
    return None


def _week(value: Decimal | None) -> Verdict:
    if value is not None and not 0 < value <= WEEK_HOURS:
        fault = tell("nobody works so many hours a week")
        hint = tell("enter hours a week, or leave the amount empty for 40")
        return Refusal(Part.VALUE, fault, hint)
    return None


# -- subjects ----------------------------------------------------------------------------------------------------------


def subject_of(row: Scenario) -> Ref:
    """Return the one row that a scenario's row is about."""
    return row.subjects[0]


def _client(row: Scenario, seen: Seen) -> Verdict:
    if subject_of(row) in seen.measures.left:
        fault = tell("the client has left already")
        return Refusal(Part.SUBJECT, fault, tell("choose another client"))
    return None


def _person(row: Scenario, seen: Seen) -> Verdict:
    person = seen.world.people[subject_of(row)]
    if person.end is None or person.is_staff(seen.world.today):
        return None
    fault = tell("{name} has left already", name=person.name)
    return Refusal(Part.SUBJECT, fault, tell("choose somebody who works here"))


def _role(row: Scenario, _seen: Seen) -> Verdict:
    if row.role is None:
        fault = tell("the role is missing")
        return Refusal(Part.ROLE, fault, tell("choose the role of the new person"))
    return None


def _card(row: Scenario, seen: Seen) -> Verdict:
    card = seen.world.cards[subject_of(row)]
    if card.stage in OVER:
        return Refusal(Part.SUBJECT, tell("the card is over"), CORRECT)
    return None


def _start(row: Scenario, seen: Seen) -> Verdict:
    card = seen.world.cards[subject_of(row)]
    if card.due is not None and row.start is not None and row.start > card.due:
        fault = tell("the card is due before that, on {day}", day=card.due.isoformat())
        hint = tell("choose an earlier day, or move the due date too")
        return Refusal(Part.DATE, fault, hint)
    return _card(row, seen)


def _due(row: Scenario, seen: Seen) -> Verdict:
    card = seen.world.cards[subject_of(row)]
    begin = card.start
    if begin is not None and row.start is not None and row.start < begin:
        fault = tell("the card starts after that, on {day}", day=begin.isoformat())
        hint = tell("choose a later day, or move the start too")
        return Refusal(Part.DATE, fault, hint)
    return _card(row, seen)


def _proposal(row: Scenario, seen: Seen) -> Verdict:
    card: Card = seen.world.cards[subject_of(row)]
    if card.stage not in HUNTED or card.stage is Stage.AGREED:
        fault = tell("the card is no open proposal")
        return Refusal(Part.SUBJECT, fault, tell("choose one that is not won"))
    return None


def _plan(row: Scenario, seen: Seen) -> Verdict:
    today = seen.world.today
    subject = subject_of(row)
    for plan in seen.measures.plans:
        if plan.period.end < today:
            continue
        if plan_key(plan.unit, plan.period) == subject.key:
            return None
    fault = tell("the plan's period is over")
    return Refusal(Part.SUBJECT, fault, tell("choose a plan that still runs"))


KINDS: Mapping[str, Kind] = {
    "pin": Kind("plans", tell("choose one plan"), _plan, _money),
    "lose_client": Kind("clients", tell("choose one client"), _client),
    "add_person": Kind("units", tell("choose one unit"), _role, _week),
    "lose_person": Kind("people", tell("choose one person"), _person),
    "move_start": Kind("projects", tell("choose one project"), _start, dated=True),
    "move_due": Kind("projects", tell("choose one project"), _due, dated=True),
    "fee": Kind("clients", tell("choose one client"), _client, _money),
    "rate": Kind("people", tell("choose one person"), _person, _price),
    "win": Kind("projects", tell("choose one project"), _proposal),
}
"""What may be asked, by `what` of a row."""


def find_choices(what: str, seen: Seen) -> Iterator[Ref]:
    """Yield the rows that a kind of change may be about."""
    kind = KINDS[what]
    row = Scenario(Ref("scenarios", ""), "", what=what)
    for ref in _rows_of(kind.source, seen.world):
        refusal = kind.check(replace(row, subjects=(ref,)), seen)
        if refusal is None or refusal.part is not Part.SUBJECT:
            yield ref


def _rows_of(source: str, world: World) -> Collection[Ref]:
    match source:
        case "clients":
            return world.clients
        case "people":
            return world.people
        case "units":
            return world.units
        case "projects":
            return world.cards
        case _:
            return [plan.ref for plan in world.rows.get(source, ())]


# -- rows --------------------------------------------------------------------------------------------------------------


def judge_row(row: Scenario, seen: Seen) -> tuple[Fault, ...]:
    """Return why a row cannot be asked, each part of it at most once; nothing when it can."""
    faults: dict[Part, Fault] = {}
    for refusal in _find_refusals(row, seen):
        part = refusal.part
        fault = Fault(row, refusal.said, refusal.hint, part)
        faults[part] = fault
    return tuple(faults.values())


def _find_refusals(row: Scenario, seen: Seen) -> Iterator[Refusal]:
    kind = KINDS.get(row.what or "")
    if kind is None:
        fault = tell("it does not say what changes")
        yield Refusal(Part.WHAT, fault, tell("choose what is to change"))
        return
    subject = _judge_subject(row, kind, seen)
    for refusal in (subject, kind.amount(row.value)):
        if refusal is not None:
            yield refusal
    if subject is None:
        refusal = kind.check(row, seen)
        if refusal is not None:
            yield refusal
    # A day that is past or missing is told rather than how it lies to others.
    refusal = _judge_date(row, kind, seen)
    if refusal is not None:
        yield refusal


def _judge_subject(row: Scenario, kind: Kind, seen: Seen) -> Verdict:
    fault = None
    if not row.subjects:
        fault = tell("it names nothing that changes")
    elif len(row.subjects) > 1:
        fault = tell("it names {n} things where one is meant", n=len(row.subjects))
    elif subject_of(row).source != kind.source:
        fault = tell("it names something else than what changes")
    elif subject_of(row) not in _rows_of(kind.source, seen.world):
        fault = tell("it names something that is not there")
    if fault is None:
        return None
    return Refusal(Part.SUBJECT, fault, kind.name_one)


def _judge_date(row: Scenario, kind: Kind, seen: Seen) -> Verdict:
    today = seen.world.today
    if kind.dated and row.start is None:
        return Refusal(
            Part.DATE, tell("the date is missing"), tell("enter the new date")
        )
    if row.start is not None and row.start < today and row.what != "pin":
        fault = tell("the date {day} is past", day=row.start.isoformat())
        return Refusal(Part.DATE, fault, tell("choose today or a later day"))
    if row.start is not None and row.start.year > today.year + YEARS:
        fault = tell("nothing can be told of a day so far ahead")
        hint = tell("choose one within {n} years", n=YEARS)
        return Refusal(Part.DATE, fault, hint)
    return None


def group_rows(rows: Iterable[Scenario]) -> list[tuple[Scenario, ...]]:
    """Return the rows by scenario: those of one name are one, one without a name stands alone."""
    groups: dict[str, list[Scenario]] = defaultdict(list)
    for row in rows:
        name = " ".join(row.name.split()).casefold()
        groups[name or str(row.ref)].append(row)
    return [tuple(group) for group in groups.values()]


def begin_of(row: Scenario, today: date) -> date:
    """Return the first day of a change."""
    return row.start or today
