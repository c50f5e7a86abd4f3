"""Official Jira OpenAPI documents as validators, with optionality relaxed: they are known to be loose (section 7)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

SPECS = Path(__file__).parents[2] / ".." / "shared" / "specs"
_BEYOND = (
    "projectKeys",
    "defaultLocale",
)  # answered by live sites, absent from the document
_DROPPED = frozenset(
    {
        "required",
        "minLength",
        "format",
        "readOnly",
        "writeOnly",
        "xml",
        "example",
        "discriminator",
    }
)


def _relax(node: Any) -> Any:
    if isinstance(node, list):
        return [_relax(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {
        key: _relax(value)
        for key, value in node.items()
        if key not in _DROPPED or isinstance(value, dict)
    }
    if "anyOf" in found and "properties" not in found:
        found.pop(
            "additionalProperties", None
        )  # declared beside `anyOf` it would forbid every alternative
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None]
    return found


@cache
def _document(name: str) -> dict[str, Any]:
    path = SPECS / f"{name}.json"
    if not path.exists():
        pytest.skip("the shared specifications are absent")
    document: dict[str, Any] = _relax(json.loads(path.read_text()))
    return document


def problems(name: str, path: str, method: str, status: int, *, body: Any) -> list[str]:
    """Return where a body differs from the schema of an operation's answer."""
    document = _document(name)
    responses = document["paths"][path][method]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    validator = Draft7Validator({**schema, "components": document["components"]})
    return [
        f"{path} {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(body)
        if not any(f"'{name}' was" in error.message for name in _BEYOND)
    ]
