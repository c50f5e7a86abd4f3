"""Creations whose outcome is not known, settled: found and adopted, or free to be made again.

A crash or a time-out leaves a claim in the journal. Only after the settle time (the server's own limit, our time-out
and the index's lag together) does looking a row up prove anything
(docs/facts/reliability.md 1.3; docs/facts/notion-api.md 2.25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from worker.codecs.pages import decode_page, is_meant, keyed_pages
from worker.domain.messages import ENGLISH, Text, literal, render, tell
from worker.domain.values import Ref
from worker.errors import ApiError, Code, Missing, Problem, Severity
from worker.mapping.schema import KEY_PROPERTY, Binding, Bindings, Source
from worker.plan.natural import is_brought_in, is_same
from worker.ports.notion import BlockReader, RowReader
from worker.site import Site
from worker.state import bases, journal
from worker.state.journal import Intent
from worker.world.world import HOME, PLACES, parent_of
from worker.write.places import TITLE, subpages

log = structlog.get_logger("worker.write")
MINUTE = timedelta(minutes=1)
"""Notion tells edits by the minute."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the unsettled creations; `waiting` are too young to be looked up."""

    adopted: tuple[Ref, ...] = ()
    reopened: tuple[Ref, ...] = ()
    waiting: tuple[Ref, ...] = ()
    problems: tuple[Problem, ...] = ()


class Looker(RowReader, BlockReader, Protocol):
    """What looking up takes: rows, and pages below pages."""


def settle(notion: Looker, site: Site, bindings: Bindings) -> Settled:
    """Look up every creation whose outcome is not known and whose settle time is over, by its Rayline key."""
    now = site.store.now()
    before = now - timedelta(seconds=site.settings.notion.settle)
    with site.reading() as tx:
        everything = journal.unsettled(tx)
        due = frozenset(intent.ref for intent in journal.unsettled(tx, before=before))
    outcomes: dict[Ref, str | Problem] = {}
    for intent in everything:
        if intent.ref in due:
            pages = _look_up(notion, intent, site, bindings)
            outcome = (
                pages
                if isinstance(pages, Problem)
                else _record(site, intent, pages, bindings=bindings, now=now)
            )
            outcomes[intent.ref] = outcome
            _log(site, intent, outcome)

    problems = [one for one in outcomes.values() if isinstance(one, Problem)]
    return Settled(
        tuple(ref for ref, outcome in outcomes.items() if outcome == "adopted"),
        tuple(ref for ref, outcome in outcomes.items() if outcome == "reopened"),
        tuple(intent.ref for intent in everything if intent.ref not in due),
        tuple(problems),
    )


def _log(site: Site, intent: Intent, outcome: str | Problem) -> None:
    said = outcome if isinstance(outcome, str) else render(outcome.message, ENGLISH)
    ref = str(intent.ref)
    log.info("settled", workspace=site.name, ref=ref, outcome=said)


def _look_up(
    notion: Looker, intent: Intent, site: Site, bindings: Bindings
) -> tuple[str, ...] | Problem:
    """Return the pages that carry the key, the letters' case included (Notion's filter does not promise that)."""
    if intent.ref.source == PLACES:
        return _look_below(notion, intent, site)
    source = site.schema.sources.get(intent.ref.source)
    binding = bindings.get(intent.ref.source)
    if source and binding and is_brought_in(intent.ref):
        return _recognise(notion, intent, source=source, binding=binding)
    if source is None or binding is None or KEY_PROPERTY not in binding.properties:
        return _problem(
            intent,
            tell(
                "the Rayline key property is not bound, so the row cannot be looked up"
            ),
            tell("run `rayline check`"),
        )
    try:
        pages = notion.find(
            binding.data_source_id,
            property_id=binding.properties[KEY_PROPERTY],
            text=intent.ref.key,
        )
    except ApiError as error:
        return _unseen(intent, str(error))

    standing = [page for page in pages if not page.is_gone]
    living = keyed_pages(standing, source, binding)
    found = [page_id for page_id, ref in living.items() if ref == intent.ref]
    return tuple(found)


def _look_below(
    notion: BlockReader, intent: Intent, site: Site
) -> tuple[str, ...] | Problem:
    """Return the pages of the title, made since it was sent, where a page that is no row was to be made."""
    parent = parent_of(intent.ref)
    page_id = site.settings.notion.root_page_id
    if parent is not None and parent != HOME:
        with site.reading() as tx:
            page_id = journal.canonical_pages(tx).get(parent, "")
    title = str(intent.wanted.get(TITLE))
    since = intent.sent_at - MINUTE
    try:
        standing = list(subpages(notion, page_id, title))
    except Missing:
        return ()  # what was made there went with it
    except ApiError as error:
        return _unseen(intent, str(error))
    made = {raw["id"]: raw.get("created_time") for raw in standing}
    return tuple(
        str(block_id)
        for block_id, time in made.items()
        if time is None or datetime.fromisoformat(str(time)) >= since
    )


def _recognise(
    notion: RowReader, intent: Intent, *, source: Source, binding: Binding
) -> tuple[str, ...] | Problem:
    """Return the rows of people's that say what a row without a key was to say, among those edited since it was sent."""
    try:
        batch = notion.query(binding.data_source_id, since=intent.sent_at - MINUTE)
    except ApiError as error:
        return _unseen(intent, str(error))
    if not batch.complete or batch.unread:
        return _unseen(intent, batch.reason or batch.unread[0].said)
    rows = [
        decode_page(page, source, binding, {})[0]
        for page in batch.pages
        if not page.is_gone and is_meant(page, binding.only)
    ]
    return tuple(
        row.page_id for row in rows if is_same(source.name, intent.wanted, row.fields)
    )


def _unseen(intent: Intent, reason: str) -> Problem:
    return _problem(
        intent,
        tell("the row could not be looked up: {error}", error=reason),
        tell("it will be looked up in the next run"),
    )


def _record(
    site: Site,
    intent: Intent,
    pages: tuple[str, ...],
    *,
    bindings: Bindings,
    now: datetime,
) -> str | Problem:
    if len(pages) > 1:
        return _problem(
            intent,
            tell("{number} rows carry the key", number=len(pages)),
            tell("delete all but one of them"),
        )
    page_id = ""
    if pages:
        page_id = pages[0]
    with site.transaction() as tx:
        if not journal.settle(tx, intent, page_id, now=now):
            return "moved"
        if not page_id:
            return "reopened"
        if is_brought_in(intent.ref):
            bases.attempt(tx, page_id, intent.wanted)
        else:
            bases.note_made(
                tx,
                intent.ref,
                page_id,
                wanted=intent.wanted,
                schema=site.schema,
                bindings=bindings,
            )
    return "adopted"


def _problem(intent: Intent, fault: Text, hint: Text) -> Problem:
    return Problem(
        code=Code.UNSETTLED_CREATION,
        where=literal(intent.ref),
        field=KEY_PROPERTY,
        message=fault,
        hint=hint,
        severity=Severity.ERROR,
    )
