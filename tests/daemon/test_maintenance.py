"""Windows of maintenance: by the local wall clock, once a date, whatever the zone's clock does; nothing runs in them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from worker.config import Maintenance, Schedule, Workspace
from worker.cycle.context import CycleRequest
from worker.cycle.report import Report
from worker.daemon.job_log import JobLog
from worker.daemon.maintenance import current_window, next_window
from worker.daemon.service import WorkspaceRunner
from worker.plan.plan import Plan
from worker.state import triggers
from worker.state.store import Store
from worker.state.triggers import Asker, Order, Source

BERLIN = "Europe/Berlin"
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def settings(*windows: Maintenance, zone: str = BERLIN) -> Workspace:
    return Workspace(time_zone=zone, maintenance=windows)


NIGHTLY = Maintenance(start=time(23), end=time(1, 30), reason="backup")
SUNDAYS = Maintenance(days=("sun",), start=time(10), end=time(14))


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    local = datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(BERLIN))
    return local.astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(18, 22, 59), False),
        (at(18, 23), True),
        (at(19, 0), True),
        (at(19, 1, 29), True),
        (at(19, 1, 30), False),
        (at(19, 12), False),
    ],
)
def test_a_window_over_midnight_ends_on_the_next_day(
    moment: datetime, is_open: bool
) -> None:
    assert (current_window(settings(NIGHTLY), moment) is not None) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(21, 11), False),
        (at(22, 9, 59), False),
        (at(22, 11), True),
        (at(22, 14), False),
    ],
)
def test_a_window_of_some_days_opens_on_them_alone(
    moment: datetime, is_open: bool
) -> None:
    assert (current_window(settings(SUNDAYS), moment) is not None) is is_open


def test_the_next_window_is_a_week_away_right_after_one() -> None:
    found = next_window(settings(SUNDAYS), at(22, 14))
    assert found is not None
    assert found.start == at(29, 10)


@pytest.mark.parametrize("month", [3, 10])
def test_each_date_of_a_year_with_two_changes_of_clocks_has_one_window(
    month: int,
) -> None:
    rule = Maintenance(start=time(2, 30), end=time(4))
    found = set()
    moment = datetime(2026, month, 20, tzinfo=UTC)
    for _ in range(14 * 24 * 6):
        window = current_window(settings(rule), moment)
        if window is not None:
            found.add(window)
        moment += timedelta(minutes=10)
    local = [one.start.astimezone(ZoneInfo(BERLIN)).date() for one in found]
    assert len(local) == len(set(local)) == 14
    assert all(
        timedelta() < one.end - one.start <= timedelta(hours=2.5) for one in found
    )


def test_a_window_without_length_is_no_window() -> None:
    with pytest.raises(ValidationError, match="start and end must differ"):
        Maintenance(start=time(3), end=time(3))


class Desk:
    """A runner that keeps what it was asked to run."""

    def __init__(self, store: Store) -> None:
        self.now = SUNDAY
        self.orders: list[CycleRequest] = []
        given = Workspace(
            time_zone=BERLIN, schedule=Schedule(delta=60), maintenance=(SUNDAYS,)
        )
        self.store = store
        self.runner = WorkspaceRunner(
            "studio", given, self._run, JobLog(store, "studio"), lambda: self.now
        )

    def _run(self, order: CycleRequest, _on_start: object) -> Report:
        self.orders.append(order)
        return Report(1, "studio", 0.0, {}, Plan("studio"))

    def ask(self, source: Source) -> None:
        with self.store.transaction("studio") as tx:
            triggers.ask(tx, Order(), Asker("anna", source), now=self.now)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Store(f"sqlite:///{tmp_path / 'state.db'}"))


def test_nothing_runs_on_a_schedule_in_a_window_and_goes_on_after_it(
    desk: Desk,
) -> None:
    desk.runner.start()
    for _ in range(10):
        desk.now += timedelta(minutes=5)
        desk.runner.attend()
        desk.runner.attend_once()
        assert not desk.runner.is_due()
    assert desk.orders == []
    desk.now = SUNDAY + timedelta(hours=1)
    desk.runner.attend()
    assert desk.orders[0].trigger == "nightly"


@pytest.mark.parametrize(("source", "count"), [(Source.CLI, 1), (Source.WEBHOOK, 0)])
def test_in_a_window_a_persons_request_is_answered_and_word_of_a_change_waits(
    desk: Desk, source: Source, count: int
) -> None:
    desk.runner.start()
    desk.ask(source)
    assert desk.runner.is_due() is bool(count)
    desk.runner.attend()
    assert len(desk.orders) == count
