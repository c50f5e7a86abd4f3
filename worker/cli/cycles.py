"""`plan`, `sync`, `run`, `trigger`: cycles once, for ever, and now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from getpass import getuser
from importlib import import_module
from typing import Annotated

import structlog
import typer
from pydantic import ValidationError

from worker.alerts.watch import Told as Watched
from worker.alerts.watch import watching, watching_once
from worker.app.settings import Settings, choose
from worker.cli import exits, prose, show
from worker.cli.reader import names_in, reader_of
from worker.cli.session import (
    ClientOption,
    ConfigOption,
    EachOption,
    JsonOption,
    OnlyOption,
    ScopeArgument,
    Session,
    WorkspaceOption,
    context_of,
    reload,
    session,
)
from worker.cli.several import AllOption, Told, over_workspaces
from worker.cli.signals import ending_in_time, hear_signals, stop_on_signals
from worker.cli.usage import misuse
from worker.config import ConsoleSettings, Workspace
from worker.cycle.abandoning import abandon
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.planning import plan_cycle
from worker.cycle.report import Report, problem_data
from worker.cycle.story import sync
from worker.cycle.triggering import ask_cycle, find_trigger
from worker.daemon.notify import open_notifier
from worker.daemon.roster import Roster, serve_roster
from worker.daemon.service import open_runner
from worker.domain.messages import message, tell
from worker.domain.words import Words
from worker.plan.plan import withheld_data
from worker.plan.scope import find_rules
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

log = structlog.get_logger("worker.daemon")
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
        "--full/--delta",
        help=message("Read everything (default), or only what changed."),
    ),
]


def plan(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: EachOption = None,
    full: FullOption = True,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help=message("End with 3 when there is something to write.")
        ),
    ] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help=message(
                "Show every field of every row, board by board (else client by client, what is news)."
            ),
        ),
    ] = False,
    client: ClientOption = "",
    only: OnlyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what would be written and why; never writes."""
    scope = _one_client(scope, client)
    mode = Mode.FULL if full else Mode.DELTA
    order = CycleRequest(mode, "plan", scope, rules=find_rules(only))
    with session(config, as_json=as_json) as opened:

        def step(name: str) -> Told:
            with context_of(opened, name) as context:
                told = _planned(context, opened.words, order, is_whole=every)
            return told if exit_code else told._replace(code=exits.OK)

        if scope:
            _want_one(opened.settings, workspace)
        over_workspaces(opened, workspace, step, headed=True)


def _planned(
    context: Context, words: Words, order: CycleRequest, *, is_whole: bool
) -> Told:
    """Draw up a plan, keep it, and tell it: client by client, or the whole of it."""
    drawn = plan_cycle(context, order)
    with context.store.transaction(context.name) as tx:
        runs.save_plan(tx, drawn.plan, None, now=context.now())
    reader = reader_of(context, words, names_in(drawn, context.schema))
    view = show.digest_view(drawn.plan, drawn.world, reader)
    if is_whole:
        view = show.plan_view(drawn.plan, reader)
    data = {
        "workspace": context.name,
        **withheld_data(drawn.plan, context.schema.is_private),
        "refused": [problem_data(one) for one in drawn.refused] or None,
    }
    reasons = [
        words.say("Would be refused: {reason}", reason=prose.line(problem))
        for problem in drawn.refused
    ]
    code = exits.PENDING if drawn.plan.changes else exits.OK
    return Told(view, data, code, reasons)


def _want_one(settings: Settings, workspace: str | None) -> None:
    """Raise `ConfigError` where none of several workspaces is named."""
    if workspace is None and len(settings.workspaces) > 1:
        choose(settings, None)


def sync_command(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: EachOption = None,
    full: FullOption = True,
    due: Annotated[
        bool,
        typer.Option(
            "--due", help=message("Only what is due now, as the daemon would.")
        ),
    ] = False,
    every: AllOption = False,
    checksum: Annotated[
        str,
        typer.Option(
            metavar=message("SUM"),
            help=message("Apply only the plan with this checksum."),
        ),
    ] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help=message("Apply the plan past the limits that would refuse it."),
        ),
    ] = False,
    client: ClientOption = "",
    only: OnlyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run each workspace (or one) once: plan, check the limits, apply."""
    scope = _one_client(scope, client)
    rules = find_rules(only)
    if due and (scope or rules or checksum or force):
        raise misuse(
            "--due",
            tell("what is due is of everything"),
            tell("leave --due out, or the client, --only, --checksum and --force"),
        )
    stop = stop_on_signals()
    mode = Mode.FULL if full else Mode.DELTA
    order = CycleRequest(mode, "manual", scope, force, checksum, rules=rules)
    with session(config, as_json=as_json) as opened:

        def step(name: str) -> Told:
            with (
                context_of(opened, name, stop=stop) as context,
                ending_in_time(stop, lambda: _part(opened, context), exits.BUSY),
            ):
                if due:
                    return _attended(context, opened.words)
                return _synced(context, opened.words, sync(context, order))

        if scope or checksum:
            _want_one(opened.settings, workspace)
        told = Watched(_chosen(opened.settings, workspace), opened.store)
        with watching_once(told, stop):
            over_workspaces(opened, workspace, step, every=every)


def _one_client(argument: str, option: str) -> str:
    """Return the client that is named, as an argument or as an option; raises `ConfigError` for two."""
    if argument and option:
        raise misuse(
            "--client", tell("a client is named already: {name}", name=argument)
        )
    return argument or option


def _attended(context: Context, words: Words) -> Told:
    """Do what is due in a workspace, if anything is; raises what kept it from being done."""
    reports: list[Report] = []
    runner = open_runner(context, reports.append)
    runner.attend_once()
    if runner.failure is not None:
        raise runner.failure
    if reports:
        return _synced(context, words, reports[-1])
    sentence = message("{workspace}: nothing is due.")
    view = words.say(sentence, workspace=context.name)
    return Told(view, {"workspace": context.name, "due": False})


def _synced(context: Context, words: Words, report: Report) -> Told:
    view = show.report_view(report, words, context.schema)
    return Told(view, report.data(), _code_of(report))


def _code_of(report: Report) -> int:
    """Return the code with which a cycle's command ends."""
    if report.refused:
        return exits.REFUSED
    if report.is_denied():
        return exits.USAGE
    if report.failures():
        return exits.FAILED
    return exits.BUSY if report.applied.stopped else exits.OK


def _part(opened: Session, context: Context) -> None:
    """Leave a request that nobody answers."""
    run_id = abandon(opened.store, context.name, context.owner)
    sentence = opened.words.say(
        "Ended while a service did not answer; the next run looks what became of the last request."
    )
    if opened.as_json:
        show.print_json({"error": "Stopped", "run_id": run_id, "message": sentence})
    show.console(stderr=True).print(sentence, style="red")


def run(
    config: ConfigOption = None,
    workspace: EachOption = None,
    as_json: JsonOption = False,
    console: Annotated[
        bool,
        typer.Option(
            "--console",
            help=message("Serve the console too (always with a [console] table)."),
        ),
    ] = False,
    listen: Annotated[
        str,
        typer.Option(
            metavar=message("HOST:PORT"),
            help=message("Where the console listens (implies --console)."),
        ),
    ] = "",
) -> None:
    """Run as a daemon: all workspaces (or one) on a schedule, until SIGTERM; --json sums up at the end."""
    stop = stop_on_signals()
    heard = hear_signals()
    reports: list[Report] = []
    with session(config, as_json=as_json) as opened:
        served = _chosen(opened.settings, workspace)
        roster = Roster(opened.store, owner=name_owner(), on_report=reports.append)
        notifier = open_notifier()

        def sum_up() -> None:
            if as_json:
                show.print_json(
                    {
                        "workspaces": list(served),
                        "cycles": len(reports),
                        "refused": sum(bool(report.refused) for report in reports),
                    }
                )

        def part() -> None:
            roster.abandon()
            sum_up()

        def take_over_workspaces(settings: Settings) -> Iterable[str]:
            renewed = _chosen(settings, workspace)
            roster.reload(renewed)
            return renewed

        def watch() -> None:
            if heard.tell():
                notifier.reloading()
                reload(opened, config, take_over_workspaces)
                take_over(console_settings(opened.settings.console, console, listen))
                notifier.ready(roster.status())

        with ending_in_time(stop, part, exits.OK), closing(roster):
            # Whoever serves already has the console's address too, and is the better answer.
            roster.claim(served)
            beside = console_settings(opened.settings.console, console, listen)
            with (
                console_beside(
                    beside, lambda: dict(roster.contexts), opened.words
                ) as take_over,
                watching(lambda: roster.contexts),
            ):
                roster.open(served)
                serve_roster(roster, stop, watch=watch, notifier=notifier)
        sum_up()


def _chosen(settings: Settings, workspace: str | None) -> dict[str, Workspace]:
    """Return the workspaces that a daemon is to serve: the one named, or all; raises `ConfigError` when there is none."""
    if workspace is None and settings.workspaces:
        return dict(settings.workspaces)
    return dict([choose(settings, workspace)])


def console_settings(
    configured: ConsoleSettings | None, is_wanted: bool, listen: str
) -> ConsoleSettings | None:
    """Return how the console is to be served, None when it is not; raises `ConfigError` for an address that is none."""
    if listen:
        given = (configured or ConsoleSettings()).model_dump() | {"listen": listen}
        try:
            return ConsoleSettings.model_validate(given)
        except ValidationError:
            reason = tell("must be HOST:PORT, such as 127.0.0.1:8787")
            raise misuse("--listen", reason) from None
    return configured or (ConsoleSettings() if is_wanted else None)


@contextmanager
def console_beside(
    settings: ConsoleSettings | None,
    contexts: Callable[[], Mapping[str, Context]],
    words: Words,
) -> Iterator[Callable[[ConsoleSettings | None], None]]:
    """Serve the console where it is wanted, and yield what takes its new settings over; only then it is loaded, which
    takes as long as a small cycle."""
    if settings is None:
        yield _miss_console
        return
    open_console = import_module("worker.cli.console").open_console
    with open_console(settings, contexts, words) as take_over:
        yield take_over


def _miss_console(renewed: ConsoleSettings | None) -> None:
    if renewed is not None:
        log.warning("configuration.needs_restart", setting="console")


def trigger(
    scope: ScopeArgument = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full/--delta",
            help=message("Read everything, or only what changed (default)."),
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=message("Plan only; write nothing."))
    ] = False,
    who: Annotated[
        str,
        typer.Option(
            metavar=message("WHO"),
            help=message("Who asks (the user of this machine if left out)."),
        ),
    ] = "",
    wait: Annotated[
        float,
        typer.Option(
            metavar=message("SECONDS"),
            min=0,
            help=message("Seconds to wait for the answer (0: do not wait)."),
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Ask a running daemon for a run now; joins one that is under way."""
    with (
        session(config, as_json=as_json, create=False) as opened,
        context_of(opened, workspace) as context,
    ):
        order = Order(scope, full=full, dry_run=dry_run)
        asked = ask_cycle(context, order, Asker(who or getuser(), Source.CLI))
        request, run = _await_answer(context, asked.id, wait)
        opened.say(
            _request_in_words(request, run, asked, opened.words),
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
                opened.words.say(
                    "Run {run}: {status}. {reason}",
                    run=request.run_id,
                    status=opened.words.say(STATES[request.state]),
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
