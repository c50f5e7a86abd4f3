"""Recorded exchanges with real sites, replayed into the emulator: the share of answers with the same status and shape.

The site is seeded with what the recordings were made on; page tokens are the emulator's own.
Shape is: every key the real answer had is there with the same kind of value. What the emulator lacks is listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
from jira_rig import Site

from rayline_sandbox.wire import Request

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "jira"
FLOOR = 0.98
WITHOUT = ("watchers", "jql/autocompletedata", "issueLink", "createmeta")
COSMETIC = frozenset(
    {
        "displayUrlServicedeskHelpCenter",
        "displayUrlCSMHelpSeeker",
        "displayUrlConfluence",
        "entityId",
        "avatarId",
        "tmpFromAccountId",
        "tmpToAccountId",
        "defaultLocale",
        "isAssigneeTypeValid",
    }
)


class Exchange(NamedTuple):
    """One recorded request and its answer."""

    file: str
    deployment: str
    method: str
    path: str
    query: str
    body: str
    status: int
    answer: Any


def exchanges() -> Iterator[Exchange]:
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text())
        for each in recording["interactions"]:
            asked, answered = each["request"], each["response"]
            answer = json.loads(answered["body"]) if answered.get("body") else None
            yield Exchange(
                path.stem,
                recording["deployment"],
                asked["method"],
                asked["path"],
                asked.get("query", ""),
                asked.get("body", ""),
                answered["status"],
                answer,
            )


def story(key: str, **more: Any) -> dict[str, Any]:
    """Return an issue as the recorded sites had them."""
    return {
        "key": key,
        "type": "Task",
        "summary": f"Issue {key}",
        "created": "2026-08-06T16:30:39.194Z",
        "updated": "2026-11-21T10:00:00Z",
        "reporter": "ada",
        "assignee": "ada",
        **more,
    }


def seeded(deployment: str) -> Site:
    """Return a site that holds what the recordings presuppose."""
    site = Site(
        deployment, time_zone="America/Chicago" if deployment == "cloud" else "Etc/UTC"
    )
    site.act("load", **_seed(deployment))
    for _ in range(2):
        site.act("comment", issue="ENG-8", author="ada", body="Spare")
    site.act(
        "edit",
        issue="ENG-2",
        fields={"summary": "Page a search by keyset", "assignee": "grace"},
    )
    for number in range(10):
        fields = {
            "summary": f"First story {number}",
            "priority": {"id": str(number % 2 + 1)},
        }
        site.act("edit", issue="AGL-2", fields=fields)
    for number in range(25):
        site.act("comment", issue="AGL-3", author="ada", body=f"probe {number}")
        site.act("comment", issue="ENG-2", author="ada", body=f"probe {number}")
    for number in range(50):
        site.act("edit", issue="AGL-3", fields={"summary": f"Second story {number}"})
    site.act("worklog", issue="AGL-3", author="ada", seconds=7200)
    while site.act("worklog", issue="ENG-8", author="ada", seconds=60)["id"] != "10002":
        continue
    return site


def _seed(deployment: str) -> dict[str, Any]:
    sprints: list[dict[str, Any]] = [
        {"id": 1, "name": "Sprint 1", "state": "future", "board": 1}
    ]
    if deployment == "cloud":
        sprints = [
            {
                "id": 1,
                "name": "Sprint 1",
                "state": "active",
                "board": 3,
                "created": "2026-08-10T13:35:48.975Z",
                "start": "2026-08-10T15:12:18.263Z",
                "end": "2026-08-24T15:12:13Z",
            },
            *[
                {
                    "id": 4,
                    "name": "Sprint 4",
                    "state": "future",
                    "board": 3,
                    "created": "2026-08-10T13:35:48Z",
                    "start": "2026-08-17T09:00:00Z",
                    "end": "2026-08-31T09:00:00Z",
                    "goal": "Ship",
                },
                {
                    "id": 5,
                    "name": "Sprint 5",
                    "state": "future",
                    "board": 3,
                    "created": "2026-08-10T13:35:48Z",
                },
            ],
        ]
    boards = (
        [
            {"id": 1, "project": "OPS", "type": "simple"},
            {"id": 2, "project": "ENG", "type": "simple"},
            {"id": 3, "project": "AGL"},
        ]
        if deployment == "cloud"
        else [{"id": 1, "project": "ENG"}]
    )
    issues = [
        story(
            f"{project}-{number}",
            type="Epic" if number == 1 else "Task",
            labels=["pagination"],
            **({"parent": "ENG-12"} if (project, number) == ("ENG", 13) else {}),
        )
        for project in ("OPS", "ENG", "AGL")
        for number in range(1, 14)
    ]
    issues[25]["type"] = "Sub-task"
    return {
        "users": [
            {"name": "Ada Lovelace", "email": "ada@example.invalid", "login": "ada"},
            {
                "name": "Grace Hopper",
                "email": "grace@example.invalid",
                "login": "grace",
            },
        ],
        "projects": [
            {
                "key": "ENG",
                "lead": "ada",
                "components": ["api"],
                "description": "Fixture",
                "versions": [{"name": "1.0", "description": "First release"}],
            },
            {"key": "OPS", "lead": "ada", "style": "next-gen"},
            {"key": "AGL", "lead": "ada"},
        ],
        "boards": boards,
        "sprints": sprints,
        "issues": issues,
    }


def lacking(real: Any, ours: Any, where: str = "") -> list[str]:
    """Return the places where our answer lacks a key, or has another kind of value, than the real one."""
    if real is None or ours is None:
        return []
    if isinstance(real, dict):
        if not isinstance(ours, dict):
            return [f"{where}: not an object"]
        missing = [
            f"{where}.{key} is missing"
            for key in real
            if key not in ours and key not in COSMETIC
        ]
        both = [key for key in real if key in ours]
        return missing + [
            text
            for key in both
            for text in lacking(real[key], ours[key], f"{where}.{key}")
        ]
    if isinstance(real, list):
        if not isinstance(ours, list):
            return [f"{where}: not a list"]
        return lacking(real[0], ours[0], f"{where}[]") if real and ours else []
    numbers = isinstance(real, int | float) and isinstance(ours, int | float)
    return (
        []
        if numbers or type(real) is type(ours)
        else [f"{where}: {type(ours).__name__}"]
    )


def play(site: Site, exchange: Exchange) -> list[str]:
    """Return how the emulator's answer differs."""
    response = site.jira.handle(
        Request(
            exchange.method,
            exchange.path,
            tuple(parse_qsl(exchange.query, keep_blank_values=True)),
            {"authorization": site.authorization, "host": "recorded.invalid"},
            exchange.body.encode(),
        )
    )
    if response.status != exchange.status:
        return [
            f"status {response.status} instead of {exchange.status}: {response.body[:120]!r}"
        ]
    ours = json.loads(response.body) if response.body else None
    if (ours is None) != (exchange.answer is None):
        return ["one of the bodies is empty"]
    return lacking(exchange.answer, ours)


@pytest.mark.shared
def test_recorded_answers_have_the_emulators_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not RECORDINGS.exists():
        pytest.skip("the shared recordings are absent")
    asked = [
        each for each in exchanges() if not any(part in each.path for part in WITHOUT)
    ]
    previous, site, token = "", Site(), ""
    failures: list[str] = []
    for exchange in asked:
        if exchange.file != previous:
            site, previous, token = seeded(exchange.deployment), exchange.file, ""
        current = exchange
        if "nextPageToken=" in exchange.query:
            current = exchange._replace(
                query=f"{exchange.query.partition('&nextPageToken=')[0]}&nextPageToken={token}"
            )
        differences = play(site, current)
        token = _next_token(site, current)
        if differences:
            failures.append(
                f"{exchange.file} {exchange.method} {exchange.path}: {'; '.join(differences[:4])}"
            )
    share = 1 - len(failures) / len(asked)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nJira recordings: {share:.1%} of {len(asked)} answers have the same status and shape; "
            f"not replayed: {', '.join(WITHOUT)}",
            *failures,
            sep="\n",
        )
    assert share >= FLOOR


def _next_token(site: Site, exchange: Exchange) -> str:
    if not exchange.path.endswith("/search/jql"):
        return ""
    answer = site.raw(
        exchange.method, exchange.path, query=dict(parse_qsl(exchange.query))
    )
    return str(json.loads(answer.body).get("nextPageToken", ""))
