"""An issue as JSON: which fields were asked for, how each is written, and the inline lists that are cut short.

Clipping (docs/facts/jira-api.md 1.1): changelog 40, comments 20, worklogs 20 on Cloud; Data Center gives all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from rayline_sandbox.jira.audiences import is_within
from rayline_sandbox.jira.fields import field_schema, fields_of
from rayline_sandbox.jira.instants import format_spent
from rayline_sandbox.jira.model import Comment, Issue, Json, Worklog
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.rendered import PageRenderer, print_day
from rayline_sandbox.jira.screens import edit_metadata, flag_option
from rayline_sandbox.jira.site import honour
from rayline_sandbox.jira.store import Store
from rayline_sandbox.jira.workflow import operations, transitions

CHANGES_INLINE = 40
COMMENTS_INLINE = 20
WORKLOGS_INLINE = 20
_EXPAND = (
    "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
)
NOT_EXPANDED = frozenset({"versionedRepresentations"})
_BULKY = frozenset({"comment", "worklog", "attachment"})
Show = Callable[[Renderer, Issue], Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a call asked to see of issues; `bare` is the `id`-only answer of Cloud's `search/jql` alone."""

    fields: tuple[str, ...]
    expand: frozenset[str] = frozenset()
    bare: bool = False
    left_out: frozenset[str] = frozenset()


def choose(
    store: Store, asked: Iterable[str], default: str, expand: Iterable[str] = ()
) -> Wish:
    """Return the wish for a `fields` parameter: ids, names, `*all`, `*navigable`, `-field`."""
    words = tuple(asked) or (default,)
    every = tuple(
        field.id
        for field in fields_of(store)
        if field.id in SHOWN or field.id in _customs(store)
    )
    chosen: dict[str, None] = {}
    for word in words:
        if word == "*all":
            chosen.update(dict.fromkeys(every))
        elif word == "*navigable":
            small = [name for name in every if name not in _BULKY]
            chosen.update(dict.fromkeys(small))
        elif word.startswith("-"):
            if not chosen:
                chosen.update(dict.fromkeys(every))
            chosen.pop(word[1:], None)
        else:
            for name in every:
                if word in (name, _named(store, name)):
                    chosen[name] = None
    return Wish(tuple(chosen), honour(expand, NOT_EXPANDED))


def _named(store: Store, identity: str) -> str:
    return next(field.name for field in fields_of(store) if field.id == identity)


def show_issue(renderer: Renderer, issue: Issue, wish: Wish) -> Json:
    """Return an issue with the fields and expansions of a wish."""
    if wish.bare and not wish.expand:
        return {"id": str(issue.id)}
    shown: Json = {
        "expand": _EXPAND,
        "id": str(issue.id),
        "self": f"{renderer.rest}/issue/{issue.id}",
        "key": issue.key,
    }
    if wish.fields:
        customs = _customs(renderer.store)
        shown["fields"] = {
            name: (SHOWN.get(name) or customs[name])(renderer, issue)
            for name in wish.fields
            if name not in wish.left_out
        }
    if not renderer.cloud:
        shown["renderedFields"] = None
    if "renderedFields" in wish.expand:
        shown["renderedFields"] = _rendered(renderer, issue, wish)
    for name, show in _EXPANSIONS.items():
        if name in wish.expand:
            shown[name] = show(renderer, issue)
    return shown


def _rendered(renderer: Renderer, issue: Issue, wish: Wish) -> Json:
    """Return the fields of a wish as pages show them; those that look the same there are null."""
    page = PageRenderer(renderer.site, renderer.call)
    return {
        name: _ON_PAGES[name](page, issue) if name in _ON_PAGES else None
        for name in wish.fields
        if name not in wish.left_out
    }


def inline_changes(renderer: Renderer, issue: Issue) -> Json:
    """Return the inline history: newest first and cut on Cloud, oldest first and whole on Data Center."""
    history = list(issue.history)
    entries = history
    if renderer.cloud:
        newest_first = history[::-1]
        entries = newest_first[:CHANGES_INLINE]
    return {
        "startAt": 0,
        "maxResults": len(entries),
        "total": len(history),
        "histories": [renderer.change(change) for change in entries],
    }


def names_and_schema(store: Store, wish: Wish) -> Json:
    """Return the `names` and `schema` parts a search or an issue may be asked for."""
    chosen = [field for field in fields_of(store) if field.id in wish.fields]
    parts: Json = {}
    if "names" in wish.expand:
        parts["names"] = {field.id: field.name for field in chosen}
    if "schema" in wish.expand:
        parts["schema"] = {}
        for field in chosen:
            schema = field_schema(*field[:5])
            if schema:
                parts["schema"][field.id] = schema
    return parts


# Values ---------------------------------------------------------------------


def _comments(renderer: Renderer, issue: Issue) -> Json:
    entries = visible_comments(renderer.store, issue)
    kept = entries[-COMMENTS_INLINE:] if renderer.cloud else entries
    return {
        "comments": [renderer.comment(c) for c in kept],
        "self": f"{renderer.rest}/issue/{issue.id}/comment",
        "maxResults": len(kept),
        "total": len(entries),
        "startAt": len(entries) - len(kept),
    }


def is_seen(entry: Worklog) -> bool:
    """Tell whether the calling account may see booked time."""
    return not entry.restricted and is_within(entry.audience)


def visible_comments(store: Store, issue: Issue) -> list[Comment]:
    """Return the comments of an issue that the calling account may read."""
    known = store.comments
    found = [known[each] for each in issue.comments if each in known]
    return [comment for comment in found if is_within(comment.audience)]


def visible_worklogs(store: Store, issue: Issue) -> list[Worklog]:
    """Return an issue's worklogs without the restricted ones, which are left out silently.

    Source: docs/facts/jira-api.md 2.4.
    """
    found = (store.worklogs.get(identity) for identity in issue.worklogs)
    return [entry for entry in found if entry is not None and is_seen(entry)]


def _worklogs(renderer: Renderer, issue: Issue) -> Json:
    entries = visible_worklogs(renderer.store, issue)
    kept = entries[:WORKLOGS_INLINE]
    return {
        "startAt": 0,
        "maxResults": WORKLOGS_INLINE,
        "total": len(entries),
        "worklogs": [renderer.worklog(entry) for entry in kept],
    }


def _tracking(renderer: Renderer, issue: Issue) -> Json:
    tracking: Json = {}
    for name, seconds in (
        ("originalEstimate", issue.estimate),
        ("remainingEstimate", issue.remaining),
        ("timeSpent", issue.spent),
    ):
        if seconds is not None:
            tracking[name] = format_spent(seconds)
            tracking[f"{name}Seconds"] = seconds
    return tracking


def _children(renderer: Renderer, issue: Issue) -> list[Issue]:
    store = renderer.store
    return [
        child
        for identity in store.children.get(issue.id, ())
        if (child := store.issues.get(identity)) is not None
        and store.kinds[child.kind].level < 0
    ]


def _sum(attribute: str) -> Show:
    def show(renderer: Renderer, issue: Issue) -> int | None:
        values = [
            getattr(each, attribute) for each in (issue, *_children(renderer, issue))
        ]
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    return show


def _progress(_: Renderer, issue: Issue) -> Json:
    spent = issue.spent or 0
    total = spent + (issue.remaining or 0)
    return {
        "progress": spent,
        "total": total,
        **({"percent": 100 * spent // total} if total else {}),
    }


def _parent(renderer: Renderer, issue: Issue) -> Json | None:
    parent = (
        renderer.store.issues.get(issue.parent) if issue.parent is not None else None
    )
    if parent is None or not (
        renderer.cloud or renderer.store.kinds[issue.kind].level < 0
    ):
        return None
    return renderer.small_issue(parent)


def _epic_link(renderer: Renderer, issue: Issue) -> str | None:
    parent = (
        renderer.store.issues.get(issue.parent) if issue.parent is not None else None
    )
    return (
        parent.key
        if parent is not None and renderer.store.kinds[issue.kind].level == 0
        else None
    )


def _parent_link(renderer: Renderer, issue: Issue) -> str | None:
    """Return the key of what is above an epic, as Advanced Roadmaps shows it on Data Center."""
    parent = renderer.store.issues.get(issue.parent or 0)
    is_above = renderer.store.kinds[issue.kind].level > 0
    return parent.key if parent is not None and is_above else None


def _links(renderer: Renderer, issue: Issue) -> list[Json]:
    return [
        renderer.link(link)
        for link in issue.links
        if link.other in renderer.store.issues
    ]


def _rank(issue: Issue) -> str:
    digits = ""
    value = issue.rank
    while value:
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"0|{digits.rjust(6, '0')}:"


def _points(simplified: bool) -> Show:
    return lambda r, i: (
        i.points if r.store.projects[i.project].simplified == simplified else None
    )


def _releases(renderer: Renderer, identities: Collection[int]) -> list[Json]:
    return [renderer.release(renderer.store.versions[v]) for v in identities]


SHOWN: dict[str, Show] = {
    "summary": lambda _, i: i.summary,
    "status": lambda r, i: r.status(r.store.statuses[i.status]),
    "statusCategory": lambda r, i: r.category(r.store.statuses[i.status].category),
    "statuscategorychangedate": lambda r, i: r.stamp(i.category_changed),
    "issuetype": lambda r, i: r.kind(r.store.kinds[i.kind]),
    "project": lambda r, i: r.project(r.store.projects[i.project]),
    "priority": lambda r, i: r.priority(i.priority),
    "resolution": lambda r, i: r.resolution(i.resolution),
    "resolutiondate": lambda r, i: r.stamp(i.resolved),
    "created": lambda r, i: r.stamp(i.created),
    "updated": lambda r, i: r.stamp(i.updated),
    "duedate": lambda _, i: i.due,
    "assignee": lambda r, i: r.person(i.assignee),
    "reporter": lambda r, i: r.person(i.reporter),
    "creator": lambda r, i: r.person(i.creator),
    "labels": lambda _, i: list(i.labels),
    "components": lambda r, i: [r.component(c) for c in i.components],
    "fixVersions": lambda r, i: _releases(r, i.fix_versions),
    "versions": lambda r, i: _releases(r, i.versions),
    "description": lambda r, i: r.rich(i.description),
    "parent": _parent,
    "subtasks": lambda r, i: [r.small_issue(child) for child in _children(r, i)],
    "issuelinks": _links,
    "timetracking": _tracking,
    "timeoriginalestimate": lambda _, i: i.estimate,
    "timeestimate": lambda _, i: i.remaining,
    "timespent": lambda _, i: i.spent,
    "aggregatetimeoriginalestimate": _sum("estimate"),
    "aggregatetimeestimate": _sum("remaining"),
    "aggregatetimespent": _sum("spent"),
    "progress": _progress,
    "votes": lambda r, i: r.votes(i),
    "watches": lambda r, i: r.watches(i),
    "attachment": lambda r, i: r.attachments(i),
    "comment": _comments,
    "worklog": _worklogs,
}


def _printed_day(_: Renderer, issue: Issue) -> str | None:
    return print_day(date.fromisoformat(issue.due)) if issue.due else None


def _printed_time(name: str) -> Show:
    def show(renderer: Renderer, issue: Issue) -> str | None:
        seconds = SHOWN[name](renderer, issue)
        return None if seconds is None else format_spent(seconds)

    return show


_AS_EVER = (
    "created",
    "updated",
    "resolutiondate",
    "statuscategorychangedate",
    "description",
    "timetracking",
    "comment",
    "worklog",
)
_DURATIONS = (
    "timeoriginalestimate",
    "timeestimate",
    "timespent",
    "aggregatetimeoriginalestimate",
    "aggregatetimeestimate",
    "aggregatetimespent",
)
_ON_PAGES: dict[str, Show] = {
    **{name: SHOWN[name] for name in _AS_EVER},
    **{name: _printed_time(name) for name in _DURATIONS},
    "duedate": _printed_day,
}
_EXPANSIONS: dict[str, Show] = {
    "transitions": lambda r, i: transitions(r, i, screens=False),
    "operations": operations,
    "editmeta": edit_metadata,
    "changelog": inline_changes,
}


def _customs(store: Store) -> dict[str, Show]:
    names = store.fields
    return {
        names.points: _points(False),
        names.estimate: _points(True),
        names.sprint: lambda r, i: [r.sprint_value(s) for s in i.sprints] or None,
        names.epic_link: _epic_link,
        names.parent_link: _parent_link,
        names.epic_name: lambda r, i: (
            i.summary if r.store.kinds[i.kind].level > 0 else None
        ),
        names.rank: lambda _, i: _rank(i),
        names.flagged: lambda r, i: [flag_option(r)] if i.flagged else None,
    }
