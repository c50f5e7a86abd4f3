"""Who owns a lease, and whether that process still lives: judged by real processes that live, ended and were ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.waiting import LONG, wait_for
from worker.errors import Busy
from worker.state import leases
from worker.state.processes import Process, is_gone, name_owner, read_owner
from worker.state.store import Store

NOW = datetime(2026, 11, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
TELLS_STARTS = Path("/proc/self/stat").exists()
needs_proc = pytest.mark.skipif(
    not TELLS_STARTS, reason="nothing tells here when a process was started"
)


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield another process that lives, and its name as an owner."""
    program = (
        "import sys; from worker.state.processes import name_owner\n"
        "print(name_owner(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=LONG)


def test_an_owner_names_its_host_and_process() -> None:
    found = read_owner(name_owner())
    assert found is not None
    assert (found.host, found.pid) == (socket.gethostname(), os.getpid())
    assert read_owner("[::1]:17:4") == Process("[::1]", 17, "4")


@pytest.mark.parametrize("strange", ["somebody-else", "host:x:1", "", "a:1", "::"])
def test_a_name_of_another_kind_tells_of_no_process_and_of_no_death(
    strange: str,
) -> None:
    assert read_owner(strange) is None
    assert not is_gone(strange)


def test_a_process_that_lives_is_not_gone(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    assert not is_gone(name_owner())
    assert not is_gone(other[1])


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
def test_a_process_that_is_paused_is_not_gone(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    process, owner = other
    process.send_signal(signal.SIGSTOP)
    assert not is_gone(owner)


def test_a_killed_process_is_gone(other: tuple[subprocess.Popen[str], str]) -> None:
    process, owner = other
    process.kill()
    process.wait(LONG)
    assert is_gone(owner)


@needs_proc
def test_a_killed_process_is_gone_before_its_parent_asks_how_it_ended(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    process, owner = other
    process.kill()
    wait_for(lambda: is_gone(owner))
    assert process.returncode is None, "nobody had asked"


@needs_proc
def test_a_process_whose_id_another_has_now_is_gone() -> None:
    host, pid, mark = name_owner().rsplit(":", 2)
    space, _, start = mark.partition(".")
    assert is_gone(f"{host}:{pid}:{space}.{int(start) - 1}")


@pytest.mark.parametrize("part", ["host", "space", "kind"])
def test_of_another_host_or_container_nothing_is_known(
    other: tuple[subprocess.Popen[str], str], part: str
) -> None:
    process, owner = other
    process.kill()
    process.wait(LONG)
    host, pid, mark = owner.rsplit(":", 2)
    elsewhere = {
        "host": f"{host}-b:{pid}:{mark}",
        "space": f"{host}:{pid}:other.{mark.partition('.')[2]}",
        "kind": f"{host}:{pid}:140735551",
    }
    assert not is_gone(elsewhere[part])


def test_a_dead_owners_lease_is_free_at_once_and_a_living_ones_is_not(
    tmp_path: Path, other: tuple[subprocess.Popen[str], str]
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'state.db'}")
    process, owner = other
    with store.transaction("main") as tx:
        leases.claim(tx, owner, now=NOW, ttl=HOUR)
    with pytest.raises(Busy), store.transaction("main") as tx:
        leases.claim(tx, name_owner(), now=NOW, ttl=HOUR)
    process.kill()
    process.wait(LONG)
    with store.transaction("main") as tx:
        taken = leases.claim(tx, name_owner(), now=NOW, ttl=HOUR)
    assert (taken.owner, taken.epoch, taken.since) == (name_owner(), 2, NOW)
    with pytest.raises(Busy), store.transaction("main") as tx:
        leases.claim(tx, "one more", now=NOW, ttl=HOUR)
    store.close()
