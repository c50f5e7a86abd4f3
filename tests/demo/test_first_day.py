"""The sample agency looks like a real one on the first day the worker sees it: read from the boards alone."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from rayline_demo.board import Card, living
from rayline_demo.days import Season, SeasonOrder, open_season
from worker.app import logs
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.periods import month_of, previous_period
from worker.mapping.schema import KEY_PROPERTY

MORNING = timedelta(hours=6, minutes=40)
MOST = 5
LOWEST, HIGHEST = Decimal("0.7"), Decimal("1.2")
ON_PLAN = Decimal("0.95")
OVER = (Decimal("0.2"), Decimal("0.6"))


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The boards after the worker's first look, and what it reported."""

    season: Season
    today: date
    report: Report

    def rows(self, source: str) -> tuple[Card, ...]:
        """Return the living rows of a board."""
        return living(self.season.rig, source)

    def label(self, source: str, name: str, key: str) -> str:
        """Return how the boards call an option."""
        return self.season.rig.bindings()[source].options[name][key][1]

    def stands(self, source: str, name: str, *keys: str) -> list[Card]:
        """Return the rows in which an option is one of some."""
        labels = {self.label(source, name, key) for key in keys}
        return [row for row in self.rows(source) if row.values[name] in labels]

    def risks(self, signal: str) -> list[Card]:
        """Return the open risks of a signal."""
        return [
            risk
            for risk in self.stands("risks", "status", "open")
            if risk.values["signal"] == signal
        ]


def look(season: Season) -> Report:
    """Let the worker look at everything."""
    return sync(season.rig.context, CycleRequest(Mode.FULL, "first day"))


@pytest.fixture(
    scope="module",
    params=[("en", date(2026, 11, 27)), ("ru", date(2027, 5, 12))],
    ids=["in November", "in May"],
)
def first(request: pytest.FixtureRequest) -> Iterator[FirstDay]:
    locale, today = request.param
    logs.configure(level="ERROR")
    with tempfile.TemporaryDirectory(prefix="rayline-first-day-") as folder:
        season = open_season(SeasonOrder(locale, 1, today), Path(folder))
        try:
            clock = season.rig.clock
            morning = datetime(today.year, today.month, today.day, tzinfo=UTC) + MORNING
            clock.advance(morning - clock.now())
            yield FirstDay(season, today, look(season))
        finally:
            season.rig.close()


def test_nobody_is_given_more_than_five_tasks(first: FirstDay) -> None:
    given = Counter(
        person
        for task in first.rows("tasks")
        if task.values[KEY_PROPERTY]
        for person in task.values["assignee"]
    )
    assert len(given) > 10, "the day should be about many people"
    assert max(given.values()) <= MOST


def test_a_second_look_on_the_first_day_brings_nothing(first: FirstDay) -> None:
    before = len(first.rows("tasks"))
    again = look(first.season)
    assert not again.applied.counts()["create"]
    assert len(first.rows("tasks")) == before


def test_units_are_near_their_plans_and_some_behind(first: FirstDay) -> None:
    paces = [unit.values["pace"] for unit in first.rows("units")]
    assert None not in paces
    assert all(LOWEST <= pace <= HIGHEST for pace in paces), paces
    behind = [pace for pace in paces if pace < ON_PLAN]
    assert 0 < len(behind) < len(paces), paces


def test_clients_are_near_their_plans(first: FirstDay) -> None:
    paces = [
        client.values["pace"]
        for client in first.rows("clients")
        if client.values["pace"] is not None
    ]
    assert len(paces) > 8
    assert all(LOWEST <= pace <= HIGHEST for pace in paces), paces
    assert any(pace < ON_PLAN for pace in paces)


def test_the_firm_is_near_its_plan(first: FirstDay) -> None:
    (firm,) = (
        plan
        for plan in first.rows("plans")
        if plan.values[KEY_PROPERTY].startswith("plan:firm:")
        and "Q" in plan.values[KEY_PROPERTY]
        and plan.values["pace"] is not None
    )
    assert LOWEST <= firm.values["pace"] <= HIGHEST


def test_one_client_gets_far_more_hours_than_its_fee_pays_for(first: FirstDay) -> None:
    (risk,) = first.risks("money.over_servicing")
    (client,) = (
        row for row in first.rows("clients") if row.page_id in risk.values["client"]
    )
    # Realisation is what came in by what was worked: 1 / 1.2 is 0.83, 1 / 1.6 is 0.63.
    least, most = OVER
    assert least <= 1 / client.values["realisation"] - 1 <= most


def test_one_act_is_late_and_one_client_pays_late(first: FirstDay) -> None:
    (unbilled,) = first.risks("money.unbilled")
    (unpaid,) = first.risks("money.late_payment")
    assert unbilled.values["client"] != unpaid.values["client"]
    # Both days are later than the fifth: the act of the last finished month is missing, the one before is there.
    late = month_of(first.today.replace(day=1) - timedelta(days=1))
    billed = _acts(first, unbilled)
    assert late.start.isoformat() not in billed
    assert previous_period(late).start.isoformat() in billed
    assert late.start.isoformat() in _acts(first, unpaid)


def _acts(first: FirstDay, risk: Card) -> list[str]:
    """Return the months of the acts of a risk's client."""
    return [
        row.values["month"]
        for row in first.stands("revenue", "kind", "act")
        if row.values["client"] == risk.values["client"]
    ]


def test_some_dates_are_kept_and_some_are_missed(first: FirstDay) -> None:
    today = first.today.isoformat()
    running = [
        card
        for card in first.stands("projects", "stage", "in_progress", "evolution")
        if card.values["on_time"] is not None
    ]
    sure = [card for card in running if card.values["on_time"] >= Decimal("0.8")]
    unlikely = [card for card in running if card.values["on_time"] < Decimal("0.5")]
    missed = [card for card in running if card.values["due"] < today]
    assert len(sure) >= len(running) // 3
    assert 3 * len(running) // 10 <= len(unlikely) <= 2 * len(running) // 5
    assert 1 <= len(missed) <= 2
    assert all(card in unlikely for card in missed)


def test_most_units_log_their_hours_and_one_forgets(first: FirstDay) -> None:
    used = [unit.values["utilization"] for unit in first.rows("units")]
    known = [share for share in used if share is not None]
    assert len(known) == len(used) - 1
    assert all(Decimal("0.75") <= share <= Decimal("1.1") for share in known), known


def test_nothing_broke(first: FirstDay) -> None:
    assert first.report.refused == ()
    assert list(first.report.applied.failures) == []
