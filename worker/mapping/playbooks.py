"""Playbooks: the agency's answers to signals, as read from `playbooks.toml` (docs/method.md 6.4).

What a signal is, the code knows; what is done about it, by whom and how soon, people may change here.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, ValidationError

from worker.config import Model
from worker.domain.messages import Text, literal, tell
from worker.domain.os_errors import say_os_error
from worker.domain.validation import say_fault
from worker.errors import Code, ConfigError, Problem, Severity
from worker.toml import BadToml, read_toml

FILE = "playbooks.toml"
PLACES = frozenset({"client", "card", "name", "date", "risk", "unit", "role", "hours"})

ROLES = frozenset(
    {
        "am",
        "pm",
        "tl",
        "developer",
        "designer",
        "qa",
        "analyst",
        "hoa",
        "head_newbiz",
        "sales",
        "finance",
        "lawyer",
        "founder",
    }
)

Days = Annotated[int, Field(ge=0, le=3650)]
Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class Sentences(Model):
    """A sentence in both languages."""

    en: Sentence
    ru: Sentence

    def in_locale(self, locale: str) -> str:
        """Return the sentence of one locale."""
        return self.ru if locale == "ru" else self.en


class Step(Sentences):
    """One response step, `days` working days after the risk was seen."""

    days: Days


class Playbook(Model):
    """A task made for a signal. `due` in working days, `cooldown` and `days` (how far ahead or back) in days."""

    signal: str
    text: Sentences
    role: str
    due: Days
    kind: Literal["next_step", "signal", "external", "care"]
    strength: Annotated[int, Field(ge=0, le=100)]
    cooldown: Days
    days: Days | None = None


class Response(Model):
    """How a risk is answered: who owns it, when to review it (working days) and the steps."""

    role: str
    review: Days
    steps: tuple[Step, ...]


class Request(Model):
    """How a task from outside is taken up: by whom, the answer time and the steps' days in working days since it was
    asked; with `candidates`, the contractors whose offers it names are proposed."""

    role: str
    due: Days
    candidates: bool = False
    steps: tuple[Step, ...] = ()


class Playbooks(msgspec.Struct, frozen=True, gc=False):
    """All playbooks by name, all risk responses by signal, all requests by what is asked or else by their source.

    `problems` names those that were left out for a role nobody can have; the rest works on.
    """

    tasks: Mapping[str, Playbook] = msgspec.field(default_factory=dict)
    responses: Mapping[str, Response] = msgspec.field(default_factory=dict)
    requests: Mapping[str, Request] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class _File(Model):
    playbooks: dict[str, Playbook]
    responses: dict[str, Response]
    requests: dict[str, Request] = Field(default_factory=dict)


def load_playbooks(folder: Path, *, roles: frozenset[str] = ROLES) -> Playbooks:
    """Return the playbooks of a mappings folder whose role is one of `roles`; raise `ConfigError` with every problem of
    the file itself."""
    path = folder / FILE
    try:
        read = _File.model_validate(read_toml(path))
    except BadToml as error:
        raise ConfigError([_problem(path, "", error.reason)]) from None
    except OSError as error:
        raise ConfigError(
            [
                _problem(
                    path, "", tell("cannot be read: {error}", error=say_os_error(error))
                )
            ]
        ) from None
    except ValidationError as error:
        raise ConfigError(
            [
                _problem(path, ".".join(map(str, found["loc"])), say_fault(found))
                for found in error.errors(include_url=False)
            ]
        ) from None
    problems = [
        _problem(path, where, fault)
        for where, text in _texts(read)
        for fault in _faults(text)
    ]
    if problems:
        raise ConfigError(problems)
    left_out = tuple(
        _unknown_role(path, f"{table}.{name}", book.role)
        for table, books in (
            ("playbooks", read.playbooks),
            ("responses", read.responses),
            ("requests", read.requests),
        )
        for name, book in books.items()
        if book.role not in roles
    )
    return Playbooks(
        _staffed(read.playbooks, roles),
        _staffed(read.responses, roles),
        _staffed(read.requests, roles),
        left_out,
    )


def _staffed(books: Mapping[str, Any], roles: frozenset[str]) -> Mapping[str, Any]:
    return {name: book for name, book in books.items() if book.role in roles}


def _unknown_role(path: Path, where: str, role: str) -> Problem:
    return Problem(
        code=Code.UNKNOWN_ROLE,
        where=literal(path.name),
        field=where,
        message=tell("nobody has the role “{role}”, so this is left out", role=role),
        hint=tell("name one of the roles in mappings/workspace/people.toml"),
        severity=Severity.ERROR,
    )


def _texts(read: _File) -> list[tuple[str, str]]:
    texts = [
        (f"playbooks.{name}.text", book.text) for name, book in read.playbooks.items()
    ]
    return [
        (f"{where}.{locale}", text.in_locale(locale))
        for where, text in texts
        for locale in ("en", "ru")
    ]


def _faults(text: str) -> list[Text]:
    try:
        places = {
            name for _, name, _, _ in string.Formatter().parse(text) if name is not None
        }
    except ValueError as error:
        return [tell("is not a text with places: {error}", error=error)]
    known = ", ".join(sorted(PLACES))
    return [
        tell(
            "unknown place {place}; known are {known}", place=f"{{{name}}}", known=known
        )
        for name in sorted(places - PLACES)
    ]


def _problem(path: Path, where: str, message: Text) -> Problem:
    return Problem(
        code=Code.BAD_PLAYBOOK,
        where=literal(path.name),
        field=where,
        message=message,
        severity=Severity.ERROR,
    )
