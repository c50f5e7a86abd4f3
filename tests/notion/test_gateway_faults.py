"""Every fault of the sandbox at every kind of call: nothing is made twice, reads come through, nothing leaks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_rig import VirtualTime, make

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.faults import KINDS
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.errors import ApiError, Denied, Missing, Transient, Unknown
from worker.notion.gateway import NotionGateway

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def title(text: str) -> dict[str, Any]:
    """Return a title value."""
    return {"Name": {"title": [{"text": {"content": text}}]}}


class Workspace:
    """A sandbox with one data source of three rows, and a gateway to it."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.sandbox = NotionSandbox(Clock(NOW), limit=None, real=self.time.monotonic)
        self.gateway = make(
            HandlerTransport(self.sandbox.handle),
            time=self.time,
            token=self.sandbox.token,
        )
        self.database = self.gateway.create_database(self.body("Tasks"))
        self.source = self.database.data_sources[0].id
        self.rows = [
            self.gateway.create_page(self.source, title(f"row {number}"))
            for number in range(3)
        ]

    def body(self, name: str) -> dict[str, Any]:
        """Return the body of a database create."""
        return {
            "parent": {"type": "page_id", "page_id": self.sandbox.root_page_id},
            "title": [{"type": "text", "text": {"content": name}}],
            "initial_data_source": {"properties": {"Name": {"title": {}}}},
        }

    def fault(self, kind: str) -> None:
        """Have the next request go wrong."""
        self.sandbox.control(
            "faults",
            {"rules": [{"kind": kind, "times": 1, "seconds": 30, "retry_after": 2}]},
        )

    def committed(self, method: str, path: str) -> int:
        """Return how many requests of a kind took effect."""
        return sum(
            entry.method == method
            and entry.path == path
            and ("committed" in entry.outcome or entry.outcome == "late_commit")
            for entry in self.sandbox.entries()
        )


Call = Callable[[Workspace, NotionGateway], Any]
CREATES: dict[str, tuple[str, Call]] = {
    "page": (
        "/v1/pages",
        lambda space, gateway: gateway.create_page(space.source, title("new")),
    ),
    "database": (
        "/v1/databases",
        lambda space, gateway: gateway.create_database(space.body("More")),
    ),
    "view": (
        "/v1/views",
        lambda space, gateway: gateway.create_view(
            {
                "database_id": space.database.id,
                "data_source_id": space.source,
                "name": "List",
                "type": "list",
            }
        ),
    ),
}
REPEATABLE: dict[str, Call] = {
    "me": lambda space, gateway: gateway.me(),
    "query": lambda space, gateway: gateway.query(space.source).pages,
    "page": lambda space, gateway: gateway.page(space.rows[0].id),
    "items": lambda space, gateway: gateway.property_items(space.rows[0].id, "title"),
    "schema": lambda space, gateway: gateway.data_source(space.source),
    "search": lambda space, gateway: gateway.search("Tasks", kind="data_source"),
    "children": lambda space, gateway: gateway.children(space.rows[0].id),
    "views": lambda space, gateway: gateway.views(database_id=space.database.id),
    "update": lambda space, gateway: gateway.update_page(
        space.rows[0].id, title("changed")
    ),
    "archive": lambda space, gateway: gateway.archive_page(space.rows[0].id),
    "retitle": lambda space, gateway: gateway.update_data_source(
        space.source, {"properties": {"Note": {"rich_text": {}}}}
    ),
}
REFUSED: dict[str, type[ApiError]] = {
    "401": Denied,
    "403": Denied,
    "404": Missing,
    "429_blocked": Denied,
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("made", sorted(CREATES))
def test_a_create_never_happens_twice(kind: str, made: str) -> None:
    space = Workspace()
    path, create = CREATES[made]
    before = space.committed("POST", path)
    space.fault(kind)
    outcome: BaseException | None = None
    try:
        create(space, space.gateway)
    except ApiError as error:
        outcome = error
    space.sandbox.control("advance", {"seconds": 60})
    space.gateway.me()
    happened = space.committed("POST", path) - before
    match outcome:
        case None:
            assert happened == 1
        case Unknown():
            assert happened <= 1
        case Denied() | Missing() | Transient():
            assert happened == 0
        case _:
            raise AssertionError(f"{kind} ended in {outcome!r}")
    if kind == "503_committed":
        assert isinstance(outcome, Unknown)
        assert outcome.committed_id


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("call", sorted(REPEATABLE))
def test_whatever_may_be_repeated_comes_through(kind: str, call: str) -> None:
    space = Workspace()
    space.fault(kind)
    if kind in REFUSED:
        with pytest.raises(REFUSED[kind]):
            REPEATABLE[call](space, space.gateway)
    else:
        assert REPEATABLE[call](space, space.gateway) is not None


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_token_is_in_no_error_and_no_log(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    space = Workspace()
    space.sandbox.control(
        "faults", {"rules": [{"kind": kind, "times": 60, "retry_after": 2}]}
    )
    for attempt in (CREATES["page"][1], REPEATABLE["query"]):
        try:
            attempt(space, space.gateway)
        except ApiError as error:
            text = (
                "".join(traceback.format_exception(error))
                + repr(vars(error))
                + repr(error.__context__)
            )
            assert space.sandbox.token not in text
    assert space.sandbox.token not in caplog.text


def test_a_revoked_token_is_denied_and_not_asked_again() -> None:
    space = Workspace()
    space.sandbox.revoked = True
    before = space.gateway.requests()
    with pytest.raises(Denied):
        space.gateway.query(space.source)
    assert space.gateway.requests() == before + 1


def test_a_delta_sees_recent_edits_and_leaves_old_rows() -> None:
    space = Workspace()
    space.sandbox.control("advance", {"seconds": 3600})
    space.gateway.update_page(space.rows[1].id, title("fresh"))
    batch = space.gateway.query(space.source, since=NOW + timedelta(minutes=30))
    assert [row.id for row in batch.pages] == [space.rows[1].id]
    assert batch.complete
