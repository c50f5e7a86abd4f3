"""Leases that a wrong clock took: further ahead than any lease lasts, they are not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from worker.errors import Busy
from worker.state import leases
from worker.state.processes import name_owner
from worker.state.store import Store

NOW = datetime(2026, 11, 18, tzinfo=UTC)
TTL = timedelta(seconds=180)
ELSEWHERE = "another-host:7:0123.4"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    opened = Store(url)
    yield opened
    opened.close()


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=40)])
def test_a_lease_that_reaches_further_than_any_lasts_is_taken(
    store: Store, ahead: timedelta
) -> None:
    with store.transaction("studio") as tx:
        first = leases.claim(tx, ELSEWHERE, now=NOW + ahead, ttl=TTL)
        taken = leases.claim(tx, "here", now=NOW, ttl=TTL)
    assert taken.epoch == first.epoch + 1
    assert taken.until == NOW + TTL
    with store.transaction("studio") as tx, pytest.raises(Busy):
        leases.renew(tx, first, now=NOW, ttl=TTL)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(TTL, TTL), (timedelta(hours=12), TTL), (timedelta(days=3), timedelta(days=2))],
)
def test_a_long_lease_of_somebody_who_lives_elsewhere_is_respected(
    store: Store, theirs: timedelta, ours: timedelta
) -> None:
    with store.transaction("studio") as tx:
        leases.claim(tx, ELSEWHERE, now=NOW, ttl=theirs)
        with pytest.raises(Busy):
            leases.claim(tx, "here", now=NOW, ttl=ours)


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="asks /proc when a process began"
)
def test_a_far_lease_of_a_dead_process_is_in_nobodys_hand(store: Store) -> None:
    host, pid, space = name_owner().split(":")
    place, start = space.split(".")
    dead = f"{host}:{pid}:{place}.{int(start) - 1}"
    with store.transaction("studio") as tx:
        leases.claim(tx, dead, now=NOW + timedelta(days=40), ttl=TTL)
        assert leases.holder(tx, now=NOW) is None
