"""The other side of a benchmark, in a process of its own: `python -m benchmarks.server N FOLDER`, until stdin ends.

Prints one JSON line with the addresses and tokens once the synthetic agency is in place.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.agency import NOW, jira_load, type_rows
from rayline_demo.stage import workspace_settings
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from worker.app.build import Surroundings, build_context, open_store
from worker.notion.workspace import create_workspace


def main() -> None:
    """Serve a synthetic agency of N issues."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    clock = Clock(NOW, 1.0, time.monotonic)
    notion, jira = NotionSandbox(clock, limit=None), JiraSandbox(clock)
    with serve(notion, jira) as sockets:
        settings = workspace_settings(sockets, locale="en")
        store = open_store(f"sqlite:///{folder / 'making.db'}")
        context = build_context("bench", settings, store, Surroundings(clock.now))
        bindings = create_workspace(
            context.notion,
            context.schema,
            locale="en",
            parent_page_id=settings.notion.root_page_id,
        )
        type_rows(notion, context.schema, bindings)
        jira.control("load", jira_load(count))
        sys.stdout.write(json.dumps(sockets.describe()) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
