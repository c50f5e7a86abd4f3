"""The section of a row about to be made, sent with its creation: one request where there were three.

What does not go with the creation is written by itself afterwards: a section of more than one request, one whose
pictures cannot be had, one that Notion refuses. The answer names no block, so that its blocks are remembered by their
places until the page is read (docs/facts/notion-api.md 3.10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from worker.codecs.blocks import encode_block, fit, look_of
from worker.domain import charts, document
from worker.domain.document import Block
from worker.errors import ApiError
from worker.plan.diff import SECTION
from worker.plan.plan import Change
from worker.ports.notion import Json
from worker.state import bases
from worker.state.store import Tx
from worker.write.context import WriteContext
from worker.write.sections import (
    BLOCKS,
    DOUBT,
    Known,
    SectionWriter,
    address_of,
    charts_of,
    fingerprint,
    forget_pictures,
    pack,
    parts_of,
    save_pictures,
    tell_undrawn,
    upload_pictures,
    without,
)
from worker.write.uploads import NotDrawn


@dataclass(frozen=True, slots=True)
class Body:
    """A section ready to be sent with its row: its blocks, and the pictures that could not be drawn for it."""

    writer: SectionWriter
    change: Change
    blocks: tuple[Block, ...]
    undrawn: tuple[NotDrawn, ...]

    def children(self) -> list[Json]:
        """Return the blocks in request form."""
        return [encode_block(block, self.writer.uploads) for block in self.blocks]

    def record(self, tx: Tx, page_id: str) -> None:
        """Remember that the page holds the section."""
        digest = document.digest(self.change.blocks)
        places = {
            str(place): Known(document.digest((block,)), fingerprint(look_of(block)))
            for place, block in enumerate(self.blocks)
        }
        bases.record(tx, page_id, {SECTION: digest, BLOCKS: pack(places)})
        save_pictures(tx, self.writer)
        if self.undrawn:
            bases.attempt(tx, page_id, {SECTION: digest})

    def doubt(self, tx: Tx, page_id: str) -> None:
        """Remember that nobody knows yet whether the page shows the section."""
        bases.attempt(tx, page_id, {SECTION: document.digest(self.change.blocks)})
        bases.record(tx, page_id, {DOUBT: self.writer.target.now()})

    def tell(self) -> None:
        """Tell of the pictures that could not be drawn."""
        target = self.writer.target
        is_private = target.schema.is_private(self.change.ref.source)
        for fault in self.undrawn:
            target.warn(tell_undrawn(self.change, fault, private=is_private))

    def give_up(self) -> None:
        """Leave the section to be written by itself, after a refusal: a picture of it may be gone by now."""
        forget_pictures(self.writer.target, self.blocks)


def compose(target: WriteContext, change: Change | None) -> Body | None:
    """Return the section that goes with the creation of its row, None where there is none or it comes afterwards.

    Its pictures are uploaded; what hinders that is met, and told, when the section is written by itself.
    """
    if change is None:
        return None
    resolved = document.resolve(change.blocks, partial(address_of, target))
    blocks = tuple(fit(resolved))
    if not _is_one_request(target, blocks):
        return None

    writer = SectionWriter(target, "", {})
    undrawn: list[NotDrawn] = []
    while True:
        try:
            upload_pictures(writer, blocks)
        except NotDrawn as fault:
            undrawn.append(fault)
            blocks = tuple(without(block, fault.chart) for block in blocks)
        except ApiError:
            return None
        else:
            return Body(writer, change, blocks, tuple(undrawn))


def _is_one_request(target: WriteContext, blocks: Sequence[Block]) -> bool:
    names = (charts.digest(chart) for chart in charts_of(blocks))
    writer = SectionWriter(target, "", {}, uploads=dict.fromkeys(names, ""))
    inner = blocks[1:-1]
    return len(list(parts_of(writer, inner))) <= 1
