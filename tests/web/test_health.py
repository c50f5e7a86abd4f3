"""The colour of a workspace: the worst of last run, freshness and checks; amber while a retry is due; unknown never green."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.english import english
from worker.config import Schedule
from worker.daemon.standing import Standing
from worker.errors import RenderedProblem, Severity
from worker.state.pauses import Pause
from worker.state.runs import Run, RunStatus
from worker.web.health import Light, judge, pause_sign, worst

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SCHEDULE = Schedule(delta=300)
DONE, FAILED = RunStatus.DONE, RunStatus.FAILED
REFUSED, RUNNING = RunStatus.REFUSED, RunStatus.RUNNING


def problem(severity: Severity, text: str = "it is so") -> RenderedProblem:
    return RenderedProblem(
        code="x", where="here", field="", message=text, severity=severity
    )


def standing(
    *statuses: RunStatus,
    age: float | None = 1,
    problems: dict[RenderedProblem, datetime] | None = None,
) -> Standing:
    """Return a workspace whose newest run is named first, last read well so many minutes ago."""
    latest = tuple(
        Run(
            100 - place,
            "delta",
            NOW - (place + 2) * MINUTE,
            None if status is RUNNING else NOW - (place + 1) * MINUTE,
            status,
        )
        for place, status in enumerate(statuses)
    )
    return Standing(
        workspace="studio",
        now=NOW,
        latest=latest,
        success={"delta": None if age is None else NOW - age * MINUTE, "full": None},
        next={"delta": NOW},
        holder=None,
        waiting=(),
        unsettled=(),
        problems=problems or {},
        requests={},
    )


@pytest.mark.parametrize(
    ("statuses", "light", "action"),
    [
        ((), Light.GREY, "sync"),
        ((RUNNING,), Light.GREY, "sync"),
        ((DONE,), Light.GREEN, ""),
        ((RUNNING, DONE), Light.GREEN, ""),
        ((FAILED,), Light.AMBER, "runs/100"),
        ((FAILED, DONE), Light.AMBER, "runs/100"),
        ((RUNNING, FAILED, FAILED), Light.AMBER, "runs/99"),
        ((FAILED, FAILED, FAILED), Light.RED, "runs/100"),
        ((RUNNING, FAILED, FAILED, FAILED, DONE), Light.RED, "runs/99"),
        ((DONE, FAILED, FAILED, FAILED), Light.GREEN, ""),
        ((REFUSED, DONE), Light.RED, "runs/100"),
        ((FAILED, REFUSED, FAILED, FAILED), Light.AMBER, "runs/100"),
    ],
)
def test_the_last_run_gives_the_colour_and_the_way_out(
    statuses: tuple[RunStatus, ...], light: Light, action: str
) -> None:
    sync = judge(standing(*statuses), SCHEDULE).sync
    assert (sync.light, sync.action) == (light, action)
    assert bool(sync.advice) == (light is not Light.GREEN)


@pytest.mark.parametrize(
    ("minutes", "light"),
    [
        (0, Light.GREEN),
        (15, Light.GREEN),
        (15.1, Light.AMBER),
        (60, Light.AMBER),
        (60.1, Light.RED),
        (100_000, Light.RED),
        (None, Light.GREY),
    ],
)
def test_what_was_read_long_ago_is_late(minutes: float | None, light: Light) -> None:
    sync = judge(standing(DONE, age=minutes), SCHEDULE).sync
    assert sync.light is light


@pytest.mark.parametrize(
    ("severities", "light", "says"),
    [
        ((), Light.GREEN, "no check complains"),
        ((Severity.INFO,), Light.GREEN, "no check complains"),
        ((Severity.WARNING, Severity.INFO), Light.AMBER, "warnings that stand: 1"),
        ((Severity.WARNING, Severity.ERROR), Light.RED, "errors that stand: 1"),
    ],
)
def test_the_worst_problem_gives_the_colour_of_the_checks(
    severities: tuple[Severity, ...], light: Light, says: str
) -> None:
    problems = {problem(each): NOW - MINUTE for each in severities}
    checks = judge(standing(DONE, problems=problems), SCHEDULE).checks
    assert (checks.light, english(checks.reason)) == (light, says)


def test_a_problem_counts_from_the_oldest_and_not_while_it_sleeps() -> None:
    old, young = problem(Severity.ERROR, "old"), problem(Severity.ERROR, "young")
    seen = standing(DONE, problems={young: NOW - MINUTE, old: NOW - 9 * MINUTE})
    assert judge(seen, SCHEDULE).checks.since == NOW - 9 * MINUTE
    half = judge(seen, SCHEDULE, snoozed=lambda one: one == old).checks
    assert (half.light, half.since) == (Light.RED, NOW - MINUTE)
    assert judge(seen, SCHEDULE, snoozed=lambda one: True).light is Light.GREEN


def test_what_nobody_knows_is_never_fine() -> None:
    health = judge(standing(age=None), SCHEDULE)
    assert health.light is Light.GREY
    assert health.checks.light is Light.GREY


def test_a_pause_is_told_in_the_place_of_lateness() -> None:
    pause = Pause("anna", NOW - MINUTE, reason="moving house")
    sign = pause_sign(pause)
    health = judge(standing(FAILED, age=10_000), SCHEDULE, pause=sign)
    assert health.sync.light is Light.GREY
    assert english(health.sync.reason) == "paused by anna: moving house"
    assert pause_sign(None) is None


def test_of_two_signs_the_worse_is_told() -> None:
    signs = [judge(standing(*each), SCHEDULE).sync for each in ((DONE,), (FAILED,))]
    assert worst(*signs) == worst(*signs[::-1]) == signs[1]
