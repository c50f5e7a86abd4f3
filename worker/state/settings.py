"""Small values the program keeps of a workspace between cycles, each declared with its type where it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, select

from worker.state.store import Tx, insert_new, upsert
from worker.state.tables import settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One value kept under a name, as JSON; `empty` makes what it is before it was ever saved. Never a secret."""

    name: str
    type: type[T]
    empty: Callable[[], T]

    def load(self, tx: Tx) -> T:
        """Return the value; raises `msgspec.ValidationError` when what is kept is of another type."""
        return self._read(tx, self._query(tx))

    def hold(self, tx: Tx) -> T:
        """Return the value, and let nobody else change it before this transaction ends."""
        insert_new(tx, settings, {"key": self.name, "body": _encode(self.empty())})
        return self._read(tx, self._query(tx).with_for_update())

    def _query(self, tx: Tx) -> Select[tuple[Any]]:
        return select(settings.c.body).where(
            settings.c.workspace == tx.workspace, settings.c.key == self.name
        )

    def _read(self, tx: Tx, query: Select[tuple[Any]]) -> T:
        body = tx.connection.execute(query).scalar()
        if body is None:
            return self.empty()
        return msgspec.json.decode(body, type=self.type, strict=False)

    def save(self, tx: Tx, value: T) -> None:
        """Remember the value."""
        upsert(tx, settings, [{"key": self.name, "body": _encode(value)}])


def _encode(value: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(value))
