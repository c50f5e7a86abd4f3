"""All endpoints of the emulator."""

from __future__ import annotations

from rayline_sandbox.jira import (
    agile,
    agile_issues,
    directory,
    histories,
    issues,
    permissions,
    projects,
    search,
    worklogs,
)
from rayline_sandbox.jira.routes import Route

ALL_ROUTES: tuple[Route, ...] = (
    *search.ROUTES,
    *issues.ROUTES,
    *histories.ROUTES,
    *worklogs.ROUTES,
    *projects.ROUTES,
    *directory.ROUTES,
    *permissions.ROUTES,
    *agile.ROUTES,
    *agile_issues.ROUTES,
)
