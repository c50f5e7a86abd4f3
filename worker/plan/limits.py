"""Guards before any write: the reasons to refuse a plan, each with its number, the limit and the way out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from types import MappingProxyType

import msgspec

from worker.config import Limits
from worker.domain.messages import Text, literal, message, tell
from worker.domain.values import text_form
from worker.errors import Code, Problem, Severity
from worker.plan.merge import is_empty
from worker.plan.plan import Change, Kind, Plan

_NONE: Mapping[str, int] = MappingProxyType({})
_ALL_READ: Mapping[str, Text] = MappingProxyType({})
_NO_PAGES: Set[str] = frozenset()
_NO_ROWS: Mapping[str, Set[str]] = MappingProxyType({})


class Rows(msgspec.Struct, frozen=True, gc=False):
    """How many managed rows each source has `now` and had after the last applied cycle (`before`), but for those that
    people have deleted since.

    `peoples` are the pages by source that are counted in neither, since people made them beside the worker's.
    """

    now: Mapping[str, int]
    before: Mapping[str, int] = _NONE
    peoples: Mapping[str, Set[str]] = _NO_ROWS


class WayOut(msgspec.Struct, frozen=True, gc=False):
    """The commands that show a refused plan (`look`) and carry it out past the limits (`force`)."""

    look: str = "rayline plan"
    force: str = "rayline sync --force"


_SYNC = WayOut()
_OURS = message(
    "{count} of {total} rows would be archived or emptied, more than the limit of {limit}%"
)
_THEIRS = message(
    "{count} of {total} rows that people made would be emptied, more than the limit of {limit}%"
)


def check(
    plan: Plan,
    rows: Rows,
    *,
    settings: Limits,
    incomplete: Mapping[str, Text] = _ALL_READ,
    mapping_changed: bool = False,
    transient: Set[tuple[str, str]] = frozenset(),
    sectioned: Set[str] = _NO_PAGES,
    way: WayOut = _SYNC,
) -> tuple[Problem, ...]:
    """Return the reasons to refuse the plan, none when it is safe; pure.

    `incomplete` names the sources not read in full with the reason; `mapping_changed` says that the mapping's
    fingerprint is not the last applied one; `transient` are the fields (source, name) and single cells (page, name) that
    are empty on ordinary days too, so that emptying them takes nothing away; `sectioned` are the pages that hold a section
    of the worker's already; `way` leads out of the refusal.
    """
    touched = _find_destroyed(plan, transient)
    return (
        *_too_destructive(touched, rows, settings, way),
        *_suddenly_empty(rows, way),
        *_too_many(plan, settings, sectioned, way=way),
        *_blind_archives(plan, incomplete),
        *_changed_mapping(touched, way, changed=mapping_changed),
    )


def _find_destroyed(
    plan: Plan, transient: Set[tuple[str, str]]
) -> Mapping[str, Set[str]]:
    """Return the pages of each source that the plan archives or clears a filled field of."""
    pages: defaultdict[str, set[str]] = defaultdict(set)
    for change in plan.changes:
        if is_destructive(change, transient):
            pages[change.ref.source].add(change.page_id)
    return pages


def is_destructive(
    change: Change, transient: Set[tuple[str, str]] = frozenset()
) -> bool:
    """Tell whether a change takes something away that a person can see."""
    if change.kind is Kind.ARCHIVE:
        return not change.surplus
    return change.kind is Kind.UPDATE and any(
        is_empty(field.after)
        and not is_empty(field.before)
        and (change.ref.source, field.field) not in transient
        and (change.page_id, field.field) not in transient
        for field in change.fields
    )


def _too_destructive(
    touched: Mapping[str, Set[str]], rows: Rows, settings: Limits, way: WayOut
) -> Iterator[Problem]:
    for source, pages in sorted(touched.items()):
        # Of either by itself: else a board full of people's rows would let the worker's all go.
        theirs = rows.peoples.get(source, _NO_PAGES)
        shares = (
            (_OURS, len(pages - theirs), rows.now.get(source, 0)),
            (_THEIRS, len(pages & theirs), len(theirs)),
        )
        for fault, count, total in shares:
            if total >= settings.floor and count > settings.destructive_share * total:
                limit = text_form(settings.destructive_share * 100)
                told = tell(fault, count=count, total=total, limit=limit)
                yield _reason(Code.TOO_DESTRUCTIVE, source, told, _forced(way))


def _forced(way: WayOut) -> Text:
    return tell(
        "look at `{look}`; if it is right, run `{force}`",
        look=way.look,
        force=way.force,
    )


def _suddenly_empty(rows: Rows, way: WayOut) -> Iterator[Problem]:
    for source, count in sorted(rows.before.items()):
        if count and not rows.now.get(source, 0):
            yield _reason(
                Code.SOURCE_EMPTY,
                source,
                tell(
                    "0 rows are left of the {count} it had; the limit is 1", count=count
                ),
                tell(
                    "check that the database is still shared with the connection; if it was emptied on "
                    "purpose, run `{force}`",
                    force=way.force,
                ),
            )


def _too_many(
    plan: Plan, settings: Limits, sectioned: Set[str], *, way: WayOut
) -> Iterator[Problem]:
    count = sum(_touches(change, sectioned) for change in plan.changes)
    if count > settings.changes:
        yield _reason(
            Code.TOO_MANY_CHANGES,
            plan.workspace,
            tell(
                "{count} existing pages would be changed, more than the limit of {limit}",
                count=count,
                limit=settings.changes,
            ),
            tell(
                "look at `{look}`; if it is right, run `{force}`, or raise `limits.changes`",
                look=way.look,
                force=way.force,
            ),
        )


def _touches(change: Change, sectioned: Set[str]) -> bool:
    """Tell whether a change alters what stands on a page: a new row, a first section and filling empty cells do not.

    Without this the first run of a large agency would be refused.
    """
    match change.kind:
        case Kind.CREATE:
            return False
        case Kind.SECTION:
            return change.page_id in sectioned
        case Kind.UPDATE:
            return any(not is_empty(field.before) for field in change.fields)
        case Kind.ARCHIVE:
            return True


def _blind_archives(plan: Plan, incomplete: Mapping[str, Text]) -> Iterator[Problem]:
    archives = Counter(
        change.ref.source
        for change in plan.changes
        if change.kind is Kind.ARCHIVE and not change.surplus
    )
    for source, count in sorted(archives.items()):
        if source in incomplete:
            yield _reason(
                Code.INCOMPLETE_ARCHIVE,
                source,
                tell(
                    "{count} rows would be archived after an incomplete read ({why}); the limit is 0",
                    count=count,
                    why=incomplete[source],
                ),
                tell("wait for the next complete read"),
            )


def _changed_mapping(
    touched: Mapping[str, Set[str]], way: WayOut, *, changed: bool
) -> Iterator[Problem]:
    if changed:
        for source, pages in sorted(touched.items()):
            yield _reason(
                Code.MAPPING_CHANGED,
                source,
                tell(
                    "{count} rows would be archived or emptied in the first run after the mapping changed; the limit is 0",
                    count=len(pages),
                ),
                _forced(way),
            )


def _reason(code: Code, where: str, fault: Text, hint: Text) -> Problem:
    return Problem(
        code=code,
        where=literal(where),
        message=fault,
        hint=hint,
        severity=Severity.ERROR,
    )
