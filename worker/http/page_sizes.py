"""How many rows a page is asked for with: halved where a server cannot put more together, and remembered.

A smaller size is remembered once a page of it came through; while nothing comes through, the server is away, and what is
known of its pages stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from worker.errors import TooHeavy

T = TypeVar("T")
LADDER = (5_000, 1_000, 500, 250, 100, 50, 25, 10)
ATTEMPTS = 2
"""How often a page is asked for before a smaller one is."""


def smaller_than(size: int) -> int | None:
    """Return the next smaller size; None when there is none."""
    return next((step for step in LADDER if step < size), None)


def larger_than(size: int) -> int:
    """Return the next larger size."""
    return min((step for step in LADDER if step > size), default=size)


class PageSizes:
    """The sizes of one workspace's pages by name, where they are smaller than what is asked for. Thread-safe."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}
        self._lock = threading.Lock()

    def known(self) -> dict[str, int]:
        """Return the sizes that were found to come through."""
        with self._lock:
            return dict(self._most)

    def restore(self, sizes: Mapping[str, int]) -> None:
        """Go by what was found in an earlier run."""
        with self._lock:
            self._most = dict(sizes)

    def grow(self) -> None:
        """Let every page be one step larger, to find out whether the server got stronger."""
        with self._lock:
            self._most = {name: larger_than(most) for name, most in self._most.items()}

    def ask(
        self,
        name: str,
        most: int,
        attempt: Callable[[int, int | None], T],
        *,
        left: int | None = None,
    ) -> tuple[T, int]:
        """Return `attempt(size, heavy_attempts)` and the size that came through.

        A page of this kind has at most `most` rows, and as many as are `left` (None: nobody knows).
        """
        usual = min(most, self.known().get(name, most))
        size = usual if left is None else min(usual, left)
        is_smaller = False
        while True:
            smaller = smaller_than(size)
            try:
                answer = attempt(size, ATTEMPTS if smaller is not None else None)
            except TooHeavy:
                if smaller is None:
                    raise
                size = smaller
                is_smaller = True
                continue
            if is_smaller:
                self._remember(name, size)
            elif size == most:
                self._forget(name)
            return answer, size

    def pieces(
        self,
        name: str,
        items: Sequence[str],
        most: int,
        *,
        attempt: Callable[[Sequence[str], int | None], T],
    ) -> Iterator[T]:
        """Yield `attempt(piece, heavy_attempts)` of consecutive pieces of at most `most` items."""
        start = 0

        def ask(size: int, heavy_attempts: int | None) -> T:
            return attempt(items[start : start + size], heavy_attempts)

        while start < len(items):
            answer, size = self.ask(name, most, ask, left=len(items) - start)
            yield answer
            start += size

    def _remember(self, name: str, size: int) -> None:
        with self._lock:
            self._most[name] = size

    def _forget(self, name: str) -> None:
        with self._lock:
            self._most.pop(name, None)
