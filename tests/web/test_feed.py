"""Calendars by secret address: what stands in them, that calendars can read them, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import icalendar
import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from tests.support.console import PEOPLE, Console, served
from tests.support.stages import TODAY, Play, small_play
from worker.config import ConsoleSettings
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
