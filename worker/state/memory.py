"""The rules' memory as rows: one per track, occurrence and baseline, so that a save rewrites only what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import delete, select

from worker.domain.memory import Baseline, Memory, Occurrence, Track
from worker.state.store import Tx, upsert
from worker.state.tables import memory

_TRACK, _OCCURRENCE, _BASELINE, _SAVED = "track", "occurrence", "baseline", "saved"
_T = TypeVar("_T")


def load(tx: Tx) -> Memory:
    """Return the memory; `first_run` until one was saved."""
    rows = _rows(tx)
    return Memory(
        _decode(rows, _TRACK, Track),
        _decode(rows, _OCCURRENCE, Occurrence),
        _decode(rows, _BASELINE, Baseline),
        first_run=(_SAVED, "") not in rows,
    )


def save(tx: Tx, value: Memory) -> None:
    """Make `value` the memory."""
    kinds: tuple[tuple[str, Mapping[str, Any]], ...] = (
        (_TRACK, value.tracks),
        (_OCCURRENCE, value.occurrences),
        (_BASELINE, value.baselines),
        (_SAVED, {"": True}),
    )
    wanted = {
        (kind, key): msgspec.json.encode(item)
        for kind, items in kinds
        for key, item in items.items()
    }
    standing = _rows(tx)
    for kind, key in sorted(standing.keys() - wanted.keys()):
        tx.connection.execute(
            delete(memory).where(
                memory.c.workspace == tx.workspace,
                memory.c.kind == kind,
                memory.c.key == key,
            )
        )
    upsert(
        tx,
        memory,
        [
            {"kind": kind, "key": key, "body": body}
            for (kind, key), body in sorted(wanted.items())
            if standing.get((kind, key)) != body
        ],
    )


def _rows(tx: Tx) -> dict[tuple[str, str], bytes]:
    query = select(memory.c.kind, memory.c.key, memory.c.body).where(
        memory.c.workspace == tx.workspace
    )
    return {(kind, key): body for kind, key, body in tx.connection.execute(query)}


def _decode(
    rows: Mapping[tuple[str, str], bytes], kind: str, type: type[_T]
) -> dict[str, _T]:
    return {
        key: msgspec.json.decode(body, type=type)
        for (of, key), body in rows.items()
        if of == kind
    }
