"""Days in the life of the sample agency: people act by a seeded script, Jira flows, the clock moves, the worker syncs.

Each working day the worker looks at what changed after people acted; on Mondays it looks at everything before they do,
when only the date is new. On quiet days nobody acts and it looks twice, so that the second look must write nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from rayline_demo.activity import ActivityReport, tell
from rayline_demo.agency.generate import generate
from rayline_demo.agency.populate import Scribe, pass_time, populate
from rayline_demo.board import living
from rayline_demo.checks import WANTED, checks, idle_writes, last_entry, lost, writes
from rayline_demo.developers import hire
from rayline_demo.people import People
from rayline_demo.rig import SEED, Rig, make_empty, open_rig
from rayline_demo.scores import score_dates
from rayline_demo.stage import LONG_AGO
from worker.app.build import Progress
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.periods import WorkCalendar, quarter_of
from worker.errors import FAULTS, Stopped
from worker.world.calendar import work_calendar

QUIET = 0.12
MORNING = timedelta(hours=6)
NOON = timedelta(hours=9)
"""UTC times of day of the worker's early look and of people's work."""
LOOK_AFTER = timedelta(minutes=15)
SEASON_WANTED = {**WANTED, "idle_writes": 0, "refused": 0, "failed": 0}


@dataclass(frozen=True, slots=True)
class SeasonOrder:
    """What is asked: language, how many working days from which day, the seed, and who watches."""

    locale: str
    days: int
    start: date
    seed: int = SEED
    stop: Event | None = None
    progress: Progress = lambda phase, done, total: None
    say: Callable[[str], None] = lambda text: None


@dataclass(slots=True)
class Season:
    """Days under way: what was written when nobody had acted, what only the calendar brought, how long it took."""

    rig: Rig
    people: People
    calendar: WorkCalendar
    chronicle: ActivityReport = field(default_factory=ActivityReport)
    lived: list[date] = field(default_factory=list)
    cycles: Counter[str] = field(default_factory=Counter)
    calendar_fields: Counter[str] = field(default_factory=Counter)
    idle_writes: int = 0
    calendar_writes: int = 0
    quiet_days: int = 0
    refused: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)

    def live(self, today: date) -> None:
        """Live one working day."""
        is_quiet = self.people.random.random() < QUIET
        deleted = len(self.people.deeds.trashed)
        if today.weekday() == 0 or is_quiet:
            self._greet(today)
        self._until(today, NOON)
        if not is_quiet:
            self.people.work(today)
            self.people.developers.work(today)
        self.rig.clock.advance(LOOK_AFTER)
        before = last_entry(self.rig)
        # Deleted rows that need no writing are seen by a complete read alone; the daemon's six-hour beat brings one.
        report = self._look(
            today, Mode.FULL if len(self.people.deeds.trashed) > deleted else Mode.DELTA
        )
        if is_quiet:
            self.quiet_days += 1
            self.idle_writes += idle_writes(self.rig, before, report)
            self.idle += [f"{today}: {line}" for line in tell(report)]
        self.lived.append(today)

    def _greet(self, today: date) -> None:
        """Look before anybody acts: what is written now only the calendar brought."""
        self._until(today, MORNING)
        before = last_entry(self.rig)
        report = self._look(today, Mode.FULL if today.weekday() == 0 else Mode.DELTA)
        if self.lived:
            self.calendar_writes += writes(self.rig, before)
            self.calendar_fields.update(
                f"{change.ref.source}.{one.field}"
                for change in report.plan.changes
                for one in change.fields
            )

    def _until(self, today: date, hour: timedelta) -> None:
        at = datetime(today.year, today.month, today.day, tzinfo=UTC) + hour
        self.rig.clock.advance(max(timedelta(), at - self.rig.clock.now()))

    def _look(self, today: date, mode: Mode) -> Report:
        report = sync(self.rig.context, CycleRequest(mode, "schedule"))
        self.cycles[mode.value] += 1
        self.people.deeds.hand_back(report.plan.adopted)
        self.refused += [
            f"{today}: {reason.where}: {reason.message}" for reason in report.refused
        ]
        broken = [problem for problem in report.plan.problems if problem.code in FAULTS]
        self.failed += [
            f"{today}: {problem.where}: {problem.message}"
            for problem in (*report.applied.failures, *broken)
        ]
        self.chronicle.note(today, report)
        return report

    def checks(self) -> dict[str, Any]:
        """Run an unchanged cycle more and return what must be true."""
        before = last_entry(self.rig)
        report = sync(self.rig.context, CycleRequest(Mode.FULL, "unchanged"))
        third_writes = idle_writes(self.rig, before, report)
        results = checks(self.rig, self.people.deeds, third_writes=third_writes)
        return {
            **results,
            "idle_writes": self.idle_writes,
            "refused": len(self.refused),
            "failed": len(self.failed),
        }

    def summary(self) -> dict[str, Any]:
        """Return what happened, counted."""
        return {
            "from": str(self.lived[0]),
            "until": str(self.lived[-1]),
            "quiet_days": self.quiet_days,
            "cycles": dict(self.cycles),
            "people": dict(sorted(self.people.counts.items())),
            "jira": dict(sorted(self.people.developers.counts.items())),
            "worker": dict(sorted(self.chronicle.written.items())),
            "calendar_writes": self.calendar_writes,
            "calendar_fields": dict(self.calendar_fields.most_common()),
            "safe_dates": self._safe_dates(),
        }

    def _safe_dates(self) -> dict[str, Any]:
        stages = self.people.labels["projects", "stage"]
        cards = []
        for card in living(self.rig, "projects"):
            stage = stages.get(card.values["stage"], "")
            cards.append((stage, card.values["forecasts"]))
        return score_dates(cards, self.lived[-1])


def live_days(order: SeasonOrder) -> dict[str, Any]:
    """Live the days and return `days`, `seconds`, `summary`, `stories` and `checks`."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rayline-days-") as folder:
        season = open_season(order, Path(folder))
        try:
            day = season.calendar.add(order.start, 0)
            for number in range(order.days):
                if order.stop is not None and order.stop.is_set():
                    raise Stopped(f"ended before {day}")
                order.progress(str(day), number, order.days)
                season.live(day)
                day = season.calendar.add(day, 1)
            results = season.checks()
            failures = {
                "Lost": lost(season.rig, season.people.deeds),
                "Failed": season.failed,
                "Refused": season.refused,
                "Written although nothing had changed": season.idle,
            }
            for title, lines in failures.items():
                for line in lines:
                    order.say(f"{title}: {line}")
            return {
                "days": order.days,
                "seed": order.seed,
                "seconds": round(time.monotonic() - began, 1),
                "summary": season.summary(),
                "stories": season.chronicle.data(),
                "checks": results,
            }
        finally:
            season.rig.close()


def first_day(now: datetime) -> date:
    """Return the first day of the running quarter, so that sixty-five working days are a whole one."""
    return quarter_of(now.date()).start


def open_season(order: SeasonOrder, folder: Path) -> Season:
    """Return the sample agency at the start of the first day, before the worker has ever looked at it."""
    order.progress("workspace", 0, order.days)
    empty = make_empty(order.locale, folder)
    start = datetime(order.start.year, order.start.month, order.start.day, tzinfo=UTC)
    rig = open_rig(empty, folder, start=start - LONG_AGO, stop=order.stop)
    calendar = work_calendar(
        rig.context.settings.calendar, range(order.start.year - 1, order.start.year + 3)
    )
    order.progress("agency", 0, order.days)
    agency = generate(
        seed=order.seed, now=start, locale=order.locale, calendar=calendar
    )
    cast = populate(
        agency, rig.notion, rig.jira, schema=rig.context.schema, bindings=empty.bindings
    )
    for issue in agency.jira["issues"]:
        if issue["type"] == "Epic":
            rig.epics.add(issue["key"])
    scribe = Scribe(rig.notion, rig.context.schema, empty.bindings, cast.users[0])
    pass_time(agency, cast, scribe, rig.clock, span=LONG_AGO)
    random = Random(order.seed)
    labels = {
        (source, name): {label: key for key, (_, label) in options.items()}
        for source, binding in empty.bindings.items()
        for name, options in binding.options.items()
    }
    people = People(
        rig,
        agency,
        cast,
        scribe,
        random,
        calendar,
        hire(agency, rig, random),
        labels=labels,
    )
    return Season(rig, people, calendar)
