"""The rules' memory as rows: one per track, occurrence, baseline, dated row and ledger, so that a save rewrites only what changed.

What was observed is saved before anything is written; a step that is taken by writing a row is saved with that row's
journal or base (`put`), so that a process that dies has remembered neither more nor less than it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import delete, select

from worker.state.store import Tx, upsert
from worker.state.tables import memory
from worker.world.memory import Baseline, Ledger, Memory, Occurrence, SeenCells, Track

_TRACK, _OCCURRENCE, _BASELINE, _SAVED = "track", "occurrence", "baseline", "saved"
_CELLS, _LEDGER = "cells", "ledger"
_T = TypeVar("_T")


def load(tx: Tx) -> Memory:
    """Return the memory; `first_run` until one was saved."""
    rows = _rows(tx)
    return Memory(
        _decode(rows, _TRACK, Track),
        _decode(rows, _OCCURRENCE, Occurrence),
        _decode(rows, _BASELINE, Baseline),
        _decode(rows, _CELLS, SeenCells),
        _decode(rows, _LEDGER, Ledger),
        first_run=(_SAVED, "") not in rows,
    )


def save(tx: Tx, value: Memory) -> None:
    """Make `value` the memory; a first run that is over stays over."""
    kinds: tuple[tuple[str, Mapping[str, Any]], ...] = (
        (_TRACK, value.tracks),
        (_OCCURRENCE, value.occurrences),
        (_BASELINE, value.baselines),
        (_CELLS, value.cells),
        (_LEDGER, value.ledgers),
        (_SAVED, {} if value.first_run else {"": True}),
    )
    wanted = {
        (kind, key): msgspec.json.encode(item)
        for kind, items in kinds
        for key, item in items.items()
    }
    standing = _rows(tx)
    kept = {*wanted, (_SAVED, "")}
    for kind, key in sorted(standing.keys() - kept):
        _delete(tx, kind, key)
    upsert(
        tx,
        memory,
        [
            {"kind": kind, "key": key, "body": body}
            for (kind, key), body in sorted(wanted.items())
            if standing.get((kind, key)) != body
        ],
    )


def put(tx: Tx, key: str, occurrence: Occurrence | None) -> None:
    """Remember one signal as it is now, None: that there is none."""
    if occurrence is None:
        _delete(tx, _OCCURRENCE, key)
        return
    body = msgspec.json.encode(occurrence)
    upsert(tx, memory, [{"kind": _OCCURRENCE, "key": key, "body": body}])


def put_tracks(tx: Tx, tracks: Mapping[str, Track]) -> None:
    """Remember some tracks as they are now."""
    rows = []
    for key, track in sorted(tracks.items()):
        body = msgspec.json.encode(track)
        rows.append({"kind": _TRACK, "key": key, "body": body})
    upsert(tx, memory, rows)


def end_first_run(tx: Tx) -> None:
    """Remember that a run has written everything it planned."""
    upsert(tx, memory, [{"kind": _SAVED, "key": "", "body": b"true"}])


def _delete(tx: Tx, kind: str, key: str) -> None:
    tx.connection.execute(
        delete(memory).where(
            memory.c.workspace == tx.workspace,
            memory.c.kind == kind,
            memory.c.key == key,
        )
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
