"""A workspace and a hand to call it with, for tests of the Notion emulator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, Response, from_parts

START = datetime(2026, 7, 4, 9, 8, 30, tzinfo=UTC)


@dataclass
class Rig:
    """A fresh sandbox with a frozen clock; `ok` and `refused` send one request each."""

    version: str = "2026-03-11"
    clock: Clock = field(default_factory=lambda: Clock(START))
    sandbox: NotionSandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = NotionSandbox(self.clock, limit=None)

    @property
    def root(self) -> str:
        """Return the id of the page shared with the connection."""
        return self.sandbox.root_page_id

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> Response:
        """Send a request; a body that is not bytes goes as JSON."""
        raw = (
            body
            if isinstance(body, bytes)
            else b""
            if body is None
            else json.dumps(body).encode()
        )
        headers = {
            "authorization": f"Bearer {self.sandbox.token}",
            "notion-version": self.version,
            "content-type": content_type,
            "host": "api.notion.com",
        }
        return self.sandbox.handle(from_parts(method, path, headers, raw))

    def ok(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> dict[str, Any]:
        """Send a request that must succeed and return its JSON."""
        response = self.send(method, f"/v1/{path}", body, **more)
        value: dict[str, Any] = json.loads(response.body)
        assert response.status in (200, 202), value
        return value

    def refused(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> tuple[int, str]:
        """Send a request that must fail and return its status and code."""
        response = self.send(method, f"/v1/{path}", body, **more)
        value = json.loads(response.body)
        assert value["object"] == "error", value
        return response.status, value["code"]

    def page(self, title: str = "A page", **more: Any) -> dict[str, Any]:
        """Create a page below the root."""
        return self.ok(
            "POST",
            "pages",
            {
                "parent": {"page_id": self.root},
                **more,
                "properties": {"title": [{"text": {"content": title}}]},
            },
        )

    def database(
        self, columns: dict[str, Any], title: str = "A database"
    ) -> tuple[str, str]:
        """Create a database below the root and return the ids of it and of its data source."""
        made = self.ok(
            "POST",
            "databases",
            {
                "parent": {"type": "page_id", "page_id": self.root},
                "title": [{"text": {"content": title}}],
                "initial_data_source": {
                    "properties": {"Name": {"title": {}}, **columns}
                },
            },
        )
        return made["id"], made["data_sources"][0]["id"]

    def row(self, data_source_id: str, name: str, **values: Any) -> dict[str, Any]:
        """Create a row with a title and other values."""
        return self.ok(
            "POST",
            "pages",
            {
                "parent": {"data_source_id": data_source_id},
                "properties": {
                    "Name": {"title": [{"text": {"content": name}}]},
                    **values,
                },
            },
        )
