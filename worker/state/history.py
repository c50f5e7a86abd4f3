"""How values were over time, as intervals of days: stages, due dates, colours and targets, for looking back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from worker.domain.values import Ref
from worker.state.store import Tx, upsert
from worker.state.tables import history


@dataclass(frozen=True, slots=True)
class Interval:
    """A field held `value` from `start` on, up to the day before `until` (None: still)."""

    ref: Ref
    field: str
    start: date
    until: date | None
    value: str


def record(tx: Tx, values: Mapping[tuple[Ref, str], str], *, day: date) -> int:
    """Record what the given fields hold on `day` (not before the last one recorded); return how many changed.

    Fields not given stay as they are. Several changes on one day leave the last.
    """
    standing = {
        (interval.ref, interval.field): interval
        for interval in _read(tx, only_open=True)
    }
    changed = [
        (cell, value)
        for cell, value in sorted(values.items())
        if (held := standing.get(cell)) is None or held.value != value
    ]
    rows = [
        _row(ref, field, held.start, until=day, value=held.value)
        for (ref, field), _ in changed
        if (held := standing.get((ref, field))) is not None and held.start < day
    ]
    rows += [
        _row(ref, field, day, until=None, value=value)
        for (ref, field), value in changed
    ]
    upsert(tx, history, rows)
    return len(changed)


def load(tx: Tx) -> tuple[Interval, ...]:
    """Return all intervals, sorted by ref, field and start."""
    return _read(tx)


def _row(
    ref: Ref, field: str, start: date, *, until: date | None, value: str
) -> dict[str, str | None]:
    return {
        "ref": str(ref),
        "field": field,
        "start": start.isoformat(),
        "until": until.isoformat() if until else None,
        "value": value,
    }


def _read(tx: Tx, *, only_open: bool = False) -> tuple[Interval, ...]:
    query = select(history).where(history.c.workspace == tx.workspace)
    if only_open:
        query = query.where(history.c.until.is_(None))
    rows = tx.connection.execute(
        query.order_by(history.c.ref, history.c.field, history.c.start)
    )
    return tuple(
        Interval(
            Ref.parse(row.ref),
            row.field,
            date.fromisoformat(row.start),
            date.fromisoformat(row.until) if row.until else None,
            row.value,
        )
        for row in rows
    )
