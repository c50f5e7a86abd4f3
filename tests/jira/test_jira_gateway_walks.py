from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jira_gateway_rig import FIELDS, NOW, Script, found, issue, make

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.wire import Clock, Request, Response, json_response
from tests.support.jira_wire import VirtualTime
from worker.errors import Rejected, Transient
from worker.jira.paging import condition_of, since_bound


def cloud(*pages: Response | Callable[[Request], Response]) -> Script:
    return Script(
        {"GET field": json_response(200, FIELDS), "POST search/jql": list(pages)}
    )


def test_a_delta_is_bounded_in_epoch_milliseconds_and_asks_for_no_more_than_is_read() -> (
    None
):
    script = cloud(found(issue(1), isLast=True))
    since = datetime(2026, 11, 20, 8, 55, 0, 250_000, UTC)
    assert (
        make(script)
        .issues('project = ACME AND text ~ "x order by y" ORDER BY rank', since=since)
        .complete
    )
    body = script.bodies("search/jql")[0]
    assert body["jql"] == (
        '(project = ACME AND text ~ "x order by y") AND updated >= 1795164900250'
        " ORDER BY updated ASC, key ASC"
    )
    assert body["failFast"] is True
    assert {
        "status",
        "updated",
        "customfield_10016",
        "customfield_10026",
        "customfield_10021",
    } <= set(body["fields"])
    assert not {"*all", "description", "comment", "project", "customfield_10014"} & set(
        body["fields"]
    )


@pytest.mark.parametrize(
    ("jql", "condition"),
    [
        ("project = A order   by key", "project = A"),
        ("ORDER BY key", 'created >= "1970-01-01"'),
        ("", 'created >= "1970-01-01"'),
        (
            "summary ~ 'order by' or \"order by\" = 1",
            "summary ~ 'order by' or \"order by\" = 1",
        ),
        ('summary ~ "a \\" order by b" ORDER BY x', 'summary ~ "a \\" order by b"'),
        ("border by = 1", "border by = 1"),
    ],
)
def test_only_a_real_order_by_is_cut_off(jql: str, condition: str) -> None:
    assert condition_of(jql) == condition


def test_an_or_in_the_users_query_does_not_escape_the_bound() -> None:
    assert since_bound("a = 1 OR b = 2", 5).startswith(
        "(a = 1 OR b = 2) AND updated >= 5 "
    )


def test_short_pages_are_not_the_last_and_repeats_count_once() -> None:
    newer = issue(1, updated="2026-11-20T11:00:00.000+0300")
    script = cloud(
        found(issue(1), issue(2), nextPageToken="a"),
        found(nextPageToken="b", isLast=False),
        found(issue(3), newer, isLast=True),
    )
    batch = make(script).issues("project = ACME")
    assert batch.complete
    assert {each.key: each.updated.hour for each in batch.issues} == {
        "ACME-1": 8,
        "ACME-2": 7,
        "ACME-3": 7,
    }
    assert [body.get("nextPageToken") for body in script.bodies("search/jql")] == [
        None,
        "a",
        "b",
    ]
    assert len({body["jql"] for body in script.bodies("search/jql")}) == 1


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (found(issue(1), nextPageToken="same", isLast=False), "a repeated page token"),
        (found(issue(1), isLast=False), "more issues announced without a token"),
        (
            found(
                issue(1),
                isLast=True,
                warnings=[{"type": "CLAUSE_RESULT_TRUNCATED", "message": "m"}],
            ),
            "Jira warned: CLAUSE_RESULT_TRUNCATED",
        ),
    ],
)
def test_a_walk_without_an_honest_end_is_incomplete(
    page: Response, reason: str
) -> None:
    batch = make(cloud(page)).issues("project = ACME")
    assert (batch.complete, batch.reason) == (False, reason)
    assert [each.key for each in batch.issues] == ["ACME-1"]


def test_empty_pages_with_fresh_tokens_do_not_loop_for_ever() -> None:
    script = cloud(lambda request: found(nextPageToken=f"t{id(request)}", isLast=False))
    assert not make(script).issues("project = ACME").complete
    assert len(script.bodies("search/jql")) == 3


def test_an_expired_token_restarts_the_walk_once() -> None:
    expired = json_response(
        400, {"errorMessages": ["The provided next page token is invalid or expired."]}
    )
    script = cloud(
        found(issue(1), nextPageToken="a"),
        expired,
        found(issue(1), issue(2), isLast=True),
    )
    assert len(make(script).issues("project = ACME").issues) == 2
    with pytest.raises(Rejected):
        make(cloud(found(issue(1), nextPageToken="a"), expired, expired)).issues(
            "project = ACME"
        )


def test_a_census_asks_for_ids_alone_in_large_pages() -> None:
    script = cloud(found({"id": "1"}, {"id": "2"}, isLast=True))
    census = make(script).ids("project = ACME")
    assert census.complete
    assert census.ids == {"1", "2"}
    body = script.bodies("search/jql")[0]
    assert (body["fields"], body["maxResults"]) == (["id"], 5000)


def test_a_census_with_an_unreadable_id_proves_nothing() -> None:
    assert (
        not make(cloud(found({"id": "1"}, {"id": None}, isLast=True)))
        .ids("project = ACME")
        .complete
    )


# Data Center


class Server:
    """A search of Data Center over issues held in memory; `before` runs before each page."""

    def __init__(
        self,
        stamps: dict[int, int],
        size: int,
        before: Callable[[Server], Any] = lambda _: None,
    ) -> None:
        self.stamps, self.size, self.before = stamps, size, before
        self.asked: list[tuple[int, int]] = []

    def script(self) -> Script:
        """Return the site that searches so and has no fields of its own."""
        return Script({"GET field": json_response(200, []), "GET search": self.search})

    def search(self, request: Request) -> Response:
        """Answer one page in order of change."""
        self.before(self)
        jql, start = request.first("jql") or "", int(request.first("startAt") or 0)
        low = int(jql.split("updated >= ")[1].split()[0]) if "updated >= " in jql else 0
        self.asked.append((low, start))
        rows = sorted(
            (stamp, number)
            for number, stamp in self.stamps.items()
            if stamp * 1000 >= low
        )
        shown = [
            issue(
                number,
                updated=datetime.fromtimestamp(stamp, UTC).strftime(
                    "%Y-%m-%dT%H:%M:%S.000+0000"
                ),
            )
            for stamp, number in rows[start : start + self.size]
        ]
        return found(*shown, startAt=start, maxResults=self.size, total=len(rows))


def test_data_center_pages_by_what_changed_last_not_by_offset() -> None:
    server = Server({number: 1_795_000_000 + number for number in range(25)}, size=10)
    batch = make(server.script(), cloud=False).issues("project = ACME")
    assert batch.complete
    assert len(batch.issues) == 25
    assert all(start == 0 for _, start in server.asked)


def test_issues_that_move_while_data_center_is_walked_are_not_skipped() -> None:
    def touch(server: Server) -> None:
        server.stamps[min(server.stamps, key=lambda number: server.stamps[number])] = (
            1_795_001_000 + len(server.asked)
        )

    server = Server(
        {number: 1_795_000_000 + number for number in range(40)}, size=10, before=touch
    )
    batch = make(server.script(), cloud=False).issues("project = ACME")
    assert batch.complete
    assert {each.key for each in batch.issues} == {
        f"ACME-{number}" for number in range(40)
    }


def test_many_issues_of_one_second_are_walked_by_offset_inside_it() -> None:
    server = Server(dict.fromkeys(range(35), 1_795_000_000), size=10)
    batch = make(server.script(), cloud=False).issues("project = ACME")
    assert batch.complete
    assert len(batch.issues) == 35


def test_a_second_with_more_issues_than_the_window_is_incomplete_not_an_error() -> None:
    server = Server(dict.fromkeys(range(10_100), 1_795_000_000), size=500)
    batch = make(server.script(), cloud=False).issues("project = ACME")
    assert not batch.complete
    assert "10000" in batch.reason


# Both, on the sandbox


def load(sandbox: JiraSandbox, count: int) -> None:
    sandbox.control("add_project", {"key": "ACME", "name": "Acme"})
    for number in range(count):
        sandbox.control(
            "create", {"project": "ACME", "fields": {"summary": f"Work {number}"}}
        )
        sandbox.control("advance", {"seconds": 1})


@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
def test_an_idle_cycle_costs_three_requests(deployment: str) -> None:
    sandbox = JiraSandbox(Clock(NOW), deployment=deployment)
    load(sandbox, 3)
    gateway = make(
        sandbox.handle,
        cloud=deployment == "cloud",
        token=sandbox.token,
        email=sandbox.email,
    )
    gateway.server_info()
    gateway.issues("project = ACME")
    until = gateway.worklogs(0).until
    before = gateway.requests()
    assert gateway.server_info().deployment == deployment
    assert gateway.issues("project = ACME", since=NOW + timedelta(hours=1)).issues == ()
    assert gateway.worklogs(until).complete
    assert gateway.requests() - before == 3


@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_delta_does_not_depend_on_the_accounts_time_zone(
    deployment: str, zone: str
) -> None:
    sandbox = JiraSandbox(Clock(NOW), deployment=deployment, time_zone=zone)
    load(sandbox, 10)
    gateway = make(
        sandbox.handle,
        cloud=deployment == "cloud",
        token=sandbox.token,
        email=sandbox.email,
    )
    batch = gateway.issues("project = ACME", since=NOW + timedelta(seconds=7))
    assert [each.key for each in batch.issues] == ["ACME-8", "ACME-9", "ACME-10"]
    assert all(each.updated >= NOW + timedelta(seconds=7) for each in batch.issues)


def test_unknown_names_are_found_before_cloud_answers_nothing() -> None:
    sandbox = JiraSandbox(Clock(NOW))
    load(sandbox, 1)
    gateway = make(sandbox.handle, token=sandbox.token, email=sandbox.email)
    wrong = gateway.validate(["project = ACME", "project = NOPE", "project ="])
    assert set(wrong) == {"project = NOPE", "project ="}
    assert "NOPE" in wrong["project = NOPE"]


def test_the_sites_clock_goes_on_between_questions() -> None:
    time = VirtualTime()
    sandbox = JiraSandbox(Clock(NOW))
    gateway = make(sandbox.handle, token=sandbox.token, email=sandbox.email, time=time)
    first = gateway.server_info()
    time.sleep(90)
    assert gateway.server_info().now - first.now == timedelta(seconds=90)
    assert gateway.requests() == 2


def test_the_removed_search_is_told_apart() -> None:
    gone = json_response(
        410, {"errorMessages": ["The requested API has been removed."]}
    )
    with pytest.raises(Exception, match="removed from Jira"):
        make(
            Script({"GET field": json_response(200, []), "POST search/jql": gone})
        ).issues("project = A")


def test_a_time_budget_spent_is_transient() -> None:
    with pytest.raises(Transient):
        make(cloud(found()), seconds=0).issues("project = A")
