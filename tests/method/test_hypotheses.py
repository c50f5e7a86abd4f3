"""Hypotheses with metric, expected and measured effect (docs/method.md 5.5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge, written
from tests.support.worlds import SOURCES, TODAY, applied, at, client, unit, world
from worker.domain.document import markdown
from worker.domain.entities import Idea
from worker.domain.values import Ref
from worker.world.memory import Memory
from worker.world.world import World

I1 = Ref("backlog", "i1")
AGENDA_DAY = date(2026, 11, 27)
"""The monthly agenda of December is ready; it looks back at November."""


def hypothesis(**fields: Any) -> Idea:
    """Return a hypothesis of client c1 that was written in June."""
    return Idea(
        I1,
        "Shorter form",
        **{
            "created": at(date(2026, 6, 1)),
            "kind": "hypothesis",
            "horizon": "strategic",
            "status": "new",
            "client": Ref("clients", "c1"),
            **fields,
        },
    )


def lab(idea: Idea, day: date = TODAY, **fields: Any) -> World:
    """Return a world with one hypothesis on a day."""
    return world(
        client(),
        unit(),
        ideas={idea.ref: idea},
        sources=SOURCES | {"meetings", "backlog"},
        today=day,
        **fields,
    )


def with_idea(seen: World, **fields: Any) -> World:
    """Return the world after a person changed the hypothesis."""
    idea = replace(seen.ideas[I1], **fields)
    return replace(seen, ideas={I1: idea})


def agenda(seen: World) -> str:
    """Return the text of the one monthly agenda of December."""
    texts = [
        markdown(page.blocks)
        for page in written(seen).sections
        if page.ref.key == "meeting:monthly:u1:2026-12"
    ]
    assert len(texts) == 1
    return texts[0]


def on_agenda_day(seen: World) -> World:
    """Return the world as it is read on the day of the agenda."""
    return applied(seen, judge(seen), today=AGENDA_DAY)


FULL = {
    "metric": "Conversion of the form",
    "expected_effect": "+10 %",
    "measured_effect": "+7 %",
}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (FULL, "Conversion of the form · expected +10 % · measured +7 %"),
        ({"metric": "NPS", "expected_effect": "40"}, "NPS · expected 40"),
        ({"expected_effect": "fewer calls"}, "expected fewer calls"),
        ({}, "Shorter form"),
    ],
)
def test_the_agenda_shows_metric_and_effects_as_far_as_they_are_known(
    fields: dict[str, str], line: str
) -> None:
    assert line in agenda(lab(hypothesis(**fields), AGENDA_DAY))


@pytest.mark.parametrize(
    ("status", "weeks", "is_named"),
    [
        ("validated", 8, True),
        ("validated", 7, False),
        ("accepted", 9, True),
        ("presented", 9, True),
        ("new", 30, False),
        ("rejected", 30, False),
    ],
)
def test_a_validated_hypothesis_without_an_effect_is_named_after_eight_weeks(
    status: str, weeks: int, *, is_named: bool
) -> None:
    seen = lab(
        hypothesis(status=status, metric="NPS", horizon="operational"),
        AGENDA_DAY - timedelta(weeks=weeks),
    )
    text = agenda(on_agenda_day(seen))
    assert ("PM: effects to be measured" in text) == is_named
    if is_named:
        day = seen.words.date(seen.today)
        assert f"NPS · validated on {day}" in text


def test_the_wait_begins_with_the_validation_and_ends_with_the_effect() -> None:
    # New for ten weeks, then validated four weeks ago.
    seen = lab(hypothesis(), AGENDA_DAY - timedelta(weeks=14))
    seen = applied(seen, judge(seen), today=AGENDA_DAY - timedelta(weeks=4))
    seen = with_idea(seen, status="validated")
    assert "effects to be measured" not in agenda(on_agenda_day(seen))

    old = lab(hypothesis(status="validated"), AGENDA_DAY - timedelta(weeks=9))
    old = on_agenda_day(old)
    assert "effects to be measured" in agenda(old)
    measured = with_idea(old, measured_effect="none at all")
    assert "effects to be measured" not in agenda(measured)


def test_it_is_a_line_of_the_agenda_and_no_task() -> None:
    old = lab(hypothesis(status="validated"), AGENDA_DAY - timedelta(weeks=9))
    outcome = judge(on_agenda_day(old))
    assert [fact for fact in outcome.facts if fact.ref.source == "tasks"] == []


def test_other_ideas_have_no_effect_to_measure() -> None:
    old = lab(
        hypothesis(kind="feature", status="validated"), AGENDA_DAY - timedelta(weeks=9)
    )
    assert "effects to be measured" not in agenda(on_agenda_day(old))


@pytest.mark.parametrize(
    ("day", "is_told"), [(date(2026, 11, 12), True), (date(2026, 10, 12), False)]
)
def test_the_retrospective_tells_what_was_measured_in_its_period(
    day: date, *, is_told: bool
) -> None:
    seen = lab(hypothesis(status="validated"), day - timedelta(days=1))
    seen = with_idea(applied(seen, judge(seen), today=day), **FULL)
    text = agenda(on_agenda_day(seen))
    assert ("Hypotheses measured" in text) == is_told


def test_an_effect_that_was_there_at_first_sight_is_no_news() -> None:
    seen = lab(hypothesis(**FULL), AGENDA_DAY, memory=Memory())
    assert "Hypotheses measured" not in agenda(seen)
