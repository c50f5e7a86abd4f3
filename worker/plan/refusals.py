"""A field that Notion refused, remembered as long as the same value would go into the same property.

It stands beside the bases of its page under a name of its own, so that what is known of a page goes with the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from worker.codecs.records import Page, title_of
from worker.domain.messages import literal, tell
from worker.domain.values import Ref, Unset, Value
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import Binding, Property, Schema
from worker.plan.plan import encode

PREFIX = "§refused:"


class Stray(msgspec.Struct, frozen=True, gc=False):
    """A related row that is not in its data source any more: its ref as text, title and address."""

    ref: str
    title: str
    url: str = ""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """What was refused: the value as encoded, a digest of the property it was to go into, and what Notion said."""

    value: Any
    shape: str
    title: str
    error: str = msgspec.field(name="said")  # as older versions stored it
    strays: tuple[Stray, ...] = ()


def place_of(field: str) -> str:
    """Return the name under which the refusal of a field stands."""
    return f"{PREFIX}{field}"


def shape_of(binding: Binding, field: str) -> str:
    """Return a digest of how a field is bound: a property changed in Notion may take what it refused."""
    options = sorted(binding.options.get(field, {}).items())
    shape = msgspec.json.encode([binding.properties.get(field, ""), options])
    return hashlib.sha256(shape).hexdigest()[:16]


def pack(refusal: Refusal) -> str:
    """Return a refusal as stored."""
    return msgspec.json.encode(refusal).decode()


def unpack(stored: Value | Unset) -> Refusal | None:
    """Return a stored refusal, None where there is none that can be read."""
    if not isinstance(stored, str):
        return None
    try:
        return msgspec.json.decode(stored, type=Refusal)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def is_same(refusal: Refusal, value: Value, binding: Binding, field: str) -> bool:
    """Tell whether writing `value` would only be refused again."""
    return refusal.value == encode(value) and refusal.shape == shape_of(binding, field)


def problems_of(
    refusal: Refusal, ref: Ref, prop: Property, schema: Schema
) -> Iterator[Problem]:
    """Yield what is to be told of a refused field, and of related rows that left their board."""
    yield Problem(
        code=Code.FIELD_REFUSED,
        where=literal(ref),
        field=prop.name,
        message=tell(
            "“{title}” was written without {field}, which Notion refused: {error}",
            title=refusal.title,
            field=prop.label,
            error=refusal.error,
        ),
        hint=tell(
            "correct the field in Notion; it is tried again when its value or the property changes, "
            "and in every full read"
        ),
        severity=Severity.ERROR,
    )
    for stray in refusal.strays:
        yield left_board(stray, schema)


def left_board(stray: Stray, schema: Schema) -> Problem:
    """Return the problem of a row that somebody moved out of its data source."""
    source = schema.sources.get(Ref.parse(stray.ref).source)
    return Problem(
        code=Code.ROW_LEFT_BOARD,
        where=literal(stray.ref),
        message=tell(
            "“{title}” was moved out of {source} and is left alone",
            title=stray.title,
            source=source.title if source else "",
        ),
        hint=tell("move it back to be kept up to date, or delete it where it is now"),
        url=stray.url,
    )


def has_left(page: Page, binding: Binding | None) -> bool:
    """Tell whether a page stands in another data source than the one it belongs to."""
    if binding is None or page.parent is None:
        return False
    return _plain(page.parent.data_source_id) != _plain(binding.data_source_id)


def _plain(source_id: object) -> str:
    return str(source_id or "").replace("-", "").lower()


def stray(ref: Ref, page: Page) -> Stray:
    """Return a page as the row it was."""
    return Stray(str(ref), title_of(page.properties) or ref.key, page.url or "")
