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
        self._walks[self._number] = Walk(asked, array("q", ids), now + LIFETIME)
        self._total += len(self._walks[self._number].ids)
        while len(self._walks) > 1 and (
            len(self._walks) > _KEPT or self._total > _KEPT_IDS
        ):
            self._total -= len(self._walks.popitem(last=False)[1].ids)
        return self._number

    def token(self, number: int, offset: int) -> str:
        """Return the token of a place in a walk."""
        text = f"{number}.{offset}"
        return (
            base64.urlsafe_b64encode(f"{text}.{self._sign(text)}".encode())
            .decode()
            .rstrip("=")
        )

    def open(self, token: str, asked: str, now: int) -> tuple[int, int, array[int]]:
        """Return number, offset and ids for a token; raises `BadToken`."""
        number, offset = self._read(token)
        walk = self._walks.get(number)
        if walk is None or walk.until < now or walk.asked != asked:
            raise BadToken(token)
        return number, offset, walk.ids

    def _read(self, token: str) -> tuple[int, int]:
        try:
            text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            number, offset, signature = text.split(".")
            if signature != self._sign(f"{number}.{offset}"):
                raise BadToken(token)
            return int(number), int(offset)
        except (ValueError, UnicodeDecodeError):
            raise BadToken(token) from None

    def _sign(self, text: str) -> str:
        return hashlib.sha256(f"{self._salt}:{text}".encode()).hexdigest()[:16]
