"""Faults by plan and at random: what each kind answers, what it leaves done, and that a seed strikes the same requests."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from jira_rig import Site, small_site
from notion_rig import Rig

from rayline_sandbox.wire import Response

PAGES = "/v1/pages$"


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.sandbox.control("date", {"clock": "workspace"})
    return rig


def plan(rig: Rig, kind: str, **more: Any) -> None:
    rig.sandbox.control("faults", {"rules": [{"kind": kind, **more}]})


def data_source(rig: Rig, rows: int = 0) -> str:
    _, source = rig.database({})
    for _number in range(rows):
        create(rig, source)
    return source


def create(rig: Rig, source: str) -> Response:
    parent = {"data_source_id": source}
    return rig.send("POST", "/v1/pages", {"parent": parent, "properties": {}})


def query(rig: Rig, source: str, **body: Any) -> dict[str, Any]:
    return rig.ok("POST", f"data_sources/{source}/query", {"page_size": 100, **body})


def ids(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["results"]]


def test_a_rule_with_a_probability_strikes_for_good_and_by_its_seed_alone() -> None:
    def struck(seed: int) -> list[int]:
        rig = Rig()
        plan(rig, "500", probability=0.3, seed=seed)
        answers = [rig.send("GET", "/v1/users/me") for _ in range(200)]
        return [number for number, one in enumerate(answers) if one.status == 500]

    first = struck(1)
    assert 30 < len(first) < 90
    assert struck(1) == first
    assert struck(2) != first


@pytest.mark.parametrize(
    "rule", [{"probability": 2}, {"probability": "x"}, {"form": "x"}, {"ahead": 1e99}]
)
def test_a_setting_that_means_nothing_is_refused(
    rig: Rig, rule: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=next(iter(rule))):
        plan(rig, "429", **rule)


@pytest.mark.parametrize("kind", ["429", "429_workspace", "429_endpoint", "529"])
def test_a_wait_is_named_as_a_date_or_not_at_all(rig: Rig, kind: str) -> None:
    plan(rig, kind, retry_after=90, form="date")
    dated = rig.send("GET", "/v1/users/me")
    until = parsedate_to_datetime(dated.headers["Retry-After"])
    now = rig.clock.now().replace(microsecond=0)
    assert until - now == timedelta(seconds=90)
    assert json.loads(dated.body)["additional_data"]["retry_after"] is None
    plan(rig, kind, retry_after=90, form="none")
    bare = rig.send("GET", "/v1/users/me")
    assert {name.lower() for name in bare.headers}.isdisjoint({"retry-after"})
    waits = [entry.wait for entry in rig.sandbox.entries() if entry.status >= 429]
    assert waits == [dated.headers["Retry-After"], ""]


def test_a_connection_that_is_shut_out_is_told_so(rig: Rig) -> None:
    plan(rig, "429_blocked")
    body = json.loads(rig.send("GET", "/v1/users/me").body)
    assert body["additional_data"]["rate_limit_reason"] == "public_api_request_blocked"


@pytest.mark.parametrize("kind", ["403", "404", "502"])
def test_an_error_leaves_the_write_undone(rig: Rig, kind: str) -> None:
    source = data_source(rig)
    plan(rig, kind, match={"path_regex": PAGES})
    assert create(rig, source).status == int(kind)
    assert ids(query(rig, source)) == []


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [("503_html", 503, b"<html"), ("504_html", 504, b"<html")],
)
def test_a_page_for_people_stands_before_the_work(
    rig: Rig, kind: str, status: int, body: bytes
) -> None:
    source = data_source(rig)
    plan(rig, kind, match={"path_regex": PAGES})
    answer = create(rig, source)
    assert (answer.status, answer.body[:5]) == (status, body)
    assert ids(query(rig, source)) == []


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("empty_object", 200, b"{}"),
        ("null", 200, b"null"),
        ("504_after", 504, b"<html"),
        ("503_saved", 503, b'{"obj'),
        ("cut_json", 200, b'{"obj'),
    ],
)
def test_the_work_is_done_though_the_answer_does_not_say_so(
    rig: Rig, kind: str, status: int, body: bytes
) -> None:
    source = data_source(rig)
    plan(rig, kind, match={"path_regex": PAGES})
    answer = create(rig, source)
    assert (answer.status, answer.body[:5]) == (status, body)
    assert "committed_resource_id" not in answer.body.decode()
    assert len(ids(query(rig, source))) == 1
    if kind == "cut_json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.body)


@pytest.mark.parametrize("ahead", [-7200, 3600])
def test_a_clock_is_off_in_one_answer(rig: Rig, ahead: int) -> None:
    plan(rig, "skew", ahead=ahead)
    dates = [rig.send("GET", "/v1/users/me").headers["date"] for _ in range(2)]
    first, second = map(parsedate_to_datetime, dates)
    assert first - second == timedelta(seconds=ahead)


def test_short_pages_hold_fewer_rows_and_lead_to_the_rest(rig: Rig) -> None:
    source = data_source(rig, 3)
    whole = ids(query(rig, source))
    plan(rig, "short_pages", match={"path_regex": "/query$"}, size=2)
    page = query(rig, source)
    assert ids(page) == whole[:2]
    assert ids(query(rig, source, start_cursor=page["next_cursor"])) == whole[2:]


def test_a_repeated_page_comes_again_by_its_own_cursor_and_then_goes_on(
    rig: Rig,
) -> None:
    source = data_source(rig, 3)
    whole = ids(query(rig, source))
    plan(rig, "repeat_page", match={"path_regex": "/query$"})
    first = query(rig, source, page_size=2)
    again = query(rig, source, page_size=2, start_cursor=first["next_cursor"])
    assert ids(first) == ids(again) == whole[:2]
    last = query(rig, source, page_size=2, start_cursor=again["next_cursor"])
    assert (ids(last), last["has_more"]) == (whole[2:], False)


def test_a_list_of_blocks_is_shaped_like_any_other(rig: Rig) -> None:
    place = f"/v1/blocks/{rig.root}/children?page_size=100"
    data_source(rig)
    data_source(rig)
    plan(rig, "short_pages", match={"path_regex": "/children$"})
    page = json.loads(rig.send("GET", place).body)
    assert (len(page["results"]), page["has_more"]) == (1, True)
    rest = rig.send("GET", f"{place}&start_cursor={page['next_cursor']}")
    assert len(json.loads(rest.body)["results"]) == 1


def test_an_incomplete_answer_lacks_rows_and_says_so(rig: Rig) -> None:
    source = data_source(rig, 4)
    plan(rig, "incomplete", match={"path_regex": "/query$"})
    page = query(rig, source)
    assert (len(ids(page)), page["has_more"]) == (2, False)
    assert page["request_status"]["type"] == "incomplete"
    assert len(ids(query(rig, source))) == 4


def test_one_query_is_stale_and_the_next_is_not(rig: Rig) -> None:
    source = data_source(rig, 1)
    rig.sandbox.control("advance", {"seconds": 300})
    plan(rig, "lag", match={"path_regex": "/query$"}, seconds=180)
    create(rig, source)
    rig.sandbox.control("advance", {"seconds": 60})
    assert len(ids(query(rig, source))) == 1
    assert len(ids(query(rig, source))) == 2


def test_a_permission_is_lost_at_a_chosen_call(rig: Rig) -> None:
    source = data_source(rig, 1)
    lost = {"action": "unshare", "payload": {"id": rig.root}}
    plan(rig, "act", match={"path_regex": "/query$", "nth": 2}, **lost)
    query(rig, source)
    assert rig.send("POST", f"/v1/data_sources/{source}/query", {}).status == 404


@pytest.fixture
def site() -> Site:
    site = small_site()
    site.jira.control("date", {"clock": "workspace"})
    return site


def test_a_cut_result_of_jira_comes_with_its_warning(site: Site) -> None:
    asked = {"jql": "project = WEB", "fields": ["key"], "maxResults": 50}
    site.act("faults", rules=[{"kind": "warnings", "rows": 1}])
    page = site.ask("POST", "search/jql", asked)
    assert (len(page["issues"]), page["isLast"]) == (1, True)
    assert page["warnings"][0]["type"] == "CLAUSE_RESULT_TRUNCATED"


@pytest.mark.parametrize("kind", ["429", "503"])
def test_jira_names_a_wait_as_a_date_too(site: Site, kind: str) -> None:
    rule = {"kind": kind, "retry_after": 45, "form": "date"}
    site.act("faults", rules=[rule])
    headers = site.raw("GET", "myself").headers
    until = parsedate_to_datetime(headers["Retry-After"])
    assert until - site.clock.now() == timedelta(seconds=45)
    assert site.act("log")["entries"][-1]["wait"] == headers["Retry-After"]


def test_jira_hides_a_project_at_a_chosen_call(site: Site) -> None:
    hidden = {"action": "hide_project", "payload": {"key": "WEB"}}
    match = {"path_regex": "/project/", "nth": 2}
    site.act("faults", rules=[{"kind": "act", "match": match, **hidden}])
    assert site.raw("GET", "project/WEB").status == 200
    assert site.raw("GET", "project/WEB").status == 404
