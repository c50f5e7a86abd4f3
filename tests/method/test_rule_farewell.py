"""Who has left, what is still said of them, and what their life was worth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import card, client, ref, revenue, unit, world
from worker.domain.entities import Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.clients.churn import end_conditions, end_signals, find_churn
from worker.method.clients.rays import measure_rays
from worker.method.measures import ClientMeasure, Condition, Signal
from worker.method.money.lifetime import measure_lifetimes
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.world import World

MILL = ref("clients", "c1")


def judged(
    scene: World, *conditions: Condition
) -> tuple[Mapping[Ref, date], tuple[Condition, ...]]:
    """Return who left, by day, and what holds once that was said."""
    churn = find_churn(scene, measure_revenue(scene).value)
    ended = end_conditions(scene, conditions, churn.value).value
    return churn.value, (*ended, *churn.conditions)


def scene(
    *stages: Stage | None,
    end: date | None = date(2026, 6, 30),
    paid: date | None = date(2026, 7, 1),
    **fields: Any,
) -> World:
    """Return a client with cards at some stages, the end of its contract and the month of its last money."""
    cards = [card(f"p{number}", stage) for number, stage in enumerate(stages)]
    rows = [revenue(100, paid)] if paid else []
    return world(client(contract_end=end, **fields), unit(), *cards, *rows)


@pytest.mark.parametrize(
    ("stages", "end", "paid", "fields", "left"),
    [
        (
            (Stage.DONE, Stage.LOST),
            date(2026, 6, 30),
            date(2026, 7, 1),
            {},
            date(2026, 7, 31),
        ),
        ((Stage.DONE,), date(2026, 8, 15), date(2026, 7, 1), {}, date(2026, 8, 15)),
        ((Stage.DONE,), date(2026, 6, 30), None, {}, date(2026, 6, 30)),
        (
            (Stage.DONE,),
            date(2026, 6, 30),
            date(2026, 8, 1),
            {},
            None,
        ),  # August is only three months back
        (
            (Stage.DONE, Stage.IDEA),
            date(2026, 6, 30),
            date(2026, 7, 1),
            {},
            None,
        ),  # an idea is left
        (
            (Stage.DONE, None),
            date(2026, 6, 30),
            date(2026, 7, 1),
            {},
            None,
        ),  # a card without a stage is unknown
        (
            (),
            date(2026, 6, 30),
            date(2026, 7, 1),
            {},
            None,
        ),  # no cards: nothing is known
        (
            (Stage.DONE,),
            date(2026, 11, 18),
            date(2026, 7, 1),
            {},
            None,
        ),  # the contract ends today
        (
            (Stage.DONE,),
            None,
            date(2026, 7, 1),
            {},
            None,
        ),  # an account that is merely silent
        ((Stage.DONE,), None, date(2026, 7, 1), {"group": "newbiz"}, date(2026, 7, 31)),
        ((Stage.LOST,), None, None, {"group": "newbiz"}, None),  # it never was a client
    ],
)
def test_a_client_has_left_when_cards_contract_and_money_are_over(
    stages: tuple[Stage | None, ...],
    end: date | None,
    paid: date | None,
    fields: dict[str, Any],
    left: date | None,
) -> None:
    given = scene(*stages, end=end, paid=paid, **fields)
    gone, (condition,) = judged(given)
    assert gone.get(MILL) == left
    assert (condition.signal, condition.holds) == ("relations.left", left is not None)


def test_nothing_else_is_said_of_a_client_that_left() -> None:
    other = ref("clients", "c2")
    _, told = judged(
        scene(Stage.DONE),
        Condition("money.mix", "money", MILL, holds=True, client=MILL),
        Condition("money.mix", "money", other, holds=True, client=other),
        Condition("money.pace", "money", ref("units", "u1"), holds=True),
    )
    assert [(one.signal, one.holds) for one in told] == [
        ("money.mix", False),
        ("money.mix", True),
        ("money.pace", True),
        ("relations.left", True),
    ]


def test_tasks_about_a_client_that_left_end() -> None:
    given = scene(Stage.DONE)
    signals = (
        Signal("contact_client", MILL, MILL, None, holds=True),
        Signal("birthday", ref("people", "x"), None, None, holds=True),
    )
    left, _ = judged(given)
    ended = end_signals(given, signals, left).value
    assert [(one.holds, one.ended) for one in ended] == [
        (False, "closed automatically: the client has left"),
        (True, ""),
    ]


def test_of_all_rules_together_only_the_farewell_speaks_of_a_client_that_left() -> None:
    given = scene(Stage.DONE)
    rays = measure_rays(given, {})
    (broken,) = rays.conditions
    (asked,) = rays.signals
    assert (broken.client, broken.holds, asked.client, asked.holds) == (
        MILL,
        True,
        MILL,
        True,
    )
    measures = judge(given).measures
    conditions = [one for one in measures.conditions if one.client == MILL]
    assert broken.signal in {one.signal for one in conditions}
    assert [one.signal for one in conditions if one.holds] == ["relations.left"]
    signals = [one for one in measures.signals or () if one.client == MILL]
    assert asked.playbook in {one.playbook for one in signals}
    assert [one.playbook for one in signals if one.holds] == []


def test_where_nobody_left_nothing_changes() -> None:
    given = scene(Stage.IDEA)
    conditions = (Condition("money.mix", "money", MILL, holds=True, client=MILL),)
    signals = (Signal("x", MILL, MILL, None, holds=True),)
    left, _ = judged(given)
    assert end_conditions(given, conditions, left) == Findings(conditions)
    assert end_signals(given, signals, left) == Findings(signals)


def test_without_money_nobody_is_said_to_have_left() -> None:
    found = find_churn(scene(Stage.DONE), None)
    assert (found.value, found.facts, found.conditions) == ({}, (), ())


# -- lifetimes ---------------------------------------------------------------------------------------------------------


def lived(given: World, *, horizon: date | None = None) -> dict[str, Value | Unset]:
    """Return the lifetime's facts of client c1."""
    left, _ = judged(given)
    clients = {MILL: ClientMeasure(MILL, horizon=horizon)}
    found = measure_lifetimes(given, measure_revenue(given).value, clients, left)
    return facts_of(found, "clients", "c1")


def test_a_life_is_worth_what_its_months_brought() -> None:
    given = world(
        client(),
        unit(),
        revenue(100, date(2026, 6, 1)),
        revenue(200, date(2026, 8, 1)),
        revenue(50, date(2026, 11, 3)),
    )
    found = lived(given)
    # November's act counts by the 12 of its 21 working days that are over: 28.57.
    assert (found["ltv"], found["months_active"], found["months_silent"]) == (
        Decimal("328.57"),
        3,
        3,
    )


def test_the_running_month_is_not_silent_before_it_is_over() -> None:
    assert (
        lived(world(client(), unit(), revenue(100, date(2026, 10, 1))))["months_silent"]
        == 0
    )


@pytest.mark.parametrize(
    ("horizon", "low", "high"),
    [
        # Five finished months: 100, 100, 160, 130, 160. The last three mean 150, all five 130; 650 so far.
        (None, 650, 650 + 12 * 150),
        (date(2026, 11, 30), 650 + 130, 650 + 13 * 150),
        (date(2027, 1, 2), 650 + 3 * 130, 650 + 15 * 150),
        (date(2026, 9, 1), 650, 650 + 12 * 150),
    ],
)
def test_the_expectation_is_a_range_from_monthly_value_and_horizon(
    horizon: date | None, low: int, high: int
) -> None:
    amounts = (100, 100, 160, 130, 160)
    given = world(
        client(),
        unit(),
        *(
            revenue(amount, date(2026, 6 + number, 1))
            for number, amount in enumerate(amounts)
        ),
    )
    found = lived(given, horizon=horizon)
    assert (found["ltv_low"], found["ltv_high"]) == (low, high)


def test_the_expectation_does_not_move_within_a_month() -> None:
    rows = [revenue(100, date(2026, 9, 1)), revenue(120, date(2026, 10, 1))]
    days = [
        world(client(), unit(), *rows, today=day)
        for day in (date(2026, 11, 2), date(2026, 11, 30))
    ]
    first, second = (lived(day, horizon=date(2027, 2, 15)) for day in days)
    assert first == second


def test_what_was_billed_is_told_beside_what_is_recognised() -> None:
    given = world(
        client(
            engagement="retainer", monthly_fee=Decimal(2100), since=date(2026, 10, 1)
        ),
        unit(),
        revenue(900, date(2026, 10, 1)),
    )
    left, _ = judged(given)
    found = measure_lifetimes(given, measure_revenue(given).value, {}, left)
    fact = next(one for one in found.facts if one.field == "ltv")
    # October earned the whole fee, November 12 of 21 working days of it: 2,100 + 1,200; the act settles 900 of that.
    assert fact.value == Decimal("3300.00")
    assert [(one.name, one.value) for one in fact.why.inputs[1:]] == [
        ("recognised in 2026", "€3,300"),
        ("billed by acts", "€900"),
    ]


def test_nothing_is_expected_of_a_client_that_left_and_its_silence_ends() -> None:
    found = lived(scene(Stage.DONE, paid=date(2026, 6, 1)))
    assert (found["ltv"], found["months_active"], found["months_silent"]) == (
        Decimal("100.00"),
        1,
        0,
    )
    assert (found["ltv_low"], found["ltv_high"]) == (None, None)


def test_a_client_that_never_paid_has_no_expectation() -> None:
    found = lived(world(client(since=date(2026, 9, 1)), unit()))
    assert (found["ltv"], found["months_silent"], found["ltv_low"]) == (
        Decimal(0),
        2,
        None,
    )


def test_without_money_no_life_is_measured() -> None:
    assert measure_lifetimes(world(client()), None, {}, {}).facts == ()
