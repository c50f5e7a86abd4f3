"""What only administrators may do: refused as the service refuses it to others; a few things are done for those who are.

The routes of `_FOR_ADMINISTRATORS` exist in the service and are only refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Board, Filter, Json, Project
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import CLOUD, SERVER, Outcome, table
from rayline_sandbox.jira.site import Call, Site

_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}")
_STYLES = ("software", "business", "service_desk")
_FOR_ADMINISTRATORS = (
    "GET application-properties",
    "GET application-properties/advanced-settings",
    "PUT application-properties/{property}",
    "GET applicationrole",
    "GET applicationrole/{role}",
    "GET auditing/record",
    "GET configuration/timetracking",
    "GET configuration/timetracking/list",
    "GET configuration/timetracking/options",
    "POST field",
    "POST group",
    "DELETE group",
    "POST group/user",
    "DELETE group/user",
    "GET issuesecurityschemes",
    "GET issuesecurityschemes/{scheme}",
    "POST issuetype",
    "PUT issuetype/{kind}",
    "DELETE issuetype/{kind}",
    "GET issuetypescheme",
    "POST issuetypescheme",
    "GET issuetypescheme/{scheme}/associations",
    "POST permissionscheme",
    "PUT permissionscheme/{scheme}",
    "DELETE permissionscheme/{scheme}",
    "POST permissionscheme/{scheme}/permission",
    "POST project/{project}/archive",
    "POST project/{project}/role/{role}",
    "PUT project/{project}/role/{role}",
    "DELETE project/{project}/role/{role}",
    "GET screens",
    "DELETE screens/{screen}",
    "GET screens/{screen}/availableFields",
    "GET screens/{screen}/tabs",
    "GET screens/{screen}/tabs/{tab}/fields",
    "POST screens/{screen}/tabs/{tab}/fields",
    "POST user",
    "DELETE user",
    "GET workflow",
    "GET workflow/search",
    "GET workflowscheme/{scheme}",
    "POST priority",
)
_ON_CLOUD = (
    "POST jql/sanitize",
    "GET workflow/rule/config",
    "PUT workflow/rule/config",
    "POST statuses",
    "PUT statuses",
    "DELETE statuses",
    "GET priorityscheme",
    "GET notificationscheme/project",
)
_ON_SERVER = (
    "PUT issue/{issue}/archive",
    "PUT issue/{issue}/restore",
    "POST reindex",
    "GET reindex",
    "POST reindex/issue",
    "GET cluster/nodes",
    "DELETE cluster/node/{node}",
    "GET cluster/zdu/state",
    "GET priorityschemes",
    "POST priorityschemes",
    "GET index/summary",
    "PUT user",
    "GET user/duplicated/count",
    "GET user/duplicated/list",
    "GET project/{project}/archive",
    "PUT project/{project}/archive",
    "POST auditing/record",
)


def _refuse(site: Site, call: Call) -> Json:
    """Refuse: to who administers nothing for that, to an administrator as what is not there."""
    site.need_administrator()
    raise Refusal(404, f"No endpoint for {call.request.method} {call.request.path}")


def _for_administrators(
    names: tuple[str, ...],
) -> dict[str, Callable[[Site, Call], Json]]:
    return dict.fromkeys(names, _refuse)


def _refuse_to_accounts(site: Site, call: Call) -> Json:
    """Refuse what only apps may ask for."""
    raise Refusal(
        403, "Only Connect and OAuth 2.0 apps can use this operation, not accounts."
    )


_FOR_APPS = (
    "GET webhook",
    "POST webhook",
    "DELETE webhook",
    "GET webhook/failed",
    "PUT webhook/refresh",
    "GET jql/function/computation",
    "POST jql/function/computation",
    "POST jql/function/computation/search",
)


# Projects -------------------------------------------------------------------


def create_project(site: Site, call: Call) -> Outcome:
    """Make a project with a board over it."""
    site.need_administrator()
    asked = call.object()
    key = asked.get("key")
    errors = {}
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        errors["projectKey"] = "Project keys must start with an uppercase letter."
    elif site.store.find_project(key):
        errors["projectKey"] = f"Project '{key}' uses this project key."
    name = asked.get("name")
    if not isinstance(name, str) or not 2 <= len(name.strip()) <= 80:
        errors["projectName"] = "You must specify a valid project name."
    kind = asked.get("projectTypeKey") or "software"
    if kind not in _STYLES:
        errors["projectType"] = f"The project type '{kind}' is invalid."
    lead = _lead(site, asked)
    if lead is None:
        errors["projectLead"] = "You must specify a valid project lead."
    if errors:
        raise Refusal(400, errors=errors)

    identity = site.store.counters.take("project")
    project = Project(
        id=identity,
        key=str(key),
        name=str(name),
        lead=lead,
        kind=kind,
        description=str(asked.get("description") or ""),
    )
    site.store.add_project(project)
    _add_board(site, project)
    address = f"{Renderer(site, call).rest}/project/{identity}"
    return Outcome(201, {"self": address, "id": identity, "key": key})


def _lead(site: Site, asked: Json) -> str | None:
    name = "leadAccountId" if site.cloud else "lead"
    user = site.store.find_user(asked.get(name) or asked.get("lead"))
    return user.account if user else None


def _add_board(site: Site, project: Project) -> None:
    store = site.store
    name = f"{project.key} board"
    jql = f'project = "{project.key}" ORDER BY Rank ASC'
    saved = Filter(
        id=store.counters.take("filter"),
        name=f"Filter for {name}",
        jql=jql,
        owner=site.me.account,
    )
    board = Board(
        id=store.counters.take("board", 1),
        name=name,
        kind="scrum",
        project=project.id,
        estimation=store.fields.points,
        filter=saved.id,
    )
    store.filters[saved.id] = saved
    store.boards[board.id] = board


def update_project(site: Site, call: Call) -> Json:
    """Give a project another name, key, description or lead."""
    project = site.project(call.parameters["project"])
    asked = call.object()
    key = asked.get("key")
    if key is not None:
        site.need_administrator()
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise Refusal(
                400,
                errors={
                    "projectKey": "The project key is invalid: it has 2 to 10 capital letters and digits."
                },
            )
        if site.store.find_project(key) not in (None, project):
            raise Refusal(
                400,
                errors={
                    "projectKey": "Another project has this key already; choose another one."
                },
            )
    name = asked.get("name", project.name)
    if not isinstance(name, str) or not 2 <= len(name.strip()) <= 80:
        raise Refusal(
            400,
            errors={
                "projectName": "The project name is invalid: it has 2 to 80 characters."
            },
        )
    site.store.rename_project(project, key=key, name=name)
    project.description = str(asked.get("description", project.description) or "")
    if asked.get("leadAccountId") or asked.get("lead"):
        project.lead = _lead(site, asked) or project.lead
    return Renderer(site, call).project(project)


def delete_project(site: Site, call: Call) -> Outcome:
    """Put a project into the trash."""
    site.need_administrator()
    site.project(call.parameters["project"]).state = "deleted"
    return Outcome(204)


ROUTES = (
    *table(_for_administrators(_FOR_ADMINISTRATORS)),
    *table(_for_administrators(_ON_CLOUD), on=CLOUD),
    *table(_for_administrators(_ON_SERVER), on=SERVER),
    *table(dict.fromkeys(_FOR_APPS, _refuse_to_accounts), on=CLOUD),
    *table(
        {
            "POST project": create_project,
            "PUT project/{project}": update_project,
            "DELETE project/{project}": delete_project,
        }
    ),
)
