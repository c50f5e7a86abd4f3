"""Instants as Jira writes and reads them: milliseconds inside, `2026-08-06T11:30:39.194-0500` outside.

Offsets are those of the calling account and carry no colon (docs/facts/jira-api.md 5).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // _MILLISECOND
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // _MILLISECOND - 1
"""The instants that are a date in every zone; others are none."""
LONGEST = 10**11
"""Longest duration in seconds, some three thousand years; sums of such still fit an answer."""
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?"
)


def to_millis(instant: datetime) -> int:
    """Return milliseconds since 1970 of an aware instant, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """Return the aware UTC instant."""
    return EPOCH + timedelta(milliseconds=millis)


@lru_cache(maxsize=65536)
def _offset(zone: ZoneInfo, quarter: int) -> timedelta:
    return from_millis(quarter * 900_000).astimezone(zone).utcoffset() or timedelta()


def format_stamp(millis: int, zone: ZoneInfo, *, whole_seconds: bool = False) -> str:
    """Return the REST form in the account's zone; `whole_seconds` is what a Data Center search answers.

    Source: docs/facts/jira-api.md 1.3.
    """
    offset = _offset(zone, millis // 900_000)
    local = EPOCH.replace(tzinfo=None) + timedelta(seconds=millis // 1000) + offset
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    tail = 0 if whole_seconds else millis % 1000
    return f"{local.isoformat()}.{tail:03d}{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def format_zulu(millis: int) -> str:
    """Return the form sprint dates have: UTC with `Z`."""
    return f"{from_millis(millis).replace(tzinfo=None).isoformat(timespec='seconds')}.{millis % 1000:03d}Z"


def parse_stamp(text: str) -> int:
    """Return milliseconds of a REST or ISO instant; no offset means UTC; a plain date is its midnight in UTC.

    Raises `ValueError` for what is no instant, or one so near the edges of time that no zone could show it.
    """
    try:
        fast = datetime.fromisoformat(text)
        return _within(
            to_millis(fast if fast.tzinfo else fast.replace(tzinfo=UTC)), text
        )
    except ValueError:
        return _within(_parse_slowly(text), text)


def _within(millis: int, given: object) -> int:
    if not EARLIEST <= millis <= LATEST:
        raise ValueError(f"not an instant of the years 1 to 9999: {given!r}")
    return millis


def _parse_slowly(text: str) -> int:
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an instant: {text!r}")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    naive = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=_zone_of(offset),
    )
    return to_millis(naive)


def _zone_of(offset: str | None) -> timezone:
    if offset in (None, "Z"):
        return UTC
    assert offset is not None
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def to_instant(value: object) -> int | None:
    """Return milliseconds of what a loader may be given: instant text, milliseconds, datetime or None."""
    match value:
        case None:
            return None
        case bool():
            raise ValueError("not an instant")
        case float() if not math.isfinite(value):
            raise ValueError(f"not an instant: {value!r}")
        case int() | float():
            return _within(int(value), value)
        case datetime():
            return _within(
                to_millis(value if value.tzinfo else value.replace(tzinfo=UTC)), value
            )
        case date():
            return to_millis(datetime.combine(value, datetime.min.time(), UTC))
        case str():
            return parse_stamp(value)
        case _:
            raise ValueError(f"not an instant: {value!r}")


def format_spent(seconds: int) -> str:
    """Return Jira's pretty duration with eight-hour days and five-day weeks, e.g. `1w 2d 3h 30m`."""
    minutes = seconds // 60
    parts = []
    for unit, size in (("w", 2400), ("d", 480), ("h", 60), ("m", 1)):
        count, minutes = divmod(minutes, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"


def parse_spent(text: str) -> int:
    """Return seconds of a pretty duration; a bare number is minutes; `ValueError` for none or an endless one."""
    units = {"w": 144_000, "d": 28_800, "h": 3600, "m": 60, "": 60}
    total = 0
    for word in text.split():
        match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]+)?)([wdhm]?)", word)
        if match is None:
            raise ValueError(f"not a duration: {text!r}")
        total += int(float(match[1]) * units[match[2]])
    if not text.strip() or total > LONGEST:
        raise ValueError(f"not a duration: {text!r}")
    return total
