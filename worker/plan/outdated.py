"""Rows that have had their time, archived by and by: pure.

Only rows that the journal proves we made go, a few a day, so that a workspace with years of them meets neither a flood
nor the limit on destructive plans. A row that was archived before and stands was brought back by a person: it stays, as
does one that somebody had a hand in.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from worker.domain.entities import Row
from worker.domain.messages import message
from worker.domain.values import Ref, Value
from worker.plan.facts import Outdated
from worker.plan.plan import Change, Kind
from worker.world.world import World

KEPT, AWAY, LOOKED = "§kept", "§away", "§looked"
"""Fields under which the state remembers why an outdated page stays, and when one was archived or looked at for that."""
MOST, PART = 20, Decimal("0.1")
"""How many go in a day at most, and which part of our rows on their board."""
WRITTEN, LINKED, REFUSED = "written", "linked", "refused"
RESTORED, UNPROVEN = "restored", "unproven"
STAYS: Mapping[str, str] = {
    WRITTEN: message("stays: somebody has written into it"),
    LINKED: message("stays: another row leads to it"),
    REFUSED: message("stays: Notion does not let it be archived"),
    UNPROVEN: message("stays: nothing proves that Rayline made it"),
    RESTORED: message("stays: somebody has brought it back from the archive"),
}
GOES = message("will be archived in one of the next full runs, the oldest first")
Cells = Mapping[tuple[str, str], Value]


class Tidying(msgspec.Struct, frozen=True, gc=False):
    """The rows that have had their time, the oldest first, and which part of their board may go in a day."""

    outdated: tuple[Outdated, ...] = ()
    part: Decimal = PART


def part_within(limit: Decimal) -> Decimal:
    """Return which part of a board may go, well within the share at which a plan is refused."""
    return min(PART, limit / 2)


def plan_outdated(
    tidying: Tidying, world: World, cells: Cells, find_own: Callable[[Ref], Row | None]
) -> Iterator[Change]:
    """Yield the rows that go today; `cells` is what the state remembers of pages, by page and field, and `find_own`
    gives the row of a ref where it is ours alone."""
    left = _allowance(tidying, world, cells)
    for old in tidying.outdated:
        if left <= 0:
            return
        row = find_own(old.ref)
        if row is not None and not why_kept(row.page_id, cells):
            left -= 1
            yield Change(Kind.ARCHIVE, old.ref, row.page_id, row.title, why=old.why)


def without_old(
    changes: tuple[Change, ...], unseen: Container[str]
) -> tuple[Change, ...]:
    """Return changes without the archiving of old rows on boards that were not read whole."""
    return tuple(
        change
        for change in changes
        if change.why is None or change.ref.source not in unseen
    )


def why_kept(page_id: str, cells: Cells) -> str:
    """Return why an outdated page that stands stays, one of `STAYS`; empty where nothing is known."""
    if (page_id, AWAY) in cells:
        return RESTORED
    reason = cells.get((page_id, KEPT))
    return str(reason or "")


def _allowance(tidying: Tidying, world: World, cells: Cells) -> int:
    """Return how many rows may still go today. It goes by the rows that stood when the day began, so that a second run of a
    day, in which nothing else happened, finds nothing to do."""
    away = _count_today(AWAY, world, cells)
    looked = _count_today(LOOKED, world, cells)
    boards = {one.ref.source for one in tidying.outdated}
    ours = away
    for board in boards:
        for row in world.rows.get(board, ()):
            ours += bool(row.key) and world.day_of(row.created) < world.today
    most = min(MOST, int(tidying.part * ours))
    return most - away - looked


def _count_today(wanted: str, world: World, cells: Cells) -> int:
    count = 0
    for (_, field), at in cells.items():
        if field == wanted and isinstance(at, datetime):
            count += world.day_of(at) == world.today
    return count
