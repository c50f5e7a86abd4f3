"""The Date header of an emulator's answers: the machine's clock or the workspace's, right or wrong, or none at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from rayline_sandbox.wire import Response

CLOCKS = ("machine", "workspace", "none")


@dataclass(slots=True)
class ServerDate:
    """Whose clock the header tells (`CLOCKS`), and by how much it is ahead; `workspace` is the emulator's own."""

    workspace: Callable[[], datetime]
    clock: str = "machine"
    ahead: timedelta = field(default_factory=timedelta)

    def set(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Do the control action `date`: `clock` and `ahead` in seconds; ValueError with a clear text."""
        clock = payload.get("clock", "machine")
        ahead = payload.get("ahead", 0)
        if clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}")
        if isinstance(ahead, bool) or not isinstance(ahead, int | float):
            raise ValueError("ahead is a number of seconds")
        try:
            self.ahead = timedelta(seconds=ahead)
        except (OverflowError, ValueError):
            raise ValueError("ahead is a number of seconds") from None
        self.clock = clock
        return {"clock": clock, "ahead": ahead}

    def stamp(self, response: Response) -> Response:
        """Return an answer with the header."""
        if self.clock == "none":
            return response
        date = format_datetime(self.now(), usegmt=True)
        return replace(response, headers={"date": date, **response.headers})

    def now(self) -> datetime:
        """Return what the clock shows."""
        now = datetime.now(UTC) if self.clock == "machine" else self.workspace()
        return now + self.ahead
