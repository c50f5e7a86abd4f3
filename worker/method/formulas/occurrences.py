"""The life of a signal: opened by its condition, closed by its end or by a person, opened anew only after it was gone.

Pure state machine over `Occurrence`, shared by risks, tasks and staff requests (docs/method.md 6.1, 6.4, 3.4). Days on which the condition was absent
are counted by day of observation, so that two runs on one day count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec
from msgspec.structs import replace

from worker.domain.values import Ref
from worker.world.memory import Closing, Occurrence

COMPLETE = frozenset({"closed", "done", "cancelled", "hired", "declined"})


class Rules(msgspec.Struct, frozen=True, gc=False):
    """How a signal lives: days of absence to be believed, days before it may come again, whether it closes itself and
    whether its own row is used again after it closed itself."""

    gone_days: int = 2
    cooldown: int = 0
    reuse_row: bool = False


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What is seen today: the condition (None: unknown), the row's status, and whether a person deleted the row.

    `may_open` guards a new occurrence, `may_close` an automatic end (never in the first run, never on touched rows).
    """

    holds: bool | None
    today: date
    status: str | None = None
    trashed: bool = False
    may_open: bool = True
    may_close: bool = True


def name_of(key: str, number: int) -> str:
    """Return the Worker key of the occurrence `number` of a signal."""
    if number == 1:
        return key
    return f"{key}#{number}"


def base_of(name: str) -> tuple[str, int]:
    """Return the signal's key and the occurrence number held in a Worker key."""
    key, mark, number = name.rpartition("#")
    if mark and number.isdecimal():
        return key, int(number)
    return name, 1


def recall(
    source: str,
    opened: Mapping[str, date],
    trashed: Iterable[Ref],
    *,
    known: Mapping[str, Occurrence],
) -> dict[str, Occurrence]:
    """Return what is known of every signal of a source: memory first, then what rows and deleted rows still tell.

    `opened` is the day each row was opened, by its Worker key.
    """
    prefix = PREFIX[source]
    occurrences: dict[str, Occurrence] = {}
    for key, occurrence in known.items():
        if key.startswith(prefix):
            occurrences[key] = occurrence

    deleted = {ref.key for ref in trashed if ref.source == source}
    for name in sorted(deleted | opened.keys()):
        key, number = base_of(name)
        if not key.startswith(prefix):
            continue
        before = occurrences.get(key)
        if before is None or number > before.number:
            occurrences[key] = Occurrence(key, number, opened=opened.get(name))
    return occurrences


PREFIX = {"risks": "risk:", "tasks": "task:", "requests": "request:"}


def row_of(occurrence: Occurrence) -> Ref | None:
    """Return the row of an occurrence; None for a key of no source."""
    for source, prefix in PREFIX.items():
        if occurrence.key.startswith(prefix):
            name = name_of(occurrence.key, occurrence.number)
            return Ref(source, name)
    return None


def is_step(before: Occurrence | None, now: Occurrence) -> bool:
    """Tell whether a signal came this far by what the worker writes: opened, opened anew, or closed by its condition.

    Everything else about it was observed, whether or not anything is written.
    """
    if before is None:
        return now.closed is None
    if now.number != before.number or now.opened != before.opened:
        return True
    return now.closed != before.closed and now.closing is Closing.CONDITION


def advance(
    before: Occurrence | None, key: str, sight: Sight, *, rules: Rules
) -> Occurrence | None:
    """Return the occurrence after today's look; None while the signal has never been."""
    if before is None:
        if sight.holds and sight.may_open:
            return _open(key, 1, sight.today)
        return None

    now = _ended_by_person(before, sight)
    if now.closed and now.ended and sight.holds:
        return _again(now, sight, rules)

    now = _watch(now, sight, rules)
    if now.ended and now.closed is None and sight.may_close:
        return replace(now, closed=sight.today, closing=Closing.CONDITION)
    return now


def _open(key: str, number: int, today: date) -> Occurrence:
    return Occurrence(key, number, opened=today, last_seen=today, observed=today)


def _ended_by_person(before: Occurrence, sight: Sight) -> Occurrence:
    is_complete = sight.trashed or sight.status in COMPLETE
    if is_complete:
        if before.closed is None:
            return replace(before, closed=sight.today, closing=Closing.PERSON)
        return before

    # A person who closed it and gave it another status since has opened it again.
    if before.closing is Closing.PERSON and sight.status is not None:
        return replace(before, closed=None, closing=None)
    return before


def _watch(now: Occurrence, sight: Sight, rules: Rules) -> Occurrence:
    match sight.holds:
        case None:
            return now
        case True:
            return _seen(now, sight.today)
        case False:
            return _missed(now, sight.today, rules)


def _seen(now: Occurrence, today: date) -> Occurrence:
    return replace(
        now, gone=None, gone_seen=0, ended=None, last_seen=today, observed=today
    )


def _missed(now: Occurrence, today: date, rules: Rules) -> Occurrence:
    count = now.gone_seen
    is_first_look = now.gone is None or now.observed != today
    if is_first_look:
        count += 1

    ended = now.ended
    if ended is None and count >= rules.gone_days:
        ended = today
    return replace(
        now, gone=now.gone or today, gone_seen=count, observed=today, ended=ended
    )


def _again(now: Occurrence, sight: Sight, rules: Rules) -> Occurrence:
    if _is_resting(now, sight.today, rules) or not sight.may_open:
        return replace(now, last_seen=sight.today, observed=sight.today)

    number = now.number
    # The row that the worker closed itself may serve again; what a person closed or deleted stays theirs.
    is_own = now.closing is Closing.CONDITION and not sight.trashed
    if not (is_own and rules.reuse_row):
        number += 1
    return _open(now.key, number, sight.today)


def _is_resting(now: Occurrence, today: date, rules: Rules) -> bool:
    if now.closed is None:
        return False
    rested = (today - now.closed).days
    return rested < rules.cooldown
