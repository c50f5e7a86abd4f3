"""Records as the JSON of each face: Cloud v3 and v2, Data Center v2; one renderer per answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from rayline_sandbox.jira.audiences import show_audience
from rayline_sandbox.jira.documents import to_document, to_wiki
from rayline_sandbox.jira.instants import format_spent, format_stamp, format_zulu
from rayline_sandbox.jira.model import (
    CATEGORIES,
    Attachment,
    Change,
    Comment,
    Issue,
    Item,
    Json,
    Kind,
    Link,
    LinkType,
    Project,
    Sprint,
    Status,
    User,
    Version,
    Worklog,
)
from rayline_sandbox.jira.site import Call, Site

_AVATAR_SIZES = ("48x48", "24x24", "16x16", "32x32")
_COLORS = {"indeterminate": "inprogress"}


class Renderer:
    """Turns records into JSON for one call; `whole_seconds` is how a Data Center search writes instants.

    Source: docs/facts/jira-api.md 1.3.
    """

    def __init__(self, site: Site, call: Call, *, whole_seconds: bool = False) -> None:
        self.site = site
        self.call = call
        self.store = site.store
        self.cloud = site.cloud
        self.version = call.version
        self.base = site.self_base or call.base
        self.rest = f"{self.base}/rest/api/{call.version}"
        self._whole = whole_seconds
        self._cache: dict[tuple[str, object], Json] = {}

    def stamp(self, millis: int | None) -> str | None:
        """Return an instant in the account's zone."""
        return (
            None
            if millis is None
            else format_stamp(millis, self.site.zone, whole_seconds=self._whole)
        )

    def rich(self, value: Any) -> Any:
        """Return rich text as this version writes it."""
        if self.version == 3:
            return to_document(value)
        return to_wiki(value)

    def avatars(self) -> Json:
        """Return the picture links every person and project has."""
        return {size: f"{self.base}/avatar/{size}" for size in _AVATAR_SIZES}

    def _cached(self, kind: str, identity: object, make: Callable[[], Json]) -> Json:
        found = self._cache.get((kind, identity))
        if found is None:
            found = self._cache[kind, identity] = make()
        return found

    # People ---------------------------------------------------------------

    def person(self, account: str | None) -> Json | None:
        """Return a user inside another record."""
        if account is None:
            return None
        return self._cached(
            "user", account, lambda: self.user(self.store.users[account])
        )

    def user(self, user: User) -> Json:
        """Return a user with the identities of this deployment."""
        if not self.cloud:
            return {
                "self": f"{self.rest}/user?username={user.name}",
                "name": user.name,
                "key": user.key,
                "emailAddress": user.email,
                "avatarUrls": self.avatars(),
                "displayName": user.display,
                "active": user.active,
                "timeZone": user.zone,
            }
        shown = {"emailAddress": user.email} if user.email else {}
        return {
            "self": f"{self.rest}/user?accountId={user.account}",
            "accountId": user.account,
            **shown,
            "avatarUrls": self.avatars(),
            "displayName": user.display,
            "active": user.active,
            "timeZone": user.zone,
            "accountType": user.kind,
        }

    # Enumerations ---------------------------------------------------------

    def category(self, key: str) -> Json:
        """Return a status category."""
        category = CATEGORIES[key]
        return {
            "self": f"{self.rest}/statuscategory/{category.id}",
            "id": category.id,
            "key": category.key,
            "colorName": category.cloud_color if self.cloud else category.server_color,
            "name": category.name,
        }

    def status(self, status: Status) -> Json:
        """Return a status with its category."""

        def make() -> Json:
            scope = (
                {"scope": {"type": "PROJECT", "project": {"id": str(status.project)}}}
                if status.project
                else {}
            )
            return {
                "self": f"{self.rest}/status/{status.id}",
                "description": "",
                "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
                "name": status.name,
                "id": status.id,
                "statusCategory": self.category(status.category),
                **(scope if self.cloud else {}),
            }

        return self._cached("status", status.id, make)

    def kind(self, kind: Kind) -> Json:
        """Return an issue type."""

        def make() -> Json:
            level: Json = {}
            if self.cloud:
                level = {"avatarId": 10318, "hierarchyLevel": kind.level}
            elif kind.level < 1:
                # The type of epics has a picture of its own there (recorded).
                level = {"avatarId": 10303 if kind.name == "Bug" else 10318}
            return {
                "self": f"{self.rest}/issuetype/{kind.id}",
                "id": kind.id,
                "description": "",
                "iconUrl": f"{self.base}/images/icons/issuetypes/{kind.id}.svg",
                "name": kind.name,
                "subtask": kind.level < 0,
                **level,
            }

        return self._cached("kind", kind.id, make)

    def priority(self, identity: str | None) -> Json | None:
        """Return a priority."""
        if identity is None:
            return None
        return {
            "self": f"{self.rest}/priority/{identity}",
            "name": self.store.priorities[identity].name,
            "iconUrl": f"{self.base}/images/icons/priorities/{identity}.svg",
            "id": identity,
        }

    def resolution(self, identity: str | None) -> Json | None:
        """Return a resolution."""
        if identity is None:
            return None
        return {
            "self": f"{self.rest}/resolution/{identity}",
            "id": identity,
            "description": "",
            "name": self.store.resolutions[identity].name,
        }

    # Projects -------------------------------------------------------------

    def project(self, project: Project) -> Json:
        """Return a project inside an issue."""

        def make() -> Json:
            simplified = {"simplified": project.simplified} if self.cloud else {}
            return {
                "self": f"{self.rest}/project/{project.id}",
                "id": str(project.id),
                "key": project.key,
                "name": project.name,
                "projectTypeKey": project.kind,
                **simplified,
                "avatarUrls": self.avatars(),
            }

        return self._cached("project", project.id, make)

    def release(self, version: Version) -> Json:
        """Return a version."""
        dates = {"startDate": version.start, "releaseDate": version.release}
        today = self.site.sight().calendar.day(self.site.now())
        overdue = (
            {"overdue": version.release < today}
            if version.release and not version.released
            else {}
        )
        return {
            "self": f"{self.rest}/version/{version.id}",
            "id": str(version.id),
            "description": version.description,
            "name": version.name,
            "archived": version.archived,
            "released": version.released,
            **{name: value for name, value in dates.items() if value},
            **overdue,
            "projectId": version.project,
        }

    def component(self, identity: int) -> Json:
        """Return a component."""
        component = self.store.components[identity]
        return {
            "self": f"{self.rest}/component/{identity}",
            "id": str(identity),
            "name": component.name,
        }

    # Sprints --------------------------------------------------------------

    def sprint(self, sprint: Sprint) -> Json:
        """Return a sprint of the agile API; its dates are always UTC."""
        dates = {
            "startDate": sprint.start,
            "endDate": sprint.end,
            "completeDate": sprint.complete,
            "createdDate": sprint.created if self.cloud else None,
        }
        goal = {}
        if sprint.goal or sprint.start is not None:
            goal["goal"] = sprint.goal
        return {
            "id": sprint.id,
            "self": f"{self.base}/rest/agile/1.0/sprint/{sprint.id}",
            "state": sprint.state,
            "name": sprint.name,
            **{name: format_zulu(at) for name, at in dates.items() if at is not None},
            **({"originBoardId": sprint.board} if sprint.board is not None else {}),
            **goal,
            **({} if self.cloud else {"synced": False, "autoStartStop": False}),
        }

    def sprint_value(self, identity: int) -> Json | str:
        """Return a sprint as the Sprint field holds it: objects on Cloud, printed records on Data Center.

        Source: docs/facts/jira-api.md 2.5.
        """
        sprint = self.store.sprints[identity]
        if self.cloud:
            dates = {
                "startDate": sprint.start,
                "endDate": sprint.end,
                "completeDate": sprint.complete,
            }
            return {
                "id": sprint.id,
                "name": sprint.name,
                "state": sprint.state,
                "boardId": sprint.board or 0,
                "goal": sprint.goal,
                **{k: format_zulu(at) for k, at in dates.items() if at is not None},
            }
        dates_text = ",".join(
            f"{name}={'<null>' if at is None else format_zulu(at)}"
            for name, at in (
                ("startDate", sprint.start),
                ("endDate", sprint.end),
                ("completeDate", sprint.complete),
            )
        )
        return (
            f"com.atlassian.greenhopper.service.sprint.Sprint@{sprint.id:x}[id={sprint.id},rapidViewId="
            f"{sprint.board or '<null>'},state={sprint.state.upper()},name={sprint.name},{dates_text},"
            f"activatedDate=<null>,sequence={sprint.id},goal={sprint.goal},autoStartStop=false,synced=false]"
        )

    # History --------------------------------------------------------------

    def change(self, change: Change) -> Json:
        """Return one history entry."""
        author = {}
        if change.author:
            author["author"] = self.person(change.author)
        return {
            "id": str(change.id),
            **author,
            "created": self.stamp(change.at),
            "items": [self.item(item) for item in change.items],
        }

    def item(self, item: Item) -> Json:
        """Return one changed field; Data Center has no `fieldId`."""
        identity = {}
        if self.cloud and item.field_id:
            identity["fieldId"] = item.field_id
        return {
            "field": item.field,
            "fieldtype": item.kind,
            **identity,
            "from": item.old,
            "fromString": item.old_text,
            "to": item.new,
            "toString": item.new_text,
        }

    # Worklogs and comments ------------------------------------------------

    def worklog(self, entry: Worklog) -> Json:
        """Return booked time."""
        comment = {}
        if entry.comment:
            comment["comment"] = self.rich(entry.comment)
        return {
            "self": f"{self.rest}/issue/{entry.issue}/worklog/{entry.id}",
            "author": self.person(entry.author),
            "updateAuthor": self.person(entry.updater or entry.author),
            **comment,
            "created": self.stamp(entry.created),
            "updated": self.stamp(entry.updated),
            "started": self.stamp(entry.started),
            "timeSpent": format_spent(entry.seconds),
            "timeSpentSeconds": entry.seconds,
            **show_audience(entry.audience, cloud=self.cloud),
            "id": str(entry.id),
            "issueId": str(entry.issue),
        }

    def comment(self, comment: Comment) -> Json:
        """Return a comment."""
        public = {"jsdPublic": True} if self.cloud else {}
        return {
            "self": f"{self.rest}/issue/{comment.issue}/comment/{comment.id}",
            "id": str(comment.id),
            "author": self.person(comment.author),
            "body": self.rich(comment.body),
            "updateAuthor": self.person(comment.updater or comment.author),
            "created": self.stamp(comment.created),
            "updated": self.stamp(comment.updated),
            **show_audience(comment.audience, cloud=self.cloud),
            **public,
        }

    def votes(self, issue: Issue) -> Json:
        """Return how many voted for an issue."""
        accounts = self.store.votes.get(issue.id, ())
        return {
            "self": f"{self.rest}/issue/{issue.key}/votes",
            "votes": len(accounts),
            "hasVoted": self.site.me.account in accounts,
        }

    def watches(self, issue: Issue) -> Json:
        """Return how many watch an issue."""
        accounts = self.store.watchers.get(issue.id, ())
        return {
            "self": f"{self.rest}/issue/{issue.key}/watchers",
            "watchCount": len(accounts),
            "isWatching": self.site.me.account in accounts,
        }

    # Attachments ----------------------------------------------------------

    def attachments(self, issue: Issue) -> list[Json]:
        """Return the files at an issue."""
        known = self.store.attachments.values()
        return [self.attachment(each) for each in known if each.issue == issue.id]

    def attachment(self, file: Attachment) -> Json:
        """Return what is told of a file; its content is elsewhere."""
        content = f"{self.rest}/attachment/content/{file.id}"
        if not self.cloud:
            content = f"{self.base}/secure/attachment/{file.id}/{quote(file.name)}"
        return {
            "self": f"{self.rest}/attachment/{file.id}",
            "id": str(file.id),
            "filename": file.name,
            "author": self.person(file.author),
            "created": self.stamp(file.created),
            "size": len(file.content),
            "mimeType": file.kind,
            "content": content,
        }

    # Links ----------------------------------------------------------------

    def link_type(self, kind: LinkType) -> Json:
        """Return a type of links."""
        address = f"{self.rest}/issueLinkType/{kind.id}"
        return {**kind._asdict(), "self": address}

    def link(self, link: Link) -> Json:
        """Return a link with the issue at its other end."""
        side = "outwardIssue" if link.outward else "inwardIssue"
        kind = next(
            each for each in self.store.link_types.values() if each.name == link.kind
        )
        return {
            "id": str(link.id),
            "self": f"{self.rest}/issueLink/{link.id}",
            "type": self.link_type(kind),
            side: self.small_issue(self.store.issues[link.other]),
        }

    # Pages ----------------------------------------------------------------

    def small_issue(self, issue: Issue) -> Json:
        """Return an issue inside another one (parent, sub-task, link)."""
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": f"{self.rest}/issue/{issue.id}",
            "fields": {
                "summary": issue.summary,
                "status": self.status(self.store.statuses[issue.status]),
                **(
                    {"priority": self.priority(issue.priority)}
                    if issue.priority
                    else {}
                ),
                "issuetype": self.kind(self.store.kinds[issue.kind]),
            },
        }


def linked_page(page: Json, link: str) -> Json:
    """Return an offset page with its address, and that of the next page unless it is the last."""
    start = page["startAt"]
    linked = {"self": f"{link}{start}"}
    if not page["isLast"]:
        following = start + page["maxResults"]
        linked["nextPage"] = f"{link}{following}"
    return {**linked, **page}


def offset_page(items: Sequence[Any], start: int, size: int) -> Json:
    """Return the offset envelope and slice of a list that is already whole."""
    values = list(items[start : start + size])
    return {
        "maxResults": size,
        "startAt": start,
        "total": len(items),
        "isLast": start + len(values) >= len(items),
        "values": values,
    }
