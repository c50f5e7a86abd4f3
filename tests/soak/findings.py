"""What came of seeds, added up, and kept in a file so that a long soak goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.situations import SITUATIONS

ROOT = Path(__file__).parents[2]
LIVED = ("worker", "rayline_sandbox", "mappings", "tests/soak", "tests/support")
"""Folders on which it depends what comes of a seed."""
DAY = 86_400


@dataclass(slots=True)
class Findings:
    """What came of some seeds: sums, the violations of those that failed, and how often each situation was reached."""

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


class Kept:
    """Findings by group of seeds, a line of JSON each, below one that names the code they were made on.

    What was found on other code proves nothing of this one: such a file is refused (ValueError).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.groups: dict[range, Findings] = {}
        if path is None:
            return
        if not path.exists():
            path.write_text(f"{code_digest()}\n", "utf-8")
        code, *lines = path.read_text("utf-8").splitlines()
        if code != code_digest():
            raise ValueError(f"{path} was kept by other code: name another file.")
        for line in lines:
            group, findings = _read(line)
            self.groups[group] = findings

    def findings(self) -> Findings:
        """Return the sum of what was found before."""
        whole = Findings()
        for part in self.groups.values():
            whole.add(part)
        return whole

    def add(self, group: range, findings: Findings) -> None:
        """Keep what came of a group."""
        self.groups[group] = findings
        if self.path is None:
            return
        record = {
            "first": group.start,
            "end": group.stop,
            "sums": findings.sums,
            "failed": findings.failed,
            "reached": findings.reached,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(record)}\n")


def _read(line: str) -> tuple[range, Findings]:
    record: dict[str, Any] = json.loads(line)
    group = range(record["first"], record["end"])
    findings = Findings(
        len(group),
        Counter(record["sums"]),
        {int(seed): told for seed, told in record["failed"].items()},
        Counter(record["reached"]),
    )
    return group, findings


def code_digest() -> str:
    """Return a digest of all code on which it depends what comes of a seed."""
    digest = hashlib.sha256()
    for folder in LIVED:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml"):
                digest.update(path.relative_to(ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
