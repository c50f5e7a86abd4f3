"""The queue of cycles people and services asked for; requests for the same that wait are one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, delete, select

from worker.errors import QueueFull
from worker.state.runs import Run, RunStatus
from worker.state.store import Tx, from_micros, next_number, to_micros, upsert
from worker.state.tables import counters, triggers

MOST_WAITING = 100
"""More different requests than this wait for nobody's good."""
MOST_NAMED = 20


class TriggerState(StrEnum):
    """How far a request has come; how it ended is how the run ended that answered it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


OPEN = (TriggerState.WAITING, TriggerState.RUNNING)
_ENDS: Mapping[RunStatus, TriggerState] = {
    RunStatus.DONE: TriggerState.DONE,
    RunStatus.FAILED: TriggerState.FAILED,
    RunStatus.REFUSED: TriggerState.REFUSED,
}


class Source(StrEnum):
    """By which way a request came in."""

    CLI = "cli"
    CONSOLE = "console"
    API = "api"
    BUTTON = "notion-button"
    CHECKBOX = "sync-now"
    WEBHOOK = "webhook"


TOLD_OF_A_CHANGE = frozenset({Source.BUTTON, Source.CHECKBOX, Source.WEBHOOK})
"""These ask because something has just changed: a run that has begun to read may have missed it."""


class Order(msgspec.Struct, frozen=True, gc=False):
    """What is asked for: `scope` is empty for the whole workspace, `full` reads everything, `dry_run` writes nothing,
    `force` goes past the limits, `checksum` applies only the plan that was reviewed; `undoes` is the run that is to be
    taken back, if any."""

    scope: str = ""
    full: bool = False
    dry_run: bool = False
    force: bool = False
    checksum: str = ""
    undoes: int = 0

    def is_plain(self) -> bool:
        """Tell whether any run that reads and writes as much answers it."""
        return not (self.dry_run or self.force or self.checksum or self.undoes)

    def covers(self, other: Order) -> bool:
        """Tell whether a run of this order answers another one."""
        if self == other:
            return True
        return (
            self.is_plain()
            and other.is_plain()
            and self.scope in ("", other.scope)
            and self.full >= other.full
        )


class Asker(msgspec.Struct, frozen=True, gc=False):
    """Who asked, as far as it is known, and by which way."""

    name: str = ""
    source: Source = Source.CLI


class Trigger(msgspec.Struct, frozen=True, gc=False):
    """One request; `run_id` is the run that answers it, `also` are those who asked for the same while it waited."""

    id: int
    order: Order
    asker: Asker
    asked_at: datetime
    state: TriggerState = TriggerState.WAITING
    run_id: int | None = None
    also: tuple[Asker, ...] = ()
    error: str = ""
    ended_at: datetime | None = None


class Asked(msgspec.Struct, frozen=True, gc=False):
    """The answer to a request: its number, and whether it joined one that was waiting for the same."""

    id: int
    joined: bool


EVERYTHING = Order()
NOBODY = Asker()


def ask(
    tx: Tx, order: Order = EVERYTHING, asker: Asker = NOBODY, *, now: datetime
) -> Asked:
    """Ask for a cycle; raises `QueueFull` when too many different requests wait already."""
    waiting = pending(tx)
    same = next((one for one in waiting if one.order == order), None)
    if same:
        _join(tx, same, asker)
        return Asked(same.id, joined=True)
    if len(waiting) >= MOST_WAITING:
        raise QueueFull(tx.workspace, len(waiting))
    number = next_number(tx, "trigger", counters)
    row = {
        "id": number,
        "scope": order.scope,
        "asked_at": to_micros(now),
        "state": TriggerState.WAITING,
        "run_id": None,
        "asked_by": asker.name,
        "source": asker.source,
        "full": int(order.full),
        "dry_run": int(order.dry_run),
        "force": int(order.force),
        "checksum": order.checksum,
        "undoes": order.undoes,
        "also": b"[]",
        "error": "",
        "ended_at": None,
    }
    upsert(tx, triggers, [row])
    return Asked(number, joined=False)


def find_same(tx: Tx, order: Order, asker: Asker) -> Asked | None:
    """Return the request that waits for the same and names this asker, if there is one: nothing is to be written."""
    return next(
        (
            Asked(one.id, joined=True)
            for one in pending(tx)
            if one.order == order and asker in (one.asker, *one.also)
        ),
        None,
    )


def pending(tx: Tx) -> tuple[Trigger, ...]:
    """Return the requests that wait, oldest first."""
    query = select(triggers).where(
        triggers.c.workspace == tx.workspace, triggers.c.state == TriggerState.WAITING
    )
    return tuple(
        _trigger(row) for row in tx.connection.execute(query.order_by(triggers.c.id))
    )


def recent(tx: Tx, limit: int = 50) -> tuple[Trigger, ...]:
    """Return the latest requests, newest first."""
    query = select(triggers).where(triggers.c.workspace == tx.workspace)
    newest_first = query.order_by(triggers.c.id.desc())
    rows = tx.connection.execute(newest_first.limit(limit))
    return tuple(_trigger(row) for row in rows)


def of_run(tx: Tx, run_id: int) -> tuple[Trigger, ...]:
    """Return the requests that a run answers, oldest first."""
    query = select(triggers).where(
        triggers.c.workspace == tx.workspace, triggers.c.run_id == run_id
    )
    return tuple(
        _trigger(row) for row in tx.connection.execute(query.order_by(triggers.c.id))
    )


def take(
    tx: Tx, run_id: int, order: Order = EVERYTHING, *, is_reading: bool = False
) -> tuple[Trigger, ...]:
    """Hand the waiting requests that a run of this order answers to it, and return them.

    A run that `is_reading` already answers none that told of a change: it may have read before.
    """
    taken = tuple(
        asked
        for asked in pending(tx)
        if order.covers(asked.order)
        and not (is_reading and asked.asker.source in TOLD_OF_A_CHANGE)
    )
    if taken:
        ids = [trigger.id for trigger in taken]
        tx.connection.execute(
            triggers.update()
            .values(state=TriggerState.RUNNING, run_id=run_id)
            .where(triggers.c.workspace == tx.workspace, triggers.c.id.in_(ids))
        )
    return taken


def finish(tx: Tx, run: Run, *, now: datetime) -> None:
    """Mark the requests of a run as answered, in the way in which it ended."""
    tx.connection.execute(
        triggers.update()
        .values(
            state=_ENDS.get(run.status, TriggerState.FAILED),
            error=str(run.outcome.get("error") or ""),
            ended_at=to_micros(now),
        )
        .where(
            triggers.c.workspace == tx.workspace,
            triggers.c.run_id == run.id,
            triggers.c.state == TriggerState.RUNNING,
        )
    )


def give_back(tx: Tx, run_id: int | None = None) -> None:
    """Let the requests that a run had taken wait again; of all runs when none is named, to be called by who holds the
    workspace alone."""
    statement = (
        triggers.update()
        .values(state=TriggerState.WAITING, run_id=None)
        .where(
            triggers.c.workspace == tx.workspace,
            triggers.c.state == TriggerState.RUNNING,
        )
    )
    if run_id is not None:
        statement = statement.where(triggers.c.run_id == run_id)
    tx.connection.execute(statement)


def prune(tx: Tx, *, before: datetime) -> None:
    """Drop the requests that were answered before an instant."""
    tx.connection.execute(
        delete(triggers).where(
            triggers.c.workspace == tx.workspace,
            triggers.c.state.not_in(OPEN),
            triggers.c.asked_at < to_micros(before),
        )
    )


def find_asked(tx: Tx) -> tuple[str, ...]:
    """Return the workspaces, of all, in which requests wait."""
    query = select(triggers.c.workspace).where(triggers.c.state == TriggerState.WAITING)
    return tuple(tx.connection.execute(query.distinct()).scalars())


def get(tx: Tx, number: int) -> Trigger | None:
    """Return one request."""
    row = tx.connection.execute(
        select(triggers).where(
            triggers.c.workspace == tx.workspace, triggers.c.id == number
        )
    ).first()
    if row:
        return _trigger(row)
    return None


def _join(tx: Tx, same: Trigger, asker: Asker) -> None:
    """Remember who asked for the same, each once."""
    named = (same.asker, *same.also)
    if asker in named or len(named) >= MOST_NAMED:
        return
    also = [(one.name, one.source) for one in (*same.also, asker)]
    tx.connection.execute(
        triggers.update()
        .values(also=msgspec.json.encode(also))
        .where(triggers.c.workspace == tx.workspace, triggers.c.id == same.id)
    )


def _trigger(row: Row[Any]) -> Trigger:
    order = Order(
        row.scope,
        full=bool(row.full),
        dry_run=bool(row.dry_run),
        force=bool(row.force),
        checksum=row.checksum,
        undoes=row.undoes,
    )
    also = msgspec.json.decode(row.also, type=list[tuple[str, Source]])
    return Trigger(
        row.id,
        order,
        Asker(row.asked_by, Source(row.source or Source.CLI)),
        from_micros(row.asked_at),
        TriggerState(row.state),
        row.run_id,
        tuple(Asker(name, source) for name, source in also),
        row.error,
        from_micros(row.ended_at) if row.ended_at is not None else None,
    )


def merge(orders: Collection[Order]) -> Order:
    """Return one order that answers the first of several, and with it all plain ones it can."""
    first, *others = orders
    if not first.is_plain():
        return first
    plain = [first, *(order for order in others if order.is_plain())]
    scopes = {order.scope for order in plain}
    return replace(
        first,
        scope=first.scope if len(scopes) == 1 else "",
        full=any(order.full for order in plain),
    )
