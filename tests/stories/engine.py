"""Plays storylines on copies of prepared workspaces and says how the boards differ from the hand calculation."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from rayline_demo.checks import lost
from rayline_demo.rig import Empty, make_empty
from rayline_demo.stories.expect import compare
from rayline_demo.stories.play import Play, open_play
from rayline_demo.stories.script import Story, find_stories, load_story
from worker.app import logs
from worker.errors import FAULTS


@cache
def empty_workspace(locale: str) -> Empty:
    """Return an empty workspace of a locale, made once a session."""
    logs.configure(level="ERROR")
    with tempfile.TemporaryDirectory(prefix="rayline-empty-") as folder:
        return make_empty(locale, Path(folder))


def folders() -> list[Path]:
    """Return every storyline's folder."""
    return find_stories()


def play(folder: Path, *, locale: str, state: Path) -> list[str]:
    """Live a storyline and return every difference from what is expected, one line each."""
    story = load_story(folder)
    scene = open_play(story, empty_workspace(locale), state)
    try:
        return [*_live(story, scene), *_ending(scene)]
    finally:
        scene.rig.close()


def _live(story: Story, scene: Play) -> list[str]:
    wanted: dict[date, list[Any]] = defaultdict(list)
    for after in story.expected:
        wanted[after["date"]].append(after)
    found: list[str] = []
    last = {day.day: index for index, day in enumerate(scene.days)}
    for index, lived in enumerate(scene.live()):
        if lived.report and lived.report.refused:
            found.append(
                f"on {lived.day} the plan was refused: {lived.report.refused[0].message}"
            )
        if lived.report and lived.report.applied.failures:
            found.append(
                f"on {lived.day} a change failed: {lived.report.applied.failures[0]}"
            )
        failed = (
            [one for one in lived.report.plan.problems if one.code in FAULTS]
            if lived.report
            else []
        )
        found += [
            f"on {lived.day} {problem.where}: {problem.message}" for problem in failed
        ]
        for after in wanted.pop(lived.day, ()) if last[lived.day] == index else ():
            found += compare(scene.typist, after, lived)
    return found + [f"after {day}: the script does not live this day" for day in wanted]


def _ending(scene: Play) -> list[str]:
    """Return what the checks of every storyline say: an unchanged cycle writes nothing, nothing twice, nothing lost."""
    checked = scene.check()
    found = [
        f"at the end: {name} is {checked[name]}"
        for name in ("third_writes", "duplicates")
        if checked[name]
    ]
    return found + [
        f"at the end a person's work is lost: {line}"
        for line in lost(scene.rig, scene.deeds)
    ]
