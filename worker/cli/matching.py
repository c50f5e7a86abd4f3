"""`match`: what lacks its counterpart, with proposals; what a person accepts is written where they would have typed it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from getpass import getuser
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text as Line

from worker.cli import exits, show
from worker.cli.adopting import Talk, read_answers, read_typed
from worker.cli.prose import line
from worker.cli.session import (
    AnswersOption,
    ConfigOption,
    JsonOption,
    Session,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.signals import stop_on_signals
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.matching import Matches, find_matches, write_matches
from worker.cycle.phases import IDLE
from worker.cycle.report import problem_data
from worker.domain.messages import literal, message, render, tell
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity
from worker.mapping.decisions import Key
from worker.mapping.labels import label_fields
from worker.mapping.schema import Schema
from worker.mapping.spreadsheet import Unclear
from worker.plan.matching import RULE, Decision, read_decision
from worker.world.proposals import Candidate, Gap


def match_command(
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    answers: AnswersOption = None,
    sure: Annotated[
        bool,
        typer.Option(
            "--sure",
            help=message(
                "Accept what is sure: a key in the name, the same e-mail or name, and nothing else near to it."
            ),
        ),
    ] = False,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help=message("Write what is accepted without asking once more.")
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List cards without client or Jira work and people without accounts, propose which it may be, write what is accepted."""
    stop = stop_on_signals()
    order = CycleRequest(Mode.FULL, RULE, who=getuser())
    with (
        session(config, as_json=as_json) as opened,
        context_of(opened, workspace, stop=stop) as context,
    ):
        given, consent = read_answers(answers) if answers else ({}, None)
        is_asked = sys.stdin.isatty() and not as_json
        matches = find_matches(context, order)
        context.progress(IDLE, 0, 0)
        known = _given(matches, given, context.schema)
        if not as_json:
            show.console().print(_listing(matches, context))
        decisions = list(_decide(matches, known, sure=sure))
        if is_asked:
            decisions += _ask(matches, decisions, context)
        talk = Talk(opened.words, consent=_consent(consent, apply, is_asked=is_asked))
        data = _data(matches, decisions, context)
        if not decisions or not talk.agrees():
            outcome = {"written": False}
            opened.say(_ending(decisions, opened.words), lambda: {**data, **outcome})
            return
        _write(opened, context, order, decisions=decisions, data=data)


def _consent(given: bool | None, apply: bool, *, is_asked: bool) -> bool | None:
    """Return whether is written, None where that is to be asked."""
    if apply:
        return True
    return given if given is not None or is_asked else False


def _write(
    opened: Session,
    context: Context,
    order: CycleRequest,
    *,
    decisions: list[Decision],
    data: Mapping[str, Any],
) -> None:
    report = write_matches(context, order, decisions)
    opened.say(
        show.report_view(report, context.words, context.schema),
        lambda: {**data, "written": not report.refused, **report.data()},
    )
    if report.refused:
        raise typer.Exit(exits.REFUSED)
    is_left = any(note.code == Code.MATCH.value for note in report.notes)
    if report.failures() or report.kept() or is_left:
        raise typer.Exit(exits.FAILED)


# -- deciding ----------------------------------------------------------------------------------------------------------


def _given(
    matches: Matches, answers: Mapping[Key, str], schema: Schema
) -> dict[tuple[str, str], Decision]:
    """Return the decisions of a file by row and field; raises `ConfigError` for those that cannot be taken."""
    decisions: dict[tuple[str, str], Decision] = {}
    problems: list[Problem] = []
    for key, typed in answers.items():
        gaps = [gap for gap in matches.gaps if _key_of(gap) == key]
        try:
            if len(gaps) != 1:
                raise Unclear(
                    tell("no single row of that name waits for this"),
                    tell("name it as `rayline match` lists it"),
                )
            if typed:
                gap = gaps[0]
                decision = read_decision(gap, typed, matches.world, matches.directory)
                decisions[str(gap.ref), gap.field] = decision
        except Unclear as unclear:
            problems.append(_unusable(key, unclear))
    if problems:
        raise ConfigError(problems)
    return decisions


def _key_of(gap: Gap) -> Key:
    return (gap.ref.source, gap.field, gap.name)


def _unusable(key: Key, unclear: Unclear) -> Problem:
    return Problem(
        code=Code.MATCH,
        where=literal(".".join(key)),
        message=unclear.reason,
        hint=unclear.hint,
        severity=Severity.ERROR,
    )


def _decide(
    matches: Matches, known: Mapping[tuple[str, str], Decision], *, sure: bool
) -> Iterator[Decision]:
    """Yield what is decided without asking: by the file, else by what is sure where that is taken."""
    for gap in matches.gaps:
        given = known.get((str(gap.ref), gap.field))
        if given is not None:
            yield given
        elif sure and gap.is_sure:
            yield Decision(gap.ref, gap.field, gap.candidates[0].value)


def _ask(
    matches: Matches, decided: Iterable[Decision], context: Context
) -> Iterator[Decision]:
    """Yield what whoever sits there decides, one gap after another; a number, other words, or nothing."""
    done = {(one.ref, one.field) for one in decided}
    words = context.words
    for gap in matches.gaps:
        if (gap.ref, gap.field) in done:
            continue
        show.say(_title(gap, context))
        for number, candidate in enumerate(gap.candidates, start=1):
            show.say(f"  {number}. {_shown(candidate, words)}")
        decision = _answer(gap, matches, words)
        if decision is not None:
            yield decision


def _answer(gap: Gap, matches: Matches, words: Words) -> Decision | None:
    """Return what is typed for a gap, asked again while it cannot be read; None leaves it open."""
    prompt = words.say("Number, or what else it is (empty: leave it open)")
    while typed := read_typed(prompt):
        place = int(typed) if typed.isdecimal() else 0
        if 0 < place <= len(gap.candidates):
            return Decision(gap.ref, gap.field, gap.candidates[place - 1].value)
        try:
            return read_decision(gap, typed, matches.world, matches.directory)
        except Unclear as unclear:
            show.say(f"{render(unclear.reason, words)}: {render(unclear.hint, words)}")
    return None


# -- showing -----------------------------------------------------------------------------------------------------------


def _title(gap: Gap, context: Context) -> str:
    source = context.schema.sources[gap.ref.source]
    locale = context.words.locale
    return context.words.say(
        "{board}: “{name}”, {field}",
        board=source.title[locale],
        name=gap.name,
        field=source.properties[gap.field].label[locale],
    )


def _shown(candidate: Candidate, words: Words) -> str:
    return words.say(
        "{name}: {reason} ({score} of 100)",
        name=candidate.name,
        reason=render(candidate.reason, words),
        score=candidate.score,
    )


def _listing(matches: Matches, context: Context) -> Group:
    """Return what lacks its counterpart, with what it may be."""
    words = context.words
    lines: list[str] = []
    for gap in matches.gaps:
        lines.append(_title(gap, context))
        lines += [f"  {_mark(gap, one)} {_shown(one, words)}" for one in gap.candidates]
        if not gap.candidates:
            lines.append("  " + words.say("nothing is like it"))
    for project in matches.projects:
        lines.append(
            words.say(
                "Jira: no card names the project {name} ({key})",
                name=project.name,
                key=project.key,
            )
        )
    if not lines:
        lines.append(words.say("Nothing lacks its counterpart."))
    notes = label_fields(matches.notes, context.schema, words.locale)
    return Group(*map(Line, lines), *(Line(line(note)) for note in notes))


def _mark(gap: Gap, candidate: Candidate) -> str:
    is_it = gap.is_sure and candidate == gap.candidates[0]
    return "✓" if is_it else "?"


def _ending(decisions: list[Decision], words: Words) -> str:
    if not decisions:
        return words.say(
            "Nothing was written. What is left open can be filled in on the boards too."
        )
    return words.say(
        "Nothing was written; accepted: {count}. The same command with --apply writes it.",
        count=len(decisions),
    )


def _data(
    matches: Matches, decisions: Iterable[Decision], context: Context
) -> dict[str, Any]:
    return {
        "workspace": context.name,
        "unmatched": [_gap_data(gap, context.words) for gap in matches.gaps],
        "projects": [project.key for project in matches.projects],
        "accepted": [
            {"ref": str(taken.ref), "field": taken.field, "value": taken.value}
            for taken in decisions
        ],
        "notes": [problem_data(note) for note in matches.notes],
    }


def _gap_data(gap: Gap, words: Words) -> dict[str, Any]:
    return {
        "ref": str(gap.ref),
        "field": gap.field,
        "name": gap.name,
        "url": gap.url,
        "sure": gap.is_sure,
        "candidates": [
            {
                "value": candidate.value,
                "name": candidate.name,
                "score": candidate.score,
                "reason": render(candidate.reason, words),
            }
            for candidate in gap.candidates
        ],
    }
