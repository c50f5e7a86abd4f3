"""A storyline's folder as values: `story.toml` (world and script of days) and `expected.toml` (what must stand).

The format is described in `rayline_demo/storylines/README.md`. Numbers are read as Decimal, so that money stays exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from worker.domain.messages import Text, literal, tell
from worker.domain.periods import WorkCalendar
from worker.errors import Code, ConfigError, Problem, Severity
from worker.toml import BadToml, read_toml

Table = Mapping[str, Any]

STORYLINES = Path(__file__).parents[1] / "storylines"
"""The storylines that come with the program."""

MORNING = time(9, 40)
REQUIRED = ("title", "start", "days")
RESERVED = frozenset({*REQUIRED, "base", "settings", "jira"})
"""The tables of a storyline that are no data source."""

DAY_KEYS = frozenset({"date", "from", "until", "every", "at", "acts", "sync"})
PACES = ("working", "all", "mondays")
SYNCS = ("delta", "full", "none")
"""Of both, the first is what is meant when nothing is said."""

LOCALES = frozenset({"en", "ru"})


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
    expected: tuple[Table, ...] = ()

    def script(self, calendar: WorkCalendar) -> list[Day]:
        """Return every day that is lived, in order."""
        lived: list[Day] = []
        for table in self.days:
            lived += _days(table, calendar)
        for before, after in itertools.pairwise(lived):
            if (after.day, after.at) < (before.day, before.at):
                message = f"{after.day} comes after {before.day}"
                raise _wrong(self.name, "days", message)
        return lived


def load_story(folder: Path) -> Story:
    """Return the storyline of a folder; raise `ConfigError` with what is wrong."""
    name = folder.name
    read = _read(folder / "story.toml")
    expected = _read(folder / "expected.toml")
    for key in REQUIRED:
        if key not in read:
            raise _wrong(name, key, "is missing")

    base = {}
    if "base" in read:
        shared = read["base"]
        base = _read(folder.parent / f"{shared}.toml")
    return Story(
        name,
        title=_texts(read["title"]),
        start=read["start"],
        settings=read.get("settings", {}),
        rows=_rows(name, base, read),
        jira=read.get("jira", {}),
        days=tuple(read["days"]),
        expected=tuple(expected.get("after", ())),
    )


def _rows(name: str, base: Table, read: Table) -> dict[str, tuple[Table, ...]]:
    """Return the rows of each data source: those shared with other storylines, then its own."""
    rows = {}
    for source in {**base, **read}:
        if source in RESERVED:
            continue
        tables = (*base.get(source, ()), *read.get(source, ()))
        if not all(isinstance(table, dict) for table in tables):
            raise _wrong(name, source, f"must be written as [[{source}]]")
        rows[source] = tables
    return rows


def find_stories(folder: Path = STORYLINES) -> list[Path]:
    """Return the folders of all storylines in order."""
    return sorted(path.parent for path in folder.glob("*/story.toml"))


def in_locale(value: Any, locale: str) -> Any:
    """Return the text of one locale of `{en = ..., ru = ...}`; anything else as it is."""
    if isinstance(value, dict) and value.keys() == LOCALES:
        return value[locale]
    return value


def _texts(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return value
    text = str(value)
    return dict.fromkeys(LOCALES, text)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path, parse_float=Decimal)
    except BadToml as error:
        reason = error.reason
    except OSError as error:
        reason = tell("cannot be read: {error}", error=error)
    raise _refusal(path.parent.name, path.name, reason)


def _days(table: Table, calendar: WorkCalendar) -> Iterator[Day]:
    """Yield the days a table of the script stands for: its one `date`, or those of a range that are lived."""
    _check_days(table)
    sync = table.get("sync", SYNCS[0])
    every = table.get("every", PACES[0])
    at = table.get("at", MORNING)
    acts = tuple(table.get("acts", ()))

    first = table["from"] if "from" in table else table["date"]
    last = table.get("until", first)
    length = (last - first).days + 1
    for offset in range(length):
        day = first + timedelta(days=offset)
        if "date" in table or _is_lived(day, every, calendar):
            yield Day(day, at, acts, sync)


def _check_days(table: Table) -> None:
    unknown = sorted(table.keys() - DAY_KEYS)
    if unknown:
        label = table.get("date", table.get("from"))
        listing = ", ".join(unknown)
        raise _wrong("days", str(label), f"unknown keys: {listing}")

    sync = table.get("sync", SYNCS[0])
    every = table.get("every", PACES[0])
    if sync not in SYNCS or every not in PACES:
        message = f"sync is one of {SYNCS}, every one of {PACES}"
        raise _wrong("days", f"{sync}, {every}", message)


def _is_lived(day: date, every: str, calendar: WorkCalendar) -> bool:
    match every:
        case "all":
            return True
        case "mondays":
            return day.weekday() == 0
    return calendar.is_working(day)


def _wrong(where: str, what: str, message: str) -> ConfigError:
    return _refusal(where, what, literal(message))


def _refusal(where: str, what: str, reason: Text) -> ConfigError:
    problem = Problem(
        code=Code.BAD_STORY,
        where=literal(where),
        field=what,
        message=reason,
        severity=Severity.ERROR,
    )
    return ConfigError([problem])
