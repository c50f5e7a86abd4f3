"""The comments endpoints."""

from __future__ import annotations

from worker.sandbox.notion.call import Route

ROUTES: tuple[Route, ...] = ()
