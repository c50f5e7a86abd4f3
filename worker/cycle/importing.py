"""Bringing in a table: its rows made on a board of people's, through the gate of every other plan.

What stands already is read first, so that a file brought in twice makes nothing twice.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

from worker.cycle.context import Context, CycleRequest
from worker.cycle.errands import Draft, Standing, draft, from_fresh_boards, run_errand
from worker.cycle.planning import normalize, recall_links
from worker.cycle.report import Report
from worker.domain.messages import listed, tell
from worker.errors import Code, Problem, Severity
from worker.mapping.spreadsheet import Grid
from worker.mapping.synonyms import PartWords
from worker.plan.intake import RULE, Intake, Manner, Present, plan_intake
from worker.plan.plan import Plan
from worker.read.boards import BoardsRead
from worker.read.schema import Bound
from worker.state import journal


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A file that is brought in, for the board that plays `part`."""

    part: str
    grid: Grid
    words: PartWords
    manner: Manner = Manner()


class PlannedImport(Draft, frozen=True, gc=False):
    """What a file comes to, and the rows it would make."""

    intake: Intake = Intake()


def plan_import(
    context: Context, order: CycleRequest, delivery: Delivery
) -> PlannedImport:
    """Read the boards and return what a file would make; writes nothing but the snapshot. Raises the API errors."""

    def draw(watched: Context, standing: Standing) -> PlannedImport:
        return _draw(watched, order, delivery, standing)

    return from_fresh_boards(context, order, draw)


def _draw(
    context: Context, order: CycleRequest, delivery: Delivery, standing: Standing
) -> PlannedImport:
    bound = standing.bound
    world = normalize(context, bound, recall_links(context, bound), now=context.now())
    with context.reading() as tx:
        made = frozenset(journal.canonical_pages(tx))
    intake = plan_intake(
        delivery.grid,
        context.schema,
        delivery.part,
        words=delivery.words,
        standing=Present(world.rows, made),
        manner=delivery.manner,
    )
    unread = _unread(context, delivery.part, bound, standing.boards)
    drawn = draft(
        context,
        order,
        standing,
        world=world,
        plan=Plan(context.name, intake.changes),
        faults=[*intake.faults, *unread],
    )
    return PlannedImport(**asdict(drawn), intake=intake)


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
    report, drawn = run_errand(
        context, order, lambda leased: plan_import(leased, order, delivery), rule=RULE
    )
    return report, drawn.intake
