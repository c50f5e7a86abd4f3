"""The page that answers a what-if question: a form whose address is the question, and what would change.

Nothing is written and nobody is asked: the rules run over what the last run read, as for a row of `scenarios`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from msgspec.structs import replace

from worker.cycle.context import Context
from worker.daemon.standing import read_standing
from worker.domain.document import runs
from worker.domain.entities import Card, Person, Scenario
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.method.capacity.staffing import ROLES, role_name
from worker.method.whatif.answers import Answer, Fault
from worker.method.whatif.questions import KINDS, Part, Seen, find_choices, judge_row
from worker.pages.scenario import tell_fault, write_scenario
from worker.pages.view import NONE, View
from worker.web.access import Visitor
from worker.web.console import Chosen, Guest, Here, workspace_screen
from worker.web.desk import Desk, NotAllowed
from worker.web.question_form import (
    COLUMNS,
    MOST,
    Change,
    read_question,
    read_row,
    write_pairs,
)
from worker.web.screens import words_for
from worker.world.rows import plan_key

router = APIRouter(include_in_schema=False)
VALUES: Mapping[str, str] = {
    "pin": message("Amount"),
    "add_person": message("Hours a week (empty: 40)"),
    "fee": message("New monthly fee"),
    "rate": message("New rate an hour"),
}
"""What the amount is of the kinds that have one."""
DATES: Mapping[str, str] = {
    "lose_client": message("First day without (empty: today)"),
    "add_person": message("First day (empty: today)"),
    "lose_person": message("First day without (empty: today)"),
    "move_start": message("New start"),
    "move_due": message("New due date"),
    "fee": message("From when (empty: today)"),
    "rate": message("From when (empty: today)"),
    "win": message("Start, if another"),
}
"""What the date is of the kinds that have one."""
SUBJECTS: Mapping[str, str] = {
    "clients": message("Client"),
    "projects": message("Card"),
    "people": message("Person"),
    "units": message("Unit"),
    "plans": message("Plan"),
}


class Choice(msgspec.Struct, frozen=True):
    """One line of a list."""

    key: str
    label: str


Read = tuple[Scenario, tuple[Fault, ...]]
"""A change as a row, and what of it cannot be read."""
Groups = Sequence[tuple[str, Sequence[Choice]]]
"""The lines of a list under their headings; one without a heading has an empty one."""


class Field(msgspec.Struct, frozen=True):
    """One field of the form; `fault` is what is wrong with it, `groups` what is chosen from."""

    name: str
    label: str
    kind: str
    text: str = ""
    groups: Groups = ()
    fault: str = ""


class Box(msgspec.Struct, frozen=True):
    """One change on the form."""

    number: int
    what: str
    title: str
    fields: tuple[Field, ...]


def operator_looks(visitor: Guest) -> Visitor:
    """Return who looks; raises `NotAllowed` for viewers, for an answer tells of bonus funds, whose board is private."""
    if not visitor.may_act:
        raise NotAllowed
    return visitor


@router.get("/w/{workspace}/what-if")
def what_if_page(
    request: Request,
    desk: Here,
    context: Chosen,
    visitor: Annotated[Visitor, Depends(operator_looks)],
) -> Response:
    """Show an operator the form, and what the question in its address would change."""
    words = words_for(request, context)
    pairs = request.query_params.multi_items()
    question = read_question(pairs)
    short = list(write_pairs(question, words.locale))
    if short != pairs and not question.left_out:
        base = f"/w/{quote(context.name, safe='')}/what-if"
        return RedirectResponse(f"{base}?{urlencode(short)}" if short else base, 303)

    asked: list[Read] = []
    name = words.say("What if")
    for number, change in enumerate(question.changes, 1):
        if change.is_new:
            continue
        read = read_row(change, number, name=name, locale=words.locale)
        asked.append(read)
    rows = [row for row, faults in asked if not faults]
    view, answer = _answer(desk, context, words, rows)
    kinds = _kinds(context, words)
    boxes: list[Box] = []
    if view is not None:
        seen = Seen(view.world, view.measures)
        faults = [*answer.faults, *_unread(asked, seen)]
        sheet = _Sheet(view, seen, kinds, _by_place(view, faults))
        for number, change in enumerate(question.changes, 1):
            box = _box(change, number, sheet)
            boxes.append(box)
    blocks = write_scenario(view, replace(answer, faults=())) if view else ()
    return workspace_screen(
        request,
        "what_if.html",
        context,
        visitor=visitor,
        view=view,
        boxes=boxes,
        answer=answer,
        blocks=msgspec.to_builtins(blocks),
        runs=runs,
        kinds_of_change=kinds,
        is_full=len(question.changes) == MOST,
        most=MOST,
        left_out=question.left_out,
        read_at=read_standing(context).fresh,
    )


def _answer(
    desk: Desk, context: Context, words: Words, rows: Sequence[Scenario]
) -> tuple[View | None, Answer]:
    if not rows:
        return desk.insights.view(context, words), Answer()
    return desk.insights.ask(context, words, rows) or (None, Answer())


def _unread(asked: Iterable[Read], seen: Seen) -> Iterator[Fault]:
    """Yield what is wrong with the changes of which something cannot be read."""
    for row, faults in asked:
        if not faults:
            continue
        yield from faults
        told = {fault.part for fault in faults}
        for fault in judge_row(row, seen):
            if fault.part not in told:
                yield fault


def _by_place(view: View, faults: Iterable[Fault]) -> dict[tuple[str, str], str]:
    """Return what is wrong, by row and part."""
    sentences = {}
    for fault in faults:
        place = (fault.row.ref.key, fault.part)
        sentences[place] = tell_fault(view, fault)
    return sentences


def _kinds(context: Context, words: Words) -> list[Choice]:
    """Return the kinds of change as the board calls them."""
    options = context.schema.sources["scenarios"].properties["what"].options
    kinds = []
    for option in options:
        if option.key not in KINDS:
            continue
        kind = Choice(option.key, option.label[words.locale])
        kinds.append(kind)
    return kinds


# -- the form ----------------------------------------------------------------------------------------------------------


class _Sheet(msgspec.Struct, frozen=True):
    """What the boxes of a form are made from; `faults` are sentences by row and part."""

    view: View
    seen: Seen
    kinds: Sequence[Choice]
    faults: Mapping[tuple[str, str], str]

    def fault(self, number: int, part: Part) -> str:
        """Return what is wrong with a part of a change, empty when nothing is."""
        return self.faults.get((f"form-{number}", part), "")


def _box(change: Change, number: int, sheet: _Sheet) -> Box:
    titles = {kind.key: kind.label for kind in sheet.kinds}
    say = sheet.view.say
    what = change.what
    if what not in KINDS:
        fault = sheet.fault(number, Part.WHAT)
        groups = [("", sheet.kinds)]
        field = Field("what", say("What changes"), "list", groups=groups, fault=fault)
        return Box(number, "", say("Unknown change"), (field,))

    fields = [_subject(change, number, sheet)]
    if what == "add_person":
        fault = sheet.fault(number, Part.ROLE)
        role = change.text("role")
        groups = [("", _roles(sheet.view.words))]
        field = Field("role", say("Role"), "list", role, groups, fault)
        fields.append(field)
    for name, kind, labels in (("value", "amount", VALUES), ("date", "day", DATES)):
        if what in labels:
            fault = sheet.fault(number, Part(name))
            text = change.text(name)
            field = Field(name, say(labels[what]), kind, text, fault=fault)
            fields.append(field)
    return Box(number, what, titles[what], tuple(fields))


def _subject(change: Change, number: int, sheet: _Sheet) -> Field:
    """Return the list of what a change may be about."""
    source = KINDS[change.what].source
    name = COLUMNS[source]
    keys = {text for field, text in change.pairs if field == name and text}
    names = _names(source, sheet.view)
    refs = list(find_choices(change.what, sheet.seen))
    # Who was chosen and cannot be is shown, so that it is seen of whom the fault is told.
    for key in keys:
        ref = Ref(source, key)
        if ref in names and ref not in refs:
            refs.append(ref)
    return Field(
        name,
        sheet.view.say(SUBJECTS[source]),
        "list",
        keys.pop() if len(keys) == 1 else "",
        _group(names, refs),
        sheet.fault(number, Part.SUBJECT),
    )


def _group(names: Mapping[Ref, tuple[str, str]], refs: Iterable[Ref]) -> Groups:
    """Return rows under their headings, as they are ordered in `names`."""
    chosen = set(refs)
    groups: dict[str, list[Choice]] = defaultdict(list)
    for ref, (heading, label) in names.items():
        if ref in chosen:
            groups[heading].append(Choice(ref.key, label))
    return list(groups.items())


def _names(source: str, view: View) -> dict[Ref, tuple[str, str]]:
    """Return the heading and name of each row of a source: plans by time, all else by name."""
    world = view.world
    match source:
        case "plans":
            plans = {}
            for plan in view.measures.plans:
                key = plan_key(plan.unit, plan.period)
                heading = view.unit_name(plan.unit)
                label = period_title(plan.period, view.words)
                plans[Ref(source, key)] = (heading, label)
            return plans
        case "projects":
            names = {
                ref: (_client_name(card, view), card.name)
                for ref, card in world.cards.items()
            }
        case "people":
            names = {
                ref: ("", _with_role(person, view))
                for ref, person in world.people.items()
            }
        case "units":
            names = {ref: ("", unit.name) for ref, unit in world.units.items()}
        case _:
            names = {ref: ("", client.name) for ref, client in world.clients.items()}
    return dict(sorted(names.items(), key=_by_name))


def _by_name(named: tuple[Ref, tuple[str, str]]) -> tuple[str, str]:
    _, (heading, label) = named
    return heading.casefold(), label.casefold()


def _client_name(card: Card, view: View) -> str:
    client = view.world.client(card.client)
    return client.name if client else NONE


def _with_role(person: Person, view: View) -> str:
    if person.role is None:
        return person.name
    return f"{person.name} · {role_name(person.role, view.words)}"


def _roles(words: Words) -> list[Choice]:
    roles = []
    for role in ROLES:
        name = role_name(role, words)
        roles.append(Choice(role, name))
    return roles
