"""Capacity, utilization and load of people, units and plan nodes; too much, too little, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    TODAY,
    applied,
    card,
    client,
    issue,
    person,
    ref,
    unit,
    worklog,
    world,
)
from worker.config import Holidays, Thresholds
from worker.domain.entities import (
    FIRM,
    CardWork,
    Issue,
    LoggedTime,
    Person,
    Service,
    Stage,
)
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span
from worker.errors import Problem
from worker.method.capacity.staffing import find_staffing_needs
from worker.method.capacity.utilization import measure_utilization
from worker.method.delivery.progress import measure_progress
from worker.method.measures import Condition, PersonLoad, Signal
from worker.plan.facts import Fact
from worker.world.calendar import work_calendar
from worker.world.world import World

PAST = [
    date(2026, 10, 19) + timedelta(days=7 * week + day)
    for week in range(4)
    for day in range(5)
]
"""The working days of the last four full weeks before Wednesday, 18 November 2026."""

HOUR = 3600
U1 = ref("units", "u1")


def dee(**fields: Any) -> Person:
    """Return the designer of unit u1, 40 hours a week."""
    return person(
        "dee", **{"role": "designer", "capacity": Decimal(40), "unit": U1, **fields}
    )


def dan(**fields: Any) -> Person:
    """Return the developer of unit u1, 20 hours a week."""
    return person(
        "dan", **{"role": "developer", "capacity": Decimal(20), "unit": U1, **fields}
    )


def logs(author: str, hours: float, days: list[date]) -> list[LoggedTime]:
    """Return one log a day."""
    return [worklog(day, hours, author=author) for day in days]


def task(
    number: int,
    hours: float | None,
    due: date | None = None,
    *,
    who: str = "dee",
    **fields: Any,
) -> Issue:
    """Return an open issue with an estimate in hours."""
    return issue(
        number,
        due=due,
        estimate=None if hours is None else int(hours * HOUR),
        **{"assignee": who, **fields},
    )


def agency(
    *things: Any,
    issues: list[Issue] | None = None,
    worklogs: list[LoggedTime] | None = None,
    work: dict[str, list[Issue]] | None = None,
    **fields: Any,
) -> World:
    """Return a world of unit u1 whose issues and logs are known, on cards (`work`) or not."""
    found = world(*things, work=work, **fields)
    cards = {
        key: replace(
            work,
            worklogs=tuple(
                log
                for log in worklogs or ()
                if log.issue in {one.id for one in work.issues}
            ),
        )
        for key, work in found.work.items()
    }
    every = {
        one.id: one
        for one in (
            *(issues or ()),
            *(one for items in (work or {}).values() for one in items),
        )
    }
    return replace(found, issues=every, worklogs=tuple(worklogs or ()), work=cards)


class Judged(NamedTuple):
    """What the chapter says."""

    people: Mapping[Ref, PersonLoad]
    facts: tuple[Fact, ...]
    conditions: tuple[Condition, ...]
    signals: tuple[Signal, ...]
    problems: tuple[Problem, ...]


def judged(found: World) -> Judged:
    """Return what the chapter says, after the progress of cards was measured."""
    load = measure_utilization(found, measure_progress(found).value, ())
    staffing = find_staffing_needs(found, load.value)
    return Judged(
        load.value.people,
        (*load.facts, *staffing.facts),
        (*load.conditions, *staffing.conditions),
        (*load.signals, *staffing.signals),
        (*load.problems, *staffing.problems),
    )


def said(found: World, name: str, signal: str = "") -> Any:
    """Return a field of unit u1, or the condition of a signal."""
    return facts_of(judged(found), "units", "u1").get(name)


def condition(found: World, name: str, subject: str = "u1") -> Condition:
    """Return one condition."""
    (one,) = [
        one
        for one in judged(found).conditions
        if (one.signal, one.subject.key) == (name, subject)
    ]
    return one


def signals(found: World, name: str) -> list[Signal]:
    """Return the signals of one playbook that hold."""
    return [one for one in judged(found).signals if one.playbook == name and one.holds]


# Utilization


def test_utilization_is_logged_hours_over_effective_capacity() -> None:
    away = (Span(date(2026, 11, 9), date(2026, 11, 10)),)
    worked = [day for day in PAST if day not in (date(2026, 11, 9), date(2026, 11, 10))]
    found = agency(unit(), dee(time_off=away), worklogs=logs("dee", 6, worked))
    facts = {
        fact.field: fact
        for fact in judged(found).facts
        if fact.ref == ref("people", "dee")
    }
    assert facts["utilization"].value == Decimal("0.75"), (
        "18 days x 6 h = 108 h of 18 x 8 = 144 h"
    )
    assert facts["utilization"].why.formula == "logged hours / 144 effective hours"
    assert {one.name: one.value for one in facts["utilization"].why.inputs}[
        "contracted, h"
    ] == "160"


def test_a_share_is_rounded_once() -> None:
    """38.5 of 151 hours are 25.497 %: 25 %, not 25.50 % and then 26 %."""
    found = agency(
        unit(), dee(capacity=Decimal("37.75")), worklogs=logs("dee", 1.925, PAST)
    )
    facts = facts_of(judged(found), "people", "dee")
    assert (facts["effective"], facts["utilization"]) == (151, Decimal("0.25"))


def test_a_unit_is_the_ratio_of_sums_of_its_producing_people() -> None:
    manager = person("pm", role="pm", capacity=Decimal(40), unit=U1)
    found = agency(
        unit(),
        dee(),
        dan(),
        manager,
        worklogs=[*logs("dee", 6, PAST), *logs("dan", 4, PAST), *logs("pm", 8, PAST)],
    )
    assert said(found, "utilization") == Decimal("0.83"), "(120 + 80) / (160 + 80)"
    assert facts_of(judged(found), "people", "pm")["utilization"] == 1


def test_work_logged_before_or_after_the_full_weeks_does_not_count() -> None:
    early, late = date(2026, 10, 18), date(2026, 11, 16)
    found = agency(
        unit(), dee(), worklogs=[*logs("dee", 4, PAST), *logs("dee", 8, [early, late])]
    )
    assert facts_of(judged(found), "people", "dee")["utilization"] == Decimal("0.5")


def test_a_person_without_capacity_shows_no_number_and_is_reported() -> None:
    outcome = judged(
        agency(
            unit(),
            dee(capacity=None),
            issues=[task(1, 8)],
            worklogs=logs("dee", 6, PAST),
        )
    )
    facts = facts_of(outcome, "people", "dee")
    assert (facts["utilization"], facts["load_4"], facts["load_8"]) == (
        None,
        None,
        None,
    )
    assert facts_of(outcome, "units", "u1")["capacity"] is None
    (problem,) = [one for one in outcome.problems if one.code == "no-capacity"]
    assert (english(problem.where), problem.field) == ("People: Dee", "capacity")


def test_zero_capacity_has_no_utilization() -> None:
    found = agency(
        unit(),
        dee(time_off=(Span(date(2026, 10, 1), date(2026, 11, 16)),)),
        worklogs=logs("dee", 1, PAST),
    )
    assert facts_of(judged(found), "people", "dee")["utilization"] is None


def test_without_any_time_log_utilization_is_unknown() -> None:
    found = agency(unit(), dee(), issues=[task(1, 8)])
    assert facts_of(judged(found), "people", "dee")["utilization"] is None
    assert said(found, "utilization") is None
    assert condition(found, "team.missing_logs").holds is None


# Missing logs


def test_a_unit_short_of_logs_is_grey_and_names_who() -> None:
    """Dee logs 150 of 160 h, Dan 40 of 80: 190 of 240 are 79 %. Dee lacks 10 h, fewer than a fifth; Dan lacks half."""
    found = agency(
        unit(), dee(), dan(), worklogs=[*logs("dee", 7.5, PAST), *logs("dan", 2, PAST)]
    )
    assert said(found, "utilization") is None
    assert said(found, "missing_logs") == "Dan"
    look = condition(found, "team.missing_logs")
    assert look.holds is True
    assert look.evidence == "190 of 240 h at work are logged. Missing most: Dan."
    (asked,) = signals(found, "missing_logs")
    assert (asked.values["name"], asked.unit) == ("Dan", U1)


def test_a_unit_with_four_fifths_of_its_hours_logged_is_not_grey() -> None:
    found = agency(
        unit(), dee(), dan(), worklogs=[*logs("dee", 7.6, PAST), *logs("dan", 2, PAST)]
    )
    assert said(found, "utilization") == Decimal("0.80"), "(152 + 40) / 240"
    assert said(found, "missing_logs") is None
    assert condition(found, "team.missing_logs").holds is False


def test_a_little_logged_on_every_day_is_no_log_of_the_day() -> None:
    """Dee began eight working days before the weeks ended: half an hour on each is 4 of 64 h. Dan logs nothing of 80."""
    found = agency(unit(), dee(start=PAST[12]), worklogs=logs("dee", 0.5, PAST[12:]))
    assert said(found, "utilization") is None
    assert said(found, "missing_logs") == "Dee"
    assert (
        condition(found, "team.missing_logs").evidence
        == "4 of 64 h at work are logged. Missing most: Dee."
    )

    both = agency(
        unit(), dee(start=PAST[12]), dan(), worklogs=logs("dee", 0.5, PAST[12:])
    )
    assert said(both, "missing_logs") == "Dan, Dee", "80 h are missing, then 60"


def test_whole_days_logged_at_once_are_logs_of_all_their_days() -> None:
    """Dee types 32 h every Friday: four days have a log, all hours but eight a week are there: 128 of 160."""
    found = agency(unit(), dee(), worklogs=logs("dee", 32, PAST[4::5]))
    assert said(found, "utilization") == Decimal("0.80")
    assert condition(found, "team.missing_logs").holds is False


def test_days_off_ask_for_no_log() -> None:
    away = (Span(PAST[11], PAST[-1]),)
    found = agency(
        unit(),
        dee(),
        dan(time_off=away),
        worklogs=[*logs("dee", 6, PAST), *logs("dan", 4, PAST[:11])],
    )
    assert condition(found, "team.missing_logs").holds is False


# Load


def test_load_is_work_left_over_effective_capacity() -> None:
    found = agency(unit(), dee(), issues=[task(1, 130, date(2026, 12, 18))])
    facts = facts_of(judged(found), "people", "dee")
    assert facts["load_4"] == Decimal("0.71"), (
        "130 h on 23 days from 18 Nov; 20 of them in the next weeks: 113 / 160"
    )
    assert facts["load_8"] == Decimal("0.35"), "113 / 320"


def test_what_was_spent_is_not_left() -> None:
    items = [
        task(1, 40, remaining=10 * HOUR),
        task(2, 40, spent=35 * HOUR),
        task(3, 8, spent=20 * HOUR),
    ]
    found = agency(
        unit(), dee(), issues=[replace_due(one, date(2026, 11, 27)) for one in items]
    )
    weeks = judged(found).people[ref("people", "dee")].weeks
    assert weeks[0].load == Decimal("9.38"), (
        "15 h on 8 days from 18 Nov, five of them in the week of the 23rd"
    )


def story(number: int, hours: float | None, **fields: Any) -> Issue:
    """Return an open story of Dee's that is due on 27 November: eight working days from today, five in the next week."""
    return task(number, hours, date(2026, 11, 27), **fields)


def part(number: int, hours: float | None, **fields: Any) -> Issue:
    """Return a sub-task of story 1."""
    return story(number, hours, **{"level": -1, "parent": "1", **fields})


@pytest.mark.parametrize(
    ("items", "hours"),
    [
        # A story of 40 h in two sub-tasks of 20 h is 40 h.
        ([story(1, 40), part(2, 20), part(3, 20)], 40),
        # Split into less or more: what is in the sub-tasks counts.
        ([story(1, 40), part(2, 16)], 16),
        ([story(1, 16), part(2, 16), part(3, 24)], 40),
        # Of a sub-task that is done nothing is left, of the story beside it neither.
        ([story(1, 40), part(2, 20, category="done"), part(3, 16)], 16),
        # Only one of both carries an estimate.
        ([story(1, 40), part(2, None)], 40),
        ([story(1, None), part(2, 16)], 16),
        # A sub-task of nobody is Dee's, whose the story is; an item of nobody stays nobody's.
        ([story(1, 40), part(2, 16, assignee=None), part(3, 8)], 24),
        ([story(1, 40), story(2, 8, assignee=None)], 40),
        # An epic is no work of its own, and its stories do not replace anything.
        ([story(1, 80, level=1), story(2, 16, parent="1")], 16),
        ([story(1, 40), story(2, 16, parent="1")], 56),
    ],
)
def test_an_estimate_gives_way_to_those_of_the_sub_tasks(
    items: list[Issue], hours: int
) -> None:
    for found in (
        agency(unit(), dee(), issues=items),
        agency(unit(), client(), dee(), card(), work={"p1": items}),
    ):
        week = judged(found).people[ref("people", "dee")].weeks[0]
        assert week.load == hours * Decimal(5) / 8


def test_estimates_of_sub_tasks_may_be_added() -> None:
    items = [story(1, 40), part(2, 20), part(3, 20)]
    found = agency(
        unit(), dee(), issues=items, thresholds=Thresholds(subtask_estimates="add")
    )
    assert judged(found).people[ref("people", "dee")].weeks[0].load == 50


def test_a_sub_task_counts_for_who_does_it() -> None:
    """Dee's story of 40 h: 24 h of it are Dan's. Both weigh 5 of 8 days."""
    items = [story(1, 40), part(2, 16), part(3, 24, who="dan")]
    people = judged(agency(unit(), dee(), dan(), issues=items)).people
    assert people[ref("people", "dee")].weeks[0].load == 10
    assert people[ref("people", "dan")].weeks[0].load == 15


def replace_due(found: Issue, due: date) -> Issue:
    """Return the issue with a due date."""
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return Issue(**{**fields, "due": due})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"due": date(2026, 12, 1)}, [Decimal("50.0"), Decimal("20.0")]),
        (
            {"due": date(2026, 12, 1), "start": date(2026, 11, 30)},
            [Decimal("0.0"), Decimal("100.0")],
        ),
        ({"due": None}, [Decimal("23.81"), Decimal("23.81")]),
        ({"due": date(2026, 11, 2)}, [Decimal("40.0"), Decimal("0.0")]),
    ],
)
def test_an_item_without_a_due_date_lies_as_its_card_does(
    fields: dict[str, Any], expected: list[Decimal]
) -> None:
    """100 h: to 1 December 10 days, from the 30th two; four weeks 21 days; overdue five days, two of them next week."""
    found = agency(unit(), client(), dee(), card(**fields), work={"p1": [task(1, 100)]})
    weeks = judged(found).people[ref("people", "dee")].weeks
    assert [week.load for week in weeks[:2]] == expected


def test_items_of_finished_cards_are_no_load() -> None:
    found = agency(
        unit(), client(), dee(), card(stage=Stage.DONE), work={"p1": [task(1, 100)]}
    )
    load = judged(found).people[ref("people", "dee")]
    assert load.next_4 == 0
    assert load.open == 0


def test_load_is_unknown_when_too_few_items_carry_an_estimate() -> None:
    items = [task(number, 5) for number in range(3)] + [task(9, None)]
    found = agency(unit(), dee(), issues=items)
    assert facts_of(judged(found), "people", "dee")["load_4"] is None, "3 of 4"
    assert said(found, "load") is None
    assert condition(found, "team.underload").holds is None
    assert condition(found, "team.overload", "u1:designer").holds is None


def test_four_of_five_estimates_are_enough() -> None:
    items = [task(number, 20, date(2026, 12, 18)) for number in range(4)] + [
        task(9, None)
    ]
    assert facts_of(judged(agency(unit(), dee(), issues=items)), "people", "dee")[
        "load_4"
    ] == Decimal("0.43")


def test_proposals_add_their_chance_of_hours_by_capacity() -> None:
    """Budget 480,000 at 2,000 an hour is 240 h; at 50 % 120 h: 80 for Dee, 40 for Dan, from 30 Nov on for 2 weeks."""
    offer = card(
        "p9",
        Stage.PROPOSAL,
        jira=None,
        budget=Decimal(480_000),
        probability=Decimal("0.5"),
        expected_start=date(2026, 11, 30),
        service=ref("services", "s1"),
    )
    found = agency(
        unit(),
        client(),
        dee(rate=Decimal(2000)),
        dan(rate=Decimal(2000)),
        offer,
        issues=[issue(99)],
        services={
            ref("services", "s1"): Service(
                ref("services", "s1"), "Site", lead_weeks=Decimal(2)
            )
        },
    )
    people = judged(found).people
    assert [week.load for week in people[ref("people", "dee")].weeks[:4]] == [
        0,
        40,
        40,
        0,
    ]
    assert [week.load for week in people[ref("people", "dan")].weeks[:4]] == [
        0,
        20,
        20,
        0,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"budget": None},
        {"expected_start": None},
        {"probability": Decimal(0)},
        {"stage": Stage.SHAPING},
    ],
)
def test_a_proposal_that_cannot_be_placed_adds_nothing(fields: dict[str, Any]) -> None:
    offer = replace(
        card(
            "p9",
            Stage.PROPOSAL,
            jira=None,
            budget=Decimal(480_000),
            probability=Decimal("0.5"),
            expected_start=date(2026, 11, 30),
        ),
        **fields,
    )
    found = agency(unit(), client(), dee(), offer, issues=[issue(99)])
    assert judged(found).people[ref("people", "dee")].next_8 == 0


def test_an_agreed_card_with_jira_work_counts_by_its_items_alone() -> None:
    agreed = card(
        "p9",
        Stage.AGREED,
        budget=Decimal(480_000),
        expected_start=date(2026, 11, 23),
        due=date(2026, 11, 27),
    )
    found = agency(unit(), client(), dee(), agreed, work={"p9": [task(1, 30)]})
    assert [
        week.load for week in judged(found).people[ref("people", "dee")].weeks[:2]
    ] == [30, 0]


def test_a_person_shows_the_cards_of_open_and_recent_work() -> None:
    done = issue(5, done=PAST[-1])
    found = agency(
        unit(),
        client(),
        dee(),
        card(),
        card("p2"),
        card("p3"),
        work={"p1": [task(1, 8)], "p2": [done], "p3": [task(7, 8, who="dan")]},
        worklogs=[worklog(PAST[-1], 4, author="dee", issue="5")],
    )
    assert facts_of(judged(found), "people", "dee")["projects"] == (
        ref("projects", "p1"),
        ref("projects", "p2"),
    )


# Plan nodes


def test_current_and_future_plan_nodes_carry_hours() -> None:
    found = agency(
        unit(),
        client(),
        dee(),
        issues=[task(1, 80, date(2026, 12, 1))],
        worklogs=[*logs("dee", 8, PAST), worklog(date(2026, 11, 17), 5, author="dee")],
    )
    outcome = judge(found)
    week = facts_of(outcome, "plans", "plan:u1:2026-11-W47")
    assert (week["capacity"], week["load"]) == (40, 29), (
        "Tuesday's 5 h, 8 h on each of three days ahead"
    )
    assert week["utilization"] == Decimal("0.73")
    month = facts_of(outcome, "plans", "plan:u1:2026-11")
    assert (month["capacity"], month["load"]) == (168, 80 + 5 + 72), (
        "ten days of logs, Tuesday, nine days ahead"
    )
    assert "capacity" not in facts_of(outcome, "plans", "plan:u1:2026-11-W46"), (
        "what is over stays as it was"
    )
    assert facts_of(outcome, "plans", "plan:firm:2026-12")["load"] == 8


# Over and under


def weekly(hours: list[float], who: str = "dee") -> list[Issue]:
    """Return one item a week from the week of 23 November on, each begun on its card's Monday and due on Friday."""
    return [
        task(number, amount, date(2026, 11, 27) + timedelta(weeks=number), who=who)
        for number, amount in enumerate(hours)
    ]


def planned(hours: list[float], *, today: date = TODAY, **fields: Any) -> World:
    """Return a world in which every week from 23 November on has its hours, on a card that starts that Monday."""
    first = date(2026, 11, 23)
    cards = [
        card(f"w{number}", start=first + timedelta(weeks=number))
        for number in range(len(hours))
    ]
    items = weekly(hours)
    return agency(
        unit(),
        client(),
        dee(**fields),
        *cards,
        today=today,
        work={f"w{number}": [one] for number, one in enumerate(items)},
    )


@pytest.mark.parametrize(
    ("hours", "holds"),
    [
        ([44, 44], False),
        ([45, 44], False),
        ([45, 45], True),
        ([45, 20, 45], False),
        ([20, 20, 20, 45, 45], True),
    ],
)
def test_overload_takes_two_weeks_in_a_row_above_the_limit(
    hours: list[float], holds: bool
) -> None:
    assert condition(planned(hours), "team.overload", "u1:designer").holds is holds


def test_an_overload_asks_for_role_and_hours() -> None:
    found = planned([20, 20, 50, 60, 20])
    look = condition(found, "team.overload", "u1:designer")
    assert (
        look.evidence
        == "week of Dec 7: 50 h of 40 h, 125%; week of Dec 14: 60 h of 40 h, 150%"
    )
    assert (look.horizon, look.unit, look.kind) == (date(2026, 12, 7), U1, "team")
    (lead,), (head,) = signals(found, "ask_person"), signals(found, "find_person")
    assert lead.values == {
        "role": "designer",
        "hours": "15",
        "date": "Dec 7, 2026",
        "unit": "North",
    }
    assert head.subject.key == "u1:designer"


@pytest.mark.parametrize(
    ("today", "holds"),
    [
        (date(2026, 11, 22), False),
        (date(2026, 11, 23), True),
        (date(2026, 12, 14), True),
    ],
)
def test_the_signal_appears_a_hiring_lead_ahead(today: date, holds: bool) -> None:
    """The overload begins in the week of 4 January; six weeks before is Monday, 23 November."""
    found = planned([20, 20, 20, 20, 20, 20, 60, 60], today=today)
    assert condition(found, "team.overload", "u1:designer").holds is holds


def test_the_requests_go_to_the_lead_and_the_head_of_accounts() -> None:
    found = planned([60, 60])
    people = {
        **found.people,
        **{
            one.ref: one for one in (person("tl", role="tl"), person("hoa", role="hoa"))
        },
    }
    outcome = judge(replace(found, people=people))
    asked, sought = (
        facts_of(outcome, "tasks", f"task:{book}:u1:designer")
        for book in ("ask_person", "find_person")
    )
    assert (
        asked["name"]
        == "Say whom “North” needs: designer, 20 h a week from Nov 23, 2026"
    )
    assert asked["assignee"] == (ref("people", "tl"),)
    assert (
        sought["name"]
        == "Find a person for “North”: designer, 20 h a week from Nov 23, 2026"
    )
    assert sought["assignee"] == (ref("people", "hoa"),)
    assert (
        facts_of(outcome, "risks", "risk:team.overload:u1:designer")["level"]
        == "medium"
    )


@pytest.mark.parametrize(
    ("hours", "holds"),
    [([27, 27], True), ([28, 20], False), ([20, 28], False), ([1, 1], True)],
)
def test_underload_takes_the_next_two_weeks_below_the_limit(
    hours: list[float], holds: bool
) -> None:
    assert condition(planned(hours), "team.underload").holds is holds


def test_an_underload_is_the_account_managers_and_the_leads() -> None:
    found = planned([20, 24])
    outcome = judge(found)
    bring, use = (
        facts_of(outcome, "tasks", f"task:{book}:u1")
        for book in ("bring_work", "use_time")
    )
    assert (
        bring["name"] == "Bring work to “North”: 18 h a week are free from Nov 23, 2026"
    )
    assert bring["assignee"] == (ref("people", "am"),)
    assert (
        use["name"]
        == "Use the free time of “North” for the product: 18 h a week from Nov 23, 2026"
    )
    assert use["assignee"] == (ref("people", "tl"),)


def test_a_unit_on_leave_is_neither_over_nor_under() -> None:
    found = planned([60, 60], time_off=(Span(date(2026, 11, 23), date(2027, 6, 6)),))
    assert condition(found, "team.overload", "u1:designer").holds is False
    assert condition(found, "team.underload").holds is False


def test_what_follows_a_leave_is_looked_at_before_it_begins() -> None:
    """Two weeks off; the two after them have 60 and 1 h of 40: not both are low. With 20 h each they are."""
    away = (Span(date(2026, 11, 23), date(2026, 12, 6)),)
    found = planned([1, 1, 60, 1], time_off=away)
    assert condition(found, "team.underload").holds is False
    idle = planned([1, 1, 20, 20], time_off=away)
    assert condition(idle, "team.underload").holds is True
    assert condition(idle, "team.underload").horizon == date(2026, 12, 7)


def new_year(hours: float, *, limits: Thresholds | None = None) -> World:
    """Return so many hours of Dee from Monday, 28 December to Friday, 15 January, of which Russia works eight days."""
    calendar = work_calendar(Holidays(country="RU"), (2026, 2027))
    first, last = date(2026, 12, 28), date(2027, 1, 15)
    assert calendar.working_days(first, last) == 8
    work = {"p1": [task(1, hours, last)]}
    seen = agency(unit(), client(), dee(), card(start=first), work=work)
    return replace(seen, calendar=calendar, thresholds=limits or Thresholds())


def test_the_new_year_does_not_break_an_overload() -> None:
    """120 h on 8 days are 15 h a day: 45 h of 24 in the week of 28 December, 75 h of 40 in that of 11 January.

    21 and 35 h are too many: 28 a week. Six weeks before 28 December is 16 November.
    """
    found = new_year(120)
    look = condition(found, "team.overload", "u1:designer")
    assert look.holds is True
    assert look.evidence == (
        "week of Dec 28: 45 h of 24 h, 188%; week of Jan 11: 75 h of 40 h, 188%"
    )
    assert look.horizon == date(2026, 12, 28)
    (lead,) = signals(found, "ask_person")
    assert lead.values["hours"] == "28"


@pytest.mark.parametrize(
    ("hours", "weeks", "holds"),
    [
        # 8 h a day is exactly what there is.
        (64, 2, False),
        # Two weeks with work and one without are no run of three.
        (120, 3, False),
    ],
)
def test_the_new_year_makes_no_overload(hours: float, weeks: int, holds: bool) -> None:
    found = new_year(hours, limits=Thresholds(load_weeks=weeks))
    assert condition(found, "team.overload", "u1:designer").holds is holds


def test_a_run_that_ends_after_the_new_year_is_seen_in_time() -> None:
    """Six weeks before Monday, 4 January is 23 November; the eighth full week from then on is that of 11 January.

    The run of two begins in the week of 28 December, skips that of 4 January and needs that of 11 January.
    """
    found = new_year(120, limits=Thresholds(hiring_lead_weeks=5))
    assert condition(found, "team.overload", "u1:designer").holds is False
    later = replace(found, today=date(2026, 11, 23))
    assert condition(later, "team.overload", "u1:designer").holds is True


def test_the_new_year_does_not_break_an_underload() -> None:
    """On 22 December the next weeks with work are those of 28 December and 11 January: 12 h of 24 and 20 of 40."""
    found = replace(new_year(32), today=date(2026, 12, 22))
    look = condition(found, "team.underload")
    assert look.holds is True
    assert look.evidence == (
        "week of Dec 28: 12 h of 24 h, 50%; week of Jan 11: 20 h of 40 h, 50%"
    )


@pytest.mark.parametrize(
    ("role", "words"), [("pm", "project manager"), ("am", "account manager")]
)
def test_every_role_counts(role: str, words: str) -> None:
    """A manager with 96 h on each of two weeks of 40 h: 240 %. The designer beside has what fits."""
    manager = person(role, role=role, capacity=Decimal(40), unit=U1)
    items = [*weekly([96, 96], who=role), task(9, 40, date(2026, 11, 27))]
    cards = [card("w0", start=date(2026, 11, 23)), card("w1", start=date(2026, 11, 30))]
    found = agency(
        unit(),
        client(),
        manager,
        dee(),
        *cards,
        work={"w0": [items[0], items[2]], "w1": [items[1]]},
    )
    look = condition(found, "team.overload", f"u1:{role}")
    assert look.holds is True
    assert look.evidence == (
        "week of Nov 23: 96 h of 40 h, 240%; week of Nov 30: 96 h of 40 h, 240%"
    )
    assert condition(found, "team.overload", "u1:designer").holds is False
    (lead,) = signals(found, "ask_person")
    assert (lead.values["role"], lead.values["hours"]) == (words, "56")


def test_the_load_of_a_role_is_known_by_its_own_estimates() -> None:
    """The developer's items carry no estimate, the designer's do: of one nothing is known, the other is over."""
    vague = [task(20 + n, None, date(2026, 11, 27), who="dan") for n in range(9)]
    found = replace(planned([60, 60]))
    people = {**found.people, dan().ref: dan()}
    seen = replace(
        found, people=people, issues={**found.issues, **{one.id: one for one in vague}}
    )
    assert condition(seen, "team.overload", "u1:designer").holds is True
    assert condition(seen, "team.overload", "u1:developer").holds is None
    assert condition(seen, "team.underload").holds is None


def test_a_unit_of_nobody_says_nothing() -> None:
    found = agency(unit(am=(), tls=(), pms=()), issues=[task(1, 8)])
    assert said(found, "load") is None
    assert condition(found, "team.underload").holds is False


def test_running_twice_is_running_once() -> None:
    found = planned([60, 60])
    first = judge(found)
    again = judge(applied(found, first))
    mine = [fact for fact in again.facts if fact.why.rule == "resources"]
    assert mine == [fact for fact in first.facts if fact.why.rule == "resources"]


def test_thresholds_are_settings() -> None:
    found = planned([44, 44])
    limits = Thresholds(overload=Decimal("1.05"), load_weeks=1)
    assert (
        condition(
            replace(found, thresholds=limits), "team.overload", "u1:designer"
        ).holds
        is True
    )


def test_a_configuration_that_names_one_anchor_keeps_the_others() -> None:
    limits = Thresholds(health_anchors={"pace": (Decimal(0), Decimal(1))})
    assert limits.health_anchors["pace"] == (Decimal(0), Decimal(1))
    assert limits.health_anchors["load"] == Thresholds().health_anchors["load"]


def test_a_holiday_makes_a_week_heavier() -> None:
    holidays = WorkCalendar(days_off=frozenset({date(2026, 11, 25), date(2026, 12, 2)}))
    found = replace(planned([40, 40]), calendar=holidays)
    assert condition(found, "team.overload", "u1:designer").holds is True, (
        "40 h of 32 h are 125 %"
    )


@pytest.mark.parametrize(("hours", "score"), [(40, 100), (52, 75), (80, 50)])
def test_overload_costs_the_clients_of_the_unit(hours: float, score: int) -> None:
    """The triangle gives 100; load 100 % gives 100, 130 % half of it, 200 % nothing: the factor is their mean."""
    team = next(
        factor
        for factor in judge(planned([hours] * 4))
        .measures.clients[ref("clients", "c1")]
        .factors
        if factor.name == "team"
    )
    assert team.score == score


# Bad input


def problems(*things: Any, **fields: Any) -> Iterator[Problem]:
    """Yield the problems of a world."""
    yield from judged(agency(*things, **fields)).problems


def test_a_person_in_two_units_is_reported_and_counted_once() -> None:
    south = unit("u2", name="South", members=(ref("people", "dee"),))
    found = agency(unit(), south, dee(url="https://notion.so/dee"), issues=[task(1, 8)])
    (problem,) = [one for one in judged(found).problems if one.code == "two-units"]
    assert (
        english(problem.message)
        == "stands in 2 units: North, South; the hours count in one of them"
    )
    assert problem.url == "https://notion.so/dee"
    assert (
        said(found, "capacity"),
        facts_of(judged(found), "units", "u2")["capacity"],
    ) == (160, None)


def test_an_account_manager_may_keep_two_units() -> None:
    assert (
        list(
            problems(
                unit(),
                unit("u2", name="South"),
                person("am", role="am", capacity=Decimal(40)),
            )
        )
        == []
    )


def test_a_person_named_by_a_unit_alone_belongs_to_it() -> None:
    found = agency(
        unit(members=(ref("people", "dee"),)), dee(unit=None), issues=[task(1, 8)]
    )
    assert said(found, "capacity") == 160


def test_producing_people_without_a_jira_account_are_reported() -> None:
    (problem,) = problems(unit(), dee(jira=None))
    assert (problem.code, problem.field) == ("no-jira-account", "jira_account")


def test_accounts_of_nobody_are_listed() -> None:
    items = [task(number, 8, who="ghost") for number in range(3)]
    (problem,) = problems(unit(), issues=items, worklogs=logs("ghost", 1, PAST[:2]))
    assert english(problem.where) == "Jira: ghost"
    assert english(problem.message).startswith(
        "3 open issues and 2 fresh time logs are of an account"
    )


def test_many_accounts_of_nobody_are_summed_up() -> None:
    found = list(
        problems(
            unit(),
            issues=[task(number, 8, who=f"ghost{number}") for number in range(23)],
        )
    )
    assert len(found) == 21
    assert "3 more accounts" in english(
        found[-1].message
    ) or "3 more accounts" in english(found[0].message)


def test_two_cards_share_an_issue_and_it_counts_once() -> None:
    shared = task(1, 40, date(2026, 11, 27))
    found = agency(
        unit(),
        client(),
        dee(),
        card(),
        card("p2"),
        work={"p1": [shared], "p2": [shared]},
    )
    assert found.work[ref("projects", "p2")] == CardWork("project ACME", (shared,))
    assert judged(found).people[ref("people", "dee")].open == 1


# Who comes, goes and is shared


def shared(*shares: tuple[str, str], **fields: Any) -> Person:
    """Return Dee, shared over units by key."""
    parts = tuple((ref("units", unit), Decimal(share)) for unit, share in shares)
    return dee(allocation=parts, **fields)


def test_a_shared_person_counts_in_each_unit_with_her_share() -> None:
    """Dee: 40 h a week, 60 % North's and 40 % South's. Dan: 20 h, North's alone.

    Four weeks: 96 + 80 = 176 h of North, 64 h of South. Logged 6 h and 4 h on 20 days: North 72 + 80 = 152 of 176 h are
    86 %, South 48 of 64 h are 75 %. Ahead 80 h of Dee's: 48 h of North's 176 are 27 %, 32 h of South's 64 are 50 %.
    """
    found = agency(
        unit(),
        unit("u2", name="South"),
        shared(("u1", "0.6"), ("u2", "0.4")),
        dan(),
        client(),
        card(start=date(2026, 11, 23)),
        work={"p1": [task(1, 80, date(2026, 12, 18))]},
        worklogs=[*logs("dee", 6, PAST), *logs("dan", 4, PAST)],
        thresholds=Thresholds(logs_share=Decimal("0.7")),
    )
    north, south = (facts_of(judged(found), "units", key) for key in ("u1", "u2"))
    assert (north["capacity"], south["capacity"]) == (176, 64)
    assert (north["utilization"], south["utilization"]) == (
        Decimal("0.86"),
        Decimal("0.75"),
    )
    assert (north["load"], south["load"]) == (Decimal("0.27"), Decimal("0.5"))
    assert facts_of(judged(found), "people", "dee")["utilization"] == Decimal("0.75")


def test_the_firm_counts_a_shared_person_once() -> None:
    found = agency(
        unit(),
        unit("u2", name="South"),
        shared(("u1", "0.6"), ("u2", "0.4")),
        dan(),
        worklogs=logs("dee", 6, PAST),
    )
    load = measure_utilization(found, {}, ()).value
    assert load.units[FIRM].effective == 160 + 80
    assert load.units[FIRM].logged == 120
    assert load.people[dee().ref].unit == U1, "where most of the hours are"


@given(st.lists(st.integers(0, 100), min_size=1, max_size=4), st.floats(0, 200))
def test_the_units_that_share_a_person_have_her_hours_once(
    parts: list[int], hours: float
) -> None:
    """Whatever the shares of a whole, capacity, load and hours of the units add up to those of the firm."""
    whole = sum(parts) or 1
    keys = [f"u{number}" for number in range(len(parts))]
    shares = [
        (key, str(Decimal(part) / whole))
        for key, part in zip(keys, parts, strict=True)
        if part
    ]
    found = agency(
        *(unit(key, name=key) for key in keys),
        shared(*shares, unit=None) if shares else dee(unit=None),
        issues=[task(1, hours, date(2026, 12, 18))],
        worklogs=logs("dee", 6, PAST),
    )
    load = measure_utilization(found, {}, ()).value
    firm = load.units[FIRM]
    units = [load.units[ref("units", key)] for key in keys]
    if not shares:
        units.append(firm)
    for name in ("capacity", "effective", "logged"):
        total = sum(getattr(one, name) for one in units)
        assert total == pytest.approx(getattr(firm, name), abs=Decimal("0.03"))


def test_who_says_her_shares_does_not_stand_in_two_units() -> None:
    south = unit("u2", name="South", members=(ref("people", "dee"),))
    person = shared(("u1", "0.5"), ("u2", "0.5"))
    assert list(problems(unit(), south, person)) == []


def test_an_overload_of_a_shared_role_is_seen_in_both_units() -> None:
    found = planned([60, 60])
    person = shared(("u1", "0.5"), ("u2", "0.5"))
    seen = replace(
        found,
        people={person.ref: person},
        units={**found.units, ref("units", "u2"): unit("u2", name="South")},
    )
    for key in ("u1", "u2"):
        look = condition(seen, "team.overload", f"{key}:designer")
        assert look.evidence.startswith("week of Nov 23: 30 h of 20 h, 150%")


def test_who_has_left_has_no_capacity_and_her_work_is_still_seen() -> None:
    """Dee's last day is Tuesday, 24 November: 16 h of the four weeks from the 23rd on."""
    found = agency(
        unit(),
        dee(end=date(2026, 11, 24)),
        issues=[task(1, 40, date(2026, 12, 18))],
        worklogs=logs("dee", 8, PAST),
    )
    facts = facts_of(judged(found), "people", "dee")
    assert said(found, "capacity") == 16
    assert facts["utilization"] == 1


def test_who_has_left_is_asked_for_nothing() -> None:
    gone = dee(end=TODAY - timedelta(days=1), jira=None, capacity=None)
    assert list(problems(unit(), gone)) == []
    assert len(list(problems(unit(), dee(end=TODAY, jira=None, capacity=None)))) == 2


def test_expected_work_goes_to_those_who_are_still_there() -> None:
    """A proposal of 100 h at 1,000 with chance 50 % from 7 December on: Dee has left by then, Dan has all 50 h."""
    sought = card(
        "s1",
        Stage.PROPOSAL,
        budget=Decimal(100_000),
        expected_start=date(2026, 12, 7),
        jira=None,
    )
    found = agency(unit(), client(), dee(end=date(2026, 11, 30)), dan(), sought)
    facts = {
        (fact.ref.key, fact.field): fact
        for fact in judged(found).facts
        if fact.ref.source == "people"
    }
    hours = {
        key: {one.name: one.value for one in facts[key, "load_8"].why.inputs}[
            "of proposals, h"
        ]
        for key in ("dee", "dan")
    }
    assert hours == {"dee": "0", "dan": "50"}


@pytest.mark.parametrize("role", ["designer", "pm"])
def test_the_overload_of_people_in_no_unit_is_the_firms(role: str) -> None:
    found = planned([60, 60], unit=None, role=role)
    look = condition(found, "team.overload", f"firm:{role}")
    assert (look.holds, look.unit) == (True, None)
    assert look.evidence == (
        "week of Nov 23: 60 h of 40 h, 150%; week of Nov 30: 60 h of 40 h, 150%"
    )
    (head,) = signals(found, "find_person")
    assert (head.values["unit"], head.values["hours"]) == ("Whole firm", "20")


# Billable


def billed(*things: Any, **fields: Any) -> dict[str, Any]:
    """Return what is stated of Dee, whose logs stand on issues 1 (card p1), 2 (card p2) and 3 (no card)."""
    worklogs = [
        worklog(day, 2, author="dee", issue=str(number % 3 + 1))
        for number, day in enumerate(day for day in PAST for _ in range(3))
    ]
    found = agency(
        unit(),
        dee(),
        *things,
        work={"p1": [issue(1)], "p2": [issue(2)]},
        worklogs=worklogs,
        **fields,
    )
    outcome = judged(found)
    assert facts_of(outcome, "people", "dee")["utilization"] == Decimal("0.75")
    return {
        **facts_of(outcome, "people", "dee"),
        "unit": facts_of(outcome, "units", "u1")["billable_utilization"],
    }


def test_billable_are_the_hours_on_cards() -> None:
    """6 h a day, of which 4 on cards: 80 of 160 h; with card p2 for nobody's money 40 of 160 h."""
    found = billed(
        card("p1"), card("p2"), thresholds=Thresholds(logs_share=Decimal("0.7"))
    )
    assert (found["billable_utilization"], found["unit"]) == (Decimal("0.5"),) * 2
    own = billed(card("p1"), card("p2", billable=False))
    assert own["billable_utilization"] == Decimal("0.25")


def test_billable_hours_of_a_unit_short_of_logs_are_unknown() -> None:
    found = billed(card("p1"), card("p2"))
    assert (found["billable_utilization"], found["unit"]) == (Decimal("0.5"), None)


def test_an_item_on_two_cards_is_billed_once() -> None:
    worklogs = logs("dee", 6, PAST)
    found = agency(
        unit(),
        dee(),
        card("p1"),
        card("p2"),
        work={"p1": [issue(1)], "p2": [issue(1)]},
        worklogs=worklogs,
    )
    assert facts_of(judged(found), "people", "dee")["billable_utilization"] == Decimal(
        "0.75"
    )


@pytest.mark.parametrize(
    ("given", "person", "unit_target"),
    [
        # Dee 160 h at 75 %, Dan 80 h at 80 %: (120 + 64) / 240.
        ({}, "75%", "77%"),
        ({"designer": Decimal("0.6")}, "60%", "67%"),
    ],
)
def test_the_target_of_the_role_stands_beside(
    given: dict[str, Decimal], person: str, unit_target: str
) -> None:
    found = agency(
        unit(),
        dee(),
        dan(),
        worklogs=[*logs("dee", 8, PAST), *logs("dan", 4, PAST)],
        thresholds=Thresholds(utilization_targets=given),
    )
    thresholds = {
        fact.ref.key: fact.why.threshold
        for fact in judged(found).facts
        if fact.field == "billable_utilization"
    }
    assert thresholds["dee"] == f"≥ {person}"
    assert thresholds["u1"] == f"≥ {unit_target}"


def test_effective_capacity_stands_beside_the_percentages() -> None:
    """Dee was away on two of twenty days (144 h), and works three days of the four weeks ahead (24 h) before she leaves."""
    found = agency(
        unit(),
        dee(
            time_off=(Span(date(2026, 11, 9), date(2026, 11, 10)),),
            end=date(2026, 11, 25),
        ),
        dan(),
        worklogs=logs("dee", 6, PAST),
    )
    facts = facts_of(judged(found), "people", "dee")
    assert (facts["effective"], facts["ahead"]) == (144, 24)
    north = facts_of(judged(found), "units", "u1")
    assert (north["effective"], north["capacity"]) == (144 + 80, 24 + 80)


def test_who_has_no_hours_a_week_has_no_effective_capacity() -> None:
    found = agency(unit(), dee(capacity=None), worklogs=logs("dee", 6, PAST))
    facts = facts_of(judged(found), "people", "dee")
    assert (facts["effective"], facts["ahead"]) == (None, None)
