"""What is not wrong yet and will be: asked by `check` alone, so that it is mended before anything is written.

What a Notion connection may do, no answer says (docs/facts/notion-api.md 3.22). It is learnt without writing, by asking for a change of a page
that does not exist: a missing right is refused with 403, a missing page with 404.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

import msgspec

from worker.config import Schedule, Workspace
from worker.cycle.context import Context, Mode
from worker.domain.messages import Text, listed, literal, tell
from worker.errors import ApiError, Code, Denied, Problem, Severity
from worker.mapping.adoption import propose
from worker.mapping.schema import Binding, Bindings, Schema, View
from worker.mapping.synonyms import load_synonyms
from worker.method.formulas.triangle import triangle_faults
from worker.notion.survey import survey
from worker.ports.notion import BoardAdmin, BoardReader, Notion, PlanWriter
from worker.state import runs
from worker.state.runs import Run
from worker.world.world import World

NOWHERE = "00000000-0000-4000-8000-000000000000"
"""A page that does not exist: what is asked of it is refused, and changes nothing."""
EMPTY_PARAGRAPH = {"type": "paragraph", "paragraph": {"rich_text": []}}
HOUR = 3600
FREE_BLOCKS = 1000
"""So many blocks a free workspace of several members may make, ever."""
FULL = Decimal("0.8")
"""The share of a service's budget from which there is little left for what people ask for."""


def find_missing_rights(notion: PlanWriter) -> Iterator[Problem]:
    """Yield the rights that a connection lacks; raises the API errors but those by which they are learnt."""
    trials: tuple[tuple[Text, Callable[[], object]], ...] = (
        (tell("update content"), lambda: notion.update_page(NOWHERE, {})),
        (
            tell("insert content"),
            lambda: notion.append_children(NOWHERE, [EMPTY_PARAGRAPH]),
        ),
    )
    for right, ask in trials:
        if _is_denied(ask):
            yield Problem(
                code=Code.DENIED,
                where=literal("notion.token"),
                message=tell("the connection may not {right}", right=right),
                hint=tell(
                    "in Notion open Settings > Connections > Develop or manage integrations, choose this one, and tick "
                    "what it may do: read, update and insert content"
                ),
                severity=Severity.ERROR,
            )


def _is_denied(ask: Callable[[], object]) -> bool:
    """Tell whether a request is refused for want of a right; one that is refused for another reason was let through."""
    try:
        ask()
    except Denied as error:
        return error.status == 403
    except ApiError:
        return False
    return False


def find_gaps(world: World) -> Iterator[Problem]:
    """Yield what people have not filled in yet and much depends on."""
    for _, unit in sorted(world.units.items()):
        for fault in triangle_faults(unit, world):
            yield Problem(
                code=Code.BROKEN_TRIANGLE,
                where=literal(unit.name),
                message=tell("in the unit there is {fault}", fault=tell(fault)),
                hint=tell(
                    "fill in exactly one AM, and at least one TL and one PM; until then it is a risk and a task"
                ),
                url=unit.url,
            )


def find_missing_views(
    notion: BoardAdmin, schema: Schema, bindings: Bindings
) -> Iterator[Problem]:
    """Yield the boards that lack views which are made with them; a board with as many views as that is not looked at in
    full, which costs a request a view."""
    for name, binding in sorted(bindings.items()):
        source = schema.sources[name]
        wanted = [view for view in source.views if _can_stand(view, binding)]
        standing = notion.view_ids(database_id=binding.database_id)
        if len(standing) >= len(wanted):
            continue
        named = {
            (view.type, view.name.casefold())
            for view in notion.views(database_id=binding.database_id)
        }
        missing = [view.label for view in wanted if not _names(view) & named]
        if missing:
            yield Problem(
                code=Code.MISSING_VIEW,
                where=tell("{source}", source=source.title),
                message=tell(
                    "views are missing that are made with the board: {views}",
                    views=listed(*missing),
                ),
                hint=tell(
                    "`rayline init` makes them anew; who prefers other views needs nothing"
                ),
                severity=Severity.INFO,
            )


def find_unused_boards(
    notion: BoardReader, schema: Schema, bindings: Bindings
) -> Iterator[Problem]:
    """Yield the agency's own boards that look as if they played a part for which Rayline keeps a board of its own; costs
    two requests for each board that is not Rayline's."""
    own = {binding.data_source_id for binding in bindings.values()}
    boards = survey(notion, without=own)
    if not boards:
        return
    by_id = {board.id: board for board in boards}
    for name, proposal in propose(boards, schema, load_synonyms()).parts.items():
        board = by_id.get(proposal.board)
        source = schema.sources[name]
        if board is None or board.in_archive or source.board or name not in bindings:
            continue
        yield Problem(
            code=Code.UNUSED_BOARD,
            where=tell("{source}", source=source.title),
            message=tell(
                "your board “{board}” looks as if it were meant for this, and lies unused beside Rayline's own",
                board=" / ".join((*board.place, board.title)),
            ),
            hint=tell(
                "`rayline adopt` lets it take the part; who wants both needs nothing"
            ),
            url=board.url,
            severity=Severity.INFO,
        )


def find_block_limit(notion: Notion) -> Iterator[Problem]:
    """Yield that the workspace may hold few blocks: on the free plan, once it has several members.

    Source: docs/facts/notion-api.md 2.7, 3.19.
    """
    if not notion.is_free():
        return
    reason = tell(
        "the plan is Notion's free one: once a second member joins, the workspace may make {blocks} blocks in all",
        blocks=FREE_BLOCKS,
    )
    severity = Severity.INFO
    with suppress(Denied):
        count = len(notion.members())
        if count > 1:
            severity = Severity.WARNING
            reason = tell(
                "the plan is Notion's free one: with {count} members the workspace may make {blocks} blocks in all",
                count=count,
                blocks=FREE_BLOCKS,
            )
    yield Problem(
        code=Code.FREE_PLAN,
        where=literal("Notion"),
        message=reason,
        hint=tell(
            "take a larger plan, or keep Rayline in a workspace with one member; what is deleted makes no room"
        ),
        severity=severity,
    )


def _can_stand(view: View, binding: Binding) -> bool:
    needed = {view.group_by, view.date} - {""}
    return needed <= binding.properties.keys()


def _names(view: View) -> set[tuple[str, str]]:
    return {(view.type, label.casefold()) for label in view.label.values()}


class Demand(msgspec.Struct, frozen=True, gc=False):
    """Requests to Notion that a schedule comes to in an hour, and how many are allowed."""

    expected: int
    allowed: int

    def problem(self) -> Problem | None:
        """Return that little is left, if so."""
        if self.expected < FULL * self.allowed:
            return None
        return Problem(
            code=Code.REQUEST_BUDGET,
            where=literal("schedule"),
            field="delta",
            message=tell(
                "by the present schedule about {expected} requests an hour go to Notion, of {allowed} that are allowed",
                expected=self.expected,
                allowed=self.allowed,
            ),
            hint=tell(
                "raise schedule.delta or schedule.full, or use a larger plan and raise notion.requests"
            ),
        )


def measure_demand(
    settings: Workspace, latest: Sequence[Run], full_cost: int
) -> Demand:
    """Return what the schedule will ask of Notion in an hour of work: by the mean of the latest runs, where there are
    none of a kind by `full_cost`, which the look just made has cost."""
    schedule: Schedule = settings.schedule
    changes = _mean_cost(latest, Mode.DELTA, full_cost)
    whole = _mean_cost(latest, Mode.FULL, full_cost)
    expected = HOUR / schedule.delta * changes + HOUR / schedule.full * whole
    allowed = settings.notion.requests * HOUR / settings.notion.window
    return Demand(round(expected), round(allowed))


def _mean_cost(latest: Sequence[Run], mode: Mode, unknown: int) -> float:
    costs = [
        run.requests.get("notion", 0)
        for run in latest
        if run.outcome.get("mode") == mode.value and not run.was_cut_off()
    ]
    return sum(costs) / len(costs) if costs else unknown


def read_demand(context: Context) -> Demand:
    """Return what the schedule of a workspace will ask of Notion, right after everything was read."""
    with context.reading() as tx:
        latest = runs.recent(tx)
    return measure_demand(context.settings, latest, context.notion.requests())
