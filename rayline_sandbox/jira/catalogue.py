"""All endpoints of the emulator."""

from __future__ import annotations

from rayline_sandbox.jira import (
    administration,
    agile,
    agile_issues,
    attachments,
    creation,
    dashboards,
    directory,
    entity_properties,
    enumerations,
    filters,
    forms,
    histories,
    issues,
    links,
    permissions,
    pickers,
    pins,
    projects,
    ranking,
    releases,
    remote_links,
    schemes,
    search,
    votes,
    watchers,
    webhooks,
    worklogs,
)
from rayline_sandbox.jira.routes import Route

_MODULES = (
    search,
    creation,
    issues,
    links,
    watchers,
    votes,
    remote_links,
    attachments,
    pins,
    histories,
    worklogs,
    forms,
    projects,
    releases,
    enumerations,
    filters,
    directory,
    pickers,
    permissions,
    schemes,
    dashboards,
    ranking,
    agile,
    agile_issues,
    entity_properties,
    administration,
    webhooks,
)
ALL_ROUTES: tuple[Route, ...] = tuple(
    route for module in _MODULES for route in module.ROUTES
)
