"""Which rows that have had their time go in a day: few, the oldest first, none twice, and all in the end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from worker.config import Thresholds
from worker.domain.entities import Row
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.pages.outdated import find_outdated
from worker.plan.outdated import (
    AWAY,
    KEPT,
    LOOKED,
    MOST,
    PART,
    Tidying,
    part_within,
    plan_outdated,
)
from worker.plan.plan import Change
from worker.world.world import World

NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


def daily(number: int, kind: str = "daily", key: str = "meeting:daily:north") -> Row:
    """Return the row of a meeting so many days ago."""
    made = NOW - timedelta(days=number)
    day = made.date()
    name = f"{key}:{day}" if key else ""
    return Row(
        Ref("meetings", name or f"page-{number}"),
        f"page-{number}",
        name,
        f"Daily {day}",
        "",
        made,
        made,
        "bot",
        {"kind": kind, "date": day},
        created_by="bot",
    )


def world(*rows: Row, now: datetime = NOW, days: int = 30) -> World:
    return World(
        "studio",
        now,
        now.date(),
        Thresholds(daily_days=days),
        Words(),
        rows={"meetings": rows},
    )


def plan(
    rows: list[Row],
    cells: dict[tuple[str, str], Value],
    *,
    now: datetime = NOW,
    part: Decimal = PART,
) -> list[Change]:
    """Return what goes of some rows, all of which are ours alone."""
    seen = world(*rows, now=now)
    by_ref = {row.ref: row for row in rows}
    return list(
        plan_outdated(Tidying(find_outdated(seen), part), seen, cells, by_ref.get)
    )


def days_of(changes: list[Change]) -> list[date]:
    return [date.fromisoformat(change.ref.key[-10:]) for change in changes]


def test_only_our_dailies_of_more_than_thirty_days_ago_have_had_their_time() -> None:
    rows = [daily(number) for number in (29, 30, 31, 90)]
    others = [daily(60, "monthly"), daily(61, key="")]
    refs = [one.ref for one in find_outdated(world(*rows, *others))]
    assert refs == [rows[3].ref, rows[2].ref]
    assert find_outdated(world(*rows, days=0)) == ()


def test_one_without_a_day_is_no_daily_of_ours() -> None:
    row = daily(60)
    cleared = replace(row, fields={"kind": "daily"})
    assert find_outdated(world(cleared)) == ()


def test_hundreds_of_them_go_a_few_a_day_the_oldest_first() -> None:
    rows = [daily(number) for number in range(31, 431)]
    cells: dict[tuple[str, str], Value] = {}
    gone: list[date] = []
    for night in range(3):
        now = NOW + timedelta(days=night)
        changes = plan(rows, cells, now=now)
        assert len(changes) == MOST
        gone += days_of(changes)
        for number, change in enumerate(changes):
            cells[change.page_id, LOOKED if number % 3 == 0 else AWAY] = now
            cells[change.page_id, KEPT if number % 3 == 0 else AWAY] = now
        away = {change.page_id for change in changes}
        rows = [row for row in rows if row.page_id not in away]
        assert not plan(rows, cells, now=now + timedelta(hours=6))
    assert gone == sorted(gone)


@given(
    old=st.sets(st.integers(31, 700), max_size=120),
    young=st.sets(st.integers(0, 30), max_size=30),
    others=st.integers(0, 200),
    limit=st.decimals(0, 1, places=2),
    kept=st.sets(st.integers(31, 700), max_size=20),
)
def test_whatever_stands_no_plan_comes_near_its_limit_and_all_go_in_the_end(
    old: set[int], young: set[int], others: int, limit: Decimal, kept: set[int]
) -> None:
    fixed = [daily(800 + number, "monthly") for number in range(others)]
    fixed += [daily(number) for number in young]
    rows = [daily(number) for number in old]
    cells: dict[tuple[str, str], Value] = {
        (f"page-{number}", KEPT): "written" for number in kept
    }
    part = part_within(limit)
    for _ in range(200):
        board = fixed + rows
        changes = plan(board, cells, part=part)
        assert len(changes) <= MOST
        assert len(changes) <= limit * len(board) / 2
        away = {change.page_id for change in changes}
        assert not away & {f"page-{number}" for number in kept | young}
        if not changes:
            break
        rows = [row for row in rows if row.page_id not in away]

    left = {row.page_id for row in rows} - {page for page, _ in cells}
    assert not left or part * len(fixed + rows) < 1


def test_a_day_is_done_with_its_share_whatever_came_of_it_and_whatever_is_made() -> (
    None
):
    rows = [daily(number) for number in range(31, 61)]
    cells: dict[tuple[str, str], Value] = {}
    first, second, third = plan(rows, cells)
    cells[first.page_id, AWAY] = NOW
    cells[second.page_id, KEPT] = "written"
    cells[second.page_id, LOOKED] = NOW
    cells[third.page_id, AWAY] = NOW
    new = [replace(daily(0), key=f"new {number}", created=NOW) for number in range(40)]
    left = [row for row in rows if row.page_id not in (first.page_id, third.page_id)]
    assert plan([*left, *new], cells) == []
    assert len(plan([*left, *new], cells, now=NOW + timedelta(days=1))) == 6
