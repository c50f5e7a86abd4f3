"""Whether a storyline comes out as worked out by hand: one judge, for those who watch the demo and for the tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rayline_demo.checks import lost
from rayline_demo.stories.expect import compare
from rayline_demo.stories.play import Lived, Play
from worker.errors import FAULTS


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """A day as it went and how it differs from what was worked out, a line each."""

    lived: Lived
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """The checks of `demo --once` after the last day, and what is wrong then, a line each."""

    checks: Mapping[str, Any]
    differences: tuple[str, ...]


def judge_days(play: Play) -> Iterator[JudgedDay]:
    """Live the days one by one; a day that is lived in several parts is compared after the last of them."""
    last = {day.day: number for number, day in enumerate(play.days)}

    for number, lived in enumerate(play.live()):
        differences = list(_find_failures(lived))
        if number == last[lived.day]:
            for after in play.story.expected:
                if after.day == lived.day:
                    differences += compare(play.editor, after, lived)
        yield JudgedDay(lived, tuple(differences))


def _find_failures(lived: Lived) -> Iterator[str]:
    """Yield what no cycle of a storyline may do: be refused, fail a change, break in a rule or a page."""
    report = lived.report
    if report is None:
        return

    for reason in report.refused:
        yield f"on {lived.day} the plan was refused: {reason.message}"
    for failure in report.applied.failures:
        yield f"on {lived.day} a change failed: {failure}"
    for problem in report.plan.problems:
        if problem.code in FAULTS:
            yield f"on {lived.day} {problem.where}: {problem.message}"


def judge_end(play: Play) -> Ending:
    """Run one unchanged cycle more: it writes nothing, no key has two rows, no work of people is lost, and every day
    that was worked out has been lived."""
    checks = play.check()
    lived = {day.day for day in play.days}

    differences = []
    for after in play.story.expected:
        if after.day not in lived:
            differences.append(f"after {after.day}: the script does not live this day")
    for name in ("third_writes", "duplicates"):
        if checks[name]:
            differences.append(f"at the end: {name} is {checks[name]}")
    for line in lost(play.rig, play.edits):
        differences.append(f"at the end a person's work is lost: {line}")
    return Ending(checks, tuple(differences))
