"""The triangle of a unit: broken, named, answered by the HoA, mended (docs/method.md 3.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of, people_see
from tests.support.worlds import TODAY, applied, card, client, person, unit, world
from worker.domain.entities import Stage
from worker.domain.values import Ref
from worker.world.world import World

U1 = Ref("units", "u1")
RISK, TASK = "risk:team.triangle:u1", "task:mend_triangle:u1"
TWO = (Ref("people", "am"), Ref("people", "am2"))


def broken(**fields: Any) -> World:
    """Return a world of one unit with a HoA, whose triangle is as given."""
    return world(
        client(monthly_fee=Decimal(100)),
        client("c2", unit=None, monthly_fee=Decimal(100)),
        card(
            stage=Stage.AGREED,
            budget=Decimal(300),
            jira=None,
            due=TODAY + timedelta(days=90),
        ),
        unit(**fields),
        person("hoa", role="hoa"),
    )


@pytest.mark.parametrize(
    ("fields", "says", "mark"),
    [
        ({"am": ()}, "no account manager", 3),
        ({"am": TWO}, "more than one account manager", 3),
        ({"tls": ()}, "no team lead", 3),
        ({"pms": ()}, "no project manager", 3),
        ({"tls": (), "pms": ()}, "no team lead, no project manager", 4),
        (
            {"am": (), "tls": (), "pms": ()},
            "no account manager, no team lead, no project manager",
            5,
        ),
    ],
)
def test_a_broken_triangle_is_a_risk_of_the_unit_and_a_task_for_the_hoa(
    fields: dict[str, Any], says: str, mark: int
) -> None:
    outcome = judge(broken(**fields))
    facts = facts_of(outcome, "risks", RISK)
    # The unit's client has committed 300 + 3 x 100 of 900: two thirds, mark 5.
    assert (facts["kind"], facts["probability"], facts["impact"]) == ("team", mark, 5)
    assert facts["evidence"] == f"In the unit there is {says}."
    assert (facts["unit"], facts["client"], facts["project"]) == ((U1,), (), ())
    assert facts["owner"] == (Ref("people", "hoa"),)
    task = facts_of(outcome, "tasks", TASK)
    assert (task["name"], task["assignee"], task["client"]) == (
        "Complete the triangle of North",
        (Ref("people", "hoa"),),
        (),
    )
    assert facts_of(outcome, "units", "u1")["triangle"] == "broken"
    assert "task:answer_risk:u1" not in keys_of(outcome, "tasks")


def test_a_whole_triangle_is_neither() -> None:
    outcome = judge(broken())
    assert RISK not in keys_of(outcome, "risks")
    assert TASK not in keys_of(outcome, "tasks")
    assert facts_of(outcome, "units", "u1")["triangle"] == "complete"


def test_a_mended_triangle_closes_both_on_the_second_day() -> None:
    seen = broken(tls=())
    outcome = judge(seen)
    for number, closed in ((1, False), (2, True)):
        seen = replace(
            applied(seen, outcome, today=TODAY + timedelta(days=number)),
            units={U1: unit()},
        )
        outcome = judge(seen)
        assert facts_of(outcome, "units", "u1")["triangle"] == "complete"
        assert (RISK in keys_of(outcome, "risks")) is closed
        assert ("status" in facts_of(outcome, "tasks", TASK)) is closed
    assert people_see(facts_of(outcome, "risks", RISK)) == {"status": "closed"}
    assert people_see(facts_of(outcome, "tasks", TASK)) == {
        "status": "done",
        "reason": "closed automatically: the triangle is complete again",
    }
