"""Conditions of running cards before a date slips: scope, budget, one carrier, quality, stale data (docs/method.md 1.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of, people_see
from tests.support.worlds import (
    TODAY,
    applied,
    at,
    card,
    client,
    issue,
    person,
    unit,
    world,
)
from worker.domain.entities import Issue, Move, Stage
from worker.domain.values import Ref
from worker.method.delivery.quality import TESTS, count_weeks, find_quality_conditions
from worker.method.measures import CardMeasure, Condition
from worker.world.world import World

P1 = Ref("projects", "p1")
WHOLE: dict[str, Any] = {"total": 20, "open": 10, "done": 10}


def day(number: int) -> Any:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def seen(*issues: Issue, **fields: Any) -> World:
    """Return a world with one running card of 100,000."""
    return world(
        client(),
        unit(),
        card(**{"budget": Decimal(100_000), **fields}),
        work={"p1": issues},
    )


def look(signal: str, around: World | None = None, **measured: Any) -> Condition:
    """Return one condition of card p1 when it was measured so."""
    cards = {P1: CardMeasure(P1, **{**WHOLE, **measured})}
    found = find_quality_conditions(around or seen(), cards).conditions
    (condition,) = (one for one in found if one.signal == signal and one.subject == P1)
    return condition


def made(number: int, days_ago: int, kind: str = "Story") -> Issue:
    """Return an open issue made so many days ago."""
    return issue(number, created=day(-days_ago), updated=at(day(0)), type=kind)


def finished(number: int, days_ago: int, *, again: bool = False) -> Issue:
    """Return an old issue finished so many days ago; `again` reopened and finished a second time on the same day."""
    when = at(day(-days_ago))
    moves = [
        Move(when - timedelta(days=1), "new", "indeterminate"),
        Move(when, "indeterminate", "done"),
    ]
    if again:
        moves += [
            Move(when + timedelta(hours=1), "done", "indeterminate"),
            Move(when + timedelta(hours=2), "indeterminate", "done"),
        ]
    return issue(
        number, created=day(-200), updated=when, category="done", moves=tuple(moves)
    )


@pytest.mark.parametrize(
    ("measured", "holds", "mark"),
    [
        ({"scope_change": Decimal("0.2")}, False, None),
        ({"scope_change": Decimal("0.21")}, True, 3),
        ({"scope_change": Decimal("0.41")}, True, 4),
        ({"scope_change": Decimal("0.61")}, True, 5),
        ({"scope_change": None}, None, None),
        ({"scope_change": Decimal(2), "open": 0}, False, None),
        ({"scope_change": Decimal(2), "known": False}, None, None),
    ],
)
def test_scope_grows_when_a_fifth_was_added_in_four_weeks(
    measured: dict[str, Any], holds: bool | None, mark: int | None
) -> None:
    found = look("scope.growth", **measured)
    assert found.holds is holds
    if mark is not None:
        assert (found.kind, found.probability) == ("deadline", mark)


@pytest.mark.parametrize(
    ("burn", "progress", "holds", "mark"),
    [
        ("0.55", "0.40", False, None),
        ("0.56", "0.40", True, 3),
        ("0.71", "0.40", True, 4),
        ("0.86", "0.40", True, 5),
        ("1.00", "0.80", True, 5),
        ("0.40", "0.90", False, None),
        (None, "0.4", None, None),
        ("0.4", None, None, None),
    ],
)
def test_the_budget_burns_ahead_by_more_than_fifteen_points(
    burn: str | None, progress: str | None, holds: bool | None, mark: int | None
) -> None:
    found = look(
        "money.burn",
        burn=burn and Decimal(burn),
        progress=progress and Decimal(progress),
    )
    assert found.holds is holds
    if mark is not None:
        assert (found.kind, found.probability) == ("money", mark)


def test_burning_says_what_the_whole_work_will_cost() -> None:
    # 60 % of 100,000 for 40 % of the work: 100,000 x 0.6 / 0.4 = 150,000.
    found = look("money.burn", burn=Decimal("0.6"), progress=Decimal("0.4"))
    assert found.evidence == (
        "60% of the budget is spent for 40% of the work. "
        "At this rate the whole work costs €150,000 of €100,000."
    )
    nothing = look("money.burn", burn=Decimal("0.6"), progress=Decimal(0))
    assert nothing.evidence == "60% of the budget is spent for 0% of the work."


def test_without_a_budget_nothing_burns() -> None:
    assert look("money.burn", seen(budget=None), burn=None).holds is False


@pytest.mark.parametrize(
    ("measured", "holds", "mark"),
    [
        ({"top_share": Decimal("0.6"), "hours": Decimal(80)}, False, None),
        ({"top_share": Decimal("0.61"), "hours": Decimal(80)}, True, 3),
        ({"top_share": Decimal("0.81"), "hours": Decimal(80)}, True, 4),
        ({"top_share": Decimal(1), "hours": Decimal(39)}, None, None),
        ({"top_share": Decimal(1), "hours": None}, True, 4),
        ({"top_share": Decimal(1), "hours": None, "open": 4}, None, None),
        ({"top_share": None, "hours": Decimal(80)}, None, None),
        ({"top_share": Decimal(1), "hours": Decimal(80), "open": 0}, False, None),
    ],
)
def test_one_person_carries_more_than_sixty_percent(
    measured: dict[str, Any], holds: bool | None, mark: int | None
) -> None:
    found = look("team.bus_factor", top_person="Dora", **measured)
    assert found.holds is holds
    if mark is not None:
        assert (found.kind, found.probability) == ("team", mark)
        assert found.evidence.startswith("Dora carries ")


def test_counts_fall_into_the_last_four_weeks_or_the_four_before() -> None:
    # With 28 days a span the last one begins 27 days ago, the one before 55 days ago.
    issues = [
        made(1, 0),
        made(2, 27, "Bug"),
        made(3, 28, "bug"),
        made(4, 55),
        made(5, 56),
        finished(6, 27, again=True),
        finished(7, 28),
        finished(8, 56, again=True),
    ]
    before, after = count_weeks(issues, seen())
    assert (after.created, after.defects, after.finished, after.reopened) == (
        2,
        1,
        1,
        1,
    )
    assert (before.created, before.defects, before.finished, before.reopened) == (
        2,
        1,
        1,
        0,
    )


def old_and_new(old: int, new: int, *, of: int = 10) -> World:
    """Return a world in which so many of ten finished items were reopened, before and in the last four weeks."""
    items = [finished(n, 40, again=n < old) for n in range(of)]
    return seen(*items, *(finished(100 + n, 10, again=n < new) for n in range(of)))


@pytest.mark.parametrize(
    ("old", "new", "holds", "mark"),
    [
        (2, 3, True, 3),
        (2, 2, False, None),
        (3, 4, False, None),
        (0, 1, False, None),
        (0, 2, True, 4),
        (1, 3, True, 4),
        (4, 1, False, None),
    ],
)
def test_quality_falls_when_reopening_is_up_by_half(
    old: int, new: int, holds: bool, mark: int | None
) -> None:
    found = look("quality.falling", old_and_new(old, new))
    assert found.holds is holds
    if mark is not None:
        assert (found.kind, found.probability) == ("other", mark)
        assert (
            found.evidence
            == f"Reopened issues are {new * 10}% of the finished ones in 4 weeks, {old * 10}% before."
        )


def test_quality_falls_when_defects_are_up_by_half() -> None:
    # One defect of ten before, two of eight since: 10 % and 25 %.
    issues = [made(n, 40, "Bug" if n < 1 else "Story") for n in range(10)]
    issues += [made(100 + n, 5, "Bug" if n < 2 else "Story") for n in range(8)]
    found = look("quality.falling", seen(*issues))
    assert found.holds is True
    assert found.evidence == "Defects are 25% of the new issues in 4 weeks, 10% before."


def test_too_few_items_tell_nothing_of_quality() -> None:
    assert look("quality.falling", old_and_new(0, 4, of=4)).holds is None
    assert look("quality.falling", old_and_new(0, 4, of=4), open=0).holds is False


def test_a_link_that_leads_nowhere_is_stale_at_once() -> None:
    found = look("data.stale", total=0, open=0, done=0)
    assert (found.holds, found.evidence) == (
        True,
        "The Jira link of this running card leads to no work.",
    )
    assert look("data.stale").holds is False


def test_work_that_cannot_be_read_is_stale_from_the_third_day_on() -> None:
    unread = replace(seen(), work={})
    for number in range(3):
        outcome = judge(replace(unread, today=day(number)))
        assert "risk:data.stale:p1" not in keys_of(outcome, "risks")
        unread = applied(unread, outcome)
    third = judge(replace(unread, today=day(3)))
    unread = applied(unread, third)
    assert (
        facts_of(third, "risks", "risk:data.stale:p1")["evidence"]
        == "The Jira work of this card cannot be read since Nov 18, 2026."
    )
    back = replace(unread, work=seen(made(1, 5)).work, today=day(4))
    first = judge(back)
    again = judge(replace(applied(back, first), today=day(5)))
    assert "risk:data.stale:p1" not in keys_of(first, "risks")
    facts = facts_of(again, "risks", "risk:data.stale:p1")
    assert people_see(facts) == {"status": "closed"}


@pytest.mark.parametrize(
    "fields", [{"stage": Stage.IDEA}, {"stage": Stage.DONE}, {"jira": None}]
)
def test_only_running_linked_cards_are_looked_at(fields: dict[str, Any]) -> None:
    bad = {
        "scope_change": Decimal(2),
        "burn": Decimal(2),
        "progress": Decimal(0),
        "top_share": Decimal(1),
        "hours": Decimal(80),
    }
    assert [look(signal, seen(**fields), **bad).holds for signal in TESTS] == [
        False
    ] * 5


def test_nothing_is_known_of_a_card_that_was_not_measured() -> None:
    found = find_quality_conditions(seen(), {}).conditions
    assert [condition.holds for condition in found] == [None] * 5


def test_one_carrier_is_a_risk_of_the_team_that_its_lead_answers() -> None:
    mine = [
        issue(n, created=day(-50), updated=at(day(0)), assignee="dora")
        for n in range(6)
    ]
    around = seen(*mine, due=day(90), stage=Stage.EVOLUTION)
    outcome = judge(replace(around, people={Ref("people", "dora"): person("dora")}))
    facts = facts_of(outcome, "risks", "risk:team.bus_factor:p1")
    # The card is all the client has committed (mark 5); one person has everything (mark 4).
    assert (facts["probability"], facts["impact"], facts["level"], facts["kind"]) == (
        4,
        5,
        "high",
        "team",
    )
    assert facts["owner"] == (Ref("people", "tl"),)
    assert facts_of(outcome, "tasks", "task:answer_risk:p1")["assignee"] == (
        Ref("people", "tl"),
    )
