"""What is on a board: the issues its filter finds, less what the board itself leaves out, and their projects."""

from __future__ import annotations

from collections.abc import Sequence

from rayline_sandbox.jira.jql import Clause, Condition, Literal, Logic, Many, parse
from rayline_sandbox.jira.jql_evaluate import find
from rayline_sandbox.jira.jql_values import projects_named
from rayline_sandbox.jira.model import Board, Project
from rayline_sandbox.jira.search import compile_text
from rayline_sandbox.jira.site import Site


def columns_of(site: Site, board: Board) -> list[tuple[str, tuple[str, ...]]]:
    """Return a board's columns; one without its own has one per category."""
    if board.columns:
        return board.columns
    statuses = site.store.statuses
    own = {
        status: None
        for project in _referred(site, board) or (board.project,)
        for status in site.store.projects[project].statuses
    }
    return [
        (title, tuple(s for s in own if statuses[s].category in categories))
        for title, categories in (
            ("To Do", ("new", "undefined")),
            ("In Progress", ("indeterminate",)),
            ("Done", ("done",)),
        )
    ]


def issues_on(site: Site, board: Board) -> list[int]:
    """Return what stands in a column of a board: never an epic of a Scrum board."""
    store = site.store
    mapped = {each for _, statuses in columns_of(site, board) for each in statuses}
    on_board = []
    for identity in found_by(site, board):
        issue = store.issues[identity]
        is_left_out = board.kind == "scrum" and store.kinds[issue.kind].level > 0
        if issue.status in mapped and not is_left_out:
            on_board.append(identity)
    return on_board


def found_by(site: Site, board: Board) -> Sequence[int]:
    """Return the issues the filter of a board finds and its sub-filter leaves."""
    saved = site.store.filters.get(board.filter)
    text = saved.jql if saved else ""
    issues = find(compile_text(site, text), site.sight())
    if board.kind == "scrum" or not board.sub_filter:
        return issues
    narrower = compile_text(site, board.sub_filter)
    narrower.candidates = issues
    return find(narrower, site.sight())


def referred_projects(site: Site, board: Board) -> list[Project]:
    """Return the projects the filter of a board names such that it finds no issue of another, by name."""
    return _by_name(site, _referred(site, board))


def projects_on(site: Site, board: Board) -> list[Project]:
    """Return the projects a board's filter refers to, and those of its issues, by name."""
    issues = site.store.issues
    held = {issues[each].project for each in issues_on(site, board)}
    return _by_name(site, held | _referred(site, board))


def _by_name(site: Site, identities: set[int]) -> list[Project]:
    known = site.store.projects
    seen = [known[each] for each in identities if site.store.seen(each)]
    return sorted(seen, key=lambda project: project.name.casefold())


def _referred(site: Site, board: Board) -> set[int]:
    saved = site.store.filters.get(board.filter)
    where = parse(saved.jql).where if saved else None
    return _bounds(site, where) or set()


def _bounds(site: Site, condition: Condition | None) -> set[int] | None:
    """Return the projects a condition cannot leave, None when it may find issues of any."""
    match condition:
        case Clause(name, "=" | "in", operand) if name.casefold() == "project":
            items = operand.items if isinstance(operand, Many) else (operand,)
            texts = [each.text for each in items if isinstance(each, Literal)]
            named = [projects_named(site.store, text) for text in texts]
            return set().union(*named) if len(texts) == len(items) else None
        case Logic(operator, parts):
            bounds = [_bounds(site, part) for part in parts]
            known = [each for each in bounds if each is not None]
            if operator == "or":
                return set().union(*known) if len(known) == len(bounds) else None
            return set.intersection(*known) if known else None
        case _:
            return None
