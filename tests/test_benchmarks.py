"""The benchmarks run to their end: what they print is looked at by people, whether they run is not left to people."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.agency import Size
from benchmarks.growth import axes_of, exponents
from worker.mapping.load import load_schema
from worker.method.whatif.questions import KINDS

ROOT = Path(__file__).parents[1]
SMALL = ("--quick", "--only")


def _run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tables_of_requests_are_printed() -> None:
    printed = _run(*SMALL, "cycles", "promptness", "fleet", "links")
    asked = len(load_schema().sources)
    idle = rf"idle cycle +│ +{asked} │ +3 │ +0 │ +0 │"
    assert re.search(idle, printed), printed
    # Of both kinds of Jira, and a change of zone of whole cycles too.
    rows = {"one new card: a project": 2, "one renamed project": 2, "zone change": 3}
    for read, times in rows.items():
        assert len(re.findall(rf"{read} +│ +\d+ │", printed)) == times, printed


def test_cycles_are_applied_at_each_size_and_write_nothing_where_nothing_changed() -> (
    None
):
    printed = _run(*SMALL, "sizes")
    figure = r" +[\d.]+ │"
    for cycle in ("steady full pass", "idle delta", "idle delta, going on"):
        quiet = rf"{cycle} +│{figure * 5} +0 │ +0 │"
        assert len(re.findall(quiet, printed)) == 3, printed
    first = re.findall(rf"first import +│{figure * 5} +(\d+) │", printed)
    assert len(first) == 3, printed
    assert all(int(rows) > 100 for rows in first), printed
    naive = rf"naive +│{figure * 4}"
    assert len(re.findall(naive, printed)) == 1, printed
    assert "Growth with the number of issues" in printed


def test_a_question_of_each_kind_has_its_cost() -> None:
    printed = _run(*SMALL, "scenarios")
    for kind in KINDS:
        assert re.search(rf"│ {kind} +│ +\d+\.\d\d │", printed), printed


def test_a_wrong_word_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--fast"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert "unrecognized arguments: --fast" in done.stderr


def test_one_thing_grows_along_an_axis() -> None:
    base = Size(issues=1_000, cards=100, clients=30)
    asked = {"issues": [], "worklogs": [4_000, 500], "cards": [10, 100]}
    worklogs, cards = axes_of(base, asked)
    sizes = [scale.size for scale in worklogs.scales.values()]
    assert sizes == [Size(1_000, 500, 100, 30), Size(1_000, 4_000, 100, 30)]
    assert [scale.size for scale in cards.scales.values()] == [
        Size(1_000, None, 10, 10),
        base,
    ]


@pytest.mark.parametrize(
    ("costs", "powers"),
    [([1, 10, 100], ["1.00", "1.00"]), ([2, 2, 200], ["0.00", "2.00"])],
)
def test_growth_is_told_as_a_power(costs: list[float], powers: list[str]) -> None:
    assert exponents([10, 100, 1_000], costs) == powers
    assert exponents([1, 2], [0, 5]) == ["-"]
