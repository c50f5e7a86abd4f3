"""Nine months of Jira work: projects, epics, issues with history, estimates and worklogs that match the people.

Shapes are those of the Jira sandbox's `load`. Everything happens on working days in office hours, nobody logs more than
nine hours a day, nothing is done before it was begun, and nothing lies in the future.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from rayline_demo.agency.names import BUGS, EPICS, FEATURES, WORKS
from rayline_demo.agency.speech import Speech
from worker.domain.periods import WorkCalendar

OFFICE = ZoneInfo("Europe/Moscow")
DAILY_LIMIT = 9 * 3600
FULL_WEEK = 40
PIECE = 8 * 3600
LATEST = 6
"""Calls, reviews and small help are logged on one of so many items that somebody has begun last."""
LEAST = 1800
EVENLY = 0.618034
"""Steps of the golden section, after which no share of the days is far from what it should be."""
MONTHS = 9
STATUSES = ("To Do", "In Progress", "In Review", "Done")


@dataclass(frozen=True, slots=True)
class Flow:
    """How a project behaves: `issues` in all, `done` their share by today, `growth` the share of the last 4 weeks,
    shares of `reopened` and `bugs`, `idle` days since anybody touched it, `ahead` days by which work is known before its
    turn comes."""

    key: str
    name: str
    issues: int
    done: float
    growth: float = 0.05
    reopened: float = 0.03
    bugs: float = 0.18
    idle: int = 0
    months: int = MONTHS
    epics: int = 5
    due_in: int | None = 45
    ahead: int = 0

    def left(self, now: datetime) -> date:
        """Return the day from which on nobody touched it."""
        return (now - timedelta(days=self.idle)).date()


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who works on projects: contract hours a week, rate, first day, and the share of days they log."""

    account: str
    capacity: int
    rate: int
    start: date
    logs: float


@dataclass(slots=True)
class Tracker:
    """Generates the Jira side; `team` gives the accounts that work on a project, `hands` tells of each of them."""

    hands: Mapping[str, Hand]
    random: Random
    speech: Speech
    calendar: WorkCalendar
    now: datetime
    logged: dict[tuple[str, date], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    issues: list[dict[str, Any]] = field(default_factory=list)

    def project(self, flow: Flow, team: Sequence[str]) -> None:
        """Add one project's epics and issues."""
        numbers = iter(range(1, 10_000))
        start = self.now - timedelta(days=30 * flow.months)
        epics = [
            self._epic(flow, next(numbers), index, start) for index in range(flow.epics)
        ]
        for ordinal in range(flow.issues):
            is_new = ordinal >= flow.issues * (1 - flow.growth)
            ready = (
                self._instant(start, ordinal, flow)
                if not is_new
                else self._recently(26)
            )
            created = ready if is_new else self._known(ready, flow, start)
            issue = self._issue(
                flow, next(numbers), created, self.random.choice(epics)["key"]
            )
            wants_done = self.random.random() < (
                0.15 if is_new else flow.done / (1 - flow.growth)
            )
            self._live(issue, ready, flow, team, wants_done=wants_done)
            self.issues.append(issue)
            if issue["type"] == "Story" and self.random.random() < 0.12:
                self._subtasks(flow, issue, numbers, ready, team)

    def promise(self, flow: Flow, team: Sequence[str]) -> None:
        """Add a project whose whole scope is known at its start and worked off evenly, as for a fixed price."""
        numbers = iter(range(1, 10_000))
        start = self.now - timedelta(days=30 * flow.months)
        epics = [
            self._epic(flow, next(numbers), index, start) for index in range(flow.epics)
        ]
        whole = (self.now - start) / flow.done
        for ordinal in range(flow.issues):
            created = self._office(start + timedelta(days=1))
            parent = epics[ordinal % len(epics)]["key"]
            issue = self._issue(flow, next(numbers), created, parent)
            issue["estimate"] = PIECE
            self.issues.append(issue)
            begun = self._office(start + whole * ordinal / flow.issues)
            if begun < self.now - timedelta(days=1):
                ended = self._office(begun + timedelta(days=3))
                self._carry_out(issue, begun, ended, team)

    def _carry_out(
        self,
        issue: dict[str, Any],
        begun: datetime,
        ended: datetime,
        team: Sequence[str],
    ) -> None:
        issue["assignee"] = self.random.choice(team)
        self._move(issue, begun, "In Progress")
        last = self.now - timedelta(hours=1)
        if ended < last:
            self._move(issue, begun + (ended - begun) * 0.8, "In Review")
            self._move(issue, ended, "Done")
        self._log(issue, begun, min(ended, last))

    def plan(self, teams: Mapping[str, Sequence[str]], *, seed: int) -> None:
        """Give the open issues of each project to its team, as a planned sprint does; some stay nobody's."""
        random = Random(seed)
        for issue in self.issues:
            team = teams.get(issue["project"], ())
            is_free = (
                issue["status"] == "To Do"
                and issue["type"] != "Epic"
                and not issue.get("assignee")
            )
            if is_free and team and random.random() < 0.8:
                issue["assignee"] = random.choice(team)

    def fill_days(
        self,
        teams: Mapping[str, Sequence[str]],
        flows: Mapping[str, Flow],
        *,
        shares: Mapping[str, int],
        seed: int,
    ) -> None:
        """Log what calls, reviews and small help take of the days; of somebody with several projects by `shares`."""
        random = Random(seed)
        begun = self._begun()
        accounts = {account for team in teams.values() for account in team}
        days = list(self._days())

        for account in sorted(accounts):
            mine = [project for project, team in teams.items() if account in team]
            place = random.random()
            for day in days:
                place = (place + EVENLY) % 1
                touched = [
                    project for project in mine if day < flows[project].left(self.now)
                ]
                project = _drawn(touched, shares, place)
                seconds = self._left(account, day, random)
                items = begun.get((account, project), [])
                known = [item for first, item in items if first < day]
                if known and seconds >= LEAST:
                    issue = random.choice(known[-LATEST:])
                    self._add_log(issue, account, day, seconds)

    def worth(self, scope: str) -> dict[date, Decimal]:
        """Return by month what the hours of a project or of an epic are worth at the rates of who logged them."""
        worth: dict[date, Decimal] = defaultdict(Decimal)
        for issue in self._inside(scope):
            for log in issue.get("worklogs", ()):
                day = date.fromisoformat(log["started"][:10])
                month = day.replace(day=1)
                rate = self.hands[log["author"]].rate
                worth[month] += Decimal(log["seconds"]) / 3600 * rate
        return worth

    def done_until(self, scope: str, day: date) -> Decimal:
        """Return the share of a scope's items that was done by the end of a day."""
        items = [issue for issue in self._inside(scope) if issue["type"] != "Epic"]
        done = [
            issue
            for issue in items
            if issue["status"] == "Done"
            and issue["resolutiondate"][:10] <= day.isoformat()
        ]
        return Decimal(len(done)) / len(items)

    def _inside(self, scope: str) -> list[dict[str, Any]]:
        """Return the issues of a project, or of an epic with what is below it."""
        inside = {scope}
        issues = []
        # Parents stand before their children.
        for issue in self.issues:
            parent = issue.get("parent")
            if issue["project"] == scope or inside & {issue["key"], parent}:
                inside.add(issue["key"])
                issues.append(issue)
        return issues

    def _begun(self) -> dict[tuple[str, str], list[tuple[date, dict[str, Any]]]]:
        """Return what everybody has begun in each project, oldest first, with the day."""
        begun = defaultdict(list)
        for issue in self.issues:
            if issue.get("assignee") and issue.get("history"):
                first = date.fromisoformat(issue["history"][0]["at"][:10])
                begun[issue["assignee"], issue["project"]].append((first, issue))
        for items in begun.values():
            items.sort(key=lambda pair: (pair[0], pair[1]["key"]))
        return begun

    def _days(self) -> Iterator[date]:
        """Yield the working days of nine months, up to yesterday."""
        for back in range(MONTHS * 30, 0, -1):
            day = self.now.date() - timedelta(days=back)
            if self.calendar.is_working(day):
                yield day

    def _left(self, account: str, day: date, random: Random) -> int:
        """Return the seconds of a day that somebody still logs on small things; 0 when they forget it."""
        hand = self.hands[account]
        whole = random.randint(26, 31) * 900 * hand.capacity // FULL_WEEK
        forgets = random.random() >= hand.logs
        if forgets or day < hand.start:
            return 0
        return (whole - self.logged[account, day]) // 900 * 900

    def _add_log(
        self, issue: dict[str, Any], account: str, day: date, seconds: int
    ) -> None:
        started = _text(datetime.combine(day, time(10), OFFICE))
        issue["worklogs"].append(
            {"author": account, "started": started, "seconds": seconds}
        )
        issue["updated"] = max(issue["updated"], started)
        self.logged[account, day] += seconds

    def _epic(
        self, flow: Flow, number: int, index: int, start: datetime
    ) -> dict[str, Any]:
        due = (
            None
            if flow.due_in is None
            else (self.now + timedelta(days=flow.due_in + 12 * index)).date()
        )
        epic = {
            "key": f"{flow.key}-{number}",
            "project": flow.key,
            "type": "Epic",
            "status": "In Progress",
            "summary": f"{self.speech(EPICS[index % len(EPICS)])} · {flow.name}",
            "created": _text(start),
            "updated": _text(start + timedelta(days=3)),
            "duedate": due.isoformat() if due else None,
        }
        self.issues.append(epic)
        return epic

    def _issue(
        self, flow: Flow, number: int, created: datetime, parent: str
    ) -> dict[str, Any]:
        is_bug = self.random.random() < flow.bugs
        feature = self.speech(self.random.choice(FEATURES))
        summary = (
            f"{feature}: {self.speech(self.random.choice(BUGS))}"
            if is_bug
            else f"{self.speech(self.random.choice(WORKS))}: {feature}"
        )
        estimate = (
            None
            if self.random.random() < 0.08
            else self.random.choice((2, 3, 4, 6, 8, 8, 12, 16)) * 3600
        )
        return {
            "key": f"{flow.key}-{number}",
            "project": flow.key,
            "type": "Bug" if is_bug else self.random.choice(("Story", "Task", "Task")),
            "summary": summary,
            "parent": parent,
            "status": "To Do",
            "created": _text(created),
            "updated": _text(created),
            "estimate": estimate,
            "labels": [],
            "history": [],
            "worklogs": [],
        }

    def _subtasks(
        self,
        flow: Flow,
        story: dict[str, Any],
        numbers: Iterator[int],
        created: datetime,
        team: Sequence[str],
    ) -> None:
        for _ in range(self.random.randint(1, 3)):
            issue = self._issue(
                flow, next(numbers), created + timedelta(hours=2), story["key"]
            )
            issue["type"] = "Sub-task"
            self._live(
                issue,
                created + timedelta(hours=2),
                flow,
                team,
                wants_done=story["status"] == "Done",
            )
            self.issues.append(issue)

    def _live(
        self,
        issue: dict[str, Any],
        ready: datetime,
        flow: Flow,
        team: Sequence[str],
        *,
        wants_done: bool,
    ) -> None:
        """Let an issue go through its states up to the last day anybody touched the project."""
        last = self.now - timedelta(days=flow.idle, hours=1)
        queue = self.random.expovariate(1 / 9)
        begun = self._office(ready + timedelta(days=queue))
        if not wants_done:
            if self.random.random() < 0.72:
                return
            begun = max(
                begun, self._office(last - timedelta(days=self.random.randint(1, 8)))
            )
        if begun >= last:
            return
        issue["assignee"] = self.random.choice(team)
        ended = self._office(
            begun + timedelta(days=1 + self.random.expovariate(1 / 4.5))
        )
        self._move(issue, begun, "In Progress")
        if wants_done and ended < last:
            self._move(issue, begun + (ended - begun) * 0.8, "In Review")
            self._move(issue, ended, "Done")
            if (
                self.random.random() < flow.reopened
                and ended + timedelta(days=4) < last
            ):
                self._reopen(issue, ended, last)
        elif wants_done:
            ended = last
        else:
            ended = min(ended, last)
            issue["flagged"] = self.random.random() < 0.08
            if self.random.random() < 0.3:
                issue["duedate"] = (
                    (self.now + timedelta(days=self.random.randint(-12, 40)))
                    .date()
                    .isoformat()
                )
        self._log(issue, begun, ended)

    def _reopen(self, issue: dict[str, Any], ended: datetime, last: datetime) -> None:
        again = self._office(ended + timedelta(days=2))
        closed = self._office(again + timedelta(days=2))
        if closed < last:
            self._move(issue, again, "In Progress")
            self._move(issue, closed, "Done")

    def _move(self, issue: dict[str, Any], at: datetime, status: str) -> None:
        issue["history"].append(
            {"at": _text(at), "field": "status", "from": issue["status"], "to": status}
        )
        issue["status"] = status
        issue["updated"] = max(issue["updated"], _text(at))
        issue["resolutiondate"] = _text(at) if status == "Done" else None

    def _log(self, issue: dict[str, Any], begun: datetime, ended: datetime) -> None:
        wanted = int((issue["estimate"] or 4 * 3600) * self.random.uniform(0.6, 1.5))
        day = begun.date()
        while wanted > 0 and day <= ended.date():
            key = (issue["assignee"], day)
            limit = DAILY_LIMIT * self.hands[key[0]].capacity // FULL_WEEK
            free = min(limit - self.logged[key], 6 * 3600)
            if self.calendar.is_working(day) and free >= 1800:
                seconds = min(wanted, free) // 900 * 900
                started = datetime.combine(
                    day, time(10 + self.random.randint(0, 5), 0), OFFICE
                ).astimezone(UTC)
                if seconds and begun - timedelta(hours=12) <= started <= self.now:
                    issue["worklogs"].append(
                        {
                            "author": issue["assignee"],
                            "started": _text(started),
                            "seconds": seconds,
                        }
                    )
                    self.logged[key] += seconds
                    wanted -= seconds
            day += timedelta(days=1)
        if issue["worklogs"]:
            issue["updated"] = max(issue["updated"], issue["worklogs"][-1]["started"])

    def _instant(self, start: datetime, ordinal: int, flow: Flow) -> datetime:
        span = self.now - timedelta(days=max(flow.idle + 8, 24)) - start
        share = min(1.0, max(0.0, (ordinal + self.random.uniform(-6, 6)) / flow.issues))
        return self._office(start + span * share)

    def _known(self, ready: datetime, flow: Flow, start: datetime) -> datetime:
        """Return when work was written down that is ready to be begun at an instant: at the same hour of a day before."""
        local = ready.astimezone(OFFICE)
        asked = local.date() - timedelta(days=flow.ahead)
        day = self.calendar.add(max(asked, start.date()), 0)
        written = datetime.combine(day, local.timetz())
        return min(written.astimezone(UTC), ready)

    def _recently(self, days: int) -> datetime:
        return self._office(self.now - timedelta(days=self.random.uniform(2, days)))

    def _office(self, at: datetime) -> datetime:
        """Return the first office minute at or after an instant, but never one in the future."""
        local = at.astimezone(OFFICE)
        day = self.calendar.add(local.date(), 0)
        hour = (
            min(max(local.hour, 10), 18)
            if day == local.date()
            else 10 + self.random.randint(0, 7)
        )
        moved = datetime.combine(
            day,
            time(hour, self.random.randint(0, 59), self.random.randint(0, 59)),
            OFFICE,
        )
        return min(
            moved.astimezone(UTC),
            self.now - timedelta(minutes=self.random.randint(20, 90)),
        )


def _drawn(projects: Sequence[str], shares: Mapping[str, int], place: float) -> str:
    """Return the project at a place from 0 to 1 along the shares of all."""
    whole = sum(shares[project] for project in projects)
    upto = 0
    for project in projects:
        upto += shares[project]
        if place * whole < upto:
            return project
    return projects[-1]


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
