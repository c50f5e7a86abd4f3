"""The table of conditions: what the rules state has its row there, and the playbooks answer every row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import worker.method
from tests.support.outcomes import judge
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    card,
    client,
    contact,
    document,
    person,
    unit,
    world,
)
from worker.domain.entities import Stage
from worker.domain.values import Ref
from worker.locales import load_words
from worker.method.conditions import CONDITIONS, TYPES, ConditionType
from worker.method.delivery import deadlines, quality
from worker.method.sprint.risks import KINDS
from worker.method.sprint.signals import FINDERS

METHOD = Path(worker.method.__file__).parent
TABLE = METHOD / "conditions.py"
REMEMBERED = {"risks.py": "Condition", "tasks.py": "Signal"}
"""These state what is remembered and no longer told, whose words are gone with its subject."""

RISKS = [row for row in TYPES if row.kind]


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the method but the table, with its name."""
    for path in METHOD.rglob("*.py"):
        if path != TABLE:
            yield path.name, ast.parse(path.read_text("utf-8"))


def texts() -> set[str]:
    """Return every text that stands in the rules."""
    return {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_no_two_rows_share_a_signal_or_a_playbook() -> None:
    assert len(CONDITIONS) == len(TYPES)
    named = [playbook for row in TYPES for playbook in row.playbooks]
    assert len(named) == len(set(named))


def test_the_rules_state_conditions_and_signals_through_the_table_alone() -> None:
    made = {
        (name, node.func.id)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Condition", "Signal"}
    }
    assert made == set(REMEMBERED.items())


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.signal)
def test_a_rule_states_every_row(row: ConditionType) -> None:
    stated = texts()
    assert row.signal in stated or set(row.playbooks) & stated


def test_a_row_and_its_playbooks_name_each_other() -> None:
    assert {(playbook, row.signal) for row in TYPES for playbook in row.playbooks} == {
        (name, book.signal) for name, book in PLAYBOOKS.tasks.items()
    }


def test_a_run_looks_for_what_each_playbook_answers() -> None:
    """A playbook whose condition is only a risk, with no rule to state its signal, would never make a task."""
    developer = person(
        "dev",
        role="developer",
        capacity=Decimal(40),
        unit=Ref("units", "u1"),
        start=TODAY - timedelta(days=300),
    )
    seen = world(
        client(monthly_fee=Decimal(100), contract_end=TODAY + timedelta(days=200)),
        unit(members=(developer.ref,)),
        developer,
        *(person(name) for name in ("am", "tl", "pm")),
        contact(
            "anna",
            side="client",
            since=TODAY - timedelta(days=100),
            birthday=TODAY + timedelta(days=100),
        ),
        document("nda", expires=TODAY + timedelta(days=200)),
        card(),
        card("p2", Stage.IDEA),
        work={"p1": ()},
    )
    signals = judge(seen).measures.signals or ()
    assert {signal.playbook for signal in signals} == set(PLAYBOOKS.tasks)


def test_the_conditions_of_cards_are_those_looked_at_card_by_card() -> None:
    marked = {row.signal for row in TYPES if row.of_cards}
    assert marked == {*deadlines.TESTS, *quality.TESTS}


def test_every_playbook_that_waits_for_the_risks_is_in_the_table() -> None:
    assert set(FINDERS) <= set(PLAYBOOKS.tasks)


def test_every_risk_has_its_response_and_every_response_its_risk() -> None:
    assert {row.signal for row in RISKS} == set(PLAYBOOKS.responses) - set(KINDS)
    assert set(KINDS) <= set(PLAYBOOKS.responses)


@pytest.mark.parametrize("row", RISKS, ids=lambda row: row.signal)
def test_a_risk_has_a_kind_and_a_title(row: ConditionType) -> None:
    assert row.kind in KINDS
    assert row.title


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.signal)
def test_what_makes_a_task_says_why_it_closes(row: ConditionType) -> None:
    assert bool(row.ended) == bool(row.playbooks)


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.signal)
def test_the_words_of_a_row_have_their_russian(row: ConditionType) -> None:
    words = load_words("ru", "RUB")
    for text in filter(None, (row.title, row.formula, row.ended)):
        assert words.say(text) != text
