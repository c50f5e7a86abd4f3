"""The risk map: what any chapter saw becomes one row with its marks, money, steps and task (docs/method.md 6.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.outcomes import facts_of, keys_of, outcome_of, values_of
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    applied,
    at,
    card,
    changed,
    client,
    person,
    unit,
    world,
)
from worker.domain.entities import Stage
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.locales import load_words
from worker.mapping.playbooks import Playbooks
from worker.method.formulas.stakes import committed_money
from worker.method.formulas.steps import read_steps, write_steps
from worker.method.measures import Condition, Measures, SprintMeasure, Step
from worker.method.outcome import Outcome
from worker.method.run import Run
from worker.method.sprint.risks import level_of, plan_risks
from worker.method.sprint.signals import find_signals
from worker.method.sprint.tasks import plan_tasks
from worker.plan.facts import Input, Why
from worker.world.rows import risk_key
from worker.world.world import World

C1, U1, P1 = Ref("clients", "c1"), Ref("units", "u1"), Ref("projects", "p1")
HEADS = (person("hoa", role="hoa"), person("am", role="am"), person("tl"), person("pm"))


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def condition(
    signal: str = "x.test",
    subject: Ref = C1,
    *,
    holds: bool | None = True,
    **fields: Any,
) -> Condition:
    """Return a condition about client c1 unless told otherwise."""
    given = {
        "kind": "money",
        "title": "Title",
        "evidence": "Evidence 42.",
        "client": C1,
        **fields,
    }
    return Condition(signal, given.pop("kind"), subject, holds, **given)


def firm(**fields: Any) -> World:
    """Return a world with one unit, a client that pays 100 a month and one that pays 300."""
    return world(
        client(monthly_fee=Decimal(100)),
        client("big", monthly_fee=Decimal(300)),
        unit(),
        *HEADS,
        **fields,
    )


def judged(
    around: World,
    *conditions: Condition,
    failed: bool = False,
    playbooks: Playbooks = PLAYBOOKS,
) -> Outcome:
    """Return what the map and the chapters after it say when these conditions were seen, another chapter having failed or not."""
    run = Run(around)
    risks = run(plan_risks, None, playbooks, conditions, is_whole=not failed)
    run(find_signals, None, playbooks, {}, risks)
    signals = tuple(run.signals)
    sprint = run(plan_tasks, SprintMeasure(), playbooks, signals, ())
    measures = Measures(
        conditions=conditions, risks=risks, signals=signals, tasks=sprint.open
    )
    return outcome_of(run, measures)


@pytest.mark.parametrize(
    ("scores", "level"),
    [
        ((1, 2, 3, 4, 5, 6), "low"),
        ((8, 9, 10, 12), "medium"),
        ((15, 16, 20, 25), "high"),
    ],
)
def test_every_product_of_two_marks_has_its_level(
    scores: tuple[int, ...], level: str
) -> None:
    assert {level_of(score) for score in scores} == {level}


def test_all_products_are_levelled() -> None:
    products = {one * other for one in range(1, 6) for other in range(1, 6)}
    assert products == {1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 20, 25}


def test_the_impact_of_a_client_is_its_share_of_all_money() -> None:
    # Committed: 3 x 100 and 3 x 300 of 1,200: 25 % is mark 4, 75 % mark 5.
    small = facts_of(
        judged(firm(), condition(probability=5)), "risks", "risk:x.test:c1"
    )
    big = facts_of(
        judged(
            firm(),
            condition(subject=Ref("clients", "big"), client=Ref("clients", "big")),
        ),
        "risks",
        "risk:x.test:big",
    )
    assert (small["impact"], small["score"], small["exposure"]) == (4, 20, 270)
    assert (big["impact"], big["score"], big["exposure"]) == (5, 15, 450)


@pytest.mark.parametrize(
    ("stake", "impact", "expected"),
    [
        (Decimal(60), None, 2),
        (Decimal(121), None, 3),
        (Decimal(241), None, 4),
        (Decimal(481), None, 5),
        (Decimal(60), 5, 5),
        (Decimal(0), None, 3),
    ],
)
def test_the_stake_sets_the_impact_unless_it_is_given(
    stake: Decimal, impact: int | None, expected: int
) -> None:
    facts = facts_of(
        judged(firm(), condition(stake=stake, impact=impact)), "risks", "risk:x.test:c1"
    )
    assert facts["impact"] == expected
    assert facts["exposure"] == (stake / 2 or None)


def test_committed_money_is_budgets_at_work_and_a_quarter_of_fees() -> None:
    around = world(
        client(monthly_fee=Decimal(10)),
        card(budget=Decimal(100)),
        card("p2", Stage.PROPOSAL, budget=Decimal(1000)),
        card("p3", Stage.AGREED, budget=Decimal(7)),
    )
    assert committed_money(around) == {C1: Decimal(137)}


def test_a_signal_without_a_response_of_its_own_is_answered_by_its_kind() -> None:
    for kind, owner in (
        ("money", "am"),
        ("deadline", "pm"),
        ("team", "hoa"),
        ("other", "am"),
    ):
        facts = facts_of(
            judged(firm(), condition(kind=kind)), "risks", "risk:x.test:c1"
        )
        response = PLAYBOOKS.responses[kind]
        assert facts["owner"] == (Ref("people", owner),)
        assert str(facts["steps"]).count("\n") == len(response.steps) - 1
        assert response.steps[0].en in str(facts["steps"])


def test_steps_are_dated_in_working_days_with_month_and_week() -> None:
    # Five working days after Wednesday 18 November is Wednesday the 25th; two, Friday the 20th.
    facts = facts_of(judged(firm(), condition()), "risks", "risk:x.test:c1")
    assert str(facts["steps"]).splitlines() == [
        "November 2026 · Week 47 · Nov 20: Check the figures with the finance manager",
        "November 2026 · Week 48 · Nov 25: "
        "Agree with the client on how the money comes back to plan",
    ]
    assert facts["review"] == day(8)


@pytest.mark.parametrize(
    ("kind", "fields", "role"),
    [
        ("deadline", {}, "pm"),
        ("money", {}, "am"),
        ("other", {}, "am"),
        ("team", {}, "hoa"),
        ("team", {"card": P1}, "tl"),
    ],
)
def test_a_high_risk_of_any_kind_gets_one_task_for_the_role_that_answers(
    kind: str, fields: dict[str, Any], role: str
) -> None:
    subject = fields.get("card", C1)
    around = replace(firm(), cards={P1: card(jira=None)})
    outcome = judged(around, condition(subject=subject, kind=kind, impact=5, **fields))
    task = facts_of(outcome, "tasks", f"task:answer_risk:{subject.key}")
    assert (task["name"], task["assignee"]) == (
        "Answer the risk: Title",
        (Ref("people", role),),
    )
    assert task["reason"] == "Title. Evidence 42."


def test_a_risk_of_a_unit_is_answered_by_the_hoa() -> None:
    outcome = judged(
        firm(), condition(subject=U1, client=None, unit=U1, kind="team", impact=5)
    )
    assert facts_of(outcome, "risks", "risk:x.test:u1")["unit"] == (U1,)
    assert facts_of(outcome, "tasks", "task:answer_risk:u1")["assignee"] == (
        Ref("people", "hoa"),
    )


def test_several_high_risks_of_one_subject_make_one_task_of_the_worst() -> None:
    outcome = judged(
        firm(),
        condition(impact=5, title="Bad"),
        condition("x.worse", impact=5, probability=5, title="Worse"),
    )
    assert (
        facts_of(outcome, "tasks", "task:answer_risk:c1")["name"]
        == "Answer the risk: Worse"
    )
    assert len({fact.ref for fact in outcome.facts if fact.ref.source == "tasks"}) == 1


def test_a_medium_risk_or_one_asleep_needs_no_task() -> None:
    assert keys_of(judged(firm(), condition()), "tasks") == set()
    seen = firm()
    first = judged(seen, condition(impact=5))
    asleep = changed(
        applied(seen, first, today=day(1)),
        "risks",
        "risk:x.test:c1",
        snooze_until=day(9),
    )
    measures = judged(asleep, condition(impact=5)).measures
    assert [risk.asleep for risk in measures.risks or ()] == [True]
    assert [
        signal.holds
        for signal in measures.signals or ()
        if signal.playbook == "answer_risk"
    ] == [False] * 3
    until = changed(
        asleep,
        "risks",
        "risk:x.test:c1",
        snooze_until=at(day(9)),
        first_seen=at(day(0)),
    )
    for told in ((condition(impact=5),), ()):
        outcome = judged(until, *told)
        assert [risk.asleep for risk in outcome.measures.risks or ()] == [True], (
            "a time of the day changes nothing"
        )


def test_two_looks_at_one_subject_are_one_row_of_the_stronger() -> None:
    outcome = judged(
        firm(),
        condition(holds=False),
        condition(title="One"),
        condition(probability=4, title="Two"),
        condition(holds=None),
    )
    assert facts_of(outcome, "risks", "risk:x.test:c1")["name"] == "Two"
    assert len(outcome.measures.risks or ()) == 1


def gone(*later: Condition, failed: bool = False) -> Outcome:
    """Return what is said on the second day on which only `later` was told, c1's risk having opened before."""
    seen = firm()
    outcome = judged(seen, condition())
    assert keys_of(outcome, "risks") == {"risk:x.test:c1"}
    for number in (1, 2):
        seen = applied(seen, outcome, today=day(number))
        outcome = judged(seen, *later, failed=failed)
    return outcome


OTHER = condition(subject=Ref("clients", "big"), holds=False)


@pytest.mark.parametrize(
    ("later", "failed"), [((), False), ((OTHER,), False), ((OTHER,), True)]
)
def test_a_condition_nobody_speaks_of_any_more_is_gone(
    later: tuple[Condition, ...], failed: bool
) -> None:
    facts = facts_of(gone(*later, failed=failed), "risks", "risk:x.test:c1")
    assert facts == {"status": "closed"}


@pytest.mark.parametrize(
    ("later", "failed"), [((), True), ((condition(holds=None),), False)]
)
def test_silence_of_a_failed_chapter_or_not_knowing_closes_nothing(
    later: tuple[Condition, ...], failed: bool
) -> None:
    assert keys_of(gone(*later, failed=failed), "risks") == set()


def test_a_standing_risk_is_told_as_its_row_tells_it() -> None:
    seen = replace(firm(), cards={P1: card(jira=None)})
    first = judged(
        seen,
        condition(subject=P1, card=P1, kind="team", stake=Decimal(40), horizon=day(30)),
    )
    after = judged(applied(seen, first, today=day(1)))
    (before,), (now,) = first.measures.risks or (), after.measures.risks or ()
    assert now == before
    assert (now.subject, now.card, now.kind, now.horizon, now.first_seen) == (
        P1,
        P1,
        "team",
        day(30),
        TODAY,
    )
    assert now.owner == Ref("people", "hoa")


def test_steps_are_told_as_people_keep_them() -> None:
    seen = firm()
    later = applied(seen, judged(seen, condition()), today=day(1))
    edited = changed(
        later,
        "risks",
        "risk:x.test:c1",
        owner=(Ref("people", "pm"),),
        steps="Just a note\nNov 27, 2026: Call: now\nsoon: no date",
    )
    (risk,) = judged(edited, condition()).measures.risks or ()
    assert (risk.steps, risk.owner) == (
        (Step(day(9), "Call: now"),),
        Ref("people", "pm"),
    )


@given(st.lists(st.integers(-100, 200), max_size=6), st.sampled_from(["en", "ru"]))
def test_written_steps_are_read_again(days: list[int], locale: str) -> None:
    words = Words("en", "EUR") if locale == "en" else load_words("ru", "RUB")
    steps = tuple(Step(day(number), f"Step {number}: call") for number in days)
    assert read_steps(write_steps(steps, words), TODAY, words) == steps


def test_a_risk_that_opens_again_gets_no_second_row() -> None:
    seen = firm()
    for number, holds in enumerate(
        [True, False, False, True, True, False, False, True]
    ):
        outcome = judged(seen, condition(holds=holds))
        seen = applied(seen, outcome, today=day(number + 1))
    assert [row.key for row in seen.rows["risks"]] == ["risk:x.test:c1"]
    assert seen.rows["risks"][0].fields["status"] == "open"


HOLDS = st.sampled_from([True, False, None])
ACTS = st.sampled_from(["", "", "", "closed", "watching", "snoozed"])


@settings(max_examples=40)
@given(st.lists(st.tuples(HOLDS, ACTS, st.integers(0, 2), st.booleans()), max_size=12))
def test_under_any_life_rows_are_never_doubled_and_running_twice_is_running_once(
    life: list[tuple[bool | None, str, int, bool]],
) -> None:
    seen, today = firm(), TODAY
    for holds, act, pause, doubled in life:
        today += timedelta(days=pause)
        seen = replace(seen, today=today)
        told = [condition(holds=holds)] * (2 if doubled else 1)
        first = judged(seen, *told)
        again = judged(applied(seen, first), *told)
        assert values_of(again, "risks").items() <= values_of(first, "risks").items()
        assert again.memory == first.memory
        seen = applied(seen, first)
        standing = [
            row
            for row in seen.rows.get("risks", ())
            if row.fields.get("status") in ("open", "watching")
        ]
        assert len(standing) <= 1
        assert len({row.key for row in seen.rows.get("risks", ())}) == len(
            seen.rows.get("risks", ())
        )
        if act and standing:
            seen = changed(seen, "risks", standing[0].ref.key, status=act)


def test_the_key_holds_no_date_and_no_number() -> None:
    seen = condition(probability=5, stake=Decimal(7), horizon=day(3))
    assert risk_key(seen.signal, seen.subject) == "risk:x.test:c1"


# --- what a row says and why


def reasons(outcome: Outcome, key: str = "risk:x.test:c1") -> dict[str, Why]:
    """Return the reasons of one risk row's facts by field."""
    return {fact.field: fact.why for fact in outcome.facts if fact.ref.key == key}


def test_a_risk_without_a_response_is_a_row_without_owner_and_steps() -> None:
    silent = replace(PLAYBOOKS, responses={})
    outcome = judged(firm(), condition(impact=5), playbooks=silent)
    (risk,) = outcome.measures.risks or ()
    assert (risk.owner, risk.steps, risk.score) == (None, (), 15)
    facts = facts_of(outcome, "risks", "risk:x.test:c1")
    assert (facts["status"], facts["level"]) == ("open", "high")
    assert not {"owner", "steps", "review"} & facts.keys()


@pytest.mark.parametrize(
    ("formula", "says"), [("", "Evidence 42."), ("days / 2", "days / 2")]
)
def test_a_risk_says_what_it_was_seen_by(formula: str, says: str) -> None:
    seen = replace(firm(), cards={P1: card(jira=None, budget=Decimal(100))})
    told = condition(
        subject=P1,
        card=P1,
        formula=formula,
        threshold="days >= 3",
        inputs=(("days", "5", ""),),
    )
    found = reasons(judged(seen, told), "risk:x.test:p1")
    # Committed: a budget of 100 and three months at 100; 100 of 400 is more than 20 % and no more than 40 %.
    rows = (Input("card", "Card p1"), Input("client", "C1"))
    evidence = Input("evidence", "Evidence 42.")
    for field in ("probability", "evidence"):
        assert found[field] == Why(
            "riskmap", (*rows, evidence, Input("days", "5")), says, "days >= 3"
        )
    for field in ("name", "kind", "signal", "client", "unit", "project"):
        assert found[field].inputs == (Input("signal", "x.test"), *rows)
    assert found["horizon"].inputs == (*rows, Input("day", "-"))
    stake = Input("money at stake", "€100")
    for field, formula, inputs in (
        (
            "score",
            "probability × impact",
            (Input("probability", "3"), Input("impact", "4")),
        ),
        ("level", "1–6 low, 8–12 medium, 15–25 high", (Input("risk score", "12"),)),
        (
            "exposure",
            "probability × money at stake",
            (Input("chance of this probability", "50%"), stake),
        ),
        (
            "impact",
            "share of the client's committed money",
            (stake, Input("committed", "€400")),
        ),
    ):
        assert (found[field].formula, found[field].inputs) == (formula, inputs)
    assert found["impact"].threshold == "10% / 20% / 40%"
    assert found["steps"].formula == "the playbook's response to this signal"
    assert found["owner"].inputs[1] == Input("role", "am")


def test_a_risk_wider_than_a_card_is_weighed_against_all_clients_and_says_so() -> None:
    found = reasons(judged(firm(), condition()))
    assert found["impact"].formula == "share of the money all clients have committed"
    assert found["impact"].inputs == (
        Input("money at stake", "€300"),
        Input("committed", "€1,200"),
    )


@pytest.mark.parametrize(
    ("budget", "fields", "exposure"),
    [
        # Half of what is at stake, the chance of mark 3 being 0.5.
        (80, {"card": P1, "stake": Decimal(10)}, 5),
        (80, {"card": P1}, 40),
        (None, {"card": P1}, 150),
        (80, {"card": P1, "client": None}, 40),
        (None, {"card": P1, "client": None}, None),
        (80, {}, 190),
        (80, {"client": None}, None),
        (80, {"client": None, "stake": Decimal(10)}, 5),
        (80, {"card": P1, "stake": Decimal(0)}, None),
        (80, {"client": Ref("clients", "left")}, None),
    ],
)
def test_at_stake_is_what_is_told_else_the_budget_a_quarter_of_the_fee_or_all(
    budget: int | None, fields: dict[str, Any], exposure: int | None
) -> None:
    amount = None if budget is None else Decimal(budget)
    seen = replace(firm(), cards={P1: card(jira=None, budget=amount)})
    facts = facts_of(judged(seen, condition(**fields)), "risks", "risk:x.test:c1")
    assert facts["exposure"] == exposure


@pytest.mark.parametrize(
    ("stake", "impact"),
    [(1, 2), (120, 2), (121, 3), (240, 3), (241, 4), (480, 4), (481, 5)],
)
def test_a_band_of_impact_begins_above_its_limit(stake: int, impact: int) -> None:
    # 10, 20 and 40 % of the 1,200 all clients have committed.
    outcome = judged(firm(), condition(stake=Decimal(stake)))
    assert facts_of(outcome, "risks", "risk:x.test:c1")["impact"] == impact


def test_a_card_is_weighed_against_its_own_client() -> None:
    # 100 of the 400 that c1 has committed are 25 %, of all 1,300 under 10 %.
    seen = replace(firm(), cards={P1: card(jira=None, budget=Decimal(100))})
    told = condition(subject=P1, card=P1)
    assert facts_of(judged(seen, told), "risks", "risk:x.test:p1")["impact"] == 4
    alone = condition(subject=P1, card=P1, client=None)
    assert facts_of(judged(seen, alone), "risks", "risk:x.test:p1")["impact"] == 3


@pytest.mark.parametrize(
    ("mark", "score"),
    [
        (Decimal(1), 5),
        (Decimal(2), 10),
        (Decimal(5), 25),
        (Decimal(0), 15),
        (Decimal(6), 15),
        (None, 15),
        ("five", 15),
    ],
)
def test_a_mark_of_a_person_stands_if_it_is_one_to_five(
    mark: Value, score: int
) -> None:
    seen = firm()
    later = applied(seen, judged(seen, condition(impact=5)), today=day(1))
    marked = changed(later, "risks", "risk:x.test:c1", probability=mark)
    facts = facts_of(judged(marked, condition(impact=5)), "risks", "risk:x.test:c1")
    assert (facts["score"], facts["probability"]) == (score, Decimal(score) / 5)


def test_a_mark_not_remembered_as_ours_is_a_persons() -> None:
    seen = firm()
    later = applied(seen, judged(seen, condition(impact=5)), today=day(1))
    marked = changed(later, "risks", "risk:x.test:c1", impact=Decimal(2))
    forgetful = replace(marked, memory=replace(marked.memory, tracks={}))
    facts = facts_of(judged(forgetful, condition(impact=5)), "risks", "risk:x.test:c1")
    assert facts["impact"] == 2


@pytest.mark.parametrize("mark", ["impact", "probability"])
def test_a_mark_of_ours_is_ours_whatever_the_memory_knows_of_it(mark: str) -> None:
    """As after a process that wrote the mark and died before it heard that it stands."""
    seen = firm()
    told = condition(impact=4, probability=4)
    later = applied(seen, judged(seen, told), today=day(1))
    key = "risk:x.test:c1"
    half = changed(later, "risks", key, **{mark: Decimal(2)})
    facts = facts_of(judged(half, told), "risks", key)
    assert facts["score"] == 8
    ours = replace(half, own_cells=half.own_cells | {(Ref("risks", key), mark)})
    facts = facts_of(judged(ours, told), "risks", key)
    assert (facts[mark], facts["score"]) == (4, 16)
    forgetful = replace(ours, memory=replace(ours.memory, tracks={}))
    assert facts_of(judged(forgetful, told), "risks", key)["score"] == 16


def test_an_emptied_row_of_a_standing_risk_is_told_as_the_least() -> None:
    seen = firm()
    later = applied(seen, judged(seen, condition()), today=day(1))
    marks = ("probability", "impact", "level", "kind", "exposure", "owner", "client")
    bare = changed(later, "risks", "risk:x.test:c1", **dict.fromkeys(marks))
    (risk,) = judged(bare).measures.risks or ()
    assert (risk.probability, risk.impact, risk.level, risk.kind) == (
        1,
        1,
        "low",
        "other",
    )
    assert (risk.exposure, risk.owner, risk.client) == (None, None, None)
    (told,) = judged(bare, condition(holds=None, kind="team")).measures.risks or ()
    assert (told.kind, told.client) == ("team", C1)


@pytest.mark.parametrize("absent_first", [True, False])
def test_of_two_looks_at_one_subject_not_knowing_is_stronger_than_absence(
    absent_first: bool,
) -> None:
    looks = (condition(holds=False), condition(holds=None))
    told = looks if absent_first else looks[::-1]
    assert keys_of(gone(*told), "risks") == set()


@pytest.mark.parametrize("known", [True, None])
def test_of_two_looks_at_one_subject_there_is_stronger_than_likely(
    known: bool | None,
) -> None:
    looks = (condition(holds=known, title="One"), condition(holds=False, probability=5))
    for told in (looks, looks[::-1]):
        assert ("risk:x.test:c1" in keys_of(judged(firm(), *told), "risks")) is (
            known is True
        )


def test_the_last_change_is_the_day_the_score_changed() -> None:
    seen = firm()
    outcome = judged(seen, condition(impact=2))
    told = []
    for number, impact in ((1, 2), (3, 3), (4, 3)):
        seen = applied(seen, outcome, today=day(number))
        outcome = judged(seen, condition(impact=impact))
        facts = facts_of(outcome, "risks", "risk:x.test:c1")
        told.append((facts["last_change"], facts["first_seen"]))
    assert told == [(day(0), day(0)), (day(3), day(0)), (day(3), day(0))]


def test_a_risk_that_opens_again_has_changed_on_that_day() -> None:
    seen = firm()
    outcome = judged(seen, condition())
    for number, holds in ((1, False), (2, False), (9, True)):
        seen = applied(seen, outcome, today=day(number))
        outcome = judged(seen, condition(holds=holds))
    facts = facts_of(outcome, "risks", "risk:x.test:c1")
    assert (facts["first_seen"], facts["last_change"]) == (day(9), day(9))


def test_a_closure_says_since_when_the_condition_is_gone() -> None:
    why = reasons(gone(condition(holds=False)))["status"]
    assert (
        why.formula == "closed automatically: the condition is gone since Nov 19, 2026"
    )
    assert why.threshold == "days ≥ 2"


def test_a_risk_remembers_its_client_when_nobody_tells_it_any_more() -> None:
    remembered = gone().memory.occurrences["risk:x.test:c1"]
    assert remembered.client == "clients/c1"


def test_a_risk_of_a_client_is_of_its_unit_unless_another_is_told() -> None:
    other = Ref("units", "u2")
    for told, unit_of in ((condition(), U1), (condition(unit=other), other)):
        outcome = judged(firm(), told)
        assert facts_of(outcome, "risks", "risk:x.test:c1")["unit"] == (unit_of,)
    nobody = judged(firm(), condition(client=None))
    assert facts_of(nobody, "risks", "risk:x.test:c1")["unit"] == ()


@pytest.mark.parametrize(
    ("fields", "asleep"),
    [
        ({"snooze_until": day(2)}, True),
        ({"snooze_until": day(1)}, False),
        ({"status": "snoozed"}, True),
        ({"status": "snoozed", "snooze_until": day(1)}, False),
        ({}, False),
    ],
)
def test_a_risk_sleeps_until_its_day_or_while_it_is_called_snoozed(
    fields: dict[str, Value], asleep: bool
) -> None:
    seen = firm()
    later = applied(seen, judged(seen, condition()), today=day(1))
    outcome = judged(changed(later, "risks", "risk:x.test:c1", **fields), condition())
    assert [risk.asleep for risk in outcome.measures.risks or ()] == [asleep]
    said = facts_of(outcome, "risks", "risk:x.test:c1")
    assert ("status" in said) is not asleep
