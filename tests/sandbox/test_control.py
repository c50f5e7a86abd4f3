"""The control API: who may call it, and what a call means."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rayline_sandbox.control import Control, host_name, hosts_allowed
from rayline_sandbox.faults import ACT, AFTER, BEFORE
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.jira.faults import ERRORS as JIRA_ERRORS
from rayline_sandbox.jira.faults import SHAPES as JIRA_SHAPES
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.faults import KINDS, SHAPES
from rayline_sandbox.notion.people import ACTIONS as PEOPLE_ACTIONS
from rayline_sandbox.notion.workspace import ACTIONS as WORKSPACE_ACTIONS
from rayline_sandbox.wire import Clock, Request, Response

Json = dict[str, Any]


def notion(action: str, payload: Json) -> Json:
    if action == "rename":
        raise ValueError("no page called that")
    return (
        {"side": "notion", "action": action, "page": payload["page"]}
        if action == "trash"
        else {"did": action}
    )


def jira(action: str, payload: Json) -> Json:
    return {"side": "jira", "action": action} | payload


def post(
    control: Control,
    path: str,
    body: bytes = b"{}",
    content_type: str = "application/json",
) -> tuple[int, Json]:
    response = control.handle(
        Request("POST", path, (), {"content-type": content_type}, body)
    )
    return response.status, msgspec.json.decode(response.body)


@pytest.fixture
def control() -> Control:
    return Control(notion, jira, enabled=True)


def test_an_action_goes_to_its_side_with_its_payload(control: Control) -> None:
    assert post(control, "/_sandbox/notion/trash", b'{"page":"p1"}') == (
        200,
        {"side": "notion", "action": "trash", "page": "p1"},
    )
    assert post(control, "/_sandbox/jira/edit", b'{"key":"A-1"}') == (
        200,
        {"side": "jira", "action": "edit", "key": "A-1"},
    )


def test_a_shared_action_is_done_on_both_sides(control: Control) -> None:
    assert post(control, "/_sandbox/counts") == (
        200,
        {"notion": {"did": "counts"}, "jira": {"side": "jira", "action": "counts"}},
    )


def test_faults_are_planned_on_the_sides_the_payload_names(control: Control) -> None:
    assert post(control, "/_sandbox/faults", b'{"jira":{"rules":[]}}') == (
        200,
        {"jira": {"side": "jira", "action": "faults", "rules": []}},
    )
    assert post(control, "/_sandbox/faults", b'{"rules":[]}')[0] == 400
    assert post(control, "/_sandbox/faults", b'{"notion":[]}')[0] == 400


def test_an_action_that_cannot_be_done_says_why(control: Control) -> None:
    assert post(control, "/_sandbox/notion/rename") == (
        400,
        {"error": "notion rename: no page called that"},
    )
    assert post(control, "/_sandbox/notion/trash") == (
        400,
        {"error": "notion trash: missing 'page'"},
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_sandbox", 404),
        ("/_sandbox/notion", 404),
        ("/_sandbox/other/x", 404),
        ("/_sandbox/notion/a/b", 404),
        ("/_sandbox/trash", 404),
    ],
)
def test_unknown_routes_are_not_found(control: Control, path: str, status: int) -> None:
    assert post(control, path)[0] == status


def test_a_form_or_text_that_any_web_page_could_post_is_refused(
    control: Control,
) -> None:
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ):
        assert post(control, "/_sandbox/counts", content_type=content_type)[0] == 415
    assert (
        post(
            control, "/_sandbox/counts", content_type="application/json; charset=utf-8"
        )[0]
        == 200
    )


def test_only_json_objects_are_taken(control: Control) -> None:
    assert post(control, "/_sandbox/counts", b"[1]")[0] == 400
    assert post(control, "/_sandbox/counts", b"{")[0] == 400
    assert post(control, "/_sandbox/counts", b"")[0] == 200


def test_reading_by_address_does_nothing(control: Control) -> None:
    assert control.handle(Request("GET", "/_sandbox/counts")).status == 405


def test_it_is_off_unless_asked() -> None:
    watch = Watch()
    assert (
        post(Control(watch.act, watch.act), "/_sandbox/advance", b'{"seconds":60}')[0]
        == 404
    )
    assert watch.now == Watch().now


class Watch:
    """A side with a clock: advancing answers the new instant."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)

    def act(self, _: str, payload: Json) -> Json:
        self.now += timedelta(seconds=float(payload["seconds"]))
        return {"now": self.now.isoformat()}


def test_a_clock_both_sides_share_is_advanced_once() -> None:
    shared = Watch()
    post(
        Control(shared.act, shared.act, enabled=True),
        "/_sandbox/advance",
        b'{"seconds":3600}',
    )
    assert shared.now == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_two_clocks_are_both_advanced() -> None:
    one, two = Watch(), Watch()
    post(
        Control(one.act, two.act, enabled=True),
        "/_sandbox/advance",
        b'{"seconds":3600}',
    )
    assert one.now == two.now == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_advancing_without_seconds_is_refused() -> None:
    watch = Watch()
    assert post(Control(watch.act, watch.act, enabled=True), "/_sandbox/advance") == (
        400,
        {"error": "notion advance: missing 'seconds'"},
    )


def test_other_paths_pass_through(control: Control) -> None:
    routed = control.around(lambda request: Response(200, {}, request.path.encode()))
    assert routed(Request("GET", "/_sandboxes")).body == b"/_sandboxes"
    assert routed(Request("GET", "/_sandbox/counts")).status == 405


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "studio.local:9"],
)
def test_names_of_this_machine_and_those_given_are_served(host: str) -> None:
    served = hosts_allowed(lambda _: Response(200), {"studio.local"})
    assert served(Request("GET", "/", (), {"host": host})).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8080", "", "127.0.0.1.evil.example", "localhost.evil.example:80"],
)
def test_a_foreign_name_pointed_at_this_machine_is_not_served(host: str) -> None:
    served = hosts_allowed(lambda _: Response(200), {"127.0.0.1"})
    assert served(Request("GET", "/", (), {"host": host})).status == 421


def test_a_wildcard_opens_the_pages_but_not_the_control_api() -> None:
    served = hosts_allowed(lambda _: Response(200), {"0.0.0.0"})
    assert served(Request("GET", "/d/x", (), {"host": "10.0.0.7:80"})).status == 200
    assert (
        served(Request("POST", "/_sandbox/counts", (), {"host": "10.0.0.7:80"})).status
        == 421
    )


def test_a_host_header_is_cut_down_to_its_name() -> None:
    assert [host_name(header) for header in ("a.b:80", "[::1]:9", "[::1]", "A")] == [
        "a.b",
        "::1",
        "::1",
        "a",
    ]


DOCUMENT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(
    encoding="utf-8"
)


def documented(side: str) -> set[str]:
    """Return the actions in the table of a side: the words in code style of the first column."""
    section = DOCUMENT.partition(f"`/_sandbox/{side}/ACTION`")[2].partition("\n### ")[0]
    lines = [
        line.split("|")[1] for line in section.splitlines() if line.startswith("| `")
    ]
    return {word for line in lines for word in re.findall(r"`(\w+)`", line)}


def test_the_document_names_every_notion_action_and_no_other() -> None:
    events = NotionSandbox(Clock(datetime(2026, 11, 20, tzinfo=UTC))).events.actions()
    assert documented("notion") == {*PEOPLE_ACTIONS, *WORKSPACE_ACTIONS, *events}


def test_the_document_names_every_kind_of_fault() -> None:
    for kind in {*KINDS, *SHAPES, *JIRA_SHAPES, *JIRA_ERRORS, *BEFORE, *AFTER, ACT}:
        assert f"`{kind}`" in DOCUMENT, kind


def test_every_jira_action_in_the_document_exists() -> None:
    sandbox = JiraSandbox(Clock(datetime(2026, 11, 20, tzinfo=UTC)))
    site = Control(notion, sandbox.control, enabled=True)
    found = documented("jira")
    assert len(found) > 30
    for action in found:
        _, answer = post(site, f"/_sandbox/jira/{action}")
        assert "unknown action" not in answer.get("error", ""), action
    assert "unknown action" in post(site, "/_sandbox/jira/nonsense")[1]["error"]
