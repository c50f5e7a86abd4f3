"""Texts are set in one way: inner quotes, true minus signs, amounts that stay beside their currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.document import bold, link
from worker.domain.period_titles import name_months, period_name, period_title
from worker.domain.periods import month_of, quarter_of, week_of
from worker.domain.typography import fill, nest
from worker.domain.words import Words
from worker.locales import load_words

ENGLISH = load_words("en", "RUB")
RUSSIAN = load_words("ru", "RUB")


@pytest.mark.parametrize(
    ("pattern", "values", "locale", "text"),
    [
        ("риск «{risk}»", {"risk": "срыв «Сайта»"}, "ru", "риск «срыв „Сайта“»"),
        ("risk “{risk}”", {"risk": "“Site” slips"}, "en", "risk “‘Site’ slips”"),
        ("риск: {risk}", {"risk": "срыв «Сайта»"}, "ru", "риск: срыв «Сайта»"),
        ("«{a}» и {b}", {"a": "«А»", "b": "«Б»"}, "ru", "«„А“» и «Б»"),
        ("{b}, “{a}”", {"a": "«А»", "b": "“B”"}, "en", "“B”, “‘А’”"),
        ("«{name}»", {"name": "ООО “Север”"}, "ru", "«ООО „Север“»"),
        ("«{name}»", {"name": "„Север“"}, "ru", "«„Север“»"),
        ("«{name}»: {n}", {"name": "Юг", "n": 3}, "ru", "«Юг»: 3"),
        ("«карточка» {name}", {"name": "«Юг»"}, "ru", "«карточка» «Юг»"),
    ],
)
def test_quotes_within_quotes_are_the_inner_ones(
    pattern: str, values: dict[str, object], locale: str, text: str
) -> None:
    assert fill(pattern, values, locale) == text


def test_what_the_words_say_is_filled_so() -> None:
    said = RUSSIAN.say("risk “{risk}” of {score}", risk="«Сайт»: срыв", score=12)
    assert said == "риск «„Сайт“: срыв» на 12"
    assert ENGLISH.say("“{card}” is late", card="The “Site”") == "“The ‘Site’” is late"
    assert ENGLISH.count("“{a}”: {n}", "“{a}”: {n} all", 2, a="«x»") == "“‘x’”: 2 all"


@given(st.text("«»“”„‘’ абв", max_size=30), st.sampled_from(("en", "ru")))
def test_nesting_settles_at_once_and_changes_nothing_but_quotes(
    text: str, locale: str
) -> None:
    once = nest(text, locale)
    assert "«" not in once
    assert "»" not in once
    assert nest(once, locale) in (once, nest(nest(once, locale), locale))
    assert len(once) == len(text)
    marks = str.maketrans("", "", "«»“”„‘’")
    assert once.translate(marks) == text.translate(marks)


@pytest.mark.parametrize(
    ("locale", "currency", "amount", "shown"),
    [
        ("en", "RUB", "5000", "RUB\u00a05,000"),
        ("en", "RUB", "-5000", "\u2212RUB\u00a05,000"),
        ("en", "KZT", "5.5", "KZT\u00a05.50"),
        ("en", "EUR", "-5000", "\u2212€5,000"),
        ("en", "EUR", "-12.5", "\u2212€12.50"),
        ("en", "JPY", "-12", "\u2212¥12"),
        ("ru", "RUB", "-5000", "\u22125\u00a0000\u00a0₽"),
        ("ru", "RUB", "-12.5", "\u221212,50\u00a0₽"),
    ],
)
def test_a_negative_amount_has_a_true_minus_and_a_code_stands_apart(
    locale: str, currency: str, amount: str, shown: str
) -> None:
    assert Words(locale, currency).money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("locale", "currency", "amount", "shown"),
    [
        ("en", "RUB", "3400000", "RUB\u00a03.4M"),
        ("en", "EUR", "-3400", "\u2212€3K"),
        ("ru", "RUB", "-3400000", "\u22123,4\u00a0млн\u00a0₽"),
    ],
)
def test_brief_amounts_are_set_alike(
    locale: str, currency: str, amount: str, shown: str
) -> None:
    assert Words(locale, currency).brief_money(Decimal(amount)) == shown


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=3),
    st.sampled_from(("en", "ru")),
)
def test_no_figure_has_a_hyphen_for_a_minus_or_a_space_that_breaks(
    value: Decimal, locale: str
) -> None:
    words = Words(locale, "RUB")
    shown = (
        words.number(value),
        words.percent(value),
        words.share(value),
        words.money(value),
        words.brief_money(value),
    )
    assert [one for one in shown if "-" in one or " " in one] == []


def test_russian_months_and_weeks_are_small_within_a_sentence() -> None:
    day = date(2026, 11, 18)
    assert period_title(month_of(day), RUSSIAN) == "Ноябрь 2026"
    assert period_name(month_of(day), RUSSIAN) == "ноябрь 2026"
    assert period_name(week_of(day), RUSSIAN) == "неделя 47 · 16–22 нояб."
    assert period_name(quarter_of(day), RUSSIAN) == "4 кв. 2026"
    assert period_name(month_of(day), ENGLISH) == "November 2026"
    assert period_name(week_of(day), ENGLISH) == "Week 47 · Nov 16–22"


@pytest.mark.parametrize(
    ("first", "last", "english", "russian"),
    [
        ((2026, 8), (2026, 10), "August – October 2026", "август – октябрь 2026"),
        (
            (2025, 11),
            (2026, 1),
            "November 2025 – January 2026",
            "ноябрь 2025 – январь 2026",
        ),
    ],
)
def test_months_of_one_year_name_it_once(
    first: tuple[int, int], last: tuple[int, int], english: str, russian: str
) -> None:
    begin = month_of(date(*first, 1))
    end = month_of(date(*last, 1))
    assert name_months(begin, end, ENGLISH) == english
    assert name_months(begin, end, RUSSIAN) == russian


def test_a_figure_in_bold_or_in_a_link_is_not_broken_over_lines() -> None:
    amount = RUSSIAN.money(Decimal(28_631_980))
    assert bold(amount) == f"**{amount}**"
    day = RUSSIAN.date(date(2026, 11, 27))
    assert link(f" срок  {day}\n", "https://a.test") == f"[срок {day}](https://a.test)"
