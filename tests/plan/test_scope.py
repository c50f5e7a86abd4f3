"""A cycle narrowed to rules: what they may be called, and what else is refused."""

from __future__ import annotations

import pytest

from tests.support.agency import first_morning
from tests.support.english import english
from worker.domain.values import Ref
from worker.errors import ConfigError
from worker.plan.facts import Fact, Why
from worker.plan.scope import RULES, find_rules, of_rules


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ()),
        ("rules=progress", ("progress",)),
        ("rules=risks,progress", ("progress", "riskmap")),
        ("rules= Risks , riskmap ,", ("riskmap",)),
    ],
)
def test_rules_are_named_in_any_order_and_by_what_people_call_them(
    text: str, rules: tuple[str, ...]
) -> None:
    assert find_rules(text) == rules


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("rules=risk", "did you mean risks?"),
        ("rules=progress,taks", "did you mean tasks?"),
        ("rules=", "name rules: rules=risks,progress"),
        ("risks", "name rules: rules=risks,progress"),
        ("fields=due", "name rules: rules=risks,progress"),
    ],
)
def test_what_names_no_rule_is_refused_with_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        find_rules(text)
    (problem,) = refused.value.problems
    assert english(problem.hint) == hint


def test_every_rule_of_the_sample_agency_can_be_named() -> None:
    stated = {fact.why.rule for fact in first_morning("en").outcome.facts}
    assert len(stated) > 15
    assert stated <= set(RULES.values())


def test_only_the_facts_of_the_rules_are_left_and_all_without_any() -> None:
    facts = [Fact(Ref("tasks", "x"), "due", None, Why(name)) for name in ("a", "b")]
    assert of_rules(facts, ("b",)) == (facts[1],)
    assert of_rules(facts, ()) == tuple(facts)
