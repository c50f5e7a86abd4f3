"""Days and meetings as an iCalendar file (RFC 5545), byte by byte as calendars of phones want it.

Written here, for the little of the format that is used weighs less than a library of it; the tests read it back with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import msgspec

from worker.domain.values import Ref

MOST_OCTETS = 75
"""Octets of a line without its end (RFC 5545 3.1)."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What no text may hold (3.1); line breaks and tabs may."""
ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
LEAP = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"
"""29 February is kept on the last day of the month in other years."""
MEDIA_TYPE = "text/calendar; charset=utf-8"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One entry: a day, or an instant (UTC) when it has a time; `yearly` repeats it. `about` is the row it comes of, and
    with `kind` what it is known by for ever; `changed` is when that row was last edited, `end` its last day."""

    kind: str
    about: Ref
    title: str
    start: date | datetime
    changed: datetime
    end: date | datetime | None = None
    yearly: date | None = None
    url: str = ""
    text: str = ""


def write_calendar(
    events: Iterable[Event], *, name: str, zone: str, workspace: str, language: str
) -> bytes:
    """Return the file; the same events give the same bytes."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Rayline//Rayline//EN",
        "CALSCALE:GREGORIAN",
        f"NAME;LANGUAGE={language}:{_escape(name)}",
        f"X-WR-CALNAME:{_escape(name)}",
        f"X-WR-TIMEZONE:{_escape(zone)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for event in events:
        lines += _event(event, workspace)
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) for line in lines)


def _event(event: Event, workspace: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(event, workspace)}"
    yield f"DTSTAMP:{_instant(event.changed)}"
    yield f"LAST-MODIFIED:{_instant(event.changed)}"
    yield from _when(event)
    yield f"SUMMARY:{_escape(event.title)}"
    if event.text:
        yield f"DESCRIPTION:{_escape(event.text)}"
    if event.url:
        yield f"URL:{_line(event.url)}"
    yield f"CATEGORIES:{event.kind.upper()}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _when(event: Event) -> Iterator[str]:
    if isinstance(event.start, datetime):
        yield f"DTSTART:{_instant(event.start)}"
        return
    yield f"DTSTART;VALUE=DATE:{event.start:%Y%m%d}"
    last = max(event.start, event.end or event.start)
    following = last + timedelta(days=1)
    yield f"DTEND;VALUE=DATE:{following:%Y%m%d}"
    if event.yearly is not None:
        is_leap = (event.yearly.month, event.yearly.day) == (2, 29)
        yield f"RRULE:{LEAP if is_leap else 'FREQ=YEARLY'}"


def _uid(event: Event, workspace: str) -> str:
    """Return what an entry is known by; it tells nothing of the row."""
    known = "\n".join((workspace, event.kind, str(event.about)))
    return f"{sha256(known.encode()).hexdigest()[:32]}@rayline"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escape(text: str) -> str:
    """Return a text as a value (3.3.11)."""
    breaks = text.replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", breaks).translate(ESCAPES)


def _line(text: str) -> str:
    return "".join(text.split())


def fold(line: str) -> bytes:
    """Return a line with its end, broken so that none is longer than 75 octets and no character is torn (3.1)."""
    parts, size = [bytearray()], 0
    for sign in line:
        octets = sign.encode("utf-8", "replace")
        if size + len(octets) > MOST_OCTETS:
            parts.append(bytearray(b" "))
            size = 1
        parts[-1] += octets
        size += len(octets)
    return b"\r\n".join(bytes(part) for part in parts) + b"\r\n"
