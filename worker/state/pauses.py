"""A workspace that is not to be worked on for a while: who said so, since when, until when and why."""

from __future__ import annotations

from datetime import datetime

import msgspec

from worker.state.settings import Setting
from worker.state.store import Tx


class Pause(msgspec.Struct, frozen=True, gc=False):
    """A pause; without `until` it lasts until somebody ends it."""

    by: str
    since: datetime
    until: datetime | None = None
    reason: str = ""


def _none() -> tuple[Pause, ...]:
    return ()


_PAUSES = Setting("pause", tuple[Pause, ...], _none)
"""One pause or none."""


def pause(tx: Tx, asked: Pause) -> None:
    """Have the workspace left alone; a pause that stands is replaced."""
    _PAUSES.save(tx, (asked,))


def resume(tx: Tx) -> None:
    """End the pause, if there is one."""
    _PAUSES.save(tx, ())


def current(tx: Tx, *, now: datetime) -> Pause | None:
    """Return the pause that stands now."""
    return next(
        (
            pause
            for pause in _PAUSES.load(tx)
            if pause.since <= now and (pause.until is None or now < pause.until)
        ),
        None,
    )


def planned(tx: Tx, *, now: datetime) -> Pause | None:
    """Return the pause that stands or is still to come: a window of maintenance begins by itself."""
    return next(
        (
            pause
            for pause in _PAUSES.load(tx)
            if pause.until is None or now < pause.until
        ),
        None,
    )
