"""`rayline sandbox` serves both emulators to clients not written here, until it is stopped."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import notion_client
import pytest
from jira import JIRA
from typer.testing import CliRunner

from tests.support.stages import start_rayline
from tests.support.waiting import LONG
from worker.cli import app


@contextmanager
def sandbox(
    home: Path, *words: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = start_rayline("sandbox", "--json", *words, home=home)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=LONG)
        assert (process.returncode, rest) == (0, "")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_an_empty_sandbox_prints_one_line_and_serves_the_published_clients(
    tmp_path: Path,
) -> None:
    with sandbox(tmp_path, "--empty") as (_, told):
        assert told.keys() == {"notion", "jira", "boards_url", "control_url"}
        assert told["notion"].keys() == {"base_url", "token", "root_page_id"}
        assert told["jira"].keys() == {"base_url", "email", "token"}
        assert told["control_url"] is None
        notion: Any = notion_client.Client(
            auth=told["notion"]["token"], base_url=told["notion"]["base_url"]
        )
        made = notion.databases.create(
            parent={"type": "page_id", "page_id": told["notion"]["root_page_id"]},
            title=[{"text": {"content": "Things"}}],
            initial_data_source={"properties": {"Name": {"title": {}}}},
        )
        source = made["data_sources"][0]["id"]
        page = notion.pages.create(
            parent={"data_source_id": source},
            properties={"Name": {"title": [{"text": {"content": "First"}}]}},
        )
        rows = notion.data_sources.query(data_source_id=source)["results"]
        assert [row["id"] for row in rows] == [page["id"]]
        site = JIRA(
            told["jira"]["base_url"],
            basic_auth=(told["jira"]["email"], told["jira"]["token"]),
        )
        assert site.myself()["emailAddress"] == told["jira"]["email"]
        assert site.projects() == []


def raw_issue(number: int, status: str) -> dict[str, Any]:
    stamp = "2026-01-05T10:00:00.000+0000"
    category, identity = {"Closed": ("done", "6"), "Open": ("new", "1")}[status]
    return {
        "id": str(number),
        "key": f"REAL-{number}",
        "fields": {
            "summary": f"Issue {number}",
            "created": stamp,
            "updated": stamp,
            "issuetype": {"name": "Task"},
            "project": {"key": "REAL", "name": "Real things"},
            "status": {
                "name": status,
                "id": identity,
                "statusCategory": {"key": category},
            },
        },
    }


def test_a_sandbox_of_real_issues_answers_with_them(tmp_path: Path) -> None:
    lines = "\n".join(
        json.dumps(raw_issue(number, "Closed" if number < 4 else "Open"))
        for number in range(1, 8)
    )
    path = tmp_path / "issues.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    with sandbox(tmp_path, "--jira-data", str(path), "--control") as (_, told):
        site = JIRA(
            told["jira"]["base_url"],
            basic_auth=(told["jira"]["email"], told["jira"]["token"]),
        )
        assert len(site.enhanced_search_issues("project = REAL", maxResults=50)) == 7
        assert (
            len(
                site.enhanced_search_issues(
                    "project = REAL AND statusCategory = Done", maxResults=50
                )
            )
            == 3
        )
        assert told["control_url"].startswith(told["boards_url"])


PACKED = gzip.compress(b'{"key": "REAL-1"}\n' * 200)


@pytest.mark.parametrize(
    "data",
    [PACKED[:-12], PACKED[:10] + b"\xff" * 20, b"\x1f\x8bnonsense"],
    ids=["cut", "broken", "nonsense"],
)
def test_damaged_data_is_said_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "issues.jsonl.gz"
    path.write_bytes(data)
    process = start_rayline(
        "sandbox", "--json", "--jira-data", str(path), home=tmp_path
    )
    _, said = process.communicate(timeout=LONG)
    assert process.returncode == 2, said
    assert "cannot be" in said
    assert "Aborted" not in said


@pytest.mark.parametrize("command", ["check", "plan", "sync", "run"])
def test_help_says_which_workspace_is_meant(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "160"}).stdout
    assert "[workspaces.NAME] (all when left out)." in " ".join(told.split())
