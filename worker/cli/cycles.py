"""`plan`, `sync`, `run`, `trigger`: cycles once, for ever, and now."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from worker.app.build import Surroundings, build_context
from worker.app.settings import choose
from worker.cli import exits, prose, show
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    ScopeArgument,
    Session,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.signals import ignore_signals, stop_on_signals
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.planning import plan_cycle
from worker.cycle.report import Report, problem_data
from worker.cycle.story import sync
from worker.daemon.instance import hold_workspaces
from worker.daemon.service import open_runner, serve
from worker.domain.messages import message
from worker.plan.plan import withheld_data
from worker.state import runs, triggers
from worker.state.processes import name_owner
from worker.state.triggers import TriggerState

STATES = {
    TriggerState.WAITING: message("waiting"),
    TriggerState.RUNNING: message("at work"),
    TriggerState.DONE: message("done"),
}
STATUSES = {
    runs.RunStatus.RUNNING: message("at work"),
    runs.RunStatus.DONE: message("done"),
    runs.RunStatus.FAILED: message("failed"),
    runs.RunStatus.REFUSED: message("refused"),
}
FullOption = Annotated[
    bool,
    typer.Option(
        "--full/--delta", help="Read everything (default), or only what changed."
    ),
]


def plan(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    full: FullOption = True,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="End with 3 when there is something to write."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what would be written and why; never writes."""
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        drawn = plan_cycle(
            context, CycleRequest(Mode.FULL if full else Mode.DELTA, "plan", scope)
        )
        with opened.store.transaction(context.name) as tx:
            runs.save_plan(tx, drawn.plan, None, now=context.now())
        opened.say(
            show.plan_view(drawn.plan, schema=context.schema, words=context.words),
            lambda: {
                **withheld_data(drawn.plan, context.schema.is_private),
                "refused": [problem_data(one) for one in drawn.refused] or None,
            },
        )
        for reason in drawn.refused:
            show.console(stderr=True).print(
                context.words.say(
                    "Would be refused: {reason}", reason=prose.line(reason)
                ),
                style="red",
            )
        if exit_code and drawn.plan.changes:
            raise typer.Exit(exits.PENDING)


def sync_command(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    full: FullOption = True,
    checksum: Annotated[
        str, typer.Option(help="Apply only the plan with this checksum.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Past the limits.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run one cycle: plan, check the limits, apply."""
    stop = stop_on_signals()
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace, stop=stop) as context,
    ):
        report = sync(
            context,
            CycleRequest(
                Mode.FULL if full else Mode.DELTA, "manual", scope, force, checksum
            ),
        )
        opened.say(show.report_view(report, context.words), report.data)
        if report.refused:
            raise typer.Exit(exits.REFUSED)
        if report.is_denied():
            raise typer.Exit(exits.USAGE)
        if report.failures():
            raise typer.Exit(exits.FAILED)
        if report.applied.stopped:
            raise typer.Exit(exits.BUSY)


def run(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run as a daemon: cycles on a schedule, all workspaces (or one), until SIGTERM; --json sums up at the end."""
    stop = stop_on_signals()
    ignored = ignore_signals()
    reports: list[Report] = []
    with session(config, as_json=as_json) as opened:
        several = workspace is None and len(opened.settings.workspaces) > 1
        chosen = (
            dict(opened.settings.workspaces)
            if several
            else dict([choose(opened.settings, workspace)])
        )
        contexts = [
            build_context(name, settings, opened.store, Surroundings(stop=stop))
            for name, settings in chosen.items()
        ]
        patience = {
            name: timedelta(seconds=settings.schedule.lease)
            for name, settings in chosen.items()
        }
        with hold_workspaces(opened.store, patience, owner=name_owner()) as check:

            def watch() -> None:
                ignored.tell()
                check()

            desks = [open_runner(context, reports.append) for context in contexts]
            serve(desks, stop, watch)
        if as_json:
            show.print_json(
                {
                    "workspaces": list(chosen),
                    "cycles": len(reports),
                    "refused": sum(bool(report.refused) for report in reports),
                }
            )


def trigger(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the answer (0: do not wait).")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Ask a running daemon for a cycle now; joins one under way."""
    with (
        session(config, as_json=as_json, create=False) as opened,
        context_of(opened, workspace) as context,
    ):
        with opened.store.transaction(context.name) as tx:
            number = triggers.ask(tx, scope, now=datetime.now(UTC))
        until = time.monotonic() + wait
        request = _asked(opened, context.name, number)
        while request.state is not TriggerState.DONE and time.monotonic() < until:
            time.sleep(0.2)
            request = _asked(opened, context.name, number)
        how = _how_it_ended(opened, context.name, request)
        data = {
            "trigger": number,
            "state": request.state.value,
            "run_id": request.run_id,
            "status": how.status.value if how else None,
            "error": how.outcome.get("error") if how else None,
        }
        state = context.words.say(STATES[request.state])
        pattern = (
            message("Request {number}: {state}, run {run}")
            if request.run_id
            else message("Request {number}: {state}; a running daemon will answer it")
        )
        opened.say(
            context.words.say(pattern, number=number, state=state, run=request.run_id),
            lambda: data,
        )
        if how and how.status is not runs.RunStatus.DONE:
            show.console(stderr=True).print(
                context.words.say(
                    "Run {run}: {status}. {reason}",
                    run=how.id,
                    status=context.words.say(STATUSES[how.status]),
                    reason=how.outcome.get("error") or "",
                ),
                style="red",
            )
            raise typer.Exit(
                exits.REFUSED if how.status is runs.RunStatus.REFUSED else exits.FAILED
            )
        if wait and request.state is not TriggerState.DONE:
            raise typer.Exit(exits.BUSY)


def _how_it_ended(
    opened: Session, name: str, asked: triggers.Trigger
) -> runs.Run | None:
    """Return the run that answered a request; None while it is under way."""
    if asked.run_id is None or asked.state is not TriggerState.DONE:
        return None
    with opened.store.reading(name) as tx:
        return runs.get(tx, asked.run_id)


def _asked(opened: Session, name: str, number: int) -> triggers.Trigger:
    with opened.store.reading(name) as tx:
        request = triggers.get(tx, number)
    assert request is not None
    return request
