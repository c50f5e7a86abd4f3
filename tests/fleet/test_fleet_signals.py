"""What signals do to a worker of a fleet: it takes a new configuration over, and ends while nobody answers."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.offices import Office, free, open_office
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.silence import Silence, silent, unanswered
from tests.support.stages import start_rayline
from tests.support.waiting import LONG, end, wait_for, wait_for_line
from worker.state import runs


@pytest.fixture
def silence() -> Iterator[Silence]:
    with silent() as server:
        yield server


@pytest.fixture
def office(tmp_path: Path, postgres_url: str) -> Iterator[Office]:  # noqa: F811
    opened = open_office(tmp_path, postgres_url)
    yield opened
    opened.store.close()


@contextmanager
def worker_of(office: Office) -> Iterator[subprocess.Popen[str]]:
    """Yield a worker that has begun its work."""
    process = start_rayline(
        "fleet", "worker", "-c", str(office.config), home=office.folder
    )
    try:
        wait_for_line(process, "fleet.started")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=LONG)


def test_a_worker_takes_a_new_configuration_over_and_says_what_changed(
    office: Office,
) -> None:
    text = office.config.read_text("utf-8")
    with worker_of(office) as process:
        office.config.write_text(text + "no = toml = this", "utf-8")
        process.send_signal(signal.SIGHUP)
        wait_for_line(process, "configuration.bad")

        changed = text.replace("lease = 3600", "lease = 1800")
        _, _, tables = text.partition("\n[workspaces")
        more = f"\n[workspaces{tables}".replace(".studio.", ".second.")
        more = more.replace("0" * 32, "1" * 32)
        office.config.write_text(changed + more, "utf-8")
        process.send_signal(signal.SIGHUP)
        assert "second" in wait_for_line(process, "workspace.added")
        assert "schedule.lease" in wait_for_line(process, "workspace.changed")
        assert "second" in wait_for_line(process, "configuration.reloaded")

        office.config.write_text(changed, "utf-8")
        process.send_signal(signal.SIGHUP)
        assert "second" in wait_for_line(process, "workspace.removed")
        end(process, signal.SIGTERM)
    assert process.returncode == 0


def test_a_worker_ends_while_a_request_is_never_answered_and_lets_the_workspace_go(
    office: Office, silence: Silence
) -> None:
    unanswered(office, silence)
    with worker_of(office) as process:
        wait_for(silence.asked.is_set)
        _, said = end(process, signal.SIGTERM)
    assert process.returncode == 0
    assert "cycle.abandoned" in said
    with office.store.reading("studio") as tx:
        (run,) = runs.recent(tx)
    assert (run.status, run.outcome["stopped"]) == (runs.RunStatus.FAILED, True)
    assert free(office, "studio")
