"""Fields that Notion refuses, found and left out, so that one of them never stops the rest of its row.

A refusal (400, or a related page that is missing) certainly did not happen, so that what remains may be sent at once.
Notion mostly names the property; where it does not, halves are tried, at most twice as many requests as fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote

from worker.domain.values import Ref, Value
from worker.errors import ApiError, Missing, Rejected
from worker.mapping.schema import Binding, Property, Source
from worker.plan.plan import Change, FieldChange, encode
from worker.plan.refusals import Refusal, Stray, has_left, shape_of, stray
from worker.ports.notion import Json
from worker.write.context import WriteContext

Cells = Mapping[str, Json]
"""The request's form of values by logical field name."""
Refused = Mapping[str, ApiError]
LOOKED_AT = 25
"""How many rows of a refused relation are looked at."""


def is_refusal(error: ApiError) -> bool:
    """Tell whether an error may be about one of the values sent, and certainly nothing was written."""
    return isinstance(error, Missing) or (
        isinstance(error, Rejected) and error.status == 400
    )


def leave_out(
    send: Callable[[Cells], None],
    cells: Cells,
    error: ApiError,
    *,
    named: Callable[[ApiError, Cells], str],
) -> dict[str, ApiError]:
    """Send all that is not refused of `cells`, which were refused together with `error`; return what was.

    Raises every error of `send` that is no refusal.
    """
    if len(cells) == 1:
        return dict.fromkeys(cells, error)
    culprit = named(error, cells)
    if culprit:
        rest = {name: cell for name, cell in cells.items() if name != culprit}
        return {culprit: error} | _send_part(send, rest, named)
    names = sorted(cells)
    middle = len(names) // 2
    refused: dict[str, ApiError] = {}
    for part in (names[:middle], names[middle:]):
        refused |= _send_part(send, {name: cells[name] for name in part}, named)
    return refused


def _send_part(
    send: Callable[[Cells], None], cells: Cells, named: Callable[[ApiError, Cells], str]
) -> dict[str, ApiError]:
    try:
        send(cells)
    except ApiError as error:
        if not is_refusal(error):
            raise
        return leave_out(send, cells, error, named=named)
    return {}


def name_refused(
    error: ApiError, cells: Cells, *, source: Source, binding: Binding
) -> str:
    """Return the field that an error names, empty when it names none: by its property, or by a related page."""
    culprit = ""
    if isinstance(error, Rejected):
        culprit = error.field
    for name in cells:
        if culprit and culprit in _names(source.properties[name], binding):
            return name
    for name, cell in cells.items():
        if any(page_id in error.detail for page_id in _related(cell)):
            return name
    return ""


def _names(prop: Property, binding: Binding) -> Iterator[str]:
    property_id = binding.properties[prop.name]
    yield from (property_id, unquote(property_id), *prop.names())


def _related(cell: Json) -> Iterator[str]:
    items: Any = cell.get("relation")
    for item in items or ():
        yield from (item["id"], item["id"].replace("-", ""))


def remembered(
    target: WriteContext, change: Change, item: FieldChange, error: ApiError
) -> Refusal:
    """Return what is to be remembered of a refused field; looks at the rows that a relation points to."""
    binding = target.bindings[change.ref.source]
    prop = target.schema.sources[change.ref.source].properties[item.field]
    return Refusal(
        encode(item.after),
        shape_of(binding, item.field),
        change.title,
        error.detail or str(error),
        tuple(_strays(target, item.after)) if prop.type == "relation" else (),
    )


def _strays(target: WriteContext, value: Value) -> Iterator[Stray]:
    refs = value if isinstance(value, tuple) else ()
    for ref in islice(refs, LOOKED_AT):
        page_id = target.page_of(ref) if isinstance(ref, Ref) else None
        if page_id is None or not isinstance(ref, Ref):
            continue
        try:
            page = target.notion.page(page_id)
        except ApiError:
            continue  # out of reach: what Notion said of it is told
        if has_left(page, target.bindings.get(ref.source)):
            yield stray(ref, page)
