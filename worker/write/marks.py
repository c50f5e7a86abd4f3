"""Where a section of ours stands on a page: between two thin lines, known by their ids, or else by how they begin.

Earlier releases drew two boxes in the lines' place; they are recognised too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from worker.codecs.blocks import text_of
from worker.domain.document import CLOSING, NAME, OPENING
from worker.ports.notion import Json

BOXES = {OPENING: "⚙️", CLOSING: "🔚"}
"""Icons of the boxes of earlier releases."""
Span = tuple[int, int]


class Ends(msgspec.Struct, frozen=True):
    """The ids that are remembered of a section's lines."""

    opening: Collection[str] = ()
    closing: Collection[str] = ()

    def is_opening(self, raw: Json) -> bool:
        """Tell whether a section begins with a block."""
        return raw.get("id") in self.opening or _looks(raw, OPENING)

    def is_closing(self, raw: Json) -> bool:
        """Tell whether a section ends with a block."""
        return raw.get("id") in self.closing or _looks(raw, CLOSING)


def find_sections(page: Sequence[Json], ends: Ends) -> list[Span]:
    """Return the places on a page where sections begin and end.

    A line beside a box is one that was to take the box's place, when the process died: both are the section's.
    """
    spans: list[Span] = []
    opening = last = -1
    for index, raw in enumerate(page):
        if ends.is_opening(raw):
            if opening < 0 or last != index - 1:
                opening = index
            last = index
        elif ends.is_closing(raw):
            if opening >= 0:
                spans.append((opening, index))
                opening = -1
            elif spans and spans[-1][1] == index - 1:
                spans[-1] = (spans[-1][0], index)
    return spans


def _looks(raw: Json, sign: str) -> bool:
    text = text_of(raw)
    if raw.get("type") == "paragraph":
        return text.startswith(sign)
    box = raw.get("callout") or {}
    icon = box.get("icon") or {}
    return icon.get("emoji") == BOXES[sign] and text.startswith(NAME)
