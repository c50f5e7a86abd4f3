"""A small Jira site for the tests of the emulator, and the shortest way to ask it something."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.wire import Clock, Request, Response

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STATUSES = ["To Do", "In Progress", "In Review", "Done"]


class Site:
    """An emulator with the credentials of its account."""

    def __init__(self, deployment: str = "cloud", **settings: Any) -> None:
        self.clock = Clock(START)
        self.jira = JiraSandbox(self.clock, deployment=deployment, **settings)
        self.root = "/rest/api/3" if deployment == "cloud" else "/rest/api/2"
        cloud = base64.b64encode(
            f"{self.jira.email}:{self.jira.token}".encode()
        ).decode()
        self.authorization = (
            f"Basic {cloud}" if deployment == "cloud" else f"Bearer {self.jira.token}"
        )

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        authorization: str | None = None,
    ) -> Response:
        """Return the response to a request; a relative path is under the newest API root."""
        full = path if path.startswith("/") else f"{self.root}/{path}"
        pairs = tuple((key, str(value)) for key, value in (query or {}).items())
        shown = self.authorization if authorization is None else authorization
        headers = {"host": "site.invalid", "authorization": shown}
        content = json.dumps(body).encode() if body is not None else b""
        return self.jira.handle(Request(method, full, pairs, headers, content))

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Return the decoded body of a successful request."""
        response = self.raw(method, path, body, query=query)
        assert response.status < 300, (response.status, response.body)
        return json.loads(response.body) if response.body else None

    def refused(
        self, method: str, path: str, body: Any = None, **query: Any
    ) -> tuple[int, str]:
        """Return status and first message of a refused request."""
        response = self.raw(method, path, body, query=query)
        envelope = json.loads(response.body)
        assert set(envelope) == {"errorMessages", "errors"}
        return response.status, " ".join(
            [*envelope["errorMessages"], *envelope["errors"].values()]
        )

    def act(self, action: str, **payload: Any) -> dict[str, Any]:
        """Do something as a person or as circumstance."""
        return self.jira.control(action, payload)

    def keys(self, jql: str) -> list[str]:
        """Return the keys a query finds, in its order."""
        if self.root.endswith("3"):
            return [
                issue["key"]
                for page in self.pages(jql, fields=["summary"])
                for issue in page["issues"]
            ]
        return [
            issue["key"]
            for issue in self.ask("POST", "search", {"jql": jql, "maxResults": 1000})[
                "issues"
            ]
        ]

    def pages(self, jql: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """Yield the token pages of a Cloud search."""
        token = None
        while True:
            page = self.ask(
                "POST",
                "search/jql",
                {"jql": jql, **asked, **({"nextPageToken": token} if token else {})},
            )
            yield page
            token = page.get("nextPageToken")
            if token is None:
                return


def small_site(deployment: str = "cloud", **settings: Any) -> Site:
    """Return a site of two projects, seven issues, three people, sprints of each state and some booked time."""
    site = Site(deployment, **settings)
    site.act("load", **SMALL)
    return site


SMALL: dict[str, Any] = {
    "users": [
        {
            "name": "Ada Lovelace",
            "email": "ada@studio.invalid",
            "login": "ada",
            "timeZone": "Europe/Moscow",
        },
        {"name": "Grace Hopper", "email": "grace@studio.invalid", "login": "grace"},
    ],
    "projects": [
        {
            "key": "WEB",
            "name": "Web site",
            "lead": "ada",
            "statuses": STATUSES,
            "components": ["api"],
            "versions": [
                {"name": "1.0", "releaseDate": "2026-11-01"},
                {"name": "2.0", "released": True},
            ],
        },
        {"key": "APP", "name": "Mobile app", "style": "next-gen", "statuses": STATUSES},
    ],
    "boards": [
        {"name": "WEB board", "project": "WEB"},
        {"name": "APP flow", "project": "APP", "type": "kanban"},
    ],
    "sprints": [
        {
            "id": 1,
            "name": "Sprint 1",
            "state": "closed",
            "board": "WEB board",
            "start": "2026-10-26T09:00:00Z",
            "end": "2026-11-06T09:00:00Z",
            "complete": "2026-11-06T10:00:00Z",
        },
        {
            "id": 2,
            "name": "Sprint 2",
            "state": "active",
            "board": "WEB board",
            "start": "2026-11-09T09:00:00Z",
            "end": "2026-11-27T09:00:00Z",
        },
        {"id": 3, "name": "Sprint 3", "state": "future", "board": "WEB board"},
    ],
    "issues": [
        {
            "key": "WEB-1",
            "type": "Epic",
            "summary": "Catalogue",
            "created": "2026-09-01T09:00:00Z",
            "updated": "2026-11-01T09:00:00Z",
            "status": "In Progress",
            "reporter": "ada",
        },
        {
            "key": "WEB-2",
            "type": "Story",
            "summary": "Product page",
            "created": "2026-09-02T09:00:00Z",
            "updated": "2026-11-06T09:30:15.250Z",
            "status": "Done",
            "parent": "WEB-1",
            "assignee": "ada",
            "estimate": 14400,
            "story_points": 5,
            "sprints": [1],
            "labels": ["front", "seo"],
            "fixVersions": ["1.0"],
            "resolutiondate": "2026-11-06T09:30:15.250Z",
            "components": ["api"],
            "history": [
                {
                    "at": "2026-10-27T10:00:00Z",
                    "field": "status",
                    "from": "To Do",
                    "to": "In Progress",
                },
                {
                    "at": "2026-11-06T09:30:15.250Z",
                    "field": "status",
                    "from": "In Progress",
                    "to": "Done",
                },
            ],
            "worklogs": [
                {
                    "author": "ada",
                    "started": "2026-11-02T10:00:00+0300",
                    "seconds": 7200,
                },
                {
                    "author": "grace",
                    "started": "2026-11-03T10:00:00+0300",
                    "seconds": 3600,
                    "comment": "Help",
                },
            ],
        },
        {
            "key": "WEB-3",
            "type": "Story",
            "summary": "Search of goods",
            "created": "2026-09-03T09:00:00Z",
            "updated": "2026-11-20T21:30:00Z",
            "status": "In Review",
            "parent": "WEB-1",
            "assignee": "grace",
            "story_points": 8,
            "sprints": [1, 2],
            "duedate": "2026-11-25",
            "flagged": True,
            "priority": "High",
        },
        {
            "key": "WEB-4",
            "type": "Sub-task",
            "summary": "Index of goods",
            "created": "2026-11-10T09:00:00Z",
            "updated": "2026-11-21T11:45:00Z",
            "status": "In Progress",
            "parent": "WEB-3",
        },
        {
            "key": "WEB-10",
            "type": "Bug",
            "summary": "Cart loses goods",
            "created": "2026-11-19T09:00:00Z",
            "updated": "2026-11-21T11:59:30Z",
            "status": "To Do",
            "priority": None,
            "sprints": [2],
            "labels": ["seo"],
        },
        {
            "key": "APP-1",
            "type": "Task",
            "summary": "Push messages",
            "created": "2026-11-01T09:00:00Z",
            "updated": "2026-11-15T09:00:00Z",
            "status": "To Do",
            "assignee": "ada",
            "story_points": 2,
            "description": "Ask the store about quotas",
        },
        {
            "key": "APP-2",
            "type": "Task",
            "summary": "Store listing",
            "created": "2026-11-02T09:00:00Z",
            "updated": "2026-11-16T09:00:00Z",
            "status": "Done",
            "duedate": "2026-11-10",
        },
    ],
}
