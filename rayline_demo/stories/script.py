"""A storyline's folder as values: `story.toml` (world and script of days) and `expected.toml` (what must stand).

The format is described in `rayline_demo/storylines/README.md`. Numbers are read as Decimal, so that money stays exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.domain.periods import WorkCalendar
from worker.errors import ConfigError, Problem, Severity
from worker.toml import BadToml, read_toml

Table = Mapping[str, Any]

STORYLINES = Path(__file__).parents[1] / "storylines"
"""The storylines that come with the program."""

MORNING = time(9, 40)
RESERVED = frozenset({"title", "start", "base", "settings", "jira", "days"})
PACES = ("working", "all", "mondays")
SYNCS = ("delta", "full", "none")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the script: what people do at `at` (local time), and how the worker reads afterwards."""

    day: date
    at: time
    acts: tuple[Table, ...]
    sync: str


@dataclass(frozen=True, slots=True)
class Story:
    """One storyline. `start` is the day on which people typed the world in; `rows` are its rows by data source."""

    name: str
    title: Mapping[str, str]
    start: date
    settings: Table
    rows: Mapping[str, tuple[Table, ...]]
    jira: Table
    days: tuple[Table, ...]
    expected: tuple[Table, ...] = field(default=())

    def script(self, calendar: WorkCalendar) -> list[Day]:
        """Return every day that is lived, in order."""
        found = [day for table in self.days for day in _days(table, calendar)]
        for before, after in itertools.pairwise(found):
            if (after.day, after.at) < (before.day, before.at):
                raise _wrong(self.name, "days", f"{after.day} comes after {before.day}")
        return found


def load_story(folder: Path) -> Story:
    """Return the storyline of a folder; raise `ConfigError` with what is wrong."""
    name = folder.name
    read = _read(folder / "story.toml")
    expected = _read(folder / "expected.toml")
    for key in ("title", "start", "days"):
        if key not in read:
            raise _wrong(name, key, "is missing")
    base = _read(folder.parent / f"{read['base']}.toml") if "base" in read else {}
    rows = {
        key: (*base.get(key, ()), *read.get(key, ()))
        for key in (base | read)
        if key not in RESERVED
    }
    for source, tables in rows.items():
        if not all(isinstance(table, dict) for table in tables):
            raise _wrong(name, source, "must be written as [[" + source + "]]")
    return Story(
        name,
        _texts(read["title"]),
        read["start"],
        read.get("settings", {}),
        rows,
        read.get("jira", {}),
        tuple(read["days"]),
        tuple(expected.get("after", ())),
    )


def find_stories(folder: Path = STORYLINES) -> list[Path]:
    """Return the folders of all storylines in order."""
    return sorted(path.parent for path in folder.glob("*/story.toml"))


def in_locale(value: Any, locale: str) -> Any:
    """Return the text of one locale of `{en = ..., ru = ...}`; anything else as it is."""
    return (
        value[locale]
        if isinstance(value, dict) and value.keys() == {"en", "ru"}
        else value
    )


def _texts(value: Any) -> dict[str, str]:
    return value if isinstance(value, dict) else {"en": str(value), "ru": str(value)}


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, parse_float=Decimal)
    except BadToml as error:
        raise _wrong(path.parent.name, path.name, error.reason) from None
    except OSError as error:
        raise _wrong(path.parent.name, path.name, f"cannot be read: {error}") from None


def _days(table: Table, calendar: WorkCalendar) -> Iterator[Day]:
    unknown = table.keys() - {"date", "from", "until", "every", "at", "acts", "sync"}
    if unknown:
        raise _wrong(
            "days",
            str(table.get("date", table.get("from"))),
            f"unknown keys: {', '.join(sorted(unknown))}",
        )
    sync, every = table.get("sync", "delta"), table.get("every", "working")
    if sync not in SYNCS or every not in PACES:
        raise _wrong(
            "days", f"{sync}, {every}", f"sync is one of {SYNCS}, every one of {PACES}"
        )
    first = table["from"] if "from" in table else table["date"]
    last = table.get("until", first)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if "date" in table or _is_lived(day, every, calendar):
            yield Day(day, table.get("at", MORNING), tuple(table.get("acts", ())), sync)


def _is_lived(day: date, every: str, calendar: WorkCalendar) -> bool:
    match every:
        case "all":
            return True
        case "mondays":
            return day.weekday() == 0
    return calendar.is_working(day)


def _wrong(where: str, what: str, message: str) -> ConfigError:
    return ConfigError(
        [
            Problem(
                code="bad-story",
                where=where,
                field=what,
                message=message,
                severity=Severity.ERROR,
            )
        ]
    )
