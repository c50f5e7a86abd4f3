"""What the scenarios of a workspace would change (docs/method.md 10): nothing but their own answers comes of them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from worker.domain.entities import Scenario
from worker.domain.messages import tell
from worker.domain.values import Ref
from worker.errors import Code, Problem
from worker.mapping.playbooks import Playbooks
from worker.method.outcome import Outcome
from worker.method.whatif.answers import Answer, Fault
from worker.method.whatif.changes import apply_change, lost_clients
from worker.method.whatif.comparison import Side, compare
from worker.method.whatif.imagining import imagine
from worker.method.whatif.questions import Seen, begin_of, group_rows, judge_row
from worker.world.world import World


def answer_scenarios(world: World, outcome: Outcome, playbooks: Playbooks) -> Outcome:
    """Return the outcome with an answer to every row of `scenarios`, and the problems of those that cannot be asked."""
    if not world.scenarios:
        return outcome
    seen = after_run(world, outcome)
    answers: dict[Ref, Answer] = {}
    problems = list(outcome.problems)
    for rows in group_rows(world.scenarios.values()):
        answer = answer_rows(rows, seen, playbooks)
        answers |= {row.ref: answer for row in rows}
        problems += (_problem(fault) for fault in answer.faults)
    measures = replace(outcome.measures, answers=answers)
    return replace(outcome, measures=measures, problems=tuple(problems))


def after_run(world: World, outcome: Outcome) -> Seen:
    """Return the world with what its run remembers: what the run froze does not move by a question asked on that day."""
    return Seen(replace(world, memory=outcome.memory), outcome.measures)


def answer_rows(rows: Iterable[Scenario], seen: Seen, playbooks: Playbooks) -> Answer:
    """Return what the rows of one scenario would change together; those that cannot be asked count nowhere."""
    changed, assumed, faults = _change(tuple(rows), seen)
    answer = Answer()
    if assumed:
        answer = _answer(changed, assumed, seen, playbooks=playbooks)
    return replace(answer, assumed=assumed, faults=faults)


def _change(
    rows: tuple[Scenario, ...], seen: Seen
) -> tuple[World, tuple[Scenario, ...], tuple[Fault, ...]]:
    """Return the changed world, the rows that changed it, and what is wrong with the others.

    What cannot be asked alone may be once other rows have changed the world: a start behind a due date that moves too.
    """
    changed = seen.world
    assumed: list[Scenario] = []
    while True:
        faults: list[Fault] = []
        rest = []
        for row in rows:
            wrong = judge_row(row, replace(seen, world=changed))
            if wrong:
                faults += wrong
                rest.append(row)
            else:
                changed = apply_change(changed, row, seen)
                assumed.append(row)
        if len(rest) == len(rows) or not rest:
            return changed, tuple(assumed), tuple(faults)
        rows = tuple(rest)


def _answer(
    changed: World, rows: tuple[Scenario, ...], seen: Seen, *, playbooks: Playbooks
) -> Answer:
    world = seen.world
    lost = lost_clients(rows, world.today)
    measures = imagine(changed, playbooks, seen, lost=lost)
    if measures.failed:
        return Answer(failed=measures.failed)
    since = min(begin_of(row, world.today) for row in rows)
    before = Side(world, seen.measures)
    return compare(before, Side(changed, measures, lost), since=since)


def _problem(fault: Fault) -> Problem:
    return Problem(
        code=Code.BAD_SCENARIO,
        where=tell("Scenarios: {name}", name=fault.row.name),
        message=fault.said,
        hint=fault.hint,
        url=fault.row.url,
    )
