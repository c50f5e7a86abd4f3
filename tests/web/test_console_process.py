"""`rayline run --console` as a process of its own: it says where it is, answers requests, and ends with the daemon."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from tests.support.stages import rayline, small_play, start_rayline, write_config
from tests.support.waiting import LONG, end, wait_for, wait_for_line
from worker.cli.exits import BUSY

TOKEN = "operator-token-of-anna-1"
CONSOLE = f"""
[console]
listen = "127.0.0.1:0"
[console.people.anna]
role = "operator"
token = "{TOKEN}"
"""


def test_the_console_is_served_beside_the_daemon_and_ends_with_it(
    tmp_path: Path,
) -> None:
    with small_play(tmp_path) as play:
        config = write_config(play, extra=CONSOLE)
        config.chmod(0o600)
        process = start_rayline("run", "-c", str(config), home=play.folder)
        try:
            line = wait_for_line(process, "http://127.0.0.1:")
            assert "code=" not in line
            program = httpx.Client(
                base_url=line.split()[-1],
                headers={"authorization": f"Bearer {TOKEN}"},
                timeout=LONG,
            )
            with program:
                studio = "/api/v1/workspaces/studio"
                wait_for(lambda: program.get(f"{studio}/status").status_code == 200)
                asked = program.post(f"{studio}/sync", json={}).json()
                wait_for(
                    lambda: program.get(asked["address"]).json()["state"] == "done"
                )
        finally:
            _, rest = end(process, signal.SIGTERM)
        assert process.returncode == 0
        assert TOKEN not in rest


def test_a_second_daemon_names_the_first_and_not_the_address_that_is_taken(
    tmp_path: Path,
) -> None:
    with small_play(tmp_path) as play:
        config = write_config(play, extra=CONSOLE)
        config.chmod(0o600)
        run = ("run", "-c", str(config))
        process = start_rayline(*run, home=play.folder)
        try:
            line = wait_for_line(process, "http://127.0.0.1:")
            taken = line.split()[-1].removeprefix("http://")
            second = rayline(*run, "--listen", taken, home=play.folder)
            assert second.returncode == BUSY
            assert f"process {process.pid} on" in second.stderr
        finally:
            end(process, signal.SIGTERM)


def test_a_hang_up_lets_in_whom_the_configuration_names_now_and_nobody_else(
    tmp_path: Path,
) -> None:
    later = TOKEN[::-1]
    with small_play(tmp_path) as play:
        config = write_config(play, extra=CONSOLE)
        config.chmod(0o600)
        process = start_rayline("run", "-c", str(config), home=play.folder)
        try:
            address = wait_for_line(process, "http://127.0.0.1:").split()[-1]
            with httpx.Client(base_url=address, timeout=LONG) as client:

                def status_for(token: str) -> int:
                    shown = {"authorization": f"Bearer {token}"}
                    return client.get("/api/v1/workspaces", headers=shown).status_code

                assert status_for(TOKEN) == 200
                renewed = config.read_text().replace(TOKEN, later)
                renewed = renewed.replace("127.0.0.1:0", "127.0.0.1:1")
                config.write_text(renewed)
                process.send_signal(signal.SIGHUP)
                assert "anna" in wait_for_line(process, "console.changed")
                assert "console" in wait_for_line(process, "needs_restart")
                assert (status_for(TOKEN), status_for(later)) == (401, 200)
        finally:
            _, rest = end(process, signal.SIGTERM)
        assert process.returncode == 0
        assert later not in rest


@pytest.mark.parametrize("listen", ["nowhere", "127.0.0.1:", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_an_error_of_usage(
    tmp_path: Path, listen: str
) -> None:
    with small_play(tmp_path) as play:
        config = write_config(play)
        done = rayline("run", "--listen", listen, "-c", str(config), home=play.folder)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr
