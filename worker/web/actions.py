"""What an operator may ask for in the browser: a run, a plan, a reviewed plan to be applied, a problem to sleep."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from worker.cycle.context import Context
from worker.cycle.counterparts import ACCEPTED, LOOK
from worker.cycle.triggering import ask_cycle, find_trigger
from worker.domain.messages import message
from worker.state import pauses, problems, runs
from worker.state.pauses import Pause
from worker.state.triggers import OPEN, Asker, Order, Source
from worker.web.access import Visitor
from worker.web.console import (
    Chosen,
    Guest,
    Here,
    askers_of,
    signed_in,
    workspace_screen,
)
from worker.web.desk import NotAllowed, NotThere

router = APIRouter(include_in_schema=False)
Line = Annotated[str, Form(max_length=300)]
LONGEST = 2**31
RunNumber = Annotated[int, Form(ge=0, lt=LONGEST)]


def operator(
    desk: Here, visitor: Annotated[Visitor, Depends(signed_in)], form_key: Line = ""
) -> Visitor:
    """Return who acts; raises `NotAllowed` for viewers and forged forms."""
    if not desk.access.is_form_key(visitor, form_key):
        raise NotAllowed(is_forged=True)
    if not visitor.may_act:
        raise NotAllowed
    return visitor


Operator = Annotated[Visitor, Depends(operator)]


@router.post("/w/{workspace}/sync")
def sync(
    context: Chosen, visitor: Operator, scope: Line = "", what: Line = "sync"
) -> Response:
    """Ask for a run, a full one, or a plan that is only looked at."""
    order = Order(scope.strip(), full=what != "sync", dry_run=what == "plan")
    return _asked(context, visitor, order)


@router.post("/w/{workspace}/apply")
def apply(
    context: Chosen,
    visitor: Operator,
    checksum: Annotated[str, Form(pattern="^[0-9a-f]{16}$")],
    mode: Line = "full",
    force: Line = "",
    undoes: RunNumber = 0,
) -> Response:
    """Ask for exactly the plan that was read; `force` past the limits."""
    order = Order(
        full=mode != "delta", checksum=checksum, force=force == "yes", undoes=undoes
    )
    return _asked(context, visitor, order)


@router.post("/w/{workspace}/undo")
def undo(context: Chosen, visitor: Operator, run_id: RunNumber) -> Response:
    """Ask what would take a run back; nothing is written."""
    with context.reading() as tx:
        run = runs.get(tx, run_id)
    if run is None:
        raise NotThere("run", str(run_id))
    return _asked(context, visitor, Order(full=True, dry_run=True, undoes=run_id))


def _asked(context: Context, visitor: Visitor, order: Order) -> Response:
    asked = ask_cycle(context, order, Asker(visitor.name, Source.CONSOLE))
    return RedirectResponse(f"{_home(context)}/requests/{asked.id}", 303)


def _home(context: Context) -> str:
    return f"/w/{quote(context.name, safe='')}"


@router.post("/w/{workspace}/snooze")
def snooze(
    context: Chosen,
    visitor: Operator,
    problem: Line,
    days: Annotated[int, Form(ge=0, le=366)],
) -> Response:
    """Let a problem sleep for so many days; none wakes it."""
    now = context.now()
    with context.transaction() as tx:
        stands = problems.snooze(tx, problem, now + timedelta(days=days), now=now)
    if not stands:
        raise NotThere("problem", problem)
    return RedirectResponse(f"{_home(context)}/problems", 303)


@router.post("/w/{workspace}/pause")
def pause(
    context: Chosen,
    visitor: Operator,
    hours: Annotated[int, Form(ge=0, le=24 * 366)] = 0,
    reason: Line = "",
) -> Response:
    """Have a workspace left alone for so many hours; without any until it is resumed."""
    now = context.now()
    until = now + timedelta(hours=hours) if hours else None
    with context.transaction() as tx:
        pauses.pause(tx, Pause(visitor.name, now, until, reason.strip()))
    return RedirectResponse(_home(context), 303)


@router.post("/w/{workspace}/resume")
def resume(context: Chosen, visitor: Operator) -> Response:
    """End a workspace's pause."""
    with context.transaction() as tx:
        pauses.resume(tx)
    return RedirectResponse(_home(context), 303)


@router.get("/w/{workspace}/requests/{number}")
def request_page(
    request: Request, context: Chosen, visitor: Guest, number: int
) -> Response:
    """Show how far a request is; once it is answered, lead to its run."""
    answer = find_trigger(context, number) if 0 < number < LONGEST else None
    if answer is None:
        raise NotThere("request", str(number))
    trigger, run = answer
    if run is not None and trigger.state not in OPEN:
        return RedirectResponse(f"{_home(context)}/runs/{run.id}", 303)
    return _waiting(
        request,
        context,
        visitor,
        trigger=trigger,
        askers=", ".join(askers_of([trigger])),
        run=run,
    )


def _waiting(
    request: Request, context: Context, visitor: Visitor, **values: object
) -> HTMLResponse:
    with context.reading() as tx:
        errands = dict.fromkeys(ACCEPTED.load(tx), message("accepted counterparts"))
    errands[LOOK] = message("a look who is known to Jira and Notion")
    return workspace_screen(
        request, "request.html", context, visitor=visitor, errands=errands, **values
    )
