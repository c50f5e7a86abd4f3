"""What a look at a workspace makes of its ledger: the conditions that changed, and the notes that tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from worker.alerts.conditions import Sighting, count_unmatched, find_sightings
from worker.alerts.ledger import Change, Kind, Ledger, Level, Lost, Note, Watched
from worker.alerts.outbox import put
from worker.alerts.transitions import Turn, advance
from worker.alerts.wording import ADVICE, advise, link_of
from worker.config import Alerts, Workspace
from worker.daemon.standing import Standing
from worker.domain.messages import render
from worker.domain.words import Words

PEAK_LASTS = timedelta(days=1)
LOST_LASTS = timedelta(days=7)


class Scene(msgspec.Struct, frozen=True):
    """What a look needs beside the ledger: how the workspace stands, since when somebody watches, who is told, and in
    which language."""

    standing: Standing
    settings: Workspace
    alerts: Alerts
    words: Words
    started: datetime
    targets: tuple[str, ...]

    @property
    def now(self) -> datetime:
        """Return the instant of the look."""
        return self.standing.now


def judge(ledger: Ledger, scene: Scene, *, number: int = 0) -> Ledger:
    """Return the ledger after a look; its new notes are numbered from `number` on."""
    sightings = find_sightings(
        scene.standing,
        scene.settings,
        scene.alerts,
        started=scene.started,
        rested=ledger.rested,
    )
    turns = advance(ledger.watched, sightings, scene.alerts, now=scene.now)
    drafts = list(_tell_turns(turns, sightings, scene))
    drafts += _tell_growth(ledger, scene)
    notes = []
    for place, draft in enumerate(drafts):
        note = replace(draft, number=number + place)
        notes.append(note)
    watched = []
    for turn in turns:
        if turn.watched is not None:
            watched.append(turn.watched)
    known = _forget_lost(ledger, scene.now)
    judged = _follow_peak(known, scene)
    after = replace(judged, watched=tuple(watched))
    return put(after, notes, scene.now)


def _tell_turns(
    turns: Iterable[Turn], sightings: Iterable[Sighting], scene: Scene
) -> Iterator[Note]:
    seen = {sighting.key: sighting for sighting in sightings}
    for turn in turns:
        if turn.watched is None or turn.change is None:
            continue
        if turn.change is Change.ENDED:
            yield _over(turn.watched, scene)
        else:
            yield _on(turn.change, seen[turn.watched.key], scene)


def _on(change: Change, sighting: Sighting, scene: Scene) -> Note:
    kind, words, name = sighting.kind, scene.words, scene.standing.workspace
    return Note(
        number=0,
        change=change,
        kind=kind.value,
        level=sighting.level,
        what=render(sighting.what, words),
        action=advise(kind, name, words),
        since=sighting.since,
        at=scene.now,
        url=link_of(kind, name, scene.alerts.console_url),
        left=scene.targets,
        due=scene.now,
    )


def _over(watched: Watched, scene: Scene) -> Note:
    kind, words, name = watched.kind, scene.words, scene.standing.workspace
    return Note(
        number=0,
        change=Change.ENDED,
        kind=kind.value,
        level=watched.level,
        what=words.say(ADVICE[kind].over),
        since=None,
        at=scene.now,
        url=link_of(kind, name, scene.alerts.console_url),
        left=scene.targets,
        due=scene.now,
    )


def _tell_growth(ledger: Ledger, scene: Scene) -> Iterator[Note]:
    """Yield that more has no match than ever within a day; what had none at the first look is no news."""
    count = count_unmatched(scene.standing)
    if ledger.peak is None or count <= ledger.peak:
        return
    kind, words, name = Kind.UNMATCHED, scene.words, scene.standing.workspace
    yield Note(
        number=0,
        change=Change.BEGAN,
        kind=kind.value,
        level=Level.WARNING,
        what=words.say(
            "cards and projects without a match: {number}, up from {before}",
            number=count,
            before=ledger.peak,
        ),
        action=advise(kind, name, words),
        since=scene.now,
        at=scene.now,
        url=link_of(kind, name, scene.alerts.console_url),
        left=scene.targets,
        due=scene.now,
    )


def _follow_peak(ledger: Ledger, scene: Scene) -> Ledger:
    """Return the ledger with the most that had no match lately: it falls only when it was lower for a day."""
    if scene.standing.fresh is None:
        return ledger
    count = count_unmatched(scene.standing)
    at = ledger.peak_at
    if ledger.peak is None or at is None or count > ledger.peak:
        return replace(ledger, peak=count, peak_at=scene.now)
    if count == ledger.peak:
        is_old = scene.now - at >= PEAK_LASTS / 4
        return replace(ledger, peak_at=scene.now) if is_old else ledger
    if scene.now - at >= PEAK_LASTS:
        return replace(ledger, peak=count, peak_at=scene.now)
    return ledger


def _forget_lost(ledger: Ledger, now: datetime) -> Ledger:
    at = ledger.lost.at
    if at is not None and now - at >= LOST_LASTS:
        return replace(ledger, lost=Lost())
    return ledger
