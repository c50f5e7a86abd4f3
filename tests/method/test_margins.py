"""Margins of clients' months, each case worked out by hand, for nobody to see but a few (docs/method.md 2.12)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import facts_of, judge, keys_of, written
from tests.support.worlds import (
    SOURCES,
    at,
    card,
    client,
    issue,
    person,
    ref,
    row,
    unit,
    worklog,
    world,
)
from worker.config import Thresholds
from worker.domain.entities import CostRate, LoggedTime
from worker.domain.periods import month_of
from worker.domain.values import Ref
from worker.errors import Problem, in_words
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.method.money.margins import measure_margins
from worker.method.money.retainer_hours import measure_hours
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.rows import margin_key, read_margin
from worker.world.world import World

DECEMBER = date(2026, 12, 16)
"""The first days after November closed: its tenth working day after it is 14 December."""
NOVEMBER = date(2026, 11, 10)
KEY = "margin:c1:2026-11"
RUSSIAN = load_words("ru", "RUB")


def cost(
    who: str,
    rate: int | str,
    since: date = date.min,
    *,
    number: int = 0,
    made: date = DECEMBER,
) -> CostRate:
    """Return a cost rate."""
    key = f"{who}-{since}-{number}"
    return CostRate(
        ref("costs", key),
        f"https://notion.so/{key}",
        ref("people", who),
        Decimal(rate),
        since,
        at(made),
    )


def scene(
    logs: Iterable[LoggedTime],
    costs: Sequence[CostRate],
    *,
    today: date = DECEMBER,
    **fields: Any,
) -> World:
    """Return a retainer of 100,000 since November, and two developers at 2,000 an hour."""
    payer = client(
        engagement="retainer", monthly_fee=Decimal(100_000), since=date(2026, 11, 1)
    )
    return world(
        payer,
        unit(),
        *(person(name, rate=Decimal(2000)) for name in ("dev", "eve")),
        card(),
        work={"p1": [issue(1)]},
        logs=logs,
        today=today,
        **{"costs": tuple(costs), "sources": SOURCES | {"costs", "margins"}, **fields},
    )


def measured(seen: World) -> Findings[None]:
    """Return the margin rows."""
    revenue = measure_revenue(seen).value
    return measure_margins(seen, revenue, measure_hours(seen).value)


def figures(seen: World, key: str = KEY) -> tuple[Any, ...]:
    """Return what a row says of money: recognised, cost, margin, to date, realisation."""
    found = facts_of(measured(seen), "margins", key)
    names = ("recognised", "cost", "margin", "margin_to_date", "realisation")
    return tuple(found[name] for name in names)


def told(seen: World) -> list[tuple[str, str]]:
    """Return the codes and links of all problems."""
    return [(one.code.value, one.url) for one in measured(seen).problems]


def test_a_margin_is_what_was_recognised_less_hours_at_cost() -> None:
    """40 h at 700 are 28,000: 72,000 of 100,000 are left; at 2,000 an hour the hours are worth 80,000."""
    seen = scene([worklog(NOVEMBER, 40)], [cost("dev", 700)])
    assert figures(seen) == (100_000, 28_000, 72_000, 72_000, Decimal("1.25"))
    found = facts_of(measured(seen), "margins", KEY)
    assert found["name"] == "November 2026 · C1"
    assert found["client"] == (Ref("clients", "c1"),)
    assert found["month"] == date(2026, 11, 1)
    assert (found["hours"], found["margin_share"]) == (40, Decimal("0.72"))
    assert found["uncosted"] is None


def test_an_hour_costs_what_the_rate_in_force_on_its_day_says() -> None:
    """10 h on 10 November at 700, 10 h on 20 November at 900, in force since the 16th: 16,000."""
    logs = [worklog(NOVEMBER, 10), worklog(date(2026, 11, 20), 10)]
    costs = [cost("dev", 900, date(2026, 11, 16)), cost("dev", 700)]
    for order in (costs, costs[::-1]):
        assert figures(scene(logs, order))[1] == 16_000


def test_the_day_a_rate_begins_counts_already() -> None:
    logs = [worklog(date(2026, 11, 16), 1), worklog(date(2026, 11, 15), 1)]
    costs = [cost("dev", 900, date(2026, 11, 16)), cost("dev", 700)]
    assert figures(scene(logs, costs))[1] == 1_600


def test_people_cost_what_they_cost_and_hours_nobody_pays_cost_too() -> None:
    """10 h of one at 700, 20 h of the other at 500: 17,000, also where the client pays for none of them."""
    logs = [worklog(NOVEMBER, 10), worklog(NOVEMBER, 20, author="eve")]
    seen = scene(logs, [cost("dev", 700), cost("eve", 500)])
    assert figures(seen)[1] == 17_000
    inner = {key: replace(one, billable=False) for key, one in seen.cards.items()}
    assert figures(replace(seen, cards=inner))[1] == 17_000


def test_a_month_with_hours_that_have_no_cost_has_no_margin() -> None:
    """The other's 20 h: without them the margin would be 93,000, which is too high."""
    logs = [worklog(NOVEMBER, 10), worklog(NOVEMBER, 20, author="eve")]
    seen = scene(logs, [cost("dev", 700)])
    assert figures(seen) == (100_000, None, None, None, Decimal("1.6667"))
    found = facts_of(measured(seen), "margins", KEY)
    assert (found["uncosted"], found["margin_share"]) == ("Eve: 20 h", None)
    eve = replace(seen.people[ref("people", "eve")], url="https://notion.so/eve")
    linked = replace(seen, people={**seen.people, eve.ref: eve})
    assert told(linked) == [("no-cost-rate", "https://notion.so/eve")]


def test_hours_before_the_first_cost_rate_have_none() -> None:
    late = scene([worklog(NOVEMBER, 10)], [cost("dev", 700, date(2026, 11, 11))])
    assert figures(late)[1] is None


def test_a_stranger_with_hours_is_named_by_account() -> None:
    seen = scene([worklog(NOVEMBER, 10, author="x-17")], [cost("dev", 700)])
    assert facts_of(measured(seen), "margins", KEY)["uncosted"] == "x-17: 10 h"
    assert told(seen) == [("no-cost-rate", "")]


def test_of_two_rates_from_one_day_the_row_made_last_counts_and_the_other_is_told() -> (
    None
):
    logs = [worklog(NOVEMBER, 10)]
    first = cost("dev", 700, NOVEMBER, number=1, made=date(2026, 12, 1))
    second = cost("dev", 800, NOVEMBER, number=2, made=date(2026, 12, 2))
    for order in ([first, second], [second, first]):
        seen = scene(logs, order)
        assert figures(seen)[1] == 8_000
        assert told(seen) == [("duplicate-cost", first.url)]


def test_without_hours_all_that_was_recognised_is_left() -> None:
    assert figures(scene([], [cost("dev", 700)])) == (
        100_000,
        0,
        100_000,
        100_000,
        None,
    )


def test_a_month_without_money_costs_all_the_same() -> None:
    """10 h in October, before the contract: 7,000 lost; to date 7,000 less in November."""
    logs = [worklog(date(2026, 10, 6), 10), worklog(NOVEMBER, 40)]
    seen = scene(logs, [cost("dev", 700)])
    assert figures(seen, "margin:c1:2026-10") == (0, 7_000, -7_000, -7_000, 0)
    assert figures(seen)[2:4] == (72_000, 65_000)


def test_the_closed_months_of_this_and_the_last_quarter_have_a_row() -> None:
    seen = scene([], [cost("dev", 700)])
    old = {
        key: replace(one, since=date(2024, 1, 1)) for key, one in seen.clients.items()
    }
    seen = replace(seen, clients=old)
    assert keys_of(measured(seen), "margins") == {
        f"margin:c1:2026-{month:02d}" for month in range(7, 12)
    }
    first = replace(seen, today=date(2026, 10, 1))
    assert keys_of(measured(first), "margins") == {
        f"margin:c1:2026-{month:02d}" for month in range(7, 9)
    }


def test_the_margin_to_date_counts_the_rows_of_earlier_years() -> None:
    """Rows of 2025 say 5,000 and 6,000; with November's 72,000 that makes 83,000. One that is not known ends it."""
    kept = tuple(
        row("margins", f"margin:c1:2025-0{month}", margin=Decimal(amount))
        for month, amount in ((1, 5_000), (2, 6_000))
    )
    others = row("margins", "margin:c9:2025-01", margin=Decimal(1))
    seen = scene(
        [worklog(NOVEMBER, 40)], [cost("dev", 700)], rows={"margins": (*kept, others)}
    )
    assert figures(seen)[3] == 83_000
    unknown = row("margins", "margin:c1:2025-03")
    seen = replace(seen, rows={"margins": (*kept, unknown)})
    assert figures(seen)[3] is None


@pytest.mark.parametrize(
    "key", ["", "margin", "margin:c1", "margin:c1:2025-13", "plan:u1:2025-01", "a:b:c"]
)
def test_a_key_that_names_no_month_is_nobodys_margin(key: str) -> None:
    found = read_margin(replace(row("margins", "k", margin=Decimal(1)), key=key))
    assert found.client is None or found.month is None


def test_a_key_names_its_client_and_month() -> None:
    found = read_margin(row("margins", KEY, margin=Decimal(7)))
    assert (found.client, found.month) == (Ref("clients", "c1"), date(2026, 11, 1))
    assert found.margin == 7
    assert margin_key(Ref("clients", "c1"), month_of(NOVEMBER)) == KEY


def test_what_people_deleted_stays_deleted() -> None:
    seen = scene([], [cost("dev", 700)], trashed=frozenset({Ref("margins", KEY)}))
    assert measured(seen).facts == ()


def test_without_cost_rates_there_are_no_margins_and_nothing_is_told() -> None:
    logs = [worklog(NOVEMBER, 40)]
    for seen in (
        scene(logs, []),
        scene(logs, [cost("dev", 700)], sources=SOURCES | {"margins"}),
        scene(logs, [cost("nobody", 700)]),
    ):
        found = measured(seen)
        assert (found.facts, found.problems) == ((), ())


def test_the_order_of_rows_never_matters() -> None:
    logs = [
        worklog(NOVEMBER + timedelta(days=number % 9), 1 + number, author=who)
        for number, who in enumerate(["dev", "eve"] * 6)
    ]
    costs = [
        cost("dev", 700),
        cost("dev", 900, date(2026, 11, 13)),
        cost("eve", 500, date(2026, 11, 2)),
        cost("eve", 650, date(2026, 11, 15)),
    ]
    expected = figures(scene(logs, costs))
    shuffler = random.Random(7)
    for _ in range(10):
        shuffler.shuffle(logs)
        shuffler.shuffle(costs)
        assert figures(scene(logs, costs)) == expected


def test_a_margin_rests_on_what_was_recognised_whatever_counts_as_revenue() -> None:
    seen = scene([worklog(NOVEMBER, 40)], [cost("dev", 700)])
    paid = replace(seen, thresholds=Thresholds(revenue_basis="paid"))
    assert figures(paid) == figures(seen)


def test_a_month_has_a_row_once_it_is_closed() -> None:
    seen = scene([worklog(NOVEMBER, 40)], [cost("dev", 700)])
    keys = [
        KEY in keys_of(measured(replace(seen, today=date(2026, 12, day))), "margins")
        for day in (14, 15)
    ]
    assert keys == [False, True]


def test_a_row_whose_margin_is_known_stays_whatever_is_logged_or_priced_later() -> None:
    """72,000 stand in November's row; October's becomes known later, which only the sum to date takes in."""
    standing = row("margins", KEY, margin=Decimal(72_000))
    logs = [
        worklog(NOVEMBER, 40),
        worklog(NOVEMBER, 100),
        worklog(date(2026, 10, 6), 10),
    ]
    seen = scene(logs, [cost("dev", 900)], rows={"margins": (standing,)})
    found = facts_of(measured(seen), "margins", KEY)
    assert found == {"margin_to_date": 72_000 - 9_000}
    emptied = replace(seen, rows={"margins": (row("margins", KEY),)})
    assert figures(emptied)[2] == 100_000 - 140 * 900


# -- private -----------------------------------------------------------------------------------------------------------

SCHEMA = load_schema(None, currency="EUR")


def shown(value: object) -> str:
    """Return everything that stands in a value."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def in_both(problems: Iterable[Problem]) -> str:
    """Return problems as people see them, in both languages."""
    return "\n".join(
        shown(in_words(one, words))
        for one in problems
        for words in (RUSSIAN, load_words("en", "EUR"))
    )


@pytest.mark.parametrize("day", [DECEMBER, date(2027, 1, 1), date(2026, 12, 28)])
def test_nothing_of_costs_and_margins_leaves_the_private_rows(day: date) -> None:
    """An hour costs 7,137.77; no figure made with it, and nothing of the measures, shows it or may be told from it."""
    logs = [worklog(NOVEMBER, 40), worklog(NOVEMBER, 8, author="eve")]
    secret = scene(logs, [cost("dev", "7137.77"), cost("eve", "7137.77")], today=day)
    asked = {
        key: replace(one, status_page=True, presentation=True)
        for key, one in secret.clients.items()
    }
    secret = replace(secret, clients=asked, sources=frozenset(SCHEMA.sources))
    cheap = tuple(replace(one, rate=Decimal(1)) for one in secret.costs)
    told_of = [written(secret), written(replace(secret, costs=cheap))]
    dear, low = (
        [fact for fact in one.facts if not SCHEMA.is_private(fact.ref.source)]
        for one in told_of
    )
    assert keys_of(told_of[0], "margins")
    assert facts_of(told_of[0], "margins", KEY) != facts_of(told_of[1], "margins", KEY)
    assert dear == low
    assert shown(told_of[0].sections) == shown(told_of[1].sections)
    assert in_both(told_of[0].problems) == in_both(told_of[1].problems)
    assert shown(told_of[0].memory) == shown(told_of[1].memory)
    assert "7137" not in shown(dear).replace(",", "")


def test_problems_of_costs_quote_no_rate() -> None:
    costs = [cost("dev", "7137.77", number=1), cost("dev", "7138.88", number=2)]
    seen = scene([worklog(NOVEMBER, 1, author="eve")], costs)
    problems = judge(seen).problems
    codes = {one.code.value for one in problems}
    assert {"duplicate-cost", "no-cost-rate"} <= codes
    assert "713" not in in_both(problems).replace(",", "").replace("\xa0", "")
    assert any("Eve" in english(one.message) for one in problems)
