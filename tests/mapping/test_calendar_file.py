"""A calendar file byte by byte, and what a library of the format reads in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from worker.codecs.calendar_file import Event, fold, write_calendar
from worker.domain.values import Ref

NOW = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)
TODAY = NOW.date()


def events(body: bytes) -> list[icalendar.Component]:
    """Return the entries of a file, read by the library."""
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def one(start: date | datetime, **given: object) -> Event:
    return Event("meeting", Ref("meetings", "x"), "Title", start, NOW, **given)  # type: ignore[arg-type]


def written(*given: Event) -> bytes:
    return write_calendar(
        given, name="A", zone="Europe/Berlin", workspace="studio", language="en"
    )


AWKWARD = [
    "plain",
    "commas, semicolons; back\\slashes",
    "two\nlines\r\nand\rthree",
    "Юбилей " * 30,
    "🎂" * 60,
    "bell\x07 and nul\x00",
    "BEGIN:VEVENT\nEND:VCALENDAR",
    "",
]


@pytest.mark.parametrize("title", AWKWARD)
def test_any_title_is_read_back(title: str) -> None:
    body = written(Event("document", Ref("documents", "x"), title, TODAY, NOW))
    (event,) = events(body)
    breaks = title.replace("\r\n", "\n").replace("\r", "\n")
    assert event["SUMMARY"] == breaks.replace("\x07", "").replace("\x00", "")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert body.endswith(b"\r\nEND:VCALENDAR\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_folding_tears_no_character_and_loses_none(text: str) -> None:
    lines = fold(text).split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and line.decode("utf-8") is not None for line in lines)
    assert fold(text).replace(b"\r\n ", b"") == text.encode() + b"\r\n"


@pytest.mark.parametrize(
    ("born", "years"),
    [
        (date(1992, 2, 29), {2027: 28, 2028: 29, 2029: 28, 2032: 29}),
        (date(1990, 3, 4), {2027: 4, 2028: 4}),
    ],
)
def test_a_birthday_comes_every_year(born: date, years: dict[int, int]) -> None:
    start = date(2026, born.month, min(born.day, 28))
    (event,) = events(written(one(start, yearly=born)))
    rule = event["RRULE"].to_ical().decode()
    begin = datetime(start.year, start.month, start.day)  # noqa: DTZ001 - a day has no zone
    days = list(rrulestr(rule, dtstart=begin)[:10])
    assert days[0].date() == start
    for year, day in years.items():
        assert date(year, born.month, day) in [each.date() for each in days]
    assert len({each.year for each in days}) == 10


def test_days_have_a_day_after_and_instants_are_in_utc() -> None:
    moment = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    day, span, held = events(
        written(
            one(TODAY),
            one(TODAY, end=TODAY + timedelta(days=2)),
            one(moment.astimezone(NOW.tzinfo), end=moment),
        )
    )
    assert day.decoded("DTEND") == TODAY + timedelta(days=1)
    assert span.decoded("DTEND") == TODAY + timedelta(days=3)
    assert held.decoded("DTSTART") == moment
    assert held.decoded("DTSTAMP") == NOW


def test_a_file_says_whose_it_is_and_all_of_an_entry_line_by_line() -> None:
    whole = Event(
        "birthday",
        Ref("contacts", "c1"),
        "Ann, 30",
        date(2026, 2, 28),
        NOW,
        end=date(2026, 3, 1),
        yearly=date(1996, 2, 29),
        url="https://example.org/a b\n",
        text="one; two",
    )
    body = write_calendar(
        [whole], name="Ann; team", zone="Europe/Berlin", workspace="s", language="de"
    )
    assert body.decode().split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Rayline//Rayline//EN",
        "CALSCALE:GREGORIAN",
        "NAME;LANGUAGE=de:Ann\\; team",
        "X-WR-CALNAME:Ann\\; team",
        "X-WR-TIMEZONE:Europe/Berlin",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "BEGIN:VEVENT",
        "UID:21acb3ad3d5a19a3ff7f943231d07e75@rayline",
        "DTSTAMP:20261118T064000Z",
        "LAST-MODIFIED:20261118T064000Z",
        "DTSTART;VALUE=DATE:20260228",
        "DTEND;VALUE=DATE:20260302",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1",
        "SUMMARY:Ann\\, 30",
        "DESCRIPTION:one\\; two",
        "URL:https://example.org/ab",
        "CATEGORIES:BIRTHDAY",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_an_entry_without_text_address_and_year_has_no_lines_for_them() -> None:
    (event,) = events(written(one(TODAY)))
    assert not {"DESCRIPTION", "URL", "RRULE"} & event.keys()


def test_an_instant_has_no_day_after_and_comes_once() -> None:
    moment = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    (event,) = events(written(one(moment, end=moment, yearly=TODAY)))
    assert not {"DTEND", "RRULE"} & event.keys()


def test_what_ends_before_it_begins_is_kept_on_its_first_day() -> None:
    (event,) = events(written(one(TODAY, end=TODAY - timedelta(days=3))))
    assert event.decoded("DTEND") == TODAY + timedelta(days=1)


def test_an_entry_keeps_its_name_whatever_becomes_of_its_row() -> None:
    def name(event: Event, workspace: str = "studio") -> str:
        body = write_calendar(
            [event], name="A", zone="UTC", workspace=workspace, language="en"
        )
        return str(events(body)[0]["UID"])

    meeting = one(TODAY)
    changed = one(TODAY + timedelta(days=1), text="moved", url="https://example.org")
    assert name(meeting) == name(changed)
    other_row = Event("meeting", Ref("meetings", "y"), "Title", TODAY, NOW)
    other_kind = Event("contract", Ref("meetings", "x"), "Title", TODAY, NOW)
    names = [name(meeting), name(other_row), name(other_kind), name(meeting, "agency")]
    assert len(set(names)) == 4


@pytest.mark.parametrize("sign", ["a", "я", "🎂"])
def test_a_line_of_75_octets_stays_whole_and_one_more_is_broken(sign: str) -> None:
    width = len(sign.encode())
    start = "x" * (75 % width) + sign * (75 // width)
    assert fold(start) == start.encode() + b"\r\n"
    rest = "y" * (74 % width) + sign * (74 // width)
    assert fold(f"{start}{rest}") == f"{start}\r\n {rest}\r\n".encode()
    assert fold(f"{start}{rest}z") == f"{start}\r\n {rest}\r\n z\r\n".encode()
