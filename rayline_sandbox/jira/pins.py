"""Comments that are pinned to the top of an issue; Data Center has them."""

from __future__ import annotations

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.issue_view import visible_comments
from rayline_sandbox.jira.issues import comment_of
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import SERVER, Outcome, table
from rayline_sandbox.jira.site import Call, Site


def get_pinned(site: Site, call: Call) -> list[Json]:
    """Answer the pinned comments of an issue, with who pinned them and when."""
    issue = site.issue(call.parameters["issue"])
    pinned = site.store.pinned.get(issue.id, {})
    renderer = Renderer(site, call)
    shown = []
    for comment in visible_comments(site.store, issue):
        if comment.id in pinned:
            account, at = pinned[comment.id]
            shown.append(
                {
                    "comment": renderer.comment(comment),
                    "pinnedBy": renderer.person(account),
                    "pinnedDate": renderer.stamp(at),
                }
            )
    return shown


def pin_comment(site: Site, call: Call) -> Outcome:
    """Pin a comment, or let it go: the body is `true` or `false`."""
    comment = comment_of(site, call)
    wish = call.body()
    if not isinstance(wish, bool):
        raise Refusal(
            400,
            "The request body must be true to pin a comment, or false to let it go.",
        )
    pinned = site.store.pinned.setdefault(comment.issue, {})
    if wish:
        pinned[comment.id] = (site.me.account, site.now())
    else:
        pinned.pop(comment.id, None)
    return Outcome(200)


ROUTES = table(
    {
        "GET issue/{issue}/pinned-comments": get_pinned,
        "PUT issue/{issue}/comment/{id}/pin": pin_comment,
    },
    on=SERVER,
)
