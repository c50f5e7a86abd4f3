"""A sentence is a value until somebody reads it: it keeps what it quotes, and is rendered in any language."""

from __future__ import annotations

import copy
import pickle
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from worker.domain.messages import (
    ENGLISH,
    NOTHING,
    Text,
    literal,
    render,
    tell,
    withhold,
)
from worker.errors import Code, ConfigError, Problem, RenderedProblem, in_words
from worker.locales import load_words
from worker.toml import BadToml

RUSSIAN = load_words("ru", "RUB")
ROWS = "points to {number} rows where one is meant"
NUMBER = "is not a number: {text}"
PROBLEM = Problem(
    code=Code.CARD_WITHOUT_CLIENT,
    where=tell("Projects: {name}", name="Site"),
    field="due",
    message=tell("the card has no client"),
    hint=tell("choose its client"),
)


def test_a_sentence_is_rendered_in_each_language() -> None:
    text = tell(ROWS, number=3)
    assert render(text, ENGLISH) == "points to 3 rows where one is meant"
    assert render(text, load_words("en", "EUR")) == render(text, ENGLISH)
    assert render(text, RUSSIAN) == "ссылается на строки: 3, а нужна одна"


def test_what_a_sentence_quotes_is_rendered_too() -> None:
    title = {"en": "Projects", "ru": "Проекты"}
    text = tell("{field} {fault}", field=title, fault=tell(NUMBER, text="'{x}'"))
    assert render(text, ENGLISH) == "Projects is not a number: '{x}'"
    assert render(text, RUSSIAN) == "«Проекты» не число: '{x}'"


@pytest.mark.parametrize(
    "words",
    ["Лендинг {2026}", "command line", "risks", "{number}", "{literal}", "{}", "%s"],
)
def test_people_s_own_words_are_the_same_in_every_language(words: str) -> None:
    assert render(literal(words), ENGLISH) == words
    assert render(literal(words), RUSSIAN) == words
    assert render(tell("{x}", x=literal(words)), RUSSIAN) == words


def test_nothing_is_said_of_nothing() -> None:
    assert not NOTHING
    assert literal("") == NOTHING
    assert render(NOTHING, RUSSIAN) == ""
    assert literal("x")


@pytest.mark.parametrize("value", ["a", 3, Decimal("1.50"), date(2026, 11, 20), None])
def test_a_value_is_quoted_as_python_writes_it(value: object) -> None:
    assert render(tell("{x}", x=value), RUSSIAN) == f"{value}"
    assert render(tell("{x}", x=ValueError(value)), RUSSIAN) == f"{ValueError(value)}"


TEXTS = [
    NOTHING,
    literal("Site {x}"),
    tell("choose its client"),
    tell(ROWS, number=3),
    tell("{field} {fault}", field={"en": "a", "ru": "б"}, fault=tell(NUMBER, text="1")),
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_sentence_stays_itself_wherever_it_goes(text: Text) -> None:
    copies = [
        copy.deepcopy(text),
        pickle.loads(pickle.dumps(text)),
        msgspec.structs.replace(text, pattern=text.pattern),
        tell("{x}", x=text).values[0][1],
    ]
    assert copies == [text] * len(copies)
    assert {text, *copies} == {text}
    assert [one for one in TEXTS if one == text] == [text]


def test_a_private_cell_is_not_quoted_and_the_sentence_stays() -> None:
    title = {"en": "Score", "ru": "Оценка"}
    text = tell("{field} {fault}", field=title, fault=withhold(tell(NUMBER, text="7")))
    assert render(text, ENGLISH) == "Score is not a number: …"
    assert render(text, RUSSIAN) == "«Оценка» не число: …"
    assert withhold(text) == text
    for untouched in (NOTHING, literal("7"), tell(ROWS, number=7)):
        assert withhold(untouched) == untouched


def test_equal_problems_are_one_until_they_differ() -> None:
    other = msgspec.structs.replace(PROBLEM, message=tell(ROWS, number=3))
    same = pickle.loads(pickle.dumps(PROBLEM))
    assert {PROBLEM, same, other} == {PROBLEM, other}
    shown = sorted({in_words(one, RUSSIAN) for one in (other, PROBLEM, same)})
    assert [one.message for one in shown] == [
        "ссылается на строки: 3, а нужна одна",
        "у карточки нет клиента",
    ]


def test_a_problem_is_rendered_whole() -> None:
    assert in_words(PROBLEM, RUSSIAN) == RenderedProblem(
        code="card-without-client",
        where="Проекты: Site",
        field="due",
        message="у карточки нет клиента",
        hint="укажите клиента",
    )


def test_a_rendered_problem_is_the_json_that_earlier_releases_stored() -> None:
    assert msgspec.json.encode(in_words(PROBLEM, ENGLISH)) == (
        b'{"code":"card-without-client","where":"Projects: Site","field":"due",'
        b'"message":"the card has no client","hint":"choose its client","url":"",'
        b'"severity":"warning"}'
    )


def test_an_error_with_a_sentence_is_plain_english_to_python() -> None:
    assert str(BadToml(tell(ROWS, number=3))) == "points to 3 rows where one is meant"
    assert str(ConfigError([PROBLEM, PROBLEM])) == "; ".join(
        ["Projects: Site: due: the card has no client"] * 2
    )
