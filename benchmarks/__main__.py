"""`python -m benchmarks [--quick | --sizes N ...]`: prints the tables."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from math import log
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.passes import SIDES

FLEET, QUICK_FLEET = 40, 3
"""Workspaces that a fleet looks after, in all tables and where one is in a hurry."""
CHANGES = 5
"""Changes of each kind whose way is measured; one where somebody is in a hurry."""
SIZES = (1_000, 10_000, 100_000)
ISSUES_LINKED = 1_000
console = Console(width=120)


def main() -> None:
    """Run every benchmark and print its table."""
    sizes = _sizes(sys.argv[1:])
    _print(
        "Requests and writes, sample agency",
        ("cycle", "Notion", "Jira", "rows written", "for sections", "bound"),
        _run("benchmarks.cycles"),
    )
    _print(
        "From a change to Notion, both services telling of changes (seconds)",
        ("change", "times", "median", "longest"),
        _run("benchmarks.promptness", str(CHANGES if sizes == SIZES else 1)),
    )
    _print(
        "A fleet on PostgreSQL, small workspaces",
        (
            "workspaces",
            "workers",
            "cycle",
            "seconds",
            "cycles a minute",
            "requests a cycle",
            "CPU s a cycle",
            "429s",
        ),
        _run("benchmarks.fleet", str(FLEET if sizes == SIZES else QUICK_FLEET)),
    )
    issues = min(sizes[0], ISSUES_LINKED)
    for deployment, rows in _run("benchmarks.links", str(issues)).items():
        _print(
            f"What a link costs of Jira ({deployment}), 12 projects of {issues:,} issues",
            ("read", "requests", "MB", "by endpoint"),
            rows,
        )
    figures = {size: _sides(size) for size in sizes}
    _print(
        "CPU and memory by size: 1,000 cards, 300 clients, N issues (seconds of CPU of the worker's process)",
        (
            "issues",
            "first pass",
            "full pass, socket to plan",
            "world + rules + diff",
            "peak MB",
            "changes",
            "jira package reading the same",
            "ratio: our whole pass / its read",
        ),
        [_row(size, *sides) for size, sides in figures.items()],
    )
    pairs = list(pairwise(sizes))
    _print(
        "Growth exponent of CPU between sizes (1 is linear)",
        ("from", "to", "full pass", "world + rules + diff"),
        [
            (
                f"{small:,}",
                f"{large:,}",
                _exponent(figures, small, large, "full_cpu"),
                _exponent(figures, small, large, "rules_cpu"),
            )
            for small, large in pairs
        ],
    )


def _sizes(words: list[str]) -> tuple[int, ...]:
    match words:
        case []:
            return SIZES
        case ["--quick"]:
            return SIZES[:2]
        case ["--sizes", *numbers] if numbers:
            return tuple(int(number) for number in numbers)
    sys.exit(f"unknown: {' '.join(words)}; want nothing, --quick, or --sizes N ...")


def _sides(size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the worker and of the jira package against one server of `size` issues."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", str(size), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            where = server.stdout.readline()
            figures = {
                side: _run("benchmarks.passes", side, folder, given=where)
                for side in SIDES
            }
            return {**figures["rules"], **figures["worker"]}, figures["jira"]
        finally:
            server.stdin.close()
            server.wait(30)


def _run(*words: str, given: str = "") -> Any:
    console.print(f"[dim]{' '.join(words[:2])} ...[/dim]", highlight=False)
    done = subprocess.run(
        [sys.executable, "-m", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _row(size: int, worker: dict[str, Any], package: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{size:,}",
        f"{worker['first_cpu']:.1f}",
        f"{worker['full_cpu']:.1f}",
        f"{worker['rules_cpu']:.2f}",
        f"{worker['memory_mb']:.0f}",
        str(worker["changes"]),
        f"{package['full_cpu']:.1f} s, {package['memory_mb']:.0f} MB",
        f"{worker['full_cpu'] / package['full_cpu']:.2f}",
    )


def _exponent(
    figures: dict[int, tuple[dict[str, Any], dict[str, Any]]],
    small: int,
    large: int,
    name: str,
) -> str:
    return f"{log(figures[large][0][name] / figures[small][0][name]) / log(large / small):.2f}"


def _print(title: str, headings: tuple[str, ...], rows: list[Any]) -> None:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(
            heading,
            justify="left"
            if heading in ("cycle", "bound", "from", "to", "read", "by endpoint")
            else "right",
        )
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


if __name__ == "__main__":
    main()
