"""Waiting for events, with an end so generous that only what never happens meets it, on the slowest machine too.

Rounds are counted, not seconds: a process that gets no turn does not count any.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

from worker.state.store import Store
from worker.state.tables import settings

ROUNDS, PAUSE = 60_000, 0.01
LONG = 600.0
"""Seconds that a blocking call may take before it counts as hanging."""


def wait_for(seen: Callable[[], object], what: str = "it") -> None:
    """Wait until `seen` is so."""
    for _ in range(ROUNDS):
        if seen():
            return
        time.sleep(PAUSE)
    raise AssertionError(f"{what} did not happen")


def wait_for_line(process: subprocess.Popen[str], part: str) -> str:
    """Wait until a process says a line with `part` on stderr, and return it; fails when it ends without."""
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if part in line:
            return line
    raise AssertionError(f"ended without {part!r}:\n{''.join(said)[-3000:]}")


def end(process: subprocess.Popen[str], number: int) -> tuple[str, str]:
    """Send a process a signal, wait until it has ended, and return the rest of what it said."""
    process.send_signal(number)
    return process.communicate(timeout=LONG)


def pause(process: subprocess.Popen[str], store: Store) -> None:
    """Stop a process anywhere but in a transaction, since SQLite would keep everybody out until it goes on."""
    with store.transaction("anybody"):
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def forget_pauses(store: Store) -> None:
    """Have nobody wait for what another process was asked to wait for."""
    with store.transaction("anybody") as tx:
        named = settings.c.workspace.startswith("connection ")
        tx.connection.execute(settings.delete().where(named))
