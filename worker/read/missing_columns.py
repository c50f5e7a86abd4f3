"""Properties that people deleted or retyped: what stood in them last, so that what depends on them can be left alone.

Without the last known values a deleted column would read as empty everywhere, and every result of it would be emptied
too. With them the rules are asked twice, and only what comes out the same either way is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from worker.codecs.pages import properties_by_id
from worker.codecs.records import Json, Page
from worker.mapping.schema import Binding, Bindings, Schema, Source
from worker.method.outcome import Outcome


class Lost(msgspec.Struct, frozen=True):
    """What is gone from one data source: property ids and options by field, raw values by page id and property id."""

    properties: dict[str, str] = {}
    options: dict[str, dict[str, tuple[str, str]]] = {}
    values: dict[str, dict[str, Json]] = {}


Losses = Mapping[str, Lost]
NOTHING_LOST: Losses = MappingProxyType({})
Pages = Mapping[str, Sequence[Page]]


def note_losses(
    before: Losses, known: Bindings, present: Bindings, pages: Pages
) -> dict[str, Lost]:
    """Return what is gone now: `known` but not `found`, and what was gone `before` and has not come back."""
    losses = {}
    for name, binding in present.items():
        earlier = before.get(name, Lost())
        rows = pages.get(name, ())
        lost = _note(earlier, known.get(name), binding, rows)
        if lost.properties:
            losses[name] = lost
    return losses


def _note(
    before: Lost, known: Binding | None, present: Binding, pages: Iterable[Page]
) -> Lost:
    fresh = (
        {}
        if known is None
        else {
            name: property_id
            for name, property_id in known.properties.items()
            if name not in present.properties
        }
    )
    properties = {**before.properties, **fresh}
    gone = {
        name: property_id
        for name, property_id in properties.items()
        if name not in present.properties
    }
    options = {**before.options, **({} if known is None else known.options)}
    values = {page_id: dict(cells) for page_id, cells in before.values.items()}
    for page in pages if fresh else ():
        cells = {
            property_id: raw
            for property_id, raw in properties_by_id(page).items()
            if property_id in fresh.values()
        }
        values.setdefault(page.id, {}).update(cells)
    return Lost(
        gone,
        {
            name: {key: tuple(pair) for key, pair in options[name].items()}  # type: ignore[misc]
            for name in gone
            if name in options
        },
        values,
    )


def with_lost(bindings: Bindings, losses: Losses) -> Bindings:
    """Return the bindings as they were before the losses."""
    return {
        name: replace(
            binding,
            properties={**binding.properties, **losses[name].properties},
            options={**binding.options, **losses[name].options},
        )
        if name in losses
        else binding
        for name, binding in bindings.items()
    }


def veiled(losses: Losses, schema: Schema, unseen: Collection[str]) -> Losses:
    """Return the losses of relations that lead to boards that are not shown: no person took those away, so that they
    count as they were read last, while what is lost for good is left alone."""
    hidden = {}
    for name, lost in losses.items():
        columns = schema.sources[name].properties
        properties = {}
        for field, property_id in lost.properties.items():
            column = columns.get(field)
            if column and column.target in unseen:
                properties[field] = property_id
        if properties:
            hidden[name] = replace(lost, properties=properties)
    return hidden


def restored(pages: Pages, losses: Losses) -> Pages:
    """Return the pages with the last known values in the place of what is gone."""
    return {
        name: tuple(_restore(page, losses[name]) for page in found)
        if name in losses
        else found
        for name, found in pages.items()
    }


def _restore(page: Page, lost: Lost) -> Page:
    cells = dict(properties_by_id(page))
    for property_id in lost.properties.values():
        cells.pop(property_id, None)
    cells |= lost.values.get(page.id, {})
    return replace(page, properties=cells)


def unaffected_facts(before: Outcome, now: Outcome) -> Outcome:
    """Return what both evaluations say alike: of `before`, with the last known values, what stands `now` without."""
    same = {(fact.ref, fact.field): fact.value for fact in now.facts}
    nothing = object()
    facts = []
    for fact in before.facts:
        value = same.get((fact.ref, fact.field), nothing)
        if value == fact.value:
            facts.append(fact)
    return replace(
        before,
        facts=tuple(facts),
        sections=tuple(one for one in before.sections if one in now.sections),
    )


def drifted(bindings: Bindings, schema: Schema, pages: Pages) -> frozenset[str]:
    """Return the data sources whose rows, just read, all lack a bound property or carry it with another type."""
    return frozenset(
        name
        for name, binding in bindings.items()
        if _has_drifted(
            binding,
            schema.sources[name],
            [properties_by_id(page) for page in pages[name]],
        )
    )


def _has_drifted(
    binding: Binding, source: Source, rows: Sequence[Mapping[str, Json]]
) -> bool:
    if not rows:
        return False
    for name, property_id in binding.properties.items():
        expected = source.properties[name].type
        types = {row.get(property_id, {}).get("type") for row in rows}
        if expected not in types:
            return True
    return False
