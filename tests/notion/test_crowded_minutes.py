"""More rows made within one minute than a query shows: an import of thousands, read whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from gateway_rig import make

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.codecs.records import Json
from worker.notion.gateway import NotionGateway
from worker.ports.notion import CROWDED

NOW = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)
SHOWN = 12
"""How many rows a query of these tests shows, instead of 10,000."""


def board() -> tuple[NotionSandbox, NotionGateway, str]:
    """Return an empty board, the gateway that reads it, and its data source."""
    sandbox = NotionSandbox(Clock(NOW), limit=None)
    gateway = make(HandlerTransport(sandbox.handle), token=sandbox.token)
    made = gateway.create_database(
        {
            "parent": {"type": "page_id", "page_id": sandbox.root_page_id},
            "title": [{"type": "text", "text": {"content": "Rows"}}],
            "initial_data_source": {"properties": {"Name": {"title": {}}}},
        }
    )
    return sandbox, gateway, made.data_sources[0].id


def fill(gateway: NotionGateway, source: str, names: Sequence[str]) -> set[str]:
    """Make rows of these names at once, and return their ids."""
    return {gateway.create_page(source, {"Name": title(name)}).id for name in names}


def title(name: str) -> Json:
    return {"title": [{"type": "text", "text": {"content": name}}] if name else []}


def numbered(count: int) -> list[str]:
    return [f"Row {number}" for number in range(count)]


@pytest.mark.parametrize(
    "names",
    [
        numbered(SHOWN + 1),
        numbered(9 * SHOWN),
        [f"{'ab' * (number % 40)}c{number}" for number in range(5 * SHOWN)],
        [f"Карточка №{number} – ёж" for number in range(4 * SHOWN)],
        ["", *numbered(3 * SHOWN)],
        ["same"] * SHOWN + numbered(SHOWN),
        ["ab", "ba"] * SHOWN,
        ["Ab, c", "aB; c"] * (SHOWN // 2) + ["- -", "+ +"] * (SHOWN // 2),
    ],
    ids=[
        "one more",
        "many",
        "nested",
        "Russian",
        "unnamed",
        "equal",
        "turned",
        "signs",
    ],
)
def test_a_minute_of_more_rows_than_a_query_shows_is_read_whole(
    names: list[str],
) -> None:
    sandbox, gateway, source = board()
    before = fill(gateway, source, ["Earlier"])
    sandbox.store.clock.advance(timedelta(minutes=3))
    made = fill(gateway, source, names)
    sandbox.store.clock.advance(timedelta(minutes=3))
    after = fill(gateway, source, ["Later", "Latest"])
    sandbox.control("set_lag", {"results": SHOWN})
    batch = gateway.query(source)
    assert (batch.complete, batch.reason) == (True, "")
    assert {page.id for page in batch.pages} == before | made | after
    assert len(batch.pages) == len(before | made | after)


def test_rows_of_one_name_are_told_apart_by_when_they_were_edited() -> None:
    sandbox, gateway, source = board()
    made = fill(gateway, source, ["same"] * (2 * SHOWN))
    for number, page_id in enumerate(sorted(made)):
        if number % 8 == 0:
            sandbox.store.clock.advance(timedelta(minutes=2))
        gateway.update_page(page_id, {"Name": title("other")})
    sandbox.control("set_lag", {"results": SHOWN})
    batch = gateway.query(source)
    assert batch.complete
    assert {page.id for page in batch.pages} == made


def test_what_nothing_tells_apart_ends_incomplete_with_what_to_do() -> None:
    sandbox, gateway, source = board()
    fill(gateway, source, ["same"] * (SHOWN + 1))
    sandbox.control("set_lag", {"results": SHOWN})
    batch = gateway.query(source)
    assert (batch.complete, batch.reason) == (False, CROWDED)


def test_crowded_minutes_one_after_another_cost_a_few_queries_each() -> None:
    sandbox, gateway, source = board()
    made: set[str] = set()
    for minute in range(4):
        made |= fill(gateway, source, [f"{minute}-{n}" for n in range(2 * SHOWN)])
        sandbox.store.clock.advance(timedelta(minutes=1))
    sandbox.control("set_lag", {"results": SHOWN})
    before = gateway.requests()
    batch = gateway.query(source)
    assert batch.complete
    assert {page.id for page in batch.pages} == made
    assert gateway.requests() - before <= 40


@pytest.mark.slow
def test_ten_thousand_and_one_rows_of_one_minute_are_read_whole() -> None:
    sandbox, gateway, source = board()
    made = fill(gateway, source, numbered(10_001))
    batch = gateway.query(source)
    assert batch.complete
    assert {page.id for page in batch.pages} == made
    assert sandbox.store.lag.results == 10_000
