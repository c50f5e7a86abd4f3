"""Logs: an event with key-values, text on a terminal and JSON otherwise, always on stderr, never with a secret.

Redaction works on the finished line, so tracebacks and foreign libraries are covered too (docs/facts/reliability.md 5).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from structlog.typing import EventDict

from worker.domain.text import visible, visible_json
from worker.http.secrets import mask

TRACES = frozenset({"exception", "stack"})
"""The parts of an event that may be of several lines."""
DAMPED = frozenset(
    {
        "state.failed",
        "webhook.handshake_lost",
        "webhook.secret_open",
        "webhook.secret_unread",
        "webhook.unproven",
    }
)
"""The events that whoever reaches the console brings about, without a token: they could fill a disk with lines."""


class Damper:
    """A processor that lets a line of `DAMPED` through once in `window` seconds of a clock that only goes forward.

    The next that passes and says the same tells by `repeated` how many were left out.
    """

    def __init__(self, clock: Callable[[], float], window: float = 60.0) -> None:
        self._clock = clock
        self._window = window
        self._last: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, _: object, __: str, event: EventDict) -> EventDict:
        """Return the event, with what was left out; raises `structlog.DropEvent` for one that is left out itself."""
        if event["event"] not in DAMPED:
            return event
        with self._lock:
            left_out = self._count(repr(sorted(event.items())))
        return {**event, "repeated": left_out} if left_out else event

    def _count(self, line: str) -> int:
        now = self._clock()
        since, left_out = self._last.get(line, (-self._window, 0))
        if now - since < self._window:
            self._last[line] = since, left_out + 1
            raise structlog.DropEvent
        self._last[line] = now, 0
        return left_out


class Redacting(logging.Formatter):
    """A formatter that masks secrets after everything else has been formatted."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one redacted line."""
        return mask(self._inner.format(record), self._secrets)


def _show_hidden(_: object, __: str, event: EventDict) -> EventDict:
    """Show what is hidden in the values of an event; only a traceback has lines."""
    shown: EventDict = {}
    for key, value in event.items():
        kept = "\n\t" if key in TRACES else ""
        shown[key] = visible(value, kept=kept) if isinstance(value, str) else value
    return shown


def _escape_hidden(_: object, __: str, line: Any) -> str:
    """Show what is hidden in a finished line of JSON."""
    return visible_json(line)


def configure(secrets: Iterable[str] = (), *, level: str = "INFO") -> None:
    """Send all logs to stderr, redacted; foreign libraries speak only from WARNING on."""
    on_terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: tuple[structlog.typing.Processor, ...] = (
        (_show_hidden, structlog.dev.ConsoleRenderer(colors=True))
        if on_terminal
        else (
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
            _escape_hidden,
        )
    )
    structlog.configure(
        processors=[
            Damper(time.monotonic),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *renderers,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(formatter, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("worker").setLevel(level)
