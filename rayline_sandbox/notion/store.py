"""The workspace: records, their tree, who sees them, and their past where reads are made to lag.

Records hold internal values (option ids, user ids, property ids undecorated); rendering lives with each kind.
"""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from rayline_sandbox.notion.errors import in_trash, invalid, not_found
from rayline_sandbox.wire import Clock

ID_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?:;<=>@[]_`{|}~^\\"


class Parent(NamedTuple):
    """Where a record hangs: `kind` is Notion's key (`page_id`, `data_source_id`, ..., `workspace`)."""

    kind: str
    id: str


SITE = "https://app.notion.com"
"""Where people open pages, of a sandbox without boards in a browser."""
WORKSPACE = Parent("workspace", "")


@dataclass(slots=True, kw_only=True)
class Record:
    """What all content has in common; times are exact here and floored to the minute when shown."""

    id: str
    parent: Parent
    created: datetime
    created_by: str
    edited: datetime
    edited_by: str
    in_trash: bool = False


@dataclass(slots=True, kw_only=True)
class Page(Record):
    """A page or row; `values` maps undecorated property id to the stored value (forms: `properties`).

    `garbled` maps property ids to what answers show instead of the value, to test how clients take bad records.
    """

    values: dict[str, Any] = field(default_factory=dict)
    icon: dict[str, Any] | None = None
    cover: dict[str, Any] | None = None
    is_archived: bool = False
    is_locked: bool = False
    garbled: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Property:
    """A column: `config` is the type's own part, `options`/`groups` in it are lists of dicts with ids."""

    id: str
    name: str
    type: str
    config: dict[str, Any] = field(default_factory=dict)
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class DataSource(Record):
    """A table of rows; `rows` keeps insertion order and also holds trashed rows."""

    title: list[dict[str, Any]] = field(default_factory=list)
    description: list[dict[str, Any]] = field(default_factory=list)
    icon: dict[str, Any] | None = None
    cover: dict[str, Any] | None = None
    properties: dict[str, Property] = field(default_factory=dict)
    rows: dict[str, None] = field(default_factory=dict)
    counter: int = 0


@dataclass(slots=True, kw_only=True)
class Database(Record):
    """The container of data sources."""

    title: list[dict[str, Any]] = field(default_factory=list)
    description: list[dict[str, Any]] = field(default_factory=list)
    icon: dict[str, Any] | None = None
    cover: dict[str, Any] | None = None
    is_inline: bool = False
    is_locked: bool = False
    data_sources: list[str] = field(default_factory=list)
    linked: str | None = None
    """The data source of another database that this one only shows; it cannot be retrieved itself."""


@dataclass(slots=True, kw_only=True)
class Block(Record):
    """A body block; child pages and databases are not blocks here but are shown as such."""

    type: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class User:
    """A member of the workspace, or the connection's bot."""

    id: str
    name: str
    email: str | None = None
    is_bot: bool = False
    avatar_url: str | None = None


@dataclass(slots=True)
class Capabilities:
    """What the connection may do; `users` is `none`, `basic` or `email` (docs/facts/notion-api.md 3.21)."""

    read: bool = True
    insert: bool = True
    update: bool = True
    comments: bool = True
    users: str = "email"


@dataclass(slots=True)
class Lag:
    """How far reads trail the truth, in seconds of the virtual clock, and how listings misbehave.

    `query`, `search`, `page`: seconds. `shifting`: a listing is re-evaluated for every page of it, by offset.
    `results`: a query ends after so many rows.
    `short_pages`: every listing page carries at most this many rows (0: off). `repeated`: after each page it comes again.
    `incomplete`: half of the rows, said to be incomplete.
    """

    query: float = 0.0
    search: float = 0.0
    page: float = 0.0
    shifting: bool = False
    short_pages: int = 0
    repeated: bool = False
    incomplete: bool = False
    results: int = 10_000

    @property
    def any(self) -> bool:
        """Return whether past versions need to be kept."""
        return max(self.query, self.search, self.page) > 0


KIND_NAMES: dict[type[Record], str] = {Page: "page", Database: "database"}
AnyRecord = TypeVar("AnyRecord", bound=Record)


def _draw(stream: random.Random) -> str:
    bits = stream.getrandbits(128)
    return str(uuid.UUID(int=bits, version=4))


class Ids:
    """Deterministic ids: content ids and request ids come from separate streams, so reads do not shift content ids."""

    def __init__(self, seed: int) -> None:
        self._content = random.Random(f"content-{seed}")
        self._requests = random.Random(f"requests-{seed}")

    def content(self) -> str:
        """Return a new id for a record, option or user."""
        return _draw(self._content)

    def request(self) -> str:
        """Return a new request id."""
        return _draw(self._requests)

    def token(self) -> str:
        """Return an integration token."""
        return "ntn_" + "".join(
            self._content.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=46)
        )

    def short(self) -> str:
        """Return a property id: four characters that often need percent-encoding."""
        return "".join(self._content.choices(ID_ALPHABET, k=4))


class Store:
    """All state of one workspace as seen by one connection."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.ids = Ids(seed)
        self.workspace_id = self.ids.content()
        self.workspace_name = "Sandbox"
        self.site = SITE
        self.integration_id = self.ids.content()
        self.integration = "Rayline sandbox"
        self.users: dict[str, User] = {}
        self.pages: dict[str, Page] = {}
        self.databases: dict[str, Database] = {}
        self.data_sources: dict[str, DataSource] = {}
        self.blocks: dict[str, Block] = {}
        self.children: dict[str, list[str]] = {}
        self.shared: dict[str, bool] = {}
        self.capabilities = Capabilities()
        self.is_free = False
        self.lag = Lag()
        self.repeats: dict[str | None, str | None] = {}
        """Where cursors of repeated pages lead to."""
        self.keeps_past = False
        """Past versions are kept although no read lags yet."""
        self.shelves: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, Any] = {}
        self.on_touch: Callable[[Record], None] | None = None
        """Who is told that a record is being changed, if anybody."""
        self._past: dict[str, list[tuple[datetime, Record]]] = {}
        self.bot_id = self.add_user("Rayline", is_bot=True).id

    def shelf(self, name: str) -> dict[str, Any]:
        """Return the named extra collection (views, comments, uploads), made on first use."""
        return self.shelves.setdefault(name, {})

    def now(self) -> datetime:
        """Return the present instant of the virtual clock."""
        return self.clock.now()

    def add_user(
        self, name: str, *, email: str | None = None, is_bot: bool = False
    ) -> User:
        """Add a member (or the bot) and return it."""
        user = User(self.ids.content(), name, email, is_bot)
        self.users[user.id] = user
        return user

    # -- finding ---------------------------------------------------------------------------------------------------

    def find(self, record_id: str) -> Record | None:
        """Return any record by id, or None."""
        return (
            self.pages.get(record_id)
            or self.blocks.get(record_id)
            or self.databases.get(record_id)
            or self.data_sources.get(record_id)
        )

    def up(self, record: Record) -> Record | None:
        """Return the parent record, or None at the top of the workspace."""
        if record.parent.id:
            return self.find(record.parent.id)
        return None

    def line(self, record: Record) -> list[Record]:
        """Return the record and its ancestors, nearest first (cycles end the walk)."""
        line: list[Record] = []
        step: Record | None = record
        while step is not None and len(line) < 64:
            line.append(step)
            step = self.up(step)
        return line

    def visible(self, record: Record) -> bool:
        """Return whether the connection sees the record: the nearest ancestor with a say decides."""
        return next(
            (
                self.shared[step.id]
                for step in self.line(record)
                if step.id in self.shared
            ),
            False,
        )

    def trashed(self, record: Record) -> bool:
        """Return whether the record or anything above it is in the trash."""
        return any(step.in_trash for step in self.line(record))

    def missing(self, kind: str, record_id: str) -> Exception:
        """Return the 404 for a record of that kind."""
        return not_found(
            kind,
            record_id,
            integration_id=self.integration_id,
            integration=self.integration,
        )

    def page(self, record_id: str) -> Page:
        """Return a visible page or raise the 404."""
        return self._seen(self.pages, "page", record_id)

    def database(self, record_id: str) -> Database:
        """Return a visible database or raise the 404; one that is only linked cannot be retrieved."""
        found = self.shelter(record_id)
        if found.linked is not None:
            raise self.missing("database", found.id)
        return found

    def shelter(self, record_id: str) -> Database:
        """Return a visible database or linked database, which have views alike, or raise the 404."""
        return self._seen(self.databases, "database", record_id)

    def data_source(self, record_id: str) -> DataSource:
        """Return a visible data source or raise the 404."""
        return self._seen(self.data_sources, "data source", record_id)

    def node(self, record_id: str) -> Record:
        """Return a visible block, page or database (anything that can be asked as a block) or raise the 404."""
        key = plain_id(record_id)
        found = self.blocks.get(key) or self.pages.get(key) or self.databases.get(key)
        if found is None or not self.visible(found):
            raise self.missing("block", key)
        return found

    def _seen(
        self, shelf: dict[str, AnyRecord], kind: str, record_id: str
    ) -> AnyRecord:
        key = plain_id(record_id)
        record = shelf.get(key)
        if record is not None and self.visible(record):
            return record
        other = self.pages.get(key) or self.databases.get(key)
        if (
            record is None
            and other is not None
            and kind in KIND_NAMES.values()
            and self.visible(other)
        ):
            actual = KIND_NAMES[type(other)]
            raise invalid(
                f"Provided ID {key} is a {actual}, not a {kind}. Use the retrieve {actual} API instead."
            )
        raise self.missing(kind, key)

    # -- changing --------------------------------------------------------------------------------------------------

    def stamps(self, actor: str) -> dict[str, Any]:
        """Return the time and author fields of a new record."""
        now = self.now()
        return {"created": now, "created_by": actor, "edited": now, "edited_by": actor}

    def touch(self, record: Record, actor: str) -> None:
        """Mark an edit. Call before changing the record: past reads need its old values."""
        if self.lag.any or self.keeps_past:
            self.remember(record)
        if self.on_touch is not None:
            self.on_touch(record)
        record.edited = self.now()
        record.edited_by = actor

    def remember(self, record: Record) -> None:
        """Keep a copy of the record as it is now, for reads that lag."""
        past = self._past.setdefault(record.id, [])
        old = copy.copy(record)
        if isinstance(record, Page) and isinstance(old, Page):
            old.values = dict(record.values)
        past.append((self.now(), old))
        del past[:-50]

    def as_seen(self, record: AnyRecord, lag: float) -> AnyRecord | None:
        """Return the record as it stood `lag` seconds ago; None if it was not there yet."""
        if lag <= 0:
            return record
        then = self.now() - timedelta(seconds=lag)
        if record.created > then:
            return None
        for until, old in self._past.get(record.id, ()):
            if until > then:
                return old  # type: ignore[return-value]
        return record

    def attach(self, container: str, ids: list[str], *, at: int | None = None) -> None:
        """Put ids into a container's body, at an index or at the end."""
        body = self.children.setdefault(container, [])
        index = len(body) if at is None else at
        body[index:index] = ids

    def detach(self, record: Record) -> None:
        """Take a record out of its container's body, if it is in one."""
        body = self.children.get(record.parent.id)
        if body and record.id in body:
            body.remove(record.id)

    def refuse_trashed(
        self, record: Record, kind: str, *, lifted: bool = False
    ) -> None:
        """Raise the 400 when the record cannot be edited because it or an ancestor is in the trash.

        `lifted`: the request takes the record itself out of the trash or the archive.
        """
        is_archived = isinstance(record, Page) and record.is_archived
        if not lifted and (record.in_trash or is_archived):
            raise in_trash(kind)
        ancestors = self.line(record)[1:]
        if any(step.in_trash for step in ancestors):
            raise in_trash(kind, ancestor=True)

    def body_of(self, container: str) -> list[str]:
        """Return the ids in a container's body that are not in the trash."""
        return [
            one
            for one in self.children.get(container, ())
            if (found := self.find(one)) is not None and not found.in_trash
        ]


def plain_id(text: str) -> str:
    """Return an id in dashed lower-case form; what is no UUID comes back unchanged."""
    digits = text.replace("-", "").lower()
    if len(digits) != 32:
        return text
    return dashed(digits)


def dashed(digits: str) -> str:
    """Return the 32 digits of an id as they are written: in groups of 8, 4, 4, 4 and 12."""
    groups = []
    for start, end in pairwise((0, 8, 12, 16, 20, 32)):
        groups.append(digits[start:end])
    return "-".join(groups)


def minute(at: datetime) -> str:
    """Return an instant floored to the minute, as pages and blocks show it (docs/facts/notion-api.md 2.21)."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}:00.000Z"


def exact(at: datetime) -> str:
    """Return an instant with milliseconds, as databases and views show it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def author(user_id: str) -> dict[str, str]:
    """Return the partial user object of `created_by` and `last_edited_by`."""
    return {"object": "user", "id": user_id}


def parent_object(parent: Parent) -> dict[str, Any]:
    """Return a parent as responses show it."""
    if parent.kind == "workspace":
        return {"type": "workspace", "workspace": True}
    return {"type": parent.kind, parent.kind: parent.id}
