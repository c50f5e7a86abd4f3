"""The cut as a page at its edges: the first Monday of a quarter, money nobody planned, models apart."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.pages.test_pages import MONDAY, agency, pages, said, table
from tests.support.worlds import TODAY, card, client, issue, row
from worker.config import Thresholds
from worker.domain.document import Heading


def test_the_first_cut_of_a_quarter_knows_the_plans_of_the_last_one() -> None:
    # 28-31 December: 4,000 as the row keeps it; 1 January is one of January's 21 days: 22,000 / 21 = 1,047.62.
    kept = row("plans", "plan:u1:2026-12-W53", target=Decimal(4_000))
    cut = pages(agency(date(2027, 1, 4), rows={"plans": (kept,)}))[
        "meeting:monday:u1:2027-01-04"
    ].blocks
    week, month, quarter = table(cut, "Plan and actual").rows
    assert week[0] == "Last week, Dec 28–31 + Jan 1–3"
    # The fee: 22,000 x 4 / 23 in December, 22,000 / 21 in January: 3,826.08 (the cents are the earlier parts') + 1,047.62.
    assert week[1:4] == ("€5,048", "€4,874", "\u2212€174")
    assert (month[0], month[1]) == ("January 2027, as of Sunday, Jan 3", "€1,048")
    assert quarter[0] == "Q1 2027, as of Sunday, Jan 3"


def test_without_the_old_plans_the_week_has_no_plan_to_compare_with() -> None:
    cut = pages(agency(date(2027, 1, 4)))["meeting:monday:u1:2027-01-04"].blocks
    assert table(cut, "Plan and actual").rows[0][1:4] == ("—", "€4,874", "—")


def test_a_cut_tells_clients_and_models_apart() -> None:
    work = [issue(number, done=date(2026, 11, 10)) for number in range(2)]
    fixed = client("c2", name="Zeta", engagement="fixed_price")
    week = row(
        "plans", "plan:u1:2026-11-W46", target=Decimal(5_000), pinned=True, title="W46"
    )
    seen = agency(
        TODAY,
        fixed,
        card("p2", client=fixed.ref, budget=Decimal(8_000)),
        work={"p2": [*work, issue(7), issue(8)]},
        rows={"plans": (week,)},
    )
    text = said(pages(seen)["meeting:monday:firm:2026-11-16"].blocks)
    # The pinned plan of 5,000 is all the retainer's, which brought 5,238; half of Zeta's 8,000 came on top.
    assert "▲ Zeta: +€4,000" in text
    assert "▲ C1: +€238 (retainer · accrued: fee by working days)" in text
    assert "By engagement model: fixed price +€4,000, retainer +€238." in text


def test_a_plan_nobody_could_be_expected_to_bring_is_nobodys() -> None:
    idle = client(engagement="tm", monthly_fee=Decimal(22_000), since=date(2025, 1, 1))
    cut = pages(agency(MONDAY, idle))["meeting:monday:u1:2026-11-16"].blocks
    assert "▼ nobody in particular: \u2212€5,238" in said(cut)
    assert "By model" not in said(cut)
    assert any(
        isinstance(block, Heading) and block.text == "Shortfall carried over"
        for block in cut
    )


def test_a_shortfall_that_no_policy_carries_is_named_all_the_same() -> None:
    # 66,000 by days, 32 of 66 behind; the retainer brought 22,000 in October and 10,476.20 by the 15th. Pinned at
    # 1,650,000, 25,000 a day, it is 800,000 - 32,476.20 short.
    quarter = row(
        "plans", "plan:u1:2026-Q4", target=Decimal(1_650_000), pinned=True, title="Q4"
    )
    limits = Thresholds(carry_over="none")
    seen = agency(MONDAY, rows={"plans": (quarter,)}, thresholds=limits)
    text = said(pages(seen)["meeting:monday:u1:2026-11-16"].blocks)
    assert "short of €767,524" in text
    assert "| Week | Target | Shortfall carried over | Together |" not in text


def test_the_shortfall_is_the_variance_of_the_quarter_as_both_are_shown() -> None:
    # As above, with 1.20 more in the quarter, 0.58 of it by the 15th: 800,000.58 is shown as 800,001, 32,476.20 as
    # 32,476, and so 767,525 is missing, although 767,524.38 rounds to 767,524.
    quarter = row(
        "plans",
        "plan:u1:2026-Q4",
        target=Decimal("1650001.20"),
        pinned=True,
        title="Q4",
    )
    for policy in ("none", "spread"):
        limits = Thresholds(carry_over=policy)
        seen = agency(MONDAY, rows={"plans": (quarter,)}, thresholds=limits)
        cut = pages(seen)["meeting:monday:u1:2026-11-16"].blocks
        (*_, to_date) = table(cut, "Plan and actual").rows
        assert to_date[1:4] == ("€800,001", "€32,476", "\u2212€767,525")
        assert "short of €767,525" in said(cut)
