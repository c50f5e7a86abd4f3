"""Daemons as processes of their own, with a state and a configuration; neither API is there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.stages import one_object, rayline, start_rayline
from tests.support.waiting import LONG, wait_for_line
from worker.daemon.instance import lease_name
from worker.state import leases
from worker.state.leases import Lease
from worker.state.processes import read_owner
from worker.state.store import Store


@dataclass(frozen=True, slots=True)
class Office:
    """A configuration and its state, as the command finds them."""

    folder: Path
    store: Store
    config: Path

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[str]]:
        """Yield a daemon that has begun its work."""
        process = start_rayline(
            "run", "--json", "-c", str(self.config), home=self.folder
        )
        try:
            wait_for_line(process, "daemon.started")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=LONG)

    def second(self) -> tuple[int, dict[str, Any], str]:
        """Run a daemon that should not start: how it ended, its JSON and its prose."""
        done = rayline("run", "--json", "-c", str(self.config), home=self.folder)
        return done.returncode, dict(one_object(done.stdout)), done.stderr

    def lease(self) -> Lease:
        """Return the daemon's lease."""
        with self.store.reading(lease_name("studio")) as tx:
            found = leases.current(tx)
        assert found is not None
        return found

    def holder(self) -> int:
        """Return the process id of the daemon."""
        process = read_owner(self.lease().owner)
        assert process is not None
        return process.pid


def open_office(folder: Path, state: str, *, lease: float = 3600) -> Office:
    """Write a configuration; the addresses are of nobody."""
    token = folder / "token"
    token.write_text("not-a-token-of-anybody")
    token.chmod(0o600)
    config = folder / "rayline.toml"
    config.write_text(
        f"""
state = "{state}"
[workspaces.studio.schedule]
lease = {lease}
[workspaces.studio.notion]
base_url = "http://127.0.0.1:9"
root_page_id = "{"0" * 32}"
token_file = "{token}"
[workspaces.studio.jira]
base_url = "http://127.0.0.1:9"
email = "a@studio.example"
token_file = "{token}"
"""
    )
    return Office(folder, Store(state), config)


def free(office: Office, name: str) -> bool:
    """Tell whether nobody holds a workspace, or is its daemon, any more."""
    with office.store.reading(name) as tx:
        lease = leases.current(tx)
    return lease is not None and lease.until <= office.store.now()
