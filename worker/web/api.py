"""The interface for programs under /api/v1, and the probes: is it alive, is it ready, what are its figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from worker.cycle.context import Context
from worker.cycle.triggering import ask_cycle, find_trigger, read_clients
from worker.plan.plan import withheld_data
from worker.state import runs
from worker.state.settings import Setting
from worker.state.triggers import Asker, Order, Source
from worker.web.access import Visitor
from worker.web.answers import (
    ClientAnswer,
    Fault,
    ProblemAnswer,
    RunAnswer,
    StatusAnswer,
    SyncOrder,
    TriggerAnswer,
    WorkspaceAnswer,
    problem_answer,
    run_answer,
    status_answer,
    trigger_answer,
    workspace_answer,
)
from worker.web.console import card_of
from worker.web.desk import Desk, KeyTaken, NotAllowed, NotSignedIn, NotThere, desk_of
from worker.web.inputs import PLAIN

FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": Fault, "description": "the request makes no sense"},
    401: {"model": Fault, "description": "no token, or nobody's"},
    404: {"model": Fault, "description": "not there; the nearest name is told"},
    422: {"model": Fault, "description": "a parameter cannot be read"},
    429: {"model": Fault, "description": "too many wait or failed"},
    503: {"model": Fault, "description": "the state does not answer"},
}
ACTS: dict[int | str, dict[str, Any]] = {
    403: {"model": Fault, "description": "the token is a viewer's"},
    409: {"model": Fault, "description": "the key was used for something else"},
}
router = APIRouter(prefix="/api/v1", responses=FAULTS)
probes = APIRouter(include_in_schema=False)
Here = Annotated[Desk, Depends(desk_of)]
Number = Annotated[int, Path(ge=1, lt=2**31)]


def by_token(request: Request, desk: Here) -> Visitor:
    """Return whose token a program shows; raises `NotSignedIn`.

    While nobody of its address is listened to it raises `TooManyFailed`; asking then is no attempt, so that who has a
    good token and asks on comes in as soon as the wait is over.
    """
    desk.listen_to(request)
    visitor = desk.bearer(request)
    if visitor is None:
        if "authorization" in request.headers:
            desk.note_failure(request)
        raise NotSignedIn
    return visitor


Program = Annotated[Visitor, Depends(by_token)]


def chosen(
    desk: Here,
    _program: Program,
    workspace: Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN)],
) -> Context:
    """Return the workspace of the address, to who may ask; raises `NotThere`."""
    return desk.workspace(workspace)


Chosen = Annotated[Context, Depends(chosen)]


@router.get("/workspaces")
def list_workspaces(
    request: Request, desk: Here, _program: Program
) -> list[WorkspaceAnswer]:
    """List the workspaces with their health."""
    return [
        workspace_answer(name, card_of(request, context).health)
        for name, context in desk.contexts().items()
    ]


@router.get("/workspaces/{workspace}/status")
def read_status(request: Request, context: Chosen) -> StatusAnswer:
    """Tell how a workspace stands: last and next runs, what waits, how well it is."""
    card = card_of(request, context)
    return status_answer(card.standing, card.health)


@router.get("/workspaces/{workspace}/runs")
def list_runs(
    context: Chosen, limit: Annotated[int, Query(ge=1, le=200)] = 20
) -> list[RunAnswer]:
    """List the latest runs, newest first."""
    with context.reading() as tx:
        return [run_answer(run) for run in runs.recent(tx, limit)]


@router.get("/workspaces/{workspace}/runs/{run_id}")
def read_run(context: Chosen, run_id: Number) -> RunAnswer:
    """Tell of one run."""
    return run_answer(_run(context, run_id))


@router.get("/workspaces/{workspace}/runs/{run_id}/plan")
def read_run_plan(context: Chosen, run_id: Number) -> dict[str, Any]:
    """Return the plan of a run as `rayline plan --json` prints it; private rows only tell that they change."""
    checksum = str(_run(context, run_id).outcome.get("checksum", ""))
    with context.reading() as tx:
        plan = runs.load_plan(tx, checksum) if checksum else None
    if plan is None:
        raise NotThere("plan", checksum)
    return withheld_data(plan, context.schema.is_private)


def _run(context: Context, run_id: int) -> runs.Run:
    with context.reading() as tx:
        run = runs.get(tx, run_id)
    if run is None:
        raise NotThere("run", str(run_id))
    return run


@router.get("/workspaces/{workspace}/problems")
def list_problems(request: Request, context: Chosen) -> list[ProblemAnswer]:
    """List the problems that stand."""
    standing = card_of(request, context).standing
    return [problem_answer(*each) for each in standing.problems.items()]


@router.get("/workspaces/{workspace}/clients")
def list_clients(context: Chosen) -> list[ClientAnswer]:
    """List the clients that the last read showed."""
    return [
        ClientAnswer(id=ref.key, name=name)
        for ref, name in read_clients(context).items()
    ]


class KeptKey(msgspec.Struct, frozen=True):
    """What was asked for under a key, and the number of the request."""

    order: Order
    trigger: int
    at: datetime


KEYS = Setting("idempotency_keys", dict[str, KeptKey], dict)
KEPT = timedelta(hours=24)
MOST_KEYS = 1_000


@router.post("/workspaces/{workspace}/sync", status_code=202, responses=ACTS)
def ask_for_a_run(
    context: Chosen,
    visitor: Program,
    order: SyncOrder,
    response: Response,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> TriggerAnswer:
    """Ask for a run; what waits for the same is joined. The same `Idempotency-Key` asks once within a day."""
    if not visitor.may_act:
        raise NotAllowed
    wanted = Order(order.scope.strip(), full=order.full, dry_run=order.dry_run)
    key = sha256(f"{visitor.name}\n{idempotency_key}".encode()).hexdigest()
    kept = _kept(context, key, wanted) if idempotency_key else None
    if kept is not None:
        number, joined = kept, True
    else:
        asked = ask_cycle(context, wanted, Asker(visitor.name, Source.API))
        number, joined = asked.id, asked.joined
        if idempotency_key:
            _keep(context, key, KeptKey(wanted, number, context.now()))
    answer = _trigger(context, number, joined=joined)
    response.headers["location"] = answer.address
    return answer


def _kept(context: Context, key: str, wanted: Order) -> int | None:
    """Return the request that was made under a key; raises `KeyTaken` when it asked for something else."""
    with context.reading() as tx:
        kept = KEYS.load(tx).get(key)
    if kept is None or context.now() - kept.at > KEPT:
        return None
    if kept.order != wanted:
        raise KeyTaken
    return kept.trigger if find_trigger(context, kept.trigger) else None


def _keep(context: Context, key: str, kept: KeptKey) -> None:
    with context.transaction() as tx:
        known = {
            name: one for name, one in KEYS.load(tx).items() if kept.at - one.at <= KEPT
        }
        newest = dict(list(known.items())[-MOST_KEYS + 1 :])
        KEYS.save(tx, {**newest, key: kept})


@router.get("/workspaces/{workspace}/triggers/{number}")
def read_trigger(context: Chosen, number: Number) -> TriggerAnswer:
    """Tell how far a request is."""
    return _trigger(context, number)


def _trigger(context: Context, number: int, *, joined: bool = False) -> TriggerAnswer:
    answer = find_trigger(context, number)
    if answer is None:
        raise NotThere("request", str(number))
    return trigger_answer(answer[0], quote(context.name, safe=""), joined=joined)


@probes.get("/healthz")
def healthz() -> PlainTextResponse:
    """Tell that the process answers."""
    return PlainTextResponse("ok\n")


@probes.get("/readyz")
def readyz(desk: Here) -> PlainTextResponse:
    """Tell that the state can be read; 503 while it cannot."""
    for context in desk.contexts().values():
        with context.reading() as tx:
            runs.recent(tx, 1)
    return PlainTextResponse("ready\n")


@probes.get("/metrics")
def metrics(request: Request, desk: Here) -> Response:
    """Return the figures for Prometheus; with a token, unless they are open."""
    if not desk.settings.open_metrics:
        by_token(request, desk)
    figures = desk.metrics.expose(desk.contexts())
    return Response(figures, media_type=CONTENT_TYPE_LATEST)
