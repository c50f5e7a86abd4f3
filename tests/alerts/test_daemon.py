"""A daemon of its own process pings its switch, tells a chat, and ends in time although the chat hangs."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support.receivers import receiving
from tests.support.stages import small_play, start_rayline, write_config
from tests.support.waiting import end, wait_for, wait_for_line


def test_a_daemon_pings_tells_and_ends_while_a_target_hangs(tmp_path: Path) -> None:
    with small_play(tmp_path) as play, receiving() as switch, receiving() as chat:
        chat.answering.clear()
        secrets = {"targets": f"{chat.target}\n", "ping": switch.url}
        for name, text in secrets.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        extra = """token_expires = 2026-01-01
[workspaces.studio.alerts]
targets_file = "targets"
heartbeat_url_file = "ping"
gather = 0.001
"""
        config = write_config(play, extra=extra)
        daemon = start_rayline("run", "-c", str(config), home=tmp_path)
        wait_for_line(daemon, "daemon.started")
        wait_for(lambda: "/ping-secret-77aa" in switch.paths, "the ping")
        wait_for(lambda: chat.paths, "the message")
        _, said = end(daemon, signal.SIGTERM)
        assert daemon.returncode == 0
        assert "secret" not in said
