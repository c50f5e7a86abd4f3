"""People and groups as forms look for them, and the groups of the site."""

from __future__ import annotations

import re
from html import escape

from rayline_sandbox.jira.audiences import GROUPS, members_of
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Json, User
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.site import Call, Site

_SHOWN = 20
_MOST = 50


def pick_users(site: Site, call: Call) -> Json:
    """Answer active people a part of whose name is asked for, with what matches in bold."""
    text = _needed(call, "query").casefold()
    size = min(call.integer("maxResults", _MOST), 1000)
    fitting = [
        user
        for user in site.store.users.values()
        if user.active and text in f"{user.display} {user.email}".casefold()
    ]
    shown = [_picked_user(site, user, text) for user in fitting[:size]]
    header = f"Showing {len(shown)} of {len(fitting)} matching users"
    return {"users": shown, "total": len(fitting), "header": header}


def _picked_user(site: Site, user: User, text: str) -> Json:
    names = {"accountId": user.account, "accountType": user.kind}
    if not site.cloud:
        names = {"name": user.name, "key": user.key}
    return {
        **names,
        "html": _bold(user.display, text),
        "displayName": user.display,
        "avatarUrl": "",
    }


def _bold(name: str, text: str) -> str:
    place = name.casefold().find(text)
    if not text or place < 0:
        return escape(name)
    end = place + len(text)
    parts = [escape(part) for part in (name[:place], name[place:end], name[end:])]
    return "{}<strong>{}</strong>{}".format(*parts)


def pick_groups(site: Site, call: Call) -> Json:
    """Answer groups a part of whose name is asked for."""
    text = call.text("query").casefold()
    left_out = call.request.every("exclude")
    fitting = [name for name in GROUPS if text in name and name not in left_out]
    size = call.integer("maxResults", _SHOWN)
    groups = [_picked_group(site, name, text) for name in fitting[:size]]
    header = f"Showing {len(groups)} of {len(fitting)} matching groups"
    return {"header": header, "total": len(fitting), "groups": groups}


def _picked_group(site: Site, name: str, text: str) -> Json:
    shown: Json = {"name": name, "html": _bold(name, text), "labels": []}
    if site.cloud:
        shown["groupId"] = GROUPS[name]
    return shown


def pick_both(site: Site, call: Call) -> Json:
    """Answer people and groups at once."""
    return {"users": pick_users(site, call), "groups": pick_groups(site, call)}


def _needed(call: Call, name: str) -> str:
    value = call.request.first(name)
    if value is None:
        raise Refusal(
            400, f"The query parameter '{name}' is required and was not given."
        )
    return value


# Groups ---------------------------------------------------------------------


def _group_asked(call: Call) -> str:
    name = call.request.first("groupname")
    identity = call.request.first("groupId")
    for known, its_id in GROUPS.items():
        if known == name or its_id == identity:
            return known
    if name is None and identity is None:
        raise Refusal(
            400,
            "A group must be named by the query parameter 'groupname' or 'groupId'.",
        )
    raise Refusal(
        404,
        f"The group named '{name or identity}' does not exist, or you cannot see it.",
    )


def _show_group(renderer: Renderer, name: str) -> Json:
    shown: Json = {"name": name}
    if renderer.cloud:
        shown["groupId"] = GROUPS[name]
    return {**shown, "self": f"{renderer.rest}/group?groupname={name}"}


def get_group(site: Site, call: Call) -> Json:
    """Answer one group, with up to 50 of its members when they are asked for."""
    name = _group_asked(call)
    renderer = Renderer(site, call)
    members = members_of(name, site.store)
    users: Json = {
        "size": len(members),
        "items": [],
        "max-results": _MOST,
        "start-index": 0,
        "end-index": 0,
    }
    bounds = re.search(r"\busers(?:\[(\d+):(\d+)\])?", call.text("expand"))
    if bounds:
        first = int(bounds[1] or 0)
        end = min(int(bounds[2] or _MOST) + 1, first + _MOST)
        items = [renderer.user(each) for each in members[first:end]]
        last = first + max(0, len(items) - 1)
        users |= {"items": items, "start-index": first, "end-index": last}
    return {**_show_group(renderer, name), "users": users, "expand": "users"}


def page_members(site: Site, call: Call) -> Json:
    """Answer the members of a group, a page at a time; those who left only when asked for."""
    members = members_of(_group_asked(call), site.store)
    if not call.flag("includeInactiveUsers"):
        members = [user for user in members if user.active]
    page = offset_page(members, *call.page(_MOST, _MOST))
    renderer = Renderer(site, call)
    return {**page, "values": [renderer.user(user) for user in page["values"]]}


def page_groups(site: Site, call: Call) -> Json:
    """Answer the groups of the site, a page at a time."""
    names = call.request.every("groupName")
    ids = call.request.every("groupId")
    chosen = [
        {"name": name, "groupId": identity}
        for name, identity in GROUPS.items()
        if not (names or ids) or name in names or identity in ids
    ]
    return offset_page(chosen, *call.page(_MOST, _MOST))


def get_groups_of_user(site: Site, call: Call) -> list[Json]:
    """Answer the groups a person is in."""
    ref = _needed(call, "accountId")
    user = site.store.find_user(ref)
    if user is None:
        raise Refusal(404, f"The user '{ref}' does not exist.")
    renderer = Renderer(site, call)
    return [
        _show_group(renderer, name)
        for name in GROUPS
        if user in members_of(name, site.store)
    ]


ROUTES = (
    *table(
        {"GET group/bulk": page_groups, "GET user/groups": get_groups_of_user}, on=CLOUD
    ),
    *table(
        {
            "GET user/picker": pick_users,
            "GET groups/picker": pick_groups,
            "GET groupuserpicker": pick_both,
            "GET group": get_group,
            "GET group/member": page_members,
        }
    ),
)
