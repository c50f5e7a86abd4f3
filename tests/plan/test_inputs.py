"""The figures behind a value in words: days, instants, options and the row itself; whatever else stands as it is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from worker.domain.values import Ref
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.plan.inputs import say_figure

SCHEMA = load_schema()
MOSCOW = ZoneInfo("Europe/Moscow")
YEAR = "2026\u202fг."
IDEA = Ref("backlog", "2f0c")


def said(text: str, locale: str = "ru", ref: Ref = IDEA, title: str = "") -> str:
    words = load_words(locale, "RUB")
    return say_figure(text, ref, title=title, schema=SCHEMA, words=words, zone=MOSCOW)


@pytest.mark.parametrize(
    ("text", "russian", "english"),
    [
        ("2026-11-18", f"18 нояб. {YEAR}", "Nov 18, 2026"),
        (
            "2026-11-01 – 2026-11-30",
            f"1 нояб. {YEAR} – 30 нояб. {YEAR}",
            "Nov 1, 2026 – Nov 30, 2026",
        ),
        ("2026-10-14T22:40:00+00:00", f"15 окт. {YEAR}, 01:40", "Oct 15, 2026, 01:40"),
        ("for_group", "На группу развития", "For the growth group"),
        ("pm", "Проджект", "Project manager"),
        ("finance", "Финансы", "Finance"),
        ("2026-13-45", "2026-13-45", "2026-13-45"),
        ("meeting:daily:2026-11-18", "meeting:daily:2026-11-18", None),
        ("project ACME", "project ACME", None),
        ("", "", ""),
    ],
)
def test_a_figure_is_said_in_the_readers_words(
    text: str, russian: str, english: str | None
) -> None:
    assert said(text) == russian
    assert said(text, "en") == (text if english is None else english)


def test_options_of_the_rows_own_board_come_before_those_of_others() -> None:
    status = SCHEMA.sources["goals"].properties["status"]
    labels = {option.key: option.label["ru"] for option in status.options}
    for key, label in labels.items():
        assert said(key, ref=Ref("goals", "x")) == label


def test_a_row_is_called_by_its_title() -> None:
    page = Ref("meetings", "meeting:portfolio")
    assert said(page.key, ref=page, title="Портфель") == "Портфель"
    assert said(page.key, ref=page) == page.key
