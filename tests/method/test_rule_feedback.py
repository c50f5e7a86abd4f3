"""What clients say: trends, and a condition that names nobody (docs/method.md 4.4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
from tests.support.worlds import SOURCES, TODAY, client, person, unit, world
from worker.domain.entities import Feedback
from worker.domain.values import Ref
from worker.method.clients.feedback import measure_feedback, trend_of
from worker.method.measures import Condition
from worker.world.world import World

C1, DEV, PM = Ref("clients", "c1"), Ref("people", "dev"), Ref("people", "pm")
Said = tuple[int, int, Ref | None]


def heard(*said: Said, sources: frozenset[str] = SOURCES | {"feedback"}) -> World:
    """Return a world in which client c1 said things: (days ago, score, about whom)."""
    rows = [
        Feedback(
            Ref("feedback", f"f{index}"),
            f"https://notion.so/f{index}",
            C1,
            about,
            TODAY - timedelta(days=ago),
            Decimal(score),
            "Vadim is rude",
        )
        for index, (ago, score, about) in enumerate(said)
    ]
    return world(
        client(),
        client("c2"),
        unit(),
        person("dev", name="Vadim"),
        sources=sources,
        feedback={row.ref: row for row in rows},
    )


def condition(seen: World) -> Condition:
    """Return the condition of client c1."""
    conditions = measure_feedback(seen).conditions
    (found,) = [one for one in conditions if one.subject == C1]
    return found


@pytest.mark.parametrize(
    ("scores", "trend"),
    [
        ((), None),
        ((5, 4), None),
        ((5, 4, 3), "down"),
        ((3, 4, 5), "up"),
        ((4, 4, 4), "flat"),
        ((5, 3, 4), "flat"),
        ((5, 4, 4), "flat"),
        ((1, 5, 4, 3), "down"),
    ],
)
def test_a_trend_needs_three_scores_that_all_move_one_way(
    scores: tuple[int, ...], trend: str | None
) -> None:
    assert trend_of([Decimal(score) for score in scores], 3) == trend


@pytest.mark.parametrize(
    ("said", "holds", "probability"),
    [
        (((3, 2, DEV),), True, 4),
        (((3, 1, None),), True, 5),
        (((3, 3, DEV),), False, 3),
        ((), False, 3),
        (((90, 2, DEV),), True, 4),
        (((91, 2, DEV),), False, 3),
        # A better last word of the same client about the same person ends it; about another, it does not.
        (((9, 2, DEV), (3, 4, DEV)), False, 3),
        (((9, 2, DEV), (3, 4, PM)), True, 4),
        (((30, 5, DEV), (20, 4, DEV), (3, 3, DEV)), True, 3),
        (((30, 5, DEV), (20, 4, PM), (3, 3, None)), False, 3),
    ],
)
def test_a_low_last_word_or_a_fall_is_a_risk_of_the_client(
    said: tuple[Said, ...], holds: bool, probability: int
) -> None:
    found = condition(heard(*said))
    assert (found.signal, found.holds, found.probability) == (
        "relations.feedback",
        holds,
        probability,
    )


def test_the_evidence_holds_scores_and_days_only() -> None:
    found = condition(heard((3, 2, DEV), (40, 5, PM), (30, 4, PM), (20, 3, PM)))
    assert (
        found.evidence
        == "Mark 2 of 5 on Nov 15, 2026. Marks fall: 5, 4, 3 (until Oct 29, 2026)."
    )
    assert found.title == "C1: negative feedback"


def test_no_word_and_no_name_leaves_the_private_rows() -> None:
    seen = heard((3, 1, DEV))
    outcome = judge(seen)
    outside = [fact for fact in outcome.facts if fact.ref.source != "feedback"]
    told = " ".join(str(part) for fact in outside for part in (fact.value, fact.why))
    assert "Mark 1 of 5" in told
    assert "Vadim" not in told
    assert "f0" not in told
    assert not [
        fact
        for fact in outside
        if fact.ref.source == "people" and "feedback" in fact.field
    ]


def test_the_head_of_accounts_can_see_who_and_what() -> None:
    found = measure_feedback(heard((30, 4, DEV), (3, 2, DEV))).value or ()
    assert [(one.person, int(one.score), one.negative, one.text) for one in found] == [
        (DEV, 4, False, "Vadim is rude"),
        (DEV, 2, True, "Vadim is rude"),
    ]


def test_every_row_shows_the_trend_up_to_it() -> None:
    seen = heard((50, 3, DEV), (40, 5, DEV), (30, 4, DEV), (3, 3, DEV), (2, 3, PM))
    trends = {
        fact.ref.key: fact.value
        for fact in measure_feedback(seen).facts
        if fact.field == "trend"
    }
    assert trends == {"f0": None, "f1": None, "f2": "flat", "f3": "down", "f4": None}


def test_half_rows_and_rows_of_tomorrow_count_nowhere() -> None:
    seen = heard((3, 1, DEV), (-1, 1, DEV), (3, 1, DEV), (3, 1, DEV))
    broken = {
        Ref("feedback", "f0"): replace(
            seen.feedback[Ref("feedback", "f0")], client=None
        ),
        Ref("feedback", "f2"): replace(seen.feedback[Ref("feedback", "f2")], day=None),
        Ref("feedback", "f3"): replace(
            seen.feedback[Ref("feedback", "f3")], score=None
        ),
    }
    found = measure_feedback(replace(seen, feedback={**seen.feedback, **broken}))
    assert (found.facts, found.value) == ((), ())
    assert not any(one.holds for one in found.conditions)


def test_without_the_private_data_source_nothing_is_said() -> None:
    found = measure_feedback(heard((3, 1, DEV), sources=SOURCES))
    assert (found.facts, found.conditions, found.value) == ((), (), None)
