"""What cycles cost in requests and writes, on the sample agency over real sockets: counts, not times."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace  # noqa: TID251 - a context is no struct
from datetime import timedelta
from pathlib import Path

from rayline_demo.checks import last_entry
from rayline_demo.stage import Stage, Staging, set_stage
from worker.app import logs
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync

CHANGED = 40
Line = tuple[str, int, int, int, int, str]


def main() -> None:
    """Print one JSON line: what, requests to Notion and Jira, rows written, requests for sections, bound."""
    logs.configure(level="WARNING")
    with tempfile.TemporaryDirectory() as folder:
        stage = set_stage(Staging("en", Path(folder)))
        try:
            sys.stdout.write(json.dumps(list(_rows(stage))) + "\n")
        finally:
            stage.close()


def _rows(stage: Stage) -> Iterator[Line]:
    sources = len(stage.bindings())
    yield _measure(stage, Mode.FULL, "first full pass", "everything is made")
    yield _measure(stage, Mode.FULL, "second full pass, nothing changed", "writes 0")
    _let_pass(stage)
    yield _measure(
        stage, Mode.DELTA, "idle cycle", f"Notion <= {sources}, Jira <= 3, writes 0"
    )
    _change(stage)
    stage.clock.advance(timedelta(minutes=10))
    yield _measure(
        stage,
        Mode.DELTA,
        f"cycle with {CHANGED} changed issues",
        f"Notion <= {sources} + what is written",
    )
    _let_pass(stage)
    yield _measure(
        stage,
        Mode.DELTA,
        "idle cycle after it",
        f"Notion <= {sources}, Jira <= 3, writes 0",
    )
    zone = {"time_zone": "Asia/Vladivostok"}
    settings = stage.context.settings.model_copy(update=zone)
    context = replace(stage.context, settings=settings)
    yield _measure(stage, Mode.DELTA, "zone change", "Jira <= 3", context)


def _measure(
    stage: Stage, mode: Mode, what: str, bound: str, context: Context | None = None
) -> Line:
    before = last_entry(stage)
    report: Report = sync(context or stage.context, CycleRequest(mode, "bench"))
    sent = [
        entry
        for entry in stage.notion.entries(before)
        if entry.actor == stage.notion.bot_id
    ]
    rows = sum(entry.write and entry.path.startswith("/v1/pages") for entry in sent)
    sections = sum(
        entry.path.startswith(("/v1/blocks", "/v1/file_uploads")) for entry in sent
    )
    return (
        what,
        report.requests["notion"],
        report.requests["jira"],
        rows,
        sections,
        bound,
    )


def _let_pass(stage: Stage) -> None:
    """Let ten minutes pass and one cycle see them, so that nothing is hot any more."""
    stage.clock.advance(timedelta(minutes=10))
    sync(stage.context, CycleRequest(Mode.DELTA, "settle"))
    stage.clock.advance(timedelta(minutes=10))


def _change(stage: Stage) -> None:
    issues = [
        issue["key"]
        for issue in stage.jira.control("dump", {})["issues"]
        if issue["status_name"] == "To Do" and issue["key"] not in stage.epics
    ]
    for key in issues[:CHANGED]:
        stage.jira.control("transition", {"issue": key, "status": "Done"})


if __name__ == "__main__":
    main()
