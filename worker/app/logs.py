"""Logs: an event with key-values, text on a terminal and JSON otherwise, always on stderr, never with a secret.

Redaction works on the finished line, so tracebacks and foreign libraries are covered too (facts/reliability.md 5).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import quote

import structlog

PATTERNS = re.compile(
    r"\b(?:ntn_|secret_)[A-Za-z0-9_\-]{4,}|\b(?i:basic|bearer)\s+[A-Za-z0-9+/=._\-]{8,}|(?i:set-cookie|cookie):[^\r\n]*"
)
MASK = "[secret]"


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every known secret and everything that looks like one masked."""
    for shape in sorted(
        {shape for secret in secrets for shape in _shapes(secret)},
        key=len,
        reverse=True,
    ):
        text = text.replace(shape, MASK)
    return PATTERNS.sub(MASK, text)


def _shapes(secret: str) -> Iterator[str]:
    """Yield a secret as it may stand in a line: plain, inside JSON, Python's way, in a URL. Short ones are words."""
    if len(secret) >= 4:
        yield from (
            secret,
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            quote(secret, safe=""),
        )


class Redacting(logging.Formatter):
    """A formatter that masks secrets after everything else has been formatted."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner, self._secrets = inner, tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one redacted line."""
        return redact(self._inner.format(record), self._secrets)


def configure(secrets: Iterable[str] = (), *, level: str = "INFO") -> None:
    """Send all logs to stderr, redacted; foreign libraries speak only from WARNING on."""
    on_terminal = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=on_terminal)
        if on_terminal
        else structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting(formatter, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("worker").setLevel(level)
