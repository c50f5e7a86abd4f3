"""`init`: from nothing to a workspace: asks what is missing, verifies both sides, creates or adopts the boards."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from msgspec.structs import replace

from worker.app.settings import DEFAULT_FILE, check_settings, find_file
from worker.cli import prose, show
from worker.cli.session import (
    ConfigOption,
    JsonOption,
    TakeOverOption,
    WorkspaceOption,
    context_of,
    fail,
    session,
)
from worker.cli.voice import voice
from worker.cycle.context import Context
from worker.cycle.ownership import claim_boards
from worker.domain.messages import NOTHING, Text, literal, message, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity, in_words
from worker.mapping.schema import Bindings
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry

# key, question, whether it is a secret, default
QUESTIONS: tuple[tuple[str, str, bool, str], ...] = (
    ("locale", message("Language of the boards (en, ru)"), False, "en"),
    ("time_zone", message("Time zone"), False, "Europe/Moscow"),
    ("currency", message("Currency"), False, "RUB"),
    (
        "country",
        message("Country or region whose holidays count, such as DE or DE-BY"),
        False,
        "RU",
    ),
    (
        "root_page_id",
        message("Id of the Notion page shared with the connection"),
        False,
        "",
    ),
    (
        "private_root_page_id",
        message(
            "Id of a page that few people share, for feedback and bonuses (empty: none)"
        ),
        False,
        "",
    ),
    ("notion_token", message("Notion token"), True, ""),
    ("base_url", message("Jira address"), False, "https://your-site.atlassian.net"),
    ("email", message("E-mail of the Jira account (empty for Data Center)"), False, ""),
    ("jira_token", message("Jira token"), True, ""),
)
SIDES = ("notion", "jira")
ALL = "all"
"""The answer that names all projects."""
# Which question is asked again when a setting is wrong.
ASKED = {
    f"workspaces.studio.{setting}": key
    for setting, key in (
        ("locale", "locale"),
        ("time_zone", "time_zone"),
        ("currency", "currency"),
        ("calendar.country", "country"),
        ("notion.root_page_id", "root_page_id"),
        ("notion.token", "notion_token"),
        ("jira.base_url", "base_url"),
        ("jira.email", "email"),
        ("jira.token", "jira_token"),
    )
}


def init(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    take_over: TakeOverOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a configuration if there is none, verify both sides, and create or adopt the boards in Notion."""
    file = find_file(config)
    is_new = file is None or not file.exists()
    file = file or Path(DEFAULT_FILE)
    if is_new:
        _ask(file, as_json=as_json)
    with (
        session(file, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        bot = context.notion.me()
        site = context.jira.server_info()
        if is_new and context.settings.jira.projects is None:
            _list_projects(context, file, opened.words)
        claim_boards(context, context.notion, take_over=take_over)
        bindings = _create(context)
        databases = {
            name: binding.database_id for name, binding in sorted(bindings.items())
        }
        data = {
            "workspace": context.name,
            "notion": bot.name or bot.id,
            "jira": site.account,
            "databases": databases,
        }
        say = opened.words.say
        title = say(
            "Workspace {workspace} is ready: now try {command}",
            workspace=context.name,
            command="rayline plan",
        )
        headings = say("data source"), say("database")
        opened.say(show.table_view(title, headings, databases.items()), lambda: data)


def _list_projects(context: Context, file: Path, words: Words) -> None:
    """Ask which projects may be read, and write them into the new configuration; without an answer all of today."""
    keys = [project.key for project in context.jira.projects().projects]
    question = words.say(
        "Jira projects that may be read, of {keys} (keys with commas; all: these, and none that come later)",
        keys=", ".join(keys) or "-",
    )
    try:
        chosen = _chosen(_answer(question, ALL, is_secret=False), keys)
        while chosen is None:
            show.say(words.say("Name keys out of that list, or {all}.", all=ALL))
            chosen = _chosen(_answer(question, ALL, is_secret=False), keys)
    except typer.Abort:
        chosen = keys
    # Jira's is the last table of what `render` writes.
    listed = ", ".join(map(_quoted, chosen))
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"projects = [{listed}]\n")


def _chosen(typed: str, keys: Sequence[str]) -> list[str] | None:
    """Return the keys that were typed, in any case and order; None when one is not there."""
    if typed.casefold() == ALL:
        return list(keys)
    wanted = [word.upper() for word in re.split(r"[\s,;]+", typed) if word]
    return sorted(set(wanted)) if set(wanted) <= set(keys) else None


def _create(context: Context) -> Bindings:
    with context.reading() as tx:
        known = registry.load(tx)
    notion = context.settings.notion
    bindings = create_workspace(
        context.notion,
        context.schema,
        parent_page_id=notion.root_page_id,
        locale=context.settings.locale,
        private_page_id=notion.private_root_page_id,
        known=known,
        progress=context.progress,
    )
    with context.transaction() as tx:
        registry.save(tx, bindings)
    return bindings


def _ask(file: Path, *, as_json: bool) -> None:
    """Ask for what is needed until it makes a configuration, and only then write it."""
    words = voice()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _keep(file, _answers(file, words))
    except OSError as error:
        reason = tell("cannot be written: {error}", error=say_os_error(error))
        fail(_refusal(file, reason), as_json=as_json, words=words)
    except ConfigError as error:
        fail(error, as_json=as_json, words=words)

    if any((folder / ".git").exists() for folder in file.absolute().parents):
        sentence = words.say(
            "{file} holds no secret, git may have it; {secrets} and {state} beside it are kept from git.",
            file=file.name,
            secrets="secrets/",
            state="state/",
        )
        sys.stderr.write(f"{sentence}\n")


def _refusal(file: Path, reason: Text, hint: Text = NOTHING) -> ConfigError:
    return ConfigError(
        [
            Problem(
                code=Code.CONFIG,
                where=literal(file),
                message=reason,
                hint=hint,
                severity=Severity.ERROR,
            )
        ]
    )


def _answers(file: Path, words: Words) -> dict[str, str]:
    """Return answers that make a configuration; raises `ConfigError` when nobody is there to ask (again)."""
    answers = {f"{side}_token": "" for side in SIDES}
    error = _refusal(
        file,
        tell("there is no configuration and nobody to ask"),
        tell("copy config.example.toml, or run rayline init on a terminal"),
    )
    asked = {key for key, *_ in QUESTIONS} - {
        f"{side}_token" for side in SIDES if _variable(side) in os.environ
    }
    while asked:
        try:
            answers |= {
                key: _answer(words.say(text), default, is_secret=is_secret)
                for key, text, is_secret, default in QUESTIONS
                if key in asked
            }
        except typer.Abort as end:
            # Ctrl-C comes as the same exception as the end of the input.
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise error from None
        problems = _wrong(file, answers)
        asked = {ASKED[problem.field] for problem in problems}
        for problem in problems:
            show.say(_objection(problem, words))
    return answers


def _objection(problem: Problem, words: Words) -> str:
    """Return what is wrong with an answer, by its question: who is asked knows no key of a file."""
    questions = {key: text for key, text, _, _ in QUESTIONS}
    question = words.say(questions[ASKED[problem.field]])
    told = in_words(problem, words)
    return prose.line(replace(told, where=question, field=""))


def _variable(side: str) -> str:
    return f"RAYLINE_WORKSPACES__STUDIO__{side.upper()}__TOKEN"


def _wrong(file: Path, answers: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with the answers; raises `ConfigError` for what no answer can mend (environment)."""
    data = tomllib.loads(render(answers, state="sqlite:///state", secrets={}))
    for side in SIDES:
        data["workspaces"]["studio"][side]["token"] = answers[f"{side}_token"]
    try:
        check_settings(data, file)
    except ConfigError as error:
        if all(
            problem.field in ASKED and problem.where == literal(file)
            for problem in error.problems
        ):
            return error.problems
        raise
    return []


def _answer(text: str, default: str, *, is_secret: bool) -> str:
    """Return what is typed, secrets unseen on a terminal; questions go to stderr so that stdout stays one object."""
    if sys.stdin.isatty():
        typed = typer.prompt(
            text,
            default=default,
            hide_input=is_secret,
            show_default=not is_secret,
            err=True,
        )
    else:
        typed = _read_line(text, "" if is_secret else default)
    return str(typed).strip().encode("utf-8", "replace").decode()


def _read_line(text: str, default: str) -> str:
    """Return the next line of what is no terminal; raises `typer.Abort` when there is none. The library's own prompt
    would write a blank on stdout."""
    sys.stderr.write(f"{text} [{default}]: " if default else f"{text}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    sys.stderr.write("\n")
    if not line:
        raise typer.Abort
    return line.strip() or default


def _keep(file: Path, answers: Mapping[str, str]) -> None:
    """Write the configuration, secrets in files of their own beside it; all are new and readable by the owner alone."""
    folder = file.parent / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / ".gitignore").exists():
        _write(folder / ".gitignore", "*\n")

    secrets = {
        side: _write_new(folder, f"{file.stem}-{side}-token", answers[f"{side}_token"])
        for side in SIDES
        if answers[f"{side}_token"]
    }
    # Two configurations side by side must not share a memory.
    text = render(
        answers,
        state=f"sqlite:///state/{file.stem}.db",
        secrets={side: f"secrets/{path.name}" for side, path in secrets.items()},
    )
    _write(file, text)


def render(
    answers: Mapping[str, str], *, state: str, secrets: Mapping[str, str]
) -> str:
    """Return the configuration file for the answers; it holds no secret, only where they are (by side)."""
    notion = {
        "root_page_id": answers["root_page_id"],
        "private_root_page_id": answers["private_root_page_id"],
        "token_file": secrets.get("notion", ""),
    }
    jira = {
        "deployment": "cloud" if answers["email"] else "datacenter",
        "base_url": answers["base_url"],
        "email": answers["email"],
        "token_file": secrets.get("jira", ""),
    }
    tables = {
        "workspaces.studio": {
            key: answers[key] for key in ("locale", "time_zone", "currency")
        },
        "workspaces.studio.calendar": {"country": answers["country"]},
        "workspaces.studio.notion": notion,
        "workspaces.studio.jira": jira,
    }
    return f"state = {_quoted(state)}\n" + "".join(
        f"\n[{name}]\n"
        + "".join(
            f"{key} = {_quoted(value)}\n" for key, value in table.items() if value
        )
        for name, table in tables.items()
    )


def _quoted(text: str) -> str:
    """Return a TOML string: JSON's, but for one sign that JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write_new(folder: Path, name: str, text: str) -> Path:
    """Write a file under the first free name: one that is there may be the only copy of somebody's token."""
    numbered = (folder / f"{name}-{number}" for number in itertools.count(2))
    path = next(
        path for path in itertools.chain([folder / name], numbered) if not path.exists()
    )
    _write(path, text)
    return path


def _write(path: Path, text: str) -> None:
    with os.fdopen(
        os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600),
        "w",
        encoding="utf-8",
    ) as file:
        file.write(text)
