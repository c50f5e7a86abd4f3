"""docs/method.md names every rule, playbook, risk, field and threshold that exists, and none that does not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tests.support.rules import calls_of, rule_names
from tests.support.worlds import world
from tests.test_citations import cited_in
from worker.config import Thresholds
from worker.mapping.load import load_schema, shipped_folder
from worker.mapping.playbooks import load_playbooks
from worker.mapping.schema import KEY_PROPERTY, Owner

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/method.md").read_text("utf-8")
NAMED = set(re.findall(r"`([a-z_0-9.]+)`", TEXT))
CHAPTER = re.compile(
    r"^### (?P<number>[0-9.]+) [^\n]+\n\nRule `(?P<rule>[a-z]+)`, in `(?P<path>[a-z_/]+\.py)`",
    re.MULTILINE,
)
CHAPTERS = {one["rule"]: one for one in CHAPTER.finditer(TEXT)}
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


def shown(value: object) -> str:
    """Return a default as the page writes it: numbers with commas, parts of one beside each other."""
    match value:
        case int():
            return f"{value:,}"
        case BaseModel():
            return shown(value.model_dump())
        case dict():
            return " / ".join(map(shown, value.values()))
    return str(value)


def test_a_default_in_brackets_is_the_one_that_is_set() -> None:
    told = re.findall(r"`([a-z_0-9]+)`\s+\(([^)]+)\)", TEXT)
    thresholds = [
        (name, said) for name, said in told if name in Thresholds.model_fields
    ]
    assert len(thresholds) > 60
    assert [
        (name, said)
        for name, said in thresholds
        if shown(getattr(Thresholds(), name)) != said
    ] == []


def test_the_chapters_are_those_of_the_rules_that_a_run_calls_and_no_other() -> None:
    assert set(CHAPTERS) == RULE_NAMES


def test_a_chapter_names_the_module_of_its_rule() -> None:
    modules = {str(call.path.relative_to(ROOT)) for call in calls_of(world())}
    assert {one["path"] for one in CHAPTERS.values()} == modules


@pytest.mark.parametrize("rule", sorted(RULE_NAMES))
def test_the_module_of_a_rule_cites_its_chapter_first(rule: str) -> None:
    chapter = CHAPTERS[rule]
    module = ast.parse((ROOT / chapter["path"]).read_text("utf-8"))
    cited = next(cited_in(ast.get_docstring(module) or "", chapter["path"]))
    assert (cited.page, cited.chapter) == ("docs/method.md", chapter["number"])
