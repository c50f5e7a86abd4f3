"""Setting the stage: both emulators on real sockets, a workspace made through the public API, the agency at work."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from rayline_demo.agency.generate import generate
from rayline_demo.agency.model import Agency
from rayline_demo.agency.populate import Cast, Scribe, pass_time, populate
from rayline_demo.rig import CURRENCIES, SEED, Rig
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import Running, serve
from rayline_sandbox.wire import Clock
from worker.app.build import Progress, Surroundings, build_context, open_store
from worker.config import (
    ConsolePerson,
    ConsoleSettings,
    JiraSettings,
    NotionSettings,
    Schedule,
    Webhooks,
    Workspace,
)
from worker.cycle.context import Context
from worker.errors import Stopped
from worker.mapping.schema import Bindings
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry
from worker.world.calendar import work_calendar

LONG_AGO = timedelta(days=35)
"""How much older the boards are than the first cycle, so that silence and standstill show."""
BUDGET = 180
WINDOW = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Rig):
    """A rig on real sockets, with the agency at work on it."""

    sockets: Running
    agency: Agency
    cast: Cast
    scribe: Scribe

    def close(self) -> None:
        """Stop the sockets and close the state."""
        self.sockets.stop()
        Rig.close(self)


def morning(now: datetime) -> datetime:
    """Return 9:40 in Moscow of the last working weekday: an agency is looked at when it is at work."""
    day = now
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return day.replace(hour=6, minute=40, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Staging:
    """How a demo is set: locale, folder of the state, control API, the clock's speed, and who watches."""

    locale: str
    folder: Path
    control: bool = False
    speed: float = 1.0
    start: datetime | None = None
    stop: threading.Event | None = None
    progress: Progress = lambda phase, done, total: None
    say: Callable[[str], None] = lambda text: None


def set_stage(staging: Staging) -> Stage:
    """Start the sandboxes, make the workspace through the public API and let people fill it."""
    clock = Clock(
        (staging.start or morning(datetime.now(UTC))) - LONG_AGO,
        staging.speed,
        time.monotonic,
    )
    notion = NotionSandbox(clock, seed=SEED, limit=BUDGET, window=WINDOW)
    jira = JiraSandbox(clock, seed=SEED)
    private = notion.add_private_root()
    sockets = serve(notion, jira, control=staging.control, locale=staging.locale)
    try:
        settings = workspace_settings(
            sockets,
            locale=staging.locale,
            private=private,
            webhooks=hook_files(staging.folder),
        )
        store = open_store(f"sqlite:///{staging.folder / 'rayline.db'}")
        context = build_context(
            "studio",
            settings,
            store,
            Surroundings(clock.now, staging.stop, staging.progress),
        )
        bindings = _create(context, staging)
        calendar = work_calendar(
            settings.calendar, range(clock.now().year - 1, clock.now().year + 2)
        )
        agency = generate(
            seed=SEED,
            now=clock.now() + LONG_AGO,
            locale=staging.locale,
            calendar=calendar,
        )
        _go_on(staging, "agency")
        cast = populate(agency, notion, jira, schema=context.schema, bindings=bindings)
        scribe = Scribe(notion, context.schema, bindings, cast.users[0])
        pass_time(agency, cast, scribe, clock, span=LONG_AGO)
    except BaseException:
        sockets.stop()
        raise
    epics = {issue["key"] for issue in agency.jira["issues"] if issue["type"] == "Epic"}
    return Stage(
        clock,
        notion,
        jira,
        context,
        store,
        epics,
        sockets=sockets,
        agency=agency,
        cast=cast,
        scribe=scribe,
    )


def _create(context: Context, staging: Staging) -> Bindings:
    pages = context.settings.notion
    bindings = create_workspace(
        context.notion,
        context.schema,
        parent_page_id=pages.root_page_id,
        private_page_id=pages.private_root_page_id,
        locale=staging.locale,
        progress=lambda phase, done, total: _go_on(staging, phase, done, total),
    )
    with context.transaction() as tx:
        registry.save(tx, bindings)
    return bindings


def _go_on(staging: Staging, phase: str, done: int = 0, total: int = 1) -> None:
    """Tell the watcher how far it is; raises `Stopped` when the end was asked for."""
    if staging.stop is not None and staging.stop.is_set():
        raise Stopped(f"ended before {phase}")
    staging.progress(phase, done, total)


def hook_files(folder: Path) -> Webhooks:
    """Return where the secrets stand by which the sandboxes' events are believed."""
    return Webhooks(
        notion_token_file=folder / "notion-hook", jira_secret_file=folder / "jira-hook"
    )


def workspace_settings(
    sockets: Running,
    *,
    locale: str,
    private: str = "",
    webhooks: Webhooks | None = None,
) -> Workspace:
    """Return the configuration of a workspace that lives in the sandbox."""
    where = sockets.describe()
    return Workspace(
        locale="ru" if locale == "ru" else "en",
        currency=CURRENCIES[locale],
        notion=NotionSettings(
            base_url=where["notion"]["base_url"],
            token=SecretStr(where["notion"]["token"]),
            root_page_id=where["notion"]["root_page_id"],
            private_root_page_id=private,
            requests=BUDGET,
            window=WINDOW,
        ),
        jira=JiraSettings(
            base_url=where["jira"]["base_url"],
            email=where["jira"]["email"],
            token=SecretStr(where["jira"]["token"]),
        ),
        schedule=Schedule(delta=15, quiet=15, full=300),
        webhooks=webhooks or Webhooks(),
    )


def write_configuration(
    stage: Stage, folder: Path, console: ConsoleSettings | None = None
) -> Path:
    """Write how the commands of another terminal reach this stage, closed to others as what holds tokens must be."""
    settings = stage.context.settings
    notion = settings.notion
    jira = settings.jira
    url = stage.store.engine.url
    state = url.render_as_string(hide_password=False)
    name = stage.context.name
    path = folder / "rayline.toml"
    path.touch(mode=0o600)
    path.write_text(
        f"""
state = {json.dumps(state)}

[workspaces.{name}]
locale = "{settings.locale}"
currency = "{settings.currency}"

[workspaces.{name}.notion]
base_url = "{notion.base_url}"
token = "{notion.token.get_secret_value()}"
root_page_id = "{notion.root_page_id}"
private_root_page_id = "{notion.private_root_page_id}"
requests = {notion.requests}
window = {notion.window}

[workspaces.{name}.jira]
base_url = "{jira.base_url}"
email = "{jira.email}"
token = "{jira.token.get_secret_value()}"

[workspaces.{name}.schedule]
delta = {settings.schedule.delta}
quiet = {settings.schedule.quiet}
full = {settings.schedule.full}
{_hooks_table(name, settings.webhooks)}{_console_table(console)}""",
        "utf-8",
    )
    return path


def _hooks_table(name: str, webhooks: Webhooks) -> str:
    files = webhooks.model_dump(mode="json", exclude_none=True)
    lines = [f"{key} = {json.dumps(file)}\n" for key, file in files.items()]
    return "".join((f"\n[workspaces.{name}.webhooks]\n", *lines)) if lines else ""


def _console_table(console: ConsoleSettings | None) -> str:
    if console is None:
        return ""
    key = console.feed_key.get_secret_value()
    people = (_person_table(*pair) for pair in console.people.items())
    return f"""
[console]
listen = "{console.listen}"
feed_key = "{key}"
{"".join(people)}"""


def _person_table(name: str, person: ConsolePerson) -> str:
    token = person.token.get_secret_value()
    return f"""
[console.people.{name}]
role = "{person.role}"
token = "{token}"
"""
