"""Rich text both ways: the Atlassian document format of v3 and the wiki text of v2, as far as plain paragraphs go."""

from __future__ import annotations

import re
from typing import Any

from rayline_sandbox.jira.model import Json

_WORDS = re.compile(r"\w+")
_DEPTH_LIMIT = 100


def is_document(value: Any) -> bool:
    """Tell whether a value has the shape of a document: `doc`, version 1, nodes of any named type all the way down.

    Types of nodes and marks appear over time, so which ones there are is not judged.
    """
    return (
        isinstance(value, dict)
        and value.get("type") == "doc"
        and value.get("version") == 1
        and _is_node(value, 0)
    )


def _is_node(node: Any, depth: int) -> bool:
    if not isinstance(node, dict) or not _is_named(node) or depth > _DEPTH_LIMIT:
        return False
    content = node.get("content", [])
    marks = node.get("marks", [])
    text = (
        isinstance(node.get("text"), str)
        if node["type"] == "text"
        else node.get("text") is None
    )
    return (
        text
        and isinstance(node.get("attrs", {}), dict)
        and isinstance(content, list)
        and isinstance(marks, list)
        and all(map(_is_named, marks))
        and all(_is_node(child, depth + 1) for child in content)
    )


def _is_named(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and isinstance(node.get("type"), str)
        and node["type"] != ""
    )


def to_document(value: Any) -> Json | None:
    """Return the v3 document of a stored text or document."""
    if value is None or isinstance(value, dict):
        return value
    paragraphs = [
        {
            "type": "paragraph",
            "content": [{"type": "text", "text": part}] if part else [],
        }
        for part in str(value).split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def to_wiki(value: Any) -> str | None:
    """Return the v2 text of a stored text or document."""
    if value is None or isinstance(value, str):
        return value
    return "\n".join(_inside(value))


def _block(node: Any) -> str:
    if not isinstance(node, dict):
        return ""
    match node.get("type"):
        case "text":
            return str(node.get("text", ""))
        case "hardBreak":
            return "\n"
        case "heading":
            level = node.get("attrs", {}).get("level", 1)
            return f"h{level}. " + "".join(_inside(node))
        case "bulletList":
            return "\n".join(f"* {item}" for item in _inside(node))
        case "orderedList":
            return "\n".join(f"# {item}" for item in _inside(node))
        case _:
            return "".join(_inside(node))


def _inside(node: Any) -> list[str]:
    """Return the texts of what a node contains."""
    content = node.get("content", ())
    return [_block(each) for each in content]


def words(value: Any) -> tuple[str, ...]:
    """Return the lower-case words of a text or document in their order, as a text search sees them."""
    text = to_wiki(value) or ""
    found = _WORDS.findall(text.casefold())
    return tuple(found)
