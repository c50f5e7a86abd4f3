"""Which due dates are promises: those that people gave on the card, whatever Jira says now."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.worlds import card, world
from worker.method.delivery.progress import measure_progress
from worker.method.formulas.promises import follow_promise, promise_of, track_name
from worker.method.run import Run
from worker.world.memory import Memory, Track

DAY, OTHER = date(2027, 2, 1), date(2029, 7, 7)
SINCE, TODAY = date(2026, 11, 2), date(2026, 11, 18)


@pytest.mark.parametrize(
    ("due", "jira", "taken", "remembered", "first_run", "counted", "promised"),
    [
        # Nobody gave a date on the card.
        (None, None, False, None, False, True, None),
        (None, OTHER, False, None, True, False, None),
        (None, OTHER, False, DAY, False, True, None),
        # A person did.
        (DAY, None, False, None, True, False, DAY),
        (DAY, OTHER, False, None, True, False, DAY),
        (DAY, OTHER, False, None, False, True, DAY),
        (DAY, DAY, False, None, True, False, DAY),
        (DAY, DAY, False, None, False, True, DAY),
        # The worker took it over from Jira.
        (DAY, DAY, True, None, False, True, None),
        (DAY, OTHER, True, None, False, True, None),
        (DAY, None, True, None, False, True, None),
        (DAY, DAY, True, OTHER, False, True, None),
        # Jira came to say what a person had given.
        (DAY, DAY, True, DAY, False, True, DAY),
        # The state was lost: the card shows that the worker was here before.
        (DAY, DAY, False, None, True, True, None),
        (DAY, OTHER, False, None, True, True, DAY),
    ],
)
def test_only_a_date_that_a_person_gave_is_a_promise(
    due: date | None,
    jira: date | None,
    taken: bool,
    remembered: date | None,
    first_run: bool,
    counted: bool,
    promised: date | None,
) -> None:
    one = card(due=due, is_counted=counted)
    tracks = {track_name(one): Track(str(remembered), SINCE)} if remembered else {}
    seen = world(
        one,
        memory=Memory(tracks, first_run=first_run),
        own_cells=frozenset({(one.ref, "due")} if taken else ()),
    )
    assert promise_of(one, seen, jira_due=jira) == promised


def test_memory_keeps_since_when_a_date_is_promised_and_drops_what_is_not() -> None:
    first = follow_promise(None, DAY, SINCE)
    kept = follow_promise(first, DAY, TODAY)
    assert kept is not None
    assert (kept.value, kept.since) == ("2027-02-01", SINCE)
    moved = follow_promise(kept, OTHER, TODAY)
    assert moved is not None
    assert (moved.value, moved.since) == ("2029-07-07", TODAY)
    assert follow_promise(moved, None, TODAY) is None


def seen_on(day: date, due: date | None, memory: Memory) -> Memory:
    """Return what is remembered after the progress of card p1 was measured on a day."""
    run = Run(world(card(due=due), memory=memory, today=day))
    run(measure_progress, {})
    assert run.problems == []
    return run.memory()


def test_a_run_remembers_what_is_promised_and_forgets_that_alone_when_nobody_does() -> (
    None
):
    name = track_name(card())
    others = {
        "projects/p2#promise": Track("2027-02-01", SINCE),
        "units/u1#colour": Track("red", SINCE),
    }
    memory = seen_on(SINCE, DAY, Memory(others))
    memory = seen_on(TODAY, DAY, memory)
    kept = memory.tracks[name]
    assert (kept.value, kept.since) == ("2027-02-01", SINCE)
    memory = seen_on(TODAY, OTHER, memory)
    kept = memory.tracks[name]
    assert (kept.value, kept.since) == ("2029-07-07", TODAY)
    forgotten = seen_on(TODAY, None, memory)
    assert memory.tracks.keys() - forgotten.tracks.keys() == {name}
    assert {key: forgotten.tracks[key] for key in others} == others
