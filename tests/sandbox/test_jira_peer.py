"""The Data Center face beside `jira820`, a Jira not written here: the same reads have the same shape where it is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jira820.config
import jira820.server
import pytest
from jira_rig import Site, small_site
from starlette.testclient import TestClient

READS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("serverInfo", "/rest/api/2/serverInfo", {}),
    ("fields", "/rest/api/2/field", {}),
    ("statuses", "/rest/api/2/status", {}),
    ("projects", "/rest/api/2/project", {}),
    ("project", "/rest/api/2/project/{project}", {}),
    ("versions", "/rest/api/2/project/{project}/versions", {}),
    ("components", "/rest/api/2/project/{project}/components", {}),
    (
        "search",
        "/rest/api/2/search",
        {"jql": "project = {project}", "maxResults": "50"},
    ),
    ("issue", "/rest/api/2/issue/{issue}", {}),
    ("history", "/rest/api/2/issue/{issue}", {"expand": "changelog"}),
    ("comments", "/rest/api/2/issue/{issue}/comment", {}),
    ("worklogs", "/rest/api/2/issue/{issue}/worklog", {}),
    ("transitions", "/rest/api/2/issue/{issue}/transitions", {}),
    ("boards", "/rest/agile/1.0/board", {}),
    ("sprints", "/rest/agile/1.0/board/{board}/sprint", {}),
    ("sprint", "/rest/agile/1.0/sprint/{sprint}", {}),
)
WRONG = (
    "transitions[].hasScreen",
    "transitions[].isConditional",
    "transitions[].isGlobal",
    "transitions[].isInitial",
    "values[].location",
    "fields.custom",
)
"""What the peer has and Data Center has not, by the recorded exchanges: sprints in fields are printed records there."""


NEW = {"project": {"key": "WEB"}, "summary": "Part", "issuetype": {"name": "Sub-task"}}


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the paths of a JSON value with the kinds of what is there; null is no kind."""
    match value:
        case dict():
            for name, each in value.items():
                plain = "custom" if name.startswith("customfield") else name
                yield from shape(each, f"{path}.{plain}")
        case list():
            for each in value:
                yield from shape(each, f"{path}[]")
        case None:
            return
        case bool():
            yield path, "boolean"
        case int() | float():
            yield path, "number"
        case _:
            yield path, "text"


@pytest.fixture(scope="module")
def peer() -> Iterator[TestClient]:
    config = jira820.config.Config()
    config.seed = "7"
    with TestClient(jira820.server.make_app(config=config)) as client:
        yield client


@pytest.fixture(scope="module")
def site() -> Site:
    """Return a site whose issue WEB-11 has all that an issue of the peer has."""
    site = small_site("datacenter")
    fields = {
        **NEW,
        "issuetype": {"name": "Bug"},
        "reporter": {"name": "ada"},
        "assignee": {"name": "grace"},
        "description": "Goods",
        "priority": {"name": "High"},
        "duedate": "2026-12-01",
        "labels": ["seo"],
        "components": [{"name": "api"}],
        "timetracking": {"originalEstimate": "4h", "remainingEstimate": "1h"},
        "versions": [{"name": "2.0"}],
        "fixVersions": [{"name": "1.0"}],
    }
    key = site.ask("POST", "issue", {"fields": fields})["key"]
    site.ask("POST", "/rest/agile/1.0/sprint/2/issue", {"issues": [key]})
    made = site.ask("POST", "issue", {"fields": {**NEW, "parent": {"key": key}}})
    for first, second in ((key, "WEB-2"), ("WEB-3", key)):
        ends = {"inwardIssue": {"key": first}, "outwardIssue": {"key": second}}
        site.ask("POST", "issueLink", {"type": {"name": "Blocks"}, **ends})
    booked = {"timeSpentSeconds": 3600, "comment": "Carts"}
    site.ask("POST", f"issue/{key}/worklog", booked)
    site.act("comment", issue=key, body="Said")
    site.act("transition", issue=key, status="Done", resolution="Done")
    assert (key, made["key"]) == ("WEB-11", "WEB-12")
    return site


def places(peer: TestClient) -> dict[str, str]:
    """Return a project, an issue, a board and a sprint of the peer."""
    project = peer.get("/rest/api/2/project").json()[0]["key"]
    found = peer.get("/rest/api/2/search", params={"jql": f"project = {project}"})
    boards = peer.get("/rest/agile/1.0/board").json()["values"]
    board = next(str(each["id"]) for each in boards if each["type"] == "scrum")
    sprints = peer.get(f"/rest/agile/1.0/board/{board}/sprint").json()["values"]
    return {
        "project": project,
        "issue": found.json()["issues"][0]["key"],
        "board": board,
        "sprint": str(sprints[0]["id"]),
    }


OWN = {"project": "WEB", "issue": "WEB-11", "board": "1", "sprint": "1"}


@pytest.mark.parametrize(
    ("path", "query"), [read[1:] for read in READS], ids=[read[0] for read in READS]
)
def test_a_read_has_the_shape_an_outside_data_center_gives(
    peer: TestClient, site: Site, path: str, query: dict[str, str]
) -> None:
    theirs = places(peer)
    asked = {key: value.format(**theirs) for key, value in query.items()}
    answer = peer.get(path.format(**theirs), params=asked).json()
    own = {key: value.format(**OWN) for key, value in query.items()}
    ours = dict(shape(site.ask("GET", path.format(**OWN), **own)))
    lacking = {
        f"{place}: {kind}"
        for place, kind in shape(answer)
        if ours.get(place) != kind and not any(each in place for each in WRONG)
    }
    assert sorted(lacking) == []
