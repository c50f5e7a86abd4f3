"""Sending a message to a target, by Apprise: what it says of a failure is heard, and never shows an address.

Apprise is an extra, and is loaded when the first message is sent.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from worker.alerts.ledger import Level
from worker.alerts.wording import Message
from worker.app.targets import Target, secrets_in
from worker.domain.messages import NOTHING, Text, literal, tell
from worker.http.secrets import redact

DEADLINE = 60.0
"""Seconds after which a target that does not answer counts as down; what still waits for it is left behind."""
NOT_INSTALLED = tell(
    "alerts need the package apprise, which is not installed: pip install 'rayline[alerts]'"
)
NOT_KNOWN = tell("Apprise does not know such an address: correct the line")
NO_WORD = tell("it was not taken, and Apprise does not say why")
TOO_SLOW = tell("it did not answer within {seconds} s", seconds=f"{DEADLINE:.0f}")
KINDS: Mapping[Level, str] = {
    Level.INFO: "success",
    Level.WARNING: "warning",
    Level.CRITICAL: "failure",
}
Send = Callable[[Target, Message], Text]
"""Sends a message to a target and returns why it did not arrive, `NOTHING` when it did."""


def send(target: Target, message: Message) -> Text:
    """Send a message to a target; return why it did not arrive, `NOTHING` when it did."""
    try:
        apprise = import_module("apprise")
    except ImportError:
        return NOT_INSTALLED
    with _heard() as lines:
        is_taken = _notify(apprise, target, message)
    if is_taken is None:
        return NOT_KNOWN
    if is_taken:
        return NOTHING
    return literal(redact(" ".join(lines), secrets_in(target.url))) or NO_WORD


def _notify(apprise: Any, target: Target, message: Message) -> bool | None:
    """Return whether a message was taken; None when there is no such service.

    The service is asked on this very thread: a pool of Apprise's own would keep the process from its end while one hangs.
    """
    service = apprise.Apprise.instantiate(target.url)
    if service is None:
        return None
    taken = service.notify(
        title=message.title,
        body=message.body,
        notify_type=KINDS[message.level],
        body_format=apprise.NotifyFormat.TEXT,
    )
    return bool(taken)


class _Listener(logging.Handler):
    """Keeps what is said in one thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of this thread."""
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Yield what Apprise says meanwhile: its lines hold addresses, so that they reach no log."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    listener = _Listener()
    logger.addHandler(listener)
    try:
        yield listener.lines
    finally:
        logger.removeHandler(listener)
