"""What is seen of a world from outside the worker: every request and every act of a person, with what it changed.

The witness knows which cells people typed and which rows they wrote into, and says at the very request that it broke a
promise (I1, I2, I3, I6, I8). It looks at the emulators' records and at the state, never through the worker.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.store import Block, Page
from rayline_sandbox.wire import Clock, Request, Response
from tests.soak.ground import NAME
from tests.soak.story import Story
from worker.domain.values import Ref
from worker.http.retry import read_retry_after
from worker.mapping.schema import KEY_PROPERTY, Bindings, Owner, Rows, Schema

PAGE = re.compile(r"^/v1/pages/([0-9a-f-]{32,36})$")
BLOCK = re.compile(r"^/v1/blocks/([0-9a-f-]{32,36})$")
BODY = re.compile(r"^/v1/blocks/([0-9a-f-]{32,36})/children$")
PEOPLES = frozenset({Owner.HUMAN, Owner.SEED, Owner.SHARED})
CHOSEN = frozenset({"select", "status", "checkbox"})
"""Types whose few values people and worker may choose alike, so that the worker may take a value for its own."""
SLACK = timedelta(seconds=1)
TRAILING = timedelta(minutes=3)
"""How long a list of a simulated world may not show what was made."""


class Place(NamedTuple):
    """A cell of a page, by the property's id."""

    page_id: str
    property_id: str


class Column(NamedTuple):
    """What a property is to the worker."""

    source: str
    field: str
    owner: Owner
    type: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A value that a person left in a cell, and when."""

    value: Any
    at: int


@dataclass(slots=True)
class Witness:
    """The one who looks on. `at` counts requests and acts; `is_forgetful` tells that the state was put back or lost,
    `is_outdated` that an old copy stands for it; `copied` are blocks of the worker's as they came with a copy of their
    page."""

    notion: NotionSandbox
    jira: JiraSandbox
    clock: Clock
    story: Story
    schema: Schema
    bindings: Bindings
    state: Callable[[], Path]
    at: int = 0
    typed: dict[Place, Typed] = field(default_factory=dict)
    ours: dict[Place, Any] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    looked: dict[tuple[str, str], int] = field(default_factory=dict)
    put_back: set[str] = field(default_factory=set)
    thrown: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)
    gap: set[str] = field(default_factory=set)
    paused: dict[str, datetime] = field(default_factory=dict)
    is_forgetful: bool = False
    is_outdated: bool = False
    in_gap: bool = False
    columns: dict[tuple[str, str], Column] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = dict(_columns(self.schema, self.bindings))

    def property_id(self, source: str, field: str) -> str:
        """Return the id under which a page keeps a field."""
        return unquote(self.bindings[source].properties[field])

    # People

    def person(self, action: str, payload: Mapping[str, Any], who: str) -> None:
        """Let a person do something in Notion; raises ValueError when it cannot be done."""
        page_id = str(payload.get("page_id") or payload.get("id") or "")
        before = self._cells(page_id)
        answer = self.notion.control(action, {**payload, "user": who})
        self.at += 1
        self.story.sums["edits"] += 1
        after = self._cells(page_id)
        for property_id in before.keys() | after.keys():
            if before.get(property_id) != after.get(property_id):
                self._type(Place(page_id, property_id), after.get(property_id))
        if action == "restore":
            self.put_back.add(page_id)
        if action in ("trash", "archive", "delete_forever"):
            self.thrown.add(page_id)
        touched = self._page_of(str(payload.get("block_id") or page_id))
        if touched and action in ("edit", "append", "edit_block", "comment"):
            self.touched[touched] = self.at
        if action == "duplicate":
            self.touched[str(answer["id"])] = self.at
            self._note_copies(page_id, str(answer["id"]))

    def _note_copies(self, container: str, copy: str) -> None:
        """A section that was copied with its page is the worker's there too, whoever is named as its author."""
        for block, twin in zip(
            self._blocks(container), self._blocks(copy), strict=True
        ):
            if block.created_by == self.notion.bot_id or block.id in self.copied:
                self.copied.add(twin.id)
            self._note_copies(block.id, twin.id)

    def _blocks(self, container: str) -> list[Block]:
        store = self.notion.store
        return [
            store.blocks[one] for one in store.body_of(container) if one in store.blocks
        ]

    def _type(self, place: Place, value: Any) -> None:
        if place in self.ours and self.ours[place] == value:
            self.typed.pop(place, None)
            return
        self.typed[place] = Typed(value, self.at)

    def _cells(self, page_id: str) -> dict[str, Any]:
        page = self.notion.store.pages.get(page_id)
        return dict(page.values) if page else {}

    def _page_of(self, record_id: str) -> str:
        record = self.notion.store.find(record_id)
        if record is None:
            return ""
        line = self.notion.store.line(record)
        return next((one.id for one in line if isinstance(one, Page)), "")

    # Requests

    def begin_run(self, process: str) -> None:
        """Have a run of a process know nothing of what an earlier one looked at."""
        for looker, subject in list(self.looked):
            if looker == process:
                del self.looked[looker, subject]

    def serve_notion(self, process: str, request: Request, *, in_gap: bool) -> Response:
        """Answer a request to Notion, and look at what it does; `in_gap`: its process was paused after the last check."""
        self.in_gap = in_gap
        self._count("notion")
        if not in_gap:
            self._check_pause("notion", request)
        looker = self._looker(process, request)
        response = self.notion.handle(request)
        entry = self.notion.log[-1]
        self._note("notion", request, entry.outcome, response)
        if entry.write and entry.outcome.endswith("committed"):
            self.story.sums["committed"] += 1
            self.story.sums["answers"] += self._answers_box(request)
        looker(response)
        return response

    def serve_jira(self, process: str, request: Request) -> Response:
        """Answer a request to Jira."""
        self._count("jira")
        response = self.jira.handle(request)
        befell = str(self.jira.log[-1]["fault"] or "")
        self._note("jira", request, f"fault:{befell}" if befell else "", response)
        return response

    def _answers_box(self, request: Request) -> bool:
        """Tell whether a change only answers a ticked box, as a refused run does as well."""
        cells = _object(request.body).get("properties") or {}
        fields = {column.field for column in map(self._column_named, cells) if column}
        return bool(fields) and fields <= {"sync_now", "synced"}

    def _column_named(self, property_id: str) -> Column | None:
        wanted = unquote(property_id)
        return next(
            (column for (_, one), column in self.columns.items() if one == wanted), None
        )

    def _count(self, side: str) -> None:
        self.at += 1
        self.story.sums["requests"] += 1
        self.story.sums[f"{side} requests"] += 1

    def _check_pause(self, side: str, request: Request) -> None:
        part = f"{side} {request.method} {_shape(request.path)}"
        pauses = [self.paused[name] for name in (side, part) if name in self.paused]
        until = max(pauses, default=None)
        if until and self.clock.now() < until - SLACK and not self.is_forgetful:
            self.story.accuse(
                f"I6 {request.method} {request.path} before a Retry-After passed"
            )

    def _note(
        self, side: str, request: Request, outcome: str, response: Response
    ) -> None:
        where = _shape(request.path)
        if outcome.startswith("fault:"):
            self.story.sums["faults"] += 1
            # Whether it was done all the same is told behind a plus sign.
            kind, _, _ = outcome.removeprefix("fault:").partition("+")
            self.story.tell("fault", f"{side} {kind} at {request.method} {where}")
        if outcome == "limited" and not (self.is_forgetful or self.in_gap):
            self.story.accuse(f"I6 more requests than {side} allows")
        # Of a connection that is shut out waiting is of no use (docs/facts/notion-api.md): no wait is asked of it.
        if response.status == 429 and "blocked" not in outcome:
            wait = read_retry_after(response.headers)
            # A limit of one endpoint holds for that endpoint.
            is_part = outcome == "fault:429_endpoint"
            part = f"{side} {request.method} {where}" if is_part else side
            if wait is not None:
                self.paused[part] = self.clock.now() + timedelta(seconds=wait)

    def _looker(self, process: str, request: Request) -> Callable[[Response], None]:
        """Return who looks at what a request does, having seen what stood before."""
        page = PAGE.match(request.path)
        if page and request.method == "PATCH":
            return self._look_at_change(process, page[1], request)
        if page and request.method == "GET":
            return lambda response: self._read(process, page[1], response)
        body = BODY.match(request.path)
        if body and request.method == "GET":
            return lambda response: self._read(process, f"body {body[1]}", response)
        block = BLOCK.match(request.path)
        if block and request.method in ("DELETE", "PATCH"):
            return self._look_at_block(process, block[1], request)
        if request.path == "/v1/pages" and request.method == "POST":
            return self._look_at_creation(request)
        return lambda response: None

    def _read(self, process: str, subject: str, response: Response) -> None:
        if response.status == 200 and not response.fault:
            self.looked[process, subject] = self.at

    # What is written

    def _look_at_change(
        self, process: str, page_id: str, request: Request
    ) -> Callable[[Response], None]:
        before = self._cells(page_id)
        page = self.notion.store.pages.get(page_id)
        was_gone = page is None or page.in_trash or page.is_archived
        asked = _object(request.body)
        if page is not None and asked.get("properties") and not self.in_gap:
            self._check_attempt(page, asked["properties"])

        def look(_response: Response) -> None:
            changed = self.notion.store.pages.get(page_id)
            if changed is None:
                return
            for property_id, value in changed.values.items():
                if before.get(property_id) != value:
                    place = Place(page_id, property_id)
                    self._check_typed(process, place, before.get(property_id), changed)
                    self.ours[place] = value
            is_gone = changed.in_trash or changed.is_archived
            if is_gone and not was_gone:
                self._check_archived(process, changed)

        return look

    def _check_typed(self, process: str, place: Place, before: Any, page: Page) -> None:
        """I2: a person's value in a cell of people's must not be changed."""
        typed = self.typed.pop(place, None)
        column = self.columns.get((page.parent.id, place.property_id))
        if typed is None or column is None or column.owner not in PEOPLES:
            return
        if typed.value != before:
            return
        name = f"{column.source}/{place.page_id} {column.field}"
        looked = self.looked.get((process, place.page_id), 0)
        if looked and typed.at > looked:
            self.story.tell("race", f"typed between reading again and writing: {name}")
        elif column.type in CHOSEN or self.is_forgetful:
            self.story.tell("chosen alike", name)
        else:
            self.story.accuse(f"I2 {name}: a person's value was changed")

    def _check_archived(self, process: str, page: Page) -> None:
        """I3: nothing people made or wrote into is thrown away."""
        touched = self.touched.get(page.id, 0)
        looked = self.looked.get((process, page.id), 0)
        self.story.tell("archived", page.id)
        if page.created_by != self.notion.bot_id:
            self.story.accuse(f"I3 {page.id}: a person's page was thrown away")
        elif touched and touched > looked > 0:
            self.story.tell(
                "race", f"written into between looking and archiving {page.id}"
            )
        elif touched:
            self.story.accuse(f"I3 {page.id}: a page people wrote into was thrown away")

    def _look_at_block(
        self, process: str, block_id: str, request: Request
    ) -> Callable[[Response], None]:
        block = self.notion.store.blocks.get(block_id)
        before = (block.payload, block.in_trash) if block else None

        def look(_response: Response) -> None:
            if not isinstance(block, Block) or block.created_by == self.notion.bot_id:
                return
            if block_id in self.copied:
                return
            after = (block.payload, block.in_trash)
            if after != before:
                self.story.accuse(f"I3 {request.method} of a person's block {block_id}")

        return look

    def _look_at_creation(self, request: Request) -> Callable[[Response], None]:
        asked = _object(request.body)
        ref = self._ref_of(asked)
        if ref is not None and self.in_gap:
            self.gap.add(str(ref))
        elif ref is not None:
            self._check_intent(ref)
        known = self.notion.store.pages.keys() | set()

        def look(_response: Response) -> None:
            for page_id in self.notion.store.pages.keys() - known:
                page = self.notion.store.pages[page_id]
                for property_id, value in page.values.items():
                    self.ours[Place(page_id, property_id)] = value
                self.story.tell("created", ref or page_id)

        return look

    def _ref_of(self, asked: Mapping[str, Any]) -> Ref | None:
        """Return the ref of the row a creation asks for, by its Worker key."""
        target = str(asked.get("parent", {}).get("data_source_id", ""))
        for name, binding in self.bindings.items():
            key = binding.properties.get(KEY_PROPERTY, "")
            cell = asked.get("properties", {}).get(key)
            if binding.data_source_id == target and cell:
                return Ref(name, cell["rich_text"][0]["text"]["content"])
        return None

    def _check_intent(self, ref: Ref) -> None:
        """I8: a creation stands in the journal when it leaves."""
        rows = self._ask("SELECT status FROM intents WHERE ref = ?", str(ref))
        if rows != [("intended",)]:
            self.story.accuse(f"I8 {ref} left without an intent: {rows}")

    def _check_attempt(self, page: Page, cells: Mapping[str, Any]) -> None:
        """I8: each cell that a change sends stands in the journal."""
        rows = self._ask(
            "SELECT field FROM bases WHERE page_id = ? AND attempted IS NOT NULL",
            page.id,
        )
        noted = {name for (name,) in rows}
        for sent in cells:
            column = self.columns.get((page.parent.id, unquote(sent)))
            if column is not None and column.field not in noted:
                self.story.accuse(
                    f"I8 {column.source} {column.field} left without an attempt"
                )

    def _ask(self, query: str, value: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.state())) as connection:
            return connection.execute(
                f"{query} AND workspace = '{NAME}'", (value,)
            ).fetchall()

    # What stands

    def check_keys(self) -> None:
        """I1: no two living rows of the worker's with one Worker key."""
        for (source, key), pages in self._rows_by_key().items():
            if len(pages) < 2 or self.put_back & set(pages):
                continue
            if self.gap & {f"{source}/{key}"} or self._were_hidden(pages):
                self.story.tell("gap")
                continue
            self.story.accuse(f"I1 {source}/{key} stands {len(pages)} times")

    def _were_hidden(self, pages: Iterable[str]) -> bool:
        """Tell whether rows were made one soon after the other by a state that an old copy had replaced: the copy knows
        nothing of the first, and lists that trail did not show it."""
        made = [self.notion.store.pages[page_id].created for page_id in pages]
        return self.is_outdated and max(made) - min(made) <= TRAILING

    def tell_trashed(self) -> None:
        """Tell whether rows that people threw away stayed away."""
        standing = {key for _, key in self._rows_by_key()}
        for page_id in sorted(self.thrown - self.put_back):
            page = self.notion.store.pages.get(page_id)
            key = self.key_of(page) if page else ""
            if page and key and page.created_by == self.notion.bot_id:
                end = "was made again" if key in standing else "stays away"
                self.story.tell("rest", f"a row that was thrown away {end}")

    def key_of(self, page: Page) -> str:
        """Return the Worker key of a row, empty for one of people's."""
        for name, binding in self.bindings.items():
            has_key = KEY_PROPERTY in binding.properties
            if binding.data_source_id == page.parent.id and has_key:
                return _plain(page.values.get(self.property_id(name, KEY_PROPERTY)))
        return ""

    def _rows_by_key(self) -> dict[tuple[str, str], list[str]]:
        store = self.notion.store
        stand = defaultdict(list)
        for name, binding in self.bindings.items():
            if self.schema.sources[name].rows is not Rows.WORKER:
                continue
            key_id = unquote(binding.properties.get(KEY_PROPERTY, ""))
            for page_id in store.data_sources[binding.data_source_id].rows:
                page = store.pages[page_id]
                is_ours = page.created_by == self.notion.bot_id
                key = _plain(page.values.get(key_id))
                if key and is_ours and not (page.in_trash or page.is_archived):
                    stand[name, key].append(page_id)
        return stand


def _columns(
    schema: Schema, bindings: Bindings
) -> Iterator[tuple[tuple[str, str], Column]]:
    for name, binding in bindings.items():
        properties = schema.sources[name].properties
        for key, property_id in binding.properties.items():
            prop = properties[key]
            place = (binding.data_source_id, unquote(property_id))
            yield place, Column(name, key, prop.owner, prop.type)


def _shape(path: str) -> str:
    """Return a path without the ids in it."""
    return re.sub(r"[0-9a-f-]{32,36}", "ID", path)


def _object(body: bytes) -> dict[str, Any]:
    value = json.loads(body or b"{}")
    return value if isinstance(value, dict) else {}


def _plain(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    return "".join(str(part.get("plain_text", "")) for part in value)
