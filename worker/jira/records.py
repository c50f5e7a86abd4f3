"""Jira's answers as typed records, decoded in one pass; a record that cannot be read is set aside, the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from worker.calls.secrets import redact
from worker.domain.messages import message, tell
from worker.domain.model import Worklog
from worker.errors import Problem
from worker.mapping.jira import Instant, RawPerson

_WHERE = re.compile(r"`\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_SECONDS = 100_000_000_000
"""Epoch numbers below this are seconds (until the year 5138), above it milliseconds (since 1973)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: the issues that could be read, the problems of those that could not.

    `count` is how many rows the server sent; `token` and `last` are Cloud's, `total` is Data Center's.
    """

    rows: tuple[Any, ...]
    problems: tuple[Problem, ...]
    count: int
    token: str | None = None
    last: bool | None = None
    total: int | None = None
    warnings: tuple[str, ...] = ()


class _Envelope(msgspec.Struct, frozen=True):
    issues: list[Any]
    nextPageToken: str | None = None  # noqa: N815 - Jira's own name
    isLast: bool | None = None  # noqa: N815
    total: int | None = None
    warnings: list[Any] | None = None
    issueErrors: list[Any] | None = None  # noqa: N815


class _RawEnvelope(_Envelope, frozen=True):
    issues: list[msgspec.Raw]


class _OnlyUpdated(msgspec.Struct, frozen=True):
    updated: Instant | None = None


class IssueId(msgspec.Struct, frozen=True):
    """An issue asked for its id; Data Center adds `updated` to page by."""

    id: str
    key: str = ""
    fields: _OnlyUpdated | None = None


class _Named(msgspec.Struct, frozen=True):
    id: Any = ""
    key: Any = ""


class PageReader:
    """Decodes pages of one kind of row; reused, because building a decoder costs more than a page."""

    def __init__(self, row: type[Any], *, browse: str = "") -> None:
        issues = list.__class_getitem__(row)
        self._whole: msgspec.json.Decoder[Any] = msgspec.json.Decoder(
            msgspec.defstruct("Envelope", [("issues", issues)], bases=(_Envelope,), frozen=True))
        self._each = msgspec.json.Decoder(row)
        self._browse = browse

    def read(self, content: bytes) -> Page:
        """Return a page; raises `msgspec.DecodeError` when it is not one."""
        problems: tuple[Problem, ...] = ()
        try:
            found: _Envelope = self._whole.decode(content)
            rows = tuple(found.issues)
        except msgspec.ValidationError:
            found, rows, problems = self._read_each(content)
        return Page(rows, problems, len(found.issues), found.nextPageToken, found.isLast, found.total,
                    tuple(map(_kind_of_warning, found.warnings or ())))

    def _read_each(self, content: bytes) -> tuple[_Envelope, tuple[Any, ...], tuple[Problem, ...]]:
        found = msgspec.json.decode(content, type=_RawEnvelope)
        rows: list[Any] = []
        problems: list[Problem] = []
        for raw in found.issues:
            try:
                rows.append(self._each.decode(raw))
            except msgspec.ValidationError as error:
                problems.append(self._problem(raw, str(error)))
        return found, tuple(rows), tuple(problems)

    def _problem(self, raw: msgspec.Raw, said: str) -> Problem:
        named = _name_of(raw)
        url = f"{self._browse}{named}" if self._browse and named else ""
        return Problem("bad-issue", named or message("an issue without a key"), field_of(said),
                       tell("cannot be read: {error}", error=redact(said)),
                       message("mend the field in Jira; until then the issue is left out"), url)


def _name_of(raw: msgspec.Raw) -> str:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except msgspec.ValidationError:
        return ""
    return str(named.key or named.id or "")[:50]


def field_of(said: str) -> str:
    """Return the field a decoding error is about, without the `fields.` every issue has."""
    where, missing = _WHERE.search(said), _MISSING.search(said)
    parts = [where["path"] if where else "", missing["name"] if missing else ""]
    return ".".join(part for part in parts if part).removeprefix("fields.").removeprefix("fields")[:80].strip(".")


def _kind_of_warning(warning: Any) -> str:
    kind = warning.get("type") or warning.get("message") if isinstance(warning, Mapping) else warning
    return redact(str(kind))


def read_bulk(content: bytes, reader: PageReader) -> tuple[Page, tuple[str, ...]]:
    """Return the issues of a `bulkfetch` answer and the ids Jira could not return this time."""
    page = reader.read(content)
    errors = msgspec.json.decode(content, type=_Envelope).issueErrors or [] if b"issueErrors" in content else []
    return page, tuple(str(error.get("id", "")) for error in errors if isinstance(error, dict))


# History


class Change(msgspec.Struct, frozen=True):
    """One changed field of a history entry."""

    field: str = ""
    fieldId: str | None = None  # noqa: N815 - Jira's own name
    before: Any = msgspec.field(default=None, name="from")
    after: Any = msgspec.field(default=None, name="to")

    @property
    def of_status(self) -> bool:
        """Tell whether the status changed (Data Center leaves the field's id out)."""
        return (self.fieldId or self.field) == "status"


class History(msgspec.Struct, frozen=True):
    """One entry of an issue's history; `created` comes as text or as a number (facts/jira-api.md 1.1)."""

    created: Any = None
    items: tuple[Change, ...] = ()
    id: Any = ""

    @property
    def at(self) -> datetime:
        """Return the moment in UTC; ValueError or OverflowError when there is no such."""
        return read_moment(self.created)


class IssueHistory(msgspec.Struct, frozen=True):
    """A piece of one issue's history."""

    issueId: str  # noqa: N815 - Jira's own name
    changeHistories: tuple[History, ...] = ()  # noqa: N815


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of `changelog/bulkfetch`."""

    issueChangeLogs: tuple[IssueHistory, ...] = ()  # noqa: N815 - Jira's own name
    nextPageToken: str | None = None  # noqa: N815


class InlineHistory(msgspec.Struct, frozen=True):
    """A history inside an issue; complete only when `total` entries came."""

    histories: tuple[History, ...] = ()
    total: int | None = None


class IssueWithHistory(msgspec.Struct, frozen=True):
    """An issue of Data Center with its whole history."""

    id: str
    changelog: InlineHistory


class ServerHistoryPage(msgspec.Struct, frozen=True):
    """A search of Data Center with histories."""

    issues: tuple[IssueWithHistory, ...]


def read_moment(value: object) -> datetime:
    """Return an instant in UTC from epoch seconds, epoch milliseconds or ISO text; ValueError when there is none."""
    if not isinstance(value, (str, int, float)):
        raise ValueError("not a moment")
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment.astimezone(UTC)
    number = float(value)
    return datetime.fromtimestamp(number / 1000 if abs(number) >= _SECONDS else number, UTC)


# Worklogs


class _WorklogMark(msgspec.Struct, frozen=True):
    worklogId: int | str  # noqa: N815 - Jira's own name


class WorklogMarks(msgspec.Struct, frozen=True):
    """A page of `worklog/updated` or `worklog/deleted`."""

    values: tuple[_WorklogMark, ...] = ()
    until: int | None = None
    lastPage: bool | None = None  # noqa: N815 - Jira's own name
    isLastPage: bool | None = None  # noqa: N815

    @property
    def last(self) -> bool:
        """Tell whether this is the last page, under either of its names."""
        return bool(self.lastPage if self.lastPage is not None else self.isLastPage)


class RawWorklog(msgspec.Struct, frozen=True):
    """A worklog as Jira sends it."""

    id: str
    issueId: str  # noqa: N815 - Jira's own name
    started: Instant
    timeSpentSeconds: int  # noqa: N815
    author: RawPerson | None = None


def read_worklogs(content: bytes) -> tuple[tuple[Worklog, ...], tuple[str, ...]]:
    """Return the worklogs of a list and the ids of those that cannot be read."""
    good: list[Worklog] = []
    bad: list[str] = []
    for raw in msgspec.json.decode(content, type=list[msgspec.Raw]):
        try:
            good.append(_worklog(msgspec.json.decode(raw, type=RawWorklog)))
        except (msgspec.ValidationError, OverflowError):
            bad.append(_name_of(raw))
    return tuple(good), tuple(bad)


def _worklog(raw: RawWorklog) -> Worklog:
    author = (raw.author.identity if raw.author else None) or ""
    return Worklog(raw.id, raw.issueId, author, raw.started.astimezone(UTC), raw.timeSpentSeconds)
