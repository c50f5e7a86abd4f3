"""The markdown face of page bodies: `GET` and `PATCH /v1/pages/{id}/markdown` (facts/notion-api.md 3.15)."""

from __future__ import annotations

from worker.sandbox.notion.call import Route
from worker.sandbox.notion.markdown_reader import blocks_from_markdown
from worker.sandbox.notion.markdown_writer import markdown_from_blocks

__all__ = ["ROUTES", "blocks_from_markdown", "markdown_from_blocks"]

ROUTES: tuple[Route, ...] = ()
