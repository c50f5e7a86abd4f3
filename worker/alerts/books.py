"""The ledger of a workspace in the state: read by anybody, changed by one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from worker.alerts.ledger import LEDGER, Ledger, Note
from worker.config import Alerts
from worker.cycle.context import Context
from worker.daemon.maintenance import current_window
from worker.state import pauses
from worker.state.store import next_number
from worker.state.tables import counters

MOST_AT_ONCE = 100
"""Numbers of notes that one change may use."""


@dataclass(slots=True)
class Draft:
    """A ledger that is being changed; `number` is the first that no note has."""

    ledger: Ledger
    number: int

    def numbered(self, notes: Iterable[Note]) -> list[Note]:
        """Return notes with numbers of their own."""
        numbered = []
        for place, note in enumerate(notes):
            number = self.number + place
            numbered.append(replace(note, number=number))
        return numbered


def load(context: Context) -> Ledger:
    """Return what is kept of a workspace's alerts."""
    with context.reading() as tx:
        return LEDGER.load(tx)


@contextmanager
def changing(context: Context) -> Iterator[Draft]:
    """Yield the ledger, and keep what it became. Who takes a number waits for who took one before: two processes never
    change one ledger at the same time."""
    with context.transaction() as tx:
        turn = next_number(tx, "alerts", counters)
        ledger = LEDGER.load(tx)
        draft = Draft(ledger, turn * MOST_AT_ONCE)
        yield draft
        if draft.ledger != ledger:
            LEDGER.save(tx, draft.ledger)


def alerts_of(context: Context) -> Alerts:
    """Return who is told of a workspace; nobody where the configuration says nothing."""
    return context.settings.alerts or Alerts()


def zone_of(context: Context) -> ZoneInfo:
    """Return the zone of a workspace."""
    return ZoneInfo(context.settings.time_zone)


def rests(context: Context, now: datetime) -> bool:
    """Tell whether a workspace is left alone on purpose."""
    with context.reading() as tx:
        pause = pauses.current(tx, now=now)
    if pause is not None:
        return True
    window = current_window(context.settings, now)
    return window is not None
