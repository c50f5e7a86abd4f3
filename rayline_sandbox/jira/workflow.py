"""What can be done with an issue: its transitions, and the links of its page that carry operations out."""

from __future__ import annotations

from rayline_sandbox.jira.model import Issue, Json
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.store import Store

_OPERATIONS = """
edit-issue|Edit|Edit this issue|EditIssue!default.jspa
comment-issue|Comment|Comment on this issue|AddComment!default.jspa
assign-issue|Assign|Assign this issue|AssignIssue!default.jspa
log-work|Log work|Log work|CreateWorklog!default.jspa
link-issue|Link|Link this issue|LinkJiraIssue!default.jspa
move-issue|Move|Move this issue|MoveIssue!default.jspa
delete-issue|Delete|Delete this issue|DeleteIssue!default.jspa
"""
"""Name, label, title and page of each."""


def numbered(store: Store, issue: Issue) -> dict[str, str]:
    """Return the statuses an issue can be moved to by the numbers of the transitions: all of its project."""
    statuses = store.projects[issue.project].statuses
    return {f"{place}1": status for place, status in enumerate(statuses, 1)}


def transitions(renderer: Renderer, issue: Issue, *, screens: bool) -> list[Json]:
    """Return the transitions of an issue, with the fields of their screens (none here) when asked."""
    return [
        _transition(renderer, number, status, screens=screens)
        for number, status in numbered(renderer.store, issue).items()
    ]


def _transition(
    renderer: Renderer, number: str, identity: str, *, screens: bool
) -> Json:
    status = renderer.store.statuses[identity]
    transition: Json = {
        "id": number,
        "name": status.name,
        "to": renderer.status(status),
    }
    if renderer.cloud:
        transition |= {
            "hasScreen": False,
            "isGlobal": True,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "isLooped": False,
        }
    else:
        transition |= {"description": "", "opsbarSequence": 2147483647}
    if screens:
        transition["fields"] = {}
    return transition


def operations(renderer: Renderer, issue: Issue) -> Json:
    """Return the links of an issue's page: its operations, and its transitions beside them."""
    statuses = renderer.store.statuses
    links = [
        _link(name, label, title, f"/secure/{page}?id={issue.id}")
        for name, label, title, page in _rows(_OPERATIONS)
    ]
    moves = []
    for number, status in numbered(renderer.store, issue).items():
        label = statuses[status].name
        address = f"/secure/WorkflowUIDispatcher.jspa?id={issue.id}&action={number}"
        moves.append(_link(f"action_id_{number}", label, label, address))
    groups = [
        _group("edit-issue_container", links, []),
        _group("opsbar-transitions", moves, []),
    ]
    return {"linkGroups": [_group("view.issue.opsbar", [], groups)]}


def _rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.split("\n") if line]


def _link(name: str, label: str, title: str, href: str) -> Json:
    return {
        "id": name,
        "styleClass": f"issueaction-{name}",
        "iconClass": "",
        "label": label,
        "title": title,
        "href": href,
    }


def _group(name: str, links: list[Json], groups: list[Json]) -> Json:
    return {"id": name, "links": links, "groups": groups}
