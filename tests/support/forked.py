"""The command in a process of its own that has imported everything already.

Starting `python -m worker` is mostly importing: seconds on a slow machine, and some hundred tests want a process. Python's
own fork server imports once and forks for each: what a test sees is a process all the same, with its own folder, environment,
streams, signals and end.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.waiting import LONG
from worker.cli import main

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.support.preloaded"])


def run_forked(
    words: Sequence[str], *, home: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command line and return how it ended; raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _SERVER.Process(
            target=_command, args=(tuple(words), str(home), dict(env), out, err)
        )
        process.start()
        process.join(LONG)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), LONG)
        said = [file.read_text("utf-8") if file.exists() else "" for file in (out, err)]
        return subprocess.CompletedProcess(list(words), process.exitcode, *said)


def _command(
    words: tuple[str, ...], home: str, env: dict[str, str], out: Path, err: Path
) -> None:
    """Become the command: what a shell sets up before it starts one."""
    os.chdir(home)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["rayline", *words]
    for number, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    main()
