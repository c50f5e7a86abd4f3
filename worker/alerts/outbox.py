"""The notes that wait: what may be sent now, what comes of an attempt, and what is given up. Pure.

A note is claimed before it is sent and let go afterwards, so that two processes never send it both; one that was killed
in between has it sent once more, when its claim is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from worker.alerts.ledger import Ledger, Level, Lost, Note
from worker.config import Alerts

CLAIM = timedelta(minutes=5)
"""Longer than any attempt takes."""
MOST_TRIES = 12
OLDEST = timedelta(hours=24)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_NOTES = 100


Answers = Mapping[tuple[int, str], str]
"""What came of an attempt, by the number of the note and the target: why it was not taken, empty when it was."""


class Hour(msgspec.Struct, frozen=True):
    """The instant at which somebody would be told, by whose table and in which zone."""

    alerts: Alerts
    zone: ZoneInfo
    now: datetime


def is_quiet(hour: Hour) -> bool:
    """Tell whether it is the hours in which people are left alone, by the local wall clock."""
    begin = hour.alerts.quiet_from
    end = hour.alerts.quiet_to
    if begin is None or end is None:
        return False
    local = hour.now.astimezone(hour.zone).time()
    is_late = local >= begin
    is_early = local < end
    if begin <= end:
        return is_late and is_early
    return is_late or is_early


def may_pass(note: Note, hour: Hour) -> bool:
    """Tell whether a note may be told at this hour."""
    if not is_quiet(hour):
        return True
    if note.level is not Level.CRITICAL:
        return False
    return hour.alerts.critical_in_quiet


def find_due(notes: Iterable[Note], hour: Hour) -> tuple[Note, ...]:
    """Return the notes that may be sent now."""
    due = []
    for note in notes:
        is_time = note.due <= hour.now
        if is_time and is_free(note, hour.now) and may_pass(note, hour):
            due.append(note)
    return tuple(due)


def is_free(note: Note, now: datetime) -> bool:
    """Tell whether no other process has a note."""
    if note.claimed is None:
        return True
    return note.claimed <= now


def is_gathered(notes: Iterable[Note], alerts: Alerts, now: datetime) -> bool:
    """Tell whether one of the notes has waited for others long enough."""
    wait = timedelta(seconds=alerts.gather)
    return any(now - note.at >= wait for note in notes)


def claim(
    ledger: Ledger, numbers: Collection[int], now: datetime
) -> tuple[Ledger, tuple[Note, ...]]:
    """Return the ledger in which the notes are claimed, and those of them that nobody else had."""
    mine = []
    notes = []
    for note in ledger.notes:
        if note.number in numbers and is_free(note, now):
            note = replace(note, claimed=now + CLAIM)
            mine.append(note)
        notes.append(note)
    return replace(ledger, notes=tuple(notes)), tuple(mine)


def settle(
    ledger: Ledger, claimed: Iterable[Note], answers: Answers, now: datetime
) -> Ledger:
    """Return the ledger after an attempt: who got a note is done with; others are tried again later, but not for ever.

    A target that nobody asked is no longer one.
    """
    numbers = set()
    for note in claimed:
        numbers.add(note.number)
    kept = []
    for note in ledger.notes:
        if note.number in numbers:
            left = _still_left(note, answers)
            again = _again(note, left, now)
        else:
            again = note
        if not again.left:
            continue
        if again.tries > note.tries and _is_over(again, now):
            reason = answers[note.number, again.left[0]]
            ledger = _lose(ledger, 1, reason, now)
        else:
            kept.append(again)
    return replace(ledger, notes=tuple(kept))


def _still_left(note: Note, answers: Answers) -> tuple[str, ...]:
    left = []
    for name in note.left:
        reason = answers.get((note.number, name))
        if reason:
            left.append(name)
    return tuple(left)


def _again(note: Note, left: tuple[str, ...], now: datetime) -> Note:
    doubled = FIRST_WAIT * 2**note.tries
    wait = min(doubled, LONGEST_WAIT)
    return replace(note, left=left, tries=note.tries + 1, due=now + wait, claimed=None)


def _is_over(note: Note, now: datetime) -> bool:
    """Tell whether a note was tried often enough, or is too old."""
    if note.tries >= MOST_TRIES:
        return True
    return now - note.at >= OLDEST


def _lose(ledger: Ledger, number: int, reason: str, now: datetime) -> Ledger:
    count = ledger.lost.count + number
    return replace(ledger, lost=Lost(count, now, reason))


def _gravity(note: Note) -> tuple[int, datetime, int]:
    return note.level, note.at, note.number


def put(ledger: Ledger, notes: Iterable[Note], now: datetime) -> Ledger:
    """Return the ledger with more notes; of too many the oldest of the least grave are given up."""
    waiting = list(ledger.notes)
    waiting += notes
    surplus = len(waiting) - MOST_NOTES
    if surplus <= 0:
        return replace(ledger, notes=tuple(waiting))
    waiting.sort(key=_gravity)
    kept = waiting[surplus:]
    kept.sort(key=_order)
    ledger = _lose(ledger, surplus, "too many waited", now)
    return replace(ledger, notes=tuple(kept))


def _order(note: Note) -> int:
    return note.number
