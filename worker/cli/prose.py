"""Errors in plain words: what happened, why, and what to do next. The only place where exceptions become text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from worker.cycle.report import problem_data
from worker.domain.messages import message, render
from worker.domain.words import Words
from worker.errors import (
    AlreadyRunning,
    ApiError,
    Busy,
    ClockFault,
    ConfigError,
    Denied,
    Incomplete,
    Missing,
    Postponed,
    QueueFull,
    RaylineError,
    Rejected,
    RenderedProblem,
    StateFault,
    Stopped,
    Transient,
    Unknown,
    Unreachable,
    WrongClock,
    in_words,
)
from worker.state.processes import read_owner

CLOCK_FAULTS = {
    ClockFault.WRONG: message(
        "The clock of this machine is wrong: {servers}. Set it (where it runs in a container or a virtual machine, that "
        "of the host), then try again; nothing is written until then."
    ),
    ClockFault.JUMPED: message(
        "The clock of this machine was set during the run: {servers}. The run has ended; try again."
    ),
    ClockFault.UNCLEAR: message(
        "No two clocks agree: {servers}. Set the clock of this machine, and have that of the service set which is still "
        "off then; nothing is written until then."
    ),
}


def explain(error: RaylineError, words: Words) -> str:
    """Return an error as one or more lines for a person."""
    say = words.say
    match error:
        case ConfigError():
            text = "\n".join(
                line(in_words(problem, words)) for problem in error.problems
            )
        case StateFault():
            text = say(
                "{place}: {fault}. What to do: {way_out}.",
                place=error.place,
                fault=render(error.fault, words),
                way_out=render(error.way_out, words),
            )
        case AlreadyRunning():
            text = _running(error, words)
        case Busy():
            text = say(
                "Workspace {workspace} is being synced by {holder}; nothing was done. Try again later.",
                workspace=error.workspace,
                holder=say_process(error.holder, words),
            )
        case Denied():
            text = say(
                "{api} refused this connection: {reason} ({request}, status {status}). Check the {key} in the "
                "configuration and what the connection is allowed to do{capabilities}. Nothing was written.",
                api=_api(error),
                reason=error.detail or say("no reason given"),
                request=error.request,
                status=error.status,
                key=f"{error.api}.token",
                capabilities=_capabilities(error, words),
            )
        case Missing():
            text = say(
                "{api} does not show what was asked for ({request}): it is gone, or not shared with this "
                "connection. {way_out} Nothing was written.",
                api=_api(error),
                request=error.request,
                way_out=_share(error, words),
            )
        case Unreachable():
            text = say(
                "{api} cannot be reached: {fault} ({request}). Waiting does not mend it: {way_out}. Nothing was written.",
                api=_api(error),
                fault=render(error.fault, words),
                request=error.request,
                way_out=render(error.way_out, words),
            )
        case Postponed():
            text = say(
                "{api} asks to wait {seconds} s, longer than a run may take: {reason} ({request}). The run has ended; "
                "the next one is tried at {time}.",
                api=_api(error),
                seconds=f"{error.retry_after or 0:.0f}",
                reason=_reason(error, words),
                request=error.request,
                time=_instant(_after(error.retry_after or 0), words),
            )
        case Transient():
            wait = (
                say(" It asks to wait {seconds} s.", seconds=f"{error.retry_after:.0f}")
                if error.retry_after
                else ""
            )
            text = say(
                "{api} is not available now: {reason} ({request}).{wait} Try again later.",
                api=_api(error),
                reason=_reason(error, words),
                request=error.request,
                wait=wait,
            )
        case Unknown():
            text = say(
                "{api} did not say whether it did what was asked ({request}): {reason}. The next run will find out before it does anything again.",
                api=_api(error),
                request=error.request,
                reason=_reason(error, words),
            )
        case Rejected():
            text = say(
                "{api} did not accept {field} ({request}): {reason}",
                api=_api(error),
                field=error.field or say("a request"),
                request=error.request,
                reason=error.detail,
            )
        case Incomplete():
            text = say(
                "Not everything could be read of {scope}: {reason}. Nothing was written.",
                scope=error.scope,
                reason=error.reason,
            )
        case QueueFull():
            text = say(
                "{waiting} requests wait in workspace {workspace} already; this one was not taken. Is a daemon running?",
                waiting=error.waiting,
                workspace=error.workspace,
            )
        case WrongClock():
            text = say(
                CLOCK_FAULTS[error.fault], servers=", ".join(_differences(error, words))
            )
        case Stopped():
            text = say("Asked to end; nothing was written.")
        case _:
            text = str(error)
    return text


def error_data(error: RaylineError, words: Words) -> dict[str, Any]:
    """Return an error as JSON data."""
    problems = error.problems if isinstance(error, ConfigError) else []
    return {
        "error": type(error).__name__,
        "message": explain(error, words),
        "problems": [problem_data(in_words(problem, words)) for problem in problems],
    }


def line(problem: RenderedProblem) -> str:
    """Return a problem as one line: where, field: what; what to do."""
    place = ": ".join(part for part in (problem.where, problem.field) if part)
    hint = f" ({problem.hint})" if problem.hint else ""
    said = f"{place}: {problem.message}" if place else problem.message
    return f"{said}{hint}" + (f" {problem.url}" if problem.url else "")


def _running(error: AlreadyRunning, words: Words) -> str:
    pattern = (
        message(
            "Workspace {workspace} was taken over by another daemon while this one gave no sign of life: "
            "{holder}{since}. This one has ended; leave the other at work, or end it before you start one here."
        )
        if error.is_loss
        else message(
            "Workspace {workspace} has a daemon already: {holder}{since}. Nothing was started; leave it at work "
            "(rayline trigger asks it for a run), or end it first."
        )
    )
    since = (
        words.say(", since {instant}", instant=_instant(error.since, words))
        if error.since
        else ""
    )
    return words.say(
        pattern,
        workspace=error.workspace,
        holder=say_process(error.holder, words),
        since=since,
    )


def say_process(holder: str, words: Words) -> str:
    """Return who holds a lease, as people find it: the process and its host."""
    process = read_owner(holder)
    if process is None:
        return holder
    return words.say("process {pid} on {host}", pid=str(process.pid), host=process.host)


def _differences(error: WrongClock, words: Words) -> Iterator[str]:
    """Yield by how much this machine's clock differs from each server's."""
    for api, ahead in sorted(error.ahead.items()):
        minutes = round(abs(ahead) / timedelta(minutes=1))
        span = words.say(
            "{days} d {hours} h {minutes} min",
            days=minutes // 1440,
            hours=minutes // 60 % 24,
            minutes=minutes % 60,
        )
        pattern = (
            message("{span} behind {api}")
            if ahead > timedelta()
            else message("{span} ahead of {api}")
        )
        yield words.say(pattern, span=span, api=api.capitalize())


def _after(seconds: float) -> datetime:
    """Return the instant in so many seconds, on this machine's clock."""
    return datetime.now().astimezone() + timedelta(seconds=seconds)


def _instant(at: datetime, words: Words) -> str:
    """Return an instant on this machine's clock: no workspace's is known where an error is told."""
    local = at.astimezone()
    return f"{words.date(local.date())}, {local:%H:%M %Z}"


def _api(error: ApiError) -> str:
    return error.api.capitalize()


def _reason(error: ApiError, words: Words) -> str:
    """Return why something failed: what we say of it ourselves is in the catalogue, what a service says is as it said."""
    return words.say(error.detail) if error.detail else ""


def _capabilities(error: ApiError, words: Words) -> str:
    return (
        words.say(": Notion connections need to read, update and insert content")
        if error.api == "notion"
        else ""
    )


def _share(error: ApiError, words: Words) -> str:
    if error.api == "notion":
        return words.say(
            "In Notion open the page, then ••• > Connections, and add Rayline's connection."
        )
    return words.say("Give the account access, or correct {key}.", key="jira.base_url")
