"""Jira's answers as typed records, decoded in one pass; a record that cannot be read is set aside, the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from worker.calls.secrets import redact
from worker.domain.messages import message, tell
from worker.domain.model import Worklog
from worker.errors import Problem
from worker.mapping.jira import Instant, RawPerson, Seconds
from worker.ports import Unread

T = TypeVar("T")
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
            msgspec.defstruct(
                "Envelope", [("issues", issues)], bases=(_Envelope,), frozen=True
            )
        )
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
        return Page(
            rows,
            problems,
            len(found.issues),
            found.nextPageToken,
            found.isLast,
            found.total,
            tuple(map(_kind_of_warning, found.warnings or ())),
        )

    def _read_each(
        self, content: bytes
    ) -> tuple[_Envelope, tuple[Any, ...], tuple[Problem, ...]]:
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
        return Problem(
            "bad-issue",
            named or message("an issue without a key"),
            field_of(said),
            tell("cannot be read: {error}", error=redact(said)),
            message("mend the field in Jira; until then the issue is left out"),
            url,
        )


def _name_of(raw: msgspec.Raw) -> str:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except msgspec.DecodeError:
        return ""
    return str(named.key or named.id or "")[:50]


class RecordReader(Generic[T]):
    """Decodes records of one kind one by one, for answers of which each record counts for itself.

    `names` are the fields that name a record, the best first; `issue` is the one that names its issue.
    """

    def __init__(
        self, row: type[T], kind: str, *, names: tuple[str, ...] = (), issue: str = ""
    ) -> None:
        self._each: msgspec.json.Decoder[T] = msgspec.json.Decoder(row)
        self._kind, self._names, self._issue = kind, names, issue

    def read(self, raws: Iterable[msgspec.Raw]) -> tuple[list[T], list[Unread]]:
        """Return the records that could be read, and the others."""
        good: list[T] = []
        bad: list[Unread] = []
        for raw in raws:
            try:
                good.append(self._each.decode(raw))
            except msgspec.DecodeError as error:
                bad.append(self.unread(raw, str(error)))
        return good, bad

    def read_list(self, content: bytes) -> tuple[list[T], list[Unread]]:
        """Return the records of an answer that is a list of them; raises `msgspec.DecodeError` when it is none."""
        return self.read(_RAWS.decode(content))

    def unread(self, raw: msgspec.Raw, said: str) -> Unread:
        """Return what is known of a record that could not be read."""
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        table = found if isinstance(found, dict) else {}
        return Unread(
            self._kind,
            _first(table, self._names),
            _first(table, (self._issue,)),
            field_of(said),
            redact(said),
        )


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def _first(table: Mapping[str, Any], names: Iterable[str]) -> str:
    return next(
        (
            str(table[name])[:50]
            for name in names
            if isinstance(table.get(name), (str, int)) and table[name]
        ),
        "",
    )


def field_of(said: str) -> str:
    """Return the field a decoding error is about, without the `fields.` every issue has."""
    where, missing = _WHERE.search(said), _MISSING.search(said)
    parts = [where["path"] if where else "", missing["name"] if missing else ""]
    return (
        ".".join(part for part in parts if part)
        .removeprefix("fields.")
        .removeprefix("fields")[:80]
        .strip(".")
    )


def _kind_of_warning(warning: Any) -> str:
    kind = (
        warning.get("type") or warning.get("message")
        if isinstance(warning, Mapping)
        else warning
    )
    return redact(str(kind))


def read_bulk(content: bytes, reader: PageReader) -> tuple[Page, tuple[str, ...]]:
    """Return the issues of a `bulkfetch` answer and the ids Jira could not return this time."""
    page = reader.read(content)
    errors = (
        msgspec.json.decode(content, type=_Envelope).issueErrors or []
        if b"issueErrors" in content
        else []
    )
    return page, tuple(
        str(error.get("id", "")) for error in errors if isinstance(error, dict)
    )


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
        """Return the moment in UTC; ValueError or OverflowError when there is none."""
        return read_moment(self.created)


class IssueHistory(msgspec.Struct, frozen=True):
    """A piece of one issue's history."""

    issueId: str  # noqa: N815 - Jira's own name
    changeHistories: tuple[History, ...] = ()  # noqa: N815


class HistoryPage(msgspec.Struct, frozen=True):
    """A page of `changelog/bulkfetch`, its pieces still raw."""

    issueChangeLogs: tuple[msgspec.Raw, ...] = ()  # noqa: N815 - Jira's own name
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
    """A search of Data Center with histories, its issues still raw."""

    issues: tuple[msgspec.Raw, ...]


def read_moment(value: object) -> datetime:
    """Return an instant in UTC from epoch seconds, epoch milliseconds or ISO text.

    Raises ValueError when there is none, OverflowError when it is beyond the calendar.
    """
    if not isinstance(value, (str, int, float)):
        raise ValueError("not a moment")
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment.astimezone(UTC)
    number = float(value)
    try:
        return datetime.fromtimestamp(
            number / 1000 if abs(number) >= _SECONDS else number, UTC
        )
    except OSError:  # beyond what the machine's own clock can tell
        raise OverflowError("a moment beyond the calendar") from None


# Worklogs


class WorklogMark(msgspec.Struct, frozen=True):
    """An entry of a feed."""

    worklogId: (  # noqa: N815 - Jira's own name
        Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
        | Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]
    )


class WorklogMarks(msgspec.Struct, frozen=True):
    """A page of `worklog/updated` or `worklog/deleted`, its entries still raw."""

    values: tuple[msgspec.Raw, ...] = ()
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
    timeSpentSeconds: Seconds  # noqa: N815
    author: RawPerson | None = None


_WORKLOGS = RecordReader(RawWorklog, "worklog", names=("id",), issue="issueId")


def read_worklogs(content: bytes) -> tuple[tuple[Worklog, ...], tuple[Unread, ...]]:
    """Return the worklogs of a list and those that cannot be read."""
    raws, bad = _WORKLOGS.read_list(content)
    good: list[Worklog] = []
    for raw in raws:
        try:
            good.append(_worklog(raw))
        except OverflowError:
            bad.append(
                Unread(
                    "worklog",
                    raw.id,
                    raw.issueId,
                    "started",
                    "a moment beyond the calendar",
                )
            )
    return tuple(good), tuple(bad)


def _worklog(raw: RawWorklog) -> Worklog:
    author = (raw.author.identity if raw.author else None) or ""
    return Worklog(
        raw.id, raw.issueId, author, raw.started.astimezone(UTC), raw.timeSpentSeconds
    )
