"""Counterparts: what lacks one is found in both systems, and what people decide is written where they would have typed
it, through the gate of every other plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from worker.cycle.context import Context, CycleRequest
from worker.cycle.errands import Draft, Standing, draft, from_fresh_boards, run_errand
from worker.cycle.planning import fetch_tracker, normalize, recall_links
from worker.cycle.report import Report
from worker.domain.entities import Account, JiraProject
from worker.domain.messages import Text, literal, tell
from worker.errors import Code, Denied, Problem, RenderedProblem, in_words
from worker.plan.matching import RULE, Decision, plan_decisions
from worker.plan.plan import Plan
from worker.world.proposals import Directory, Gap, find_gaps
from worker.world.world import World


class Matches(msgspec.Struct, frozen=True, gc=False):
    """What lacks its counterpart: cells with proposals, and Jira projects that no card names. `notes` say what could not
    be seen."""

    world: World
    directory: Directory
    gaps: tuple[Gap, ...]
    projects: tuple[JiraProject, ...]
    notes: tuple[RenderedProblem, ...] = ()


def find_matches(context: Context, order: CycleRequest) -> Matches:
    """Read both systems and return what lacks its counterpart; writes nothing but the snapshot. Raises the API errors."""

    def draw(watched: Context, standing: Standing) -> Matches:
        now = watched.now()
        tracker = fetch_tracker(watched, standing.bound, order, now=now)
        world = normalize(watched, standing.bound, tracker, now=now)
        directory, notes = read_directory(watched)
        problems = (*standing.unsettled, *tracker.problems, *notes)
        return Matches(
            world,
            directory,
            find_gaps(world, directory),
            world.unmatched_projects,
            tuple(in_words(problem, watched.words) for problem in problems),
        )

    return from_fresh_boards(context, order, draw)


def read_directory(context: Context) -> tuple[Directory, tuple[Problem, ...]]:
    """Return who is known to both services, and which of them shows nobody."""
    accounts, members = _seen(context.jira.accounts), _seen(context.notion.members)
    problems = []
    if accounts is None:
        reason = tell(
            "the account may not see other people, so that nobody is proposed"
        )
        hint = tell("give it the global permission “Browse users and groups”")
        problems.append(_unseen("Jira", reason, hint))
    if members is None:
        reason = tell("the connection may not see people, so that nobody is proposed")
        hint = tell("in its settings tick that it reads user information with e-mails")
        problems.append(_unseen("Notion", reason, hint))
    return Directory(accounts or (), members or ()), tuple(problems)


def _seen(ask: Callable[[], tuple[Account, ...]]) -> tuple[Account, ...] | None:
    """Return who is shown, None where nobody may be."""
    try:
        return ask()
    except Denied:
        return None


def _unseen(service: str, reason: Text, hint: Text) -> Problem:
    return Problem(
        code=Code.UNSEEN_PEOPLE, where=literal(service), message=reason, hint=hint
    )


def plan_matches(
    context: Context, order: CycleRequest, decisions: Sequence[Decision]
) -> Draft:
    """Read the boards and return what would write decisions down; writes nothing but the snapshot. Raises the API
    errors."""

    def draw(watched: Context, standing: Standing) -> Draft:
        links = recall_links(watched, standing.bound)
        world = normalize(watched, standing.bound, links, now=watched.now())
        changes, faults = plan_decisions(decisions, world.rows, watched.schema)
        plan = Plan(watched.name, changes)
        drawn = draft(watched, order, standing, world=world, plan=plan)
        left = tuple(in_words(fault, watched.words) for fault in faults)
        return replace(drawn, notes=(*drawn.notes, *left))

    return from_fresh_boards(context, order, draw)


def write_matches(
    context: Context, order: CycleRequest, decisions: Sequence[Decision]
) -> Report:
    """Write decisions into the cells they are about and return how it went; what no longer fits is among the notes.

    Raises as `plan_matches`, and `Busy`.
    """
    report, _ = run_errand(
        context, order, lambda leased: plan_matches(leased, order, decisions), rule=RULE
    )
    return report
