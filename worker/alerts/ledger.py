"""What was seen and what was told of a workspace, as it is kept in the state."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from worker.state.settings import Setting


class Kind(StrEnum):
    """What can be wrong; a table in docs/operations.md says what each means."""

    FAILING = "failing"
    REFUSED = "refused"
    ABSENT = "absent"
    STALE = "stale"
    TOKEN = "token"
    UNMATCHED = "unmatched"


class Level(IntEnum):
    """How bad it is; what is critical may pass the quiet hours, and is told again as long as it stays."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


class Change(StrEnum):
    """What a note tells: it began, became worse, still is so, ended; or a page, or a test."""

    BEGAN = "began"
    WORSE = "worse"
    STILL = "still"
    ENDED = "ended"
    PAGE = "page"
    TEST = "test"


class Phase(StrEnum):
    """How a condition stands: seen and not told yet, told, or told and no longer seen. One that stands nowhere is calm."""

    CALM = "calm"
    PENDING = "pending"
    RAISED = "raised"
    SETTLING = "settling"


class Watched(msgspec.Struct, frozen=True, gc=False):
    """A condition under watch: its phase and since when, what was told of it, and when it was raised within a day."""

    key: str
    phase: Phase
    entered: datetime
    since: datetime
    level: Level = Level.WARNING
    told: datetime | None = None
    raised: tuple[datetime, ...] = ()

    @property
    def kind(self) -> Kind:
        """Return what it is of."""
        return Kind(self.key.partition(":")[0])


class Note(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing to tell, in the words of the workspace. `left` are the targets that did not get it yet; nobody sends it
    before `due`, nor while another process has it, until `claimed`."""

    number: int
    change: Change
    kind: str = ""
    level: Level = Level.WARNING
    what: str
    action: str = ""
    since: datetime | None = None
    at: datetime
    url: str = ""
    body: str = ""
    left: tuple[str, ...] = ()
    tries: int = 0
    due: datetime
    claimed: datetime | None = None


class Lost(msgspec.Struct, frozen=True, gc=False):
    """What could not be told: how much since when, and why the last time."""

    count: int = 0
    at: datetime | None = None
    reason: str = ""


class Ledger(msgspec.Struct, frozen=True):
    """All that is kept of a workspace's alerts. `peak` is the highest number of unmatched things lately, `pages` the
    local dates for which pages were sent last, by kind; `rested` tells until when the workspace was last seen to be left
    alone on purpose."""

    watched: tuple[Watched, ...] = ()
    notes: tuple[Note, ...] = ()
    peak: int | None = None
    peak_at: datetime | None = None
    pages: dict[str, str] = {}
    lost: Lost = Lost()
    rested: datetime | None = None


LEDGER = Setting("alerts", Ledger, Ledger)
