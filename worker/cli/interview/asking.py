"""Putting the questions: to a person at a terminal, to lines that come in by a pipe, or to a file of answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import typer
from msgspec.structs import replace
from rapidfuzz import process

from worker.app.settings import open_mode
from worker.cli import prose, show
from worker.cli.interview.objections import Objection
from worker.cli.interview.places import given_token, variable
from worker.cli.interview.questions import (
    BY_KEY,
    KEYS,
    SECRETS,
    Answers,
    Question,
    Seen,
)
from worker.cli.interview.verifying import Verdict
from worker.cli.voice import voice
from worker.domain.messages import NOTHING, Text, literal, render, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity, in_words
from worker.toml import BadToml, read_toml

Judge = Callable[[str, Answers, Seen], Verdict]


class Asker(Protocol):
    """Whoever answers."""

    def answered(self, known: Answers) -> frozenset[str]:
        """Return the questions that are answered, otherwise than is known, without being asked."""
        ...

    def ask(self, question: Question, proposal: str) -> str:
        """Return what is answered, the proposal when nothing is; raises `ConfigError` when nobody is there."""
        ...

    def object(self, question: Question, objection: Objection) -> None:
        """Tell what is wrong with an answer; raises `ConfigError` when it cannot be given again."""
        ...

    def note(self, sentence: Text) -> None:
        """Tell what became known."""
        ...

    def speak(self, locale: str) -> None:
        """Go on in another language."""
        ...


def interview(
    wanted: Iterable[str], asker: Asker, judge: Judge, *, known: Answers, seen: Seen
) -> dict[str, str]:
    """Return the answers to some questions, with those known already, each tried out by `judge` as soon as it is given;
    one that is wrong is asked for again, and nothing else is."""
    answers = dict(known)
    pending = [key for key in KEYS if key in set(wanted)]
    while pending:
        question = BY_KEY[pending[0]]
        if not question.applies(answers, seen):
            pending.pop(0)
            continue
        try:
            verdict = _answered(question, asker, judge, answers=answers, seen=seen)
        except Objection as objection:
            asker.object(question, objection)
            again = objection.again or (question.key,)
            pending = [key for key in KEYS if key in {*again, *pending}]
            continue
        pending.pop(0)
        answers |= verdict.answers
        seen = verdict.seen
        for sentence in verdict.notes:
            asker.note(sentence)
        if question.key == "locale":
            asker.speak(answers["locale"])
    return answers


def _answered(
    question: Question, asker: Asker, judge: Judge, *, answers: Answers, seen: Seen
) -> Verdict:
    """Return what one answer tells, the answer among it."""
    proposal = answers.get(question.key, "") or question.propose(answers, seen)
    if question.is_secret:
        proposal = ""
    typed = asker.ask(question, proposal)
    answer = question.read(typed.strip(), seen)
    verdict = judge(question.key, {**answers, question.key: answer}, seen)
    return replace(verdict, answers={question.key: answer, **verdict.answers})


# -- a person ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Person:
    """Somebody at a terminal, or lines by a pipe. Questions go to stderr, so that stdout stays one object; secrets are
    not seen."""

    file: Path
    words: Words

    def answered(self, known: Answers) -> frozenset[str]:
        """Return nothing: whoever comes wants to be asked."""
        return frozenset()

    def ask(self, question: Question, proposal: str) -> str:
        """Return the next line."""
        text = self.words.say(question.words)
        try:
            if sys.stdin.isatty():
                typed = _prompt(text, proposal, is_secret=question.is_secret)
            else:
                typed = _read_line(text, proposal)
        except typer.Abort as end:
            # Ctrl-C comes as the same exception as the end of the input.
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise refusal(
                self.file,
                tell("answers are missing and there is nobody to ask"),
                tell(
                    "run rayline init on a terminal, give it a file of answers with --answers, or copy "
                    "config.example.toml"
                ),
            ) from None
        return typed.encode("utf-8", "replace").decode()

    def object(self, question: Question, objection: Objection) -> None:
        """Tell what is wrong, by the question: who is asked knows no key of a file."""
        place = literal(self.words.say(question.words))
        problem = _problem(place, objection.reason, objection.hint)
        show.say(prose.line(in_words(problem, self.words)))

    def note(self, sentence: Text) -> None:
        """Tell what became known."""
        show.say(f"  {render(sentence, self.words)}")

    def speak(self, locale: str) -> None:
        """Go on in the language of the boards, unless another was asked for."""
        self.words = voice(locale)


def _prompt(text: str, proposal: str, *, is_secret: bool) -> str:
    typed = typer.prompt(
        text,
        default=proposal,
        hide_input=is_secret,
        show_default=bool(proposal),
        err=True,
    )
    return str(typed)


def _read_line(text: str, proposal: str) -> str:
    """Return the next line of what is no terminal; raises `typer.Abort` when there is none. The library's own prompt
    would write a blank on stdout."""
    sys.stderr.write(f"{text} [{proposal}]: " if proposal else f"{text}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    sys.stderr.write("\n")
    if not line:
        raise typer.Abort
    return line.strip() or proposal


@dataclass(slots=True)
class Outside:
    """Somebody, but for the tokens that the environment holds: they are tried out, not asked for."""

    inner: Asker
    name: str

    def answered(self, known: Answers) -> frozenset[str]:
        """Return what is answered without being asked."""
        return self.inner.answered(known)

    def ask(self, question: Question, proposal: str) -> str:
        """Return what the environment says, else what is answered."""
        given = given_token(self.name, question.key)
        return given or self.inner.ask(question, proposal)

    def object(self, question: Question, objection: Objection) -> None:
        """Tell what is wrong with an answer; what the environment says cannot be said again here."""
        if not given_token(self.name, question.key):
            self.inner.object(question, objection)
            return
        place = variable(self.name, SECRETS[question.key])
        problem = _problem(
            tell("environment variable {name}", name=place),
            objection.reason,
            objection.hint,
        )
        raise ConfigError([problem]) from None

    def note(self, sentence: Text) -> None:
        """Tell what became known."""
        self.inner.note(sentence)

    def speak(self, locale: str) -> None:
        """Go on in another language."""
        self.inner.speak(locale)


# -- a file ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Sheet:
    """A file of answers, which is read once: what is wrong in it ends everything."""

    file: Path
    given: Mapping[str, str]
    words: Words

    def answered(self, known: Answers) -> frozenset[str]:
        """Return the questions to which the file says something new."""
        return frozenset(
            key for key, text in self.given.items() if known.get(key, "") != text
        )

    def ask(self, question: Question, proposal: str) -> str:
        """Return what the file says, else the proposal."""
        return self.given.get(question.key, proposal)

    def object(self, question: Question, objection: Objection) -> None:
        """End with what is wrong, by its key."""
        raise refusal(
            self.file, objection.reason, objection.hint, field=question.key
        ) from None

    def note(self, sentence: Text) -> None:
        """Tell what became known."""
        show.say(render(sentence, self.words))

    def speak(self, locale: str) -> None:
        """Go on in the language of the boards."""
        self.words = voice(locale)


def read_sheet(file: Path, words: Words) -> Sheet:
    """Return a file of answers: a line for each, a token in it or in a file of its own; raises `ConfigError`."""
    try:
        data = read_toml(file)
        mode = open_mode(file)
    except OSError as error:
        reason = tell("cannot be read: {error}", error=say_os_error(error))
        raise refusal(file, reason) from None
    except BadToml as error:
        raise refusal(file, error.reason) from None
    secret = next((key for key in SECRETS if key in data), "")
    if secret and mode:
        raise refusal(
            file,
            tell("holds secrets and can be read by others (mode {mode})", mode=mode),
            tell("run: chmod 600 {file}", file=file),
            field=secret,
        )
    given = {}
    for key, value in data.items():
        name = (
            key.removesuffix("_file") if key.removesuffix("_file") in SECRETS else key
        )
        if name not in BY_KEY:
            raise refusal(file, tell("is not asked"), _nearest(key), field=key)
        is_apart = name != key
        given[name] = _secret_in(file, key, value) if is_apart else _as_typed(value)
    return Sheet(file, given, words)


def _as_typed(value: Any) -> str:
    """Return a value of the file as a person would have typed it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()


def _secret_in(file: Path, key: str, named: Any) -> str:
    path = file.parent / str(named)
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        reason = say_os_error(error) if isinstance(error, OSError) else NOTHING
        raise refusal(
            file,
            tell("{file} cannot be read: {error}", file=path, error=reason),
            field=key,
        ) from None


def _nearest(key: str) -> Text:
    best = process.extractOne(key, KEYS, score_cutoff=60)
    if best:
        return tell("did you mean {name}?", name=best[0])
    return tell("known here: {names}", names=", ".join(KEYS))


def refusal(
    file: Path, reason: Text, hint: Text = NOTHING, *, field: str = ""
) -> ConfigError:
    """Return the error that ends the questions."""
    return ConfigError([_problem(literal(file), reason, hint, field=field)])


def _problem(where: Text, reason: Text, hint: Text, *, field: str = "") -> Problem:
    return Problem(
        code=Code.CONFIG,
        where=where,
        field=field,
        message=reason,
        hint=hint,
        severity=Severity.ERROR,
    )
