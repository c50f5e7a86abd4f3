"""Everything that changes an issue: it leaves history, bumps `updated`, keeps resolution and dates right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.sandbox.jira.documents import to_wiki
from worker.sandbox.jira.errors import Refusal
from worker.sandbox.jira.items import record
from worker.sandbox.jira.model import Change, Comment, Issue, Item, Json, Project, Status, Worklog
from worker.sandbox.jira.setters import put_in_sprint, refuse, rich, set_field
from worker.sandbox.jira.site import Site

_LATE = ("parent",)


class Changes:
    """Changes to one site's issues, each by an author's account."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store = site.store

    # Issues ---------------------------------------------------------------

    def create(self, fields: Json, author: str) -> Issue:
        """Create an issue; 400 with one message per field that is wrong."""
        project = self._project(fields.get("project"))
        kind = self.store.kind_named(_name(fields.get("issuetype", fields.get("type")) or "Task"))
        if kind is None:
            raise refuse("issuetype", "Specify a valid issue type")
        if kind.level < 0 and not fields.get("parent"):
            raise refuse("parent", "Issue type is a sub-task but parent issue key or id not specified.")
        now = self.site.now()
        issue = Issue(self.store.counters.take("issue"), f"{project.key}-{project.number + 1}", project.id, kind.id, "",
                      project.statuses[0], now, now, now, author, author, priority="3")
        issue.rank = issue.id
        self._fill(issue, {"summary": None, **fields})
        project.number += 1
        self.store.put(issue)
        self.store.remember(issue, created=True)
        if fields.get("status"):
            self.transition(issue, self.status_of(issue, str(fields["status"])), author)
        return issue

    def _project(self, ref: Any) -> Project:
        found = self.store.find_project(_name(ref)) if ref is not None else None
        if found is None or not self.store.seen(found.id):
            raise refuse("project", "Specify a valid project ID or key")
        return found

    def _fill(self, issue: Issue, fields: Json) -> None:
        errors: dict[str, str] = {}
        names = [name for name in fields if name not in ("project", "issuetype", "type", "status", *_LATE)]
        for name in [*names, *(name for name in _LATE if name in fields)]:
            try:
                set_field(self.store, issue, name, value=fields[name])
            except Refusal as refusal:
                errors.update(refusal.errors)
        if errors:
            raise Refusal(400, errors=errors)

    def edit(self, issue: Issue, fields: Json, author: str, *, update: Json | None = None) -> None:
        """Set fields; a value that is wrong leaves the whole issue as it was."""
        operated = self._operated(issue, update or {})
        status = fields.get("status")
        wanted = {name: value for name, value in {**fields, **operated}.items() if name != "status"}
        before = self._saved(issue)
        try:
            items = [item for name, value in wanted.items()
                     for item in set_field(self.store, issue, name, value=value)]
        except Refusal:
            self._restore(issue, before)
            raise
        if items:
            after = self._saved(issue)
            self._restore(issue, before)
            self.store.remember(issue)
            self._restore(issue, after)
            self.write(issue, items, author)
        if status is not None:
            self.transition(issue, self.status_of(issue, _name(status)), author)

    def _saved(self, issue: Issue) -> dict[str, Any]:
        return {name: getattr(issue, name) for name in Issue.__slots__}

    def _restore(self, issue: Issue, saved: Mapping[str, Any]) -> None:
        if issue.parent != saved["parent"]:
            self.store.adopt(issue, saved["parent"])
        for name, value in saved.items():
            setattr(issue, name, value)

    def _operated(self, issue: Issue, update: Json) -> Json:
        found: Json = {}
        if not isinstance(update, Mapping):
            raise Refusal(400, "Can not deserialize 'update': an object was expected.")
        for name, operations in update.items():
            for operation in operations if isinstance(operations, list) else [operations]:
                if not isinstance(operation, Mapping) or len(operation) != 1:
                    raise refuse(name, "Can not deserialize the operation: an object was expected.")
                ((verb, value),) = operation.items()
                found[name] = self._operate(issue, name, verb, value=value, current=found.get(name))
        return found

    def _operate(self, issue: Issue, name: str, verb: str, *, value: Any, current: Any) -> Any:
        if verb in ("set", "edit"):
            return value
        lists: dict[str, Callable[[], list[Any]]] = {
            "labels": lambda: list(issue.labels),
            "fixVersions": lambda: [{"id": str(v)} for v in issue.fix_versions],
            "components": lambda: [{"id": str(c)} for c in issue.components]}
        if name not in lists or verb not in ("add", "remove"):
            raise refuse(name, f"The operation '{verb}' is not supported.")
        have = current if current is not None else lists[name]()
        return [*have, value] if verb == "add" else [each for each in have if each != value]

    def write(self, issue: Issue, items: Sequence[Item], author: str) -> None:
        """Add one history entry and bump `updated`."""
        now = self.site.now()
        change = Change(self.store.counters.take("change"), now, author, tuple(items))
        issue.history = [*issue.history, change]
        self.store.touch(issue, now)

    def status_of(self, issue: Issue, ref: str) -> Status:
        """Return a status of the issue's project by id or name; 400 otherwise."""
        project = self.store.projects[issue.project]
        found = self.store.status_named(ref, project.statuses)
        if found is None or found.id not in project.statuses:
            raise Refusal(400, f"There is no transition to the status '{ref}'.")
        return found

    def transition(self, issue: Issue, status: Status, author: str, *, resolution: str | None = None) -> None:
        """Move an issue to a status; done ones get a resolution and its date, others lose both."""
        if status.id == issue.status:
            return
        self.store.remember(issue)
        items = [record(self.store, "status", issue.status, status.id)]
        if self.store.statuses[issue.status].category != status.category:
            issue.category_changed = self.site.now()
        issue.status = status.id
        done = status.category == "done"
        wanted = (resolution or issue.resolution or next(iter(self.store.resolutions))) if done else None
        if wanted != issue.resolution:
            items.insert(0, record(self.store, "resolution", issue.resolution, wanted))
            issue.resolution = wanted
            issue.resolved = self.site.now() if done else None
        self.write(issue, items, author)

    def delete(self, issue: Issue, *, subtasks: bool = False) -> None:
        """Delete an issue; with sub-tasks only when they may go too; an epic's issues lose their parent."""
        children = [self.store.issues[child] for child in self.store.children.get(issue.id, ())]
        below = [child for child in children if self.store.kinds[child.kind].level < 0]
        if below and not subtasks:
            raise Refusal(400, f"The issue '{issue.key}' has subtasks.  You must specify the 'deleteSubtasks' "
                               "parameter to delete this issue and all its subtasks.")
        for child in children:
            if child in below:
                self.delete(child)
            else:
                self.store.adopt(child, None)
        self.store.remember(issue)
        self.store.drop(issue)

    def move(self, issue: Issue, project: Project, author: str) -> None:
        """Move an issue with its sub-tasks to another project: the key changes, the id stays."""
        if issue.project == project.id:
            return
        self.store.remember(issue)
        old_key, old_project = issue.key, self.store.projects[issue.project]
        self.store.rehome(issue, project)
        issue.fix_versions = issue.versions = issue.components = ()
        items = [Item("project", "project", "jira", str(old_project.id), old_project.name, str(project.id),
                      project.name), Item("Key", None, "jira", None, old_key, None, issue.key)]
        items += self._fit_status(issue, project)
        self.write(issue, items, author)
        for child in list(self.store.children.get(issue.id, ())):
            if self.store.kinds[self.store.issues[child].kind].level < 0:
                self.move(self.store.issues[child], project, author)

    def _fit_status(self, issue: Issue, project: Project) -> list[Item]:
        if issue.status in project.statuses:
            return []
        category = self.store.statuses[issue.status].category
        fitting = [s for s in project.statuses if self.store.statuses[s].category == category]
        old, issue.status = issue.status, (fitting or project.statuses)[0]
        return [record(self.store, "status", old, issue.status)]

    def plan(self, issue: Issue, sprints: Sequence[int], author: str) -> None:
        """Put an issue into sprints; none is the backlog."""
        self.store.remember(issue)
        items = put_in_sprint(self.store, issue, sprints)
        if items:
            self.write(issue, items, author)

    # Worklogs and comments ------------------------------------------------

    def book(self, issue: Issue, author: str, *, started: int, seconds: int, comment: Any = None,
             restricted: bool = False) -> Worklog:
        """Book time: the remaining estimate falls, the sum rises, history and `updated` follow."""
        if seconds <= 0:
            raise refuse("timeLogged", "You must indicate the time spent working on this issue.")
        self.store.remember(issue)
        now = self.site.now()
        entry = Worklog(self.store.counters.take("worklog"), issue.id, author, started, seconds, comment, now, now,
                        restricted)
        self.store.put_worklog(entry)
        issue.worklogs = [*issue.worklogs, entry.id]
        self._resum(issue, -seconds, author, _worklog_item(entry, gone=False))
        return entry

    def rebook(self, entry: Worklog, author: str, *, started: int | None, seconds: int | None, comment: Any) -> None:
        """Change a worklog."""
        issue = self.store.issues[entry.issue]
        self.store.remember(issue)
        difference = entry.seconds - (seconds or entry.seconds)
        entry.started = started if started is not None else entry.started
        entry.seconds = seconds or entry.seconds
        entry.comment = comment if comment is not None else entry.comment
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
        remaining, spent = issue.remaining, issue.spent
        issue.remaining = max(0, (remaining or 0) + returned)
        issue.spent = sum(self.store.worklogs[each].seconds for each in issue.worklogs)
        changed = [record(self.store, name, old, new) for name, old, new in (
            ("timeestimate", remaining, issue.remaining), ("timespent", spent, issue.spent)) if old != new]
        self.write(issue, [*changed, tail], author)

    def remark(self, issue: Issue, author: str, body: Any) -> Comment:
        """Add a comment; `updated` rises, the history does not show additions."""
        if not to_wiki(rich(body)):
            raise refuse("comment", "Comment body can not be empty!")
        self.store.remember(issue)
        now = self.site.now()
        comment = Comment(self.store.counters.take("comment"), issue.id, author, body, now, now)
        self.store.comments[comment.id] = comment
        issue.comments = [*issue.comments, comment.id]
        self.store.touch(issue, now)
        return comment

    def unremark(self, comment: Comment, author: str) -> None:
        """Delete a comment; the history keeps its text."""
        issue = self.store.issues[comment.issue]
        self.store.remember(issue)
        del self.store.comments[comment.id]
        issue.comments = [each for each in issue.comments if each != comment.id]
        self.write(issue, [Item("Comment", "comment", "jira", None, to_wiki(comment.body), None, None)], author)


def _worklog_item(entry: Worklog, *, gone: bool) -> Item:
    text = str(entry.id)
    return Item("WorklogId", None, "jira", *((text, text, None, None) if gone else (None, None, text, text)))


def _name(ref: Any) -> str:
    if isinstance(ref, Mapping):
        return str(next((ref[key] for key in ("id", "key", "name") if ref.get(key) is not None), ""))
    return str(ref)
