"""How the workspace carries the schema: as remembered, or read again on the slow beat, at first contact, in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from worker.config import NotionSettings
from worker.domain.messages import ENGLISH, Text, literal, message, render, tell
from worker.errors import (
    Code,
    ConfigError,
    Missing,
    Problem,
    RenderedProblem,
    Severity,
    in_words,
)
from worker.mapping.schema import Binding, Bindings, Schema
from worker.notion.workspace import read_bindings
from worker.ports.notion import BoardReader, is_gone
from worker.read.missing_columns import Losses, Lost, note_losses, veiled, with_lost
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.settings import Setting
from worker.state.store import Tx

STALE = Setting("schema_stale", bool, bool)
"""Whether the next cycle is to read the schema again, whatever its beat."""
DRIFT = Setting("schema_drift", tuple[RenderedProblem, ...], tuple)
"""What of the workspace did not fit the schema when it was last read."""
UNSEEN = Setting("unseen_boards", dict[str, Binding], dict)
"""Boards that were there once and are not shown any more, as they were bound."""
LOST = Setting("schema_lost", dict[str, Lost], dict)
"""What is gone, by data source."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How the workspace carries the schema, what of it is gone, and what does not fit; `trusted` when read just now.

    `bindings` are the boards that are shown: they alone are read and written. `unseen` are those that were there once
    and are in the trash, or not shared any more: their rows count as they were read last.
    """

    bindings: Bindings
    losses: Losses = field(default_factory=dict)
    drift: tuple[RenderedProblem, ...] = ()
    trusted: bool = True
    unseen: Bindings = field(default_factory=dict)

    def whole(self) -> Bindings:
        """Return all boards whose rows count."""
        return {**self.unseen, **self.bindings}

    def veiled(self, schema: Schema) -> Losses:
        """Return the relations that lead to boards that are not shown, see `missing_columns.veiled`."""
        return veiled(self.losses, schema, self.unseen.keys())


def recall_schema(tx: Tx) -> Bound:
    """Return what is remembered."""
    return Bound(
        bindings=registry.load(tx),
        losses=LOST.load(tx),
        drift=DRIFT.load(tx),
        trusted=False,
        unseen=UNSEEN.load(tx),
    )


def mark_stale(tx: Tx, *, stale: bool) -> None:
    """Remember whether the next cycle is to read the schema again, whatever its beat."""
    STALE.save(tx, stale)


def read_schema(
    notion: BoardReader, site: Site, *, afresh: bool, forgets: bool = False
) -> Bound:
    """Return how the workspace carries the schema; `afresh` reads it again. What does not fit is said in its language.

    A board that was there once and is not shown any more is remembered, and looked for in every cycle; `forgets` takes it
    for taken away on purpose.

    Raises `ConfigError` when nothing of it is there or a root page is gone, and the API errors.
    """
    with site.reading() as tx:
        known = recall_schema(tx)
        is_stale = STALE.load(tx)
    is_settled = not (afresh or is_stale or known.unseen)
    if known.bindings and is_settled:
        return known
    before = known.whole()
    wanted = with_lost(before, known.losses)
    sources = site.schema.sources
    has_private = any(sources[name].private for name in before if name in sources)
    pages = site.settings.notion
    try:
        bindings, misfits = _read(notion, site, pages, wanted)
    except Missing:
        _check_roots(notion, pages, has_private=has_private)
        pages = pages.model_copy(update={"private_root_page_id": ""})
        bindings, misfits = _read(notion, site, pages, wanted)
    if before.keys() - bindings.keys():
        _check_roots(notion, pages, has_private=has_private)
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
    with site.transaction() as tx:
        unseen = {}
        if not forgets:
            unseen = _find_unseen(tx, site, before, bindings)
        problems = _gather_private(_tell_unseen(site, misfits, unseen))
        drift = tuple(in_words(problem, site.words) for problem in problems)
        losses = note_losses(known.losses, before, bindings, snapshots.load_pages(tx))
        losses |= {name: known.losses[name] for name in unseen if name in known.losses}
        _meet_again(tx, known, Bound(bindings, losses))
        registry.save(tx, bindings)
        UNSEEN.save(tx, unseen)
        LOST.save(tx, losses)
        DRIFT.save(tx, drift)
    return Bound(bindings, losses, drift, unseen=unseen)


def _read(
    notion: BoardReader, site: Site, pages: NotionSettings, known: Bindings
) -> tuple[Bindings, tuple[Problem, ...]]:
    width = site.settings.notion.side_by_side(notion.latency)
    return read_bindings(
        notion,
        site.schema,
        root_page_id=pages.root_page_id,
        private_root_page_id=pages.private_root_page_id,
        locale=site.settings.locale,
        known=known,
        width=width,
    )


def _find_unseen(
    tx: Tx, site: Site, before: Bindings, bindings: Bindings
) -> dict[str, Binding]:
    """Return the boards known before that are not shown now. Private ones may be left out of a workspace: only those that
    were read in full once are missed."""
    once = registry.load_cursors(tx)
    unseen = {}
    for name, binding in before.items():
        was_read = registry.board_scope(name) in once
        is_missed = was_read or not site.schema.sources[name].private
        if is_missed and name not in bindings:
            unseen[name] = binding
    return unseen


def _meet_again(tx: Tx, known: Bound, now: Bound) -> None:
    """Have boards that came back, and those with a column that did, be read whole: nothing is known of what happened
    meanwhile. Of a board that another took the place of no row is left."""
    again = now.bindings.keys() - known.bindings.keys()
    for name, lost in known.losses.items():
        gone: Mapping[str, str] = {}
        if name in now.losses:
            gone = now.losses[name].properties
        if name in now.bindings and lost.properties.keys() - gone.keys():
            again |= {name}
    registry.read_again(tx, sorted(again))

    for name, earlier in known.unseen.items():
        present = now.bindings.get(name)
        if present and present.data_source_id != earlier.data_source_id:
            rows = snapshots.load_pages(tx, name).get(name, ())
            snapshots.forget_pages(tx, [page.id for page in rows])


ABSENT = (Code.SCHEMA_SOURCE, Code.SCHEMA_PRIVATE)
"""What is said of a board that was never there."""


def _tell_unseen(
    site: Site, misfits: Iterable[Problem], unseen: Collection[str]
) -> list[Problem]:
    """Return what does not fit, with a sentence of its own for each board that is not shown any more."""
    wheres = []
    for name in sorted(unseen):
        titles = site.schema.sources[name].title
        wheres.append(literal(titles.get(site.settings.locale, name)))

    problems = []
    for problem in misfits:
        is_told_below = problem.where in wheres and problem.code in ABSENT
        if not is_told_below:
            problems.append(problem)
    problems.extend(map(_unseen, wheres))
    return problems


def _gather_private(problems: list[Problem]) -> list[Problem]:
    """Return what does not fit, in which all private databases without a page are one problem: one act mends it."""
    private = [problem for problem in problems if problem.code is Code.SCHEMA_PRIVATE]
    if len(private) < 2:
        return problems
    rest = [problem for problem in problems if problem.code is not Code.SCHEMA_PRIVATE]
    names = sorted(render(problem.where, ENGLISH) for problem in private)
    gathered = replace(
        private[0],
        where=literal(", ".join(names)),
        message=tell(
            "there is no private root page, the rules that need these databases are off"
        ),
    )
    return [*rest, gathered]


def _unseen(where: Text) -> Problem:
    return Problem(
        code=Code.BOARD_UNSEEN,
        where=where,
        message=tell(
            "the database is in the trash, or not shared with this connection; its rows count as they were read last, "
            "and nothing is written to it or to relations that lead to it"
        ),
        hint=tell(
            "restore it, or share it again (open it, then ••• > Connections); if it was taken away on purpose, run "
            "`rayline sync --force`"
        ),
        severity=Severity.WARNING,
    )


def _check_roots(
    notion: BoardReader, pages: NotionSettings, *, has_private: bool
) -> None:
    """Raise `ConfigError` naming the root pages that Notion does not show, when there are any.

    The private page of boards that were read before, `has_private`, hides these boards and stops nothing else.
    """
    named = [("notion.root_page_id", pages.root_page_id, message("the root page"))]
    if not has_private:
        named.append(
            (
                "notion.private_root_page_id",
                pages.private_root_page_id,
                message("the private page"),
            )
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
                "restore it, or share it again (open it, then ••• > Connections), or change the setting; "
                "nothing is written until then"
            ),
            severity=Severity.ERROR,
        )
        for key, identity, what in named
        if identity and is_gone(notion, identity)
    ]
    if gone:
        raise ConfigError(gone)
