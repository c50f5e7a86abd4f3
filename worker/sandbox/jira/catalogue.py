"""All endpoints of the emulator."""

from __future__ import annotations

from worker.sandbox.jira import (
    agile,
    directory,
    histories,
    issues,
    projects,
    search,
    worklogs,
)
from worker.sandbox.jira.routes import Route

ALL_ROUTES: tuple[Route, ...] = (
    *search.ROUTES,
    *issues.ROUTES,
    *histories.ROUTES,
    *worklogs.ROUTES,
    *projects.ROUTES,
    *directory.ROUTES,
    *agile.ROUTES,
)
