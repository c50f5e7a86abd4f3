"""The webhooks of Jira's side: which events follow from which change, their shape, who gets them, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jira_rig import Site

from tests.support.receiver import Receiver, listening
from tests.support.waiting import wait_for
from worker.http.webhooks import verify_jira

SECRET = "a-secret-of-the-tests"
HOOKS = "/rest/webhooks/1.0/webhook"


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site(request.param)
    for key in ("WEB", "APP"):
        site.jira.control("add_project", {"key": key, "name": f"Project {key}"})
    site.jira.control("add_user", {"name": "Ann", "email": "ann@example.com"})
    yield site
    site.jira.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def act(site: Site, action: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = site.jira.control(action, payload)
    return answer


def subscribe(site: Site, receiver: Receiver, **more: Any) -> int:
    given = {"url": receiver.url, "scale": 0, "secret": SECRET, **more}
    return int(act(site, "subscribe", **given)["id"])


def settled(site: Site, receiver: Receiver) -> list[dict[str, Any]]:
    wait_for(lambda: act(site, "deliveries")["waiting"] == 0, "the last delivery")
    return receiver.events("webhookEvent")


def issue(site: Site, project: str = "WEB", **fields: Any) -> str:
    fields = {"summary": "Work", **fields}
    return str(act(site, "create", project=project, fields=fields)["key"])


def test_a_moved_issue_is_told_with_what_changed_and_by_whom(
    site: Site, receiver: Receiver
) -> None:
    key = issue(site)
    subscribe(site, receiver)
    act(site, "transition", issue=key, status="In Progress", user="Ann")
    (event,) = settled(site, receiver)
    assert event["webhookEvent"] == "jira:issue_updated"
    assert event["issue_event_type_name"] == "issue_generic"
    assert event["timestamp"] == int(site.clock.now().timestamp() * 1000)
    assert event["user"]["displayName"] == "Ann"
    assert (event["issue"]["key"], event["issue"]["fields"]["summary"]) == (key, "Work")
    assert event["issue"]["fields"]["status"]["name"] == "In Progress"
    (item,) = event["changelog"]["items"]
    assert (item["field"], item["fromString"], item["toString"]) == (
        "status",
        "To Do",
        "In Progress",
    )


def test_a_delivery_is_signed_and_named_and_says_how_it_came(
    site: Site, receiver: Receiver
) -> None:
    subscribe(site, receiver)
    issue(site)
    settled(site, receiver)
    (delivery,) = receiver.deliveries
    assert verify_jira(delivery.raw, delivery.headers["x-hub-signature"], SECRET)
    assert delivery.headers["x-atlassian-webhook-identifier"]
    assert delivery.headers["x-atlassian-webhook-flow"] == "Primary"
    assert "x-atlassian-webhook-retry" not in delivery.headers


def test_a_webhook_without_a_secret_is_not_signed(
    site: Site, receiver: Receiver
) -> None:
    subscribe(site, receiver, secret="")
    issue(site)
    settled(site, receiver)
    (delivery,) = receiver.deliveries
    assert "x-hub-signature" not in delivery.headers


def test_each_change_is_told_as_its_own_event(site: Site, receiver: Receiver) -> None:
    subscribe(site, receiver)

    def told(action: str, **payload: Any) -> list[str]:
        before = len(settled(site, receiver))
        answers.append(act(site, action, **payload))
        return [one["webhookEvent"] for one in settled(site, receiver)[before:]]

    answers: list[dict[str, Any]] = []
    updated = "jira:issue_updated"
    fields = {"summary": "New", "status": "In Progress"}
    assert told("create", project="WEB", fields=fields) == ["jira:issue_created"]
    key = answers[-1]["key"]
    assert told("edit", issue=key, fields={"summary": "Other"}) == [updated]
    assert told("edit", issue=key, fields={"summary": "Other"}) == []
    assert told("comment", issue=key, body="Hm") == [updated, "comment_created"]
    assert told("worklog", issue=key, author="Ann", seconds=60) == [
        updated,
        "worklog_created",
    ]
    assert sorted(told("delete_worklog", id=answers[-1]["id"])) == [
        updated,
        "worklog_deleted",
    ]
    assert told("move", issue=key, project="APP") == [updated]
    assert told("add_user", name="Bo", email="bo@example.com") == ["user_created"]
    assert told("rename_user", user="Bo", name="Bob") == ["user_updated"]
    assert told("add_project", key="NEW", name="New one") == [
        "project_created",
        "board_created",
    ]
    board = answers[-1]["board"]
    assert told("rename_project", key="NEW", name="Newer") == ["project_updated"]
    for action, name in (
        ("archive_project", "project_archived"),
        ("restore_project", "project_restored_archived"),
        ("delete_project", "project_soft_deleted"),
        ("restore_project", "project_restored_deleted"),
    ):
        assert told(action, key="NEW") == [name]
    assert told("add_sprint", board=board, name="One") == ["sprint_created"]
    sprint = answers[-1]["id"]
    assert told("edit_sprint", id=sprint, name="Two") == ["sprint_updated"]
    assert told("edit_sprint", id=sprint, state="active") == ["sprint_started"]
    assert told("edit_sprint", id=sprint, state="closed") == ["sprint_closed"]
    assert told("add_version", project="WEB", name="1.0") == ["jira:version_created"]
    version = answers[-1]["id"]
    assert told("edit_version", id=version, name="1.1") == ["jira:version_updated"]
    assert told("edit_version", id=version, released=True) == ["jira:version_released"]
    assert told("edit_version", id=version, released=False) == [
        "jira:version_unreleased"
    ]
    assert told("advance", seconds=60) == []
    assert told("load", users=[{"id": "x", "name": "X", "email": "x@y.example"}]) == []


def test_a_deleted_issue_is_told_as_it_was_and_what_went_with_it_more_slowly(
    site: Site, receiver: Receiver
) -> None:
    key = issue(site)
    act(site, "comment", issue=key, body="Hm")
    act(site, "worklog", issue=key, author="Ann", seconds=60)
    subscribe(site, receiver)
    act(site, "delete", issue=key)
    settled(site, receiver)
    told = {
        one.body["webhookEvent"]: one.headers["x-atlassian-webhook-flow"]
        for one in receiver.deliveries
    }
    assert told == {
        "jira:issue_deleted": "Primary",
        "comment_deleted": "Secondary",
        "worklog_deleted": "Secondary",
    }
    deleted = receiver.events("issue")[0]
    assert deleted["issue"]["fields"]["summary"] == "Work"


def test_what_the_api_changes_is_told_and_what_it_refused_is_not(
    site: Site, receiver: Receiver
) -> None:
    key = issue(site)
    subscribe(site, receiver)
    site.refused("PUT", f"issue/{key}", {"fields": {"summary": ""}})
    site.refused("PUT", f"issue/{key}", {"fields": {"duedate": "never"}})
    assert settled(site, receiver) == []
    site.ask("PUT", f"issue/{key}", {"fields": {"summary": "By program"}})
    (event,) = settled(site, receiver)
    assert event["user"]["displayName"] == "Rayline Service"
    assert event["issue"]["self"].startswith("https://site.invalid/rest/api/2/issue/")


def test_a_query_narrows_issues_and_comments_and_nothing_else(
    site: Site, receiver: Receiver
) -> None:
    subscribe(site, receiver, jql="project = WEB AND labels = urgent")
    for project, labels in (("WEB", ["urgent"]), ("WEB", []), ("APP", ["urgent"])):
        key = issue(site, project, labels=labels)
        act(site, "comment", issue=key, body="Hm")
        act(site, "worklog", issue=key, author="Ann", seconds=60)
        act(site, "delete", issue=key)
    events = settled(site, receiver)
    names = [event["webhookEvent"] for event in events]
    assert names.count("jira:issue_created") == names.count("comment_created") == 1
    assert names.count("jira:issue_deleted") == 1
    assert names.count("worklog_created") == 3


def test_only_the_events_asked_for_are_sent_and_strange_ones_are_refused(
    site: Site, receiver: Receiver
) -> None:
    subscribe(site, receiver, events=["worklog_created"])
    key = issue(site)
    act(site, "worklog", issue=key, author="Ann", seconds=60)
    (event,) = settled(site, receiver)
    assert event["worklog"]["timeSpentSeconds"] == 60
    for wrong in ({"events": ["jira:issue_sung"]}, {"jql": "project ="}, {"url": 3}):
        with pytest.raises(ValueError):
            subscribe(site, receiver, **wrong)


@pytest.mark.parametrize(
    ("status", "tries"), [(503, 6), (429, 6), (408, 6), (409, 6), (404, 1), (400, 1)]
)
def test_an_event_comes_again_up_to_five_times_where_a_repetition_may_help(
    status: int, tries: int
) -> None:
    site = Site()
    act(site, "add_project", key="WEB", name="Web")
    with listening(lambda number: status) as deaf:
        subscribe(site, deaf)
        issue(site)
        settled(site, deaf)
    retries = [one.headers.get("x-atlassian-webhook-retry") for one in deaf.deliveries]
    assert retries == [None, "1", "2", "3", "4", "5"][:tries]
    names = {one.headers["x-atlassian-webhook-identifier"] for one in deaf.deliveries}
    assert len(names) == 1
    site.jira.close()


def test_an_administrator_sets_webhooks_up_by_rest(
    site: Site, receiver: Receiver
) -> None:
    asked = {
        "name": "Rayline",
        "url": receiver.url,
        "events": ["jira:issue_created"],
        "filters": {"issue-related-events-section": "project = WEB"},
        "secret": SECRET,
    }
    assert site.refused("POST", HOOKS, asked)[0] == 403
    assert site.refused("GET", HOOKS)[0] == 403
    act(site, "set_administrator")
    made = site.ask("POST", HOOKS, asked)
    assert made["self"] == f"https://site.invalid{HOOKS}/{made['id']}"
    assert (made["enabled"], made["isSigned"]) == (True, True)
    assert SECRET not in str(made)
    assert site.ask("GET", HOOKS) == [made]
    path = f"{HOOKS}/{made['id']}"
    assert site.ask("GET", path) == made
    issue(site)
    issue(site, "APP")
    (event,) = settled(site, receiver)
    assert event["issue"]["key"] == "WEB-1"
    site.ask("PUT", path, {"enabled": False})
    issue(site)
    assert len(settled(site, receiver)) == 1
    every = {"enabled": True, "filters": {"issue-related-events-section": ""}}
    assert site.ask("PUT", path, every)["name"] == "Rayline"
    issue(site, "APP")
    assert len(settled(site, receiver)) == 2
    assert verify_jira(
        receiver.deliveries[-1].raw,
        receiver.deliveries[-1].headers["x-hub-signature"],
        SECRET,
    )
    site.ask("DELETE", path)
    issue(site)
    assert len(settled(site, receiver)) == 2
    for wrong in (path, f"{HOOKS}/nothing", f"{HOOKS}/²"):
        assert site.refused("GET", wrong)[0] == 404
    for change in ({"name": ""}, {"events": ["sung"]}, {"url": "http://10.0.0.1/x"}):
        assert site.refused("POST", HOOKS, {**asked, **change})[0] == 400
    assert site.ask("GET", HOOKS) == []


def test_a_webhook_without_a_body_says_that_something_happened(
    site: Site, receiver: Receiver
) -> None:
    subscribe(site, receiver, excludeBody=True)
    issue(site)
    wait_for(lambda: receiver.deliveries, "the delivery")
    (delivery,) = receiver.deliveries
    assert delivery.raw == b""
    assert verify_jira(b"", delivery.headers["x-hub-signature"], SECRET)
