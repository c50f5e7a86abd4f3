"""What happens on a Jira site that its webhooks tell of, and how each event is written.

Built after docs/facts/jira-api.md 6. One payload is documented whole, that of issues; the others name their entity beside
`timestamp` and `webhookEvent`. The store reports changes of issues, comments and worklogs; the few records beside them
are compared with what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rayline_sandbox.jira.issue_view import choose, show_issue
from rayline_sandbox.jira.model import (
    Board,
    Change,
    Comment,
    Issue,
    Json,
    Project,
    Sprint,
    User,
    Version,
    Worklog,
)
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.site import Call, Site
from rayline_sandbox.wire import Request

ISSUE_CREATED = "jira:issue_created"
ISSUE_UPDATED = "jira:issue_updated"
ISSUE_DELETED = "jira:issue_deleted"
COMMENT_CREATED = "comment_created"
COMMENT_DELETED = "comment_deleted"
WORKLOG_DELETED = "worklog_deleted"
EVENTS = frozenset(
    {
        ISSUE_CREATED,
        ISSUE_UPDATED,
        ISSUE_DELETED,
        COMMENT_CREATED,
        "comment_updated",
        COMMENT_DELETED,
        "worklog_created",
        "worklog_updated",
        WORKLOG_DELETED,
        "sprint_created",
        "sprint_updated",
        "sprint_deleted",
        "sprint_started",
        "sprint_closed",
        "jira:version_created",
        "jira:version_updated",
        "jira:version_deleted",
        "jira:version_released",
        "jira:version_unreleased",
        "project_created",
        "project_updated",
        "project_deleted",
        "project_soft_deleted",
        "project_restored_deleted",
        "project_archived",
        "project_restored_archived",
        "board_created",
        "board_updated",
        "board_deleted",
        "user_created",
        "user_updated",
        "user_deleted",
    }
)
_TYPE_NAMES = {
    "status": "issue_generic",
    "assignee": "issue_assigned",
    "Key": "issue_moved",
    "WorklogId": "issue_work_logged",
    "Comment": "issue_comment_edited",
}
"""What an event of an issue is called more finely, by the field that changed; any other is `issue_updated`."""
_COMPARED = {
    "sprint": ("name", "goal", "state", "start", "end", "complete"),
    "jira:version": ("name", "description", "released", "archived", "start", "release"),
    "project": ("key", "name", "lead", "description", "state"),
    "board": ("name", "filter"),
    "user": ("display", "email", "active"),
}
"""What counts as a change of the records beside issues."""
_STATE = {"sprint": "state", "jira:version": "released", "project": "state"}
_STATES = {
    ("sprint", "future", "active"): "started",
    ("sprint", "active", "closed"): "closed",
    ("jira:version", False, True): "released",
    ("jira:version", True, False): "unreleased",
    ("project", "live", "deleted"): "soft_deleted",
    ("project", "archived", "deleted"): "soft_deleted",
    ("project", "deleted", "live"): "restored_deleted",
    ("project", "live", "archived"): "archived",
    ("project", "archived", "live"): "restored_archived",
}
"""Changes of state that are events of their own."""


class Happening(NamedTuple):
    """One event before it is addressed; `to` are those whose query knew the issue (None: no query narrows it)."""

    name: str
    parts: Json
    to: frozenset[str] | None = None
    flow: str = "Primary"


Matching = Callable[[Issue], frozenset[str]]
"""Gives the webhooks whose query knows an issue."""


class Watch:
    """What has happened since it was asked last; `base` is where the site was called, for the links in payloads."""

    def __init__(self, site: Site, matching: Matching) -> None:
        self.base = "https://sandbox.invalid"
        self._site = site
        self._store = site.store
        self._matching = matching
        self._gone: list[Happening] = []
        self._heard: list[tuple[str, Any]] = []
        self._known: dict[str, dict[Any, Json]] = {}
        self._first_change = 0
        self.settle()

    def hear(self, what: str, record: Any) -> None:
        """Take in what the store reports; of what goes away the event is made while it is still there."""
        if what == ISSUE_DELETED:
            self._let_go(record)
        elif what in (COMMENT_DELETED, WORKLOG_DELETED):
            happening = self._beside_issue(what, record)
            is_fallout = record.issue not in self._store.issues
            flow = "Secondary" if is_fallout else "Primary"
            self._gone.append(happening._replace(flow=flow))
        else:
            self._heard.append((what, record))

    def _let_go(self, issue: Issue) -> None:
        """Tell of an issue and of all that goes with it, which follows more slowly."""
        me = self._site.me.account
        self._gone.append(self._of_issue(ISSUE_DELETED, issue, me))
        for identity in issue.comments:
            comment = self._store.comments[identity]
            happening = self._beside_issue(COMMENT_DELETED, comment)
            self._gone.append(happening._replace(flow="Secondary"))

    def settle(self) -> None:
        """Take everything for told."""
        self._gone = []
        self._heard = []
        self._first_change = self._store.counters.next.get("change", 0)
        for name, records in self._series():
            self._known[name] = {
                identity: _shape(name, record) for identity, record in records.items()
            }

    def happenings(self) -> list[Happening]:
        """Return everything that happened since the last call."""
        happenings = [*self._gone, *self._of_issues(), *self._of_records()]
        self.settle()
        return happenings

    # Issues ---------------------------------------------------------------

    def _reported(self, *names: str) -> list[Any]:
        return [record for what, record in self._heard if what in names]

    def _of_issues(self) -> Iterator[Happening]:
        issues = self._store.issues
        made = {issue.id: issue for issue in self._reported(ISSUE_CREATED)}
        updated = {issue.id: issue for issue in self._reported(ISSUE_UPDATED)}
        for identity, issue in made.items():
            if identity in issues:
                yield self._of_issue(ISSUE_CREATED, issue, issue.creator)

        for identity, issue in updated.items():
            if identity in issues and identity not in made:
                yield from self._of_changes(issue)

        for what, record in self._heard:
            is_beside = isinstance(record, Comment | Worklog)
            if is_beside and record.issue in issues:
                yield self._beside_issue(what, record)

    def _of_changes(self, issue: Issue) -> Iterator[Happening]:
        for change in issue.history:
            if change.id >= self._first_change:
                yield self._of_change(issue, change)

        for comment in self._reported(COMMENT_CREATED):
            if comment.issue == issue.id:
                happening = self._of_issue(ISSUE_UPDATED, issue, comment.author)
                happening.parts["issue_event_type_name"] = "issue_commented"
                happening.parts["comment"] = self._renderer().comment(comment)
                yield happening

    def _of_change(self, issue: Issue, change: Change) -> Happening:
        happening = self._of_issue(ISSUE_UPDATED, issue, change.author)
        shown = self._renderer().change(change)
        happening.parts["issue_event_type_name"] = _finer_name(change)
        happening.parts["changelog"] = {"id": str(change.id), "items": shown["items"]}
        return happening

    def _of_issue(self, name: str, issue: Issue, author: str | None) -> Happening:
        renderer = self._renderer()
        wish = choose(self._store, (), "*all")
        shown = show_issue(renderer, issue, wish)
        parts = {
            "issue_event_type_name": name.removeprefix("jira:"),
            "user": renderer.person(author),
            "issue": {
                "id": shown["id"],
                "self": shown["self"],
                "key": shown["key"],
                "fields": shown["fields"],
            },
        }
        return Happening(name, parts, self._matching(issue))

    def _beside_issue(self, name: str, record: Comment | Worklog) -> Happening:
        renderer = self._renderer()
        if isinstance(record, Worklog):
            return Happening(name, {"worklog": renderer.worklog(record)})
        issue = self._store.issues[record.issue]
        parts = {
            "comment": renderer.comment(record),
            "issue": renderer.small_issue(issue),
        }
        return Happening(name, parts, self._matching(issue))

    def _renderer(self) -> Renderer:
        call = Call(Request("GET", "/"), {}, 2, self.base)
        return Renderer(self._site, call)

    # Records beside issues --------------------------------------------------

    def _series(self) -> Iterable[tuple[str, Mapping[Any, Any]]]:
        store = self._store
        yield "sprint", store.sprints
        yield "jira:version", store.versions
        yield "project", store.projects
        yield "board", store.boards
        yield "user", store.users

    def _of_records(self) -> Iterator[Happening]:
        for name, records in self._series():
            known = self._known[name]
            for identity, record in records.items():
                verb = _verb(name, known.get(identity), _shape(name, record))
                if verb:
                    yield Happening(f"{name}_{verb}", self._entity(record))

            for identity in known.keys() - records.keys():
                entity = name.removeprefix("jira:")
                parts = {entity: {"id": str(identity)}}
                yield Happening(f"{name}_deleted", parts)

    def _entity(self, record: Any) -> Json:
        renderer = self._renderer()
        match record:
            case Sprint():
                return {"sprint": renderer.sprint(record)}
            case Version():
                return {"version": renderer.release(record)}
            case Project():
                return {"project": renderer.project(record)}
            case User():
                return {"user": renderer.user(record)}
            case Board(id=identity, name=name, kind=kind):
                return {"board": {"id": identity, "name": name, "type": kind}}
            case _:
                raise TypeError(type(record).__name__)


def _finer_name(change: Change) -> str:
    for item in change.items:
        name = _TYPE_NAMES.get(item.field)
        if name:
            return name
    return "issue_updated"


def _shape(name: str, record: object) -> Json:
    return {field: getattr(record, field) for field in _COMPARED[name]}


def _verb(name: str, before: Json | None, now: Json) -> str:
    """Return what became of a record; nothing when it is as it was."""
    if before is None:
        return "created"
    if before == now:
        return ""
    state = _STATE.get(name)
    if state is None:
        return "updated"
    turn = (name, before[state], now[state])
    return _STATES.get(turn, "updated")
