"""One command over several workspaces: each is told by itself, and what one fails at stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from worker.app.settings import Settings, choose
from worker.cli import exits, prose, show
from worker.cli.session import Session
from worker.domain.messages import message
from worker.errors import RaylineError

AllOption = Annotated[
    bool,
    typer.Option(
        "--all", help=message("All workspaces, as a list even where there is one.")
    ),
]


class Told(NamedTuple):
    """What a command has to say of one workspace: for people, as data, and with which code it ends; `aside` are
    sentences for stderr."""

    view: RenderableType
    data: Any
    code: int = exits.OK
    aside: Sequence[str] = ()


def over_workspaces(
    opened: Session,
    workspace: str | None,
    step: Callable[[str], Told],
    *,
    every: bool = False,
    headed: bool = False,
) -> None:
    """Take a step in the workspace that is named, or in each where none is, and say what it told.

    Several are one object `{"workspaces": [...]}` in JSON, and `headed` by their names where the views do not say them.
    Raises `typer.Exit` with the worst code of all.
    """
    names = _named(opened.settings, workspace)
    if len(names) == 1 and not every:
        told = step(names[0])
        opened.say(told.view, lambda: told.data)
        _say_aside(told)
        _end([told.code])
        return

    parts = []
    for name in names:
        part = _guarded(opened, name, step, headed=headed)
        parts.append(part)
        if not opened.as_json:
            show.console().print(part.view)
        _say_aside(part)
    if opened.as_json:
        show.print_json({"workspaces": [part.data for part in parts]})
    _end(part.code for part in parts)


def _named(settings: Settings, workspace: str | None) -> list[str]:
    if workspace is None and settings.workspaces:
        return list(settings.workspaces)
    name, _ = choose(settings, workspace)
    return [name]


def _guarded(
    opened: Session, name: str, step: Callable[[str], Told], *, headed: bool
) -> Told:
    """Take a step; an error of the kinds that are told is what is told of this workspace."""
    try:
        part = step(name)
    except RaylineError as error:
        sentence = f"{name}: {prose.explain(error, opened.words)}"
        data = {"workspace": name, **prose.error_data(error, opened.words)}
        aside = [sentence] if opened.as_json else []
        return Told(sentence, data, exits.exit_code(error), aside)
    if headed:
        heading = opened.words.say("Workspace {workspace}", workspace=name)
        return part._replace(view=Group(Text(heading, style="bold"), part.view))
    return part


def _say_aside(told: Told) -> None:
    for sentence in told.aside:
        show.console(stderr=True).print(sentence, style="red")


def _end(codes: Iterable[int]) -> None:
    code = exits.worst(codes)
    if code:
        raise typer.Exit(code)
