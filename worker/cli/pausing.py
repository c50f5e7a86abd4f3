"""`pause` and `resume`: a workspace that the daemon is to leave alone for a while."""

from __future__ import annotations

from datetime import timedelta
from getpass import getuser
from typing import Annotated

import typer

from worker.cli.rows import Rows
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    WorkspaceOption,
    context_of,
    session,
)
from worker.domain.messages import message
from worker.state import pauses
from worker.state.pauses import Pause


def pause(
    reason: Annotated[
        str,
        typer.Argument(
            metavar=message("REASON"), help=message("Why, for those who look.")
        ),
    ] = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    hours: Annotated[
        float,
        typer.Option(
            metavar=message("HOURS"),
            help=message("For how many hours (0: until it is resumed)."),
            min=0,
        ),
    ] = 0,
    who: Annotated[
        str,
        typer.Option(
            metavar=message("WHO"),
            help=message("Who asks (the user of this machine if left out)."),
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Have the daemon leave a workspace alone, without runs or requests, until the pause is over or ended."""
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        since = context.now()
        until = since + timedelta(hours=hours) if hours else None
        asked = Pause(who or getuser(), since, until, reason)
        with opened.store.transaction(context.name) as tx:
            pauses.pause(tx, asked)
        words = opened.words
        sentence = words.say(
            "Workspace {workspace} is paused until it is resumed.",
            workspace=context.name,
        )
        if until is not None:
            sentence = words.say(
                "Workspace {workspace} is paused until {moment}.",
                workspace=context.name,
                moment=Rows(context, words).moment(until),
            )
        opened.say(
            sentence,
            lambda: {
                "workspace": context.name,
                "by": asked.by,
                "until": until.isoformat() if until else None,
            },
        )


def resume(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a pause; what people asked for meanwhile is answered."""
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        with opened.store.transaction(context.name) as tx:
            pauses.resume(tx)
        opened.say(
            opened.words.say(
                "Workspace {workspace} is worked on again.", workspace=context.name
            ),
            lambda: {"workspace": context.name, "paused": None},
        )
