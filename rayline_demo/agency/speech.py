"""Picking one language of an (en, ru) pair."""

from __future__ import annotations

from dataclasses import dataclass

from rayline_demo.agency.names import Pair


@dataclass(frozen=True, slots=True)
class Speech:
    """Called with a pair, gives the text of its locale."""

    locale: str

    def __call__(self, pair: Pair) -> str:
        return pair[1] if self.locale == "ru" else pair[0]
