"""Loading the configuration: one TOML file, then the environment over it, then secrets from files.

Everything wrong is collected and said at once, with file and key, before anything else happens (borgmatic's habit).
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

import holidays
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from rapidfuzz import process

from worker.config import JiraSettings, NotionSettings, Workspace
from worker.errors import ConfigError, Problem, Severity

PREFIX = "RAYLINE_"
DEFAULT_FILE = "rayline.toml"
Side = TypeVar("Side", NotionSettings, JiraSettings)
OWN_VARIABLES = frozenset({"RAYLINE_CONFIG", "RAYLINE_LOG"})


class Settings(BaseSettings):
    """The whole configuration. `state` is a database URL (perhaps with a password); its folder is made on first use.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__",
                                      nested_model_default_partial_update=True)

    state: SecretStr = SecretStr("sqlite:///state/rayline.db")
    workspaces: dict[str, Workspace] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and nothing else speak."""
        return env_settings, init_settings


def find_file(given: Path | None) -> Path | None:
    """Return the configuration file: the one given, `RAYLINE_CONFIG`, or `rayline.toml` here."""
    if given is not None:
        return given
    named = os.environ.get("RAYLINE_CONFIG")
    if named:
        return Path(named)
    here = Path(DEFAULT_FILE)
    return here if here.exists() else None


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of a file and the environment; raises `ConfigError` with every problem found."""
    data = _read(path) if path is not None else {}
    try:
        settings = Settings(**data)
    except ValidationError as error:
        raise ConfigError([*_from_validation(error, path, data), *_foreign_variables(),
                           *_open_file(path, data)]) from None
    problems = [*_foreign_variables(), *_open_file(path, data)]
    workspaces = {}
    for name, workspace in settings.workspaces.items():
        workspaces[name], found = _complete(workspace, f"workspaces.{name}", str(path or "environment"))
        problems += found
    if problems:
        raise ConfigError(problems)
    return settings.model_copy(update={"workspaces": workspaces})


def choose(settings: Settings, name: str | None, *, where: str = "configuration") -> tuple[str, Workspace]:
    """Return the workspace called `name`, or the only one; raises `ConfigError` when that is not clear."""
    names = ", ".join(settings.workspaces) or "none"
    if name is None and len(settings.workspaces) == 1:
        return next(iter(settings.workspaces.items()))
    if name in settings.workspaces:
        return str(name), settings.workspaces[str(name)]
    message = f"there is no workspace {name!r}" if name else "which workspace?"
    raise ConfigError([_problem(where, "workspaces", message,
                                f"configured: {names}; name one with --workspace or add [workspaces.NAME]")])


def _problem(where: str, key: str, message: str, hint: str = "") -> Problem:
    return Problem("config", where, key, message, hint, severity=Severity.ERROR)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([_problem(str(path), "", f"cannot be read: {error.strerror}",
                                    "give the right path with --config or RAYLINE_CONFIG")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([_problem(str(path), "", f"is not valid TOML: {error}")]) from None


def _from_validation(error: ValidationError, path: Path | None, data: Mapping[str, Any]) -> Iterator[Problem]:
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        loc = tuple(str(part) for part in item["loc"])
        key = ".".join(loc)
        where = str(path) if path is not None and _stands_in(data, loc) else _variable(loc)
        if item["type"] == "extra_forbidden":
            yield _problem(where, key, "is not a setting", _suggestion(loc))
        else:
            yield _problem(where, key, item["msg"])


def _stands_in(data: Any, loc: tuple[str, ...]) -> bool:
    for depth, part in enumerate(loc):
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        else:
            return not isinstance(data, Mapping) and depth == len(loc) - 1
    return True


def _variable(loc: tuple[str, ...]) -> str:
    name = PREFIX + "__".join(part.upper() for part in loc)
    return f"environment variable {name}"


def _suggestion(loc: tuple[str, ...]) -> str:
    fields = list(_fields_at(loc[:-1]))
    best = process.extractOne(loc[-1], fields, score_cutoff=60) if fields else None
    return f"did you mean {best[0]}?" if best else f"known here: {', '.join(fields)}"


def _fields_at(loc: tuple[str, ...]) -> Iterator[str]:
    model: Any = Settings
    for index, part in enumerate(loc):
        if model is Settings and part == "workspaces":
            continue
        model = Workspace if index == 1 else model.model_fields[part].annotation if part in model.model_fields else None
        if not hasattr(model, "model_fields"):
            return
    yield from model.model_fields


def _foreign_variables() -> Iterator[Problem]:
    known = set(Settings.model_fields)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in OWN_VARIABLES:
            first = name.removeprefix(PREFIX).split("__")[0].lower()
            if first not in known:
                yield _problem(f"environment variable {name}", "", "is not a setting",
                               f"known: {PREFIX}STATE, {PREFIX}WORKSPACES__NAME__...; unset it or correct its name")


def _open_file(path: Path | None, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse a file that holds secrets and that others can read, as ssh does with keys."""
    if path is None or not any(_secrets(data)):
        return
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield _problem(str(path), ", ".join(_secrets(data)),
                       f"holds secrets and can be read by others (mode {stat.S_IMODE(mode):04o})",
                       f"run: chmod 600 {path}, or keep the secret in a file of its own (token_file)")


def has_password(url: object) -> bool:
    """Tell whether a database URL names a password."""
    return isinstance(url, str) and bool(password_of(url))


def password_of(url: str) -> str:
    """Return the password in a database URL, empty when there is none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def _secrets(data: Mapping[str, Any]) -> Iterator[str]:
    if has_password(data.get("state")):
        yield "state"
    workspaces = data.get("workspaces")
    for name, workspace in workspaces.items() if isinstance(workspaces, Mapping) else ():
        for side in ("notion", "jira"):
            table = workspace.get(side) if isinstance(workspace, Mapping) else None
            if isinstance(table, Mapping) and table.get("token"):
                yield f"workspaces.{name}.{side}.token"


def _complete(workspace: Workspace, key: str, where: str) -> tuple[Workspace, list[Problem]]:
    """Return the workspace with its secrets read from files, and all that is missing or makes no sense."""
    notion, first = _with_secret(workspace.notion, f"{key}.notion", where)
    jira, second = _with_secret(workspace.jira, f"{key}.jira", where)
    complete = workspace.model_copy(update={"notion": notion, "jira": jira})
    return complete, [*first, *second, *_gaps(complete, key, where), *_nonsense(complete, key, where)]


def _with_secret(side: Side, key: str, where: str) -> tuple[Side, list[Problem]]:
    if side.token_file is None:
        return side, []
    if side.token.get_secret_value():
        return side, [_problem(where, f"{key}.token", "is set beside token_file", "keep one of the two")]
    try:
        secret = side.token_file.read_text("utf-8").strip()
    except OSError as error:
        return side, [_problem(where, f"{key}.token_file", f"{side.token_file} cannot be read: {error.strerror}")]
    if not secret:
        return side, [_problem(where, f"{key}.token_file", f"{side.token_file} is empty")]
    return side.model_copy(update={"token": SecretStr(secret)}), []


def _gaps(workspace: Workspace, key: str, where: str) -> Iterator[Problem]:
    notion, jira = workspace.notion, workspace.jira
    variable = _variable(tuple(key.split(".")))
    for missing, name, hint in (
        (not notion.token.get_secret_value(), "notion.token", f"set {variable}__NOTION__TOKEN or token_file"),
        (not notion.root_page_id, "notion.root_page_id", "the id of the page shared with the connection"),
        (not jira.base_url, "jira.base_url", "such as https://your-site.atlassian.net"),
        (not jira.token.get_secret_value(), "jira.token", f"set {variable}__JIRA__TOKEN or token_file"),
        (jira.deployment == "cloud" and not jira.email, "jira.email", "Jira Cloud wants the token's account e-mail"),
    ):
        if missing:
            yield _problem(where, f"{key}.{name}", "is missing", hint.removeprefix("environment variable "))


def _nonsense(workspace: Workspace, key: str, where: str) -> Iterator[Problem]:
    if workspace.time_zone not in available_timezones():
        yield _problem(where, f"{key}.time_zone", f"{workspace.time_zone!r} is no time zone", "such as Europe/Moscow")
    if workspace.calendar.country not in holidays.list_supported_countries():
        yield _problem(where, f"{key}.calendar.country", f"{workspace.calendar.country!r} has no calendar",
                       "a two-letter country code such as RU, RS, DE")
    for name, url in (("notion.base_url", workspace.notion.base_url), ("jira.base_url", workspace.jira.base_url)):
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            yield _problem(where, f"{key}.{name}", "is not a web address", "such as https://example.atlassian.net")
        elif url and parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            yield _problem(where, f"{key}.{name}", "would send the token unencrypted", "use https")
    if workspace.mappings is not None and not workspace.mappings.is_dir():
        yield _problem(where, f"{key}.mappings", f"{workspace.mappings} is not a folder")
