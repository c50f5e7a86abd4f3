"""What hypotheses were to bring and what they brought (docs/method.md 5.5).

A hypothesis that was validated is to have its effect measured: one that waits for that longer than `effect_weeks` is
named at the unit's meeting. Since when it waits is counted from the day it was first seen validated.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from worker.domain.entities import Idea
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.method.formulas.hysteresis import Tracks, follow
from worker.method.measures import BacklogItem, Effect
from worker.world.world import World

TO_MEASURE = frozenset({"validated", "for_group", "presented", "accepted"})
"""The statuses from the validation of a hypothesis on."""


def measure_effect(idea: Idea, tracks: Tracks, world: World) -> Effect | None:
    """Return what a hypothesis was to bring and brought; None for other ideas. Tells `tracks` what is to be remembered."""
    if idea.kind != "hypothesis":
        return None
    made = world.day_of(idea.created) if idea.created else world.today
    name = f"{idea.ref}#effect"
    state = "measured" if idea.measured_effect else "open"
    # An effect that was there at first sight is no news.
    effect = follow(tracks.get(name), state, world.today, since=made)
    tracks[name] = effect

    name = f"{idea.ref}#validated"
    state = "yes" if idea.status in TO_MEASURE else "no"
    valid = follow(tracks.get(name), state, world.today)
    tracks[name] = valid
    is_waiting = valid.value == "yes" and effect.value == "open"
    return Effect(
        metric=idea.metric or "",
        expected=idea.expected_effect or "",
        measured=idea.measured_effect or "",
        measured_on=effect.since if effect.value == "measured" else None,
        waits_since=valid.since if is_waiting else None,
    )


def find_unmeasured(
    unit: Ref | None, items: Iterable[BacklogItem], world: World
) -> tuple[BacklogItem, ...]:
    """Return the hypotheses of a unit that wait too long for their effect to be measured, the longest wait first."""
    weeks = timedelta(weeks=world.thresholds.effect_weeks)
    limit = world.today - weeks
    waits: list[tuple[date, Ref, BacklogItem]] = []
    for item in items:
        effect = item.effect
        if item.unit != unit or effect is None:
            continue
        since = effect.waits_since
        if since is not None and since <= limit:
            waits.append((since, item.ref, item))
    return _in_order(waits)


def find_measured(
    unit: Ref | None, items: Iterable[BacklogItem], period: Period
) -> tuple[BacklogItem, ...]:
    """Return the hypotheses of a unit whose effect was measured in a period, the first one first."""
    measured: list[tuple[date, Ref, BacklogItem]] = []
    for item in items:
        effect = item.effect
        if item.unit != unit or effect is None:
            continue
        day = effect.measured_on
        if day is not None and day in period:
            measured.append((day, item.ref, item))
    return _in_order(measured)


def _in_order(places: list[tuple[date, Ref, BacklogItem]]) -> tuple[BacklogItem, ...]:
    """Return items by their days."""
    places.sort(key=lambda place: place[:2])
    return tuple(item for _, _, item in places)
