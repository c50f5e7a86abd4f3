"""What processes that use one connection share of its budget: the protocol, for the gateways know no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

EVERYTHING = ""
"""The part of a service that a pause concerns when it concerns all of it."""


class SharedBudget(Protocol):
    """The budget of one connection, over all processes; raises what the database raises. Thread-safe."""

    def take(
        self, answered: Sequence[tuple[float, int]], under_way: int
    ) -> tuple[int, float]:
        """Reserve a block of requests: how many, and for how many seconds; (0, the seconds to wait) when there is none.

        `answered` is how many requests of ours were answered how many seconds ago, those within the window.
        """
        ...

    def pause(self, seconds: float, part: str = EVERYTHING) -> None:
        """Have nobody ask a part of the service for so long."""
        ...

    def paused(self, part: str = EVERYTHING) -> float:
        """Return for how many seconds a part of the service is not to be asked, 0 when it may be."""
        ...
