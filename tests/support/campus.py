"""Many workspaces behind one address: copies of an empty one with a client each, told apart by a request's token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as renew  # noqa: TID251 - a request is no struct
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from rayline_demo.agency.populate import Scribe
from rayline_demo.board import dumped_rows
from rayline_demo.rig import Empty, copy_notion, make_empty
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.limiter import OWN, Budget
from rayline_sandbox.server import Running, serve
from rayline_sandbox.wire import Clock, Request, Response
from worker.domain.values import Ref
from worker.mapping.load import load_schema
from worker.state import bindings as registry
from worker.state.store import Store

BUDGET, WINDOW = 180, 2.0
"""Requests that each workspace grants, in so many seconds."""
SETTLE = 2.0
"""Seconds after which what is in doubt can be looked up."""


@dataclass(slots=True)
class Campus:
    """Workspaces by name, each a Notion of its own; all read one Jira. Nobody works in the empty one, whose token and
    root page are told as those of the whole."""

    empty: Empty
    clock: Clock
    rooms: dict[str, NotionSandbox] = field(default_factory=dict)
    by_token: dict[str, NotionSandbox] = field(default_factory=dict)
    token: str = field(init=False)
    root_page_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.token = self.empty.notion.token
        self.root_page_id = self.empty.notion.root_page_id

    def add(self, name: str) -> None:
        """Open one more workspace."""
        room = copy_notion(self.empty.notion, self.clock)
        room.own = Budget(BUDGET, WINDOW, OWN, time.monotonic)
        room.token = f"ntn_{name}"
        self.rooms[name] = room
        self.by_token[room.token] = room
        _settle(room, self.empty)

    def handle(self, request: Request) -> Response:
        """Let the workspace answer whose token a request carries; its name may stand before the path."""
        _, name, rest = (*request.path.split("/", 2), "")[:3]
        if name in self.rooms:
            request = renew(request, path=f"/{rest}")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.by_token.get(token, self.empty.notion).handle(request)

    def control(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Tell all workspaces where they are looked at; nobody controls them otherwise."""
        if action != "set_site":
            raise ValueError(action)
        for room in self.rooms.values():
            room.control(action, payload)
        return {}

    def close(self) -> None:
        """Send no more events."""
        for room in self.rooms.values():
            room.close()

    def now(self) -> datetime:
        """Return the instant it is everywhere."""
        return self.clock.now()

    def revision(self) -> int:
        """Return a number that grows with every request."""
        return sum(room.revision() for room in self.rooms.values())

    def keys(self, name: str) -> list[str]:
        """Return the keys of the worker's living rows of a workspace, each as often as there are rows with it."""
        room = self.rooms[name]
        keys = []
        for source, binding in self.empty.bindings.items():
            wanted = unquote(binding.properties.get("worker_key", ""))
            for page in dumped_rows(room, binding.data_source_id):
                key = _text_of(page, wanted)
                if key and not page["in_trash"]:
                    keys.append(f"{source} {key}")
        return sorted(keys)

    def refused_by_budget(self) -> int:
        """Return how many requests of all workspaces went beyond the budget."""
        return sum(
            entry.status == 429 for room in self.rooms.values() for entry in room.log
        )


def _text_of(page: Mapping[str, Any], property_id: str) -> str:
    for cell in page["properties"].values():
        if unquote(cell["id"]) == property_id:
            return "".join(run["plain_text"] for run in cell["rich_text"])
    return ""


def _settle(room: NotionSandbox, empty: Empty) -> None:
    """Let people type a unit, two people, a client and a card."""
    scribe = Scribe(room, load_schema(), empty.bindings)
    unit = scribe.add("units", name="North")
    for name, role in (("Ann", "am"), ("Dan", "developer")):
        scribe.add(
            "people",
            name=name,
            role=role,
            capacity=Decimal(40),
            unit=(Ref("units", unit),),
        )
    client = scribe.add(
        "clients", name="Acme", group="account", unit=(Ref("units", unit),)
    )
    scribe.add(
        "projects",
        name="Portal",
        client=(Ref("clients", client),),
        stage="in_progress",
        jira="ACME",
    )


@contextmanager
def open_campus(folder: Path, names: Sequence[str]) -> Iterator[tuple[Campus, Path]]:
    """Yield workspaces on real sockets, and a configuration of them without a state."""
    clock = Clock(datetime.now(UTC), 1.0, time.monotonic)
    campus = Campus(make_empty("en", folder), clock)
    for name in names:
        campus.add(name)
    jira = JiraSandbox(clock)
    jira.control("load", {"projects": [{"key": "ACME", "name": "Acme"}]})
    with serve(campus, jira) as sockets:
        file = folder / "rayline.toml"
        file.write_text(_configuration(campus, jira, sockets), "utf-8")
        file.chmod(0o600)
        yield campus, file


def _configuration(campus: Campus, jira: JiraSandbox, sockets: Running) -> str:
    where = sockets.describe()
    parts = [
        f"""
[workspaces.{name}]
currency = "EUR"
[workspaces.{name}.notion]
base_url = "{where["notion"]["base_url"]}/{name}"
root_page_id = "{campus.root_page_id}"
token = "{room.token}"
requests = {BUDGET}
window = {WINDOW}
settle = {SETTLE}
[workspaces.{name}.jira]
base_url = "{where["jira"]["base_url"]}"
email = "{jira.email}"
token = "{jira.token}"
"""
        for name, room in campus.rooms.items()
    ]
    return "".join(parts)


def bind(campus: Campus, store: Store) -> None:
    """Keep in the state that the boards of each workspace are known."""
    for name in campus.rooms:
        with store.transaction(name) as tx:
            registry.save(tx, campus.empty.bindings)
