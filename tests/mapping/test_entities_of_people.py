"""Rows of the development backlog, goals and feedback as entities; what is private names nobody in a problem."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.support.worlds import TODAY, at, row
from worker.domain.entities import Row
from worker.domain.values import Ref, Span, Value
from worker.mapping.load import load_schema
from worker.world.entities import (
    Reader,
    read_card,
    read_client,
    read_contact,
    read_feedback,
    read_goal,
    read_idea,
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
