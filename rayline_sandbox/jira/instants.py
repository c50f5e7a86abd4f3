"""Instants as Jira writes and reads them: milliseconds inside, `2026-08-06T11:30:39.194-0500` outside.

Offsets are those of the calling account and carry no colon (docs/facts/jira-api.md 5).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // _MILLISECOND
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // _MILLISECOND - 1
"""The instants that are a date in every zone; others are none."""
QUARTER_OF_AN_HOUR = 900_000
LONGEST = 10**11
"""Longest duration in seconds, some three thousand years; sums of such still fit an answer."""
UNITS = {"w": 144_000, "d": 28_800, "h": 3600, "m": 60}
"""Seconds of a duration's units: days have eight hours, weeks five days."""
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]+)?)([wdhm]?)")
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
    """Return the offset of a zone in a quarter of an hour since 1970: no zone changes it in between."""
    instant = from_millis(quarter * QUARTER_OF_AN_HOUR)
    local = instant.astimezone(zone)
    return local.utcoffset() or timedelta()


def format_stamp(millis: int, zone: ZoneInfo, *, whole_seconds: bool = False) -> str:
    """Return the REST form in the account's zone; `whole_seconds` is what a Data Center search answers.

    Source: docs/facts/jira-api.md 1.3.
    """
    offset = _offset(zone, millis // QUARTER_OF_AN_HOUR)
    seconds, fraction = divmod(millis, 1000)
    if whole_seconds:
        fraction = 0
    local = EPOCH.replace(tzinfo=None) + timedelta(seconds=seconds) + offset
    shown = local.isoformat()
    return f"{shown}.{fraction:03d}{_format_offset(offset)}"


def _format_offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{sign}{hours:02d}{rest:02d}"


def format_zulu(millis: int) -> str:
    """Return the form sprint dates have: UTC with `Z`."""
    instant = from_millis(millis).replace(tzinfo=None)
    seconds = instant.isoformat(timespec="seconds")
    fraction = millis % 1000
    return f"{seconds}.{fraction:03d}Z"


def parse_stamp(text: str) -> int:
    """Return milliseconds of a REST or ISO instant; no offset means UTC; a plain date is its midnight in UTC.

    Raises `ValueError` for what is no instant, or one so near the edges of time that no zone could show it.
    """
    try:
        millis = _to_utc_millis(datetime.fromisoformat(text))
        return _within(millis, text)
    except ValueError:
        return _within(_parse_slowly(text), text)


def _to_utc_millis(moment: datetime) -> int:
    """Return milliseconds since 1970; no zone means UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return to_millis(moment)


def _within(millis: int, given: object) -> int:
    if not EARLIEST <= millis <= LATEST:
        raise ValueError(f"not an instant of the years 1 to 9999: {given!r}")
    return millis


def _parse_slowly(text: str) -> int:
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an instant: {text!r}")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    microseconds = (fraction or "")[:6].ljust(6, "0")
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        int(microseconds),
        tzinfo=_zone_of(offset),
    )
    return to_millis(moment)


def _zone_of(offset: str | None) -> timezone:
    if offset is None or offset == "Z":
        return UTC
    hours = int(offset[1:3])
    minutes = int(offset[-2:])
    distance = timedelta(hours=hours, minutes=minutes)
    if offset[0] == "-":
        distance = -distance
    return timezone(distance)


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
            millis = _to_utc_millis(value)
            return _within(millis, value)
        case date():
            midnight = datetime.combine(value, time(), UTC)
            return to_millis(midnight)
        case str():
            return parse_stamp(value)
        case _:
            raise ValueError(f"not an instant: {value!r}")


def format_spent(seconds: int) -> str:
    """Return Jira's pretty duration with eight-hour days and five-day weeks, e.g. `1w 2d 3h 30m`."""
    left = seconds
    parts = []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"


def parse_spent(text: str) -> int:
    """Return seconds of a pretty duration; a bare number is minutes; `ValueError` for none or an endless one."""
    total = 0
    for word in text.split():
        match = _DURATION.fullmatch(word)
        if match is None:
            raise ValueError(f"not a duration: {text!r}")
        count = float(match[1])
        unit = match[2] or "m"
        total += int(count * UNITS[unit])
    if not text.strip() or total > LONGEST:
        raise ValueError(f"not a duration: {text!r}")
    return total
