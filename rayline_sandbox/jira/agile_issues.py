"""Lists of issues of boards, sprints and epics, by offset and by cursor, and the fields only the agile API shows.

Source: docs/facts/jira-api.md 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rayline_sandbox.jira.agile import board_of, epic_of, show_epic, sprint_of
from rayline_sandbox.jira.board_scope import columns_of, issues_on
from rayline_sandbox.jira.issue_view import Wish, choose, names_and_schema, show_issue
from rayline_sandbox.jira.jql_evaluate import find
from rayline_sandbox.jira.model import Board, Issue, Json
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.search import compile_text, page_size, token_page
from rayline_sandbox.jira.site import Call, Site

OWN_FIELDS = ("flagged", "sprint", "closedSprints", "epic")


def _board_issues(site: Site, call: Call) -> Sequence[int]:
    return issues_on(site, board_of(site, call))


def _backlog(site: Site, call: Call) -> Sequence[int]:
    store = site.store
    board = board_of(site, call)
    return [
        each
        for each in issues_on(site, board)
        if _in_backlog(site, board, store.issues[each])
    ]


def _in_backlog(site: Site, board: Board, issue: Issue) -> bool:
    """Tell whether an issue is open and in no sprint that is: on a Kanban board, in its first column too."""
    store = site.store
    if store.kinds[issue.kind].level < 0:
        return False
    if store.statuses[issue.status].category == "done":
        return False
    if board.kind != "scrum":
        return issue.status in columns_of(site, board)[0][1]
    sprints = [store.sprints[each] for each in issue.sprints]
    return all(sprint.state == "closed" for sprint in sprints)


def _sprint_issues(site: Site, call: Call) -> Sequence[int]:
    sprint = sprint_of(site, call).id
    issues = [
        issue.id for issue in site.store.issues.values() if sprint in issue.sprints
    ]
    return _on_board(site, call, issues)


def _epic_issues(site: Site, call: Call) -> Sequence[int]:
    store = site.store
    if call.parameters.get("epic", "none") == "none":
        children = [
            issue.id for issue in store.issues.values() if _is_loose(site, issue)
        ]
    else:
        epic = epic_of(site, call)
        children = list(store.children.get(epic.id, ()))
    return _on_board(site, call, children)


def _on_board(site: Site, call: Call, issues: Sequence[int]) -> Sequence[int]:
    """Return those of the issues that the board a call names has; all where it names none."""
    if "board" not in call.parameters:
        return issues
    known = frozenset(issues_on(site, board_of(site, call)))
    return [each for each in issues if each in known]


def _is_loose(site: Site, issue: Issue) -> bool:
    """Tell whether an issue could be in an epic and is in none."""
    return issue.parent is None and site.store.kinds[issue.kind].level == 0


def _narrow(site: Site, call: Call, pool: Sequence[int]) -> list[int]:
    plan = compile_text(site, call.text("jql"))
    plan.candidates = pool
    matches = find(plan, site.sight())
    if not plan.order:
        issues = site.store.issues
        matches.sort(key=lambda each: (issues[each].rank, each))
    return matches


# The fields only the agile API shows ----------------------------------------


def _own_wanted(words: Sequence[str]) -> frozenset[str]:
    """Return which of the agile fields a `fields` parameter asks for: all beside `*all`, `*navigable` or nothing."""
    named = frozenset(words)
    less = frozenset(word[1:] for word in words if word.startswith("-"))
    if not words or words[0].startswith(("*", "-")):
        return frozenset(OWN_FIELDS) - less
    return named.intersection(OWN_FIELDS)


def _own_fields(renderer: Renderer, issue: Issue) -> Json:
    sprints = [renderer.store.sprints[each] for each in issue.sprints]
    opened = [sprint for sprint in sprints if sprint.state != "closed"]
    closed = [sprint for sprint in sprints if sprint.state == "closed"]
    epic = _epic_above(renderer, issue)
    fields: Json = {
        "flagged": issue.flagged,
        "sprint": renderer.sprint(opened[-1]) if opened else None,
        "epic": show_epic(renderer, epic) if epic else None,
    }
    if closed:
        fields["closedSprints"] = [renderer.sprint(sprint) for sprint in closed]
    return fields


def _epic_above(renderer: Renderer, issue: Issue) -> Issue | None:
    store = renderer.store
    if issue.parent is None or store.level_of(issue.parent) < 1:
        return None
    return store.issues[issue.parent]


def _add_own(renderer: Renderer, call: Call, shown: Json) -> Json:
    """Return a shown issue with the agile fields asked for."""
    wanted = _own_wanted(call.listed("fields"))
    issue = renderer.store.shown(int(shown["id"]))
    if not wanted or issue is None:
        return shown
    own = _own_fields(renderer, issue)
    fields = shown.setdefault("fields", {})
    fields |= {name: own[name] for name in own if name in wanted}
    return shown


def get_issue(site: Site, call: Call) -> Json:
    """Answer one issue by id or key with its agile fields."""
    issue = site.issue(call.parameters["issue"])
    wish = choose(site.store, call.listed("fields"), "*all", call.listed("expand"))
    renderer = Renderer(site, call)
    shown = show_issue(renderer, issue, wish) | names_and_schema(site.store, wish)
    return _add_own(renderer, call, shown)


# Pages ----------------------------------------------------------------------


def _wish(site: Site, call: Call) -> Wish:
    fields = call.listed("fields")
    return choose(site.store, fields, "*navigable", call.listed("expand"))


def _offset_list(
    pool: Callable[[Site, Call], Sequence[int]],
) -> Callable[[Site, Call], Json]:
    def answer(site: Site, call: Call) -> Json:
        ids = _narrow(site, call, pool(site, call))
        start, size = call.page(50, 100, least=0)
        wish = _wish(site, call)
        renderer = Renderer(site, call)
        issues = []
        for identity in ids[start : start + size]:
            issue = site.store.issues[identity]
            shown = show_issue(renderer, issue, wish)
            issues.append(_add_own(renderer, call, shown))
        return {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": size,
            "total": len(ids),
            "issues": issues,
            **names_and_schema(site.store, wish),
        }

    return answer


def _cursor_list(
    pool: Callable[[Site, Call], Sequence[int]],
) -> Callable[[Site, Call], Json]:
    def answer(site: Site, call: Call) -> Json:
        bound = f"{call.request.path}\0{call.text('jql')}"
        _, size = call.page(50, 100)
        token = call.request.first("nextPageToken")
        if not token:
            found = _narrow(site, call, pool(site, call))
            number = site.walks.freeze(bound, found, site.now())
            token = site.walks.token(number, 0)
        number, offset, ids = site.open_walk(token, bound)
        wish = _wish(site, call)
        page = token_page(
            site,
            call,
            wish,
            place=(number, offset),
            ids=ids,
            size=page_size(call, wish, size),
        )
        renderer = Renderer(site, call)
        for shown in page["issues"]:
            _add_own(renderer, call, shown)
        return page

    return answer


_LISTS: dict[str, Callable[[Site, Call], Sequence[int]]] = {
    "GET board/{board}/issue": _board_issues,
    "GET board/{board}/backlog": _backlog,
    "GET sprint/{sprint}/issue": _sprint_issues,
    "GET board/{board}/sprint/{sprint}/issue": _sprint_issues,
    "GET epic/{epic}/issue": _epic_issues,
    "GET board/{board}/epic/{epic}/issue": _epic_issues,
}

ROUTES = (
    *table({"GET issue/{issue}": get_issue}, root="agile"),
    *table({name: _offset_list(pool) for name, pool in _LISTS.items()}, root="agile"),
    *table(
        {name: _cursor_list(pool) for name, pool in _LISTS.items()},
        on=CLOUD,
        root="software",
    ),
)
