"""Who reads plans and reasons on a terminal: names of rows in place of their ids, labels in place of keys."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from worker.cycle.context import Context, PlannedCycle
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.mapping.schema import Schema
from worker.plan.plan import Plan
from worker.plan.reading import Reader
from worker.read.schema import recall_schema
from worker.state import snapshots
from worker.world.normalize import read_pages
from worker.world.world import World


def reader_of(
    context: Context, words: Words, names: Mapping[Ref, str] | None = None
) -> Reader:
    """Return who reads the plans of a workspace in these words; `names` are titles of rows."""
    zone = ZoneInfo(context.settings.time_zone)
    return Reader(context.schema, words, zone, str, names or {})


def names_in(drawn: PlannedCycle, schema: Schema) -> dict[Ref, str]:
    """Return the titles of rows, those that are planned among them; private ones are left out."""
    return titles_of(drawn.world, drawn.plan, schema)


def names_kept(context: Context) -> dict[Ref, str]:
    """Return the titles of rows as they were read last, asking nobody; private ones are left out."""
    schema = context.schema
    with context.reading() as tx:
        bound = recall_schema(tx)
        pages = snapshots.load_pages(tx)

    kept = read_pages(schema, bound.bindings, pages)
    titles = {}
    for source, rows in kept.rows.items():
        if schema.is_private(source):
            continue
        for row in rows:
            titles[row.ref] = row.title
    return titles


def titles_of(world: World, plan: Plan, schema: Schema) -> dict[Ref, str]:
    """Return the titles of rows, those of a plan among them; private ones are left out."""
    planned = {change.ref: change.title for change in plan.changes}
    standing = {row.ref: row.title for rows in world.rows.values() for row in rows}
    return {
        ref: title
        for ref, title in {**planned, **standing}.items()
        if not schema.is_private(ref.source)
    }
