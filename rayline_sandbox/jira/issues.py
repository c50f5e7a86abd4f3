"""Single issues: read, create, edit, transition, delete, assign, comment, and the bulk fetch of Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rayline_sandbox.jira.audiences import is_within
from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.fields import fields_of
from rayline_sandbox.jira.issue_view import (
    choose,
    names_and_schema,
    show_issue,
    visible_comments,
)
from rayline_sandbox.jira.model import Comment, Issue, Json, Project
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.operations import read_remark
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.rendered import to_html
from rayline_sandbox.jira.routes import CLOUD, Outcome, table
from rayline_sandbox.jira.screens import edit_metadata
from rayline_sandbox.jira.setters import off_screen
from rayline_sandbox.jira.site import Call, Site, honour, strings
from rayline_sandbox.jira.workflow import numbered, transitions

BULK_LIMIT = 100
CREATE_LIMIT = 50
LISTED_LIMIT = 1000
_NOT_EXPANDED = frozenset({"properties"})
_COMMENT_ORDERS: dict[str, Callable[[Comment], int]] = {
    "created": lambda comment: comment.created
}


def get_issue(site: Site, call: Call) -> Json:
    """Answer one issue by id, key or former key; all fields unless some are named."""
    issue = site.issue(call.parameters["issue"])
    return _shown(site, call, issue, call.listed("fields"))


def _shown(site: Site, call: Call, issue: Issue, fields: Sequence[str]) -> Json:
    wish = choose(site.store, fields, "*all", call.listed("expand"))
    shown = show_issue(Renderer(site, call), issue, wish)
    shown |= names_and_schema(site.store, wish)
    keys = call.listed("properties")
    if keys:
        known = site.store.properties.get(("issue", str(issue.id)), {})
        is_all = "*all" in keys
        shown["properties"] = {
            key: known[key] for key in known if is_all or key in keys
        }
    return shown


def bulk_fetch(site: Site, call: Call) -> Json:
    """Answer up to 100 issues in ascending id; absent and unseen ones are simply not there."""
    asked = call.object()
    refs = strings(asked.get("issueIdsOrKeys"), "issueIdsOrKeys")
    if not 1 <= len(refs) <= BULK_LIMIT:
        raise Refusal(
            400, f"The number of issue ids or keys must be between 1 and {BULK_LIMIT}."
        )
    wish = choose(
        site.store,
        strings(asked.get("fields"), "fields"),
        "*navigable",
        strings(asked.get("expand"), "expand"),
    )
    by_id = {
        issue.id: issue
        for ref in refs
        if (issue := site.store.find_issue(ref)) is not None
    }
    renderer = Renderer(site, call)
    unloaded = call.shapes.get("unloaded_field", {})
    failed = [str(each) for each in unloaded.get("issues", ())]
    return {
        "issues": [
            show_issue(renderer, by_id[each], wish)
            for each in sorted(by_id)
            if str(each) not in failed
        ],
        "issueErrors": [
            {"id": each, "errorMessage": "The issue could not be loaded. Try again."}
            for each in failed
            if int(each) in by_id
        ],
    }


def create_issue(site: Site, call: Call) -> Outcome:
    """Create an issue."""
    issue = _create(site, call.object())
    return Outcome(201, _created(site, call, issue))


def _create(site: Site, asked: Any) -> Issue:
    fields = _fields(asked)
    update = asked.get("update")
    _editable(site, fields, update)
    return Changes(site).create(fields, site.me.account, update=update)


def _fields(asked: Any) -> Json:
    fields = asked.get("fields") if isinstance(asked, dict) else None
    if not isinstance(fields, dict):
        raise Refusal(400, errors={"fields": "Field 'fields' is required."})
    return fields


def _created(site: Site, call: Call, issue: Issue) -> Json:
    return {
        "id": str(issue.id),
        "key": issue.key,
        "self": f"{Renderer(site, call).rest}/issue/{issue.id}",
    }


def create_many(site: Site, call: Call) -> Outcome:
    """Create up to 50 issues; those that fail are reported by their place."""
    updates = call.object().get("issueUpdates") or []
    if not isinstance(updates, list):
        raise Refusal(400, errors={"issueUpdates": "data was not an array"})
    if len(updates) > CREATE_LIMIT:
        raise Refusal(400, f"At most {CREATE_LIMIT} issues can be created at once.")
    made: list[Json] = []
    errors: list[Json] = []
    for place, update in enumerate(updates):
        try:
            made.append(_created(site, call, _create(site, update)))
        except Refusal as refusal:
            errors.append(
                {
                    "status": refusal.status,
                    "failedElementNumber": place,
                    "elementErrors": {
                        "errorMessages": list(refusal.messages),
                        "errors": refusal.errors,
                    },
                }
            )
    return Outcome(
        201 if made or not updates else 400, {"issues": made, "errors": errors}
    )


def edit_issue(site: Site, call: Call) -> Outcome:
    """Set fields of an issue; answers the issue when asked to."""
    asked = call.object()
    issue = site.issue(call.parameters["issue"])
    _edit(site, issue, _fields({"fields": {}, **asked}), asked.get("update"))
    if not call.flag("returnIssue"):
        return Outcome(204)
    return Outcome(200, _shown(site, call, issue, ()))


def _edit(site: Site, issue: Issue, fields: Json, update: Any) -> None:
    _editable(site, fields, update)
    Changes(site).edit(issue, fields, site.me.account, update=update)


def _editable(site: Site, fields: Json, update: Any) -> None:
    known = {field.id for field in fields_of(site.store)} - {"status"}
    names = (*fields, *(update if isinstance(update, dict) else ()))
    if unknown := [name for name in names if name not in known]:
        raise off_screen(*unknown)


def delete_issue(site: Site, call: Call) -> Outcome:
    """Delete an issue; with sub-tasks only when asked."""
    Changes(site).delete(
        site.issue(call.parameters["issue"]), subtasks=call.flag("deleteSubtasks")
    )
    return Outcome(204)


def assign_issue(site: Site, call: Call) -> Outcome:
    """Set or clear the assignee."""
    asked = call.object()
    issue = site.issue(call.parameters["issue"])
    key = "accountId" if site.cloud else "name"
    who = asked.get(key)
    Changes(site).edit(
        issue, {"assignee": None if who is None else {"name": who}}, site.me.account
    )
    return Outcome(204)


# Moves ----------------------------------------------------------------------


def bulk_move(site: Site, call: Call) -> Outcome:
    """Move issues to other projects; the task that does it is over at once here."""
    mapping = call.object().get("targetToSourcesMapping")
    if not isinstance(mapping, dict) or not mapping:
        raise Refusal(
            400, errors={"targetToSourcesMapping": "The mapping must not be empty."}
        )
    moves = [
        (*_target(site, target), site.issue(ref))
        for target, source in mapping.items()
        for ref in strings(
            source.get("issueIdsOrKeys") if isinstance(source, dict) else None,
            "issueIdsOrKeys",
        )
    ]
    for _, kind, parent, issue in moves:
        Changes(site).check_move(issue, kind, parent)
    for project, kind, parent, issue in moves:
        Changes(site).move(issue, project, site.me.account, kind=kind, parent=parent)
    task = str(site.store.counters.take("task"))
    site.tasks[task] = [issue.id for *_, issue in moves]
    return Outcome(201, {"taskId": task})


def _target(site: Site, text: str) -> tuple[Project, str, int | None]:
    """Return project, type and parent of `PROJECT,TYPE` or `PROJECT,TYPE,PARENT`, each by id or key."""
    words = [word.strip() for word in text.split(",")]
    project, kind, parent, *more = [*words, "", ""]
    target = site.project(project)
    known = site.store.kinds.get(kind)
    if known is None or any(more) or not site.store.seen(target.id):
        raise Refusal(
            400,
            errors={
                "targetToSourcesMapping": f"The target '{text}' is not a project and issue type."
            },
        )
    return target, known.id, site.issue(parent).id if parent else None


def bulk_progress(site: Site, call: Call) -> Json:
    """Answer how far a bulk task is."""
    done = site.tasks.get(call.parameters["task"])
    if done is None:
        raise missing("task", call.parameters["task"])
    return {
        "taskId": call.parameters["task"],
        "status": "COMPLETE",
        "progressPercent": 100,
        "processedAccessibleIssues": done,
        "failedAccessibleIssues": {},
        "totalIssueCount": len(done),
        "invalidOrInaccessibleIssueCount": 0,
    }


# Transitions ----------------------------------------------------------------


def get_transitions(site: Site, call: Call) -> Json:
    """Answer the transitions: every status of the project can be reached, as in the simplified workflow."""
    issue = site.issue(call.parameters["issue"])
    wanted = call.request.first("transitionId")
    screens = "transitions.fields" in call.listed("expand")
    found = transitions(Renderer(site, call), issue, screens=screens)
    return {
        "expand": "transitions",
        "transitions": [each for each in found if wanted in (None, each["id"])],
    }


def get_edit_metadata(site: Site, call: Call) -> Json:
    """Answer what an edit of an issue may set."""
    issue = site.issue(call.parameters["issue"])
    return edit_metadata(Renderer(site, call), issue)


def do_transition(site: Site, call: Call) -> Outcome:
    """Make a transition, optionally setting a resolution and fields and carrying out operations."""
    asked = call.object()
    issue = site.issue(call.parameters["issue"])
    wanted = asked.get("transition")
    identity = ""
    if isinstance(wanted, dict):
        identity = str(wanted.get("id", ""))
    places = numbered(site.store, issue)
    if identity not in places:
        raise Refusal(
            400,
            "It seems that you have tried to perform a workflow operation that is "
            "not valid for the "
            "current state of this issue.",
        )
    fields = dict(_fields({"fields": {}, **asked}))
    resolution = _resolution(site, fields.pop("resolution", None))
    _edit(site, issue, fields, asked.get("update"))
    Changes(site).transition(
        issue,
        site.store.statuses[places[identity]],
        site.me.account,
        resolution=resolution,
    )
    return Outcome(204)


def _resolution(site: Site, ref: Any) -> str | None:
    if not isinstance(ref, dict):
        return None
    for resolution in site.store.resolutions.values():
        if ref.get("id") == resolution.id or ref.get("name") == resolution.name:
            return resolution.id
    raise Refusal(400, errors={"resolution": "The resolution selected is invalid."})


# Comments -------------------------------------------------------------------


def get_comments(site: Site, call: Call) -> Json:
    """Answer an issue's comments, oldest first unless asked otherwise."""
    issue = site.issue(call.parameters["issue"])
    honour(call.listed("expand"), _NOT_EXPANDED)
    start, size = call.page(50, 100)
    comments = call.ordered(
        visible_comments(site.store, issue), _COMMENT_ORDERS, "created"
    )
    end = start + size
    return {
        "startAt": start,
        "maxResults": size,
        "total": len(comments),
        "comments": [_shown_comment(site, call, each) for each in comments[start:end]],
    }


def _shown_comment(site: Site, call: Call, comment: Comment) -> Json:
    shown = Renderer(site, call).comment(comment)
    expand = honour(call.listed("expand"), _NOT_EXPANDED)
    if "renderedBody" in expand:
        shown["renderedBody"] = to_html(comment.body)
    return shown


def list_comments(site: Site, call: Call) -> Json:
    """Answer comments by their numbers; those that are not there or not seen are left out."""
    asked = strings(call.object().get("ids"), "ids")
    if not 0 < len(asked) <= LISTED_LIMIT:
        raise Refusal(
            400, errors={"ids": f"Between 1 and {LISTED_LIMIT} ids must be given."}
        )
    known = site.store.comments
    shown = []
    for ref in asked:
        comment = known.get(as_identity(ref) or 0)
        if comment is None or not is_within(comment.audience):
            continue
        if site.store.find_issue(comment.issue):
            shown.append(_shown_comment(site, call, comment))
    return offset_page(shown, 0, LISTED_LIMIT)


def add_comment(site: Site, call: Call) -> Outcome:
    """Add a comment by the calling account."""
    issue = site.issue(call.parameters["issue"])
    remark = read_remark(call.object())
    comment = Changes(site).remark(issue, site.me.account, remark)
    return Outcome(201, _shown_comment(site, call, comment))


def comment_of(site: Site, call: Call) -> Comment:
    """Return the comment a call names; 404 when the account may not read it."""
    issue = site.issue(call.parameters["issue"])
    identity = as_identity(call.parameters["id"])
    for comment in visible_comments(site.store, issue):
        if comment.id == identity:
            return comment
    raise missing("comment", call.parameters["id"])


def get_comment(site: Site, call: Call) -> Json:
    """Answer one comment."""
    return _shown_comment(site, call, comment_of(site, call))


def update_comment(site: Site, call: Call) -> Json:
    """Change the text of a comment, and who may read it when that is said."""
    comment = comment_of(site, call)
    remark = read_remark(call.object())
    Changes(site).reword(comment, site.me.account, remark)
    return _shown_comment(site, call, comment)


def delete_comment(site: Site, call: Call) -> Outcome:
    """Delete a comment."""
    Changes(site).unremark(comment_of(site, call), site.me.account)
    return Outcome(204)


ROUTES = (
    *table(
        {
            "POST issue/bulkfetch": bulk_fetch,
            "POST comment/list": list_comments,
            "POST bulk/issues/move": bulk_move,
            "GET bulk/queue/{task}": bulk_progress,
        },
        on=CLOUD,
    ),
    *table(
        {
            "POST issue/bulk": create_many,
            "POST issue": create_issue,
            "GET issue/{issue}": get_issue,
            "PUT issue/{issue}": edit_issue,
            "DELETE issue/{issue}": delete_issue,
            "GET issue/{issue}/editmeta": get_edit_metadata,
            "PUT issue/{issue}/assignee": assign_issue,
            "GET issue/{issue}/transitions": get_transitions,
            "POST issue/{issue}/transitions": do_transition,
            "GET issue/{issue}/comment": get_comments,
            "POST issue/{issue}/comment": add_comment,
            "GET issue/{issue}/comment/{id}": get_comment,
            "PUT issue/{issue}/comment/{id}": update_comment,
            "DELETE issue/{issue}/comment/{id}": delete_comment,
        }
    ),
)
