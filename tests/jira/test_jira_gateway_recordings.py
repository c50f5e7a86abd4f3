"""Recorded answers of real sites, Cloud and Data Center 10.4, and real issues are read without loss."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jira_gateway_rig import Script, found, make

from rayline_sandbox.wire import Response, json_response
from worker.domain.entities import Issue
from worker.errors import Denied

SHARED = Path(__file__).parents[2] / ".." / "shared"
RECORDINGS, REAL = (
    SHARED / "recordings" / "jira",
    SHARED / "jira-data" / "titanium-sample-2000.jsonl.gz",
)
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings beside the repo"),
]


def answers(path_part: str) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Return (is it Cloud, body) of every recorded 200 at paths matching `path_part`."""
    for file in sorted(RECORDINGS.glob("*.json")):
        recorded = json.loads(file.read_text("utf-8"))
        for each in recorded["interactions"]:
            if (
                re.search(path_part, each["request"]["path"])
                and each["response"]["status"] == 200
            ):
                yield (
                    recorded["deployment"] == "cloud",
                    json.loads(each["response"]["body"]),
                )


def read(raw: list[dict[str, Any]], *, cloud: bool) -> tuple[Issue, ...]:
    """Return these raw issues as the gateway reads them; every one must be readable."""
    page = found(*raw, total=len(raw), isLast=True)
    epics = {
        "GET issue/" + str(value): json_response(404, {})
        for each in raw
        for value in each["fields"].values()
        if isinstance(value, str)
    }
    script = Script(
        {
            "GET field": json_response(200, []),
            "POST search/jql": page,
            "GET search": page,
            **epics,
        }
    )
    batch = make(script, cloud=cloud).issues("project = X")
    assert batch.complete
    assert batch.problems == ()
    return batch.issues


def compare(raw: dict[str, Any], issue: Issue) -> None:
    """Check one issue against its raw form."""
    fields = raw["fields"]
    assert (issue.id, issue.key, issue.summary) == (
        raw["id"],
        raw["key"],
        fields.get("summary") or "",
    )
    assert issue.status == fields["status"]["name"]
    assert issue.category == fields["status"]["statusCategory"]["key"]
    assert issue.type == fields["issuetype"]["name"]
    assert issue.labels == tuple(fields.get("labels") or ())
    person = fields.get("assignee") or {}
    assert issue.assignee == (person.get("accountId") or person.get("name"))


def whole(raw: dict[str, Any]) -> bool:
    """Tell whether a recording holds the fields this program asks for."""
    return set(raw.get("fields", {})) >= {"status", "issuetype", "created", "updated"}


def test_recorded_searches_are_read_without_loss() -> None:
    seen = {True: 0, False: 0}
    for cloud, body in answers(r"/api/\d/search"):
        raws = [raw for raw in body["issues"] if whole(raw)]
        for raw, issue in zip(raws, read(raws, cloud=cloud), strict=True):
            compare(raw, issue)
            seen[cloud] += 1
    assert min(seen.values()) > 3


def test_recorded_single_issues_are_read_without_loss() -> None:
    seen = 0
    for cloud, body in answers("/rest/api/2/issue/"):
        if "fields" in body and whole(body):
            compare(body, read([body], cloud=cloud)[0])
            seen += 1
    assert seen >= 2


def test_a_recorded_site_is_recognised() -> None:
    info = next(body for cloud, body in answers("/serverInfo") if cloud)
    me = next(body for cloud, body in answers("/myself") if cloud)
    site = make(
        Script(
            {
                "GET serverInfo": json_response(200, info),
                "GET myself": json_response(200, me),
            }
        )
    ).server_info()
    assert (site.account, site.time_zone, site.deployment) == (
        me["accountId"],
        me["timeZone"],
        "cloud",
    )
    server = next(body for cloud, body in answers("/serverInfo") if not cloud)
    user = next(body for cloud, body in answers("/myself") if not cloud)
    script = Script(
        {
            "GET serverInfo": json_response(
                200, server | {"serverTime": "2026-08-01T10:00:00.000+0000"}
            ),
            "GET myself": json_response(200, user),
        }
    )
    assert make(script, cloud=False).server_info().deployment == "datacenter"


def test_recorded_histories_are_read_whole() -> None:
    seen = 0
    for cloud, body in answers(r"/api/\d/search"):
        for raw in body["issues"]:
            log = raw.get("changelog")
            if cloud or not log:
                continue
            script = Script(
                {
                    "GET field": json_response(200, []),
                    "GET status": json_response(200, []),
                    "GET search": json_response(200, {"issues": [raw]}),
                }
            )
            assert make(script, cloud=False).moves([raw["id"]]).moves.keys() == {
                raw["id"]
            }
            seen += len(log["histories"])
    assert seen > 0


def test_a_refused_login_says_why() -> None:
    denied = Response(
        403,
        {
            "x-authentication-denied-reason": "CAPTCHA_CHALLENGE; login-url=https://x/login.jsp"
        },
        b"<html>",
    )
    with pytest.raises(Denied, match="CAPTCHA"):
        make(Script({"GET myself": denied})).server_info()


@pytest.mark.skipif(not REAL.is_file(), reason="no real issues beside the repo")
def test_two_thousand_real_issues_are_read_without_loss() -> None:
    with gzip.open(REAL, "rt", encoding="utf-8") as lines:
        raws = [json.loads(line) for line in lines]
    raws = [raw for raw in raws if whole(raw)]
    issues = {issue.id: issue for issue in read(raws, cloud=False)}
    assert len(issues) == len({raw["id"] for raw in raws}) > 1900
    for raw in raws:
        compare(raw, issues[raw["id"]])
