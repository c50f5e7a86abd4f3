"""`python -m tests.soak --seeds N --first-seed S`: live seeds on all cores, and say what was found."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.soak.findings import Findings, Kept
from tests.soak.seeds import live, ready, steps_of
from tests.soak.shrink import shrink
from tests.soak.situations import ENOUGH, SITUATIONS, reached
from tests.soak.story import Story

AT_ONCE = 10
"""Seeds that a process lives before it tells of them."""
OFTEN = 100
"""After so many seeds the sums so far are told."""


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def soak(seeds: Sequence[int]) -> Findings:
    """Live seeds one after the other."""
    findings = Findings()
    for seed in seeds:
        story = live(seed)
        findings.add(_found_in(seed, story))
    return findings


def _found_in(seed: int, story: Story) -> Findings:
    failed = {seed: story.violations} if story.violations else {}
    return Findings(1, story.sums, failed, Counter(reached(story.events)))


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
    parser.add_argument(
        "--keep", type=Path, help="a file for what was found; asked again, go on there"
    )
    given = parser.parse_args(words)
    if given.steps is not None or given.tell:
        return _live_one(given)
    try:
        kept = Kept(given.keep)
    except ValueError as error:
        parser.error(str(error))
    groups = [
        group
        for group in _groups(given.first_seed, given.seeds)
        if group not in kept.groups
    ]
    findings = kept.findings()
    with ready(), ProcessPoolExecutor(given.processes) as pool:
        for group, part in zip(groups, pool.map(soak, groups), strict=True):
            kept.add(group, part)
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
    say(_found_in(seed, story).line())
    return 1 if story.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
