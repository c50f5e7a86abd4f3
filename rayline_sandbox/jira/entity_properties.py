"""Properties: any JSON that apps keep beside records, under keys of their own; one mechanism for all records."""

from __future__ import annotations

from collections.abc import Callable

from rayline_sandbox.jira.agile import board_of, sprint_of
from rayline_sandbox.jira.audiences import is_within
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.issue_view import is_seen
from rayline_sandbox.jira.model import Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.routes import Outcome, Route, table
from rayline_sandbox.jira.site import Call, Site

_LONGEST_KEY = 255
_LONGEST_VALUE = 32_768
Owner = tuple[str, str]
Find = Callable[[Site, Call], Owner]


# Whose ----------------------------------------------------------------------


def _of_issue(site: Site, call: Call) -> Owner:
    return "issue", str(site.issue(call.parameters["issue"]).id)


def _of_worklog(site: Site, call: Call) -> Owner:
    issue = site.issue(call.parameters["issue"])
    ref = call.parameters["worklog"]
    entry = site.store.worklogs.get(as_identity(ref) or 0)
    if entry is None or entry.issue != issue.id or not is_seen(entry):
        raise missing("worklog", ref)
    return "worklog", str(entry.id)


def _of_comment(site: Site, call: Call) -> Owner:
    ref = call.parameters["comment"]
    comment = site.store.comments.get(as_identity(ref) or 0)
    if comment is None or not is_within(comment.audience):
        raise missing("comment", ref)
    site.issue(comment.issue)
    return "comment", str(comment.id)


def _of_project(site: Site, call: Call) -> Owner:
    return "project", str(site.project(call.parameters["project"]).id)


def _of_kind(site: Site, call: Call) -> Owner:
    ref = call.parameters["kind"]
    if ref not in site.store.kinds:
        raise missing("issue type", ref)
    return "issuetype", ref


def _of_user(site: Site, call: Call) -> Owner:
    names = ("accountId",) if site.cloud else ("username", "userKey")
    given = [call.request.first(name) for name in names]
    ref = next(filter(None, given), None)
    user = site.store.find_user(ref) if ref else site.me
    if user is None:
        raise missing("user", ref)
    if user is not site.me:
        site.need_administrator()
    return "user", user.account


def _of_item(site: Site, call: Call) -> Owner:
    ref = call.parameters["dashboard"]
    dashboard = site.store.dashboards.get(as_identity(ref) or 0)
    item = call.parameters["item"]
    gadgets = dashboard.gadgets if dashboard else ()
    if all(str(gadget.id) != item for gadget in gadgets):
        raise missing("dashboard item", item)
    return "item", f"{ref}/{item}"


def _of_board(site: Site, call: Call) -> Owner:
    return "board", str(board_of(site, call).id)


def _of_sprint(site: Site, call: Call) -> Owner:
    return "sprint", str(sprint_of(site, call).id)


# Routes ---------------------------------------------------------------------


def _list_keys(find: Find) -> Callable[[Site, Call], Json]:
    def answer(site: Site, call: Call) -> Json:
        known = site.store.properties.get(find(site, call), {})
        address = f"{call.base}{call.request.path}"
        return {"keys": [{"self": f"{address}/{key}", "key": key} for key in known]}

    return answer


def _read_one(find: Find) -> Callable[[Site, Call], Json]:
    def answer(site: Site, call: Call) -> Json:
        key = call.parameters["property"]
        known = site.store.properties.get(find(site, call), {})
        if key not in known:
            raise _no_property(key)
        return {"key": key, "value": known[key]}

    return answer


def _write_one(find: Find) -> Callable[[Site, Call], Outcome]:
    def answer(site: Site, call: Call) -> Outcome:
        key = call.parameters["property"]
        known = site.store.properties.setdefault(find(site, call), {})
        is_new = key not in known
        known[key] = _value(call, key)
        return Outcome(201 if is_new else 200)

    return answer


def _delete_one(find: Find) -> Callable[[Site, Call], Outcome]:
    def answer(site: Site, call: Call) -> Outcome:
        key = call.parameters["property"]
        known = site.store.properties.get(find(site, call), {})
        if key not in known:
            raise _no_property(key)
        del known[key]
        return Outcome(204)

    return answer


def _value(call: Call, key: str) -> object:
    if len(key) > _LONGEST_KEY:
        raise Refusal(
            400,
            f"The key of a property has at most {_LONGEST_KEY} characters, not {len(key)}.",
        )
    if not 0 < len(call.request.body) <= _LONGEST_VALUE:
        raise Refusal(
            400, f"The value of a property is JSON of 1 to {_LONGEST_VALUE} characters."
        )
    return call.body()


def _no_property(key: str) -> Refusal:
    return Refusal(404, f"The property {key} does not exist.")


_OWNERS: tuple[tuple[str, str, Find], ...] = (
    ("api", "issue/{issue}/properties", _of_issue),
    ("api", "issue/{issue}/worklog/{worklog}/properties", _of_worklog),
    ("api", "comment/{comment}/properties", _of_comment),
    ("api", "project/{project}/properties", _of_project),
    ("api", "issuetype/{kind}/properties", _of_kind),
    ("api", "user/properties", _of_user),
    ("api", "dashboard/{dashboard}/items/{item}/properties", _of_item),
    ("agile", "board/{board}/properties", _of_board),
    ("agile", "sprint/{sprint}/properties", _of_sprint),
)


def _routes(root: str, template: str, find: Find) -> tuple[Route, ...]:
    single = f"{template}/{{property}}"
    return table(
        {
            f"GET {template}": _list_keys(find),
            f"GET {single}": _read_one(find),
            f"PUT {single}": _write_one(find),
            f"DELETE {single}": _delete_one(find),
        },
        root=root,
    )


ROUTES = tuple(route for owner in _OWNERS for route in _routes(*owner))
