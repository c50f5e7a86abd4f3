"""A running demo hears of what people do as it happens, and of its own writes no more than once."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stages import one_object, rayline, start_rayline
from tests.support.waiting import LONG, end, wait_for
from worker.app.settings import load_settings
from worker.cli.exits import BUSY
from worker.state import runs, triggers
from worker.state.runs import Run, RunStatus
from worker.state.store import Store


@dataclass(frozen=True, slots=True)
class Evening:
    """A demo in a process of its own, in which nobody acts but the test."""

    process: subprocess.Popen[str]
    told: dict[str, Any]
    store: Store

    @property
    def config(self) -> str:
        """Return the configuration for other terminals."""
        return str(self.told["config"])

    def control(self, action: str, **payload: Any) -> dict[str, Any]:
        """Act as a person, or look at a sandbox, over HTTP."""
        answer = httpx.post(
            f"{self.told['control_url']}/{action}", json=payload, timeout=LONG
        )
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def runs(self) -> list[Run]:
        """Return the runs so far, oldest first."""
        with self.store.reading("studio") as tx:
            return sorted(runs.recent(tx, 1000), key=lambda run: run.id)

    def began(self) -> Counter[str]:
        """Return how many cycles that are over were begun by what."""
        return Counter(
            run.trigger for run in self.runs() if run.status is RunStatus.DONE
        )

    def refused(self) -> list[dict[str, Any]]:
        """Return the attempts to tell of a change that were not taken."""
        sides = [self.control(f"{side}/deliveries") for side in ("notion", "jira")]
        entries = [entry for side in sides for entry in side["entries"]]
        return [entry for entry in entries if entry["status"] not in (200, 202)]

    def is_quiet(self) -> bool:
        """Tell whether no event is on its way, asked for or being answered."""
        for side in ("notion", "jira"):
            if self.control(f"{side}/deliveries")["waiting"]:
                return False
        with self.store.reading("studio") as tx:
            is_asked = bool(triggers.pending(tx))
        return not is_asked and self.runs()[-1].status is RunStatus.DONE


@contextmanager
def evening(folder: Path) -> Iterator[Evening]:
    process = start_rayline("demo", "--json", "--pace", "0", home=folder)
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        settings = load_settings(Path(told["config"]))
        store = Store(settings.state.get_secret_value())
        yield Evening(process, told, store)
        store.close()
    finally:
        end(process, signal.SIGINT)


@pytest.mark.slow
def test_an_act_begins_a_cycle_and_what_that_writes_begins_no_other(
    tmp_path: Path,
) -> None:
    with evening(tmp_path) as demo:
        wait_for(lambda: demo.began().total(), "the first cycle")
        wait_for(demo.is_quiet, "quiet after the first cycle")
        heard = demo.began()["webhook"]
        issue = "KVA-34"
        statuses = iter(range(10_000))

        def is_heard() -> bool:
            """Act again as long as a beat was there first."""
            if demo.is_quiet():
                status = ("In Progress", "To Do")[next(statuses) % 2]
                demo.control("jira/transition", issue=issue, status=status)
            return demo.began()["webhook"] > heard

        wait_for(is_heard, "a cycle begun by an event")
        wait_for(demo.is_quiet, "quiet after it")
        answered = demo.began()["webhook"]
        before = demo.began()["delta"]
        wait_for(lambda: demo.began()["delta"] >= before + 2, "two beats more")
        assert demo.began()["webhook"] == answered
        assert demo.refused() == []


@pytest.mark.slow
def test_another_terminal_reads_the_addresses_of_calendars_that_answer(
    tmp_path: Path,
) -> None:
    with evening(tmp_path) as demo:
        wait_for(lambda: demo.began().total(), "the first cycle")
        told = rayline("feed", "-c", demo.config, "--json", home=tmp_path)
        calendars = one_object(told.stdout)["calendars"]
        assert calendars
        for calendar in calendars:
            answer = httpx.get(calendar["url"], timeout=LONG)
            assert answer.status_code == 200
            assert answer.text.startswith("BEGIN:VCALENDAR")


@pytest.mark.slow
def test_a_program_asks_a_demo_by_the_token_that_it_prints(tmp_path: Path) -> None:
    with evening(tmp_path) as demo:
        wait_for(lambda: demo.began().total(), "the first cycle")
        shown = {"authorization": f"Bearer {demo.told['console_token']}"}
        with httpx.Client(
            base_url=demo.told["console_url"], headers=shown, timeout=LONG
        ) as program:
            path = "/api/v1/workspaces/studio/sync"
            unknown = program.post(path, json={"scope": "Северный бнк"})
            assert unknown.status_code == 404
            assert "Северный банк" in unknown.json()["message"]
            asked = program.post(path, json={"scope": "Северный банк"})
            assert asked.status_code == 202
            where = asked.headers["location"]
            wait_for(lambda: program.get(where).json()["state"] == "done", "a run")


@pytest.mark.slow
def test_a_daemon_on_the_file_of_a_demo_is_told_that_the_demo_is_one(
    tmp_path: Path,
) -> None:
    with evening(tmp_path) as demo:
        wait_for(demo.runs, "the first run")
        second = rayline("run", "-c", demo.config, home=tmp_path)
        assert second.returncode == BUSY
        # The demo speaks the language of the machine, and so does what is said of it.
        assert f" {demo.process.pid} " in second.stderr
