"""The product's words: names in the nominative, one word for one thing, one typography."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from worker import locales
from worker.mapping.load import shipped_folder
from worker.mapping.playbooks import load_playbooks

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"\{(\w+)\}")
BEFORE = re.compile(r"(?P<word>[\w-]*)(?P<between>\s*[«„]?)$")
RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)
SPEAKING = frozenset({"say", "count", "tell"})


@cache
def wording() -> dict[str, Any]:
    """Return the table that the words are judged by."""
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text("utf-8"))


@cache
def sentences() -> tuple[tuple[str, str], ...]:
    """Return every sentence of the catalogue with each of its Russian forms."""
    with (Path(locales.__file__).parent / "ru.po").open("rb") as file:
        found = read_po(file, locale="ru")
    return tuple(
        (english, russian)
        for one in found
        if one.id
        for english in _forms(one.id)
        for russian in _forms(one.string)
    )


def _forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return a sentence's forms by number."""
    return (text,) if isinstance(text, str) else tuple(text or ())


@cache
def playbook_texts() -> tuple[tuple[str, str], ...]:
    """Return every text of the playbooks in both languages."""
    books = load_playbooks(shipped_folder())
    steps = [step for one in books.responses.values() for step in one.steps] + [
        step for one in books.requests.values() for step in one.steps
    ]
    texts = [book.text for book in books.tasks.values()]
    return tuple((one.en, one.ru) for one in (*texts, *steps))


def filled_with_names() -> Iterator[str]:
    """Yield the places that the code fills from what somebody called something."""
    for path in (ROOT / "worker").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in SPEAKING:
                for given in node.keywords:
                    if re.search(r"\.(name|title)\b", ast.unparse(given.value)):
                        yield given.arg or ""


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


@cache
def names() -> frozenset[str]:
    """Return the places that stand for a name."""
    known = wording()["names"]
    return frozenset({*known["places"], *filled_with_names()} - {*known["not_names"]})


def misplaced(russian: str) -> list[str]:
    """Return the places for names that would be declined by the word before them, or stand after a noun unquoted."""
    before = (
        (BEFORE.search(russian[: found.start()]), found[1])
        for found in PLACE.finditer(russian)
        if found[1] in names()
    )
    return [
        f"{words[0]}{{{place}}}"
        for words, place in before
        if words and words["word"] and not _is_apposition(words, place)
    ]


def _is_apposition(before: re.Match[str], place: str) -> bool:
    known = wording()["names"]
    is_noun = before["word"].casefold().startswith(tuple(known["nouns"]))
    is_quoted = before["between"].endswith(("«", "„"))
    return is_noun and (is_quoted or place not in known["quoted"])


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("Продлить договор с {client}", ["с {client}"]),
        ("Продлить договор с «{client}»", ["с «{client}"]),
        ("Продлить договор с клиентом {client}", ["клиентом {client}"]),
        ("Продлить договор с клиентом «{client}»", []),
        ("Закрыть треугольник {unit}", ["треугольник {unit}"]),
        ("Познакомиться: {name}", []),
        ("{card}: нет срока", []),
        ("рабочее пространство {workspace} до {date}", []),
    ],
)
def test_a_place_that_would_have_a_name_declined_is_found(
    text: str, faults: list[str]
) -> None:
    assert misplaced(text) == faults


def test_names_of_every_russian_text_stand_in_the_nominative() -> None:
    texts = {russian for _, russian in (*sentences(), *playbook_texts())}
    assert len(texts) > 1000
    assert [(one, misplaced(one)) for one in sorted(texts) if misplaced(one)] == []
