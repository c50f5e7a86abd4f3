"""Who wins over one field: the table of owners as one total function."""

from __future__ import annotations

from enum import StrEnum

from worker.domain.values import UNSET, Unset, Value
from worker.mapping.schema import Owner


class Verdict(StrEnum):
    """What is to be done with one field of an existing row."""

    NOTHING = "nothing"
    WRITE = "write"
    DRIFT = "drift"  # write, and say that somebody had edited a worker's field
    KEEP = "keep"  # a person's value stands
    CONFLICT = "conflict"  # a person's value stands although the source moved too
    ADOPT = "adopt"  # equal already: only the base is to be recorded


def decide(
    owner: Owner, desired: Value | Unset, base: Value | Unset, current: Value | Unset
) -> Verdict:
    """Return the verdict on one field whose values are in canonical form.

    `desired` UNSET: no rule has an opinion; `base` UNSET: we never wrote it (first contact, lost state);
    `current` UNSET: unreadable or unbound, so nothing may be written. A seed field is given once: at creation, or into
    an empty cell of a row that a person made; whatever became of it, never again.
    Source: docs/facts/reliability.md 1.1.
    """
    if owner is Owner.HUMAN or desired is UNSET or current is UNSET:
        return Verdict.NOTHING
    if owner is Owner.SEED:
        given = base is not UNSET or is_empty(desired) or not is_empty(current)
        return Verdict.NOTHING if given else Verdict.WRITE
    if desired == current:
        return Verdict.NOTHING if base == current else Verdict.ADOPT
    if owner is Owner.WORKER:
        return Verdict.WRITE if base is UNSET or base == current else Verdict.DRIFT
    return _decide_shared(desired, base, current)


def _decide_shared(
    desired: Value | Unset, base: Value | Unset, current: Value | Unset
) -> Verdict:
    if base is UNSET:
        return Verdict.WRITE if is_empty(current) else Verdict.KEEP
    if base == current:
        return Verdict.WRITE
    return Verdict.KEEP if desired == base else Verdict.CONFLICT


def is_empty(value: Value | Unset) -> bool:
    """Tell whether a cell holds nothing a person could have put there; an unticked box counts as empty."""
    return (
        value is None
        or value is False
        or (isinstance(value, str | tuple) and not value)
    )


def last_written(
    base: Value | Unset, attempted: Value | Unset, current: Value | Unset
) -> Value | Unset:
    """Return the base to merge with: a write we tried and never saw answered is ours when the cell holds it."""
    return attempted if attempted is not UNSET and attempted == current else base
