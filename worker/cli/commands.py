"""Which commands there are and where each stands. A command's module is loaded when the command is called.

Other distributions add theirs by an entry point `rayline.commands` that names such a table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from worker.cli import exits
from worker.cli.streams import ending_quietly
from worker.cli.usage import SpokenCommand, misuse, parse, see_help, write_help
from worker.cli.voice import voice
from worker.domain.messages import message, tell
from worker.errors import RaylineError

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
        message(
            "Ask for what a configuration lacks, try every answer out, write it down, and make or complete the boards in Notion."
        ),
    ),
    "adopt": Entry(
        "worker.cli.adopting:adopt",
        message(
            "Let the agency's own boards take the parts they play: propose, ask, show what would be added, write after consent."
        ),
    ),
    "mappings": Entry(
        "worker.cli.mappings:mappings",
        message(
            "Check the mapping files of a workspace without asking any service, or print their JSON Schema."
        ),
    ),
    "check": Entry(
        "worker.cli.look:check",
        message(
            "List every problem of the configuration, the access and the boards, and how to mend each."
        ),
    ),
    "plan": Entry(
        "worker.cli.cycles:plan",
        message("Show what would be written and why; never writes."),
    ),
    "sync": Entry(
        "worker.cli.cycles:sync_command",
        message("Run each workspace (or one) once: plan, check the limits, apply."),
    ),
    "run": Entry(
        "worker.cli.cycles:run",
        message(
            "Run as a daemon: all workspaces (or one) on a schedule, until SIGTERM; --json sums up at the end."
        ),
    ),
    "fleet": Entry(
        "worker.cli.fleet:fleet",
        message(
            "Work on all workspaces beside any number of other machines, by a queue in PostgreSQL."
        ),
    ),
    "console": Entry(
        "worker.cli.console_alone:console",
        message(
            "Serve the console alone, beside a fleet or daemons on the same state, until SIGTERM."
        ),
    ),
    "import": Entry(
        "worker.cli.importing:import_command",
        message(
            "Bring in a table of revenue, people or contacts: show which rows would be made, or make them."
        ),
    ),
    "match": Entry(
        "worker.cli.matching:match_command",
        message(
            "List cards without client or Jira work and people without accounts, propose which it may be, write what is accepted."
        ),
    ),
    "trigger": Entry(
        "worker.cli.cycles:trigger",
        message("Ask a running daemon for a run now; joins one that is under way."),
    ),
    "pause": Entry(
        "worker.cli.pausing:pause",
        message(
            "Have the daemon leave a workspace alone, without runs or requests, until the pause is over or ended."
        ),
    ),
    "resume": Entry(
        "worker.cli.pausing:resume",
        message("End a pause; what people asked for meanwhile is answered."),
    ),
    "undo": Entry(
        "worker.cli.undoing:undo_command",
        message(
            "Take a run back: show what would be undone, or undo it and pause the workspace."
        ),
    ),
    "status": Entry(
        "worker.cli.look:status",
        message(
            "Show the last and next runs, who is at work, what waits and which problems stand."
        ),
    ),
    "runs": Entry(
        "worker.cli.look:runs_command",
        message("List the latest runs, or show one with its plan."),
    ),
    "feed": Entry(
        "worker.cli.feed:feed",
        message(
            "Show the secret addresses of calendars: birthdays, what ends and meetings, by account manager and by unit."
        ),
    ),
    "notify": Entry(
        "worker.cli.notify:notify",
        message(
            "Show who is told when a workspace is not well and what waits to be told, or try it."
        ),
    ),
    "explain": Entry(
        "worker.cli.look:explain",
        message(
            "Say why a row's fields have the values Rayline gives them: rule, inputs, formula, threshold."
        ),
    ),
    "state": Entry(
        "worker.cli.state:state",
        message(
            "Check the state: its file, its tables, what each row holds, what runs left behind; says what to do."
        ),
    ),
    "backup": Entry(
        "worker.cli.state:backup",
        message(
            "Write a consistent copy of the state into a file while everybody works, and look it through."
        ),
    ),
    "restore": Entry(
        "worker.cli.state:restore_command",
        message(
            "Put a copy in the place of the state; the one that stood there is kept aside."
        ),
    ),
}


def known_commands() -> dict[str, Entry]:
    """Return all commands by name: those of others first, since they show the way in."""
    entries: dict[str, Entry] = {}
    for point in entry_points(group=GROUP):
        entries.update(point.load())
    return {**entries, **OWN}


class LazyCommand(SpokenCommand):
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
        alone.command(self.name, cls=SpokenCommand, help=self._entry.help)(
            self._entry.load()
        )
        command = typer.main.get_command(alone)
        if not isinstance(command, TyperCommand):
            raise TypeError(f"{self.name} is not one command")
        return command


class Commands(TyperGroup):
    """The commands of this program and of whatever adds to it: where errors of a command line become prose."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(known_commands())

    def get_command(self, ctx: Any, cmd_name: str) -> LazyCommand:
        """Return a command that loads itself; raises `ConfigError` for a name that is not known."""
        known = known_commands()
        if cmd_name in known:
            return LazyCommand(cmd_name, known[cmd_name])
        near = get_close_matches(cmd_name, known, n=1)
        hint = tell("did you mean {name}?", name=near[0]) if near else see_help(ctx)
        raise misuse(cmd_name, tell("there is no such command"), hint)

    def get_help(self, ctx: Any) -> str:
        """Return what the program is and which commands it has."""
        words = voice()
        rows = [(name, words.say(one.help)) for name, one in known_commands().items()]
        return write_help(self, ctx, words, rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let the arguments be read; raises `ConfigError` for what is wrong with them."""
        if [word for word in args if word != "--"]:
            with ending_quietly():
                return parse(super().parse_args, self, ctx, args)
        typer.echo(self.get_help(ctx), err=True)
        raise typer.Exit(exits.USAGE)

    def invoke(self, ctx: Any) -> object:
        """Run a command to its end, or to the end of who asked for it."""
        with ending_quietly():
            return super().invoke(ctx)

    def main(
        self, args: Sequence[str] | None = None, *rest: Any, **more: Any
    ) -> object:
        """Run the command line; what is wrong with it is told, and ends with its code."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            return super().main(given, *rest, **more)
        except RaylineError as error:
            # What renders errors takes longer to load than most commands need to begin.
            from worker.cli.show import say_error  # noqa: PLC0415

            say_error(error, voice(), as_json="--json" in given)
            sys.exit(exits.exit_code(error))
