"""The method as rules: one module per chapter, each pure, none knowing another; this is the order in which they speak.

Every rule gets the world (with the memory as the rules before it left it), the playbooks and what was measured so far,
and returns its own facts and problems with measures and memory in full. Risks come before the clients' health, which
counts them, so that a second run on the same day finds nothing new.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from worker.domain.measures import Measures
from worker.domain.messages import message, tell
from worker.domain.world import World
from worker.errors import Problem, Severity
from worker.mapping.playbooks import Playbooks
from worker.rules.actions import show_next_actions
from worker.rules.backlog import tend_backlog
from worker.rules.billing import look_at_billing
from worker.rules.bonuses import preview_bonuses
from worker.rules.care import think_of_people
from worker.rules.clients import roll_up_clients
from worker.rules.deadlines import look_at_deadlines
from worker.rules.evolution import plan_revolutions
from worker.rules.farewell import leave_alone, say_farewell
from worker.rules.feedback import weigh_feedback
from worker.rules.finance import look_at_finance
from worker.rules.goals import follow_goals
from worker.rules.graduation import judge_groups
from worker.rules.hunting import measure_hunting
from worker.rules.lifetime import measure_lifetimes
from worker.rules.money import measure_money
from worker.rules.plans import plan_money
from worker.rules.progress import measure_progress
from worker.rules.quality import look_at_quality
from worker.rules.rays import look_at_rays
from worker.rules.relations import look_at_relations
from worker.rules.requests import take_up_requests
from worker.rules.resources import measure_resources
from worker.rules.riskmap import draw_risk_map
from worker.rules.services import find_white_spots
from worker.rules.signals import find_signals
from worker.rules.sprint import look_back
from worker.rules.staffing import find_staffing_needs
from worker.rules.tasks import plan_tasks
from worker.rules.team import look_at_triangles
from worker.sync.facts import Fact, Outcome


class Rule(msgspec.Struct, frozen=True, gc=False):
    """One chapter of the method, by name."""

    name: str
    judge: Callable[[World, Playbooks, Measures], Outcome]


RULES = (
    Rule("progress", measure_progress),
    Rule("money", measure_money),
    Rule("plans", plan_money),
    Rule("resources", measure_resources),
    Rule("deadlines", look_at_deadlines),
    Rule("quality", look_at_quality),
    Rule("relations", look_at_relations),
    Rule("team", look_at_triangles),
    Rule("staffing", find_staffing_needs),
    Rule("rays", look_at_rays),
    Rule("graduation", judge_groups),
    Rule("evolution", plan_revolutions),
    Rule("services", find_white_spots),
    Rule("hunting", measure_hunting),
    Rule("finance", look_at_finance),
    Rule("billing", look_at_billing),
    Rule("bonuses", preview_bonuses),
    Rule("feedback", weigh_feedback),
    Rule("requests", take_up_requests),
    # Other chapters of conditions stand above this line: the map takes what all of them saw.
    Rule("farewell", say_farewell),
    Rule("riskmap", draw_risk_map),
    Rule("clients", roll_up_clients),
    Rule("lifetime", measure_lifetimes),
    Rule("backlog", tend_backlog),
    Rule("goals", follow_goals),
    Rule("signals", find_signals),
    Rule("care", think_of_people),
    Rule("quiet", leave_alone),
    Rule("tasks", plan_tasks),
    Rule("sprint", look_back),
    Rule("actions", show_next_actions),
)


PRIVATE = frozenset({"feedback", "bonuses"})
"""Rules that read private rows: what they stumble over is not quoted."""


def evaluate(
    world: World, playbooks: Playbooks, *, rules: tuple[Rule, ...] = RULES
) -> Outcome:
    """Return all facts, measures, memory and problems of one run; a rule that fails leaves out only its own facts."""
    memory, measures = world.memory, Measures()
    facts: list[Fact] = []
    problems: list[Problem] = list(playbooks.problems)
    for rule in rules:
        try:
            found = rule.judge(replace(world, memory=memory), playbooks, measures)
        except Exception as error:  # noqa: BLE001 - one broken rule must not silence the others
            problems.append(_failure(rule, error))
            measures = replace(measures, failed=(*measures.failed, rule.name))
            continue
        memory, measures = found.memory, found.measures
        facts += (fact for fact in found.facts if fact.ref.source in world.sources)
        problems += found.problems
    return Outcome(
        tuple(facts), measures, replace(memory, first_run=False), tuple(problems)
    )


def _failure(rule: Rule, error: Exception) -> Problem:
    kind = type(error).__name__
    said = kind if rule.name in PRIVATE else f"{kind}: {error}"
    return Problem(
        "rule-failed",
        f"worker/rules/{rule.name}",
        "",
        tell("the rule failed: {error}", error=said),
        message("report this; the other rules went on"),
        severity=Severity.ERROR,
    )
