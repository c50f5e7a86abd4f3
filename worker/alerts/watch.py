"""The watch over workspaces: looks at how they stand, keeps what is to be told, and has it sent.

It asks the state alone, so that it delays no run and sees those of other processes too. What was told stands in the
state: a daemon, the workers of a fleet and a command that cron starts tell nothing twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial

import msgspec
import structlog
from msgspec.structs import replace

from worker.alerts import outbox, pages
from worker.alerts.books import alerts_of, changing, load, rests
from worker.alerts.delivery import Delivery
from worker.alerts.heartbeat import Look, Ping, Pulse, pinger, take_signals
from worker.alerts.judging import Scene, judge
from worker.alerts.ledger import Ledger
from worker.alerts.sending import Send, send
from worker.app.build import build_context, utc_now
from worker.app.targets import Target, targets_of
from worker.config import NotionSettings, Workspace
from worker.cycle.context import Context
from worker.daemon.standing import Standing, read_standing
from worker.domain.structs import make_ready
from worker.errors import RaylineError
from worker.state.settings import Setting
from worker.state.store import Store

log = structlog.get_logger("worker.alerts")
LOOK = 10.0
"""Seconds between two looks."""
SHORT = 0.1
"""Seconds between two looks whether somebody asked to stop."""
RESTED = timedelta(minutes=1)
"""How exactly it is kept until when a workspace was left alone."""
MOST_TRIES = 3
"""How often pages that cannot be put together are tried for one date."""


@dataclass(slots=True)
class Watch:
    """Looks at the workspaces that `contexts` gives, sends by `send`, and pings by what `ping_by` gives. `since` is when it
    began, None at the first look; `turn` tells whether it is to look now."""

    contexts: Callable[[], Mapping[str, Context]]
    send: Send = send
    ping_by: Callable[[NotionSettings], Ping] = pinger
    since: datetime | None = None
    turn: Callable[[], bool] = lambda: True
    _started: dict[str, datetime] = field(default_factory=dict)
    _pulses: dict[str, Pulse] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _lost: dict[str, int] = field(default_factory=dict)
    _tried: Counter[tuple[str, str, date]] = field(default_factory=Counter)

    def look(self, *, is_last: bool = False) -> None:
        """Look at every workspace once, and send what is to be sent; what one fails at stops no other. The last look
        waits for nothing more to come with it."""
        if not (is_last or self.turn()):
            return
        served = {}
        for name, context in self.contexts().items():
            if context.settings.alerts is not None:
                served[name] = context
        for name, context in served.items():
            self._guard(name, partial(self._look_at, context))
        delivery = Delivery(served, self.send, self._guard, is_last=is_last)
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
            _keep_rest(context, now)
            return
        self._judge(context, standing, started)
        self._send_pages(context)

    def _beat(self, context: Context, standing: Standing, *, is_resting: bool) -> None:
        """Tell the dead man's switch what became of the runs."""
        url = alerts_of(context).heartbeat_url.get_secret_value()
        if not url:
            return
        ping = self.ping_by(context.settings.notion)
        pulse = self._pulses.setdefault(context.name, Pulse(context.name))
        pulse.ping = partial(ping, url)
        every = timedelta(seconds=context.settings.schedule.delta)
        seen = Look(
            standing.latest,
            standing.now,
            since=self.since,
            resting=every if is_resting else None,
        )
        for signal in take_signals(context, seen):
            pulse.put(signal)

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


def _keep_rest(context: Context, now: datetime) -> None:
    """Keep that a workspace is left alone on purpose, for processes that begin later; not at each look."""
    rested = load(context).rested
    if rested is not None and now - rested < RESTED:
        return
    with changing(context) as draft:
        draft.ledger = replace(draft.ledger, rested=now)


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


class Round(msgspec.Struct, frozen=True):
    """Until when no other worker of a fleet looks: one of them is enough."""

    until: datetime = datetime.min.replace(tzinfo=UTC)


ROUND = Setting("alerts-round", Round, Round)


def take_round(store: Store) -> bool:
    """Tell whether this worker of a fleet is the one that looks now."""
    with store.transaction("") as tx:
        held = ROUND.hold(tx)
        now = store.now()
        if now < held.until:
            return False
        ROUND.save(tx, Round(now + timedelta(seconds=LOOK)))
    return True


@dataclass(slots=True)
class Told:
    """The workspaces of a configuration of which somebody is told, each put together when it is first looked at. Others may
    be put in their place while they are looked at."""

    workspaces: Mapping[str, Workspace]
    store: Store
    _contexts: Mapping[str, Context] = field(default_factory=dict)

    def contexts(self) -> Mapping[str, Context]:
        """Return them as they are configured now; one that cannot be put together is left to the next look."""
        kept = {}
        for name, settings in self.workspaces.items():
            known = self._contexts.get(name)
            if settings.alerts is None:
                continue
            if known is None or known.settings != settings:
                with suppress(RaylineError):
                    known = build_context(name, settings, self.store)
            if known is not None:
                kept[name] = known
        self._contexts = kept
        return kept


@contextmanager
def watching(
    contexts: Callable[[], Mapping[str, Context]],
    *,
    turn: Callable[[], bool] = lambda: True,
) -> Iterator[None]:
    """Watch on a thread of its own as long as the context lasts; what hangs then is left behind."""
    watch = Watch(contexts, since=utc_now(), turn=turn)
    end = threading.Event()
    _tend(watch, end)
    try:
        yield
    finally:
        end.set()


@contextmanager
def watching_once(site: Told, stop: threading.Event) -> Iterator[None]:
    """Watch as long as the context lasts and once more at its end, for a command that does its work and is gone; a target
    that hangs then keeps nobody who asked to `stop`."""
    if all(settings.alerts is None for settings in site.workspaces.values()):
        yield
        return
    watch = Watch(site.contexts, since=utc_now())
    end = threading.Event()
    thread = _tend(watch, end, is_short=True)
    try:
        yield
    finally:
        end.set()
        while thread.is_alive() and not stop.is_set():
            thread.join(SHORT)


def _tend(
    watch: Watch, end: threading.Event, *, is_short: bool = False
) -> threading.Thread:
    """Start the thread that looks until the end; of what is short, also after it."""

    def tend() -> None:
        while not end.wait(LOOK):
            watch.look()
        if is_short:
            watch.look(is_last=True)
            watch.join()

    make_ready()
    thread = threading.Thread(target=tend, name="alerts", daemon=True)
    thread.start()
    return thread
