"""`plan`, `sync`, `run`, `trigger`: cycles once, for ever, and now."""

from __future__ import annotations

import time
from datetime import timedelta
from getpass import getuser
from typing import Annotated

import typer

from worker.app.build import Surroundings, build_context
from worker.app.settings import choose
from worker.cli import exits, prose, show
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    ScopeArgument,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.signals import ignore_signals, stop_on_signals
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.planning import plan_cycle
from worker.cycle.report import Report, problem_data
from worker.cycle.story import sync
from worker.cycle.triggering import ask_cycle, find_trigger
from worker.daemon.instance import hold_workspaces
from worker.daemon.service import open_runner, serve
from worker.domain.messages import message
from worker.domain.words import Words
from worker.plan.plan import withheld_data
from worker.state import runs
from worker.state.processes import name_owner
from worker.state.triggers import (
    OPEN,
    Asked,
    Asker,
    Order,
    Source,
    Trigger,
    TriggerState,
)

STATES = {
    TriggerState.WAITING: message("waiting"),
    TriggerState.RUNNING: message("at work"),
    TriggerState.DONE: message("done"),
    TriggerState.FAILED: message("failed"),
    TriggerState.REFUSED: message("refused"),
}
FAULTS = {TriggerState.FAILED: exits.FAILED, TriggerState.REFUSED: exits.REFUSED}
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
    full: Annotated[
        bool,
        typer.Option(
            "--full/--delta", help="Read everything, or only what changed (default)."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan only; write nothing.")
    ] = False,
    who: Annotated[
        str, typer.Option(help="Who asks (the user of this machine if left out).")
    ] = "",
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
        order = Order(scope, full=full, dry_run=dry_run)
        asked = ask_cycle(context, order, Asker(who or getuser(), Source.CLI))
        request, run = _await_answer(context, asked.id, wait)
        opened.say(
            _request_in_words(request, run, asked, context.words),
            lambda: {
                "trigger": asked.id,
                "joined": asked.joined,
                "state": request.state.value,
                "run_id": request.run_id,
                "status": run.status.value if run else None,
                "checksum": run.outcome.get("checksum") if run else None,
                "error": request.error or None,
            },
        )
        if request.state in FAULTS:
            show.console(stderr=True).print(
                context.words.say(
                    "Run {run}: {status}. {reason}",
                    run=request.run_id,
                    status=context.words.say(STATES[request.state]),
                    reason=request.error,
                ),
                style="red",
            )
            raise typer.Exit(FAULTS[request.state])
        if wait and request.state in OPEN:
            raise typer.Exit(exits.BUSY)


def _await_answer(
    context: Context, number: int, wait: float
) -> tuple[Trigger, runs.Run | None]:
    """Return a request as soon as it is answered, or as it stands once the wait is over; shows how far its run is."""
    until = time.monotonic() + wait
    while True:
        answer = find_trigger(context, number)
        assert answer is not None
        request, run = answer
        if run:
            context.progress(run.progress.phase, run.progress.done, run.progress.total)
        if request.state not in OPEN or time.monotonic() >= until:
            return answer
        time.sleep(0.2)


def _request_in_words(
    request: Trigger, run: runs.Run | None, asked: Asked, words: Words
) -> str:
    """Return how a request stands, in a line or two."""
    pattern = (
        message("Request {number}: {state}, run {run}")
        if request.run_id
        else message("Request {number}: {state}; a running daemon will answer it")
    )
    lines = [
        words.say(
            pattern,
            number=request.id,
            state=words.say(STATES[request.state]),
            run=request.run_id,
        )
    ]
    if asked.joined:
        lines.append(words.say("Somebody had asked for the same; it is one request."))
    if run and run.dry_run and request.state is TriggerState.DONE:
        lines.append(
            words.say(
                "Nothing was written; see the plan with rayline runs {run}", run=run.id
            )
        )
    return "\n".join(lines)
