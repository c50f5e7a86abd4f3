"""What the gateway's tests share: virtual time, an in-process adapter for `requests`, and gateways of both kinds."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from worker.calls.deadline import Deadline
from worker.config import JiraSettings
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import JiraMapping
from worker.sandbox.wire import Handler, Request, Response, from_parts, json_response

CANARY = "ATATTcanary0123456789abcdef=0A1B2C3D"
BASE = "https://acme.example.net"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class VirtualTime:
    """A clock that moves only when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.slept.append(seconds)
        self.now += seconds


class HandlerAdapter(BaseAdapter):
    """Answers `requests` through a handler in process; faults become the errors a client would see."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Answer one request."""
        body = (
            request.body.encode()
            if isinstance(request.body, str)
            else request.body or b""
        )
        found = self._handler(
            from_parts(
                request.method or "", request.url or "", dict(request.headers), body
            )
        )
        if found.fault == "reset":
            raise requests.ConnectionError("connection reset by peer")
        if found.fault in ("hang", "drip"):
            raise requests.ReadTimeout("timed out")
        return _response(request, found)

    def close(self) -> None:
        """Do nothing: there are no connections."""


def _response(request: requests.PreparedRequest, found: Response) -> requests.Response:
    response = requests.Response()
    response.status_code = found.status
    response.headers = CaseInsensitiveDict(found.headers)
    whole = len(found.body)
    response.raw = io.BytesIO(
        found.body[: whole // 2] if found.fault == "truncate" else found.body
    )
    response.headers["content-length"] = str(whole)
    response.request, response.url = request, request.url or ""
    return response


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
