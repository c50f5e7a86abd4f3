"""What signals do: some end a command in good order, the daemon ignores others and says so; none kills it unheard."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import FrameType

import structlog

log = structlog.get_logger("worker.daemon")
ENDING = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP")
RELOAD = "reloading is not there yet: restart to take over a changed configuration"
UNUSED = "it means nothing here; SIGTERM ends the daemon"
IGNORED = {"SIGHUP": RELOAD, "SIGUSR1": UNUSED, "SIGUSR2": UNUSED}
"""What would kill a daemon though it is meant to be told something, and what is said of each."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The signals that came and were ignored, until they are told: a handler must not log, for it may interrupt a line
    that is being logged."""

    came: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def tell(self) -> None:
        """Log every signal that came since."""
        while not self.came.empty():
            name = self.came.get()
            log.warning("signal.ignored", signal=name, reason=IGNORED[name])


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


def ignore_signals() -> Ignored:
    """Ignore what a daemon has no answer to."""
    ignored = Ignored()

    def note(number: int, _frame: FrameType | None) -> None:
        ignored.came.put(signal.Signals(number).name)

    for name in IGNORED:
        _handle(name, note)
    return ignored


def _is_ignored(name: str) -> bool:
    """Tell whether who started us wants a signal ignored, as nohup does."""
    number = getattr(signal, name, None)
    return number is not None and signal.getsignal(number) is signal.SIG_IGN


def _handle(name: str, handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle a signal, where this system knows it."""
    number = getattr(signal, name, None)
    if number is not None:
        signal.signal(number, handler)
