"""Links from issues to what is not in Jira."""

from __future__ import annotations

from collections.abc import Mapping

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Issue, Json, RemoteLink
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site

_LONGEST_KEY = 255


def get_links(site: Site, call: Call) -> list[Json] | Json:
    """Answer the remote links of an issue, or the one a `globalId` names."""
    issue = site.issue(call.parameters["issue"])
    renderer = Renderer(site, call)
    key = call.request.first("globalId")
    if key is not None:
        return _show(renderer, _keyed(site, issue, key))
    return [_show(renderer, each) for each in _links_of(site, issue)]


def get_link(site: Site, call: Call) -> Json:
    """Answer one remote link."""
    return _show(Renderer(site, call), _link_asked(site, call))


def put_link(site: Site, call: Call) -> Outcome:
    """Make a remote link, or change the one that has its `globalId`."""
    issue = site.issue(call.parameters["issue"])
    asked = call.object()
    known = [
        each
        for each in _links_of(site, issue)
        if each.key is not None and each.key == asked.get("globalId")
    ]
    identity = known[0].id if known else site.store.counters.take("remotelink")
    site.store.remote_links[identity] = _read(asked, identity, issue)
    shown = {"id": identity, "self": _address(Renderer(site, call), issue, identity)}
    return Outcome(200 if known else 201, shown)


def update_link(site: Site, call: Call) -> Outcome:
    """Put another remote link in the place of one."""
    link = _link_asked(site, call)
    issue = site.store.issues[link.issue]
    site.store.remote_links[link.id] = _read(call.object(), link.id, issue)
    return Outcome(204)


def delete_link(site: Site, call: Call) -> Outcome:
    """Drop a remote link by its id."""
    del site.store.remote_links[_link_asked(site, call).id]
    return Outcome(204)


def delete_keyed(site: Site, call: Call) -> Outcome:
    """Drop a remote link by its `globalId`."""
    issue = site.issue(call.parameters["issue"])
    key = call.request.first("globalId")
    if key is None:
        raise Refusal(
            400,
            "The query parameter 'globalId' is required to delete a link without its id.",
        )
    del site.store.remote_links[_keyed(site, issue, key).id]
    return Outcome(204)


def _links_of(site: Site, issue: Issue) -> list[RemoteLink]:
    known = site.store.remote_links.values()
    return [link for link in known if link.issue == issue.id]


def _keyed(site: Site, issue: Issue, key: str) -> RemoteLink:
    for link in _links_of(site, issue):
        if link.key == key:
            return link
    raise missing("remote link", key)


def _link_asked(site: Site, call: Call) -> RemoteLink:
    issue = site.issue(call.parameters["issue"])
    ref = call.parameters["link"]
    link = site.store.remote_links.get(as_identity(ref) or 0)
    if link is None or link.issue != issue.id:
        raise missing("remote link", ref)
    return link


def _read(asked: Json, identity: int, issue: Issue) -> RemoteLink:
    """Return the link a body says; 400 without an address and a title."""
    target = asked.get("object")
    if not isinstance(target, Mapping):
        raise Refusal(
            400,
            errors={
                "object": "'object' is required: what the link leads to, with url and title."
            },
        )
    for name in ("url", "title"):
        if not isinstance(target.get(name), str) or not target[name].strip():
            raise Refusal(
                400,
                errors={
                    name: f"'{name}' of the object is required, and must not be empty."
                },
            )
    application = asked.get("application") or {}
    if not isinstance(application, Mapping):
        raise Refusal(
            400,
            errors={
                "application": "The application is an object with a type and a name."
            },
        )
    return RemoteLink(
        id=identity,
        issue=issue.id,
        key=_short(asked, "globalId"),
        target=dict(target),
        application=dict(application),
        relationship=_short(asked, "relationship"),
    )


def _short(asked: Json, name: str) -> str | None:
    value = asked.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_KEY:
        raise Refusal(
            400, errors={name: f"'{name}' is a text of {_LONGEST_KEY} characters."}
        )
    return value


def _address(renderer: Renderer, issue: Issue, identity: int) -> str:
    return f"{renderer.rest}/issue/{issue.key}/remotelink/{identity}"


def _show(renderer: Renderer, link: RemoteLink) -> Json:
    issue = renderer.store.issues[link.issue]
    shown: Json = {"id": link.id, "self": _address(renderer, issue, link.id)}
    if link.key is not None:
        shown["globalId"] = link.key
    shown["application"] = link.application
    if link.relationship is not None:
        shown["relationship"] = link.relationship
    shown["object"] = {"icon": {}, "status": {"icon": {}}, **link.target}
    return shown


ROUTES = table(
    {
        "GET issue/{issue}/remotelink": get_links,
        "POST issue/{issue}/remotelink": put_link,
        "DELETE issue/{issue}/remotelink": delete_keyed,
        "GET issue/{issue}/remotelink/{link}": get_link,
        "PUT issue/{issue}/remotelink/{link}": update_link,
        "DELETE issue/{issue}/remotelink/{link}": delete_link,
    }
)
