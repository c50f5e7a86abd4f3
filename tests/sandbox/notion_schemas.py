"""Validation of the emulator's objects against JSON schemas derived from the official SDK's types.

The schemas' known gaps (docs/facts/reliability.md 3.3): `archived` is required though gone since 2026-03-11, relations lack
`has_more`, and `place` and `verification` do not fit.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).parents[2] / ".." / "shared" / "specs" / "notion-json-schemas"
KINDS = {
    "page": "PageObjectResponse",
    "database": "DatabaseObjectResponse",
    "data_source": "DataSourceObjectResponse",
    "block": "BlockObjectResponse",
    "comment": "CommentObjectResponse",
    "user": "UserObjectResponse",
    "view": "DataSourceViewObjectResponse",
}
COMPLETE = {
    "page": "properties",
    "database": "data_sources",
    "data_source": "properties",
    "block": "type",
    "comment": "rich_text",
    "user": "type",
    "view": "name",
}
"""The key that tells a complete object from a reference."""
UNTYPED = ("place", "verification")


@cache
def validator(kind: str) -> Draft7Validator:
    """Return the validator of an object kind, with `archived` not required."""
    schema = json.loads((SCHEMAS / f"{KINDS[kind]}.json").read_text(encoding="utf-8"))
    return Draft7Validator(_without_archived(schema))


def _without_archived(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_archived(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: [one for one in value if one != "archived"]
        if key == "required" and isinstance(value, list)
        else _without_archived(value)
        for key, value in schema.items()
    }


def cleaned(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object without what the schemas are known to lack."""
    bare = {
        key: inner for key, inner in copy.deepcopy(value).items() if key != "request_id"
    }
    for name, cell in list(bare.get("properties", {}).items()):
        cell.pop("has_more", None)
        if cell["type"] in UNTYPED:
            del bare["properties"][name]
    return bare


def assert_valid(kind: str, value: dict[str, Any]) -> None:
    """Fail with the deepest reason when an object does not fit its schema."""
    errors = [
        found
        for error in validator(kind).iter_errors(cleaned(value))
        for found in _leaves(error)
    ]
    deepest = sorted(errors, key=lambda error: -len(error.absolute_path))[:3]
    told = "; ".join(
        f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}"
        for one in deepest
    )
    assert not errors, f"{kind} {value.get('id')} is not a {KINDS[kind]}: {told}"


def _leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for inner in error.context:
        yield from _leaves(inner)


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every complete object anywhere in an answer."""
    if isinstance(value, list):
        for item in value:
            yield from objects_in(item)
    elif isinstance(value, dict):
        kind = value.get("object")
        if isinstance(kind, str) and COMPLETE.get(kind, "?") in value:
            yield value
        for inner in value.values():
            yield from objects_in(inner)
