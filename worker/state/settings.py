"""Small values the program keeps of a workspace between cycles, each declared with its type where it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Select, bindparam, select

from worker.state.store import Tx, insert_new, upsert
from worker.state.tables import settings

T = TypeVar("T")

# Made once: one is read before each request.
_BODY = select(settings.c.body).where(
    settings.c.workspace == bindparam("space"), settings.c.key == bindparam("name")
)
_HELD = _BODY.with_for_update()


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One value kept under a name, as JSON; `empty` makes what it is before it was ever saved. Never a secret."""

    name: str
    type: type[T]
    empty: Callable[[], T]

    def load(self, tx: Tx) -> T:
        """Return the value; raises `msgspec.ValidationError` when what is kept is of another type."""
        return self._read(tx, _BODY)

    def hold(self, tx: Tx) -> T:
        """Return the value, and let nobody else change it before this transaction ends."""
        insert_new(tx, settings, {"key": self.name, "body": _encode(self.empty())})
        return self._read(tx, _HELD)

    def _read(self, tx: Tx, query: Select[tuple[Any]]) -> T:
        place = {"space": tx.workspace, "name": self.name}
        body = tx.connection.execute(query, place).scalar()
        if body is None:
            return self.empty()
        return msgspec.json.decode(body, type=self.type, strict=False)

    def save(self, tx: Tx, value: T) -> None:
        """Remember the value."""
        upsert(tx, settings, [{"key": self.name, "body": _encode(value)}])


def _encode(value: object) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(value))
