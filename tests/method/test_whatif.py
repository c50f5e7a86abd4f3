"""What-if questions: each kind of change worked out by hand, bad rows, and that nothing else becomes another."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import judge
from tests.support.worlds import (
    PLAYBOOKS,
    SOURCES,
    TODAY,
    card,
    client,
    issue,
    person,
    ref,
    row,
    unit,
    world,
)
from worker.domain.document import Divider, Picture, Table
from worker.domain.entities import FIRM, Scenario, Stage
from worker.domain.periods import month_of, next_period, quarter_of
from worker.domain.values import Ref
from worker.locales import load_words
from worker.method.whatif.answers import Answer
from worker.method.whatif.asking import answer_scenarios
from worker.pages import write_pages
from worker.pages.scenario import write_scenario
from worker.pages.view import look
from worker.world.world import World

C1, U1, DEV = ref("clients", "c1"), ref("units", "u1"), ref("people", "dev")
P1, OFFER = ref("projects", "p1"), ref("projects", "offer")
DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)
Q4, Q1 = quarter_of(TODAY), next_period(quarter_of(TODAY))
UNWRITTEN = (Divider, Picture, Table)
"""Blocks without a line of text."""
QUARTER_PLAN = ref("plans", "plan:u1:2026-Q4")


def agency(*rows: Scenario) -> World:
    """Return a unit of a triangle and a developer, with a retainer of 100,000 a month and an offer of 60,000."""
    crew = [person(key, role=key, unit=U1) for key in ("am", "tl", "pm")]
    developer = person("dev", role="developer", capacity=Decimal(40), unit=U1)
    gone = person("gone", role="qa", unit=U1, end=date(2026, 10, 1))
    account = client(
        engagement="retainer", monthly_fee=Decimal(100_000), since=date(2026, 1, 1)
    )
    offer = card(
        "offer",
        Stage.PROPOSAL,
        engagement="fixed_price",
        budget=Decimal(60_000),
        probability=Decimal("0.5"),
        expected_start=DECEMBER,
        due=date(2026, 12, 31),
        jira=None,
    )
    work = card(start=date(2026, 11, 2), due=date(2026, 12, 15))
    over = card("over", Stage.DONE, jira=None)
    # 20 working days lie between today and 15 December: 80 h are 4 h a day.
    task = issue(1, assignee="dev", estimate=80 * 3600)
    plan = row("plans", "plan:u1:2026-Q4", target=Decimal(300_000))
    past = row("plans", "plan:u1:2026-Q2", target=Decimal(300_000))
    return world(
        account,
        unit(bonus_rate=Decimal("0.1")),
        *crew,
        developer,
        gone,
        offer,
        work,
        over,
        work={"p1": [task]},
        issues={task.id: task},
        scenarios={one.ref: one for one in rows},
        sources=SOURCES | {"scenarios", "plans"},
        rows={"plans": (plan, past)},
    )


def ask(what: str | None, *subjects: Ref, key: str = "s1", **fields: Any) -> Scenario:
    """Return a row of the scenario `What if`."""
    name = fields.pop("name", "What if")
    return Scenario(ref("scenarios", key), name, what=what, subjects=subjects, **fields)


def answer(*rows: Scenario) -> Answer:
    """Return what the first row's page tells."""
    seen = agency(*rows)
    return answer_scenarios(seen, judge(seen), PLAYBOOKS).measures.answers[rows[0].ref]


def forecasts(found: Answer, unit: Ref = FIRM) -> dict[str, tuple[int, int]]:
    """Return the forecasts that differ, by period."""
    return {
        line.period.code: (
            int(line.forecast.before or 0),
            int(line.forecast.after or 0),
        )
        for line in found.money
        if line.unit == unit and line.forecast.differs
    }


def numbers(*values: Decimal | None) -> tuple[float, ...]:
    """Return figures as plain numbers."""
    return tuple(float(value or 0) for value in values)


def test_a_lost_client_brings_nothing_from_its_day_on() -> None:
    """Three fees and half of the offer: 330,000; without December 200,000, and the offer is lost with its client."""
    found = answer(ask("lose_client", C1, start=DECEMBER))
    assert forecasts(found)["2026-Q4"] == (330_000, 200_000)
    assert forecasts(found)["2026-12"] == (130_000, 0)
    assert forecasts(found)["2027-Q1"] == (300_000, 0)
    funds = {line.period: line.fund for line in found.bonuses}
    assert numbers(funds[Q4].before, funds[Q4].after) == (33_000, 20_000)
    assert numbers(funds[Q1].before, funds[Q1].after) == (30_000, 0)


def test_the_work_of_a_lost_client_ends_with_it() -> None:
    """4 h a day: the week of 30 November keeps its Monday alone, the next has nothing.

    The offer, half of 60 h, lies on the 40 working days of eight weeks from 1 December on: 0.75 h a day.
    """
    found = answer(ask("lose_client", C1, start=DECEMBER))
    weeks = {
        str(monday): numbers(pair.before.load, pair.after.load)
        for line in found.load
        for monday, pair in line.weeks.items()
    }
    assert weeks["2026-11-23"] == (20, 20)
    assert weeks["2026-11-30"] == (23, 4)
    assert weeks["2026-12-07"] == (23.75, 0)


def test_another_fee_counts_from_its_day_on() -> None:
    found = answer(ask("fee", C1, value=Decimal(150_000), start=JANUARY))
    assert forecasts(found)["2027-Q1"] == (300_000, 450_000)
    assert "2026-Q4" not in forecasts(found)


def test_a_won_proposal_is_committed_whole() -> None:
    """The offer was worth half of 60,000; its client's unit has the same."""
    found = answer(ask("win", OFFER))
    assert forecasts(found)["2026-Q4"] == (330_000, 360_000)
    assert forecasts(found, U1)["2026-12"] == (130_000, 160_000)


def test_a_moved_start_moves_the_money() -> None:
    """From 1 to 31 January instead of December: the start is behind the old due date, but that moves too."""
    found = answer(
        ask("move_start", OFFER, start=JANUARY),
        ask("move_due", OFFER, key="s2", start=date(2027, 1, 31)),
    )
    assert forecasts(found)["2026-Q4"] == (330_000, 300_000)
    assert forecasts(found)["2027-01"] == (100_000, 130_000)


def test_a_pinned_amount_is_the_target() -> None:
    found = answer(ask("pin", QUARTER_PLAN, value=Decimal(450_000)))
    targets = {
        (line.unit, line.period.code): numbers(line.target.before, line.target.after)
        for line in found.money
    }
    assert targets[U1, "2026-Q4"] == (300_000, 450_000)
    assert targets[FIRM, "2026-Q4"] == (300_000, 450_000)
    assert forecasts(found) == {}


def test_another_person_has_hours_and_no_work() -> None:
    found = answer(ask("add_person", U1, role="developer", start=date(2026, 11, 30)))
    (line,) = found.load
    weeks = {str(day): pair for day, pair in line.weeks.items()}
    before, after = weeks["2026-11-23"].before, weeks["2026-11-23"].after
    assert numbers(before.capacity, after.capacity) == (40, 40)
    before, after = weeks["2026-11-30"].before, weeks["2026-11-30"].after
    assert numbers(before.capacity, after.capacity) == (40, 80)
    assert numbers(before.load, after.load) == (23, 23)


def test_a_unit_that_loses_its_lead_is_no_triangle() -> None:
    found = answer(ask("lose_person", ref("people", "tl"), start=DECEMBER))
    assert "team.triangle" in {risk.signal for risk in found.opening}


def test_a_person_lost_has_no_hours_any_more() -> None:
    found = answer(ask("lose_person", DEV, start=date(2026, 12, 7)))
    (line,) = found.load
    week = line.weeks[date(2026, 12, 7)]
    assert numbers(week.before.capacity, week.after.capacity) == (40, 0)


def test_another_rate_of_who_works_in_a_retainer_changes_no_money() -> None:
    found = answer(ask("rate", DEV, value=Decimal(2000)))
    assert forecasts(found) == {}


SAME = [
    ask("fee", C1, value=Decimal(100_000)),
    ask("rate", DEV, value=Decimal(1000)),
    ask("move_due", P1, start=date(2026, 12, 15)),
    ask("move_start", OFFER, start=DECEMBER),
]


@pytest.mark.parametrize("same", SAME, ids=lambda same: str(same.what))
def test_what_is_so_already_changes_nothing(same: Scenario) -> None:
    found = answer(same)
    assert found.is_empty
    assert found.assumed == (same,)


def test_a_question_changes_nothing_but_its_own_rows() -> None:
    rows = (ask("lose_client", C1), ask("lose_person", DEV, key="s2", name="Other"))
    seen = agency(*rows)
    real = agency()
    outcome = judge(seen)
    told = write_pages(seen, answer_scenarios(seen, outcome, PLAYBOOKS))
    plain = write_pages(real, judge(real))
    own = {one.ref for one in rows}
    assert {one.ref for one in told.sections} - {
        one.ref for one in plain.sections
    } == own
    assert [one for one in told.facts if one.ref not in own] == list(plain.facts)
    assert [one for one in told.sections if one.ref not in own] == list(plain.sections)
    assert told.memory == plain.memory


def test_a_question_is_answered_the_same_after_the_run_was_remembered() -> None:
    rows = (ask("lose_client", C1, start=DECEMBER),)
    seen = agency(*rows)
    first = answer_scenarios(seen, judge(seen), PLAYBOOKS)
    later = replace(seen, memory=first.memory)
    again = answer_scenarios(later, judge(later), PLAYBOOKS)
    assert again.measures.answers == first.measures.answers


BAD = [
    (ask(None, C1), "it does not say what changes", "choose what is to change"),
    (ask("lose_client"), "it names nothing that changes", "choose one client"),
    (
        ask("lose_client", C1, DEV),
        "it names 2 things where one is meant",
        "choose one client",
    ),
    (
        ask("lose_client", DEV),
        "it names something else than what changes",
        "choose one client",
    ),
    (
        ask("lose_client", ref("clients", "nobody")),
        "it names something that is not there",
        "choose one client",
    ),
    (
        ask("lose_client", C1, start=date(2026, 11, 17)),
        "the date 2026-11-17 is past",
        "choose today or a later day",
    ),
    (
        ask("lose_client", C1, start=date(2199, 1, 1)),
        "nothing can be told of a day so far ahead",
        "choose one within 10 years",
    ),
    (
        ask("lose_person", ref("people", "gone")),
        "Gone has left already",
        "choose somebody who works here",
    ),
    (ask("fee", C1), "the amount is missing", "enter the amount"),
    (
        ask("fee", C1, value=Decimal(-1)),
        "an amount is not below zero",
        "enter zero or more",
    ),
    (
        ask("rate", DEV, value=Decimal(0)),
        "a rate is above zero",
        "enter more than zero",
    ),
    (ask("add_person", U1), "the role is missing", "choose the role of the new person"),
    (
        ask("add_person", U1, role="qa", value=Decimal(200)),
        "nobody works so many hours a week",
        "enter hours a week, or leave the amount empty for 40",
    ),
    (ask("move_due", P1), "the date is missing", "enter the new date"),
    (
        ask("move_due", ref("projects", "over"), start=DECEMBER),
        "the card is over",
        "choose one that is not over",
    ),
    (
        ask("move_start", P1, start=JANUARY),
        "the card is due before that, on 2026-12-15",
        "choose an earlier day, or move the due date too",
    ),
    (ask("win", P1), "the card is no open proposal", "choose one that is not won"),
    (
        ask("pin", ref("plans", "plan:u1:2026-Q2"), value=Decimal(1)),
        "the plan's period is over",
        "choose a plan that still runs",
    ),
]


@pytest.mark.parametrize(("bad", "said", "hint"), BAD, ids=[said for _, said, _ in BAD])
def test_a_row_that_cannot_be_asked_says_why_and_the_others_go_on(
    bad: Scenario, said: str, hint: str
) -> None:
    good = ask("fee", C1, key="s2", name="WHAT  IF", value=Decimal(1), start=JANUARY)
    found = answer(bad, good)
    (fault,) = found.faults
    assert (english(fault.said), english(fault.hint)) == (said, hint)
    assert found.assumed == (good,)
    assert month_of(JANUARY).code in forecasts(found)


@pytest.mark.parametrize(("bad", "said", "hint"), BAD, ids=[said for _, said, _ in BAD])
def test_the_page_of_a_row_that_cannot_be_asked_tells_the_way_out(
    bad: Scenario, said: str, hint: str
) -> None:
    sentence = f"{said[0].upper()}{said[1:]} → {hint}."
    assert page_of(bad, "en")[0] == sentence
    russian, *_ = page_of(bad, "ru")
    assert " → " in russian
    assert re.search("[a-z]{2}", russian.replace("Gone", "")) is None


def page_of(row: Scenario, locale: str) -> list[str]:
    """Return the lines of a scenario's page in a language."""
    seen = replace(agency(row), words=load_words(locale, "EUR"))
    outcome = answer_scenarios(seen, judge(seen), PLAYBOOKS)
    blocks = write_scenario(look(seen, outcome), outcome.measures.answers[row.ref])
    return [block.text for block in blocks if not isinstance(block, UNWRITTEN)]


def test_all_that_is_wrong_with_a_row_is_told_each_part_once() -> None:
    found = answer(ask("fee", C1, DEV, value=Decimal(-1), start=date(2026, 1, 1)))
    assert [fault.part for fault in found.faults] == ["subject", "value", "date"]


def test_what_moves_within_a_quarter_is_told_by_its_month() -> None:
    """30,000 lie on the working days of December; from 20 November on a part of them comes earlier."""
    sentence, *_ = page_of(ask("move_start", OFFER, start=date(2026, 11, 20)), "en")
    assert sentence.startswith("The firm's forecast of November 2026: +€")
