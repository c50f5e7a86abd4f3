"""What the cycle needs of Jira, which it only reads, and what one read of it brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from worker.domain.entities import Account, Issue, JiraProject, Move, Worklog
from worker.domain.messages import literal
from worker.errors import Problem


class ServerInfo(msgspec.Struct, frozen=True):
    """Jira as it presents itself: its clock, the account that reads, that account's zone and what people call it."""

    now: datetime
    account: str
    time_zone: str
    deployment: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class IssueBatch:
    """Issues read by one JQL; `complete` only when the walk ended by itself, without warnings or clipped lists."""

    issues: tuple[Issue, ...]
    complete: bool
    reason: str = ""
    problems: tuple[Problem, ...] = ()

    def ids(self) -> frozenset[str]:
        """Return the ids of the issues."""
        return frozenset(issue.id for issue in self.issues)

    def without_bad(self, known: Sequence[Issue]) -> Sequence[Issue]:
        """Return some known issues without those that came and could not be read."""
        bad = {problem.where for problem in self.problems}
        if not bad:
            return known
        return [issue for issue in known if literal(issue.key) not in bad]

    def projects(self) -> frozenset[str]:
        """Return the keys of the projects in which the issues lie."""
        return frozenset(issue.project for issue in self.issues)

    def without(
        self, strange: Iterable[Issue], *, problems: tuple[Problem, ...]
    ) -> IssueBatch:
        """Return the batch without some issues, with other problems."""
        left_out = {issue.id for issue in strange}
        issues = tuple(issue for issue in self.issues if issue.id not in left_out)
        return IssueBatch(issues, self.complete, self.reason, problems)

    def joined(self, other: IssueBatch) -> IssueBatch:
        """Return two batches as one, each issue once, the later reading winning."""
        issues = {issue.id: issue for issue in (*self.issues, *other.issues)}
        problems = dict.fromkeys((*self.problems, *other.problems))
        return IssueBatch(
            tuple(issues.values()),
            complete=self.complete and other.complete,
            reason=self.reason or other.reason,
            problems=tuple(problems),
        )


@dataclass(frozen=True, slots=True)
class IssueIds:
    """The ids a JQL matches; `complete` as in `IssueBatch`."""

    ids: frozenset[str]
    complete: bool
    reason: str = ""


class Unread(msgspec.Struct, frozen=True, order=True):
    """A record of Jira that could not be read: its kind (`worklog`, `history`, `project`, `status`), id or name, the
    id of its issue, the field and what is wrong with it. Names that could not be read either are empty; nothing is
    said of a history that is there and lacks what was seen."""

    kind: str
    name: str = ""
    issue: str = ""
    field: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class ProjectBatch:
    """The projects the account can see, and those that could not be read."""

    projects: tuple[JiraProject, ...]
    unread: tuple[Unread, ...] = ()

    def unread_of(self, known: Iterable[JiraProject]) -> list[JiraProject]:
        """Return those of some known projects that could not be read now."""
        strange = {one.name for one in self.unread}
        return [one for one in known if strange & {one.id, one.key}]


@dataclass(frozen=True, slots=True)
class MoveBatch:
    """Changes of status category by issue id; an issue whose history could not be read is only in `unread`, where
    statuses that could not be read are too."""

    moves: Mapping[str, tuple[Move, ...]]
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class WorklogBatch:
    """Worklogs changed and ids deleted since a bound; `until` is the bound for the next read (epoch ms).

    Those that could not be read are `unread`; they do not make the batch incomplete.
    """

    changed: tuple[Worklog, ...]
    deleted: tuple[str, ...]
    until: int
    complete: bool
    reason: str = ""
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueWorklogs:
    """All worklogs of some issues by issue id; issues that are gone are absent, as are those of the `problems`."""

    by_issue: Mapping[str, tuple[Worklog, ...]]
    unread: tuple[Unread, ...] = ()
    problems: tuple[Problem, ...] = ()


class Tracker(Protocol):
    """Reading one Jira site, Cloud or Data Center. Never writes. Raises only the five API errors and `Incomplete`."""

    def server_info(self) -> ServerInfo:
        """Return the site's clock and the reading account; `Denied` when the credentials are wrong."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def address(self) -> str:
        """Return the address at which people see the site."""
        ...

    def projects(self) -> ProjectBatch:
        """Return the projects the account can see."""
        ...

    def accounts(self) -> tuple[Account, ...]:
        """Return the people who have accounts, as far as they may be seen; `Denied` where nobody may be."""
        ...

    def trashed_projects(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys of those projects of which Jira says that they are deleted."""
        ...

    def validate(self, queries: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with each JQL (absent when nothing is): unknown names do not fail searches on Cloud."""
        ...

    def filter_jql(self, filter_id: str) -> str:
        """Return the JQL of a saved filter; raises `Missing`."""
        ...

    def board_jql(self, board_id: str) -> str:
        """Return the JQL of a board's filter; raises `Missing`."""
        ...

    def below(self, keys: Sequence[str]) -> str:
        """Return the JQL of what hangs directly below some issues, asking nobody but for the site's fields."""
        ...

    def issues(self, jql: str, *, since: datetime | None = None) -> IssueBatch:
        """Return the issues of a bounded JQL, those updated at or after `since` when given."""
        ...

    def ids(self, jql: str) -> IssueIds:
        """Return only the ids of a JQL (the census)."""
        ...

    def by_keys(self, keys: Iterable[str]) -> Mapping[str, Issue]:
        """Return issues, without their texts, by the keys or ids asked for; a moved issue answers to its old key.

        Unknown ones are absent.
        """
        ...

    def moves(self, ids: Sequence[str]) -> MoveBatch:
        """Return each issue's changes of status category, oldest first, read in bulk."""
        ...

    def worklogs(self, since: int, *, now: int | None = None) -> WorklogBatch:
        """Return the worklogs changed and deleted since an epoch-ms bound, site-wide; a bound told that lies ahead of
        `now` is not believed."""
        ...

    def worklogs_of(self, ids: Sequence[str]) -> IssueWorklogs:
        """Return all worklogs of some issues, however old, read in bulk."""
        ...

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        ...

    def answers(self) -> Mapping[str, int]:
        """Return how often each HTTP status was answered since this gateway was made; `none`: no answer came."""
        ...
