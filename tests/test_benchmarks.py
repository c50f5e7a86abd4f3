"""The benchmarks run to their end: what they print is looked at by people, whether they run is not left to people."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from worker.mapping.load import load_schema

ROOT = Path(__file__).parents[1]


def test_every_table_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--sizes", "100"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout
    asked = len(load_schema().sources)
    idle = rf"idle cycle +│ +{asked} │ +3 │ +0 │ +0 │"
    assert re.search(idle, printed), printed
    # Of both kinds of Jira, and a change of zone of whole cycles too.
    rows = {"one new card: a project": 2, "one renamed project": 2, "zone change": 3}
    for read, times in rows.items():
        assert len(re.findall(rf"{read} +│ +\d+ │", printed)) == times, printed
    assert re.search(r"^│ +100 │ +[\d.]+ │", printed, re.MULTILINE), printed


def test_a_wrong_word_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--fast"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "unknown: --fast" in done.stderr
