"""Boards, sprints and epics: Agile 1.0, and the cursor lists of `/rest/software/1.0` (docs/facts/jira-api.md 1.2)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from rayline_sandbox.jira.board_scope import (
    columns_of,
    found_by,
    projects_on,
    referred_projects,
)
from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.instants import parse_stamp
from rayline_sandbox.jira.jql_evaluate import find
from rayline_sandbox.jira.model import (
    Board,
    EpicMark,
    Filter,
    Issue,
    Json,
    Project,
    Sprint,
)
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.ranking import issues_asked, place_issues
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, Outcome, table
from rayline_sandbox.jira.search import compile_text
from rayline_sandbox.jira.setters import check_family
from rayline_sandbox.jira.site import Call, Site, honour, whole
from rayline_sandbox.jira.store import Store

PAGE_LIMIT = 50
KANBAN_SUB_FILTER = "fixVersion in unreleasedVersions() OR fixVersion is EMPTY"
"""What a new Kanban board shows: nothing that is released."""
_NOT_EXPANDED = frozenset({"admins", "permissions"})
_BOARD_ORDERS: dict[str, Callable[[Board], Any]] = {
    "id": lambda b: b.id,
    "name": lambda b: b.name.casefold(),
}
EPIC_COLORS = frozenset(f"color_{number}" for number in range(1, 15))
_STATES = ("future", "active", "closed")
_LISTED = ("closed", "active", "future")


# Boards ---------------------------------------------------------------------


def get_boards(site: Site, call: Call) -> Json:
    """Answer the boards of visible projects, by project, type or name."""
    honour(call.listed("expand"), _NOT_EXPANDED)
    wanted = call.request.first("projectKeyOrId")
    kind = call.text("type")
    name = call.text("name").casefold()
    saved = call.parameters.get("filter") or call.text("filterId")
    project = site.project(wanted).id if wanted else None
    boards = []
    for board in site.store.boards.values():
        if not site.store.seen(board.project):
            continue
        if project is not None and not _concerns(site, board, project):
            continue
        if kind and board.kind not in kind.split(","):
            continue
        if saved not in ("", str(board.filter)):
            continue
        if name in board.name.casefold():
            boards.append(board)
    boards = call.ordered(boards, _BOARD_ORDERS, "id")
    page = offset_page(boards, *call.page(50, PAGE_LIMIT))
    renderer = Renderer(site, call)
    return {**page, "values": [show_board(renderer, board) for board in page["values"]]}


def get_boards_of_filter(site: Site, call: Call) -> Json:
    """Answer the boards over a saved search, each by its name alone."""
    page = get_boards(site, call)
    names = ("id", "self", "name")
    boards = [{name: board[name] for name in names} for board in page["values"]]
    return {**page, "values": boards}


def _concerns(site: Site, board: Board, project: int) -> bool:
    """Tell whether a board stands in a project or its filter refers to it."""
    referred = [each.id for each in referred_projects(site, board)]
    return board.project == project or project in referred


def show_board(renderer: Renderer, board: Board) -> Json:
    """Return a board; its location only on Cloud."""
    project = renderer.store.projects[board.project]
    shown: Json = {
        "id": board.id,
        "self": f"{renderer.base}/rest/agile/1.0/board/{board.id}",
        "name": board.name,
        "type": board.kind,
    }
    if not renderer.cloud:
        return shown
    title = f"{project.name} ({project.key})"
    return {
        **shown,
        "location": {
            "projectId": project.id,
            "displayName": title,
            "projectName": project.name,
            "projectKey": project.key,
            "projectTypeKey": project.kind,
            "avatarURI": f"{renderer.base}/avatar",
            "name": title,
        },
        "isPrivate": False,
    }


def board_of(site: Site, call: Call) -> Board:
    """Return the board a call names; 404 when it is gone or unseen."""
    ref = call.parameters["board"]
    board = site.store.boards.get(as_identity(ref) or 0)
    if board is None or not site.store.seen(board.project):
        raise Refusal(
            404,
            "Requested board cannot be viewed because it either does not exist or "
            "you do not have "
            "permission to view it.",
        )
    return board


def get_board(site: Site, call: Call) -> Json:
    """Answer one board."""
    return show_board(Renderer(site, call), board_of(site, call))


def get_board_configuration(site: Site, call: Call) -> Json:
    """Answer columns and estimation; done on a board is its right-most mapped column."""
    board = board_of(site, call)
    renderer = Renderer(site, call)
    names = {
        site.store.fields.points: "Story Points",
        site.store.fields.estimate: "Story point estimate",
    }
    estimation = (
        {
            "estimation": {
                "type": "field",
                "field": {
                    "fieldId": board.estimation,
                    "displayName": names.get(board.estimation, board.estimation),
                },
            }
        }
        if board.estimation and board.kind == "scrum"
        else {}
    )
    return {
        "id": board.id,
        "name": board.name,
        "type": board.kind,
        "self": f"{renderer.base}/rest/agile/1.0/board/{board.id}/configuration",
        "filter": {
            "id": str(board.filter),
            "self": f"{renderer.rest}/filter/{board.filter}",
        },
        "columnConfig": {
            "columns": [
                _column(renderer, *column) for column in columns_of(site, board)
            ],
            "constraintType": "none",
        },
        **({"subQuery": {"query": board.sub_filter}} if board.sub_filter else {}),
        **estimation,
        "ranking": {
            "rankCustomFieldId": int(site.store.fields.rank.rpartition("_")[2])
        },
    }


def _column(renderer: Renderer, name: str, statuses: Sequence[str]) -> Json:
    return {
        "name": name,
        "statuses": [
            {"id": each, "self": f"{renderer.rest}/status/{each}"} for each in statuses
        ],
    }


def create_board(site: Site, call: Call) -> Outcome:
    """Make a board over a saved search, in the project named or the one the search finds issues of."""
    asked = call.object()
    name = asked.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) < 255:
        raise Refusal(
            400, errors={"name": "The board name must have 1 to 254 characters."}
        )
    if asked.get("type") not in ("scrum", "kanban"):
        raise Refusal(
            400, errors={"type": "The board type must be one of scrum and kanban."}
        )
    number = whole(asked.get("filterId"), "filterId", 0)
    saved = site.store.filters.get(number)
    if saved is None:
        raise Refusal(
            400,
            errors={
                "filterId": "The filter does not exist, or you do not have permission to view it."
            },
        )
    project = _home(site, asked.get("location"), saved)
    identity = site.store.counters.take("board", 1)
    names = site.store.fields
    board = Board(
        id=identity, name=name, kind=asked["type"], project=project.id, filter=saved.id
    )
    board.estimation = names.estimate if project.simplified else names.points
    if board.kind == "kanban":
        board.sub_filter = KANBAN_SUB_FILTER
    site.store.boards[identity] = board
    return Outcome(201, show_board(Renderer(site, call), board))


def _home(site: Site, location: Any, saved: Filter) -> Project:
    if isinstance(location, dict) and location.get("type") == "project":
        return site.project(location.get("projectKeyOrId"))
    issues = find(compile_text(site, saved.jql), site.sight())
    if not issues:
        raise Refusal(
            400, errors={"filterId": "The filter finds no issue of a project here."}
        )
    first = site.store.issues[issues[0]]
    return site.store.projects[first.project]


def delete_board(site: Site, call: Call) -> Outcome:
    """Drop a board; its sprints and issues stay."""
    del site.store.boards[board_of(site, call).id]
    return Outcome(204)


def get_board_projects(site: Site, call: Call) -> Json:
    """Answer the projects a board's filter refers to or finds issues of."""
    projects = projects_on(site, board_of(site, call))
    return _page_projects(site, call, projects)


def get_referred_projects(site: Site, call: Call) -> Json:
    """Answer the projects a board's filter refers to."""
    projects = referred_projects(site, board_of(site, call))
    return _page_projects(site, call, projects)


def _page_projects(site: Site, call: Call, projects: Sequence[Project]) -> Json:
    renderer = Renderer(site, call)
    shown = [renderer.project(project) for project in projects]
    return offset_page(shown, *call.page(50, PAGE_LIMIT))


def get_board_versions(site: Site, call: Call) -> Json:
    """Answer the releases of a board's projects, those that are out or not when asked."""
    projects = [each.id for each in projects_on(site, board_of(site, call))]
    wanted = call.listed("released")
    renderer = Renderer(site, call)
    versions = []
    for version in site.store.versions.values():
        if version.project not in projects:
            continue
        if not wanted or str(version.released).lower() in wanted:
            versions.append({**renderer.release(version), "id": version.id})
    return offset_page(versions, *call.page(50, PAGE_LIMIT))


def get_quick_filters(site: Site, call: Call) -> Json:
    """Answer the quick filters of a board: none here."""
    board_of(site, call)
    return offset_page([], *call.page(50, PAGE_LIMIT))


def get_quick_filter(site: Site, call: Call) -> Json:
    """Refuse: no board here has quick filters."""
    board_of(site, call)
    raise missing("quick filter", call.parameters["filter"])


# Sprints --------------------------------------------------------------------


def get_board_sprints(site: Site, call: Call) -> Json:
    """Answer a Scrum board's sprints by state; refused for other boards."""
    board = board_of(site, call)
    if board.kind != "scrum":
        raise Refusal(
            400, "The board does not support sprints; only those of the type scrum do."
        )
    states = call.listed("state") or _STATES
    if strange := [state for state in states if state not in _STATES]:
        raise Refusal(400, f"Invalid sprint state: {strange[0]}")
    sprints = [
        s
        for s in site.store.sprints.values()
        if s.board == board.id and s.state in states
    ]
    sprints.sort(
        key=lambda sprint: (_LISTED.index(sprint.state), sprint.place or sprint.id)
    )
    page = offset_page(sprints, *call.page(50, PAGE_LIMIT))
    renderer = Renderer(site, call)
    return {**page, "values": [renderer.sprint(sprint) for sprint in page["values"]]}


def sprint_of(site: Site, call: Call) -> Sprint:
    """Return the sprint a call names."""
    ref = call.parameters["sprint"]
    sprint = site.store.sprints.get(as_identity(ref) or 0)
    if sprint is None or not _is_seen(site, sprint):
        raise Refusal(
            404, "Sprint does not exist or you do not have permission to view it."
        )
    return sprint


def _is_seen(site: Site, sprint: Sprint) -> bool:
    """Tell whether the account may see a sprint: who sees the project of its board, or everybody where it has none."""
    if sprint.board is None:
        return True
    board = site.store.boards.get(sprint.board)
    return board is None or site.store.seen(board.project)


def get_sprint(site: Site, call: Call) -> Json:
    """Answer one sprint."""
    return Renderer(site, call).sprint(sprint_of(site, call))


def create_sprint(site: Site, call: Call) -> Outcome:
    """Create a future sprint on a board."""
    asked = call.object()
    number = whole(asked.get("originBoardId"), "originBoardId", 0)
    board = site.store.boards.get(number)
    if board is None or board.kind != "scrum":
        raise Refusal(
            400,
            errors={
                "originBoardId": "The board does not exist or does not support sprints."
            },
        )
    if not str(asked.get("name") or "").strip():
        raise Refusal(
            400,
            errors={
                "name": "The sprint name must not be empty: a sprint is called something."
            },
        )
    identity = site.store.counters.take("sprint", 1)
    sprint = Sprint(
        id=identity, name="", state="future", board=board.id, created=site.now()
    )
    _apply(sprint, asked)
    site.store.sprints[identity] = sprint
    return Outcome(201, Renderer(site, call).sprint(sprint))


def update_sprint(site: Site, call: Call) -> Json:
    """Change a sprint: its texts and dates, start it, close it."""
    sprint = sprint_of(site, call)
    asked = call.object()
    state = asked.get("state", sprint.state)
    if sprint.state == "closed" and set(asked) - {"name", "goal"}:
        raise Refusal(
            400, "A closed sprint can not be changed, but for its name and its goal."
        )
    if state not in _next_states(sprint):
        raise Refusal(
            400,
            errors={"state": f"A sprint can not go from {sprint.state} to {state}."},
        )
    changed = copy.copy(sprint)
    _apply(changed, asked)
    is_dated = changed.start is not None and changed.end is not None
    if state == "active" and not is_dated:
        raise Refusal(
            400, errors={"startDate": "You must specify a start date for the sprint"}
        )
    if state == "closed" and sprint.state != "closed":
        changed.complete = site.now()
    changed.state = state
    # Boards and issues refer to sprints by number, so the whole record can be put in place at once.
    site.store.sprints[sprint.id] = changed
    return Renderer(site, call).sprint(changed)


def delete_sprint(site: Site, call: Call) -> Outcome:
    """Drop a sprint; its issues leave it."""
    sprint = sprint_of(site, call)
    for issue in site.store.issues.values():
        if sprint.id in issue.sprints:
            issue.sprints = tuple(each for each in issue.sprints if each != sprint.id)
    del site.store.sprints[sprint.id]
    return Outcome(204)


def swap_sprints(site: Site, call: Call) -> Outcome:
    """Let two sprints change places in their lists, which go by number here."""
    first = sprint_of(site, call)
    number = whole(call.object().get("sprintToSwapWith"), "sprintToSwapWith", 0)
    second = site.store.sprints.get(number)
    if second is None or not _is_seen(site, second):
        raise Refusal(
            404, "Sprint does not exist or you do not have permission to view it."
        )
    first.place, second.place = second.place or second.id, first.place or first.id
    return Outcome(204)


def _next_states(sprint: Sprint) -> Sequence[str]:
    """Return the states a sprint may be given: its own and the one after it."""
    place = _STATES.index(sprint.state)
    return _STATES[place : place + 2]


def _apply(sprint: Sprint, asked: Json) -> None:
    try:
        for name, attribute in (("startDate", "start"), ("endDate", "end")):
            if asked.get(name):
                setattr(sprint, attribute, parse_stamp(str(asked[name])))
    except ValueError:
        raise Refusal(400, errors={"startDate": "The date is not valid."}) from None
    sprint.name = str(asked.get("name") or sprint.name)
    sprint.goal = str(asked.get("goal", sprint.goal) or "")


def get_reports(site: Site, call: Call) -> Json:
    """Answer the reports of a board: none here."""
    board_of(site, call)
    return {"reports": []}


def get_features(site: Site, call: Call) -> Json:
    """Answer the features of a board, which only team-managed projects switch: none here."""
    board_of(site, call)
    return {"features": []}


def move_to_sprint(site: Site, call: Call) -> Outcome:
    """Put issues into a sprint."""
    sprint = sprint_of(site, call)
    if sprint.state == "closed":
        raise Refusal(
            400,
            "Issues can not be moved to a closed sprint; name a future or active one.",
        )
    _plan(site, call, [sprint.id])
    return Outcome(204)


def move_to_backlog(site: Site, call: Call) -> Outcome:
    """Take issues out of open sprints."""
    _plan(site, call, [])
    return Outcome(204)


def _plan(site: Site, call: Call, sprints: Sequence[int]) -> None:
    issues = issues_asked(site, call)
    place_issues(site, call, issues)
    for issue in issues:
        Changes(site).plan(issue, sprints, site.me.account)


def move_to_board_backlog(site: Site, call: Call) -> Outcome:
    """Take issues of a board out of its open sprints."""
    _members(site, call)
    return move_to_backlog(site, call)


def move_to_board(site: Site, call: Call) -> Outcome:
    """Put issues of a board's backlog on it: into its active sprint, the first column of a Kanban board."""
    board, issues = _members(site, call)
    if board.kind != "scrum":
        first = columns_of(site, board)[0][1]
        for issue in issues:
            if first:
                status = site.store.statuses[first[0]]
                Changes(site).transition(issue, status, site.me.account)
        return Outcome(204)
    active = [
        sprint.id
        for sprint in site.store.sprints.values()
        if sprint.board == board.id and sprint.state == "active"
    ]
    if not active:
        raise Refusal(
            400, "The board has no active sprint that the issues could be moved to."
        )
    _plan(site, call, active[:1])
    return Outcome(204)


def _members(site: Site, call: Call) -> tuple[Board, list[Issue]]:
    """Return a board and the issues a call names; refused when one of them is not of the board."""
    board = board_of(site, call)
    issues = issues_asked(site, call)
    on_board = frozenset(found_by(site, board))
    for issue in issues:
        if issue.id not in on_board:
            raise Refusal(
                400,
                f"The issue {issue.key} is not on this board: its filter does not find it.",
            )
    return board, issues


# Epics ----------------------------------------------------------------------


def epic_of(site: Site, call: Call) -> Issue:
    """Return the epic a call names."""
    issue = site.issue(call.parameters["epic"])
    if site.store.kinds[issue.kind].level < 1:
        raise Refusal(
            404, "Epic could not be found, or you do not have permission to view it."
        )
    return issue


def show_epic(renderer: Renderer, issue: Issue) -> Json:
    """Return an epic as boards show it."""
    mark = renderer.store.epic_marks.get(issue.id, EpicMark())
    return {
        "id": issue.id,
        "key": issue.key,
        "self": f"{renderer.base}/rest/agile/1.0/epic/{issue.id}",
        "name": issue.summary,
        "summary": issue.summary,
        "color": {"key": mark.color},
        **({"issueColor": {"key": "purple"}} if renderer.cloud else {}),
        "done": is_done(renderer.store, issue),
    }


def is_done(store: Store, issue: Issue) -> bool:
    """Tell whether an epic is marked done on boards, where its status says so unless somebody did."""
    mark = store.epic_marks.get(issue.id, EpicMark())
    if mark.done is not None:
        return mark.done
    return store.statuses[issue.status].category == "done"


def get_epic(site: Site, call: Call) -> Json:
    """Answer one epic."""
    return show_epic(Renderer(site, call), epic_of(site, call))


def update_epic(site: Site, call: Call) -> Json:
    """Change what is said of an epic; what is not said stays."""
    epic = epic_of(site, call)
    asked = call.object()
    strange = sorted(set(asked) - {"name", "summary", "color", "done"})
    if strange:
        raise Refusal(
            400,
            errors={
                strange[0]: "Unrecognized field of an epic: name, summary, color, done."
            },
        )
    mark = site.store.epic_marks.get(epic.id, EpicMark())
    color = asked.get("color", {"key": mark.color})
    if not isinstance(color, dict) or color.get("key") not in EPIC_COLORS:
        raise Refusal(
            400,
            errors={
                "color": "The color must be an object whose key is color_1 to color_14."
            },
        )
    done = asked.get("done", mark.done)
    if done is not None and not isinstance(done, bool):
        raise Refusal(400, errors={"done": "Whether an epic is done is true or false."})
    texts = [asked[each] for each in ("name", "summary") if each in asked]
    if texts:
        Changes(site).edit(epic, {"summary": texts[-1]}, site.me.account)
    site.store.epic_marks[epic.id] = EpicMark(color["key"], done)
    return show_epic(Renderer(site, call), epic)


def get_board_epics(site: Site, call: Call) -> Json:
    """Answer the epics a board's filter finds."""
    store = site.store
    board = board_of(site, call)
    epics = [
        store.issues[each]
        for each in found_by(site, board)
        if store.kinds[store.issues[each].kind].level > 0
    ]
    if call.request.first("done") is not None:
        wanted = call.flag("done")
        epics = [each for each in epics if is_done(store, each) == wanted]
    page = offset_page(epics, *call.page(50, PAGE_LIMIT))
    renderer = Renderer(site, call)
    del page["total"]
    return {**page, "values": [show_epic(renderer, each) for each in page["values"]]}


def move_to_epic(site: Site, call: Call) -> Outcome:
    """Put issues under an epic, all or none; the epic `none` takes them out."""
    parent = None
    if call.parameters["epic"] != "none":
        parent = epic_of(site, call).id
    issues = issues_asked(site, call)
    for issue in issues:
        check_family(site.store, issue, kind=issue.kind, parent=parent)
    fields = {"parent": None if parent is None else {"id": str(parent)}}
    for issue in issues:
        Changes(site).edit(issue, fields, site.me.account)
    return Outcome(204)


ROUTES = table(
    {
        "GET board/{board}/reports": get_reports,
        "GET board/{board}/features": get_features,
    },
    on=CLOUD,
    root="agile",
) + table(
    {
        "GET board": get_boards,
        "GET board/filter/{filter}": get_boards_of_filter,
        "POST board": create_board,
        "GET board/{board}": get_board,
        "DELETE board/{board}": delete_board,
        "POST board/{board}/issue": move_to_board,
        "GET board/{board}/project": get_board_projects,
        "GET board/{board}/project/full": get_referred_projects,
        "GET board/{board}/version": get_board_versions,
        "GET board/{board}/quickfilter": get_quick_filters,
        "GET board/{board}/quickfilter/{filter}": get_quick_filter,
        "GET board/{board}/configuration": get_board_configuration,
        "GET board/{board}/sprint": get_board_sprints,
        "GET board/{board}/epic": get_board_epics,
        "POST sprint": create_sprint,
        "GET sprint/{sprint}": get_sprint,
        "POST sprint/{sprint}": update_sprint,
        "PUT sprint/{sprint}": update_sprint,
        "DELETE sprint/{sprint}": delete_sprint,
        "POST sprint/{sprint}/issue": move_to_sprint,
        "POST sprint/{sprint}/swap": swap_sprints,
        "POST backlog/issue": move_to_backlog,
        "POST backlog/{board}/issue": move_to_board_backlog,
        "GET epic/{epic}": get_epic,
        "POST epic/{epic}": update_epic,
        "POST epic/{epic}/issue": move_to_epic,
    },
    root="agile",
)
