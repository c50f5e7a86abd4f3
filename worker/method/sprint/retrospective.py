"""Looking back on the account sprint: what was carried too often, what was done, whether its card moved (docs/method.md 6.6).

It states nothing; the meetings' agendas are made of it. Tasks people wrote themselves are looked at like the worker's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from worker.domain.messages import stage_label
from worker.domain.values import Ref
from worker.method.formulas.hysteresis import Tracks, follow, to_change
from worker.method.formulas.occurrences import COMPLETE, base_of
from worker.method.formulas.sprints import sprints_between
from worker.method.formulas.stages import stage_since
from worker.method.measures import CardMeasure, TaskRecord
from worker.method.run import Findings
from worker.world.memory import Closing, Occurrence
from worker.world.rows import TaskRow
from worker.world.world import World


def record_tasks(
    world: World,
    cards: Mapping[Ref, CardMeasure],
    occurrences: Mapping[str, Occurrence],
) -> Findings[tuple[TaskRecord, ...] | None]:
    """Return the records of all tasks; what people finished is remembered with its day."""
    tracks = to_change(world.memory.tracks)
    look = _Review(world, cards, occurrences, tracks)
    records = tuple(_record(row, look) for row in world.task_rows())
    reopened = (f"{record.ref}#status" for record in records if record.closed is None)
    return Findings(records, tracks=tracks.maps[0], forgotten=tuple(reopened))


class _Review(msgspec.Struct, frozen=True):
    """What a look back works with; `occurrences` as they are after today's tasks."""

    world: World
    cards: Mapping[Ref, CardMeasure]
    occurrences: Mapping[str, Occurrence]
    tracks: Tracks


def _record(row: TaskRow, look: _Review) -> TaskRecord:
    world = look.world
    life = _life(row, look.occurrences)
    status = row.status or "new"
    by_itself = life is not None and life.closing is Closing.CONDITION
    if by_itself and status not in COMPLETE:
        status = "done"
    opened = life.opened if life and life.opened else row.created
    closed = _closed(row, status, life, look=look)
    carried = sprints_between(
        opened, closed or world.today, weeks=world.thresholds.sprint_weeks
    )
    moved = _moved(row, opened, closed, look=look)
    idle = closed is not None and world.today - closed >= timedelta(
        days=world.thresholds.moved_days
    )
    return TaskRecord(
        row.ref,
        row.title,
        row.url,
        world.client_of(row.client, row.card),
        row.card,
        row.assignee,
        status,
        row.source or "",
        opened,
        closed,
        row.due,
        carried,
        moved,
        stuck=status == "done"
        and not by_itself
        and row.card is not None
        and not moved
        and idle,
        to_head=closed is None and carried >= world.thresholds.carries_to_hoa,
        by_itself=by_itself,
    )


def _life(row: TaskRow, occurrences: Mapping[str, Occurrence]) -> Occurrence | None:
    """Return what is remembered of the very row; of an earlier occurrence of its signal nothing is."""
    key, number = base_of(row.key)
    occurrence = occurrences.get(key) if row.key else None
    if occurrence is None or occurrence.number != number:
        return None
    return occurrence


def _closed(
    row: TaskRow, status: str, life: Occurrence | None, *, look: _Review
) -> date | None:
    if life is not None and life.closed is not None:
        return life.closed
    if status not in COMPLETE:
        return None
    place = _place(row)
    today = look.world.today
    look.tracks[place] = follow(
        look.tracks.get(place), "closed", today, since=min(row.edited, today)
    )
    return look.tracks[place].since


def _place(row: TaskRow) -> str:
    return f"{row.ref}#status"


def _moved(row: TaskRow, opened: date, closed: date | None, *, look: _Review) -> str:
    """Return where the card went after the task was made and up to two weeks after it was closed."""
    if row.moved:
        return row.moved
    world = look.world
    card = world.card(row.card)
    since = stage_since(card, world, look.cards) if card else None
    if card is None or since is None or since <= opened:
        return ""
    in_time = closed is None or since <= closed + timedelta(
        days=world.thresholds.moved_days
    )
    return (
        world.words.say("moved to {stage}", stage=stage_label(card.stage, world.words))
        if in_time
        else ""
    )
