"""The journal of creations: a row is claimed before the call, so that a crash, a time-out or a second worker never
makes it twice (facts/reliability.md 1.3).

`intended` -> `done` | `failed` (certainly not made) | `unknown` (perhaps made: nobody creates it until it is settled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Select, select

from worker.domain.values import Ref, Value
from worker.state import bases
from worker.state.store import Tx, from_micros, insert_new, to_micros
from worker.state.tables import creations, intents
from worker.sync.plan import decode, encode


class Status(StrEnum):
    """How far a creation has come."""

    INTENDED = "intended"
    DONE = "done"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Intent:
    """One creation. `wanted` is what its fields were to hold; `page_id` is empty until it is done."""

    ref: Ref
    status: Status
    sent_at: datetime
    page_id: str = ""
    attempt: int = 1
    wanted: Mapping[str, Value] = field(default_factory=dict)


def intend(tx: Tx, ref: Ref, wanted: Mapping[str, Value], *, now: datetime) -> bool:
    """Claim the creation of `ref`; False when it is done, in other hands or not settled. Commit before the call."""
    row = {
        "status": Status.INTENDED,
        "page_id": "",
        "sent_at": to_micros(now),
        "wanted": msgspec.json.encode(
            {name: encode(value) for name, value in wanted.items()}
        ),
    }
    if insert_new(tx, intents, {"ref": str(ref), "attempt": 1, **row}):
        return True
    result = tx.connection.execute(
        intents.update()
        .values(**row, attempt=intents.c.attempt + 1)
        .where(
            intents.c.workspace == tx.workspace,
            intents.c.ref == str(ref),
            intents.c.status == Status.FAILED,
        )
    )
    return bool(result.rowcount)


def finish(tx: Tx, ref: Ref, page_id: str, *, now: datetime) -> None:
    """Record that `ref` is the page `page_id`, made by us."""
    _set(tx, ref, status=Status.DONE, page_id=page_id)
    insert_new(
        tx, creations, {"page_id": page_id, "ref": str(ref), "at": to_micros(now)}
    )


def fail(tx: Tx, ref: Ref) -> None:
    """Record that `ref` was certainly not made and may be tried again."""
    _set(tx, ref, status=Status.FAILED)


def doubt(tx: Tx, ref: Ref, *, now: datetime) -> None:
    """Record that `ref` may or may not have been made; the settle time runs from `now`."""
    _set(tx, ref, status=Status.UNKNOWN, sent_at=to_micros(now))


def adopt(tx: Tx, pages: Mapping[Ref, str], *, now: datetime) -> None:
    """Take rows that were read as done creations: after a loss of the state, or before a claim was settled.

    They are known from now on, but nothing proves that we made them.
    """
    standing = {intent.ref: intent for intent in _read(tx, _select(tx))}
    for ref, page_id in sorted(pages.items()):
        if ref not in standing:
            insert_new(
                tx,
                intents,
                {
                    "ref": str(ref),
                    "status": Status.DONE,
                    "page_id": page_id,
                    "sent_at": to_micros(now),
                    "attempt": 0,
                    "wanted": b"{}",
                },
            )
        elif standing[ref].status is not Status.DONE:
            _set(tx, ref, status=Status.DONE, page_id=page_id)
            bases.attempt(tx, page_id, standing[ref].wanted)


def find(tx: Tx, ref: Ref) -> Intent | None:
    """Return the intent of one ref."""
    return next(iter(_read(tx, _select(tx).where(intents.c.ref == str(ref)))), None)


def unsettled(tx: Tx, *, before: datetime | None = None) -> tuple[Intent, ...]:
    """Return the creations whose outcome is not known, those sent by `before` when given, sorted by ref."""
    query = _select(tx).where(intents.c.status.in_((Status.INTENDED, Status.UNKNOWN)))
    if before is not None:
        query = query.where(intents.c.sent_at <= to_micros(before))
    return _read(tx, query.order_by(intents.c.ref))


def canonical_pages(tx: Tx) -> Mapping[Ref, str]:
    """Return the page of every ref we made."""
    rows = tx.connection.execute(
        select(intents.c.ref, intents.c.page_id).where(
            intents.c.workspace == tx.workspace, intents.c.status == Status.DONE
        )
    )
    return {Ref.parse(ref): page_id for ref, page_id in rows}


def created_pages(tx: Tx) -> frozenset[str]:
    """Return every page the journal proves we created."""
    query = select(creations.c.page_id).where(creations.c.workspace == tx.workspace)
    return frozenset(tx.connection.execute(query).scalars())


def _set(tx: Tx, ref: Ref, **values: Any) -> None:
    tx.connection.execute(
        intents.update()
        .values(**values)
        .where(intents.c.workspace == tx.workspace, intents.c.ref == str(ref))
    )


def _select(tx: Tx) -> Select[Any]:
    return select(intents).where(intents.c.workspace == tx.workspace)


def _read(tx: Tx, query: Select[Any]) -> tuple[Intent, ...]:
    return tuple(
        Intent(
            Ref.parse(row.ref),
            Status(row.status),
            from_micros(row.sent_at),
            row.page_id,
            row.attempt,
            {
                name: decode(value)
                for name, value in msgspec.json.decode(row.wanted).items()
            },
        )
        for row in tx.connection.execute(query)
    )
