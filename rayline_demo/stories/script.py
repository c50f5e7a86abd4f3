"""A storyline's folder as values: `story.toml` (world and script of days) and `expected.toml` (what must stand).

The format is described in `rayline_demo/storylines/README.md`. Numbers are read as Decimal, so that money stays exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from rayline_demo.stories.expected import After
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import A_DAY, WorkCalendar
from worker.errors import Code, ConfigError, Problem, Severity
from worker.toml import BadToml, read_toml

T = TypeVar("T")
Table = Mapping[str, Any]

STORYLINES = Path(__file__).parents[1] / "storylines"
"""The storylines that come with the program."""

MORNING = time(9, 40)
REQUIRED = ("title", "start", "days")
RESERVED = frozenset({*REQUIRED, "base", "settings", "jira"})
"""The tables of a storyline that are no data source."""

LOCALES = frozenset({"en", "ru"})


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the script: what people do at `at` (local time), and how the worker reads afterwards."""

    day: date
    at: time
    acts: tuple[Table, ...]
    sync: str


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the script: one `day`, or those from `first` to `until` that are lived; `acts` repeat on each."""

    day: date | None = msgspec.field(default=None, name="date")
    first: date | None = msgspec.field(default=None, name="from")
    until: date | None = None
    every: Literal["working", "all", "mondays"] = "working"
    at: time = MORNING
    acts: tuple[Table, ...] = ()
    sync: Literal["delta", "full", "none"] = "delta"

    def lived(self, calendar: WorkCalendar) -> Iterator[Day]:
        """Yield every day that is lived."""
        first = self.first or self.day
        if first is None:
            raise _wrong("days", "date", "is missing")
        day = first
        last = self.until or first
        while day <= last:
            if self.day is not None or self._is_lived(day, calendar):
                yield Day(day, self.at, self.acts, self.sync)
            day += A_DAY

    def _is_lived(self, day: date, calendar: WorkCalendar) -> bool:
        match self.every:
            case "all":
                return True
            case "mondays":
                return day.weekday() == 0
            case "working":
                return calendar.is_working(day)


@dataclass(frozen=True, slots=True)
class Story:
    """One storyline. `start` is the day on which people typed the world in; `rows` are its rows by data source."""

    name: str
    title: Mapping[str, str]
    start: date
    settings: Table
    rows: Mapping[str, tuple[Table, ...]]
    jira: Table
    days: tuple[Days, ...]
    expected: tuple[After, ...] = ()

    def script(self, calendar: WorkCalendar) -> list[Day]:
        """Return every day that is lived, in order."""
        lived: list[Day] = []
        for days in self.days:
            lived += days.lived(calendar)
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
        days=_convert(name, "days", read["days"], tuple[Days, ...]),
        expected=_convert(name, "after", expected.get("after", ()), tuple[After, ...]),
    )


def _convert(name: str, key: str, tables: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(tables, kind)
    except msgspec.ValidationError as error:
        raise _wrong(name, key, str(error)) from None


def _rows(name: str, base: Table, read: Table) -> dict[str, tuple[Table, ...]]:
    """Return the rows of each data source: those shared with other storylines, then its own."""
    rows = {}
    for source in {**base, **read}:
        if source in RESERVED:
            continue
        tables = (*base.get(source, ()), *read.get(source, ()))
        for table in tables:
            if not isinstance(table, dict):
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
