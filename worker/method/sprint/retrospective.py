"""Looking back on the account sprint: what was carried too often, what was done, whether its card moved (method 8).

It states nothing; the meetings' agendas are made of it. Tasks people wrote themselves are looked at like the worker's.
"""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from worker.domain.entities import Row
from worker.domain.messages import stage_label
from worker.domain.values import Ref, Value
from worker.mapping.playbooks import Playbooks
from worker.method.formulas.hysteresis import follow
from worker.method.formulas.occurrences import COMPLETE, base_of
from worker.method.formulas.sprints import sprints_between
from worker.method.measures import Measures, TaskRecord
from worker.plan.facts import Outcome
from worker.world.memory import Closing, Occurrence, Track
from worker.world.world import World


def look_back(world: World, _playbooks: Playbooks, measures: Measures) -> Outcome:
    """Return the records of all tasks; what people finished is remembered with its day."""
    tracks = dict(world.memory.tracks)
    records = tuple(_record(row, world, tracks) for row in world.rows.get("tasks", ()))
    return Outcome(
        (), replace(measures, records=records), replace(world.memory, tracks=tracks)
    )


def _record(row: Row, world: World, tracks: dict[str, Track]) -> TaskRecord:
    life = _life(row, world)
    status = str(row.fields.get("status") or "new")
    by_itself = life is not None and life.closing is Closing.CONDITION
    if by_itself and status not in COMPLETE:
        status = "done"
    opened = life.opened if life and life.opened else row.created.date()
    closed = _closed(row, status, life, world=world, tracks=tracks)
    carried = sprints_between(
        opened, closed or world.today, weeks=world.thresholds.sprint_weeks
    )
    card, moved = (
        _first(row.fields.get("project")),
        _moved(row, opened, closed, world=world),
    )
    idle = closed is not None and world.today - closed >= timedelta(
        days=world.thresholds.moved_days
    )
    return TaskRecord(
        row.ref,
        row.title,
        row.url,
        _client(row, card, world),
        card,
        _first(row.fields.get("assignee")),
        status,
        str(row.fields.get("source") or ""),
        opened,
        closed,
        world.day(row.fields.get("due")),
        carried,
        moved,
        stuck=status == "done"
        and not by_itself
        and card is not None
        and not moved
        and idle,
        to_head=closed is None and carried >= world.thresholds.carries_to_hoa,
        by_itself=by_itself,
    )


def _life(row: Row, world: World) -> Occurrence | None:
    """Return what is remembered of the very row; of an earlier occurrence of its signal nothing is."""
    key, number = base_of(row.key)
    found = world.memory.occurrences.get(key) if row.key else None
    return found if found is not None and found.number == number else None


def _closed(
    row: Row,
    status: str,
    life: Occurrence | None,
    *,
    world: World,
    tracks: dict[str, Track],
) -> date | None:
    if life is not None and life.closed is not None:
        return life.closed
    place = f"{row.ref}#status"
    if status not in COMPLETE:
        tracks.pop(place, None)
        return None
    tracks[place] = follow(
        tracks.get(place),
        "closed",
        world.today,
        since=min(row.edited.date(), world.today),
    )
    return tracks[place].since


def _moved(row: Row, opened: date, closed: date | None, *, world: World) -> str:
    """Return where the card went after the task was made and up to two weeks after it was closed."""
    told = row.fields.get("moved")
    if isinstance(told, str) and told:
        return told
    card = world.cards.get(_first(row.fields.get("project")) or row.ref)
    track = world.memory.tracks.get(f"{card.ref}#stage") if card else None
    if card is None or track is None or track.since <= opened:
        return ""
    in_time = closed is None or track.since <= closed + timedelta(
        days=world.thresholds.moved_days
    )
    return (
        world.words.say("moved to {stage}", stage=stage_label(card.stage, world.words))
        if in_time
        else ""
    )


def _client(row: Row, card: Ref | None, world: World) -> Ref | None:
    own = _first(row.fields.get("client"))
    found = world.cards.get(card) if card else None
    return own or (found.client if found else None)


def _first(value: Value) -> Ref | None:
    return (
        next((item for item in value if isinstance(item, Ref)), None)
        if isinstance(value, tuple)
        else None
    )
