"""`init`: from nothing to a workspace: asks what is missing, verifies both sides, creates or adopts the boards."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from worker.app.settings import DEFAULT_FILE, find_file
from worker.cli import show
from worker.cli.entry import ConfigOption, JsonOption, WorkspaceOption, app, context_of, fail, session
from worker.cycle import Context
from worker.domain.words import Words
from worker.errors import ConfigError, Problem, Severity
from worker.mapping.schema import Bindings
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry

# key, question, whether it is a secret, default
QUESTIONS: tuple[tuple[str, str, bool, str], ...] = (
    ("locale", "Language of the boards (en, ru)", False, "en"),
    ("time_zone", "Time zone", False, "Europe/Moscow"),
    ("currency", "Currency", False, "RUB"),
    ("country", "Country whose holidays count", False, "RU"),
    ("root_page_id", "Id of the Notion page shared with the connection", False, ""),
    ("private_root_page_id", "Id of a page that few people share, for feedback and bonuses (empty: none)", False, ""),
    ("notion_token", "Notion token", True, ""),
    ("base_url", "Jira address", False, "https://your-site.atlassian.net"),
    ("email", "E-mail of the Jira account (empty for Data Center)", False, ""),
    ("jira_token", "Jira token", True, ""),
)


@app.command()
def init(config: ConfigOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Write a configuration if there is none, verify both sides, and create or adopt the boards in Notion."""
    file = find_file(config)
    if file is None or not file.exists():
        file = file or Path(DEFAULT_FILE)
        _ask(file, as_json=as_json)
    with session(file, as_json=as_json) as opened, context_of(opened, workspace) as context:
        bot, site = context.notion.me(), context.jira.site()
        bindings = _create(context)
        data = {"workspace": context.name, "notion": str(bot.get("name") or bot["id"]), "jira": site.account,
                "databases": {name: binding.database_id for name, binding in sorted(bindings.items())}}
        say = context.words.say
        title = say("Workspace {workspace} is ready: now try {command}", workspace=context.name, command="rayline plan")
        headings = say("data source"), say("database")
        opened.say(show.table_view(title, headings, data["databases"].items()), lambda: data)


def _create(context: Context) -> Bindings:
    with context.store.reading(context.name) as tx:
        known = registry.load(tx)
    notion = context.settings.notion
    bindings = create_workspace(
        context.notion, context.schema, parent_page_id=notion.root_page_id, locale=context.settings.locale,
        private_page_id=notion.private_root_page_id, known=known, progress=context.progress)
    with context.store.transaction(context.name) as tx:
        registry.save(tx, bindings)
    return bindings


def _ask(file: Path, *, as_json: bool) -> None:
    """Ask for what is needed and write it: secrets into files of their own, all readable by the owner alone."""
    try:
        answers = {key: _answer(text, default, is_secret=is_secret) for key, text, is_secret, default in QUESTIONS}
    except typer.Abort:
        fail(ConfigError([Problem("config", str(file), "", "there is no configuration and nobody to ask",
                                  "copy config.example.toml, or run rayline init on a terminal",
                                  severity=Severity.ERROR)]), as_json=as_json, words=Words())
    folder = file.parent / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    for side in ("notion", "jira"):
        _write(folder / f"{side}-token", answers[f"{side}_token"])
    _write(file, render(answers, folder))


def _answer(text: str, default: str, *, is_secret: bool) -> str:
    """Return what is typed, secrets unseen on a terminal; questions go to stderr so that stdout stays one object."""
    hide = is_secret and sys.stdin.isatty()
    return str(typer.prompt(text, default=default, hide_input=hide, show_default=not is_secret, err=True))


def render(answers: dict[str, str], folder: Path) -> str:
    """Return the configuration file for the answers; it holds no secret."""
    deployment = "cloud" if answers["email"] else "datacenter"
    email = f'email = "{answers["email"]}"\n' if answers["email"] else ""
    private = f'private_root_page_id = "{answers["private_root_page_id"]}"\n' if answers["private_root_page_id"] else ""
    return f"""\
state = "sqlite:///state/rayline.db"

[workspaces.studio]
locale = "{answers["locale"]}"
time_zone = "{answers["time_zone"]}"
currency = "{answers["currency"]}"

[workspaces.studio.calendar]
country = "{answers["country"]}"

[workspaces.studio.notion]
root_page_id = "{answers["root_page_id"]}"
{private}token_file = "{folder / "notion-token"}"

[workspaces.studio.jira]
deployment = "{deployment}"
base_url = "{answers["base_url"]}"
{email}token_file = "{folder / "jira-token"}"
"""


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
