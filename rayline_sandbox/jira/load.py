"""Bulk loading: compact records in, whole sites in a few seconds, without writing history for it.

Shapes (all instants: text or milliseconds; `?` optional; people by account id, e-mail, login or display name):
* `users`: `{name, email?, id?, login?, timeZone?, active?, accountType?}`
* `statuses`: `{name, category: new|indeterminate|done, id?, project?}`
* `projects`: `{key, name?, id?, lead?, style?: classic|next-gen, category?, state?, hidden?, statuses?: [name],
  versions?: [{name, released?, archived?, startDate?, releaseDate?, description?}], components?: [name], board?}`
* `boards`: `{name?, project, type?: scrum|kanban|simple, id?, columns?: {name: [status]}, estimation?}`
* `sprints`: `{name, state, board? | project?, id?, startDate?, endDate?, completeDate?, goal?}`
* `filters`: `{name, jql, id?, description?}`
* `issues`: `{key, id?, project?, type?, summary?, status?, created, updated?, resolutiondate?, resolution?, duedate?,
  parent?, assignee?, reporter?, priority?, labels?, components?, fixVersions?, versions?, sprints?, story_points?,
  flagged?, description?, estimate?, remaining?, spent?, history?: [{at, field, from, to, author?}],
  worklogs?: [{author, started, seconds, comment?, created?}], comments?: [{author, body, created}]}`
* `worklogs`: as above with `issue`; `changelogs`: `{issue, at, field, from, to, author?}`
A record that cannot be read is left out and reported in `problems`; the rest is loaded.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sys import intern
from typing import Any

from rayline_sandbox.jira.documents import is_document
from rayline_sandbox.jira.instants import to_instant
from rayline_sandbox.jira.items import record
from rayline_sandbox.jira.model import Change, Comment, Issue, Item, Json, Worklog
from rayline_sandbox.jira.site import Site
from rayline_sandbox.jira.site_records import SiteRecords

_BROKEN = (KeyError, ValueError, TypeError, AttributeError, OverflowError)
_REPORTED = 200
DATE_LENGTH = len("2026-11-02")


def describe(place: str, error: Exception) -> str:
    """Return what is reported of a record that could not be read."""
    kind = type(error).__name__
    return f"{place}: {kind}: {error}"


def _label(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "?"
    return raw.get("key") or raw.get("name") or "?"


def _rich(value: Any) -> Any:
    if value is not None and not isinstance(value, str) and not is_document(value):
        raise ValueError("neither a text nor a document")
    return value


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Keep the cycle collector from walking a growing site again and again; the loaded records hold no cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Loader:
    """Puts compact records into one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store = site.store
        self.records = SiteRecords(site)
        self.problems: list[str] = []
        self._items: dict[tuple[str, str, str], Item] = {}
        self._parents: list[tuple[Issue, Any]] = []

    def load(self, payload: Json) -> Json:
        """Load everything and return how many of each, and the problems."""
        steps: tuple[tuple[str, Callable[[Json], object]], ...] = (
            ("users", self.records.user),
            ("statuses", self.records.status),
            ("projects", self.records.project),
            ("boards", self.records.board),
            ("sprints", self.records.sprint),
            ("filters", self.records.filter),
            ("issues", self.issue),
            ("worklogs", self.worklog),
            ("changelogs", self.changelog),
        )
        with _collector_resting():
            counts = {
                name: self._each(name, payload.get(name) or (), put)
                for name, put in steps
            }
        self._resolve_parents()
        return {
            **counts,
            "problems": self.problems[:_REPORTED],
            "problem_count": len(self.problems),
        }

    def _each(
        self, name: str, raws: Iterable[Any], put: Callable[[Json], object]
    ) -> int:
        count = 0
        for raw in raws:
            try:
                put(raw)
                count += 1
            except _BROKEN as error:
                place = f"{name} {_label(raw)}"
                self.problems.append(describe(place, error))
        return count

    # Issues ---------------------------------------------------------------

    def issue(self, raw: Json) -> Issue:
        """Load one issue with its history, worklogs and comments."""
        issue = self._core(raw)
        self._people(issue, raw)
        self._planning(issue, raw)
        self._changes(issue, raw.get("history") or ())
        self._settle(issue, raw)
        self.store.put(issue)
        for entry in raw.get("worklogs") or ():
            self._book(issue, entry)
        for entry in raw.get("comments") or ():
            self._remark(issue, entry)
        if raw.get("parent") is not None:
            self._parents.append((issue, raw["parent"]))
        return issue

    def _core(self, raw: Json) -> Issue:
        key = str(raw["key"])
        project_key, _, number = key.rpartition("-")
        project = self.records.project_for(raw.get("project") or project_key)
        project.number = max(project.number, int(number))
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("issue")
        )
        if identity in self.store.issues or key in self.store.keys:
            raise ValueError("an issue of this id or key is there already")
        self.store.counters.reserve("issue", identity)
        created = to_instant(raw["created"])
        updated = to_instant(raw.get("updated")) or created
        if created is None or updated is None:
            raise ValueError("no creation instant")
        return Issue(
            identity,
            intern(key),
            project.id,
            self.records.kind_for(raw.get("type")),
            str(raw.get("summary") or key),
            self.records.status_for(raw.get("status"), project).id,
            created,
            updated,
            rank=identity,
        )

    def _people(self, issue: Issue, raw: Json) -> None:
        issue.assignee = self.records.person(raw.get("assignee"))
        issue.reporter = self.records.person(raw.get("reporter"))
        creator = self.records.person(raw.get("creator"))
        issue.creator = creator or issue.reporter
        issue.priority = self.records.priority_for(raw.get("priority", "Medium"))
        labels = raw.get("labels") or ()
        issue.labels = tuple(map(intern, labels))
        issue.flagged = bool(raw.get("flagged"))
        issue.description = _rich(raw.get("description"))

    def _planning(self, issue: Issue, raw: Json) -> None:
        records = self.records
        due = raw.get("duedate")
        if due:
            issue.due = str(due)[:DATE_LENGTH]
        issue.components = tuple(
            records.component_for(issue.project, each)
            for each in raw.get("components") or ()
        )
        issue.fix_versions = tuple(
            records.version_for(issue.project, each)
            for each in raw.get("fixVersions") or ()
        )
        issue.versions = tuple(
            records.version_for(issue.project, each)
            for each in raw.get("versions") or ()
        )
        issue.sprints = tuple(
            records.sprint_for(each) for each in raw.get("sprints") or ()
        )
        points = raw.get("story_points")
        if points is not None:
            issue.points = float(points)
        issue.estimate = raw.get("estimate")
        issue.spent = raw.get("spent")
        issue.remaining = raw.get("remaining", issue.estimate)

    def _changes(self, issue: Issue, raws: Iterable[Json]) -> None:
        for raw in raws:
            self._change(issue, raw)

    def _change(self, issue: Issue, raw: Json) -> None:
        at = to_instant(raw["at"])
        if at is None:
            raise ValueError("a change without an instant")
        field = str(raw["field"])
        item = self._item(field, raw.get("from"), raw.get("to"))
        author = (
            self.records.person(raw.get("author"))
            or issue.assignee
            or issue.reporter
            or self.site.me.account
        )
        if not isinstance(issue.history, list):
            issue.history = []
        issue.history.append(
            Change(self.store.counters.take("change"), at, author, (item,))
        )

    def _item(self, field: str, old: Any, new: Any) -> Item:
        known = (field, str(old), str(new))
        found = self._items.get(known)
        if found is None:
            found = self._items[known] = record(self.store, field, old, new)
        return found

    def _settle(self, issue: Issue, raw: Json) -> None:
        resolved = to_instant(raw.get("resolutiondate"))
        issue.category_changed = (
            self._category_change(issue) if issue.history else resolved or issue.created
        )
        done = self.store.statuses[issue.status].category == "done"
        if resolved is None and done and "resolutiondate" not in raw:
            resolved = issue.category_changed
        issue.resolved = resolved
        named = raw.get("resolution") or ("Done" if resolved is not None else None)
        issue.resolution = self.records.resolution_for(named)

    def _category_change(self, issue: Issue) -> int:
        statuses = self.store.statuses
        last = issue.created
        for change in sorted(issue.history, key=lambda each: each.at):
            for item in change.items:
                old = statuses.get(item.old or "")
                new = statuses.get(item.new or "")
                if (
                    item.field == "status"
                    and new
                    and (old is None or old.category != new.category)
                ):
                    last = change.at
        return last

    # Attached records -----------------------------------------------------

    def worklog(self, raw: Json) -> Worklog:
        """Load one worklog of a loaded issue."""
        return self._book(self._loaded(raw), raw)

    def changelog(self, raw: Json) -> None:
        """Load one change of a loaded issue."""
        issue = self._loaded(raw)
        self._change(issue, raw)
        if isinstance(issue.history, list):
            issue.history.sort(key=lambda change: (change.at, change.id))
        issue.category_changed = self._category_change(issue)

    def _loaded(self, raw: Json) -> Issue:
        issue = self.store.find_issue(raw["issue"])
        if issue is None:
            raise KeyError(raw["issue"])
        return issue

    def _book(self, issue: Issue, raw: Json) -> Worklog:
        started = to_instant(raw["started"])
        author = self.records.person(raw["author"])
        if started is None or author is None:
            raise ValueError("a worklog needs author and start")
        created = to_instant(raw.get("created")) or started
        entry = Worklog(
            self.store.counters.take("worklog"),
            issue.id,
            author,
            started,
            int(raw["seconds"]),
            _rich(raw.get("comment")),
            created,
            to_instant(raw.get("updated")) or created,
            bool(raw.get("restricted")),
        )
        self.store.put_worklog(entry)
        issue.worklogs = [*issue.worklogs, entry.id]
        issue.spent = self.store.spent_on(issue)
        return entry

    def _remark(self, issue: Issue, raw: Json) -> None:
        created = to_instant(raw["created"]) or issue.created
        author = self.records.person(raw.get("author")) or self.site.me.account
        comment = Comment(
            self.store.counters.take("comment"),
            issue.id,
            author,
            _rich(raw.get("body", "")),
            created,
            created,
        )
        self.store.comments[comment.id] = comment
        issue.comments = [*issue.comments, comment.id]

    def _resolve_parents(self) -> None:
        for issue, ref in self._parents:
            parent = self.store.find_issue(ref)
            if parent is None:
                self.problems.append(
                    f"issues {issue.key}: the parent {ref} is not there"
                )
            else:
                self.store.adopt(issue, parent.id)
        self._parents.clear()
