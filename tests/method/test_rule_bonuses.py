"""The bonus fund: exact to the cent, from the base the agency chose, for nobody to see but a few."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outcomes import facts_of
from tests.support.worlds import SOURCES, client, person, ref, revenue, row, unit, world
from worker.config import Thresholds
from worker.domain.entities import Revenue
from worker.domain.money import CENT
from worker.domain.values import Ref
from worker.method.money.bonuses import plan_bonuses, share_out
from worker.method.money.revenue import measure_revenue
from worker.method.run import Findings
from worker.world.world import World

OCTOBER = date(2026, 10, 1)
SHARES = {"am": Decimal("0.4"), "pm": Decimal("0.3"), "tl": Decimal("0.3")}
KEY = "bonus:u1:2026-10"


def scene(*rows: Revenue, **fields: Any) -> World:
    """Return a unit with a rate, its people, a client in it and one outside."""
    people = [person(name) for name in ("am", "pm", "tl", "pm2")]
    return world(
        unit(**{"bonus_rate": Decimal("0.05"), **fields.pop("unit", {})}),
        *people,
        client(),
        client("c2", unit=None),
        *rows,
        **{"sources": SOURCES | {"bonuses"}, **fields},
    )


def judge(given_world: World) -> Findings[None]:
    """Return the bonus rows."""
    return plan_bonuses(given_world, measure_revenue(given_world).value)


def test_the_fund_is_the_rate_of_what_the_unit_recognised() -> None:
    found = facts_of(
        judge(scene(revenue(1000, OCTOBER), revenue(700, OCTOBER, client="c2"))),
        "bonuses",
        KEY,
    )
    assert (found["base"], found["basis"], found["rate"], found["pool"]) == (
        Decimal("1000.00"),
        "recognised",
        Decimal("0.05"),
        Decimal("50.00"),
    )
    assert found["name"] == "October 2026 · North"
    assert found["unit"] == (ref("units", "u1"),)
    assert found["month"] == OCTOBER
    assert found["shares"] == "AM 40%: €20; PMs 30%: €15; TLs 30%: €15"
    assert found["amounts"] == "Am: €20\nPm: €15\nTl: €15"
    assert found["who"] == (
        ref("people", "am"),
        ref("people", "pm"),
        ref("people", "tl"),
    )


@pytest.mark.parametrize(
    ("base", "amount"), [("paid", 300), ("invoiced", 800), ("recognised", 800)]
)
def test_the_base_is_what_the_agency_chose(base: str, amount: int) -> None:
    rows = (
        revenue(800, OCTOBER),
        revenue(900, OCTOBER, kind="invoice"),
        revenue(300, OCTOBER, kind="payment"),
    )
    given_world = scene(
        *rows, thresholds=Thresholds.model_validate({"bonus_base": base})
    )
    found = facts_of(judge(given_world), "bonuses", KEY)
    assert (found["base"], found["basis"]) == (Decimal(amount), base)


def test_accrued_money_is_recognised_but_not_invoiced() -> None:
    retainer = client(
        engagement="retainer", monthly_fee=Decimal(2200), since=date(2026, 1, 1)
    )
    for base, amount in (("recognised", 2200), ("invoiced", 0), ("paid", 0)):
        given_world = world(
            unit(bonus_rate=Decimal("0.1")),
            retainer,
            sources=SOURCES | {"bonuses"},
            thresholds=Thresholds.model_validate({"bonus_base": base}),
        )
        assert (
            facts_of(judge(given_world), "bonuses", KEY)["pool"] == Decimal(amount) / 10
        )


def test_last_month_and_this_one_have_a_row() -> None:
    assert {fact.ref.key for fact in judge(scene()).facts} == {KEY, "bonus:u1:2026-11"}


@pytest.mark.parametrize("rate", [None, Decimal(0)])
def test_a_unit_without_a_rate_has_no_row(rate: Decimal | None) -> None:
    assert judge(scene(revenue(1000, OCTOBER), unit={"bonus_rate": rate})).facts == ()


def test_what_was_paid_out_or_deleted_is_left_alone() -> None:
    paid = scene(
        revenue(1000, OCTOBER), rows={"bonuses": (row("bonuses", KEY, paid=True),)}
    )
    assert {fact.ref.key for fact in judge(paid).facts} == {"bonus:u1:2026-11"}
    deleted = scene(revenue(1000, OCTOBER), trashed=frozenset({ref("bonuses", KEY)}))
    assert {fact.ref.key for fact in judge(deleted).facts} == {"bonus:u1:2026-11"}


def test_without_the_private_board_there_is_no_preview() -> None:
    assert judge(scene(revenue(1000, OCTOBER), sources=SOURCES)).facts == ()
    assert plan_bonuses(scene(), None).facts == ()


def test_a_role_nobody_has_leaves_its_share_to_the_others() -> None:
    given_world = scene(revenue(1400, OCTOBER), unit={"tls": ()})
    found = facts_of(judge(given_world), "bonuses", KEY)
    assert (found["pool"], found["shares"]) == (
        Decimal("70.00"),
        "AM 57%: €40; PMs 43%: €30",
    )


def test_a_unit_of_nobody_has_a_fund_without_parts() -> None:
    found = facts_of(
        judge(scene(revenue(1000, OCTOBER), unit={"am": (), "pms": (), "tls": ()})),
        "bonuses",
        KEY,
    )
    assert (found["pool"], found["shares"], found["amounts"], found["who"]) == (
        Decimal("50.00"),
        None,
        None,
        (),
    )


def test_one_person_in_two_roles_gets_both_parts() -> None:
    anna = ref("people", "anna")
    fund = share_out(
        Decimal("100.00"),
        {"am": [anna], "pm": [anna], "tl": [ref("people", "tl")]},
        shares=SHARES,
        minor=CENT,
    )
    assert fund.parts == {anna: Decimal("70.00"), ref("people", "tl"): Decimal("30.00")}


@pytest.mark.parametrize(
    ("weights", "parts"),
    [
        # Of 100,000 x 10 % = 10,000 the AM has 40 %, the PMs 30 % and the TLs 30 %: 3,000 of two PMs.
        ((None, None), (1_500, 1_500)),
        ((Decimal(2), Decimal(1)), (2_000, 1_000)),
        ((Decimal(3), None), (2_250, 750)),
        ((Decimal(0), None), (0, 3_000)),
        ((Decimal(0), Decimal(0)), (1_500, 1_500)),
        ((Decimal("0.5"), Decimal("0.7")), (1_250, 1_750)),
    ],
)
def test_inside_a_role_the_bonus_is_split_by_the_weights_of_people(
    weights: tuple[Decimal | None, Decimal | None], parts: tuple[int, int]
) -> None:
    names = [ref("people", "pm1"), ref("people", "pm2")]
    own = [
        person(one.key, bonus_weight=weight)
        for one, weight in zip(names, weights, strict=True)
    ]
    team = (person("am"), person("tl"), *own)
    scene = world(
        client(),
        unit(bonus_rate=Decimal("0.1"), pms=tuple(names)),
        *team,
        revenue(100_000, OCTOBER),
        sources=SOURCES | {"bonuses"},
    )
    (fact,) = [
        one
        for one in plan_bonuses(scene, measure_revenue(scene).value).facts
        if one.field == "amounts" and one.ref.key == KEY
    ]
    amounts = dict(line.split(": ") for line in str(fact.value).splitlines())
    shown = tuple(scene.words.money(Decimal(part)) for part in parts)
    assert (amounts["Pm1"], amounts["Pm2"]) == shown
    assert amounts["Am"] == scene.words.money(Decimal(4_000))
    is_weighed = any("bonus weight" in one.name for one in fact.why.inputs)
    assert is_weighed is (weights != (None, None))


def test_a_cent_that_cannot_be_halved_is_the_first_ones_by_name() -> None:
    given_world = scene(
        revenue("333334", OCTOBER),
        unit={"pms": (ref("people", "pm2"), ref("people", "pm"))},
    )
    found = facts_of(judge(given_world), "bonuses", KEY)
    # 16,666.70: 6,666.68, 5,000.01 (2,500.01 + 2,500.00), 5,000.01
    assert (
        found["amounts"] == "Am: €6,666.68\nPm: €2,500.01\nPm2: €2,500\nTl: €5,000.01"
    )


PEOPLE = st.lists(
    st.sampled_from("abcdefgh").map(lambda name: Ref("people", name)),
    max_size=5,
    unique=True,
)


@given(
    cents=st.integers(0, 10**10),
    people=st.fixed_dictionaries({"am": PEOPLE, "pm": PEOPLE, "tl": PEOPLE}),
    weights=st.fixed_dictionaries(
        {role: st.decimals(0, 1, places=2) for role in SHARES}
    ),
)
def test_the_parts_always_make_the_fund(
    cents: int, people: dict[str, list[Ref]], weights: dict[str, Decimal]
) -> None:
    pool = Decimal(cents) / 100
    fund = share_out(pool, people, shares=weights, minor=CENT)
    if any(people[role] and weights[role] for role in SHARES):
        assert sum(fund.parts.values()) == sum(fund.roles.values()) == pool
        assert all(part >= 0 for part in fund.parts.values())
    else:
        assert fund.parts == {}
