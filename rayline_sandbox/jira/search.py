"""Search: the token pages of Cloud, the offset pages of Data Center, counts, validation and the removed endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.issue_view import Wish, choose, names_and_schema, show_issue
from rayline_sandbox.jira.jql import JqlSyntax, Query, parse
from rayline_sandbox.jira.jql_evaluate import Plan, compile_query, find
from rayline_sandbox.jira.jql_structure import structure_of
from rayline_sandbox.jira.model import Issue, Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import CLOUD, SERVER, table
from rayline_sandbox.jira.site import Call, Site, strings, whole

PAGE_LIMIT = 5000
PAGE_WITH_FIELDS = 100
WINDOW = 10_000
SERVER_PAGE = 1000
_BARE = frozenset({"id", "*none"})
RECONCILE_LIMIT = 50
_GONE = (
    "The requested API has been removed. Please migrate to the "
    "/rest/api/3/search/jql API. A full migration "
    "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def compile_text(site: Site, text: str) -> Plan:
    """Return the plan of a JQL text; syntax is 400 everywhere, unknown names only on Data Center."""
    try:
        plan = compile_query(parse(text), site.sight())
    except JqlSyntax as error:
        raise Refusal(400, str(error)) from None
    faults = dict.fromkeys([*plan.unknown, *plan.warnings])
    if faults and not site.cloud:
        raise Refusal(400, *faults)
    return plan


# Cloud ----------------------------------------------------------------------


def search_page(site: Site, call: Call) -> Json:
    """Answer one page of `search/jql`, asked by GET or POST."""
    asked = _asked(call)
    text = str(asked.get("jql") or "")
    size = whole(asked.get("maxResults"), "maxResults", 50)
    if not 1 <= size <= PAGE_LIMIT:
        raise Refusal(
            400, f"The value of maxResults must be between 1 and {PAGE_LIMIT}."
        )
    wish = _wish(site, call, asked)
    number, offset, ids = _place(site, asked, text)
    return token_page(
        site,
        call,
        wish,
        place=(number, offset),
        ids=ids,
        size=page_size(call, wish, size),
    )


def _asked(call: Call) -> Json:
    if call.request.method == "POST":
        return call.object()
    query = call.request
    asked: Json = {
        name: query.first(name)
        for name in ("jql", "maxResults", "nextPageToken", "expand")
    }
    return {
        **asked,
        "fields": list(call.listed("fields")),
        "failFast": call.flag("failFast"),
        "reconcileIssues": list(call.listed("reconcileIssues")),
    }


def _wish(site: Site, call: Call, asked: Json) -> Wish:
    if not isinstance(asked.get("expand") or "", str):
        raise Refusal(400, "The value of expand must be a comma-separated string.")
    expand = _words(asked.get("expand") or "")
    words = strings(asked.get("fields"), "fields")
    chosen = choose(site.store, words, "id", expand)
    wish = replace(chosen, bare=_BARE.issuperset(words))
    unloaded = call.shapes.get("unloaded_field")
    if unloaded is None:
        return wish
    if asked.get("failFast"):
        raise Refusal(500, "A field could not be loaded and failFast was requested.")
    name = str(unloaded.get("field", "status"))
    return replace(wish, left_out=frozenset({name}))


def page_size(call: Call, wish: Wish, size: int) -> int:
    """Return how many issues a page holds at most: fewer with fields, fewer still under a fault."""
    if wish.fields or wish.expand:
        size = min(size, PAGE_WITH_FIELDS)
    short = call.shapes.get("short_pages")
    if short is None:
        return size
    third = max(1, size // 3)
    most = int(short.get("size", third))
    return min(size, most)


def _place(site: Site, asked: Json, text: str) -> tuple[int, int, Sequence[int]]:
    reconcile = sorted(strings(asked.get("reconcileIssues"), "reconcileIssues"))
    numbers = [
        number for each in reconcile if (number := as_identity(each)) is not None
    ]
    if len(reconcile) > RECONCILE_LIMIT or len(numbers) < len(reconcile):
        raise Refusal(
            400, f"reconcileIssues takes at most {RECONCILE_LIMIT} numeric issue ids."
        )
    bound = f"{text}\0{','.join(reconcile)}"
    token = asked.get("nextPageToken")
    if token:
        return site.open_walk(str(token), bound)
    ids = _reconciled(site, text, numbers)
    number = site.walks.freeze(bound, ids, site.now())
    return number, 0, ids


def bounded_plan(site: Site, text: str) -> Plan:
    """Return the plan of a query that must have some restriction."""
    plan = compile_text(site, text)
    if not plan.bounded:
        raise Refusal(
            400,
            "Unbounded JQL queries are not allowed here. Please add a search "
            "restriction to your query.",
        )
    return plan


def _reconciled(site: Site, text: str, reconcile: Sequence[int]) -> list[int]:
    plan = bounded_plan(site, text)
    for identity in reconcile:
        site.store.stale.pop(identity, None)
    return find(plan, site.sight())


def token_page(
    site: Site,
    call: Call,
    wish: Wish,
    *,
    place: tuple[int, int],
    ids: Sequence[int],
    size: int,
) -> Json:
    """Return one page of a frozen walk, shaped by the faults in force; issues gone since are left out."""
    number, offset = place
    if "empty_page_with_token" in call.shapes:
        return {
            "issues": [],
            "nextPageToken": site.walks.token(number, offset),
            "isLast": False,
        }
    renderer = Renderer(site, call)
    end = offset + size
    shown = _alive(site, ids[offset:end])
    issues = [show_issue(renderer, issue, wish) for issue in shown]
    last = end >= len(ids)
    most = call.shapes.get("warnings", {}).get("rows")
    if most is not None:
        issues = issues[: int(most)]
        last = True
    repeated = "repeat_token" in call.shapes
    page: Json = {"issues": issues, "isLast": last and not repeated}
    if repeated:
        page["nextPageToken"] = site.walks.token(number, offset)
    elif not last:
        page["nextPageToken"] = site.walks.token(number, end)
    if "warnings" in call.shapes:
        page["warnings"] = [
            {
                "type": call.shapes["warnings"].get("type", "CLAUSE_RESULT_TRUNCATED"),
                "message": "The result of a clause was truncated.",
                "details": {},
            }
        ]
    return page | names_and_schema(site.store, wish)


def _alive(site: Site, ids: Sequence[int]) -> list[Issue]:
    found = (site.store.shown(identity) for identity in ids)
    return [issue for issue in found if issue is not None and site.store.indexes(issue)]


def count_issues(site: Site, call: Call) -> Json:
    """Answer `search/approximate-count`."""
    text = str(call.object().get("jql") or "")
    plan = bounded_plan(site, text)
    found = find(plan, site.sight())
    return {"count": len(found)}


def parse_queries(site: Site, call: Call) -> Json:
    """Answer `jql/parse`: errors and warnings per query; an unknown user is only a warning."""
    mode = call.text("validation", "strict")
    if mode not in ("strict", "warn", "none"):
        raise Refusal(400, f"The validation '{mode}' is not one of strict, warn, none.")
    queries = strings(call.object().get("queries"), "queries")
    if not queries:
        raise Refusal(400, "The list of queries must not be empty.")
    return {"queries": [_parsed(site, text, mode) for text in queries]}


def _parsed(site: Site, text: str, mode: str) -> Json:
    try:
        query: Query = parse(text)
        plan = compile_query(query, site.sight())
    except JqlSyntax as error:
        return {"query": text, "errors": [str(error)]}
    errors: list[str] = []
    warnings = list(plan.warnings)
    if mode == "strict":
        errors += dict.fromkeys(plan.unknown)
    if mode == "warn":
        warnings += plan.unknown
    parsed: Json = {"query": text}
    if errors:
        parsed["errors"] = errors
    else:
        parsed["structure"] = structure_of(query)
    if warnings and mode != "none":
        parsed["warnings"] = list(dict.fromkeys(warnings))
    return parsed


def removed_search(site: Site, call: Call) -> Json:
    """Answer the removed search of Cloud."""
    raise Refusal(410, _GONE)


# Data Center ----------------------------------------------------------------


def search_offset(site: Site, call: Call) -> Json:
    """Answer the offset-paged search; beyond the result window it fails (docs/facts/jira-api.md 1.3)."""
    asked = _asked_offset(call)
    start = whole(asked.get("startAt"), "startAt", 0)
    size = whole(asked.get("maxResults"), "maxResults", 50)
    if start < 0 or size < 0:
        raise Refusal(400, "startAt and maxResults must not be negative.")
    if start + size > WINDOW:
        raise Refusal(
            400,
            "Search result window is too large, startAt + maxResults must be at "
            f"most {WINDOW}.",
        )
    expand = _words(asked.get("expand"))
    fields = _words(asked.get("fields"))
    wish = choose(site.store, fields, "*navigable", expand)
    plan = _lenient(site, asked)
    ids = find(plan, site.sight())
    renderer = Renderer(site, call, whole_seconds=True)
    size = min(size, SERVER_PAGE)
    end = start + size
    shown = _alive(site, ids[start:end])
    issues = [show_issue(renderer, issue, wish) for issue in shown]
    return {
        "expand": "schema,names",
        "startAt": start,
        "maxResults": size,
        "total": len(ids),
        "issues": issues,
        "warningMessages": None,
        "names": None,
        "schema": None,
        **names_and_schema(site.store, wish),
    }


def _lenient(site: Site, asked: Json) -> Plan:
    text = str(asked.get("jql") or "")
    validate = str(asked.get("validateQuery", "true")).casefold()
    if validate in ("true", "strict"):
        return compile_text(site, text)
    try:
        return compile_query(parse(text), site.sight())
    except JqlSyntax as error:
        raise Refusal(400, str(error)) from None


def _asked_offset(call: Call) -> Json:
    if call.request.method == "POST":
        return call.object()
    names = ("jql", "startAt", "maxResults", "validateQuery")
    asked: Json = {}
    for name in names:
        value = call.request.first(name)
        if value is not None:
            asked[name] = value
    return {
        **asked,
        "fields": list(call.listed("fields")),
        "expand": list(call.listed("expand")),
    }


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return strings(value, "list")


ROUTES = (
    *table(
        {
            "GET search/jql": search_page,
            "POST search/jql": search_page,
            "POST search/approximate-count": count_issues,
            "POST jql/parse": parse_queries,
            "GET search": removed_search,
            "POST search": removed_search,
        },
        on=CLOUD,
    ),
    *table({"GET search": search_offset, "POST search": search_offset}, on=SERVER),
)
