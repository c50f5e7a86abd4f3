"""A sentence told in English can be told again in the language of the workspace, with all that it quotes."""

from __future__ import annotations

from worker.domain.messages import in_words, message, retell, tell
from worker.errors import Code, Problem
from worker.locales import load_words

RUSSIAN, ENGLISH = load_words("ru", "RUB"), load_words("en", "EUR")


def test_a_told_sentence_is_english_until_it_is_told_again() -> None:
    told = tell("points to {number} rows where one is meant", number=3)
    assert told == "points to 3 rows where one is meant"
    assert retell(told, ENGLISH) == told
    assert retell(told, RUSSIAN) == "ссылается на строки: 3, а нужна одна"


def test_what_a_sentence_quotes_is_told_again_too() -> None:
    title = {"en": "Projects", "ru": "Проекты"}
    told = tell(
        "{field} {fault}",
        field=title,
        fault=tell("is not a number: {text}", text="'{x}'"),
    )
    assert told == "Projects is not a number: '{x}'"
    assert retell(told, RUSSIAN) == "«Проекты» не число: '{x}'"


def test_people_s_own_words_and_nothing_stay_as_they_are() -> None:
    assert retell("Лендинг {2026}", RUSSIAN) == "Лендинг {2026}"
    assert retell("", RUSSIAN) == ""


def test_a_problem_is_told_again_whole_and_keeps_its_code() -> None:
    problem = Problem(
        code=Code.CARD_WITHOUT_CLIENT,
        where=tell("Projects: {name}", name="Site"),
        field="due",
        message=message("the card has no client"),
        hint=message("choose its client"),
    )
    said = in_words(problem, RUSSIAN)
    assert (said.code, said.where, said.field) == (
        "card-without-client",
        "Проекты: Site",
        "due",
    )
    assert (said.message, said.hint) == ("у карточки нет клиента", "укажите клиента")
