"""Saved searches: read, search, save, change, drop."""

from __future__ import annotations

from dataclasses import replace

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Filter, Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, Outcome, table
from rayline_sandbox.jira.search import compile_text
from rayline_sandbox.jira.site import Call, Site

_SHARED_WITH = (
    "project",
    "projectRole",
    "group",
    "loggedin",
    "authenticated",
    "global",
    "user",
)


def get_filter(site: Site, call: Call) -> Json:
    """Answer a saved search."""
    return _filter(Renderer(site, call), _filter_of(site, call))


def _filter(renderer: Renderer, saved: Filter) -> Json:
    return {
        "self": f"{renderer.rest}/filter/{saved.id}",
        "id": str(saved.id),
        "name": saved.name,
        "description": saved.description,
        "owner": renderer.person(saved.owner),
        "jql": saved.jql,
        "searchUrl": f"{renderer.rest}/search?jql=filter%3D{saved.id}",
        "viewUrl": f"{renderer.base}/issues/?filter={saved.id}",
        "favourite": saved.favourite,
        "favouritedCount": int(saved.favourite),
    }


def search_filters(site: Site, call: Call) -> Json:
    """Answer saved searches a page at a time; the JQL only with `expand=jql`."""
    text = call.text("filterName").casefold()
    expand = frozenset(call.listed("expand"))
    found = [
        saved for saved in site.store.filters.values() if text in saved.name.casefold()
    ]
    page = offset_page(found, *call.page(50, 100))
    renderer = Renderer(site, call)
    wanted = {"self", "id", "name"} | expand
    values = []
    for saved in page["values"]:
        shown = _filter(renderer, saved)
        values.append({name: shown[name] for name in shown if name in wanted})
    page["values"] = values
    return {"self": f"{renderer.rest}/filter/search", **page}


def _filter_of(site: Site, call: Call) -> Filter:
    """Return the saved search a call names."""
    identity = call.parameters["id"]
    saved = site.store.filters.get(as_identity(identity) or 0)
    if saved is None:
        raise Refusal(
            404,
            "The selected filter is not available to you, perhaps it has been "
            "deleted or had its "
            "permissions changed.",
        )
    return saved


def get_favourites(site: Site, call: Call) -> list[Json]:
    """Answer the account's favourite saved searches."""
    renderer = Renderer(site, call)
    known = site.store.filters.values()
    return [_filter(renderer, saved) for saved in known if saved.favourite]


def get_own(site: Site, call: Call) -> list[Json]:
    """Answer the saved searches of the account."""
    renderer = Renderer(site, call)
    known = site.store.filters.values()
    own = site.me.account
    return [_filter(renderer, saved) for saved in known if saved.owner == own]


def create_filter(site: Site, call: Call) -> Json:
    """Save a search under a name of its own."""
    blank = Filter(0, "", "", site.me.account)
    saved = _changed(site, blank, call.object())
    saved.id = site.store.counters.take("filter")
    site.store.filters[saved.id] = saved
    return _filter(Renderer(site, call), saved)


def update_filter(site: Site, call: Call) -> Json:
    """Change a saved search; what is not said stays."""
    saved = _changed(site, _filter_of(site, call), call.object())
    site.store.filters[saved.id] = saved
    return _filter(Renderer(site, call), saved)


def _changed(site: Site, saved: Filter, asked: Json) -> Filter:
    """Return a saved search with what a body says; 400 for a name or a query that cannot be."""
    name = asked.get("name", saved.name)
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, errors={"filterName": "You must specify a name."})
    for other in site.store.filters.values():
        if other.name == name and other.id != saved.id:
            raise Refusal(
                400, errors={"filterName": "Filter with same name already exists."}
            )
    jql = asked.get("jql", saved.jql)
    if not isinstance(jql, str):
        raise Refusal(400, errors={"jql": "The query must be a text."})
    compile_text(site, jql)
    return replace(
        saved,
        name=name,
        jql=jql,
        description=str(asked.get("description", saved.description) or ""),
        favourite=bool(asked.get("favourite", saved.favourite)),
    )


def get_permissions(site: Site, call: Call) -> list[Json]:
    """Answer with whom a saved search is shared."""
    return _permissions(_filter_of(site, call))


def _permissions(saved: Filter) -> list[Json]:
    return [{"id": number, **who} for number, who in saved.shared]


def add_permission(site: Site, call: Call) -> Outcome:
    """Share a saved search with a project, a group, people who are signed in, or everybody."""
    saved = _filter_of(site, call)
    asked = call.object()
    kind = asked.get("type")
    if kind not in _SHARED_WITH:
        raise Refusal(
            400,
            errors={
                "type": "A search is shared with one of " + ", ".join(_SHARED_WITH)
            },
        )
    who: Json = {"type": kind}
    if kind in ("project", "projectRole"):
        project = site.project(asked.get("projectId"))
        who["project"] = Renderer(site, call).project(project)
    if kind == "group":
        who["group"] = {"name": str(asked.get("groupname"))}
    number = site.store.counters.take("permission")
    saved.shared = (*saved.shared, (number, who))
    return Outcome(201, _permissions(saved))


def delete_permission(site: Site, call: Call) -> Outcome:
    """Share a saved search with somebody no longer."""
    saved = _filter_of(site, call)
    ref = as_identity(call.parameters["permission"])
    kept = tuple(each for each in saved.shared if each[0] != ref)
    if len(kept) == len(saved.shared):
        raise missing("permission", ref)
    saved.shared = kept
    return Outcome(204)


def delete_filter(site: Site, call: Call) -> Outcome:
    """Drop a saved search; 400 while a board stands on it."""
    saved = _filter_of(site, call)
    if any(board.filter == saved.id for board in site.store.boards.values()):
        raise Refusal(400, "The filter is used by a board.")
    del site.store.filters[saved.id]
    return Outcome(204)


ROUTES = (
    *table({"GET filter/search": search_filters, "GET filter/my": get_own}, on=CLOUD),
    *table(
        {
            "GET filter/favourite": get_favourites,
            "POST filter": create_filter,
            "GET filter/{id}": get_filter,
            "PUT filter/{id}": update_filter,
            "DELETE filter/{id}": delete_filter,
            "GET filter/{id}/permission": get_permissions,
            "POST filter/{id}/permission": add_permission,
            "DELETE filter/{id}/permission/{permission}": delete_permission,
        }
    ),
)
