"""Whose clock is wrong: ours or a server's, judged by what their answers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from worker.errors import ClockFault, WrongClock
from worker.http.clocks import Clocks

NOW = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)
DAYS, HOURS, SLOW = timedelta(days=40), timedelta(hours=-2), timedelta(minutes=4)
FINE = timedelta(seconds=3)


def heard(*answers: tuple[str, timedelta]) -> Clocks:
    """Return clocks that heard answers of services that are so much ahead of us."""
    clocks = Clocks(lambda: NOW)
    for api, ahead in answers:
        clocks.note(api, {"date": format_datetime(NOW + ahead, usegmt=True)})
    return clocks


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ((), None),
        ((("notion", FINE), ("jira", -FINE)), None),
        ((("notion", SLOW), ("jira", -SLOW)), None),
        ((("notion", DAYS), ("jira", DAYS)), ClockFault.WRONG),
        ((("notion", -DAYS), ("jira", FINE - DAYS)), ClockFault.WRONG),
        ((("notion", HOURS), ("jira", HOURS)), ClockFault.WRONG),
        ((("jira", timedelta(minutes=6)),), ClockFault.WRONG),
        ((("notion", FINE), ("jira", DAYS)), None),
        ((("notion", HOURS), ("jira", DAYS)), ClockFault.UNCLEAR),
        ((("notion", FINE), ("jira", FINE), ("notion", HOURS)), ClockFault.JUMPED),
        ((("notion", DAYS), ("notion", FINE), ("jira", FINE)), ClockFault.JUMPED),
    ],
)
def test_of_three_clocks_the_two_that_agree_are_believed(
    answers: tuple[tuple[str, timedelta], ...], fault: ClockFault | None
) -> None:
    clocks = heard(*answers)
    if fault is None:
        clocks.check()
        return
    with pytest.raises(WrongClock) as caught:
        clocks.check()
    assert caught.value.fault is fault


def test_a_server_that_is_wrong_alone_is_named_with_its_difference() -> None:
    clocks = heard(("notion", FINE), ("jira", DAYS))
    assert clocks.odd_server() == ("jira", DAYS)
    assert heard(("jira", DAYS)).odd_server() is None
    assert heard(("notion", FINE), ("jira", FINE)).odd_server() is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "yesterday"},
        {"date": "Wed, 99 Nov 2026 06:40:00 GMT"},
        {"date": "Thu, 01 Jan 1970 00:00:00 GMT", "age": "86400"},
    ],
)
def test_an_answer_that_tells_no_time_of_its_own_says_nothing(
    headers: dict[str, str],
) -> None:
    clocks = Clocks(lambda: NOW)
    clocks.note("notion", headers)
    assert clocks.skews() == {}


def test_a_clock_that_is_not_the_machines_is_not_judged() -> None:
    clocks = Clocks()
    clocks.note("notion", {"date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    clocks.check()


def test_a_new_run_forgets_what_the_last_one_heard() -> None:
    clocks = heard(("notion", DAYS), ("jira", DAYS))
    clocks.restart()
    clocks.check()
