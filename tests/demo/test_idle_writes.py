"""What counts as a write of an idle look: the day's tidying and what comes with it do not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rayline_demo.checks import idle_writes, last_entry, writes
from rayline_demo.days import Season, SeasonOrder, open_season
from worker.app import logs
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync

FIRST = date(2026, 10, 1)
MORNING = timedelta(hours=9)
OLD = timedelta(days=40)
A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def season(tmp_path: Path) -> Iterator[Season]:
    logs.configure(level="ERROR")
    opened = open_season(SeasonOrder("en", 1, FIRST), tmp_path)
    clock = opened.rig.clock
    clock.advance(
        datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + MORNING - clock.now()
    )
    yield opened
    opened.rig.close()


def look(season: Season, mode: Mode) -> tuple[int, int, Report]:
    """Let the worker look: return all writes, those that count of an idle look, and what it reported."""
    before = last_entry(season.rig)
    report = sync(season.rig.context, CycleRequest(mode, "test"))
    return (writes(season.rig, before), idle_writes(season.rig, before, report), report)


def test_old_dailies_and_the_line_that_is_renewed_with_them_do_not_count(
    season: Season,
) -> None:
    look(season, Mode.FULL)
    season.rig.clock.advance(OLD)
    _, _, after_weeks = look(season, Mode.DELTA)
    assert after_weeks.refused == (), "of periods that are over nothing is needed"
    season.rig.clock.advance(A_DAY - A_MINUTE)
    look(season, Mode.DELTA)
    season.rig.clock.advance(A_MINUTE)
    total, counted, report = look(season, Mode.FULL)
    archived = report.applied.counts()["archive"]
    assert archived
    assert (total, counted) == (archived + 1, 0)


def test_whatever_else_is_written_counts(season: Season) -> None:
    total, counted, report = look(season, Mode.FULL)
    assert not report.applied.counts()["archive"]
    assert counted == total > 100
