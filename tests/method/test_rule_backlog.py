"""The development backlog: age, agenda, and the card an accepted idea becomes (docs/method.md 5.5)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import outcome_of
from tests.support.worlds import TODAY, at, card, client, unit, world
from worker.domain.entities import Idea, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.formulas.agendas import next_planned
from worker.method.growth.backlog import plan_backlog
from worker.method.growth.development import development_of
from worker.method.run import Run
from worker.world.memory import Memory
from worker.world.world import World

I1, C1, U1 = Ref("backlog", "i1"), Ref("clients", "c1"), Ref("units", "u1")
PLANTED = Ref("projects", "card:backlog:i1")


def idea(key: str = "i1", *, days: int = 0, **fields: Any) -> Idea:
    """Return an item of client c1 written so many days ago."""
    return Idea(
        Ref("backlog", key),
        f"Idea {key}",
        f"https://notion.so/{key}",
        **{
            "created": at(TODAY - timedelta(days=days)),
            "kind": "idea",
            "status": "new",
            "client": C1,
            **fields,
        },
    )


def lab(*ideas: Idea, **fields: Any) -> World:
    """Return a world with some ideas for the one client of a unit."""
    return world(client(), unit(), ideas={one.ref: one for one in ideas}, **fields)


def facts(seen: World, ref: Ref = I1) -> dict[str, Value | Unset]:
    """Return the facts of one row."""
    found = plan_backlog(seen).facts
    return {fact.field: fact.value for fact in found if fact.ref == ref}


def remembered(seen: World) -> Memory:
    """Return what is remembered of the rule's run."""
    run = Run(seen)
    run(plan_backlog, None)
    return outcome_of(run).memory


@pytest.mark.parametrize(("days", "weeks"), [(0, 0), (6, 0), (7, 1), (20, 2), (21, 3)])
def test_the_age_is_in_whole_weeks(days: int, weeks: int) -> None:
    assert facts(lab(idea(days=days)))["age_weeks"] == weeks


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_the_age_stops_when_the_idea_is_decided_on(status: str) -> None:
    assert "age_weeks" not in facts(lab(idea(days=70, status=status)))


MONTH, QUARTER = (
    "Monthly meeting: plan of December 2026",
    "Quarterly meeting: plan of Q1 2027",
)


@pytest.mark.parametrize(
    ("kind", "horizon", "status", "agenda"),
    [
        ("feature", None, "new", None),
        ("feature", None, "validated", MONTH),
        ("feature", None, "presented", None),
        ("hypothesis", "strategic", "new", QUARTER),
        ("hypothesis", "strategic", "validated", QUARTER),
        ("hypothesis", "strategic", "rejected", None),
        ("hypothesis", "operational", "validated", None),
        ("hypothesis", None, "new", None),
        ("hypothesis", "operational", "for_group", MONTH),
        ("idea", None, "validated", None),
        ("idea", "strategic", "new", None),
        ("idea", None, "for_group", MONTH),
        ("feedback", None, "for_group", MONTH),
    ],
)
def test_what_goes_to_which_meeting_of_the_group(
    kind: str, horizon: str | None, status: str, agenda: str | None
) -> None:
    assert (
        facts(lab(idea(kind=kind, horizon=horizon, status=status)))["agenda"] == agenda
    )


@pytest.mark.parametrize(
    ("today", "strategic", "code"),
    [
        (date(2026, 11, 18), False, "2026-12"),
        (date(2026, 11, 18), True, "2027-Q1"),
        (date(2026, 12, 1), False, "2027-Q1"),
        (date(2026, 12, 31), True, "2027-Q1"),
        (date(2027, 1, 1), False, "2027-02"),
        (date(2027, 1, 1), True, "2027-Q2"),
    ],
)
def test_the_meeting_before_a_quarter_is_the_quarters(
    today: date, strategic: bool, code: str
) -> None:
    assert next_planned(today, strategic=strategic).code == code


def test_an_accepted_idea_is_planted_as_a_card_and_linked() -> None:
    seen = lab(idea(status="accepted"))
    assert facts(seen, PLANTED) == {"name": "Idea i1", "client": (C1,), "stage": "idea"}
    assert facts(seen)["card"] == (PLANTED,)
    assert not facts(lab(idea(status="presented")), PLANTED)


def test_once_planted_the_card_is_named_by_its_page() -> None:
    page = Ref("projects", "page")
    seen = lab(idea(status="accepted"))
    after = replace(seen, memory=remembered(seen), seeds={PLANTED: page})
    assert facts(after)["card"] == (page,)
    linked = replace(after, ideas={I1: idea(status="accepted", cards=(page,))})
    assert facts(linked)["card"] == (page,)


def test_a_planted_card_that_is_gone_is_not_linked_again() -> None:
    seen = lab(idea(status="accepted"))
    assert "card" not in facts(replace(seen, memory=remembered(seen)))


def test_a_card_that_people_linked_themselves_is_enough() -> None:
    own = card("own", Stage.SHAPING)
    seen = lab(idea(status="accepted", cards=(own.ref,)), cards={own.ref: own})
    assert facts(seen)["card"] == (own.ref,)
    assert facts(seen, PLANTED) == {}
    assert [item.card for item in plan_backlog(seen).value or ()] == [own.ref]


def test_the_only_client_of_the_unit_is_meant_else_the_idea_is_reported() -> None:
    alone = idea(status="accepted", client=None, unit=U1)
    assert facts(lab(alone), PLANTED)["client"] == (C1,)
    for seen in (
        world(client(), client("c2"), unit(), ideas={I1: alone}),
        lab(idea(status="accepted", client=None)),
    ):
        (problem,) = plan_backlog(seen).problems
        assert (problem.code, problem.url) == (
            "idea-without-client",
            "https://notion.so/i1",
        )
        assert facts(seen, PLANTED) == {}


def test_the_inboxes_of_the_roles_are_told_apart() -> None:
    seen = lab(
        idea(
            "f1",
            kind="feature",
            status="validated",
            impact=Decimal(3),
            effort=Decimal(2),
        ),
        idea("f2", kind="feature", status="validated", impact=Decimal(5)),
        idea("f3", kind="feature"),
        idea(
            "f4",
            kind="feature",
            status="validated",
            impact=Decimal(3),
            effort=Decimal(1),
        ),
        idea("h1", kind="hypothesis", horizon="strategic"),
        idea("h2", kind="hypothesis", horizon="operational"),
        idea("h3", kind="hypothesis"),
        idea("h4", kind="hypothesis", status="rejected"),
        idea("a1"),
        idea("a2", status="accepted"),
        idea("b1", kind="feedback"),
        idea("x", client=None),
    )
    items = plan_backlog(seen).value or ()
    found = development_of(U1, items)
    keys = [
        [item.ref.key for item in part]
        for part in (
            found.features,
            found.hypotheses,
            found.ideas,
            found.feedback,
            found.accepted,
        )
    ]
    assert keys == [["f2", "f4", "f1"], ["h1"], ["a1"], ["b1"], ["a2"]]
    assert found.operational == 2
    assert [item.ref.key for item in development_of(None, items).ideas] == ["x"]
