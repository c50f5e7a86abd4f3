"""Text from outside: cleaned once, where it is decoded, and shown with nothing hidden in it.

What people type or paste may hold characters that are no text: controls that abort the chart engine, halves of
surrogate pairs that no encoding takes, marks that turn the direction of what follows. Unicode 16, 23.1, 23.2, 23.7.
"""

from __future__ import annotations

import json
import re

REPLACEMENT = "\ufffd"
_BREAKS = "\n\v\f\r\x85\u2028\u2029"
_C0_C1 = "\x00-\x1f\x7f-\x9f"
_TURNS = "\u202a-\u202e\u2066-\u2069"
_HALVES = "\ud800-\udfff"
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}"
    for plane in range(0, 0x11_0000, 0x1_0000)
)
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_HALF = re.compile(f"[{_HALVES}]")
_NO_TEXT = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f{_TURNS}{_NONCHARACTERS}]")
_SPACES = re.compile(r"[\t\n]+")
_HIDDEN = re.compile(f"[{_C0_C1}{_TURNS}{_HALVES}{_NONCHARACTERS}\u2028\u2029]")


def clean(text: str) -> str:
    """Return the text without what is no text; every kind of line break is a line feed.

    Total, and `clean(clean(text)) == clean(text)`. Tabs and line feeds stay; half a surrogate pair becomes U+FFFD.
    """
    if text.isprintable():
        return text
    broken = _BREAK.sub("\n", text)
    return _NO_TEXT.sub("", _HALF.sub(REPLACEMENT, broken))


def clean_line(text: str) -> str:
    """Return the text cleaned and on one line, for names: line breaks and tabs become a space."""
    if text.isprintable():
        return text
    return _SPACES.sub(" ", clean(text))


def visible(text: str, *, kept: str = "") -> str:
    """Return the text with every character that is obeyed or not seen shown as an escape, but for those `kept`."""
    if text.isprintable():
        return text
    return _HIDDEN.sub(
        lambda match: match[0] if match[0] in kept else _escape(match[0]), text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible_json(text: str) -> str:
    """Return JSON text that means the same, with the same characters escaped as JSON does it."""
    if text.isprintable():
        return text
    return _HIDDEN.sub(
        lambda match: match[0] if match[0] in "\n\r\t" else json.dumps(match[0])[1:-1],
        text,
    )


def cut(text: str, size: int) -> list[str]:
    """Return the text in pieces of at most `size` UTF-16 units, as Notion counts; no character is cut in two."""
    if text.isascii() or not text:
        return [text[at : at + size] for at in range(0, len(text), size)]
    pieces = []
    start = 0
    units = 0
    for at, character in enumerate(text):
        width = 2 if character > "\uffff" else 1
        if units + width > size:
            pieces.append(text[start:at])
            start = at
            units = 0
        units += width
    return [*pieces, text[start:]]
