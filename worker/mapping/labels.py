"""What people call the field a problem is about: as its column is headed, not by its name in the mapping files."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from worker.errors import RenderedProblem
from worker.mapping.schema import Schema


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
    problems: Iterable[RenderedProblem], schema: Schema, locale: str
) -> list[RenderedProblem]:
    """Return problems for people to read; stored and sent ones keep the names."""
    return [
        replace(one, field=label_field(one, schema, locale)) if one.field else one
        for one in problems
    ]
