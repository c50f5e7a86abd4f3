"""Pings of a dead man's switch around each run, in the manner of healthchecks.io: ADDRESS/start, ADDRESS when it ended
well, ADDRESS/fail when it did not (https://healthchecks.io/docs/http_api/).

Who watches is told by its absence that nobody is at work. Runs never wait for a ping.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec
import structlog
from msgspec.structs import replace

from worker.app.targets import secrets_in
from worker.config import NotionSettings
from worker.http.route import find_route
from worker.http.secrets import redact
from worker.site import Site
from worker.state.runs import Run, RunStatus
from worker.state.settings import Setting

log = structlog.get_logger("worker.alerts")
PATIENCE = 10.0
"""Seconds for each step of a ping."""


def _is_scheduled(run: Run) -> bool:
    """Tell whether a run is one of everything that also writes: others say nothing of the schedule."""
    if run.dry_run:
        return False
    return not run.scope


class Signal(StrEnum):
    """What a ping says; its value is what the address ends with."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


Ping = Callable[[str, Signal], str]
"""Pings an address and returns why that could not be, empty when it could."""


def address_of(url: str, signal: Signal) -> str:
    """Return where a signal goes; a query stays behind the path."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + signal.value if signal.value else parts.path
    return urlunsplit(parts._replace(path=path))


def pinger(way: NotionSettings) -> Ping:
    """Return what pings through the same certificates and the same proxy as Notion is asked."""

    def ping(url: str, signal: Signal) -> str:
        address = address_of(url, signal)
        try:
            status = _ask(address, way)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            kind = type(error).__name__
            return redact(f"{kind}: {error}", secrets_in(url))
        if status < httpx.codes.BAD_REQUEST:
            return ""
        return f"status {status}"

    return ping


def _ask(address: str, way: NotionSettings) -> int:
    """Return the status with which an address answers."""
    there = way.model_copy(update={"base_url": address})
    route = find_route(there)
    with (
        httpx.Client(
            verify=route.context("heartbeat"),
            proxy=route.proxy or None,
            trust_env=False,
            timeout=PATIENCE,
        ) as client,
        client.stream("GET", address) as answer,
    ):
        return answer.status_code


class Heard(msgspec.Struct, frozen=True):
    """What a switch was told of a workspace: the newest runs whose begin and whose end it heard of, and when it was pinged
    last. Kept in the state, so that of several processes one pings."""

    began: int = 0
    ended: int | None = None
    at: datetime | None = None


HEARD = Setting("heartbeat", Heard, Heard)


class Look(msgspec.Struct, frozen=True):
    """What one look sees of a workspace: its runs, the newest first; where it is left alone on purpose, how often a sign
    of life is due. Before the very first look only what began after `since` is news."""

    latest: tuple[Run, ...]
    now: datetime
    since: datetime | None = None
    resting: timedelta | None = None


def follow(heard: Heard, look: Look) -> tuple[Heard, tuple[Signal, ...]]:
    """Return what a switch has heard after a look, and what it is to be told."""
    scheduled = [run for run in look.latest if _is_scheduled(run)]
    ended = [run for run in scheduled if run.status is not RunStatus.RUNNING]
    known = _known(ended, look.since) if heard.ended is None else heard.ended
    signals = []
    after = replace(heard, ended=known)

    if ended and ended[0].id > known:
        after = replace(after, ended=ended[0].id)
        signals += _end(ended[0])
    if scheduled and _has_begun(scheduled[0], heard):
        after = replace(after, began=scheduled[0].id)
        signals.append(Signal.START)
    if not signals and _is_life_due(heard, look):
        signals.append(Signal.SUCCESS)
    if signals:
        after = replace(after, at=look.now)
    return after, tuple(signals)


def _known(ended: Sequence[Run], since: datetime | None) -> int:
    """Return the newest run that is no news at the very first look, 0 when all are."""
    for run in ended:
        if since is None or run.started < since:
            return run.id
    return 0


def _end(run: Run) -> list[Signal]:
    """Return what is said of the end of a run; nothing of one that was asked to end."""
    if run.was_stopped():
        return []
    is_well = run.status is RunStatus.DONE
    return [Signal.SUCCESS if is_well else Signal.FAIL]


def _has_begun(run: Run, heard: Heard) -> bool:
    return run.status is RunStatus.RUNNING and run.id > heard.began


def _is_life_due(heard: Heard, look: Look) -> bool:
    if look.resting is None:
        return False
    return heard.at is None or look.now - heard.at >= look.resting


def take_signals(site: Site, look: Look) -> tuple[Signal, ...]:
    """Return what this process is to tell the switch of a workspace; what it took, no other process tells."""
    with site.reading() as tx:
        heard = HEARD.load(tx)
    after, _ = follow(heard, look)
    if after == heard:
        return ()
    with site.transaction() as tx:
        held = HEARD.hold(tx)
        after, signals = follow(held, look)
        HEARD.save(tx, after)
    return signals


@dataclass(slots=True)
class Pulse:
    """The pings of one workspace, sent one after another on a thread that ends when none waits. Used by one thread."""

    workspace: str
    ping: Callable[[Signal], str] = lambda signal: ""
    _waiting: list[Signal] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sender: threading.Thread | None = None
    _failed: str = ""

    def join(self) -> None:
        """Wait until what waits is sent."""
        sender = self._sender
        if sender is not None:
            sender.join()

    def put(self, signal: Signal) -> None:
        """Have a signal sent; of those that wait for a slow switch only the last end counts, and the start after it."""
        with self._lock:
            if signal is not Signal.START:
                self._waiting.clear()
            if signal not in self._waiting:
                self._waiting.append(signal)
            if self._sender is None:
                name = f"heartbeat-{self.workspace}"
                self._sender = threading.Thread(
                    target=self._send, name=name, daemon=True
                )
                self._sender.start()

    def _send(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._sender = None
                    return
                signal = self._waiting.pop(0)
            self._tell(self.ping(signal))

    def _tell(self, reason: str) -> None:
        """Log that the switch cannot be reached once, and once that it can again."""
        if reason and not self._failed:
            log.warning("heartbeat.failed", workspace=self.workspace, error=reason)
        if not reason and self._failed:
            log.info("heartbeat.recovered", workspace=self.workspace)
        self._failed = reason
