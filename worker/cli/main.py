"""The command line itself: the group of commands, and the last place where anything can be caught."""

from __future__ import annotations

import sys
import threading
from typing import Annotated

import structlog
import typer

from worker import __version__
from worker.app import logs
from worker.cli import streams
from worker.cli.commands import Commands
from worker.domain.messages import message

BUG = 1
app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=message(
        "Rayline: one true view per client, from Jira's progress and Notion's account boards."
    ),
)


@app.callback(invoke_without_command=True)
def version(
    *,
    version: Annotated[
        bool, typer.Option("--version", help=message("Print the version."))
    ] = False,
) -> None:
    """Rayline: one true view per client, from Jira's progress and Notion's account boards."""
    if version:
        sys.stdout.write(f"rayline {__version__}\n")
        raise typer.Exit


def _tell_bug(broken: threading.ExceptHookArgs) -> None:
    """Tell through the logs what ended a thread."""
    structlog.get_logger("worker.cli").error(
        "bug", error=broken.exc_type.__name__, exc_info=broken.exc_value
    )


def main() -> None:
    """Run the command line; what nobody foresaw is told through the logs, which hold no secrets, and ends with 1."""
    streams.open_missing()
    logs.configure()
    threading.excepthook = _tell_bug
    try:
        app(prog_name="rayline")
    except Exception as error:  # noqa: BLE001 - the last place where anything can be caught
        structlog.get_logger("worker.cli").error(
            "bug", error=type(error).__name__, exc_info=True
        )
        sys.exit(BUG)
