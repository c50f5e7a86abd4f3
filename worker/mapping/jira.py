"""From a raw Jira issue to an `Issue`: which custom fields mean what on this site, and what a status counts as.

Identifiers of custom fields differ by site and their names by language, so that they are found by type
(docs/facts/jira-api.md 2.5). Nothing here talks to Jira.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from sys import intern
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.domain.entities import Category, Issue
from worker.domain.messages import Text, literal, tell
from worker.domain.os_errors import say_os_error
from worker.domain.text import clean_line
from worker.domain.validation import say_fault
from worker.errors import Code, ConfigError, Problem, Severity
from worker.mapping.load import mapping_files
from worker.toml import BadToml, read_toml

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Seconds = Annotated[int, msgspec.Meta(ge=-(10**10), le=10**10)]
"""An amount of work, within three centuries: what is beyond is a broken import, and beyond 64 bits not even kept."""
Level = Annotated[int, msgspec.Meta(ge=-1_000, le=1_000)]
CATEGORIES = frozenset(category.value for category in Category)
FIELDS = (
    "summary",
    "issuetype",
    "status",
    "created",
    "updated",
    "resolutiondate",
    "resolution",
    "duedate",
    "parent",
    "assignee",
    "timeoriginalestimate",
    "timeestimate",
    "timespent",
    "labels",
)
"""System fields asked for on every site; Cloud adds `statuscategorychangedate`."""
PLACE = ("issuetype", "status", "created", "updated", "parent")
"""What tells where an issue stands, and nothing of what it says."""


class Table(BaseModel):
    """A table of `jira.toml`; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomField(Table):
    """Which custom fields play a part: those of a type, and of one of these names when any are given."""

    type: str
    names: tuple[str, ...] = ()

    def matches(self, kind: str, name: str) -> bool:
        """Tell whether a field of this type and name plays the part."""
        return kind == self.type and (
            not self.names
            or name.casefold() in {each.casefold() for each in self.names}
        )


class IssueTypes(Table):
    """Names of issue types that are epics, for sites that do not state levels."""

    epics: tuple[str, ...] = ("Epic",)


class Resolutions(Table):
    """Names or ids of resolutions that mean: closed, and not done."""

    rejected: tuple[str, ...] = ()


class Labels(Table):
    """Labels, in any case, of items whose hours no client pays."""

    non_billable: tuple[str, ...] = ()


class JiraMapping(Table):
    """The whole of `jira.toml`."""

    points: tuple[CustomField, ...] = ()
    flagged: tuple[CustomField, ...] = ()
    epic_link: tuple[CustomField, ...] = ()
    epic_name: tuple[CustomField, ...] = ()
    parent_link: tuple[CustomField, ...] = ()
    issue_types: IssueTypes = IssueTypes()
    resolutions: Resolutions = Resolutions()
    labels: Labels = Labels()
    status_categories: dict[str, Literal["new", "indeterminate", "done"]] = Field(
        default_factory=dict
    )


ABOVE = ("epic_link", "parent_link")
"""The fields by which Data Center names what is above an issue by its key; Cloud has `parent` for all."""
PARTS = ("points", "flagged", *ABOVE, "epic_name")


def load_jira_mapping(folder: Path | None = None) -> JiraMapping:
    """Return `jira.toml` of the user's folder, else the shipped one; raise `ConfigError` with every problem."""
    path = mapping_files(".", folder).get("jira")
    if path is None:
        return JiraMapping()
    try:
        return JiraMapping.model_validate(read_toml(path))
    except BadToml as error:
        problems = [_problem(path, "", error.reason)]
    except OSError as error:
        problems = [
            _problem(
                path, "", tell("cannot be read: {error}", error=say_os_error(error))
            )
        ]
    except ValidationError as error:
        problems = [
            _problem(path, ".".join(map(str, item["loc"])), say_fault(item))
            for item in error.errors(include_url=False)
        ]
    raise ConfigError(problems)


def _problem(path: Path, key: str, message: Text) -> Problem:
    return Problem(
        code=Code.BAD_MAPPING,
        where=literal(path),
        field=key,
        message=message,
        severity=Severity.ERROR,
    )


class RawCategory(msgspec.Struct, frozen=True, gc=False):
    """A status category as Jira sends it."""

    key: str


class RawStatus(msgspec.Struct, frozen=True):
    """A status as Jira sends it."""

    name: str
    id: str = ""
    statusCategory: RawCategory | None = None  # noqa: N815 - Jira's own name


class RawResolution(msgspec.Struct, frozen=True, gc=False):
    """A resolution as Jira sends it."""

    name: str = ""
    id: str = ""


class RawType(msgspec.Struct, frozen=True, gc=False):
    """An issue type as Jira sends it; Data Center states no level."""

    name: str
    subtask: bool = False
    hierarchyLevel: Level | None = None  # noqa: N815 - Jira's own name


class RawParent(msgspec.Struct, frozen=True, gc=False):
    """A parent as Jira sends it."""

    id: str


class RawPerson(msgspec.Struct, frozen=True, gc=False):
    """A user as Jira sends it: `accountId` on Cloud, `name` on Data Center."""

    accountId: str | None = None  # noqa: N815 - Jira's own name
    name: str | None = None

    @property
    def identity(self) -> str | None:
        """Return what stays when the display name changes."""
        return self.accountId or self.name


class RawFields(msgspec.Struct, frozen=True):
    """The fields of an issue as Jira sends them; a site's own type adds its custom fields."""

    issuetype: RawType
    status: RawStatus
    created: Instant
    updated: Instant
    summary: str | None = None
    resolutiondate: Instant | None = None
    resolution: RawResolution | None = None
    statuscategorychangedate: Instant | None = None
    duedate: date | None = None
    parent: RawParent | None = None
    assignee: RawPerson | None = None
    timeoriginalestimate: Seconds | None = None
    timeestimate: Seconds | None = None
    timespent: Seconds | None = None
    labels: tuple[str, ...] | None = None


class RawIssue(msgspec.Struct, frozen=True):
    """An issue as Jira sends it."""

    id: str
    key: str
    fields: RawFields


@dataclass(frozen=True)
class SiteReading:
    """How issues of one site are read: the mapping, and the ids of this site's custom fields by part."""

    mapping: JiraMapping
    customs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cloud: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the fields to ask for: no more than are read."""
        system = (*FIELDS, "statuscategorychangedate") if self.cloud else FIELDS
        return (
            *system,
            *(identity for ids in self.customs.values() for identity in ids),
        )

    @cached_property
    def place_names(self) -> tuple[str, ...]:
        """Return the fields that tell where an issue stands: its kind and what is above it."""
        customs = [self.customs.get(part, ()) for part in ABOVE]
        return (*PLACE, *chain.from_iterable(customs))

    @cached_property
    def issue_type(self) -> type[RawIssue]:
        """Return the type this site's issues are decoded to."""
        renamed = {
            _attribute(part, number): identity
            for part, ids in self.customs.items()
            for number, identity in enumerate(ids)
        }
        fields = msgspec.defstruct(
            "SiteFields",
            [(name, Any, None) for name in renamed],
            bases=(RawFields,),
            rename=renamed,
            frozen=True,
        )
        made: Any = msgspec.defstruct(
            "SiteIssue", [("fields", fields)], bases=(RawIssue,), frozen=True
        )
        issue_type: type[RawIssue] = made
        return issue_type

    @cached_property
    def overrides(self) -> Mapping[str, str]:
        """Return the user's categories by status name or id, in lower case."""
        return {
            name.casefold(): category
            for name, category in self.mapping.status_categories.items()
        }

    @cached_property
    def epics(self) -> frozenset[str]:
        """Return the names of epic issue types, in lower case."""
        return frozenset(name.casefold() for name in self.mapping.issue_types.epics)

    @cached_property
    def rejecting(self) -> frozenset[str]:
        """Return the names and ids of resolutions that mean not done, in lower case."""
        names = self.mapping.resolutions.rejected
        return frozenset(clean_line(name).casefold() for name in names)

    @cached_property
    def unpaid(self) -> frozenset[str]:
        """Return the labels of items whose hours no client pays, in lower case."""
        names = self.mapping.labels.non_billable
        return frozenset(clean_line(name).casefold() for name in names)

    @cached_property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Return, by part, the attributes of `issue_type`'s fields."""
        return {
            part: tuple(
                _attribute(part, number)
                for number in range(len(self.customs.get(part, ())))
            )
            for part in PARTS
        }


def _attribute(part: str, number: int) -> str:
    return f"{part}_{number}"


def read_site(
    mapping: JiraMapping, fields: Iterable[Mapping[str, Any]], *, cloud: bool
) -> SiteReading:
    """Return how to read a site that lists these `fields` (answers of `/field`)."""
    customs: dict[str, tuple[str, ...]] = {}
    described = [
        (str(each.get("id", "")), _kind(each), str(each.get("name", "")))
        for each in fields
    ]
    for part in PARTS:
        if cloud and part in (*ABOVE, "epic_name"):
            continue
        wanted: tuple[CustomField, ...] = getattr(mapping, part)
        ids = (
            identity
            for rule in wanted
            for identity, kind, name in described
            if rule.matches(kind, name)
        )
        customs[part] = tuple(dict.fromkeys(ids))
    return SiteReading(mapping, customs, cloud)


def _kind(described: Mapping[str, Any]) -> str:
    schema = described.get("schema")
    return str(schema.get("custom", "")) if isinstance(schema, Mapping) else ""


def epic_of(raw: RawIssue, site: SiteReading) -> str:
    """Return the key of what an issue of Data Center names as above it, an epic or another, else an empty text."""
    if raw.fields.parent is not None:
        return ""
    for part in ABOVE:
        for value in _custom(raw, site, part):
            key = _key_in(value)
            if key:
                return key
    return ""


def _key_in(value: object) -> str:
    """Return the key of an issue from a field that holds it, or a record of the issue: there are both."""
    match value:
        case str():
            return value
        case {"key": str(key)} | {"data": {"key": str(key)}}:
            return key
    return ""


def make_issue(raw: RawIssue, site: SiteReading) -> Issue:
    """Return an issue as the rules read it, but for a parent that is named by its key alone (`epic_of`).

    `resolved` is set only while the status category is done; a category nobody knows is `undefined`. Words that many
    issues have in common are one object.
    """
    fields = raw.fields
    category = status_category(fields.status, site)
    labels = tuple(map(clean_line, fields.labels or ()))
    parent = fields.parent.id if fields.parent else None
    assignee = fields.assignee.identity if fields.assignee else None
    return Issue(
        id=raw.id,
        key=raw.key,
        project=intern(raw.key.rpartition("-")[0]),
        type=intern(clean_line(fields.issuetype.name)),
        level=_level(raw, site),
        status=intern(clean_line(fields.status.name)),
        category=intern(category),
        created=fields.created.astimezone(UTC),
        updated=fields.updated.astimezone(UTC),
        summary=clean_line(fields.summary or ""),
        resolved=_resolved(fields) if category == "done" else None,
        due=fields.duedate,
        parent=intern(parent) if parent else parent,
        assignee=intern(assignee) if assignee else assignee,
        estimate=fields.timeoriginalestimate,
        remaining=fields.timeestimate,
        spent=fields.timespent,
        points=_points(raw, site),
        flagged=any(_custom(raw, site, "flagged")),
        labels=labels,
        rejected=category == "done" and _is_rejected(fields.resolution, site),
        billable=site.unpaid.isdisjoint(label.casefold() for label in labels),
    )


def category_of(status: RawStatus) -> str:
    """Return a status's category key, `undefined` for none or one this program does not know."""
    key = status.statusCategory.key if status.statusCategory else "undefined"
    return key if key in CATEGORIES else "undefined"


def status_category(status: RawStatus, site: SiteReading) -> str:
    """Return what a status counts as: the user's word, else Jira's."""
    if not site.overrides:
        return category_of(status)
    return (
        site.overrides.get(clean_line(status.name).casefold())
        or site.overrides.get(status.id)
        or category_of(status)
    )


def _level(raw: RawIssue, site: SiteReading) -> int:
    kind = raw.fields.issuetype
    if kind.hierarchyLevel is not None:
        return kind.hierarchyLevel
    if kind.subtask:
        return -1
    return (
        1
        if kind.name.casefold() in site.epics or any(_custom(raw, site, "epic_name"))
        else 0
    )


def _resolved(fields: RawFields) -> datetime | None:
    # The category date comes second: a migration between sites resets it for every issue at once.
    moment = fields.resolutiondate or fields.statuscategorychangedate
    return moment.astimezone(UTC) if moment else None


def _is_rejected(resolution: RawResolution | None, site: SiteReading) -> bool:
    if resolution is None:
        return False
    name = clean_line(resolution.name).casefold()
    return name in site.rejecting or resolution.id in site.rejecting


def _points(raw: RawIssue, site: SiteReading) -> float | None:
    filled = (
        value
        for value in _custom(raw, site, "points")
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    )
    return next((float(value) for value in filled), None)


def _custom(raw: RawIssue, site: SiteReading, part: str) -> Iterable[Any]:
    return [getattr(raw.fields, name) for name in site.attributes[part]]
