"""Prepared workspaces of agencies: built in the sandbox from a description, with the right answers beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.config import NotionSettings
from worker.mapping.boards import Board
from worker.notion.gateway import NotionGateway
from worker.notion.survey import survey

FOLDER = Path(__file__).parent / "workspaces"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
GROUPS = {"group": "To-do"}
FOREIGN = frozenset({"foreign_hamburg"})
"""Workspaces in words of a language that nobody taught."""


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


@dataclass(slots=True)
class Agency:
    """One agency's Notion: `ids` are those of its data sources by their name in the description."""

    name: str
    sandbox: NotionSandbox
    notion: NotionGateway
    described: Mapping[str, Any]
    ids: dict[str, str] = field(default_factory=dict)
    _pages: dict[str, str] = field(default_factory=dict)
    _rows: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def expected(self) -> Mapping[str, Any]:
        """Return the right answers by part."""
        found: Mapping[str, Any] = self.described["expected"]
        return found

    def survey(self) -> tuple[Board, ...]:
        """Return its boards."""
        return survey(self.notion)

    def build(self) -> None:
        """Make pages, boards, relations and rows as a person would."""
        boards = self.described["boards"]
        for name, board in boards.items():
            self._make_board(name, board)
        for name, board in boards.items():
            self._relate(name, board)
        for name, board in boards.items():
            for row in board.get("rows", ()):
                self._make_row(name, board, row)

    def _page(self, path: str) -> str:
        if not path:
            return self.sandbox.root_page_id
        if path not in self._pages:
            above, _, title = path.rpartition("/")
            made = self.sandbox.control(
                "create",
                {
                    "page_id": self._page(above),
                    "properties": {"title": {"title": text(title)}},
                },
            )
            self._pages[path] = made["id"]
        return self._pages[path]

    def _make_board(self, name: str, board: Mapping[str, Any]) -> None:
        properties = {
            column: config(kind)
            for column, kind in board["columns"].items()
            if not kind.startswith("relation")
        }
        made = self.notion.create_database(
            {
                "parent": {"type": "page_id", "page_id": self._page(board["page"])},
                "title": text(board["title"]),
                "initial_data_source": {"properties": properties},
            }
        )
        self.ids[name] = made.data_sources[0].id

    def _relate(self, name: str, board: Mapping[str, Any]) -> None:
        for column, kind in board["columns"].items():
            if not kind.startswith("relation"):
                continue
            target, _, mirror = kind.partition(":")[2].partition("<>")
            shape = "dual_property" if mirror else "single_property"
            relation = {
                "data_source_id": self.ids[target.strip()],
                "type": shape,
                shape: {},
            }
            change = {column: {"type": "relation", "relation": relation}}
            answer = self.notion.update_data_source(
                self.ids[name], {"properties": change}
            )
            if mirror:
                made = next(one for one in answer.properties if one.name == column)
                assert made.relation
                assert made.relation.dual_property
                back = made.relation.dual_property.synced_property_id
                self.notion.update_data_source(
                    self.ids[target.strip()],
                    {"properties": {back: {"name": mirror.strip()}}},
                )

    def _make_row(
        self, name: str, board: Mapping[str, Any], row: Mapping[str, Any]
    ) -> None:
        cells = {}
        for column, value in row.items():
            if column != "archived":
                cells[column] = self._cell(board["columns"][column], value)
        made = self.sandbox.control(
            "create", {"data_source_id": self.ids[name], "properties": cells}
        )
        title = next(iter(row.values()))
        self._rows[name, title] = made["id"]
        if row.get("archived"):
            self.sandbox.control("archive", {"id": made["id"]})

    def _cell(self, described: str, value: Any) -> dict[str, Any]:
        kind, _, detail = described.partition(":")
        target = detail.partition("<>")[0].strip()
        made: Mapping[str, Any] = {
            "title": lambda: text(value),
            "rich_text": lambda: text(value),
            "select": lambda: {"name": value},
            "status": lambda: {"name": value},
            "date": lambda: {"start": value},
            "relation": lambda: [{"id": self._rows[target, value]}],
        }
        return {kind: made.get(kind, lambda: value)()}


def config(described: str) -> dict[str, Any]:
    """Return a column's configuration from its description, such as `select: Yes, No`."""
    kind, _, detail = described.partition(":")
    if kind not in ("select", "multi_select", "status"):
        return {"type": kind, kind: {}}
    group = GROUPS if kind == "status" else {}
    options = [{"name": one.strip(), **group} for one in detail.split(",")]
    return {"type": kind, kind: {"options": options}}


def open_agency(name: str) -> Agency:
    """Return a prepared workspace, built."""
    described = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    sandbox = NotionSandbox(Clock(NOW), limit=None)
    settings = NotionSettings(token=SecretStr(sandbox.token), requests=1_000_000)
    notion = NotionGateway(settings, transport=HandlerTransport(sandbox.handle))
    agency = Agency(name, sandbox, notion, described)
    agency.build()
    return agency


def names(*, second: bool) -> Iterator[str]:
    """Yield the names of the workspaces: those that the words were chosen with, or the second set."""
    for path in sorted(FOLDER.glob("*.toml")):
        is_second = path.stem.startswith("second_")
        if is_second == second and path.stem not in FOREIGN:
            yield path.stem
