"""Where the tests' Jira stands, and a clock for waiting without waiting."""

from __future__ import annotations

from dataclasses import dataclass, field

BASE = "https://acme.example.net"


@dataclass
class VirtualTime:
    """A clock that moves only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.slept.append(seconds)
        self.now += seconds
