"""Values clients write to Jira: what is no value is refused with nothing stored, and what is stored reads back."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site

from rayline_sandbox.wire import Request

PARAGRAPH = {"type": "paragraph", "content": [{"type": "text", "text": "hello"}]}
DOCUMENT = {"type": "doc", "version": 1, "content": [PARAGRAPH]}


@pytest.fixture
def site() -> Site:
    return small_site()


def fields_of(site: Site, key: str) -> dict[str, Any]:
    fields: dict[str, Any] = site.ask("GET", f"issue/{key}")["fields"]
    return fields


def last_items(site: Site, key: str) -> list[tuple[str, str | None, str | None]]:
    items = site.ask("GET", f"issue/{key}/changelog")["values"][-1]["items"]
    return [(item["field"], item["fromString"], item["toString"]) for item in items]


# Rich text ------------------------------------------------------------------


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = PARAGRAPH
    for _ in range(depth):
        node = {"type": "blockquote", "content": [node]}
    return {**DOCUMENT, "content": [node]}


@pytest.mark.parametrize(
    "body",
    [
        {"content": 5},
        {**DOCUMENT, "content": 5},
        {**DOCUMENT, "content": ["text"]},
        {**DOCUMENT, "version": "1"},
        {"version": 1, "content": []},
        {**DOCUMENT, "content": [{"type": 5}]},
        {**DOCUMENT, "content": [{}]},
        {**DOCUMENT, "content": [{"type": "text", "text": 5}]},
        {**DOCUMENT, "content": [{"type": "text"}]},
        {**DOCUMENT, "content": [{"type": "heading", "attrs": 5}]},
        {**DOCUMENT, "content": [{"type": "text", "text": "x", "marks": ["strong"]}]},
        nested(150),
        5,
        ["text"],
        True,
    ],
)
def test_what_is_no_document_is_refused_and_not_stored(site: Site, body: Any) -> None:
    before = fields_of(site, "APP-1")
    assert (
        site.refused("PUT", "issue/APP-1", {"fields": {"description": body}})[0] == 400
    )
    assert site.refused("POST", "issue/APP-1/comment", {"body": body})[0] == 400
    assert (
        site.refused(
            "POST", "issue/APP-1/worklog", {"timeSpentSeconds": 60, "comment": body}
        )[0]
        == 400
    )
    assert fields_of(site, "APP-1") == before
    assert site.keys("text ~ quotas") == ["APP-1"]
    assert (
        site.ask("GET", "/rest/api/2/issue/APP-1")["fields"]["description"]
        == "Ask the store about quotas"
    )


def test_node_types_nobody_has_heard_of_are_kept(site: Site) -> None:
    odd = {
        **DOCUMENT,
        "content": [
            {"type": "blockFromTheFuture", "attrs": {"a": [1]}, "content": [PARAGRAPH]}
        ],
    }
    site.ask("PUT", "issue/APP-1", {"fields": {"description": odd}})
    assert fields_of(site, "APP-1")["description"] == odd
    assert site.keys("description ~ hello") == ["APP-1"]


def test_a_body_nested_beyond_reading_is_refused(site: Site) -> None:
    endless = b'{"fields": {"description": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    response = site.jira.handle(_put(site, "issue/APP-1", endless))
    assert response.status == 400


def _put(site: Site, path: str, content: bytes) -> Request:
    return Request(
        "PUT", f"{site.root}/{path}", (), {"authorization": site.authorization}, content
    )


def test_the_history_of_a_description_holds_its_text(site: Site) -> None:
    site.ask("PUT", "issue/APP-1", {"fields": {"description": DOCUMENT}})
    assert last_items(site, "APP-1") == [
        ("description", "Ask the store about quotas", "hello")
    ]


def test_a_loaded_issue_with_a_broken_description_is_reported_and_left_out() -> None:
    site = Site()
    site.act(
        "load",
        issues=[
            {"key": "A-1", "created": 0, "description": {"content": 5}},
            {"key": "A-2", "created": 0, "description": DOCUMENT},
        ],
    )
    assert site.keys("project = A") == ["A-2"]
    assert "A-1" in site.act("problems")["problems"][0]


# Instants and dates ---------------------------------------------------------


@pytest.mark.parametrize(
    "started",
    [
        "9999-12-31T23:59:59.999-1200",
        "0001-01-01T00:00:00.000+1200",
        "51502-01-01",
        "2026-13-01T00:00:00.000+0000",
        "yesterday",
    ],
)
def test_time_booked_at_no_time_is_refused_and_not_stored(
    site: Site, started: str
) -> None:
    asked = {"timeSpentSeconds": 60, "started": started}
    assert site.refused("POST", "issue/WEB-10/worklog", asked)[0] == 400
    assert site.ask("GET", "issue/WEB-10/worklog")["worklogs"] == []
    assert fields_of(site, "WEB-10")["timespent"] is None
    booked = site.ask("GET", "issue/WEB-2/worklog")["worklogs"]
    assert (
        site.refused("PUT", f"issue/WEB-2/worklog/{booked[0]['id']}", asked)[0] == 400
    )
    assert site.ask("GET", "issue/WEB-2/worklog")["worklogs"] == booked


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize(
    "started",
    ["0001-01-02T00:00:00Z", "9999-12-30T23:59:59.999Z", "1969-12-01T10:00:00Z"],
)
def test_every_time_that_is_accepted_can_be_read_in_any_zone(
    zone: str, started: str
) -> None:
    site = small_site(time_zone=zone)
    made = site.ask(
        "POST", "issue/WEB-10/worklog", {"timeSpentSeconds": 60, "started": started}
    )
    assert site.ask("GET", "issue/WEB-10/worklog")["worklogs"] == [made]
    assert len(made["started"]) == len("2026-11-21T15:00:00.000+0300")
    assert site.keys("worklogDate >= '0001-01-01' and key = WEB-10") == ["WEB-10"]


def test_worklogs_are_bounded_only_when_asked(site: Site) -> None:
    for started in ("1969-12-01T10:00:00.000Z", "2026-11-20T10:00:00.000Z"):
        site.ask(
            "POST", "issue/WEB-10/worklog", {"timeSpentSeconds": 60, "started": started}
        )
    assert site.ask("GET", "issue/WEB-10/worklog")["total"] == 2
    assert site.ask("GET", "issue/WEB-10/worklog", startedAfter=0)["total"] == 1
    assert site.ask("GET", "issue/WEB-10/worklog", startedBefore=0)["total"] == 1


@pytest.mark.parametrize(
    "due",
    ["20261201", "2026-W49-2", "2026-02-30", "2026-12-01T00:00:00.000+0000", 5, True],
)
def test_only_a_plain_date_is_a_due_date(site: Site, due: Any) -> None:
    assert site.refused("PUT", "issue/WEB-10", {"fields": {"duedate": due}})[0] == 400


def test_a_sprint_does_not_start_at_the_edge_of_time(site: Site) -> None:
    assert (
        site.refused(
            "POST",
            "/rest/agile/1.0/sprint/3",
            {"startDate": "9999-12-31T23:59:59.999-1200"},
        )[0]
        == 400
    )
    assert "startDate" not in site.ask("GET", "/rest/agile/1.0/sprint/3")


# Durations and numbers ------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"timeoriginalestimate": True},
        {"timeoriginalestimate": -5},
        {"timeoriginalestimate": 1e30},
        {"timeestimate": [5]},
        {"timetracking": "3d"},
        {"timetracking": {"original": "3d"}},
        {"timetracking": {"originalEstimate": "soon"}},
        {"timetracking": {"originalEstimate": "9" * 400}},
        {"timetracking": {"remainingEstimateSeconds": 10**30}},
        {"customfield_10024": True},
        {"customfield_10024": "5"},
    ],
)
def test_what_is_no_duration_or_number_is_refused(
    site: Site, fields: dict[str, Any]
) -> None:
    before = fields_of(site, "WEB-10")
    assert site.refused("PUT", "issue/WEB-10", {"fields": fields})[0] == 400
    assert fields_of(site, "WEB-10") == before


@pytest.mark.parametrize("spent", [True, 1e30, 10**30, 0, -60, 1.5, [60], {"x": 1}])
def test_what_is_no_time_spent_is_refused(site: Site, spent: Any) -> None:
    assert (
        site.refused("POST", "issue/WEB-10/worklog", {"timeSpentSeconds": spent})[0]
        == 400
    )
    entry = site.ask("GET", "issue/WEB-2/worklog")["worklogs"][0]
    assert (
        site.refused(
            "PUT", f"issue/WEB-2/worklog/{entry['id']}", {"timeSpentSeconds": spent}
        )[0]
        == 400
    )
    assert fields_of(site, "WEB-2")["timespent"] == 10_800


@pytest.mark.parametrize(
    "fields",
    [
        {"timetracking": {"originalEstimate": "2d", "remainingEstimate": "1d"}},
        {"timeoriginalestimate": 57_600, "timeestimate": 28_800},
        {"timeestimate": 28_800, "timeoriginalestimate": 57_600},
    ],
)
def test_both_estimates_set_together_are_each_told_once(
    site: Site, fields: dict[str, Any]
) -> None:
    site.ask("PUT", "issue/WEB-10", {"fields": fields})
    items = last_items(site, "WEB-10")
    assert len(items) == 2
    assert set(items) == {
        ("timeestimate", None, "28800"),
        ("timeoriginalestimate", None, "57600"),
    }
    assert (
        fields_of(site, "WEB-10")["timetracking"]["remainingEstimateSeconds"] == 28_800
    )


# Numbers in paths and bodies ------------------------------------------------


@pytest.mark.parametrize("ref", ["²", "٣²", "9" * 30, "9" * 5000, "+1", "-1"])
def test_what_is_no_number_finds_nothing(site: Site, ref: str) -> None:
    for path in (
        f"issue/{ref}",
        f"project/{ref}",
        f"filter/{ref}",
        f"/rest/agile/1.0/board/{ref}",
        f"/rest/agile/1.0/sprint/{ref}",
        f"issue/WEB-2/comment/{ref}",
        f"issue/WEB-2/worklog/{ref}",
    ):
        assert site.refused("GET", path)[0] == 404, path
    assert site.ask("POST", "worklog/list", {"ids": [ref]}) == []
    assert (
        site.refused("GET", "search/jql", jql="key = WEB-2", reconcileIssues=ref)[0]
        == 400
    )
    assert site.keys(f"key = '{ref}' or sprint = '{ref}' or project = '{ref}'") == []


@pytest.mark.parametrize("value", ["²", "9" * 30, "1_0", "1.5", "true"])
def test_a_parameter_that_is_no_number_is_refused(site: Site, value: str) -> None:
    assert site.refused("GET", "worklog/updated", since=value)[0] == 400
    assert (
        site.refused("POST", "issue/WEB-2/changelog/list", {"changelogIds": [value]})[0]
        == 400
    )
