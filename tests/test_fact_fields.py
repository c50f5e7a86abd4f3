"""Every fact a rule states has its field in the mapping, under that rule; every field with a rule has a rule that knows it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import worker.method
import worker.pages
from tests.support.rules import reason_names
from worker.mapping.load import load_schema
from worker.mapping.schema import Owner

SCHEMA = load_schema()
ROOMS = (Path(worker.method.__file__).parent, Path(worker.pages.__file__).parent)
OUTSIDE = {"pages", "sync"}
"""Rules that are no chapter of the method."""
FIELDS = {
    f"{name}.{prop.name}": prop
    for name, source in SCHEMA.sources.items()
    for prop in source.properties.values()
}


@cache
def texts_of(path: Path) -> frozenset[str]:
    """Return every text a module holds as a value."""
    return frozenset(
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def literal_fields(path: Path) -> list[str]:
    """Return the fields that a module's facts name in so many words."""
    return [
        call.args[1].value
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Fact"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Constant)
        and isinstance(call.args[1].value, str)
    ]


MODULES = sorted(path for room in ROOMS for path in room.rglob("*.py"))
STATED = [(path, field) for path in MODULES for field in literal_fields(path)]
RULED = sorted(name for name, prop in FIELDS.items() if prop.rule)


@pytest.mark.parametrize(
    ("path", "field"), STATED, ids=lambda one: getattr(one, "stem", one)
)
def test_a_field_named_in_a_fact_is_in_the_mapping_with_a_rule_of_that_module(
    path: Path, field: str
) -> None:
    rules = {prop.rule for prop in FIELDS.values() if prop.name == field and prop.rule}
    assert rules & texts_of(path)


@pytest.mark.parametrize("field", RULED)
def test_a_field_with_a_rule_is_named_by_a_module_of_that_rule(field: str) -> None:
    prop = FIELDS[field]
    assert [path for path in MODULES if {prop.rule, prop.name} <= texts_of(path)], (
        f"no module that gives its reasons as {prop.rule} names {prop.name}"
    )


def test_every_rule_of_the_mapping_is_one_that_gives_reasons() -> None:
    assert {prop.rule for prop in FIELDS.values() if prop.rule} - OUTSIDE <= (
        reason_names()
    )


def test_only_a_field_of_people_or_a_link_has_no_rule() -> None:
    """A relation that mirrors another is filled by Notion, the Worker key by whatever creates a row."""
    bare = [
        name
        for name, prop in FIELDS.items()
        if prop.owner is not Owner.HUMAN
        and not prop.rule
        and prop.name != "worker_key"
        and not prop.mirror
    ]
    assert bare == []
