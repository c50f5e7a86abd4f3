"""What the command line knows, as its own help tells."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from tests.support.waiting import LONG


@cache
def options_of(command: str) -> frozenset[str]:
    """Return the options that a command's help names."""
    shown = subprocess.run(
        [sys.executable, "-m", "worker", command, "--help"],
        env={"COLUMNS": "200", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
    )
    return frozenset(re.findall(r"--[a-z][a-z-]*", shown.stdout))


def unknown_options(command: str, words: Sequence[str]) -> list[str]:
    """Return the options among some words that a command does not know."""
    known = options_of(command)
    return [word for word in words if word.startswith("--") and word not in known]
