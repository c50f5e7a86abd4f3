"""Living a storyline day by day: people act, a quarter of an hour passes, the worker runs its real cycle."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rayline_demo.acts import HumanEdits
from rayline_demo.checks import checks, idle_writes, last_entry, writes
from rayline_demo.rig import Empty, Rig, open_rig
from rayline_demo.stories.acts import do_act
from rayline_demo.stories.editor import StoryEditor
from rayline_demo.stories.script import MORNING, Day, Story
from rayline_demo.stories.world import at_local, type_world
from worker.app.build import Progress
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.world.calendar import work_calendar

QUARTER_OF_AN_HOUR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Lived:
    """One day as it went: what people did, what the worker answered (None: it did not run), how many writes it made."""

    day: date
    told: tuple[str, ...]
    report: Report | None
    writes: int


@dataclass(slots=True)
class Play:
    """A storyline under way."""

    story: Story
    rig: Rig
    editor: StoryEditor
    days: list[Day]
    edits: HumanEdits = field(default_factory=HumanEdits)

    def live(self) -> Iterator[Lived]:
        """Live the days one by one, yielding each when it is over."""
        for day in self.days:
            yield self._live(day)

    def _live(self, day: Day) -> Lived:
        rig = self.rig
        zone = rig.context.settings.time_zone
        start = at_local(day.day, day.at, zone)
        if start > rig.clock.now():
            rig.clock.advance(start - rig.clock.now())

        told_before = len(self.edits.told)
        for act in day.acts:
            do_act(self.editor, act, self.edits)
        rig.clock.advance(QUARTER_OF_AN_HOUR)

        before = last_entry(rig)
        report = None
        if day.sync != "none":
            request = CycleRequest(Mode(day.sync), "story")
            report = sync(rig.context, request)
            self.edits.hand_back(report.plan.adopted)
        told = self.edits.told[told_before:]
        return Lived(day.day, tuple(told), report, writes(rig, before))

    def check(self) -> dict[str, Any]:
        """Run an unchanged cycle more and return the checks of `demo --once`."""
        before = last_entry(self.rig)
        report = sync(self.rig.context, CycleRequest(Mode.FULL, "unchanged"))
        third_writes = idle_writes(self.rig, before, report)
        return checks(self.rig, self.edits, third_writes=third_writes)


def open_play(
    story: Story,
    empty: Empty,
    folder: Path,
    *,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Play:
    """Return a storyline ready to be lived on a copy of an empty workspace; its world was typed on its first day."""
    zone = story.settings.get("time_zone", "Europe/Moscow")
    rig = open_rig(
        empty,
        folder,
        start=at_local(story.start, MORNING, zone),
        settings=story.settings,
        stop=stop,
        progress=progress,
    )
    year = story.start.year
    years = range(year - 1, year + 3)
    calendar = work_calendar(rig.context.settings.calendar, years)
    editor = StoryEditor(rig, empty.locale, empty.bindings)
    type_world(story, editor, calendar)
    return Play(story, rig, editor, story.script(calendar))
