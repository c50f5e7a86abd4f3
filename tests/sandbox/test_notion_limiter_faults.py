"""Budgets and planned faults of the Notion emulator, and the log that history checkers read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import notion_client
import pytest
from notion_rig import START, Rig

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport, Response, from_parts


@pytest.fixture
def rig() -> Rig:
    return Rig()


class Seconds:
    """A hand-moved time source for the limiter."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def me(sandbox: NotionSandbox) -> Response:
    headers = {
        "authorization": f"Bearer {sandbox.token}",
        "notion-version": "2026-03-11",
    }
    return sandbox.handle(from_parts("GET", "/v1/users/me", headers, b""))


def test_the_budget_may_go_in_one_burst_and_returns_with_the_next_window() -> None:
    seconds = Seconds()
    sandbox = NotionSandbox(Clock(START), limit=5, window=60, real=seconds)
    assert [me(sandbox).status for _ in range(6)] == [200] * 5 + [429]
    seconds.now += 17.5
    refused = me(sandbox)
    body = json.loads(refused.body)
    assert (
        refused.headers["retry-after"] == body["additional_data"]["retry_after"] == "43"
    )
    assert (body["code"], body["additional_data"]["rate_limit_reason"]) == (
        "rate_limited",
        "public_api_request_rate_limit",
    )
    seconds.now += 43
    assert [me(sandbox).status for _ in range(6)] == [200] * 5 + [429]


def test_a_scaled_window_asks_for_at_least_a_second() -> None:
    seconds = Seconds()
    sandbox = NotionSandbox(Clock(START), limit=1, window=0.5, real=seconds)
    assert me(sandbox).status == 200
    assert me(sandbox).headers["retry-after"] == "1"


def test_the_workspace_budget_is_another_reason() -> None:
    sandbox = NotionSandbox(Clock(START), limit=None, real=Seconds())
    sandbox.control("set_workspace_limit", {"limit": 1, "window": 120})
    me(sandbox)
    body = json.loads(me(sandbox).body)
    assert body["additional_data"] == {
        "rate_limit_reason": "public_api_space_request_rate_limit",
        "retry_after": "120",
    }


def test_the_plan_can_change_while_running() -> None:
    sandbox = NotionSandbox(Clock(START), limit=1, real=Seconds())
    me(sandbox)
    assert me(sandbox).status == 429
    sandbox.control("set_plan", {"limit": 600})
    assert me(sandbox).status == 200


def fault(rig: Rig, kind: str, **more: Any) -> None:
    rig.sandbox.control("faults", {"rules": [{"kind": kind, **more}]})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("401", 401, "unauthorized"),
        ("409", 409, "conflict_error"),
        ("429", 429, "rate_limited"),
        ("429_workspace", 429, "rate_limited"),
        ("500", 500, "internal_server_error"),
        ("503", 503, "service_unavailable"),
        ("504", 504, "gateway_timeout"),
        ("529", 529, "service_overload"),
    ],
)
def test_an_error_fault_strikes_once_and_changes_nothing(
    rig: Rig, kind: str, status: int, code: str
) -> None:
    _, source = rig.database({})
    fault(
        rig, kind, match={"method": "POST", "path_regex": "/v1/pages$"}, retry_after=120
    )
    body = {"parent": {"data_source_id": source}, "properties": {}}
    response = rig.send("POST", "/v1/pages", body)
    assert (response.status, json.loads(response.body)["code"]) == (status, code)
    assert response.headers.get("retry-after") == (
        "120" if status in (429, 529) else None
    )
    assert rig.ok("POST", f"data_sources/{source}/query", {})["results"] == []
    assert rig.sandbox.log[-2].outcome == f"fault:{kind}"
    rig.ok("POST", "pages", body)


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("reset_before", 0),
        ("hang_before", 0),
        ("502_html", 0),
        ("reset_after", 1),
        ("hang_after", 1),
        ("502_after", 1),
        ("503_committed", 1),
        ("truncate", 1),
        ("drip", 1),
    ],
)
def test_faults_strike_before_or_after_the_commit(
    rig: Rig, kind: str, made: int
) -> None:
    _, source = rig.database({})
    fault(rig, kind, match={"method": "POST", "path_regex": "/v1/pages$"})
    response = rig.send(
        "POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": {}}
    )
    assert response.fault or response.status >= 500
    found = rig.ok("POST", f"data_sources/{source}/query", {})["results"]
    assert len(found) == made
    entry = next(one for one in rig.sandbox.log if one.outcome.startswith("fault:"))
    assert entry.outcome == f"fault:{kind}" + ("+committed" if made else "")
    if made:
        assert entry.page_id == found[0]["id"]


def test_a_saved_but_503_answer_names_what_was_saved(rig: Rig) -> None:
    page = rig.page()["id"]
    fault(rig, "503_committed", match={"method": "POST"})
    made = json.loads(
        rig.send(
            "POST", "/v1/pages", {"parent": {"page_id": page}, "properties": {}}
        ).body
    )
    assert (
        rig.ok("GET", f"pages/{made['additional_data']['committed_resource_id']}")[
            "parent"
        ]["page_id"]
        == page
    )
    fault(rig, "503_committed", match={"method": "PATCH"})
    grown = rig.send(
        "PATCH",
        f"/v1/blocks/{page}/children",
        {"children": [{"divider": {}}, {"divider": {}}]},
    )
    added = json.loads(grown.body)["additional_data"]
    body = [one["id"] for one in rig.ok("GET", f"blocks/{page}/children")["results"]]
    assert added["committed_resource_id"] == page
    assert added["committed_child_ids"] == body[1:]


def test_a_late_commit_times_out_now_and_lands_later(rig: Rig) -> None:
    _, source = rig.database({})
    rig.sandbox.control("late_commit", {"seconds": 40})
    assert (
        rig.send(
            "POST",
            "/v1/pages",
            {"parent": {"data_source_id": source}, "properties": {}},
        ).fault
        == "hang"
    )
    assert rig.ok("POST", f"data_sources/{source}/query", {})["results"] == []
    rig.sandbox.control("advance", {"seconds": 39})
    assert rig.ok("POST", f"data_sources/{source}/query", {})["results"] == []
    rig.sandbox.control("advance", {"seconds": 1})
    found = rig.ok("POST", f"data_sources/{source}/query", {})["results"]
    assert [one["created_time"] for one in found] == ["2026-07-04T09:09:00.000Z"]
    assert [one.outcome for one in rig.sandbox.log if one.outcome == "late_commit"] == [
        "late_commit"
    ]


def test_nth_and_times_choose_the_requests_struck(rig: Rig) -> None:
    fault(rig, "500", match={"path_regex": "/users/me", "nth": 2}, times=2)
    assert [rig.send("GET", "/v1/users/me").status for _ in range(4)] == [
        200,
        500,
        500,
        200,
    ]
    fault(rig, "500", times=None)
    assert [rig.send("GET", "/v1/users/me").status for _ in range(3)] == [500] * 3
    rig.sandbox.control("clear_faults", {})
    assert rig.send("GET", "/v1/users/me").status == 200


def test_the_published_client_sees_faults_as_it_would_on_the_wire(rig: Rig) -> None:
    client: Any = notion_client.Client(
        auth=rig.sandbox.token,
        retry=False,
        client=httpx.Client(transport=HandlerTransport(rig.sandbox.handle)),
    )
    for kind, error in (
        ("hang_before", notion_client.errors.RequestTimeoutError),
        ("reset_before", httpx.RemoteProtocolError),
        ("empty_200", json.JSONDecodeError),
        ("wrong_type", json.JSONDecodeError),
        ("truncate", json.JSONDecodeError),
        ("502_html", notion_client.errors.UnknownHTTPResponseError),
    ):
        fault(rig, kind)
        with pytest.raises(error):
            client.users.me()


def test_counts_tell_reads_from_writes_by_endpoint(rig: Rig) -> None:
    _, source = rig.database({})
    rig.row(source, "x")
    rig.ok("POST", f"data_sources/{source}/query", {})
    rig.refused("POST", "pages", {})
    found = rig.sandbox.control("counts", {})
    assert (found["reads"], found["writes"], found["committed"]) == (1, 3, 2)
    assert found["by_kind"] == {
        "POST data_sources.query": 1,
        "POST databases.create": 1,
        "POST pages.create": 2,
    }
    assert found["by_status"] == {"200": 3, "400": 1}


def test_the_log_holds_every_request_and_every_human_act_in_order(rig: Rig) -> None:
    page = rig.page()["id"]
    since = rig.sandbox.control("log", {})["entries"][-1]["seq"]
    rig.sandbox.control("lock", {"id": page})
    rig.ok("PATCH", f"pages/{page}", {"icon": {"emoji": "🔥"}})
    entries = rig.sandbox.control("log", {"since": since})["entries"]
    assert [(one["method"], one["path"], one["page_id"]) for one in entries] == [
        ("CONTROL", "lock", page),
        ("PATCH", f"/v1/pages/{page}", page),
    ]
    assert [one["actor"] for one in entries] == [
        rig.sandbox.owner_id,
        rig.sandbox.bot_id,
    ]


def test_the_log_never_holds_the_token(rig: Rig) -> None:
    rig.page()
    rig.send("GET", "/v1/users/me")
    assert rig.sandbox.token not in json.dumps(rig.sandbox.control("log", {}))
    assert rig.sandbox.token not in json.dumps(rig.sandbox.control("dump", {}))


def test_requests_from_many_threads_are_all_served_and_all_logged(rig: Rig) -> None:
    _, source = rig.database({"No": {"unique_id": {}}})
    body = {"parent": {"data_source_id": source}, "properties": {}}
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: rig.ok("POST", "pages", body), range(80)))
    assert sorted(
        one["properties"]["No"]["unique_id"]["number"] for one in made
    ) == list(range(1, 81))
    assert [entry.seq for entry in rig.sandbox.log] == list(range(1, 82))
