"""`undo`: a run taken back, looked at first."""

from __future__ import annotations

from getpass import getuser
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from worker.cli import exits, show
from worker.cli.prose import line
from worker.cli.reader import reader_of, titles_of
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.signals import stop_on_signals
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.errands import Draft
from worker.cycle.report import Report, problem_data
from worker.cycle.undoing import plan_undo, undo
from worker.domain.messages import message
from worker.mapping.labels import label_fields
from worker.plan.plan import withheld_data
from worker.plan.undo import RULE


def undo_command(
    run_id: Annotated[
        int,
        typer.Argument(
            metavar=message("RUN"), help=message("The run, see `rayline runs`.")
        ),
    ],
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    apply: Annotated[
        str,
        typer.Option(
            metavar=message("SUM"),
            help=message(
                "Undo it now, by the plan with this checksum, and pause the workspace; else only show."
            ),
        ),
    ] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help=message("Apply the plan past the limits that would refuse it."),
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a run back: show what would be undone, or undo it and pause the workspace."""
    stop = stop_on_signals()
    order = CycleRequest(
        Mode.FULL, RULE, force=force, checksum=apply, undoes=run_id, who=getuser()
    )
    with (
        session(config, as_json=as_json, create=False) as opened,
        context_of(opened, workspace, stop=stop) as context,
    ):
        if not apply:
            drawn = plan_undo(context, order)
            opened.say(
                _plan_view(context, drawn, run_id), lambda: _data(context, drawn)
            )
            return
        report = undo(context, order)
        opened.say(_report_view(context, report), report.data)
        if report.refused:
            raise typer.Exit(exits.REFUSED)
        if report.failures():
            raise typer.Exit(exits.FAILED)


def _plan_view(context: Context, drawn: Draft, run_id: int) -> Group:
    words = context.words
    names = titles_of(drawn.world, drawn.plan, context.schema)
    refused = [
        Text(words.say("Would be refused: {reason}", reason=line(reason)), style="red")
        for reason in drawn.refused
    ]
    hint = words.say(
        "Nothing was written. rayline undo {run} --apply {checksum} takes it back and pauses the workspace.",
        run=run_id,
        checksum=drawn.plan.checksum(),
    )
    return Group(
        show.plan_view(drawn.plan, reader_of(context, words, names)),
        show.problems_view(
            label_fields(drawn.notes, context.schema, words.locale, names), words
        ),
        *refused,
        Text(hint),
    )


def _data(context: Context, drawn: Draft) -> dict[str, object]:
    return {
        **withheld_data(drawn.plan, context.schema.is_private),
        "left": [problem_data(problem) for problem in drawn.notes],
        "refused": [problem_data(reason) for reason in drawn.refused] or None,
    }


def _report_view(context: Context, report: Report) -> Group:
    view = show.report_view(report, context.words, context.schema)
    if report.refused:
        return Group(view)
    hint = context.words.say(
        "The workspace is paused, since the next run would write it again; rayline resume ends that."
    )
    return Group(view, Text(hint))
