"""Notion as the rest of the program sees it: rows, schemas and views; every failure one of five errors.

Built over notion-client, whose own retries are off: it repeats neither queries nor 529s, never waits longer than a
minute and lets httpx errors escape (docs/facts/notion-api.md 1.10, 1.11). Paths are called directly, because its methods
drop arguments they do not know without a word (docs/facts/notion-api.md 1.14).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from random import Random
from typing import TypeVar
from urllib.parse import quote

import httpx
from notion_client import Client
from notion_client.errors import HTTPResponseError, NotionClientErrorBase

from worker.codecs.records import (
    BoardView,
    Comment,
    Database,
    DataSource,
    Hit,
    Json,
    Malformed,
    Page,
    User,
    read_block,
    read_comment,
    read_data_source,
    read_page,
    read_record,
)
from worker.config import NotionSettings
from worker.domain.entities import Account
from worker.errors import Denied, Missing, Rejected, Transient
from worker.http.budget import SharedBudget
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.page_sizes import PageSizes
from worker.http.retry import Policy, Setback, postponed
from worker.http.route import find_route
from worker.http.secrets import redact
from worker.http.token import secret_from
from worker.notion.errors import API, Call, misread, read_refusal, translate
from worker.notion.pacer import Pacer, Unaffordable
from worker.notion.paging import CAPPED, Walk, walk
from worker.notion.records import (
    Holder,
    Item,
    Listing,
    Member,
    Read,
    Thing,
    Upload,
    read_all,
    read_item,
    read_listing,
    read_rows,
    reader_of,
)
from worker.notion.transport import (
    CONNECT_SECONDS,
    Bearer,
    BoundedTransport,
    CheckedTransport,
    open_connections,
)
from worker.notion.windows import gather
from worker.ports.notion import START, PageBatch

PAGE_SIZE = 100
NO_NAME = "no such property"
NAMELESS = "a row without a readable id"
POSITION_SINCE = "2026-03-11"
"""The first version in which an append names its place by `position`; before, by `after`.

Source: docs/facts/notion-api.md 1.2, 3.14.
"""
_SILENT = logging.getLogger("worker.notion.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


T = TypeVar("T")
_USER, _VIEW, _HIT = reader_of(User), reader_of(BoardView), reader_of(Hit)
_HOLDER, _MEMBER = reader_of(Holder), reader_of(Member)
_DATABASE, _UPLOAD, _THING = (reader_of(Database), reader_of(Upload), reader_of(Thing))


class NotionGateway:
    """`worker.ports.notion.Notion` over HTTP. Thread-safe; one per workspace, reused for its connections and its pacer.

    `transport` replaces the network; `sleep` and `monotonic` must tell the same time; `deadline` is the run's.
    """

    def __init__(
        self,
        settings: NotionSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._sizes = PageSizes()
        self._settings = settings
        self._token = secret_from(settings.token, settings.token_file)
        self._deadline = deadline or Deadline(monotonic=monotonic)
        self._policy = Policy(
            sleep=sleep, random=random or Random(0), deadline=self._deadline
        )
        self._pacer = Pacer(
            settings.requests, settings.window, sleep=sleep, monotonic=monotonic
        )
        route = find_route(settings)
        self._place = route.place(API, settings.base_url)
        self._secrets = (self._token.get_secret_value(), *route.secrets)
        self._transport = BoundedTransport(
            transport or open_connections(route),
            seconds=settings.timeout,
            deadline=self._deadline,
            monotonic=monotonic,
        )
        self._checks: tuple[Callable[[], None], ...] = ()
        self._wire: httpx.BaseTransport = self._transport
        self._wired = transport is None
        self._client = self._connect()

    def sized(self, sizes: PageSizes) -> NotionGateway:
        """Return the same gateway, which goes by what is known of how large a page may be, and adds to it."""
        gateway = copy(self)
        gateway._sizes = sizes
        return gateway

    def overseen(self, budget: SharedBudget, clocks: Clocks) -> NotionGateway:
        """Have a budget regarded that other processes spend as well, and `clocks` hear what time it is there."""
        self._pacer.shared = budget
        self._transport.clocks = clocks
        return self

    def guarded(self, check: Callable[[], None]) -> NotionGateway:
        """Return the same gateway, whose requests call `check` right before each attempt leaves, after every wait and
        after the checks there were.

        What `check` raises ends the call, with that attempt not sent.
        """
        gateway = copy(self)
        gateway._checks = (*self._checks, check)
        gateway._wire = CheckedTransport(
            self._transport, gateway._checks, wired=self._wired
        )
        gateway._client = gateway._connect()
        return gateway

    def _connect(self) -> Client:
        http = httpx.Client(
            transport=self._wire,
            auth=Bearer(self._token),
            trust_env=False,
            follow_redirects=False,
        )
        client = Client(
            client=http,
            retry=False,
            notion_version=self._settings.version,
            logger=_SILENT,
            log_level=logging.CRITICAL,
            base_url=self._settings.base_url.rstrip("/"),
            timeout_ms=int(self._settings.timeout * 1000),
        )
        http.timeout = httpx.Timeout(self._settings.timeout, connect=CONNECT_SECONDS)
        return client

    def __repr__(self) -> str:
        return f"NotionGateway({self._settings.base_url}, {self._settings.version})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        return self._transport.tally.sent

    def answers(self) -> Mapping[str, int]:
        """Return how often each HTTP status was answered since this gateway was made; `none`: no answer came."""
        return self._transport.tally.answers()

    def latency(self) -> float:
        """Return how many seconds an answer took lately, in the mean; 0 before the first."""
        return self._transport.tally.latency()

    # People

    def me(self) -> User:
        """Return the bot user."""
        return self._call("GET", "users/me", _USER)

    def holder(self) -> Holder:
        """Return whom the token makes us, with what is told of the workspace."""
        return self._call("GET", "users/me", _HOLDER)

    def is_free(self) -> bool:
        """Tell whether the workspace's plan is the free one."""
        return self.holder().is_free

    def members(self) -> tuple[Account, ...]:
        """Return the people of the workspace without its guests; `Denied` where the connection may not see users."""
        users = self._list("GET", "users", _MEMBER)
        return tuple(user.account() for user in users if user.type == "person")

    def lacking(self, page_id: str) -> frozenset[str]:
        """Return which of `update`, `insert` and `users` this connection may not do, and change nothing.

        A right that is missing is told by 403. What is asked for cannot be done, so that any other answer only tells of no
        lack.
        """
        page = _segment(page_id)
        impossible: dict[str, tuple[str, str, Json | None]] = {
            "update": ("PATCH", f"pages/{page}", {"properties": {NO_NAME: {}}}),
            "insert": ("PATCH", f"blocks/{page}/children", {"children": [{}]}),
            "users": ("GET", "users", None),
        }
        lacks = set()
        for right, (method, path, body) in impossible.items():
            try:
                self._call(method, path, _anything, body=body)
            except Denied:
                lacks.add(right)
            except (Missing, Rejected):
                continue
        return frozenset(lacks)

    def query(
        self,
        data_source_id: str,
        *,
        since: datetime | None = None,
        properties: Sequence[str] = (),
    ) -> PageBatch:
        """Return the rows edited at or after `since` (all when None), in windows when there are over 10,000.

        `properties` are ids or names to answer with (all when empty). The oldest come first.
        """
        wanted = [] if since is None else [_edited_since(since)]
        return self._query_windows(
            data_source_id, wanted, {"filter_properties": list(properties)}
        )

    def find(
        self, data_source_id: str, *, property_id: str, text: str
    ) -> tuple[Page, ...]:
        """Return the rows whose text property equals `text`; raises `Transient` when not all could be read."""
        wanted = [{"property": property_id, "rich_text": {"equals": text}}]
        batch = self._query_windows(data_source_id, wanted, {})
        if not batch.complete or batch.unread:
            said = batch.reason or batch.unread[0].said
            raise Transient(API, f"POST /v1/data_sources/{data_source_id}/query", said)
        return batch.pages

    def page(self, page_id: str) -> Page:
        """Return one page."""
        return self._call("GET", f"pages/{_segment(page_id)}", read_page)

    def property_items(self, page_id: str, property_id: str) -> tuple[Json, ...]:
        """Return every item of a property that was cut at 25 references."""
        # Property ids arrive URL-encoded and must not be encoded again (docs/facts/notion-api.md 2.29).
        path = f"pages/{_segment(page_id)}/properties/{quote(property_id, safe='%')}"
        first = self._page("notion.properties", "GET", path, _read_items)
        if not isinstance(first, Listing):
            return (first,)

        def ask(cursor: str | None) -> Listing:
            if cursor is None:
                return first
            given = {"start_cursor": cursor}
            return self._page(
                "notion.properties", "GET", path, read_listing, given=given
            )

        return self._rows(f"GET /v1/{path}", ask, read_item)

    def create_page(
        self, data_source_id: str, properties: Json, *, children: Sequence[Json] = ()
    ) -> Page:
        """Create a row with its blocks and return the page as answered. Not safe to repeat: `Unknown` when the outcome is not known."""
        body: Json = {
            "parent": {"type": "data_source_id", "data_source_id": data_source_id},
            "properties": properties,
        }
        return self._call(
            "POST",
            "pages",
            read_page,
            safe=False,
            body=body | ({"children": list(children)} if children else {}),
        )

    def create_subpage(self, parent_id: str, title: str, *, icon: str) -> Page:
        """Create an empty page below another, with an emoji, and return it as answered. Not safe to repeat."""
        body: Json = {
            "parent": {"type": "page_id", "page_id": parent_id},
            "properties": {"title": {"title": [{"text": {"content": title}}]}},
            "icon": {"type": "emoji", "emoji": icon},
        }
        return self._call("POST", "pages", read_page, safe=False, body=body)

    def update_page(self, page_id: str, properties: Json) -> Page:
        """Change some properties and return the page as answered."""
        path = f"pages/{_segment(page_id)}"
        return self._call("PATCH", path, read_page, body={"properties": properties})

    def archive_page(self, page_id: str) -> Page:
        """Move a page to the trash; one that is there already is returned as it is."""
        path = f"pages/{_segment(page_id)}"
        try:
            return self._call("PATCH", path, _read_gone, body={"in_trash": True})
        except Rejected as error:
            refused = error
        # Notion refuses to trash what is in the trash: by our own lost answer, or by a person.
        page = self.page(page_id)
        if page.is_gone:
            return page
        raise refused

    def shelve_page(self, page_id: str) -> Page:
        """Archive a page: queries show it no more, it is not in the trash, and people can bring it back."""
        path = f"pages/{_segment(page_id)}"
        return self._call("PATCH", path, _read_gone, body={"is_archived": True})

    def comments(self, page_id: str) -> tuple[Comment, ...]:
        """Return the open comments on a page; `Denied` when the connection may not see comments."""
        return self._list("GET", "comments", read_comment, {"block_id": page_id})

    # Schemas

    def data_source(self, data_source_id: str) -> DataSource:
        """Return a data source with its schema."""
        path = f"data_sources/{_segment(data_source_id)}"
        return self._call("GET", path, read_data_source)

    def database(self, database_id: str) -> Database:
        """Return a database container."""
        return self._call("GET", f"databases/{_segment(database_id)}", _DATABASE)

    def create_database(self, body: Json) -> Database:
        """Create a database with its first data source. Not safe to repeat."""
        return self._call("POST", "databases", _read_filled, safe=False, body=body)

    def update_data_source(self, data_source_id: str, body: Json) -> DataSource:
        """Change a schema; `body` must hold full option lists, so that repeating it changes nothing."""
        path = f"data_sources/{_segment(data_source_id)}"
        return self._call("PATCH", path, read_data_source, body=body)

    # Views

    def create_view(self, body: Json) -> BoardView:
        """Create a view of a database. Not safe to repeat."""
        return self._call("POST", "views", _VIEW, safe=False, body=body)

    def view_ids(self, *, database_id: str) -> tuple[str, ...]:
        """Return the ids of a database's views, by one request."""
        listed = self._list("GET", "views", _VIEW, {"database_id": database_id})
        return tuple(view.id for view in listed)

    def views(self, *, database_id: str) -> tuple[BoardView, ...]:
        """Return a database's views in full (one request each: the list holds only ids)."""
        listed = self._list("GET", "views", _VIEW, {"database_id": database_id})
        return tuple(
            self._call("GET", f"views/{_segment(view.id)}", _VIEW) for view in listed
        )

    def update_view(self, view_id: str, body: Json) -> BoardView:
        """Change a view."""
        return self._call("PATCH", f"views/{_segment(view_id)}", _VIEW, body=body)

    # Pages and search

    def children(self, block_id: str) -> tuple[Json, ...]:
        """Return all child blocks of a page or block."""
        return self._list("GET", f"blocks/{_segment(block_id)}/children", read_block)

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Add blocks below a page or block, after one of its children, at the start or at the end. Not safe to repeat."""
        body: Json = {"children": list(children), **self._position_of(after)}
        path = f"blocks/{_segment(block_id)}/children"
        return self._call("PATCH", path, _read_blocks, safe=False, body=body)

    def _position_of(self, after: str) -> Json:
        """Return how a request says where blocks go; the older version knows no start."""
        is_old = self._settings.version < POSITION_SINCE
        if not after or (is_old and after == START):
            return {}
        if is_old:
            return {"after": after}
        if after == START:
            return {"position": {"type": "start"}}
        return {"position": {"type": "after_block", "after_block": {"id": after}}}

    def update_block(self, block_id: str, body: Json) -> Json:
        """Change what a block says; its children stay."""
        return self._call(
            "PATCH", f"blocks/{_segment(block_id)}", read_block, body=body
        )

    def delete_block(self, block_id: str) -> None:
        """Move a block to the trash; one that is there already is fine.

        Raises `Missing` where the connection does not see it: that may be for a while, and the block stays.
        """
        path = f"blocks/{_segment(block_id)}"
        try:
            self._call("DELETE", path, _THING)
        except Rejected:
            # Notion refuses to trash what is in the trash: by our own lost answer, or by a person.
            block = self._call("GET", path, _THING)
            if not (block.in_trash or block.archived):
                raise

    def upload(self, name: str, content: bytes, *, content_type: str) -> str:
        """Upload a file of at most 20 MB and return the id by which a block can show it, for an hour.

        Source: docs/facts/notion-api.md 3.19.
        """
        wanted = {"mode": "single_part", "filename": name, "content_type": content_type}
        made = self._call("POST", "file_uploads", _UPLOAD, body=wanted)
        path = f"file_uploads/{_segment(made.id)}"
        form = {"file": (name, content, content_type)}
        try:
            self._call("POST", f"{path}/send", _UPLOAD, form=form)
        except Rejected:  # what was sent before a lost answer cannot be sent again
            if self._call("GET", path, _UPLOAD).status != "uploaded":
                raise
        return made.id

    def search(self, query: str, *, kind: str) -> tuple[Hit, ...]:
        """Return pages (`page`) or data sources (`data_source`) found by title; the index lags behind writes."""
        body: Json = {"filter": {"property": "object", "value": kind}} | (
            {"query": query} if query else {}
        )
        return self._list("POST", "search", _HIT, body)

    def sample(self, data_source_id: str, *, number: int) -> tuple[Page, ...]:
        """Return some rows, the last edited first, in one request; those that cannot be read are left out."""
        path = f"data_sources/{_segment(data_source_id)}/query"
        body: Json = {
            "sorts": [{"timestamp": "last_edited_time", "direction": "descending"}],
            "page_size": number,
        }
        name = f"notion.sample.{data_source_id}"
        listing = self._page(name, "POST", path, read_listing, given=body)
        pages, _ = read_rows(listing.results)
        return tuple(pages)

    # Reading

    def _list(
        self,
        method: str,
        path: str,
        read: Read[T],
        arguments: Mapping[str, object] | None = None,
    ) -> tuple[T, ...]:
        name = f"notion.{path.partition('/')[0]}"

        def ask(cursor: str | None) -> Listing:
            given = {**(arguments or {})} | ({"start_cursor": cursor} if cursor else {})
            return self._page(name, method, path, read_listing, given=given)

        return self._rows(f"{method} /v1/{path}", ask, read)

    def _rows(
        self, name: str, ask: Callable[[str | None], Listing], read: Read[T]
    ) -> tuple[T, ...]:
        """Return a whole list; raises `Transient` when it, or one of its rows, could not be read."""
        walked = walk(ask)
        if walked.reason and walked.reason != CAPPED:
            raise Transient(API, name, walked.reason)
        try:
            return read_all(walked.rows, read)
        except Malformed as fault:
            detail = redact(str(fault), self._secrets)
            raise Transient(API, name, detail) from None

    def _query_windows(
        self, data_source_id: str, wanted: list[Json], query: Json
    ) -> PageBatch:
        """Read one query, in as many windows as it takes."""
        gathered = gather(
            lambda window: self._query_once(data_source_id, [*wanted, *window], query)
        )
        reason = gathered.reason
        if not reason and not all(page.id for page in gathered.unread):
            reason = NAMELESS
        pages = tuple(gathered.pages.values())
        return PageBatch(pages, not reason, reason, tuple(gathered.unread))

    def _query_once(
        self, data_source_id: str, conditions: list[Json], query: Json
    ) -> Walk:
        path = f"data_sources/{_segment(data_source_id)}/query"
        body: Json = {
            "sorts": [{"timestamp": "created_time", "direction": "ascending"}]
        }
        if conditions:
            body["filter"] = (
                conditions[0] if len(conditions) == 1 else {"and": conditions}
            )
        return walk(
            lambda cursor: self._page(
                f"notion.query.{data_source_id}",
                "POST",
                path,
                read_listing,
                query=query,
                given=body | ({"start_cursor": cursor} if cursor else {}),
            )
        )

    # Sending

    def _page(
        self,
        name: str,
        method: str,
        path: str,
        read: Read[T],
        *,
        query: Mapping[str, object] | None = None,
        given: Json | None = None,
    ) -> T:
        """Return one page of a list, with as many rows as Notion can put together; `name` is the kind of page."""

        def ask(size: int, heavy_attempts: int | None) -> T:
            sized = {"page_size": size, **(given or {})}
            is_get = method == "GET"
            asking = copy(self)
            asking._policy = self._policy.for_heavy(heavy_attempts)
            return asking._call(
                method,
                path,
                read,
                query={**(query or {}), **sized} if is_get else query,
                body=None if is_get else sized,
            )

        page, _ = self._sizes.ask(name, PAGE_SIZE, ask)
        return page

    def _call(
        self,
        method: str,
        path: str,
        read: Read[T],
        *,
        safe: bool = True,
        query: Mapping[str, object] | None = None,
        body: Json | None = None,
        form: Json | None = None,
    ) -> T:
        """Return an answer as `read` understands it; one that it does not is no answer."""
        call = Call(f"{method} /v1/{path}", safe, self._place, self._secrets)
        arguments = {key: value for key, value in (query or {}).items() if value}

        def attempt() -> T:
            raw = self._attempt(
                call, method, path, query=arguments, body=body, form=form
            )
            try:
                return read(raw)
            except Malformed as fault:
                raise misread(fault, raw, call) from None

        return self._policy.run(attempt)

    def _attempt(
        self,
        call: Call,
        method: str,
        path: str,
        *,
        query: Json,
        body: Json | None,
        form: Json | None,
    ) -> object:
        longest = min(self._deadline.remaining(), self._policy.patience)
        try:
            with self._pacer.slot(longest, _part(method, path)):
                answer, failure = self._send(
                    method, path, query=query, body=body, form=form
                )
        except Unaffordable as full:
            waiting = Transient(API, call.name, str(full))
            raise Setback(postponed(waiting, full.seconds)) from None
        if failure is None:
            return answer
        self._pause_if_asked(failure, _part(method, path))
        raise translate(failure, call)

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Json,
        body: Json | None,
        form: Json | None,
    ) -> tuple[object, Exception | None]:
        try:
            answer: object = self._client.request(
                path=path, method=method, query=query, body=body, form_data=form
            )
        except (
            NotionClientErrorBase,
            httpx.HTTPError,
            httpx.InvalidURL,
            ValueError,
            RecursionError,
        ) as error:
            return None, error
        return answer, None

    def _pause_if_asked(self, failure: Exception, part: str) -> None:
        """Have everybody wait whom a refusal concerns, the other processes of this connection too."""
        if not isinstance(failure, HTTPResponseError):
            return
        refusal = read_refusal(failure)
        if not refusal.retry_after or refusal.blocked:
            return
        if refusal.concerns_everybody:
            self._pacer.pause(refusal.retry_after)
        else:
            self._pacer.tell_others(refusal.retry_after, part)


def _part(method: str, path: str) -> str:
    """Return the part of the service that a request asks, as far as its limits go."""
    return f"{method} {path.partition('/')[0]}"


def _anything(raw: object) -> object:
    """Return what was answered, whatever it is."""
    return raw


def _segment(identity: str) -> str:
    return quote(identity, safe="")


def _edited_since(since: datetime) -> Json:
    return {
        "timestamp": "last_edited_time",
        "last_edited_time": {"on_or_after": _instant(since)},
    }


def _instant(value: datetime) -> str:
    return (
        value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _read_items(raw: object) -> Listing | Json:
    """Return the first of a property's items: a page of them, or the only one."""
    item = read_record(Item, raw)
    return read_listing(raw) if item.object == "list" else read_item(raw)


def _read_blocks(raw: object) -> tuple[Json, ...]:
    return read_all(read_listing(raw).results, read_block)


def _read_filled(raw: object) -> Database:
    database = read_record(Database, raw)
    if not database.data_sources:
        raise Malformed("data_sources", "is empty")
    return database


def _read_gone(raw: object) -> Page:
    page = read_page(raw)
    if not page.is_gone:
        raise Malformed("in_trash", "does not say that the page is gone")
    return page
