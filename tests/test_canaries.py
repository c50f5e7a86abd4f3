"""Nothing the worker says, stores or plans holds a secret: canaries through whole flows, with faults, in debug."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stages import Play, rayline, small_play, write_config

FAULTS = {
    "notion": [
        {"kind": "401", "match": {"method": "PATCH", "nth": 2}},
        {"kind": "503", "match": {"path_regex": "/query$", "nth": 3}},
        {
            "kind": "502_html",
            "match": {"method": "POST", "path_regex": "/v1/pages$", "nth": 2},
        },
        {
            "kind": "hang_after",
            "match": {"method": "POST", "path_regex": "/v1/pages$", "nth": 5},
        },
        {"kind": "wrong_type", "match": {"path_regex": "/query$", "nth": 5}},
    ],
    "jira": [
        {"kind": "503", "match": {"path_regex": "search", "nth": 1}},
        {"kind": "reset_before", "match": {"path_regex": "worklog", "nth": 1}},
    ],
}


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def canaries(play: Play) -> set[bytes]:
    """Return the secrets in the shapes they travel in."""
    notion, jira = play.stage.notion.token, play.stage.jira.token
    basic = base64.b64encode(f"{play.stage.jira.email}:{jira}".encode()).decode()
    return {
        text.encode()
        for text in (
            notion,
            notion.removeprefix("ntn_"),
            jira,
            jira.removeprefix("sandbox-"),
            basic,
        )
    }


def spilled(play: Play, *texts: str) -> list[bytes]:
    """Return the canaries found in texts and in every file below the folder but the secrets' own."""
    found = b"\n".join(
        [
            *(text.encode() for text in texts),
            *(
                path.read_bytes()
                for path in sorted(play.folder.rglob("*"))
                if path.is_file() and path.name not in ("notion-token", "jira-token")
            ),
        ]
    )
    assert len(found) > 10_000
    return [canary for canary in canaries(play) if canary in found]


def test_no_secret_leaves_through_output_logs_database_or_plans(play: Play) -> None:
    config = str(write_config(play))
    home = play.folder
    said: list[str] = []

    def command(*words: str) -> int:
        done = rayline(*words, "-c", config, home=home, RAYLINE_LOG="DEBUG")
        said.extend((done.stdout, done.stderr))
        return done.returncode

    assert command("plan", "--json") == 0
    play.stage.notion.control("faults", {"rules": FAULTS["notion"]})
    play.stage.jira.control("faults", {"rules": FAULTS["jira"]})
    assert command("sync", "--json") in (5, 75)
    play.stage.notion.control("clear_faults", {})
    play.stage.jira.control("clear_faults", {})
    assert command("sync") in (0, 5)
    for words in (
        ("check",),
        ("status", "--json"),
        ("runs", "1", "--json"),
        ("explain", "Acme portal", "--json"),
    ):
        assert command(*words) == 0
    assert any(
        json.loads(line).get("event") == "change"
        for text in said
        for line in text.splitlines()
        if line.startswith("{") and '"event"' in line
    )
    assert spilled(play, *said) == []


def test_no_secret_leaves_when_the_doors_are_closed(play: Play) -> None:
    config = str(write_config(play))
    said: list[str] = []
    play.stage.notion.control("revoke_token", {})
    play.stage.jira.control("faults", {"rules": [{"kind": "401", "times": 0}]})
    for words in (("check", "--json"), ("sync", "--json"), ("plan",)):
        done = rayline(*words, "-c", config, home=play.folder, RAYLINE_LOG="DEBUG")
        assert done.returncode == 2
        said += [done.stdout, done.stderr]
    assert spilled(play, *said) == []


def test_the_canaries_would_be_found(play: Play) -> None:
    (play.folder / "leak.log").write_bytes(
        b"x" * 10_000 + play.stage.jira.token.encode()
    )
    assert play.stage.jira.token.encode() in spilled(play)
