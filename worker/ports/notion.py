"""What the cycle needs of Notion: who only reads takes a reader, and cannot write by type.

All raise only the five API errors of `worker.errors`. Writes are one HTTP call each (`upload` two): `create_*` and
`append_*` are not safe to repeat (their outcome may be `Unknown`), everything else is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from worker.domain.entities import Account
from worker.domain.messages import message
from worker.errors import Missing

Json = dict[str, Any]
CROWDED = message(
    "more rows than Notion shows at once were made in the same minute, with the same name: give some of them, a part at "
    "a time, another name"
)
"""Why a read is not complete that nothing parts into pieces small enough."""


class PageBatch(msgspec.Struct, frozen=True):
    """What one read of a data source saw; `complete` only when every row of the scope arrived.

    An incomplete batch may update and create, never archive; `reason` says what was missing. Rows that are there but
    cannot be read are `unread`, and never count as absent.
    """

    pages: tuple[Page, ...]
    complete: bool
    reason: str = ""
    unread: tuple[UnreadPage, ...] = ()


class Timed(Protocol):
    """What tells how quickly it is answered."""

    def latency(self) -> float:
        """Return how many seconds an answer took lately, in the mean; 0 before the first."""
        ...


class RowReader(Timed, Protocol):
    """Reading the rows of data sources."""

    def page(self, page_id: str) -> Page:
        """Return one page."""
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

    def property_items(self, page_id: str, property_id: str) -> tuple[Json, ...]:
        """Return every item of a property that was cut at 25 references."""
        ...

    def comments(self, page_id: str) -> tuple[Comment, ...]:
        """Return the open comments on a page; `Denied` when the connection may not see comments."""
        ...


class RowWriter(RowReader, Protocol):
    """Writing rows, each read again right before and after."""

    def create_page(
        self, data_source_id: str, properties: Json, *, children: Sequence[Json] = ()
    ) -> Page:
        """Create a row with at most 100 blocks on its page and return the page as answered."""
        ...

    def update_page(self, page_id: str, properties: Json) -> Page:
        """Change some properties and return the page as answered."""
        ...

    def archive_page(self, page_id: str) -> Page:
        """Move a page to the trash."""
        ...

    def shelve_page(self, page_id: str) -> Page:
        """Archive a page: it leaves its board and is not in the trash."""
        ...


class BlockReader(Protocol):
    """Reading the body of a page."""

    def children(self, block_id: str) -> tuple[Json, ...]:
        """Return all child blocks of a page or block."""
        ...


START = "start"
"""In the place of a block's id: before all others."""


class BlockWriter(BlockReader, Protocol):
    """Writing into the body of a page; `me` tells blocks of the worker from those of people."""

    def me(self) -> User:
        """Return the bot user."""
        ...

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Add at most 100 blocks below a page or block and return them: at the end, after one of its children, or at
        `START` where the version of the API allows it."""
        ...

    def create_subpage(self, parent_id: str, title: str, *, icon: str) -> Page:
        """Create an empty page below another, with an emoji, and return it as answered. Not safe to repeat."""
        ...

    def update_block(self, block_id: str, body: Json) -> Json:
        """Change what a block says; its children stay."""
        ...

    def delete_block(self, block_id: str) -> None:
        """Move a block to the trash; one that is there already is fine. Raises `Missing` where it is not seen."""
        ...

    def upload(self, name: str, content: bytes, *, content_type: str) -> str:
        """Upload a file of at most 20 MB and return the id by which a block can show it, for an hour."""
        ...


class BoardReader(Timed, BlockReader, Protocol):
    """Finding data sources on and below pages, and reading their schema."""

    def page(self, page_id: str) -> Page:
        """Return one page."""
        ...

    def data_source(self, data_source_id: str) -> DataSource:
        """Return a data source with its schema."""
        ...

    def database(self, database_id: str) -> Database:
        """Return a database container."""
        ...

    def search(self, query: str, *, kind: str) -> tuple[Hit, ...]:
        """Return pages (`page`) or data sources (`data_source`) found by title."""
        ...

    def sample(self, data_source_id: str, *, number: int) -> tuple[Page, ...]:
        """Return some rows, the last edited first, in one request."""
        ...


class BoardAdmin(BoardReader, Protocol):
    """Making databases, properties and views."""

    def create_database(self, body: Json) -> Database:
        """Create a database with its first data source."""
        ...

    def update_data_source(self, data_source_id: str, body: Json) -> DataSource:
        """Change a schema."""
        ...

    def create_view(self, body: Json) -> BoardView:
        """Create a view of a database."""
        ...

    def view_ids(self, *, database_id: str) -> tuple[str, ...]:
        """Return the ids of a database's views: a request for all, where `views` makes one for each."""
        ...

    def views(self, *, database_id: str) -> tuple[BoardView, ...]:
        """Return a database's views in full."""
        ...

    def update_view(self, view_id: str, body: Json) -> BoardView:
        """Change a view."""
        ...


class PlanWriter(RowWriter, BlockWriter, Protocol):
    """What carrying out a plan needs: rows and sections, under a guard."""

    def guarded(self, check: Callable[[], None]) -> PlanWriter:
        """Return the same port, whose requests call `check` right before each attempt leaves, after every wait; what
        it raises (not only API errors) ends the call, with that attempt not sent."""
        ...


class Notion(PlanWriter, BoardAdmin, Protocol):
    """One Notion workspace with every right: for what puts a cycle together, and hands each step its part."""

    def guarded(self, check: Callable[[], None]) -> Notion:
        """Return the same port, whose requests call `check` right before each attempt leaves, after every wait; what
        it raises (not only API errors) ends the call, with that attempt not sent."""
        ...

    def members(self) -> tuple[Account, ...]:
        """Return the people of the workspace without its guests; `Denied` where the connection may not see users."""
        ...

    def is_free(self) -> bool:
        """Tell whether the workspace's plan is the free one."""
        ...

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        ...

    def answers(self) -> Mapping[str, int]:
        """Return how often each HTTP status was answered since this gateway was made; `none`: no answer came."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def is_gone(notion: RowReader | BoardReader, page_id: str) -> bool:
    """Tell whether a page is in the trash, archived or out of reach; raises the API errors but `Missing`."""
    try:
        return notion.page(page_id).is_gone
    except Missing:
        return True
