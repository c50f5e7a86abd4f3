"""Whether a row is only ours, so that putting it away takes nothing from anybody: pure."""

from __future__ import annotations

from collections.abc import Mapping

from worker.codecs.notion import canonicalize
from worker.domain.entities import Row
from worker.domain.values import UNSET, Unset, Value
from worker.mapping.schema import KEY_PROPERTY, Binding, Owner, Property, Source
from worker.plan.merge import is_empty

Cells = Mapping[str, Value]


def holds_more(
    row: Row,
    standing: Row | None,
    source: Source,
    binding: Binding,
    *,
    written: Cells,
    attempted: Cells,
) -> bool:
    """Tell whether a row holds what neither we wrote into it nor the standing row of its key, if any, shows too.

    `written` and `attempted` are what we know to have put into its fields; without either a cell was left empty. A
    cell that cannot be read counts as written in, and so does a row that somebody else edited last.
    """
    if row.edited_by != row.created_by:
        return True

    def spelled(prop: Property, value: Value | Unset) -> Value | Unset:
        return value if value is UNSET else canonicalize(prop, value)

    def differs(prop: Property) -> bool:
        if standing is None and _is_mirror(prop):
            return False
        shown = spelled(prop, row.fields.get(prop.name, UNSET))
        put = {
            name: spelled(prop, cells.get(prop.name, UNSET))
            for name, cells in (("written", written), ("attempted", attempted))
        }
        known = [value for value in put.values() if value is not UNSET]
        if shown is UNSET:
            return True
        if not known and is_empty(shown):
            return False
        beside = standing.fields.get(prop.name, UNSET) if standing else UNSET
        return shown not in (*known, spelled(prop, beside))

    return any(
        differs(source.properties[name])
        for name in binding.properties
        if name in source.properties and name != KEY_PROPERTY
    )


def _is_mirror(prop: Property) -> bool:
    """Tell whether a cell shows what rows on the other side hold, rather than what was written into it."""
    return bool(prop.mirror) and prop.owner is Owner.WORKER
