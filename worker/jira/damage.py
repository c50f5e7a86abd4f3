"""JSON with characters that cannot be: half of a surrogate pair, bytes that are no UTF-8, bare control characters.

Such an answer cannot be decoded at all, though all but one of its records are whole. It is decoded again with a mark in
the place of each damage; the records that bear the mark are set aside by whoever reads them one by one.
"""

from __future__ import annotations

import re

import msgspec

MARK = "\ufdd0\ufdd1"
"""Stands where a character was lost: two code points that no text may contain."""
MARK_BYTES = MARK.encode()
SAID = "half a character or a broken byte in the text"
# In order: a whole pair, half of one, any other escape, a control character that JSON must escape.
_SUSPECTS = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|(?P<escape>\\.)"
    r"|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f])",
    re.DOTALL,
)
_BAD_BYTES = re.compile("[\udc80-\udcff]+")


def mark_damage(content: bytes) -> bytes:
    """Return an answer with a mark in the place of each character that cannot be; the same bytes when there is none."""
    text = content.decode("utf-8", errors="surrogateescape")
    marked = _SUSPECTS.sub(_marked, _BAD_BYTES.sub(MARK, text))
    return content if marked == text else marked.encode()


def _marked(found: re.Match[str]) -> str:
    return MARK if found.lastgroup in ("half", "control") else found[0]


def damaged_field(raw: bytes) -> str:
    """Return the path of the first damaged text of a marked record, empty when it has none."""
    try:
        record = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    return ".".join(_find(record, ()) or ())


def _find(value: object, path: tuple[str, ...]) -> tuple[str, ...] | None:
    match value:
        case str():
            return path if MARK in value else None
        case dict():
            parts = [(str(name), each) for name, each in value.items()]
        case list():
            parts = [(str(place), each) for place, each in enumerate(value)]
        case _:
            return None
    found = (_find(each, (*path, name)) for name, each in parts)
    return next((one for one in found if one is not None), None)
