"""Contact, contracts, documents and rates: each is one look for the risk map and for the account sprint."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of, people_see, written
from tests.support.worlds import (
    PLAYBOOKS,
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    client,
    contact,
    document,
    unit,
    world,
)
from worker.domain.document import markdown
from worker.domain.entities import Stage
from worker.domain.values import Ref
from worker.method.clients.contacts import find_relation_conditions
from worker.method.measures import Condition, Signal
from worker.world.world import World


def day(number: int) -> date:
    """Return the day so many days after TODAY."""
    return TODAY + timedelta(days=number)


def looks(around: World, signal: str) -> tuple[Condition, Signal]:
    """Return the one condition of a signal with the task signal beside it."""
    found = find_relation_conditions(around, PLAYBOOKS)
    assert len(found.conditions) == len(found.signals)
    (pair,) = (
        (condition, task)
        for condition, task in zip(found.conditions, found.signals, strict=True)
        if condition.signal == signal
    )
    assert PLAYBOOKS.tasks[pair[1].playbook].signal == signal
    assert pair[0].holds is pair[1].holds
    assert pair[0].subject == pair[1].subject
    return pair


CASES: list[tuple[str, dict[str, Any], bool | None, int | None]] = [
    ("relations.no_contact", {"last_contact": day(-14)}, False, None),
    ("relations.no_contact", {"last_contact": day(-15)}, True, 3),
    ("relations.no_contact", {"last_contact": day(-29)}, True, 4),
    ("relations.no_contact", {"last_contact": day(-57)}, True, 5),
    ("relations.no_contact", {}, None, None),
    # Never noted: silent since the start of the relation, if that is known.
    ("relations.no_contact", {"since": day(-14)}, False, None),
    ("relations.no_contact", {"since": day(-15)}, True, 3),
    ("relations.no_contact", {"since": day(-900)}, True, 3),
    ("relations.no_contact", {"since": day(-900), "group": "newbiz"}, False, None),
    (
        "relations.no_contact",
        {"last_contact": day(-90), "group": "newbiz"},
        False,
        None,
    ),
    ("relations.no_partner_contact", {"last_partner_contact": day(-60)}, False, None),
    ("relations.no_partner_contact", {"last_partner_contact": day(-61)}, True, 2),
    ("relations.no_partner_contact", {"last_partner_contact": day(-121)}, True, 3),
    ("relations.no_partner_contact", {}, None, None),
    ("money.contract_ends", {"contract_end": day(61)}, False, None),
    ("money.contract_ends", {"contract_end": day(60)}, True, 3),
    ("money.contract_ends", {"contract_end": day(30)}, True, 4),
    ("money.contract_ends", {"contract_end": day(14)}, True, 5),
    ("money.contract_ends", {"contract_end": day(-1)}, False, None),
    ("money.contract_ends", {}, False, None),
    ("money.rate_not_indexed", {"rate_indexed": day(-364)}, False, None),
    ("money.rate_not_indexed", {"rate_indexed": day(-365)}, True, 3),
    ("money.rate_not_indexed", {"since": day(-548)}, True, 4),
    ("money.rate_not_indexed", {"since": day(-548), "group": "newbiz"}, False, None),
    ("money.rate_not_indexed", {}, False, None),
]


@pytest.mark.parametrize(("signal", "fields", "holds", "mark"), CASES)
def test_each_look_has_its_day(
    signal: str, fields: dict[str, Any], holds: bool | None, mark: int | None
) -> None:
    condition, task = looks(world(client(**fields), unit()), signal)
    assert condition.holds is holds
    if mark is not None:
        assert condition.probability == mark
        assert condition.title.startswith("C1: ")
        assert condition.evidence == task.reason != ""


def test_a_contact_that_was_never_noted_is_told_and_counts_from_the_first_work() -> (
    None
):
    """The row says no start: work that began 40 and 20 days ago does, and what only stands at proposal does not."""
    around = world(
        client(),
        unit(),
        card("p1", start=day(-20)),
        card("p2", Stage.EVOLUTION, start=day(-40)),
        card("p3", Stage.PROPOSAL, start=day(-400)),
    )
    condition, task = looks(around, "relations.no_contact")
    assert condition.holds is task.holds is True
    assert condition.evidence == "No contact was ever noted since Oct 9, 2026."

    fresh = world(client(), unit(), card(start=day(-14)))
    assert looks(fresh, "relations.no_contact")[0].holds is False
    why = facts_of(judge(fresh), "clients", "c1")["why"]
    assert "relations (no contact was ever noted)" in str(why)


def test_one_contact_of_anybody_there_ends_the_silence_from_the_start() -> None:
    around = world(
        client(since=day(-900)), unit(), contact("ivan", last_contact=day(-3))
    )
    assert looks(around, "relations.no_contact")[0].holds is False


def test_any_contact_at_the_client_breaks_the_silence() -> None:
    silent = world(
        client(last_contact=day(-40)), unit(), contact("ivan", last_contact=day(-3))
    )
    assert looks(silent, "relations.no_contact")[0].holds is False


def test_running_work_makes_silence_matter_for_newbiz_and_an_ended_contract_too() -> (
    None
):
    around = world(
        client(group="newbiz", last_contact=day(-15), contract_end=day(-10)),
        unit(),
        card(stage=Stage.AGREED),
    )
    assert looks(around, "relations.no_contact")[0].holds is True
    assert looks(around, "money.contract_ends")[0].probability == 5


@pytest.mark.parametrize(
    ("expires", "holds", "mark"),
    [
        (day(61), False, None),
        (day(60), True, 3),
        (day(0), True, 5),
        (day(-30), True, 5),
        (day(-31), False, None),
        (None, False, None),
    ],
)
def test_documents_end_within_sixty_days(
    expires: date | None, holds: bool, mark: int | None
) -> None:
    for kind, weight in (("contract", 4), ("nda", 2)):
        condition, task = looks(
            world(client(), unit(), document("paper", expires=expires, kind=kind)),
            "documents.ends",
        )
        assert (condition.holds, condition.subject) == (
            holds,
            Ref("documents", "paper"),
        )
        if mark is not None:
            assert (condition.probability, condition.impact, condition.horizon) == (
                mark,
                weight,
                expires,
            )
            assert condition.title == "C1: “Paper” ends"
            assert task.client == Ref("clients", "c1")


def test_a_contract_that_ends_with_the_clients_contract_is_told_once() -> None:
    around = world(
        client(contract_end=day(20)),
        unit(),
        document("paper", expires=day(20), kind="contract"),
        document("other", expires=day(21), kind="contract"),
        document("nda", expires=day(20), kind="nda"),
    )
    found = find_relation_conditions(around, PLAYBOOKS).conditions
    assert {one.subject.key for one in found if one.holds} == {"c1", "other", "nda"}


def test_a_document_of_nobody_is_still_watched() -> None:
    condition, _ = looks(
        world(document("paper", client=None, expires=day(5))), "documents.ends"
    )
    assert (condition.holds, condition.client, condition.title) == (
        True,
        None,
        "-: “Paper” ends",
    )


def test_the_days_come_from_the_playbooks_and_without_them_from_the_thresholds() -> (
    None
):
    around = world(client(contract_end=day(80), rate_indexed=day(-100)), unit())
    books = {
        name: book.model_copy(update={"days": 90})
        for name, book in PLAYBOOKS.tasks.items()
    }
    for tasks, expected in ((books, True), ({}, False)):
        playbooks = replace(PLAYBOOKS, tasks=tasks)
        found = find_relation_conditions(around, playbooks).conditions
        assert {one.signal for one in found if one.holds} == (
            {"money.contract_ends", "money.rate_not_indexed"} if expected else set()
        )


def test_a_silent_account_is_weighed_by_its_share_of_all_money() -> None:
    # 3 x 100 of 3 x 400 committed: 25 %, mark 4; 15 days: mark 3; 12 is medium; half of 300 is exposed.
    others = [client(f"x{n}", monthly_fee=Decimal(100)) for n in range(3)]
    around = world(
        client(monthly_fee=Decimal(100), last_contact=day(-15)), *others, unit()
    )
    outcome = judge(around)
    facts = facts_of(outcome, "risks", "risk:relations.no_contact:c1")
    assert (
        facts["probability"],
        facts["impact"],
        facts["level"],
        facts["exposure"],
    ) == (3, 4, "medium", 150)
    assert (facts["client"], facts["unit"], facts["project"]) == (
        (Ref("clients", "c1"),),
        (Ref("units", "u1"),),
        (),
    )
    assert facts["owner"] == (Ref("people", "am"),)
    assert facts_of(outcome, "clients", "c1")["open_risks"] == 1


def test_what_has_a_task_of_its_own_gets_no_second_one() -> None:
    around = world(client(monthly_fee=Decimal(100), last_contact=day(-60)), unit())
    outcome = judge(around)
    assert facts_of(outcome, "risks", "risk:relations.no_contact:c1")["level"] == "high"
    assert (
        facts_of(outcome, "tasks", "task:contact_client:c1")["name"]
        == "Get in touch with C1"
    )
    assert "task:answer_risk:c1" not in keys_of(outcome, "tasks")


def test_an_old_rate_exposes_no_money() -> None:
    outcome = judge(
        world(client(monthly_fee=Decimal(100), rate_indexed=day(-400)), unit())
    )
    facts = facts_of(outcome, "risks", "risk:money.rate_not_indexed:c1")
    assert (facts["impact"], facts["score"], facts["level"], facts["exposure"]) == (
        2,
        6,
        "low",
        None,
    )


def test_the_risk_of_a_document_that_is_gone_closes() -> None:
    seen = world(
        client(), unit(), document("paper", expires=day(20)), document("other")
    )
    outcome = judge(seen)
    for number in (1, 2):
        seen = replace(applied(seen, outcome, today=day(number)), documents={})
        outcome = judge(seen)
    facts = facts_of(outcome, "risks", "risk:documents.ends:paper")
    assert people_see(facts) == {"status": "closed"}


@pytest.mark.parametrize(
    ("fields", "is_asked"),
    [
        ({"since": date(2026, 9, 1)}, True),
        # 60 days before 27 November are on 28 September.
        ({"since": date(2026, 9, 27)}, True),
        ({"since": date(2026, 9, 28)}, False),
        ({"created": at(date(2026, 9, 1))}, True),
        ({"created": at(date(2026, 11, 1))}, False),
        # A row that was typed lately for an old client: its own word counts.
        ({"created": at(date(2026, 11, 1)), "since": date(2020, 1, 1)}, True),
        ({}, False),
        ({"since": date(2020, 1, 1), "last_partner_contact": TODAY}, False),
        # Once it was noted, too long ago is a risk and no question.
        ({"since": date(2020, 1, 1), "last_partner_contact": day(-300)}, False),
        ({"since": date(2020, 1, 1), "group": "newbiz"}, False),
    ],
)
def test_a_contact_of_the_partners_that_was_never_noted_is_a_question(
    fields: dict[str, Any], *, is_asked: bool
) -> None:
    agenda_day = date(2026, 11, 27)
    seen = world(
        client(name="Acme", **fields),
        unit(),
        today=agenda_day,
        sources=SOURCES | {"meetings"},
    )
    outcome = written(seen)
    (text,) = (
        markdown(page.blocks)
        for page in outcome.sections
        if page.ref.key == "meeting:monthly:u1:2026-12"
    )
    asked = "when did the agency partner last speak with them?" in text
    assert asked == is_asked
    risks = {key for key in keys_of(outcome, "risks") if "no_partner_contact" in key}
    is_silent = fields.get("last_partner_contact") == day(-300)
    assert bool(risks) == is_silent
