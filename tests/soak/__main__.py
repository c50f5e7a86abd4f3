"""`python -m tests.soak --seeds N --first-seed S`: live seeds on all cores, and say what was found."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.soak.seeds import live, ready, steps_of
from tests.soak.shrink import shrink
from tests.soak.situations import ENOUGH, SITUATIONS, reached

AT_ONCE = 10
"""Seeds that a process lives before it tells of them."""
OFTEN = 100
"""After so many seeds the sums so far are told."""
DAY = 86_400


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Findings:
    """What came of some seeds: sums, events by name, and the violations of those that failed."""

    seeds: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        """Add what came of others."""
        self.seeds += other.seeds
        self.sums += other.sums
        self.failed |= other.failed
        self.reached += other.reached

    def never(self) -> list[str]:
        """Return the situations that no seed reached."""
        return [one.name for one in SITUATIONS if one.name not in self.reached]

    def line(self) -> str:
        """Return the last line of a soak."""
        sums = self.sums
        violations = sum(map(len, self.failed.values()))
        return (
            f"seeds {self.seeds}, virtual days {sums['seconds'] // DAY}, "
            f"requests {sums['requests']}, crashes {sums['crashes']}, "
            f"faults {sums['faults']}, edits {sums['edits']}, violations {violations}"
        )


def soak(seeds: Sequence[int]) -> Findings:
    """Live seeds one after the other."""
    findings = Findings()
    for seed in seeds:
        story = live(seed)
        findings.seeds += 1
        findings.sums += story.sums
        findings.reached.update(reached(story.events))
        if story.violations:
            findings.failed[seed] = story.violations
    return findings


def _groups(first: int, count: int) -> Iterator[range]:
    for start in range(first, first + count, AT_ONCE):
        yield range(start, min(start + AT_ONCE, first + count))


def replay(seed: int, chosen: Sequence[int] | None) -> list[str]:
    """Live a seed, or only some of its steps, and return its violations."""
    steps = steps_of(seed)
    if chosen is not None:
        steps = tuple(steps[number] for number in chosen)
    return live(seed, steps).violations


def explain(seed: int, violations: Sequence[str]) -> None:
    """Say what was found in a seed, and by which steps it is found again."""
    wanted = violations[0].partition(" ")[0]

    def fails(numbers: Sequence[int]) -> bool:
        return any(one.startswith(wanted) for one in replay(seed, numbers))

    whole = range(len(steps_of(seed)))
    left = ",".join(map(str, shrink(whole, fails)))
    for violation in violations:
        say(f"seed {seed}: {violation}")
    say(f'replay: make soak SEEDS=1 FIRST_SEED={seed} ARGS="--steps {left} --tell"')


def main(words: Sequence[str]) -> int:
    """Run the command and return its exit code: 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", help="live only these steps of one seed")
    parser.add_argument("--tell", action="store_true", help="tell what happened")
    parser.add_argument(
        "--tell-situations", action="store_true", help="tell how often each was reached"
    )
    given = parser.parse_args(words)
    if given.steps is not None or given.tell:
        return _live_one(given)
    findings = Findings()
    groups = list(_groups(given.first_seed, given.seeds))
    with ready(), ProcessPoolExecutor(given.processes) as pool:
        for part in pool.map(soak, groups):
            findings.add(part)
            for seed, violations in part.failed.items():
                say(f"seed {seed}: {violations[:3]}")
            if findings.seeds % OFTEN < AT_ONCE:
                say(f"so far: {findings.line()}")
    for seed, violations in list(findings.failed.items())[:5]:
        explain(seed, violations)
    for situation in SITUATIONS if given.tell_situations else ():
        say(f"{findings.reached[situation.name]:7} {situation.name}")
    missed = findings.never()
    if missed:
        say(f"never reached: {'; '.join(missed)}")
    say(findings.line())
    is_enough = given.seeds >= ENOUGH
    return 1 if findings.failed or (missed and is_enough) else 0


def _live_one(given: argparse.Namespace) -> int:
    seed = given.first_seed
    steps = steps_of(seed)
    numbers: Sequence[int] = range(len(steps))
    if given.steps is not None:
        numbers = [int(number) for number in given.steps.split(",") if number]
    chosen = [steps[number] for number in numbers]
    story = live(seed, chosen)
    if given.tell:
        for event in story.events:
            say(f"  {event.kind:12} {event.about}")
    for violation in story.violations:
        say(f"seed {seed}: {violation}")
    part = Findings(1, story.sums, {seed: story.violations} if story.violations else {})
    say(part.line())
    return 1 if story.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
