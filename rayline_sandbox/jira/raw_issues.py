"""Real issues as Jira's REST API writes them, one JSON object a line, turned into the compact shapes of `load`.

Projects, people, statuses, versions, sprints and epics are derived from the issues themselves; lines that are no issue
are left out and reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from rayline_sandbox.jira.load import Loader, describe
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.site import Site


def load_lines(site: Site, lines: Iterable[bytes | str]) -> Json:
    """Load raw issues and return the loader's report."""
    problems: list[str] = []
    loader = Loader(site)
    report = loader.load({"issues": _compact(lines, problems)})
    return {**report, "problems": [*problems, *report["problems"]]}


def _compact(lines: Iterable[bytes | str], problems: list[str]) -> Iterator[Json]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield compact(msgspec.json.decode(line))
        except (
            msgspec.DecodeError,
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
        ) as error:
            problems.append(describe(f"line {number}", error))


def compact(raw: Json) -> Json:
    """Return the compact shape of one raw issue."""
    fields = raw["fields"]
    status = fields["status"]
    kind = fields.get("issuetype") or {}
    project = fields.get("project") or {}
    return {
        "id": raw.get("id"),
        "key": raw["key"],
        "project": {
            "key": raw["key"].rpartition("-")[0],
            "name": project.get("name"),
            "id": project.get("id"),
            "category": (project.get("projectCategory") or {}).get("name"),
        },
        "type": {"name": kind.get("name") or "Task", "level": _level(kind)},
        "status": {
            "name": status["name"],
            "id": status.get("id"),
            "category": (status.get("statusCategory") or {}).get("key"),
        },
        "summary": fields.get("summary"),
        "description": fields.get("description"),
        "created": fields["created"],
        "updated": fields.get("updated"),
        "resolutiondate": fields.get("resolutiondate"),
        "duedate": fields.get("duedate"),
        "resolution": (fields.get("resolution") or {}).get("name"),
        "priority": (fields.get("priority") or {}).get("name"),
        "labels": fields.get("labels"),
        "assignee": _person(fields.get("assignee")),
        "reporter": _person(fields.get("reporter")),
        "creator": _person(fields.get("creator")),
        "flagged": fields.get("flagged"),
        "components": fields.get("components"),
        "fixVersions": fields.get("fixVersions"),
        "versions": fields.get("versions"),
        "sprints": _sprints(fields),
        "parent": _parent(fields),
        "estimate": fields.get("timeoriginalestimate"),
        "spent": fields.get("timespent"),
        "history": list(_history(raw.get("changelog") or {})),
    }


def _level(kind: Json) -> int:
    if kind.get("subtask"):
        return -1
    return 1 if kind.get("name") == "Epic" else 0


def _person(raw: Any) -> Json | None:
    if not isinstance(raw, dict):
        return None
    login = raw.get("name") or raw.get("accountId")
    return {
        "id": raw.get("accountId") or raw.get("key"),
        "login": login,
        "name": raw.get("displayName") or login,
        "email": raw.get("emailAddress") or "",
        "timeZone": raw.get("timeZone"),
        "active": raw.get("active", True),
    }


def _sprints(fields: Json) -> list[Json]:
    closed = fields.get("closedSprints") or ()
    found = [*closed, fields.get("sprint")]
    return [
        {**sprint, "board": sprint.get("originBoardId")}
        for sprint in found
        if isinstance(sprint, dict)
    ]


def _parent(fields: Json) -> str | None:
    above = fields.get("parent") or fields.get("epic") or {}
    return above.get("key")


def _history(changelog: Json) -> Iterator[Json]:
    for entry in changelog.get("histories") or ():
        author = _person(entry.get("author"))
        for item in entry.get("items") or ():
            yield {
                "at": entry["created"],
                "author": author,
                "field": item["field"],
                "from": item.get("fromString"),
                "to": item.get("toString"),
            }
