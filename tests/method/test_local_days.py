"""Days are those of the workspace's zone: what happens at eight in the evening in London happens tomorrow in Vladivostok.

20:00 UTC is 06:00 of the next day in Vladivostok (UTC+10); 02:00 UTC is 21:00 of the day before in New York (UTC-5).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import (
    TODAY,
    at,
    card,
    client,
    issue,
    person,
    row,
    unit,
    world,
)
from worker.domain.entities import Idea, Issue, Move, Worklog
from worker.domain.periods import local_day, month_of
from worker.domain.values import Ref
from worker.method.delivery.quality import count_weeks
from worker.method.measures import CardMeasure
from worker.world.logged import on_days
from worker.world.memory import Baseline, Memory, PlannedItem
from worker.world.rows import read_task
from worker.world.world import World

EAST = ZoneInfo("Asia/Vladivostok")
WEST = ZoneInfo("America/New_York")
P1 = Ref("projects", "p1")
MONDAY = date(2026, 11, 16)
TUESDAY = date(2026, 11, 17)
"""Yesterday."""


def evening(day: date) -> datetime:
    """Return 20:00 UTC, the next morning in the east."""
    return at(day, 20)


def night(day: date) -> datetime:
    """Return 02:00 UTC, the evening before in the west."""
    return at(day, 2)


def finished(number: int, moment: datetime, **fields: Any) -> Issue:
    """Return an issue resolved at an instant."""
    made = issue(number, done=moment.date(), **fields)
    return replace(made, resolved=moment, updated=moment)


def small(issues: Iterable[Issue], zone: ZoneInfo, **fields: Any) -> World:
    """Return a world of one running card in a zone."""
    return world(client(), unit(), card(**fields), work={"p1": list(issues)}, zone=zone)


def measured(seen: World) -> CardMeasure:
    """Return what was measured of card p1."""
    return judge(seen).measures.cards[P1]


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (evening(MONDAY), EAST, TUESDAY),
        (night(TUESDAY), WEST, MONDAY),
        (evening(MONDAY), UTC, MONDAY),
        # 31 December, 15:00 UTC, is 1 January 01:00 in the east.
        (datetime(2026, 12, 31, 15, tzinfo=UTC), EAST, date(2027, 1, 1)),
        # On the night clocks went back, 05:30 UTC is 00:30 in New York: the day is the same as before.
        (datetime(2026, 11, 1, 4, 30, tzinfo=UTC), WEST, date(2026, 11, 1)),
    ],
)
def test_an_instant_has_the_day_of_the_zone(
    moment: datetime, zone: ZoneInfo, day: date
) -> None:
    assert local_day(moment, zone) == day
    assert world(zone=zone).day_of(moment) == day


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [(evening(MONDAY), EAST, TUESDAY), (night(TUESDAY), WEST, MONDAY)],
)
def test_a_card_ends_on_the_local_day_of_its_last_item(
    moment: datetime, zone: ZoneInfo, day: date
) -> None:
    found = measured(small([finished(1, moment)], zone, due=MONDAY))
    assert found.forecast is not None
    assert found.forecast.p50 == day
    assert found.on_time == (day <= MONDAY)


def test_cycle_times_count_local_days() -> None:
    # Begun on Monday at 20:00 UTC, done on Tuesday at 10:00 UTC: in Vladivostok 06:00 and 20:00 of one Tuesday.
    moves = (
        Move(evening(MONDAY), "new", "indeterminate"),
        Move(at(TUESDAY, 10), "indeterminate", "done"),
    )
    issues = [finished(n, at(TUESDAY, 10), moves=moves) for n in range(10)]
    assert measured(small(issues, EAST)).sle == 1
    # In New York 15:00 of Monday and 05:00 of Tuesday: two days.
    assert measured(small(issues, WEST)).sle == 2


def test_the_oldest_item_ages_by_local_days() -> None:
    # In work since Monday 20:00 UTC, looked at on Wednesday: Tuesday and Wednesday in the east, one more in the west.
    begun = Move(evening(MONDAY), "new", "indeterminate")
    running = issue(1, category="indeterminate", moves=(begun,))
    assert measured(small([running], EAST)).oldest_age == 2
    assert measured(small([running], WEST)).oldest_age == 3


def test_throughput_counts_the_local_days_of_its_window() -> None:
    """Twelve weeks before 18 November begin on 26 August; the evening before in London belongs to them in the east."""
    first = date(2026, 8, 25)
    issues = [finished(n, evening(first)) for n in range(6)]
    # 6 items in 12 weeks.
    assert measured(small(issues, EAST)).throughput == Decimal("0.5")
    assert measured(small(issues, ZoneInfo("UTC"))).throughput == 0


def test_what_is_finished_this_local_morning_is_still_work_of_today() -> None:
    """Two a day for four weeks, then four on Tuesday at 20:00 UTC, and one is open.

    In Vladivostok the four are of this Wednesday morning: five were left when the day began, three days' work (Friday).
    In London they were done yesterday: one is left, for today.
    """
    weekdays = [TODAY - timedelta(days=n) for n in range(2, 29)]
    past = [day for day in weekdays if day.weekday() < 5]
    start = min(past)
    issues = [
        finished(10 * place + n, at(day, 5), created=start)
        for place, day in enumerate(past)
        for n in range(2)
    ]
    issues += [finished(900 + n, evening(TUESDAY), created=start) for n in range(4)]
    issues.append(issue(990, created=start))

    east = measured(small(issues, EAST)).forecast
    assert east is not None
    assert east.p50 == date(2026, 11, 20)
    utc = measured(small(issues, ZoneInfo("UTC"))).forecast
    assert utc is not None
    assert utc.p50 == TODAY


def test_scope_grows_by_what_was_made_on_the_local_days() -> None:
    # Four weeks before 18 November begin on 21 October; 20:00 UTC of the 20th is the 21st in the east.
    known = [issue(n) for n in range(10)]
    late = issue(50)
    late = replace(late, created=evening(date(2026, 10, 20)))
    assert measured(small([*known, late], EAST)).scope_change == Decimal("0.1000")
    assert measured(small([*known, late], WEST)).scope_change == 0


@pytest.mark.parametrize(("zone", "spi"), [(EAST, "0.50"), (WEST, "1.00")])
def test_the_earned_schedule_ends_with_the_local_yesterday(
    zone: ZoneInfo, spi: str
) -> None:
    """Ten items over ten working days from 10 November, looked at on the 16th: four working days have passed.

    Two were done in time, two more on Sunday at 20:00 UTC: in Vladivostok that is this Monday morning, which does not
    count yet (2 of 4 days), in New York it was Sunday (4 of 4).
    """
    start = date(2026, 11, 10)
    items = {str(n): PlannedItem(1.0) for n in range(10)}
    baseline = Baseline(start, start, date(2026, 11, 23), 10.0, "count", items)
    done = [finished(n, at(date(2026, 11, 11))) for n in range(2)]
    done += [finished(n, evening(date(2026, 11, 15))) for n in (2, 3)]
    rest = [issue(n) for n in range(4, 10)]
    seen = world(
        client(),
        unit(),
        card(due=date(2026, 11, 23)),
        work={"p1": [*done, *rest]},
        today=MONDAY,
        memory=Memory(baselines={str(P1): baseline}, first_run=False),
        zone=zone,
    )
    assert measured(seen).spi_t == Decimal(spi)


def test_quality_compares_local_weeks() -> None:
    # The last four weeks begin on 22 October: 20:00 UTC of the 21st is theirs in the east.
    moment = evening(date(2026, 10, 21))
    made = replace(issue(1), created=moment, updated=moment)
    _, east = count_weeks([made], small([made], EAST))
    before, west = count_weeks([made], small([made], WEST))
    assert (east.created, west.created, before.created) == (1, 0, 1)


def test_hours_are_money_of_the_local_month() -> None:
    """Ten hours at 1,000 logged on 31 October, 20:00 UTC: November's in Vladivostok, October's in New York."""
    log = Worklog("1", "1", "dev", evening(date(2026, 10, 31)), 36_000)
    for zone, amounts in ((EAST, (0, 10_000)), (WEST, (10_000, 0))):
        logs = tuple(on_days([log], zone))
        seen = world(
            client(engagement="tm"),
            unit(),
            person("dev"),
            card(),
            work={"p1": [issue(1)]},
            logs=logs,
            zone=zone,
        )
        history = judge(replace(seen, worklogs=logs)).measures.history
        assert history is not None
        months = {month.month: month.amount for month in history[Ref("clients", "c1")]}
        october, november = date(2026, 10, 1), date(2026, 11, 1)
        assert (months.get(october, 0), months.get(november, 0)) == amounts


def test_a_fixed_price_is_earned_on_the_local_day() -> None:
    # One of two items done on 31 October, 20:00 UTC: half of 10,000 is November's in the east.
    halves = [finished(1, evening(date(2026, 10, 31))), issue(2)]
    for zone, amount in ((EAST, 5_000), (WEST, 0)):
        seen = world(
            client(engagement="fixed_price"),
            unit(),
            card(budget=Decimal(10_000), engagement="fixed_price"),
            work={"p1": halves},
            zone=zone,
        )
        history = judge(seen).measures.history
        assert history is not None
        november = month_of(TODAY).start
        shown = {m.month: m.amount for m in history[Ref("clients", "c1")]}
        assert shown.get(november, 0) == amount


def test_hours_are_logged_in_the_local_week() -> None:
    """The last full week began on Monday 9 November: Sunday 20:00 UTC is its first morning in Vladivostok.

    Four full weeks began on 19 October. A log of Sunday 18 October, 20:00 UTC, is theirs in the east alone.
    """
    log = Worklog("1", "1", "dev", evening(date(2026, 10, 18)), 16 * 3600)
    for zone, hours in ((EAST, Decimal("0.1000")), (WEST, 0)):
        logs = tuple(on_days([log], zone))
        seen = world(
            client(),
            unit(),
            person("dev", capacity=Decimal(40), unit=Ref("units", "u1"), role="dev"),
            card(),
            work={"p1": [issue(1)]},
            logs=logs,
            zone=zone,
        )
        # 16 of 4 x 40 hours.
        facts = facts_of(judge(replace(seen, worklogs=logs)), "people", "dev")
        assert facts["utilization"] == hours


def test_an_idea_ages_by_local_days() -> None:
    # Made on Wednesday 4 November, 20:00 UTC: on the 5th in the east, 13 days ago; 14 days ago in the west.
    made = Idea(Ref("backlog", "i1"), "An idea", created=evening(date(2026, 11, 4)))
    for zone, weeks in ((EAST, 1), (WEST, 2)):
        seen = world(zone=zone, ideas={made.ref: made}, sources=frozenset({"backlog"}))
        assert facts_of(judge(seen), "backlog", "i1")["age_weeks"] == weeks


def test_a_row_is_made_and_edited_on_local_days() -> None:
    task = row("tasks", "t1")
    task = replace(task, created=evening(MONDAY), edited=night(TODAY))
    assert read_task(task, EAST).created == TUESDAY
    assert read_task(task, WEST).edited == TUESDAY


def test_the_daily_tells_what_moved_since_the_local_midnight() -> None:
    """The daily of Wednesday tells of Tuesday: 20:00 UTC of Tuesday is Wednesday in the east, of Monday Tuesday."""
    moves = {
        1: Move(evening(TUESDAY), "new", "done"),
        2: Move(evening(MONDAY), "new", "done"),
    }
    issues = [
        finished(n, move.at, moves=(move,), summary=f"Item {n}")
        for n, move in moves.items()
    ]
    issues.append(issue(3))
    shown = {}
    for zone in (EAST, WEST):
        seen = replace(
            small(issues, zone), sources=frozenset({*world().sources, "meetings"})
        )
        dailies = [page for page in written(seen).sections if "daily" in page.ref.key]
        shown[zone.key] = repr(dailies)
    assert "Item 2" in shown[EAST.key]
    assert "Item 1" not in shown[EAST.key]
    assert "Item 1" in shown[WEST.key]
    assert "Item 2" not in shown[WEST.key]
