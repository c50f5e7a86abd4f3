"""Links between issues: their types, and making, reading and dropping one, seen from both ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import LINK_TYPES, Issue, Item, Json, Link, LinkType
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.operations import read_remark
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site


def get_link_types(site: Site, call: Call) -> Json:
    """Answer the types of links."""
    renderer = Renderer(site, call)
    return {"issueLinkTypes": [renderer.link_type(each) for each in LINK_TYPES]}


def get_link_type(site: Site, call: Call) -> Json:
    """Answer one type of links."""
    ref = call.parameters["type"]
    for each in LINK_TYPES:
        if each.id == ref:
            return Renderer(site, call).link_type(each)
    raise missing("issue link type", ref)


def create_link(site: Site, call: Call) -> Outcome:
    """Link two issues, optionally with a comment on the first."""
    asked = call.object()
    kind = _type_asked(asked.get("type"))
    first = _issue_asked(site, asked, "inwardIssue")
    second = _issue_asked(site, asked, "outwardIssue")
    if first.id == second.id:
        raise Refusal(400, "You cannot link an issue to itself.")
    remark = None
    if asked.get("comment") is not None:
        remark = read_remark(_object(asked["comment"], "comment"))

    identity = site.store.counters.take("link")
    author = site.me.account
    for issue, other, outward in ((first, second, True), (second, first, False)):
        link = Link(identity, kind.name, outward, other.id)
        issue.links = [*issue.links, link]
        item = _item(kind, link, other, gone=False)
        Changes(site).write(issue, [item], author)
    if remark is not None:
        Changes(site).remark(first, author, remark)
    return Outcome(201)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refusal(400, f"Can not deserialize '{name}': an object was expected.")
    return value


def _type_asked(value: Any) -> LinkType:
    asked = _object(value, "type")
    for each in LINK_TYPES:
        if asked.get("id") == each.id or asked.get("name") == each.name:
            return each
    ref = asked.get("name") or asked.get("id")
    raise Refusal(404, f"No issue link type with name '{ref}' found.")


def _issue_asked(site: Site, asked: Json, name: str) -> Issue:
    ref = _object(asked.get(name), name)
    return site.issue(ref.get("key") or ref.get("id"))


def _item(kind: LinkType, link: Link, other: Issue, *, gone: bool) -> Item:
    verb = kind.outward if link.outward else kind.inward
    told = (other.key, f"This issue {verb} {other.key}")
    nothing = (None, None)
    old, new = (told, nothing) if gone else (nothing, told)
    return Item("Link", "issuelinks", "jira", *old, *new)


def _ends(site: Site, call: Call) -> list[tuple[Issue, Link]]:
    """Return the issues of the link a call names, each with its side of it; 404 when one of them is not seen."""
    ref = call.parameters["link"]
    identity = as_identity(ref)
    ends = [
        (issue, link)
        for issue in site.store.issues.values()
        for link in issue.links
        if link.id == identity and site.store.seen(issue.project)
    ]
    if len(ends) < 2:
        raise Refusal(404, f"No issue link with id '{ref}' exists.")
    return ends


def get_link(site: Site, call: Call) -> Json:
    """Answer one link with both issues."""
    renderer = Renderer(site, call)
    shown: Json = {}
    for issue, link in _ends(site, call):
        shown |= renderer.link(link)
        side = "inwardIssue" if link.outward else "outwardIssue"
        shown[side] = renderer.small_issue(issue)
    return shown


def delete_link(site: Site, call: Call) -> Outcome:
    """Drop a link from both issues."""
    for issue, link in _ends(site, call):
        kind = next(each for each in LINK_TYPES if each.name == link.kind)
        issue.links = [each for each in issue.links if each.id != link.id]
        item = _item(kind, link, site.store.issues[link.other], gone=True)
        Changes(site).write(issue, [item], site.me.account)
    return Outcome(200 if site.cloud else 204)


ROUTES = table(
    {
        "GET issueLinkType": get_link_types,
        "GET issueLinkType/{type}": get_link_type,
        "POST issueLink": create_link,
        "GET issueLink/{link}": get_link,
        "DELETE issueLink/{link}": delete_link,
    }
)
