"""Block payloads: what a request may say and what is stored, as one table per block type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rayline_sandbox.notion.errors import (
    MISSING,
    an_object,
    invalid,
    should_be,
    too_long,
)
from rayline_sandbox.notion.media import parse_file, read_icon
from rayline_sandbox.notion.richtext import TEXT_COLORS, parse_rich_text
from rayline_sandbox.notion.store import Store, plain_id

Payload = dict[str, Any]
TEXT_TYPES = (
    "paragraph",
    "heading_1",
    "heading_2",
    "heading_3",
    "heading_4",
    "bulleted_list_item",
    "numbered_list_item",
    "to_do",
    "toggle",
    "quote",
    "callout",
    "template",
)
FILE_TYPES = ("image", "video", "audio", "file", "pdf")
EMPTY_TYPES = ("divider", "breadcrumb", "column_list", "tab")
NOT_CREATABLE = frozenset(
    {
        "child_page",
        "child_database",
        "link_preview",
        "unsupported",
        "meeting_notes",
        "transcription",
        "ai_block",
    }
)
PARENTS = frozenset(
    {
        "paragraph",
        "heading_1",
        "heading_2",
        "heading_3",
        "heading_4",
        "bulleted_list_item",
        "numbered_list_item",
        "to_do",
        "toggle",
        "quote",
        "callout",
        "template",
        "column_list",
        "column",
        "table",
        "synced_block",
        "tab",
    }
)
EXTRAS: dict[str, Payload] = {
    "paragraph": {"icon": None},
    "to_do": {"checked": False},
    "template": {},
    "callout": {"icon": {"type": "emoji", "emoji": "💡"}},
    **{f"heading_{level}": {"is_toggleable": False} for level in (1, 2, 3, 4)},
}
KEYS: dict[str, frozenset[str]] = {
    **dict.fromkeys(TEXT_TYPES, frozenset({"rich_text", "color"})),
    **dict.fromkeys(
        FILE_TYPES, frozenset({"type", "caption", "external", "file", "file_upload"})
    ),
    "code": frozenset({"rich_text", "language", "caption"}),
    "bookmark": frozenset({"url", "caption"}),
    "embed": frozenset({"url", "caption"}),
    "equation": frozenset({"expression"}),
    "table": frozenset({"table_width", "has_column_header", "has_row_header"}),
    "table_row": frozenset({"cells"}),
    "table_of_contents": frozenset({"color"}),
    "synced_block": frozenset({"synced_from"}),
    "link_to_page": frozenset({"type", "page_id", "database_id", "comment_id"}),
    "column": frozenset({"width_ratio"}),
}
"""What a payload may hold beside `children` and the type's `EXTRAS`."""
CODE_LANGUAGES = frozenset(
    {
        "abap",
        "abc",
        "agda",
        "arduino",
        "ascii art",
        "assembly",
        "bash",
        "basic",
        "bnf",
        "c",
        "c#",
        "c++",
        "clojure",
        "coffeescript",
        "coq",
        "css",
        "dart",
        "dhall",
        "diff",
        "docker",
        "ebnf",
        "elixir",
        "elm",
        "erlang",
        "f#",
        "flow",
        "fortran",
        "gherkin",
        "glsl",
        "go",
        "graphql",
        "groovy",
        "haskell",
        "hcl",
        "html",
        "idris",
        "java",
        "javascript",
        "json",
        "julia",
        "kotlin",
        "latex",
        "less",
        "lisp",
        "livescript",
        "llvm ir",
        "lua",
        "makefile",
        "markdown",
        "markup",
        "matlab",
        "mathematica",
        "mermaid",
        "nix",
        "notion formula",
        "objective-c",
        "ocaml",
        "pascal",
        "perl",
        "php",
        "plain text",
        "powershell",
        "prolog",
        "protobuf",
        "purescript",
        "python",
        "r",
        "racket",
        "reason",
        "ruby",
        "rust",
        "sass",
        "scala",
        "scheme",
        "scss",
        "shell",
        "smalltalk",
        "solidity",
        "sql",
        "swift",
        "toml",
        "typescript",
        "vb.net",
        "verilog",
        "vhdl",
        "visual basic",
        "webassembly",
        "xml",
        "yaml",
        "java/c/c++/c#",
    }
)


def block_type(given: Any, path: str) -> str:
    """Return the type of a block in a request: its `type`, else the one type key it has.

    What only answers carry (`id`, `is_archived`, ...) cannot be sent back (docs/facts/notion-api.md 1.5).
    """
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    kind = given.get("type") or next(
        (key for key in given if key in PAYLOADS or key in NOT_CREATABLE), None
    )
    if kind in NOT_CREATABLE:
        raise invalid(
            f"body failed validation: {path}: blocks of type {kind} cannot be created through this endpoint."
        )
    if not isinstance(kind, str) or kind not in PAYLOADS:
        raise should_be(f"{path}.paragraph", "defined", MISSING)
    if not isinstance(given.get(kind), dict):
        raise should_be(f"{path}.{kind}", "defined", given.get(kind, MISSING))
    stray = next(
        (key for key in given if key not in ("object", "type", "children", kind)), None
    )
    if stray is not None:
        raise should_be(f"{path}.{stray}", "not present", given[stray])
    if given.get("object", "block") != "block":
        raise should_be(f"{path}.object", '`"block"`', given["object"])
    return kind


def parse_payload(store: Store, kind: str, given: Payload, path: str) -> Payload:
    """Return the stored payload of a new block (children left out); a key its type does not know is refused."""
    stray = next((key for key in given if key not in _known_keys(kind)), None)
    if stray is not None:
        raise should_be(f"{path}.{kind}.{stray}", "not present", given[stray])
    return PAYLOADS[kind](store, kind, given, path)


def _known_keys(kind: str) -> frozenset[str]:
    named = {"name"} if kind == "file" else {}
    below = {"children"} if kind in PARENTS else {}
    return KEYS.get(kind, frozenset()).union(EXTRAS.get(kind, ()), named, below)


def merge_payload(
    store: Store, kind: str, old: Payload, given: Payload, path: str
) -> Payload:
    """Return the payload after an update that names some of its fields."""
    fresh = parse_payload(store, kind, _echo(old) | given, path)
    return {
        key: fresh[key] if key in given or key not in old else old[key] for key in fresh
    }


def _echo(old: Payload) -> Payload:
    return {key: value for key, value in old.items() if value is not None}


def _text(store: Store, kind: str, given: Payload, path: str) -> Payload:
    text = given.get("rich_text", MISSING)
    if text is MISSING:
        raise should_be(f"{path}.{kind}.rich_text", "defined", MISSING)
    extras = {
        key: _extra(store, key, given.get(key, default), f"{path}.{kind}.{key}")
        for key, default in EXTRAS.get(kind, {}).items()
    }
    return {
        "rich_text": parse_rich_text(store, text, f"{path}.{kind}.rich_text"),
        **extras,
        "color": _color(kind, given, path),
    }


def _extra(store: Store, key: str, value: Any, path: str) -> Any:
    if key == "icon":
        return read_icon(store, value, path)
    return _flag(value, path)


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise should_be(path, "a boolean", value)
    return value


def _color(kind: str, given: Payload, path: str) -> str:
    color = given.get("color") or "default"
    if color not in TEXT_COLORS:
        raise should_be(f"{path}.{kind}.color", "a known color", color)
    return str(color)


def _code(store: Store, kind: str, given: Payload, path: str) -> Payload:
    language = given.get("language") or "plain text"
    if language not in CODE_LANGUAGES:
        raise should_be(f"{path}.{kind}.language", "a known language", language)
    return {
        "caption": _caption(store, given, path),
        "language": language,
        "rich_text": parse_rich_text(
            store, given.get("rich_text", MISSING), f"{path}.{kind}.rich_text"
        ),
    }


def _caption(store: Store, given: Payload, path: str) -> list[Payload]:
    return parse_rich_text(store, given.get("caption") or [], f"{path}.caption")


def _media(store: Store, kind: str, given: Payload, path: str) -> Payload:
    parsed = parse_file(store, given, f"{path}.{kind}")
    source = parsed["type"]
    named = {"name": parsed["name"]} if kind == "file" else {}
    return {
        "caption": _caption(store, given, path),
        "type": source,
        source: parsed[source],
        **named,
    }


def _address(store: Store, kind: str, given: Payload, path: str) -> Payload:
    url = given.get("url", MISSING)
    if not isinstance(url, str):
        raise should_be(f"{path}.{kind}.url", "a string", url)
    if len(url) > 2000:
        raise too_long(f"{path}.{kind}.url", 2000, len(url))
    return {"caption": _caption(store, given, path), "url": url}


def _equation(_: Store, kind: str, given: Payload, path: str) -> Payload:
    expression = given.get("expression", MISSING)
    if not isinstance(expression, str):
        raise should_be(f"{path}.{kind}.expression", "a string", expression)
    if len(expression) > 1000:
        raise too_long(f"{path}.{kind}.expression", 1000, len(expression))
    return {"expression": expression}


def _table(_: Store, kind: str, given: Payload, path: str) -> Payload:
    width = given.get("table_width", MISSING)
    if isinstance(width, bool) or not isinstance(width, int) or not 1 <= width <= 100:
        raise should_be(f"{path}.{kind}.table_width", "a number", width)
    return {
        "table_width": width,
        **{
            key: _flag(given.get(key, False), f"{path}.{kind}.{key}")
            for key in ("has_column_header", "has_row_header")
        },
    }


def _table_row(store: Store, kind: str, given: Payload, path: str) -> Payload:
    cells = given.get("cells", MISSING)
    if not isinstance(cells, list):
        raise should_be(f"{path}.{kind}.cells", "an array", cells)
    return {
        "cells": [
            parse_rich_text(store, cell, f"{path}.{kind}.cells[{index}]")
            for index, cell in enumerate(cells)
        ]
    }


def _contents(_: Store, kind: str, given: Payload, path: str) -> Payload:
    return {"color": _color(kind, given, path)}


def _synced(_: Store, kind: str, given: Payload, path: str) -> Payload:
    source = an_object(given.get("synced_from"), f"{path}.{kind}.synced_from")
    target = plain_id(str(source.get("block_id")))
    return {"synced_from": {"type": "block_id", "block_id": target} if source else None}


def _link(_: Store, kind: str, given: Payload, path: str) -> Payload:
    key = next(
        (one for one in ("page_id", "database_id", "comment_id") if one in given), None
    )
    if key is None:
        raise should_be(f"{path}.{kind}.page_id", "defined", MISSING)
    return {"type": key, key: plain_id(str(given[key]))}


def _column(_: Store, kind: str, given: Payload, path: str) -> Payload:
    ratio = given.get("width_ratio")
    if ratio is None:
        return {}
    if (
        isinstance(ratio, bool)
        or not isinstance(ratio, int | float)
        or not 0 < ratio <= 1
    ):
        raise should_be(f"{path}.{kind}.width_ratio", "a number between 0 and 1", ratio)
    return {"width_ratio": ratio}


def _empty(*_: Any) -> Payload:
    return {}


PAYLOADS: dict[str, Callable[[Store, str, Payload, str], Payload]] = {
    **dict.fromkeys(TEXT_TYPES, _text),
    **dict.fromkeys(FILE_TYPES, _media),
    **dict.fromkeys(EMPTY_TYPES, _empty),
    "code": _code,
    "bookmark": _address,
    "embed": _address,
    "equation": _equation,
    "table": _table,
    "table_row": _table_row,
    "table_of_contents": _contents,
    "synced_block": _synced,
    "link_to_page": _link,
    "column": _column,
}
