"""Jira's answers as typed records, decoded in one pass; a record that cannot be read is set aside, the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec

from worker.domain.entities import Worklog
from worker.domain.messages import literal, tell
from worker.errors import Code, Problem
from worker.http.secrets import redact
from worker.jira.damage import MARK_BYTES, SAID, damaged_field
from worker.mapping.jira import Instant, RawPerson, Seconds
from worker.ports.tracker import Unread

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


class _RawEnvelope(_Envelope, frozen=True):
    issues: list[msgspec.Raw]


class _Errors(msgspec.Struct, frozen=True):
    """What an answer could not return; its issues are read by themselves, once."""

    issueErrors: list[Any] | None = None  # noqa: N815


_ERRORS = msgspec.json.Decoder(_Errors)


class _OnlyUpdated(msgspec.Struct, frozen=True):
    updated: Instant | None = None


class IssueId(msgspec.Struct, frozen=True):
    """An issue asked for its id; Data Center adds `updated` to page by."""

    id: str
    key: str = ""
    fields: _OnlyUpdated | None = None


_Read = tuple[_Envelope, tuple[Any, ...], tuple[Problem, ...]]


class _Fault(NamedTuple):
    """What is wrong with a record: the field, and what is said of it."""

    field: str
    reason: str


def _damage(raw: msgspec.Raw) -> _Fault | None:
    """Return what is wrong with a record that bears the mark of damaged text."""
    content = bytes(raw)
    if MARK_BYTES not in content:
        return None
    return _Fault(damaged_field(content).removeprefix("fields.")[:80], SAID)


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
        envelope, rows, problems = self._read_whole(content) or self._read_each(content)
        return Page(
            rows,
            problems,
            len(envelope.issues),
            envelope.nextPageToken,
            envelope.isLast,
            envelope.total,
            tuple(map(_kind_of_warning, envelope.warnings or ())),
        )

    def _read_whole(self, content: bytes) -> _Read | None:
        """Return a page read in one pass, None when one of its issues cannot be read."""
        if MARK_BYTES in content:
            return None
        try:
            envelope: _Envelope = self._whole.decode(content)
        except msgspec.ValidationError:
            return None
        return envelope, tuple(envelope.issues), ()

    def _read_each(self, content: bytes) -> _Read:
        envelope = msgspec.json.decode(content, type=_RawEnvelope)
        rows: list[Any] = []
        problems: list[Problem] = []
        for raw in envelope.issues:
            fault = _damage(raw)
            if fault is None:
                try:
                    rows.append(self._each.decode(raw))
                except msgspec.ValidationError as error:
                    fault = _Fault(field_of(str(error)), redact(str(error)))
            if fault is not None:
                problems.append(self._problem(raw, fault))
        return envelope, tuple(rows), tuple(problems)

    def _problem(self, raw: msgspec.Raw, fault: _Fault) -> Problem:
        named = _first(_parts_of(raw), ("key", "id"))
        url = f"{self._browse}{named}" if self._browse and named else ""
        return Problem(
            code=Code.BAD_ISSUE,
            where=literal(named) if named else tell("an issue without a key"),
            field=fault.field,
            message=tell("cannot be read: {error}", error=fault.reason),
            hint=tell("mend the field in Jira; until then the issue is left out"),
            url=url,
        )


class RecordReader(Generic[T]):
    """Decodes records of one kind one by one, for answers of which each record counts for itself.

    `names` are the fields that name a record, the best first; `issue` is the one that names its issue.
    """

    def __init__(
        self, row: type[T], kind: str, *, names: tuple[str, ...] = (), issue: str = ""
    ) -> None:
        self._each: msgspec.json.Decoder[T] = msgspec.json.Decoder(row)
        rows = list.__class_getitem__(row)
        self._all: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(rows)
        self._kind = kind
        self._names = names
        self._issue = issue

    def read(self, raws: Iterable[msgspec.Raw]) -> tuple[list[T], list[Unread]]:
        """Return the records that could be read, and the others."""
        raws = tuple(raws)
        content = b"[" + b",".join(raws) + b"]"
        if MARK_BYTES not in content:
            try:
                return self._all.decode(content), []
            except msgspec.DecodeError:
                pass
        return self._read_each(raws)

    def _read_each(self, raws: Iterable[msgspec.Raw]) -> tuple[list[T], list[Unread]]:
        good: list[T] = []
        bad: list[Unread] = []
        for raw in raws:
            fault = _damage(raw)
            if fault is None:
                try:
                    good.append(self._each.decode(raw))
                except msgspec.DecodeError as error:
                    fault = _Fault(field_of(str(error)), redact(str(error)))
            if fault is not None:
                bad.append(self._unread(raw, fault))
        return good, bad

    def read_list(self, content: bytes) -> tuple[list[T], list[Unread]]:
        """Return the records of an answer that is a list of them; raises `msgspec.DecodeError` when it is none."""
        return self.read(_RAWS.decode(content))

    def _unread(self, raw: msgspec.Raw, fault: _Fault) -> Unread:
        table = _parts_of(raw)
        return Unread(
            self._kind,
            _first(table, self._names),
            _first(table, (self._issue,)),
            fault.field,
            fault.reason,
        )


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def _parts_of(raw: msgspec.Raw) -> Mapping[str, msgspec.Raw]:
    """Return a record's parts still raw, none when it is no object: one that cannot be read hides no other."""
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return {}


def _first(table: Mapping[str, msgspec.Raw], names: Iterable[str]) -> str:
    return next(
        filter(None, (_name(table[name]) for name in names if name in table)), ""
    )


def _name(raw: msgspec.Raw) -> str:
    try:
        return str(msgspec.json.decode(raw, type=str | int) or "")[:50]
    except msgspec.ValidationError:
        return ""


def field_of(detail: str) -> str:
    """Return the field a decoding error is about, without the `fields.` every issue has."""
    where = _WHERE.search(detail)
    missing = _MISSING.search(detail)
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
    errors: list[Any] = []
    if b"issueErrors" in content:
        errors = _ERRORS.decode(content).issueErrors or []
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
    """One entry of an issue's history; `created` comes as text or as a number (docs/facts/jira-api.md 1.1)."""

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

    issueChangeLogs: tuple[msgspec.Raw, ...]  # noqa: N815 - Jira's own name
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

    values: tuple[msgspec.Raw, ...]
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
    raws = _RAWS.decode(content)
    return make_worklogs(raws)


def make_worklogs(
    records: Iterable[msgspec.Raw],
) -> tuple[tuple[Worklog, ...], tuple[Unread, ...]]:
    """Return the worklogs of some records and those that cannot be read."""
    raws, bad = _WORKLOGS.read(records)
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
