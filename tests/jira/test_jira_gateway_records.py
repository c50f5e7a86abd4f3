from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jira_gateway_rig import FIELDS, Script, found, issue, make

from rayline_sandbox.wire import Request, Response, json_response
from tests.support.effort import count_calls
from tests.support.english import english
from tests.support.jira_wire import BASE
from worker.domain.entities import Account, Issue, Move
from worker.errors import ConfigError, Incomplete, Problem, Rejected
from worker.jira.records import read_moment
from worker.mapping.jira import JiraMapping, Labels, Resolutions, load_jira_mapping

STATUSES = json_response(
    200,
    [
        {"id": "1", "name": "To Do", "statusCategory": {"key": "new"}},
        {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
        {"id": "4", "name": "In Review", "statusCategory": {"key": "indeterminate"}},
        {"id": "5", "name": "Done", "statusCategory": {"key": "done"}},
    ],
)


def read(
    *issues: Any, cloud: bool = True, mapping: JiraMapping | None = None
) -> tuple[list[Issue], list[Problem]]:
    """Return what a search answering these raw issues is read as."""
    page = found(*issues, isLast=True, total=len(issues))
    script = Script(
        {
            "GET field": json_response(200, FIELDS),
            "POST search/jql": page,
            "GET search": page,
        }
    )
    batch = make(script, cloud=cloud, mapping=mapping).issues("project = ACME")
    assert batch.complete
    return list(batch.issues), list(batch.problems)


def test_an_issue_is_read_with_utc_instants_and_seconds() -> None:
    raw = issue(
        7,
        category="done",
        summary=None,
        duedate="2026-12-01",
        resolutiondate="2026-11-19T23:30:00.000-0500",
        parent={"id": "10001", "key": "ACME-1", "fields": {}},
        assignee={"accountId": "5b10", "name": "ann"},
        timeoriginalestimate=7200,
        timeestimate=0,
        timespent=3600,
        labels=["a", "b"],
        customfield_10026=3.0,
        customfield_10021=[{"value": "Impediment", "id": "1"}],
        priority=None,
        unknown={"x": 1},
    )
    assert read(raw)[0] == [
        Issue(
            id="10007",
            key="ACME-7",
            project="ACME",
            type="Task",
            level=0,
            status="In Progress",
            category="done",
            created=datetime(2026, 11, 1, 7, tzinfo=UTC),
            updated=datetime(2026, 11, 20, 7, tzinfo=UTC),
            summary="",
            resolved=datetime(2026, 11, 20, 4, 30, tzinfo=UTC),
            due=date(2026, 12, 1),
            parent="10001",
            assignee="5b10",
            estimate=7200,
            remaining=0,
            spent=3600,
            points=3.0,
            flagged=True,
            labels=("a", "b"),
        )
    ]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"status": None}, "status"),
        ({"created": "51502-01-01T00:00:00.000+0000"}, "created"),
        ({"updated": "2026-11-20T10:00:00.000"}, "updated"),
        ({"duedate": "not a date"}, "duedate"),
        ({"issuetype": {"subtask": False}}, "issuetype.name"),
        ({"labels": "x"}, "labels"),
        ({"timespent": "1d"}, "timespent"),
        ({"timespent": 10**30}, "timespent"),
        ({"timeestimate": 2**63}, "timeestimate"),
        ({"timeoriginalestimate": -(2**64)}, "timeoriginalestimate"),
        (
            {"issuetype": {"name": "Task", "hierarchyLevel": 10**30}},
            "issuetype.hierarchyLevel",
        ),
    ],
)
def test_a_malformed_issue_is_set_aside_and_named(
    fields: dict[str, Any], named: str
) -> None:
    issues, problems = read(issue(1), issue(2, **fields), issue(3))
    assert [each.key for each in issues] == ["ACME-1", "ACME-3"]
    assert [
        (english(problem.where), problem.field, problem.url) for problem in problems
    ] == [("ACME-2", named, f"{BASE}/browse/ACME-2")]


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "1", "key": "ACME-2"},
        {"id": "1"},
        {},
        {"id": 5, "key": None},
        "x",
        None,
        [],
    ],
)
def test_an_issue_without_its_parts_is_set_aside(raw: Any) -> None:
    issues, problems = read(raw, issue(3))
    assert [each.key for each in issues] == ["ACME-3"]
    assert len(problems) == 1


def test_an_instant_beyond_the_calendar_is_a_problem_of_its_issue() -> None:
    issues, problems = read(issue(1), issue(2, created="0001-01-01T00:00:00.000+1400"))
    assert len(issues) == 1
    assert english(problems[0].where) == "ACME-2"


NAMES = st.sampled_from(["id", "key", "name", "statusCategory"])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            sorted(
                {
                    *issue(1)["fields"],
                    "parent",
                    "assignee",
                    "duedate",
                    "resolutiondate",
                    "timespent",
                    "customfield_10016",
                    "customfield_10021",
                }
            )
        ),
        json_values,
    )
)
def test_whatever_one_issue_holds_the_others_are_read(garbage: dict[str, Any]) -> None:
    issues, problems = read(issue(1), issue(2, **garbage), issue(3))
    assert {"ACME-1", "ACME-3"} <= {each.key for each in issues}
    assert len(issues) + len(problems) == 3


def test_an_unknown_category_passes_as_undefined() -> None:
    assert read(issue(1, category="archived"))[0][0].category == "undefined"


def test_a_reopened_issue_is_not_resolved() -> None:
    assert (
        read(issue(1, resolutiondate="2026-11-19T10:00:00.000+0000"))[0][0].resolved
        is None
    )


def test_work_done_without_a_resolution_takes_the_date_of_its_category() -> None:
    raw = issue(
        1, category="done", statuscategorychangedate="2026-11-18T10:00:00.000+0000"
    )
    assert read(raw)[0][0].resolved == datetime(2026, 11, 18, 10, tzinfo=UTC)


def test_the_team_managed_estimate_comes_before_story_points() -> None:
    assert (
        read(issue(1, customfield_10016=5, customfield_10026=8.0))[0][0].points == 5.0
    )
    assert (
        read(issue(1, customfield_10016=None, customfield_10026=8.0))[0][0].points
        == 8.0
    )
    assert (
        read(issue(1, customfield_10016=True, customfield_10026="many"))[0][0].points
        is None
    )


def test_a_users_category_overrides_jiras() -> None:
    mapping = JiraMapping(status_categories={"IN progress": "done"})
    assert read(issue(1), mapping=mapping)[0][0].category == "done"
    assert (
        read(issue(1), mapping=JiraMapping(status_categories={"3": "new"}))[0][
            0
        ].category
        == "new"
    )


@pytest.mark.parametrize(
    ("resolution", "category", "rejected"),
    [
        ({"id": "10001", "name": "Won't Do"}, "done", True),
        ({"id": "10001", "name": "won’t fix"}, "done", True),
        ({"id": "10002", "name": "Duplicate"}, "done", True),
        ({"id": "10003", "name": "Cannot Reproduce"}, "done", True),
        ({"id": "10004", "name": "Не будет исправлено"}, "done", True),
        ({"id": "10000", "name": "Done"}, "done", False),
        ({"id": "1", "name": "Fixed"}, "done", False),
        (None, "done", False),
        # A resolution that stayed on reopened work says nothing.
        ({"id": "10001", "name": "Won't Do"}, "indeterminate", False),
    ],
)
def test_a_resolution_tells_what_was_closed_and_not_done(
    resolution: dict[str, str] | None, category: str, rejected: bool
) -> None:
    raw = issue(1, category=category, resolution=resolution)
    (found_issue,) = read(raw, mapping=load_jira_mapping())[0]
    assert found_issue.rejected is rejected


def test_a_users_resolutions_replace_the_shipped_ones() -> None:
    own = JiraMapping(resolutions=Resolutions(rejected=("parked", "10009")))
    shown = {"id": "1", "name": "PARKED"}
    by_id = {"id": "10009", "name": "Später"}
    others = {"id": "2", "name": "Won't Do"}
    raws = [
        issue(number, category="done", resolution=each)
        for number, each in enumerate((shown, by_id, others), start=1)
    ]
    assert [each.rejected for each in read(*raws, mapping=own)[0]] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("labels", "billable"),
    [
        ([], True),
        (["urgent", "billable"], True),
        (["non-billable"], False),
        (["urgent", "Non-Billable"], False),
        (["НеОплачиваемое"], False),
    ],
)
def test_a_label_tells_what_no_client_pays(labels: list[str], billable: bool) -> None:
    (found_issue,) = read(issue(1, labels=labels), mapping=load_jira_mapping())[0]
    assert found_issue.billable is billable
    assert list(found_issue.labels) == labels


def test_a_users_labels_replace_the_shipped_ones() -> None:
    own = JiraMapping(labels=Labels(non_billable=("Warranty",)))
    raws = [issue(1, labels=["WARRANTY"]), issue(2, labels=["non-billable"])]
    assert [each.billable for each in read(*raws, mapping=own)[0]] == [False, True]


def test_the_shipped_mapping_loads_and_a_broken_one_says_where(tmp_path: Path) -> None:
    assert load_jira_mapping().points
    (tmp_path / "jira.toml").write_text(
        '[issue_types]\nepic = ["x"]\n[status_categories]\nA = "finished"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_jira_mapping(tmp_path)
    assert {problem.field for problem in caught.value.problems} == {
        "issue_types.epic",
        "status_categories.A",
    }


# Data Center


def server_issue(number: int, **fields: Any) -> dict[str, Any]:
    """Return a raw issue as Data Center sends it: no levels, epics by custom field."""
    return issue(
        number,
        **{
            "issuetype": {"name": "Task", "subtask": False},
            "assignee": {"name": "ann", "key": "J1"},
            **fields,
        },
    )


def test_data_center_epics_are_found_by_type_or_name_and_children_by_epic_link() -> (
    None
):
    epic = server_issue(1, issuetype={"name": "Epic", "subtask": False})
    named = server_issue(
        2, issuetype={"name": "Saga", "subtask": False}, customfield_10011="Big one"
    )
    child = server_issue(3, customfield_10014="ACME-1")
    sub = server_issue(
        4, issuetype={"name": "Sub-task", "subtask": True}, parent={"id": "10003"}
    )
    issues, _ = read(epic, named, child, sub, cloud=False)
    assert [(each.level, each.parent) for each in issues] == [
        (1, None),
        (1, None),
        (0, "10001"),
        (-1, "10003"),
    ]
    assert issues[0].assignee == "ann"


PARENT_LINK = {
    "id": "customfield_10200",
    "name": "Родительская ссылка",
    "schema": {"type": "any", "custom": "com.atlassian.jpo:jpo-custom-field-parent"},
}


@pytest.mark.parametrize(
    ("value", "parent"),
    [
        ("ACME-1", "10001"),
        ({"key": "ACME-1", "id": 10001}, "10001"),
        ({"showField": True, "data": {"id": 10001, "key": "ACME-1"}}, "10001"),
        (None, None),
        ({"showField": False, "data": None}, None),
        ([], None),
        (17, None),
        ("", None),
    ],
)
def test_what_advanced_roadmaps_puts_above_an_epic_is_its_parent(
    value: Any, parent: str | None
) -> None:
    top = server_issue(1, issuetype={"name": "Initiative", "subtask": False})
    kind = {"name": "Epic", "subtask": False}
    epic = server_issue(2, issuetype=kind, customfield_10200=value)
    script = Script(
        {
            "GET field": json_response(200, [*FIELDS, PARENT_LINK]),
            "GET search": [found(top, epic, total=2)],
        }
    )
    gateway = make(script, cloud=False)
    issues = gateway.issues("project = ACME").issues
    assert [(one.level, one.parent) for one in issues] == [(1, None), (1, parent)]
    assert "cf[10200] in (ACME-1)" in gateway.below(["ACME-1"])


def test_an_epic_outside_the_answer_is_looked_up_once() -> None:
    pages = [
        found(server_issue(3, customfield_10014="ACME-1"), total=1),
        found({"id": "10001", "key": "ACME-1"}),
    ]
    script = Script(
        {"GET field": json_response(200, FIELDS), "GET search": [*pages, pages[0]]}
    )
    gateway = make(script, cloud=False)
    assert gateway.issues("key = ACME-3").issues[0].parent == "10001"
    assert gateway.issues("key = ACME-3").issues[0].parent == "10001"
    assert (
        len(
            [request for request in script.requests if request.path.endswith("/search")]
        )
        == 3
    )


def test_an_epic_that_cannot_be_seen_is_not_sought_in_every_read() -> None:
    page = found(server_issue(3, customfield_10014="ACME-1"), total=1)
    script = Script(
        {"GET field": json_response(200, FIELDS), "GET search": [page, found(), page]}
    )
    gateway = make(script, cloud=False)
    assert gateway.issues("key = ACME-3").issues[0].parent is None
    before = gateway.requests()
    assert gateway.issues("key = ACME-3").issues[0].parent is None
    assert gateway.requests() == before + 1


# By key


def bulk(*issues: Any, errors: tuple[str, ...] = ()) -> Response:
    """Return an answer of `bulkfetch`."""
    return found(
        *issues,
        issueErrors=[{"id": each, "errorMessage": "try again"} for each in errors],
    )


def test_issues_jira_could_not_return_this_time_are_asked_for_again() -> None:
    script = Script(
        {
            "GET field": json_response(200, FIELDS),
            "POST issue/bulkfetch": [bulk(issue(1), errors=("10002",)), bulk(issue(2))],
        }
    )
    assert set(make(script).by_keys(["ACME-1", "ACME-2"])) == {"ACME-1", "ACME-2"}
    assert script.bodies("bulkfetch")[1]["issueIdsOrKeys"] == ["10002"]


def test_issues_jira_keeps_back_are_incomplete_not_absent() -> None:
    script = Script(
        {
            "GET field": json_response(200, FIELDS),
            "POST issue/bulkfetch": bulk(issue(1), errors=("10002",)),
        }
    )
    with pytest.raises(Incomplete):
        make(script).by_keys(["ACME-1", "ACME-2"])


def test_unknown_keys_cost_no_question_each() -> None:
    script = Script(
        {
            "GET field": json_response(200, FIELDS),
            "POST issue/bulkfetch": bulk(issue(1)),
        }
    )
    gateway = make(script)
    assert set(
        gateway.by_keys(["ACME-1", *(f"NOPE-{number}" for number in range(1, 150))])
    ) == {"ACME-1"}
    assert gateway.requests() == 3


def test_an_api_address_with_a_path_of_its_own_works() -> None:
    script = Script(
        {
            "GET field": json_response(200, FIELDS),
            "POST search/jql": found(issue(1), isLast=True),
        }
    )
    gateway = make(script, base_url="https://api.atlassian.com/ex/jira/0d1e/")
    assert len(gateway.issues("project = ACME").issues) == 1
    assert script.requests[-1].path == "/ex/jira/0d1e/rest/api/3/search/jql"


@pytest.mark.parametrize(
    "base_url", ["", "acme.example.net", "ftp://acme.example.net", "https://"]
)
def test_an_unusable_address_is_rejected_in_words(base_url: str) -> None:
    with pytest.raises(Rejected):
        make(Script({}), base_url=base_url).server_info()


# History


def entry(created: Any, before: str, after: str, **more: Any) -> dict[str, Any]:
    """Return a history entry of a status."""
    return {
        "id": "1",
        "created": created,
        "items": [
            {
                "field": "status",
                "fieldId": "status",
                "from": before,
                "to": after,
                **more,
            }
        ],
    }


def histories(*pages: dict[str, Any]) -> Script:
    """Return a Cloud site answering these pages of histories."""
    return Script(
        {
            "GET field": json_response(200, FIELDS),
            "GET status": STATUSES,
            "POST changelog/bulkfetch": [json_response(200, page) for page in pages],
        }
    )


def test_moves_are_changes_of_category_in_every_form_of_time() -> None:
    log = [
        entry(1_795_000_000_000, "1", "3"),
        entry(1_795_000_100, "3", "4"),
        entry("1795000200000", "4", "5"),
        entry("2026-11-19T10:00:00.000-0500", "5", "3"),
        {"created": 1, "items": [{"field": "rank", "to": "x"}]},
    ]
    script = histories({"issueChangeLogs": [{"issueId": "1", "changeHistories": log}]})
    moves = make(script).moves(["1", "2"]).moves
    first = datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
    assert moves == {
        "2": (),
        "1": (
            Move(first, "new", "indeterminate"),
            Move(first + timedelta(seconds=200), "indeterminate", "done"),
            Move(datetime(2026, 11, 19, 15, tzinfo=UTC), "done", "indeterminate"),
        ),
    }
    assert script.bodies("changelog/bulkfetch")[0]["fieldIds"] == ["status"]


def test_one_issues_history_may_span_pages_and_pages_must_end() -> None:
    first = {
        "issueChangeLogs": [
            {"issueId": "1", "changeHistories": [entry(1_795_000_000_000, "1", "3")]}
        ],
        "nextPageToken": "a",
    }
    last = {
        "issueChangeLogs": [
            {"issueId": "1", "changeHistories": [entry(1_795_000_100_000, "3", "5")]}
        ]
    }
    assert [
        move.after for move in make(histories(first, last)).moves(["1"]).moves["1"]
    ] == ["indeterminate", "done"]
    with pytest.raises(Incomplete):
        make(histories(first)).moves(["1"])


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"changeHistories": [entry("51502-01-01T00:00:00Z", "1", "3")]}, "created"),
        ({"changeHistories": [entry("garbage", "1", "3")]}, "created"),
        ({"changeHistories": [entry(None, "1", "3")]}, "created"),
        ({"changeHistories": [entry(10**20, "1", "3")]}, "created"),
        (
            {"changeHistories": [{"created": 1, "items": None}]},
            "changeHistories[0].items",
        ),
        (
            {"changeHistories": [{"created": 1, "items": [None]}]},
            "changeHistories[0].items[0]",
        ),
        (
            {"changeHistories": [{"created": 1, "items": [{"field": None}]}]},
            "changeHistories[0].items[0].field",
        ),
        ({"changeHistories": None}, "changeHistories"),
    ],
)
def test_a_history_that_cannot_be_read_is_named_and_the_others_are_read(
    bad: dict[str, Any], field: str
) -> None:
    page = {
        "issueChangeLogs": [
            {"issueId": "1", "changeHistories": [entry(1_795_000_000_000, "1", "3")]},
            {"issueId": "1", **bad},
            {"issueId": "2", "changeHistories": [entry(1_795_000_000_000, "1", "3")]},
        ]
    }
    batch = make(histories(page)).moves(["1", "2"])
    assert set(batch.moves) == {"2"}
    assert [(one.kind, one.issue, one.field) for one in batch.unread] == [
        ("history", "1", field)
    ]


def test_a_history_of_no_issue_is_told_and_the_others_are_read() -> None:
    log = [entry(1_795_000_000_000, "1", "3")]
    page = {
        "issueChangeLogs": [
            {"issueId": None, "changeHistories": log},
            {"issueId": "2", "changeHistories": log},
        ]
    }
    batch = make(histories(page)).moves(["2"])
    assert len(batch.moves["2"]) == 1
    assert [(one.issue, one.field) for one in batch.unread] == [("", "issueId")]


def test_a_history_of_data_center_that_cannot_be_read_is_named() -> None:
    log = {
        "total": 1,
        "histories": [
            {
                "created": "2026-11-19T10:00:00.000+0000",
                "items": [{"field": "status", "from": "1", "to": "5"}],
            }
        ],
    }
    answer = {"issues": [{"id": "1", "changelog": log}, {"id": "2", "changelog": None}]}
    batch = make(
        Script(
            {
                "GET field": json_response(200, []),
                "GET status": STATUSES,
                "GET search": json_response(200, answer),
            }
        ),
        cloud=False,
    ).moves(["1", "2"])
    assert set(batch.moves) == {"1"}
    assert [(one.issue, one.field) for one in batch.unread] == [("2", "changelog")]


@pytest.mark.parametrize(
    ("change", "name", "field"),
    [
        ({"name": None}, "4", "name"),
        ({"id": None}, "In Review", "id"),
        ({"statusCategory": {"key": None}}, "In Review", "statusCategory.key"),
    ],
)
def test_a_status_that_cannot_be_read_is_named_and_the_others_count(
    change: dict[str, Any], name: str, field: str
) -> None:
    statuses = msgspec.json.decode(STATUSES.body)
    statuses[2] |= change
    script = histories(
        {
            "issueChangeLogs": [
                {
                    "issueId": "1",
                    "changeHistories": [entry(1_795_000_000_000, "1", "5")],
                }
            ]
        }
    )
    script.answers["GET status"] = [json_response(200, statuses)]
    batch = make(script).moves(["1"])
    assert [(move.before, move.after) for move in batch.moves["1"]] == [("new", "done")]
    assert [(one.kind, one.name, one.field) for one in batch.unread] == [
        ("status", name, field)
    ]


@pytest.mark.parametrize(
    ("change", "name", "field"),
    [
        ({"name": None}, "BETA", "name"),
        ({"key": None}, "10001", "key"),
        ({"id": None}, "BETA", "id"),
        ({"id": 10001}, "BETA", "id"),
    ],
)
@pytest.mark.parametrize("cloud", [True, False])
def test_a_project_that_cannot_be_read_is_named_and_the_others_are_there(
    change: dict[str, Any], name: str, field: str, *, cloud: bool
) -> None:
    projects = [
        {"id": "10000", "key": "ACME", "name": "Acme"},
        {"id": "10001", "key": "BETA", "name": "Beta", **change},
    ]
    batch = make(
        Script(
            {
                "GET project/search": json_response(
                    200, {"values": projects, "isLast": True}
                ),
                "GET project": json_response(200, projects),
            }
        ),
        cloud=cloud,
    ).projects()
    assert [one.key for one in batch.projects] == ["ACME"]
    assert [(one.kind, one.name, one.field) for one in batch.unread] == [
        ("project", name, field)
    ]


def test_a_status_nobody_knows_is_undefined() -> None:
    page = {
        "issueChangeLogs": [
            {"issueId": "1", "changeHistories": [entry(1_795_000_000_000, "99", "5")]}
        ]
    }
    assert make(histories(page)).moves(["1"]).moves["1"][0].before == "undefined"


def test_a_clipped_inline_history_of_data_center_is_incomplete() -> None:
    def site(total: int) -> Script:
        log = {
            "total": total,
            "histories": [
                {
                    "created": "2026-11-19T10:00:00.000+0000",
                    "items": [{"field": "status", "from": "1", "to": "5"}],
                }
            ],
        }
        return Script(
            {
                "GET field": json_response(200, []),
                "GET status": STATUSES,
                "GET search": json_response(
                    200, {"issues": [{"id": "1", "changelog": log}]}
                ),
            }
        )

    assert make(site(1), cloud=False).moves(["1"]).moves["1"][0].after == "done"
    with pytest.raises(Incomplete):
        make(site(2), cloud=False).moves(["1"])


@given(st.integers(200_000_000, 4_000_000_000))
def test_seconds_milliseconds_and_text_mean_the_same_moment(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    for form in (
        seconds,
        seconds * 1000,
        str(seconds),
        str(seconds * 1000),
        moment.isoformat(),
    ):
        assert read_moment(form) == moment


# Worklogs


def worklog_site(**answers: Any) -> Script:
    """Return a site with feeds; `updated`, `deleted`, `listed` are its answers."""
    nothing = json_response(
        200, {"values": [], "since": 5, "until": 5, "lastPage": True}
    )
    return Script(
        {
            "GET worklog/updated": answers.get("updated", nothing),
            "GET worklog/deleted": answers.get("deleted", nothing),
            "POST worklog/list": answers.get("listed", json_response(200, [])),
        }
    )


def log(number: int, **more: Any) -> dict[str, Any]:
    """Return a raw worklog."""
    return {
        "id": str(number),
        "issueId": "10001",
        "author": {"accountId": "5b10"},
        "timeSpentSeconds": 3600,
        "started": "2026-11-19T20:00:00.000-0500",
        **more,
    }


def marks(*ids: int, until: int, **flags: Any) -> Response:
    """Return a page of a feed."""
    return json_response(
        200,
        {
            "values": [{"worklogId": each, "updatedTime": until} for each in ids],
            "until": until,
            "nextPage": "https://elsewhere.example.net/rest/api/3/worklog/updated?since=9",
            **flags,
        },
    )


@pytest.mark.parametrize("flag", ["lastPage", "isLastPage"])
def test_the_feeds_are_walked_by_bound_never_by_the_address_given(flag: str) -> None:
    script = worklog_site(
        updated=[
            marks(1, 2, until=10, **{flag: False}),
            marks(2, 3, until=20, **{flag: True}),
        ],
        deleted=marks(3, until=15, **{flag: True}),
        listed=json_response(200, [log(1), log(2)]),
    )
    batch = make(script).worklogs(5)
    assert [each.id for each in batch.changed] == ["1", "2"]
    assert batch.changed[0].started == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (batch.deleted, batch.until, batch.complete) == (("3",), 21, True)
    assert [
        request.first("since")
        for request in script.requests
        if request.path.endswith("updated")
    ] == ["5", "10"]
    assert script.bodies("worklog/list") == [{"ids": [1, 2]}]


def test_a_late_deletion_does_not_carry_the_bound_past_unseen_updates() -> None:
    site = worklog_site(
        updated=marks(until=5, lastPage=True), deleted=marks(3, until=90, lastPage=True)
    )
    assert make(site).worklogs(5).until == 5


def test_a_feed_that_ended_early_keeps_its_bound() -> None:
    site = worklog_site(
        updated=marks(1, until=50, lastPage=True),
        deleted=marks(3, until=5, lastPage=False),
        listed=json_response(200, [log(1)]),
    )
    batch = make(site).worklogs(5)
    assert (batch.complete, batch.until) == (False, 5)


def test_a_feed_that_stands_still_is_incomplete() -> None:
    batch = make(worklog_site(updated=marks(1, until=10, lastPage=False))).worklogs(10)
    assert not batch.complete
    assert "10" in batch.reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"started": "51502-01-01T00:00:00.000+0000"}, "started"),
        ({"started": None}, "started"),
        ({"started": "0001-01-01T00:00:00.000+0300"}, "started"),
        ({"timeSpentSeconds": 10**30}, "timeSpentSeconds"),
        ({"timeSpentSeconds": 2**64 - 1}, "timeSpentSeconds"),
    ],
)
def test_an_unreadable_worklog_is_named_and_the_rest_is_kept(
    change: dict[str, Any], field: str
) -> None:
    listed = json_response(200, [log(1, **change), log(2), log(3, author=None)])
    batch = make(
        worklog_site(updated=marks(1, 2, 3, until=10, lastPage=True), listed=listed)
    ).worklogs(5)
    assert [each.id for each in batch.changed] == ["2", "3"]
    assert (batch.complete, batch.reason) == (True, "")
    assert [(one.name, one.issue, one.field) for one in batch.unread] == [
        ("1", "10001", field)
    ]


def test_an_entry_of_a_feed_without_an_id_is_told_and_the_others_are_read() -> None:
    values = [
        {"worklogId": None},
        {"worklogId": "many"},
        {"worklogId": 10**30},
        {"worklogId": "2"},
    ]
    site = worklog_site(
        updated=json_response(200, {"values": values, "until": 10, "lastPage": True}),
        listed=json_response(200, [log(2)]),
    )
    batch = make(site).worklogs(5)
    assert [each.id for each in batch.changed] == ["2"]
    assert len(batch.unread) == 3


# Cost


def test_an_issue_takes_few_steps_to_read() -> None:
    # Benchmarks hold the time (docs/facts/reliability.md 4.2).
    raw = [
        issue(
            number,
            assignee={"accountId": "5b10"},
            parent={"id": "1"},
            customfield_10016=3.0,
        )
        for number in range(100)
    ]
    page = Response(200, {}, msgspec.json.encode({"issues": raw, "isLast": True}))
    gateway = make(
        Script({"GET field": json_response(200, FIELDS), "POST search/jql": page})
    )
    gateway.issues("project = ACME")
    calls = count_calls(lambda: gateway.issues("project = ACME"))
    assert calls / 100 < 150


@pytest.mark.parametrize("cloud", [True, False])
def test_people_are_read_to_the_end_without_apps_and_those_who_left(
    *, cloud: bool
) -> None:
    key = "accountId" if cloud else "name"
    users: list[dict[str, Any]] = [
        {key: f"u{number:03}", "displayName": f"User {number}"} for number in range(230)
    ]
    users[3] |= {"active": False}
    users[4] |= {"accountType": "app"}
    users[5] |= {"emailAddress": "five@studio.example"}

    def page(request: Request) -> Response:
        start = int(request.first("startAt") or 0)
        return json_response(200, users[start : start + 200])

    script = Script({f"GET {'users' if cloud else 'user'}/search": page})
    people = make(script, cloud=cloud).accounts()
    assert len(people) == 228
    assert {"u003", "u004"}.isdisjoint(one.id for one in people)
    five = Account("u005", "User 5", "five@studio.example")
    assert [one for one in people if one.email] == [five]
    assert len(script.requests) == 3
