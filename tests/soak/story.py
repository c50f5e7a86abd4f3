"""What happened in a world, event by event: what the catalogue of situations is looked up in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """Something that happened: its kind, and what it was about."""

    kind: str
    about: str = ""


@dataclass(slots=True)
class Story:
    """The events of a world in their order, the sums that a soak tells, and what was found wrong."""

    events: list[Event] = field(default_factory=list)
    sums: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def tell(self, kind: str, about: object = "") -> None:
        """Add an event."""
        self.events.append(Event(kind, str(about)))

    def accuse(self, violation: str) -> None:
        """Add a violation, once."""
        if violation not in self.violations:
            self.violations.append(violation)
