"""What the gateway's tests share: scripted sites, raw issues, and gateways of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from rayline_sandbox.wire import Handler, Request, Response, json_response
from tests.support.jira_wire import BASE, HandlerAdapter, VirtualTime
from worker.config import JiraSettings
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import JiraMapping

CANARY = "ATATTcanary0123456789abcdef=0A1B2C3D"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


Answer = Response | Callable[[Request], Response]


class Script:
    """A handler that answers by `METHOD path` below `/rest/api/N`, a list of answers one after the other."""

    def __init__(self, answers: Mapping[str, Answer | list[Answer]]) -> None:
        self.answers = {
            key: list(value) if isinstance(value, list) else [value]
            for key, value in answers.items()
        }
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        """Give the next answer for the path; the last one stays."""
        self.requests.append(request)
        path = urlsplit(request.path).path.split("/rest/api/", 1)[1].split("/", 1)[1]
        waiting = self.answers.get(f"{request.method} {path}")
        if not waiting:
            return json_response(404, {"errorMessages": [f"no {path}"], "errors": {}})
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return answer(request) if callable(answer) else answer

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return the JSON bodies received at paths that end so."""
        return [
            msgspec.json.decode(each.body)
            for each in self.requests
            if each.path.endswith(path)
        ]


def make(
    handler: Handler,
    *,
    cloud: bool = True,
    time: VirtualTime | None = None,
    seconds: float = float("inf"),
    mapping: JiraMapping | None = None,
    token: str = CANARY,
    email: str = "rayline@example.net",
    base_url: str = BASE,
) -> JiraGateway:
    """Return a gateway under virtual time that talks to `handler`."""
    time = time or VirtualTime()
    settings = JiraSettings(
        base_url=base_url,
        deployment="cloud" if cloud else "datacenter",
        email=email,
        token=SecretStr(token),
    )
    return JiraGateway(
        settings,
        mapping=mapping,
        adapter=HandlerAdapter(handler),
        sleep=time.sleep,
        monotonic=time.monotonic,
        random=Random(1),
        deadline=Deadline(seconds, monotonic=time.monotonic),
    )


FIELDS = [
    {
        "id": "customfield_10016",
        "name": "Story point estimate",
        "schema": {"custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
    },
    {
        "id": "customfield_10026",
        "name": "Story Points",
        "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"},
    },
    {
        "id": "customfield_10021",
        "name": "Flagged",
        "schema": {
            "custom": "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"
        },
    },
    {
        "id": "customfield_10014",
        "name": "Epic Link",
        "schema": {"custom": "com.pyxis.greenhopper.jira:gh-epic-link"},
    },
    {
        "id": "customfield_10011",
        "name": "Epic Name",
        "schema": {"custom": "com.pyxis.greenhopper.jira:gh-epic-label"},
    },
    {
        "id": "summary",
        "name": "Summary",
        "schema": {"type": "string", "system": "summary"},
    },
]


def issue(
    number: int,
    *,
    updated: str = "2026-11-20T10:00:00.000+0300",
    category: str = "indeterminate",
    **fields: Any,
) -> dict[str, Any]:
    """Return a raw issue `ACME-<number>` with id `1000<number>`."""
    return {
        "id": f"{10_000 + number}",
        "key": f"ACME-{number}",
        "fields": {
            "summary": f"Work {number}",
            "issuetype": {"name": "Task", "subtask": False, "hierarchyLevel": 0},
            "status": {
                "name": "In Progress",
                "id": "3",
                "statusCategory": {"key": category},
            },
            "created": "2026-11-01T10:00:00.000+0300",
            "updated": updated,
            "labels": [],
            **fields,
        },
    }


def found(*issues: Any, **more: Any) -> Response:
    """Return a page of a search."""
    return json_response(200, {"issues": list(issues), **more})
