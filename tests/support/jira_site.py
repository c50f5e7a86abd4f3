"""A Jira of three projects with the cells of some cards, read in process without Notion, on both kinds of Jira."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from pydantic import SecretStr

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, Request, Response, json_response
from tests.support.jira_wire import BASE, VirtualTime
from worker.config import JiraSettings, Workspace
from worker.domain.words import Words
from worker.errors import Problem
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.mapping.schema import Schema
from worker.read.tracker import TrackerRead, read_tracker, recall_tracker
from worker.site import Site
from worker.state import snapshots
from worker.state.store import Store
from worker.world.attach import find_work, index_issues
from worker.world.links import parse_link

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FACES = ("cloud", "datacenter")


@dataclass
class LinkedSite:
    """A Jira with three projects, a version and a filter; a state; and the cells of some cards."""

    folder: Path
    deployment: str
    cells: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    refuse: str = ""
    """Searches whose text holds this are refused."""
    projects: tuple[str, ...] | None = None
    """The projects that the configuration lists."""

    def __post_init__(self) -> None:
        self.jira = JiraSandbox(self.clock, deployment=self.deployment)
        for key in ("ACME", "BETA", "GAMMA"):
            self.jira.control("add_project", {"key": key, "name": key.title()})
            for number in range(1, 5):
                self.jira.control(
                    "create", {"project": key, "fields": {"summary": f"Work {number}"}}
                )
        self.version = self.jira.control(
            "add_version", {"project": "BETA", "name": "1.0"}
        )["id"]
        for key in ("BETA-1", "BETA-2"):
            self.jira.control(
                "edit",
                {"issue": key, "fields": {"fixVersions": [{"id": self.version}]}},
            )
        self.filter = self.jira.control(
            "add_filter", {"name": "Ours", "jql": "project = GAMMA ORDER BY Rank"}
        )["id"]
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
        self.later(10)

    def handle(self, request: Request) -> Response:
        """Answer as the site does, but for the searches it was told to refuse."""
        text = repr((request.query, request.body))
        if self.refuse and self.refuse in text and "search" in request.path:
            return json_response(
                400, {"errorMessages": ["The query is too complex."], "errors": {}}
            )
        return self.jira.handle(request)

    def later(self, minutes: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(minutes=minutes))

    def read(self, *, full: bool = False) -> TrackerRead:
        """Read what the cells name, ten minutes after the last read."""
        self.later(10)
        return read_tracker(
            self.gateway,
            self.workspace(),
            links={card: parse_link(cell) for card, cell in self.cells.items()},
            full=full,
            now=self.clock.now(),
        )

    def workspace(self) -> Site:
        """Return the workspace as the worker finds it."""
        return Site(
            "studio", self.settings(), Schema({}), Words(), self.store, self.clock.now
        )

    def settings(self) -> Workspace:
        """Return what is configured."""
        return Workspace(jira=JiraSettings(projects=self.projects))

    def recall(self) -> TrackerRead:
        """Return what the last read made of the cells."""
        links = {card: parse_link(cell) for card, cell in self.cells.items()}
        return recall_tracker(self.workspace(), links)

    def work(self, read: TrackerRead, card: str) -> list[str]:
        """Return the keys of the issues a card has."""
        with self.store.reading("studio") as tx:
            forest = index_issues(snapshots.load_issues(tx), ())
        found = read.links.get(card)
        if found is None or (found.problem and found.as_of is None):
            return []
        return sorted(issue.key for issue in find_work(found, forest).issues)

    def asked(self, read: bool = False) -> int:
        """Return how many requests a quiet delta costs."""
        before = self.gateway.requests()
        self.read(full=read)
        return self.gateway.requests() - before

    def touch(self, key: str) -> None:
        """Let a person change an issue."""
        self.jira.control("transition", {"issue": key, "status": "Done"})

    def category(self, key: str) -> str:
        """Return the status category of an issue as the state knows it."""
        with self.store.reading("studio") as tx:
            return next(
                each.category for each in snapshots.load_issues(tx) if each.key == key
            )


def create(
    site: LinkedSite, project: str, *, issuetype: str = "Task", parent: str = ""
) -> str:
    """Return the key of a new issue."""
    fields: dict[str, object] = {"summary": "New", "issuetype": {"name": issuetype}}
    if parent:
        fields["parent"] = {"key": parent}
    made = site.jira.control("create", {"project": project, "fields": fields})
    return str(made["key"])
