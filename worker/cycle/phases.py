"""How the phases of a cycle, and of making a workspace, are called."""

from __future__ import annotations

from worker.domain.messages import message

IDLE = ""
"""No phase: whoever sits there is asked something, and nothing else moves on the screen."""
PHASES = {
    "notion": message("reading Notion"),
    "jira": message("reading Jira"),
    "rules": message("thinking"),
    "apply": message("writing"),
    "databases": message("making databases"),
    "relations": message("making relations"),
    "views": message("making views"),
}
