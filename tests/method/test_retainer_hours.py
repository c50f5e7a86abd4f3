"""The hours a retainer buys as a running balance, each case worked out by hand (docs/method.md 2.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import card, client, issue, person, unit, worklog, world
from worker.config import Thresholds
from worker.domain.dated import Dated
from worker.domain.document import Block, Table
from worker.domain.entities import Worklog
from worker.domain.values import Ref, Unset, Value
from worker.domain.words import Words
from worker.locales import load_words
from worker.method.measures import Signal
from worker.method.money.retainer_hours import MonthHours, measure_hours, run_balance
from worker.world.logged import on_days
from worker.world.world import World

END_OF_NOVEMBER = date(2026, 11, 30)
OCTOBER, NOVEMBER = date(2026, 10, 14), date(2026, 11, 11)


def scene(
    hours: Mapping[date, float],
    *,
    today: date = END_OF_NOVEMBER,
    words: Words | None = None,
    **fields: Any,
) -> World:
    """Return a retainer since October of 100 hours a month with one card; logs by day."""
    logs = [worklog(day, spent) for day, spent in hours.items()]
    payer = client(
        **{
            "engagement": "retainer",
            "monthly_fee": Decimal(100_000),
            "since": date(2026, 10, 1),
            "hours_frame": Decimal(100),
            **fields,
        }
    )
    work = {"p1": [issue(1)]}
    dev = person("dev")
    return world(
        payer, unit(), dev, card(), work=work, logs=logs, today=today, words=words
    )


def shown(seen: World) -> dict[str, Value | Unset]:
    """Return the facts of the client's hours."""
    return facts_of(measure_hours(seen), "clients", "c1")


def figures(seen: World) -> tuple[Value | Unset, ...]:
    """Return what was rolled over into this month, used in it, and is left."""
    found = shown(seen)
    return found["hours_rolled"], found["hours_used"], found["hours_left"]


def signal(seen: World) -> Signal:
    """Return what the account manager is to hear of the hours."""
    (one,) = measure_hours(seen).signals
    return one


def test_unused_hours_roll_over_into_the_next_month() -> None:
    """October 100 - 80 = 20 over; November 20 + 100 - 110 = 10 over."""
    assert figures(scene({OCTOBER: 80}, today=date(2026, 10, 31))) == (0, 80, 20)
    assert figures(scene({OCTOBER: 80, NOVEMBER: 110})) == (20, 110, 10)


def test_the_oldest_hours_are_used_first_and_what_is_unused_lapses() -> None:
    """October leaves 80. November uses 30 of those; 50 lapse, its own 100 roll over. December has 200."""
    seen = scene({OCTOBER: 20, NOVEMBER: 30}, today=date(2026, 12, 1))
    assert figures(seen) == (100, 0, 200)


def test_hours_beyond_the_frame_are_told_and_borrow_nothing() -> None:
    """October 130 of 100: 30 too many. November begins with its own 100 all the same."""
    over = scene({OCTOBER: 130}, today=date(2026, 10, 31))
    assert figures(over) == (0, 130, -30)
    assert signal(over).reason == (
        "October 2026: 130 h are used, 30 h more than the 100 h there were (0 h of them rolled over)."
    )
    assert figures(scene({OCTOBER: 130, NOVEMBER: 40})) == (0, 40, 60)


@pytest.mark.parametrize(
    ("own", "rolled"), [(None, 100), (0, 0), (1, 100), (2, 200), (3, 240), (12, 240)]
)
def test_a_client_may_have_its_own_months_of_rollover(
    own: int | None, rolled: int
) -> None:
    """All that is used, 10 + 20 + 30, is September's, whose other 40 lapse but for three months of rollover."""
    days = {date(2026, 9, 9): 10, OCTOBER: 20, NOVEMBER: 30}
    seen = scene(
        days, today=date(2026, 12, 1), since=date(2026, 9, 1), rollover_months=own
    )
    assert figures(seen) == (rolled, 0, rolled + 100)


def test_the_usual_months_of_rollover_may_be_set() -> None:
    seen = scene({OCTOBER: 80})
    none = replace(seen, thresholds=Thresholds(rollover_months=0))
    assert figures(none) == (0, 0, 100)


def test_a_contract_that_begins_or_ends_in_mid_month_has_a_part_of_its_hours() -> None:
    """From 16 November 11 of 21 working days: 52.38 h. Until 13 November 10 of 21: 47.62 h."""
    assert figures(scene({}, since=date(2026, 11, 16))) == (0, 0, Decimal("52.38"))
    ended = scene({OCTOBER: 100}, contract_end=date(2026, 11, 13))
    assert figures(ended) == (0, 0, Decimal("47.62"))


def test_a_client_that_became_a_retainer_has_hours_from_that_day() -> None:
    """By the project until 17 November, a retainer from the 18th: 9 of 21 working days, 42.86 h, less 8."""
    seen = scene({OCTOBER: 60, date(2026, 11, 17): 50, date(2026, 11, 18): 8})
    dated = Dated[str | None]("fixed_price", ((date(2026, 11, 18), "retainer"),))
    grown = {key: replace(one, models=dated) for key, one in seen.clients.items()}
    assert figures(replace(seen, clients=grown)) == (0, 8, Decimal("34.86"))


def test_without_a_start_the_balance_begins_with_the_first_hours() -> None:
    assert figures(scene({NOVEMBER: 40}, since=None)) == (0, 40, 60)
    assert figures(scene({OCTOBER: 40}, since=None)) == (60, 0, 160)


def test_hours_that_are_not_the_contracts_are_not_used_of_it() -> None:
    """A fixed-price card, and one the client does not pay, leave the 100 hours alone."""
    seen = scene({NOVEMBER: 60})
    fixed = {
        ref: replace(one, engagement="fixed_price") for ref, one in seen.cards.items()
    }
    assert figures(replace(seen, cards=fixed)) == (100, 0, 200)
    unpaid = {ref: replace(one, billable=False) for ref, one in seen.cards.items()}
    assert figures(replace(seen, cards=unpaid)) == (100, 0, 200)


def test_a_log_on_two_cards_of_a_client_is_used_once() -> None:
    seen = scene({NOVEMBER: 60})
    twice = replace(
        seen,
        cards={**seen.cards, Ref("projects", "p2"): card("p2")},
        work={**seen.work, Ref("projects", "p2"): seen.work[Ref("projects", "p1")]},
    )
    assert figures(twice) == (100, 60, 140)


def test_hours_are_those_of_the_workspaces_days() -> None:
    """22:00 UTC of 31 October is 1 November in Moscow."""
    late = datetime(2026, 10, 31, 22, tzinfo=UTC)
    log = Worklog("1", "1", "dev", late, 8 * 3600)
    for zone, expected in (
        (ZoneInfo("UTC"), (92, 0, 192)),
        (ZoneInfo("Europe/Moscow"), (100, 8, 192)),
    ):
        seen = replace(scene({}), zone=zone)
        logs = tuple(on_days([log], zone))
        works = {ref: replace(one, worklogs=logs) for ref, one in seen.work.items()}
        assert figures(replace(seen, work=works)) == expected


def reasons(seen: World) -> dict[str, list[tuple[str, str]]]:
    """Return the figures each field of the client's hours was made from."""
    return {
        fact.field: [(one.name, one.value) for one in fact.why.inputs[1:]]
        for fact in measure_hours(seen).facts
    }


def test_every_figure_is_explained_by_its_own() -> None:
    """Two months roll over: October's 100 - 20 - 30 = 50 and November's whole 100."""
    days = {OCTOBER: 20, NOVEMBER: 30, date(2026, 12, 1): 7.5}
    seen = scene(days, today=date(2026, 12, 1), rollover_months=2)
    assert figures(seen) == (150, Decimal("7.5"), Decimal("242.5"))
    assert reasons(seen) == {
        "hours_used": [("Card p1", "7.5")],
        "hours_rolled": [("October 2026", "50"), ("November 2026", "100")],
        "hours_left": [
            ("hours a month", "100"),
            ("rolled over", "150"),
            ("used", "7.5"),
        ],
    }


@pytest.mark.parametrize(
    "fields",
    [{"hours_frame": None}, {"hours_frame": Decimal(0)}, {"engagement": "fixed_price"}],
)
def test_without_hours_a_month_there_is_no_balance(fields: dict[str, Any]) -> None:
    seen = scene({NOVEMBER: 200}, **fields)
    assert figures(seen) == (None, None, None)
    assert signal(seen).holds is False


@pytest.mark.parametrize(("hours", "holds"), [(149, False), (150, True), (260, True)])
def test_three_quarters_used_are_told_to_the_account_manager(
    hours: float, *, holds: bool
) -> None:
    """October unused: 200 hours in November, three quarters are 150."""
    seen = scene({NOVEMBER: hours})
    assert signal(seen).holds is holds
    tasks = [
        fact
        for fact in judge(seen).facts
        if fact.ref == Ref("tasks", "task:spend_hours:c1") and fact.field == "assignee"
    ]
    assert [fact.value for fact in tasks] == [(Ref("people", "am"),)] * holds


def test_how_early_it_is_told_may_be_set() -> None:
    seen = scene({NOVEMBER: 100})
    early = replace(seen, thresholds=Thresholds(budget_warning=Decimal("0.5")))
    assert (signal(seen).holds, signal(early).holds) == (False, True)


def test_the_new_month_ends_the_warning() -> None:
    days = {OCTOBER: 100, NOVEMBER: 90}
    assert signal(scene(days)).holds is True
    assert signal(scene(days, today=END_OF_NOVEMBER + timedelta(days=1))).holds is False


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            Words("en", "EUR"),
            "110 of 120 h are used (20 h of them rolled over), 10 h are left.",
        ),
        (
            load_words("ru", "RUB"),
            "потрачено 110 из 120 ч (из них перенесено 20 ч), осталось 10 ч.",
        ),
    ],
)
def test_the_clients_page_tells_the_balance(words: Words, line: str) -> None:
    seen = scene({OCTOBER: 80, NOVEMBER: 110}, words=words)
    sections = {section.ref: section.blocks for section in written(seen).sections}
    assert line in cells_of(sections[Ref("clients", "c1")])


def cells_of(blocks: Sequence[Block]) -> list[str]:
    """Return every cell of the tables of a page."""
    return [
        cell
        for block in blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]


MONTH = st.tuples(st.integers(0, 200), st.integers(0, 300))


@given(st.lists(MONTH, min_size=1, max_size=24), st.integers(0, 6))
def test_hours_are_used_once_lapse_or_roll_over(
    months: list[tuple[int, int]], rollover: int
) -> None:
    """What is rolled over is at most what the months it may come from left unused, and no less than the last one's."""
    given_months = [
        MonthHours(
            date(2020 + number // 12, number % 12 + 1, 1), Decimal(frame), Decimal(used)
        )
        for number, (frame, used) in enumerate(months)
    ]
    balances = list(run_balance(given_months, rollover=rollover))
    for number, balance in enumerate(balances):
        sources = balances[max(0, number - rollover) : number]
        unused = sum(max(Decimal(0), one.frame - one.used) for one in sources)
        assert balance.rolled >= 0
        assert balance.rolled <= sum(one.frame for one in sources)
        assert balance.rolled >= (unused if rollover <= 1 else 0)
        if number:
            before = balances[number - 1]
            assert balance.rolled <= max(Decimal(0), before.left)
