"""A value that must be seen on two days before it is believed, so that colours do not flicker (docs/method.md 8.2; docs/facts/definitions.md 11).

A colour changes after two days in a row at least as bad (or as good) as the new one: red and amber in turn is not
green. To and from grey there is no waiting, since unknown must never look known.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import date

from msgspec.structs import replace

from worker.world.memory import Track

WORST_FIRST = ("red", "amber", "green")

Tracks = MutableMapping[str, Track]
"""Tracks by `<ref>#<field>`: what is remembered, and what this run saw."""


def to_change(known: Mapping[str, Track]) -> ChainMap[str, Track]:
    """Return what is remembered, to be written over; what was written stands in its `maps[0]`."""
    return ChainMap({}, dict(known))


def debounce(
    track: Track | None,
    value: str,
    today: date,
    *,
    order: Sequence[str] = WORST_FIRST,
    instant: frozenset[str] = frozenset(),
) -> Track:
    """Return the track after seeing `value` today; values in `instant` come and go without waiting.

    What is held moves as far as both days agree: to the middle of what it was, what the day before showed and what
    today shows, in the `order` of values. The candidate is what the last day showed where that is not held.
    """
    if track is None:
        return Track(value, today, seen=today)
    if value == track.value:
        return Track(value, track.since, seen=today)
    if value in instant or track.value in instant:
        return Track(value, today, seen=today)

    views = [track.value, _day_before(track, today), value]
    views.sort(key=order.index)
    held = views[1]
    if held == value:
        return Track(held, today, seen=today)
    if held != track.value:
        track = Track(held, today)
    return replace(track, candidate=value, candidate_since=today, seen=today)


def _day_before(track: Track, today: date) -> str:
    """Return what the last day before today showed, as far as it is remembered."""
    day = track.candidate_since
    if day is None or day >= today:
        return track.value
    return track.candidate


def follow(
    track: Track | None, value: str, today: date, *, since: date | None = None
) -> Track:
    """Return the track of a value that is believed at once; `since` dates a value never seen before."""
    if track is None:
        return Track(value, since or today, seen=today)
    if track.value != value:
        return Track(value, today, seen=today)
    return Track(value, track.since, seen=today)


def keep_past(track: Track | None, value: str, today: date, *, days: int) -> Track:
    """Return the track whose value is what was seen `days` to twice as many days ago, once it is as old as that.

    The candidate is the next value to be looked back at, seen `days` after the first.
    """
    if track is None:
        return Track(value, today, seen=today)
    last = track.candidate_since or track.since
    age = (today - last).days
    if age < days:
        return replace(track, seen=today)
    if track.candidate_since is None:
        return replace(track, candidate=value, candidate_since=today, seen=today)
    return Track(
        track.candidate,
        track.candidate_since,
        candidate=value,
        candidate_since=today,
        seen=today,
    )
