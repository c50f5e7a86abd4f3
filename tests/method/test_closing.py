"""Months close, and what is learnt later is money of the day it is learnt; each case worked out by hand (docs/method.md 2.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
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
from worker.domain.entities import Issue, Move, Revenue, Row
from worker.domain.periods import previous_period, quarter_of
from worker.domain.values import Ref, Span
from worker.errors import Code
from worker.method.measures import TRUE_UP, MoneyMeasure
from worker.method.money.ledger import record_ledger
from worker.method.money.lifetime import measure_lifetimes
from worker.method.money.revenue import measure_revenue
from worker.world.memory import Memory
from worker.world.world import World

C1 = Ref("clients", "c1")
SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))


def act(amount: int | str, day: date, *, kind: str = "act", key: str = "") -> Revenue:
    """Return a money row of client `c1`."""
    ref = Ref("revenue", key or f"{kind}-{day}-{amount}")
    return Revenue(ref, C1, None, day, Decimal(amount), kind)


def lived(
    days: Iterable[tuple[date, World]], memory: Memory | None = None
) -> tuple[MoneyMeasure, Memory]:
    """Return the money of the last day, when the worker ran on every one of them."""
    memory = memory or Memory(first_run=False)
    money = None
    for day, seen in days:
        findings = measure_revenue(replace(seen, today=day, now=at(day), memory=memory))
        money = findings.value
        memory = replace(memory, ledgers=findings.ledgers)
    assert money is not None
    return money, memory


def months(money: MoneyMeasure, key: Ref = C1) -> dict[str, Decimal]:
    """Return a client's money by month, where it is anything."""
    return {
        f"{month.month:%Y-%m}": month.amount
        for month in money.history[key]
        if month.amount
    }


RETAINER = client(engagement="retainer", monthly_fee=Decimal(22_000), since=SEPTEMBER)


FIXED = client(engagement="fixed_price")
KNOWN = world(FIXED, unit(), act(22_000, SEPTEMBER))
LATE = world(FIXED, unit(), act(22_000, SEPTEMBER), act(8_000, SEPTEMBER))
"""September with an act of 22,000, and with one of 8,000 more."""


# -- a late row --------------------------------------------------------------------------------------------------------


def test_a_late_row_enters_its_month_while_that_is_open() -> None:
    """September ends on Wednesday the 30th; its tenth working day after is 14 October."""
    before = world(RETAINER, unit())
    after = world(RETAINER, unit(), act(30_000, SEPTEMBER))
    money, _ = lived([(date(2026, 10, 5), before), (date(2026, 10, 14), after)])
    assert months(money)["2026-09"] == 30_000
    assert money.corrections == ()


def test_a_late_row_of_a_closed_month_is_a_true_up_of_the_day_it_is_seen() -> None:
    money, _ = lived([(date(2026, 10, 15), KNOWN), (date(2026, 11, 20), LATE)])
    assert months(money) == {"2026-09": Decimal(22_000), "2026-11": Decimal(8_000)}
    assert [(one.month, one.day, one.amount) for one in money.corrections] == [
        (SEPTEMBER, date(2026, 11, 20), Decimal(8_000))
    ]
    assert [fact.amount for fact in money.weeks if fact.basis == TRUE_UP] == [8_000]


def test_an_act_above_the_fee_is_caught_up_by_the_months_after_it() -> None:
    """September earned 22,000; its act of 30,000, typed on 20 November, is 8,000 more, of which nobody knew.

    October earns 22,000 and closes on that very day: 8,000 of it are billed by then, it brings 14,000. November brings
    14 of 21 working days of the fee, 14,666.67, and the 8,000 of September.
    """
    before = world(RETAINER, unit())
    after = world(RETAINER, unit(), act(30_000, SEPTEMBER))
    money, _ = lived([(date(2026, 10, 15), before), (date(2026, 11, 20), after)])
    assert months(money) == {
        "2026-09": Decimal(22_000),
        "2026-10": Decimal(14_000),
        "2026-11": Decimal("22666.67"),
    }


def test_a_closed_month_of_a_client_without_money_stays_empty_too() -> None:
    silent = client(engagement="fixed_price")
    before = world(silent, unit())
    after = world(silent, unit(), act(500, SEPTEMBER))
    money, _ = lived([(date(2026, 10, 15), before), (date(2026, 11, 20), after)])
    assert months(money) == {"2026-11": Decimal(500)}


def test_what_is_learnt_and_taken_back_on_one_day_leaves_nothing() -> None:
    day = date(2026, 11, 20)
    money, _ = lived([(date(2026, 10, 15), KNOWN), (day, LATE), (day, KNOWN)])
    assert money.corrections == ()
    assert months(money) == {"2026-09": Decimal(22_000)}


def test_what_is_taken_back_later_is_a_true_up_of_that_day() -> None:
    days = [date(2026, 10, 15), date(2026, 11, 20), date(2026, 12, 2)]
    money, _ = lived(zip(days, [KNOWN, LATE, KNOWN], strict=True))
    assert [one.amount for one in money.corrections] == [8_000, -8_000]
    assert months(money) == {
        "2026-09": Decimal(22_000),
        "2026-11": Decimal(8_000),
        "2026-12": Decimal(-8_000),
    }


def test_a_month_stands_as_it_was_at_the_end_of_the_day_on_which_it_closed() -> None:
    """15 October is the first day on which September is closed: its rows count until that day ends."""
    day = date(2026, 10, 15)
    money, _ = lived([(date(2026, 10, 1), KNOWN), (day, KNOWN), (day, LATE)])
    assert months(money) == {"2026-09": Decimal(30_000)}
    money, _ = lived(
        [(date(2026, 10, 1), KNOWN), (day, KNOWN), (date(2026, 10, 16), LATE)]
    )
    assert months(money)["2026-10"] == 8_000


def test_a_late_row_of_the_last_month_does_not_wait_for_the_quarter() -> None:
    """On 5 October September is open: the quarter that ended takes the act, the new one does not."""
    before = world(RETAINER, unit())
    after = world(RETAINER, unit(), act(30_000, SEPTEMBER))
    money, _ = lived([(date(2026, 10, 2), before), (date(2026, 10, 5), after)])
    weeks = [fact for fact in money.weeks if fact.week.start.month == 9]
    assert sum(fact.amount for fact in weeks) == 30_000


# -- prices, scope, units ----------------------------------------------------------------------------------------------


def test_a_raise_leaves_the_months_before_it_at_their_price() -> None:
    """34 months at 100,000 and November at 120,000: 3,520,000 at the end of November."""
    raised = client(
        engagement="retainer",
        since=date(2024, 1, 1),
        monthly_fee=Decimal(120_000),
        fees=Dated(Decimal(100_000), ((NOVEMBER, Decimal(120_000)),)),
    )
    money, _ = lived([(date(2026, 12, 1), world(raised, unit()))])
    assert sum(months(money).values()) == 3_520_000
    assert months(money)["2026-10"] == 100_000


def test_a_raise_in_mid_month_earns_by_the_working_days_of_each_price() -> None:
    """November has 21 working days, 10 before Monday the 16th and 11 from it: 100,000 x 10/21 + 121,000 x 11/21."""
    raised = client(
        engagement="retainer",
        since=date(2026, 10, 1),
        monthly_fee=Decimal(121_000),
        fees=Dated(Decimal(100_000), ((date(2026, 11, 16), Decimal(121_000)),)),
    )
    money, _ = lived([(date(2026, 12, 1), world(raised, unit()))])
    assert months(money) == {
        "2026-10": Decimal(100_000),
        "2026-11": Decimal("111000.00"),
    }


def test_a_client_that_becomes_a_retainer_earns_its_fee_from_then_on() -> None:
    """From Wednesday 18 November: 9 of November's 21 working days, 300,000 x 9 / 21."""
    day = date(2026, 11, 18)
    graduated = client(
        engagement="retainer",
        since=date(2025, 1, 1),
        monthly_fee=Decimal(300_000),
        models=Dated("fixed_price", ((day, "retainer"),)),
    )
    money, _ = lived([(date(2026, 12, 1), world(graduated, unit()))])
    assert months(money) == {"2026-11": Decimal("128571.43")}


def test_hours_keep_the_rate_of_their_day() -> None:
    """16 h at 2,500 in October, 10 h at 3,000 in November."""
    dev = person(
        "dev",
        rate=Decimal(3_000),
        rates=Dated(Decimal(2_500), ((NOVEMBER, Decimal(3_000)),)),
    )
    logs = [worklog(date(2026, 10, 12), 16), worklog(date(2026, 11, 12), 10)]
    seen = world(
        client(engagement="tm"), card(), unit(), dev, work={"p1": [issue(1)]}, logs=logs
    )
    money, _ = lived([(date(2026, 12, 1), seen)])
    assert months(money) == {"2026-10": Decimal(40_000), "2026-11": Decimal(30_000)}


def ten_items(**last: Any) -> list[Issue]:
    """Return ten items of which five were finished in October; the first as told."""
    items = [issue(number, done=date(2026, 10, 12)) for number in range(1, 5)]
    items += [issue(number) for number in range(5, 10)]
    fields = {"done": date(2026, 10, 12), **last}
    return [*items, issue(0, **fields)]


def fixed(items: list[Issue], **fields: Any) -> World:
    """Return a fixed price of 100,000 with these items."""
    budget = card(budget=Decimal(100_000), **fields)
    kind = client(engagement="fixed_price")
    return world(kind, budget, unit(), work={"p1": items})


def test_a_reopened_item_counts_from_the_day_it_was_reopened() -> None:
    """Half of ten items was October's 50,000; one of them reopened on 9 November takes its 10,000 back then."""
    moves = (
        Move(at(date(2026, 10, 12)), "new", "done"),
        Move(at(date(2026, 11, 9)), "done", "new"),
    )
    reopened = ten_items(done=None, category="new", moves=moves)
    money, _ = lived([(date(2026, 11, 10), fixed(reopened))])
    assert months(money) == {"2026-10": Decimal(50_000), "2026-11": Decimal(-10_000)}
    assert [one.amount for one in money.corrections] == [Decimal(-10_000)]
    assert money.corrections[0].card == Ref("projects", "p1")


def test_new_scope_counts_from_the_day_it_was_added() -> None:
    """Ten items more on 9 November: 5 of 20 are done, a quarter; November gives 25,000 back."""
    more = [issue(100 + number, created=date(2026, 11, 9)) for number in range(10)]
    money, _ = lived([(date(2026, 11, 10), fixed([*ten_items(), *more]))])
    assert months(money) == {"2026-10": Decimal(50_000), "2026-11": Decimal(-25_000)}
    assert [one.day for one in money.corrections] == [date(2026, 11, 9)]


def test_a_changed_budget_is_caught_up_on_its_day() -> None:
    """Half of the work is done when the budget becomes 120,000: 10,000 more in November."""
    seen = fixed(
        ten_items(),
        budgets=Dated(Decimal(100_000), ((date(2026, 11, 9), Decimal(120_000)),)),
    )
    seen = replace(
        seen,
        cards={
            ref: replace(one, budget=Decimal(120_000))
            for ref, one in seen.cards.items()
        },
    )
    money, _ = lived([(date(2026, 11, 10), seen)])
    assert months(money) == {"2026-10": Decimal(50_000), "2026-11": Decimal(10_000)}


def test_money_stays_with_the_unit_that_served_the_client() -> None:
    """From Wednesday 11 November unit 2: October and seven working days of November are unit 1's.

    Of November's 22,000 a week of five days has 5,238.10, as has the next one, of which two days of five are before the
    change: 5,238.10 + 2,095.24.
    """
    one, two = Ref("units", "u1"), Ref("units", "u2")
    day = date(2026, 11, 11)
    moved = replace(RETAINER, unit=two, units=Dated(one, ((day, two),)))
    money, _ = lived([(date(2026, 12, 1), world(moved, unit(), unit("u2")))])
    by_unit = {
        key: sum(
            fact.amount
            for fact in money.weeks
            if fact.unit == key and fact.week.start.month == 11
        )
        for key in (one, two)
    }
    assert by_unit[one] == Decimal("7333.34")
    assert by_unit[two] == Decimal("14666.66")


def test_work_that_is_gone_keeps_what_it_earned_in_closed_months() -> None:
    """October was closed with 50,000; then people delete the finished card. Nothing is taken back."""
    seen = fixed(ten_items())
    gone = replace(seen, cards={}, work={})
    money, _ = lived([(date(2026, 11, 17), seen), (date(2026, 12, 1), gone)])
    assert months(money) == {"2026-10": Decimal(50_000)}
    assert money.corrections == ()


def test_the_example_of_the_docs_comes_to_what_they_say() -> None:
    """As docs/money.md tells it: October ends on a Saturday, its tenth working day after is 13 November."""
    logs = [worklog(date(2026, 10, 12), 100), worklog(date(2026, 11, 12), 50)]
    late = worklog(date(2026, 10, 20), 10)
    things = (
        client(engagement="tm"),
        card(),
        unit(),
        person("dev"),
        act(100_000, NOVEMBER),
        act(20_000, date(2026, 12, 1), kind="write_off"),
    )
    before = world(*things, work={"p1": [issue(1)]}, logs=logs)
    after = world(*things, work={"p1": [issue(1)]}, logs=[*logs, late])
    days = [date(2026, 11, 13), date(2026, 11, 14), date(2026, 12, 16)]
    steps = [*((day, before) for day in days), (date(2026, 12, 20), after)]
    money, memory = lived(steps[:2])
    assert memory.ledgers["clients/c1"].until == OCTOBER
    money, _ = lived(steps)
    assert months(money) == {
        "2026-10": Decimal(100_000),
        "2026-11": Decimal(50_000),
        "2026-12": Decimal(-10_000),
    }
    assert [(one.month, one.amount) for one in money.corrections] == [
        (OCTOBER, Decimal(10_000))
    ]


# -- the ledger --------------------------------------------------------------------------------------------------------

WITH_LEDGER = SOURCES | {"ledger"}


def ledger_rows(money: MoneyMeasure, seen: World) -> dict[str, Row]:
    """Return the rows of the ledger as they read after the facts were written."""
    fields: dict[str, dict[str, object]] = {}
    for fact in record_ledger(seen, money).facts:
        fields.setdefault(fact.ref.key, {})[fact.field] = fact.value
    return {
        key: Row(
            Ref("ledger", key),
            key,
            key,
            str(values["name"]),
            "",
            at(NOVEMBER),
            at(NOVEMBER),
            "",
            values,  # type: ignore[arg-type]
        )
        for key, values in fields.items()
    }


def run(
    day: date, seen: World, memory: Memory
) -> tuple[MoneyMeasure, Memory, dict[str, Row]]:
    """Run one day and return its money, memory and ledger rows."""
    today = replace(seen, today=day, now=at(day), memory=memory, sources=WITH_LEDGER)
    findings = measure_revenue(today)
    assert findings.value is not None
    after = replace(memory, ledgers=findings.ledgers)
    return findings.value, after, ledger_rows(findings.value, today)


def test_the_ledger_opens_with_a_balance_and_gets_a_row_a_month() -> None:
    """On 15 October everything to September is the opening balance; on 17 November October closes."""
    since = replace(RETAINER, since=date(2026, 1, 1))
    seen = world(since, unit())
    _, memory, rows = run(date(2026, 10, 15), seen, Memory(first_run=False))
    assert set(rows) == {"ledger:c1:opening"}
    assert rows["ledger:c1:opening"].fields["recognised"] == 9 * 22_000
    assert rows["ledger:c1:opening"].fields["period"] == Span(
        date(2026, 1, 1), date(2026, 9, 30)
    )

    _, _, more = run(date(2026, 11, 17), seen, memory)
    assert more["ledger:c1:2026-10"].fields["recognised"] == 22_000
    assert more["ledger:c1:2026-10"].fields["true_ups"] is None


def test_the_history_is_read_back_after_the_state_was_lost() -> None:
    """A true-up of September entered in November: the ledger's rows alone tell all of it again."""
    spring = act(5_000, date(2026, 4, 1))
    before = world(FIXED, unit(), spring, act(22_000, SEPTEMBER))
    after = world(FIXED, unit(), spring, act(22_000, SEPTEMBER), act(8_000, SEPTEMBER))
    _, memory, rows = run(date(2026, 10, 15), before, Memory(first_run=False))
    _, memory, more = run(date(2026, 11, 20), after, memory)
    rows |= more
    known, _, more = run(date(2026, 12, 20), after, memory)
    rows |= more
    assert rows["ledger:c1:2026-11"].fields["true_ups"] == "2026-09: 8000.00"
    assert rows["ledger:c1:2026-11"].fields["recognised"] == 8_000

    lost = replace(after, rows={"ledger": tuple(rows.values())})
    again, _, _ = run(date(2026, 12, 20), lost, Memory())
    assert months(again) == months(known)
    assert months(again)["2026-09"] == 22_000


def test_a_row_of_a_month_that_is_not_closed_is_named_and_counts_nowhere() -> None:
    seen = world(RETAINER, unit())
    early = Row(
        Ref("ledger", "ledger:c1:2026-11"),
        "page",
        "ledger:c1:2026-11",
        "C1 · November",
        "https://notion.so/early",
        at(NOVEMBER),
        at(NOVEMBER),
        "",
        {"period": Span(NOVEMBER, date(2026, 11, 30)), "recognised": Decimal(1)},
    )
    today = date(2026, 11, 20)
    with_row = replace(
        seen, rows={"ledger": (early,)}, memory=Memory(), today=today, now=at(today)
    )
    findings = measure_revenue(with_row)
    assert findings.value == measure_revenue(replace(with_row, rows={})).value
    told = [
        problem for problem in findings.problems if problem.code is Code.EARLY_CLOSE
    ]
    assert [problem.url for problem in told] == ["https://notion.so/early"]


def test_such_a_row_is_named_beside_months_that_are_known_to_be_closed() -> None:
    """On 20 November October is closed: a row of November is early, one of October is the worker's own."""
    seen = world(RETAINER, unit())
    today = date(2026, 11, 20)
    _, memory, rows = run(today, seen, Memory(first_run=False))
    assert memory.ledgers["clients/c1"].until == date(2026, 10, 1)
    (opening,) = rows.values()

    def row_of(month: date, until: date) -> Row:
        key = f"ledger:c1:{month:%Y-%m}"
        fields = {"period": Span(month, until), "recognised": Decimal(1)}
        url = f"https://notion.so/{month:%Y-%m}"
        return replace(opening, ref=Ref("ledger", key), key=key, url=url, fields=fields)

    typed = (
        row_of(date(2026, 10, 1), date(2026, 10, 31)),
        row_of(NOVEMBER, date(2026, 11, 30)),
        row_of(date(2027, 1, 1), date(2027, 1, 31)),
    )
    later = replace(
        seen, rows={"ledger": typed}, memory=memory, today=today, now=at(today)
    )
    told = [
        problem.url
        for problem in measure_revenue(later).problems
        if problem.code is Code.EARLY_CLOSE
    ]
    assert told == ["https://notion.so/2026-11", "https://notion.so/2027-01"]


def test_who_deletes_the_opening_balance_asks_to_count_the_past_anew() -> None:
    """Three acts of last winter are typed after the first day: without the opening balance they are history again."""
    kind = client(engagement="fixed_price")
    before = world(kind, unit(), act(100, date(2026, 8, 1)))
    winter = [act(1_000, date(2026, month, 1)) for month in (1, 2, 3)]
    after = world(kind, unit(), act(100, date(2026, 8, 1)), *winter)
    _, memory, _ = run(date(2026, 11, 2), before, Memory(first_run=False))
    money, _, _ = run(date(2026, 11, 3), after, memory)
    assert months(money)["2026-11"] == 3_000
    deleted = replace(after, trashed=frozenset({Ref("ledger", "ledger:c1:opening")}))
    money, memory, _ = run(date(2026, 11, 3), deleted, memory)
    assert "2026-11" not in months(money)
    assert months(money)["2026-02"] == 1_000
    # Once: what is learnt after that is a true-up again.
    more = world(
        kind, unit(), act(100, date(2026, 8, 1)), *winter, act(7, date(2026, 4, 1))
    )
    more = replace(more, trashed=deleted.trashed)
    money, _, _ = run(date(2026, 11, 4), more, memory)
    assert months(money)["2026-11"] == 7


# -- whatever happens --------------------------------------------------------------------------------------------------

Event = tuple[int, str, int, int]
"""Days after the start, what happens, of which month before or after, and an amount."""
START = date(2026, 8, 17)

events = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.sampled_from(
            ["act", "credit", "payment", "write_off", "delete", "fee", "hours"]
        ),
        st.integers(-6, 2),
        st.integers(1, 40_000),
    ),
    max_size=12,
)


def history_of(plan: list[Event], shuffle: Random) -> list[tuple[date, World]]:
    """Return the world on every day on which something happened, and on the last."""
    rows: list[Revenue] = []
    logs = [worklog(date(2026, 6, 10), 30)]
    fee = Dated(Decimal(20_000))
    days: dict[date, World] = {}
    seen = world()
    for number, (after, what, month, amount) in enumerate(sorted(plan)):
        day = date.fromordinal(START.toordinal() + after)
        index = day.year * 12 + day.month - 1 + month
        of = date(index // 12, index % 12 + 1, 1)
        match what:
            case "act" | "payment" | "write_off":
                rows.append(act(amount, of, kind=what, key=f"r{number}"))
            case "credit":
                rows.append(act(-amount, of, key=f"r{number}"))
            case "delete" if rows:
                rows.pop(amount % len(rows))
            case "fee":
                changes = [change for change in fee.changes if change[0] < day]
                fee = replace(fee, changes=(*changes, (day, Decimal(amount))))
            case "hours":
                logs.append(worklog(day, amount % 40))
        mixed = list(rows)
        shuffle.shuffle(mixed)
        retainer = client(
            engagement="retainer",
            since=date(2026, 3, 10),
            monthly_fee=fee.on(day),
            fees=fee,
        )
        own = card("p2", engagement="tm", client=C1)
        seen = world(
            retainer,
            own,
            unit(),
            person("dev"),
            *mixed,
            work={"p2": [issue(1)]},
            logs=list(logs),
        )
        days[day] = seen
    if days:
        last = date.fromordinal(START.toordinal() + 150)
        days[last] = seen
    return list(days.items())


@settings(max_examples=60, deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_whatever_happens_the_sums_are_one_and_closed_months_stay(
    plan: list[Event], shuffle: Random
) -> None:
    memory = Memory(first_run=False)
    closed: Mapping[date, Decimal] = {}
    for day, seen in history_of(plan, shuffle):
        money, memory = lived([(day, seen)], memory)
        again, same = lived([(day, seen)], memory)
        assert again == money, "running twice is running once"
        assert same == memory

        every = sum(month.amount for month in money.history[C1])
        growths = money.obligations[C1]
        assert every == sum(growth.amount for part in growths for growth in part)

        ledger = money.closed[C1]
        now = {
            month.month: sum((part.recognised for part in month.parts), Decimal(0))
            for month in ledger.months
        }
        assert closed.items() <= now.items(), "a closed month moved"
        closed = now
        still_open = sum(
            month.amount for month in money.history[C1] if month.month > ledger.until
        )
        assert sum(now.values()) + still_open == every
        recent = previous_period(quarter_of(day)).start
        by_week = sum(fact.amount for fact in money.weeks)
        by_month = [one.amount for one in money.history[C1] if one.month >= recent]
        assert by_week == sum(by_month)
        facts = measure_lifetimes(replace(seen, today=day), money, {}, {}).facts
        assert [fact.value for fact in facts if fact.field == "ltv"] == [every]


@settings(max_examples=40, deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_whatever_happened_the_rows_of_the_ledger_give_the_sums_back(
    plan: list[Event], shuffle: Random
) -> None:
    """What was learnt in months that are still open is learnt again on the day after the loss: every sum stays."""
    memory = Memory(first_run=False)
    rows: dict[str, Row] = {}
    days = history_of(plan, shuffle) or [(START, world(RETAINER, unit()))]
    money, memory = lived(days[:1])
    memory = Memory(first_run=False)
    for day, seen in days:
        kept = replace(seen, rows={"ledger": tuple(rows.values())})
        money, memory, written = run(day, kept, memory)
        rows |= written
    for day, seen in days[-1:]:
        lost = replace(seen, rows={"ledger": tuple(rows.values())})
        again, _, _ = run(day, lost, Memory())
        assert sum(months(again).values()) == sum(months(money).values())
        closed = money.closed[C1]
        for key, row in rows.items():
            if not key.endswith("opening"):
                month = key.removeprefix("ledger:c1:")
                assert months(again).get(month, 0) == row.fields["recognised"], key
        assert again.closed[C1].until == closed.until


@pytest.mark.parametrize("close_days", [0, 5, 30])
def test_months_close_when_they_are_told_to(close_days: int) -> None:
    """After 30 September the 5th working day is 7 October, the 30th 11 November; 0 closes with the next day."""
    last = {0: date(2026, 9, 30), 5: date(2026, 10, 7), 30: date(2026, 11, 11)}[
        close_days
    ]
    before = world(RETAINER, unit())
    thresholds = before.thresholds.model_copy(update={"close_days": close_days})
    after = world(RETAINER, unit(), act(30_000, SEPTEMBER))
    begin = date(2026, 9, 30)
    for day, expected in (
        (last, 30_000),
        (date.fromordinal(last.toordinal() + 1), 22_000),
    ):
        steps = [
            (begin, replace(before, thresholds=thresholds)),
            (date.fromordinal(day.toordinal()), replace(after, thresholds=thresholds)),
        ]
        if day > last:
            steps.insert(1, (day, replace(before, thresholds=thresholds)))
            steps[2] = (date.fromordinal(day.toordinal() + 1), steps[2][1])
        money, _ = lived(steps)
        if day > begin:
            assert months(money)["2026-09"] == expected
