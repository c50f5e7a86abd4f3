"""How long a change takes to show in Notion where both services tell of it: the sample agency, real sockets, no beat due.

From the change in the sandbox to the write that answers it: gathering the event, delivery, look, plan and write.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace  # noqa: TID251 - a context is no struct
from functools import partial
from pathlib import Path
from statistics import median

from rayline_demo.checks import last_entry
from rayline_demo.stage import Stage, Staging, set_stage
from worker.app import logs
from worker.config import ConsoleSettings, Schedule, Webhooks
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.story import sync
from worker.daemon.service import open_runner, serve
from worker.web.access import Access
from worker.web.desk import Desk
from worker.web.server import serve_console

QUIET = 8.0
"""Seconds between two changes, so that each is the first after a quiet while."""
PATIENCE = 120.0
Line = tuple[str, int, float, float]


def main() -> None:
    """Print one JSON line: what, how often (the argument), median and longest seconds."""
    times = int(sys.argv[1])
    logs.configure(level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        stage = set_stage(Staging("en", Path(folder)))
        try:
            lines = list(_lines(_hooked(stage, Path(folder)), times))
        finally:
            stage.close()
    sys.stdout.write(json.dumps(lines) + "\n")


def _hooked(stage: Stage, folder: Path) -> Stage:
    """Return the stage with files for the secrets of both senders and no beat for an hour; all is read and written."""
    hooks = Webhooks(
        notion_token_file=folder / "notion-hook", jira_secret_file=folder / "jira-hook"
    )
    schedule = Schedule(delta=3600, quiet=3600, full=36_000)
    change = {"webhooks": hooks, "schedule": schedule}
    settings = stage.context.settings.model_copy(update=change)
    context = replace(stage.context, settings=settings)
    for mode in (Mode.FULL, Mode.DELTA):
        sync(context, CycleRequest(mode, "settle"))
    return replace(stage, context=context)


def _lines(stage: Stage, times: int) -> Iterator[Line]:
    contexts = {stage.context.name: stage.context}
    desk = Desk(lambda: contexts, ConsoleSettings(), Access({}))
    runner = open_runner(stage.context)
    stop = threading.Event()
    with serve_console(desk, "127.0.0.1:0") as address:
        stage.subscribe(address.replace("https:", "http:"))
        daemon = threading.Thread(target=serve, args=([runner], stop))
        daemon.start()
        try:
            time.sleep(2 * QUIET)
            issues = _open_issues(stage)
            moves = [partial(_move, stage, key) for key in issues[:times]]
            yield _measure(stage, "an issue is done in Jira", moves)
            ticks = [partial(_tick, stage, page) for page in _clients(stage)[:times]]
            yield _measure(stage, "a box is ticked in Notion", ticks)
        finally:
            stop.set()
            daemon.join()


def _open_issues(stage: Stage) -> list[str]:
    return [
        issue["key"]
        for issue in stage.jira.control("dump", {})["issues"]
        if issue["status_name"] == "To Do" and issue["key"] not in stage.epics
    ]


def _move(stage: Stage, key: str) -> None:
    stage.jira.control("transition", {"issue": key, "status": "Done"})


def _clients(stage: Stage) -> tuple[str, ...]:
    return stage.cast.pages["clients"]


def _tick(stage: Stage, page: str) -> None:
    stage.scribe.edit("clients", page, {"sync_now": True})


def _measure(stage: Stage, what: str, changes: Sequence[Callable[[], None]]) -> Line:
    seconds = []
    for change in changes:
        time.sleep(QUIET)
        mark = last_entry(stage)
        began = time.monotonic()
        change()
        while not _has_written(stage, mark):
            if time.monotonic() - began > PATIENCE:
                sys.exit(f"{what}: nothing was written")
            time.sleep(0.01)
        seconds.append(time.monotonic() - began)
    return what, len(seconds), round(median(seconds), 2), round(max(seconds), 2)


def _has_written(stage: Stage, mark: int) -> bool:
    return any(
        entry.write and entry.actor == stage.notion.bot_id
        for entry in stage.notion.entries(mark)
    )


if __name__ == "__main__":
    main()
