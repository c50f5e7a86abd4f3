"""A stateful Notion: databases, pages, blocks, people, limits and faults behind `handle(Request) -> Response`."""

from __future__ import annotations

from worker.sandbox.notion.journal import LogEntry
from worker.sandbox.notion.sandbox import NotionSandbox

__all__ = ["LogEntry", "NotionSandbox"]
