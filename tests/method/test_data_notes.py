"""What is amiss in a row is said on it: each problem once, with its column and way out, and none is lost to a fault."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.rules import breaking
from tests.support.worlds import PLAYBOOKS, card, client, ref, revenue, row, unit, world
from worker.domain.entities import Row
from worker.domain.messages import literal
from worker.errors import Code, Problem, Severity
from worker.method import evaluate
from worker.method.sprint.data_notes import OPEN, PRIVATE, note_data
from worker.world.world import World

OCTOBER = date(2026, 10, 1)


def _problem(
    key: str, message: str, *, column: str = "", severity: Severity = Severity.WARNING
) -> Problem:
    return Problem(
        code=Code.OUT_OF_RANGE,
        where=literal(key),
        column=literal(column),
        message=literal(message),
        hint=literal("mend it"),
        url=f"https://notion.so/{key}",
        severity=severity,
    )


def _scene(*sources: str) -> World:
    rows: dict[str, tuple[Row, ...]] = {
        source: (row(source, f"{source}-1", worker=False),) for source in sources
    }
    return world(rows=rows, sources=frozenset(sources))


@pytest.mark.parametrize("source", [*OPEN, *PRIVATE])
def test_a_row_of_each_board_says_its_problems_and_the_private_ones_to_no_page(
    source: str,
) -> None:
    key = f"{source}-1"
    problems = [
        _problem(key, "-5 is below zero", column="Budget"),
        _problem(key, "-5 is below zero", column="Budget"),
        _problem(key, "the Kind is missing", column="Kind"),
        _problem(key, "it has no name", severity=Severity.INFO),
        _problem("another", "is none of its own"),
    ]
    found = note_data(_scene(source), problems, is_whole=True)
    assert facts_of(found, source, key)["data_notes"] == (
        "Budget: -5 is below zero → mend it\nthe Kind is missing → mend it"
    )
    assert len(found.value) == (source in OPEN)


def test_a_row_without_problems_loses_its_notes_but_not_while_a_rule_fails() -> None:
    scene = _scene("revenue")
    found = note_data(scene, (), is_whole=True)
    assert facts_of(found, "revenue", "revenue-1")["data_notes"] is None
    assert note_data(scene, (), is_whole=False).facts == ()


def _books() -> World:
    bill = replace(revenue(100, OCTOBER), client=None, project=ref("projects", "p1"))
    dollars = replace(bill, ref=ref("revenue", "d"), client=ref("clients", "c1"))
    return world(
        client(),
        unit(),
        card(client=None),
        bill,
        replace(dollars, currency="USD"),
        rows={
            "revenue": (
                row("revenue", bill.ref.key, worker=False),
                row("revenue", "d", worker=False),
            )
        },
    )


def test_money_of_a_project_that_is_nobodys_is_told_as_is_money_of_elsewhere() -> None:
    outcome = judge(_books())
    assert outcome.measures.money is not None
    assert sum(fact.amount for fact in outcome.measures.money) == Decimal(0)
    nobodys = facts_of(outcome, "revenue", f"c1-{OCTOBER}-act")["data_notes"]
    assert "its project names no client" in str(nobodys)
    abroad = facts_of(outcome, "revenue", "d")["data_notes"]
    assert "USD is not the workspace's currency" in str(abroad)


@pytest.mark.fails_softly
def test_what_a_rule_that_fails_would_have_told_stays_on_its_rows() -> None:
    start = breaking("measure_revenue", ZeroDivisionError("division by zero"))
    outcome = evaluate(_books(), PLAYBOOKS, start=start)
    assert not [fact for fact in outcome.facts if fact.field == "data_notes"]


def test_what_people_typed_on_a_row_of_the_worker_is_told_on_pages_and_has_no_column() -> (
    None
):
    problem = _problem("plans-1", "was typed but is not pinned")
    found = note_data(_scene("plans"), [problem], is_whole=True)
    assert [note.lines for note in found.value] == [
        ("was typed but is not pinned → mend it",)
    ]
    assert found.facts == ()
