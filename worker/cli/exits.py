"""The exit codes of every command, and which error ends with which."""

from __future__ import annotations

from worker.errors import (
    Busy,
    ConfigError,
    Denied,
    Incomplete,
    Missing,
    QueueFull,
    RaylineError,
    Rejected,
    StateFault,
    Stopped,
    Transient,
    Unknown,
    Unreachable,
    WrongClock,
)

OK = 0
BUG = 1
USAGE = 2
PENDING = 3
REFUSED = 4
FAILED = 5
BUSY = 75
INTERRUPTED = 130
UNREAD = 141
"""As shells name a process that Ctrl-C ended, and one whose output nobody reads any more."""


def exit_code(error: RaylineError) -> int:
    """Return the exit code of an error that ended a command: 2 when waiting does not mend it, 75 when it may."""
    match error:
        case ConfigError() | Denied() | Missing() | Rejected() | Unreachable():
            return USAGE
        case WrongClock():
            return USAGE
        case Busy() | QueueFull() | Transient() | Unknown() | Incomplete() | Stopped():
            return BUSY
        case StateFault():
            return BUSY if error.passes else USAGE
        case _:
            return BUG
