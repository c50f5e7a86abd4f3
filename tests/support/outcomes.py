"""What the rules say of a world, read strictly: in a test nothing fails softly and nothing absent reads as empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tests.support.english import english
from tests.support.worlds import PLAYBOOKS
from worker.domain.values import Ref, Unset, Value
from worker.errors import FAULTS
from worker.mapping.playbooks import Playbooks
from worker.method import evaluate
from worker.method.measures import Measures
from worker.method.outcome import Outcome
from worker.method.run import Run
from worker.pages import write_pages
from worker.plan.facts import Fact
from worker.world.world import World


class Stated(Protocol):
    """Something that states facts: what one rule found, or the outcome of all."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Return the facts stated."""


def judge(seen: World, playbooks: Playbooks = PLAYBOOKS) -> Outcome:
    """Return what the rules say; a rule that fails fails the test."""
    return whole(evaluate(seen, playbooks))


def outcome_of(run: Run, measures: Measures | None = None) -> Outcome:
    """Return what the rules called so far have found; a rule that failed fails the test."""
    facts, problems = tuple(run.facts), tuple(run.problems)
    return whole(Outcome(facts, measures or Measures(), run.memory(), problems))


def written(seen: World) -> Outcome:
    """Return what the rules and the pages say; a rule or page that fails fails the test."""
    return whole(write_pages(seen, judge(seen)))


def whole(outcome: Outcome) -> Outcome:
    """Return the outcome as it is, if nothing in it failed."""
    failed = [
        f"{english(problem.where)}: {english(problem.message)}"
        for problem in outcome.problems
        if problem.code in FAULTS
    ]
    assert failed == []
    return outcome


def facts_of(stated: Stated, source: str, key: str) -> dict[str, Value | Unset]:
    """Return the facts of one row by field; a row without any fails the test, see `keys_of`."""
    found = {
        fact.field: fact.value for fact in stated.facts if fact.ref == Ref(source, key)
    }
    assert found, f"nothing is said of {source}/{key}"
    return found


TECHNICAL = frozenset({"spells", "tried"})
"""Fields in which rows keep what the quarter's score is made of."""


def people_see(facts: Mapping[str, Value | Unset]) -> dict[str, Value | Unset]:
    """Return the facts of a row that are no technical ones."""
    return {name: value for name, value in facts.items() if name not in TECHNICAL}


def keys_of(stated: Stated, source: str) -> set[str]:
    """Return the keys of all rows of a source that something is said of."""
    return {fact.ref.key for fact in stated.facts if fact.ref.source == source}


def values_of(stated: Stated, source: str) -> dict[tuple[str, str], Value | Unset]:
    """Return everything that is said of a source, by key and field."""
    return {
        (fact.ref.key, fact.field): fact.value
        for fact in stated.facts
        if fact.ref.source == source
    }
