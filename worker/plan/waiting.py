"""Rows that are not made while a board is not shown: what is given once, at creation, must be given whole."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from worker.domain.values import Ref
from worker.mapping.schema import Owner, Schema
from worker.plan.facts import Fact
from worker.world.world import World


def find_waiting(
    facts: Iterable[Fact], world: World, schema: Schema, unseen: AbstractSet[str]
) -> frozenset[Ref]:
    """Return the rows, of those that do not stand, that would name a row of an `unseen` board in a cell that is filled at creation alone.

    Such a relation cannot be written now, and would stay empty for ever. Every other cell is filled later.
    """
    if not unseen:
        return frozenset()
    standing = {row.ref for rows in world.rows.values() for row in rows}
    cut = {fact.ref for fact in facts if _is_cut(fact, schema, unseen)}
    return frozenset(cut - standing)


def _is_cut(fact: Fact, schema: Schema, unseen: AbstractSet[str]) -> bool:
    source = schema.sources.get(fact.ref.source)
    prop = source.properties.get(fact.field) if source else None
    if source is None or prop is None or prop.target not in unseen:
        return False
    is_given_once = prop.owner is Owner.SEED or source.is_seed(fact.ref.key)
    return is_given_once and bool(fact.value)
