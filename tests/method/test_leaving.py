"""Who has left is asked for nothing: no task, no birthday, no place in a triangle (docs/method.md 3.1)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import TODAY, client, person, ref, unit, world
from worker.method.formulas.roles import person_for
from worker.world.world import World

YESTERDAY = TODAY - timedelta(days=1)
U1 = ref("units", "u1")
C1 = ref("clients", "c1")


def office(**ends: date) -> World:
    """Return a world of unit u1 with its triangle and the heads, of whom some have a last day."""
    roles = {"am": "am", "tl": "tl", "pm": "pm", "hoa": "hoa"}
    people = [
        person(key, role=role, end=ends.get(key), birthday=date(1990, 11, 20))
        for key, role in roles.items()
    ]
    return world(client(), unit(), *people)


@pytest.mark.parametrize(
    ("role", "ends", "who"),
    [
        ("am", {}, "am"),
        ("am", {"am": TODAY}, "am"),
        ("am", {"am": YESTERDAY}, "hoa"),
        ("pm", {"am": YESTERDAY}, "pm"),
        ("tl", {"tl": YESTERDAY, "hoa": YESTERDAY}, None),
        ("hoa", {"hoa": YESTERDAY}, None),
    ],
)
def test_nothing_is_given_to_who_has_left(
    role: str, ends: dict[str, date], who: str | None
) -> None:
    found = person_for(role, C1, office(**ends))
    assert found == (ref("people", who) if who else None)


def test_of_two_managers_the_one_who_is_still_there_answers() -> None:
    seen = office(am=YESTERDAY)
    heir = person("heir", role="am")
    team = replace(unit(), am=(ref("people", "am"), heir.ref))
    seen = replace(seen, units={U1: team}, people={**seen.people, heir.ref: heir})
    assert person_for("am", C1, seen) == heir.ref
    assert facts_of(judge(seen), "units", "u1")["triangle"] == "complete"


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        ("am", "no account manager"),
        ("tl", "no team lead"),
        ("pm", "no project manager"),
    ],
)
def test_a_triangle_is_broken_by_who_leaves(gone: str, missing: str) -> None:
    outcome = judge(office(**{gone: YESTERDAY}))
    assert facts_of(outcome, "units", "u1")["triangle"] == "broken"
    risk = facts_of(outcome, "risks", "risk:team.triangle:u1")
    assert risk["evidence"] == f"In the unit there is {missing}."
    assert facts_of(judge(office(**{gone: TODAY})), "units", "u1")["triangle"] == (
        "complete"
    )


def test_a_birthday_of_who_has_left_is_nobodys_task() -> None:
    tasks = {
        fact.ref.key
        for fact in judge(office(tl=YESTERDAY)).facts
        if fact.ref.key.startswith("task:birthday:")
    }
    assert tasks == {f"task:birthday:{key}" for key in ("am", "pm", "hoa")}
