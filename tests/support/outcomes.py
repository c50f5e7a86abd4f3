"""What the rules say of a world, read strictly: in a test nothing fails softly and nothing absent reads as empty."""

from __future__ import annotations

from tests.support.worlds import PLAYBOOKS
from worker.domain.values import Ref, Unset, Value
from worker.errors import FAULTS
from worker.mapping.playbooks import Playbooks
from worker.method import RULES, Rule, evaluate
from worker.pages import write_pages
from worker.plan.facts import Outcome
from worker.world.world import World


def judge(
    seen: World,
    playbooks: Playbooks = PLAYBOOKS,
    *,
    rules: tuple[Rule, ...] = RULES,
) -> Outcome:
    """Return what the rules say; a rule that fails fails the test."""
    return whole(evaluate(seen, playbooks, rules=rules))


def written(seen: World) -> Outcome:
    """Return what the rules and the pages say; a rule or page that fails fails the test."""
    return whole(write_pages(seen, judge(seen)))


def whole(outcome: Outcome) -> Outcome:
    """Return the outcome as it is, if nothing in it failed."""
    failed = [
        f"{problem.where}: {problem.message}"
        for problem in outcome.problems
        if problem.code in FAULTS
    ]
    assert failed == []
    return outcome


def facts_of(outcome: Outcome, source: str, key: str) -> dict[str, Value | Unset]:
    """Return the facts of one row by field; a row without any fails the test, see `keys_of`."""
    found = {
        fact.field: fact.value for fact in outcome.facts if fact.ref == Ref(source, key)
    }
    assert found, f"nothing is said of {source}/{key}"
    return found


def keys_of(outcome: Outcome, source: str) -> set[str]:
    """Return the keys of all rows of a source that something is said of."""
    return {fact.ref.key for fact in outcome.facts if fact.ref.source == source}


def values_of(outcome: Outcome, source: str) -> dict[tuple[str, str], Value | Unset]:
    """Return everything that is said of a source, by key and field."""
    return {
        (fact.ref.key, fact.field): fact.value
        for fact in outcome.facts
        if fact.ref.source == source
    }
