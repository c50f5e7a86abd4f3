"""The method as rules: one module per chapter, each pure, none knowing another; this is the order in which they speak.

Every rule gets the world (with the memory as the rules before it left it), the playbooks and what was measured so far,
and returns its own facts and problems with measures and memory in full. Risks come before the clients' health, which
counts them, so that a second run on the same day finds nothing new.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from worker.domain.messages import message, tell
from worker.errors import Problem, Severity
from worker.mapping.playbooks import Playbooks
from worker.method.capacity.staffing import find_staffing_needs
from worker.method.capacity.triangle import look_at_triangles
from worker.method.capacity.utilization import measure_resources
from worker.method.clients.churn import leave_alone, say_farewell
from worker.method.clients.contacts import look_at_relations
from worker.method.clients.feedback import weigh_feedback
from worker.method.clients.health import roll_up_clients
from worker.method.clients.rays import look_at_rays
from worker.method.delivery.deadlines import look_at_deadlines
from worker.method.delivery.progress import measure_progress
from worker.method.delivery.quality import look_at_quality
from worker.method.growth.backlog import tend_backlog
from worker.method.growth.evolution import plan_revolutions
from worker.method.growth.goals import follow_goals
from worker.method.growth.graduation import judge_groups
from worker.method.growth.hunting import measure_hunting
from worker.method.growth.services import find_white_spots
from worker.method.measures import Measures
from worker.method.money.billing import look_at_billing
from worker.method.money.bonuses import preview_bonuses
from worker.method.money.finance import look_at_finance
from worker.method.money.lifetime import measure_lifetimes
from worker.method.money.plans import plan_money
from worker.method.money.revenue import measure_money
from worker.method.sprint.next_task import show_next_actions
from worker.method.sprint.occasions import think_of_people
from worker.method.sprint.requests import take_up_requests
from worker.method.sprint.retrospective import look_back
from worker.method.sprint.risks import draw_risk_map
from worker.method.sprint.signals import find_signals
from worker.method.sprint.tasks import plan_tasks
from worker.plan.facts import Fact, Outcome
from worker.world.world import World


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
        f"worker/method/{rule.name}",
        "",
        tell("the rule failed: {error}", error=said),
        message("report this; the other rules went on"),
        severity=Severity.ERROR,
    )
