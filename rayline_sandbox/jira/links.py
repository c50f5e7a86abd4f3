"""Links between issues: their types, and making, reading and dropping one, seen from both ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Issue, Item, Json, Link, LinkType
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.operations import read_remark
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site

_TYPE_TEXTS = ("name", "inward", "outward")


def get_link_types(site: Site, call: Call) -> Json:
    """Answer the types of links."""
    renderer = Renderer(site, call)
    known = site.store.link_types.values()
    return {"issueLinkTypes": [renderer.link_type(each) for each in known]}


def get_link_type(site: Site, call: Call) -> Json:
    """Answer one type of links."""
    return Renderer(site, call).link_type(_type_of(site, call))


def _type_of(site: Site, call: Call) -> LinkType:
    ref = call.parameters["type"]
    known = site.store.link_types.get(ref)
    if known is None:
        raise missing("issue link type", ref)
    return known


def create_link_type(site: Site, call: Call) -> Outcome:
    """Make a type of links; only administrators may."""
    site.need_administrator()
    identity = str(site.store.counters.take("linktype", 10100))
    made = _type_said(site, call, LinkType(identity, "", "", ""))
    return Outcome(201, Renderer(site, call).link_type(made))


def update_link_type(site: Site, call: Call) -> Json:
    """Change a type of links; what is not said stays, and links keep the type."""
    site.need_administrator()
    known = _type_of(site, call)
    changed = _type_said(site, call, known)
    for issue in site.store.issues.values():
        issue.links = [_renamed(link, known, changed) for link in issue.links]
    return Renderer(site, call).link_type(changed)


def _renamed(link: Link, old: LinkType, new: LinkType) -> Link:
    return link._replace(kind=new.name) if link.kind == old.name else link


def _type_said(site: Site, call: Call, kind: LinkType) -> LinkType:
    asked = call.object()
    texts = {name: asked.get(name, getattr(kind, name)) for name in _TYPE_TEXTS}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise Refusal(
                400,
                errors={
                    name: f"'{name}' of a link type must be a text that is not empty."
                },
            )
    for other in site.store.link_types.values():
        if other.name == texts["name"] and other.id != kind.id:
            raise Refusal(
                400,
                errors={
                    "name": "Another link type has this name already; choose another one."
                },
            )
    changed = kind._replace(**texts)
    site.store.link_types[kind.id] = changed
    return changed


def delete_link_type(site: Site, call: Call) -> Outcome:
    """Drop a type of links, and its links."""
    site.need_administrator()
    gone = _type_of(site, call)
    del site.store.link_types[gone.id]
    for issue in site.store.issues.values():
        issue.links = [link for link in issue.links if link.kind != gone.name]
    return Outcome(204)


def create_link(site: Site, call: Call) -> Outcome:
    """Link two issues, optionally with a comment on the first."""
    asked = call.object()
    kind = _type_asked(site, asked.get("type"))
    first = _issue_asked(site, asked, "inwardIssue")
    second = _issue_asked(site, asked, "outwardIssue")
    if first.id == second.id:
        raise Refusal(
            400, "You cannot link an issue to itself; name two different issues."
        )
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


def _type_asked(site: Site, value: Any) -> LinkType:
    asked = _object(value, "type")
    for each in site.store.link_types.values():
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


def _kind_of(site: Site, link: Link) -> LinkType:
    known = site.store.link_types.values()
    return next(each for each in known if each.name == link.kind)


def delete_link(site: Site, call: Call) -> Outcome:
    """Drop a link from both issues."""
    for issue, link in _ends(site, call):
        kind = _kind_of(site, link)
        issue.links = [each for each in issue.links if each.id != link.id]
        item = _item(kind, link, site.store.issues[link.other], gone=True)
        Changes(site).write(issue, [item], site.me.account)
    return Outcome(200 if site.cloud else 204)


ROUTES = table(
    {
        "GET issueLinkType": get_link_types,
        "POST issueLinkType": create_link_type,
        "GET issueLinkType/{type}": get_link_type,
        "PUT issueLinkType/{type}": update_link_type,
        "DELETE issueLinkType/{type}": delete_link_type,
        "POST issueLink": create_link,
        "GET issueLink/{link}": get_link,
        "DELETE issueLink/{link}": delete_link,
    }
)
