"""Which commands there are and where each stands. A command's module is loaded when the command is called.

Other distributions add theirs by an entry point `rayline.commands` that names such a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

GROUP = "rayline.commands"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the function as `module:name`, and the first line of its help."""

    target: str
    help: str

    def load(self) -> Callable[..., None]:
        """Return the function."""
        module, _, name = self.target.partition(":")
        function: Callable[..., None] = getattr(import_module(module), name)
        return function


OWN: Mapping[str, Entry] = {
    "init": Entry(
        "worker.cli.init:init",
        "Write a configuration if there is none, verify both sides, and create or adopt the boards in Notion.",
    ),
    "check": Entry(
        "worker.cli.look:check",
        "Check configuration, mappings, credentials, access, schema drift and unmatched cards; says all at once.",
    ),
    "plan": Entry(
        "worker.cli.cycles:plan", "Show what would be written and why; never writes."
    ),
    "sync": Entry(
        "worker.cli.cycles:sync_command",
        "Run one cycle of each workspace (or of one): plan, check the limits, apply.",
    ),
    "run": Entry(
        "worker.cli.cycles:run",
        "Run as a daemon: cycles on a schedule, all workspaces (or one), until SIGTERM; --json sums up at the end.",
    ),
    "fleet": Entry(
        "worker.cli.fleet:fleet",
        "Work on the cycles of all workspaces beside any number of other machines, by a queue in PostgreSQL.",
    ),
    "console": Entry(
        "worker.cli.console_alone:console",
        "Serve the console alone, beside a fleet or daemons on the same state, until SIGTERM.",
    ),
    "trigger": Entry(
        "worker.cli.cycles:trigger",
        "Ask a running daemon for a cycle now; joins one under way.",
    ),
    "pause": Entry(
        "worker.cli.pausing:pause",
        "Have the daemon leave a workspace alone: no beats, no requests, until it is over or resumed.",
    ),
    "resume": Entry(
        "worker.cli.pausing:resume",
        "End a pause; what people asked for meanwhile is answered.",
    ),
    "undo": Entry(
        "worker.cli.undoing:undo_command",
        "Take a run back: show what would go back to what stood before, with --apply do it and pause the workspace.",
    ),
    "status": Entry(
        "worker.cli.look:status",
        "Show the last and next runs, who is at work, what waits and which problems stand.",
    ),
    "runs": Entry(
        "worker.cli.look:runs_command",
        "List the latest runs, or show one with its plan.",
    ),
    "feed": Entry(
        "worker.cli.feed:feed",
        "Show the secret addresses of calendars: birthdays, what ends and meetings, by account manager and by unit.",
    ),
    "explain": Entry(
        "worker.cli.look:explain",
        "Say why a row's fields have the values the worker gives them: rule, inputs, formula, threshold.",
    ),
    "state": Entry(
        "worker.cli.state:state",
        "Check the state: its file, its tables, what each row holds, what runs left behind; says what to do.",
    ),
    "backup": Entry(
        "worker.cli.state:backup",
        "Write a consistent copy of the state into a file while everybody works, and look it through.",
    ),
    "restore": Entry(
        "worker.cli.state:restore_command",
        "Put a copy in the place of the state; the one that stood there is kept aside.",
    ),
}


def known_commands() -> dict[str, Entry]:
    """Return all commands by name: those of others first, since they show the way in."""
    entries: dict[str, Entry] = {}
    for point in entry_points(group=GROUP):
        entries.update(point.load())
    return {**entries, **OWN}


class LazyCommand(TyperCommand):
    """A command that is listed by its help alone, and loaded when it is called."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.help, short_help=entry.help)
        self._entry = entry

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Load the command and let it read its arguments."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> TyperCommand:
        """Return the command itself."""
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(self.name)(self._entry.load())
        command = typer.main.get_command(alone)
        if not isinstance(command, TyperCommand):
            raise TypeError(f"{self.name} is not one command")
        return command


class Commands(TyperGroup):
    """The commands of this program and of whatever adds to it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(known_commands())

    def get_command(self, ctx: Any, cmd_name: str) -> LazyCommand | None:
        """Return a command that loads itself, None for a name that is not known."""
        entry = known_commands().get(cmd_name)
        return LazyCommand(cmd_name, entry) if entry else None
