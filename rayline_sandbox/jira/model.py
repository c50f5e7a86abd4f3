"""The records of the Jira emulator: plain slotted values, instants as milliseconds since 1970, identities as numbers.

They are small on purpose: a site of a hundred thousand issues must fit in the memory of a test machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


class Category(NamedTuple):
    """A status category, the only locale-free statement of where work stands."""

    id: int
    key: str
    name: str
    cloud_color: str
    server_color: str


CATEGORIES = {
    "undefined": Category(1, "undefined", "No Category", "medium-gray", "medium-gray"),
    "new": Category(2, "new", "To Do", "blue-gray", "default"),
    "indeterminate": Category(
        4, "indeterminate", "In Progress", "yellow", "inprogress"
    ),
    "done": Category(3, "done", "Done", "green", "success"),
}


@dataclass(slots=True)
class User:
    """A person or an app; `account` is the Cloud identity, `name` and `key` those of Data Center."""

    account: str
    name: str
    key: str
    display: str
    email: str
    active: bool = True
    zone: str = "Etc/UTC"
    kind: str = "atlassian"


class Named(NamedTuple):
    """An entry of an enumeration: priority or resolution."""

    id: str
    name: str


class Kind(NamedTuple):
    """An issue type; `level` is 1 for epics, 0 for ordinary issues, -1 for sub-tasks."""

    id: str
    name: str
    level: int


@dataclass(slots=True)
class Status:
    """A workflow status; names are not unique, ids are. `project` is set for a team-managed project's own status."""

    id: str
    name: str
    category: str
    project: int | None = None


@dataclass(slots=True)
class Version:
    """A release of a project; dates are plain."""

    id: int
    project: int
    name: str
    description: str = ""
    released: bool = False
    archived: bool = False
    start: str | None = None
    release: str | None = None


class Component(NamedTuple):
    """A part of a project; `assigned` says who gets its issues."""

    id: int
    project: int
    name: str
    description: str = ""
    lead: str | None = None
    assigned: str = "PROJECT_DEFAULT"


@dataclass(slots=True)
class Project:
    """A project; `state` is live, archived or deleted; `hidden` means the account lost Browse permission."""

    id: int
    key: str
    name: str
    lead: str | None = None
    kind: str = "software"
    simplified: bool = False
    category: str | None = None
    state: str = "live"
    hidden: bool = False
    number: int = 0
    former_keys: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    description: str = ""


@dataclass(slots=True)
class Sprint:
    """A sprint; `state` is future, active or closed; instants in milliseconds."""

    id: int
    name: str
    state: str
    board: int | None
    start: int | None = None
    end: int | None = None
    complete: int | None = None
    created: int | None = None
    goal: str = ""
    place: int | None = None


@dataclass(slots=True)
class Board:
    """A board over one project; `kind` is scrum, kanban or simple; `columns` maps names to status ids, in order."""

    id: int
    name: str
    kind: str
    project: int
    columns: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    estimation: str | None = None
    filter: int = 0
    sub_filter: str = ""
    """What a Kanban board shows of its filter's issues (empty: all)."""


@dataclass(slots=True)
class Filter:
    """A saved search."""

    id: int
    name: str
    jql: str
    owner: str
    description: str = ""
    favourite: bool = False
    shared: tuple[tuple[int, Json], ...] = ()
    """With whom it is shared, each permission under its number."""


ROLES = {"10002": "Administrators", "10001": "Developers", "10000": "Users"}
"""Project roles by their ids."""


class Audience(NamedTuple):
    """Who may read a record: a `role` or a `group`, by its name."""

    kind: str
    name: str


@dataclass(slots=True)
class Worklog:
    """Time booked on an issue; `restricted` ones are invisible to the calling account."""

    id: int
    issue: int
    author: str
    started: int
    seconds: int
    comment: Any
    created: int
    updated: int
    restricted: bool = False
    updater: str = ""
    audience: Audience | None = None


@dataclass(slots=True)
class Comment:
    """A remark on an issue; `body` is plain text or a document tree."""

    id: int
    issue: int
    author: str
    body: Any
    created: int
    updated: int
    updater: str = ""
    audience: Audience | None = None


class Item(NamedTuple):
    """One changed field of a history entry, values as id and as text."""

    field: str
    field_id: str | None
    kind: str
    old: str | None
    old_text: str | None
    new: str | None
    new_text: str | None


class Change(NamedTuple):
    """One history entry of an issue."""

    id: int
    at: int
    author: str | None
    items: tuple[Item, ...]


class LinkType(NamedTuple):
    """A type of links, as either end of one says it."""

    id: str
    name: str
    inward: str
    outward: str


LINK_TYPES = (
    LinkType("10000", "Blocks", "is blocked by", "blocks"),
    LinkType("10001", "Cloners", "is cloned by", "clones"),
    LinkType("10002", "Duplicate", "is duplicated by", "duplicates"),
    LinkType("10003", "Relates", "relates to", "relates to"),
)


class RemoteLink(NamedTuple):
    """A link from an issue to something that is not in Jira."""

    id: int
    issue: int
    key: str | None
    target: Json
    application: Json
    relationship: str | None


class Attachment(NamedTuple):
    """A file at an issue."""

    id: int
    issue: int
    name: str
    kind: str
    author: str
    created: int
    content: bytes


class Gadget(NamedTuple):
    """A part of a dashboard."""

    id: int
    module: str | None
    uri: str | None
    color: str
    title: str
    row: int
    column: int


class Dashboard(NamedTuple):
    """A page of gadgets; the one of the system has no owner."""

    id: int
    name: str
    description: str = ""
    owner: str | None = None
    gadgets: tuple[Gadget, ...] = ()
    view: tuple[Json, ...] = ()
    edit: tuple[Json, ...] = ()


class EpicMark(NamedTuple):
    """What boards alone say of an epic."""

    color: str = "color_1"
    done: bool | None = None


class Link(NamedTuple):
    """A link seen from one issue; `outward` tells the direction."""

    id: int
    kind: str
    outward: bool
    other: int


@dataclass(slots=True)
class Issue:
    """An issue: `id` never changes, `key` and `project` do on a move."""

    id: int
    key: str
    project: int
    kind: str
    summary: str
    status: str
    created: int
    updated: int
    category_changed: int = 0
    reporter: str | None = None
    creator: str | None = None
    assignee: str | None = None
    priority: str | None = None
    resolution: str | None = None
    resolved: int | None = None
    due: str | None = None
    parent: int | None = None
    labels: tuple[str, ...] = ()
    components: tuple[int, ...] = ()
    fix_versions: tuple[int, ...] = ()
    versions: tuple[int, ...] = ()
    sprints: tuple[int, ...] = ()
    points: float | None = None
    flagged: bool = False
    description: Any = None
    estimate: int | None = None
    remaining: int | None = None
    spent: int | None = None
    rank: int = 0
    history: list[Change] | tuple[()] = ()
    worklogs: list[int] | tuple[()] = ()
    comments: list[int] | tuple[()] = ()
    links: list[Link] | tuple[()] = ()
    extra: Json | None = None


class Field(NamedTuple):
    """A field as `/field` lists it; `custom` is the schema's custom type (empty: a system field)."""

    id: str
    name: str
    kind: str
    items: str = ""
    custom: str = ""
    clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomFields:
    """Ids of the custom fields the emulator knows; they differ by deployment as they do by site."""

    points: str
    estimate: str
    sprint: str
    epic_link: str
    epic_name: str
    rank: str
    flagged: str
    parent_link: str


CLOUD_FIELDS = CustomFields(
    "customfield_10024",
    "customfield_10016",
    "customfield_10020",
    "customfield_10014",
    "customfield_10011",
    "customfield_10019",
    "customfield_10021",
    "customfield_10018",
)
SERVER_FIELDS = CustomFields(
    "customfield_10106",
    "customfield_10107",
    "customfield_10101",
    "customfield_10102",
    "customfield_10103",
    "customfield_10100",
    "customfield_10105",
    "customfield_10109",
)
