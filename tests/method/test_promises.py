"""Which due dates are promises: those that people gave on the card, whatever Jira says now."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.worlds import card, row, world
from worker.method.formulas.promises import follow_promise, promise_of, track_name
from worker.world.memory import Memory, Track

DAY, OTHER = date(2027, 2, 1), date(2029, 7, 7)
SINCE, TODAY = date(2026, 11, 2), date(2026, 11, 18)


@pytest.mark.parametrize(
    ("due", "jira", "taken", "remembered", "first_run", "counted", "promised"),
    [
        # Nobody gave a date on the card.
        (None, None, False, None, False, "1/2", None),
        (None, OTHER, False, None, True, None, None),
        (None, OTHER, False, DAY, False, "1/2", None),
        # A person did.
        (DAY, None, False, None, True, None, DAY),
        (DAY, OTHER, False, None, True, None, DAY),
        (DAY, OTHER, False, None, False, "1/2", DAY),
        (DAY, DAY, False, None, True, None, DAY),
        (DAY, DAY, False, None, False, "1/2", DAY),
        # The worker took it over from Jira.
        (DAY, DAY, True, None, False, "1/2", None),
        (DAY, OTHER, True, None, False, "1/2", None),
        (DAY, None, True, None, False, "1/2", None),
        (DAY, DAY, True, OTHER, False, "1/2", None),
        # Jira came to say what a person had given.
        (DAY, DAY, True, DAY, False, "1/2", DAY),
        # The state was lost: the card shows that the worker was here before.
        (DAY, DAY, False, None, True, "1/2", None),
        (DAY, OTHER, False, None, True, "1/2", DAY),
    ],
)
def test_only_a_date_that_a_person_gave_is_a_promise(
    due: date | None,
    jira: date | None,
    taken: bool,
    remembered: date | None,
    first_run: bool,
    counted: str | None,
    promised: date | None,
) -> None:
    one = card(due=due)
    tracks = {track_name(one): Track(str(remembered), SINCE)} if remembered else {}
    seen = world(
        one,
        memory=Memory(tracks, first_run=first_run),
        taken_over=frozenset({one.ref} if taken else ()),
    )
    shown = row("projects", "p1", worker=False, done_total=counted)
    assert promise_of(one, seen, row=shown, jira_due=jira) == promised


def test_memory_keeps_since_when_a_date_is_promised_and_drops_what_is_not() -> None:
    one = card()
    tracks: dict[str, Track] = {"projects/p1#stage": Track("idea", SINCE)}
    follow_promise(tracks, one, DAY, SINCE)
    follow_promise(tracks, one, DAY, TODAY)
    kept = tracks[track_name(one)]
    assert (kept.value, kept.since) == ("2027-02-01", SINCE)
    follow_promise(tracks, one, OTHER, TODAY)
    kept = tracks[track_name(one)]
    assert (kept.value, kept.since) == ("2029-07-07", TODAY)
    follow_promise(tracks, one, None, TODAY)
    assert tracks.keys() == {"projects/p1#stage"}
