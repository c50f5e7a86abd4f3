"""A Jira of twelve projects as agencies have them, with whatever makes counting hard, and what people do in it later.

Everything is drawn from a seed. Instants crowd around midnights of several zones, and around the days on which clocks
change: 4 October 2026 in Adelaide, 1 November in New York.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from rayline_sandbox.jira import JiraSandbox

NOW = datetime(2026, 11, 17, 20, 30, tzinfo=UTC)
"""The evening of the 17th in Moscow and New York, the 18th already further east."""
LATELY = timedelta(minutes=10)
"""Nothing is as young as that: feeds of work logs keep the last minute to themselves."""
ZONES = ("Europe/Moscow", "America/New_York", "Asia/Vladivostok", "Australia/Adelaide")
EDGES = (
    date(2026, 10, 4),
    date(2026, 10, 19),
    date(2026, 10, 20),
    date(2026, 10, 21),
    date(2026, 11, 1),
    date(2026, 11, 2),
    date(2026, 11, 16),
    date(2026, 11, 17),
    date(2026, 11, 18),
)
"""Days whose first moments matter: weeks and months begin, clocks change, four weeks are over, it is today."""
PEOPLE = ("ann", "bob", "eve")
NEVER = "Won't Do"
ROUTES = {
    "ACME": (
        ("Бэклог", "new"),
        ("В разработке", "indeterminate"),
        ("Заблокировано", "indeterminate"),
        ("Выпущено", "done"),
    ),
    "BETA": (
        ("Ready", "new"),
        ("Doing", "indeterminate"),
        ("On hold", "new"),
        ("Shipped", "done"),
    ),
    "OPS": (
        ("Doing", "new"),
        ("Ready", "indeterminate"),
        ("Review", "indeterminate"),
        ("Ready to ship", "done"),
    ),
}
"""Statuses of a project's own: two call one thing by the name of another."""
USUAL = (
    ("To Do", "new"),
    ("In Progress", "indeterminate"),
    ("Blocked", "indeterminate"),
    ("Done", "done"),
)
VISIBLE = ("ACME", "BETA", "GAMMA", "MOVE", "SUBT", "WEB", "API", "OPS", "INIT")
"""Projects with issues that the account sees; besides there are an empty, an archived and a hidden one."""


@dataclass
class OwnSite:
    """A site being made or changed, and the ids of what cards link by number."""

    jira: JiraSandbox
    chance: Random
    cloud: bool
    ids: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def act(self, action: str, /, **payload: Any) -> Any:
        """Do what a person may do in Jira."""
        return self.jira.control(action, payload)

    def build(self, amount: int = 24) -> None:
        """Make everything, with about so many issues in a project."""
        self.act("load", users=_users(), projects=list(_projects()))
        issues = list(self._all_issues(amount))
        report = self.act("load", issues=issues)
        assert report["problems"] == []
        self.act("rename_project", key="GAMMA", new_key="GAMMAX")
        for number in (5, 6, 7):
            self.act("move", issue=f"ACME-{number}", project="MOVE")
        self.act("move", issue="BETA-8", project="MOVE")
        self.act("archive_project", key="OLDA")
        self.act("hide_project", key="HIDE")
        self._name_boards()

    def _name_boards(self) -> None:
        for key in ("API", "SUBT", "OPS"):
            made = self.act("add_board", project=key, name=f"Board of {key}")
            self.ids[f"board {key}"] = str(made["id"])
        queries = {
            "bugs": "type = Bug AND project in (WEB, API)",
            "web": "labels = web ORDER BY Rank",
        }
        for name, jql in queries.items():
            made = self.act("add_filter", name=name, jql=jql)
            self.ids[f"filter {name}"] = str(made["id"])

    def _all_issues(self, amount: int) -> Iterator[dict[str, Any]]:
        for key in ("ACME", "WEB", "BETA"):
            yield from self._epics(key, 3)
        if self.cloud:
            yield self.issue("INIT", type={"name": "Initiative", "level": 2})
            for _ in range(2):
                yield self.issue("INIT", type="Epic", parent="INIT-1")
            yield self.issue("WEB", type="Epic", parent="INIT-1")
        else:
            yield from self._epics("INIT", 3)
        styles = {"ACME": "h", "BETA": "points", "WEB": "h", "SUBT": "below"}
        for key in (*VISIBLE, "OLDA", "HIDE"):
            if key == "MOVE":
                continue
            style = styles.get(key, "none")
            for _ in range(amount):
                yield from self._family(key, style)

    def _epics(self, key: str, amount: int) -> Iterator[dict[str, Any]]:
        for _ in range(amount):
            yield self.issue(key, type="Epic")

    def _family(self, key: str, style: str) -> Iterator[dict[str, Any]]:
        """Yield a story with sub-tasks or none; who carries the estimate is the style's."""
        chance = self.chance
        story = self.issue(key, parent=self._parent_of(key), type=self._kind())
        if style in ("h", "points") and chance.random() < 0.93:
            story |= self._estimate(style)
        yield story
        children = chance.randrange(3) if style != "points" else 0
        if style == "below":
            children = chance.randrange(1, 4)
        for _ in range(children):
            child = self.issue(key, parent=story["key"], type="Sub-task")
            if style == "below":
                child |= self._estimate("h")
            yield child

    def _kind(self) -> str:
        return self.chance.choice(("Story", "Task", "Task", "Bug"))

    def _parent_of(self, key: str) -> str | None:
        """Return an epic, often of another project."""
        epics = {
            "ACME": ("ACME-1", "ACME-2", "WEB-1"),
            "WEB": ("WEB-1", "WEB-2", "WEB-4"),
            "API": ("WEB-1", "INIT-2", "ACME-3"),
            "OPS": ("WEB-1", "BETA-2"),
            "BETA": ("BETA-1", "BETA-2"),
            "INIT": ("INIT-2", "INIT-3"),
            "HIDE": ("ACME-2",),
        }
        if not self.cloud:
            epics["WEB"] = ("WEB-1", "WEB-2", "WEB-3")
        return self.chance.choice((None, *epics.get(key, ())))

    def _estimate(self, style: str) -> dict[str, Any]:
        if style == "points":
            return {"story_points": self.chance.choice((0.5, 1, 2, 3, 5, 8))}
        return {"estimate": self.chance.randrange(1, 40) * 900}

    def issue(self, project: str, **fields: Any) -> dict[str, Any]:
        """Return a new issue with a life of its own."""
        chance = self.chance
        number = self.numbers[project] = self.numbers.get(project, 0) + 1
        created = self._moment(wide=chance.random() < 0.7)
        steps = ROUTES.get(project, USUAL)
        status, category = chance.choice((*steps, steps[-1], steps[-1]))
        raw: dict[str, Any] = {
            "key": f"{project}-{number}",
            "summary": f"Work {number}",
            "created": created.isoformat(),
            "updated": max(created, self._moment()).isoformat(),
            "status": {"name": status, "category": category, "project": project},
            "labels": chance.sample(("web", "app", "seo"), chance.randrange(3)),
            "assignee": chance.choice((None, *PEOPLE)),
            "flagged": chance.random() < 0.1,
            "fixVersions": chance.choice(([], ["1.0"], ["1.0", "2.0"])),
            "components": chance.choice(([], ["Site"])),
            "worklogs": [self.log() for _ in range(chance.choice((0, 0, 1, 3)))],
            "resolutiondate": None,
        }
        for log in raw["worklogs"]:
            # Typed when the issue was there, however long ago the work was.
            log["created"] = max(raw["created"], log["started"])
        if chance.random() < 0.4:
            raw["duedate"] = self.due()
        if category == "done":
            raw["resolutiondate"] = raw["updated"]
            raw["resolution"] = chance.choice(("Done", "Done", "Done", NEVER))
        if chance.random() < 0.05:
            raw["updated"] = (NOW + timedelta(days=3)).isoformat()
        given = {name: value for name, value in fields.items() if value is not None}
        return {**raw, **given}

    def due(self) -> str:
        """Return a due date, often near today."""
        day = NOW.date() + timedelta(days=self.chance.choice((-40, -1, 0, 1, 30)))
        return day.isoformat()

    def log(self) -> dict[str, Any]:
        """Return a log of some hours."""
        return {
            "author": self.chance.choice(PEOPLE),
            "started": self._moment().isoformat(),
            "seconds": self.chance.randrange(1, 20) * 900,
        }

    def _moment(self, *, wide: bool = False) -> datetime:
        """Return an instant of the past: near a midnight that matters somewhere, or anywhere in half a year."""
        chance = self.chance
        if wide or chance.random() < 0.3:
            return NOW - LATELY - timedelta(minutes=chance.randrange(60 * 24 * 180))
        zone = ZoneInfo(chance.choice(ZONES))
        begin = datetime.combine(chance.choice(EDGES), time(), zone)
        near = begin + timedelta(minutes=chance.choice((-61, -1, 0, 1, 29, 61)))
        return min(near, NOW - LATELY).astimezone(UTC)


def _users() -> list[dict[str, Any]]:
    return [
        {"id": name, "login": name, "name": name.title(), "email": f"{name}@x.example"}
        for name in PEOPLE
    ]


def _projects() -> Iterator[dict[str, Any]]:
    for key in (*VISIBLE, "EMPT", "OLDA", "HIDE"):
        yield {
            "key": key,
            "name": f"The {key}",
            "style": "next-gen" if key == "BETA" else "classic",
        }
