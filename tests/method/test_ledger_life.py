"""What the ledger lives through: second runs, lost states, unknown starts, write-offs, cards and clients that move; each
case worked out by hand (docs/method.md 2.9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.worlds import (
    SOURCES,
    at,
    card,
    client,
    issue,
    person,
    unit,
    worklog,
    world,
)
from worker.domain.dated import Dated
from worker.domain.entities import Revenue, Row
from worker.domain.values import Ref
from worker.errors import Code
from worker.method.measures import TRUE_UP, MoneyMeasure
from worker.method.money.ledger import record_ledger
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.memory import Memory, SeenCells
from worker.world.world import World

C1, C2 = Ref("clients", "c1"), Ref("clients", "c2")
P1 = Ref("projects", "p1")
OPENING = "ledger:c1:opening"
SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))


def act(
    amount: int | str,
    day: date,
    *,
    kind: str = "act",
    until: date | None = None,
    project: Ref | None = None,
    of: Ref = C1,
) -> Revenue:
    """Return a money row, of client `c1` unless told otherwise."""
    ref = Ref("revenue", f"{of.key}-{kind}-{day}-{amount}")
    return Revenue(ref, of, project, day, Decimal(amount), kind, until=until)


class Life:
    """A workspace with its memory and its ledger rows, run day by day."""

    def __init__(self, *, has_rows: bool = True, **thresholds: Any) -> None:
        self.memory = Memory(first_run=False)
        self.rows: dict[str, Row] = {}
        self.deleted: set[Ref] = set()
        self.has_rows = has_rows
        self.thresholds = thresholds

    def run(self, day: date, seen: World) -> MoneyMeasure:
        """Run once on a day, write the ledger's rows, and return the money."""
        findings = self.find(day, seen)
        assert findings.value is not None
        return findings.value

    def run_on(self, days: Sequence[date], seen: World) -> MoneyMeasure:
        """Run on every one of some days, and return the money of the last."""
        return [self.run(day, seen) for day in days][-1]

    def find(self, day: date, seen: World) -> Findings[MoneyMeasure | None]:
        """Run once on a day, write the ledger's rows, and return all that was found."""
        today = replace(
            seen,
            today=day,
            now=at(day),
            memory=self.memory,
            sources=SOURCES | {"ledger"} if self.has_rows else SOURCES,
            rows={"ledger": tuple(self.rows.values())},
            trashed=frozenset(self.deleted),
            thresholds=seen.thresholds.model_copy(update=self.thresholds),
        )
        findings = measure_revenue(today)
        cells = {str(ref): SeenCells(day) for ref in seen.clients}
        self.memory = replace(
            self.memory, ledgers=findings.ledgers, cells={**cells, **self.memory.cells}
        )
        for fact in record_ledger(today, findings.value).facts:
            self._write(fact.ref, fact.field, fact.value, day)
        return findings

    def _write(self, ref: Ref, name: str, value: Any, day: date) -> None:
        made = at(day)
        new = Row(ref, ref.key, ref.key, ref.key, "", made, made, "", {})
        row = self.rows.get(ref.key, new)
        fields = {**row.fields, name: value}
        self.rows[ref.key] = replace(row, fields=fields)

    def lose(self) -> None:
        """Lose the state; what stands in the workspace stays."""
        self.memory = Memory()
        self.deleted = set()

    def delete(self, key: str) -> None:
        """Delete a row of the ledger, as a person does."""
        del self.rows[key]
        self.deleted.add(Ref("ledger", key))

    def figures(self) -> dict[str, Any]:
        """Return what the rows recognise."""
        return {key: row.fields["recognised"] for key, row in self.rows.items()}


def months(money: MoneyMeasure, key: Ref = C1) -> dict[str, Decimal]:
    """Return a client's money by month, where it is anything."""
    return {
        f"{month.month:%Y-%m}": month.amount
        for month in money.history[key]
        if month.amount
    }


FIXED = client(engagement="fixed_price")
RETAINER = client(engagement="retainer", monthly_fee=Decimal(22_000), since=SEPTEMBER)


# -- running twice -----------------------------------------------------------------------------------------------------


def test_a_lost_state_is_read_back_by_the_second_run_of_that_day_too() -> None:
    """September's act of 8,000 was learnt in November: a true-up of November, on every run after the loss."""
    before = world(FIXED, unit(), act(22_000, SEPTEMBER))
    after = world(FIXED, unit(), act(22_000, SEPTEMBER), act(8_000, SEPTEMBER))
    life = Life()
    life.run(date(2026, 10, 15), before)
    life.run(date(2026, 11, 20), after)
    known = life.run(date(2026, 12, 20), after)
    assert months(known) == {"2026-09": Decimal(22_000), "2026-11": Decimal(8_000)}
    life.lose()
    for _ in range(3):
        again = life.run(date(2026, 12, 20), after)
        assert months(again) == months(known)
    assert months(life.run(date(2026, 12, 21), after)) == months(known)


@pytest.mark.parametrize("has_rows", [True, False])
def test_on_its_first_day_a_client_is_counted_as_it_stands_with_rows_or_without(
    has_rows: bool,
) -> None:
    """What is typed on the first day belongs to the opening balance, whatever was written that morning."""
    day = date(2026, 10, 20)
    life = Life(has_rows=has_rows)
    life.run(day, world(FIXED, unit(), act(22_000, SEPTEMBER)))
    late = world(FIXED, unit(), act(22_000, SEPTEMBER), act(8_000, SEPTEMBER))
    money = life.run(day, late)
    assert months(money) == {"2026-09": Decimal(30_000)}
    assert money.corrections == ()
    if has_rows:
        assert life.figures() == {OPENING: Decimal(30_000)}
    assert months(life.run(date(2026, 10, 21), late)) == {"2026-09": Decimal(30_000)}


def test_the_past_that_is_counted_anew_is_so_on_every_run_of_that_day() -> None:
    """An act of spring was a true-up of November; without the opening balance it is spring's, in the rows too."""
    life = Life()
    before = world(FIXED, unit(), act(100, date(2026, 8, 1)))
    after = world(FIXED, unit(), act(100, date(2026, 8, 1)), act(70, date(2026, 2, 1)))
    life.run(date(2026, 11, 2), before)
    life.run(date(2026, 11, 20), after)
    day = date(2027, 7, 20)
    life.run(day, after)
    assert life.figures() == {OPENING: Decimal(100), "ledger:c1:2026-11": Decimal(70)}
    life.delete(OPENING)
    expected = {"2026-02": Decimal(70), "2026-08": Decimal(100)}
    for _ in range(2):
        assert months(life.run(day, after)) == expected
    life.lose()
    assert months(life.run(day, after)) == expected


# -- a start that nobody knows -----------------------------------------------------------------------------------------


def test_an_old_act_gives_no_fees_to_a_contract_whose_start_nobody_knows() -> None:
    """An act of March 2025; fees count from July 2026 on, the last quarter of the first day, on the next day too."""
    unknown = replace(RETAINER, since=None)
    seen = world(unknown, unit(), act(500, date(2025, 3, 1)))
    life = Life()
    first = life.run(date(2026, 11, 2), seen)
    expected = {"2025-03": Decimal(500), "2026-07": Decimal(21_500)}
    assert {key: months(first)[key] for key in expected} == expected
    second = life.run(date(2026, 11, 3), seen)
    assert months(second) == months(first) | {"2026-11": months(second)["2026-11"]}
    assert second.corrections == ()


def test_a_lost_state_keeps_the_fees_of_a_contract_whose_start_nobody_knows() -> None:
    """Lost in February, when the last quarter begins in October: July to September stay 22,000 each."""
    unknown = replace(RETAINER, since=None)
    seen = world(unknown, unit(), act(500, date(2025, 3, 1)))
    life = Life()
    day = date(2027, 2, 16)
    known = life.run_on([date(2026, 11, 2), date(2026, 12, 20), day], seen)
    life.lose()
    again = life.run_on([day, day], seen)
    assert sum(months(again).values()) == sum(months(known).values())
    next_day = life.run(date(2027, 2, 17), seen)
    assert next_day.corrections == again.corrections == ()
    more = months(next_day)["2027-02"] - months(known)["2027-02"]
    assert sum(months(next_day).values()) == sum(months(known).values()) + more


# -- lost states -------------------------------------------------------------------------------------------------------


def test_a_month_that_people_deleted_from_the_ledger_is_counted_as_it_stands() -> None:
    seen = world(RETAINER, unit())
    life = Life()
    days = [date(2026, 10, 15), date(2026, 12, 1), date(2026, 12, 20)]
    known = life.run_on(days, seen)
    life.delete("ledger:c1:2026-10")
    life.lose()
    again = life.run(date(2026, 12, 20), seen)
    assert months(again) == months(known)
    assert again.corrections == ()


def test_an_empty_closed_month_stays_empty_after_a_lost_state() -> None:
    """October was closed without money and has no row; its act came in December, in whose row it is."""
    before = world(FIXED, unit(), act(100, SEPTEMBER), act(50, NOVEMBER))
    late = act(7, OCTOBER)
    after = world(FIXED, unit(), act(100, SEPTEMBER), act(50, NOVEMBER), late)
    life = Life()
    life.run(date(2026, 10, 15), before)
    life.run(date(2026, 11, 20), before)
    life.run(date(2026, 12, 20), after)
    known = life.run(date(2027, 1, 25), after)
    assert months(known) == {"2026-09": 100, "2026-11": 50, "2026-12": 7}
    life.lose()
    assert months(life.run(date(2027, 1, 25), after)) == months(known)


@pytest.mark.parametrize("basis", ["recognised", "billed", "paid"])
def test_true_ups_are_those_of_the_series_that_counts(basis: str) -> None:
    rows = [act(22_000, SEPTEMBER), act(9_000, SEPTEMBER, kind="payment")]
    late = [act(8_000, SEPTEMBER), act(5_000, SEPTEMBER, kind="payment")]
    before = world(FIXED, unit(), *rows)
    after = world(FIXED, unit(), *rows, *late)
    life = Life(revenue_basis=basis)
    life.run(date(2026, 10, 15), before)
    life.run(date(2026, 11, 20), after)
    known = life.run(date(2026, 12, 20), after)
    life.lose()
    again = life.run(date(2026, 12, 20), after)
    assert months(again) == months(known)
    learnt = {"recognised": 8_000, "billed": 8_000, "paid": 5_000}[basis]
    assert [one.amount for one in known.corrections] == [learnt]


# -- counted anew ------------------------------------------------------------------------------------------------------


def test_a_ledger_that_begins_anew_keeps_hours_and_work_that_is_gone() -> None:
    """30 hours of August at 1,000. The card is deleted later: what it earned stays."""
    tm = client(engagement="tm")
    logs = [worklog(date(2026, 8, 12), 30)]
    seen = world(tm, card(), unit(), person("dev"), work={"p1": [issue(1)]}, logs=logs)
    life = Life()
    life.run(date(2026, 11, 2), seen)
    life.delete(OPENING)
    life.run(date(2026, 11, 3), seen)
    row = life.rows["ledger:c1:2026-08"]
    assert row.fields["hours"] == 30
    gone = replace(seen, cards={}, work={})
    money = life.run(date(2026, 11, 4), gone)
    assert months(money) == {"2026-08": Decimal(30_000)}
    assert money.corrections == ()


# -- write-offs --------------------------------------------------------------------------------------------------------


def test_a_write_off_ends_the_same_work_however_old_it_grows() -> None:
    """20 hours of 12 October, 15,000 of them written off in October: 5,000 stay, also two quarters later."""
    tm = client(engagement="tm")
    logs = [worklog(date(2026, 10, 12), 20)]
    off = act(15_000, OCTOBER, kind="write_off")
    seen = world(
        tm, card(), unit(), person("dev"), off, work={"p1": [issue(1)]}, logs=logs
    )
    life = Life()
    for day in (date(2026, 10, 20), date(2026, 11, 25), date(2027, 5, 20)):
        findings = life.find(day, seen)
        assert findings.value is not None
        assert months(findings.value) == {"2026-10": Decimal(5_000)}, day
        assert findings.value.corrections == ()
        codes = [problem.code for problem in findings.problems]
        assert Code.WRITE_OFF_TOO_LARGE not in codes


def test_a_write_off_that_is_too_large_is_so_however_old_it_grows() -> None:
    """25,000 of 20,000: 5,000 count nowhere, in every quarter."""
    tm = client(engagement="tm")
    logs = [worklog(date(2026, 10, 12), 20)]
    off = act(25_000, OCTOBER, kind="write_off")
    seen = world(
        tm, card(), unit(), person("dev"), off, work={"p1": [issue(1)]}, logs=logs
    )
    life = Life()
    for day in (date(2026, 10, 20), date(2026, 11, 25), date(2027, 5, 20)):
        findings = life.find(day, seen)
        assert findings.value is not None
        assert months(findings.value) == {}
        codes = [problem.code for problem in findings.problems]
        assert Code.WRITE_OFF_TOO_LARGE in codes


# -- periods -----------------------------------------------------------------------------------------------------------

UNITS = Dated(Ref("units", "u1"), ((date(2026, 11, 11), Ref("units", "u2")),))


def test_an_act_of_a_weekend_counts_when_the_unit_changed_in_that_week() -> None:
    """Saturday the 14th and Sunday the 15th; the client changed units on Wednesday the 11th."""
    weekend = act(900, date(2026, 11, 14), until=date(2026, 11, 15))
    moved = replace(FIXED, units=UNITS, unit=Ref("units", "u2"))
    seen = world(moved, unit(), unit("u2"), weekend)
    money = Life().run(date(2026, 11, 20), seen)
    assert [(fact.unit, fact.amount) for fact in money.weeks] == [
        (Ref("units", "u2"), Decimal(900))
    ]


def test_an_act_of_a_weekend_ahead_waits_for_it() -> None:
    weekend = act(900, date(2026, 11, 21), until=date(2026, 11, 22))
    seen = world(FIXED, unit(), weekend)
    life = Life()
    assert months(life.run(date(2026, 11, 20), seen)) == {}
    assert months(life.run(date(2026, 11, 23), seen)) == {"2026-11": Decimal(900)}


def test_money_of_a_year_that_is_a_slip_of_the_pen_is_in_the_sum() -> None:
    """1926 for 2026: no month is lost between the obligations and the months."""
    seen = world(FIXED, unit(), act(900, date(1926, 10, 1)))
    money = Life().run(date(2026, 11, 20), seen)
    sums = sum(growth.amount for part in money.obligations[C1] for growth in part)
    assert sum(months(money).values()) == sums == 900


# -- cards and clients that move ---------------------------------------------------------------------------------------


def test_a_card_that_moves_to_another_client_takes_its_money_along_once() -> None:
    """30,000 of October leave one client and come to the other in November; the firm's sum is the same."""
    one, two = client(engagement="tm"), client("c2", engagement="tm")
    logs = [worklog(date(2026, 10, 12), 30)]
    things = (one, two, unit(), person("dev"))
    before = world(*things, card(), work={"p1": [issue(1)]}, logs=logs)
    after = world(*things, card(client=C2), work={"p1": [issue(1)]}, logs=logs)
    life = Life()
    life.run(date(2026, 10, 20), before)
    life.run(date(2026, 11, 20), before)
    for _ in range(2):
        money = life.run(date(2026, 11, 25), after)
        assert months(money) == {"2026-10": 30_000, "2026-11": -30_000}
        assert sum(months(money, C2).values()) == 30_000
    back = life.run(date(2026, 12, 20), before)
    assert sum(months(back).values()) == 30_000
    assert sum(months(back, C2).values()) == 0


def test_a_client_whose_row_was_away_has_its_months() -> None:
    """Deleted in November, restored in January: October and November close meanwhile, at their fees."""
    seen = world(RETAINER, unit())
    gone = world(unit())
    life = Life()
    life.run(date(2026, 10, 20), seen)
    life.run(date(2026, 11, 3), gone)
    money = life.run(date(2027, 1, 20), seen)
    closed = {key: value for key, value in months(money).items() if key < "2027"}
    assert closed == {f"2026-{month:02}": Decimal(22_000) for month in range(9, 13)}
    assert money.corrections == ()


def test_a_worker_that_was_away_for_two_months_counts_as_one_that_was_not() -> None:
    rows = [act(30_000, OCTOBER), act(1_000, NOVEMBER, kind="payment")]
    seen = world(RETAINER, unit(), *rows)
    present, away = Life(), Life()
    first, last = date(2026, 10, 20), date(2027, 1, 20)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    money = present.run_on(every, seen)
    other = away.run_on([first, last], seen)
    assert months(other) == months(money)
    assert present.figures() == away.figures()


def test_the_rows_of_the_ledger_do_not_change_from_day_to_day() -> None:
    """From the day they are written, over two quarters' ends."""
    moved = replace(RETAINER, units=UNITS, unit=Ref("units", "u2"))
    seen = world(moved, unit(), unit("u2"), act(30_000, OCTOBER))
    life = Life()
    day = date(2026, 10, 20)
    before: dict[str, Row] = {}
    while day <= date(2027, 5, 20):
        life.run(day, seen)
        assert before.items() <= life.rows.items(), day
        before = dict(life.rows)
        day += timedelta(days=3)


def test_a_true_up_stays_whatever_closes_after_it() -> None:
    """Learnt on the last day of a quarter, told in December's row when December closes."""
    before = world(FIXED, unit(), act(100, SEPTEMBER))
    after = world(FIXED, unit(), act(100, SEPTEMBER), act(-40, SEPTEMBER))
    life = Life()
    life.run(date(2026, 10, 20), before)
    expected = {"2026-09": Decimal(100), "2026-12": Decimal(-40)}
    for day in (date(2026, 12, 31), date(2027, 1, 4)):
        assert months(life.run(day, after)) == expected
    money = life.run(date(2027, 1, 20), after)
    assert months(money) == expected
    assert life.rows["ledger:c1:2026-12"].fields["true_ups"] == "2026-09: -40.00"
    weeks = [fact for fact in money.weeks if fact.basis == TRUE_UP]
    assert [fact.amount for fact in weeks] == [Decimal(-40)]


Event = tuple[int, str, int, int]
"""Days after the one before, what happens, of which month before or after, and an amount."""

events = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from(["act", "payment", "write_off", "credit", "hours", "delete"]),
        st.integers(-7, 2),
        st.integers(1, 40_000),
    ),
    min_size=1,
    max_size=12,
)


def history_of(plan: list[Event], shuffle: Random) -> Iterator[tuple[date, World]]:
    """Yield the world of every day on which something happens to a retainer with a card by the hour."""
    rows: list[Revenue] = []
    logs = [worklog(date(2026, 6, 10), 30)]
    day = date(2026, 8, 17)
    for number, (after, what, month, amount) in enumerate(plan):
        day += timedelta(days=after)
        index = day.year * 12 + day.month - 1 + month
        of = date(index // 12, index % 12 + 1, 1)
        if what == "hours":
            logs.append(worklog(day, amount % 40 / 3))
        elif what == "delete" and rows:
            rows.pop(amount % len(rows))
        else:
            kind = what if what in ("payment", "write_off") else "act"
            sign = -1 if what == "credit" else 1
            found = act(sign * amount, of, kind=kind)
            rows.append(replace(found, ref=Ref("revenue", f"r{number}")))
        mixed, hours = list(rows), list(logs)
        shuffle.shuffle(mixed)
        shuffle.shuffle(hours)
        own = card(engagement="tm")
        things = (RETAINER, own, unit(), person("dev"), *mixed)
        yield day, world(*things, work={"p1": [issue(1)]}, logs=hours)


@settings(max_examples=40, deadline=None)
@given(events, st.randoms(use_true_random=False), st.integers(0, 12))
def test_whatever_happens_second_runs_and_a_lost_state_change_nothing(
    plan: list[Event], shuffle: Random, lost_after: int
) -> None:
    """The rows hold what the ledger holds, every day."""
    life = Life()
    for number, (day, seen) in enumerate(history_of(plan, shuffle)):
        if number == lost_after:
            life.lose()
        money = life.run(day, seen)
        rows = dict(life.rows)
        again = life.run(day, seen)
        assert (again.history, again.weeks) == (money.history, money.weeks)
        assert life.rows == rows

        parts = [part for month in money.closed[C1].months for part in month.parts]
        assert sum(life.figures().values()) == sum(part.recognised for part in parts)
        growths = [growth for part in money.obligations[C1] for growth in part]
        every = sum(growth.amount for growth in growths)
        assert sum(months(money).values()) == every
