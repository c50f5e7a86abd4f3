"""The watch over all workspaces of a daemon: looks at how they stand, keeps what is to be told, and has it sent.

It asks the state alone, so that it delays no run and sees those of other processes too.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import structlog
from msgspec.structs import replace

from worker.alerts import outbox, pages
from worker.alerts.books import alerts_of, changing, load, rests
from worker.alerts.delivery import Delivery
from worker.alerts.heartbeat import Ping, Pulse, pinger
from worker.alerts.judging import Scene, judge
from worker.alerts.ledger import Ledger
from worker.alerts.sending import Send, send
from worker.app.build import utc_now
from worker.app.targets import Target, targets_of
from worker.config import NotionSettings
from worker.cycle.context import Context
from worker.daemon.standing import Standing, read_standing

log = structlog.get_logger("worker.alerts")
LOOK = 10.0
"""Seconds between two looks."""
MOST_TRIES = 3
"""How often pages that cannot be put together are tried for one date."""


@dataclass(slots=True)
class Watch:
    """Looks at the workspaces that `contexts` gives, sends by `send`, and pings by what `ping_by` gives. `since` is when it
    began, None at the first look."""

    contexts: Callable[[], Mapping[str, Context]]
    send: Send = send
    ping_by: Callable[[NotionSettings], Ping] = pinger
    since: datetime | None = None
    _started: dict[str, datetime] = field(default_factory=dict)
    _pulses: dict[str, Pulse] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _lost: dict[str, int] = field(default_factory=dict)
    _tried: Counter[tuple[str, str, date]] = field(default_factory=Counter)

    def look(self) -> None:
        """Look at every workspace once, and send what is to be sent; what one fails at stops no other."""
        served = {}
        for name, context in self.contexts().items():
            if context.settings.alerts is not None:
                served[name] = context
        for name, context in served.items():
            self._guard(name, partial(self._look_at, context))
        delivery = Delivery(served, self.send, self._guard)
        self._guard("", delivery.run)

    def join(self) -> None:
        """Wait until the pings under way are sent."""
        pulses = list(self._pulses.values())
        for pulse in pulses:
            pulse.join()

    def _guard(self, name: str, step: Callable[[], None]) -> None:
        """Take a step; that it fails is logged once, as long as it fails for the same reason."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - a database that is away, foreign code; looked at again
            reason = type(error).__name__
            if self._failed.get(name) != reason:
                log.error("alerts.failed", workspace=name, error=reason)
            self._failed[name] = reason
        else:
            self._failed.pop(name, None)

    def _look_at(self, context: Context) -> None:
        now = context.now()
        standing = read_standing(context)
        started = self._started.setdefault(context.name, now)
        is_resting = rests(context, now)
        self._beat(context, standing, is_resting=is_resting)
        if is_resting:
            # What was not done meanwhile counts from the end of the rest.
            self._started[context.name] = now
            return
        self._judge(context, standing, started)
        self._send_pages(context)

    def _beat(self, context: Context, standing: Standing, *, is_resting: bool) -> None:
        """Tell the dead man's switch what became of the runs."""
        url = alerts_of(context).heartbeat_url.get_secret_value()
        if not url:
            return
        ping = self.ping_by(context.settings.notion)
        newcomer = Pulse(context.name, since=self.since)
        pulse = self._pulses.setdefault(context.name, newcomer)
        pulse.ping = partial(ping, url)
        pulse.follow(standing.latest, standing.now)
        if is_resting:
            every = timedelta(seconds=context.settings.schedule.delta)
            pulse.rest(standing.now, every)

    def _judge(self, context: Context, standing: Standing, started: datetime) -> None:
        """Keep what a look makes of the ledger; nothing is written where nothing changed."""
        alerts = alerts_of(context)
        names = []
        for target in targets_of(alerts):
            if not target.unit:
                names.append(target.name)
        if not names:
            return
        scene = Scene(
            standing=standing,
            settings=context.settings,
            alerts=alerts,
            words=context.words,
            started=started,
            targets=tuple(names),
        )
        ledger = load(context)
        if judge(ledger, scene) != ledger:
            with changing(context) as draft:
                ledger = judge(draft.ledger, scene, number=draft.number)
                draft.ledger = ledger
        self._tell_lost(context.name, ledger)

    def _send_pages(self, context: Context) -> None:
        """Have the pages of the date sent to the units that want them."""
        alerts = alerts_of(context)
        targets = []
        for target in targets_of(alerts):
            if target.unit:
                targets.append(target)
        if not targets:
            return
        due = pages.find_due(context, load(context), alerts.cuts)
        for kind, day in due.items():
            attempt = context.name, kind, day
            if self._tried[attempt] < MOST_TRIES:
                self._tried[attempt] += 1
                _put_pages(context, kind, day, targets)

    def _tell_lost(self, name: str, ledger: Ledger) -> None:
        """Log that something could not be told at all."""
        count = ledger.lost.count
        if count > self._lost.get(name, 0):
            reason = ledger.lost.reason
            log.error("alerts.given_up", workspace=name, number=count, error=reason)
        self._lost[name] = count


def _put_pages(context: Context, kind: str, day: date, targets: list[Target]) -> None:
    """Put the pages of a date among what waits, unless another process did."""
    sheets = pages.read_sheets(context, kind, day)
    notes = list(pages.write_notes(sheets, targets, context))
    written = day.isoformat()
    with changing(context) as draft:
        ledger = draft.ledger
        if ledger.pages.get(kind) == written:
            return
        kept = outbox.put(ledger, draft.numbered(notes), context.now())
        draft.ledger = replace(kept, pages={**ledger.pages, kind: written})


@contextmanager
def watching(contexts: Callable[[], Mapping[str, Context]]) -> Iterator[Watch]:
    """Watch on a thread of its own as long as the context lasts; what hangs then is left behind."""
    watch = Watch(contexts, since=utc_now())
    stop = threading.Event()

    def tend() -> None:
        while not stop.wait(LOOK):
            watch.look()

    thread = threading.Thread(target=tend, name="alerts", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
