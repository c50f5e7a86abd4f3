"""What lacks its counterpart, with what it may be: an operator accepts or declines, a run writes down what was accepted."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from worker.cycle.context import Context
from worker.cycle.counterparts import (
    DECLINED,
    DIRECTORY,
    LOOK,
    accept,
    decline,
    name_of,
    propose_again,
    without_declined,
)
from worker.cycle.triggering import ask_cycle
from worker.mapping.schema import Schema
from worker.plan.matching import Decision
from worker.state.triggers import Asker, Order, Source
from worker.web.actions import Operator
from worker.web.console import Chosen, Guest, Here, workspace_screen
from worker.web.desk import Desk, NotThere
from worker.web.screens import words_for
from worker.world.proposals import Gap

router = APIRouter(include_in_schema=False)
PATH = "/w/{workspace}/problems/counterparts"
Proposal = Annotated[str, Form(max_length=1000)]
OPEN = ""
"""The choice of who leaves a cell open."""


@router.get(PATH)
def counterparts_page(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """List what lacks its counterpart, with proposals to accept or decline."""
    locale = words_for(request, context).locale
    with context.reading() as tx:
        directory = DIRECTORY.load(tx)
        declined = DECLINED.load(tx)
    return workspace_screen(
        request,
        "counterparts.html",
        context,
        visitor=visitor,
        rows=[
            (gap, *_place(gap, context.schema, locale), _choices(gap))
            for gap in _gaps(desk, context)
        ],
        has_people=bool(directory.accounts or directory.members),
        declined=len(declined),
    )


def _gaps(desk: Desk, context: Context) -> tuple[Gap, ...]:
    with context.reading() as tx:
        declined = DECLINED.load(tx)
    return without_declined(desk.insights.gaps(context), declined)


def _place(gap: Gap, schema: Schema, locale: str) -> tuple[str, str]:
    """Return how board and column of a gap are called."""
    source = schema.sources[gap.ref.source]
    return source.title[locale], source.properties[gap.field].label[locale]


def _choices(gap: Gap) -> list[str]:
    return [name_of(gap, candidate.value) for candidate in gap.candidates]


@router.post(PATH + "/accept")
def accept_proposals(
    desk: Here,
    context: Chosen,
    visitor: Operator,
    choice: Annotated[list[Proposal], Form(max_length=500)] = [],  # noqa: B006 - read, never written
) -> Response:
    """Have what was chosen written by the next run."""
    proposed = _proposed(desk, context)
    decisions = []
    for name in choice:
        if name == OPEN:
            continue
        if name not in proposed:
            raise NotThere("counterpart", name)
        gap, value = proposed[name]
        decisions.append(Decision(gap.ref, gap.field, value))
    if not decisions:
        return RedirectResponse(_address(context), 303)
    asked = accept(context, decisions, Asker(visitor.name, Source.CONSOLE))
    return _waiting(context, asked.id)


def _proposed(desk: Desk, context: Context) -> dict[str, tuple[Gap, str]]:
    return {
        name_of(gap, candidate.value): (gap, candidate.value)
        for gap in _gaps(desk, context)
        for candidate in gap.candidates
    }


@router.post(PATH + "/decline")
def decline_proposal(
    desk: Here, context: Chosen, visitor: Operator, name: Proposal
) -> Response:
    """Propose it no more."""
    if name not in _proposed(desk, context):
        raise NotThere("counterpart", name)
    decline(context, [name])
    return RedirectResponse(_address(context), 303)


@router.post(PATH + "/again")
def forget_declined(context: Chosen, visitor: Operator) -> Response:
    """Propose again what was declined."""
    propose_again(context)
    return RedirectResponse(_address(context), 303)


@router.post(PATH + "/look")
def look_for_people(context: Chosen, visitor: Operator) -> Response:
    """Ask for a look at who is known to Jira and Notion; nothing is written."""
    order = Order(full=True, dry_run=True, checksum=LOOK)
    asked = ask_cycle(context, order, Asker(visitor.name, Source.CONSOLE))
    return _waiting(context, asked.id)


def _address(context: Context) -> str:
    return PATH.format(workspace=quote(context.name, safe=""))


def _waiting(context: Context, number: int) -> Response:
    home = f"/w/{quote(context.name, safe='')}"
    return RedirectResponse(f"{home}/requests/{number}", 303)
