"""The pages and databases around a page: the tree of the sidebar, the path above, the mentions below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.boards.cells import Draughtsman
from rayline_sandbox.boards.groups import Card, make_card
from rayline_sandbox.boards.reader import Reader, Unreadable, page_title, plain
from rayline_sandbox.boards.texts import Icon, icon_of
from rayline_sandbox.boards.words import Words

Json = dict[str, Any]

DEPTH = 4
BACKLINKS = 100
CONTAINERS = ("column_list", "column", "toggle", "callout", "synced_block")
"""Blocks in which child pages may hide."""


@dataclass(frozen=True, slots=True)
class Node:
    """A page or database in the sidebar."""

    id: str
    kind: str
    title: str
    icon: Icon
    children: tuple[Node, ...] = ()

    @property
    def href(self) -> str:
        """Where it is shown."""
        return f"/{'d' if self.kind == 'database' else 'p'}/{self.id}"


@dataclass(frozen=True, slots=True)
class Backlinks:
    """Rows of one database that relate to a page through one property."""

    database: Node
    property: str
    cards: tuple[Card, ...]


def read_tree(reader: Reader, words: Words, root_id: str) -> Node:
    """Return the workspace below its root page."""
    return _page_node(reader, words, root_id, DEPTH)


def _page_node(reader: Reader, words: Words, page_id: str, depth: int) -> Node:
    try:
        page = reader.page(page_id)
    except Unreadable:
        return Node(page_id, "page", "———", Icon())
    children = tuple(_children(reader, words, page_id, depth - 1)) if depth > 0 else ()
    return Node(
        page["id"],
        "page",
        page_title(page) or words["untitled"],
        icon_of(page.get("icon")),
        children,
    )


def _children(
    reader: Reader, words: Words, block_id: str, depth: int
) -> Iterator[Node]:
    try:
        blocks = reader.children(block_id)
    except Unreadable:
        return
    for block in blocks:
        match block.get("type"):
            case "child_page":
                yield _page_node(reader, words, block["id"], depth)
            case "child_database":
                yield database_node(reader, words, block["id"])
            case kind if kind in CONTAINERS and block.get("has_children") and depth > 0:
                yield from _children(reader, words, block["id"], depth - 1)


def database_node(reader: Reader, words: Words, database_id: str) -> Node:
    """Return a database as a node."""
    try:
        database = reader.database(database_id)
    except Unreadable:
        return Node(database_id, "database", "———", Icon())
    return Node(
        database["id"],
        "database",
        plain(database.get("title")) or words["untitled"],
        icon_of(database.get("icon")),
    )


def path_to(reader: Reader, words: Words, page: Json) -> list[Node]:
    """Return what is above a page or database, outermost first."""
    path: list[Node] = []
    parent = page.get("parent") or {}
    while len(path) < DEPTH * 2:
        step = _step(reader, words, parent)
        if step is None:
            break
        node, parent = step
        path.insert(0, node)
    return path


def _step(reader: Reader, words: Words, parent: Json) -> tuple[Node, Json] | None:
    try:
        match parent.get("type"):
            case "page_id":
                page = reader.page(parent["page_id"])
                title = page_title(page) or words["untitled"]
                return Node(
                    page["id"], "page", title, icon_of(page.get("icon"))
                ), page.get("parent") or {}
            case "data_source_id" | "database_id":
                database = reader.database(_database_id(reader, parent))
                return database_node(reader, words, database["id"]), database.get(
                    "parent"
                ) or {}
            case _:
                return None
    except Unreadable:
        return None


def _database_id(reader: Reader, parent: Json) -> str:
    if parent.get("database_id"):
        return str(parent["database_id"])
    return str(
        (reader.data_source(parent["data_source_id"]).get("parent") or {}).get(
            "database_id", ""
        )
    )


def databases_in(node: Node) -> Iterator[Node]:
    """Yield all databases of a tree."""
    if node.kind == "database":
        yield node
    for child in node.children:
        yield from databases_in(child)


def read_backlinks(
    reader: Reader, pen: Draughtsman, tree: Node, page: Json
) -> list[Backlinks]:
    """Return the rows that relate to a row of a database."""
    home = (page.get("parent") or {}).get("data_source_id")
    if not home:
        return []
    backlinks: list[Backlinks] = []
    for node in databases_in(tree):
        for source_id, name in _relations_to(reader, node, home):
            backlinks += _rows_about(
                reader, pen, page["id"], node=node, source_id=source_id, name=name
            )
    return backlinks


def _relations_to(reader: Reader, node: Node, home: str) -> Iterator[tuple[str, str]]:
    try:
        sources = [
            reader.data_source(item["id"])
            for item in reader.database(node.id).get("data_sources", ())
        ]
    except Unreadable:
        return
    for source in sources:
        for name, schema in (source.get("properties") or {}).items():
            if (
                schema.get("type") == "relation"
                and (schema.get("relation") or {}).get("data_source_id") == home
            ):
                yield source["id"], name


def _rows_about(
    reader: Reader,
    pen: Draughtsman,
    page_id: str,
    *,
    node: Node,
    source_id: str,
    name: str,
) -> Iterator[Backlinks]:
    condition = {"property": name, "relation": {"contains": page_id}}
    try:
        rows = reader.query(source_id, filter=condition, limit=BACKLINKS).pages
    except Unreadable:
        return
    if rows:
        yield Backlinks(
            node,
            name,
            tuple(make_card(row, (), properties={}, pen=pen) for row in rows),
        )
