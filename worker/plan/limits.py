"""Guards before any write: the reasons to refuse a plan, each with its number, the limit and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from types import MappingProxyType

from worker.config import Limits
from worker.domain.messages import Text, literal, tell
from worker.errors import Code, Problem, Severity
from worker.plan.merge import is_empty
from worker.plan.plan import Change, Kind, Plan

_NONE: Mapping[str, int] = MappingProxyType({})
_ALL_READ: Mapping[str, Text] = MappingProxyType({})
_NO_PAGES: Set[str] = frozenset()
_FORCE = tell("look at `rayline plan`; if it is right, run `rayline sync --force`")


def check(
    plan: Plan,
    *,
    rows_by_source: Mapping[str, int],
    settings: Limits,
    rows_before: Mapping[str, int] = _NONE,
    incomplete: Mapping[str, Text] = _ALL_READ,
    mapping_changed: bool = False,
    periodic: Set[tuple[str, str]] = frozenset(),
    sectioned: Set[str] = _NO_PAGES,
) -> tuple[Problem, ...]:
    """Return the reasons to refuse the plan, none when it is safe; pure.

    `rows_by_source` counts the managed rows read now, `rows_before` those of the last applied cycle that people have
    not deleted since; `incomplete` names the sources not read in full with the reason; `mapping_changed` says that the
    mapping's fingerprint is not the last applied one; `periodic` are the fields (source, name) that are empty while
    their period is young, so that emptying them takes nothing away; `sectioned` are the pages that hold a section of
    the worker's already.
    """
    destructive = destructive_by_source(plan, periodic)
    return (
        *_too_destructive(destructive, rows_by_source, settings),
        *_suddenly_empty(rows_by_source, rows_before),
        *_too_many(plan, settings, sectioned),
        *_blind_archives(plan, incomplete),
        *_changed_mapping(destructive, changed=mapping_changed),
    )


def destructive_by_source(
    plan: Plan, periodic: Set[tuple[str, str]] = frozenset()
) -> Mapping[str, int]:
    """Return how many rows of each source the plan archives or clears a filled field of."""
    return Counter(
        change.ref.source for change in plan.changes if is_destructive(change, periodic)
    )


def is_destructive(
    change: Change, periodic: Set[tuple[str, str]] = frozenset()
) -> bool:
    """Tell whether a change takes something away that a person can see."""
    if change.kind is Kind.ARCHIVE:
        return not change.surplus
    return change.kind is Kind.UPDATE and any(
        is_empty(field.after)
        and not is_empty(field.before)
        and (change.ref.source, field.field) not in periodic
        for field in change.fields
    )


def _too_destructive(
    destructive: Mapping[str, int], rows: Mapping[str, int], settings: Limits
) -> Iterator[Problem]:
    for source, count in sorted(destructive.items()):
        total = rows.get(source, 0)
        if total >= settings.floor and count > settings.destructive_share * total:
            yield _reason(
                Code.TOO_DESTRUCTIVE,
                source,
                tell(
                    "{count} of {total} rows would be archived or emptied, more than the limit of {limit}",
                    count=count,
                    total=total,
                    limit=f"{settings.destructive_share:.0%}",
                ),
                _FORCE,
            )


def _suddenly_empty(
    rows: Mapping[str, int], before: Mapping[str, int]
) -> Iterator[Problem]:
    for source, count in sorted(before.items()):
        if count and not rows.get(source, 0):
            yield _reason(
                Code.SOURCE_EMPTY,
                source,
                tell(
                    "0 rows are left of the {count} it had; the limit is 1", count=count
                ),
                tell(
                    "check that the database is still shared with the connection; if it was emptied on "
                    "purpose, run `rayline sync --force`"
                ),
            )


def _too_many(plan: Plan, settings: Limits, sectioned: Set[str]) -> Iterator[Problem]:
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
                "look at `rayline plan`; if it is right, run `rayline sync --force`, or "
                "raise `limits.changes`"
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
    destructive: Mapping[str, int], *, changed: bool
) -> Iterator[Problem]:
    if changed:
        for source, count in sorted(destructive.items()):
            yield _reason(
                Code.MAPPING_CHANGED,
                source,
                tell(
                    "{count} rows would be archived or emptied in the first run after the mapping changed; the limit is 0",
                    count=count,
                ),
                _FORCE,
            )


def _reason(code: Code, where: str, fault: Text, hint: Text) -> Problem:
    return Problem(
        code=code,
        where=literal(where),
        message=fault,
        hint=hint,
        severity=Severity.ERROR,
    )
