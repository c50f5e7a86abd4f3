"""The record of every request with its outcome: history checkers and request counts read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class LogEntry:
    """One request or human action. `outcome`: read, committed, refused, limited, late_commit, or `fault:KIND`.

    A fault after the write was saved reads `fault:KIND+committed`. `kind` is the endpoint's name, `write` tells
    whether that endpoint changes anything, `page_id` is the record it was about, `summary` the body's start, `wait` the
    Retry-After of the answer.
    """

    seq: int
    at: datetime
    actor: str
    method: str
    path: str
    kind: str = ""
    write: bool = False
    status: int = 0
    outcome: str = ""
    summary: str = ""
    page_id: str = ""
    wait: str = ""

    def shown(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        return asdict(self) | {"at": self.at.isoformat()}


def count(entries: Iterable[LogEntry]) -> dict[str, Any]:
    """Return how many requests the connection made: in all, reads, writes, and by method and endpoint."""
    asked = [
        entry
        for entry in entries
        if entry.method != "CONTROL" and entry.outcome != "late_commit"
    ]
    by_kind = Counter(f"{entry.method} {entry.kind or 'unknown'}" for entry in asked)
    writes = sum(entry.write for entry in asked)
    return {
        "total": len(asked),
        "reads": len(asked) - writes,
        "writes": writes,
        "committed": sum(
            entry.outcome.endswith("committed") for entry in asked if entry.write
        ),
        "by_kind": dict(sorted(by_kind.items())),
        "by_status": dict(
            sorted(Counter(str(entry.status) for entry in asked).items())
        ),
    }
