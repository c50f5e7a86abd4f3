"""What the cycle needs from the outside, as small protocols; gateways, the state and tests provide them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from worker.codecs.records import (
    BoardView,
    Comment,
    Database,
    DataSource,
    Hit,
    Page,
    UnreadPage,
    User,
)
from worker.domain.entities import Issue, JiraProject, Move, Worklog
from worker.errors import Missing

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageBatch:
    """What one read of a data source saw; `complete` only when every row of the scope arrived.

    An incomplete batch may update and create, never archive; `reason` says what was missing. Rows that are there but
    cannot be read are `unread`, and never count as absent.
    """

    pages: tuple[Page, ...]
    complete: bool
    reason: str = ""
    unread: tuple[UnreadPage, ...] = ()


class Notion(Protocol):
    """Reading and writing one Notion workspace. Raises only the five API errors of `worker.errors`.

    Writes are one HTTP call each (`upload` two): `create_*` and `append_*` are not safe to repeat (their outcome may be
    `Unknown`), everything else is.
    """

    def guarded(self, check: Callable[[], None]) -> Notion:
        """Return the same port, whose requests call `check` right before each attempt leaves, after every wait; what
        it raises (not only API errors) ends the call, with that attempt not sent."""
        ...

    def me(self) -> User:
        """Return the bot user."""
        ...

    def users(self) -> tuple[User, ...]:
        """Return the workspace's users."""
        ...

    def query(
        self,
        data_source_id: str,
        *,
        since: datetime | None = None,
        properties: Sequence[str] = (),
    ) -> PageBatch:
        """Return the rows edited at or after `since` (all when None), in windows when there are over 10,000."""
        ...

    def find(
        self, data_source_id: str, *, property_id: str, text: str
    ) -> tuple[Page, ...]:
        """Return the rows whose text property equals `text`."""
        ...

    def page(self, page_id: str) -> Page:
        """Return one page."""
        ...

    def property_items(self, page_id: str, property_id: str) -> tuple[Json, ...]:
        """Return every item of a property that was cut at 25 references."""
        ...

    def create_page(
        self, data_source_id: str, properties: Json, *, markdown: str = ""
    ) -> Page:
        """Create a row and return the page as answered."""
        ...

    def update_page(self, page_id: str, properties: Json) -> Page:
        """Change some properties and return the page as answered."""
        ...

    def archive_page(self, page_id: str) -> Page:
        """Move a page to the trash."""
        ...

    def comments(self, page_id: str) -> tuple[Comment, ...]:
        """Return the open comments on a page; `Denied` when the connection may not see comments."""
        ...

    def data_source(self, data_source_id: str) -> DataSource:
        """Return a data source with its schema."""
        ...

    def database(self, database_id: str) -> Database:
        """Return a database container."""
        ...

    def create_database(self, body: Json) -> Database:
        """Create a database with its first data source."""
        ...

    def update_data_source(self, data_source_id: str, body: Json) -> DataSource:
        """Change a schema."""
        ...

    def create_view(self, body: Json) -> BoardView:
        """Create a view of a database."""
        ...

    def views(self, *, database_id: str) -> tuple[BoardView, ...]:
        """Return a database's views in full."""
        ...

    def update_view(self, view_id: str, body: Json) -> BoardView:
        """Change a view."""
        ...

    def children(self, block_id: str) -> tuple[Json, ...]:
        """Return all child blocks of a page or block."""
        ...

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Add at most 100 blocks below a page or block, after one of its children or at the end; return them."""
        ...

    def update_block(self, block_id: str, body: Json) -> Json:
        """Change what a block says; its children stay."""
        ...

    def delete_block(self, block_id: str) -> None:
        """Move a block to the trash; one that is gone already is fine."""
        ...

    def upload(self, name: str, content: bytes, *, content_type: str) -> str:
        """Upload a file of at most 20 MB and return the id by which a block can show it, for an hour."""
        ...

    def search(self, query: str, *, kind: str) -> tuple[Hit, ...]:
        """Return pages (`page`) or data sources (`data_source`) found by title."""
        ...

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        ...


def is_gone(notion: Notion, page_id: str) -> bool:
    """Tell whether a page is in the trash, archived or out of reach; raises the API errors but `Missing`."""
    try:
        return notion.page(page_id).is_gone
    except Missing:
        return True


class Site(msgspec.Struct, frozen=True):
    """Jira as it presents itself: its clock, the account that reads, that account's zone."""

    now: datetime
    account: str
    time_zone: str
    deployment: str


@dataclass(frozen=True, slots=True)
class IssueBatch:
    """Issues read by one JQL; `complete` only when the walk ended by itself, without warnings or clipped lists."""

    issues: tuple[Issue, ...]
    complete: bool
    reason: str = ""
    problems: tuple[Any, ...] = ()


class Unread(msgspec.Struct, frozen=True, order=True):
    """A record of Jira that could not be read: its kind (`worklog`, `history`, `project`, `status`), id or name, the
    id of its issue, the field and what is wrong with it. Names that could not be read either are empty."""

    kind: str
    name: str = ""
    issue: str = ""
    field: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class ProjectBatch:
    """The projects the account can see, and those that could not be read."""

    projects: tuple[JiraProject, ...]
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class MoveBatch:
    """Changes of status category by issue id; an issue whose history could not be read is only in `unread`, where
    statuses that could not be read are too."""

    moves: Mapping[str, tuple[Move, ...]]
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class WorklogBatch:
    """Worklogs changed and ids deleted since a bound; `until` is the bound for the next read (epoch ms).

    Those that could not be read are `unread`; they do not make the batch incomplete.
    """

    changed: tuple[Worklog, ...]
    deleted: tuple[str, ...]
    until: int
    complete: bool
    reason: str = ""
    unread: tuple[Unread, ...] = ()


class Jira(Protocol):
    """Reading one Jira site, Cloud or Data Center. Never writes. Raises only the five API errors and `Incomplete`."""

    def site(self) -> Site:
        """Return the site's clock and the reading account; `Denied` when the credentials are wrong."""
        ...

    def projects(self) -> ProjectBatch:
        """Return the projects the account can see."""
        ...

    def validate(self, queries: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with each JQL (absent when nothing is): unknown names do not fail searches on Cloud."""
        ...

    def filter_jql(self, filter_id: str) -> str:
        """Return the JQL of a saved filter; raises `Missing`."""
        ...

    def issues(self, jql: str, *, since: datetime | None = None) -> IssueBatch:
        """Return the issues of a bounded JQL, those updated at or after `since` when given."""
        ...

    def ids(self, jql: str) -> IssueIds:
        """Return only the ids of a JQL (the census)."""
        ...

    def by_keys(self, keys: Iterable[str]) -> Mapping[str, Issue]:
        """Return issues by the keys asked for; a moved issue answers to its old key. Unknown keys are absent."""
        ...

    def moves(self, ids: Sequence[str]) -> MoveBatch:
        """Return each issue's changes of status category, oldest first, read in bulk."""
        ...

    def worklogs(self, since: int, *, now: int | None = None) -> WorklogBatch:
        """Return the worklogs changed and deleted since an epoch-ms bound, site-wide; a bound told that lies ahead of
        `now` is not believed."""
        ...

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        ...


@dataclass(frozen=True, slots=True)
class IssueIds:
    """The ids a JQL matches; `complete` as in `IssueBatch`."""

    ids: frozenset[str]
    complete: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the state holds of both systems after a read: Notion pages by source, issues and worklogs by id."""

    pages: Mapping[str, tuple[Page, ...]] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    worklogs: tuple[Worklog, ...] = ()
