"""Work logs by days: each on its own day of the zone, what they have in common one object, an item's logs once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.entities import LoggedTime, Worklog
from worker.domain.periods import local_day
from worker.world.logged import on_days, uncounted

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
FORTY_YEARS = 40 * 365 * 24 * 3_600
MOMENTS = st.integers(0, FORTY_YEARS).map(lambda at: BEGIN + timedelta(seconds=at))
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Asia/Gaza")


@pytest.mark.parametrize("name", ZONES)
@given(st.lists(MOMENTS))
def test_every_log_lies_on_the_day_of_its_moment(
    name: str, moments: list[datetime]
) -> None:
    zone = ZoneInfo(name)
    logs = [Worklog(str(at), "7", "ann", at, 900) for at in moments]
    days = [log.day for log in on_days(logs, zone)]
    assert days == [local_day(at, zone) for at in moments]


def test_the_last_second_before_midnight_is_of_the_day_that_ends() -> None:
    """23:59:59 in Kathmandu, 5:45 ahead, is 18:14:59 UTC."""
    last = datetime(2026, 11, 20, 18, 14, 59, 999_999, tzinfo=UTC)
    logs = [
        Worklog(str(number), "7", "ann", at, 60)
        for number, at in enumerate((last, last + timedelta(microseconds=1)))
    ]
    days = [log.day.day for log in on_days(logs, ZoneInfo("Asia/Kathmandu"))]
    assert days == [20, 21]


def test_what_logs_have_in_common_is_one_object() -> None:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    logs = [
        Worklog(str(hour), f"issue {7}", f"ann {1}", at + timedelta(hours=hour), 9_000)
        for hour in range(3)
    ]
    first, *others = on_days(logs, UTC)
    for log in others:
        assert log == first
        for field in LoggedTime.__struct_fields__:
            assert getattr(log, field) is getattr(first, field)


def test_an_item_that_two_cards_show_counts_once_with_all_its_logs() -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC).date()
    shared = [LoggedTime("1", "ann", day, 60), LoggedTime("1", "bob", day, 60)]
    own = LoggedTime("2", "ann", day, 60)
    counted: set[str] = set()
    assert uncounted(shared, counted) == shared
    assert uncounted([*shared, own], counted) == [own]
    assert counted == {"1", "2"}
