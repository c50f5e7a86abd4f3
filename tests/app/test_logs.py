"""Logs say what happens and never a secret."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from worker.app import logs

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


@pytest.mark.parametrize(
    "text",
    [
        "token ntn_1234567890abcdef",
        "secret_abcdefgh12",
        "Authorization: Basic dXNlcjpwYXNz",
        "authorization: bearer abcdefghij",
        "Cookie: session=abc; other=def",
        "set-cookie: atlassian.xsrf=1",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    masked = logs.redact(text, [])
    assert logs.MASK in masked
    assert text.split()[-1] not in masked


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr({"t": SECRET}),
        "https://x/?t=pat-%22quoted%22%2F%D1%81%D0%BB%D0%BE%D0%B2%D0%BE%2B42",
    ],
)
def test_a_known_secret_is_masked_in_every_shape(text: str) -> None:
    masked = logs.redact(text, [SECRET])
    assert "quoted" not in masked
    assert logs.MASK in masked


def test_plain_words_stay(err: io.StringIO) -> None:
    assert (
        logs.redact("a basic plan for the bearer of news", ["abc"])
        == "a basic plan for the bearer of news"
    )


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
