"""From what was seen before and what is seen now to what is to be told: only changes are, and each once.

What comes and goes is told neither each time it comes nor each time it goes: it is told once it has stayed for its grace,
and is over once it stayed away; the wait for that doubles with each time it came back within a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from worker.alerts.conditions import Sighting
from worker.alerts.ledger import Change, Level, Phase, Watched
from worker.config import Alerts

DAY = timedelta(days=1)
MOST_DOUBLINGS = 6


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What a condition became: how it is watched from now on (None: no more), and what is to be told of it."""

    watched: Watched | None
    change: Change | None = None


class Look(msgspec.Struct, frozen=True, gc=False):
    """One condition at one instant: how it stood, and what is seen of it (None: nothing)."""

    key: str
    before: Watched | None
    seen: Sighting | None
    now: datetime
    alerts: Alerts

    @property
    def phase(self) -> Phase:
        """Return how it stood."""
        return self.before.phase if self.before else Phase.CALM

    @property
    def sighting(self) -> Sighting:
        """Return what is seen; only where something is."""
        assert self.seen is not None
        return self.seen

    @property
    def watched(self) -> Watched:
        """Return how it stood; only for what did not stand calm."""
        assert self.before is not None
        return self.before


def advance(
    watched: Iterable[Watched],
    sightings: Iterable[Sighting],
    alerts: Alerts,
    *,
    now: datetime,
) -> tuple[Turn, ...]:
    """Return what becomes of every condition, those that were watched and those that are seen now, by key."""
    before: Mapping[str, Watched] = {one.key: one for one in watched}
    seen: Mapping[str, Sighting] = {one.key: one for one in sightings}
    keys = sorted(before.keys() | seen.keys())
    turns = []
    for key in keys:
        look = Look(key, before.get(key), seen.get(key), now, alerts)
        answer = TABLE[look.phase, _sight(look)]
        turn = answer(look)
        turns.append(turn)
    return tuple(turns)


def _sight(look: Look) -> str:
    if look.seen is None:
        return "gone"
    if look.seen.hidden:
        return "hidden"
    return "seen"


def _stay(look: Look) -> Turn:
    return Turn(look.before)


def _ripen(look: Look) -> Turn:
    """Tell a condition once it is ripe."""
    seen = look.sighting
    before = look.watched
    if not seen.ripe and look.now - before.entered < seen.grace:
        return Turn(before)
    lately = []
    for at in before.raised:
        if look.now - at < DAY:
            lately.append(at)
    raised = replace(
        before,
        phase=Phase.RAISED,
        entered=look.now,
        since=seen.since,
        level=seen.level,
        told=look.now,
        raised=(*lately, look.now),
    )
    return Turn(raised, Change.BEGAN)


def _keep(look: Look) -> Turn:
    """Tell what stands again when it becomes worse, and once a day as long as it is critical."""
    seen = look.sighting
    before = look.watched
    if seen.level > before.level:
        return Turn(replace(before, level=seen.level, told=look.now), Change.WORSE)
    told = before.told or look.now
    if seen.level is Level.CRITICAL and _has_passed(look, told, look.alerts.remind):
        return Turn(replace(before, told=look.now), Change.STILL)
    return Turn(before)


def _has_passed(look: Look, since: datetime, seconds: float) -> bool:
    return look.now - since >= timedelta(seconds=seconds)


def _begin_to_settle(look: Look) -> Turn:
    settling = replace(look.watched, phase=Phase.SETTLING, entered=look.now)
    return _settle(replace(look, before=settling))


def _settle(look: Look) -> Turn:
    """Tell that it is over once it stayed away; how often it came within a day is remembered as long."""
    before = look.watched
    if not _has_passed(look, before.entered, steady(before, look.alerts)):
        return Turn(before)
    rested = replace(before, phase=Phase.CALM, entered=look.now)
    return Turn(rested, Change.ENDED)


def steady(watched: Watched, alerts: Alerts) -> float:
    """Return the seconds for which a condition must stay away: twice as long for each time it came back lately."""
    doublings = min(len(watched.raised) - 1, MOST_DOUBLINGS)
    return float(alerts.steady * 2 ** max(doublings, 0))


def _come_back(look: Look) -> Turn:
    """See again what was told and is not over for anybody: nothing is new."""
    return Turn(replace(look.watched, phase=Phase.RAISED, entered=look.now))


def _rest(look: Look) -> Turn:
    """Forget what was over for a day."""
    if look.before is None or look.now - look.before.entered >= DAY:
        return Turn(None)
    return Turn(look.before)


def _notice(look: Look) -> Turn:
    """Begin to watch; what needs no grace is told at once. What was there within the day is remembered to have been."""
    seen = look.sighting
    raised = look.before.raised if look.before else ()
    fresh = Watched(look.key, Phase.PENDING, look.now, seen.since, raised=raised)
    return _ripen(replace(look, before=fresh))


def _let_go(look: Look) -> Turn:
    """Leave what went away before it was told; that it was there earlier stays remembered."""
    if not look.watched.raised:
        return Turn(None)
    return Turn(replace(look.watched, phase=Phase.CALM, entered=look.now))


TABLE: Mapping[tuple[Phase, str], Callable[[Look], Turn]] = {
    (Phase.CALM, "seen"): _notice,
    (Phase.CALM, "hidden"): _rest,
    (Phase.CALM, "gone"): _rest,
    (Phase.PENDING, "seen"): _ripen,
    (Phase.PENDING, "hidden"): _let_go,
    (Phase.PENDING, "gone"): _let_go,
    (Phase.RAISED, "seen"): _keep,
    (Phase.RAISED, "hidden"): _stay,
    (Phase.RAISED, "gone"): _begin_to_settle,
    (Phase.SETTLING, "seen"): _come_back,
    (Phase.SETTLING, "hidden"): _stay,
    (Phase.SETTLING, "gone"): _settle,
}
"""What to do of a condition that stood so, and is seen so now."""
