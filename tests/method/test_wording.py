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
from worker.mapping.load import load_schema, shipped_folder
from worker.mapping.playbooks import load_playbooks
from worker.mapping.schema import Labels

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


@cache
def labels() -> tuple[tuple[str, str], ...]:
    """Return every title, label and description of the shipped boards in both languages."""
    texts: list[Labels] = []
    for source in load_schema().sources.values():
        texts.append(source.title)
        texts += [view.label for view in source.views]
        for prop in source.properties.values():
            texts += [prop.label, *(option.label for option in prop.options)]
            texts += [prop.description] if prop.description else []
    return tuple((one["en"], one["ru"]) for one in texts)


def texts_of(locale: str) -> set[str]:
    """Return everything that people read of the product in one language, but for documents."""
    pairs = (*sentences(), *playbook_texts(), *labels())
    return {english if locale == "en" else russian for english, russian in pairs}


def documents() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of every line of the documents that tell of the product."""
    for path in (ROOT / "README.md", ROOT / "config.example.toml", *DOCS):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


DOCS = tuple(path for path in sorted((ROOT / "docs").glob("*.md")))
TERMS = wording()["terms"]


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term["term"]["en"])
def test_one_thing_has_one_word(term: dict[str, Any], locale: str) -> None:
    found = {
        text
        for text in texts_of(locale)
        for word in term["instead"][locale]
        if re.search(word, PLACE.sub("{}", text), re.IGNORECASE)
    }
    assert found - {*term.get("allowed", ())} == set()


@pytest.mark.parametrize(
    "term",
    [term for term in TERMS if term.get("docs")],
    ids=lambda term: term["term"]["en"],
)
def test_documents_use_the_same_words(term: dict[str, Any]) -> None:
    words = [*term["instead"]["en"], *term["instead"]["ru"]]
    found = [
        (place, word)
        for place, line in documents()
        for word in words
        if re.search(word, line, re.IGNORECASE)
    ]
    assert found == []


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_word_that_is_not_to_be_said_would_be_found(locale: str) -> None:
    texts = ["⚙ Score", "the Monday cut", "⚙ Балл", "Ёмкость", "срез понедельника"]
    words = [word for term in TERMS for word in term["instead"][locale]]
    found = [one for one in texts if any(re.search(w, one, re.I) for w in words)]
    assert found == (texts[:2] if locale == "en" else texts[2:])


BREAKING = r"(?<=[\d}]) %"
SET_WRONGLY = {
    "en": {
        "a percent sign stands beside its figure": BREAKING,
        "times is ×": r"(?<=\w) x (?=\w)",
        "minus is −": r"(?<=[\w)]) - (?=[\w(])",
        "a range has a dash": r"(?<![\w-])\d+-\d+(?![\w-])",
        "an ellipsis is one sign": r"(?<![\w/.])\.\.\.",
        "quotes are typographic": r'"',
    },
    "ru": {
        "no line ends before a percent sign": BREAKING,
        "times is ×": r"(?<=\w) [xх] (?=\w)",
        "minus is −": r"(?<=[\w)]) - (?=[\w(])",
        "a range has a dash": r"(?<![\w-])\d+-\d+(?![\w-])",
        "an ellipsis is one sign": r"(?<![\w/.])\.\.\.",
        "quotes are «»": r'["”]',
        "quotes within quotes are „“": r"«[^»]*«",
    },
}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_text_is_set_alike(locale: str) -> None:
    as_it_stands = wording()["typography"]["as_it_stands"]
    found = [
        (text, fault)
        for text in sorted(texts_of(locale))
        for fault, sign in SET_WRONGLY[locale].items()
        if re.search(sign, text) and not any(one in text for one in as_it_stands)
    ]
    assert found == []
