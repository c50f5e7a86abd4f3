"""Rows of ours that a complete read did not show, looked up one by one: absence from a list is not deletion.

Source: docs/facts/reliability.md 1.2; docs/facts/notion-api.md 2.16.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from worker.domain.values import Ref
from worker.errors import Missing
from worker.mapping.schema import Bindings
from worker.plan.refusals import Stray, has_left, stray
from worker.ports.notion import RowReader
from worker.state.settings import Setting

LEFT = Setting("left_rows", tuple[Stray, ...], tuple)
"""Rows that somebody moved out of their data source, to be told until the next census."""
GONE = Setting("gone_pages", tuple[str, ...], tuple)
"""Pages of ours that were found deleted, sorted."""


class Absent(msgspec.Struct, frozen=True, gc=False):
    """What became of rows: the pages in the trash or out of reach, and the rows that stand elsewhere by now."""

    gone: frozenset[str] = frozenset()
    left: tuple[Stray, ...] = ()


def look_up(notion: RowReader, pages: Mapping[str, Ref], bindings: Bindings) -> Absent:
    """Return what became of some rows by page id; one merely absent from a list is neither.

    Raises the API errors but `Missing`.
    """
    gone: set[str] = set()
    left: list[Stray] = []
    for page_id, ref in sorted(pages.items()):
        try:
            page = notion.page(page_id)
        except Missing:
            gone.add(page_id)
            continue
        if page.is_gone:
            gone.add(page_id)
        elif has_left(page, bindings.get(ref.source)):
            left.append(stray(ref, page))
    return Absent(frozenset(gone), tuple(left))
