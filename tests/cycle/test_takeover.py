"""A worker that is stopped in the middle of its writing, another that takes over, and the first one woken: real
processes and sockets, and a lease short enough to run out."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import new_state
from tests.support.stages import (
    Play,
    one_object,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import forget_pauses, pause
from worker.state import journal, leases, memory
from worker.state.leases import Lease
from worker.state.store import Store

BUSY = 75


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def _configure(
    play: Play, *, lease: timedelta = timedelta(seconds=2), state: str = ""
) -> Path:
    """Return a configuration with a lease of seconds, one request at a time, and creations that can be looked up at
    once; its state is at an address, else a file."""
    seconds = lease.total_seconds()
    config = write_config(
        play, extra=f"[workspaces.studio.schedule]\nlease = {seconds}\n"
    )
    text = config.read_text("utf-8").replace(
        "timeout = 20.0\n[workspaces.studio.jira]",
        "timeout = 20.0\nsettle = 0.1\nwidth = 1\n[workspaces.studio.jira]",
    )
    if state:
        text = re.sub("(?m)^state = .*", f'state = "{state}"', text)
    config.write_text(text, "utf-8")
    return config


@contextmanager
def _syncing(config: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    process = start_rayline("sync", "--json", "-c", str(config), home=home)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _wait_for(seen: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not seen():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def _break(play: Play, kind: str, *, nth: int, times: int, **extra: Any) -> None:
    match = {"method": "POST", "path_regex": "/v1/pages$", "nth": nth}
    rule = {"kind": kind, "match": match, "times": times, **extra}
    play.stage.notion.control("faults", {"rules": [rule]})


def _creations(play: Play, outcome: str) -> int:
    """Return how many creations had an outcome that begins so."""
    return sum(
        entry.outcome.startswith(outcome)
        for entry in play.stage.notion.entries()
        if (entry.method, entry.path) == ("POST", "/v1/pages")
        and entry.actor == play.bot_id
    )


def _sync(play: Play, config: Path) -> tuple[int, Mapping[str, Any]]:
    ended = rayline("sync", "--json", "-c", str(config), home=play.folder)
    return ended.returncode, one_object(ended.stdout)


def _sync_when_free(play: Play, config: Path) -> Mapping[str, Any]:
    """Run a second worker as soon as the first one's lease has run out."""
    while True:
        code, told = _sync(play, config)
        if code != BUSY:
            assert code == 0, told
            return told


def _doubled(play: Play) -> dict[str, int]:
    keys = Counter(str(one.values["worker_key"]) for one in play.all_keyed().values())
    return {key: number for key, number in keys.items() if number > 1}


@pytest.fixture
def state(request: pytest.FixtureRequest, play: Play) -> Iterator[str]:
    """Yield the address of a state that nobody has used."""
    with new_state(request.param, play.folder) as url:
        yield url


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        pytest.param("SQLite", "429_workspace", id="waiting for its turn"),
        pytest.param("SQLite", "hang_after", id="made and not answered"),
        pytest.param("SQLite", "hang_before", id="not made"),
        pytest.param("PostgreSQL", "hang_after", id="made, on a server"),
    ],
    indirect=["state"],
)
def test_a_worker_stopped_while_another_did_its_work_doubles_nothing_and_says_what_it_did(
    play: Play, state: str, kind: str
) -> None:
    config, store = _configure(play, state=state), Store(state)
    _break(play, kind, nth=6, times=1, retry_after=20)
    with _syncing(config, play.folder) as first:
        _wait_for(lambda: _creations(play, "fault") > 0, first)
        pause(first, store)
        play.stage.notion.control("clear_faults", {})
        forget_pauses(store)
        second = _sync_when_free(play, config)
        with store.reading("studio") as tx:
            remembered = memory.load(tx)
        mark = play.mark()
        first.send_signal(signal.SIGCONT)
        out, err = first.communicate()
    told = one_object(out)
    assert first.returncode == BUSY, err
    assert play.writes(mark) == [], "what it had in hand must not leave any more"
    assert _doubled(play) == {}
    assert "taken-over" in {problem["code"] for problem in told["problems"]}
    assert told["changes"]["create"] + second["changes"]["create"] <= len(
        play.all_keyed()
    )
    assert told["changes"]["create"] >= 5, "what was written before is told"
    with store.reading("studio") as tx:
        assert memory.load(tx) == remembered
        assert journal.unsettled(tx) == ()
        assert set(journal.canonical_pages(tx).values()) >= set(play.all_keyed())
    code, third = _sync(play, config)
    assert (code, set(third["changes"].values())) == (0, {0})
    store.close()


def test_a_wait_longer_than_the_lease_keeps_the_workspace_and_ends_on_sigterm_unsent(
    play: Play,
) -> None:
    lease = timedelta(seconds=6)
    config = _configure(play, lease=lease)
    store = Store(f"sqlite:///{play.folder / 'cli.db'}")
    _break(play, "429_workspace", nth=6, times=1, retry_after=800)
    with _syncing(config, play.folder) as first:
        _wait_for(lambda: _creations(play, "fault") > 0, first)
        held, mark = _lease(store), play.mark()
        _wait_for(lambda: _lease(store).until > held.until + 2 * lease, first)
        code, told = _sync(play, config)
        assert (code, told["error"]) == (BUSY, "Busy")
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate()
    assert first.returncode == BUSY, err
    assert play.writes(mark) == []
    told = one_object(out)
    assert told["changes"]["create"] == _creations(play, "committed") == 5
    assert "ended-early" in {problem["code"] for problem in told["problems"]}
    assert _lease(store).epoch == held.epoch, "nobody else had it meanwhile"
    play.stage.notion.control("clear_faults", {})
    forget_pauses(store)
    code, _ = _sync(play, config)
    assert (code, _doubled(play)) == (0, {})
    store.close()


def _lease(store: Store) -> Lease:
    with store.reading("studio") as tx:
        found = leases.current(tx)
    assert found is not None
    return found
