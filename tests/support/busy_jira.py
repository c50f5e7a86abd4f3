"""A Jira of four projects whose requests are counted at the wire, read in process without Notion, on both kinds of Jira."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from pydantic import SecretStr

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, Request, Response
from tests.support.jira_wire import BASE, VirtualTime
from worker.config import JiraSettings, Workspace
from worker.domain.entities import Issue, Worklog
from worker.domain.words import Words
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.mapping.schema import Schema
from worker.read.tracker import TrackerRead, read_tracker
from worker.site import Site
from worker.state import snapshots
from worker.state.store import Store
from worker.world.attach import IssueIndex, find_work, index_issues
from worker.world.links import ResolvedLink, parse_link
from worker.world.logged import on_days

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FACES = ("cloud", "datacenter")
PROJECTS = ("ALFA", "BRAVO", "CHARLY", "DELTA")
CHILDREN = 4
OLD = timedelta(days=500)
KINDS = {
    "search": "search",
    "search/jql": "search",
    "changelog/bulkfetch": "history",
    "issue/bulkfetch": "issues",
    "project": "projects",
    "project/search": "projects",
    "worklog/updated": "feeds",
    "worklog/deleted": "feeds",
    "worklog/list": "feeds",
    "jql/parse": "validation",
}
Seen = tuple[tuple[Issue, ...], list[Worklog], dict[str, ResolvedLink]]


@dataclass
class BusyJira:
    """A Jira of four projects with an epic, its children and other issues each, with time on half of them."""

    folder: Path
    deployment: str
    cells: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    sent: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda kind: None
    """Called before each request is answered, with its kind."""
    listed: tuple[str, ...] | None = None
    """The projects that may be read."""

    def __post_init__(self) -> None:
        self.jira = JiraSandbox(self.clock, deployment=self.deployment)
        self.jira.control("load", _load())
        self.store = Store(f"sqlite:///{self.folder / 'state.db'}")
        time = VirtualTime()
        self.gateway = JiraGateway(
            JiraSettings(
                base_url=BASE,
                deployment="cloud" if self.deployment == "cloud" else "datacenter",
                email=self.jira.email,
                token=SecretStr(self.jira.token),
            ),
            adapter=HandlerAdapter(self.handle),
            sleep=time.sleep,
            monotonic=time.monotonic,
            random=Random(1),
            deadline=Deadline(float("inf"), monotonic=time.monotonic),
        )
        self.names = (f"fresh{number}" for number in count())

    def handle(self, request: Request) -> Response:
        """Answer as the site does, noting what was asked and which issues were told of."""
        _, _, path = request.path.partition("/rest/")
        parts = path.split("/")[2:]
        where = "/".join(part for part in parts if not part[-1:].isdigit())
        asked = repr((request.query, request.body))
        kind = KINDS.get(where, where)
        if "changelog" in asked:
            kind = "history"
        elif where != "issue" and "worklog" in asked and kind in ("search", "issues"):
            kind = "worklogs"
        elif kind == "search" and "issuetype" not in asked:
            kind = "census"
        self.before(kind)
        self.sent[kind] += 1
        answer = self.jira.handle(request)
        if kind == "search":
            issues = msgspec.json.decode(answer.body).get("issues", ())
            self.told |= {issue["id"] for issue in issues}
        return answer

    def later(self, minutes: float = 10) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(minutes=minutes))

    def read(self, *, full: bool = False, workspace: str = "studio") -> TrackerRead:
        """Read what the cells name."""
        self.sent.clear()
        self.told.clear()
        settings = Workspace(jira=JiraSettings(projects=self.listed))
        site = Site(
            workspace, settings, Schema({}), Words(), self.store, self.clock.now
        )
        links = {card: parse_link(cell) for card, cell in self.cells.items()}
        now = self.clock.now()
        return read_tracker(self.gateway, site, links=links, full=full, now=now)

    def kept(
        self, workspace: str = "studio"
    ) -> tuple[tuple[Issue, ...], list[Worklog]]:
        """Return the issues and worklogs of a workspace's snapshot."""
        with self.store.reading(workspace) as tx:
            logs = sorted(snapshots.load_worklogs(tx), key=lambda log: int(log.id))
            return snapshots.load_issues(tx), logs

    def forest(self) -> IssueIndex:
        """Return the issues of the snapshot as cards need them, days being UTC's."""
        issues, logs = self.kept()
        return index_issues(issues, on_days(logs, UTC))

    def standing(self, *, full: bool = False) -> Seen:
        """Return what a read leaves, ten minutes later."""
        self.later()
        read = self.read(full=full)
        assert read.incomplete == ""
        return (*self.kept(), dict(read.links))

    def anew(self) -> Seen:
        """Return what somebody sees who reads everything for the first time."""
        workspace = next(self.names)
        read = self.read(full=True, workspace=workspace)
        return (*self.kept(workspace), dict(read.links))

    def log(self, issue: str, seconds: int = 3_600, days: float = 1) -> str:
        """Let a person log time that was spent some days ago; return the id."""
        started = (self.clock.now() - timedelta(days=days)).isoformat()
        booked = {"issue": issue, "author": "u1", "started": started}
        made = self.jira.control("worklog", booked | {"seconds": seconds})
        return str(made["id"])

    def hours(self, card: str) -> float:
        """Return the hours that are logged on a card's work."""
        self.later()
        read = self.read()
        logs = find_work(read.links[card], self.forest()).worklogs
        return sum(log.seconds for log in logs) / 3_600


def _load() -> dict[str, Any]:
    return {
        "users": [{"id": "u1", "name": "Ada", "email": "ada@example.com"}],
        "projects": [{"key": key, "name": key.title()} for key in PROJECTS],
        "issues": [issue for key in PROJECTS for issue in _issues(key)],
    }


def _issues(project: str) -> Iterator[dict[str, Any]]:
    start = NOW - timedelta(days=600)
    # What is read first was changed last: nothing else counts as changed since.
    latest = timedelta(days=100 - 10 * PROJECTS.index(project))
    for number in range(1, 2 * CHILDREN + 2):
        logged = {
            "author": "u1",
            "started": (NOW - OLD).isoformat(),
            "seconds": 3_600 * number,
        }
        yield {
            "key": f"{project}-{number}",
            "project": project,
            "type": "Epic" if number == 1 else "Task",
            "parent": f"{project}-1" if 1 < number <= CHILDREN + 1 else None,
            "summary": f"Work {number}",
            "status": "To Do",
            "created": start.isoformat(),
            "updated": (start + latest + timedelta(days=number)).isoformat(),
            "labels": ["web"] if number % 3 == 0 else [],
            "worklogs": [logged] if number % 2 == 0 else [],
        }
