"""How real data sources carry the schema, and where incremental reads stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import select

from worker.mapping.schema import Binding, Bindings
from worker.state.store import Tx, delete_keys, upsert
from worker.state.tables import bindings, cursors


def save(tx: Tx, value: Bindings) -> None:
    """Make `value` the bindings of the workspace."""
    upsert(
        tx,
        bindings,
        [
            {"source": source, "body": msgspec.json.encode(binding)}
            for source, binding in sorted(value.items())
        ],
    )
    gone = load(tx).keys() - value.keys()
    delete_keys(tx, bindings, "source", sorted(gone))


def load(tx: Tx) -> Bindings:
    """Return the bindings by source."""
    query = select(bindings.c.source, bindings.c.body).where(
        bindings.c.workspace == tx.workspace
    )
    return {
        source: msgspec.json.decode(body, type=Binding)
        for source, body in tx.connection.execute(query.order_by(bindings.c.source))
    }


def board_scope(source: str) -> str:
    """Return the scope of a data source's rows."""
    return f"notion:{source}"


def set_cursor(tx: Tx, scope: str, value: str) -> None:
    """Remember where the incremental read of a scope stands."""
    upsert(tx, cursors, [{"scope": scope, "value": value}])


def read_again(tx: Tx, sources: Iterable[str]) -> None:
    """Have all rows of some data sources be asked for once more; those never read in full stay so."""
    known = load_cursors(tx)
    for source in sources:
        scope = board_scope(source)
        if scope in known:
            set_cursor(tx, scope, "")


def load_cursors(tx: Tx) -> Mapping[str, str]:
    """Return all cursors by scope."""
    query = select(cursors.c.scope, cursors.c.value).where(
        cursors.c.workspace == tx.workspace
    )
    return {scope: value for scope, value in tx.connection.execute(query)}  # noqa: C416 - see snapshots
