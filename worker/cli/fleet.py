"""`fleet`: many workspaces on many machines, by one queue in PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from worker.alerts.watch import Told, take_round, watching
from worker.app.settings import CONFIGURATION, Settings
from worker.cli import exits
from worker.cli.session import ConfigOption, JsonOption, reload, session
from worker.cli.signals import ending_in_time, hear_signals, stop_on_signals
from worker.cli.usage import require_known
from worker.domain.messages import literal, message, tell
from worker.errors import Code, ConfigError, Problem, Severity

ACTIONS = ("worker", "status")
"""What a fleet is asked: one more worker, or how it does."""


def fleet(
    action: Annotated[
        str,
        typer.Argument(
            metavar="|".join(ACTIONS),
            help=message("`worker` works until SIGTERM, `status` tells."),
        ),
    ],
    config: ConfigOption = None,
    concurrency: Annotated[
        int,
        typer.Option(
            metavar=message("NUMBER"),
            min=1,
            max=64,
            help=message("Workspaces at the same time."),
        ),
    ] = 2,
    heartbeat: Annotated[
        float,
        typer.Option(
            metavar=message("SECONDS"),
            min=0.1,
            help=message(
                "Seconds between signs of life; after three silent ones others go on with its work."
            ),
        ),
    ] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Work on all workspaces beside any number of other machines, by a queue in PostgreSQL."""
    asked = require_known("|".join(ACTIONS), action, ACTIONS)
    with session(config, as_json=as_json) as opened:
        url = _require_postgres(opened.settings)
        # The queue's library is an extra, and takes its time to load.
        from worker.fleet.queue import Queue, Rhythm  # noqa: PLC0415
        from worker.fleet.service import Fleet, run_worker  # noqa: PLC0415

        fleet = Fleet(opened.settings.workspaces, opened.store, threading.Event())
        queue = Queue(url, fleet.work(), Rhythm(heartbeat))
        watched = Told(opened.settings.workspaces, opened.store)

        def take_over(settings: Settings) -> Iterable[str]:
            fleet.take_over(settings.workspaces)
            watched.workspaces = settings.workspaces
            return settings.workspaces

        match asked:
            case "worker":
                fleet.stop = stop_on_signals()
                heard = hear_signals()

                def watch() -> None:
                    if heard.tell():
                        reload(opened, config, take_over)

                with (
                    ending_in_time(fleet.stop, fleet.abandon, exits.OK),
                    watching(watched.contexts, turn=lambda: take_round(opened.store)),
                ):
                    run_worker(fleet, queue, concurrency=concurrency, watch=watch)
            case _:
                counted = asyncio.run(queue.count())
                line = opened.words.say(
                    "Workers alive: {workers}. Workspaces waiting: {waiting}, at work: {working}.",
                    **counted,
                )
                opened.say(line, lambda: counted)


def _require_postgres(settings: Settings) -> str:
    """Return the database's address; raises `ConfigError` where a fleet cannot work."""
    url = settings.state.get_secret_value()
    if make_url(url).get_backend_name() != "postgresql":
        raise ConfigError(
            [
                Problem(
                    code=Code.STATE,
                    where=CONFIGURATION,
                    field="state",
                    message=tell("a fleet shares its state, which a file cannot be"),
                    hint=literal("postgresql+psycopg://USER@HOST/NAME"),
                    severity=Severity.ERROR,
                )
            ]
        )
    if find_spec("procrastinate") is None:
        raise ConfigError(
            [
                Problem(
                    code=Code.STATE,
                    where=literal("rayline"),
                    message=tell("the queue of a fleet is not installed"),
                    hint=tell("install rayline[fleet]"),
                    severity=Severity.ERROR,
                )
            ]
        )
    return url
