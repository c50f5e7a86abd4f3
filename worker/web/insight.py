"""What the method makes of the last snapshot: clients, risks, load and plans, worked out once after each run.

Nothing is asked of the services: the state has what the last run read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import date
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from worker.cycle.context import Context
from worker.cycle.planning import recall
from worker.domain.periods import local_day
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.pages.view import View, look
from worker.state import runs

Edition = tuple[int, date]
"""The newest run that ended and the local day: as long as both stay, so does what follows from them."""


@dataclass(slots=True)
class Insights:
    """The views of all workspaces, each kept until a run ends or a day begins. Safe to use from several threads."""

    _kept: dict[str, tuple[Edition, View]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def view(self, context: Context, words: Words) -> View | None:
        """Return a workspace's view in a visitor's language; None before its first run has ended."""
        edition = _edition(context)
        if edition is None:
            return None
        with self._lock:
            kept = self._kept.get(context.name)
            if kept is None or kept[0] != edition:
                kept = (edition, _look(context))
                self._kept[context.name] = kept
        return replace(kept[1], world=replace(kept[1].world, words=words))

    def names(self, context: Context) -> Mapping[Ref, str]:
        """Return what rows are called, as far as that was worked out already; private ones have no name here."""
        kept = self._kept.get(context.name)
        if kept is None:
            return {}
        return {
            ref: row.title
            for ref, row in kept[1].rows.items()
            if row.title and not context.schema.is_private(ref.source)
        }


def _edition(context: Context) -> Edition | None:
    with context.reading() as tx:
        latest = runs.recent(tx)
    ended = next((run.id for run in latest if run.ended is not None), None)
    if ended is None:
        return None
    return ended, local_day(context.now(), ZoneInfo(context.settings.time_zone))


def _look(context: Context) -> View:
    """Return the view of the snapshot; issues and work logs, the bulk of it, are let go once they are measured."""
    quiet = renew(
        context, stop=threading.Event(), progress=lambda phase, done, total: None
    )
    drawn = recall(quiet)
    view = look(drawn.world, drawn.outcome)
    slim = replace(view.world, issues={}, worklogs=(), work={})
    return replace(view, world=slim)
