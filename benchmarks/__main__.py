"""`python -m benchmarks`: prints the tables; `--help` says how to choose among them and their sizes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.agency import Size
from benchmarks.cycle import Took
from benchmarks.growth import (
    FIRST,
    IDLE,
    STEADY,
    TEN,
    Axis,
    Measured,
    Scale,
    axes_of,
    exponents,
    measure,
    run,
)

console = Console(width=132)
BASE = Size()
AXES: Mapping[str, Sequence[int]] = {
    "issues": (1_000, 10_000, 100_000),
    "worklogs": (50_000, 500_000),
    "cards": (100, 1_000, 5_000),
    "clients": (30, 300),
    "workspaces": (1, 20),
}
QUICK_BASE = Size(issues=100, cards=5, clients=3)
QUICK: Mapping[str, Sequence[int]] = {"issues": (50, 100), "workspaces": (2,)}
PEERS = ("jira", "ultimate-notion")
COSTS: Mapping[str, Callable[[Measured], float]] = {
    "first import, CPU": lambda measured: measured.steps[FIRST].cpu,
    "full pass, CPU": lambda measured: measured.steps[STEADY].cpu,
    "idle, CPU": lambda measured: measured.steps[IDLE].cpu,
    "10 issues, CPU": lambda measured: measured.steps[TEN].cpu,
    "first import, MB": lambda measured: measured.steps[FIRST].peak,
    "full pass, MB": lambda measured: measured.steps[STEADY].peak,
    "requests": lambda measured: measured.steps[FIRST].notion,
    "database, MB": lambda measured: measured.steps[STEADY].database,
}
"""What is compared along an axis."""
LEFT = ("change", "cycle", "bound", "axis", "read", "by endpoint", "size", "who")
FLEET = 40
CHANGES = 5
LINKED = 1_000


def main() -> None:
    """Print the tables that are asked for."""
    asked = _asked(sys.argv[1:])
    tables = asked.only or TABLES
    for name in tables:
        TABLES[name](asked)


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything, very small")
    parser.add_argument("--only", nargs="+", choices=TABLES, help="some tables alone")
    for name in AXES:
        parser.add_argument(
            f"--{name}", nargs="*", type=int, help=f"the numbers of {name} in `sizes`"
        )
    parser.add_argument(
        "--base",
        nargs=3,
        type=int,
        metavar=("ISSUES", "CARDS", "CLIENTS"),
        help="the agency of which one thing grows in `sizes`",
    )
    return parser.parse_args(words)


# -- tables ------------------------------------------------------------------------------------------------------------


def _print_cycles(_: argparse.Namespace) -> None:
    _print(
        "Requests and writes, sample agency",
        ("cycle", "Notion", "Jira", "rows written", "for sections", "bound"),
        run("benchmarks.cycles"),
    )


def _print_promptness(asked: argparse.Namespace) -> None:
    times = 1 if asked.quick else CHANGES
    _print(
        "From a change to Notion, both services telling of changes (seconds)",
        ("change", "times", "median", "longest"),
        run("benchmarks.promptness", str(times)),
    )


def _print_fleet(asked: argparse.Namespace) -> None:
    many = 3 if asked.quick else FLEET
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
        run("benchmarks.fleet", str(many)),
    )


def _print_links(asked: argparse.Namespace) -> None:
    issues = 100 if asked.quick else LINKED
    for deployment, rows in run("benchmarks.links", str(issues)).items():
        _print(
            f"What a link costs of Jira ({deployment}), 12 projects of {issues:,} issues",
            ("read", "requests", "MB", "by endpoint"),
            rows,
        )


def _print_scenarios(asked: argparse.Namespace) -> None:
    size = QUICK_BASE if asked.quick else BASE
    if asked.base:
        issues, cards, clients = asked.base
        size = Size(issues, None, cards, clients)
    order = msgspec.json.encode(size).decode()
    _print(
        f"What a question costs ({size.cards:,} cards, {size.clients:,} clients)",
        ("change", "CPU s"),
        [(what, f"{cpu:.2f}") for what, cpu in run("benchmarks.scenarios", order)],
    )


def _print_sizes(asked: argparse.Namespace) -> None:
    """Print what cycles cost at each size, as soon as it is known, and how it grows along each axis."""
    base = QUICK_BASE if asked.quick else BASE
    if asked.base:
        issues, cards, clients = asked.base
        base = Size(issues, None, cards, clients)
    numbers: dict[str, Sequence[int]] = dict(QUICK if asked.quick else AXES)
    chosen = {name: vars(asked)[name] for name in AXES if vars(asked)[name] is not None}
    if chosen:
        numbers = {"issues": [], **chosen}
    measured: dict[Scale, Measured] = {}
    for axis in axes_of(base, numbers):
        for scale in axis.scales.values():
            if scale not in measured:
                others = _others(axis, has_naive=not measured)
                measured[scale] = measure(scale, others, _say)
                _print_size(scale, measured[scale])
        _print_growth(axis, measured)


def _others(axis: Axis, *, has_naive: bool) -> Sequence[str]:
    """Return who is measured beside the worker: along the first axis, the naive sync at its smallest size alone, for it
    takes a request for every record."""
    if axis.name != "issues":
        return ()
    if has_naive:
        return (*PEERS, "naive")
    return PEERS


def _print_size(scale: Scale, measured: Measured) -> None:
    _print(
        f"{scale.shown()}; CPU in seconds beyond start-up, memory and database in MB",
        (
            "cycle",
            "CPU",
            "charts' CPU",
            "peak",
            "Notion",
            "Jira",
            "rows",
            "sections",
            "database",
        ),
        [(name, *_figures(took)) for name, took in measured.steps.items()],
    )
    if measured.others:
        _print(
            f"Others on the same data: {scale.shown()}",
            ("who", "CPU", "peak", "records", "requests", "missing"),
            [
                (
                    name,
                    f"{took.cpu:.2f}",
                    f"{took.peak:.0f}",
                    took.records,
                    took.requests,
                    took.missing,
                )
                for name, took in measured.others.items()
            ],
        )


def _figures(took: Took) -> tuple[str | int, ...]:
    return (
        f"{took.cpu:.2f}",
        f"{took.charts_cpu:.2f}",
        f"{took.peak:.0f}",
        took.notion,
        took.jira,
        took.rows,
        took.sections,
        f"{took.database:.1f}",
    )


def _print_growth(axis: Axis, measured: Mapping[Scale, Measured]) -> None:
    """Print the costs along an axis, and the exponents between neighbours (1 is linear)."""
    values = list(axis.scales)
    rows: list[tuple[str, ...]] = []
    for name, cost in COSTS.items():
        costs = [cost(measured[scale]) for scale in axis.scales.values()]
        powers = " ".join(exponents(values, costs))
        rows.append((name, *(f"{one:,.1f}" for one in costs), powers))
    _print(
        f"Growth with the number of {axis.name}",
        ("axis", *(f"{value:,}" for value in values), "exponents"),
        rows,
    )


TABLES: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "cycles": _print_cycles,
    "promptness": _print_promptness,
    "fleet": _print_fleet,
    "links": _print_links,
    "scenarios": _print_scenarios,
    "sizes": _print_sizes,
}


def _say(what: str) -> None:
    console.print(f"[dim]{what} ...[/dim]", highlight=False)


def _print(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in LEFT else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


if __name__ == "__main__":
    main()
