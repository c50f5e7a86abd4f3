"""How real data sources carry the schema, where incremental reads stand, and small settings of the program itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from worker.mapping.schema import Binding, Bindings
from worker.state.store import Tx, delete_keys, upsert
from worker.state.tables import bindings, cursors, settings


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
    delete_keys(tx, bindings, "source", sorted(load(tx).keys() - value.keys()))


def load(tx: Tx) -> Bindings:
    """Return the bindings by source."""
    query = select(bindings.c.source, bindings.c.body).where(
        bindings.c.workspace == tx.workspace
    )
    return {
        source: msgspec.json.decode(body, type=Binding)
        for source, body in tx.connection.execute(query.order_by(bindings.c.source))
    }


def set_cursor(tx: Tx, scope: str, value: str) -> None:
    """Remember where the incremental read of a scope stands."""
    upsert(tx, cursors, [{"scope": scope, "value": value}])


def load_cursors(tx: Tx) -> Mapping[str, str]:
    """Return all cursors by scope."""
    query = select(cursors.c.scope, cursors.c.value).where(
        cursors.c.workspace == tx.workspace
    )
    return {scope: value for scope, value in tx.connection.execute(query)}  # noqa: C416 - see snapshots


def set_setting(tx: Tx, key: str, value: Any) -> None:
    """Remember one JSON value (the worklog bound, the mapping's fingerprint); never a secret."""
    upsert(tx, settings, [{"key": key, "body": msgspec.json.encode(value)}])


def get_setting(tx: Tx, key: str, default: Any = None) -> Any:
    """Return a remembered value."""
    body = tx.connection.execute(
        select(settings.c.body).where(
            settings.c.workspace == tx.workspace, settings.c.key == key
        )
    ).scalar()
    return default if body is None else msgspec.json.decode(body)
