"""`rayline init`, as a person at a terminal and against the sandbox."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from worker.app.settings import load_settings
from worker.cli.init import render
from worker.sandbox.jira import JiraSandbox
from worker.sandbox.notion import NotionSandbox
from worker.sandbox.server import serve
from worker.sandbox.wire import Clock

ANSWERS = {"locale": "ru", "time_zone": "Europe/Moscow", "currency": "RUB", "country": "RU", "root_page_id": "page",
           "private_root_page_id": "vault", "base_url": "http://127.0.0.1:1", "email": "a@example.com"}


def test_the_rendered_configuration_is_one_the_program_accepts(tmp_path: Path) -> None:
    for side in ("notion", "jira"):
        (tmp_path / f"{side}-token").write_text("canary")
    file = tmp_path / "rayline.toml"
    file.write_text(render({**ANSWERS}, tmp_path))
    workspace = load_settings(file).workspaces["studio"]
    assert (workspace.locale, workspace.jira.email) == ("ru", "a@example.com")
    assert (workspace.notion.root_page_id, workspace.notion.private_root_page_id) == ("page", "vault")
    assert workspace.notion.token.get_secret_value() == "canary"
    assert "canary" not in file.read_text()


def test_without_a_terminal_it_says_so_and_ends_with_2(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "worker", "init", "--json"], cwd=tmp_path, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, env=_environment(tmp_path), check=False)
    assert done.returncode == 2
    assert "nobody to ask" in done.stderr
    assert json.loads(done.stdout)["error"] == "ConfigError"


def test_a_person_answers_and_gets_boards_with_secrets_kept_apart(tmp_path: Path) -> None:
    clock = Clock(start=datetime.now(UTC), speed=1.0, real=time.monotonic)
    notion = NotionSandbox(clock, limit=None)
    with serve(notion, JiraSandbox(clock)) as sockets:
        where = sockets.describe()
        # Against a sandbox the only thing not asked is its Notion's address.
        environment = {**_environment(tmp_path),
                       "RAYLINE_WORKSPACES__STUDIO__NOTION__BASE_URL": where["notion"]["base_url"],
                       "RAYLINE_WORKSPACES__STUDIO__NOTION__REQUESTS": "100000"}
        typed = ["en", "", "EUR", "DE", where["notion"]["root_page_id"], notion.add_private_root(),
                 where["notion"]["token"], where["jira"]["base_url"], where["jira"]["email"], where["jira"]["token"]]
        done = subprocess.run([sys.executable, "-m", "worker", "init", "--json"], cwd=tmp_path, env=environment,
                              input="\n".join(typed) + "\n", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert {"projects", "feedback"} <= json.loads(done.stdout)["databases"].keys()
    assert where["notion"]["token"] not in done.stdout + done.stderr + (tmp_path / "rayline.toml").read_text()
    assert stat.S_IMODE((tmp_path / "rayline.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets" / "jira-token").stat().st_mode) == 0o600


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200",
            "PYTHONPATH": str(Path(__file__).parents[2])}
