"""Where in a configuration each answer stands, and what a workspace of some answers would be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from worker.app.settings import PREFIX, Settings, check_settings
from worker.cli.interview.objections import Objection
from worker.cli.interview.questions import SECRETS, Answers
from worker.errors import ConfigError

Way = tuple[str, ...]
PLACES: Mapping[str, Way] = {
    "locale": ("locale",),
    "time_zone": ("time_zone",),
    "currency": ("currency",),
    "country": ("calendar", "country"),
    "root_page_id": ("notion", "root_page_id"),
    "private_root_page_id": ("notion", "private_root_page_id"),
    "notion_token": ("notion", "token"),
    "deployment": ("jira", "deployment"),
    "base_url": ("jira", "base_url"),
    "email": ("jira", "email"),
    "jira_token": ("jira", "token"),
    "jira_token_expires": ("jira", "token_expires"),
    "projects": ("jira", "projects"),
}
STAND_INS: Mapping[str, str] = {
    "notion_token": "-",
    "root_page_id": "0" * 32,
    "base_url": "https://jira.invalid",
    "jira_token": "-",
    "email": "-",
}
"""What stands for an answer that is not there yet, so that the others can be looked at."""


def value_of(key: str, answer: str) -> str | list[str] | date | None:
    """Return an answer as the configuration holds it; None: it is left out."""
    if not answer:
        return None
    if key == "projects":
        return answer.split(", ")
    if key == "jira_token_expires":
        return date.fromisoformat(answer)
    return answer


def variable(name: str, side: str) -> str:
    """Return the variable of the environment that holds a token."""
    return f"{PREFIX}WORKSPACES__{name.upper()}__{side.upper()}__TOKEN"


def given_token(name: str, key: str) -> str:
    """Return the token that the environment gives for a question, by itself or by its file; empty: none."""
    if key not in SECRETS:
        return ""
    place = variable(name, SECRETS[key])
    file = os.environ.get(f"{place}_FILE")
    if os.environ.get(place) or not file:
        return os.environ.get(place, "")
    with suppress(OSError, ValueError):
        return Path(file).read_text("utf-8").strip()
    return ""


def given_by_environment(name: str) -> frozenset[str]:
    """Return the questions that the environment answers: tokens."""
    return frozenset(key for key in SECRETS if given_token(name, key))


def answers_in(data: Mapping[str, Any], name: str, folder: Path) -> dict[str, str]:
    """Return the answers that stand in a file's data, as they would be given anew; tokens out of their files too."""
    table = data.get("workspaces", {}).get(name, {})
    answers = {key: _told(_at(table, way)) for key, way in PLACES.items()}
    for key, side in SECRETS.items():
        named = _at(table, (side, "token_file"))
        if named and not answers[key]:
            with suppress(OSError, ValueError):
                answers[key] = (folder / str(named)).read_text("utf-8").strip()
    return {key: text for key, text in answers.items() if text}


def _at(table: object, way: Way) -> object:
    for part in way:
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _told(value: object) -> str:
    match value:
        case None:
            return ""
        case list():
            return ", ".join(map(str, value))
        case date():
            return value.isoformat()
    return str(value)


def keys_of(error: ConfigError, name: str) -> frozenset[str]:
    """Return the questions whose answers would mend a configuration; empty when there is more to it."""
    fields = {".".join(("workspaces", name, *way)): key for key, way in PLACES.items()}
    named = [problem.field.removesuffix("_file") for problem in error.problems]
    if not all(field in fields for field in named):
        return frozenset()
    return frozenset(fields[field] for field in named)


def settings_of(
    data: Mapping[str, Any],
    file: Path,
    *,
    name: str,
    answers: Answers,
    is_whole: bool = False,
) -> Settings:
    """Return the configuration that a file's data with some answers over it would be, tokens in it; raises `Objection`
    for what an answer can mend, `ConfigError` for anything else. Unless it `is_whole`, what is not answered yet is taken
    for granted."""
    given = dict(answers) if is_whole else _completed(answers)
    try:
        return check_settings(_laid_over(data, name, given), file)
    except ConfigError as error:
        fault = error
    keys = keys_of(fault, name)
    if is_whole or not keys or not all(answers.get(key) for key in keys):
        raise fault
    first = fault.problems[0]
    raise Objection(first.message, first.hint, again=tuple(keys))


def _completed(answers: Answers) -> dict[str, str]:
    """Return answers with something for each that is not there."""
    complete = {**STAND_INS, **{key: text for key, text in answers.items() if text}}
    if answers.get("deployment") == "datacenter":
        complete.pop("email")
    return complete


def _laid_over(data: Mapping[str, Any], name: str, answers: Answers) -> dict[str, Any]:
    """Return a file's data with answers over it, tokens as they are."""
    from_outside = given_by_environment(name)
    workspaces = dict(data.get("workspaces", {}))
    table = dict(workspaces.get(name, {}))
    for key, way in PLACES.items():
        if key in from_outside:
            continue
        table = _put(table, way, value_of(key, answers.get(key, "")))
        if key in SECRETS:
            table = _put(table, (way[0], "token_file"), None)
    return {**data, "workspaces": {**workspaces, name: table}}


def _put(table: Mapping[str, Any], way: Way, value: Any) -> dict[str, Any]:
    first, *rest = way
    changed = dict(table)
    if rest:
        changed[first] = _put(changed.get(first, {}), tuple(rest), value)
    elif value is None:
        changed.pop(first, None)
    else:
        changed[first] = value
    return changed
