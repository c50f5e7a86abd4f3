"""Nothing is kept of a run whose clock is wrong: looked at before the state is written, and before Notion is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import timedelta
from typing import TypeVar

from worker.cycle.context import Context
from worker.domain.messages import literal, tell
from worker.errors import ApiError, Code, Problem, WrongClock

T = TypeVar("T")


def with_right_clock(context: Context, act: Callable[[Context], T]) -> T:
    """Return what `act` returns, which gets a context that keeps nothing while the clock seems wrong.

    When only one server told so, the other is asked before anybody is believed, and `act` begins again if it was the
    server. Raises `WrongClock`.
    """
    clocks = context.clocks
    clocks.restart()
    watched = renew(context, store=context.store.guarded(lambda tx: clocks.check()))
    try:
        done = act(watched)
        clocks.check()
    except WrongClock:
        if len(clocks.skews()) != 1:
            raise
        _ask_the_other(context)
        clocks.check()
        done = act(watched)
        clocks.check()
    return done


def _ask_the_other(context: Context) -> None:
    """Have the server answer that has not told yet what time it is there; one that is away tells nothing."""
    with suppress(ApiError):
        if "jira" in context.clocks.skews():
            context.notion.me()
        else:
            context.jira.projects()


def odd_clock(context: Context) -> tuple[Problem, ...]:
    """Return what is told of a server whose clock is wrong, while ours agrees with the other's."""
    odd = context.clocks.odd_server()
    if odd is None:
        return ()
    api, skew = odd
    problem = Problem(
        code=Code.SERVER_CLOCK,
        where=literal(api.capitalize()),
        message=tell(
            "its clock is {minutes} minutes off; this machine agrees with the other service",
            minutes=f"{skew / timedelta(minutes=1):+.0f}",
        ),
        hint=tell("have its administrator set the clock; times it gives are wrong"),
    )
    return (problem,)
