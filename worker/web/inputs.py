"""What no input may hold, looked at once for all: signs that no person types and no database keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from fastapi import Request
from starlette.datastructures import FormData

CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
PLAIN = f"^[^{CONTROLS}]*$"
"""The pattern of a text as the description of the interface tells it."""
_UNFIT = re.compile(f"[{CONTROLS}\ud800-\udfff]")
OWN = ("/hooks/",)
"""Paths whose bodies are kept as they came: their signature is of the bytes, and only a proven one is read."""


class Unreadable(Exception):
    """A field holds signs that are no text."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


async def refuse_controls(request: Request) -> None:
    """Raise `Unreadable` for a request with control characters in its address, a form or a document."""
    for field, text in (
        *request.path_params.items(),
        *request.query_params.multi_items(),
    ):
        _require_plain(field, text)
    if request.scope["path"].startswith(OWN):
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form: FormData = await request.form()
        for field, entry in form.multi_items():
            _require_plain(field, entry)
    elif await request.body() and kind.endswith("json"):
        try:
            document = await request.json()
        except ValueError:
            return
        for field, value in _texts(document):
            _require_plain(field, value)


def _require_plain(field: str, value: object) -> None:
    if _UNFIT.search(field):
        raise Unreadable("?")
    if isinstance(value, str) and _UNFIT.search(value):
        raise Unreadable(field)


def _texts(value: object, field: str = "body") -> Iterator[tuple[str, object]]:
    """Yield every text of a document with the name of its field."""
    match value:
        case Mapping():
            parts: Iterable[tuple[str, object]] = value.items()
        case list():
            parts = ((field, part) for part in value)
        case _:
            yield field, value
            return
    for name, part in parts:
        yield name, None
        yield from _texts(part, name)
