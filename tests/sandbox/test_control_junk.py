"""What the control API cannot do is a sentence and 400; nothing is changed by it, and both emulators go on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rayline_sandbox.control import Control
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.people import ACTIONS as PEOPLE_ACTIONS
from rayline_sandbox.notion.workspace import ACTIONS as WORKSPACE_ACTIONS
from rayline_sandbox.wire import Clock, Request

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MADE = "2026-01-01T00:00:00+00:00"
JUNK: tuple[Any, ...] = (
    *(None, True, -1, -1e11, 1e11, 1e99, 10**30, 0.5),
    *("", "x", "(", "x" * 2500, "1e400", "\ud7ff"),
    *([], [1], [None], [[]], {}, {"a": 1}, {"id": 1}, [{"kind": 1}]),
)
KEYS = (
    *("seconds", "limit", "window", "rate", "rules", "match", "times", "zone", "lines"),
    *("page_id", "id", "parent", "properties", "property", "user", "name", "title"),
    *("key", "new_key", "issue", "fields", "status", "project", "email", "started"),
    *("query", "page", "short_pages", "shifting", "users", "read", "config", "type"),
)


class Site:
    """Both emulators with something in them, behind the control API."""

    def __init__(self) -> None:
        clock = Clock(NOW)
        self.notion = NotionSandbox(clock, empty=False)
        self.jira = JiraSandbox(clock)
        self.jira.control(
            "load",
            {
                "projects": [{"key": "ACME", "name": "Acme"}],
                "users": [{"id": "a", "name": "Anna", "email": "a@example.com"}],
                "issues": [
                    {
                        "key": "ACME-1",
                        "type": "Task",
                        "summary": "s",
                        "status": "To Do",
                        "created": MADE,
                        "updated": MADE,
                    }
                ],
            },
        )
        self.control = Control(self.notion.control, self.jira.control, enabled=True)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = {"content-type": "application/json"}
        answer = self.control.handle(
            Request("POST", f"/_sandbox/{path}", (), headers, body)
        )
        return answer.status, answer.body

    def state(self) -> object:
        notion, jira = self.notion, self.jira
        return (
            notion.control("dump", {}),
            jira.control("dump", {}),
            (notion.own.limit, notion.own.window),
            (notion.space.limit, notion.space.window),
            (len(notion.faults.rules), len(jira._faults.rules)),
            (vars(jira._site.store)["lag"], jira._people._limiter.rate),
            notion.now(),
        )

    def is_alive(self) -> bool:
        """Tell whether both answer; a planned fault is an answer, a crash is none."""
        token = {"authorization": f"Bearer {self.notion.token}"}
        page = f"/v1/pages/{self.notion.root_page_id}"
        headers = {**token, "notion-version": "2026-03-11"}
        read = self.notion.handle(Request("GET", page, (), headers))
        seen = self.jira.handle(Request("GET", "/rest/api/3/serverInfo", (), {}))
        return 500 not in (read.status, seen.status)


def _payloads(site: Site, chance: random.Random) -> Iterator[dict[str, Any]]:
    page = next(iter(site.notion.store.pages))
    fits = {
        "page_id": page,
        "id": page,
        "key": "ACME",
        "issue": "ACME-1",
        "project": "ACME",
        "user": site.notion.owner_id,
        "name": "Name",
        "seconds": 1,
    }
    for junk in JUNK:
        for key in chance.sample(KEYS, 5):
            yield {**fits, key: junk}
            yield {key: junk}


ACTIONS = sorted(
    [("notion", name) for name in {**PEOPLE_ACTIONS, **WORKSPACE_ACTIONS}]
    + [("notion", name) for name in NotionSandbox(Clock(NOW)).events.actions()]
    + [("jira", name) for name in JiraSandbox(Clock(NOW))._people._actions]
)


@pytest.mark.parametrize(("side", "action"), ACTIONS)
def test_whatever_an_action_is_given_it_is_done_or_refused_whole(
    side: str, action: str
) -> None:
    chance = random.Random(f"{side} {action}")
    site = Site()
    before = site.state()
    for payload in _payloads(site, chance):
        status, answer = site.post(f"{side}/{action}", msgspec.json.encode(payload))
        after = site.state()
        assert status in (200, 400), (payload, answer)
        assert status == 200 or after == before, (payload, answer)
        assert site.is_alive(), payload
        if after != before:
            site = Site()
            before = site.state()


REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("advance", {"seconds": -1e11}),
    ("advance", {"seconds": 1e11}),
    ("advance", {"seconds": -1}),
    ("advance", {"seconds": "soon"}),
    ("notion/set_plan", {"limit": "x"}),
    ("notion/set_plan", {"limit": 5, "window": "x"}),
    ("notion/set_plan", {"limit": 5, "window": 0}),
    ("notion/set_workspace_limit", {"limit": -1}),
    ("notion/set_lag", {"query": 5, "search": "x"}),
    ("notion/set_capabilities", {"read": False, "insert": "x"}),
    ("jira/set_limit", {"rate": "x"}),
    ("jira/set_lag", {"seconds": []}),
    ("faults", {"notion": {"rules": [{"kind": "429", "match": {"path_regex": "("}}]}}),
    ("faults", {"jira": {"rules": [{"kind": "502_html", "match": {"nth": "x"}}]}}),
    ("faults", {"jira": {"rules": [{"kind": "502_html", "times": -1}]}}),
    ("notion/late_commit", {"match": {"path_regex": "[z-a]"}}),
    ("notion/subscribe", {}),
    ("notion/subscribe", {"url": "http://10.0.0.1/"}),
    ("notion/subscribe", {"url": "http://127.0.0.1:1/", "types": "page.created"}),
    ("notion/subscribe", {"url": "http://127.0.0.1:1/", "types": ["page.sung"]}),
    ("notion/subscribe", {"url": "http://127.0.0.1:1/", "scale": -1}),
    ("notion/verify", {"id": "nobody", "token": "x"}),
    ("jira/subscribe", {"url": "http://127.0.0.1:1/", "jql": "project ="}),
    ("jira/subscribe", {"url": "http://127.0.0.1:1/", "events": [3]}),
    ("jira/subscribe", {"url": "http://127.0.0.1:1/", "secret": 3}),
    ("jira/unsubscribe", {"id": []}),
    ("jira/deliveries", {"since": -1}),
)


@pytest.mark.parametrize(("path", "payload"), REFUSED)
def test_a_setting_that_cannot_be_meant_is_refused_in_a_sentence(
    path: str, payload: dict[str, Any]
) -> None:
    site = Site()
    before = site.state()
    status, answer = site.post(path, msgspec.json.encode(payload))
    assert status == 400
    assert msgspec.json.decode(answer)["error"]
    assert site.state() == before
    assert site.is_alive()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b'{"seconds": ' + b"9" * 5_000 + b"}",
        b'{"seconds": "\xff"}',
        b'{"seconds": 1',
        b"\x00",
    ],
    ids=["deep", "deeper", "digits", "bytes", "cut", "nul"],
)
def test_a_body_that_is_no_usable_json_changes_nothing(body: bytes) -> None:
    site = Site()
    before = site.state()
    for path in ("advance", "notion/set_plan", "jira/edit", "faults"):
        assert site.post(path, body)[0] == 400
    assert site.state() == before
