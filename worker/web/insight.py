"""What the method makes of the last snapshot: clients, risks, load and plans, worked out once after each run.

Nothing is asked of the services: the state has what the last run read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from worker.cycle.context import Context, PlannedCycle
from worker.cycle.counterparts import DIRECTORY, without_written
from worker.cycle.planning import gc_paused, recall
from worker.domain.entities import Scenario
from worker.domain.periods import local_day
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.method.whatif.answers import Answer
from worker.method.whatif.asking import after_run, answer_rows
from worker.method.whatif.questions import Seen
from worker.pages.view import View, look
from worker.state import runs
from worker.world.proposals import Gap, find_gaps

Edition = tuple[int, date]
"""The newest run that ended and the local day: as long as both stay, so does what follows from them."""


class Asked(NamedTuple):
    """The answer to a question, and the view of what it was asked about."""

    view: View
    answer: Answer


class Whole(NamedTuple):
    """All that a workspace's last run saw, issues and work logs too, and the view of it."""

    workspace: str
    edition: Edition
    seen: Seen
    view: View


class Kept(NamedTuple):
    """What follows from one snapshot."""

    edition: Edition
    view: View
    gaps: tuple[Gap, ...]


@dataclass(slots=True)
class Insights:
    """The views of all workspaces, each kept until a run ends or a day begins. Safe to use from several threads.

    Of the workspace that was asked a question last, all that its run saw is kept as well.
    """

    _kept: dict[str, Kept] = field(default_factory=dict)
    _whole: Whole | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def view(self, context: Context, words: Words) -> View | None:
        """Return a workspace's view in a visitor's language; None before its first run has ended."""
        kept = self._latest(context)
        if kept is None:
            return None
        return _in_words(kept.view, words)

    def gaps(self, context: Context) -> tuple[Gap, ...]:
        """Return what lacks its counterpart, with proposals; nothing before a workspace's first run has ended."""
        kept = self._latest(context)
        return kept.gaps if kept else ()

    def _latest(self, context: Context) -> Kept | None:
        edition = _edition(context)
        if edition is None:
            return None
        with self._lock:
            kept = self._kept.get(context.name)
            if kept is None or kept.edition != edition:
                kept = _look(context, edition)
                self._kept[context.name] = kept
        return kept

    def ask(
        self, context: Context, words: Words, rows: Iterable[Scenario]
    ) -> Asked | None:
        """Return what the rows of one scenario would change; None before the first run has ended. One question at a time
        is worked out."""
        edition = _edition(context)
        if edition is None:
            return None
        with self._asking:
            whole = self._whole
            if whole is None or whole[:2] != (context.name, edition):
                # What was kept of another is let go before this is made.
                self._whole = whole = None
                drawn = _recall(context)
                view = _slim(look(drawn.world, drawn.outcome))
                seen = after_run(drawn.world, drawn.outcome)
                whole = self._whole = Whole(context.name, edition, seen, view)
            with gc_paused():
                answer = answer_rows(rows, whole.seen, context.playbooks)
        return Asked(_in_words(whole.view, words), answer)

    def names(self, context: Context) -> Mapping[Ref, str]:
        """Return what rows are called, as far as that was worked out already; private ones have no name here."""
        kept = self._kept.get(context.name)
        if kept is None:
            return {}
        return {
            ref: row.title
            for ref, row in kept.view.rows.items()
            if row.title and not context.schema.is_private(ref.source)
        }


def _edition(context: Context) -> Edition | None:
    with context.reading() as tx:
        latest = runs.recent(tx)
    ended = next((run.id for run in latest if run.ended is not None), None)
    if ended is None:
        return None
    return ended, local_day(context.now(), ZoneInfo(context.settings.time_zone))


def _recall(context: Context) -> PlannedCycle:
    """Return what the method makes of the snapshot; nobody is told how far it is."""
    quiet = renew(
        context, stop=threading.Event(), progress=lambda phase, done, total: None
    )
    return recall(quiet)


def _look(context: Context, edition: Edition) -> Kept:
    """Return what follows from the snapshot."""
    drawn = _recall(context)
    with context.reading() as tx:
        directory = DIRECTORY.load(tx)
        gaps = find_gaps(drawn.world, directory)
        left = without_written(gaps, tx, edition[0])
    return Kept(edition, _slim(look(drawn.world, drawn.outcome)), left)


def _slim(view: View) -> View:
    """Return a view without issues and work logs, the bulk of it: they are measured already."""
    world = replace(view.world, issues={}, worklogs=(), work={})
    return replace(view, world=world)


def _in_words(view: View, words: Words) -> View:
    return replace(view, world=replace(view.world, words=words))
