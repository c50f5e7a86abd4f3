"""A stateful Notion: databases, pages, blocks, people, limits and faults behind `handle(Request) -> Response`."""

from __future__ import annotations

from rayline_sandbox.notion.journal import LogEntry
from rayline_sandbox.notion.sandbox import NotionSandbox

__all__ = ["LogEntry", "NotionSandbox"]
