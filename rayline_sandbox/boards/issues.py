"""Issues and projects of the sandbox's Jira for a browser, at the addresses under which people know them: /browse/KEY.

Everything is read through the public API, as any client would.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec

from rayline_sandbox.boards.words import Words, speak
from rayline_sandbox.wire import Handler, Request, Response

HERE = Path(__file__).parent
PREFIX = "/browse/"
STATIC = {"boards.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
COLOURS = {"new": "gray", "indeterminate": "blue", "done": "green"}
"""The colours of Jira's three categories of statuses."""
FIELDS = "summary,status,assignee,issuetype,duedate,updated,parent,subtasks,timetracking,description,project"
NEWEST = 30
"""So many issues of a project and changes of an issue are shown."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

Json = dict[str, Any]


class _NotThere(Exception):
    """The API shows nothing of this key."""


@dataclass(frozen=True, slots=True)
class Row:
    """One issue in a list."""

    key: str
    summary: str
    status: str
    colour: str
    who: str


class IssuePages:
    """The browser view of Jira: `around` lets everything else pass to the API itself."""

    def __init__(self, api: Handler, *, email: str, token: str, locale: str) -> None:
        self._api = api
        login = b64encode(f"{email}:{token}".encode()).decode()
        # Cloud takes the first, Data Center the second.
        self._logins = (f"Basic {login}", f"Bearer {token}")
        self._words = speak(locale)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def around(self, handler: Handler) -> Handler:
        """Return a handler that shows issues to browsers and leaves the rest to `handler`."""

        def routed(request: Request) -> Response:
            if request.method not in ("GET", "HEAD"):
                return handler(request)
            if request.path.startswith(PREFIX):
                return self._page(request.path.removeprefix(PREFIX).strip("/"))
            name = request.path.removeprefix("/_static/")
            if name in STATIC and request.path.startswith("/_static/"):
                body = (HERE / "static" / name).read_bytes()
                return Response(200, _headers(STATIC[name]), body)
            return handler(request)

        return routed

    def _page(self, key: str) -> Response:
        template = "issue.html" if "-" in key else "project.html"
        try:
            context = self._issue(key) if "-" in key else self._project(key)
            status = 200
        except _NotThere:
            status, template = 404, "no_issue.html"
            context = {"title": self._words["not_found"], "key": key}
        html = self._templates.get_template(template).render(
            words=self._words, **context
        )
        headers = _headers("text/html; charset=utf-8")
        return Response(status, headers, html.encode())

    def _issue(self, key: str) -> Json:
        path = f"/rest/api/2/issue/{quote(key, safe='')}"
        issue = self._get(path, fields=FIELDS, expand="changelog")
        fields = issue["fields"]
        times = fields.get("timetracking") or {}
        parent = fields.get("parent")
        changes = (issue.get("changelog") or {}).get("histories") or []
        newest = sorted(
            changes, key=lambda change: str(change["created"]), reverse=True
        )
        return {
            "title": f"{issue['key']} {fields['summary']}",
            "issue": _row(issue),
            "kind": fields["issuetype"]["name"],
            "project": fields["project"],
            "facts": [
                (self._words["due"], fields.get("duedate")),
                (self._words["estimated"], times.get("originalEstimate")),
                (self._words["logged"], times.get("timeSpent")),
            ],
            "description": fields.get("description"),
            "parent": _row(parent) if parent else None,
            "parts": [_row(part) for part in fields.get("subtasks") or ()],
            "changes": [_change(self._words, one) for one in newest[:NEWEST]],
        }

    def _project(self, key: str) -> Json:
        project = self._get(f"/rest/api/2/project/{quote(key, safe='')}")
        query = {
            "jql": f'project = "{project["key"]}" ORDER BY updated DESC',
            "fields": FIELDS,
            "maxResults": str(NEWEST),
        }
        try:
            listed = self._get("/rest/api/3/search/jql", **query)
        except _NotThere:
            listed = self._get("/rest/api/2/search", **query)
        return {
            "title": f"{project['key']} {project['name']}",
            "rows": [_row(issue) for issue in listed["issues"]],
        }

    def _get(self, path: str, **query: str) -> Json:
        """Return what the API answers; raises `_NotThere` when it refuses."""
        for login in self._logins:
            headers = {"authorization": login, "accept": "application/json"}
            pairs = tuple(query.items())
            response = self._api(Request("GET", path, pairs, headers, b""))
            if response.status == 200:
                return msgspec.json.decode(response.body, type=Json)
        raise _NotThere


def _row(issue: Json) -> Row:
    fields = issue["fields"]
    status = fields["status"]
    category = (status.get("statusCategory") or {}).get("key", "")
    assignee = fields.get("assignee") or {}
    return Row(
        issue["key"],
        fields.get("summary") or "",
        status["name"],
        COLOURS.get(category, "default"),
        assignee.get("displayName", ""),
    )


def _change(words: Words, change: Json) -> Json:
    """Return when somebody changed what."""
    return {
        "when": str(change["created"])[:16].replace("T", " "),
        "who": (change.get("author") or {}).get("displayName", ""),
        "items": [
            (item["field"], item.get("fromString") or "", item.get("toString") or "")
            for item in change["items"]
        ],
    }


def _headers(content_type: str) -> dict[str, str]:
    return {
        "content-type": content_type,
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
