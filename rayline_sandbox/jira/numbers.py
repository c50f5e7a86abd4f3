"""Whole numbers in what clients send: ASCII digits that fit 64 bits, as Jira reads them; nothing else is a number."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
LARGEST = 2**63 - 1
"""Largest number an answer can hold."""


def as_whole(text: str) -> int | None:
    """Return the number a text is, None for anything else (`²` is a digit to `str.isdigit`, but no number)."""
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    if abs(number) > LARGEST:
        return None
    return number


def as_identity(text: str) -> int | None:
    """Return the identity a text is: a number without a sign."""
    if text.startswith(("+", "-")):
        return None
    return as_whole(text)
