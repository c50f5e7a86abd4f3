"""Logs say what happens and never a secret."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
import structlog

from worker.app import logs
from worker.domain.text import visible

SECRET = 'pat-"quoted"/слово+42'


@pytest.fixture
def err(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Yield what is logged."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root, own = logging.getLogger(), logging.getLogger("worker")
    handlers, levels = root.handlers[:], (root.level, own.level)
    logs.configure([SECRET, "jira-token-value"], level="DEBUG")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    structlog.reset_defaults()


def test_events_are_json_lines_on_stderr_when_nobody_watches(err: io.StringIO) -> None:
    structlog.get_logger("worker.test").info("cycle.done", run=7, title="Слово")
    line = json.loads(err.getvalue())
    assert (line["event"], line["run"], line["level"], line["title"]) == (
        "cycle.done",
        7,
        "info",
        "Слово",
    )
    assert "timestamp" in line


def test_tracebacks_and_values_are_masked(err: io.StringIO) -> None:
    try:
        raise RuntimeError(f"refused {SECRET}")
    except RuntimeError:
        structlog.get_logger("worker.test").exception(
            "broke", headers={"authorization": "Bearer abcdefghijkl"}
        )
    assert "RuntimeError" in err.getvalue()
    assert "quoted" not in err.getvalue()
    assert "abcdefghijkl" not in err.getvalue()


def test_foreign_libraries_are_masked_too_and_speak_only_of_trouble(
    err: io.StringIO,
) -> None:
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("urllib3").warning("retrying with jira-token-value")
    assert "chatter" not in err.getvalue()
    assert "retrying" in err.getvalue()
    assert "jira-token-value" not in err.getvalue()


HIDDEN = "X\x1b[2J\x1b[31mall is well\x9b\u202e\x00\u2028"


def test_a_line_of_json_hides_nothing_and_means_the_same(err: io.StringIO) -> None:
    structlog.get_logger("worker.test").info("cycle.done", client=HIDDEN)
    logging.getLogger("urllib3").warning("of %s", HIDDEN)
    shown = err.getvalue()
    assert visible(shown, kept="\n") == shown
    first, second = map(json.loads, shown.splitlines())
    assert (first["client"], second["event"]) == (HIDDEN, f"of {HIDDEN}")


def test_a_line_for_a_terminal_obeys_nothing_in_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, err: io.StringIO
) -> None:
    monkeypatch.setattr(err, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", err)
    logs.configure([SECRET], level="DEBUG")
    structlog.get_logger("worker.test").info("told", client=HIDDEN, more="a\nb")
    logging.getLogger("urllib3").warning("of %s and %s", HIDDEN, [HIDDEN])
    try:
        raise RuntimeError(HIDDEN)
    except RuntimeError:
        structlog.get_logger("worker.test").exception("broke", rows={"a": HIDDEN})
    shown = re.sub(r"\x1b\[[0-9;]*m", "", err.getvalue())
    assert visible(shown, kept="\n\t") == shown
    assert shown.count(r"X\x1b[2J\x1b[31mall is well\x9b\u202e\x00\u2028") >= 4
    assert "a\\x0ab" in shown
    assert "Traceback" in shown


def test_what_strangers_bring_about_is_logged_once_a_minute_and_counted() -> None:
    times = iter([0.0, 1.0, 59.9, 60.0, 61.0, 200.0])
    damper = logs.Damper(lambda: next(times))
    written = []
    for _ in range(6):
        with suppress(structlog.DropEvent):
            line = {"event": "webhook.unproven", "workspace": "studio"}
            written.append(damper(None, "warning", line).get("repeated", 0))
    assert written == [0, 2, 1]


def test_lines_that_differ_and_lines_of_our_own_are_all_logged(
    err: io.StringIO,
) -> None:
    log = structlog.get_logger("worker.test")
    for workspace in ("north", "south", "north"):
        log.warning("webhook.unproven", workspace=workspace)
        log.error("configuration.bad", problem="state: is no address")
    lines = [json.loads(line) for line in err.getvalue().splitlines()]
    events = [line["event"] for line in lines]
    assert events.count("webhook.unproven") == 2
    assert events.count("configuration.bad") == 3
