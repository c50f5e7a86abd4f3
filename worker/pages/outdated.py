"""Pages that have had their time: a daily is read on its morning, and a month later it only hides the others."""

from __future__ import annotations

from datetime import date, timedelta

from worker.method.figures import show_day
from worker.plan.facts import Outdated, Why
from worker.world.world import World

DAILY = "daily"


def find_outdated(world: World) -> tuple[Outdated, ...]:
    """Return the dailies that are older than `thresholds.daily_days`, the oldest first; none where that is 0."""
    days = world.thresholds.daily_days
    if not days:
        return ()

    last = world.today - timedelta(days=days)
    old = []
    for row in world.meeting_rows():
        is_daily = row.key and row.kind == DAILY
        if is_daily and row.day is not None and row.day < last:
            old.append((row.day, row.ref))
    outdated = {ref: _why(world, day, days) for day, ref in sorted(old)}
    return tuple(Outdated(ref, why) for ref, why in outdated.items())


def _why(world: World, day: date, days: int) -> Why:
    words = world.words
    limit = words.count("{n} day", "{n} days", days)
    return Why(
        "pages",
        (
            show_day(words.say("the daily's day"), day),
            show_day(words.say("today"), world.today),
        ),
        words.say("a daily is archived once it is older than the threshold"),
        limit,
    )
