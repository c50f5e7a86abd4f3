"""Each row of docs/faults.md has its tests and its codes, and no step is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from worker.errors import Code

ROOT = Path(__file__).parents[1]
COLUMNS = ("step", "side", "what fails", "what goes on", "how it heals", "shown by")
LINES = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs/faults.md").read_text("utf-8").splitlines()
    if line.startswith("| ")
][1:]
ROWS = [dict(zip(COLUMNS, cells, strict=True)) for cells in LINES]
NEEDED = {
    *(
        (step, side)
        for step in ("field", "row", "board")
        for side in ("read Notion", "read Jira", "write Notion")
    ),
    ("rule", "work out"),
    ("workspace", "read both"),
    ("daemon", "beside both"),
}


def test_the_table_has_every_step_on_every_side() -> None:
    assert {(row["step"], row["side"]) for row in ROWS} == NEEDED


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['step']}: {row['what fails'][:40]}"
)
def test_a_row_says_all_and_names_tests_that_exist(row: dict[str, str]) -> None:
    assert all(row.values())
    files = re.findall(r"`(tests/[\w/]+\.py)`", row["shown by"])
    assert files
    assert ", ".join(f"`{name}`" for name in files) == row["shown by"]
    for name in files:
        assert "def test_" in (ROOT / name).read_text("utf-8")


def test_the_codes_of_the_table_are_those_of_problems() -> None:
    known = {code.value for code in Code}
    told = {
        code
        for row in ROWS
        for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row["what goes on"])
    }
    assert told <= known
    assert len(told) > 15
