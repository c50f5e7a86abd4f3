"""How a cycle went: its report, and the record of it in the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.put_off import note_failure, note_wait
from worker.domain.messages import literal, tell
from worker.domain.values import Ref
from worker.errors import (
    Busy,
    Code,
    Missing,
    Problem,
    RaylineError,
    Rejected,
    RenderedProblem,
    Stopped,
    Transient,
    in_words,
)
from worker.plan.plan import Kept, Plan
from worker.read.schema import mark_stale
from worker.state import problems, runs, triggers
from worker.write.writer import Applied

log = structlog.get_logger("worker.cycle")
KEPT = timedelta(days=90)
"""How long runs and their plans can be looked at."""


Traffic = Mapping[str, Mapping[str, int]]
"""Requests by service and by the HTTP status of their answer, `none` where none came."""


class Report(msgspec.Struct, frozen=True, gc=False):
    """How a cycle went; `data` is what `sync --json` prints. `doubts` name what was perhaps created,
    `notes` that it was ended early; `answers` are the requests by what they were answered with, `undoes` is
    the run that was taken back."""

    run_id: int
    workspace: str
    seconds: float
    requests: Mapping[str, int]
    plan: Plan
    refused: tuple[RenderedProblem, ...] = ()
    applied: Applied = msgspec.field(default_factory=Applied)
    trigger: str = "manual"
    doubts: tuple[RenderedProblem, ...] = ()
    notes: tuple[RenderedProblem, ...] = ()
    answers: Traffic = msgspec.field(default_factory=dict)
    undoes: int = 0

    def data(self) -> dict[str, Any]:
        """Return the report as JSON data: `changes` counts what was written, `refused` is null or the reasons."""
        return {
            "run_id": self.run_id,
            "workspace": self.workspace,
            "seconds": round(self.seconds, 3),
            "requests": dict(self.requests),
            "changes": self.applied.counts(),
            "kept": sum(not kept.conflict for kept in self.kept()),
            "conflicts": sum(kept.conflict for kept in self.kept()),
            "problems": [problem_data(problem) for problem in self.problems()],
            "refused": [problem_data(reason) for reason in self.refused] or None,
        }

    def kept(self) -> tuple[Kept, ...]:
        """Return the values of people that stand, those typed while the run was under way included."""
        return (*self.plan.kept, *self.applied.kept)

    def problems(self) -> tuple[RenderedProblem, ...]:
        """Return everything that was wrong: with what was read, and with what could not be written."""
        return (*self.standing(), *self.failures(), *self.notes)

    def standing(self) -> tuple[RenderedProblem, ...]:
        """Return what stays wrong until somebody mends it: with what was read, and with what is shown of it."""
        return (*self.plan.problems, *self.applied.warnings)

    def failures(self) -> tuple[RenderedProblem, ...]:
        """Return what could not be written, and what perhaps was."""
        return (*self.applied.failures, *self.doubts)

    def is_denied(self) -> bool:
        """Tell whether the connection may not write at all: nothing was written, and access was the reason."""
        return not any(self.applied.counts().values()) and any(
            failure.code in (Code.WRITE_DENIED, Code.UNREACHABLE)
            for failure in self.applied.failures
        )


def in_doubt(ref: Ref) -> Problem:
    return Problem(
        code=Code.CREATION_IN_DOUBT,
        where=literal(ref),
        message=tell("Notion did not say whether the row was made"),
        hint=tell("a later run looks it up before it is made again"),
    )


def early_ends(workspace: str, applied: Applied) -> Iterator[Problem]:
    """Yield why a run ended before all was written."""
    if applied.taken_by:
        yield _taken_over(workspace, applied.taken_by)
    elif applied.stopped:
        yield _unfinished(workspace)


def _taken_over(workspace: str, holder: str) -> Problem:
    return Problem(
        code=Code.TAKEN_OVER,
        where=literal(workspace),
        message=tell(
            "this run gave no sign of life for a while, so {holder} took the workspace over; what is counted here was "
            "written before that",
            holder=holder,
        ),
        hint=tell("the next run writes the rest"),
    )


def _unfinished(workspace: str) -> Problem:
    return Problem(
        code=Code.ENDED_EARLY,
        where=literal(workspace),
        message=tell("the run was ended before all was written"),
        hint=tell("the next run writes the rest"),
    )


def problem_data(problem: RenderedProblem) -> dict[str, str]:
    """Return a problem as JSON data."""
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "where": problem.where,
        "field": problem.field,
        "message": problem.message,
        "hint": problem.hint,
        "url": problem.url,
    }


def finish(context: Context, report: Report, order: CycleRequest) -> Report:
    """Record how the run went and return its report: what all runs share is the next one's once it took over."""
    try:
        with context.transaction() as tx:
            mark_stale(tx, stale=_hints_at_drift(report))
            if not order.dry_run:
                problems.replace(tx, report.standing(), now=context.now())
            note_wait(
                tx,
                report.applied.halted_by,
                context.settings.schedule,
                now=context.now(),
            )
            if order.mode is Mode.FULL:
                runs.prune(tx, before=context.now() - KEPT)
                triggers.prune(tx, before=context.now() - KEPT)
    except Busy as taken:
        if not report.applied.taken_by:
            note = in_words(_taken_over(context.name, taken.holder), context.words)
            report = replace(
                report,
                applied=replace(report.applied, stopped=True, taken_by=taken.holder),
                notes=(note,),
            )
    record(context, report, order.mode.value)
    return report


def record(context: Context, report: Report, mode: str) -> None:
    """Record the run itself, which is nobody else's; a `mode` says what it read and is asked for by who catches up."""
    status = _status_of(report)
    with context.store.unguarded().transaction(context.name) as tx:
        runs.finish(
            tx,
            report.run_id,
            status,
            requests=report.requests,
            now=context.now(),
            outcome={
                **report.data(),
                "checksum": report.plan.checksum(),
                "mode": mode,
                "stopped": report.applied.stopped,
                "in_doubt": len(report.applied.unknown),
                "answers": report.answers,
                **({"undoes": report.undoes} if report.undoes else {}),
            },
        )
    log.info(
        "cycle.done",
        workspace=context.name,
        run=report.run_id,
        trigger=report.trigger,
        status=status.value,
        changes=sum(report.applied.counts().values()),
        problems=len(report.plan.problems),
        requests=dict(report.requests),
    )


def _status_of(report: Report) -> runs.RunStatus:
    if report.refused:
        return runs.RunStatus.REFUSED
    is_whole = not (report.failures() or report.applied.stopped)
    return runs.RunStatus.DONE if is_whole else runs.RunStatus.FAILED


def _hints_at_drift(report: Report) -> bool:
    """Tell whether Notion's schema may have changed since it was read."""
    return any(
        failure.code in (Code.WRITE_REJECTED, Code.FIELD_REFUSED)
        for failure in report.applied.failures
    ) or any(reason.code == Code.SOURCE_EMPTY for reason in report.refused)


def finish_failed(
    context: Context, run_id: int, error: Exception, before: Traffic
) -> None:
    reason = str(error) if isinstance(error, RaylineError) else type(error).__name__
    stopped = context.stop.is_set() and isinstance(error, Stopped | Transient)
    with context.transaction() as tx:
        if isinstance(error, Rejected | Missing) and error.api == "notion":
            mark_stale(tx, stale=True)
        note_failure(tx, error, context.settings.schedule, now=context.now())
        answers = count_since(context, before)
        ending = {"stopped": True} if stopped else {}
        runs.finish(
            tx,
            run_id,
            runs.RunStatus.FAILED,
            outcome={"error": reason, **ending, "answers": answers},
            requests=sum_requests(answers),
            now=context.now(),
        )


def count_answers(context: Context) -> Traffic:
    return {"notion": context.notion.answers(), "jira": context.jira.answers()}


def count_since(context: Context, before: Traffic) -> Traffic:
    return {
        name: dict(Counter(counts) - Counter(before[name]))
        for name, counts in count_answers(context).items()
    }


def sum_requests(answers: Traffic) -> dict[str, int]:
    return {name: sum(counts.values()) for name, counts in answers.items()}
