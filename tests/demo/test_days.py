"""Days of the sample agency: all that the checks of a season look at holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from rayline_demo.days import SEASON_WANTED, SeasonOrder, first_day, live_days


@pytest.mark.slow
def test_three_days_lose_nothing_repeat_nothing_and_write_nothing_idly() -> None:
    told: list[str] = []
    found = live_days(SeasonOrder("en", 3, date(2026, 10, 1), say=told.append))
    assert found["checks"] == SEASON_WANTED, told
    assert found["summary"]["people"], "people did nothing at all"
    assert found["summary"]["jira"]["finished"] > 0
    assert any(thread["opened"] for thread in found["stories"].values())


def test_a_season_begins_with_the_running_quarter() -> None:
    assert first_day(datetime(2026, 11, 21, 9, tzinfo=UTC)) == date(2026, 10, 1)
