"""What the gateway's tests share: scripted sites, raw issues, and gateways of both kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import requests
import responses
from pydantic import SecretStr

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Handler, Request, Response, from_parts, json_response
from tests.support.jira_wire import BASE, VirtualTime
from worker.config import JiraSettings
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import JiraMapping

CANARY = "ATATTcanary0123456789abcdef=0A1B2C3D"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


NOT_FOUND = json_response(404, {"errorMessages": ["no such path"], "errors": {}})
Answer = Response | Callable[[Request], Response] | Exception


class Script:
    """A site that answers by `METHOD path` below `/rest/api/N`: a list of answers one after the other, the last one stays.

    An answer is what the site says, a function of the request, or the error of a connection that broke.
    """

    def __init__(self, answers: Mapping[str, Answer | list[Answer]]) -> None:
        self.answers = {
            key: list(value) if isinstance(value, list) else [value]
            for key, value in answers.items()
        }

    def install(self) -> None:
        """Answer from now on whatever `requests` would send over a connection; other paths are not found."""
        responses.reset()
        for endpoint, answers in self.answers.items():
            method, _, path = endpoint.partition(" ")
            for answer in answers:
                responses.add(_reply(method, re.escape(path), answer))
        for method in ("GET", "POST"):
            responses.add(_reply(method, self._other_paths(method), NOT_FOUND))

    def _other_paths(self, method: str) -> str:
        """Return the pattern of paths without an answer: `responses` would break the connection there."""
        known = [name.removeprefix(f"{method} ") for name in self.answers]
        return rf"(?!({'|'.join(map(re.escape, known))})(\?|$)).*"

    @property
    def requests(self) -> list[Request]:
        """What was asked of the site, oldest first."""
        return [_asked(call.request) for call in responses.calls]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return the JSON bodies received at paths that end so."""
        return [
            msgspec.json.decode(each.body)
            for each in self.requests
            if each.path.endswith(path)
        ]


def _reply(method: str, path: str, answer: Answer) -> responses.BaseResponse:
    """Return the answer at paths of a pattern, as `responses` takes it."""
    url = re.compile(rf"https?://.+?/rest/api/\d+/{path}(\?.*)?$", re.DOTALL)
    if callable(answer):
        return responses.CallbackResponse(
            method, url, lambda request: _parts(answer(_asked(request)))
        )
    if isinstance(answer, Exception):
        return responses.Response(method, url, body=answer)
    status, headers, body = _parts(answer)
    return responses.Response(
        method, url, body=body, status=status, headers=headers, content_type=None
    )


def _parts(answer: Response) -> tuple[int, dict[str, str], bytes]:
    return answer.status, dict(answer.headers), answer.body


def _asked(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    return from_parts(
        request.method or "",
        request.url or "",
        dict(request.headers),
        body if isinstance(body, bytes) else str(body).encode(),
    )


def make(
    site: Script | Handler,
    *,
    cloud: bool = True,
    time: VirtualTime | None = None,
    seconds: float = float("inf"),
    mapping: JiraMapping | None = None,
    token: str = CANARY,
    email: str = "rayline@example.net",
    base_url: str = BASE,
) -> JiraGateway:
    """Return a gateway under virtual time to a scripted site (over the connections it really has) or an emulator."""
    time = time or VirtualTime()
    settings = JiraSettings(
        base_url=base_url,
        deployment="cloud" if cloud else "datacenter",
        email=email,
        token=SecretStr(token),
    )
    if isinstance(site, Script):
        site.install()
    return JiraGateway(
        settings,
        mapping=mapping,
        adapter=None if isinstance(site, Script) else HandlerAdapter(site),
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
