"""What the worker did and when, out of its reports: for people line by line, and story by story for the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from worker.cycle.report import Report
from worker.domain.values import Ref, Span, Value
from worker.plan.plan import Change, FieldChange, Kind

TOLD = 14
"""So many lines of one day are shown; the rest is counted."""
MARKS = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.SECTION: "§", Kind.ARCHIVE: "-"}
QUIET = frozenset(
    {
        "days_in_stage",
        "evidence",
        "why",
        "reason",
        "worker_key",
        "parent",
        "unit",
        "grain",
        "period",
        "sprint",
        "source",
        "signal",
        "client",
        "project",
        "first_seen",
        "forecasts",
        "spells",
        "told",
        "tried",
    }
)
LENGTH = 60


def tell(report: Report, *, lines: int = TOLD) -> list[str]:
    """Return what a cycle wrote, a line for each row."""
    created = Counter(
        change.ref.source
        for change in report.plan.changes
        if change.kind is Kind.CREATE
    )
    many = {source for source, count in created.items() if count > lines}
    all_lines = [f"+ {source}: {created[source]} rows" for source in sorted(many)]
    all_lines += [
        line
        for change in sorted(report.plan.changes, key=_rank)
        if (line := _line(change))
        and not (change.kind is Kind.CREATE and change.ref.source in many)
    ]
    if len(all_lines) <= lines:
        return all_lines

    rest = len(all_lines) - lines
    return [*all_lines[:lines], f"… and {rest} more"]


FIRST = ("tasks", "risks", "meetings", "projects")


def _rank(change: Change) -> tuple[int, str]:
    source = change.ref.source
    if source in FIRST:
        return FIRST.index(source), source
    return len(FIRST), source


def _line(change: Change) -> str:
    head = f"{MARKS[change.kind]} {change.ref.source}: {change.title}"
    if change.kind is Kind.CREATE:
        return head + _sum(
            cell
            for cell in change.fields
            if cell.field in ("due", "assignee", "level", "target")
        )
    shown = _sum(cell for cell in change.fields if cell.field not in QUIET)
    if shown or change.kind is not Kind.UPDATE:
        return head + shown
    return ""


def _sum(fields: Iterator[FieldChange]) -> str:
    parts = [
        f"{cell.field} {_short(cell.before)} → {_short(cell.after)}"
        if cell.before
        else f"{cell.field} {_short(cell.after)}"
        for cell in fields
    ]
    if not parts:
        return ""

    cells = "; ".join(parts)
    return f" ({cells})"


def _short(value: Value | Ref) -> str:
    match value:
        case None | ():
            return "–"
        case Ref():
            return value.key[:8]
        case tuple():
            return ", ".join(_short(item) for item in value)
        case Span():
            return f"{value.start}…{value.end}"
        case Decimal():
            return f"{value.normalize():f}"
    text = str(value)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


@dataclass(slots=True)
class Thread:
    """One kind of condition over the days: rows opened, closed by the worker, and what happened when."""

    opened: int = 0
    closed: int = 0
    events: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ActivityReport:
    """Everything the worker did: `threads` by playbook or signal, `fields` written by `source.field`."""

    threads: dict[str, Thread] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)

    def note(self, day: date, report: Report) -> None:
        """Remember what a cycle did."""
        for change in report.plan.changes if not report.refused else ():
            self.written[f"{change.kind.value} {change.ref.source}"] += 1
            name = change.ref.source
            parts = change.ref.key.split(":")
            story = (
                f"{name}.{parts[1]}"
                if name in ("tasks", "risks") and len(parts) > 2
                else name
            )
            thread = self.threads.setdefault(story, Thread())
            if change.kind is Kind.CREATE:
                thread.opened += 1
                thread.events.append((day.isoformat(), "opened", change.title))
            for one in change.fields if change.kind is Kind.UPDATE else ():
                self._turn(thread, day, change, one)

    def _turn(
        self, thread: Thread, day: date, change: Change, cell: FieldChange
    ) -> None:
        if cell.field == "status" and cell.after in ("done", "closed", "cancelled"):
            thread.closed += 1
            thread.events.append((day.isoformat(), "closed", change.title))
        elif cell.field == "status":
            thread.events.append(
                (day.isoformat(), f"status {cell.after}", change.title)
            )
        elif cell.field == "health" and change.ref.source in (
            "clients",
            "units",
            "projects",
        ):
            thread.events.append(
                (day.isoformat(), f"health {cell.after}", change.title)
            )
        elif cell.field == "moved":
            thread.events.append((day.isoformat(), str(cell.after), change.title))

    def data(self) -> dict[str, Any]:
        """Return the threads as JSON data."""
        return {
            name: {
                "opened": thread.opened,
                "closed": thread.closed,
                "events": [list(e) for e in thread.events],
            }
            for name, thread in sorted(self.threads.items())
        }
