"""Which two rows of people's are the same one: what they say decides, since nobody gave them a key. Pure.

By it a table that is brought in twice makes nothing twice, and a row whose making was left in doubt is found again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from worker.domain.values import Ref, Value
from worker.plan.plan import encode

Cells = Mapping[str, Value]
IDENTITIES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "revenue": (("client", "month", "amount", "name"),),
    "people": (("name",),),
    "contacts": (("email",), ("name", "client")),
}
"""By data source, the columns that tell rows apart: the first of the sets that both rows fill decides."""
MADE = "import:"


def is_same(source: str, one: Cells, other: Cells) -> bool:
    """Tell whether two rows are the same."""
    for names in IDENTITIES[source]:
        ours, theirs = _said(one, names), _said(other, names)
        if ours and theirs:
            return ours == theirs
    return False


def identity(source: str, cells: Cells) -> str:
    """Return a short name of what tells a row apart, empty when it says too little."""
    for names in IDENTITIES[source]:
        if said := _said(cells, names):
            body = json.dumps([names, said]).encode()
            return hashlib.sha256(body).hexdigest()[:20]
    return ""


def ref_of(source: str, cells: Cells, attempt: int = 1) -> Ref:
    """Return under which name a row that is brought in is journalled; a later attempt makes it anew after it was deleted."""
    again = f":{attempt}" if attempt > 1 else ""
    return Ref(source, f"{MADE}{identity(source, cells)}{again}")


def is_brought_in(ref: Ref) -> bool:
    """Tell whether a ref names a row that was brought in."""
    return ref.source in IDENTITIES and ref.key.startswith(MADE)


def _said(cells: Cells, names: tuple[str, ...]) -> list[object]:
    """Return the cells of some columns in one spelling; nothing when one of them is empty."""
    values = [cells.get(name) for name in names]
    if any(value is None or value in ("", ()) for value in values):
        return []
    return [encode(_spelled(value)) for value in values]


def _spelled(value: Value) -> Value:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value
