"""Whole numbers in what clients send: ASCII digits that fit 64 bits, as Jira reads them; nothing else is a number."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
LARGEST = 2**63 - 1
"""Largest number an answer can hold."""


def as_whole(text: str) -> int | None:
    """Return the number a text is, None for anything else (`²` is a digit to `str.isdigit`, but no number)."""
    found = int(text) if _WHOLE.fullmatch(text) else None
    return found if found is not None and abs(found) <= LARGEST else None


def as_identity(text: str) -> int | None:
    """Return the identity a text is: a number without a sign."""
    return as_whole(text) if text[:1] not in ("+", "-") else None
