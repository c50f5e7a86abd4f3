"""`feed`: at which addresses account managers and units read their calendars."""

from __future__ import annotations

from typing import Any

from worker.app.settings import CONFIGURATION, Settings
from worker.cli import show
from worker.cli.console import public_address
from worker.cli.session import ConfigOption, EachOption, JsonOption, context_of, session
from worker.cli.several import AllOption, Told, over_workspaces
from worker.config import ConsoleSettings
from worker.cycle.context import Context
from worker.domain.messages import tell
from worker.errors import Code, ConfigError, Problem, Severity
from worker.web.access import Access
from worker.web.desk import Desk
from worker.web.feed import list_calendars


def feed(
    config: ConfigOption = None,
    workspace: EachOption = None,
    every: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the secret addresses of calendars: birthdays, what ends and meetings, by account manager and by unit."""
    with session(config, as_json=as_json, create=False) as opened:
        settings = _require_key(opened.settings)

        def step(name: str) -> Told:
            with context_of(opened, name) as context:
                return _told(context, settings)

        over_workspaces(opened, workspace, step, every=every)


def _require_key(settings: Settings) -> ConsoleSettings:
    """Return the console's settings; raises `ConfigError` where no addresses can be made."""
    console = settings.console
    if console is not None and console.feed_key.get_secret_value():
        return console
    raise ConfigError(
        [
            Problem(
                code=Code.CONFIG,
                where=CONFIGURATION,
                field="console.feed_key_file",
                message=tell("names no file with the key of calendars"),
                hint=tell("make one with: openssl rand -hex 24"),
                severity=Severity.ERROR,
            )
        ]
    )


def _told(context: Context, settings: ConsoleSettings) -> Told:
    desk = Desk(lambda: {context.name: context}, settings, Access(settings.people))
    base = public_address(settings, f"http://{settings.listen}")
    rows: list[dict[str, Any]] = [
        {"name": one.owner.name, "of": one.owner.ref.source, "url": base + one.path}
        for one in list_calendars(desk, context)
    ]
    say = context.words.say
    headings = (say("name"), say("address"))
    view = show.table_view(
        say("Calendars"), headings, ((row["name"], row["url"]) for row in rows)
    )
    return Told(view, {"workspace": context.name, "calendars": rows})
