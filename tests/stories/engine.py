"""Plays storylines on copies of prepared workspaces and says how the boards differ from the hand calculation."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from rayline_demo.rig import Empty, make_empty
from rayline_demo.stories.judge import judge_days, judge_end
from rayline_demo.stories.play import open_play
from rayline_demo.stories.script import load_story
from worker.app import logs


@cache
def empty_workspace(locale: str) -> Empty:
    """Return an empty workspace of a locale, made once a session."""
    logs.configure(level="ERROR")
    with tempfile.TemporaryDirectory(prefix="rayline-empty-") as folder:
        return make_empty(locale, Path(folder))


def play(folder: Path, *, locale: str, state: Path) -> list[str]:
    """Live a storyline and return every difference from what is expected, one line each."""
    scene = open_play(load_story(folder), empty_workspace(locale), state)
    try:
        found = [line for day in judge_days(scene) for line in day.differences]
        return [*found, *judge_end(scene).differences]
    finally:
        scene.rig.close()
