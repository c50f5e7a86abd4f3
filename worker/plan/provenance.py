"""Whose value stands in a cell that both people and the worker write: ours when it is what we wrote there last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from worker.codecs.notion import canonicalize
from worker.domain.entities import Row
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.mapping.schema import Property
from worker.plan.merge import last_written

Cells = Mapping[tuple[str, str], Value]


def find_ours(
    rows: Iterable[Row], prop: Property, written: Cells, attempted: Cells
) -> Iterator[tuple[Ref, str]]:
    """Yield the cells of a column in which stands what the worker wrote last; `written` and `attempted` as in the diff."""

    def canonical(value: Value | Unset) -> Value | Unset:
        return value if isinstance(value, Unset) else canonicalize(prop, value)

    for row in rows:
        cell = (row.page_id, prop.name)
        current = canonical(row.fields.get(prop.name, UNSET))
        base = last_written(
            canonical(written.get(cell, UNSET)),
            canonical(attempted.get(cell, UNSET)),
            current,
        )
        if base is not UNSET and base == current:
            yield row.ref, prop.name
