"""What carrying out a change works with, and how a change can end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from uuid import uuid4

from worker.domain.charts import Chart
from worker.domain.entities import Row
from worker.domain.values import Ref
from worker.errors import Problem
from worker.mapping.schema import Bindings, Schema
from worker.plan.plan import Change, Kept
from worker.ports.notion import PlanWriter
from worker.state.store import Store
from worker.world.memory import Pending


class Result(Enum):
    """How a change ended that did not fail: `unknown` may have happened, `settled` needed nothing any more."""

    DONE = "done"
    UNKNOWN = "unknown"
    SETTLED = "settled"


@dataclass(slots=True)
class Pages:
    """Which page carries which ref of ours, growing as rows are created; rows planted in a source of `people` are read
    by page id. Thread-safe."""

    by_ref: dict[Ref, str]
    people: frozenset[str] = frozenset()
    index: dict[str, Ref] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.index = {
            page_id: ref
            for ref, page_id in self.by_ref.items()
            if ref.source not in self.people
        }

    def add(self, ref: Ref, page_id: str) -> None:
        """Remember a page just made."""
        with self._lock:
            self.by_ref[ref] = page_id
            if ref.source not in self.people:
                self.index[page_id] = ref


@dataclass(slots=True)
class Notes:
    """What is to be told of changes that were done but for a part: values of people that stand, fields left out.
    Thread-safe."""

    kept: list[Kept] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, *, kept: Iterable[Kept] = (), problems: Iterable[Problem] = ()
    ) -> None:
        """Note something."""
        with self._lock:
            self.kept.extend(kept)
            self.problems.extend(problems)


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """What a plan was made from: `known` names the pages of rows that were read, for a journal that lost them (diff's
    `known_pages`); `seen` are those rows by page id; `pending` is what is remembered with the writing of rows; `authors`
    are the ids under which Notion knows us. `is_first` when nothing of ours stands on any page yet."""

    known: Mapping[Ref, str] = field(default_factory=dict)
    seen: Mapping[str, Row] = field(default_factory=dict)
    pending: Pending = field(default_factory=Pending)
    authors: frozenset[str] = frozenset()
    is_first: bool = False

    def made(self) -> frozenset[str]:
        """Return the pages that were made under our name."""
        return frozenset(
            page_id
            for page_id, row in self.seen.items()
            if row.created_by in self.authors
        )


@dataclass(frozen=True, slots=True)
class RunControl:
    """What a run that writes listens to, and who watches it.

    `claim` names the run in the journal, by a name no other has. `stop` ends it. `fence` is called right before each
    request leaves, after every wait, and raises `Busy` when the lease is lost. `progress` hears phase, done and total.
    """

    claim: str = field(default_factory=lambda: uuid4().hex)
    stop: threading.Event = field(default_factory=threading.Event)
    fence: Callable[[], None] = lambda: None
    progress: Callable[[str, int, int], None] = lambda phase, done, total: None


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What carrying out a change works with. `now` tells UTC; `draw` gives a chart as PNG or raises `NotDrawn`;
    `warn` takes what was left out of a change that was written.

    `settle_after` is how long an append of unknown outcome is left alone before its page is looked at. `claim` names
    the run in the journal. `root` is the root page. `seen` are the rows by page id as the rules saw them, `pending` what is
    remembered with the writing of rows, `bodies` the sections that go with the creation of one; `is_first` when no page
    holds a section yet. Once the lease is lost, `store` refuses to write and `notion` to send, by `Busy`.
    """

    workspace: str
    notion: PlanWriter
    store: Store
    schema: Schema
    bindings: Bindings
    pages: Pages
    now: Callable[[], datetime]
    claim: str
    draw: Callable[[Chart], bytes]
    warn: Callable[[Problem], None]
    settle_after: timedelta = timedelta(0)
    root: str = ""
    seen: Mapping[str, Row] = field(default_factory=dict)
    pending: Pending = field(default_factory=Pending)
    bodies: Mapping[Ref, Change] = field(default_factory=dict)
    is_first: bool = False
    notes: Notes = field(default_factory=Notes)

    def page_of(self, ref: Ref) -> str | None:
        """Return the page of a row: looked up when its key is a Worker key, else the key, which is the page id.

        People's own rows in a worker's data source are named by their page too; a page id holds no colon.
        """
        return self.pages.by_ref.get(ref) or (None if ":" in ref.key else ref.key)
