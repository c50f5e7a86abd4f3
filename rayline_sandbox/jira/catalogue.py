"""All endpoints of the emulator."""

from __future__ import annotations

from rayline_sandbox.jira import (
    agile,
    agile_issues,
    creation,
    directory,
    enumerations,
    filters,
    histories,
    issues,
    links,
    permissions,
    projects,
    releases,
    search,
    watchers,
    worklogs,
)
from rayline_sandbox.jira.routes import Route

_MODULES = (
    search,
    creation,
    issues,
    links,
    watchers,
    histories,
    worklogs,
    projects,
    releases,
    enumerations,
    filters,
    directory,
    permissions,
    agile,
    agile_issues,
)
ALL_ROUTES: tuple[Route, ...] = tuple(
    route for module in _MODULES for route in module.ROUTES
)
