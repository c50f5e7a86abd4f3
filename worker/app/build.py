"""Putting a workspace together: gateways, state, schema, words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

from worker.app.settings import STATE_HINT, Settings, passwords_of, without_passwords
from worker.app.targets import secrets_of_alerts
from worker.config import Connection, NotionSettings, Workspace
from worker.cycle.context import Context
from worker.domain.messages import literal, tell
from worker.domain.os_errors import say_os_error
from worker.errors import Code, ConfigError, Problem, Severity, StateFault, Transient
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.page_sizes import PageSizes
from worker.http.route import passwords_in
from worker.http.secrets import mask
from worker.http.token import secret_from
from worker.jira.gateway import JiraGateway
from worker.locales import load_words
from worker.mapping.jira import load_jira_mapping
from worker.mapping.load import load_schema, shipped_folder
from worker.mapping.playbooks import ROLES, load_playbooks
from worker.mapping.schema import Schema
from worker.notion.gateway import NotionGateway
from worker.state.budgets import ConnectionBudget
from worker.state.processes import name_owner
from worker.state.store import NoState, Store

Progress = Callable[[str, int, int], None]


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


def open_store(url: str, *, create: bool = True) -> Store:
    """Return the state's database, opened and up to date; raises `StateFault` when it cannot be used, `ConfigError` when
    its address cannot be, and without `create` when there is none."""
    try:
        return Store(url, create=create)
    except NoState:
        raise ConfigError(
            [
                Problem(
                    code=Code.STATE,
                    where=literal(_place(url)),
                    field="state",
                    message=tell("nothing is kept here yet: no run was made with it"),
                    hint=tell("run `rayline sync` first, or correct `state`"),
                    severity=Severity.ERROR,
                )
            ]
        ) from None
    except StateFault:
        raise
    except Exception as error:
        shown = without_passwords(url) if "://" in url else "state"
        words = mask(str(error).replace(url, shown), passwords_of(url))
        reason = say_os_error(error) if isinstance(error, OSError) else literal(words)
        raise ConfigError(
            [
                Problem(
                    code=Code.STATE,
                    where=literal(shown),
                    field="state",
                    message=tell(
                        "the database cannot be opened: {reason}", reason=reason
                    ),
                    hint=STATE_HINT,
                    severity=Severity.ERROR,
                )
            ]
        ) from error


def _place(url: str) -> str:
    """Return where a database is, as people say it: the path of a file, else the address without its password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return str(parsed.database)
    return without_passwords(url)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What differs between a real run, a demo and a test: the clock, the stop signal, who watches. A clock other than the
    machine's is judged by the servers' only when told so."""

    now: Callable[[], datetime] = utc_now
    stop: threading.Event | None = None
    progress: Progress = lambda phase, done, total: None
    judges_clock: bool = False


def build_context(
    name: str,
    workspace: Workspace,
    store: Store,
    surroundings: Surroundings | None = None,
) -> Context:
    """Return everything one workspace's cycles work with."""
    around = surroundings or Surroundings()
    stop = around.stop or threading.Event()
    deadline = Deadline()
    sizes = PageSizes()
    is_machines = around.now is utc_now or around.judges_clock
    clocks = Clocks(around.now if is_machines else None)
    sleep = _until(stop)
    schema = load_schema(workspace.mappings, currency=workspace.currency)
    playbooks = load_playbooks(
        _playbooks_folder(workspace.mappings), roles=_roles(schema)
    )
    return Context(
        name=name,
        settings=workspace,
        schema=schema,
        words=load_words(workspace.locale, workspace.currency),
        store=store,
        now=around.now,
        playbooks=playbooks,
        notion=NotionGateway(workspace.notion, sleep=sleep, deadline=deadline)
        .overseen(_budget(store, workspace.notion, name), clocks)
        .sized(sizes),
        jira=JiraGateway(
            workspace.jira,
            mapping=load_jira_mapping(workspace.mappings),
            sleep=sleep,
            deadline=deadline,
            sizes=sizes,
        ).overseen(_budget(store, workspace.jira, name), clocks),
        fingerprint=_fingerprint(schema),
        owner=name_owner(),
        sizes=sizes,
        begin=lambda: deadline.restart(workspace.schedule.run_limit),
        limit=deadline.restart,
        clocks=clocks,
        stop=stop,
        progress=around.progress,
        pause=sleep if around.now is utc_now else _no_pause,
    )


@contextmanager
def open_context(
    name: str, workspace: Workspace, store: Store, surroundings: Surroundings
) -> Iterator[Context]:
    """Yield what one workspace's cycles work with, and close its connections at the end."""
    context = build_context(name, workspace, store, surroundings)
    try:
        yield context
    finally:
        context.notion.close()
        context.jira.close()


def _budget(store: Store, side: Connection, name: str) -> ConnectionBudget:
    """Return the budget of one connection, shared with all who use it; Jira grants none, but asks to wait as well."""
    token = secret_from(side.token, side.token_file).get_secret_value()
    secret = f"{side.base_url.rstrip('/')}\n{token}"
    holder = f"{name_owner()} {name}"
    limit, window = (
        (side.requests, side.window) if isinstance(side, NotionSettings) else (1, 60.0)
    )
    return ConnectionBudget(store, secret, holder, limit=limit, window=window)


def _no_pause(_seconds: float) -> None:
    """Wait for nobody: a clock that is not the machine's is one process's alone."""


def _until(stop: threading.Event) -> Callable[[float], None]:
    """Return a sleep that the end of the process cuts short: a rate limit's minute must not hold it up."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Transient("rayline", "wait", "asked to end while waiting for a turn")

    return sleep


def _playbooks_folder(given: Path | None) -> Path:
    """Return the user's folder when it has playbooks of its own, else the shipped one."""
    return (
        given
        if given is not None and (given / "playbooks.toml").is_file()
        else shipped_folder()
    )


def load_all_mappings(folder: Path | None) -> None:
    """Read every mapping file of a workspace; raises `ConfigError` with all that is wrong in any of them."""
    problems: list[Problem] = []
    roles = ROLES
    readers: tuple[Callable[[], object], ...] = (
        lambda: load_schema(folder),
        lambda: load_playbooks(_playbooks_folder(folder), roles=roles),
        lambda: load_jira_mapping(folder),
    )
    for read in readers:
        try:
            answer = read()
        except ConfigError as error:
            problems += error.problems
        else:
            roles = _roles(answer) if isinstance(answer, Schema) else roles
    if problems:
        raise ConfigError(problems)


def _roles(schema: Schema) -> frozenset[str]:
    """Return the roles people can have in this workspace."""
    people = schema.sources.get("people")
    role = people.properties.get("role") if people else None
    return frozenset(option.key for option in role.options) if role else ROLES


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret the configuration holds, for masking."""
    secrets = passwords_of(settings.state.get_secret_value())
    for workspace in settings.workspaces.values():
        for side in (workspace.notion, workspace.jira):
            secrets.append(side.token.get_secret_value())
            secrets += passwords_in(side.proxy.get_secret_value())
        secrets += secrets_of_alerts(workspace.alerts)
    if settings.console is not None:
        people = settings.console.people.values()
        secrets += [person.token.get_secret_value() for person in people]
        secrets.append(settings.console.feed_key.get_secret_value())
    return [secret for secret in secrets if secret]


def _fingerprint(schema: object) -> str:
    return blake2b(
        msgspec.json.encode(schema, order="sorted"), digest_size=8
    ).hexdigest()
