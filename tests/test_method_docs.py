"""docs/method.md names every rule, playbook, risk, field and threshold that exists, and none that does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.rules import rule_names
from worker.config import Thresholds
from worker.mapping.load import load_schema, shipped_folder
from worker.mapping.playbooks import load_playbooks
from worker.mapping.schema import KEY_PROPERTY, Owner

TEXT = (Path(__file__).parents[1] / "docs" / "method.md").read_text("utf-8")
NAMED = set(re.findall(r"`([a-z_0-9.]+)`", TEXT))
RULE_CELLS = re.findall(
    r"^\|[^|]*\|([^|]*)\|[^|]*\|[^|]*\|[^|]*\|$", TEXT, re.MULTILINE
)
NAMED_RULES = set(re.findall(r"`([a-z_]+)`", " ".join(RULE_CELLS)))
SCHEMA = load_schema()
PLAYBOOKS = load_playbooks(shipped_folder())
KINDS = {
    "deadline",
    "money",
    "team",
    "other",
}  # the responses of a kind, for signals without their own

RULE_NAMES = rule_names()
FIELDS = {
    f"{name}.{prop.name}"
    for name, source in SCHEMA.sources.items()
    for prop in source.properties.values()
    if prop.owner is not Owner.HUMAN and prop.rule and prop.name != KEY_PROPERTY
}
SIGNALS = set(PLAYBOOKS.responses) - KINDS


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("rules", RULE_NAMES),
        ("playbooks", set(PLAYBOOKS.tasks)),
        ("risks", SIGNALS),
        ("fields", FIELDS),
        ("thresholds", set(Thresholds.model_fields)),
    ],
)
def test_every_element_is_in_the_table(kind: str, names: set[str]) -> None:
    assert not sorted(names - NAMED), f"{kind} that docs/method.md does not name"


def test_the_table_names_nothing_that_does_not_exist() -> None:
    human = {
        f"{name}.{prop}"
        for name, source in SCHEMA.sources.items()
        for prop in source.properties
    }
    known = (
        RULE_NAMES
        | set(PLAYBOOKS.tasks)
        | SIGNALS
        | FIELDS
        | human
        | set(Thresholds.model_fields)
        | set(SCHEMA.sources)
    )
    assert not sorted(NAMED - known)


def test_the_column_of_rules_names_those_that_a_run_calls_and_no_other() -> None:
    assert NAMED_RULES == RULE_NAMES
