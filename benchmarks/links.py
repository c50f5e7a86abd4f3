"""What a changed link costs of Jira: requests and bytes, 12 projects of N issues, both kinds of Jira.

Four projects are linked when it begins. Everything is in process; the counts are those of sockets.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import SecretStr

from benchmarks.agency import NOW, issue_at
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, Request, Response
from worker.config import JiraSettings, Workspace
from worker.domain.words import Words
from worker.jira.gateway import JiraGateway
from worker.mapping.schema import Schema
from worker.read.tracker import read_tracker
from worker.site import Site
from worker.state.store import Store
from worker.world.links import parse_link

PROJECTS, LINKED, BRANCH = 12, 4, 20
BASE = "https://jira.example.net"
Deployment = Literal["cloud", "datacenter"]
Line = tuple[str, int, str, str]


@dataclass
class LinkedJira:
    """A Jira of 12 projects, the cells of some cards, and what reading them costs."""

    folder: Path
    deployment: Deployment
    issues: int
    cells: dict[str, str] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    answered: int = 0

    def __post_init__(self) -> None:
        self.clock = Clock(NOW)
        self.jira = JiraSandbox(self.clock, deployment=self.deployment)
        self.jira.control("load", _load(self.issues))
        self.store = Store(f"sqlite:///{self.folder / self.deployment}.db")
        self.gateway = JiraGateway(
            JiraSettings(
                base_url=BASE,
                deployment=self.deployment,
                email=self.jira.email,
                token=SecretStr(self.jira.token),
            ),
            adapter=HandlerAdapter(self.handle),
        )

    def handle(self, request: Request) -> Response:
        """Answer as Jira does, counting."""
        answer = self.jira.handle(request)
        _, _, path = request.path.partition("/rest/")
        parts = path.split("/")[2:]
        self.sent["/".join(part for part in parts if not part[-1:].isdigit())] += 1
        self.answered += len(answer.body)
        return answer

    def read(
        self, *, full: bool = False, workspace: str = "bench", zone: str = "UTC"
    ) -> None:
        """Read what the cells name, ten minutes after the last read."""
        self.clock.advance(timedelta(minutes=10))
        settings = Workspace(time_zone=zone)
        site = Site(
            workspace, settings, Schema({}), Words(), self.store, self.clock.now
        )
        read_tracker(
            self.gateway,
            site,
            links={card: parse_link(cell) for card, cell in self.cells.items()},
            full=full,
            now=self.clock.now(),
        )


def main() -> None:
    """Print one JSON line of two tables: what, requests, megabytes, requests by endpoint; of each kind of Jira."""
    issues = int(sys.argv[1])
    tables: dict[str, list[Line]] = {}
    deployments: tuple[Deployment, ...] = ("cloud", "datacenter")
    with tempfile.TemporaryDirectory() as folder:
        for deployment in deployments:
            rig = LinkedJira(Path(folder), deployment, issues)
            tables[deployment] = list(_rows(rig))
            rig.gateway.close()
            rig.store.close()
    sys.stdout.write(json.dumps(tables) + "\n")


def _rows(rig: LinkedJira) -> Iterator[Line]:
    cells = rig.cells
    cells |= {f"card {number}": f"P{number:03d}" for number in range(LINKED)}
    new = dict(_new_cards(rig))
    yield _measure(rig, f"first read of {LINKED} projects", full=True)
    yield _measure(rig, "idle read")
    for what, cell in new.items():
        cells[what] = cell
        yield _measure(rig, f"one new card: {what}")
    cells["a project"] = "P008"
    yield _measure(rig, "a card's link changes to another project")
    del cells["a project"]
    yield _measure(rig, "a card removed")
    cells["a project"] = "P008"
    yield _measure(rig, "a card put back")
    rig.jira.control("rename_project", {"key": "P002", "new_key": "REN"})
    cells["card 2"] = "REN"
    yield _measure(rig, "one renamed project")
    yield _measure(rig, "zone change", zone="Asia/Vladivostok")
    yield _measure(rig, "full read, nothing changed", full=True)
    cells.clear()
    cells["card"] = "P001"
    yield _measure(rig, "another workspace: one project", workspace="second")


def _new_cards(rig: LinkedJira) -> Iterator[tuple[str, str]]:
    control = rig.jira.control
    jql = "project = P001"
    known = control("add_filter", {"name": "Ours", "jql": jql})
    board = control("add_board", {"name": "Board", "project": "P009"})
    version = control("add_version", {"project": "P007", "name": "1.0"})["id"]
    for number in range(BRANCH):
        fields = {"fixVersions": [{"id": version}]}
        control("edit", {"issue": f"P007-{number + 101}", "fields": fields})
    rig.clock.advance(timedelta(hours=1))
    control("edit", {"issue": "P000-101", "fields": {"summary": "The latest"}})

    yield "an epic of a project already read", "P000-1"
    yield "a filter of a project already read", f"filter={known['id']}"
    yield "a project", "P004"
    yield "an epic of a new project", "P005-1"
    yield "a query of 20 new issues", "project = P006 AND labels = first"
    yield "a version of 20 new issues", f"{BASE}/projects/P007/versions/{version}"
    yield "a board of a new project", f"{BASE}/jira/people/1/boards/{board['id']}"


def _measure(
    rig: LinkedJira,
    what: str,
    *,
    full: bool = False,
    workspace: str = "bench",
    zone: str = "UTC",
) -> Line:
    rig.sent.clear()
    rig.answered = 0
    rig.read(full=full, workspace=workspace, zone=zone)
    by_endpoint = ", ".join(f"{count} {name}" for name, count in rig.sent.items())
    return what, rig.sent.total(), f"{rig.answered / 1e6:.2f}", by_endpoint


def _load(issues: int) -> dict[str, Any]:
    random = Random(1)
    names = [f"P{number:03d}" for number in range(PROJECTS)]
    users = [
        {"id": f"u{n}", "name": f"User {n}", "email": f"u{n}@example.com"}
        for n in range(200)
    ]
    return {
        "users": users,
        "projects": [{"key": name, "name": name} for name in names],
        "issues": [issue for name in names for issue in _issues(name, issues, random)],
    }


def _issues(project: str, count: int, random: Random) -> Iterator[Mapping[str, Any]]:
    start = (NOW - timedelta(days=500)).isoformat()
    for number in range(1, count // BRANCH + 1):
        yield {
            "key": f"{project}-{number}",
            "project": project,
            "type": "Epic",
            "summary": f"Epic {number}",
            "status": "In Progress",
            "created": start,
            "updated": start,
        }
    for number in range(count):
        epic = f"{project}-{number // BRANCH + 1}"
        labels = ["first"] if number < BRANCH else []
        yield issue_at(project, number + 101, epic, random) | {"labels": labels}


if __name__ == "__main__":
    main()
