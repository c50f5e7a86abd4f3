"""The state of the Jira emulator: records by identity, the indexes searches use, and the view a lagging index has.

Nothing here decides what a request means; it only keeps records and their indexes in step.
"""

from __future__ import annotations

import copy
import random
import uuid
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from rayline_sandbox.jira.model import (
    CLOUD_FIELDS,
    LINK_TYPES,
    SERVER_FIELDS,
    Attachment,
    Board,
    Comment,
    Component,
    CustomFields,
    Dashboard,
    EpicMark,
    Filter,
    Issue,
    Kind,
    Named,
    Project,
    RemoteLink,
    Sprint,
    Status,
    User,
    Version,
    Worklog,
)
from rayline_sandbox.jira.numbers import as_identity

_STATUSES = (
    Status("10000", "To Do", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10002", "In Review", "indeterminate"),
    Status("10001", "Done", "done"),
)
_KINDS = (
    Kind("10000", "Epic", 1),
    Kind("10001", "Story", 0),
    Kind("10002", "Task", 0),
    Kind("10003", "Sub-task", -1),
    Kind("10004", "Bug", 0),
)
_PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
_RESOLUTIONS = ("Done", "Won't Do", "Duplicate", "Cannot Reproduce", "Declined")


class SortedPairs:
    """Pairs of (instant, id) in order, cheap to fill in bulk and to keep in order afterwards."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int]] = []
        self._fresh: list[tuple[int, int]] = []

    def add(self, at: int, identity: int) -> None:
        """Put a pair in; many in a row are sorted together at the next read."""
        self._fresh.append((at, identity))

    def remove(self, at: int, identity: int) -> None:
        """Take a pair out if it is there."""
        self._settle()
        pair = (at, identity)
        place = bisect_left(self._pairs, pair)
        if self._pairs[place : place + 1] == [pair]:
            del self._pairs[place]

    def since(self, at: int) -> list[tuple[int, int]]:
        """Return the pairs at or after an instant, oldest first."""
        self._settle()
        return self._pairs[bisect_left(self._pairs, (at, -1)) :]

    def _settle(self) -> None:
        if len(self._fresh) > 32:
            self._pairs.extend(self._fresh)
            self._pairs.sort()
        else:
            for pair in self._fresh:
                insort(self._pairs, pair)
        self._fresh.clear()


@dataclass(slots=True)
class Stale:
    """What the search index still shows of an issue (None: nothing yet) until an instant."""

    until: int
    shown: Issue | None


@dataclass(slots=True)
class Counters:
    """Next identities, one series per kind of record."""

    next: dict[str, int] = field(default_factory=dict)

    def take(self, series: str, first: int = 10000) -> int:
        """Return the next identity of a series."""
        value = self.next.get(series, first)
        self.next[series] = value + 1
        return value

    def reserve(self, series: str, used: int) -> None:
        """Make sure a given identity is not handed out again."""
        if used >= self.next.get(series, 10000):
            self.next[series] = used + 1


def _numbered(names: Iterable[str], first: int) -> dict[str, Named]:
    """Return names as records by their ids, which count on from the first."""
    records = {}
    for number, name in enumerate(names, first):
        identity = str(number)
        records[identity] = Named(identity, name)
    return records


class Store:
    """All records of one Jira site."""

    def __init__(self, now: Callable[[], int], *, seed: int, deployment: str) -> None:
        self.now = now
        self.cloud = deployment == "cloud"
        self.fields: CustomFields = CLOUD_FIELDS if self.cloud else SERVER_FIELDS
        self.random = random.Random(seed)
        self.counters = Counters()
        self.users: dict[str, User] = {}
        self.projects: dict[int, Project] = {}
        self.issues: dict[int, Issue] = {}
        self.statuses: dict[str, Status] = {
            status.id: copy.copy(status) for status in _STATUSES
        }
        self.kinds: dict[str, Kind] = {kind.id: kind for kind in _KINDS}
        self.priorities = _numbered(_PRIORITIES, 1)
        self.resolutions = _numbered(_RESOLUTIONS, 10000)
        self.versions: dict[int, Version] = {}
        self.components: dict[int, Component] = {}
        self.sprints: dict[int, Sprint] = {}
        self.boards: dict[int, Board] = {}
        self.filters: dict[int, Filter] = {}
        self.worklogs: dict[int, Worklog] = {}
        self.comments: dict[int, Comment] = {}
        self.watchers: dict[int, dict[str, None]] = {}
        self.votes: dict[int, dict[str, None]] = {}
        self.pinned: dict[int, dict[int, tuple[str, int]]] = {}
        self.remote_links: dict[int, RemoteLink] = {}
        self.attachments: dict[int, Attachment] = {}
        self.properties: dict[tuple[str, str], dict[str, Any]] = {}
        self.link_types = {each.id: each for each in LINK_TYPES}
        self.epic_marks: dict[int, EpicMark] = {}
        self.dashboards = {10000: Dashboard(10000, "System dashboard")}
        self.deleted_worklogs = SortedPairs()
        self.changed_worklogs = SortedPairs()
        self.updated = SortedPairs()
        self.keys: dict[str, int] = {}
        self.by_project: dict[int, dict[int, None]] = {}
        self.children: dict[int, dict[int, None]] = {}
        self.stale: dict[int, Stale] = {}
        self.concealed: set[int] = set()
        """Issues above the security level of the calling account."""
        self.archived: set[int] = set()
        """Issues that were archived one by one: the index does not show them, a direct question does."""
        self.listener: Callable[[str, Any], None] | None = None
        """Who is told what happens to records, if anybody."""
        self.lag = 0
        self.top_rank = 0
        self._people: dict[str, str] = {}
        self._project_keys: dict[str, int] = {}

    def tell(self, what: str, record: Any) -> None:
        """Tell the listener, if there is one, by the name of the webhook's event."""
        if self.listener is not None:
            self.listener(what, record)

    # People ---------------------------------------------------------------

    def add_user(
        self,
        display: str,
        email: str,
        *,
        account: str | None = None,
        name: str | None = None,
        zone: str = "Etc/UTC",
        active: bool = True,
        kind: str = "atlassian",
    ) -> User:
        """Return a new user with identities for both deployments."""
        number = self.counters.take("user")
        mailbox, _, _ = email.partition("@")
        login = name or mailbox or f"user{number}"
        identity = account or self._free_account()
        user = User(
            identity, login, f"JIRAUSER{number}", display, email, active, zone, kind
        )
        self.users[identity] = user
        for ref in (identity, login, user.key, email, display):
            if ref:
                self._people.setdefault(ref.casefold(), identity)
        return user

    def _free_account(self) -> str:
        bits = self.random.getrandbits(128)
        return f"712020:{uuid.UUID(int=bits, version=4)}"

    def rename_user(self, user: User, display: str) -> None:
        """Give a user another display name; the old one stops resolving."""
        self._people.pop(user.display.casefold(), None)
        user.display = display
        self._people.setdefault(display.casefold(), user.account)

    def find_user(self, ref: object) -> User | None:
        """Return the user with an account id, name, key, e-mail or display name."""
        if not isinstance(ref, str):
            return None
        account = self._people.get(ref.casefold())
        if account is None:
            return None
        return self.users[account]

    # Projects -------------------------------------------------------------

    def add_project(self, project: Project) -> Project:
        """Keep a project and make its key resolvable."""
        self.projects[project.id] = project
        self.by_project.setdefault(project.id, {})
        self.counters.reserve("project", project.id)
        for key in (project.key, *project.former_keys):
            self._project_keys[key.upper()] = project.id
        if not project.statuses:
            project.statuses = [status.id for status in _STATUSES]
        return project

    def rename_project(
        self, project: Project, *, key: str | None, name: str | None
    ) -> None:
        """Give a project another name or key; issues get new keys and the old ones keep resolving."""
        project.name = name or project.name
        if not key or key == project.key:
            return
        project.former_keys.append(project.key)
        project.key = key
        self._project_keys[key.upper()] = project.id
        for identity in self.by_project[project.id]:
            issue = self.issues[identity]
            _, _, number = issue.key.rpartition("-")
            issue.key = f"{key}-{number}"
            self.keys[issue.key] = identity

    def find_project(self, ref: object) -> Project | None:
        """Return the project with an id, a key or a former key."""
        text = str(ref)
        identity = as_identity(text)
        if identity not in self.projects:
            identity = self._project_keys.get(text.upper())
        if identity is None:
            return None
        return self.projects[identity]

    def seen(self, project: int) -> bool:
        """Tell whether the account can see issues of a project."""
        record = self.projects[project]
        return record.state == "live" and not record.hidden

    def permits(self, issue: Issue) -> bool:
        """Tell whether the account may see an issue."""
        return issue.id not in self.concealed and self.seen(issue.project)

    def indexes(self, issue: Issue) -> bool:
        """Tell whether a search may show an issue."""
        return issue.id not in self.archived and self.permits(issue)

    # Issues ---------------------------------------------------------------

    def put(self, issue: Issue) -> Issue:
        """Keep a new issue in all indexes."""
        self.top_rank = max(self.top_rank, issue.rank)
        self.issues[issue.id] = issue
        self.keys[issue.key] = issue.id
        self.by_project[issue.project][issue.id] = None
        self.updated.add(issue.updated, issue.id)
        if issue.parent is not None:
            self.children.setdefault(issue.parent, {})[issue.id] = None
        self.tell("jira:issue_created", issue)
        return issue

    def find_issue(self, ref: object) -> Issue | None:
        """Return the visible issue with an id, a key or a former key."""
        text = str(ref)
        identity = as_identity(text)
        if identity is None:
            identity = self.keys.get(text.upper())
        issue = self.issues.get(identity) if identity is not None else None
        if issue is not None and self.permits(issue):
            return issue
        return None

    def level_of(self, identity: int) -> int:
        """Return the level of an issue's type: 1 an epic, -1 a sub-task."""
        issue = self.issues[identity]
        return self.kinds[issue.kind].level

    def spent_on(self, issue: Issue) -> int:
        """Return the seconds of an issue's worklogs."""
        return sum(self.worklogs[each].seconds for each in issue.worklogs)

    def remember(self, issue: Issue, *, created: bool = False) -> None:
        """Let the search index keep showing what it shows now for as long as it lags; call before a change."""
        if not self.lag:
            return
        entry = self.stale.get(issue.id)
        until = self.now() + self.lag
        if entry is not None and entry.until > self.now():
            entry.until = until
            return
        shown = None if created else copy.copy(issue)
        self.stale[issue.id] = Stale(until, shown)

    def touch(self, issue: Issue, at: int) -> None:
        """Set `updated` and keep its index in step."""
        self.updated.remove(issue.updated, issue.id)
        issue.updated = at
        self.updated.add(at, issue.id)
        self.tell("jira:issue_updated", issue)

    def adopt(self, issue: Issue, parent: int | None) -> None:
        """Set the parent and keep its index in step."""
        if issue.parent is not None:
            self.children.get(issue.parent, {}).pop(issue.id, None)
        issue.parent = parent
        if parent is not None:
            self.children.setdefault(parent, {})[issue.id] = None

    def rehome(self, issue: Issue, project: Project) -> None:
        """Move an issue to a project under a new key; the old key keeps resolving."""
        del self.by_project[issue.project][issue.id]
        project.number += 1
        issue.project = project.id
        issue.key = f"{project.key}-{project.number}"
        self.by_project[project.id][issue.id] = None
        self.keys[issue.key] = issue.id

    def drop(self, issue: Issue) -> None:
        """Forget an issue, its worklogs and its comments without a trace but the worklog feed's."""
        self.tell("jira:issue_deleted", issue)
        del self.issues[issue.id]
        del self.by_project[issue.project][issue.id]
        self.updated.remove(issue.updated, issue.id)
        self.adopt(issue, None)
        for identity in issue.worklogs:
            self.drop_worklog(self.worklogs[identity])
        for identity in issue.comments:
            del self.comments[identity]
        for beside in (self.remote_links, self.attachments):
            self._forget(issue.id, beside)
        self.properties.pop(("issue", str(issue.id)), None)
        keys = [key for key, value in self.keys.items() if value == issue.id]
        for key in keys:
            del self.keys[key]

    def _forget(self, issue: int, records: MutableMapping[int, Any]) -> None:
        """Drop what stood beside an issue."""
        for identity in [key for key, each in records.items() if each.issue == issue]:
            del records[identity]

    def shown(self, identity: int) -> Issue | None:
        """Return the issue as the search index shows it."""
        entry = self.stale.get(identity)
        if entry is None:
            return self.issues.get(identity)
        if entry.until > self.now():
            return entry.shown
        del self.stale[identity]
        return self.issues.get(identity)

    def visible(self) -> Iterator[int]:
        """Return ids of all issues in projects the account can see."""
        for project, identities in self.by_project.items():
            if self.seen(project):
                yield from identities

    # Worklogs -------------------------------------------------------------

    def put_worklog(self, entry: Worklog) -> Worklog:
        """Keep a worklog and list it as changed."""
        self.worklogs[entry.id] = entry
        self.changed_worklogs.add(entry.updated, entry.id)
        self.tell("worklog_created", entry)
        return entry

    def touch_worklog(self, entry: Worklog, at: int) -> None:
        """Set a worklog's `updated` and keep the feed in step."""
        self.changed_worklogs.remove(entry.updated, entry.id)
        entry.updated = at
        self.changed_worklogs.add(at, entry.id)
        self.tell("worklog_updated", entry)

    def drop_worklog(self, entry: Worklog) -> None:
        """Forget a worklog and list it as deleted."""
        self.tell("worklog_deleted", entry)
        del self.worklogs[entry.id]
        self.changed_worklogs.remove(entry.updated, entry.id)
        self.deleted_worklogs.add(self.now(), entry.id)

    # Enumerations ---------------------------------------------------------

    def status_named(
        self, name: str, among: Iterable[str] | None = None
    ) -> Status | None:
        """Return the status with an id or a name (case does not matter), preferring a project's own statuses."""
        for identity in (*(among or ()), *self.statuses):
            status = self.statuses[identity]
            if status.id == name or status.name.casefold() == name.casefold():
                return status
        return None

    def kind_named(self, name: str) -> Kind | None:
        """Return the issue type with an id or a name."""
        known = self.kinds.get(name)
        if known is not None:
            return known
        for kind in self.kinds.values():
            if kind.name.casefold() == name.casefold():
                return kind
        return None
