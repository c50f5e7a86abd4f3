"""Asking the type checker about lines that no file of ours holds: some must be refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.support.waiting import LONG

ROOT = Path(__file__).parents[2]


def check_types(lines: Iterable[str], folder: Path) -> str:
    """Return what strict mypy says of a module of these lines, `snippet.py` in a folder; it may import ours."""
    snippet = folder / "snippet.py"
    snippet.write_text("\n".join(lines))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--follow-imports=silent",
            f"--cache-dir={folder / 'cache'}",
            "--config-file=",
            str(snippet),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=LONG,
        check=False,
    )
    return done.stdout
