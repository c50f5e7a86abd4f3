"""Pages behind opaque tokens: a search freezes its ordered ids, a token names the place in them.

Tokens are bound to what was asked, expire after seven days of the site's clock and cannot be made up
(docs/facts/jira-api.md 1.1).
"""

from __future__ import annotations

import base64
import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

LIFETIME = 7 * 86_400_000
_KEPT = 512
_KEPT_IDS = 5_000_000


@dataclass(slots=True)
class Walk:
    """One frozen result."""

    asked: str
    ids: array[int]
    until: int


class BadToken(Exception):
    """A token that was not issued for this, or not any more."""


class Walks:
    """Frozen results by number; the oldest are forgotten, by number and by size."""

    def __init__(self, seed: int) -> None:
        self._salt = str(seed)
        self._walks: OrderedDict[int, Walk] = OrderedDict()
        self._number = 0
        self._total = 0

    def freeze(self, asked: str, ids: Iterable[int], now: int) -> int:
        """Keep ids in order and return the walk's number."""
        self._number += 1
        walk = Walk(asked, array("q", ids), now + LIFETIME)
        self._walks[self._number] = walk
        self._total += len(walk.ids)
        while self._is_full():
            _, oldest = self._walks.popitem(last=False)
            self._total -= len(oldest.ids)
        return self._number

    def _is_full(self) -> bool:
        """Tell whether too much is kept besides the newest walk."""
        count = len(self._walks)
        if count == 1:
            return False
        return count > _KEPT or self._total > _KEPT_IDS

    def token(self, number: int, offset: int) -> str:
        """Return the token of a place in a walk."""
        text = f"{number}.{offset}"
        signed = f"{text}.{self._sign(text)}"
        coded = base64.urlsafe_b64encode(signed.encode())
        return coded.decode().rstrip("=")

    def open(self, token: str, asked: str, now: int) -> tuple[int, int, array[int]]:
        """Return number, offset and ids for a token; raises `BadToken`."""
        number, offset = self._read(token)
        walk = self._walks.get(number)
        if walk is None or walk.until < now or walk.asked != asked:
            raise BadToken(token)
        return number, offset, walk.ids

    def _read(self, token: str) -> tuple[int, int]:
        try:
            padding = "=" * (-len(token) % 4)
            text = base64.urlsafe_b64decode(token + padding).decode()
            number, offset, signature = text.split(".")
            if signature != self._sign(f"{number}.{offset}"):
                raise BadToken(token)
            return int(number), int(offset)
        except (ValueError, UnicodeDecodeError):
            raise BadToken(token) from None

    def _sign(self, text: str) -> str:
        salted = f"{self._salt}:{text}"
        digest = hashlib.sha256(salted.encode()).hexdigest()
        return digest[:16]
