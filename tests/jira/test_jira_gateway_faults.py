"""Every fault of the sandbox at every kind of read, on both kinds of Jira; and that nothing is ever written."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from jira_gateway_rig import NOW, make
from requests.adapters import HTTPAdapter

from rayline_sandbox.faults import AFTER, BEFORE
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.jira.faults import ERRORS
from rayline_sandbox.wire import Clock
from tests.support.jira_wire import BASE, VirtualTime
from worker.errors import ApiError, Denied, Missing, Rejected, Transient, Unreachable
from worker.http.deadline import Deadline
from worker.jira.errors import Forbidden
from worker.jira.gateway import JiraGateway
from worker.jira.session import ReadingAdapter

LASTING = ("401", "403", "404", "wrong_type")
HARMLESS = ("skew",)
PASSING = sorted({*ERRORS, *BEFORE, *AFTER}.difference(LASTING))
BAD = sorted({*PASSING, *LASTING}.difference(HARMLESS))
DEPLOYMENTS = ("cloud", "datacenter")


class FaultySite:
    """A sandbox with three issues, a history and a worklog, and a gateway that knows its fields already."""

    def __init__(self, deployment: str) -> None:
        self.time = VirtualTime()
        self.sandbox = JiraSandbox(
            Clock(NOW), deployment=deployment, real=self.time.monotonic
        )
        self.sandbox.control("add_project", {"key": "ACME", "name": "Acme"})
        self.sandbox.control("add_project", {"key": "MOVED", "name": "Moved"})
        self.made = [
            self.sandbox.control(
                "create", {"project": "ACME", "fields": {"summary": f"Work {number}"}}
            )
            for number in range(3)
        ]
        self.sandbox.control("transition", {"issue": "ACME-1", "status": "Done"})
        self.sandbox.control(
            "worklog",
            {
                "issue": "ACME-1",
                "seconds": 3600,
                "started": "2026-11-20T08:00:00.000+0000",
            },
        )
        self.filter = self.sandbox.control(
            "add_filter", {"name": "Ours", "jql": "project = ACME"}
        )["id"]
        self.sandbox.control("advance", {"seconds": 300})
        self.cloud = deployment == "cloud"
        self.gateway = make(
            self.sandbox.handle,
            cloud=self.cloud,
            time=self.time,
            token=self.sandbox.token,
            email=self.sandbox.email,
        )

    def fault(self, kind: str, **more: Any) -> None:
        """Have the next request go wrong."""
        self.sandbox.control(
            "faults", {"rules": [{"kind": kind, "retry_after": 3, "times": 1, **more}]}
        )


Read = Callable[[FaultySite, JiraGateway], Any]
READS: dict[str, Read] = {
    "site": lambda _, gateway: gateway.server_info().account,
    "projects": lambda _, gateway: (
        [each.key for each in gateway.projects().projects] == ["ACME", "MOVED"]
    ),
    "validate": lambda _, gateway: gateway.validate(["project = ACME"]) == {},
    "filter": lambda site, gateway: gateway.filter_jql(site.filter) == "project = ACME",
    "issues": lambda _, gateway: len(gateway.issues("project = ACME").issues) == 3,
    "ids": lambda _, gateway: len(gateway.ids("project = ACME").ids) == 3,
    "keys": lambda _, gateway: (
        set(gateway.by_keys(["ACME-1", "ACME-2"])) == {"ACME-1", "ACME-2"}
    ),
    "moves": lambda site, gateway: (
        [
            move.after
            for move in gateway.moves([site.made[0]["id"]]).moves[site.made[0]["id"]]
        ]
        == ["done"]
    ),
    "worklogs": lambda _, gateway: (
        [each.seconds for each in gateway.worklogs(0).changed] == [3600]
    ),
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("read", sorted(READS))
def test_every_read_survives_every_passing_fault(
    deployment: str, kind: str, read: str
) -> None:
    site = FaultySite(deployment)
    site.fault(kind)
    assert READS[read](site, site.gateway)
    if kind == "429":
        assert max(site.time.slept) >= 3


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("read", sorted(READS))
def test_wrong_credentials_are_denied_at_once(deployment: str, read: str) -> None:
    site = FaultySite(deployment)
    gateway = make(
        site.sandbox.handle, cloud=site.cloud, token="wrong", email=site.sandbox.email
    )
    with pytest.raises(Denied):
        READS[read](site, gateway)
    asked = gateway.requests()
    assert asked <= 2, "once, and once what kind of Jira this is"
    with pytest.raises(Denied):
        READS[read](site, gateway)
    assert gateway.requests() == 2 * asked


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("read", sorted(READS))
def test_a_page_for_people_is_told_at_once(deployment: str, read: str) -> None:
    site = FaultySite(deployment)
    site.fault("wrong_type", times=0)
    with pytest.raises(Unreachable, match="a web page answered instead of Jira"):
        READS[read](site, site.gateway)
    assert site.time.slept == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("kind", BAD)
def test_the_token_is_in_no_error_and_no_log(
    deployment: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = FaultySite(deployment)
    site.fault(kind, times=0)
    for read in ("site", "issues"):
        with pytest.raises(ApiError) as caught:
            READS[read](site, site.gateway)
        error = caught.value
        assert isinstance(error, (Transient, Denied, Missing, Unreachable))
        shown = (
            "".join(traceback.format_exception(error))
            + repr(vars(error))
            + repr(site.gateway)
        )
        assert site.sandbox.token not in shown
        assert error.__context__ is None
    assert site.sandbox.token not in caplog.text


@pytest.mark.parametrize("kind", ["repeat_token", "empty_page_with_token", "warnings"])
def test_answers_that_look_whole_and_are_not_are_incomplete(kind: str) -> None:
    site = FaultySite("cloud")
    site.gateway.issues("project = ACME")
    site.fault(kind, times=0)
    assert not site.gateway.issues("project = ACME").complete
    assert not site.gateway.ids("project = ACME").complete


def test_short_pages_are_followed_and_a_field_that_does_not_load_is_never_taken_for_empty() -> (
    None
):
    site = FaultySite("cloud")
    site.fault("short_pages", times=0, size=1)
    assert len(site.gateway.issues("project = ACME").issues) == 3
    site.sandbox.control("clear_faults", {})
    site.fault(
        "unloaded_field", times=0, field="status", match={"path_regex": "search"}
    )
    with pytest.raises(Transient):
        site.gateway.issues("project = ACME")


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_moved_issue_answers_to_its_old_key_and_unknown_keys_are_absent(
    deployment: str,
) -> None:
    site = FaultySite(deployment)
    moved = site.sandbox.control("move", {"issue": "ACME-2", "project": "MOVED"})["key"]
    found = site.gateway.by_keys(
        ["ACME-1", "ACME-2", "NOPE-1", "no key", "ACME-3) OR (key = X-1"]
    )
    assert {key: issue.key for key, issue in found.items()} == {
        "ACME-1": "ACME-1",
        "ACME-2": moved,
    }
    assert found["ACME-2"].id == site.made[1]["id"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_reading_never_writes(deployment: str) -> None:
    site = FaultySite(deployment)
    before = site.sandbox.control("dump", {})
    for read in READS.values():
        read(site, site.gateway)
    assert site.sandbox.control("dump", {}) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/rest/api/3/issue/ACME-1"),
        ("DELETE", "/rest/api/3/issue/ACME-1"),
        ("POST", "/rest/api/3/issue"),
        ("POST", "/rest/api/2/issue/ACME-1/comment"),
        ("POST", "/rest/api/3/search/jql/../../issue"),
        ("PATCH", "/rest/api/3/search/jql"),
        ("POST", "/rest/api/3/issue/bulkfetch2"),
        ("POST", "/rest/api/3/issue/bulk"),
    ],
)
def test_a_write_does_not_leave_the_process(method: str, path: str) -> None:
    session = requests.Session()
    session.mount(
        "https://", ReadingAdapter(HTTPAdapter(), BASE, seconds=5, deadline=Deadline())
    )
    with pytest.raises(Forbidden, match="only read"):
        session.request(method, BASE + path, data=b"{}")
    for elsewhere in (
        "https://evil.example/rest/api/3/myself",
        "https://acme.example.net:8443/rest/api/3/myself",
    ):
        with pytest.raises(Forbidden, match="another host"):
            session.get(elsewhere)
    assert list(responses.calls) == []


def test_missing_things_are_missing_and_a_filter_is_a_number() -> None:
    site = FaultySite("cloud")
    with pytest.raises(Missing):
        site.gateway.filter_jql("99999")
    with pytest.raises(Rejected):
        site.gateway.filter_jql("1/../../myself")


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_deleted_worklogs_and_issues_are_seen(deployment: str) -> None:
    site = FaultySite(deployment)
    worklog = site.gateway.worklogs(0)
    site.sandbox.control("delete_worklog", {"id": worklog.changed[0].id})
    site.sandbox.control("delete", {"issue": "ACME-3"})
    site.sandbox.control("advance", {"seconds": 300})
    later = site.gateway.worklogs(worklog.until)
    assert later.deleted == (worklog.changed[0].id,)
    assert site.made[2]["id"] not in site.gateway.ids("project = ACME").ids
