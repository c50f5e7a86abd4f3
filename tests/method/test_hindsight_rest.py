"""Risks, revenue and expected starts keep score like dates of cards do (docs/method.md 9.1, 9.2, 9.4)."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    client,
    row,
    unit,
    world,
)
from worker.domain.document import markdown
from worker.domain.entities import FIRM, Row, Stage
from worker.domain.periods import Grain, Period, month_of
from worker.domain.values import Ref, Span
from worker.method.formulas.bands import CHANCES
from worker.method.hindsight.spells import Spell, write_spells
from worker.method.hindsight.takings import Promise, write_promise
from worker.method.hindsight.told import Log, Start, write_log
from worker.method.measures import Measures
from worker.world.memory import Memory
from worker.world.rows import plan_key
from worker.world.world import World

A_DAY = timedelta(days=1)
U1 = Ref("units", "u1")
LATER = date(2027, 4, 1)
"""When everything that is told here has come."""


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + number * A_DAY


def lost(
    *things: object, risks: tuple[Row, ...] = (), plans: tuple[Row, ...] = ()
) -> World:
    """Return an agency as its rows alone tell of it, after a lost state."""
    return world(
        client(),
        unit(),
        *things,
        rows={"risks": risks, "plans": plans},
        today=LATER,
        memory=Memory(),
        sources=SOURCES | {"meetings"},
    )


def measured(seen: World) -> Measures:
    """Return what the rules measure."""
    return judge(seen).measures


def portfolio(seen: World) -> str:
    """Return the portfolio page."""
    for section in written(seen).sections:
        if section.ref.key.endswith("portfolio"):
            return markdown(section.blocks)
    raise AssertionError("no portfolio page")


# --- risks


def risk(number: int, *spells: Spell) -> Row:
    """Return the row of a risk that is over."""
    key = f"risk:relations.no_contact:x{number}"
    return row("risks", key, status="closed", spells=write_spells(spells))


def risky(seed: int, count: int = 500) -> list[Spell]:
    """Return risks that come true as often as their mark says."""
    dice = random.Random(seed)
    spells = []
    for number in range(count):
        mark = dice.randint(1, 5)
        opened = date(2025, 1, 1) + (number % 300) * A_DAY
        bites = opened + dice.randint(5, 60) * A_DAY
        gone = None
        if dice.random() >= float(CHANCES[mark]):
            gone = opened + dice.randint(1, (bites - opened).days) * A_DAY
        elif dice.random() < 0.5:
            gone = bites + dice.randint(1, 30) * A_DAY
        spells.append(Spell(opened, mark, bites, gone))
    return spells


@pytest.mark.parametrize("seed", range(3))
def test_five_hundred_risks_score_as_another_computation_has_it(seed: int) -> None:
    spells = risky(seed)
    rows = tuple(risk(number, spell) for number, spell in enumerate(spells))
    odds = measured(lost(risks=rows)).risk_odds
    assert odds is not None
    assert odds.brier is not None

    told = np.array([float(CHANCES[spell.mark]) for spell in spells])
    came = np.array(
        [
            float(spell.gone is None or spell.gone > (spell.bites or LATER))
            for spell in spells
        ]
    )
    assert odds.count == len(spells)
    assert float(odds.brier.score) == pytest.approx(np.mean((told - came) ** 2))

    groups: dict[float, list[float]] = defaultdict(list)
    for chance, outcome in zip(told, came, strict=True):
        groups[chance].append(outcome)
    off = sum(len(own) * (chance - np.mean(own)) ** 2 for chance, own in groups.items())
    assert float(odds.brier.reliability) == pytest.approx(off / len(spells))
    for own, chance in zip(odds.bins, sorted(groups), strict=True):
        outcomes = groups[chance]
        assert (own.came.hits, own.came.tries) == (sum(outcomes), len(outcomes))
        # Told as they come: each share lies near its chance.
        assert abs(np.mean(outcomes) - chance) < 0.15


def test_a_risk_without_a_later_day_to_bite_on_tells_nothing() -> None:
    rows = (
        risk(1, Spell(TODAY, 3)),
        risk(2, Spell(TODAY, 3, bites=TODAY)),
        risk(3, Spell(TODAY, 3, bites=LATER)),
        risk(4, Spell(TODAY, 3, bites=LATER - A_DAY)),
    )
    odds = measured(lost(risks=rows)).risk_odds
    assert odds is not None
    assert odds.count == 1


def test_risks_are_told_from_the_tenth_on() -> None:
    true = Spell(TODAY, 5, bites=day(9))
    averted = Spell(TODAY, 5, bites=day(9), gone=day(9))
    nine = [risk(number, true) for number in range(9)]
    assert "Probabilities of risks: too early to tell (9 of 10)" in portfolio(
        lost(risks=tuple(nine))
    )
    text = portfolio(lost(risks=(*nine, risk(9, averted))))
    # 0.9 was told and came nine times of ten: (9 x 0.01 + 0.81) / 10 = 0.09; reliable, all of it uncertainty.
    assert (
        "Probabilities of risks, Brier score **0.09** (0 is best): reliability 0"
        in text
    )
    assert "| 90% | 90% | 9 of 10, interval 60% to 98% |" in text


# --- revenue


def plan(unit: Ref, period: Period, told: int | None, came: int) -> Row:
    """Return the row of a plan that was told a tenth of which was pipeline."""
    text = None
    if told is not None:
        whole = Decimal(told)
        text = write_promise(Promise(period.start, whole, whole * 9 / 10))
    return row(
        "plans",
        plan_key(unit, period),
        grain=period.grain.value,
        period=Span(period.start, period.end),
        fact=Decimal(came),
        told=text,
    )


def months(count: int) -> list[Period]:
    """Return so many months before October 2026, the oldest first."""
    periods = []
    start = date(2026, 9, 1)
    for _ in range(count):
        periods.append(month_of(start))
        start = (start - A_DAY).replace(day=1)
    return periods[::-1]


def test_five_hundred_forecasts_of_revenue_are_weighed_as_another_sum_has_them() -> (
    None
):
    dice = random.Random(5)
    told = [dice.randint(100, 900) * 1000 for _ in range(500)]
    came = [round(one * dice.uniform(0.6, 1.2)) for one in told]
    rows = []
    for number in range(500):
        owner = Ref("units", f"n{number // 50}")
        period = months(50)[number % 50]
        rows.append(plan(owner, period, told[number], came[number]))
    takings = measured(lost(plans=tuple(rows))).takings[Grain.MONTH]

    reached = sum(10 * one >= 9 * other for one, other in zip(came, told, strict=True))
    assert (takings.sure.hits, takings.sure.tries) == (reached, 500)
    assert takings.bias is not None
    missed = Fraction(sum(came) - sum(told))
    assert takings.bias.mean == pytest.approx(Decimal(float(missed / 500)))
    assert takings.bias.share == pytest.approx(Decimal(float(missed / sum(told))))


def test_months_are_told_from_the_tenth_on_and_an_optimist_is_exposed() -> None:
    rows = [plan(U1, period, 100_000, 80_000) for period in months(9)]
    text = portfolio(lost(plans=tuple(rows)))
    assert "Forecasts of months: too early to tell (9 of 10)" in text

    rows = [plan(U1, period, 100_000, 80_000) for period in months(10)]
    text = portfolio(lost(plans=tuple(rows)))
    assert (
        "at least the sure part came 0% (0 of 10, interval 0% to 28%); "
        "on the mean €20,000 less came than told (20%)"
    ) in text.replace("−", "")


def test_a_month_is_told_once_before_half_of_it_is_over() -> None:
    first = date(2026, 11, 2)
    bank = client(
        engagement="retainer", monthly_fee=Decimal(210_000), since=date(2026, 7, 1)
    )
    seen = world(bank, unit(), today=first, now=at(first))
    outcome = judge(seen)
    key = plan_key(U1, month_of(first))
    text = facts_of(outcome, "plans", key)["told"]
    assert isinstance(text, str)
    promise = msgspec.json.decode(text, type=Promise)
    told = (promise.day, promise.whole, promise.sure)
    assert told == (first, Decimal(210_000), Decimal(210_000))
    assert "told" not in facts_of(outcome, "plans", plan_key(FIRM, month_of(first)))

    again = judge(applied(seen, outcome, today=first + A_DAY))
    assert "told" not in facts_of(again, "plans", key)
    late = judge(replace(seen, today=date(2026, 11, 18), now=at(date(2026, 11, 18))))
    assert "told" not in facts_of(late, "plans", key)


# --- expected starts


def test_the_first_expected_start_of_a_proposal_stands_until_its_work_begins() -> None:
    own = card(stage=Stage.PROPOSAL, jira=None, expected_start=day(20))
    seen = world(client(), unit(), own)
    first = judge(seen)
    text = facts_of(first, "projects", "p1")["forecasts"]
    assert text == write_log(Log(start=Start(TODAY, day(20))))

    put_off = replace(own, expected_start=day(40))
    seen = applied(seen, first, today=day(3))
    seen = replace(seen, cards={own.ref: put_off})
    assert facts_of(judge(seen), "projects", "p1")["forecasts"] == text

    begun = replace(own, stage=Stage.IN_PROGRESS, start=day(25))
    seen = applied(seen, judge(seen), today=day(26))
    seen = replace(seen, cards={own.ref: begun})
    outcome = judge(seen)
    text = facts_of(outcome, "projects", "p1")["forecasts"]
    assert text == write_log(Log(start=Start(TODAY, day(20), day(25))))
    assert outcome.measures.calibration is not None
    assert outcome.measures.calibration.starts.late == 5


@pytest.mark.parametrize(
    ("stage", "today", "tries"),
    [
        (Stage.PROPOSAL, day(20), 0),
        (Stage.PROPOSAL, day(21), 1),
        (Stage.AGREED, day(21), 1),
        (Stage.LOST, day(21), 0),
    ],
)
def test_a_start_that_is_put_off_and_off_is_judged_too(
    stage: Stage, today: date, tries: int
) -> None:
    log = Log(start=Start(TODAY, day(20)))
    own = card(stage=stage, jira=None, forecasts=write_log(log))
    calibration = measured(replace(lost(own), today=today)).calibration
    assert calibration is not None
    assert (calibration.starts.kept.hits, calibration.starts.kept.tries) == (0, tries)


def test_starts_are_told_from_the_tenth_on() -> None:
    cards = []
    for number in range(10):
        began = day(20 + number % 2 * 6)
        log = Log(start=Start(TODAY, day(20), began))
        own = card(f"d{number}", Stage.DONE, jira=None, forecasts=write_log(log))
        cards.append(own)
    assert "Expected starts of proposals: too early to tell (9 of 10)" in portfolio(
        lost(*cards[:9])
    )
    assert (
        "Expected starts of proposals: kept 50% (5 of 10, interval 24% to 76%); "
        "on the mean work began 3 d later."
    ) in portfolio(lost(*cards))
