"""What a living demo says on the terminal of a cycle: nothing when nothing came of it, else a line, and what is wrong now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rayline_demo.live.office import shorten
from worker.cli import prose
from worker.cycle.report import Report
from worker.domain.words import Words
from worker.errors import RenderedProblem
from worker.mapping.labels import label_fields
from worker.mapping.schema import Schema
from worker.plan.plan import Change, Kind

ROWS = 3
"""So many rows are named of a cycle."""
PROBLEMS = 3
"""So many problems are told of a cycle."""
TOLD_FIRST = ("projects", "clients", "tasks", "risks", "plans")


@dataclass(slots=True)
class CycleLines:
    """The lines of one cycle after another; what was wrong before is not told again."""

    words: Words
    schema: Schema
    before: frozenset[RenderedProblem] | None = None

    def of(self, report: Report) -> list[str]:
        """Return what is said of a cycle."""
        if report.undoes:
            # It looked at what a run wrote, not at what is wrong.
            return list(self._summary(report))
        standing = frozenset(report.standing())
        before = self.before
        self.before = standing
        lines = list(self._summary(report))
        if before is None:
            lines += self._count(len(standing))
            return lines

        appeared = standing - before
        mended = before - standing
        lines += self._news(appeared, "!")
        lines += self._news(mended, "✓")
        return lines

    def _summary(self, report: Report) -> Iterator[str]:
        count = self.words.count
        counts = report.applied.counts()
        parts = (
            (count("{n} row made", "{n} rows made", counts["create"]), "create"),
            (count("{n} row changed", "{n} rows changed", counts["update"]), "update"),
            (count("{n} section", "{n} sections", counts["sections"]), "sections"),
            (
                count("{n} row archived", "{n} rows archived", counts["archive"]),
                "archive",
            ),
        )
        what = ", ".join(text for text, name in parts if counts[name])
        if not what:
            return
        seconds = self.words.number(report.seconds)
        line = self.words.say(
            "run {run}: {what} in {seconds} s",
            run=report.run_id,
            what=what,
            seconds=seconds,
        )
        rows = _titles(report.plan.changes)
        if rows:
            line = f"{line}: {rows}"
        yield line

    def _count(self, number: int) -> Iterator[str]:
        if number:
            yield self.words.count(
                "{n} thing in the boards is not as it should be: see the console",
                "{n} things in the boards are not as they should be: see the console",
                number,
            )

    def _news(self, problems: frozenset[RenderedProblem], mark: str) -> Iterator[str]:
        shown = sorted(problems)[:PROBLEMS]
        for problem in label_fields(shown, self.schema, self.words.locale):
            line = prose.line(problem)
            yield f"{mark} {line}"

        rest = len(problems) - PROBLEMS
        if rest > 0:
            more = self.words.say("and {n} more", n=rest)
            yield f"{mark} {more}"


def _titles(changes: tuple[Change, ...]) -> str:
    """Return the titles of some rows that were made or changed, those people look at first."""
    titles: dict[str, None] = {}
    for source in TOLD_FIRST:
        for change in changes:
            if change.ref.source == source and change.kind in (
                Kind.CREATE,
                Kind.UPDATE,
            ):
                titles[shorten(change.title)] = None
    named = ", ".join(list(titles)[:ROWS])
    if len(titles) > ROWS:
        return f"{named}, …"
    return named
