"""`import`: a table of revenue, people or contacts made into rows, looked at first."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from enum import StrEnum
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from worker.cli import exits
from worker.cli.prose import line
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    Session,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.signals import stop_on_signals
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.importing import Delivery, bring_in, plan_import
from worker.cycle.report import problem_data
from worker.domain.messages import Text, literal, message, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, RenderedProblem, Severity
from worker.mapping.likeness import NEARLY, likeness
from worker.mapping.schema import Source
from worker.mapping.spreadsheet import LARGEST, Dates, Decimals, Unclear, read_grid
from worker.mapping.synonyms import PartWords, load_synonyms
from worker.plan.intake import RULE, Intake, Manner, find_columns
from worker.plan.plan import canonical

SHOWN = 20
"""How many rows, and how many faults, are shown one by one."""


class Part(StrEnum):
    """What may be brought in."""

    REVENUE = "revenue"
    PEOPLE = "people"
    CONTACTS = "contacts"


def import_command(
    part: Annotated[
        Part,
        typer.Argument(
            metavar=message("BOARD"), help=message("'revenue', 'people' or 'contacts'.")
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar=message("FILE"),
            help=message("A table saved as CSV; its first line names the columns."),
        ),
    ],
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help=message("Make the rows; else only show what would be made.")
        ),
    ] = False,
    dates: Annotated[
        Dates | None,
        typer.Option(
            "--dates",
            metavar=message("ORDER"),
            help=message("Which number of a date is the day: 'dmy' or 'mdy'."),
        ),
    ] = None,
    decimals: Annotated[
        Decimals | None,
        typer.Option(
            "--decimals",
            metavar=message("MARK"),
            help=message("What stands before the cents: 'comma' or 'point'."),
        ),
    ] = None,
    encoding: Annotated[
        str,
        typer.Option(
            "--encoding",
            metavar=message("NAME"),
            help=message(
                "The encoding of the file, such as 'cp1251'; found out when left out."
            ),
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Bring in a table of revenue, people or contacts: show which rows would be made, or make them."""
    stop = stop_on_signals()
    order = CycleRequest(Mode.FULL, RULE, who=getuser())
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace, stop=stop) as context,
    ):
        delivery = _read(
            context, file, part.value, Manner(dates, decimals), encoding=encoding
        )
        if not apply:
            drawn = plan_import(context, order, delivery)
            intake = drawn.intake
            _say(opened, context, delivery, intake, drawn.refused, {"written": False})
            refused, failed = drawn.refused, tuple[RenderedProblem, ...]()
        else:
            report, intake = bring_in(context, order, delivery)
            refused, failed = report.refused, report.failures()
            _say(
                opened,
                context,
                delivery,
                intake,
                refused or failed,
                {"written": not refused, **report.data()},
            )
        if intake.faults:
            raise typer.Exit(exits.USAGE)
        if refused:
            raise typer.Exit(exits.REFUSED)
        if failed:
            raise typer.Exit(exits.FAILED)


def _read(
    context: Context, file: Path, part: str, manner: Manner, *, encoding: str
) -> Delivery:
    """Return the file; raises `ConfigError` when it cannot be read."""
    words = load_synonyms().get(part, PartWords())
    names = [
        name
        for prop in context.schema.sources[part].properties.values()
        for name in words.of_column(prop)
    ]
    try:
        with file.open("rb") as opened:
            body = opened.read(LARGEST + 1)
        grid = read_grid(
            body, lambda header: likeness(header, names) >= NEARLY, encoding
        )
    except OSError as error:
        reason = tell("cannot be read: {error}", error=say_os_error(error))
        raise _refusal(file, reason, tell("look at its name and its rights")) from None
    except Unclear as unclear:
        raise _refusal(file, unclear.reason, unclear.hint) from None
    return Delivery(part, grid, words, manner)


def _refusal(file: Path, reason: Text, hint: Text) -> ConfigError:
    problem = Problem(
        code=Code.IMPORT_FILE,
        where=literal(file),
        message=reason,
        hint=hint,
        severity=Severity.ERROR,
    )
    return ConfigError([problem])


def _say(
    opened: Session,
    context: Context,
    delivery: Delivery,
    intake: Intake,
    faults: tuple[RenderedProblem, ...],
    outcome: dict[str, Any],
) -> None:
    """Tell what a file comes to, and what came of it."""
    data = {
        "board": delivery.part,
        "encoding": delivery.grid.encoding,
        "rows": len(intake.changes),
        "standing": intake.standing,
        "sums": _sums(intake, context.settings.currency),
        "left_out": list(intake.left_out),
        "faults": [problem_data(fault) for fault in faults],
        **outcome,
    }
    is_written = outcome["written"]
    opened.say(
        Group(*_lines(context, delivery, intake, faults, is_written=is_written)),
        lambda: data,
    )


def _sums(intake: Intake, usual: str) -> dict[str, str]:
    """Return the sum of the new amounts by currency; what names none is in the workspace's own."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in intake.sums.items():
        sums[currency or usual] += amount
    return {currency: canonical(amount) for currency, amount in sorted(sums.items())}


def _lines(
    context: Context,
    delivery: Delivery,
    intake: Intake,
    faults: tuple[RenderedProblem, ...],
    *,
    is_written: bool,
) -> list[RenderableType]:
    words = context.words
    source = context.schema.sources[delivery.part]
    lines = [_columns(delivery, source, words), *_left_out(intake, words)]
    lines += [f"  {change.title}" for change in intake.changes[:SHOWN]]
    hidden = len(intake.changes) - SHOWN
    if hidden > 0:
        lines.append(words.say("  and {count} more", count=hidden))
    count = len(intake.changes)
    board = source.title[words.locale]
    lines.append(
        words.say(
            "New rows on “{board}”: {count}; there already: {standing}",
            board=board,
            count=count,
            standing=intake.standing,
        )
    )
    lines += [
        words.say(
            "Sum of the new rows: {amount} {currency}", amount=amount, currency=currency
        )
        for currency, amount in _sums(intake, context.settings.currency).items()
    ]
    lines += [line(fault) for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(words.say("  and {count} more", count=len(faults) - SHOWN))
    lines.append(_ending(words, is_written=is_written, has_faults=bool(faults)))
    return [*lines]


def _columns(delivery: Delivery, source: Source, words: Words) -> str:
    found = find_columns(delivery.grid.headers, source, delivery.words)
    pairs = [
        f"{delivery.grid.headers[number]} → {prop.label[words.locale]}"
        for number, prop in sorted(found.items())
    ]
    return words.say("Columns: {pairs}", pairs=", ".join(pairs))


def _left_out(intake: Intake, words: Words) -> list[str]:
    if not intake.left_out:
        return []
    names = ", ".join(intake.left_out)
    return [
        words.say(
            "Left out, since no column of the board is called so: {names}", names=names
        )
    ]


def _ending(words: Words, *, is_written: bool, has_faults: bool) -> str:
    if is_written and has_faults:
        return words.say(
            "Run the command again in some minutes: what is not certain is looked up, and nothing is made twice."
        )
    if is_written:
        return words.say("Written.")
    if has_faults:
        return words.say("Nothing was written: mend the file first.")
    return words.say(
        "Nothing was written. The same command with --apply makes the rows."
    )
