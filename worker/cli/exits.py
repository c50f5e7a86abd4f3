"""The exit codes of every command, and which error ends with which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from worker.errors import (
    FAULTS,
    PASSING,
    REFUSALS,
    Busy,
    ConfigError,
    Denied,
    Incomplete,
    Missing,
    QueueFull,
    RaylineError,
    Rejected,
    RenderedProblem,
    Severity,
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

WORST_FIRST = (BUG, USAGE, REFUSED, FAILED, BUSY, PENDING)
PROBLEMS: Mapping[str, int] = {
    **dict.fromkeys(FAULTS, BUG),
    **dict.fromkeys(REFUSALS, REFUSED),
    **dict.fromkeys(PASSING, BUSY),
}
"""With which code a command ends that only looks and sees an error of a code; 2 with any other."""


def worst(codes: Iterable[int]) -> int:
    """Return the code of a command whose parts ended with `codes`."""
    ended = set(codes)
    return next((code for code in WORST_FIRST if code in ended), OK)


def code_of_problems(problems: Iterable[RenderedProblem]) -> int:
    """Return the code of a command that looked and saw problems: 0 when none is an error."""
    errors = [one for one in problems if one.severity is Severity.ERROR]
    return worst(PROBLEMS.get(error.code, USAGE) for error in errors)


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
