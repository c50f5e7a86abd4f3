"""The journal of creations: a row is claimed before the call, so that a crash, a time-out or a second worker never
makes it twice (docs/facts/reliability.md 1.3; docs/facts/notion-api.md 5.6).

What may happen to a creation is the table of `worker.state.transitions`: `failed` is certainly not made, `unknown` perhaps
(nobody creates it until it is settled). Each claim names its run, and only that run moves it on: one that was paused, and woke after another had settled its
claim, changes nothing here but the proof of what it made. Settling goes by the row as it was read, for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Update, and_, bindparam, or_, select

from worker.domain.values import Ref, Value
from worker.mapping.schema import Bindings, Schema
from worker.plan.plan import decode, encode
from worker.state import bases
from worker.state.store import Tx, delete_keys, from_micros, insert_new, to_micros
from worker.state.tables import creations, intents
from worker.state.transitions import OF_CLAIMANT, Status, Step, origins, outcome


@dataclass(frozen=True, slots=True)
class Intent:
    """One creation. `wanted` is what its fields were to hold; `page_id` is empty until it is done; `claim` names the
    run that makes it. `sent_at` is when the request last left, or when it was claimed if none has."""

    ref: Ref
    status: Status
    sent_at: datetime
    page_id: str = ""
    attempt: int = 1
    wanted: Mapping[str, Value] = field(default_factory=dict)
    claim: str = ""


def intend(
    tx: Tx, ref: Ref, wanted: Mapping[str, Value], *, claim: str, now: datetime
) -> bool:
    """Claim the creation of `ref`; False when it is done, in other hands or not settled. Commit before the call."""
    row: dict[str, Any] = {
        "page_id": "",
        "sent_at": to_micros(now),
        "claim": claim,
        "wanted": msgspec.json.encode(
            {name: encode(value) for name, value in wanted.items()}
        ),
    }
    first = {"status": outcome(Step.CLAIM), "attempt": 1}
    if insert_new(tx, intents, {"ref": str(ref), **first, **row}):
        return True
    return _take(tx, ref, Step.CLAIM, **row)


def send(tx: Tx, ref: Ref, *, claim: str, now: datetime) -> bool:
    """Record that the request leaves now; False when the claim is no longer ours, so that it must not."""
    return _take(tx, ref, Step.SEND, claim, sent_at=to_micros(now))


def finish(tx: Tx, ref: Ref, page_id: str, *, claim: str, now: datetime) -> str:
    """Record that we made `page_id` for `ref`, and return the page that stands for it, empty while there is none.

    That is another one when the claim was settled meanwhile, by another run or by what was read: then the page just
    made is surplus.
    """
    insert_new(
        tx, creations, {"page_id": page_id, "ref": str(ref), "at": to_micros(now)}
    )
    if _take(tx, ref, Step.FINISH, claim, page_id=page_id):
        return page_id
    standing = find(tx, ref)
    if standing:
        return standing.page_id
    return ""


def fail(tx: Tx, ref: Ref, *, claim: str) -> bool:
    """Record that `ref` was certainly not made and may be tried again; tell whether the claim was ours."""
    return _take(tx, ref, Step.FAIL, claim)


def doubt(tx: Tx, ref: Ref, *, claim: str, now: datetime) -> bool:
    """Record that `ref` may or may not have been made, with the settle time running from `now`; tell whether the
    claim was ours."""
    return _take(tx, ref, Step.DOUBT, claim, sent_at=to_micros(now))


def settle(tx: Tx, intent: Intent, page_id: str, *, now: datetime) -> bool:
    """Record what a look-up found of an open creation: its page, or by an empty id that it was not made.

    False, with nothing recorded, when the row is no longer as it was read: somebody else moved it on.
    """
    unmoved = and_(
        intents.c.status == intent.status,
        intents.c.claim == intent.claim,
        intents.c.attempt == intent.attempt,
        intents.c.sent_at == to_micros(intent.sent_at),
    )
    step = Step.FIND if page_id else Step.MISS
    moved = _take(tx, intent.ref, step, "", unmoved, page_id=page_id)
    if moved and page_id:
        made = {"page_id": page_id, "ref": str(intent.ref), "at": to_micros(now)}
        insert_new(tx, creations, made)
    return moved


def disown(tx: Tx, page_id: str) -> None:
    """Forget that we made a page, since people have made it theirs."""
    delete_keys(tx, creations, "page_id", [page_id])


def adopt(
    tx: Tx,
    pages: Mapping[Ref, str],
    *,
    now: datetime,
    schema: Schema,
    bindings: Bindings,
    made: AbstractSet[str] = frozenset(),
) -> None:
    """Take rows that were read as done creations: after a loss of the state, or before a claim was settled.

    They are known from now on. Nothing proves that we made them, but for a claim of ours whose row is among `made`, the
    pages of which Notion says so: its answer was lost with a process, or came too late.
    """
    standing = {intent.ref: intent for intent in _read(tx, _select(tx))}
    may = origins(Step.ADOPT)
    # Most are done, which nothing changes any more: those are not asked for one by one.
    done = {ref for ref, intent in standing.items() if intent.status not in may}
    for ref in sorted(pages.keys() - done):
        page_id = pages[ref]
        if ref not in standing:
            insert_new(
                tx,
                intents,
                {
                    "ref": str(ref),
                    "status": outcome(Step.ADOPT),
                    "page_id": page_id,
                    "sent_at": to_micros(now),
                    "attempt": 0,
                    "wanted": b"{}",
                    "claim": "",
                },
            )
        elif _take(tx, ref, Step.ADOPT, page_id=page_id):
            wanted = standing[ref].wanted
            if page_id not in made:
                bases.attempt(tx, page_id, wanted)
            else:
                bases.note_made(
                    tx, ref, page_id, wanted=wanted, schema=schema, bindings=bindings
                )
                proof = {"page_id": page_id, "ref": str(ref), "at": to_micros(now)}
                insert_new(tx, creations, proof)


def find(tx: Tx, ref: Ref) -> Intent | None:
    """Return the intent of one ref."""
    query = _select(tx)
    query = query.where(intents.c.ref == str(ref))
    return next(iter(_read(tx, query)), None)


def load(tx: Tx) -> tuple[Intent, ...]:
    """Return every intent."""
    return _read(tx, _select(tx))


def unsettled(tx: Tx, *, before: datetime | None = None) -> tuple[Intent, ...]:
    """Return the creations whose outcome is not known, those sent by `before` when given, sorted by ref."""
    is_open = intents.c.status.in_(origins(Step.MISS))
    query = _select(tx).where(is_open)
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


def created_by(tx: Tx, claim: str) -> frozenset[str]:
    """Return the pages that stand for their keys and that the journal proves one run to have made."""
    query = select(intents.c.page_id).where(
        intents.c.workspace == tx.workspace,
        intents.c.status == Status.DONE,
        intents.c.claim == claim,
    )
    return created_pages(tx) & frozenset(tx.connection.execute(query).scalars())


def _take(
    tx: Tx,
    ref: Ref,
    step: Step,
    run: str = "",
    *where: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Make one step in a creation's life; False, with nothing changed, when the table does not have it from where the
    creation is, or it is another run's to make."""
    change = _stepping(step)
    if where:
        change = change.where(*where)
    # Who asks is regarded by the steps of the claimant alone.
    given = {"space": tx.workspace, "of": str(ref), "run": run, **values}
    changed = tx.connection.execute(change, given).rowcount
    return bool(changed)


@cache
def _stepping(step: Step) -> Update:
    """Return the statement of a step, which sets what else it is given; made once, as three are made for each row."""
    is_there = (intents.c.status == status for status in origins(step))
    change = intents.update().where(
        intents.c.workspace == bindparam("space"),
        intents.c.ref == bindparam("of"),
        or_(*is_there),
    )
    if step in OF_CLAIMANT:
        change = change.where(intents.c.claim == bindparam("run"))
    if step is Step.CLAIM:
        change = change.values(attempt=intents.c.attempt + 1)
    return change.values(status=outcome(step))


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
            row.claim,
        )
        for row in tx.connection.execute(query)
    )
