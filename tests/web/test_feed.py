"""Calendars by secret address: what stands in them, that calendars can read them, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr

from tests.support.console import PEOPLE, Console, served
from tests.support.stages import NOW, TODAY, Play, small_play
from worker.codecs.calendar_file import Event, fold, write_calendar
from worker.config import ConsoleSettings
from worker.domain.values import Ref
from worker.web.access import Attempts
from worker.web.calendar_events import list_events
from worker.web.feed import list_calendars

KEY = "a-key-that-is-long-enough-1"


def settings(key: str = KEY) -> ConsoleSettings:
    return ConsoleSettings(people=PEOPLE, feed_key=SecretStr(key))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("feed")) as play:
        play.sync()
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play, settings()) as console:
        yield console


def paths(console: Console) -> dict[str, str]:
    """Return where each calendar is read, by whose it is."""
    context = console.play.stage.context
    calendars = list_calendars(console.desk, context)
    return {one.owner.name: one.path for one in calendars}


def events(body: bytes) -> list[icalendar.Component]:
    """Return the entries of a file, read by the library."""
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def one(start: date | datetime, **given: object) -> Event:
    return Event("meeting", Ref("meetings", "x"), "Title", start, NOW, **given)  # type: ignore[arg-type]


def written(*given: Event) -> bytes:
    return write_calendar(
        given, name="A", zone="Europe/Berlin", workspace="studio", language="en"
    )


def test_an_account_manager_and_a_unit_have_a_calendar_each(console: Console) -> None:
    assert len(paths(console)) == len(set(paths(console).values())) == 2
    assert "Am Person" in paths(console)


def test_a_calendar_holds_birthdays_what_ends_and_meetings(console: Console) -> None:
    answer = console.client().get(paths(console)["Am Person"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    read = events(answer.content)
    kinds = {event["CATEGORIES"].to_ical(): event for event in read}
    assert {b"BIRTHDAY", b"CONTRACT", b"MEETING"} <= kinds.keys()
    ends = kinds[b"CONTRACT"]
    assert ends.decoded("DTSTART") == TODAY + timedelta(days=50)
    assert ends["DTSTART"].params["VALUE"] == "DATE"


def test_no_year_of_a_birth_leaves_the_house(console: Console) -> None:
    body = console.client().get(paths(console)["Am Person"]).content
    births = [event for event in events(body) if "RRULE" in event]
    assert births
    assert {event.decoded("DTSTART").year for event in births} == {TODAY.year}
    assert b"1990" not in body


def test_nothing_of_private_boards_leaves_the_house(console: Console) -> None:
    context = console.play.stage.context
    calendar = next(list_calendars(console.desk, context))
    shown = list_events(calendar.view, calendar.owner, context.schema)
    assert {"people", "clients"} <= {event.about.source for event in shown}
    sources = dict(context.schema.sources)
    sources["people"] = replace(sources["people"], private=True)
    closed = replace(context.schema, sources=sources)
    left = list_events(calendar.view, calendar.owner, closed)
    assert [one for one in shown if one.about.source != "people"] == list(left)


def test_the_same_row_has_the_same_name_in_every_calendar_and_at_every_reading(
    console: Console,
) -> None:
    bodies = [console.client().get(path).content for path in paths(console).values()]
    names = [{str(event["UID"]) for event in events(body)} for body in bodies]
    assert len(names[0]) == len(events(bodies[0]))
    assert names[0] & names[1]
    again = [console.client().get(path).content for path in paths(console).values()]
    assert again == bodies


def test_what_is_known_is_not_sent_again(console: Console) -> None:
    path = paths(console)["Am Person"]
    first = console.client().get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, max-age=900"
    for shown in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = console.client().get(path, headers={"if-none-match": shown})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    other = console.client().get(path, headers={"if-none-match": '"other"'})
    assert other.status_code == 200
    head = console.client().head(path)
    assert (head.status_code, head.content) == (200, b"")


def test_a_calendar_speaks_both_languages(console: Console) -> None:
    path = paths(console)["Am Person"]
    english = console.client().get(path, params={"language": "en"}).text
    russian = console.client().get(path, params={"language": "ru"}).text
    assert "SUMMARY:Birthday: " in english
    assert "SUMMARY:День рождения: " in russian
    assert console.client().get(path, params={"language": "xx"}).status_code == 422


def test_another_key_ends_the_addresses(console: Console, play: Play) -> None:
    old = paths(console)
    with served(play, settings("another-key-of-the-feed-2")) as renewed:
        assert set(paths(renewed).values()).isdisjoint(old.values())
        assert renewed.client().get(old["Am Person"]).status_code == 404
    with served(play) as without:
        assert paths(without) == {}
        assert without.client().get(old["Am Person"]).status_code == 404


def test_wrong_addresses_are_nobodys_and_are_counted(play: Play) -> None:
    attempts = Attempts(of_one=5)
    with served(play, settings(), attempts) as console:
        path = paths(console)["Am Person"]
        wrong = [
            path.replace("/feed/", "/feed/0"),
            f"{path[:-5]}.ics",
            "/feed/.ics",
            "/feed/ä.ics",
            f"/feed/{'a' * 48}.ics",
        ]
        codes = {console.client().get(one).status_code for one in wrong}
        assert codes == {404}
        for _ in range(5):
            console.client().get(f"/feed/{'a' * 48}.ics")
        assert console.client().get(path).status_code == 429


def test_operators_alone_see_the_addresses(console: Console) -> None:
    page = console.signed_in("anna").get("/w/studio/calendars")
    assert page.status_code == 200
    for path in paths(console).values():
        assert path in page.text
    assert console.signed_in("vera").get("/w/studio/calendars").status_code == 403
    assert console.client().get("/w/studio/calendars").status_code == 303


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
