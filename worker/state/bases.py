"""What we last wrote into each cell, as Notion answered it: the third side of every merge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import delete, select

from worker.domain.values import Ref, Value
from worker.mapping.schema import KEY_PROPERTY, Binding, Bindings, Owner, Schema, Source
from worker.plan.plan import Adopted, decode, encode
from worker.state.store import Tx, delete_keys, upsert
from worker.state.tables import bases

Cells = Mapping[tuple[str, str], Value]
NEVER_EMPTY = frozenset({"checkbox", "status"})
"""Types whose cells hold something from the start: an unticked box, the status that the board begins with."""


def pack(value: Value) -> bytes:
    """Return a value as stored."""
    return msgspec.json.encode(encode(value))


def unpack(body: bytes) -> Value:
    """Return a stored value."""
    return decode(msgspec.json.decode(body))


def load(tx: Tx, *, only: Collection[str] | None = None) -> tuple[Cells, Cells]:
    """Return (bases, attempted) by (page id, field): what was answered, and writes whose answer was never seen.

    `only` some fields, if given.
    """
    written = {}
    attempted = {}
    query = select(
        bases.c.page_id, bases.c.field, bases.c.value, bases.c.attempted
    ).where(bases.c.workspace == tx.workspace)
    if only is not None:
        query = query.where(bases.c.field.in_(only))
    for page_id, field, value, attempt in tx.connection.execute(query):
        if value is not None:
            written[page_id, field] = unpack(value)
        if attempt is not None:
            attempted[page_id, field] = unpack(attempt)
    return written, attempted


def of_page(tx: Tx, page_id: str) -> Mapping[str, Value]:
    """Return the bases of one page, by field."""
    rows = tx.connection.execute(
        select(bases.c.field, bases.c.value).where(
            bases.c.workspace == tx.workspace, bases.c.page_id == page_id
        )
    )
    return {field: unpack(value) for field, value in rows if value is not None}


def attempts_of(tx: Tx, page_id: str) -> Mapping[str, Value]:
    """Return the writes to one page whose answer was never seen, by field."""
    rows = tx.connection.execute(
        select(bases.c.field, bases.c.attempted).where(
            bases.c.workspace == tx.workspace, bases.c.page_id == page_id
        )
    )
    return {field: unpack(value) for field, value in rows if value is not None}


def pages_with(tx: Tx, field: str) -> frozenset[str]:
    """Return the pages on which a field has a base."""
    query = select(bases.c.page_id).where(
        bases.c.workspace == tx.workspace,
        bases.c.field == field,
        bases.c.value.is_not(None),
    )
    return frozenset(tx.connection.execute(query).scalars())


def record(tx: Tx, page_id: str, cells: Mapping[str, Value]) -> None:
    """Make `cells` the bases of a page's fields."""
    upsert(
        tx,
        bases,
        [
            {
                "page_id": page_id,
                "field": field,
                "value": pack(value),
                "attempted": None,
            }
            for field, value in cells.items()
        ],
    )


def adopt(tx: Tx, adopted: Iterable[Adopted]) -> None:
    """Record the bases of fields that held what the rules want already."""
    upsert(
        tx,
        bases,
        [
            {
                "page_id": cell.page_id,
                "field": cell.field,
                "value": pack(cell.value),
                "attempted": None,
            }
            for cell in adopted
        ],
    )


def attempt(tx: Tx, page_id: str, cells: Mapping[str, Value]) -> None:
    """Note what is about to be written, before the call."""
    upsert(
        tx,
        bases,
        [
            {"page_id": page_id, "field": field, "attempted": pack(value)}
            for field, value in cells.items()
        ],
    )


def note_made(
    tx: Tx,
    ref: Ref,
    page_id: str,
    *,
    wanted: Mapping[str, Value],
    schema: Schema,
    bindings: Bindings,
) -> None:
    """Note what a row of ours was made with when nobody read the answer, and people may have edited it since.

    A field that is filled once, and one that a value is suggested in, was given, whatever stands in it now: an emptied
    one is not filled again. A field that is ours alone held what was sent, or nothing. Of the rest, what was wanted and
    still stands is ours.
    """
    certain: dict[str, Value] = {}
    source = schema.sources.get(ref.source)
    binding = bindings.get(ref.source)
    if source is not None and binding is not None:
        certain = _certain(source, binding, wanted)
    record(tx, page_id, certain)
    rest = {name: value for name, value in wanted.items() if name not in certain}
    attempt(tx, page_id, rest)


def _certain(
    source: Source, binding: Binding, wanted: Mapping[str, Value]
) -> dict[str, Value]:
    certain: dict[str, Value] = {}
    for name in binding.properties:
        prop = source.properties.get(name)
        if prop is None or name == KEY_PROPERTY:
            continue
        is_ours = prop.owner is Owner.WORKER
        if name in wanted:
            if prop.owner is not Owner.HUMAN:
                certain[name] = wanted[name]
        elif is_ours and prop.type not in NEVER_EMPTY:
            certain[name] = None
    return certain


def withdraw(tx: Tx, page_id: str, fields: Iterable[str]) -> None:
    """Take back the note of a write that certainly did not happen."""
    upsert(
        tx,
        bases,
        [{"page_id": page_id, "field": field, "attempted": None} for field in fields],
    )


def drop(tx: Tx, page_id: str, fields: Sequence[str]) -> None:
    """Drop the bases of some fields of a page."""
    tx.connection.execute(
        delete(bases).where(
            bases.c.workspace == tx.workspace,
            bases.c.page_id == page_id,
            bases.c.field.in_(fields),
        )
    )


def forget(tx: Tx, page_ids: Sequence[str]) -> None:
    """Drop all bases of some pages."""
    delete_keys(tx, bases, "page_id", page_ids)
