"""The views endpoints, and the default table view every data source starts with."""

from __future__ import annotations

from worker.sandbox.notion.call import Route
from worker.sandbox.notion.store import DataSource, Store

ROUTES: tuple[Route, ...] = ()


def add_default_view(store: Store, data_source: DataSource, actor: str) -> None:
    """Add the table view that comes with a new data source (facts/notion-api.md 3.1)."""
