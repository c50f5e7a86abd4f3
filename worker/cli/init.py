"""`init`: from nothing to a workspace: asks what is missing, tries every answer out, writes it down, makes the boards."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from tomlkit.toml_document import TOMLDocument

from worker.app.build import utc_now
from worker.app.settings import DEFAULT_FILE, Settings, choose, find_file, load_settings
from worker.cli.interview.asking import (
    Asker,
    Judge,
    Outside,
    Person,
    interview,
    read_sheet,
    refusal,
)
from worker.cli.interview.objections import Objection
from worker.cli.interview.places import (
    answers_in,
    given_by_environment,
    keys_of,
    settings_of,
    variable,
)
from worker.cli.interview.questions import (
    HANG_TOGETHER,
    KEYS,
    NEED_JIRA,
    SECRETS,
    Answers,
    Seen,
)
from worker.cli.interview.verifying import Verdict, verify
from worker.cli.interview.writing import (
    KEPT,
    Keeping,
    read_document,
    system_file,
    write_answers,
)
from worker.cli.session import (
    AnswersOption,
    ConfigOption,
    JsonOption,
    Session,
    TakeOverOption,
    WorkspaceOption,
    context_of,
    fail,
    session,
)
from worker.cli.usage import misuse, require_known
from worker.cli.voice import voice
from worker.cycle.contact import make_contact
from worker.cycle.context import Context
from worker.cycle.ownership import claim_boards
from worker.domain.messages import Text, literal, message, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import ConfigError
from worker.mapping.schema import Bindings
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry

FIRST = "studio"
"""What the first workspace is called when nobody names it."""

ChangeOption = Annotated[
    list[str],
    typer.Option(
        "--change",
        metavar=message("ANSWER"),
        help=message("Ask again for one answer, such as time_zone; may be repeated."),
    ),
]
SecretsOption = Annotated[
    Keeping,
    typer.Option(
        "--secrets",
        metavar=message("PLACE"),
        help=message(
            "Where tokens are kept: in files beside the configuration ('file'), in the environment ('environment'), "
            "or as credentials of systemd ('systemd')."
        ),
    ),
]


def init(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    answers: AnswersOption = None,
    change: ChangeOption = [],  # noqa: B006 - read only
    secrets: SecretsOption = Keeping.FILE,
    take_over: TakeOverOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask for what a configuration lacks, try every answer out, write it down, and make or complete the boards in Notion."""
    file = find_file(config) or Path(DEFAULT_FILE)
    words = voice()
    try:
        draft = _begin(file, workspace, change)
        asker = _asker(draft, answers, words)
        may_ask = answers is not None or sys.stdin.isatty()
        settings = _complete(draft, asker, keeping=secrets, may_ask=may_ask)
    except ConfigError as error:
        fail(error, as_json=as_json, words=words)
    with (
        session(file, as_json=as_json, settings=settings) as opened,
        context_of(opened, draft.name) as context,
    ):
        _found(opened, context, take_over=take_over)


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration as it stands, one workspace of it, whether that one stands there, and what is asked anew of it."""

    file: Path
    name: str
    document: TOMLDocument
    known: Answers
    wanted: frozenset[str]
    is_there: bool


def _asker(draft: Draft, sheet: Path | None, words: Words) -> Asker:
    """Return who answers: a file, or whoever sits before us; tokens in the environment are answers too."""
    person: Asker = Person(draft.file, words)
    if sheet is not None:
        person = read_sheet(sheet, words)
    return Outside(person, draft.name)


# -- what is to be asked -----------------------------------------------------------------------------------------------


def _begin(file: Path, workspace: str | None, change: Iterable[str]) -> Draft:
    """Return what there is, and what is to be asked; raises `ConfigError`."""
    document = _read(file)
    data = document.unwrap()
    names = list(data.get("workspaces", {}))
    if workspace is None and len(names) > 1:
        choose(load_settings(file), None)
    name = _called(workspace or FIRST, names)
    if workspace is None and names:
        name = names[0]
    known = answers_in(data, name, file.parent)
    return Draft(
        file, name, document, known=known, wanted=_named(change), is_there=name in names
    )


def _read(file: Path) -> TOMLDocument:
    """Return the configuration as it stands; raises `ConfigError` for what holds no tables where they must be."""
    try:
        document = read_document(file)
    except (OSError, ValueError) as error:
        load_settings(file)
        raise refusal(file, literal(str(error))) from None
    tables = document.unwrap().get("workspaces", {})
    if not (
        isinstance(tables, dict)
        and all(isinstance(one, dict) for one in tables.values())
    ):
        load_settings(file)
    return document


def _called(name: str, names: Iterable[str]) -> str:
    """Return a workspace's name as it stands in the file, without regard to case."""
    same = (one for one in names if one.casefold() == name.casefold())
    return next(same, name)


def _named(change: Iterable[str]) -> frozenset[str]:
    """Return the questions that are named, and those that hang on them."""
    wanted: set[str] = set()
    for key in change:
        require_known("--change", key, KEYS)
        wanted |= {key, *HANG_TOGETHER.get(key, ())}
    return frozenset(wanted)


def _complete(
    draft: Draft, asker: Asker, *, keeping: Keeping, may_ask: bool
) -> Settings:
    """Return the configuration, what was asked written into it; raises `ConfigError`."""
    wanted = draft.wanted | asker.answered(draft.known)
    missing = frozenset(KEYS)
    if draft.is_there:
        try:
            settings = load_settings(draft.file)
        except ConfigError as error:
            # One that was begun and not ended, or whose token is gone, wants only those answers.
            missing = keys_of(error, draft.name)
            if not (missing and may_ask):
                raise
        else:
            if not wanted:
                return settings
            missing = frozenset()
    return _ask(draft, asker, wanted | missing, keeping)


# -- asking and writing ------------------------------------------------------------------------------------------------


def _ask(
    draft: Draft, asker: Asker, wanted: frozenset[str], keeping: Keeping
) -> Settings:
    """Ask, write, and return the configuration with the tokens in it; raises `ConfigError`."""
    file, name = draft.file, draft.name
    data = draft.document.unwrap()
    _check_keeping(name, keeping)
    _check_place(file)

    def judge(key: str, answers: Answers, seen: Seen) -> Verdict:
        settings = settings_of(data, file, name=name, answers=answers)
        return verify(key, settings.workspaces[name], answers, seen)

    proposed = {"locale": voice().locale, **draft.known}
    seen = _look(draft, wanted, judge, today=utc_now().date())
    answers = interview(wanted, asker, judge, known=proposed, seen=seen)
    _write(draft, answers, keeping)
    for sentence in _reminders(draft, answers, keeping):
        asker.note(sentence)
    return settings_of(
        draft.document.unwrap(), file, name=name, answers=answers, is_whole=True
    )


def _look(draft: Draft, wanted: frozenset[str], judge: Judge, *, today: date) -> Seen:
    """Return what Jira tells of itself, where an answer depends on it and the token is not asked for."""
    if "jira_token" in wanted or not wanted & NEED_JIRA:
        return Seen(today)
    try:
        return judge("jira_token", draft.known, Seen(today)).seen
    except Objection as fault:
        raise refusal(
            draft.file, fault.reason, fault.hint, field="jira.token"
        ) from None


def _write(draft: Draft, answers: Answers, keeping: Keeping) -> None:
    """Write what is new."""
    news = {key: answers[key] for key in _news(draft, answers)}
    try:
        write_answers(
            draft.file, draft.document, name=draft.name, answers=news, keeping=keeping
        )
    except OSError as error:
        raise _unwritable(draft.file, error) from None


def _news(draft: Draft, answers: Answers) -> list[str]:
    outside = given_by_environment(draft.name)
    return [
        key
        for key, text in answers.items()
        if key not in outside and draft.known.get(key) != text
    ]


def _reminders(draft: Draft, answers: Answers, keeping: Keeping) -> Iterator[Text]:
    """Yield what the user has to know or do about what was written."""
    news = _news(draft, answers)
    for key in sorted(SECRETS.keys() & news):
        side = SECRETS[key]
        if keeping in KEPT:
            yield tell(
                KEPT[keeping],
                side=side.capitalize(),
                variable=variable(draft.name, side),
                file=system_file(draft.name, side),
            )
    if any((folder / ".git").exists() for folder in draft.file.absolute().parents):
        yield tell(
            "{file} holds no secret, git may have it; {secrets} and {state} beside it are kept from git.",
            file=draft.file.name,
            secrets="secrets/",
            state="state/",
        )


def _check_keeping(name: str, keeping: Keeping) -> None:
    """Raise `ConfigError` when no variable can be called after a workspace."""
    if keeping is Keeping.ENVIRONMENT and not re.fullmatch(
        r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", name
    ):
        raise misuse(
            "--secrets",
            tell("no variable can be called after the workspace “{name}”", name=name),
            tell(
                "keep the tokens in files, or give the workspace a name of letters and digits"
            ),
        )


def _check_place(file: Path) -> None:
    """Raise `ConfigError` when the configuration cannot be written where it is to be: said before the questions."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(file, error) from None
    if not os.access(file.parent, os.W_OK):
        raise _unwritable(
            file, PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        )


def _unwritable(file: Path, error: OSError) -> ConfigError:
    return refusal(file, tell("cannot be written: {error}", error=say_os_error(error)))


# -- the boards --------------------------------------------------------------------------------------------------------


def _found(opened: Session, context: Context, *, take_over: bool) -> None:
    """Make the boards, or complete them, and say what comes next."""
    contact = make_contact(context)
    bot = contact.notion.result()
    site = contact.jira.result()
    claim_boards(context, context.notion, take_over=take_over)
    bindings = create_boards(context)
    databases = {
        name: binding.database_id for name, binding in sorted(bindings.items())
    }
    data = {
        "workspace": context.name,
        "notion": bot.name or bot.id,
        "jira": site.account,
        "databases": databases,
    }
    opened.say(_view(opened.words, context, bindings), lambda: data)


def _view(words: Words, context: Context, bindings: Bindings) -> RenderableType:
    titles = (
        context.schema.sources[name].title[context.settings.locale] for name in bindings
    )
    ready = words.say(
        "Workspace {workspace} is ready; its boards: {boards}.",
        workspace=context.name,
        boards=", ".join(titles),
    )
    clients = context.schema.sources["clients"].title[context.settings.locale]
    following = words.say(
        "Now add your clients to the board “{board}” in Notion, look what would be written with {plan}, and write it with "
        "{sync}.",
        board=clients,
        plan="rayline plan",
        sync="rayline sync",
    )
    return Group(ready, following)


def create_boards(context: Context) -> Bindings:
    """Make what of the boards is not there yet, and remember where each stands; run again it goes on where it stopped."""
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
