"""A workspace is recognised by id once known, by label before; what does not fit is said, not guessed."""

from __future__ import annotations

from typing import Any

import pytest
from boards_rig import COLORS, option, prop, source
from msgspec.structs import replace

from tests.support.english import english
from worker.codecs.records import read_data_source
from worker.errors import Problem, Severity
from worker.mapping.schema import Owner
from worker.notion.bind import bind, find_sources

CHOICE = prop("choice", "select", options=tuple(map(option, COLORS)))
THINGS = source(
    "things",
    prop("name", "title"),
    prop("amount", "number", owner=Owner.WORKER),
    CHOICE,
)


def column(
    identity: str, name: str, kind: str, detail: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a raw property."""
    return {"id": identity, "name": name, "type": kind, kind: detail or {}}


def options(*names: str) -> dict[str, Any]:
    """Return the raw detail of a select."""
    return {
        "options": [
            {"id": f"id-{name.lower()}", "name": name, "color": "blue"}
            for name in names
        ]
    }


def raw_source(
    *columns: dict[str, Any], title: str = "Things", **extra: Any
) -> dict[str, Any]:
    """Return a data source as it is sent."""
    return {
        "object": "data_source",
        "id": "ds",
        "title": [{"plain_text": title}],
        "url": "https://notion/ds",
        "parent": {"type": "database_id", "database_id": "db"},
        "properties": {one["name"]: one for one in columns},
        **extra,
    }


WHOLE = raw_source(
    column("title", "What people call it", "title"),
    column("a%3B", "Amount", "number"),
    column("c", "Choice", "select", options("Red", "Green", "Blue")),
)
KNOWN, _ = bind(THINGS, read_data_source(WHOLE), locale="en")


def codes(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return code and field of each problem."""
    return [(problem.code, problem.field) for problem in problems]


def test_a_whole_source_binds_without_a_word() -> None:
    binding, problems = bind(THINGS, read_data_source(WHOLE), locale="en")
    assert problems == ()
    assert (binding.database_id, binding.data_source_id) == ("db", "ds")
    assert binding.properties == {"name": "title", "amount": "a%3B", "choice": "c"}
    assert binding.options["choice"] == {
        "red": ("id-red", "Red"),
        "green": ("id-green", "Green"),
        "blue": ("id-blue", "Blue"),
    }


def test_labels_of_another_locale_bind_too() -> None:
    assert bind(THINGS, read_data_source(WHOLE), locale="ru")[0] == KNOWN


def test_a_label_of_the_locale_wins_over_one_of_another() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("a1", "Amount", "number"),
        column("a2", "Amount (рус)", "number"),
        WHOLE["properties"]["Choice"],
    )
    assert (
        bind(THINGS, read_data_source(raw), locale="ru")[0].properties["amount"] == "a2"
    )
    assert (
        bind(THINGS, read_data_source(raw), locale="en")[0].properties["amount"] == "a1"
    )


FORMER = replace(
    THINGS,
    formerly={"en": ("Stuff",), "ru": ("Штуки",)},
    properties={
        **THINGS.properties,
        "amount": replace(
            THINGS.properties["amount"],
            formerly={"en": ("Sum", "Total"), "ru": ("Сумма",)},
        ),
        "choice": replace(
            CHOICE,
            formerly={"en": ("Colour",)},
            options=(
                replace(CHOICE.options[0], formerly={"en": ("Crimson",)}),
                *CHOICE.options[1:],
            ),
        ),
    },
)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("name", ["Sum", "total", "Сумма "])
def test_a_former_label_binds_a_column_of_an_older_workspace(
    name: str, locale: str
) -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("old", name, "number"),
        column("c", "Colour", "select", options("Crimson", "Green", "Blue")),
    )
    binding, problems = bind(FORMER, read_data_source(raw), locale=locale)
    assert problems == ()
    assert binding.properties == {"name": "title", "amount": "old", "choice": "c"}
    assert binding.options["choice"]["red"] == ("id-crimson", "Crimson")


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_what_is_called_as_it_is_now_wins_over_what_is_called_as_before(
    locale: str,
) -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("former", "Sum", "number"),
        column("present", "Amount", "number"),
        column("c", "Choice", "select", options("Crimson", "Red", "Green", "Blue")),
    )
    binding, _ = bind(FORMER, read_data_source(raw), locale=locale)
    assert binding.properties["amount"] == "present"
    assert binding.options["choice"]["red"] == ("id-red", "Red")


def test_a_column_that_cannot_be_read_is_recognised_by_its_former_label() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        {"id": 7, "name": "Sum", "type": "number", "number": {}},
        WHOLE["properties"]["Choice"],
    )
    _, problems = bind(FORMER, read_data_source(raw), locale="en")
    assert codes(problems) == [("schema-unreadable", "amount")]


@pytest.mark.parametrize("title", ["stuff", "Штуки"])
def test_a_former_title_is_found_unless_something_is_called_as_it_is_now(
    title: str,
) -> None:
    old = read_data_source(raw_source(title=title))
    new = read_data_source({**raw_source(), "id": "new"})
    assert find_sources(FORMER, [old], "en") == [old]
    assert find_sources(FORMER, [old, new], "en") == [new]
    assert find_sources(THINGS, [old], "en") == []


def test_renames_do_not_matter_once_known() -> None:
    raw = raw_source(
        column("title", "Titel", "title"),
        column("a%3B", "Betrag", "number"),
        column(
            "c",
            "Farbe",
            "select",
            {
                "options": [
                    {"id": "id-red", "name": "Rot"},
                    {"id": "id-green", "name": "Grün"},
                    {"id": "id-blue", "name": "Blau"},
                ]
            },
        ),
        title="Dinge",
    )
    binding, problems = bind(THINGS, read_data_source(raw), locale="en", known=KNOWN)
    assert problems == ()
    assert binding.properties == KNOWN.properties
    assert binding.options["choice"]["red"] == ("id-red", "Rot")


def test_a_renamed_property_is_not_replaced_by_a_namesake() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("a%3B", "Old amount", "number"),
        column("new", "Amount", "number"),
        WHOLE["properties"]["Choice"],
    )
    assert (
        bind(THINGS, read_data_source(raw), locale="en", known=KNOWN)[0].properties[
            "amount"
        ]
        == "a%3B"
    )


def test_what_was_known_of_another_data_source_does_not_count() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("new", "Amount", "number"),
        column("a%3B", "Other", "number"),
        WHOLE["properties"]["Choice"],
    )
    other = replace(KNOWN, data_source_id="another")
    assert (
        bind(THINGS, read_data_source(raw), locale="en", known=other)[0].properties[
            "amount"
        ]
        == "new"
    )


@pytest.mark.parametrize(
    ("columns", "known", "code", "says"),
    [
        ((), True, "schema-deleted", "restore"),
        ((), False, "schema-missing", "rayline init"),
        (
            (column("a%3B", "Amount", "rich_text"),),
            True,
            "schema-retyped",
            "back to number",
        ),
        (
            (column("x", "Amount", "rich_text"),),
            False,
            "schema-retyped",
            "back to number",
        ),
    ],
)
def test_a_property_that_does_not_fit_is_left_unbound_with_a_way_out(
    columns: tuple[dict[str, Any], ...], known: bool, code: str, says: str
) -> None:
    raw = raw_source(
        column("title", "Name", "title"), WHOLE["properties"]["Choice"], *columns
    )
    binding, problems = bind(
        THINGS, read_data_source(raw), locale="en", known=KNOWN if known else None
    )
    assert codes(problems) == [(code, "amount")]
    assert says in english(problems[0].hint)
    assert problems[0].url == "https://notion/ds"
    assert problems[0].severity is Severity.WARNING
    assert set(binding.properties) == {"name", "choice"}


def test_a_property_made_again_after_its_deletion_is_taken_up() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("again", "Amount", "number"),
        WHOLE["properties"]["Choice"],
    )
    binding, problems = bind(THINGS, read_data_source(raw), locale="en", known=KNOWN)
    assert binding.properties["amount"] == "again"
    assert problems == ()


def test_missing_options_are_listed_and_the_others_bound() -> None:
    raw = raw_source(
        column("title", "Name", "title"),
        column("a%3B", "Amount", "number"),
        column("c", "Choice", "select", options("RED")),
    )
    binding, problems = bind(THINGS, read_data_source(raw), locale="en")
    assert codes(problems) == [("schema-option", "choice")]
    assert "“Green”, “Blue”" in english(problems[0].message)
    assert binding.options["choice"] == {"red": ("id-red", "RED")}


def test_a_source_is_found_by_its_title_in_the_locale_first() -> None:
    english = read_data_source(raw_source(id="en"))
    russian = read_data_source(raw_source(title="things (РУС) ", id="ru"))
    assert find_sources(THINGS, [english, russian], "ru") == [russian]
    assert find_sources(THINGS, [russian, english], "en") == [english]
    assert find_sources(THINGS, [russian], "en") == [russian]


def test_all_sources_of_one_title_are_found_each_once() -> None:
    first = read_data_source(raw_source(id="one"))
    second = read_data_source(raw_source(title="THINGS", id="two"))
    assert find_sources(THINGS, [first, second, first], "en") == [first, second]


def test_a_source_in_the_trash_is_not_found() -> None:
    trashed = read_data_source(raw_source(in_trash=True))
    assert find_sources(THINGS, [trashed], "en") == []
