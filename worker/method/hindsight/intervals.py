"""What a share of few tries may tell: the score interval of Wilson (docs/facts/definitions.md 14)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

Z = Decimal("1.959964")
"""The normal quantile of an interval that holds the true share 95 times in a hundred."""
HALF = Z * Z / 2
"""Hits that are added to those that were counted, and misses as many."""


class Share(msgspec.Struct, frozen=True, gc=False):
    """So many `hits` of so many `tries`."""

    hits: int
    tries: int

    @property
    def value(self) -> Decimal:
        """Return the share, none of none as zero."""
        if not self.tries:
            return Decimal(0)
        return Decimal(self.hits) / self.tries

    @property
    def low(self) -> Decimal:
        """Return the lower end of its interval."""
        if not self.hits:
            return Decimal(0)
        return self._middle() - self._reach()

    @property
    def high(self) -> Decimal:
        """Return the upper end of its interval."""
        if self.hits == self.tries:
            return Decimal(1)
        return self._middle() + self._reach()

    def holds(self, share: Decimal) -> bool:
        """Tell whether a share lies within the interval: then nothing speaks against it."""
        return self.low <= share <= self.high

    def _middle(self) -> Decimal:
        near = self.hits + HALF
        return near / self._weight()

    def _reach(self) -> Decimal:
        missed = self.tries - self.hits
        hits = Decimal(self.hits)
        spread = hits * missed / self.tries
        spread += HALF / 2
        return Z * spread.sqrt() / self._weight()

    def _weight(self) -> Decimal:
        return self.tries + 2 * HALF
