"""What is amiss in a row of people's, said on the row itself (docs/method.md 6.8).

A problem belongs to the row whose address it opens. Those that only inform are no notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from worker.domain.entities import Row
from worker.domain.messages import render
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import Problem, Severity
from worker.method.figures import show_text
from worker.method.outlook import DataNote
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.world import World

OPEN = (
    "revenue",
    "projects",
    "clients",
    "contacts",
    "documents",
    "units",
    "people",
    "services",
    "backlog",
    "goals",
    "terms",
)
"""The boards whose notes are shown on pages too, in their order."""
PRIVATE = ("costs", "feedback")
"""The boards whose notes stand on their own rows alone."""
WORKERS = ("plans",)
"""The worker's boards on whose rows people type: their notes are shown on pages alone."""
RULE = "notes"


def note_data(
    world: World, problems: Iterable[Problem], *, is_whole: bool
) -> Findings[tuple[DataNote, ...]]:
    """Return the notes of open boards; every row of the boards gets its own, and loses what is mended.

    Unless `is_whole`, a rule failed whose problems nobody knows: then no row loses its notes.
    """
    by_url: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.url and problem.severity is not Severity.INFO:
            by_url[problem.url].append(problem)
    notes: list[DataNote] = []
    facts: dict[Ref, Fact] = {}
    for source in (*OPEN, *PRIVATE, *WORKERS):
        for row in world.rows.get(source, ()):
            lines = tuple(_lines(by_url.get(row.url, ()), world.words))
            if (lines or is_whole) and source not in WORKERS:
                facts.setdefault(row.ref, _fact(row, lines, world))
            if lines and source not in PRIVATE:
                notes.append(DataNote(row.title, row.url, lines))
    return Findings(tuple(notes), tuple(facts.values()))


def _lines(problems: Iterable[Problem], words: Words) -> Iterator[str]:
    """Yield each problem as a sentence that names its column and the way out."""
    lines = set()
    for problem in problems:
        column, fault, hint = (
            render(text, words)
            for text in (problem.column, problem.message, problem.hint)
        )
        names = f"{column}: " if column and column not in fault else ""
        way_out = f" → {hint}" if hint else ""
        lines.add(f"{names}{fault}{way_out}")
    yield from sorted(lines)


def _fact(row: Row, lines: tuple[str, ...], world: World) -> Fact:
    say = world.words.say
    shown = lines or (None,)
    why = Why(
        RULE,
        tuple(show_text(say("problem"), line) for line in shown),
        say("what is amiss in the row, as it is told"),
    )
    return Fact(row.ref, "data_notes", "\n".join(lines) or None, why)
