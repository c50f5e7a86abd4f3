"""The browser view of the sandbox's Notion pages: boards, tables, timelines and pages, drawn from the public API."""

from rayline_sandbox.boards.site import Boards

__all__ = ["Boards"]
