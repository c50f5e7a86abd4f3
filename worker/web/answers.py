"""What the interface for programs answers, as its description tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from worker.cycle.report import problem_data
from worker.daemon.standing import Standing
from worker.errors import RenderedProblem
from worker.state import problems
from worker.state.runs import Run
from worker.state.triggers import Trigger
from worker.web.health import Health
from worker.web.inputs import PLAIN


class Fault(BaseModel):
    """Why a request was not served."""

    error: str
    message: str


class WorkspaceAnswer(BaseModel):
    """A workspace and how it is at a glance."""

    name: str
    health: str
    in_sync: str
    healthy: str


class ProgressAnswer(BaseModel):
    """How far a run is."""

    phase: str
    done: int
    total: int


class RunAnswer(BaseModel):
    """One run; `outcome` as `rayline sync --json` prints it, without its problems."""

    id: int
    trigger: str
    scope: str
    dry_run: bool
    status: str
    started: datetime
    ended: datetime | None
    requests: dict[str, int]
    outcome: dict[str, Any]
    progress: ProgressAnswer


class ProblemAnswer(BaseModel):
    """A problem that stands since an instant; `name` is by which it is put to sleep."""

    name: str
    code: str
    severity: str
    where: str
    field: str
    message: str
    hint: str
    url: str
    since: datetime


class StatusAnswer(BaseModel):
    """How a workspace stands."""

    workspace: str
    health: str
    in_sync: str
    healthy: str
    last_run: RunAnswer | None
    last_success: dict[str, datetime | None]
    next: dict[str, datetime]
    at_work: bool
    waiting: int
    unsettled: int
    problems: dict[str, int]


class ClientAnswer(BaseModel):
    """A client by page id and name, as the last read showed it."""

    id: str
    name: str


class SyncOrder(BaseModel):
    """What is asked for: one client or all, everything or what changed, a plan only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scope: str = Field(default="", max_length=300, pattern=PLAIN)
    full: bool = False
    dry_run: bool = False


class TriggerAnswer(BaseModel):
    """A request for a run: its number and address, how far it is, and the run that answers it."""

    id: int
    address: str
    joined: bool
    state: str
    scope: str
    full: bool
    dry_run: bool
    asked_by: str
    source: str
    asked_at: datetime
    run_id: int | None
    error: str


def run_answer(run: Run) -> RunAnswer:
    """Return a run as programs see it."""
    outcome = {key: value for key, value in run.outcome.items() if key != "problems"}
    progress = ProgressAnswer(
        phase=run.progress.phase, done=run.progress.done, total=run.progress.total
    )
    return RunAnswer(
        id=run.id,
        trigger=run.trigger,
        scope=run.scope,
        dry_run=run.dry_run,
        status=run.status.value,
        started=run.started,
        ended=run.ended,
        requests=dict(run.requests),
        outcome=outcome,
        progress=progress,
    )


def problem_answer(problem: RenderedProblem, since: datetime) -> ProblemAnswer:
    """Return a problem as programs see it."""
    return ProblemAnswer(
        name=problems.name_of(problem), since=since, **problem_data(problem)
    )


def workspace_answer(name: str, health: Health) -> WorkspaceAnswer:
    """Return a workspace at a glance."""
    return WorkspaceAnswer(
        name=name,
        health=health.light.value,
        in_sync=health.sync.light.value,
        healthy=health.checks.light.value,
    )


def status_answer(standing: Standing, health: Health) -> StatusAnswer:
    """Return how a workspace stands."""
    counts: dict[str, int] = {}
    for problem in standing.problems:
        severity = problem.severity.value
        counts[severity] = counts.get(severity, 0) + 1
    return StatusAnswer(
        workspace=standing.workspace,
        health=health.light.value,
        in_sync=health.sync.light.value,
        healthy=health.checks.light.value,
        last_run=run_answer(standing.last) if standing.last else None,
        last_success=dict(standing.success),
        next=dict(standing.next),
        at_work=standing.holder is not None,
        waiting=len(standing.waiting),
        unsettled=len(standing.unsettled),
        problems=counts,
    )


def trigger_answer(
    trigger: Trigger, workspace: str, *, joined: bool = False
) -> TriggerAnswer:
    """Return a request as programs see it."""
    order, asker = trigger.order, trigger.asker
    return TriggerAnswer(
        id=trigger.id,
        address=f"/api/v1/workspaces/{workspace}/triggers/{trigger.id}",
        joined=joined,
        state=trigger.state.value,
        scope=order.scope,
        full=order.full,
        dry_run=order.dry_run,
        asked_by=asker.name,
        source=asker.source.value,
        asked_at=trigger.asked_at,
        run_id=trigger.run_id,
        error=trigger.error,
    )
