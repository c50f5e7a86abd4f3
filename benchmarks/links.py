"""What a changed link costs of Jira: requests and bytes by endpoint, 12 projects of N issues, both kinds of Jira.

Four projects are linked when it begins. Everything is in process; the counts are those of sockets.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
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
Line = tuple[str, str, int, str, str]


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

    def read(self, *, full: bool = False, workspace: str = "bench") -> None:
        """Read what the cells name, ten minutes after the last read."""
        self.clock.advance(timedelta(minutes=10))
        site = Site(
            workspace, Workspace(), Schema({}), Words(), self.store, self.clock.now
        )
        read_tracker(
            self.gateway,
            site,
            links={card: parse_link(cell) for card, cell in self.cells.items()},
            full=full,
            now=self.clock.now(),
        )


def main() -> None:
    """Print one JSON line: what, kind of Jira, requests, megabytes, requests by endpoint."""
    issues = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        for deployment in ("cloud", "datacenter"):
            rig = LinkedJira(Path(folder), deployment, issues)
            lines += _rows(rig)
            rig.gateway.close()
            rig.store.close()
    sys.stdout.write(json.dumps(lines) + "\n")


def _rows(rig: LinkedJira) -> Iterator[Line]:
    cells = rig.cells
    cells |= {f"card {number}": f"P{number:03d}" for number in range(LINKED)}
    yield _measure(rig, f"first read, {LINKED} projects", full=True)
    rig.read()
    yield _measure(rig, "idle read")
    yield _linked(rig, "new card: an epic of a project already read", "P000-1")
    yield _linked(rig, "new card: a project", "P004")
    yield _linked(rig, "new card: an epic of a new project", "P005-1")
    yield _linked(rig, "new card: a query", "project = P006 AND labels = urgent")
    known = rig.jira.control("add_filter", {"name": "F", "jql": "project = P001"})
    yield _linked(
        rig, "new card: a filter of a project already read", f"filter={known['id']}"
    )
    board = rig.jira.control(
        "add_project", {"key": "BRD", "name": "Board", "board": "kanban"}
    )["board"]
    yield _linked(rig, "new card: a board", f"{BASE}/jira/people/1/boards/{board}")
    version = rig.jira.control("add_version", {"project": "P007", "name": "1.0"})["id"]
    for number in range(BRANCH):
        rig.jira.control(
            "edit",
            {
                "issue": f"P007-{number + 101}",
                "fields": {"fixVersions": [{"id": version}]},
            },
        )
    yield _linked(
        rig, "new card: a version", f"{BASE}/projects/P007/versions/{version}"
    )
    yield _linked(rig, "a card's link changes to a project", "P008")
    removed = cells.pop("card 0")
    yield _measure(rig, "a card removed")
    cells["card 0"] = removed
    yield _measure(rig, "a card put back")
    rig.jira.control("rename_project", {"key": "P002", "new_key": "REN"})
    cells["card 2"] = "REN"
    yield _measure(rig, "a project renamed, with the card")
    yield _measure(rig, "idle read after it all")
    yield _measure(rig, "full read, nothing changed", full=True)


def _linked(rig: LinkedJira, what: str, cell: str) -> Line:
    rig.cells["new card" if "changes" in what else what] = cell
    return _measure(rig, what)


def _measure(rig: LinkedJira, what: str, *, full: bool = False) -> Line:
    rig.sent.clear()
    rig.answered = 0
    began = time.process_time()
    rig.read(full=full)
    sys.stderr.write(f"{what} {time.process_time() - began:.1f} s\n")
    by_endpoint = ", ".join(f"{count} {name}" for name, count in rig.sent.items())
    megabytes = f"{rig.answered / 1e6:.2f}"
    return what, rig.deployment, rig.sent.total(), megabytes, by_endpoint


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
        yield issue_at(
            project, number + 101, f"{project}-{number // BRANCH + 1}", random
        )


if __name__ == "__main__":
    main()
