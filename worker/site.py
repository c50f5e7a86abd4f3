"""The workspace a step works on: its name, settings, schema and language, its state and its clock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from worker.config import Workspace
from worker.domain.words import Words
from worker.mapping.schema import Schema
from worker.state.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Site:
    """One workspace as every step that reads or writes finds it. `now` tells UTC; the store's clock is the one that all
    processes share."""

    name: str
    settings: Workspace
    schema: Schema
    words: Words
    store: Store
    now: Callable[[], datetime]

    def reading(self) -> AbstractContextManager[Tx]:
        """Return a transaction that only reads this workspace's state."""
        return self.store.reading(self.name)

    def transaction(self) -> AbstractContextManager[Tx]:
        """Return a transaction that may write this workspace's state."""
        return self.store.transaction(self.name)
