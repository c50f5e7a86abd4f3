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

ALL_ROUTES: tuple[Route, ...] = (
    *search.ROUTES,
    *creation.ROUTES,
    *issues.ROUTES,
    *links.ROUTES,
    *watchers.ROUTES,
    *histories.ROUTES,
    *worklogs.ROUTES,
    *projects.ROUTES,
    *releases.ROUTES,
    *enumerations.ROUTES,
    *filters.ROUTES,
    *directory.ROUTES,
    *permissions.ROUTES,
    *agile.ROUTES,
    *agile_issues.ROUTES,
)
