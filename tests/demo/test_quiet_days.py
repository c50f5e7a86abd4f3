"""Days on which nobody does anything, on the sample agency: twice is once, the calendar alone writes, no order matters."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from rayline_demo.days import Season, SeasonOrder, open_season
from tests.support.agency import first_morning
from tests.support.worlds import PLAYBOOKS
from worker.app import logs
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.method import evaluate
from worker.plan.plan import Kind
from worker.world.world import World

WEDNESDAY = datetime(2026, 11, 25, 6, 40, tzinfo=UTC)
BY_CALENDAR = {
    # Fees and hours of one more day, and what is still to come less of it.
    "bonuses": {"amounts", "base", "pool", "shares"},
    "plans": {
        *("fact", "fact_basis", "committed", "weighted", "forecast", "pace", "rag"),
        *("per_day", "carry", "load", "utilization", "why"),
    },
    "clients": {
        *("revenue_month", "revenue_quarter", "pace", "ltv", "ltv_low", "ltv_high"),
        *("horizon", "gap", "on_time", "score", "rag", "why", "trend", "next_action"),
        # A risk opens as its date comes nearer.
        "open_risks",
    },
    "units": {"revenue_month", "revenue_quarter", "pace", "load", "utilization"},
    "goals": {"pace", "rag", "why"},
    # A day less of the weeks ahead, and dates that are a day nearer or counted from a day later.
    "people": {"load_4", "load_8", "ahead"},
    "requests": {"hours", "why"},
    "projects": {
        *("days_in_stage", "on_time", "p50", "p85", "spi", "rag", "why", "next_task")
    },
    "risks": {"evidence", "exposure", "probability", "score", "level"},
    "tasks": {"reason"},
}
"""The fields that move although nobody did anything, by data source."""
PERIODIC = {"meetings", "tasks", "plans", "ledger", "margins", "risks"}
"""The boards that get a row when its day comes: pages of the day or month, tasks that waited for it, closed months."""


def look(season: Season) -> Report:
    """Let the worker look at everything."""
    return sync(season.rig.context, CycleRequest(Mode.FULL, "quiet day"))


@pytest.fixture(scope="module", params=["en", "ru"])
def looks(request: pytest.FixtureRequest) -> Iterator[tuple[Report, ...]]:
    """What the worker did on a day, once more on that day, and on the morning after."""
    logs.configure(level="ERROR")
    order = SeasonOrder(request.param, 1, WEDNESDAY.date())
    with tempfile.TemporaryDirectory(prefix="rayline-quiet-") as folder:
        season = open_season(order, Path(folder))
        try:
            clock = season.rig.clock
            clock.advance(WEDNESDAY - clock.now())
            first = look(season)
            again = look(season)
            clock.advance(timedelta(days=1))
            yield first, again, look(season)
        finally:
            season.rig.close()


def test_running_twice_is_running_once(looks: tuple[Report, ...]) -> None:
    first, again, _ = looks
    assert first.applied.counts()["create"] > 100
    assert set(again.applied.counts().values()) == {0}


def test_an_unchanged_day_writes_only_what_the_calendar_brings(
    looks: tuple[Report, ...],
) -> None:
    *_, next_day = looks
    assert next_day.applied.failures == ()
    for change in next_day.plan.changes:
        source = change.ref.source
        if change.kind is Kind.CREATE:
            assert source in PERIODIC, change
        elif change.kind is Kind.UPDATE:
            names = {field.field for field in change.fields}
            assert names <= BY_CALENDAR.get(source, set()), change
        else:
            assert change.kind is not Kind.ARCHIVE, change


MAPS = (
    *("clients", "units", "people", "contacts", "cards", "services"),
    *("documents", "ideas", "feedback", "goals", "seeds"),
)
LISTS = ("revenue", "worklogs", "costs", "jira_projects")


def mixed(world: World, random: Random) -> World:
    """Return the world with its rows, work and logs in another order.

    Work that two cards link to counts on the one that was made first, so that the order of `work` says something.
    """
    changed: dict[str, Any] = {}
    for name in MAPS:
        items = list(getattr(world, name).items())
        random.shuffle(items)
        changed[name] = dict(items)
    for name in LISTS:
        rows = list(getattr(world, name))
        random.shuffle(rows)
        changed[name] = tuple(rows)
    changed["work"] = {}
    for ref, work in world.work.items():
        issues = list(work.issues)
        logs = list(work.worklogs)
        random.shuffle(issues)
        random.shuffle(logs)
        changed["work"][ref] = replace(work, issues=tuple(issues), worklogs=tuple(logs))
    return replace(world, **changed)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_never_matters(locale: str, seed: int) -> None:
    world = first_morning(locale).world
    straight = evaluate(world, PLAYBOOKS)
    other = mixed(world, Random(seed))
    crooked = evaluate(other, PLAYBOOKS)

    def facts(outcome: Any) -> dict[Any, Any]:
        return {(fact.ref, fact.field): fact for fact in outcome.facts}

    before = facts(straight)
    after = facts(crooked)
    assert len(before) > 3_000
    assert before.keys() == after.keys()
    assert [key for key in before if before[key].value != after[key].value] == []
    assert set(straight.problems) == set(crooked.problems)
