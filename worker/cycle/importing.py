"""Bringing in a table: its rows made on a board of people's, through the gate of every other plan.

What stands already is read first, so that a file brought in twice makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from worker.cycle.clock import with_right_clock
from worker.cycle.context import Context, CycleRequest
from worker.cycle.execution import carry_out, claim, open_run
from worker.cycle.ownership import look_first
from worker.cycle.planning import (
    fetch_boards,
    find_refusals,
    managed_rows,
    normalize,
    page_sizes,
    recall_links,
)
from worker.cycle.report import (
    Report,
    count_answers,
    count_since,
    finish_failed,
    in_doubt,
    record,
    sum_requests,
)
from worker.domain.messages import listed, tell
from worker.errors import Code, Problem, RenderedProblem, Severity, in_words
from worker.mapping.schema import Bindings
from worker.mapping.spreadsheet import Grid
from worker.mapping.synonyms import PartWords
from worker.plan.intake import RULE, Intake, Manner, Standing, plan_intake
from worker.plan.plan import Plan
from worker.read.boards import BoardsRead
from worker.read.schema import Bound, read_schema
from worker.state import journal, runs
from worker.world.world import World
from worker.write.settle import settle
from worker.write.writer import Applied


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A file that is brought in, for the board that plays `part`."""

    part: str
    grid: Grid
    words: PartWords
    manner: Manner = Manner()


class PlannedImport(msgspec.Struct, frozen=True, gc=False):
    """What a file comes to, why it may not be written (`refused`), and what is not settled (`notes`)."""

    world: World
    plan: Plan
    bindings: Bindings
    intake: Intake
    managed: Mapping[str, int]
    refused: tuple[RenderedProblem, ...] = ()
    notes: tuple[RenderedProblem, ...] = ()


def plan_import(
    context: Context, order: CycleRequest, delivery: Delivery
) -> PlannedImport:
    """Read the boards and return what a file would make; writes nothing but the snapshot. Raises the API errors."""
    context.begin()
    with page_sizes(context, full=True):
        return with_right_clock(
            context, lambda watched: _read_and_plan(watched, order, delivery)
        )


def _read_and_plan(
    context: Context, order: CycleRequest, delivery: Delivery
) -> PlannedImport:
    now = context.now()
    bound = read_schema(context.notion, context, afresh=True)
    unsettled = settle(context.notion, context, bound.bindings).problems
    boards, bound = fetch_boards(context, bound, order, now=now)
    world = normalize(context, bound, recall_links(context, bound), now=now)
    with context.reading() as tx:
        made = frozenset(journal.canonical_pages(tx))
    intake = plan_intake(
        delivery.grid,
        context.schema,
        delivery.part,
        words=delivery.words,
        standing=Standing(world.rows, made),
        manner=delivery.manner,
    )
    plan = Plan(context.name, intake.changes)
    managed = managed_rows(context, world, bound)
    refused = (
        *intake.faults,
        *_unread(context, delivery.part, bound, boards),
        *find_refusals(context, order, plan, boards=boards, managed=managed),
    )
    return PlannedImport(
        world,
        plan,
        bound.bindings,
        intake,
        managed,
        tuple(in_words(reason, context.words) for reason in refused),
        tuple(in_words(problem, context.words) for problem in unsettled),
    )


def _unread(
    context: Context, part: str, bound: Bound, boards: BoardsRead
) -> list[Problem]:
    """Return why nothing may be made on a board: what stands there is not known in full, so that it would be doubled."""
    is_whole = part in bound.bindings and part not in boards.incomplete
    if is_whole and not boards.unread.get(part):
        return []
    return [
        Problem(
            code=Code.IMPORT_UNREAD,
            where=listed(context.schema.sources[part].title),
            message=tell(
                "the board could not be read in full, so that rows might be made twice"
            ),
            hint=tell("bring the file in again later"),
            severity=Severity.ERROR,
        )
    ]


def bring_in(
    context: Context, order: CycleRequest, delivery: Delivery
) -> tuple[Report, Intake]:
    """Make the rows of a file and return how it went; a file with faults makes none. Raises as `plan_import`, and `Busy`."""
    before = count_answers(context)
    began = context.now()
    with open_run(context, order) as opened:
        leased = opened.context
        try:
            look_first(leased, order)
            drawn = plan_import(leased, order, delivery)
            applied = Applied()
            with leased.transaction() as tx:
                runs.save_plan(tx, drawn.plan, opened.id, now=context.now())
            if not drawn.refused and drawn.plan.changes:
                claim(leased, drawn, opened.fence)
                applied = carry_out(
                    leased, drawn, opened.fence, {}, claim=str(opened.id)
                )
        except Exception as error:
            finish_failed(context, opened.id, error, before)
            raise
        answers = count_since(context, before)
        report = Report(
            opened.id,
            context.name,
            (context.now() - began).total_seconds(),
            sum_requests(answers),
            drawn.plan,
            drawn.refused,
            applied,
            order.trigger,
            tuple(in_words(in_doubt(ref), context.words) for ref in applied.unknown),
            drawn.notes,
            answers,
        )
        record(leased, report, RULE)
    return report, drawn.intake
