"""All endpoints of the emulator."""

from __future__ import annotations

from worker.sandbox.jira import search
from worker.sandbox.jira.routes import Route

ALL_ROUTES: tuple[Route, ...] = (*search.ROUTES,)
