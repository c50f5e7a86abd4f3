"""The queue of cycles people asked for; requests that wait for the same scope are one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from worker.state.store import Tx, from_micros, next_number, to_micros, upsert
from worker.state.tables import counters, triggers


class TriggerState(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One request; `scope` is empty for the whole workspace, `run_id` the run that answers it."""

    id: int
    scope: str
    asked_at: datetime
    state: TriggerState
    run_id: int | None


def ask(tx: Tx, scope: str = "", *, now: datetime) -> int:
    """Ask for a cycle; return the request's number, that of the one waiting for the same scope if there is one."""
    waiting = next((trigger for trigger in pending(tx) if trigger.scope == scope), None)
    if waiting:
        return waiting.id
    number = next_number(tx, "trigger", counters)
    upsert(
        tx,
        triggers,
        [
            {
                "id": number,
                "scope": scope,
                "asked_at": to_micros(now),
                "state": TriggerState.WAITING,
                "run_id": None,
            }
        ],
    )
    return number


def pending(tx: Tx) -> tuple[Trigger, ...]:
    """Return the requests that wait, oldest first."""
    query = select(triggers).where(
        triggers.c.workspace == tx.workspace, triggers.c.state == TriggerState.WAITING
    )
    return tuple(
        _trigger(row) for row in tx.connection.execute(query.order_by(triggers.c.id))
    )


def take(tx: Tx, run_id: int, *, scope: str = "") -> tuple[Trigger, ...]:
    """Hand the waiting requests which a run of this scope answers to it, and return them; an empty scope answers all."""
    taken = tuple(asked for asked in pending(tx) if scope in ("", asked.scope))
    _set(
        tx, tuple(trigger.id for trigger in taken), TriggerState.RUNNING, run_id=run_id
    )
    return taken


def finish(tx: Tx, run_id: int) -> None:
    """Mark the requests of a run as answered."""
    tx.connection.execute(
        triggers.update()
        .values(state=TriggerState.DONE)
        .where(triggers.c.workspace == tx.workspace, triggers.c.run_id == run_id)
    )


def give_back(tx: Tx) -> None:
    """Let the requests that lost runs had taken wait again; to be called by who holds the workspace alone."""
    tx.connection.execute(
        triggers.update()
        .values(state=TriggerState.WAITING, run_id=None)
        .where(
            triggers.c.workspace == tx.workspace,
            triggers.c.state == TriggerState.RUNNING,
        )
    )


def get(tx: Tx, number: int) -> Trigger | None:
    """Return one request."""
    row = tx.connection.execute(
        select(triggers).where(
            triggers.c.workspace == tx.workspace, triggers.c.id == number
        )
    ).first()
    return _trigger(row) if row else None


def _set(tx: Tx, ids: tuple[int, ...], state: TriggerState, *, run_id: int) -> None:
    if ids:
        tx.connection.execute(
            triggers.update()
            .values(state=state, run_id=run_id)
            .where(triggers.c.workspace == tx.workspace, triggers.c.id.in_(ids))
        )


def _trigger(row: Row[Any]) -> Trigger:
    return Trigger(
        row.id,
        row.scope,
        from_micros(row.asked_at),
        TriggerState(row.state),
        row.run_id,
    )
