"""A row looked at once more before it is put away: what people did with it is theirs."""

from __future__ import annotations

from collections.abc import Iterator

from worker.codecs.pages import address, decode_page
from worker.codecs.records import Page
from worker.domain.entities import Row
from worker.domain.messages import literal, tell
from worker.domain.values import Ref
from worker.errors import Code, Denied, Missing, Problem
from worker.mapping.schema import KEY_PROPERTY
from worker.plan.plan import Change
from worker.plan.surplus import holds_more
from worker.ports.notion import Json
from worker.state import bases
from worker.write.context import WriteContext
from worker.write.strays import is_by

_PAGES = ("child_page", "child_database")
"""Blocks that are pages of their own: below a row we make none, so that people put them there, whoever made them."""
PEOPLES = tell("somebody has written into the row")


def is_written_in(target: WriteContext, change: Change) -> bool:
    """Tell whether people wrote into a row: a cell, a block on its page, a comment; raises the API errors."""
    row = _decode(target, change.ref, target.notion.page(change.page_id))
    standing = _read_standing(target, change) if change.surplus else None
    if change.surplus and standing is None:
        return True  # this row is all that is left of the key
    with target.store.reading(target.workspace) as tx:
        written = bases.of_page(tx, change.page_id)
        attempted = bases.attempts_of(tx, change.page_id)
    return holds_more(
        row,
        standing,
        target.schema.sources[change.ref.source],
        target.bindings[change.ref.source],
        written=written,
        attempted=attempted,
    ) or holds_words_of_others(target, change.page_id, row.created_by)


def tell_kept(change: Change) -> Problem:
    """Return how a row that is kept is told."""
    if not change.surplus:
        return Problem(
            code=Code.NOT_UNDONE,
            where=literal(change.ref),
            message=tell("this stays as it is: {reason}", reason=PEOPLES),
            hint=tell("change it by hand where it should not stay"),
            url=address(change.page_id),
        )
    return Problem(
        code=Code.DUPLICATE_KEY,
        where=literal(change.ref),
        field=KEY_PROPERTY,
        message=tell(
            "“{title}” carries the Rayline key of another row; it was not changed",
            title=change.title,
        ),
        hint=tell("clear its Rayline key to keep it as your own row, or delete it"),
        url=address(change.page_id),
    )


def _read_standing(target: WriteContext, change: Change) -> Row | None:
    """Return the row that stands for the key, None when it does not any more."""
    page_id = target.pages.by_ref.get(change.ref, "")
    if not page_id or page_id == change.page_id:
        return None
    try:
        page = target.notion.page(page_id)
    except Missing:
        return None
    if page.is_gone:
        return None
    return _decode(target, change.ref, page)


def _decode(target: WriteContext, ref: Ref, page: Page) -> Row:
    source = target.schema.sources[ref.source]
    binding = target.bindings[ref.source]
    return decode_page(page, source, binding, target.pages.index)[0]


def holds_words_of_others(
    target: WriteContext, page_id: str, author: str | None
) -> bool:
    """Tell whether anybody but its author wrote a block or a comment on a page, or another page stands below it; raises
    the API errors.

    The comments on a block are asked for by its own id (docs/facts/notion-api.md 3.20). Where the connection may not see
    comments, they do not count: they go nowhere.
    """
    places = [page_id]
    for block in _blocks(target, page_id):
        if block["type"] in _PAGES or not is_by(block, author):
            return True
        places.append(str(block["id"]))
    try:
        return any(target.notion.comments(place) for place in places)
    except Denied:
        return False


def _blocks(target: WriteContext, place: str) -> Iterator[Json]:
    """Yield the blocks of a page, however deep: a block does not tell of what was written below it."""
    blocks = target.notion.children(place)
    yield from blocks
    for block in blocks:
        if block.get("has_children"):
            yield from _blocks(target, str(block["id"]))
