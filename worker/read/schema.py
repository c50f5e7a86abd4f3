"""How the workspace carries the schema: as remembered, or read again on the slow beat, at first contact, in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field

from worker.config import NotionSettings
from worker.domain.messages import message, tell
from worker.errors import (
    Code,
    ConfigError,
    Missing,
    Problem,
    RenderedProblem,
    Severity,
    in_words,
)
from worker.mapping.schema import Bindings
from worker.notion.workspace import read_bindings
from worker.ports.notion import BoardReader, is_gone
from worker.read.missing_columns import Losses, Lost, note_losses, with_lost
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.settings import Setting
from worker.state.store import Tx

STALE = Setting("schema_stale", bool, bool)
"""Whether the next cycle is to read the schema again, whatever its beat."""
DRIFT = Setting("schema_drift", tuple[RenderedProblem, ...], tuple)
"""What of the workspace did not fit the schema when it was last read."""
LOST = Setting("schema_lost", dict[str, Lost], dict)
"""What is gone, by data source."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How the workspace carries the schema, what of it is gone, and what does not fit; `trusted` when read just now."""

    bindings: Bindings
    losses: Losses = field(default_factory=dict)
    drift: tuple[RenderedProblem, ...] = ()
    trusted: bool = True


def recall_schema(tx: Tx) -> Bound:
    """Return what is remembered."""
    return Bound(
        bindings=registry.load(tx),
        losses=LOST.load(tx),
        drift=DRIFT.load(tx),
        trusted=False,
    )


def mark_stale(tx: Tx, *, stale: bool) -> None:
    """Remember whether the next cycle is to read the schema again, whatever its beat."""
    STALE.save(tx, stale)


def read_schema(notion: BoardReader, site: Site, *, afresh: bool) -> Bound:
    """Return how the workspace carries the schema; `afresh` reads it again. What does not fit is said in its language.

    Raises `ConfigError` when nothing of it is there or a root page is gone, and the API errors.
    """
    with site.reading() as tx:
        known = recall_schema(tx)
        is_stale = STALE.load(tx)
    if known.bindings and not afresh and not is_stale:
        return known
    pages = site.settings.notion
    try:
        bindings, misfits = read_bindings(
            notion,
            site.schema,
            root_page_id=pages.root_page_id,
            private_root_page_id=pages.private_root_page_id,
            locale=site.settings.locale,
            known=with_lost(known.bindings, known.losses),
        )
    except Missing:
        _check_roots(notion, pages)
        raise
    if known.bindings.keys() - bindings.keys():
        _check_roots(notion, pages)
    if not bindings:
        raise ConfigError(
            [
                Problem(
                    code=Code.NO_BOARDS,
                    where=tell("Notion page {page}", page=pages.root_page_id),
                    message=tell("none of the expected databases is on the page"),
                    hint=tell("run `rayline init` to create or adopt them"),
                    severity=Severity.ERROR,
                ),
                *misfits,
            ]
        )
    drift = tuple(in_words(problem, site.words) for problem in misfits)
    with site.transaction() as tx:
        losses = note_losses(
            known.losses, known.bindings, bindings, snapshots.load_pages(tx)
        )
        registry.save(tx, bindings)
        LOST.save(tx, losses)
        DRIFT.save(tx, drift)
    return Bound(bindings, losses, drift)


def _check_roots(notion: BoardReader, pages: NotionSettings) -> None:
    """Raise `ConfigError` naming the root pages that Notion does not show, when there are any."""
    named = (
        ("notion.root_page_id", pages.root_page_id, message("the root page")),
        (
            "notion.private_root_page_id",
            pages.private_root_page_id,
            message("the private page"),
        ),
    )
    gone = [
        Problem(
            code=Code.NO_ROOT_PAGE,
            where=tell("Notion page {page}", page=identity),
            field=key,
            message=tell(
                "{page} is in the trash, or not shared with this connection",
                page=tell(what),
            ),
            hint=tell(
                "restore it, or share it again (open it, then ••• > Connections), or change the setting; nothing is written until then"
            ),
            severity=Severity.ERROR,
        )
        for key, identity, what in named
        if identity and is_gone(notion, identity)
    ]
    if gone:
        raise ConfigError(gone)
