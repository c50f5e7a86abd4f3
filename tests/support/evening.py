"""What somebody sits before who connects Rayline: an empty Notion and a Jira, on real sockets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Evening:
    """Both services, and where they are."""

    notion: NotionSandbox
    jira: JiraSandbox
    where: dict[str, Any]

    def answers(self, **changed: str) -> dict[str, str]:
        """Return what is answered to each question, by key."""
        notion, jira = self.where["notion"], self.where["jira"]
        usual = {
            "locale": "en",
            "notion_token": notion["token"],
            "root_page_id": notion["root_page_id"],
            "private_root_page_id": "",
            "base_url": jira["base_url"],
            "email": jira["email"],
            "jira_token": jira["token"],
            "jira_token_expires": "",
            "time_zone": "Europe/Berlin",
            "country": "DE",
            "currency": "EUR",
            "projects": "all",
        }
        return {**usual, **changed}

    def environment(
        self, folder: Path, *, name: str = "studio", **more: str
    ) -> dict[str, str]:
        """Return an environment that holds nothing but the way here: Notion's address is what nobody is asked for."""
        table = f"RAYLINE_WORKSPACES__{name.upper()}__NOTION__"
        return {
            **bare(folder),
            f"{table}BASE_URL": self.where["notion"]["base_url"],
            f"{table}REQUESTS": "100000",
            **more,
        }


def bare(folder: Path) -> dict[str, str]:
    """Return the environment of somebody whose home is empty."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "COLUMNS": "200",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def evening(*projects: str, deployment: str = "cloud") -> Iterator[Evening]:
    """Serve an empty Notion and a Jira of empty projects."""
    clock = Clock(start=datetime.now(UTC), speed=1.0, real=time.monotonic)
    notion = NotionSandbox(clock, limit=None)
    jira = JiraSandbox(clock, deployment=deployment)
    for key in projects:
        jira.control("add_project", {"key": key, "name": key})
    with serve(notion, jira) as sockets:
        yield Evening(notion, jira, sockets.describe())
