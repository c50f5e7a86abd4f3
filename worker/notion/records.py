"""Notion's answers, read into what the rest of the program knows; each reader raises `Malformed` for anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import msgspec

from worker.codecs.records import (
    Identity,
    Json,
    Malformed,
    Page,
    UnreadPage,
    read_page,
    read_record,
    unread_page,
)
from worker.domain.entities import Account
from worker.domain.text import clean_line

T = TypeVar("T")
Read = Callable[[object], T]


class Status(msgspec.Struct, frozen=True, gc=False):
    """Whether a query told all it found."""

    type: str
    incomplete_reason: str | None = None


class Listing(msgspec.Struct, frozen=True):
    """One page of a list, its rows still raw."""

    results: list[Any]
    has_more: bool
    next_cursor: str | None = None
    request_status: Status | None = None

    @property
    def shortfall(self) -> str:
        """Return why the query did not tell all it found, empty when it did."""
        status = self.request_status
        if status is None or status.type != "incomplete":
            return ""
        return status.incomplete_reason or "incomplete"


class Upload(msgspec.Struct, frozen=True, gc=False):
    """A file on its way, or there (`uploaded`)."""

    id: Identity
    status: str = ""


class _Limits(msgspec.Struct, frozen=True, gc=False):
    max_file_upload_size_in_bytes: int | None = None


class _Owner(msgspec.Struct, frozen=True, gc=False):
    type: str = ""


class _Bot(msgspec.Struct, frozen=True, gc=False):
    workspace_name: str | None = None
    owner: _Owner | None = None
    workspace_limits: _Limits | None = None


FREE_UPLOAD = 5 * 1024**2
"""What a free workspace takes as a file: nothing else of an answer tells the plan (docs/facts/notion-api.md 3.19)."""


class Holder(msgspec.Struct, frozen=True, gc=False):
    """Whom a token makes us: a connection's bot, or the person who made a token of their own."""

    id: Identity
    type: str = ""
    name: str | None = None
    bot: _Bot | None = None

    @property
    def workspace(self) -> str:
        """Return the name of the workspace, empty where it is not told."""
        return (self.bot and self.bot.workspace_name) or ""

    @property
    def is_person(self) -> bool:
        """Tell whether it acts as a person, by a token that ends."""
        owner = self.bot.owner if self.bot else None
        return self.type == "person" or (owner is not None and owner.type == "user")

    @property
    def is_free(self) -> bool:
        """Tell whether the workspace's plan is the free one."""
        limits = self.bot.workspace_limits if self.bot else None
        most = limits.max_file_upload_size_in_bytes if limits else None
        return most is not None and most <= FREE_UPLOAD


class _Person(msgspec.Struct, frozen=True, gc=False):
    email: str | None = None


class Member(msgspec.Struct, frozen=True, gc=False):
    """Somebody of a workspace, person or bot; the e-mail comes to connections that may see it."""

    id: Identity
    type: str = ""
    name: str | None = None
    person: _Person | None = None

    def account(self) -> Account:
        """Return who it is."""
        email = self.person.email if self.person else None
        return Account(self.id, clean_line(self.name or ""), clean_line(email or ""))


class Item(msgspec.Struct, frozen=True, gc=False):
    """The beginning of a property asked for by itself: a `list` of its items, or the only one."""

    object: Literal["list", "property_item"]


class Thing(msgspec.Struct, frozen=True, gc=False):
    """All that is asked of a block that was deleted."""

    id: Identity
    in_trash: bool = False
    archived: bool = False


def reader_of(kind: type[T]) -> Read[T]:
    """Return a reader of one kind of record."""
    return lambda raw: read_record(kind, raw)


def read_listing(raw: object) -> Listing:
    """Return one page of a list; what its rows hold is looked at row by row."""
    try:
        listing = msgspec.convert(raw, Listing)
    except msgspec.ValidationError as error:
        raise Malformed("", str(error)) from None
    return listing


def read_item(raw: object) -> Json:
    """Return an item of a property as it was sent."""
    if not isinstance(raw, dict):
        raise Malformed("", "is not an item of a property")
    read_record(dict[str, Any], raw)
    return raw


def read_all(rows: Iterable[object], read: Read[T]) -> tuple[T, ...]:
    """Return all rows of an answer that counts only as a whole; raises `Malformed` for the first that cannot be read."""
    return tuple(read(row) for row in rows)


def read_rows(rows: Iterable[object]) -> tuple[list[Page], list[UnreadPage]]:
    """Return the rows that can be read, and what is known of the others."""
    good: list[Page] = []
    bad: list[UnreadPage] = []
    for raw in rows:
        try:
            good.append(read_page(raw))
        except Malformed as fault:
            bad.append(unread_page(raw, fault))
    return good, bad
