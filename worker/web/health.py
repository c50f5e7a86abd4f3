"""How well a workspace is, on two axes: in sync (runs and freshness) and healthy (what the checks found).

Health is the worst of what is seen; a failure is amber while a retry is due. Each colour says why, since when, and one
thing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from worker.config import Schedule
from worker.daemon.maintenance import Window
from worker.daemon.standing import Standing
from worker.domain.messages import NOTHING, Text, tell
from worker.errors import RenderedProblem, Severity
from worker.state.pauses import Pause
from worker.state.runs import Run, RunStatus

MOST_FAILURES = 3
"""So many failures in a row are no accident that a retry mends."""
LATE, VERY_LATE = 3, 12
"""Data is late after so many beats without a good run."""


class Light(StrEnum):
    """A colour; the worse, the later: what is not known is not fine."""

    GREEN = "green"
    GREY = "grey"
    AMBER = "amber"
    RED = "red"


class Sign(msgspec.Struct, frozen=True):
    """One colour with its reason, the instant since which it is so, and what to do: `action` names the page that helps."""

    light: Light
    reason: Text
    since: datetime | None = None
    advice: Text = NOTHING
    action: str = ""


class Health(msgspec.Struct, frozen=True):
    """Both axes of a workspace."""

    sync: Sign
    checks: Sign

    @property
    def light(self) -> Light:
        """Return the worse of both."""
        return worst(self.sync, self.checks).light


def worst(*signs: Sign) -> Sign:
    """Return the sign of the worst colour, the first of equals."""
    return max(signs, key=lambda sign: list(Light).index(sign.light))


def judge(
    standing: Standing,
    schedule: Schedule,
    *,
    snoozed: Callable[[RenderedProblem], bool] = lambda problem: False,
    pause: Sign | None = None,
) -> Health:
    """Return how well a workspace is; a pause is told in the place of lateness, problems asleep count for nothing."""
    seen = {
        problem: since
        for problem, since in standing.problems.items()
        if not snoozed(problem)
    }
    sync = worst(_last_run(standing), _freshness(standing, schedule))
    return Health(pause or sync, _checks(seen, _last_ended(standing)))


def _last_ended(standing: Standing) -> Run | None:
    return next((run for run in standing.latest if run.ended is not None), None)


def _last_run(standing: Standing) -> Sign:
    ended = _last_ended(standing)
    if ended is None:
        return Sign(
            Light.GREY,
            tell("no run has ended yet"),
            advice=tell("Ask for a run, or wait for the daemon's first."),
            action="sync",
        )
    match ended.status:
        case RunStatus.REFUSED:
            return Sign(
                Light.RED,
                tell("the last plan was refused"),
                ended.ended,
                tell("Read why, and apply the plan if it is meant."),
                f"runs/{ended.id}",
            )
        case RunStatus.FAILED:
            return _failed(standing, ended)
    return Sign(Light.GREEN, tell("the last run ended well"), ended.ended)


def _failed(standing: Standing, run: Run) -> Sign:
    count = standing.failures
    is_red = count >= MOST_FAILURES
    return Sign(
        Light.RED if is_red else Light.AMBER,
        tell("runs that failed in a row: {number}", number=count)
        if is_red
        else tell("the last run failed; the next one tries again"),
        run.ended,
        tell("Read what went wrong."),
        f"runs/{run.id}",
    )


def _freshness(standing: Standing, schedule: Schedule) -> Sign:
    fresh = standing.fresh
    if fresh is None:
        return Sign(Light.GREY, tell("nothing was read yet"))
    age = standing.now - fresh
    beat = timedelta(seconds=schedule.delta)
    for light, beats in ((Light.RED, VERY_LATE), (Light.AMBER, LATE)):
        if age > beats * beat:
            return Sign(
                light,
                tell(
                    "scheduled runs missed without a good one: {number}",
                    number=int(age / beat),
                ),
                fresh,
                tell("See whether the daemon runs, or ask for a run."),
                "sync",
            )
    return Sign(Light.GREEN, tell("both systems were read lately"), fresh)


def pause_sign(pause: Pause | None) -> Sign | None:
    """Return the sign of a pause: a workspace that is left alone on purpose is not late."""
    if pause is None:
        return None
    return Sign(
        Light.GREY,
        tell("paused by {who}: {reason}", who=pause.by, reason=pause.reason)
        if pause.reason
        else tell("paused by {who}", who=pause.by),
        pause.since,
        tell("Let it go on when the work is done."),
        "pause",
    )


def window_sign(window: Window | None) -> Sign | None:
    """Return the sign of a window of maintenance."""
    if window is None:
        return None
    return Sign(
        Light.GREY,
        tell("maintenance: {reason}", reason=window.reason)
        if window.reason
        else tell("maintenance"),
        window.start,
        tell("It goes on by itself; who asks for a run now gets it."),
    )


COLOURS = {Severity.ERROR: Light.RED, Severity.WARNING: Light.AMBER}


def _checks(seen: Mapping[RenderedProblem, datetime], last: Run | None) -> Sign:
    if last is None:
        return Sign(Light.GREY, tell("nothing was checked yet"))
    for severity, light in COLOURS.items():
        times = [
            since for problem, since in seen.items() if problem.severity is severity
        ]
        if times:
            return Sign(
                light,
                tell("errors that stand: {number}", number=len(times))
                if severity is Severity.ERROR
                else tell("warnings that stand: {number}", number=len(times)),
                min(times),
                tell("Mend them where they are, or put them to sleep."),
                "problems",
            )
    return Sign(Light.GREEN, tell("no check complains"))
