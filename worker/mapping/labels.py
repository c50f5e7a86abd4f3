"""What people call what a problem is about: a field as its column is headed, a row by its board and title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from worker.domain.values import Ref
from worker.errors import RenderedProblem
from worker.mapping.schema import Schema, Source

NO_NAMES: Mapping[Ref, str] = MappingProxyType({})
QUOTES = {"en": ("“", "”"), "ru": ("«", "»")}


def label_field(problem: RenderedProblem, schema: Schema, locale: str) -> str:
    """Return the label of a problem's field: of the board it names, else the one all boards agree on.

    What is no field of a board, such as a key of the configuration, or has several labels, stays as it is.
    """
    board = problem.where.partition(":")[0]
    labels: set[str] = set()
    for source in schema.sources.values():
        known = source.properties.get(problem.field)
        if known is None:
            continue
        if board in source.title.values():
            return known.label[locale]
        labels.add(known.label[locale])
    return labels.pop() if len(labels) == 1 else problem.field


def label_fields(
    problems: Iterable[RenderedProblem],
    schema: Schema,
    locale: str,
    names: Mapping[Ref, str] = NO_NAMES,
) -> list[RenderedProblem]:
    """Return problems for people to read, `names` being titles of rows; stored and sent ones keep the keys."""
    return [_labelled(one, schema, locale, names=names) for one in problems]


def _labelled(
    problem: RenderedProblem, schema: Schema, locale: str, *, names: Mapping[Ref, str]
) -> RenderedProblem:
    name, _, key = problem.where.partition("/")
    source = schema.sources.get(name)
    if source is not None and problem.where == source.name:
        # What is wrong with a whole board is told under its name alone.
        problem = replace(problem, where=source.title[locale])
    if source is None or not key:
        field = label_field(problem, schema, locale) if problem.field else ""
        return replace(problem, field=field)
    known = source.properties.get(problem.field)
    field = known.label[locale] if known else problem.field
    return replace(
        problem, field=field, where=_name_row(Ref(name, key), source, locale, names)
    )


def _name_row(row: Ref, source: Source, locale: str, names: Mapping[Ref, str]) -> str:
    """Return how people find a row: by its board and title; by its key where no title is known."""
    title = names.get(row, "")
    if source.private or not title:
        return f"{source.title[locale]}, {row.key}"
    opening, closing = QUOTES[locale]
    return f"{source.title[locale]}, {opening}{title}{closing}"
