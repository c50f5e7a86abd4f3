"""Pages that are no rows, made for clients' own eyes: claimed, looked for, made, recorded.

They carry no key, so one that stands is known by what it is: a page of that title that we made, where it is to stand, or
the page to which the client's own page leads under that title, wherever people moved it and whatever they called it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from worker.errors import Missing, Problem, RaylineError, Unknown
from worker.plan.plan import Change
from worker.ports.notion import BlockReader, Json
from worker.world.world import CLIENT_PAGES, HOME, parent_of
from worker.write import creations
from worker.write.context import Result, WriteContext
from worker.write.surplus import holds_words_of_others

TITLE = "title"
DEFAULT = "📄"
_PAGE = re.compile(r"[0-9a-f]{32}\Z")
ICONS = {CLIENT_PAGES.key: "🗂️", "status": "🤝", "presentation": "💡"}


def create(target: WriteContext, change: Change) -> Result | Problem:
    """Make a page, or take one that stands; raises the API errors, with nothing made.

    One whose parent is not there yet waits for a later run.
    """
    parent = _parent_page(target, change)
    if not parent:
        return Result.SETTLED

    wanted = {TITLE: change.title}
    ended = creations.claim(target, change.ref, wanted)
    if ended is not None:
        return ended
    try:
        page_id = _find(target, change, parent)
        if not page_id:
            page_id = _send(target, change, parent)
    except Unknown as unknown:
        return creations.doubt(target, change, unknown, wanted=wanted)
    except RaylineError:
        creations.give_back(target, change.ref)
        raise
    return creations.finish(target, change, page_id, wanted=wanted, cells={})


def subpages(notion: BlockReader, page_id: str, title: str) -> Iterator[Json]:
    """Yield the blocks of the pages of some title below a page."""
    for raw in notion.children(page_id):
        page = raw.get("child_page")
        if page and page.get("title") == title:
            yield raw


def is_written_in(target: WriteContext, change: Change) -> bool:
    """Tell whether people changed a page, or other pages stand below it; raises the API errors."""
    page = target.notion.page(change.page_id)
    author = page.created_by
    if author is None or author != page.last_edited_by:
        return True
    return holds_words_of_others(target, change.page_id, author.id)


def _parent_page(target: WriteContext, change: Change) -> str:
    parent = parent_of(change.ref)
    if parent is None or parent == HOME:
        return target.root
    return target.pages.by_ref.get(parent, "")


def _send(target: WriteContext, change: Change, parent: str) -> str:
    kind, _, _ = change.ref.key.partition(":")
    icon = ICONS.get(kind, DEFAULT)
    notion = creations.claimed(target, change.ref)
    page = notion.create_subpage(parent, change.title, icon=icon)
    return page.id


def _find(target: WriteContext, change: Change, parent: str) -> str:
    """Return the page that stands already, since the state that knew of it was lost; empty when there is none."""
    me = target.notion.me().id
    for raw in subpages(target.notion, parent, change.title):
        author = raw.get("created_by")
        if author and author.get("id") == me:
            return str(raw["id"])
    if change.ref == CLIENT_PAGES:
        return ""
    return _led_to(target, change, me)


def _led_to(target: WriteContext, change: Change, me: str) -> str:
    """Return the page of ours to which a client's own page leads, also one that is in the trash."""
    _, _, client = change.ref.key.partition(":")
    blocks = target.notion.children(client)
    pieces = chain.from_iterable(map(_pieces, blocks))
    for piece in pieces:
        address = str(piece.get("href") or "")
        leads_to = _PAGE.search(address)
        if leads_to is None or piece.get("plain_text") != change.title:
            continue
        try:
            page = target.notion.page(leads_to[0])
        except Missing:
            continue
        author = page.created_by
        if author is not None and author.id == me:
            return page.id
    return ""


def _pieces(raw: Json) -> list[Json]:
    kind = str(raw.get("type"))
    payload = raw.get(kind) or {}
    pieces: list[Json] = payload.get("rich_text") or []
    return pieces
