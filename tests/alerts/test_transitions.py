"""From what was seen to what is told: every pair of phase and sight has its answer, and nothing floods anybody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.alerts.conditions import Sighting
from worker.alerts.ledger import Change, Kind, Level, Phase, Watched
from worker.alerts.transitions import TABLE, advance, steady
from worker.config import Alerts
from worker.domain.messages import literal

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
ALERTS = Alerts(steady=300, remind=86_400)


def sighting(
    *, level: Level = Level.CRITICAL, grace: float = 0, hidden: bool = False
) -> Sighting:
    return Sighting(
        "failing",
        Kind.FAILING,
        level,
        NOW,
        literal("it fails"),
        timedelta(seconds=grace),
        hidden=hidden,
    )


def told_over(seen: list[bool], seconds: float, *, grace: float = 0) -> list[Change]:
    """Return what is told of a condition that is seen or not, one look after another."""
    told = []
    watched: tuple[Watched, ...] = ()
    now = NOW
    for one in seen:
        sights = [sighting(grace=grace)] if one else []
        turns = advance(watched, sights, ALERTS, now=now)
        told += [turn.change for turn in turns if turn.change]
        watched = tuple(turn.watched for turn in turns if turn.watched)
        now += timedelta(seconds=seconds)
    return told


def test_each_phase_has_an_answer_to_each_sight() -> None:
    assert TABLE.keys() == set(product(Phase, ("seen", "hidden", "gone")))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ("x", ["began"]),
        ("xxxx", ["began"]),
        ("x.x.", ["began"]),
        ("x..", ["began", "ended"]),
        ("x..x", ["began", "ended", "began"]),
        ("x..x..", ["began", "ended", "began"]),
        ("x..x...", ["began", "ended", "began", "ended"]),
        ("....", []),
    ],
)
def test_only_changes_are_told(seen: str, told: list[str]) -> None:
    """A dot is a look five minutes after the one before at which nothing was seen."""
    found = told_over([sign == "x" for sign in seen], 300)
    assert [change.value for change in found] == told


@pytest.mark.parametrize(("looks", "told"), [(3, []), (4, ["began"])])
def test_what_needs_a_grace_is_told_once_it_stayed_for_it(
    looks: int, told: list[str]
) -> None:
    found = told_over([True] * looks, 300, grace=900)
    assert [change.value for change in found] == told


def test_what_went_before_its_grace_was_over_is_never_told() -> None:
    assert told_over([True, True, False] * 300, 300, grace=900) == []


@pytest.mark.parametrize("seconds", [60, 300, 600, 1_800, 3_600, 14_400])
@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_thousand_flips_of_any_pace_tell_a_few_changes_a_day(
    seconds: float, width: int
) -> None:
    seen = ([True] * width + [False] * width) * 1_000
    days = len(seen) * seconds / 86_400
    told = told_over(seen, seconds)
    assert len(told) <= 16 * (days + 1)


@given(st.lists(st.sampled_from(["seen", "hidden", "gone"]), max_size=60))
def test_what_began_ends_before_it_begins_again(sights: list[str]) -> None:
    watched: tuple[Watched, ...] = ()
    told: list[Change] = []
    now = NOW
    for one in sights:
        seen = [] if one == "gone" else [sighting(hidden=one == "hidden")]
        turns = advance(watched, seen, ALERTS, now=now)
        told += [turn.change for turn in turns if turn.change]
        watched = tuple(turn.watched for turn in turns if turn.watched)
        now += timedelta(seconds=400)
    turned = [one for one in told if one in (Change.BEGAN, Change.ENDED)]
    assert turned[::2] == [Change.BEGAN] * len(turned[::2])
    assert turned[1::2] == [Change.ENDED] * len(turned[1::2])


def test_a_look_without_news_changes_nothing() -> None:
    first = advance((), [sighting()], ALERTS, now=NOW)
    watched = tuple(turn.watched for turn in first if turn.watched)
    later = NOW + timedelta(hours=5)
    again = advance(watched, [sighting()], ALERTS, now=later)
    assert [turn.watched for turn in again] == list(watched)
    assert [turn.change for turn in again] == [None]


def test_what_becomes_worse_is_told_and_what_becomes_milder_is_not() -> None:
    levels = [Level.WARNING, Level.WARNING, Level.CRITICAL, Level.WARNING]
    watched: tuple[Watched, ...] = ()
    told: Counter[str] = Counter()
    for place, level in enumerate(levels):
        now = NOW + place * timedelta(minutes=5)
        turns = advance(watched, [sighting(level=level)], ALERTS, now=now)
        told.update(turn.change.value for turn in turns if turn.change)
        watched = tuple(turn.watched for turn in turns if turn.watched)
    assert told == {"began": 1, "worse": 1}


def test_a_wait_that_doubles_has_an_end() -> None:
    often = Watched("failing", Phase.SETTLING, NOW, NOW, raised=(NOW,) * 500)
    assert steady(often, ALERTS) == 300 * 2**6
