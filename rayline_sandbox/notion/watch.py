"""Which events follow from a change of the workspace: found by comparing what was touched with what was told last.

Only used while somebody subscribed (`events`); docs/facts/notion-api.md 4.4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from rayline_sandbox.notion.comments import Comment, all_comments
from rayline_sandbox.notion.richtext import RichText
from rayline_sandbox.notion.store import (
    Block,
    Database,
    DataSource,
    Page,
    Parent,
    Property,
    Record,
    Store,
)
from rayline_sandbox.notion.values import encoded
from rayline_sandbox.webhooks import encode

KINDS: Mapping[type[Record], str] = {
    Page: "page",
    DataSource: "data_source",
    Database: "database",
    Block: "block",
}
Pages = dict[str, Page] | dict[str, Block]
Shelf = Pages | dict[str, DataSource] | dict[str, Database]


class Print(NamedTuple):
    """What is compared of a record: a difference in any part is an event of its own kind."""

    parent: Parent
    in_trash: bool
    is_locked: bool
    parts: Mapping[str, Any]


class Happening(NamedTuple):
    """One event before it is addressed: `detail` is what stands in `data` beside the parent."""

    type: str
    record: Record | Comment
    detail: Mapping[str, list[Any]]


def _print(record: Record) -> Print:
    parts: Mapping[str, Any] = {}
    match record:
        case Page():
            parts = {**record.values, "icon": record.icon, "cover": record.cover}
        case DataSource():
            parts = {
                column.id: _column(column) for column in record.properties.values()
            }
        case Block():
            parts = {"payload": record.payload}
    return Print(
        record.parent, record.in_trash, bool(getattr(record, "is_locked", False)), parts
    )


def _column(column: Property) -> tuple[str, str, bytes]:
    return (column.name, column.type, encode(column.config))


class Watch:
    """Finds what a request or a person has changed; it knows every record as it was told last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Print] = {}
        for shelf in self._shelves():
            for record in shelf.values():
                self._known[record.id] = _print(record)

        self._comments = self._comment_prints()
        self._touched: dict[str, Record] = {}

    def _shelves(self) -> tuple[Shelf, ...]:
        store = self._store
        return (store.databases, store.data_sources, store.pages, store.blocks)

    def note(self, record: Record) -> None:
        """Remember that a record is being changed."""
        self._touched[record.id] = record

    def changes(self) -> Iterator[Happening]:
        """Yield what has changed since the last call, in no order that means anything."""
        touched = self._touched
        self._touched = {}
        made = {record.id: record for record in self._made()}
        for identity, record in made.items():
            self._known[identity] = _print(record)
            yield from self._created(record, made)

        for identity, record in touched.items():
            is_old = identity in self._known and identity not in made
            if is_old:
                yield from self._changed(record)

        self._forget_erased()
        yield from self._commented()

    def _made(self) -> Iterator[Record]:
        """Yield the records that are new: they are the last of their shelf."""
        for shelf in self._shelves():
            for identity in reversed(shelf):
                if identity in self._known:
                    break
                yield shelf[identity]

    def _created(self, record: Record, made: Collection[str]) -> Iterator[Happening]:
        kind = KINDS[type(record)]
        if kind != "block":
            yield Happening(f"{kind}.created", record, {})
        if record.parent.id not in made:
            yield from self._content_of(record, record.parent)

    def _content_of(self, record: Record, parent: Parent) -> Iterator[Happening]:
        """Yield that the body or the rows something stands in, or stood in, are others now."""
        kind = KINDS[type(record)]
        if kind == "data_source":
            return
        holder = self._store.find(parent.id)
        while isinstance(holder, Block):
            holder = self._store.up(holder)
        if isinstance(holder, Page | DataSource):
            changed = {"id": record.id, "type": kind}
            name = f"{KINDS[type(holder)]}.content_updated"
            yield Happening(name, holder, {"updated_blocks": [changed]})

    def _changed(self, record: Record) -> Iterator[Happening]:
        before = self._known[record.id]
        now = _print(record)
        self._known[record.id] = now
        kind = KINDS[type(record)]
        if before == now:
            return
        if kind == "block":
            yield from self._content_of(record, record.parent)
            return

        if before.in_trash != now.in_trash:
            name = "deleted" if now.in_trash else "undeleted"
            yield Happening(f"{kind}.{name}", record, {})
            yield from self._content_of(record, record.parent)

        if before.parent != now.parent:
            yield Happening(f"{kind}.moved", record, {})
            yield from self._content_of(record, before.parent)
            yield from self._content_of(record, now.parent)

        if kind == "page" and before.is_locked != now.is_locked:
            name = "locked" if now.is_locked else "unlocked"
            yield Happening(f"page.{name}", record, {})

        updated = _updated(kind, before.parts, now.parts)
        if updated:
            name = "schema" if kind == "data_source" else "properties"
            detail = {"updated_properties": updated}
            yield Happening(f"{kind}.{name}_updated", record, detail)

    def _forget_erased(self) -> None:
        """Forget what is gone for good: Notion told of it when it went into the trash."""
        if sum(map(len, self._shelves())) == len(self._known):
            return
        for identity in list(self._known):
            if self._store.find(identity) is None:
                del self._known[identity]

    def _comment_prints(self) -> dict[str, tuple[Comment, RichText]]:
        comments = all_comments(self._store)
        return {
            identity: (comment, comment.rich_text)
            for identity, comment in comments.items()
        }

    def _commented(self) -> Iterator[Happening]:
        before = self._comments
        now = self._comment_prints()
        self._comments = now
        for identity, (comment, text) in now.items():
            if identity not in before:
                yield Happening("comment.created", comment, {})
                continue
            _, earlier = before[identity]
            if earlier is not text:
                yield Happening("comment.updated", comment, {})

        for identity in before.keys() - now.keys():
            comment, _ = before[identity]
            yield Happening("comment.deleted", comment, {})


def _updated(kind: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Any]:
    """Return the properties of a page, or the columns of a table, that differ."""
    updated: list[Any] = []
    for key in {**before, **now}:
        earlier = before.get(key)
        latter = now.get(key)
        if earlier == latter:
            continue
        if kind == "page":
            updated.append(encoded(key))
            continue
        name = (latter or earlier or ("",))[0]
        action = "updated"
        if earlier is None:
            action = "created"
        if latter is None:
            action = "deleted"
        entry = {"id": encoded(key), "name": name, "action": action}
        updated.append(entry)
    return updated
