"""The box "Sync now" on a client's row: a person ticks it, the cycle that served it takes the tick back and says when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from worker.domain.entities import Row
from worker.domain.values import Ref
from worker.plan.facts import Fact, Why
from worker.world.world import World

CLIENTS = "clients"
BOX = "sync_now"


def ticked(world: World, only: Ref | None = None) -> tuple[Row, ...]:
    """Return the clients' rows on which the box is ticked; of one client alone where only that one was served."""
    return tuple(
        row
        for row in world.rows.get(CLIENTS, ())
        if row.fields.get(BOX) is True and only in (None, row.ref)
    )


def state_answers(rows: Iterable[Row], said: str) -> Iterator[Fact]:
    """Yield that the box is empty again, and what became of it."""
    for row in rows:
        yield Fact(row.ref, "sync_now", value=False, why=Why("sync"))
        yield Fact(row.ref, "synced", value=said, why=Why("sync"))
