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
    effect = tracks[name] = follow(tracks.get(name), state, world.today, since=made)
    name = f"{idea.ref}#validated"
    state = "yes" if idea.status in TO_MEASURE else "no"
    valid = tracks[name] = follow(tracks.get(name), state, world.today)
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
    limit = world.today - timedelta(weeks=world.thresholds.effect_weeks)
    waits = []
    for item in items:
        since = item.effect.waits_since if item.effect else None
        if item.unit == unit and since is not None and since <= limit:
            waits.append((since, item.ref, item))
    waits.sort(key=lambda wait: wait[:2])
    return tuple(item for _, _, item in waits)


def find_measured(
    unit: Ref | None, items: Iterable[BacklogItem], period: Period
) -> tuple[BacklogItem, ...]:
    """Return the hypotheses of a unit whose effect was measured in a period, the first one first."""
    measured: list[tuple[date, Ref, BacklogItem]] = []
    for item in items:
        day = item.effect.measured_on if item.effect else None
        if item.unit == unit and day is not None and day in period:
            measured.append((day, item.ref, item))
    measured.sort(key=lambda place: place[:2])
    return tuple(item for _, _, item in measured)
