"""The box "Sync now" on a client's row: a person ticks it, the cycle that served it takes the tick back and says when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from worker.domain.values import Ref
from worker.plan.facts import Fact, Why
from worker.world.world import World


def ticked(world: World, only: Ref | None = None) -> tuple[Ref, ...]:
    """Return the clients on whose rows the box is ticked; of one alone where only that one was served."""
    return tuple(
        ref
        for ref, client in world.clients.items()
        if client.sync_now and only in (None, ref)
    )


def state_answers(clients: Iterable[Ref], answer: str) -> Iterator[Fact]:
    """Yield that the box is empty again, and what became of it."""
    for ref in clients:
        yield Fact(ref, "sync_now", value=False, why=Why("sync"))
        yield Fact(ref, "synced", value=answer, why=Why("sync"))
