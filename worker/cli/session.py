"""What the commands share: configuration, workspace, JSON or prose, exit codes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn

import structlog
import typer
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker.app import logs
from worker.app.build import Surroundings, build_context, open_store, secrets_of
from worker.app.settings import Settings, choose, find_file, load_settings
from worker.cli import exits, prose, show
from worker.cli.voice import voice
from worker.cycle.context import Context
from worker.cycle.phases import IDLE, PHASES
from worker.domain.messages import message
from worker.domain.words import Words
from worker.errors import ConfigError, RaylineError, StateFault, in_words
from worker.state.checking import find_damage
from worker.state.store import Store

log = structlog.get_logger("worker.cli")
Advance = Callable[[str, int, int], None]

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar=message("FILE"),
        help=message("The configuration file (rayline.toml)."),
    ),
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar=message("NAME"),
        help=message("The workspace: the NAME of its table [workspaces.NAME]."),
    ),
]
EachOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar=message("NAME"),
        help=message(
            "The workspace: the NAME of its table [workspaces.NAME] (all when left out)."
        ),
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help=message("Print one JSON object on stdout."))
]
TakeOverOption = Annotated[
    bool,
    typer.Option(
        "--take-over", help=message("Take the boards over from another installation.")
    ),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        "--answers",
        metavar=message("FILE"),
        help=message("A file of answers (TOML) in place of a person at a terminal."),
    ),
]
ScopeArgument = Annotated[
    str,
    typer.Argument(
        metavar=message("CLIENT"),
        help=message("One client: its name or page id (all clients when left out)."),
    ),
]
ClientOption = Annotated[
    str,
    typer.Option(
        "--client",
        metavar=message("CLIENT"),
        help=message("One client, as the argument CLIENT."),
    ),
]
OnlyOption = Annotated[
    str,
    typer.Option(
        "--only",
        metavar=message("RULES"),
        help=message("Some rules alone, for a careful start: 'rules=risks,progress'."),
    ),
]


@dataclass(slots=True)
class Session:
    """One command under way: the configuration, the state, and how it speaks: the language of the workspace, as soon as
    one is chosen."""

    settings: Settings
    store: Store
    as_json: bool
    words: Words = field(default_factory=Words)

    def say(self, view: RenderableType, data: Callable[[], Any]) -> None:
        """Print a view for people, or data as one JSON object."""
        if self.as_json:
            show.print_json(data())
        else:
            show.console().print(view)


def log_level(usual: str) -> str:
    """Return the least severe kind of line that is logged: what RAYLINE_LOG says, else the usual."""
    return os.environ.get("RAYLINE_LOG", usual).upper()


def reload(
    opened: Session, config: Path | None, take_over: Callable[[Settings], Iterable[str]]
) -> Settings | None:
    """Take the configuration over as it stands now, and say what is served by it: `take_over` does, and returns the
    workspaces. A bad one is told, and the old one goes on; then None is returned."""
    try:
        settings = load_settings(find_file(config))
        secrets = [*secrets_of(opened.settings), *secrets_of(settings)]
        logs.configure(secrets, level=log_level("INFO"))
        served = take_over(settings)
    except ConfigError as error:
        for problem in error.problems:
            sentence = prose.line(in_words(problem, opened.words))
            log.error("configuration.bad", problem=sentence)
        return None
    if settings.state != opened.settings.state:
        log.warning("configuration.needs_restart", setting="state")
    opened.settings = settings
    log.info("configuration.reloaded", workspaces=sorted(served))
    return settings


@contextmanager
def configured(
    config: Path | None, *, as_json: bool
) -> Iterator[tuple[Settings, Words]]:
    """Yield the configuration alone and the language to speak; errors become prose on stderr and an exit code."""
    words = voice()
    try:
        settings = load_settings(find_file(config))
        words = voice(_common_locale(settings))
        logs.configure(secrets_of(settings), level=log_level("INFO"))
        yield settings, words
    except RaylineError as error:
        fail(error, as_json=as_json, words=words)


@contextmanager
def session(
    config: Path | None,
    *,
    as_json: bool,
    create: bool = True,
    settings: Settings | None = None,
) -> Iterator[Session]:
    """Yield the configured session; errors become prose on stderr (JSON on stdout too) and an exit code.

    Without `create` a state in which nothing was kept before is an error. `settings` are those of the configuration,
    where they were loaded already.
    """
    opened = None
    words = voice()
    try:
        settings = settings or load_settings(find_file(config))
        words = voice(_common_locale(settings))
        if not settings.workspaces:
            choose(settings, None)
        logs.configure(secrets_of(settings), level=log_level("INFO"))
        store = open_store(settings.state.get_secret_value(), create=create)
        opened = Session(settings, store, as_json, words)
        with _kept(store):
            yield opened
    except RaylineError as error:
        fail(error, as_json=as_json, words=opened.words if opened else words)


@contextmanager
def _kept(store: Store) -> Iterator[None]:
    """Close a state at the end; an error that comes of its damage is raised as what it is."""
    try:
        yield
    except (RaylineError, typer.Exit):
        raise
    except Exception as error:
        fault = find_damage(store, error)
        if fault is None:
            raise
        raise fault from error
    finally:
        with suppress(StateFault):
            store.close()


def _common_locale(settings: Settings) -> str:
    """Return the language of all workspaces, if they have one."""
    locales = {workspace.locale for workspace in settings.workspaces.values()}
    return locales.pop() if len(locales) == 1 else ""


def fail(error: RaylineError, *, as_json: bool, words: Words) -> NoReturn:
    """Say an error and end with its exit code."""
    show.say_error(error, words, as_json=as_json)
    raise typer.Exit(exits.exit_code(error)) from error


@contextmanager
def context_of(
    opened: Session, workspace: str | None, *, stop: threading.Event | None = None
) -> Iterator[Context]:
    """Yield the context of one workspace, with a progress bar where a person watches."""
    name, chosen = choose(opened.settings, workspace)
    opened.words = voice(chosen.locale, chosen.currency)
    with progress(opened.words, enabled=not opened.as_json) as advance:
        around = Surroundings(stop=stop, progress=advance)
        yield build_context(name, chosen, opened.store, around)


@contextmanager
def progress(words: Words, *, enabled: bool = True) -> Iterator[Advance]:
    """Yield a function (phase, done, total) that draws a bar on stderr when it is a terminal; none while `IDLE`."""
    if not (enabled and sys.stderr.isatty()):
        yield lambda phase, done, total: None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        transient=True,
        console=show.console(stderr=True),
    ) as bar:
        task = bar.add_task(words.say("starting"), total=None)

        def advance(phase: str, done: int, total: int) -> None:
            if phase == IDLE:
                bar.stop()
                return
            if not bar.live.is_started:
                bar.start()
            label = words.say(PHASES[phase]) if phase in PHASES else phase
            # A phase is drawn when it begins, however short it is.
            is_new = bar.tasks[0].description != label
            bar.update(
                task,
                description=label,
                completed=done,
                total=total or None,
                refresh=is_new,
            )

        yield advance
