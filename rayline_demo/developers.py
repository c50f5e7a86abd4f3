"""The delivery side of a lived agency: every working day issues are begun, finished, reopened, asked for and logged.

What stands in Jira is remembered here from the load on, so that a day costs only what changes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Protocol

from rayline_demo.agency.model import Agency

TO_DO, ACTIVE, REVIEW, DONE = "To Do", "In Progress", "In Review", "Done"
PACE = 0.33
"""Issues one pair of hands finishes a day; a person carries at most two at once."""
REOPENED, GROWTH, IDLE_SHARE = 0.03, 0.6, 0.12
HANDS = ("designer", "developer", "qa", "analyst", "tl")
HOUR = 3600


class Clock(Protocol):
    """Tells the time that people act at."""

    def now(self) -> datetime:
        """Return the instant, in UTC."""


class Jira(Protocol):
    """Where the teams work, by the acts of the sandbox's control API."""

    def control(self, action: str, payload: dict[str, Any]) -> Mapping[str, object]:
        """Do an act and return what came of it."""


class Desk(Protocol):
    """What the teams need of a rig: Jira, the clock, and a place for the keys of epics."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""

    @property
    def jira(self) -> Jira:
        """Return Jira."""

    @property
    def epics(self) -> set[str]:
        """Return the keys of epics."""


@dataclass(slots=True)
class Ticket:
    """One issue as the team knows it."""

    key: str
    project: str
    status: str
    assignee: str


@dataclass(slots=True)
class Developers:
    """The teams at work. `starved` are projects nobody touches for a while, so that some stall."""

    rig: Desk
    random: Random
    teams: dict[str, list[str]]
    tickets: dict[str, list[Ticket]]
    starved: dict[str, date] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def work(self, today: date) -> None:
        """Let every project have its day."""
        for project, team in sorted(self.teams.items()):
            if self.starved.get(project, today) > today:
                continue
            if self.random.random() < 0.006:
                self.starved[project] = today + timedelta(
                    days=self.random.randint(15, 24)
                )
                continue
            self._finish(project, team)
            self._begin(project, team)
            self._ask(project)
            self._log(project, team)

    def begin_epic(self, project: str, name: str, count: int, due: date) -> str:
        """Add an epic with its issues for a card that starts, and return its key."""
        epic = self._create(
            project, name, {"issuetype": {"name": "Epic"}, "duedate": due.isoformat()}
        )
        self.rig.epics.add(epic)
        for number in range(count):
            key = self._create(
                project,
                f"{name}: {number + 1}",
                {
                    "issuetype": {"name": "Task"},
                    "parent": {"key": epic},
                    "timetracking": {
                        "originalEstimate": f"{self.random.choice((3, 4, 6, 8, 8, 12))}h"
                    },
                },
            )
            self.tickets[project].append(Ticket(key, project, TO_DO, ""))
        return epic

    def _of(self, project: str, *statuses: str) -> list[Ticket]:
        return [ticket for ticket in self.tickets[project] if ticket.status in statuses]

    def _finish(self, project: str, team: list[str]) -> None:
        under_way = self._of(project, ACTIVE, REVIEW)
        wanted = sum(self.random.random() < PACE for _ in team)
        for ticket in under_way[:wanted]:
            self._move(ticket, DONE)
            self.counts["finished"] += 1
        done = self._of(project, DONE)
        if done and self.random.random() < REOPENED * max(1, wanted):
            self._move(self.random.choice(done[-30:]), ACTIVE)
            self.counts["reopened"] += 1

    def _begin(self, project: str, team: list[str]) -> None:
        people = len(team)
        room = 2 * people - len(self._of(project, ACTIVE, REVIEW))
        most = max(0, min(room, people))
        for ticket in self._of(project, TO_DO)[:most]:
            ticket.assignee = ticket.assignee or self.random.choice(team)
            self._edit(ticket, {"assignee": {"accountId": ticket.assignee}})
            self._move(ticket, ACTIVE)
            self.counts["begun"] += 1

    def _ask(self, project: str) -> None:
        """Clients and testers ask for more: about as much as keeps an endless project endless."""
        if self.random.random() < GROWTH:
            for _ in range(self.random.randint(1, 3)):
                kind = self.random.choice(("Task", "Task", "Story", "Bug"))
                key = self._create(
                    project,
                    f"{kind} {len(self.tickets[project]) + 1}",
                    {
                        "issuetype": {"name": kind},
                        "timetracking": {
                            "originalEstimate": f"{self.random.choice((2, 3, 4, 6, 8))}h"
                        },
                    },
                )
                self.tickets[project].append(Ticket(key, project, TO_DO, ""))
                self.counts["created"] += 1

    def _log(self, project: str, team: list[str]) -> None:
        under_way = defaultdict(list)
        for ticket in self._of(project, ACTIVE, REVIEW):
            under_way[ticket.assignee].append(ticket)
        for person in team:
            if under_way[person] and self.random.random() > IDLE_SHARE:
                seconds = self.random.randint(6, 14) * HOUR // 4
                started = self.rig.clock.now() - timedelta(seconds=seconds)
                self.rig.jira.control(
                    "worklog",
                    {
                        "issue": under_way[person][0].key,
                        "author": person,
                        "seconds": seconds,
                        "started": started.isoformat(),
                    },
                )
                self.counts["logs"] += 1

    def _move(self, ticket: Ticket, status: str) -> None:
        self.rig.jira.control("transition", {"issue": ticket.key, "status": status})
        ticket.status = status

    def _edit(self, ticket: Ticket, fields: dict[str, Any]) -> None:
        self.rig.jira.control("edit", {"issue": ticket.key, "fields": fields})

    def _create(self, project: str, summary: str, fields: dict[str, Any]) -> str:
        return str(
            self.rig.jira.control(
                "create", {"project": project, "fields": {**fields, "summary": summary}}
            )["key"]
        )


def hire(agency: Agency, rig: Desk, random: Random) -> Developers:
    """Return the teams with the issues they were left with."""
    units = {client.project: client.unit for client in agency.clients}
    teams = {
        project: [
            person.jira
            for person in agency.staff
            if person.role in HANDS and (unit is None or person.unit == unit)
        ]
        for project, unit in units.items()
    }
    teams = {
        project: random.sample(team, 4) if units[project] is None else team
        for project, team in teams.items()
    }
    tickets: dict[str, list[Ticket]] = {project: [] for project in teams}
    for issue in agency.jira["issues"]:
        if issue["type"] != "Epic":
            tickets[issue["project"]].append(
                Ticket(
                    issue["key"],
                    issue["project"],
                    issue["status"],
                    issue.get("assignee") or "",
                )
            )
    return Developers(rig, random, teams, tickets)
