"""`mappings`: whether a workspace's mapping files make sense, and their shape for editors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.app.build import load_all_mappings
from worker.app.settings import choose
from worker.cli import show
from worker.cli.session import ConfigOption, JsonOption, WorkspaceOption, configured
from worker.cli.usage import misuse
from worker.domain.messages import NOTHING, message, tell
from worker.domain.words import Words
from worker.mapping.load import OVERLAY_TABLES, SourceTable, mapping_files

ActionArgument = Annotated[
    str,
    typer.Argument(
        metavar=message("ACTION"),
        help=message(
            "lint: name everything that is wrong in the mapping files; schema: print their JSON Schema for editors."
        ),
    ),
]


def mappings(
    action: ActionArgument = "lint",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the mapping files of a workspace without asking any service, or print their JSON Schema."""
    if action == "schema":
        show.print_json(schemas())
        return
    if action != "lint":
        raise misuse(action, tell("is not lint or schema"), NOTHING)
    with configured(config, as_json=as_json) as (settings, words):
        name, chosen = choose(settings, workspace)
        load_all_mappings(chosen.mappings)
        lint = _fine(name, chosen.mappings)
        if as_json:
            show.print_json(lint)
        else:
            show.console().print(_sentence(lint, words))


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of a file in `workspace/` and of the overlay, by name."""
    return {
        "workspace": SourceTable.model_json_schema(),
        "overlay": OVERLAY_TABLES.json_schema(),
    }


def _fine(workspace: str, folder: Path | None) -> dict[str, Any]:
    files = mapping_files("workspace", folder)
    return {
        "workspace": workspace,
        "folder": str(folder or ""),
        "boards": len(files),
        "problems": [],
    }


def _sentence(lint: dict[str, Any], words: Words) -> str:
    say: Callable[..., str] = words.say
    return say(
        "The mapping files make sense; boards described: {boards}; your own folder: {folder}",
        boards=lint["boards"],
        folder=lint["folder"] or "-",
    )
