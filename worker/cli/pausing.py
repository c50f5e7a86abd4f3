"""`pause` and `resume`: a workspace that the daemon is to leave alone for a while."""

from __future__ import annotations

from datetime import timedelta
from getpass import getuser
from typing import Annotated

import typer

from worker.cli.look import say_moment
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    WorkspaceOption,
    context_of,
    session,
)
from worker.state import pauses
from worker.state.pauses import Pause


def pause(
    reason: Annotated[str, typer.Argument(help="Why, for those who look.")] = "",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    hours: Annotated[
        float, typer.Option(help="For how long (0: until it is resumed).", min=0)
    ] = 0,
    who: Annotated[
        str, typer.Option(help="Who asks (the user of this machine if left out).")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Have the daemon leave a workspace alone: no beats, no requests, until it is over or resumed."""
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        since = context.now()
        until = since + timedelta(hours=hours) if hours else None
        asked = Pause(who or getuser(), since, until, reason)
        with opened.store.transaction(context.name) as tx:
            pauses.pause(tx, asked)
        words = context.words
        opened.say(
            words.say(
                "Workspace {workspace} is paused until {moment}.",
                workspace=context.name,
                moment=say_moment(until, context)
                if until
                else words.say("it is resumed"),
            ),
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
            context.words.say(
                "Workspace {workspace} is worked on again.", workspace=context.name
            ),
            lambda: {"workspace": context.name, "paused": None},
        )
