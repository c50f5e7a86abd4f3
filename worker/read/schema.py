"""How the workspace carries the schema: as remembered, or read again on the slow beat, at first contact, in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from worker.config import NotionSettings, Workspace
from worker.domain.messages import in_words, message, tell
from worker.domain.words import Words
from worker.errors import ConfigError, Missing, Problem, Severity
from worker.mapping.schema import Bindings, Schema
from worker.notion.workspace import read_bindings
from worker.ports.notion import BoardReader, is_gone
from worker.read.missing_columns import Losses, Lost, note_losses, with_lost
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Store, Tx

STALE, DRIFT, LOST = "schema_stale", "schema_drift", "schema_lost"


@dataclass(frozen=True, slots=True)
class Bound:
    """How the workspace carries the schema, what of it is gone, and what does not fit; `trusted` when read just now."""

    bindings: Bindings
    losses: Losses = field(default_factory=dict)
    drift: tuple[Problem, ...] = ()
    trusted: bool = True


def recall_schema(tx: Tx) -> Bound:
    """Return what is remembered."""
    return Bound(
        registry.load(tx),
        msgspec.convert(registry.get_setting(tx, LOST, {}), dict[str, Lost]),
        msgspec.convert(registry.get_setting(tx, DRIFT, []), tuple[Problem, ...]),
        trusted=False,
    )


def mark_stale(tx: Tx, *, stale: bool) -> None:
    """Remember whether the next cycle is to read the schema again, whatever its beat."""
    registry.set_setting(tx, STALE, stale)


def read_schema(
    notion: BoardReader,
    store: Store,
    workspace: str,
    *,
    schema: Schema,
    settings: Workspace,
    words: Words,
    afresh: bool,
) -> Bound:
    """Return how the workspace carries the schema; `afresh` reads it again. What does not fit is said in `words`.

    Raises `ConfigError` when nothing of it is there or a root page is gone, and the API errors.
    """
    with store.reading(workspace) as tx:
        known, is_stale = (
            recall_schema(tx),
            registry.get_setting(tx, STALE, default=False),
        )
    if known.bindings and not afresh and not is_stale:
        return known
    pages = settings.notion
    try:
        found, drift = read_bindings(
            notion,
            schema,
            root_page_id=pages.root_page_id,
            private_root_page_id=pages.private_root_page_id,
            locale=settings.locale,
            known=with_lost(known.bindings, known.losses),
        )
    except Missing:
        _check_roots(notion, pages)
        raise
    if known.bindings.keys() - found.keys():
        _check_roots(notion, pages)
    drift = tuple(in_words(problem, words) for problem in drift)
    if not found:
        raise ConfigError(
            [
                Problem(
                    "no-boards",
                    tell("Notion page {page}", page=pages.root_page_id),
                    "",
                    message("none of the expected databases is on the page"),
                    message("run `rayline init` to create or adopt them"),
                    severity=Severity.ERROR,
                ),
                *drift,
            ]
        )
    with store.transaction(workspace) as tx:
        losses = note_losses(
            known.losses, known.bindings, found, snapshots.load_pages(tx)
        )
        registry.save(tx, found)
        registry.set_setting(tx, LOST, msgspec.to_builtins(losses))
        registry.set_setting(tx, DRIFT, msgspec.to_builtins(drift))
    return Bound(found, losses, tuple(drift))


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
            "no-root-page",
            tell("Notion page {page}", page=identity),
            key,
            tell(
                "{page} is in the trash, or not shared with this connection",
                page=tell(what),
            ),
            message(
                "restore it, or share it again (open it, then ... > Connections), or change the setting; "
                "nothing is written until then"
            ),
            severity=Severity.ERROR,
        )
        for key, identity, what in named
        if identity and is_gone(notion, identity)
    ]
    if gone:
        raise ConfigError(gone)
