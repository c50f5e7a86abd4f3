"""Loading the configuration: one TOML file, then the environment over it, then secrets from files.

Everything wrong is collected and said at once, with file and key, before anything else happens (borgmatic's habit).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from rapidfuzz import process
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from worker.config import (
    Alerts,
    ConsolePerson,
    ConsoleSettings,
    JiraSettings,
    NotionSettings,
    Webhooks,
    Workspace,
)
from worker.domain.messages import NOTHING, Text, literal, message, tell
from worker.domain.os_errors import say_os_error
from worker.domain.validation import say_fault
from worker.errors import Code, ConfigError, Problem, Severity
from worker.http.route import proxy_of_environment, read_certificates
from worker.toml import BadToml, check_size, read_toml
from worker.world.calendar import find_fault

PREFIX = "RAYLINE_"
DEFAULT_FILE = "rayline.toml"
STATE_HINT = tell("sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME")
Side = TypeVar("Side", NotionSettings, JiraSettings)
CONFIGURATION = tell("configuration")
NOTHING_HERE = tell(
    "no rayline.toml here: run `rayline init`, or `make demo` to look first"
)
OWN_VARIABLES = frozenset({"RAYLINE_CONFIG", "RAYLINE_LANG", "RAYLINE_LOG"})


class Settings(BaseSettings):
    """The whole configuration. `state` is a database URL (perhaps with a password); its folder is made on first use, and
    its path counts from the configuration file's folder."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    state: SecretStr = SecretStr("sqlite:///state/rayline.db")
    workspaces: dict[str, Workspace] = Field(default_factory=dict)
    console: ConsoleSettings | None = None
    alerts: Alerts | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let nothing speak but what `check_settings` puts together: the environment over the file."""
        return (init_settings,)


def find_file(given: Path | None) -> Path | None:
    """Return the configuration file: the one given, `RAYLINE_CONFIG`, or `rayline.toml` here."""
    if given is not None:
        return given
    named = os.environ.get("RAYLINE_CONFIG")
    if named:
        return Path(named)
    here = Path(DEFAULT_FILE)
    return here if here.exists() else None


@dataclass(frozen=True, slots=True)
class Source:
    """Where settings come from: a file with its data, if there is one, and the environment over it."""

    path: Path | None
    data: Mapping[str, Any]
    environment: Mapping[str, Any]

    @property
    def home(self) -> Text:
        """Return the place to name when a thing stands nowhere."""
        return literal(self.path) if self.path else tell("environment")

    def place(self, loc: tuple[str, ...]) -> Text:
        """Return where the value at `loc` stands: the file, or a variable."""
        return literal(str(self.path)) if self._in_file(loc) else _variable(loc)

    def path_at(self, loc: tuple[str, ...], path: Path) -> Path:
        """Return the path written at `loc`: one in the file counts from the file's own folder."""
        return (
            self.path.parent / path
            if self.path is not None and self._in_file(loc)
            else path
        )

    @property
    def folder(self) -> Path:
        """Return the folder of the file, from wherever the command was started; without a file, where it was."""
        return self.path.absolute().parent if self.path else Path.cwd()

    def _in_file(self, loc: tuple[str, ...]) -> bool:
        return (
            self.path is not None
            and _holds(self.data, loc)
            and not _holds(self.environment, loc, whole=True)
        )


def _holds(data: Any, loc: tuple[str, ...], *, whole: bool = False) -> bool:
    """Tell whether there is something at `loc`, or a value on the way to it; `whole`: no table, which may be a part."""
    for part in loc:
        if not isinstance(data, Mapping):
            return True
        if part not in data:
            return False
        data = data[part]
    return not (whole and isinstance(data, Mapping))


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings of a file and the environment; raises `ConfigError` with every problem found."""
    data = _read(path) if path is not None else {}
    return check_settings(data, path, list(_open_file(path, data)))


def check_settings(
    data: Mapping[str, Any], path: Path | None, known: Sequence[Problem] = ()
) -> Settings:
    """Return the settings of a file's data with the environment over it; raises `ConfigError` with every problem found,
    those known already among them."""
    environment, unread = _environment(data)
    source = Source(path, data, environment)
    settings, problems = _validated(_over(data, environment), source)
    problems = [*_foreign_variables(), *unread, *problems]
    spoken = {problem.field for problem in problems}
    state, unusable = _find_state(settings.state.get_secret_value(), source)
    later = [*_same_names(data, source), *unusable]
    console, more = _complete_console(settings.console, source)
    later += more
    alerts, more = _complete_alerts(settings.alerts, ("alerts",), source)
    later += more
    workspaces = {}
    for name, workspace in settings.workspaces.items():
        complete, more = _complete(workspace, ("workspaces", name), source)
        told = complete.alerts or alerts
        workspaces[name] = complete.model_copy(
            update={"alerts": told and _linked(told, console)}
        )
        later += more
    later += _shared_pages(workspaces, source)
    problems += [problem for problem in later if not _is_spoken(problem.field, spoken)]
    if path is None and not workspaces:
        problems = [_problem(NOTHING, "", NOTHING_HERE), *problems]
    if problems or known:
        raise ConfigError([*problems, *known])
    return settings.model_copy(
        update={
            "state": SecretStr(state),
            "workspaces": workspaces,
            "console": console,
            "alerts": alerts,
        }
    )


def _environment(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return what the environment sets, and which variables cannot be read.

    Variables have no small letters, so a workspace of the file is found by its name without regard to case.
    """
    environment = EnvSettingsSource(Settings)
    problems = list(_unreadable(environment))
    given = environment()
    try:
        check_size(given)
    except BadToml as error:
        raise ConfigError(
            [*problems, _problem(tell("environment"), "", error.reason)]
        ) from None

    workspaces = data.get("workspaces")
    named = given.get("workspaces")
    if isinstance(workspaces, Mapping) and isinstance(named, Mapping):
        given["workspaces"] = {
            _called(name, workspaces) or name: table for name, table in named.items()
        }
    return given, problems


def _unreadable(environment: EnvSettingsSource) -> Iterator[Problem]:
    """Take the variables that cannot be read out of the environment, and say which they are."""
    variables = environment.env_vars
    for name in sorted(name for name in variables if name.startswith(PREFIX.lower())):
        environment.env_vars = {name: variables[name]}
        try:
            environment()
        except (SettingsError, RecursionError):
            variables = {
                other: value for other, value in variables.items() if other != name
            }
            yield _problem(
                _named(name.upper()), "", tell("must be valid JSON of a few levels")
            )
    environment.env_vars = variables


def _called(name: str, workspaces: Iterable[str]) -> str | None:
    """Return the workspace of this name: exactly so, or without regard to case."""
    known = list(workspaces)
    return (
        name
        if name in known
        else next((one for one in known if one.casefold() == name.casefold()), None)
    )


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one table over another, tables within them too."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(under, value)
        else:
            merged[key] = value
    return merged


def _validated(
    merged: Mapping[str, Any], source: Source
) -> tuple[Settings, list[Problem]]:
    """Return the settings, and what is wrong with their shape.

    What is wrong is left out and the rest looked at again, so that one wrong value hides no other problem.
    """
    problems: list[Problem] = []
    while True:
        try:
            return Settings(**merged), problems
        except ValidationError as error:
            items = error.errors(include_url=False, include_input=False)
        spoken = {problem.field for problem in problems}
        problems += [
            problem
            for problem in (_from_validation(item, source) for item in items)
            if not _is_spoken(problem.field, spoken)
        ]
        for item in items:
            merged = _without(merged, _loc(item))


def _without(data: Mapping[str, Any], loc: tuple[str, ...]) -> dict[str, Any]:
    """Return the data without the deepest table or value that stands on the way to `loc`."""
    first, *rest = loc
    inner = data.get(first)
    if isinstance(inner, Mapping) and rest and rest[0] in inner:
        return {**data, first: _without(inner, tuple(rest))}
    return {key: value for key, value in data.items() if key != first}


SIBLINGS = {"token": "token_file", "proxy": "proxy_file", "email": "deployment"}
"""What seems to miss although only the key that would have told is wrong."""


def _is_spoken(key: str, spoken: Set[str]) -> bool:
    """Tell whether a key, a table that holds it, or what it hangs on has been complained about already."""
    parts = key.split(".")
    aside = ".".join([*parts[:-1], SIBLINGS.get(parts[-1], parts[-1])])
    return aside in spoken or any(
        ".".join(parts[:depth]) in spoken for depth in range(1, len(parts) + 1)
    )


def choose(
    settings: Settings, name: str | None, *, where: Text = CONFIGURATION
) -> tuple[str, Workspace]:
    """Return the workspace called `name`, or the only one; raises `ConfigError` when that is not clear."""
    if name is None and len(settings.workspaces) == 1:
        return next(iter(settings.workspaces.items()))
    found = _called(name, settings.workspaces) if name is not None else None
    if found is not None:
        return found, settings.workspaces[found]
    raise ConfigError(
        [
            _problem(
                where,
                "workspaces",
                tell("there is no workspace “{name}”", name=name)
                if name
                else tell("which workspace?"),
                _ways_to_choose(settings),
            )
        ]
    )


def _ways_to_choose(settings: Settings) -> Text:
    if not settings.workspaces:
        return tell("none is configured: add [workspaces.NAME]")
    return tell(
        "configured: {names}; name one with --workspace or add [workspaces.NAME]",
        names=", ".join(settings.workspaces),
    )


def _problem(where: Text, key: str, sentence: Text, hint: Text = NOTHING) -> Problem:
    return Problem(
        code=Code.CONFIG,
        where=where,
        field=key,
        message=sentence,
        hint=hint,
        severity=Severity.ERROR,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except OSError as error:
        raise ConfigError(
            [
                _problem(
                    literal(path),
                    "",
                    tell("cannot be read: {error}", error=say_os_error(error)),
                    tell("give the right path with --config or RAYLINE_CONFIG"),
                )
            ]
        ) from None
    except BadToml as error:
        raise ConfigError([_problem(literal(path), "", error.reason)]) from None


def _loc(item: ErrorDetails) -> tuple[str, ...]:
    return tuple(str(part) for part in item["loc"] if part != "[key]")


def _from_validation(item: ErrorDetails, source: Source) -> Problem:
    loc = _loc(item)
    # What is missing stands nowhere; the table it misses in was begun by somebody.
    where = source.place(loc[:-1] if item["type"] == "missing" else loc)
    return _problem(
        where,
        ".".join(loc),
        say_fault(item),
        _suggestion(loc) if item["type"] == "extra_forbidden" else NOTHING,
    )


def _variable(loc: tuple[str, ...]) -> Text:
    return _named(PREFIX + "__".join(part.upper() for part in loc))


def _named(variable: str) -> Text:
    return tell("environment variable {name}", name=variable)


def _suggestion(loc: tuple[str, ...]) -> Text:
    fields = _fields_at(loc[:-1])
    if not fields:
        return NOTHING
    best = process.extractOne(loc[-1], fields, score_cutoff=60)
    return (
        tell("did you mean {name}?", name=best[0])
        if best
        else tell("known here: {names}", names=", ".join(fields))
    )


def _fields_at(loc: tuple[str, ...]) -> list[str]:
    """Return the settings of the table at `loc`, none where names are people's own."""
    kind: object = Settings
    for part in loc:
        kind = _kind_beneath(kind, part)
    return list(getattr(kind, "model_fields", ()))


def _kind_beneath(kind: object, part: str) -> object:
    """Return what kind of thing stands at a name in a table, or at a key or place in many of one kind."""
    fields = getattr(kind, "model_fields", None)
    if fields is None:
        beneath = _kinds_in(kind)[-1]
    else:
        beneath = fields[part].annotation if part in fields else None
    is_choice = isinstance(beneath, UnionType)
    return _kinds_in(beneath)[0] if is_choice else beneath


def _kinds_in(kind: object) -> list[object]:
    return [one for one in get_args(kind) if one not in (Ellipsis, NoneType)] or [None]


def _foreign_variables() -> Iterator[Problem]:
    known = set(Settings.model_fields)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in OWN_VARIABLES:
            first = name.removeprefix(PREFIX).split("__")[0].lower()
            if first not in known:
                yield _problem(
                    _named(name),
                    "",
                    tell("is not a setting"),
                    tell(
                        "known: RAYLINE_STATE, RAYLINE_WORKSPACES__NAME__...; unset it or correct its name"
                    ),
                )


def _open_file(path: Path | None, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Refuse a file that holds secrets and that others can read, as ssh does with keys."""
    if path is None or not any(_secrets(data)):
        return
    mode = open_mode(path)
    if mode:
        yield _problem(
            literal(path),
            ", ".join(_secrets(data)),
            tell("holds secrets and can be read by others (mode {mode})", mode=mode),
            tell(
                "run: chmod 600 {file}, or keep the secret in a file of its own (token_file)",
                file=shlex.quote(str(path)),
            ),
        )


def open_mode(path: Path) -> str:
    """Return the mode of a file that others can read, as chmod writes it; empty when it is closed to them.

    What another user (the system's administrator, say) gives to our group is meant for us; ours alone need not be.
    """
    status = path.stat()
    own = os.name == "posix" and status.st_uid == os.getuid()
    closed_to = stat.S_IRWXO | (stat.S_IRWXG if own else 0)
    is_open = (
        os.name == "posix"
        and stat.S_ISREG(status.st_mode)
        and status.st_mode & closed_to != 0
    )
    return f"{stat.S_IMODE(status.st_mode):04o}" if is_open else ""


# As SQLAlchemy reads an address: the password goes to the first @, whatever stands in it.
_USER_PASSWORD = re.compile(r"(?<=://)([^:/@]*:)([^@]+)(?=@)")
_QUERY_PASSWORD = re.compile(
    r"([?&](?!passfile=)[^=&]*(?:pass|pwd|secret|token)[^=&]*=)([^&]+)", re.IGNORECASE
)


def passwords_of(url: str) -> list[str]:
    """Return the passwords in a database URL, before its host and in its query, as typed and as meant."""
    typed = [
        found
        for pattern in (_USER_PASSWORD, _QUERY_PASSWORD)
        for _, found in pattern.findall(url)
    ]
    return list(
        dict.fromkeys(
            shape for one in typed for shape in (one, unquote(one), unquote_plus(one))
        )
    )


def without_passwords(url: str) -> str:
    """Return a database URL that can be shown; whether it can be read does not matter."""
    return _QUERY_PASSWORD.sub(r"\1***", _USER_PASSWORD.sub(r"\1***", url))


def _secrets(data: Mapping[str, Any]) -> Iterator[str]:
    state = data.get("state")
    if isinstance(state, str) and passwords_of(state):
        yield "state"
    workspaces = data.get("workspaces")
    for name, workspace in (
        workspaces.items() if isinstance(workspaces, Mapping) else ()
    ):
        for side in ("notion", "jira"):
            table = workspace.get(side) if isinstance(workspace, Mapping) else None
            if not isinstance(table, Mapping):
                continue
            if table.get("token"):
                yield f"workspaces.{name}.{side}.token"
            proxy = table.get("proxy")
            if isinstance(proxy, str) and "@" in proxy:
                yield f"workspaces.{name}.{side}.proxy"
        yield from _secrets_of_alerts(workspace, f"workspaces.{name}.")
    yield from _secrets_of_alerts(data, "")
    console = data.get("console")
    people = console.get("people") if isinstance(console, Mapping) else None
    for name, person in people.items() if isinstance(people, Mapping) else ():
        if isinstance(person, Mapping) and person.get("token"):
            yield f"console.people.{name}.token"
    if isinstance(console, Mapping) and console.get("feed_key"):
        yield "console.feed_key"


def _secrets_of_alerts(table: object, at: str) -> Iterator[str]:
    alerts = table.get("alerts") if isinstance(table, Mapping) else None
    for key in ("targets", "heartbeat_url"):
        if isinstance(alerts, Mapping) and alerts.get(key):
            yield f"{at}alerts.{key}"


def _same_names(data: Mapping[str, Any], source: Source) -> Iterator[Problem]:
    workspaces = data.get("workspaces")
    seen: dict[str, str] = {}
    for name in workspaces if isinstance(workspaces, Mapping) else ():
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            yield _problem(
                source.home,
                f"workspaces.{name}",
                tell("differs from workspaces.{other} in capitals only", other=other),
                tell("variables could not tell them apart"),
            )


def _shared_pages(
    workspaces: Mapping[str, Workspace], source: Source
) -> Iterator[Problem]:
    """Yield the pages that are named twice, however they are written: each of two would make all rows of one again."""
    seen: dict[tuple[str, str], str] = {}
    for name, workspace in workspaces.items():
        notion = workspace.notion
        for key in ("root_page_id", "private_root_page_id"):
            page = getattr(notion, key).replace("-", "").casefold()
            at = ("workspaces", name, "notion", key)
            other = seen.setdefault((notion.base_url, page), ".".join(at))
            if page and other != ".".join(at):
                yield _at(
                    source,
                    at,
                    tell("is the page of {other} as well", other=other),
                    tell("give each workspace a page of its own, or leave one out"),
                )


def _find_state(state: str, source: Source) -> tuple[str, list[Problem]]:
    """Return the database URL with the path of a file made absolute, and what keeps it from being one.

    The library's own words may hold a piece of the password.
    """
    at = ("state",)
    try:
        url = make_url(state)
    except (ArgumentError, ValueError):
        return state, [_at(source, at, tell("is not a database URL"), STATE_HINT)]
    if "@" in (url.host or ""):
        return state, [
            _at(
                source,
                at,
                tell("holds more than one @"),
                tell("write an @ in the password as %40"),
            )
        ]
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return state, []

    place = str(source.folder / str(url.database))
    return url.set(database=place).render_as_string(hide_password=False), []


def _complete(
    workspace: Workspace, loc: tuple[str, ...], source: Source
) -> tuple[Workspace, list[Problem]]:
    """Return the workspace with its secrets read from files, and all that is missing or makes no sense."""
    notion, first = _connected(workspace.notion, (*loc, "notion"), source)
    jira, second = _connected(workspace.jira, (*loc, "jira"), source)
    mappings = _mappings(workspace, loc, source)
    alerts, third = _complete_alerts(workspace.alerts, (*loc, "alerts"), source)
    complete = workspace.model_copy(
        update={
            "notion": notion,
            "jira": jira,
            "mappings": mappings,
            "webhooks": _placed(workspace.webhooks, (*loc, "webhooks"), source),
            "alerts": alerts,
        }
    )
    unread = {f"{problem.field}".removesuffix("_file") for problem in (*first, *second)}
    gaps = [gap for gap in _gaps(complete, loc, source) if gap.field not in unread]
    nonsense = _nonsense(complete, loc, source)
    return complete, [*first, *second, *third, *gaps, *nonsense]


def _mappings(
    workspace: Workspace, loc: tuple[str, ...], source: Source
) -> Path | None:
    """Return the folder of the workspace's own mapping files: the one it names, else the usual one if it is there."""
    if workspace.mappings:
        return source.path_at((*loc, "mappings"), workspace.mappings)
    usual = usual_mappings(source.folder, loc[-1])
    return usual if usual.is_dir() else None


def usual_mappings(folder: Path, workspace: str) -> Path:
    """Return where the mapping files of a workspace stand that names no folder: beside the configuration."""
    return folder / "mappings" / workspace


def _complete_alerts(
    alerts: Alerts | None, loc: tuple[str, ...], source: Source
) -> tuple[Alerts | None, list[Problem]]:
    """Return the table with its secrets read from files, and what is wrong with them."""
    if alerts is None:
        return None, []
    problems: list[Problem] = []
    update: dict[str, object] = {}
    for secret in (TARGETS, HEARTBEAT):
        given, more = _read_secret(alerts, secret, loc, source)
        update |= given
        problems += more
    if alerts.console_url and _web(alerts.console_url) is None:
        at = (*loc, "console_url")
        problems.append(_at(source, at, tell("is not a web address")))
    return alerts.model_copy(update=update), problems


def _linked(alerts: Alerts, console: ConsoleSettings | None) -> Alerts:
    """Return the table with the address of the console, where the console's own settings tell it."""
    if alerts.console_url or console is None:
        return alerts
    if not (console.https and console.hosts):
        return alerts
    return alerts.model_copy(update={"console_url": f"https://{console.hosts[0]}"})


def _placed(table: Webhooks, loc: tuple[str, ...], source: Source) -> Webhooks:
    """Return the table with its files found from where they are named."""
    files = {
        name: source.path_at((*loc, name), path)
        for name in Webhooks.model_fields
        if (path := getattr(table, name)) is not None
    }
    return table.model_copy(update=files)


SHORTEST_TOKEN = 20
"""Signs of a token by which people sign in, or of the key of calendars: only what is made of it is shown, and a short one
could be guessed from that."""


def _complete_console(
    console: ConsoleSettings | None, source: Source
) -> tuple[ConsoleSettings | None, list[Problem]]:
    """Return the console's settings with its secrets read from files, and what is wrong with them."""
    if console is None:
        return None, []
    problems: list[Problem] = []
    people = {}
    for name, person in console.people.items():
        at = ("console", "people", name)
        given, unread = _read_secret(person, TOKEN, at, source)
        people[name] = person.model_copy(update=given)
        problems += unread or _weak(people[name].token, (*at, "token"), source)
    if console.user_header and not console.proxies:
        problems.append(
            _at(
                source,
                ("console", "user_header"),
                tell("nobody is trusted to say who comes"),
                tell("name the addresses of the proxy in console.proxies"),
            )
        )
    key, unread = _read_secret(console, FEED_KEY, ("console",), source)
    keyed = console.model_copy(update={"people": people, **key})
    short = _weak(keyed.feed_key, ("console", "feed_key"), source)
    return keyed, [*problems, *(unread or short)]


def _weak(secret: SecretStr, loc: tuple[str, ...], source: Source) -> list[Problem]:
    if 0 < len(secret.get_secret_value()) < SHORTEST_TOKEN:
        return [
            _at(
                source,
                loc,
                tell("is too short: {number} signs at least", number=SHORTEST_TOKEN),
                tell("make one with: openssl rand -hex 24"),
            )
        ]
    return []


def _connected(
    side: Side, loc: tuple[str, ...], source: Source
) -> tuple[Side, list[Problem]]:
    """Return a side with its secrets read from files and its paths found, and what of that cannot be used."""
    problems: list[Problem] = []
    update: dict[str, object] = {}
    for secret in SECRETS:
        given, more = _read_secret(side, secret, loc, source)
        update |= given
        problems += more
    if side.ca_file is not None:
        at = (*loc, "ca_file")
        update["ca_file"] = source.path_at(at, side.ca_file)
        problems += _wrong_certificates(source.path_at(at, side.ca_file), at, source)
    side = side.model_copy(update=update)
    return side, problems + list(_wrong_proxies(side, loc, source))


@dataclass(frozen=True, slots=True)
class _Secret:
    """A setting that must not be shown, or stands in a file named `NAME_file`: what it must look like, in words."""

    name: str
    fits: Callable[[str], bool]
    wrong: Text
    wrong_file: str
    hint: Text = NOTHING


def _read_secret(
    side: NotionSettings | JiraSettings | ConsolePerson | ConsoleSettings | Alerts,
    secret: _Secret,
    loc: tuple[str, ...],
    source: Source,
) -> tuple[dict[str, object], list[Problem]]:
    """Return what a secret changes in its side, and what is wrong with it; its words are never shown."""
    value = getattr(side, secret.name).get_secret_value()
    named = getattr(side, f"{secret.name}_file")
    at = (*loc, secret.name)
    if named is None:
        wrong = not secret.fits(value)
        return {}, [_at(source, at, secret.wrong, secret.hint)] if wrong else []
    if value:
        both = tell("is set beside {name}", name=f"{secret.name}_file")
        return {}, [_at(source, at, both, tell("keep one of the two"))]
    at = (*loc, f"{secret.name}_file")
    file = source.path_at(at, named)
    try:
        value = file.read_text("utf-8").strip()
        mode = open_mode(file)
    except OSError as error:
        reason = tell(
            "{file} cannot be read: {error}", file=file, error=say_os_error(error)
        )
        return {}, [_at(source, at, reason)]
    except ValueError:
        # Not UTF-8, or no path at all; its words would show what is in the file.
        reason = tell(secret.wrong_file, file=file)
        return {}, [_at(source, at, reason, secret.hint)]
    if not value:
        return {}, [_at(source, at, tell("{file} is empty", file=file))]
    if not secret.fits(value):
        reason = tell(secret.wrong_file, file=file)
        return {}, [_at(source, at, reason, secret.hint)]
    if mode:
        reason = tell(
            "{file} can be read by others (mode {mode})", file=file, mode=mode
        )
        hint = tell("run: chmod 600 {file}", file=shlex.quote(str(file)))
        return {}, [_at(source, at, reason, hint)]
    return {secret.name: SecretStr(value), f"{secret.name}_file": file}, []


def _wrong_certificates(
    file: Path, at: tuple[str, ...], source: Source
) -> Iterator[Problem]:
    try:
        read_certificates(file)
    except OSError as error:
        reason = tell(
            "{file} cannot be read: {error}", file=file, error=say_os_error(error)
        )
        yield _at(source, at, reason)
    except ValueError:
        yield _at(
            source,
            at,
            tell("{file} holds no certificates that can be read", file=file),
            tell("it must be PEM: what begins with -----BEGIN CERTIFICATE-----"),
        )


def _wrong_proxies(
    side: Side, loc: tuple[str, ...], source: Source
) -> Iterator[Problem]:
    """Yield that the variables, where they count, name a proxy that cannot be used."""
    if side.trust_env and not side.proxy.get_secret_value():
        named = proxy_of_environment(side.base_url)
        if not _is_proxy(named):
            yield _at(
                source,
                (*loc, "trust_env"),
                tell("the environment names a proxy that cannot be used"),
                PROXY_HINT,
            )


def _is_token(secret: str) -> bool:
    """Tell whether a secret can be sent in a header; nothing at all is another matter."""
    return all("!" <= sign <= "~" for sign in secret)


def _is_proxy(address: str) -> bool:
    """Tell whether an address names a proxy, with or without a name and a password; nothing at all is another matter."""
    if not address:
        return True
    if not _is_token(address) or (parts := _web(address)) is None:
        return False
    return not (parts.query or parts.fragment or parts.path.strip("/"))


def _are_targets(text: str) -> bool:
    """Tell whether each line is an address of any scheme, perhaps with `NAME =` before it, or a comment."""
    return all(TARGET.fullmatch(line.strip()) is not None for line in text.splitlines())


TARGET = re.compile(r"(?:#.*|(?:[^=/]+=\s*)?[A-Za-z][A-Za-z0-9+.-]*://\S+)?")
NO_TOKEN = tell("is not a token: one line of printable ASCII without spaces")
NO_TOKEN_IN = message(
    "{file} does not hold a token: one line of printable ASCII without spaces"
)
PROXY_HINT = tell(
    "write http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, with % and / in them as %25 and %2F"
)
TOKEN = _Secret("token", _is_token, NO_TOKEN, NO_TOKEN_IN)
FEED_KEY = _Secret("feed_key", _is_token, NO_TOKEN, NO_TOKEN_IN)
SECRETS = (
    TOKEN,
    _Secret(
        "proxy",
        _is_proxy,
        tell("is not the address of a proxy"),
        message("{file} does not hold the address of a proxy"),
        PROXY_HINT,
    ),
)

TARGETS = _Secret(
    "targets",
    _are_targets,
    tell("holds a line that is no target"),
    message("{file} holds a line that is no target"),
    tell(
        "a line is SCHEME://... as Apprise writes it, or UNIT = SCHEME://... for the pages of a unit; a comment begins with #"
    ),
)
HEARTBEAT = _Secret(
    "heartbeat_url",
    lambda url: not url or _web(url) is not None,
    tell("is not a web address"),
    message("{file} does not hold a web address"),
    tell("such as https://hc-ping.com/UUID"),
)


def _at(
    source: Source, loc: tuple[str, ...], sentence: Text, hint: Text = NOTHING
) -> Problem:
    return _problem(source.place(loc), ".".join(loc), sentence, hint)


def _gaps(
    workspace: Workspace, loc: tuple[str, ...], source: Source
) -> Iterator[Problem]:
    notion = workspace.notion
    jira = workspace.jira
    for missing, name, hint in (
        (
            not notion.token.get_secret_value(),
            "notion.token",
            _token_hint(loc, "NOTION"),
        ),
        (
            not notion.root_page_id,
            "notion.root_page_id",
            tell("the id of the page shared with the connection"),
        ),
        (
            not jira.base_url,
            "jira.base_url",
            tell("such as https://your-site.atlassian.net"),
        ),
        (not jira.token.get_secret_value(), "jira.token", _token_hint(loc, "JIRA")),
        (
            jira.deployment == "cloud" and not jira.email,
            "jira.email",
            tell("Jira Cloud wants the token's account e-mail"),
        ),
    ):
        if missing:
            yield _problem(
                source.home, ".".join((*loc, name)), tell("is missing"), hint
            )


def _token_hint(loc: tuple[str, ...], side: str) -> Text:
    """Return how to give a token; shells know no variable with a dash in its name, and `__` would part the name."""
    if re.fullmatch(r"[A-Za-z0-9_]+", loc[-1]) is None or "__" in loc[-1]:
        return tell("set token_file")
    variable = f"{PREFIX}{'__'.join(loc).upper()}__{side}__TOKEN"
    return tell("set {variable} or token_file", variable=variable)


def _nonsense(
    workspace: Workspace, loc: tuple[str, ...], source: Source
) -> Iterator[Problem]:
    if workspace.time_zone not in available_timezones():
        yield _at(
            source,
            (*loc, "time_zone"),
            tell("“{name}” is no time zone", name=workspace.time_zone),
            tell("such as Europe/Moscow"),
        )
    country = workspace.calendar.country
    fault = find_fault(country) if country else None
    if fault is not None:
        yield _at(source, (*loc, "calendar", "country"), *fault)
    for side, url in (
        ("notion", workspace.notion.base_url),
        ("jira", workspace.jira.base_url),
    ):
        yield from _wrong_address(url, (*loc, side, "base_url"), source)
    if not _is_token(workspace.jira.email):
        yield _at(
            source,
            (*loc, "jira", "email"),
            tell("is not an e-mail address of printable ASCII without spaces"),
        )
    # Not `Path.is_dir`, which raises for a name that is too long.
    if workspace.mappings and not os.path.isdir(workspace.mappings):
        yield _at(
            source,
            (*loc, "mappings"),
            tell("{folder} is not a folder", folder=workspace.mappings),
        )


def _wrong_address(url: str, loc: tuple[str, ...], source: Source) -> Iterator[Problem]:
    """Yield what is wrong with a web address; it is never shown, since what is wrong may be a secret in it."""
    if not url:
        return
    # Addresses are printed, stored and sent to proxies; and what stands behind ? or # would swallow our own paths.
    if "@" in url:
        yield _at(
            source,
            loc,
            tell("holds a user name or a password"),
            tell("leave only https://HOST/PATH and put the secret into token_file"),
        )
    elif "?" in url or "#" in url:
        yield _at(
            source,
            loc,
            tell("holds more than a host and a path"),
            tell("leave out what begins with ? or #; a secret goes into token_file"),
        )
    elif not (parts := _web(url)):
        yield _at(
            source,
            loc,
            tell("is not a web address"),
            tell("such as https://your-site.atlassian.net"),
        )
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
        yield _at(
            source, loc, tell("would send the token unencrypted"), tell("use https")
        )


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _web(url: str) -> SplitResult | None:
    """Return the parts of a web address; None when it is none."""
    if "\\" in url or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        )
    except ValueError:
        return None
    return parts if usable else None
