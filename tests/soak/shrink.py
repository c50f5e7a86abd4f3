"""A failing seed made short: steps are left out as long as it still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

TRIES = 60
"""How often a shorter life is tried at the most."""
Fails = Callable[[Sequence[int]], bool]


def shrink(numbers: Sequence[int], fails: Fails, tries: int = TRIES) -> list[int]:
    """Return the numbers of steps that are left of a failing life, which `fails` lives; halves first, then single ones."""
    left = list(numbers)
    size = max(1, len(left) // 2)
    while tries > 0:
        start = 0
        while start < len(left) and tries > 0:
            shorter = left[:start] + left[start + size :]
            tries -= 1
            if shorter != left and fails(shorter):
                left = shorter
            else:
                start += size
        if size == 1:
            break
        size //= 2
    return left
