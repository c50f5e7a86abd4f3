"""Rows of the development backlog, goals and feedback as entities; what is private names nobody in a problem."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.worlds import TODAY, at, row
from worker.domain.entities import Row
from worker.domain.messages import ENGLISH, render
from worker.domain.values import Ref, Span, Value
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.world.entities import (
    NEEDS,
    Reader,
    read_card,
    read_client,
    read_contact,
    read_cost,
    read_document,
    read_feedback,
    read_goal,
    read_idea,
    read_revenue,
    read_service,
)

SCHEMA = load_schema()
C1, U1, DEV, P1 = (
    Ref("clients", "c1"),
    Ref("units", "u1"),
    Ref("people", "dev"),
    Ref("projects", "p1"),
)
PRESENT = {ref.source: frozenset({ref}) for ref in (C1, U1, DEV, P1)}


def reader(found: Row) -> Reader:
    """Return a reader of a row."""
    return Reader(
        found, SCHEMA.sources[found.ref.source], ZoneInfo("Europe/Moscow"), PRESENT
    )


def test_an_idea_is_read_whole() -> None:
    found = row(
        "backlog",
        "i1",
        worker=False,
        title="Chat",
        kind="hypothesis",
        horizon="strategic",
        status="new",
        client=(C1,),
        unit=(U1,),
        author=(DEV,),
        impact=Decimal(4),
        effort=Decimal(2),
        card=(P1,),
        metric="Conversion",
        expected_effect="+10 %",
        measured_effect="+7 %",
    )
    idea = read_idea(reader(found))
    assert (idea.name, idea.created, idea.kind, idea.horizon, idea.status) == (
        "Chat",
        at(TODAY),
        "hypothesis",
        "strategic",
        "new",
    )
    assert (idea.client, idea.unit, idea.author, idea.cards) == (C1, U1, DEV, (P1,))
    assert (idea.impact, idea.effort) == (Decimal(4), Decimal(2))
    effect = idea.metric, idea.expected_effect, idea.measured_effect
    assert effect == ("Conversion", "+10 %", "+7 %")


def test_a_card_tells_how_often_its_date_moved_and_what_was_promised_first() -> None:
    found = row(
        "projects",
        "p1",
        worker=False,
        client=(C1,),
        due_first=TODAY,
        due_moves=Decimal(2),
    )
    read = read_card(reader(found))
    assert (read.due_first, read.due_moves) == (TODAY, Decimal(2))
    empty = read_card(reader(row("projects", "p1", worker=False, client=(C1,))))
    assert (empty.due_first, empty.due_moves) == (None, None)


@pytest.mark.parametrize(
    ("fields", "score", "code", "field"),
    [
        ({"score": Decimal(5)}, 5, "", ""),
        ({"score": Decimal("0.5")}, None, "out-of-range", "score"),
        ({"score": Decimal(11)}, None, "out-of-range", "score"),
        ({"client": ()}, None, "incomplete-feedback", "client"),
        ({"date": None}, None, "incomplete-feedback", "date"),
    ],
)
def test_a_problem_of_feedback_names_neither_title_nor_person(
    fields: dict[str, Value], score: int | None, code: str, field: str
) -> None:
    found = row(
        "feedback",
        "f1",
        worker=False,
        title="Vadim was rude",
        **{"client": (C1,), "person": (DEV,), "date": TODAY, "text": "Vadim", **fields},  # type: ignore[arg-type]
    )
    read = reader(found)
    said = read_feedback(read)
    assert (said.score, said.person, said.text) == (score, DEV, "Vadim")
    assert [(problem.code, problem.field) for problem in read.problems] == (
        [(code, field)] if code else []
    )
    assert "Vadim" not in str(read.problems)
    assert all(problem.url == "https://notion.so/f1" for problem in read.problems)


def test_a_goal_is_read_whole() -> None:
    found = row(
        "goals",
        "goal:g1:2026-11",
        title="Ship",
        owner=(DEV,),
        unit=(U1,),
        grain="month",
        period=Span(date(2026, 11, 1), date(2026, 11, 30)),
        measure=" features ",
        rollup="latest",
        target=Decimal(5),
        current=Decimal(2),
        status="doing",
        parent=(),
    )
    read = reader(found)
    goal = read_goal(read)
    assert (goal.key, goal.owner, goal.unit, goal.grain, goal.measure) == (
        "goal:g1:2026-11",
        (DEV,),
        U1,
        "month",
        "features",
    )
    assert (goal.rollup, goal.target, goal.current, goal.status, goal.parent) == (
        "latest",
        Decimal(5),
        Decimal(2),
        "doing",
        None,
    )
    assert read.problems == []


def test_a_single_day_is_a_period_too() -> None:
    found = row(
        "goals",
        "g1",
        worker=False,
        period=date(2026, 11, 2),
        measure="NPS",
        target=Decimal(5),
    )
    assert read_goal(reader(found)).period == Span(date(2026, 11, 2), date(2026, 11, 2))


def test_a_birthday_without_its_year_keeps_its_day() -> None:
    read = reader(
        row(
            "contacts",
            "ivan",
            worker=False,
            birthday=date(1904, 2, 29),
            offers="photographer",
        )
    )
    contact = read_contact(read)
    assert (contact.birthday, contact.offers) == (date(1904, 2, 29), "photographer")
    assert [problem.code for problem in read.problems] == ["no-birth-year"]


@pytest.mark.parametrize(
    ("group", "unit", "codes"),
    [
        ("account", (), ["client-without-unit"]),
        ("account", (U1,), []),
        ("newbiz", (), []),
        (None, (), []),
    ],
)
def test_only_an_account_needs_a_unit(
    group: str | None, unit: tuple[Ref, ...], codes: list[str]
) -> None:
    read = reader(row("clients", "c1", worker=False, group=group, unit=unit))
    read_client(read)
    assert [problem.code for problem in read.problems] == codes


@pytest.mark.parametrize(
    ("cell", "billable"), [(None, True), ("yes", True), ("no", False)]
)
def test_the_client_pays_for_a_card_unless_people_say_no(
    cell: str | None, billable: bool
) -> None:
    found = row("projects", "p1", worker=False, client=(C1,), billable=cell)
    assert read_card(reader(found)).billable is billable


def test_a_cost_rate_is_read_whole_and_without_a_day_it_is_in_force_ever_since() -> (
    None
):
    cells: dict[str, Any] = {"person": (DEV,), "cost_rate": Decimal(700)}
    dated: dict[str, Any] = {**cells, "from": TODAY}
    found = row("costs", "k1", worker=False, **dated)
    rate = read_cost(reader(found))
    assert rate is not None
    assert (rate.person, rate.since) == (DEV, TODAY)
    assert rate.rate == 700
    assert (rate.url, rate.created) == (found.url, found.created)
    ever = read_cost(reader(row("costs", "k1", worker=False, **cells)))
    assert ever is not None
    assert ever.since == date.min


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"cost_rate": Decimal(7137)}, ["incomplete-cost"]),
        ({"person": (DEV,)}, ["incomplete-cost"]),
        ({}, ["incomplete-cost"]),
        (
            {"person": (DEV,), "cost_rate": Decimal(-7137)},
            ["negative-amount", "incomplete-cost"],
        ),
        (
            {"person": (DEV, Ref("people", "dev")), "cost_rate": Decimal(7137)},
            ["several-rows", "incomplete-cost"],
        ),
        (
            {"person": (Ref("people", "gone"),), "cost_rate": Decimal(7137)},
            ["dangling-relation", "incomplete-cost"],
        ),
    ],
)
def test_a_cost_rate_of_nobody_or_without_an_amount_is_told_and_not_quoted(
    cells: dict[str, Any], codes: list[str]
) -> None:
    given = reader(row("costs", "k1", worker=False, title="7137", **cells))
    assert read_cost(given) is None
    assert [problem.code.value for problem in given.problems] == codes
    assert all(problem.url == given.row.url for problem in given.problems)
    assert "7137" not in str(given.problems)


@pytest.mark.parametrize(
    ("typed", "months", "codes"),
    [
        (None, None, []),
        (Decimal(0), 0, []),
        (Decimal("2.0"), 2, []),
        (Decimal("1.5"), None, ["out-of-range"]),
        (Decimal(-1), None, ["negative-amount"]),
    ],
)
def test_hours_a_month_roll_over_for_a_whole_number_of_months(
    typed: Decimal | None, months: int | None, codes: list[str]
) -> None:
    cells: dict[str, Any] = {"hours_frame": Decimal("87.5"), "rollover_months": typed}
    given = reader(row("clients", "c1", worker=False, **cells))
    client = read_client(given)
    assert (client.hours_frame, client.rollover_months) == (Decimal("87.5"), months)
    assert [problem.code.value for problem in given.problems] == codes


NEEDED: dict[str, tuple[Callable[[Reader], object], dict[str, Value]]] = {
    "revenue": (
        read_revenue,
        {"client": (C1,), "month": TODAY, "amount": Decimal(1), "kind": "act"},
    ),
    "costs": (read_cost, {"person": (DEV,), "cost_rate": Decimal(1)}),
    "feedback": (read_feedback, {"client": (C1,), "date": TODAY}),
    "documents": (read_document, {"client": (C1,)}),
    "contacts": (read_contact, {"client": (C1,)}),
    "services": (read_service, {"kind": "endless"}),
}


def test_every_data_source_whose_rows_need_cells_is_tried() -> None:
    assert {name: set(cells) for name, (_, cells) in NEEDED.items()} == {
        name: set(needs.columns) for name, needs in NEEDS.items()
    }


@pytest.mark.parametrize("source", sorted(NEEDED))
def test_the_cells_that_a_row_needs_and_lacks_are_named_in_both_languages(
    source: str,
) -> None:
    read, whole = NEEDED[source]
    properties = SCHEMA.sources[source].properties
    for number in range(len(whole) + 1):
        for lacking in combinations(whole, number):
            cells: dict[str, Any] = {"side": "client"}
            cells |= {name: whole[name] for name in whole if name not in lacking}
            found = reader(row(source, "r1", worker=False, **cells))
            read(found)
            assert len(found.problems) == bool(lacking)
            for problem in found.problems:
                assert problem.code == NEEDS[source].code
                assert problem.field == lacking[0]
                for words in (ENGLISH, load_words("ru", "RUB")):
                    told = render(problem.message, words)
                    named = {
                        name
                        for name in whole
                        if properties[name].label[words.locale] in told
                    }
                    assert named == set(lacking)
                    assert properties[lacking[0]].label[words.locale] in render(
                        problem.hint, words
                    )


def test_money_of_a_project_needs_no_client_of_its_own() -> None:
    cells: dict[str, Any] = {**NEEDED["revenue"][1], "client": (), "project": (P1,)}
    found = reader(row("revenue", "r1", worker=False, **cells))
    assert read_revenue(found) is not None
    assert found.problems == []
