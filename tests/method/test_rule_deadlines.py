"""Risks of deadlines: opened once, kept, closed and opened again (docs/method.md 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, people_see
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    applied,
    at,
    card,
    changed,
    client,
    issue,
    person,
    row,
    steady,
    unit,
    worked,
    world,
)
from worker.domain.entities import Issue, Move, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.delivery.deadlines import find_deadline_conditions
from worker.method.outcome import Outcome
from worker.world.memory import Memory
from worker.world.world import World

P1 = Ref("projects", "p1")
STALLED = "risk:deadline.stalled:p1"
STILL = [issue(n, updated=at(TODAY - timedelta(days=20))) for n in range(4)]
MOVING = [issue(n, updated=at(TODAY)) for n in range(4)]


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def running(issues: Sequence[Issue] = STILL, **fields: object) -> World:
    """Return a world with one card in evolution (so without a baseline) whose work stands still."""
    given: dict[str, Any] = {
        "stage": Stage.EVOLUTION,
        "due": day(60),
        "budget": Decimal(700),
        **fields,
    }
    return world(
        client(monthly_fee=Decimal(100)),
        unit(),
        person("am"),
        person("pm"),
        card(**given),
        work={"p1": issues},
    )


def lived(
    seen: World, outcome: Outcome, number: int, *, issues: Sequence[Issue]
) -> World:
    """Return the world some days later, after applying, with other issues."""
    later = applied(seen, outcome, today=day(number))
    return replace(later, work={P1: replace(later.work[P1], issues=tuple(issues))})


def risk(outcome: Outcome, key: str = STALLED) -> dict[str, Value | Unset]:
    """Return the facts of one risk row, but for what it keeps for the quarter's score."""
    return people_see(facts_of(outcome, "risks", key))


def keys(outcome: Outcome) -> set[str]:
    """Return the keys of all risk rows of deadlines that have facts, but for the note of when each was open."""
    return {
        fact.ref.key
        for fact in outcome.facts
        if fact.ref.source == "risks"
        and ":deadline." in fact.ref.key
        and fact.field != "spells"
    }


def gone_for_two_days() -> tuple[World, Outcome]:
    """Return the world and outcome on the second day without the condition, the risk having opened on TODAY."""
    seen = running()
    outcome = judge(seen)
    for number in (1, 2):
        seen = lived(seen, outcome, number, issues=MOVING)
        outcome = judge(seen)
    return seen, outcome


def test_a_stalled_card_opens_a_risk_with_numbers_steps_and_owner() -> None:
    facts = risk(judge(running()))
    # Stake 700 of 700 + 3 x 100 committed: 70 %, mark 5; 20 days: mark 3; 15 is high; 0.5 x 700.
    assert (facts["probability"], facts["impact"], facts["score"], facts["level"]) == (
        3,
        5,
        15,
        "high",
    )
    assert facts["exposure"] == 350
    assert facts["evidence"] == "Nothing has moved in Jira since Oct 29, 2026."
    assert (facts["first_seen"], facts["last_change"], facts["horizon"]) == (
        TODAY,
        TODAY,
        day(60),
    )
    assert facts["owner"] == (Ref("people", "am"),)
    first, second = str(facts["steps"]).splitlines()
    assert first.startswith("November 2026 · Week 47 · Nov 19: Find out")
    assert second.startswith("November 2026 · Week 48 · Nov 25: Restart")


def test_each_signal_has_its_condition() -> None:
    slow = steady(12, 40)
    cases: list[tuple[str, World, bool]] = [
        ("p_on_time", running(slow, due=day(20)), True),
        ("p_on_time", running(slow, due=day(900)), False),
        ("p_on_time", running(slow, due=None), False),
        (
            "spi",
            running(slow, due=day(2), start=day(-60), stage=Stage.IN_PROGRESS),
            True,
        ),
        ("spi", running(slow, due=day(900), stage=Stage.IN_PROGRESS), False),
        ("overdue", running(slow, due=day(-1)), True),
        ("overdue", running([*MOVING, issue(9, due=day(-1))]), True),
        ("overdue", running(slow), False),
        ("overdue", running(steady(12, 0), due=day(-1)), False),
        ("no_due", running(slow, due=None, stage=Stage.IN_PROGRESS), True),
        (
            "no_due",
            running(slow, due=None, engagement="retainer", stage=Stage.IN_PROGRESS),
            False,
        ),
        ("no_due", running(slow, due=None, stage=Stage.EVOLUTION), False),
        ("no_due", running(slow, due=None, stage=Stage.AGREED), True),
        ("no_due", running(slow, due=None, stage=Stage.IDEA), False),
        ("stalled", running(), True),
        ("stalled", running(stage=Stage.AGREED), False),
        ("spi", running(stage=Stage.AGREED), False),
        ("overdue", running(stage=Stage.AGREED, due=day(-3)), False),
    ]
    wrong = [
        (signal, expected)
        for signal, seen, expected in cases
        if (f"risk:deadline.{signal}:p1" in keys(judge(seen))) is not expected
    ]
    assert wrong == []


def test_an_item_older_than_the_others_took_stands_in_the_evidence() -> None:
    # Ten items took two days each (the 85th percentile is 2); one is in work since 20 days ago.
    quick = [worked(n, day(-40 - n), day(-39 - n)) for n in range(10)]
    stuck = issue(
        99,
        category="indeterminate",
        updated=at(day(-20)),
        moves=(Move(at(day(-20)), "new", "indeterminate"),),
    )
    assert risk(judge(running([*quick, stuck])))["evidence"] == (
        "Nothing has moved in Jira since Oct 29, 2026. "
        "ACME-99 is in work since Oct 29, 2026; 85% of the others took up to 2 days."
    )


def ageing(begun: int, *, took: int = 5, finished: int = 12) -> World:
    """Return a running card of which one item was begun so many days ago, and so many took `took` days each."""
    quick = [
        worked(n, day(-40 - n), day(-40 - n + took - 1), updated=at(TODAY))
        for n in range(finished)
    ]
    stuck = issue(
        99,
        category="indeterminate",
        updated=at(TODAY),
        moves=(Move(at(day(-begun)), "new", "indeterminate"),),
    )
    return running([*quick, stuck])


@pytest.mark.parametrize(
    ("begun", "took", "mark"),
    [
        # Begun 119 days ago it is in its 120th day, against five: 24 times.
        (119, 5, 4),
        # The day of the beginning counts for both: the sixth day against five, once and a fifth.
        (5, 5, 2),
        (4, 5, None),
        # The eleventh day against five is 2.2 times; the fortieth 8 times, the forty-first more.
        (10, 5, 3),
        (39, 5, 3),
        (40, 5, 4),
        # Where items take a day, no item of up to five days is old.
        (4, 1, None),
        (5, 1, 3),
    ],
)
def test_an_item_older_than_most_took_is_a_risk(
    begun: int, took: int, mark: int | None
) -> None:
    outcome = judge(ageing(begun, took=took))
    key = "risk:deadline.ageing:p1"
    assert (key in keys(outcome)) is (mark is not None)
    if mark is not None:
        facts = risk(outcome, key)
        assert facts["probability"] == mark
        assert f"up to {took} day" in str(facts["evidence"])


def test_few_finished_items_make_no_item_old() -> None:
    assert "risk:deadline.ageing:p1" not in keys(judge(ageing(119, finished=9)))


def test_an_item_that_came_back_is_as_old_as_its_second_beginning() -> None:
    """Begun 60 days ago, done, and begun again two days ago: it is in its third day."""
    moves = (
        Move(at(day(-60)), "new", "indeterminate"),
        Move(at(day(-50)), "indeterminate", "done"),
        Move(at(day(-2)), "done", "indeterminate"),
    )
    back = issue(7, category="indeterminate", updated=at(TODAY), moves=moves)
    assert judge(running([back])).measures.cards[P1].oldest_age == 3


def test_a_card_of_nobody_is_weighed_in_the_middle() -> None:
    facts = risk(judge(world(card(client=None), work={"p1": STILL})))
    assert (facts["impact"], facts["exposure"], facts["client"], facts["unit"]) == (
        3,
        None,
        (),
        (),
    )


def test_impact_grows_with_the_share_of_the_clients_money() -> None:
    others = [
        card(f"x{n}", Stage.AGREED, budget=Decimal(100), jira=None) for n in range(9)
    ]
    for budget, mark in ((50, 2), (150, 3), (300, 4), (900, 5)):
        seen = world(
            client(), unit(), card(budget=Decimal(budget)), *others, work={"p1": STILL}
        )
        assert risk(judge(seen))["impact"] == mark


def test_a_second_run_of_the_day_says_the_same() -> None:
    seen = running()
    first = judge(seen)
    second = judge(applied(seen, first))
    assert risk(second).items() <= risk(first).items()
    assert second.memory.occurrences == first.memory.occurrences


def test_one_quiet_day_does_not_close_a_risk() -> None:
    seen = running()
    seen = lived(seen, judge(seen), 1, issues=MOVING)
    first = judge(seen)
    again = judge(applied(seen, first))
    assert STALLED not in keys(first) | keys(again)
    assert facts_of(again, "clients", "c1")["open_risks"] == 1


def test_a_risk_closes_on_the_second_day_without_its_condition() -> None:
    seen, outcome = gone_for_two_days()
    assert risk(outcome) == {"status": "closed"}
    assert risk(judge(applied(seen, outcome))) == {"status": "closed"}
    assert facts_of(outcome, "clients", "c1")["open_risks"] == 0


def test_a_condition_that_flickers_within_a_day_is_still_there() -> None:
    seen = running()
    seen = lived(seen, judge(seen), 1, issues=MOVING)
    back = lived(seen, judge(seen), 1, issues=STILL)
    seen = lived(back, judge(back), 2, issues=MOVING)
    assert STALLED not in keys(judge(seen))


def test_a_risk_that_closed_itself_opens_again_in_its_row() -> None:
    seen, outcome = gone_for_two_days()
    facts = risk(judge(lived(seen, outcome, 9, issues=STILL)))
    assert (facts["status"], facts["first_seen"]) == ("open", day(9))
    assert "steps" not in facts


def test_a_risk_closed_by_a_person_stays_closed_while_its_condition_lasts() -> None:
    seen = running()
    outcome = judge(seen)
    for number in (1, 5, 30):
        seen = changed(
            lived(seen, outcome, number, issues=STILL),
            "risks",
            STALLED,
            status="closed",
        )
        outcome = judge(seen)
        assert keys(outcome) == set()


def test_after_a_persons_closure_the_next_time_is_a_new_row() -> None:
    seen = running()
    outcome = judge(seen)
    for number, issues in ((1, STILL), (2, MOVING), (3, MOVING)):
        seen = changed(
            lived(seen, outcome, number, issues=issues),
            "risks",
            STALLED,
            status="closed",
        )
        outcome = judge(seen)
    outcome = judge(lived(seen, outcome, 4, issues=STILL))
    assert keys(outcome) == {f"{STALLED}#2"}
    assert "steps" in risk(outcome, f"{STALLED}#2")


def test_a_deleted_risk_row_is_a_persons_closure() -> None:
    seen = running()
    later = lived(seen, judge(seen), 1, issues=STILL)
    gone = replace(later, rows={}, trashed=frozenset({Ref("risks", STALLED)}))
    assert keys(judge(gone)) == set()


def test_a_person_may_open_a_closed_risk_again() -> None:
    seen = running()
    closed = changed(
        lived(seen, judge(seen), 1, issues=STILL), "risks", STALLED, status="closed"
    )
    outcome = judge(closed)
    reopened = changed(
        lived(closed, outcome, 2, issues=STILL), "risks", STALLED, status="watching"
    )
    assert risk(judge(reopened))["level"] == "high"


def test_a_snoozed_risk_keeps_its_status_and_counts_again_after_its_date() -> None:
    seen = running()
    later = lived(seen, judge(seen), 1, issues=STILL)
    asleep = changed(later, "risks", STALLED, status="snoozed", snooze_until=day(10))
    outcome = judge(asleep)
    assert "status" not in risk(outcome)
    assert facts_of(outcome, "clients", "c1")["open_risks"] == 0
    woken = judge(replace(asleep, today=day(10)))
    assert risk(woken)["status"] == "open"
    undated = changed(later, "risks", STALLED, status="snoozed")
    assert "status" not in risk(judge(undated))


def test_a_persons_marks_are_used_in_the_score() -> None:
    seen = running()
    later = lived(seen, judge(seen), 1, issues=STILL)
    facts = risk(judge(changed(later, "risks", STALLED, probability=Decimal(1))))
    assert (facts["probability"], facts["score"], facts["level"]) == (1, 5, "low")
    assert facts["last_change"] == day(1)
    assert risk(judge(later))["score"] == 15


def test_a_mark_changes_only_when_a_second_day_confirms_it() -> None:
    # From 29 days of silence on the mark is 4 instead of 3.
    seen = running()
    outcome = judge(seen)
    marks = []
    for number in (9, 10):
        seen = lived(seen, outcome, number, issues=STILL)
        outcome = judge(seen)
        marks.append(risk(outcome)["probability"])
    assert marks == [3, 4]


def test_unknown_is_neither_there_nor_gone() -> None:
    seen = running()
    outcome = judge(seen)
    for number in (1, 2, 3):
        seen = replace(applied(seen, outcome, today=day(number)), work={})
        outcome = judge(seen)
        assert STALLED not in keys(outcome)
    assert outcome.memory.occurrences[STALLED].gone is None


def test_the_risks_of_a_card_that_is_gone_close() -> None:
    seen = running()
    outcome = judge(seen)
    for number in (1, 2):
        seen = replace(applied(seen, outcome, today=day(number)), cards={})
        outcome = judge(seen)
    assert risk(outcome) == {"status": "closed"}


def test_a_first_run_closes_nothing_and_learns_from_the_rows() -> None:
    left = row("risks", STALLED, status="open", first_seen=day(-30))
    seen = replace(running(MOVING), rows={"risks": (left,)}, memory=Memory())
    outcome = judge(seen)
    again = judge(lived(seen, outcome, 1, issues=MOVING))
    assert risk(outcome) == {}
    assert risk(again) == {"status": "closed"}
    assert again.memory.occurrences[STALLED].opened == day(-30)


def test_peoples_own_lines_are_never_written() -> None:
    own = row(
        "risks",
        "page",
        worker=False,
        status="open",
        client=(Ref("clients", "c1"),),
        probability=Decimal(5),
        impact=Decimal(4),
    )
    outcome = judge(replace(running(MOVING), rows={"risks": (own,)}))
    assert keys(outcome) == set()
    assert facts_of(outcome, "clients", "c1")["open_risks"] == 1


def test_a_signal_without_a_response_has_no_steps() -> None:
    assert "steps" not in risk(judge(running(), replace(PLAYBOOKS, responses={})))


def test_conditions_are_unknown_when_progress_could_not_be_measured() -> None:
    found = find_deadline_conditions(running(), {}).conditions
    assert {condition.holds for condition in found} == {None}


@pytest.mark.parametrize(
    ("days", "probability"), [(14, None), (15, 3), (28, 3), (29, 4)]
)
def test_work_stands_still_after_fourteen_days_and_long_after_twice_as_many(
    days: int, probability: int | None
) -> None:
    outcome = judge(running([issue(1, updated=at(day(-days)))]))
    assert (STALLED in keys(outcome)) is (probability is not None)
    if probability is not None:
        assert risk(outcome)["probability"] == probability


@pytest.mark.parametrize(
    ("late", "still_open", "holds"), [(1, 5, True), (1, 6, False), (2, 10, True)]
)
def test_a_fifth_of_the_open_items_overdue_is_a_risk(
    late: int, still_open: int, holds: bool
) -> None:
    issues = [
        issue(n, updated=at(TODAY), due=day(-1) if n < late else None)
        for n in range(still_open)
    ]
    outcome = judge(running(issues))
    assert ("risk:deadline.overdue:p1" in keys(outcome)) is holds


@pytest.mark.parametrize(
    ("due", "probability", "says"),
    [
        (-1, 5, "Due Nov 17, 2026 has passed. 1 issue is still open."),
        (60, 4, "1 overdue issue of 1."),
    ],
)
def test_a_passed_day_of_the_card_is_more_certain_than_those_of_its_items(
    due: int, probability: int, says: str
) -> None:
    item = issue(1, updated=at(TODAY), due=day(-2) if due > 0 else None)
    facts = risk(judge(running([item], due=day(due))), "risk:deadline.overdue:p1")
    assert (facts["probability"], facts["evidence"]) == (probability, says)


@pytest.mark.parametrize("own", [None, day(-2), day(5)])
def test_risk_card_and_health_count_what_is_late_alike(own: date | None) -> None:
    # Whatever dates its five issues have, all that is open of a card is late once the card's own day has passed.
    issues = [issue(n, updated=at(TODAY), due=own) for n in range(5)]
    outcome = judge(running(issues, due=day(-1)))
    says = "Due Nov 17, 2026 has passed. 5 issues are still open."
    facts = risk(outcome, "risk:deadline.overdue:p1")
    assert facts["evidence"] == says
    assert says in str(facts_of(outcome, "projects", "p1")["why"])

    measure = outcome.measures.clients[Ref("clients", "c1")]
    (factor,) = (factor for factor in measure.factors if factor.name == "delivery")
    assert factor.reason == "5 overdue issues"
