"""A year of the sample agency without requests: its teams and card moves as in `rayline demo --days`, judged by the method.

Issues are kept as the worker would read them from Jira. What the worker does not need for its dates (money, tasks, people's
notes) nobody does, so that a year takes seconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

from msgspec.structs import replace

from rayline_demo.agency.generate import generate
from rayline_demo.agency.model import Agency
from rayline_demo.days import QUIET
from rayline_demo.developers import Developers, hire
from rayline_demo.people import MOVES
from tests.support.worlds import SOURCES, client, unit, world
from worker.config import Holidays
from worker.domain.entities import Card, Category, Client, Issue, Move, Stage, Unit
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref
from worker.method.delivery.progress import measure_progress
from worker.method.hindsight.calibration import keep_score
from worker.world.calendar import work_calendar
from worker.world.memory import Memory
from worker.world.world import World

CATEGORIES = {
    "To Do": Category.NEW,
    "In Progress": Category.ACTIVE,
    "In Review": Category.ACTIVE,
    "Done": Category.DONE,
}
LEVELS = {"Epic": 1, "Sub-task": -1}
SPOKEN = 0.015
"""What a card moves more often a day for the tasks that people do about it."""


@dataclass(slots=True)
class Hands:
    """A clock that is set by hand."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant."""
        return self.instant


@dataclass(slots=True)
class Tracker:
    """Jira as a book of issues, each as the worker reads it; by project, in the order in which they were made."""

    clock: Hands
    issues: dict[str, Issue] = field(default_factory=dict)
    projects: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def load(self, issues: list[dict[str, Any]]) -> None:
        """Take over the issues an agency begins with."""
        for given in issues:
            moves = []
            for change in given.get("history", ()):
                before = CATEGORIES[change["from"]]
                after = CATEGORIES[change["to"]]
                moved = Move(datetime.fromisoformat(change["at"]), before, after)
                moves.append(moved)
            issue = self._add(
                given["project"],
                given["key"],
                given["type"],
                created=datetime.fromisoformat(given["created"]),
                parent=given.get("parent"),
            )
            ended = given.get("resolutiondate")
            self.issues[issue.key] = replace(
                issue,
                status=given["status"],
                category=CATEGORIES[given["status"]],
                updated=datetime.fromisoformat(given["updated"]),
                resolved=datetime.fromisoformat(ended) if ended else None,
                estimate=given.get("estimate"),
                moves=tuple(moves),
            )

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Do an act of the sandbox's control API; who does an issue and who logs time makes no date."""
        now = self.clock.now()
        match action:
            case "create":
                project = payload["project"]
                fields = payload["fields"]
                number = len(self.projects[project]) + 1
                parent = fields.get("parent", {}).get("key")
                kind = fields["issuetype"]["name"]
                key = f"{project}-N{number}"
                self._add(project, key, kind, created=now, parent=parent)
                return {"key": key}
            case "transition":
                self._move(payload["issue"], payload["status"])
            case "edit" | "worklog":
                issue = self.issues[payload["issue"]]
                self.issues[issue.key] = replace(issue, updated=now)
        return {}

    def scope(self, link: str) -> list[Issue]:
        """Return the issues of a card's link: a project, an epic, or epics named in a query."""
        words = link.replace(",", " ").replace("(", " ").replace(")", " ").split()
        inside = {word for word in words if word in self.issues}
        if not inside:
            keys = self.projects[link]
            return [self.issues[key] for key in keys if self.issues[key].level < 1]
        project = next(iter(inside)).partition("-")[0]
        issues = []
        for key in self.projects[project]:
            issue = self.issues[key]
            if issue.parent in inside:
                inside.add(key)
                issues.append(issue)
        return issues

    def _add(
        self,
        project: str,
        key: str,
        kind: str,
        *,
        created: datetime,
        parent: str | None,
    ) -> Issue:
        issue = Issue(
            id=key,
            key=key,
            project=project,
            type=kind,
            level=LEVELS.get(kind, 0),
            status="To Do",
            category=Category.NEW,
            created=created,
            updated=created,
            parent=parent,
        )
        self.issues[key] = issue
        self.projects[project].append(key)
        return issue

    def _move(self, key: str, status: str) -> None:
        issue = self.issues[key]
        now = self.clock.now()
        category = CATEGORIES[status]
        moves = issue.moves
        if category != issue.category:
            moves = (*moves, Move(now, issue.category, category))
        self.issues[key] = replace(
            issue,
            status=status,
            category=category,
            updated=now,
            resolved=now if category == Category.DONE else None,
            moves=moves,
        )


@dataclass(slots=True)
class Desk:
    """What the teams touch."""

    clock: Hands
    jira: Tracker
    epics: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Year:
    """The agency under way: its cards, its teams, and what the worker remembers."""

    agency: Agency
    desk: Desk
    developers: Developers
    random: Random
    calendar: WorkCalendar
    clients: list[Client]
    units: list[Unit]
    cards: dict[Ref, Card]
    memory: Memory = field(default_factory=lambda: Memory(first_run=False))

    def live(self, today: date) -> None:
        """Live one working day."""
        self.desk.clock.instant = datetime.combine(today, time(9), UTC)
        if self.random.random() < QUIET:
            return
        for ref in tuple(self.cards):
            self._work_on(ref, today)
        self.developers.work(today)

    def look(self, today: date) -> World:
        """Let the worker look: return the world it sees, after it has noted what it tells of the cards."""
        seen = self.world(today)
        measured = measure_progress(seen)
        tracks = {**self.memory.tracks, **measured.tracks}
        scored = keep_score(seen, measured.value)
        tracks |= scored.tracks
        self.memory = replace(self.memory, tracks=tracks)
        for fact in scored.facts:
            if fact.field == "forecasts":
                card = self.cards[fact.ref]
                self.cards[fact.ref] = replace(card, forecasts=str(fact.value))
        return replace(self.world(today), memory=self.memory)

    def world(self, today: date) -> World:
        """Return the world as it stands."""
        work = {}
        for ref, card in self.cards.items():
            if card.jira:
                work[ref.key] = self.desk.jira.scope(card.jira)
        return world(
            *self.clients,
            *self.units,
            *self.cards.values(),
            work=work,
            today=today,
            calendar=self.calendar,
            memory=self.memory,
            sources=SOURCES | {"meetings"},
        )

    def _work_on(self, ref: Ref, today: date) -> None:
        card = self.cards[ref]
        stage = card.stage or Stage.IDEA
        for target, odds in MOVES.get(stage.value, ()):
            more = 0.0 if target == "lost" else SPOKEN
            if self.random.random() < odds + more:
                self.cards[ref] = self._moved(card, Stage(target), today)
                return
        if stage is Stage.IN_PROGRESS and card.jira:
            issues = self.desk.jira.scope(card.jira)
            if all(issue.done for issue in issues):
                self.cards[ref] = replace(card, stage=Stage.DONE)

    def _moved(self, card: Card, stage: Stage, today: date) -> Card:
        moved = replace(card, stage=stage)
        if stage is Stage.IN_PROGRESS and card.client is not None:
            due = self.calendar.add(today, self.random.randint(25, 60))
            owner = self.agency.clients[int(card.client.key)]
            count = self.random.randint(12, 30)
            epic = self.developers.begin_epic(owner.project, card.name, count, due)
            return replace(moved, start=today, due=due, jira=epic)
        if stage in (Stage.PROPOSAL, Stage.AGREED) and card.expected_start is None:
            expected = self.calendar.add(today, self.random.randint(10, 40))
            return replace(moved, expected_start=expected)
        return moved


def live_year(seed: int, *, start: date, days: int, every: int) -> World:
    """Return the sample agency after so many working days, on each `every`-th of which the worker looked."""
    calendar = work_calendar(Holidays(), range(start.year - 1, start.year + 3))
    year = _open(seed, start, calendar)
    day = calendar.add(start, 0)
    seen = year.world(day)
    for number in range(days):
        year.live(day)
        is_last = number == days - 1
        if is_last or number % every == 0:
            seen = year.look(day)
        day = calendar.add(day, 1)
    return seen


def _open(seed: int, start: date, calendar: WorkCalendar) -> Year:
    now = datetime.combine(start, time(), UTC)
    agency = generate(seed=seed, now=now, locale="en", calendar=calendar)
    tracker = Tracker(Hands(now))
    tracker.load(agency.jira["issues"])
    desk = Desk(tracker.clock, tracker)
    random = Random(seed)
    clients = []
    for number, given in enumerate(agency.clients):
        team = None
        if given.unit is not None:
            team = Ref("units", str(given.unit))
        one = client(str(number), name=given.name, group=given.group, unit=team)
        clients.append(one)
    units = [unit(str(number), name=name) for number, name in enumerate(agency.units)]
    cards = {}
    for number, sketch in enumerate(agency.cards):
        ref = Ref("projects", str(number))
        cards[ref] = Card(
            ref,
            name=sketch.name,
            client=Ref("clients", str(sketch.client)),
            stage=Stage(sketch.stage),
            service=Ref("services", str(sketch.service)),
            start=sketch.start,
            due=sketch.due,
            expected_start=sketch.expected_start,
            jira=sketch.jira,
        )
    developers = hire(agency, desk, random)
    return Year(agency, desk, developers, random, calendar, clients, units, cards)
