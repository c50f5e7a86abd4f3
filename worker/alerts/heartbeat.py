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
import structlog

from worker.app.targets import secrets_in
from worker.config import NotionSettings
from worker.http.route import find_route
from worker.http.secrets import redact
from worker.state.runs import Run, RunStatus

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


@dataclass(slots=True)
class Pulse:
    """The pings of one workspace, sent one after another on a thread that ends when none waits. Used by one thread."""

    workspace: str
    ping: Callable[[Signal], str] = lambda signal: ""
    since: datetime | None = None
    _began: int = 0
    _ended: int | None = None
    _last: datetime | None = None
    _waiting: list[Signal] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sender: threading.Thread | None = None
    _failed: str = ""

    def follow(self, latest: Sequence[Run], now: datetime) -> None:
        """Tell what became of the runs since the last look (newest first). Those before the first look are no news, but
        for what began after `since`."""
        scheduled = [run for run in latest if _is_scheduled(run)]
        self._follow_ends(scheduled, now)
        if not scheduled:
            return
        newest = scheduled[0]
        is_under_way = newest.status is RunStatus.RUNNING
        if is_under_way and newest.id > self._began:
            self._began = newest.id
            self._put(Signal.START, now)

    def _follow_ends(self, runs: Sequence[Run], now: datetime) -> None:
        ended = []
        for run in runs:
            if run.status is not RunStatus.RUNNING:
                ended.append(run)
        if self._ended is None:
            self._ended = self._known(ended)
        if ended and ended[0].id > self._ended:
            self._ended = ended[0].id
            self._tell_end(ended[0], now)

    def _known(self, ended: Sequence[Run]) -> int:
        """Return the newest run that is no news at the first look, 0 when all are."""
        for run in ended:
            if self.since is None or run.started < self.since:
                return run.id
        return 0

    def rest(self, now: datetime, every: timedelta) -> None:
        """Tell now and then that somebody is there while the workspace is left alone on purpose."""
        if self._last is None or now - self._last >= every:
            self._put(Signal.SUCCESS, now)

    def join(self) -> None:
        """Wait until what waits is sent."""
        sender = self._sender
        if sender is not None:
            sender.join()

    def _tell_end(self, run: Run, now: datetime) -> None:
        if not run.was_stopped():
            is_well = run.status is RunStatus.DONE
            self._put(Signal.SUCCESS if is_well else Signal.FAIL, now)

    def _put(self, signal: Signal, now: datetime) -> None:
        """Have a signal sent; of those that wait for a slow switch only the last end counts, and the start after it."""
        self._last = now
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
