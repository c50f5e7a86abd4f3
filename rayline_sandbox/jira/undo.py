"""What a person's act has added to the site is taken back when the rest of it is refused."""

from __future__ import annotations

from collections.abc import Callable

from rayline_sandbox.jira.store import Store


def remember(store: Store) -> Callable[[], None]:
    """Return a way to drop every record that is added from now on; records themselves are not copied."""
    kept = {
        name: _copied(records)
        for name, records in vars(store).items()
        if isinstance(records, dict)
    }
    numbers = dict(store.counters.next)

    def undo() -> None:
        for name, records in kept.items():
            standing = getattr(store, name)
            standing.clear()
            standing.update(records)
        store.counters.next = numbers

    return undo


def _copied(records: dict[object, object]) -> dict[object, object]:
    return {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in records.items()
    }
