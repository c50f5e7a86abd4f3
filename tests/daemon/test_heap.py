"""Memory that a cycle needed goes back to the system once it is free."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
from pathlib import Path
from worker.daemon.heap import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

pieces = [bytes(60_000) for _ in range(3_000)]
kept = pieces[::100]
full = resident()
del pieces
give_back()
print(full - resident())
"""


@pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")),
    reason="only glibc can be asked to give memory back",
)
def test_what_is_free_between_pieces_in_use_goes_back_to_the_system() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert int(ended.stdout) > 100_000_000
