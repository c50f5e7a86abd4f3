"""`adopt`: an agency's own boards take the parts they play: proposed, asked, shown, and only after consent written.

`adopt_boards` does it in an open session, for other commands to call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec.structs import replace as replaced

from worker.app.settings import find_file, usual_mappings
from worker.cli import show
from worker.cli.session import (
    AnswersOption,
    ConfigOption,
    JsonOption,
    TakeOverOption,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cycle.context import Context
from worker.cycle.ownership import claim_boards
from worker.cycle.phases import IDLE
from worker.domain.messages import Text, literal, message, render, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity
from worker.mapping.adoption import Proposal, propose
from worker.mapping.boards import Board
from worker.mapping.check import check_schema
from worker.mapping.decisions import (
    Additions,
    Choice,
    Decided,
    Key,
    Question,
    ask_columns,
    ask_labels,
    ask_parts,
    list_additions,
    to_overlay,
    with_choices,
)
from worker.mapping.load import load_schema, read_overlay
from worker.mapping.overlay import FILE, Overlay, apply_overlay
from worker.mapping.overlay_text import write_overlay
from worker.mapping.schema import Bindings, Schema
from worker.mapping.synonyms import Synonyms, load_synonyms
from worker.notion.survey import survey
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry
from worker.toml import BadToml, read_toml

YES = frozenset({"y", "yes", "д", "да"})
YesOption = Annotated[
    bool,
    typer.Option(
        "--yes", help=message("Ask nothing: take what is sure, and consent to it.")
    ),
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all-columns",
        help=message("Add all columns of Rayline's, not only the first ones."),
    ),
]


@dataclass(slots=True)
class Talk:
    """Who answers: a file first, then whoever types, unless nobody is to be asked."""

    words: Words
    given: Mapping[Key, str] = field(default_factory=dict)
    consent: bool | None = None
    is_silent: bool = False

    def ask(self, questions: Iterable[Question]) -> dict[Key, str]:
        """Return the answers: the value of a choice, empty for none of them."""
        return {question.key: self._ask(question) for question in questions}

    def _ask(self, question: Question) -> str:
        given = self.given.get(question.key)
        chosen = None if given is None else _chosen(question, given)
        if chosen is not None:
            return chosen
        if self.is_silent:
            return ""
        show.say(render(question.text, self.words))
        for number, choice in enumerate(question.choices, start=1):
            show.say(f"  {number}. {_shown(choice, self.words)}")
        typed = read_typed(self.words.say("Number (empty: none of these)"))
        place = int(typed) if typed.isdecimal() else 0
        return (
            question.choices[place - 1].value
            if 0 < place <= len(question.choices)
            else ""
        )

    def agrees(self) -> bool:
        """Tell whether the plan is consented to."""
        if self.consent is not None:
            return self.consent
        typed = read_typed(self.words.say("Write this? (y/n)"))
        return typed.casefold() in YES


def adopt(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    answers: AnswersOption = None,
    yes: YesOption = False,
    all_columns: AllOption = False,
    take_over: TakeOverOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let the agency's own boards take the parts they play: propose, ask, show what would be added, write after consent."""
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace) as context,
    ):
        given, consent = read_answers(answers) if answers else ({}, None)
        talk = Talk(opened.words, given, True if yes else consent, yes)
        file = find_file(config)
        folder = context.settings.mappings or usual_mappings(
            file.absolute().parent if file else Path.cwd(), context.name
        )
        adopted = adopt_boards(
            context, folder, talk, all_columns=all_columns, take_over=take_over
        )
        opened.say(literal_view(adopted, opened.words), lambda: adopted)


def literal_view(adopted: Mapping[str, Any], words: Words) -> str:
    """Return how an adoption ended, in a sentence."""
    if not adopted["written"]:
        return words.say("Nothing was written.")
    return words.say(
        "Written: {file}. Now try {command}",
        file=adopted["overlay"],
        command="rayline plan",
    )


def adopt_boards(
    context: Context,
    folder: Path,
    talk: Talk,
    *,
    all_columns: bool = False,
    take_over: bool = False,
) -> dict[str, Any]:
    """Propose, ask, show, and after consent write the overlay into `folder`, add what is missing and bind.

    What an overlay says already is kept as it is and not asked again. Returns what was decided, and whether it was
    written; raises the API errors and `ConfigError`.
    """
    synonyms = load_synonyms()
    before = _standing(folder)
    plain = load_schema(
        folder if folder.is_dir() else None, currency=context.settings.currency
    )
    with context.reading() as tx:
        known = registry.load(tx)
    boards = _survey(context, known, before)
    context.progress(IDLE, 0, 0)
    decided = _decide(boards, plain, synonyms, before, talk)
    overlay = to_overlay(decided, plain, synonyms, all_columns=all_columns)
    fresh = {name: part for name, part in overlay.items() if name not in before}
    schema, problems = apply_overlay(plain, fresh, folder / FILE)
    problems += check_schema(schema, dict.fromkeys(fresh, str(folder / FILE)))
    if problems:
        raise ConfigError(problems)
    additions = list_additions(schema, decided.boards, context.settings.locale)
    left_open = _left_open(decided, schema, known)
    _show_plan(decided, fresh, additions, plain, talk.words)
    for name in left_open:
        title = plain.sources[name].title[context.settings.locale]
        show.say(
            talk.words.say(
                "“{part}” stays open: a board of yours has that name.", part=title
            )
        )
    result = {
        "workspace": context.name,
        "parts": {name: part.title for name, part in fresh.items()},
        "added": {gain.board.title: list(gain.columns) for gain in additions},
        "unused": [board.title for board in decided.proposal.unused],
        "open": left_open,
        "overlay": str(folder / FILE),
        "written": False,
    }
    if not fresh or not talk.agrees():
        return result
    claim_boards(context, context.notion, take_over=take_over)
    _write(folder, write_overlay(fresh, plain.sources, before=_text(folder)))
    made = {
        name: source for name, source in schema.sources.items() if name not in left_open
    }
    _bind(
        context,
        Schema(made),
        {name: bound for name, bound in known.items() if name not in fresh},
    )
    return {**result, "written": True}


def _left_open(decided: Decided, schema: Schema, known: Bindings) -> list[str]:
    """Return the parts that nobody decided on and that a board has the name of: it is not taken by its name alone."""
    names = {board.title.strip().casefold() for board in decided.boards.values()}
    return [
        name
        for name, source in schema.sources.items()
        if not source.board
        and name not in known
        and names & {title.casefold() for title in source.title.values()}
    ]


def _survey(context: Context, known: Bindings, before: Overlay) -> dict[str, Board]:
    """Return the boards that are not Rayline's own."""
    own = {
        binding.data_source_id for name, binding in known.items() if name not in before
    }
    context.progress("notion", 0, 0)
    return {board.id: board for board in survey(context.notion, without=own)}


def _decide(
    boards: Mapping[str, Board],
    schema: Schema,
    synonyms: Synonyms,
    before: Overlay,
    talk: Talk,
) -> Decided:
    """Ask in three rounds, each of what the answers before made of the proposal."""
    listed = list(boards.values())
    stand = {name: part.board for name, part in before.items()}
    first = propose(listed, schema, synonyms, stand)
    answers = talk.ask(ask_parts(first, boards, schema))
    chosen = with_choices(first, answers)
    second = propose(listed, schema, synonyms, chosen)
    decided = Decided(_without(second, before), boards, {})
    columns = talk.ask(ask_columns(decided, schema))
    decided = replaced(decided, answers=columns)
    labels = talk.ask(ask_labels(decided, schema, synonyms))
    return replaced(decided, answers={**columns, **labels})


def _without(proposal: Proposal, before: Overlay) -> Proposal:
    parts = {name: part for name, part in proposal.parts.items() if name not in before}
    return replaced(proposal, parts=parts)


def _bind(context: Context, schema: Schema, known: Bindings) -> None:
    notion = context.settings.notion
    bindings = create_workspace(
        context.notion,
        schema,
        parent_page_id=notion.root_page_id,
        locale=context.settings.locale,
        private_page_id=notion.private_root_page_id,
        known=known,
        progress=context.progress,
    )
    with context.transaction() as tx:
        registry.save(tx, bindings)


# -- files -------------------------------------------------------------------------------------------------------------


def _standing(folder: Path) -> Overlay:
    """Return the overlay that stands there; raises `ConfigError` when it makes no sense."""
    if not (folder / FILE).exists():
        return {}
    overlay, problems = read_overlay(folder / FILE)
    if problems:
        raise ConfigError(problems)
    return overlay


def _text(folder: Path) -> str:
    file = folder / FILE
    return file.read_text("utf-8") if file.exists() else ""


def _write(folder: Path, text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(text, "utf-8")
    except OSError as error:
        reason = tell("cannot be written: {error}", error=say_os_error(error))
        raise _refusal(folder / FILE, reason) from None


def read_answers(file: Path) -> tuple[dict[Key, str], bool | None]:
    """Return the answers of a file by question, and whether it consents; raises `ConfigError`."""
    try:
        tables = read_toml(file)
    except OSError as error:
        reason = tell("cannot be read: {error}", error=say_os_error(error))
        raise _refusal(file, reason) from None
    except BadToml as error:
        raise _refusal(file, error.reason) from None
    consent = tables.pop("consent", None)
    return dict(_flat((), tables)), consent if isinstance(consent, bool) else None


def _flat(above: Key, tables: Mapping[str, Any]) -> Iterable[tuple[Key, str]]:
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _flat((*above, name), value)
        else:
            yield (*above, name), str(value)


def _refusal(file: Path, reason: Text) -> ConfigError:
    problem = Problem(
        code=Code.CONFIG, where=literal(file), message=reason, severity=Severity.ERROR
    )
    return ConfigError([problem])


def _chosen(question: Question, given: str) -> str | None:
    """Return the choice that a file names: by its name, the end of its path, or what it stands for; empty for none.

    None when it names no choice, or several.
    """
    wanted = given.strip().casefold()
    if not wanted:
        return ""
    named = {
        choice.value
        for choice in question.choices
        if wanted in (choice.value.casefold(), choice.name.casefold())
        or choice.name.casefold().endswith(f" / {wanted}")
    }
    return named.pop() if len(named) == 1 else None


# -- talking -----------------------------------------------------------------------------------------------------------


def read_typed(text: str) -> str:
    """Return what is typed; nothing when there is nobody."""
    sys.stderr.write(f"{text}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not sys.stdin.isatty():
        sys.stderr.write("\n")
    return line.strip()


def _shown(choice: Choice, words: Words) -> str:
    reason = render(choice.reason, words)
    return (
        reason
        if choice.name in reason or not choice.name
        else f"{choice.name}: {reason}"
    )


def _show_plan(
    decided: Decided,
    overlay: Overlay,
    additions: Iterable[Additions],
    schema: Schema,
    words: Words,
) -> None:
    """Tell what would be taken and added, before anything is."""
    say: Callable[..., str] = words.say
    for name, part in overlay.items():
        source = schema.sources[name]
        ours = render(tell("“{part}”", part=source.title), words)
        show.say(
            say(
                "“{board}” is our {part}; its columns used: {columns}",
                board=part.title,
                part=ours,
                columns=", ".join(part.columns.values()),
            )
        )
    for gain in additions:
        if gain.columns:
            added = ", ".join(gain.columns)
            show.say(
                say(
                    "“{board}” gets columns: {columns}",
                    board=gain.board.title,
                    columns=added,
                )
            )
        for column, options in gain.options.items():
            show.say(
                say(
                    "“{column}” of “{board}” gets options: {options}",
                    column=column,
                    board=gain.board.title,
                    options=", ".join(options),
                )
            )
    unused = ", ".join(board.title for board in decided.proposal.unused)
    if unused:
        show.say(say("Left alone: {boards}", boards=unused))
    show.say(say("What no board of yours plays is made under the root page."))
