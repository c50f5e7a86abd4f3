"""What a service asked of one process holds for the next and for those beside it: real processes, one state."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from rayline_sandbox.notion.limiter import OWN, Budget
from tests.support.stages import (
    Play,
    one_object,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import LONG, wait_for
from worker.state import leases, tables
from worker.state.store import Store, from_micros

BUDGET, WINDOW = 36, 3.0


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def state(play: Play) -> Store:
    return Store(f"sqlite:///{play.folder / 'cli.db'}")


def pauses(store: Store) -> list[datetime]:
    """Return until when the connections of a state are paused."""
    with store.reading("any") as tx:
        query = select(tables.settings.c.body).where(tables.settings.c.key == "ledger")
        bodies = [json.loads(body) for (body,) in tx.connection.execute(query)]
    ends = [one["until"] for body in bodies for one in body["pauses"].values()]
    return [from_micros(end) for end in ends]


def ask_to_wait(play: Play, side: str, seconds: int) -> None:
    """Have a service ask once to wait, in the midst of a run."""
    kind = "429_workspace" if side == "notion" else "429"
    rule: dict[str, Any] = {"kind": kind, "match": {"nth": 3}, "times": 1}
    rules = {"rules": [{**rule, "retry_after": seconds}]}
    emulator = play.stage.notion if side == "notion" else play.stage.jira
    emulator.control("faults", rules)


def asked(play: Play, side: str) -> int:
    """Return how many requests came to a service from the worker."""
    return len(play.reads(0)) if side == "notion" else len(play.jira_log())


def end_at_once(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LONG)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["notion", "jira"])
def test_a_pause_asked_of_a_killed_process_is_kept_by_the_next(
    play: Play, side: str
) -> None:
    config = write_config(play)
    ask_to_wait(play, side, 25)
    words = ("plan", "--json", "-c", str(config))
    first = start_rayline(*words, home=play.folder)
    store = state(play)
    wait_for(lambda: pauses(store), "a pause")
    end_at_once(first)
    [until] = pauses(store)
    before = asked(play, side)
    following = start_rayline(*words, home=play.folder)
    while asked(play, side) == before and following.poll() is None:
        time.sleep(0.01)
    seen = store.now()
    _, err = following.communicate(timeout=LONG)
    assert following.returncode == 0, err
    assert asked(play, side) > before
    assert seen >= until
    store.close()


@pytest.mark.slow
def test_processes_beside_each_other_never_exceed_the_budget_together(
    play: Play,
) -> None:
    rayline("plan", "-c", str(write_config(play)), home=play.folder)
    text = write_config(play).read_text("utf-8")
    config = play.folder / "narrow.toml"
    pace = f"requests = {BUDGET}\nwindow = {WINDOW}"
    config.write_text(text.replace("requests = 100000\nwindow = 1.0", pace, 1), "utf-8")
    play.stage.notion.own = Budget(BUDGET, WINDOW, OWN, time.monotonic)
    before = asked(play, "notion")
    with ExitStack() as stack:
        processes = []
        for words in (("sync", "--json"), ("plan", "--json"), ("plan", "--json")):
            one = start_rayline(*words, "-c", str(config), home=play.folder)
            stack.callback(end_at_once, one)
            processes.append(one)
        told = [one.communicate(timeout=LONG)[1] for one in processes]
    assert [one.returncode for one in processes] == [0, 0, 0], told
    assert asked(play, "notion") - before > 3 * BUDGET / 2
    refused = [one for one in play.stage.notion.entries(0) if one.status == 429]
    assert refused == []


@pytest.mark.slow
def test_a_workspace_of_a_killed_process_is_free_for_the_next_at_once(
    play: Play,
) -> None:
    hour = "[workspaces.studio.schedule]\nlease = 3600\n"
    config = write_config(play, extra=hour)
    words = ("sync", "--json", "-c", str(config))
    mark = play.mark()
    first = start_rayline(*words, home=play.folder)
    wait_for(lambda: len(play.writes(mark)) > 5, "writing")
    end_at_once(first)
    store = state(play)
    with store.reading("studio") as tx:
        held = leases.current(tx)
    assert held is not None
    assert held.until - store.now() > timedelta(minutes=30)
    ended = rayline(*words, home=play.folder)
    told = one_object(ended.stdout)
    # What the first had on the wire is looked up later, and told until then.
    doubts = {one["code"] for one in told["problems"]} & {"creation-in-doubt"}
    assert ended.returncode == (5 if doubts else 0), ended.stderr
    assert told["changes"]["create"] > 0
    store.close()
