"""The console beside a fleet: it shows what workers elsewhere do, and they answer what is asked for in it."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from tests.fleet.test_fleet import start_worker
from tests.support.campus import bind, open_campus
from tests.support.postgres import postgres_url  # noqa: F401 - a fixture
from tests.support.stages import start_rayline
from tests.support.waiting import LONG, end, wait_for, wait_for_line
from worker.state.store import Store

TOKEN = "operator-token-of-anna-1"
CONSOLE = f"""
[console]
listen = "127.0.0.1:0"
[console.people.anna]
role = "operator"
token = "{TOKEN}"
"""
NAMES = ("north", "south")


def test_a_console_shows_all_workspaces_of_a_fleet_and_has_it_work(
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    store = Store(postgres_url)
    with open_campus(tmp_path, NAMES) as (campus, config):
        bind(campus, store)
        config.write_text(config.read_text("utf-8") + CONSOLE, "utf-8")
        config.chmod(0o600)
        more = {"RAYLINE_STATE": postgres_url}
        console = start_rayline("console", "-c", str(config), home=tmp_path, **more)
        worker = start_worker(config, 1, **more)
        try:
            line = wait_for_line(console, "http://127.0.0.1:")
            program = httpx.Client(
                base_url=line.split()[-1],
                headers={"authorization": f"Bearer {TOKEN}"},
                timeout=LONG,
            )
            with program:
                assert program.get("/readyz").status_code == 200
                listed = program.get("/api/v1/workspaces").json()
                assert [one["name"] for one in listed] == list(NAMES)

                for name in NAMES:
                    ask(program, name)

                figures = program.get("/metrics").text
                assert all(f'workspace="{name}"' in figures for name in NAMES)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(LONG)
            end(console, signal.SIGTERM)
        assert console.returncode == 0
    store.close()


def ask(program: httpx.Client, name: str) -> None:
    """Ask for a run in a workspace, and wait for who answers."""
    base = f"/api/v1/workspaces/{name}"
    asked = program.post(f"{base}/sync", json={})
    assert asked.status_code == 202
    address = asked.json()["address"]
    wait_for(lambda: program.get(address).json()["state"] == "done")
    assert program.get(f"{base}/runs").json()[0]["status"] == "done"
