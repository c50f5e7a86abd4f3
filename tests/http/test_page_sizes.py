"""Pages that a server cannot put together: asked for with fewer rows, remembered, tried larger again; on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from pydantic import SecretStr

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, HandlerTransport
from tests.support.jira_wire import BASE, VirtualTime
from worker.config import JiraSettings, NotionSettings
from worker.errors import TooHeavy, Transient
from worker.http.page_sizes import ATTEMPTS, LADDER, PageSizes
from worker.jira.gateway import JiraGateway
from worker.notion.gateway import NotionGateway

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Server:
    """Puts pages of at most `strength` rows together; 0: none at all."""

    def __init__(self, strength: int) -> None:
        self.strength = strength
        self.asked: list[tuple[int, int | None]] = []

    def __call__(self, size: int, heavy_attempts: int | None) -> int:
        self.asked.append((size, heavy_attempts))
        if size > self.strength:
            raise TooHeavy("jira", "GET x", "timed out")
        return size

    def sizes(self) -> list[int]:
        sizes = [size for size, _ in self.asked]
        self.asked.clear()
        return sizes


@pytest.mark.parametrize(
    ("strength", "steps", "known"),
    [
        (100, [100], {}),
        (99, [100, 50], {"x": 50}),
        (50, [100, 50], {"x": 50}),
        (30, [100, 50, 25], {"x": 25}),
        (10, [100, 50, 25, 10], {"x": 10}),
    ],
)
def test_a_size_is_halved_until_it_comes_through_and_remembered(
    strength: int, steps: list[int], known: dict[str, int]
) -> None:
    sizes, server = PageSizes(), Server(strength)
    assert sizes.ask("x", 100, server) == (steps[-1], steps[-1])
    assert server.sizes() == steps
    assert sizes.known() == known
    sizes.ask("x", 100, server)
    assert server.sizes() == steps[-1:]
    sizes.ask("y", 100, server)
    assert server.sizes() == steps, "another kind of page is another matter"


@pytest.mark.parametrize("before", [{}, {"x": 50}])
def test_a_server_that_answers_nothing_teaches_nothing(before: dict[str, int]) -> None:
    sizes, server = PageSizes(), Server(0)
    sizes.restore(before)
    with pytest.raises(TooHeavy):
        sizes.ask("x", 100, server)
    assert sizes.known() == before


def test_the_smallest_page_alone_is_asked_for_with_full_patience() -> None:
    server = Server(10)
    PageSizes().ask("x", 100, server)
    patience = [attempts for _, attempts in server.asked]
    assert patience == [ATTEMPTS, ATTEMPTS, ATTEMPTS, None]


def test_a_page_grows_a_step_at_a_time_until_it_is_as_usual() -> None:
    sizes, server = PageSizes(), Server(100)
    sizes.restore({"x": 25})
    asked = []
    for _ in range(4):
        sizes.grow()
        sizes.ask("x", 100, server)
        asked += server.sizes()
    assert asked == [50, 100, 100, 100]
    assert sizes.known() == {}
    server.strength = 30
    sizes.restore({"x": 25})
    sizes.grow()
    sizes.ask("x", 100, server)
    assert sizes.known() == {"x": 25}


@pytest.mark.parametrize("count", [0, 1, 10, 60, 100, 101, 260])
@pytest.mark.parametrize("strength", [10, 30, 100])
def test_pieces_bring_each_item_once_and_in_order(count: int, strength: int) -> None:
    items = [str(number) for number in range(count)]

    def ask(piece: Sequence[str], _heavy_attempts: int | None) -> list[str]:
        if len(piece) > strength:
            raise TooHeavy("jira", "POST x", "timed out")
        return list(piece)

    pieces = list(PageSizes().pieces("x", items, 100, attempt=ask))
    assert [item for piece in pieces for item in piece] == items
    assert all(pieces)


def test_a_small_rest_does_not_shrink_what_is_known() -> None:
    sizes = PageSizes()
    items = [str(number) for number in range(103)]
    list(sizes.pieces("x", items, 100, attempt=lambda piece, _: len(piece)))
    assert sizes.known() == {}


def test_every_step_is_smaller_and_ends() -> None:
    assert list(LADDER) == sorted(LADDER, reverse=True)
    assert {100, 50, 25, 10} <= {*LADDER}


# Both services

JIRA_READS = ("issues", "ids", "moves", "worklogs", "keys")


class Jira:
    """A Jira with thirty issues of one worklog each that puts at most `strength` rows on a page."""

    def __init__(self, deployment: str, strength: int) -> None:
        time = VirtualTime()
        self.time = time
        self.sandbox = JiraSandbox(
            Clock(NOW), deployment=deployment, real=time.monotonic
        )
        self.sandbox.control("add_project", {"key": "ACME", "name": "Acme"})
        self.ids = []
        for number in range(30):
            fields = {"summary": f"Work {number}"}
            made = self.sandbox.control("create", {"project": "ACME", "fields": fields})
            self.ids.append(made["id"])
            started = "2026-11-20T08:00:00.000+0000"
            log = {"issue": made["key"], "seconds": 60, "started": started}
            self.sandbox.control("worklog", log)
        self.sandbox.control("advance", {"seconds": 300})
        match = {"page_above": strength}
        rule = {"kind": "504", "match": match, "times": 0}
        self.sandbox.control("faults", {"rules": [rule]})
        self.sizes = PageSizes()
        settings = JiraSettings(
            base_url=BASE,
            deployment="cloud" if deployment == "cloud" else "datacenter",
            email=self.sandbox.email,
            token=SecretStr(self.sandbox.token),
        )
        self.gateway = JiraGateway(
            settings,
            adapter=HandlerAdapter(self.sandbox.handle),
            sleep=time.sleep,
            monotonic=time.monotonic,
            random=Random(1),
            sizes=self.sizes,
        )

    def read(self, name: str) -> int:
        """Return how many things came."""
        match name:
            case "issues":
                return len(self.gateway.issues("project = ACME").issues)
            case "ids":
                return len(self.gateway.ids("project = ACME").ids)
            case "moves":
                return len(self.gateway.moves(self.ids).moves)
            case "worklogs":
                return len(self.gateway.worklogs(0).changed)
        return len(self.gateway.by_keys(self.ids))


@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
@pytest.mark.parametrize("name", JIRA_READS)
@pytest.mark.parametrize("strength", [10, 25])
def test_jira_is_read_in_pages_that_it_can_put_together(
    deployment: str, name: str, strength: int
) -> None:
    if name == "moves" and deployment == "cloud":
        strength = 5_000  # its pages are bounded by entries, not by issues
    jira = Jira(deployment, strength)
    assert jira.read(name) == 30
    before = jira.gateway.requests()
    slept = len(jira.time.slept)
    assert jira.read(name) == 30
    assert len(jira.time.slept) == slept, "what was found is remembered"
    assert jira.gateway.requests() - before <= 8


@pytest.mark.parametrize("strength", [10, 30])
def test_notion_is_read_in_pages_that_it_can_put_together(strength: int) -> None:
    time = VirtualTime()
    sandbox = NotionSandbox(Clock(NOW), limit=None, real=time.monotonic)
    sizes = PageSizes()
    gateway = NotionGateway(
        NotionSettings(token=SecretStr(sandbox.token)),
        transport=HandlerTransport(sandbox.handle),
        sleep=time.sleep,
        monotonic=time.monotonic,
        random=Random(1),
    ).sized(sizes)
    database = gateway.create_database(
        {
            "parent": {"type": "page_id", "page_id": sandbox.root_page_id},
            "title": [{"type": "text", "text": {"content": "Tasks"}}],
            "initial_data_source": {"properties": {"Name": {"title": {}}}},
        }
    )
    source = database.data_sources[0].id
    for number in range(35):
        name = {"title": [{"text": {"content": f"row {number}"}}]}
        gateway.create_page(source, {"Name": name})
    match = {"page_above": strength, "path_regex": "/query$"}
    rule = {"kind": "504", "match": match, "times": 0}
    sandbox.control("faults", {"rules": [rule]})
    batch = gateway.query(source)
    assert (len(batch.pages), batch.complete) == (35, True)
    assert sizes.known() == {f"notion.query.{source}": 10 if strength == 10 else 25}
    slept = len(time.slept)
    assert len(gateway.query(source).pages) == 35
    assert len(time.slept) == slept


def test_what_no_smaller_page_mends_stays_a_fault_that_passes() -> None:
    jira = Jira("cloud", 5)
    with pytest.raises(Transient):
        jira.read("issues")
    assert jira.sizes.known() == {}
