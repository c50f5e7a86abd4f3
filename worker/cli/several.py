"""One command over several workspaces: each is told by itself, and what one fails at stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import RenderableType

from worker.app.settings import Settings, choose
from worker.cli import exits, prose, show
from worker.cli.session import Session
from worker.domain.messages import message
from worker.errors import RaylineError

WORST_FIRST = (
    exits.BUG,
    exits.USAGE,
    exits.REFUSED,
    exits.FAILED,
    exits.BUSY,
    exits.PENDING,
)
AllOption = Annotated[
    bool,
    typer.Option(
        "--all", help=message("All workspaces, as a list even where there is one.")
    ),
]


class Told(NamedTuple):
    """What a command has to say of one workspace: for people, as data, and with which code it ends."""

    view: RenderableType
    data: Any
    code: int = exits.OK


def over_workspaces(
    opened: Session,
    workspace: str | None,
    step: Callable[[str], Told],
    *,
    every: bool = False,
) -> None:
    """Take a step in the workspace that is named, or in each where none is, and say what it told.

    Several are one object `{"workspaces": [...]}` in JSON. Raises `typer.Exit` with the worst code of all.
    """
    names = _named(opened.settings, workspace)
    if len(names) == 1 and not every:
        told = step(names[0])
        opened.say(told.view, lambda: told.data)
        _end([told.code])
        return

    parts = []
    for name in names:
        part = _guarded(opened, name, step)
        parts.append(part)
        if not opened.as_json:
            show.console().print(part.view)
    if opened.as_json:
        show.print_json({"workspaces": [part.data for part in parts]})
    _end(part.code for part in parts)


def _named(settings: Settings, workspace: str | None) -> list[str]:
    if workspace is None and settings.workspaces:
        return list(settings.workspaces)
    name, _ = choose(settings, workspace)
    return [name]


def _guarded(opened: Session, name: str, step: Callable[[str], Told]) -> Told:
    """Take a step; an error of the kinds that are told is what is told of this workspace."""
    try:
        return step(name)
    except RaylineError as error:
        sentence = prose.explain(error, opened.words)
        data = {"workspace": name, **prose.error_data(error, opened.words)}
        code = exits.exit_code(error)
    if opened.as_json:
        show.console(stderr=True).print(f"{name}: {sentence}", style="red")
    return Told(f"{name}: {sentence}", data, code)


def _end(codes: Iterable[int]) -> None:
    ended = set(codes)
    worst = next((code for code in WORST_FIRST if code in ended), exits.OK)
    if worst:
        raise typer.Exit(worst)
