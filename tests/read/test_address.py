"""Behind Atlassian's gateway people see Jira at another address: links lead there, and cells are compared with it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest
from pydantic import SecretStr

from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Request, Response, json_response
from tests.support.jira_site import LinkedSite
from tests.support.jira_wire import BASE, VirtualTime
from worker.config import JiraSettings, Workspace
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.read.address import read_address, recall_address
from worker.world.links import LinkKind, parse_link

GATEWAY = "https://api.atlassian.com/ex/jira/0d1e"
SEEN = "https://studio.atlassian.net"


class Behind(LinkedSite):
    """The site as the gateway shows it."""

    base_url = GATEWAY
    shown = SEEN
    refused = 0
    """The status with which the address is refused."""
    spoilt = ""
    """The key of an issue that cannot be read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.paths: list[str] = []
        time = VirtualTime()
        self.gateway = JiraGateway(
            self.settings().jira,
            adapter=HandlerAdapter(self.handle),
            sleep=time.sleep,
            monotonic=time.monotonic,
            random=Random(1),
            deadline=Deadline(float("inf"), monotonic=time.monotonic),
        )

    def settings(self) -> Workspace:
        """Return what is configured."""
        return Workspace(
            jira=JiraSettings(
                base_url=self.base_url,
                email=self.jira.email,
                token=SecretStr(self.jira.token),
            )
        )

    def handle(self, request: Request) -> Response:
        """Answer as the site does behind its gateway."""
        path = request.path.removeprefix("/ex/jira/0d1e")
        self.paths.append(path)
        inner = Request(
            request.method, path, request.query, request.headers, request.body
        )
        answer = super().handle(inner)
        if path.endswith("serverInfo") and self.refused:
            return json_response(self.refused, {"errorMessages": ["Not for you."]})
        if path.endswith("serverInfo"):
            body = msgspec.json.decode(answer.body) | {"baseUrl": self.shown}
            return json_response(200, body)
        if path.endswith("search/jql") and self.spoilt:
            body = msgspec.json.decode(answer.body)
            for issue in body["issues"]:
                if issue["key"] == self.spoilt:
                    issue["fields"]["created"] = "long ago"
            return json_response(200, body)
        return answer


def test_behind_the_gateway_the_address_is_asked_for_once_and_by_full_passes(
    tmp_path: Path,
) -> None:
    site = Behind(tmp_path, "cloud")
    workspace = site.workspace()
    assert recall_address(workspace) == GATEWAY
    for _ in range(3):
        assert read_address(site.gateway, workspace, afresh=False) == SEEN
        assert recall_address(workspace) == SEEN
    assert site.paths == ["/rest/api/3/serverInfo"]
    assert read_address(site.gateway, workspace, afresh=True) == SEEN


@pytest.mark.parametrize(
    "shown", ["", "javascript:alert(1)", "https://user:pass@evil.example"]
)
def test_an_address_that_is_none_is_not_taken(tmp_path: Path, shown: str) -> None:
    site = Behind(tmp_path, "cloud")
    site.shown = shown
    assert read_address(site.gateway, site.workspace(), afresh=True) == GATEWAY


def test_any_other_address_is_that_of_people_and_nobody_is_asked(
    tmp_path: Path,
) -> None:
    site = Behind(tmp_path, "cloud")
    site.base_url = BASE
    assert read_address(site.gateway, site.workspace(), afresh=True) == BASE
    assert site.paths == []


def test_an_address_learnt_of_another_gateway_does_not_stay(tmp_path: Path) -> None:
    site = Behind(tmp_path, "cloud")
    read_address(site.gateway, site.workspace(), afresh=True)
    site.base_url = f"{GATEWAY}/other"
    assert recall_address(site.workspace()) == site.base_url


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (f"{SEEN}/browse/ACME-1", LinkKind.EPIC),
        ("https://other.atlassian.net/browse/ACME-1", LinkKind.FOREIGN),
    ],
)
def test_cells_are_compared_with_the_address_of_people(
    tmp_path: Path, address: str, kind: LinkKind
) -> None:
    site = Behind(tmp_path, "cloud")
    own = read_address(site.gateway, site.workspace(), afresh=True)
    assert parse_link(address, own).kind is kind


def test_problems_of_issues_lead_to_the_address_of_people(tmp_path: Path) -> None:
    site = Behind(tmp_path, "cloud")
    site.spoilt = "ACME-1"
    site.cells = {"acme": "ACME"}
    read = site.read(full=True)
    assert [one.url for one in read.problems if one.url] == [f"{SEEN}/browse/ACME-1"]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_gateway_that_does_not_tell_the_address_stops_nothing(
    tmp_path: Path, status: int
) -> None:
    site = Behind(tmp_path, "cloud")
    site.refused = status
    assert read_address(site.gateway, site.workspace(), afresh=True) == GATEWAY
    site.cells = {"acme": "ACME"}
    assert len(site.work(site.read(full=True), "acme")) == 4
