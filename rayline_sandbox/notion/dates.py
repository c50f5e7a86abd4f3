"""Days and times of cells, mentions and filters: what a request may say and what is stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rayline_sandbox.notion.errors import MISSING, invalid, should_be

MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII,
)


def read_date(value: Any, path: str) -> dict[str, Any] | None:
    """Return a stored date: answers carry the offset of the zone asked for and no zone, as recorded."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise should_be(path, "an object or `null`", value)
    zone = _zone(value.get("time_zone"), f"{path}.time_zone")
    start = _moment(value.get("start", MISSING), zone, f"{path}.start")
    end = (
        _moment(value["end"], zone, f"{path}.end")
        if value.get("end") is not None
        else None
    )
    if end is not None and instant(end) < instant(start):
        raise invalid(f"{path}: the end of a date range may not lie before its start.")
    return {"start": start, "end": end, "time_zone": None}


def _zone(name: Any, path: str) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (
        TypeError,
        ValueError,
        OSError,
        ZoneInfoNotFoundError,
    ):  # a folder of the zone database is an OSError
        raise should_be(path, "a valid time zone", name) from None


def is_day(text: str) -> bool:
    """Return whether a date that `read_moment` accepts is a day without a time."""
    return len(text) == len("2026-01-31")


def read_moment(text: Any, path: str, zone: tzinfo = UTC) -> datetime:
    """Return a day or time as an instant cut to the minute, as recorded of values and of filters; else the 400."""
    try:
        parsed = (
            datetime.fromisoformat(text)
            if isinstance(text, str) and MOMENT.fullmatch(text)
            else None
        )
    except ValueError:
        parsed = None
    if parsed is None:
        raise should_be(path, "a valid ISO 8601 date string", text)
    return parsed.replace(second=0, microsecond=0, tzinfo=parsed.tzinfo or zone)


def _moment(text: Any, zone: tzinfo, path: str) -> str:
    moment = read_moment(text, path, zone)
    if is_day(text):
        return str(text)
    return moment.isoformat(timespec="milliseconds")


def instant(text: str) -> datetime:
    """Return a stored date or date-time as an instant (a bare day is its midnight in UTC)."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
