"""`console`: the console by itself, where others do the work: a fleet, daemons elsewhere, or a timer.

It reads the state, and what is asked for in it waits there for whoever works on the workspace.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Annotated

import structlog
import typer

from worker.app.build import Surroundings, build_context
from worker.app.settings import Settings
from worker.cli import exits, show
from worker.cli.console import open_console
from worker.cli.cycles import console_settings
from worker.cli.session import ConfigOption, JsonOption, reload, session
from worker.cli.signals import ending_in_time, hear_signals, stop_on_signals
from worker.config import ConsoleSettings, Workspace
from worker.cycle.context import Context
from worker.domain.messages import message
from worker.state.store import Store

log = structlog.get_logger("worker.web")
POLL = 0.2


class Shown:
    """The workspaces that the console shows, as they are configured now. Changed by one thread, read by others."""

    def __init__(self, store: Store, stop: threading.Event) -> None:
        self._store = store
        self._around = Surroundings(stop=stop)
        self.contexts: Mapping[str, Context] = {}

    def serve(self, settings: Settings) -> Iterable[str]:
        """Show what a configuration names, and return its workspaces."""
        self.take_over(settings.workspaces)
        return settings.workspaces

    def take_over(self, workspaces: Mapping[str, Workspace]) -> None:
        """Show these workspaces and no others; raises `ConfigError`, and shows what it did, when one cannot be."""
        renewed = {}
        for name, settings in workspaces.items():
            known = self.contexts.get(name)
            if known is None or known.settings != settings:
                known = build_context(name, settings, self._store, self._around)
            renewed[name] = known
        self.contexts = renewed


def console(
    config: ConfigOption = None,
    listen: Annotated[
        str,
        typer.Option(
            metavar=message("HOST:PORT"), help=message("Where the console listens.")
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Serve the console alone, beside a fleet or daemons on the same state, until SIGTERM."""
    stop = stop_on_signals()
    heard = hear_signals()
    with session(config, as_json=as_json) as opened:
        shown = Shown(opened.store, stop)
        shown.take_over(opened.settings.workspaces)
        served = _settings(opened.settings, listen)
        with (
            ending_in_time(stop, lambda: None, exits.OK),
            open_console(served, lambda: shown.contexts, opened.words) as take_over,
        ):
            log.info("console.started", workspaces=sorted(shown.contexts))
            while not stop.wait(POLL):
                if heard.tell():
                    renewed = reload(opened, config, shown.serve)
                    if renewed is not None:
                        take_over(_settings(renewed, listen))
            log.info("console.stopped")
        if as_json:
            show.print_json({"workspaces": sorted(shown.contexts)})


def _settings(settings: Settings, listen: str) -> ConsoleSettings:
    return console_settings(settings.console, True, listen) or ConsoleSettings()
