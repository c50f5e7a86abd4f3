"""Which rows of `scenarios` can be asked, and what is wrong with the others (docs/method.md 10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.entities import HUNTED, Card, Scenario, Stage
from worker.domain.messages import NOTHING, Text, tell
from worker.domain.values import Ref
from worker.method.measures import Measures
from worker.method.whatif.answers import Fault
from worker.world.rows import plan_key
from worker.world.world import World

OVER = (Stage.DONE, Stage.LOST)
WEEK_HOURS = Decimal(168)
CORRECT = tell("choose one that is not over")


class Seen(msgspec.Struct, frozen=True, gc=False):
    """The real world as it is after its run (with the memory of it), and what was measured of it."""

    world: World
    measures: Measures


Refusal = tuple[Text, Text]
"""What is wrong, and the way out."""
FINE: Refusal = (NOTHING, NOTHING)


class Kind(msgspec.Struct, frozen=True, gc=False):
    """A kind of change: the data source its subject is of, how that is to be named, and what else it needs.

    `check` tells what is wrong with a subject, `amount` with the value; `dated` ones make no sense without a date.
    """

    source: str
    name_one: Text
    check: Callable[[Scenario, Seen], Refusal]
    amount: Callable[[Decimal | None], Refusal] = lambda _value: FINE
    dated: bool = False


# -- amounts -----------------------------------------------------------------------------------------------------------


def _money(value: Decimal | None) -> Refusal:
    if value is None:
        return tell("the amount is missing"), tell("enter the amount")
    if value < 0:
        return tell("an amount is not below zero"), tell("enter zero or more")
    return FINE


def _price(value: Decimal | None) -> Refusal:
    if value is None:
        return tell("the amount is missing"), tell("enter the amount")
    if value <= 0:
        return tell("a rate is above zero"), tell("enter more than zero")
    return FINE


def _week(value: Decimal | None) -> Refusal:
    if value is not None and not 0 < value <= WEEK_HOURS:
        hint = tell("enter hours a week, or leave the amount empty for 40")
        return tell("nobody works so many hours a week"), hint
    return FINE


# -- subjects ----------------------------------------------------------------------------------------------------------


def subject_of(row: Scenario) -> Ref:
    """Return the one row that a scenario's row is about."""
    return row.subjects[0]


def _client(row: Scenario, seen: Seen) -> Refusal:
    if subject_of(row) in seen.measures.left:
        return tell("the client has left already"), tell("choose another client")
    return FINE


def _person(row: Scenario, seen: Seen) -> Refusal:
    person = seen.world.people[subject_of(row)]
    if person.end is None or person.is_staff(seen.world.today):
        return FINE
    fault = tell("{name} has left already", name=person.name)
    return fault, tell("choose somebody who works here")


def _role(row: Scenario, _seen: Seen) -> Refusal:
    if row.role is None:
        return tell("the role is missing"), tell("choose the role of the new person")
    return FINE


def _card(row: Scenario, seen: Seen) -> Refusal:
    card = seen.world.cards[subject_of(row)]
    if card.stage in OVER:
        return tell("the card is over"), CORRECT
    return FINE


def _start(row: Scenario, seen: Seen) -> Refusal:
    card = seen.world.cards[subject_of(row)]
    if card.due is not None and row.start is not None and row.start > card.due:
        fault = tell("the card is due before that, on {day}", day=card.due.isoformat())
        return fault, tell("choose an earlier day, or move the due date too")
    return _card(row, seen)


def _due(row: Scenario, seen: Seen) -> Refusal:
    card = seen.world.cards[subject_of(row)]
    begin = card.start
    if begin is not None and row.start is not None and row.start < begin:
        fault = tell("the card starts after that, on {day}", day=begin.isoformat())
        return fault, tell("choose a later day, or move the start too")
    return _card(row, seen)


def _proposal(row: Scenario, seen: Seen) -> Refusal:
    card: Card = seen.world.cards[subject_of(row)]
    if card.stage not in HUNTED or card.stage is Stage.AGREED:
        return tell("the card is no open proposal"), tell("choose one that is not won")
    return FINE


def _plan(row: Scenario, seen: Seen) -> Refusal:
    today = seen.world.today
    subject = subject_of(row)
    for plan in seen.measures.plans:
        is_this = plan_key(plan.unit, plan.period) == subject.key
        if is_this and plan.period.end >= today:
            return FINE
    return tell("the plan's period is over"), tell("choose a plan that still runs")


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


def judge_row(row: Scenario, seen: Seen) -> Fault | None:
    """Return why a row cannot be asked; None when it can."""
    said, hint = _judge(row, seen)
    if not said:
        return None
    return Fault(row, said, hint)


def _judge(row: Scenario, seen: Seen) -> Refusal:
    kind = KINDS.get(row.what or "")
    if kind is None:
        return tell("it does not say what changes"), tell("choose what is to change")
    if not row.subjects:
        return tell("it names nothing that changes"), kind.name_one
    if len(row.subjects) > 1:
        fault = tell("it names {n} things where one is meant", n=len(row.subjects))
        return fault, kind.name_one
    if subject_of(row).source != kind.source:
        return tell("it names something else than what changes"), kind.name_one

    today = seen.world.today
    if kind.dated and row.start is None:
        return tell("the date is missing"), tell("enter the new date")
    if row.start is not None and row.start < today and row.what != "pin":
        fault = tell("the date {day} is past", day=row.start.isoformat())
        return fault, tell("choose today or a later day")
    said, hint = kind.amount(row.value)
    if said:
        return said, hint
    return kind.check(row, seen)


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
