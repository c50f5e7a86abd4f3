"""The account sprint: tasks made once, kept, closed and carried over (docs/method.md 6.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import Stated, facts_of, judge, keys_of, outcome_of
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    applied,
    at,
    card,
    changed,
    client,
    contact,
    document,
    issue,
    person,
    row,
    steady,
    unit,
    world,
)
from worker.domain.entities import Stage
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span, Unset, Value
from worker.errors import Problem, Severity
from worker.method.formulas.sprints import next_yearly, sprint_of, sprints_between
from worker.method.measures import Signal, SprintMeasure, TaskMeasure
from worker.method.outcome import Outcome
from worker.method.run import Run
from worker.method.sprint.next_task import find_next_tasks
from worker.method.sprint.signals import find_signals
from worker.method.sprint.tasks import plan_tasks, urgency
from worker.plan.facts import Input
from worker.world.memory import Closing, Memory, Occurrence
from worker.world.world import World

P1 = Ref("projects", "p1")
NEXT = "task:next_step:p1"


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def idle(**fields: Any) -> World:
    """Return a world with one idea that nobody has moved for a month."""
    given = {"stage": Stage.IDEA, "jira": None, "edited": at(day(-30)), **fields}
    return world(client(), unit(), person("am", role="am"), card(**given))


def task(stated: Stated, key: str = NEXT) -> dict[str, Value | Unset]:
    """Return the facts of one task row."""
    return facts_of(stated, "tasks", key)


def said(outcome: Outcome) -> dict[str, Value | Unset]:
    """Return the facts of the next-step task but those of its carrying over and of what came of it."""
    return {
        name: value
        for name, value in task(outcome).items()
        if name not in ("sprint", "carried", "tried")
    }


def keys(stated: Stated) -> set[str]:
    """Return the keys of all task rows that have facts."""
    return keys_of(stated, "tasks")


def moved(seen: World, stage: Stage) -> World:
    """Return the world after a person moved card p1."""
    return replace(seen, cards={**seen.cards, P1: replace(seen.cards[P1], stage=stage)})


def later(seen: World, outcome: Outcome, number: int) -> World:
    """Return the world so many days after TODAY, what was asked for being written."""
    return applied(seen, outcome, today=day(number))


def test_an_idle_idea_gets_one_next_step_for_its_am() -> None:
    facts = task(judge(idle()))
    assert facts["name"] == "Take the next step on “Card p1”"
    assert facts["assignee"] == (Ref("people", "am"),)
    # Five working days after Wednesday the 18th.
    assert facts["due"] == date(2026, 11, 25)
    assert (facts["status"], facts["kind"], facts["carried"], facts["sprint"]) == (
        "new",
        "next_step",
        0,
        "2026-S24",
    )
    assert facts["reason"] == "No movement since Oct 19, 2026 (stage: idea)."
    assert (facts["client"], facts["project"]) == ((Ref("clients", "c1"),), (P1,))


@pytest.mark.parametrize(
    "fields",
    [
        {"edited": at(day(-13))},
        {"stage": Stage.EVOLUTION},
        {"stage": Stage.LOST},
        {"edited": None},
    ],
)
def test_a_card_that_moved_or_runs_needs_no_next_step(fields: dict[str, Any]) -> None:
    assert keys(judge(idle(**fields))) == set()


def test_a_second_run_repeats_nothing_and_gives_no_seed_again() -> None:
    seen = idle()
    first = judge(seen)
    second = judge(applied(seen, first))
    assert task(second).items() <= task(first).items()
    assert not {"name", "assignee", "due"} & task(second).keys()


def test_a_persons_own_open_task_on_the_card_is_enough() -> None:
    own = row(
        "tasks",
        "page",
        worker=False,
        title="Call",
        status="doing",
        project=(P1,),
        due=day(1),
    )
    outcome = judge(replace(idle(), rows={"tasks": (own,)}))
    assert keys(outcome) == set()
    assert facts_of(outcome, "projects", "p1")["next_task"] == (Ref("tasks", "page"),)
    assert (
        facts_of(outcome, "clients", "c1")["next_action"] == "Call · due Nov 19, 2026"
    )
    done = replace(own, fields={**own.fields, "status": "done"})
    assert keys(judge(replace(idle(), rows={"tasks": (done,)}))) == {NEXT}


def test_another_task_of_the_worker_on_the_card_is_enough() -> None:
    outcome = judge(idle(stage=Stage.AGREED))
    assert keys(outcome) == {"task:ask_due_date:p1"}


def test_an_untouched_task_closes_itself_on_the_second_day_without_its_reason() -> None:
    seen = idle()
    outcome = judge(seen)
    seen = moved(later(seen, outcome, 1), Stage.PROPOSAL)
    outcome = judge(seen)
    assert said(outcome) == {"moved": "moved to proposal"}
    seen = later(seen, outcome, 2)
    outcome = judge(seen)
    assert task(outcome) == {
        "moved": "moved to proposal",
        "status": "done",
        "reason": "closed automatically: the card stands at “proposal” since Nov 19, 2026",
    }
    assert task(judge(applied(seen, outcome))) == task(outcome)


@pytest.mark.parametrize(
    "touch",
    [
        {"status": "doing"},
        {"note": "called"},
        {"due": day(3)},
        {"assignee": ()},
        {"snooze_until": day(9)},
    ],
)
def test_a_task_that_a_person_touched_is_left_to_them(touch: dict[str, Value]) -> None:
    seen = idle()
    outcome = judge(seen)
    for number in (1, 2, 3):
        seen = changed(
            moved(later(seen, outcome, number), Stage.PROPOSAL), "tasks", NEXT, **touch
        )
        outcome = judge(seen)
    assert said(outcome) == {"moved": "moved to proposal"}


def test_a_task_that_outlives_its_condition_is_still_carried_over() -> None:
    seen = idle()
    outcome = judge(seen)
    for number in (
        1,
        2,
        11,
    ):  # weeks 47 and 48 are one sprint, the next begins on Monday the 30th
        seen = changed(
            moved(later(seen, outcome, number), Stage.PROPOSAL),
            "tasks",
            NEXT,
            status="doing",
        )
        outcome = judge(seen)
    assert (task(outcome)["sprint"], task(outcome)["carried"]) == ("2026-S24", 0)
    outcome = judge(later(seen, outcome, 12))
    assert (task(outcome)["sprint"], task(outcome)["carried"]) == ("2026-S25", 1)


def test_a_task_that_was_never_made_is_made_only_while_its_reason_lasts() -> None:
    seen = idle()
    outcome = judge(seen)
    assert keys(outcome) == {NEXT}
    lost = replace(seen, memory=outcome.memory)
    assert said(judge(lost)) == said(outcome)
    ended = judge(moved(lost, Stage.IN_PROGRESS))
    assert NEXT not in keys(ended)
    assert NEXT not in {task.ref.key for task in ended.measures.tasks or ()}


@pytest.mark.parametrize("ending", ["done", "cancelled"])
def test_what_a_person_ended_is_final_while_the_condition_lasts(ending: str) -> None:
    seen = idle()
    outcome = judge(seen)
    for number in (1, 20, 90):
        seen = changed(later(seen, outcome, number), "tasks", NEXT, status=ending)
        outcome = judge(seen)
        assert keys(outcome) == set()


def test_a_deleted_task_counts_as_cancelled() -> None:
    seen = idle()
    after = replace(
        later(seen, judge(seen), 20), rows={}, trashed=frozenset({Ref("tasks", NEXT)})
    )
    assert keys(judge(after)) == set()


def test_a_cancelled_task_comes_again_as_a_new_row_after_movement_and_cooldown() -> (
    None
):
    seen = idle()
    outcome = judge(seen)
    seen = changed(later(seen, outcome, 1), "tasks", NEXT, status="cancelled")
    seen = moved(seen, Stage.SHAPING)
    for number in (1, 2, 15):
        outcome = judge(replace(seen, today=day(number)))
        seen = later(seen, outcome, number)
    # Moved on day 1, so that 14 days without movement are over on day 15.
    assert keys(outcome) == {f"{NEXT}#2"}
    assert task(outcome, f"{NEXT}#2")["name"] == "Take the next step on “Card p1”"


def test_the_cooldown_holds_a_signal_back() -> None:
    # The client is silent again 15 days after a call; cooldown 7 days since the task was cancelled on day 14.
    seen = world(client(last_contact=day(-20)), unit())
    outcome = judge(seen)
    key, called = (
        "task:contact_client:c1",
        {Ref("clients", "c1"): client(last_contact=day(0))},
    )
    seen = replace(
        changed(later(seen, outcome, 1), "tasks", key, status="this_sprint"),
        clients=called,
    )
    for number in (1, 2):
        outcome = judge(replace(seen, today=day(number)))
        seen = later(seen, outcome, number)
    seen = changed(later(seen, outcome, 14), "tasks", key, status="cancelled")
    made = {}
    for number in (14, 15, 20, 21):
        outcome = judge(replace(seen, today=day(number)))
        seen, made[number] = later(seen, outcome, number), keys(outcome)
    assert made == {14: set(), 15: set(), 20: set(), 21: {f"{key}#2"}}


def test_a_moved_card_is_recorded_on_its_done_task_for_two_weeks() -> None:
    seen = idle()
    outcome = judge(seen)
    seen = moved(
        changed(later(seen, outcome, 1), "tasks", NEXT, status="done"), Stage.AGREED
    )
    outcome = judge(seen)
    assert said(outcome) == {"moved": "moved to agreed"}
    seen = later(seen, outcome, 16)
    assert NEXT not in keys(judge(seen))


def test_unfinished_tasks_are_carried_into_the_next_sprint() -> None:
    seen = idle()
    outcome = judge(seen)
    # Week 47 is in sprint 24 (47-48); 12 days on is Monday of week 49, 26 days on that of week 51.
    for number, sprint, carried in (
        (11, "2026-S24", 0),
        (12, "2026-S25", 1),
        (26, "2026-S26", 2),
    ):
        facts = task(judge(later(seen, outcome, number)))
        assert (facts["sprint"], facts["carried"]) == (sprint, carried)


def test_a_sprint_takes_five_new_tasks_of_a_client_and_the_rest_is_listed() -> None:
    ideas = [
        card(f"p{n}", Stage.IDEA, jira=None, edited=at(day(-30))) for n in range(7)
    ]
    seen = world(client(last_contact=day(-20)), unit(), *ideas)
    outcome = judge(seen)
    waiting = [
        problem for problem in outcome.problems if problem.code == "waiting-task"
    ]
    assert len(keys(outcome)) == 5
    assert "task:contact_client:c1" in keys(outcome)
    assert [english(problem.where) for problem in waiting] == ["C1"] * 3
    again = judge(applied(seen, outcome))
    assert keys(again) == keys(outcome)
    next_sprint = judge(later(seen, outcome, 12))
    assert len(keys(next_sprint)) == 8


def test_a_tombstone_that_must_wait_keeps_its_number() -> None:
    seen = idle()
    outcome = judge(seen)
    seen = moved(
        changed(later(seen, outcome, 1), "tasks", NEXT, status="cancelled"),
        Stage.SHAPING,
    )
    for number in (1, 2):
        outcome = judge(replace(seen, today=day(number)))
        seen = later(seen, outcome, number)
    full = replace(
        seen,
        thresholds=seen.thresholds.model_copy(update={"tasks_per_client": 0}),
        today=day(15),
    )
    outcome = judge(full)
    assert keys(outcome) == set()
    assert outcome.memory.occurrences[NEXT].number == 1


def test_high_risks_of_a_card_make_one_answer() -> None:
    seen = world(
        client(),
        unit(),
        person("pm"),
        card(due=day(5), budget=Decimal(100)),
        work={"p1": steady(12, 40)},
    )
    outcome = judge(seen)
    assert keys(outcome) == {"task:answer_risk:p1"}
    facts = task(outcome, "task:answer_risk:p1")
    assert facts["name"] == "Answer the risk: Card p1: behind schedule"
    assert facts["risk"] == (Ref("risks", "risk:deadline.spi:p1"),)
    assert facts["assignee"] == (Ref("people", "pm"),)


@pytest.mark.parametrize(
    ("made", "key", "expected"),
    [
        (client(last_contact=day(-15)), "contact_client:c1", True),
        (client(last_contact=day(-14)), "contact_client:c1", False),
        (client(), "contact_client:c1", False),
        (client(group="newbiz", last_contact=day(-15)), "contact_client:c1", False),
        (client(rate_indexed=day(-365)), "index_rate:c1", True),
        (client(since=day(-400), rate_indexed=day(-364)), "index_rate:c1", False),
        (client(since=day(-400)), "index_rate:c1", True),
        (client(group="newbiz", since=day(-400)), "index_rate:c1", False),
        (client(contract_end=day(60)), "contract_end:c1", True),
        (client(contract_end=day(61)), "contract_end:c1", False),
        (client(contract_end=day(-1)), "contract_end:c1", False),
        (card(due=day(55), jira=None), "ray_break:c1", True),
        (card(due=day(56), jira=None), "ray_break:c1", False),
        (client(group="newbiz", contract_end=day(10)), "ray_break:c1", False),
        (document("d1", expires=day(60)), "document_end:d1", True),
        (document("d1", expires=day(-30)), "document_end:d1", True),
        (document("d1", expires=day(-31)), "document_end:d1", False),
        (document("d1", expires=None), "document_end:d1", False),
        (contact("ivan", birthday=date(1980, 11, 25)), "birthday:ivan", True),
        (contact("ivan", birthday=date(1980, 11, 26)), "birthday:ivan", False),
        (contact("ivan"), "birthday:ivan", False),
        (person("ann", birthday=date(1990, 11, 18)), "birthday:ann", True),
    ],
)
def test_signals_hold_at_their_limits(made: object, key: str, expected: bool) -> None:
    outcome = judge(world(client(), unit(), made))
    assert (f"task:{key}" in keys(outcome)) is expected


def test_a_proposal_that_starts_in_time_keeps_the_ray_whole() -> None:
    ready = card("p9", Stage.PROPOSAL, jira=None, expected_start=day(20))
    seen = world(client(), unit(), card(due=day(30), jira=None), ready)
    assert "task:ray_break:c1" not in keys(judge(seen))
    later = replace(ready, expected_start=day(40))
    late = replace(seen, cards={**seen.cards, later.ref: later})
    facts = task(judge(late), "task:ray_break:c1")
    assert facts["reason"] == "Work ends on Dec 18, 2026 and nothing agreed follows it."


def test_birthdays_are_due_on_the_day_and_leap_days_on_the_28th() -> None:
    assert next_yearly(date(2000, 2, 29), date(2027, 1, 1)) == date(2027, 2, 28)
    assert next_yearly(date(2000, 2, 29), date(2028, 1, 1)) == date(2028, 2, 29)
    assert next_yearly(date(2000, 11, 17), TODAY) == date(2027, 11, 17)
    outcome = judge(
        world(client(), unit(), contact("ivan", birthday=date(1980, 11, 20)))
    )
    assert task(outcome, "task:birthday:ivan")["due"] == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("when", "weeks", "code"),
    [
        (date(2026, 11, 21), 2, "2026-S24"),
        (date(2027, 1, 4), 2, "2027-S01"),
        # 2026 has 53 weeks, 26 whole sprints of two: the 53rd week (28 December - 3 January) belongs to the last.
        (date(2026, 12, 20), 2, "2026-S26"),
        (date(2026, 12, 28), 2, "2026-S26"),
        (date(2027, 1, 3), 2, "2026-S26"),
        # By weeks of their own there are 53; by threes 17 and two weeks over; by fours 13 and one over.
        (date(2027, 1, 3), 1, "2026-S53"),
        (date(2026, 12, 21), 3, "2026-S17"),
        (date(2027, 1, 3), 3, "2026-S17"),
        (date(2027, 1, 3), 4, "2026-S13"),
        # 2025 has 52 weeks: the last begins on 22 December.
        (date(2025, 12, 28), 2, "2025-S26"),
        (date(2025, 12, 28), 3, "2025-S17"),
        (date(2025, 12, 29), 2, "2026-S01"),
    ],
)
def test_sprints_are_whole_iso_weeks_numbered_within_the_year(
    when: date, weeks: int, code: str
) -> None:
    assert sprint_of(when, weeks) == code


def test_sprints_between_are_those_that_began() -> None:
    # The sprint of 28 December began on the 14th; then 4 and 18 January.
    assert sprints_between(date(2026, 12, 28), date(2027, 1, 18), weeks=2) == 2
    assert sprints_between(date(2026, 12, 14), date(2027, 1, 3), weeks=2) == 0
    assert sprints_between(TODAY, TODAY, weeks=2) == 0


def test_newbiz_and_units_without_a_person_fall_to_the_heads() -> None:
    people = (person("nb", role="head_newbiz"), person("hoa", role="hoa"))
    fresh = world(
        client(group="newbiz"),
        unit(),
        *people,
        card(stage=Stage.IDEA, jira=None, edited=at(day(-30))),
    )
    assert task(judge(fresh))["assignee"] == (Ref("people", "nb"),)
    bare = replace(
        fresh,
        clients={Ref("clients", "c1"): client()},
        units={Ref("units", "u1"): unit(am=())},
    )
    assert task(judge(bare))["assignee"] == (Ref("people", "hoa"),)
    assert task(judge(replace(bare, people={})))["assignee"] == ()
    lawyer = replace(
        PLAYBOOKS,
        tasks={
            "next_step": PLAYBOOKS.tasks["next_step"].model_copy(
                update={"role": "lawyer"}
            )
        },
    )
    with_lawyer = replace(
        bare, people={**bare.people, Ref("people", "law"): person("law", role="lawyer")}
    )
    assert task(judge(with_lawyer, lawyer))["assignee"] == (Ref("people", "law"),)


def test_the_task_of_a_card_that_is_gone_closes() -> None:
    other = card("p2", Stage.IN_PROGRESS, jira=None)
    seen = replace(idle(), cards={**idle().cards, other.ref: other})
    outcome = judge(seen)
    for number in (1, 2):
        seen = replace(later(seen, outcome, number), cards={other.ref: other})
        outcome = judge(seen)
    assert task(outcome) == {
        "status": "done",
        "reason": "closed automatically: what it was about is gone",
    }


def test_a_first_run_closes_no_task_and_a_lost_memory_leaves_rows_to_people() -> None:
    seen = idle()
    written = applied(seen, judge(seen))
    forgetful = moved(replace(written, memory=Memory()), Stage.IN_PROGRESS)
    outcome = judge(forgetful)
    assert said(outcome) == {}
    for number in (1, 2, 3):
        forgetful = later(forgetful, outcome, number)
        outcome = judge(forgetful)
        assert said(outcome) == {}


def test_after_a_lost_memory_ended_tasks_stay_ended_and_numbers_go_on() -> None:
    ended = (
        row("tasks", NEXT, status="done"),
        row("tasks", f"{NEXT}#2", status="cancelled"),
    )
    outcome = judge(replace(idle(), rows={"tasks": ended}, memory=Memory()))
    assert keys(outcome) == set()
    assert outcome.memory.occurrences[NEXT].number == 2


def test_the_most_urgent_task_is_shown_on_card_and_client() -> None:
    seen = replace(
        idle(),
        contacts={
            Ref("contacts", "ivan"): contact("ivan", birthday=date(1980, 11, 19))
        },
    )
    outcome = judge(seen)
    assert facts_of(outcome, "projects", "p1")["next_task"] == (Ref("tasks", NEXT),)
    assert facts_of(outcome, "clients", "c1")["next_action"] == (
        "Congratulate Ivan on their birthday, Nov 19 · due Nov 19, 2026 · Am"
    )
    assert (
        facts_of(judge(world(client(), unit())), "clients", "c1")["next_action"] is None
    )


def test_a_snoozed_task_is_not_next_until_its_day() -> None:
    seen = idle()
    asleep = changed(later(seen, judge(seen), 1), "tasks", NEXT, snooze_until=day(5))
    outcome = judge(asleep)
    assert facts_of(outcome, "projects", "p1")["next_task"] == ()
    assert task(outcome)["carried"] == 0
    woken = judge(later(asleep, outcome, 5))
    assert facts_of(woken, "projects", "p1")["next_task"] == (Ref("tasks", NEXT),)


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2026, 11, 19, 22, tzinfo=UTC),
        Span(date(2026, 11, 17), date(2026, 11, 20)),
    ],
)
def test_a_time_or_a_range_of_days_in_a_cell_counts_as_its_last_day_in_the_workspaces_zone(
    cell: Value,
) -> None:
    east = timezone(timedelta(hours=3))
    seen = idle()
    made = later(seen, judge(seen), 1)
    asked = row(
        "tasks",
        "page",
        worker=False,
        title="Send the photos",
        source="lawyer",
        due=cell,
        client=(Ref("clients", "c1"),),
    )
    typed = replace(changed(made, "tasks", NEXT, due=cell), zone=east)
    typed = replace(typed, rows={**typed.rows, "tasks": (*typed.rows["tasks"], asked)})
    outcome = judge(typed)
    last = date(2026, 11, 20)
    assert {task.due for task in outcome.measures.tasks or ()} == {last}
    assert {record.due for record in outcome.measures.records or ()} == {last}
    assert {one.due for one in outcome.measures.requests or ()} == {last}
    asleep = changed(typed, "tasks", NEXT, snooze_until=cell)
    assert facts_of(judge(asleep), "projects", "p1")["next_task"] == ()
    assert (
        facts_of(judge(replace(asleep, today=last)), "projects", "p1")["next_task"]
        != ()
    )


def test_tasks_of_signals_nobody_could_look_at_are_left_alone() -> None:
    assert plan_tasks(idle(), PLAYBOOKS, (), ()).facts == ()
    assert find_next_tasks(idle(), None).facts == ()
    unseen = find_signals(idle(), PLAYBOOKS, {}, None).signals
    assert unseen
    assert [signal for signal in unseen if signal.holds is None] == []
    assert "answer_risk" not in {signal.playbook for signal in unseen}


@settings(max_examples=20)
@given(
    stages=st.lists(st.sampled_from(list(Stage)), min_size=1, max_size=6),
    ages=st.integers(0, 60),
    due=st.one_of(st.none(), st.integers(-20, 90)),
    still_open=st.integers(0, 30),
    done=st.integers(0, 30),
)
def test_no_key_is_ever_used_twice_and_a_second_run_agrees(
    stages: list[Stage], ages: int, due: int | None, still_open: int, done: int
) -> None:
    cards = [
        card(
            f"p{n}",
            stage,
            due=None if due is None else day(due),
            edited=at(day(-ages)),
            budget=Decimal(100),
        )
        for n, stage in enumerate(stages)
    ]
    work = {
        found.ref.key: [*steady(done, still_open), issue(5000, due=day(3))]
        for found in cards
    }
    seen = world(
        client(last_contact=day(-ages), contract_end=day(ages)),
        unit(),
        *cards,
        work=work,
    )
    first = judge(seen)
    places = [(fact.ref, fact.field) for fact in first.facts]
    assert len(places) == len(set(places))
    second = judge(applied(seen, first))
    said = {(fact.ref, fact.field): fact.value for fact in first.facts}
    assert {
        (fact.ref, fact.field): fact.value for fact in second.facts
    }.items() <= said.items()
    assert {fact.ref for fact in second.facts} == {fact.ref for fact in first.facts}


# --- who gets a place in the sprint


def playbooks_of(problems: Iterable[Problem]) -> list[str]:
    """Return the playbook of each task that waits, by how the task is called."""
    return [
        name
        for one in problems
        if one.code == "waiting-task"
        for name, book in PLAYBOOKS.tasks.items()
        if f": {book.text.en.partition('{')[0]}" in english(one.message)
    ]


def offered(
    *signals: Signal, places: int, seen: World | None = None
) -> tuple[list[str], list[str]]:
    """Return the rows a sprint with so many places takes up, and the playbooks of what waits."""
    seen = seen or world(client(), unit())
    limits = seen.thresholds.model_copy(update={"tasks_per_client": places})
    found = plan_tasks(replace(seen, thresholds=limits), PLAYBOOKS, signals, ())
    return sorted(keys(found)), playbooks_of(found.problems)


def calls(
    playbook: str, subject: str, strength: int = 0, *, client: str | None = "c1"
) -> Signal:
    """Return a signal that holds, about a client unless told of nobody."""
    of = Ref("clients", client) if client else None
    return Signal(playbook, Ref("clients", subject), of, None, True, strength=strength)


@pytest.mark.parametrize("backwards", [True, False])
def test_the_strongest_playbook_then_the_strongest_signal_comes_first(
    backwards: bool,
) -> None:
    # Strengths of the playbooks: 90, 90, 60 and 40.
    signals = (
        calls("answer_risk", "high", 20),
        calls("answer_risk", "lower", 15),
        calls("ask_due_date", "much", 99),
        calls("index_rate", "most", 100),
    )
    order = [
        "task:answer_risk:high",
        "task:answer_risk:lower",
        "task:ask_due_date:much",
        "task:index_rate:most",
    ]
    told = signals[::-1] if backwards else signals
    for places in range(5):
        taken, waiting = offered(*told, places=places)
        assert taken == sorted(order[:places])
        assert waiting == [key.split(":")[1] for key in order[places:]]


def test_of_equals_the_first_by_key_comes_first() -> None:
    signals = (calls("answer_risk", "b", 15), calls("answer_risk", "a", 15))
    assert offered(*signals, places=1) == (["task:answer_risk:a"], ["answer_risk"])


def test_what_belongs_to_no_client_always_has_a_place() -> None:
    signals = [calls("mend_triangle", f"u{n}", client=None) for n in range(3)]
    taken, waiting = offered(*signals, calls("answer_risk", "c1"), places=0)
    assert taken == [f"task:mend_triangle:u{n}" for n in range(3)]
    assert waiting == ["answer_risk"]


def test_every_client_has_places_of_its_own() -> None:
    signals = [
        calls("answer_risk", f"{owner}{n}", client=owner)
        for owner in ("c1", "c2")
        for n in range(2)
    ]
    taken, waiting = offered(*signals, places=1)
    assert taken == ["task:answer_risk:c10", "task:answer_risk:c20"]
    assert waiting == ["answer_risk"] * 2


@pytest.mark.parametrize(
    ("opened", "places"),
    [
        # Sprint 24 is weeks 47 and 48: from Monday 16 to Sunday 29 November.
        (date(2026, 11, 15), 1),
        (date(2026, 11, 16), 0),
        (date(2026, 11, 18), 0),
        (None, 1),
    ],
)
def test_only_tasks_made_in_this_sprint_take_its_places(
    opened: date | None, places: int
) -> None:
    before = Occurrence(
        "task:index_rate:c1",
        opened=opened,
        closed=TODAY,
        closing=Closing.PERSON,
        client="clients/c1",
    )
    memory = Memory(occurrences={before.key: before}, first_run=False)
    seen = replace(world(client(), unit()), memory=memory)
    taken, _ = offered(calls("answer_risk", "c1"), places=1, seen=seen)
    assert len(taken) == places


def test_what_waits_is_listed_with_its_client_and_the_limit() -> None:
    limits = world().thresholds.model_copy(update={"tasks_per_client": 0})
    seen = replace(world(client(), unit()), thresholds=limits)
    signals = (calls("index_rate", "c1"),)
    (told,) = plan_tasks(seen, PLAYBOOKS, signals, ()).problems
    assert (told.code, english(told.where), told.field, told.severity) == (
        "waiting-task",
        "C1",
        "",
        Severity.INFO,
    )
    assert "Agree on new rates" in english(told.message)
    assert english(told.hint) == "0 new tasks a sprint are the limit for one client"


# --- how much one person is given on a day


def handed(
    *signals: Signal, seen: World, limit: int = 5
) -> tuple[list[str], list[str]]:
    """Return the rows made on a day on which each person may get so many, and the playbooks of what waits."""
    limits = seen.thresholds.model_copy(update={"tasks_per_person": limit})
    found = plan_tasks(replace(seen, thresholds=limits), PLAYBOOKS, signals, ())
    return sorted(keys(found)), playbooks_of(found.problems)


def made_before(subject: str, opened: date, *, by: str = "am", **fields: Any) -> World:
    """Return a world that remembers a task for somebody, made on some day, whose row is gone."""
    before = Occurrence(
        f"task:index_rate:{subject}",
        opened=opened,
        client="clients/c1",
        assignee=f"people/{by}",
        **fields,
    )
    memory = Memory(occurrences={before.key: before}, first_run=False)
    return replace(world(client(), unit()), memory=memory)


@pytest.mark.parametrize("backwards", [True, False])
def test_a_person_of_two_clients_gets_five_new_tasks_a_day_strongest_first(
    backwards: bool,
) -> None:
    # All are the AM's: 70 for a contract that ends, 55 for a client without contact, 40 for a rate.
    seen = world(client("c1"), client("c2"), client("c3"), unit())
    signals = [
        calls(playbook, owner, client=owner)
        for owner in ("c1", "c2", "c3")
        for playbook in ("index_rate", "contact_client", "contract_end")
    ]
    told = signals[::-1] if backwards else signals
    taken, waiting = handed(*told, seen=seen)
    assert taken == [
        *(f"task:contact_client:{owner}" for owner in ("c1", "c2")),
        *(f"task:contract_end:{owner}" for owner in ("c1", "c2", "c3")),
    ]
    assert waiting == ["contact_client", *["index_rate"] * 3]


def test_everybody_has_a_day_of_their_own() -> None:
    # Risks of a card are the PM's, rates the AM's.
    signals = [
        calls(playbook, f"c{n}")
        for playbook in ("answer_risk", "index_rate")
        for n in range(2)
    ]
    taken, waiting = handed(*signals, seen=world(client(), unit()), limit=1)
    assert taken == ["task:answer_risk:c0", "task:index_rate:c0"]
    assert waiting == ["answer_risk", "index_rate"]


def test_what_waits_for_a_person_takes_no_place_of_its_client() -> None:
    signals = (
        calls("answer_risk", "a"),
        calls("answer_risk", "b"),
        calls("index_rate", "c1"),
    )
    seen = world(client(), unit())
    limits = seen.thresholds.model_copy(update={"tasks_per_client": 2})
    taken, _ = handed(*signals, seen=replace(seen, thresholds=limits), limit=1)
    assert taken == ["task:answer_risk:a", "task:index_rate:c1"]


def test_what_nobody_can_be_given_is_nobodys_limit() -> None:
    nobody = unit(am=())
    signals = [calls("index_rate", f"c{n}") for n in range(7)]
    seen = world(client(), nobody)
    limits = seen.thresholds.model_copy(update={"tasks_per_client": 9})
    taken, _ = handed(*signals, seen=replace(seen, thresholds=limits), limit=1)
    assert len(taken) == 7


@pytest.mark.parametrize("fate", ["done", "cancelled", "open"])
@pytest.mark.parametrize(
    ("opened", "by", "expected"),
    [
        (TODAY, "am", []),
        (TODAY, "pm", ["task:contract_end:c1"]),
        (day(-1), "am", ["task:contract_end:c1"]),
    ],
)
def test_a_task_made_today_keeps_its_place_whatever_became_of_it(
    fate: str, opened: date, by: str, expected: list[str]
) -> None:
    closed = {} if fate == "open" else {"closed": TODAY, "closing": Closing.PERSON}
    seen = made_before("c9", opened, by=by, **closed)
    taken, _ = handed(calls("contract_end", "c1"), seen=seen, limit=1)
    assert [key for key in taken if "c9" not in key] == expected


def test_a_task_counts_for_whom_it_was_made_not_for_who_has_it_now() -> None:
    mine = row(
        "tasks", "task:index_rate:c9", status="doing", assignee=(Ref("people", "pm"),)
    )
    before = made_before("c9", TODAY, by="am")
    seen = replace(before, rows={"tasks": (mine,)})
    signals = (
        calls("index_rate", "c9"),
        calls("contract_end", "c1"),
        calls("answer_risk", "p1"),
    )
    taken, waiting = handed(*signals, seen=seen, limit=1)
    assert taken == ["task:answer_risk:p1", "task:index_rate:c9"]
    assert waiting == ["contract_end"]


@pytest.mark.parametrize(
    ("created", "expected"), [(TODAY, []), (day(-1), ["task:contract_end:c1"])]
)
def test_rows_tell_what_was_given_today_when_the_memory_is_lost(
    created: date, expected: list[str]
) -> None:
    mine = row(
        "tasks",
        "task:index_rate:c9",
        created=created,
        status="new",
        client=(Ref("clients", "c1"),),
        assignee=(Ref("people", "am"),),
    )
    seen = replace(world(client(), unit()), rows={"tasks": (mine,)})
    taken, _ = handed(
        calls("index_rate", "c9"), calls("contract_end", "c1"), seen=seen, limit=1
    )
    assert [key for key in taken if "c9" not in key] == expected


def test_peoples_own_tasks_do_not_count() -> None:
    own = [
        row(
            "tasks",
            f"own{n}",
            worker=False,
            status="new",
            client=(Ref("clients", "c1"),),
            assignee=(Ref("people", "am"),),
        )
        for n in range(9)
    ]
    seen = replace(world(client(), unit()), rows={"tasks": tuple(own)})
    taken, waiting = handed(calls("index_rate", "c1"), seen=seen, limit=1)
    assert (taken, waiting) == (["task:index_rate:c1"], [])


def test_a_task_that_stands_is_kept_true_on_a_full_day() -> None:
    seen = world(client(contract_end=day(20)), unit())
    outcome = judge(seen)
    assert "task:contract_end:c1" in keys(outcome)
    full = seen.thresholds.model_copy(update={"tasks_per_person": 0})
    again = judge(replace(later(seen, outcome, 1), thresholds=full))
    assert task(again, "task:contract_end:c1")["status"] == "new"


def test_what_waits_today_comes_tomorrow_and_a_second_run_brings_nothing() -> None:
    # Three clients with nothing after the contract that ends, a rate of old, and no call: twelve tasks of one AM.
    clients = [
        client(
            f"c{n}",
            last_contact=day(-20),
            contract_end=day(20),
            rate_indexed=day(-500),
            since=day(-600),
        )
        for n in range(3)
    ]
    seen = world(*clients, unit(), person("am", role="am"))
    first = judge(seen)
    assert keys(first) == {
        *(f"task:ray_break:c{n}" for n in range(3)),
        "task:contract_end:c0",
        "task:contract_end:c1",
    }
    assert keys(judge(applied(seen, first))) == keys(first)

    second = judge(later(seen, first, 1))
    assert len(keys(second)) == 10
    third = judge(later(later(seen, first, 1), second, 2))
    assert len(keys(third)) == 12


def test_what_waits_for_a_person_is_listed_with_the_person_and_the_limit() -> None:
    limits = world().thresholds.model_copy(update={"tasks_per_person": 0})
    seen = replace(world(client(), unit(), person("am", role="am")), thresholds=limits)
    (told,) = plan_tasks(seen, PLAYBOOKS, (calls("index_rate", "c1"),), ()).problems
    assert (told.code, english(told.where), told.severity) == (
        "waiting-task",
        "C1",
        Severity.INFO,
    )
    assert english(told.message).startswith("waits for another day of Am: ")
    assert english(told.hint) == "0 new tasks a day are the limit for one person"


# --- the first day: what a person is given is due on days apart

# From Wednesday, 18 November 2026: ten working days in two weeks, five places, so that every second day is one.
APART = [
    date(2026, 11, 20),
    date(2026, 11, 24),
    date(2026, 11, 26),
    date(2026, 11, 30),
    date(2026, 12, 2),
]


def dues(
    *signals: Signal, seen: World, opened_before: bool = False
) -> dict[str, object]:
    """Return when the tasks that signals make are due, by key; a worker's row may have been made the day before."""
    if opened_before:
        old = row("tasks", "task:index_rate:old", created=day(-1), status="done")
        seen = replace(seen, rows={**seen.rows, "tasks": (old,)})
    found = plan_tasks(seen, PLAYBOOKS, signals, ())
    return {f.ref.key: f.value for f in found.facts if f.field == "due"}


def three_clients() -> World:
    return world(client("c1"), client("c2"), client("c3"), unit())


def test_on_the_first_day_what_a_person_is_given_is_due_over_two_weeks() -> None:
    # A contract that ends asks for five working days (25 November), a call for two, a rate for ten: the stronger ones
    # choose first among the days that are not before their own, and one day is nobody's twice.
    signals = [
        calls("index_rate", "c1", client="c1"),
        *(calls("contact_client", owner, client=owner) for owner in ("c1", "c2")),
        *(calls("contract_end", owner, client=owner) for owner in ("c1", "c2")),
    ]
    assert dues(*signals, seen=three_clients()) == {
        "task:contract_end:c1": APART[2],
        "task:contract_end:c2": APART[3],
        "task:contact_client:c1": APART[0],
        "task:contact_client:c2": APART[1],
        "task:index_rate:c1": APART[4],
    }


def test_five_that_are_due_at_once_are_spread_by_their_strength() -> None:
    signals = [
        calls("contact_client", f"s{n}", strength=n, client=f"c{n % 3 + 1}")
        for n in range(5)
    ]
    told = dues(*signals, seen=three_clients())
    assert [told[f"task:contact_client:s{n}"] for n in (4, 3, 2, 1, 0)] == APART


def test_every_other_day_has_the_due_dates_of_the_playbooks() -> None:
    signals = [
        calls("contact_client", owner, client=owner) for owner in ("c1", "c2", "c3")
    ]
    told = dues(*signals, seen=three_clients(), opened_before=True)
    assert set(told.values()) == {date(2026, 11, 20)}


def test_what_is_about_a_day_keeps_it_and_takes_no_place() -> None:
    born = replace(calls("birthday", "c1", strength=99), due=date(2026, 11, 19))
    told = dues(born, calls("contact_client", "c1"), seen=world(client(), unit()))
    assert told == {
        "task:birthday:c1": date(2026, 11, 19),
        "task:contact_client:c1": APART[0],
    }


def test_the_days_of_the_first_two_weeks_are_those_of_the_calendar() -> None:
    calendar = WorkCalendar(days_off=frozenset(day(n) for n in range(1, 12)))
    seen = replace(three_clients(), calendar=calendar)
    signals = [
        calls("contact_client", f"s{n}", strength=n, client=f"c{n % 3 + 1}")
        for n in range(5)
    ]
    told = dues(*signals, seen=seen)
    # Only Monday 30 November to Wednesday 2 December are worked: places are 30, 1, 1, 2 and 2, a call asks for 1 December.
    assert sorted(map(str, told.values())) == [
        "2026-12-01",
        "2026-12-01",
        "2026-12-01",
        "2026-12-02",
        "2026-12-02",
    ]


def test_a_second_look_on_the_first_day_repeats_no_date_and_knows_its_rows_untouched() -> (
    None
):
    seen = world(client(last_contact=day(-20), contract_end=day(20)), unit())
    first = judge(seen)
    again = judge(applied(seen, first))
    made = [f for f in again.facts if f.ref.source == "tasks" and f.field == "due"]
    assert made == []
    # What the memory holds of a new row is what the row was made with, so that an untouched one may close itself.
    for occurrence in first.memory.occurrences.values():
        if occurrence.key.startswith("task:"):
            assert str(task(first, occurrence.key)["due"]) in occurrence.seed


def test_what_a_dead_first_run_left_unwritten_gets_the_same_day() -> None:
    signals = [
        calls("contact_client", f"s{n}", strength=n, client=f"c{n % 3 + 1}")
        for n in range(5)
    ]
    seen = three_clients()
    first = plan_tasks(seen, PLAYBOOKS, signals, ())
    memory = Memory(occurrences=first.occurrences)
    told = dues(*signals, seen=replace(seen, memory=memory))
    assert told == dues(*signals, seen=seen)


@pytest.mark.parametrize(("opened", "due"), [(TODAY, APART[0]), (day(-1), APART[0])])
def test_what_the_memory_knows_of_an_earlier_task_ends_the_first_day(
    opened: date, due: date
) -> None:
    # A call asks for two working days, which is the first place too; a second one tells the days apart.
    memory = made_before("c9", opened).memory
    signals = [calls("contact_client", f"s{n}", client=f"c{n}") for n in (1, 2)]
    told = dues(*signals, seen=replace(three_clients(), memory=memory))
    second = APART[1] if opened == TODAY else due
    assert sorted(told.values(), key=str) == [due, second]


def test_a_lost_state_makes_no_new_first_day() -> None:
    seen = replace(three_clients(), memory=Memory(first_run=True))
    signals = [
        calls("contact_client", owner, client=owner) for owner in ("c1", "c2", "c3")
    ]
    told = dues(*signals, seen=seen, opened_before=True)
    assert set(told.values()) == {date(2026, 11, 20)}


def test_what_waits_is_kept_for_the_pages_strongest_first() -> None:
    signals = [
        calls("contact_client", f"s{n}", strength=n, client=f"c{n % 3 + 1}")
        for n in range(7)
    ]
    sprint = plan_tasks(three_clients(), PLAYBOOKS, signals, ()).value
    assert [one.ref.key for one in sprint.waiting] == [
        "task:contact_client:s1",
        "task:contact_client:s0",
    ]
    assert {one.assignee for one in sprint.waiting} == {Ref("people", "am")}
    assert sprint.open is not None
    assert len(sprint.open) == 5


# --- cards that somebody works on


@pytest.mark.parametrize(
    ("status", "expected"),
    [("new", set()), ("doing", set()), ("done", {NEXT}), ("cancelled", {NEXT})],
)
def test_only_an_open_task_keeps_its_card_from_a_next_step(
    status: str, expected: set[str]
) -> None:
    seen = idle(stage=Stage.AGREED)
    outcome = judge(seen)
    assert keys(outcome) == {"task:ask_due_date:p1"}
    asked = changed(
        later(seen, outcome, 1), "tasks", "task:ask_due_date:p1", status=status
    )
    assert keys(judge(asked)) - {"task:ask_due_date:p1"} == expected


@pytest.mark.parametrize("status", ["new", "this_sprint", "doing", "waiting", None])
def test_a_persons_task_in_any_open_status_keeps_its_card_from_a_next_step(
    status: str | None,
) -> None:
    own = row("tasks", "page", worker=False, status=status, project=(P1,))
    assert keys(judge(replace(idle(), rows={"tasks": (own,)}))) == set()
    elsewhere = replace(own, fields={**own.fields, "project": (Ref("projects", "p9"),)})
    assert keys(judge(replace(idle(), rows={"tasks": (elsewhere,)}))) == {NEXT}


@pytest.mark.parametrize("days", [13, 14])
def test_fourteen_days_without_movement_are_enough(days: int) -> None:
    assert (NEXT in keys(judge(idle(edited=at(day(-days)))))) is (days == 14)


# --- what is told of tasks


@pytest.mark.parametrize(("number", "told"), [(1, True), (15, True), (16, False)])
def test_a_move_is_recorded_up_to_the_fourteenth_day_after_the_task_was_done(
    number: int, told: bool
) -> None:
    seen = idle()
    done = changed(later(seen, judge(seen), 1), "tasks", NEXT, status="done")
    closed = later(done, judge(done), number)
    outcome = judge(moved(closed, Stage.AGREED))
    assert said(outcome) == ({"moved": "moved to agreed"} if told else {})


@pytest.mark.parametrize(
    ("stage", "told"), [(Stage.IDEA, False), (None, False), (Stage.LOST, True)]
)
def test_only_a_card_that_stands_elsewhere_has_moved(
    stage: Stage | None, told: bool
) -> None:
    seen = idle()
    open_still = later(seen, judge(seen), 1)
    card_now = replace(open_still.cards[P1], stage=stage)
    outcome = judge(replace(open_still, cards={P1: card_now}))
    assert ("moved" in task(outcome)) is told


@pytest.mark.parametrize(
    ("fields", "listed"),
    [
        ({"status": "new"}, True),
        ({"status": "waiting"}, True),
        ({"status": None}, True),
        ({"status": "done"}, False),
        ({"status": "cancelled"}, False),
        ({"status": "closed"}, False),
        ({"status": "new", "snooze_until": day(1)}, False),
        ({"status": "new", "snooze_until": TODAY}, True),
    ],
)
def test_the_open_tasks_of_people_count_unless_they_sleep(
    fields: dict[str, Any], listed: bool
) -> None:
    own = row("tasks", "page", worker=False, title="Call", due=day(2), **fields)
    outcome = judge(replace(world(client(), unit()), rows={"tasks": (own,)}))
    assert [one.title for one in outcome.measures.tasks or ()] == ["Call"] * listed


def test_a_row_of_the_worker_is_not_a_persons_task_as_well() -> None:
    seen = idle()
    kept = later(seen, judge(seen), 1)
    (told,) = judge(kept).measures.tasks or ()
    assert (told.ref, told.strength) == (Ref("tasks", NEXT), 10)


def test_tasks_are_listed_by_date_then_strength_then_key() -> None:
    def of(key: str, due: date | None, strength: int) -> TaskMeasure:
        return TaskMeasure(Ref("tasks", key), key, None, None, due, None, strength)

    wanted = [
        of("soon", day(1), 1),
        of("strong", day(2), 90),
        of("a", day(2), 10),
        of("b", day(2), 10),
        of("undated", None, 100),
    ]
    backwards = list(reversed(wanted))
    assert sorted(backwards, key=urgency) == wanted


def test_only_a_task_whose_condition_holds_is_kept_true() -> None:
    seen = idle()
    kept = changed(later(seen, judge(seen), 1), "tasks", NEXT, status="doing")
    assert {"reason", "client", "kind", "status"} <= task(judge(kept)).keys()
    unsure = Signal("next_step", P1, Ref("clients", "c1"), P1, None)
    found = plan_tasks(kept, PLAYBOOKS, (unsure,), ())
    assert set(task(found)) == {"sprint", "carried"}


def test_a_signal_chooses_its_role_and_its_day() -> None:
    seen = world(client(), unit(), person("am", role="am"), person("hoa", role="hoa"))
    plain = Signal("index_rate", Ref("clients", "c1"), Ref("clients", "c1"), None, True)
    for signal, assignee, due in (
        (plain, "am", seen.calendar.add(TODAY, PLAYBOOKS.tasks["index_rate"].due)),
        (replace(plain, role="hoa", due=day(3)), "hoa", day(3)),
    ):
        found = plan_tasks(seen, PLAYBOOKS, (signal,), ())
        facts = task(found, "task:index_rate:c1")
        assert (facts["assignee"], facts["due"]) == ((Ref("people", assignee),), due)


def test_without_signals_nothing_is_said_and_nothing_forgotten() -> None:
    seen = later(idle(), judge(idle()), 1)
    run = Run(seen)
    sprint = run(plan_tasks, SprintMeasure(), PLAYBOOKS, None, ())
    outcome = outcome_of(run)
    assert (outcome.facts, outcome.memory) == ((), seen.memory)
    assert sprint == SprintMeasure(open=None)


def test_a_signal_without_a_playbook_makes_nothing() -> None:
    seen = world(client(), unit())
    told = (calls("unheard_of", "c1"), calls("index_rate", "c1"))
    assert keys(plan_tasks(seen, PLAYBOOKS, told, ())) == {"task:index_rate:c1"}


def test_a_playbook_nobody_speaks_for_leaves_its_tasks_alone() -> None:
    # A chapter that failed or is switched off: nothing is known of its tasks, so that none of them closes.
    seen = idle()
    outcome = judge(seen)
    for number in (1, 2, 3):
        seen = later(seen, outcome, number)
        told = (calls("index_rate", "c9", client=None),)
        run = Run(seen)
        run(plan_tasks, SprintMeasure(), PLAYBOOKS, told, ())
        outcome = outcome_of(run)
        assert "status" not in task(outcome)


def test_every_field_of_a_task_says_why_with_its_own_figures() -> None:
    whys = {
        fact.field: fact.why for fact in judge(idle()).facts if fact.ref.key == NEXT
    }
    playbook = Input("playbook", "next_step")
    rows = (Input("card", "Card p1"), Input("client", "C1"))
    for field in ("reason", "status"):
        assert whys[field].formula == "No movement since Oct 19, 2026 (stage: idea)."
        assert whys[field].inputs == (playbook, *rows)
    for field in ("client", "project"):
        assert whys[field].inputs == (Input("signal", "card.no_next_step"), *rows)
    assert whys["assignee"].inputs == (playbook, Input("role", "am"), *rows)
    assert whys["due"].inputs == (
        playbook,
        Input("today", "2026-11-18"),
        Input("working days", "5"),
    )
    assert whys["name"].inputs[:2] == (
        Input("text", "Take the next step on “{card}”"),
        Input("card", "Card p1"),
    )


@pytest.mark.parametrize(
    ("fields", "listed"),
    [
        ({}, True),
        ({"status": "doing"}, True),
        ({"status": "done"}, False),
        ({"status": "cancelled"}, False),
        ({"snooze_until": day(9)}, False),
    ],
)
def test_a_task_of_the_worker_is_listed_while_it_is_open_and_awake(
    fields: dict[str, Value], listed: bool
) -> None:
    seen = idle()
    kept = changed(later(seen, judge(seen), 1), "tasks", NEXT, **fields)
    told = judge(kept).measures.tasks or ()
    assert [one.ref.key for one in told] == [NEXT] * listed


def test_a_task_that_is_not_made_is_not_listed() -> None:
    waits = Signal("index_rate", Ref("clients", "c1"), None, None, True, may_open=False)
    found = plan_tasks(world(client(), unit()), PLAYBOOKS, (waits,), ())
    assert (found.value, found.facts) == (SprintMeasure(open=()), ())
