"""Errors in plain words: what happened, why, and what to do next. The only place where exceptions become text."""

from __future__ import annotations

from typing import Any

from worker.cycle import problem_data
from worker.errors import (
    ApiError,
    Busy,
    ConfigError,
    Denied,
    Incomplete,
    Missing,
    Problem,
    RaylineError,
    Rejected,
    Stopped,
    Transient,
    Unknown,
    UnsafePlan,
)

OK, BUG, USAGE, PENDING, REFUSED, FAILED, BUSY = 0, 1, 2, 3, 4, 5, 75


def exit_code(error: RaylineError) -> int:
    """Return the exit code of an error (design 9); 75 also says "try again later"."""
    match error:
        case ConfigError() | Denied() | Missing():
            return USAGE
        case UnsafePlan():
            return REFUSED
        case Busy() | Transient() | Unknown() | Incomplete() | Stopped():
            return BUSY
        case Rejected():
            return FAILED
        case _:
            return BUG


def explain(error: RaylineError) -> str:
    """Return an error as one or more lines for a person."""
    match error:
        case ConfigError():
            return "\n".join(line(problem) for problem in error.problems)
        case UnsafePlan():
            return "\n".join(line(problem) for problem in error.reasons)
        case Busy():
            return f"Workspace {error.workspace} is being synced by {error.holder}; nothing was done. Try again later."
        case Denied():
            return (f"{_api(error)} refused this connection: {error.detail or 'no reason given'} ({error.request}, "
                    f"status {error.status}). Check the {error.api}.token in the configuration and what the connection "
                    f"is allowed to do{_capabilities(error)}. Nothing was written.")
        case Missing():
            return (f"{_api(error)} does not show what was asked for ({error.request}): it is gone, or not shared with "
                    f"this connection. {_share(error)} Nothing was written.")
        case Transient():
            wait = f" It asks to wait {error.retry_after:.0f} s." if error.retry_after else ""
            return f"{_api(error)} is not available now: {error.detail} ({error.request}).{wait} Try again later."
        case Unknown():
            return (f"{_api(error)} did not say whether it did what was asked ({error.request}): {error.detail}. "
                    "The next cycle will find out before it does anything again.")
        case Rejected():
            return f"{_api(error)} did not accept {error.field or 'a request'} ({error.request}): {error.detail}"
        case Incomplete():
            return f"Not everything could be read of {error.scope}: {error.reason}. Nothing was written."
        case Stopped():
            return f"Asked to end ({error}); nothing was written."
        case _:
            return str(error)


def error_data(error: RaylineError) -> dict[str, Any]:
    """Return an error as JSON data."""
    found = error.problems if isinstance(error, ConfigError) else []
    return {"error": type(error).__name__, "message": explain(error),
            "problems": [problem_data(problem) for problem in found]}


def line(problem: Problem) -> str:
    """Return a problem as one line: where, field: what; what to do."""
    place = ": ".join(part for part in (problem.where, problem.field) if part)
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{place}: {problem.message}{hint}" + (f" {problem.url}" if problem.url else "")


def _api(error: ApiError) -> str:
    return error.api.capitalize()


def _capabilities(error: ApiError) -> str:
    return ": Notion connections need to read, update and insert content" if error.api == "notion" else ""


def _share(error: ApiError) -> str:
    if error.api == "notion":
        return "In Notion open the page, then ... > Connections, and add Rayline's connection."
    return "Give the account access, or correct jira.base_url."
