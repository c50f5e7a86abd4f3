"""Values that a JSON Schema allows, drawn from a source of chance: whole records as the services' own documents describe them.

Only what those documents use of the language is known; hypothesis gives the chance where a failure is to be made small.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

SPECS = Path(__file__).parents[2] / ".." / "shared" / "specs"
TEXTS = (
    "",
    " ",
    "Acme",
    "Сайт «Ёлка»",
    "عميل 🧾\u200d🔥",
    "a\u0000b\tc\r\nd",
    "=1+1",
    "<b>&amp;</b>",
    "2026-11-30",
    "x" * 2_100,
)
NUMBERS = (0, 1, -1, 0.1, -0.005, 10**9, 10**18, 10**40, 1e308, 5e-324)
MOMENTS = ("2026-11-20T09:00:00.000Z", "2026-11-20T23:59:59.999+03:00")
FORMATS: Mapping[str, tuple[str, ...]] = {
    "date": ("2026-02-28", "0001-01-01", "9999-12-31"),
    "date-time": MOMENTS,
    "uri": ("https://acme.example/a?b=c", "ftp://x", "mailto:ann@acme.example"),
    "uuid": ("4f0c0c5e-0f3b-4f0d-9a83-6a8e6f2b8a11",),
}
SCALARS: Mapping[str, tuple[Any, ...]] = {
    "string": TEXTS,
    "number": NUMBERS,
    "integer": tuple(one for one in NUMBERS if isinstance(one, int)),
    "boolean": (True, False),
    "null": (None,),
}
MOST_ITEMS, DEEPEST = 3, 12

Make = Callable[[Random], Any]


@dataclass(frozen=True)
class Drawing:
    """Draws values of one document; `named` makes the values of properties of a name, whatever the schema says of them."""

    document: Mapping[str, Any]
    chance: Random
    named: Mapping[str, Make] = field(default_factory=dict)

    def draw(self, schema: Any, depth: int = 0) -> Any:
        """Return a value that a schema of the document allows."""
        if schema is True or not schema:
            return self._anything(depth)
        if "$ref" in schema:
            return self.draw(self._pointed_at(schema["$ref"]), depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        for either in ("anyOf", "oneOf"):
            if either in schema:
                return self.draw(self.chance.choice(schema[either]), depth)
        if "allOf" in schema:
            return self._all_of(schema["allOf"], depth)
        return self._of_type(schema, depth)

    def _pointed_at(self, pointer: str) -> Any:
        found: Any = self.document
        for step in pointer.removeprefix("#/").split("/"):
            found = found[step]
        return found

    def _all_of(self, parts: list[Any], depth: int) -> Any:
        drawn = [self.draw(one, depth) for one in parts]
        if not all(isinstance(one, dict) for one in drawn):
            return drawn[0]
        return {name: value for one in drawn for name, value in one.items()}

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        kinds = schema.get("type", "object")
        kind = self.chance.choice(kinds) if isinstance(kinds, list) else kinds
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        return self.chance.choice(FORMATS.get(schema.get("format", ""), SCALARS[kind]))

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        known = schema.get("properties", {})
        needed = schema.get("required", ())
        kept = [
            name
            for name in known
            if name in needed or (depth < DEEPEST and self.chance.random() < 0.7)
        ]
        found = {name: self._property(name, known[name], depth) for name in kept}
        others = schema.get("additionalProperties", {"not": {}})
        if isinstance(others, dict) and "not" not in others and depth < DEEPEST:
            for name in self.chance.sample(TEXTS, self.chance.randrange(MOST_ITEMS)):
                found.setdefault(name, self.draw(others, depth + 1))
        return found

    def _property(self, name: str, schema: Any, depth: int) -> Any:
        make = self.named.get(name)
        return make(self.chance) if make else self.draw(schema, depth + 1)

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        most = min(schema.get("maxItems", MOST_ITEMS), MOST_ITEMS)
        least = schema.get("minItems", 0)
        count = self.chance.randint(least, max(least, most if depth < DEEPEST else 0))
        return [self.draw(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _anything(self, depth: int) -> Any:
        kind = self.chance.choice(
            [*SCALARS, "array", "object"][: 5 if depth > 3 else 7]
        )
        return self._of_type({"type": kind}, depth + 1)


def document(name: str) -> Mapping[str, Any]:
    """Return a document of `../shared/specs` by its file name."""
    found: Mapping[str, Any] = json.loads((SPECS / name).read_text(encoding="utf-8"))
    return found
