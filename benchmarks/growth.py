"""What cycles cost by the size of the agency: one axis grows, the others stand; every cycle is applied.

Server and worker are processes of their own; the worker's is a new one for each cycle, but where it goes on from a look
before, as the daemon does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import log
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from benchmarks import cycle, peers, server
from benchmarks.agency import Size
from worker.cycle.context import Mode

Say = Callable[[str], None]
CALM = server.Orders(advance=10)


class Step(NamedTuple):
    """A cycle that is measured, and what happens before it; one that is not `told` only lets things settle, and a process
    that `goes_on` has looked once already.
    """

    name: str
    mode: Mode
    before: server.Orders
    told: bool = True
    goes_on: bool = False


FIRST, STEADY, IDLE, TEN = "first import", "steady full pass", "idle delta", "10 issues"
STEPS = (
    Step(FIRST, Mode.FULL, server.Orders(advance=5)),
    Step("settling", Mode.DELTA, CALM, told=False),
    Step(STEADY, Mode.FULL, CALM),
    Step("settling", Mode.DELTA, CALM, told=False),
    Step(IDLE, Mode.DELTA, CALM),
    Step(f"{IDLE}, going on", Mode.DELTA, CALM, goes_on=True),
    Step("1 issue", Mode.DELTA, server.Orders(advance=10, change=1)),
    Step(TEN, Mode.DELTA, server.Orders(advance=10, change=10)),
    Step(
        f"{TEN}, going on",
        Mode.DELTA,
        server.Orders(advance=10, change=10),
        goes_on=True,
    ),
    Step("100 issues", Mode.DELTA, server.Orders(advance=10, change=100)),
    Step("one new card", Mode.DELTA, server.Orders(advance=10, card=True)),
)


class Scale(msgspec.Struct, frozen=True):
    """What is served: so many agencies of one size."""

    size: Size
    workspaces: int = 1

    def shown(self) -> str:
        """Return it in words."""
        size = self.size
        logs = "few" if size.worklogs is None else f"{size.worklogs:,}"
        words = (
            f"{size.issues:,} issues, {logs} worklogs, {size.cards:,} cards, "
            f"{size.clients:,} clients"
        )
        if self.workspaces > 1:
            words += f", {self.workspaces} workspaces"
        return words


class Measured(msgspec.Struct, frozen=True):
    """What each step took, by name, and what others took on the same data."""

    steps: Mapping[str, cycle.Took]
    others: Mapping[str, peers.Took]


def measure(scale: Scale, others: Sequence[str], say: Say) -> Measured:
    """Serve some agencies, let the worker go through all steps, then let others read or write the same."""
    with tempfile.TemporaryDirectory() as folder:
        words = (msgspec.json.encode(scale.size).decode(), str(scale.workspaces))
        serving = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.server", *words, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert serving.stdin is not None
        assert serving.stdout is not None
        try:
            where = msgspec.json.decode(serving.stdout.readline())
            steps: dict[str, cycle.Took] = {}
            for step in STEPS:
                say(f"{scale.shown()}: {step.name}")
                given = {"where": where, "folder": folder}
                with working() as ask:
                    if step.goes_on:
                        now = _let_happen(serving, CALM)
                        ask({**given, "mode": Mode.DELTA, "now": now})
                    now = _let_happen(serving, step.before)
                    told = ask({**given, "mode": step.mode, "now": now})
                if step.told:
                    steps[step.name] = msgspec.convert(told, cycle.Took)
            beside: dict[str, peers.Took] = {}
            for peer in others:
                say(f"{scale.shown()}: {peer}")
                told = run("benchmarks.peers", peer, given=where[0])
                beside[peer] = msgspec.convert(told, peers.Took)
            return Measured(steps, beside)
        finally:
            serving.stdin.close()
            serving.wait(60)


def _let_happen(serving: subprocess.Popen[str], orders: server.Orders) -> Any:
    """Let something happen at the server, and return the moment by its clock."""
    assert serving.stdin is not None
    assert serving.stdout is not None
    serving.stdin.write(msgspec.json.encode(orders).decode() + "\n")
    serving.stdin.flush()
    return msgspec.json.decode(serving.stdout.readline())


@contextmanager
def working() -> Iterator[Callable[[object], Any]]:
    """Start a worker's process: what is yielded runs a cycle by orders and returns what it took; ends where one fails."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cycle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as worker,
    ):
        assert worker.stdin is not None
        assert worker.stdout is not None
        orders, answers = worker.stdin, worker.stdout

        def ask(given: object) -> Any:
            orders.write(msgspec.json.encode(given) + b"\n")
            orders.flush()
            answer = answers.readline()
            if not answer:
                said.seek(0)
                text = said.read().decode(errors="replace")
                sys.exit(f"benchmarks.cycle failed:\n{text[-2000:]}")
            return msgspec.json.decode(answer)

        yield ask


def run(*words: str, given: object = None) -> Any:
    """Return what a module prints last, in JSON; ends where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        input=msgspec.json.encode(given),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        sys.exit(f"{' '.join(words)} failed:\n{said[-2000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1])


class Axis(NamedTuple):
    """What grows: values from the smallest on, and what is served at each."""

    name: str
    scales: Mapping[int, Scale]


def axes_of(base: Size, numbers: Mapping[str, Sequence[int]]) -> Iterator[Axis]:
    """Yield the axes along which something is measured, by the numbers of each; agencies of a fleet are small."""
    for name, values in numbers.items():
        scales: dict[int, Scale] = {}
        for value in sorted(values):
            scales[value] = _scale_at(name, value, base, numbers)
        if scales:
            yield Axis(name, scales)


def _scale_at(
    name: str, value: int, base: Size, numbers: Mapping[str, Sequence[int]]
) -> Scale:
    match name:
        case "issues":
            size = replace(base, issues=value)
        case "worklogs":
            issues = max(numbers["issues"], default=base.issues)
            size = replace(base, issues=issues, worklogs=value)
        case "cards":
            clients = min(base.clients, value)
            size = replace(base, cards=value, clients=clients)
        case "clients":
            size = replace(base, clients=value)
        case _:
            size = Size(min(250, base.issues), None, min(25, base.cards), 8)
            return Scale(size, value)
    return Scale(size)


def exponents(values: Sequence[int], costs: Sequence[float]) -> list[str]:
    """Return by which power a cost grows between neighbours; 1 is linear."""
    powers: list[str] = []
    for (small, large), (less, more) in zip(
        pairwise(values), pairwise(costs), strict=True
    ):
        if less <= 0 or more <= 0:
            powers.append("-")
            continue
        power = log(more / less) / log(large / small)
        powers.append(f"{power:.2f}")
    return powers
