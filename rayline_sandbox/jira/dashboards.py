"""Dashboards and their gadgets: read everywhere, made and changed on Cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Dashboard, Gadget, Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, Outcome, table
from rayline_sandbox.jira.site import Call, Site, whole

_COLORS = ("blue", "red", "yellow", "green", "cyan", "purple", "gray", "white")
_LISTS = ("", "my", "favourite")
_KINDS = (
    ("com.atlassian.jira.gadgets:filter-results-gadget", "Filter Results"),
    ("com.atlassian.jira.gadgets:pie-chart-gadget", "Pie Chart"),
)


# Dashboards -----------------------------------------------------------------


def _dashboard_of(site: Site, call: Call) -> Dashboard:
    ref = call.parameters["dashboard"]
    dashboard = site.store.dashboards.get(as_identity(ref) or 0)
    if dashboard is None:
        raise missing("dashboard", ref)
    return dashboard


def _own(site: Site, call: Call) -> Dashboard:
    """Return the dashboard a call names if it belongs to the account; 400 otherwise."""
    dashboard = _dashboard_of(site, call)
    if dashboard.owner != site.me.account:
        raise Refusal(
            400,
            "You are not the owner of this dashboard, and only its owner can change it.",
        )
    return dashboard


def _show(renderer: Renderer, dashboard: Dashboard) -> Json:
    shown: Json = {
        "id": str(dashboard.id),
        "isFavourite": False,
        "name": dashboard.name,
        "popularity": 0,
        "self": f"{renderer.rest}/dashboard/{dashboard.id}",
        "sharePermissions": list(dashboard.view),
        "editPermissions": list(dashboard.edit),
        "view": f"{renderer.base}/jira/dashboards/{dashboard.id}",
        "isWritable": dashboard.owner == renderer.site.me.account,
        "systemDashboard": dashboard.owner is None,
    }
    if dashboard.description:
        shown["description"] = dashboard.description
    if dashboard.owner:
        shown["owner"] = renderer.person(dashboard.owner)
    if renderer.cloud:
        return shown
    names = ("id", "name", "self", "view")
    return {name: shown[name] for name in names}


def get_dashboards(site: Site, call: Call) -> Json:
    """Answer the dashboards, the account's own or favourite ones when asked."""
    wish = call.text("filter")
    if wish not in _LISTS:
        raise Refusal(
            400, f"The value '{wish}' of 'filter' is neither 'my' nor 'favourite'."
        )
    known = list(site.store.dashboards.values())
    if wish == "my":
        known = [each for each in known if each.owner == site.me.account]
    elif wish:
        known = []
    page = offset_page(known, *call.page(20, 1000))
    renderer = Renderer(site, call)
    return {
        "startAt": page["startAt"],
        "maxResults": page["maxResults"],
        "total": page["total"],
        "dashboards": [_show(renderer, each) for each in page["values"]],
    }


def search_dashboards(site: Site, call: Call) -> Json:
    """Answer dashboards a page at a time, by a part of the name."""
    text = call.text("dashboardName").casefold()
    known = site.store.dashboards.values()
    named = [each for each in known if text in each.name.casefold()]
    page = offset_page(named, *call.page(50, 100))
    renderer = Renderer(site, call)
    page["values"] = [_show(renderer, each) for each in page["values"]]
    return {"self": f"{renderer.rest}/dashboard/search", **page}


def get_dashboard(site: Site, call: Call) -> Json:
    """Answer one dashboard."""
    return _show(Renderer(site, call), _dashboard_of(site, call))


def create_dashboard(site: Site, call: Call) -> Json:
    """Make a dashboard of the account."""
    number = site.store.counters.take("dashboard", 10001)
    blank = Dashboard(number, "", owner=site.me.account)
    return _kept(site, call, _said(call, blank))


def copy_dashboard(site: Site, call: Call) -> Json:
    """Make a dashboard with the gadgets of another."""
    source = _dashboard_of(site, call)
    number = site.store.counters.take("dashboard", 10001)
    copied = source._replace(id=number, owner=site.me.account)
    return _kept(site, call, _said(call, copied))


def update_dashboard(site: Site, call: Call) -> Json:
    """Give a dashboard another name, description and permissions."""
    return _kept(site, call, _said(call, _own(site, call)))


def delete_dashboard(site: Site, call: Call) -> Outcome:
    """Drop a dashboard of the account."""
    del site.store.dashboards[_own(site, call).id]
    return Outcome(204)


def _kept(site: Site, call: Call, dashboard: Dashboard) -> Json:
    site.store.dashboards[dashboard.id] = dashboard
    return _show(Renderer(site, call), dashboard)


def _said(call: Call, dashboard: Dashboard) -> Dashboard:
    asked = call.object()
    name = asked.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Refusal(
            400,
            errors={
                "name": "The name of a dashboard must not be empty or be left out."
            },
        )
    return dashboard._replace(
        name=name,
        description=str(asked.get("description") or ""),
        view=_permissions(asked, "sharePermissions"),
        edit=_permissions(asked, "editPermissions"),
    )


def _permissions(asked: Json, name: str) -> tuple[Json, ...]:
    given = asked.get(name)
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise Refusal(
            400,
            errors={
                name: f"'{name}' must be a list of permissions, which may be empty."
            },
        )
    return tuple(given)


# Gadgets --------------------------------------------------------------------


def get_kinds(site: Site, call: Call) -> Json:
    """Answer the gadgets there are."""
    return {
        "gadgets": [{"moduleKey": module, "title": title} for module, title in _KINDS]
    }


def _show_gadget(gadget: Gadget) -> Json:
    source = {"moduleKey": gadget.module} if gadget.module else {"uri": gadget.uri}
    return {
        "id": gadget.id,
        **source,
        "color": gadget.color,
        "position": {"row": gadget.row, "column": gadget.column},
        "title": gadget.title,
    }


def get_gadgets(site: Site, call: Call) -> Json:
    """Answer the gadgets of a dashboard, by their ids or modules when some are named."""
    ids = call.listed("gadgetId")
    modules = call.listed("moduleKey")
    return {
        "gadgets": [
            _show_gadget(each)
            for each in _dashboard_of(site, call).gadgets
            if (not ids or str(each.id) in ids)
            and (not modules or each.module in modules)
        ]
    }


def add_gadget(site: Site, call: Call) -> Json:
    """Put a gadget on a dashboard of the account."""
    dashboard = _own(site, call)
    asked = call.object()
    sources = [asked.get("moduleKey"), asked.get("uri")]
    if sum(each is not None for each in sources) != 1:
        raise Refusal(
            400, "Exactly one of 'moduleKey' and 'uri' must be given for a gadget."
        )
    number = site.store.counters.take("gadget")
    titles = dict(_KINDS)
    title = titles.get(sources[0] or "", "Gadget")
    blank = Gadget(
        id=number,
        module=sources[0],
        uri=sources[1],
        color="blue",
        title=title,
        row=0,
        column=0,
    )
    gadget = _gadget_said(asked, blank)
    _put_gadgets(site, dashboard, [*dashboard.gadgets, gadget])
    return _show_gadget(gadget)


def update_gadget(site: Site, call: Call) -> Outcome:
    """Change title, color or place of a gadget."""
    dashboard = _own(site, call)
    known = _gadget_of(dashboard, call)
    changed = _gadget_said(call.object(), known)
    gadgets = [changed if each is known else each for each in dashboard.gadgets]
    _put_gadgets(site, dashboard, gadgets)
    return Outcome(204)


def delete_gadget(site: Site, call: Call) -> Outcome:
    """Take a gadget off its dashboard."""
    dashboard = _own(site, call)
    gone = _gadget_of(dashboard, call)
    kept = [each for each in dashboard.gadgets if each is not gone]
    _put_gadgets(site, dashboard, kept)
    return Outcome(204)


def _put_gadgets(site: Site, dashboard: Dashboard, gadgets: Sequence[Gadget]) -> None:
    changed = dashboard._replace(gadgets=tuple(gadgets))
    site.store.dashboards[dashboard.id] = changed


def _gadget_of(dashboard: Dashboard, call: Call) -> Gadget:
    ref = call.parameters["gadget"]
    for each in dashboard.gadgets:
        if str(each.id) == ref:
            return each
    raise missing("gadget", ref)


def _gadget_said(asked: Json, gadget: Gadget) -> Gadget:
    color = asked.get("color") or gadget.color
    if color not in _COLORS:
        known = ", ".join(_COLORS)
        raise Refusal(
            400,
            errors={
                "color": f"'{color}' is no color of a gadget; it is one of {known}."
            },
        )
    place: Any = asked.get("position") or {}
    if not isinstance(place, dict):
        raise Refusal(
            400,
            errors={
                "position": "The position of a gadget is an object with a row and a column."
            },
        )
    return gadget._replace(
        color=color,
        title=str(asked.get("title") or gadget.title),
        row=whole(place.get("row"), "row", gadget.row),
        column=whole(place.get("column"), "column", gadget.column),
    )


ROUTES = (
    *table(
        {
            "GET dashboard/search": search_dashboards,
            "GET dashboard/gadgets": get_kinds,
            "POST dashboard": create_dashboard,
            "PUT dashboard/{dashboard}": update_dashboard,
            "DELETE dashboard/{dashboard}": delete_dashboard,
            "POST dashboard/{dashboard}/copy": copy_dashboard,
            "GET dashboard/{dashboard}/gadget": get_gadgets,
            "POST dashboard/{dashboard}/gadget": add_gadget,
            "PUT dashboard/{dashboard}/gadget/{gadget}": update_gadget,
            "DELETE dashboard/{dashboard}/gadget/{gadget}": delete_gadget,
        },
        on=CLOUD,
    ),
    *table(
        {"GET dashboard": get_dashboards, "GET dashboard/{dashboard}": get_dashboard}
    ),
)
