"""`rayline run` as a process of its own against the sandbox."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.stages import (
    Play,
    one_object,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import LONG, end, forget_pauses, wait_for
from worker.state import journal, leases, runs
from worker.state.store import Store

QUIET = "[workspaces.studio.schedule]\ndelta = 3600\nfull = 36000\nnightly = 23:59:59\ndaily = 23:59:59\nmonday = 23:59:59\n"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


@contextmanager
def daemon(config: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    process = start_rayline("run", "--json", "-c", str(config), home=home)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LONG)


def last_run(store: Store) -> runs.Run | None:
    with store.reading("studio") as tx:
        return next(iter(runs.recent(tx, 1)), None)


def is_done(store: Store) -> bool:
    run = last_run(store)
    return run is not None and run.status is runs.RunStatus.DONE


def test_a_daemon_works_at_once_answers_requests_and_ends_on_sigterm(
    play: Play,
) -> None:
    config = write_config(play, extra=QUIET)
    store = Store(f"sqlite:///{play.folder / 'cli.db'}")
    with daemon(config, play.folder) as process:
        wait_for(lambda: is_done(store))
        assert play.all_keyed()
        answer = rayline(
            "trigger",
            "Acme Bank",
            "--wait",
            "600",
            "--json",
            "-c",
            str(config),
            home=play.folder,
        )
        told = one_object(answer.stdout)
        assert answer.returncode == 0, answer.stderr
        assert told["state"] == "done"
        status = one_object(
            rayline("status", "--json", "-c", str(config), home=play.folder).stdout
        )
        assert status["last_run"]["run_id"] == told["run_id"]
        assert (
            status["last_run"]["trigger"],
            status["at_work"],
            status["waiting"],
        ) == ("manual", None, [])
        assert set(status["next"]) == {"delta", "full", "nightly", "daily", "monday"}
        nobody = rayline(
            "trigger",
            "Nobody",
            "--wait",
            "600",
            "--json",
            "-c",
            str(config),
            home=play.folder,
        )
        told = one_object(nobody.stdout)
        assert (nobody.returncode, told["error"]) == (2, "ConfigError")
        assert "“Nobody”" in nobody.stderr
        out, _ = end(process, signal.SIGTERM)
        assert process.returncode == 0
        assert one_object(out) == {"workspaces": ["studio"], "cycles": 2, "refused": 0}
    store.close()


def has_to_wait(play: Play) -> bool:
    """Tell whether Notion has told the worker to wait before it goes on writing."""
    return any(
        entry.outcome.startswith("fault") and entry.path == "/v1/pages"
        for entry in play.stage.notion.entries()
    )


def test_an_end_in_the_middle_of_writing_leaves_nothing_in_doubt_and_a_restart_finishes(
    play: Play,
) -> None:
    config = write_config(play, extra=QUIET)
    store = Store(f"sqlite:///{play.folder / 'cli.db'}")
    match = {"method": "POST", "path_regex": "/v1/pages$", "nth": 6}
    rule = {"kind": "429_workspace", "match": match, "times": 1, "retry_after": 800}
    play.stage.notion.control("faults", {"rules": [rule]})
    with daemon(config, play.folder) as process:
        wait_for(lambda: has_to_wait(play))
        busy = rayline("sync", "--json", "-c", str(config), home=play.folder)
        assert (busy.returncode, one_object(busy.stdout)["error"]) == (75, "Busy")
        end(process, signal.SIGTERM)
        assert process.returncode == 0
    made = len(play.all_keyed())
    play.stage.notion.control("clear_faults", {})
    with store.reading("studio") as tx:
        assert journal.unsettled(tx) == ()
        assert len(journal.created_pages(tx)) == made
        lease = leases.current(tx)
    assert lease is not None
    assert lease.until <= store.now()
    forget_pauses(store)
    with daemon(config, play.folder):
        wait_for(lambda: is_done(store))
    keys = [card.values["worker_key"] for card in play.all_keyed().values()]
    assert len(keys) == len(set(keys)) > made
    store.close()


def test_a_daemon_of_nothing_is_a_matter_of_configuration(play: Play) -> None:
    config = write_config(play)
    wrong = rayline("run", "-w", "attic", "-c", str(config), home=play.folder)
    assert (wrong.returncode, "attic" in wrong.stderr) == (2, True)
    empty = play.folder / "empty.toml"
    empty.write_text("")
    assert rayline("run", "-c", str(empty), home=play.folder).returncode == 2
