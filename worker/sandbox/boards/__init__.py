"""The browser view of the sandbox's Notion pages: boards, tables, timelines and pages, drawn from the public API."""

from worker.sandbox.boards.site import Boards

__all__ = ["Boards"]
