"""The settings of a workspace as people may see them: every value but secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from worker.config import Model, Workspace

HIDDEN = "•••"


def shown_settings(workspace: Workspace) -> dict[str, list[tuple[str, str]]]:
    """Return the settings by table, each with its name and value; what is secret only tells that it is set."""
    groups: dict[str, list[tuple[str, str]]] = {"": []}
    for name in type(workspace).model_fields:
        value = getattr(workspace, name)
        if isinstance(value, Model):
            groups[name] = list(_rows(value))
        else:
            groups[""].append((name, _text(value)))
    return groups


def _rows(table: Model, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in type(table).model_fields:
        value = getattr(table, name)
        if isinstance(value, Model):
            yield from _rows(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _text(value)


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return HIDDEN if value.get_secret_value() else "—"
        case None | "" | () | {}:
            return "—"
        case bool():
            return str(value).lower()
        case float():
            return str(value).removesuffix(".0")
        case Model():
            rows = _rows(value)
            return ", ".join(f"{name} = {text}" for name, text in rows)
        case Mapping():
            pairs = (f"{key} = {_text(part)}" for key, part in value.items())
            return ", ".join(pairs)
        case tuple() | list():
            return ", ".join(_text(part) for part in value)
    return str(value)
