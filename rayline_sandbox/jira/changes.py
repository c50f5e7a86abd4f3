"""Everything that changes an issue: it leaves history, bumps `updated`, keeps resolution and dates right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rayline_sandbox.jira.documents import to_wiki
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.items import record, record_change, told_once
from rayline_sandbox.jira.model import (
    Change,
    Comment,
    Issue,
    Item,
    Json,
    Project,
    Status,
    Worklog,
)
from rayline_sandbox.jira.operations import (
    Booking,
    Remark,
    Update,
    booked_seconds,
    read_update,
)
from rayline_sandbox.jira.setters import (
    MEMBERS,
    check_family,
    member_items,
    put_in_sprint,
    ref_of,
    refuse,
    set_field,
)
from rayline_sandbox.jira.site import Site

_BORN_WITH = frozenset({"project", "issuetype", "type", "status"})
_LATE = ("timeestimate", "remaining", "parent")


def _is_late(name: str) -> int:
    """Sort fields whose value depends on others behind them: the rest set by an estimate, the parent by the type."""
    if name in _LATE:
        return _LATE.index(name) + 1
    return 0


class Changes:
    """Changes to one site's issues, each by an author's account."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store = site.store

    # Issues ---------------------------------------------------------------

    def create(self, fields: Json, author: str, *, update: Any = None) -> Issue:
        """Create an issue; 400 with one message per field that is wrong."""
        project = self._project(fields.get("project"))
        kind = self.store.kind_named(
            _name(fields.get("issuetype", fields.get("type")) or "Task")
        )
        if kind is None:
            raise refuse("issuetype", "Specify a valid issue type")
        if kind.level < 0 and not fields.get("parent"):
            raise refuse(
                "parent",
                "Issue type is a sub-task but parent issue key or id not specified.",
            )
        now = self.site.now()
        issue = Issue(
            self.store.counters.take("issue"),
            f"{project.key}-{project.number + 1}",
            project.id,
            kind.id,
            "",
            project.statuses[0],
            now,
            now,
            now,
            author,
            author,
            priority="3",
        )
        issue.rank = self.store.top_rank + 1
        asked = read_update(self.store, issue, update, fields)
        status = (
            self.status_of(issue, _name(fields["status"]))
            if fields.get("status")
            else None
        )
        self._fill(issue, {"summary": None, **fields, **asked.fields})
        project.number += 1
        self.store.put(issue)
        self.store.remember(issue, created=True)
        if status is not None:
            self.transition(issue, status, author)
        self._carry_out(issue, asked, author)
        return issue

    def _project(self, ref: Any) -> Project:
        project = None
        if ref is not None:
            project = self.store.find_project(_name(ref))
        if project is None or not self.store.seen(project.id):
            raise refuse("project", "Specify a valid project ID or key")
        return project

    def _fill(self, issue: Issue, fields: Json) -> None:
        errors: dict[str, str] = {}
        for name in sorted(
            (name for name in fields if name not in _BORN_WITH), key=_is_late
        ):
            try:
                set_field(self.store, issue, name, value=fields[name])
            except Refusal as refusal:
                errors.update(refusal.errors)
        if errors:
            raise Refusal(400, errors=errors)

    def edit(
        self, issue: Issue, fields: Json, author: str, *, update: Any = None
    ) -> None:
        """Set fields and carry out operations; a value that is wrong leaves the whole issue as it was."""
        asked = read_update(self.store, issue, update, fields)
        status = (
            None
            if fields.get("status") is None
            else self.status_of(issue, _name(fields["status"]))
        )
        items = self._set(issue, {**fields, **asked.fields})
        if items:
            self.write(issue, items, author)
        if status is not None:
            self.transition(issue, status, author)
        self._carry_out(issue, asked, author)

    def _set(self, issue: Issue, wanted: Json) -> list[Item]:
        before = self._saved(issue)
        try:
            items = told_once(
                item
                for name in sorted(wanted, key=_is_late)
                if name != "status"
                for item in set_field(self.store, issue, name, value=wanted[name])
            )
            if any(item.field == "issuetype" for item in items):
                self._check_kind(issue, before["kind"])
        except Refusal:
            self._restore(issue, before)
            raise
        if items:
            after = self._saved(issue)
            self._restore(issue, before)
            self.store.remember(issue)
            self._restore(issue, after)
        return items

    def _check_kind(self, issue: Issue, before: str) -> None:
        kind = issue.kind
        issue.kind = before
        check_family(self.store, issue, kind=kind, parent=issue.parent)
        issue.kind = kind

    def _carry_out(self, issue: Issue, asked: Update, author: str) -> None:
        for remark in asked.remarks:
            self.remark(issue, author, remark)
        for booking in asked.bookings:
            self.book(issue, author, booking)

    def _saved(self, issue: Issue) -> dict[str, Any]:
        return {name: getattr(issue, name) for name in Issue.__slots__}

    def _restore(self, issue: Issue, saved: Mapping[str, Any]) -> None:
        if issue.parent != saved["parent"]:
            self.store.adopt(issue, saved["parent"])
        for name, value in saved.items():
            setattr(issue, name, value)

    def write(self, issue: Issue, items: Sequence[Item], author: str) -> None:
        """Add one history entry and bump `updated`."""
        now = self.site.now()
        identity = self.store.counters.take("change")
        change = Change(identity, now, author, tuple(items))
        issue.history = [*issue.history, change]
        self.store.touch(issue, now)

    def status_of(self, issue: Issue, ref: str) -> Status:
        """Return a status of the issue's project by id or name; 400 otherwise."""
        project = self.store.projects[issue.project]
        found = self.store.status_named(ref, project.statuses)
        if found is None or found.id not in project.statuses:
            raise Refusal(400, f"There is no transition to the status '{ref}'.")
        return found

    def transition(
        self,
        issue: Issue,
        status: Status,
        author: str,
        *,
        resolution: str | None = None,
    ) -> None:
        """Move an issue to a status; done ones get a resolution and its date, others lose both."""
        if status.id == issue.status:
            return
        self.store.remember(issue)
        items = [record(self.store, "status", issue.status, status.id)]
        if self.store.statuses[issue.status].category != status.category:
            issue.category_changed = self.site.now()
        issue.status = status.id
        resolved = None
        wanted = None
        if status.category == "done":
            first = next(iter(self.store.resolutions))
            wanted = resolution or issue.resolution or first
            resolved = self.site.now()
        if wanted != issue.resolution:
            told = record(self.store, "resolution", issue.resolution, wanted)
            items.insert(0, told)
            issue.resolution = wanted
            issue.resolved = resolved
        self.write(issue, items, author)

    def delete(self, issue: Issue, *, subtasks: bool = False) -> None:
        """Delete an issue; with sub-tasks only when they may go too; an epic's issues lose their parent."""
        store = self.store
        children = list(store.children.get(issue.id, ()))
        below = [child for child in children if store.level_of(child) < 0]
        if below and not subtasks:
            raise Refusal(
                400,
                f"The issue '{issue.key}' has subtasks.  You must specify the "
                "'deleteSubtasks' "
                "parameter to delete this issue and all its subtasks.",
            )
        for child in children:
            if child in below:
                self.delete(store.issues[child])
            else:
                store.adopt(store.issues[child], None)
        self.store.remember(issue)
        self.store.drop(issue)

    def check_move(self, issue: Issue, kind: str, parent: int | None) -> int | None:
        """Return the parent an issue has after a move; 400 for a type and a parent that do not go together."""
        kinds = self.store.kinds
        new = (
            issue.parent
            if parent is None and kinds[kind].level == kinds[issue.kind].level
            else parent
        )
        if (kind, new) != (issue.kind, issue.parent):
            check_family(self.store, issue, kind=kind, parent=new)
        return new

    def move(
        self,
        issue: Issue,
        project: Project,
        author: str,
        *,
        kind: str | None = None,
        parent: int | None = None,
    ) -> None:
        """Move an issue with its sub-tasks to another project: the key changes, the id stays.

        Versions and components belong to a project and are left behind.
        """
        items = self._retyped(issue, kind or issue.kind, parent)
        if issue.project != project.id:
            items += self._rehomed(issue, project)
        if items:
            self.write(issue, items, author)
        for child in list(self.store.children.get(issue.id, ())):
            if self.store.level_of(child) < 0:
                subtask = self.store.issues[child]
                self.move(subtask, project, author, parent=issue.id)

    def _retyped(self, issue: Issue, kind: str, parent: int | None) -> list[Item]:
        new = self.check_move(issue, kind, parent)
        self.store.remember(issue)
        items = record_change(self.store, "issuetype", issue.kind, kind)
        items += record_change(self.store, "parent", issue.parent, new)
        issue.kind = kind
        self.store.adopt(issue, new)
        return items

    def _rehomed(self, issue: Issue, project: Project) -> list[Item]:
        old_key = issue.key
        old_project = self.store.projects[issue.project]
        self.store.rehome(issue, project)
        items = [
            Item(
                "project",
                "project",
                "jira",
                str(old_project.id),
                old_project.name,
                str(project.id),
                project.name,
            ),
            Item("Key", None, "jira", None, old_key, None, issue.key),
        ]
        for attribute, field, label in MEMBERS:
            items += member_items(
                self.store, field, label, old=getattr(issue, attribute), new=()
            )
            setattr(issue, attribute, ())
        return items + self._fit_status(issue, project)

    def _fit_status(self, issue: Issue, project: Project) -> list[Item]:
        if issue.status in project.statuses:
            return []
        category = self.store.statuses[issue.status].category
        fitting = [
            s for s in project.statuses if self.store.statuses[s].category == category
        ]
        old = issue.status
        issue.status = (fitting or project.statuses)[0]
        return [record(self.store, "status", old, issue.status)]

    def plan(self, issue: Issue, sprints: Sequence[int], author: str) -> None:
        """Put an issue into sprints; none is the backlog."""
        self.store.remember(issue)
        items = put_in_sprint(self.store, issue, sprints)
        if items:
            self.write(issue, items, author)

    # Worklogs and comments ------------------------------------------------

    def book(
        self, issue: Issue, author: str, booking: Booking, *, restricted: bool = False
    ) -> Worklog:
        """Book time: the remaining estimate falls, the sum rises, history and `updated` follow."""
        seconds = booked_seconds(booking.seconds)
        self.store.remember(issue)
        now = self.site.now()
        started = now if booking.started is None else booking.started
        entry = Worklog(
            self.store.counters.take("worklog"),
            issue.id,
            author,
            started,
            seconds,
            booking.comment,
            now,
            now,
            restricted,
            audience=booking.audience,
        )
        self.store.put_worklog(entry)
        issue.worklogs = [*issue.worklogs, entry.id]
        self._resum(issue, -seconds, author, _worklog_item(entry, gone=False))
        return entry

    def rebook(self, entry: Worklog, author: str, booking: Booking) -> None:
        """Change a worklog; what is not said stays."""
        seconds = (
            entry.seconds
            if booking.seconds is None
            else booked_seconds(booking.seconds)
        )
        issue = self.store.issues[entry.issue]
        self.store.remember(issue)
        difference = entry.seconds - seconds
        if booking.started is not None:
            entry.started = booking.started
        entry.seconds = seconds
        if booking.comment is not None:
            entry.comment = booking.comment
        if booking.audience is not None:
            entry.audience = booking.audience
        entry.updater = author
        self.store.touch_worklog(entry, self.site.now())
        self._resum(issue, difference, author, _worklog_item(entry, gone=True))

    def unbook(self, entry: Worklog, author: str) -> None:
        """Delete a worklog; the feed of deleted ones keeps its id."""
        issue = self.store.issues[entry.issue]
        self.store.remember(issue)
        self.store.drop_worklog(entry)
        issue.worklogs = [each for each in issue.worklogs if each != entry.id]
        self._resum(issue, entry.seconds, author, _worklog_item(entry, gone=True))

    def _resum(self, issue: Issue, returned: int, author: str, tail: Item) -> None:
        remaining = issue.remaining
        spent = issue.spent
        issue.remaining = max(0, (remaining or 0) + returned)
        issue.spent = self.store.spent_on(issue)
        items = record_change(self.store, "timeestimate", remaining, issue.remaining)
        items += record_change(self.store, "timespent", spent, issue.spent)
        self.write(issue, [*items, tail], author)

    def remark(self, issue: Issue, author: str, remark: Remark) -> Comment:
        """Add a comment; `updated` rises, the history does not show additions."""
        self.store.remember(issue)
        now = self.site.now()
        comment = Comment(
            self.store.counters.take("comment"),
            issue.id,
            author,
            remark.body,
            now,
            now,
            audience=remark.audience,
        )
        self.store.comments[comment.id] = comment
        issue.comments = [*issue.comments, comment.id]
        self.store.touch(issue, now)
        self.store.tell("comment_created", comment)
        return comment

    def reword(self, comment: Comment, author: str, remark: Remark) -> None:
        """Change a comment; `updated` rises, the history keeps the former text."""
        issue = self.store.issues[comment.issue]
        former, latter = to_wiki(comment.body), to_wiki(remark.body)
        self.store.remember(issue)
        comment.body = remark.body
        comment.audience = remark.audience or comment.audience
        comment.updated = self.site.now()
        comment.updater = author
        item = Item("Comment", "comment", "jira", None, former, None, latter)
        self.write(issue, [item], author)
        self.store.tell("comment_updated", comment)

    def unremark(self, comment: Comment, author: str) -> None:
        """Delete a comment; the history keeps its text."""
        issue = self.store.issues[comment.issue]
        self.store.remember(issue)
        self.store.tell("comment_deleted", comment)
        del self.store.comments[comment.id]
        issue.comments = [each for each in issue.comments if each != comment.id]
        self.write(
            issue,
            [
                Item(
                    "Comment",
                    "comment",
                    "jira",
                    None,
                    to_wiki(comment.body),
                    None,
                    None,
                )
            ],
            author,
        )


def _worklog_item(entry: Worklog, *, gone: bool) -> Item:
    text = str(entry.id)
    return Item(
        "WorklogId",
        None,
        "jira",
        *((text, text, None, None) if gone else (None, None, text, text)),
    )


def _name(ref: Any) -> str:
    found = ref_of(ref, "id", "key", "name")
    return "" if found is None else str(found)
