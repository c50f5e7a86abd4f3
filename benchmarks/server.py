"""The other side of a benchmark, in a process of its own: `python -m benchmarks.server SIZE WORKSPACES FOLDER`.

Serves so many synthetic agencies of one size (JSON) until stdin ends. Prints a line of JSON with where they are, and one
for each line of orders once they are carried out: `advance` minutes, let `change` issues be done, type a `card`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.agency import NOW, SPARE, People, Size, jira_load, type_card, type_rows
from rayline_demo.stage import workspace_settings
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from worker.app.build import Surroundings, build_context, open_store
from worker.notion.workspace import create_workspace


class Orders(msgspec.Struct, frozen=True):
    """What people do before the next cycle."""

    advance: int = 0
    change: int = 0
    card: bool = False


@dataclass
class Office:
    """One agency: its Jira, who types into its Notion, the issues that are not done yet."""

    jira: JiraSandbox
    people: People
    open: Iterator[str]
    where: dict[str, Any]


def main() -> None:
    """Serve agencies and do what is ordered."""
    size = msgspec.json.decode(sys.argv[1], type=Size)
    folder = Path(sys.argv[3])
    clock = Clock(NOW)
    with ExitStack() as opened:
        count = int(sys.argv[2])
        offices = [_open(opened, clock, size, folder) for _ in range(count)]
        _tell([office.where for office in offices])
        for line in sys.stdin:
            orders = msgspec.json.decode(line, type=Orders)
            for office in offices:
                _carry_out(office, orders, size)
            clock.advance(timedelta(minutes=orders.advance))
            _tell(clock.now())


def _open(opened: ExitStack, clock: Clock, size: Size, folder: Path) -> Office:
    notion, jira = NotionSandbox(clock, limit=None), JiraSandbox(clock)
    sockets = opened.enter_context(serve(notion, jira))
    settings = workspace_settings(sockets, locale="en")
    store = open_store(f"sqlite:///{folder / 'making.db'}")
    context = build_context("bench", settings, store, Surroundings(clock.now))
    bindings = create_workspace(
        context.notion,
        context.schema,
        locale="en",
        parent_page_id=settings.notion.root_page_id,
    )
    store.close()
    people = type_rows(notion, context.schema, bindings, size)
    load = jira_load(size)
    jira.control("load", load)
    undone = [
        issue["key"]
        for issue in load["issues"]
        if issue["status"] != "Done" and issue["type"] != "Epic"
    ]
    sources = {name: binding.data_source_id for name, binding in bindings.items()}
    where = {**sockets.describe(), "sources": sources}
    return Office(jira, people, iter(undone), where)


def _carry_out(office: Office, orders: Orders, size: Size) -> None:
    for key in islice(office.open, orders.change):
        office.jira.control("transition", {"issue": key, "status": "Done"})
    if orders.card:
        type_card(office.people, size.cards, SPARE)


def _tell(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
