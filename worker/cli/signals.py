"""What signals do: some end a command in good order, one has the daemon read its configuration again, others it ignores
and says so; none kills it unheard."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import FrameType

import structlog

log = structlog.get_logger("worker.daemon")
ENDING = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP")
RELOAD = "SIGHUP"
UNUSED = "it means nothing here; SIGTERM ends the daemon, SIGHUP has it read its configuration again"
IGNORED = ("SIGUSR1", "SIGUSR2")
"""What would kill a daemon though it is meant to be told something."""
GRACE = 6.0
"""Seconds for the change in hand, once a process was asked to end; who waits for an answer after that is left alone."""
LAST_WORDS = 2.0
"""Seconds for saying so, also to a database that is busy."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The signals that came to a daemon, until they are told: a handler must not log, for it may interrupt a line that
    is being logged."""

    came: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def tell(self) -> bool:
        """Log every signal that came since and means nothing; tell whether one asked for a reload."""
        reload = False
        while not self.came.empty():
            name = self.came.get()
            reload = reload or name == RELOAD
            if name in IGNORED:
                log.warning("signal.ignored", signal=name, reason=UNUSED)
        return reload


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM, SIGINT, SIGQUIT and a hang-up set; a second one ends the process at once, but for
    the hang-up: a terminal that is closed may say so twice."""
    stop = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and signal.Signals(number).name != "SIGHUP":
            os._exit(128 + number)
        stop.set()

    for name in ENDING:
        if name != "SIGHUP" or not _is_ignored(name):
            _handle(name, end)
    return stop


def hear_signals() -> Heard:
    """Hear what does not end a daemon."""
    heard = Heard()

    def note(number: int, _frame: FrameType | None) -> None:
        heard.came.put(signal.Signals(number).name)

    for name in (RELOAD, *IGNORED):
        _handle(name, note)
    return heard


@contextmanager
def ending_in_time(
    stop: threading.Event, farewell: Callable[[], None], code: int
) -> Iterator[None]:
    """Let a block run; once it was asked to end it has `GRACE` seconds. Whoever hangs in a request by then is left
    there: `farewell` is said, and the process ends with `code`."""
    ended = threading.Event()

    def watch() -> None:
        while not stop.wait(1.0):
            if ended.is_set():
                return
        if ended.wait(GRACE):
            return
        parting = threading.Thread(target=farewell, daemon=True)
        parting.start()
        parting.join(LAST_WORDS)
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        os._exit(code)

    threading.Thread(target=watch, name="ending", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _flush(stream: object) -> None:
    try:
        getattr(stream, "flush", lambda: None)()
    except (OSError, ValueError):
        return


def _is_ignored(name: str) -> bool:
    """Tell whether who started us wants a signal ignored, as nohup does."""
    number = getattr(signal, name, None)
    return number is not None and signal.getsignal(number) is signal.SIG_IGN


def _handle(name: str, handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle a signal, where this system knows it."""
    number = getattr(signal, name, None)
    if number is not None:
        signal.signal(number, handler)
