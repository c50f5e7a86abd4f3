"""A plan is a value: what would be written, field by field, with before, after and why."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from worker.domain import document
from worker.domain.document import Block
from worker.domain.values import Ref, Span, Value
from worker.errors import RenderedProblem, Severity
from worker.plan.facts import Input, Why

WITHHELD = {"private": True}
"""What people are shown in the place of a private value."""


class Kind(StrEnum):
    """What a change does; declared in the order in which changes are applied."""

    CREATE = "create"
    UPDATE = "update"
    SECTION = "section"
    ARCHIVE = "archive"


class FieldChange(msgspec.Struct, frozen=True, gc=False):
    """One field of a change. `drift` marks a worker-owned field that somebody else had edited."""

    field: str
    before: Value
    after: Value
    why: Why
    drift: bool = False


class Change(msgspec.Struct, frozen=True, gc=False):
    """One page to create, update, archive or write a section into. `page_id` is empty for a create.

    `blocks` is the marked section with its two markers, `page_id` then empty when the same plan creates the row.
    `surplus` marks the archive of a second row of one key, which holds nothing that anybody would miss; `why` tells of
    one that has had its time, by which rule.
    """

    kind: Kind
    ref: Ref
    page_id: str
    title: str
    fields: tuple[FieldChange, ...] = ()
    blocks: tuple[Block, ...] = ()
    surplus: bool = False
    why: Why | None = None

    @property
    def body(self) -> str:
        """Return the section as Markdown, for people."""
        return document.markdown(self.blocks)


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A person's value that stands against what the rules would have written; `conflict` when the source moved too."""

    ref: Ref
    page_id: str
    field: str
    current: Value
    desired: Value
    conflict: bool


class Adopted(msgspec.Struct, frozen=True, gc=False):
    """A field that holds what the rules want although we did not write it: only its base is recorded."""

    page_id: str
    field: str
    value: Value


class Plan(msgspec.Struct, frozen=True, gc=False):
    """All changes of one cycle, sorted; `kept` and `problems` are shown beside them.

    `adopted` asks for no write in Notion and is no part of the checksum.
    """

    workspace: str
    changes: tuple[Change, ...] = ()
    kept: tuple[Kept, ...] = ()
    problems: tuple[RenderedProblem, ...] = ()
    adopted: tuple[Adopted, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many changes of each kind there are, keys as in `sync --json`."""
        by_kind = Counter(change.kind for change in self.changes)
        return {
            "create": by_kind[Kind.CREATE],
            "update": by_kind[Kind.UPDATE],
            "archive": by_kind[Kind.ARCHIVE],
            "sections": by_kind[Kind.SECTION],
        }

    def checksum(self) -> str:
        """Return a digest of what would be written; the same plan always has the same one."""
        return write_json(self, lambda piece: None)


def to_data(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON data; `from_data` gives it back."""
    changes = [_change_data(change) for change in plan.changes]
    return _data(plan, plan.checksum(), changes)


def write_json(plan: Plan, take: Callable[[bytes], None]) -> str:
    """Write what `to_data` gives in JSON, piece by piece, and return the checksum: as one text, beside the data of all
    changes, a first plan of a large agency would take many times its room."""
    whole = hashlib.sha256(b"[")
    take(b'{"changes":[')
    comma = b""
    for change in plan.changes:
        piece = comma + msgspec.json.encode(_change_data(change))
        whole.update(piece)
        take(piece)
        comma = b","
    whole.update(b"]")
    checksum = whole.hexdigest()[:16]

    beside = _data(plan, checksum, ())
    del beside["changes"]
    rest = msgspec.json.encode(beside)
    take(b"]," + rest.removeprefix(b"{"))
    return checksum


def _data(plan: Plan, checksum: str, changes: Sequence[object]) -> dict[str, Any]:
    return {
        "workspace": plan.workspace,
        "checksum": checksum,
        "changes": changes,
        "kept": [
            {
                "ref": str(kept.ref),
                "page_id": kept.page_id,
                "field": kept.field,
                "current": encode(kept.current),
                "desired": encode(kept.desired),
                "conflict": kept.conflict,
            }
            for kept in plan.kept
        ],
        "problems": [msgspec.to_builtins(p) for p in plan.problems],
        "adopted": [
            [adopted.page_id, adopted.field, encode(adopted.value)]
            for adopted in plan.adopted
        ],
    }


def withheld_data(plan: Plan, is_private: Callable[[str], bool]) -> dict[str, Any]:
    """Return the plan as JSON data for people: of the rows of private data sources only that they change, not what
    they say. It cannot be read back; the checksum is the whole plan's."""
    data = to_data(plan)
    for change, shown in zip(plan.changes, data["changes"], strict=True):
        if is_private(change.ref.source):
            shown |= {"title": "", "body": "", "blocks": []}
            for item in shown["fields"]:
                why = {**item["why"], "inputs": [], "formula": "", "threshold": ""}
                item |= {"before": WITHHELD, "after": WITHHELD, "why": why}
    for kept, shown in zip(plan.kept, data["kept"], strict=True):
        if is_private(kept.ref.source):
            shown |= {"current": WITHHELD, "desired": WITHHELD}
    # What is adopted is named by its page alone, which does not tell whether it is private.
    data["adopted"] = [
        [page_id, name, WITHHELD] for page_id, name, _ in data["adopted"]
    ]
    return data


def from_data(data: dict[str, Any]) -> Plan:
    """Return the plan written by `to_data`."""
    changes = tuple(
        Change(
            Kind(c["kind"]),
            Ref.parse(c["ref"]),
            c["page_id"],
            c["title"],
            tuple(_field_from(f) for f in c["fields"]),
            document.from_data(c.get("blocks", ())),
            surplus=c.get("surplus", False),
            why=_why_from(c["why"]) if c.get("why") else None,
        )
        for c in data["changes"]
    )
    kept = tuple(
        Kept(
            Ref.parse(k["ref"]),
            k["page_id"],
            k["field"],
            decode(k["current"]),
            decode(k["desired"]),
            k["conflict"],
        )
        for k in data["kept"]
    )
    problems = tuple(
        RenderedProblem(**{**p, "severity": Severity(p["severity"])})
        for p in data["problems"]
    )
    adopted = tuple(
        Adopted(page_id, field, decode(value))
        for page_id, field, value in data.get("adopted", ())
    )
    return Plan(data["workspace"], changes, kept, problems, adopted)


def _change_data(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "ref": str(change.ref),
        "page_id": change.page_id,
        "title": change.title,
        "body": change.body,
        "blocks": document.to_data(change.blocks),
        "fields": [_field_data(one) for one in change.fields],
        "surplus": change.surplus,
        "why": _why_data(change.why) if change.why else None,
    }


def _field_data(change: FieldChange) -> dict[str, Any]:
    return {
        "field": change.field,
        "before": encode(change.before),
        "after": encode(change.after),
        "drift": change.drift,
        "why": _why_data(change.why),
    }


def _why_data(why: Why) -> dict[str, Any]:
    return {
        "rule": why.rule,
        "formula": why.formula,
        "threshold": why.threshold,
        "inputs": [[i.name, i.value, i.url] for i in why.inputs],
    }


def _field_from(data: dict[str, Any]) -> FieldChange:
    return FieldChange(
        data["field"],
        decode(data["before"]),
        decode(data["after"]),
        _why_from(data["why"]),
        data["drift"],
    )


def _why_from(data: dict[str, Any]) -> Why:
    inputs = tuple(Input(*row) for row in data["inputs"])
    return Why(data["rule"], inputs, data["formula"], data["threshold"])


Encoded = str | bool | dict[str, Any] | None
"""A value as tagged JSON data."""


def encode(value: Value) -> Encoded:
    """Return a value as tagged JSON data: text and booleans as they are, the rest as a one-key object."""
    match value:
        case None | bool() | str():
            return value
        case Decimal():
            return {"number": canonical(value)}
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
        case Span():
            return {"span": [value.start.isoformat(), value.end.isoformat()]}
        case tuple():
            if value and isinstance(value[0], Ref):
                return {"refs": [str(item) for item in value]}
            return {"list": list(value)}


def decode(data: Any) -> Value:
    """Return the value written by `encode`."""
    match data:
        case None | bool() | str():
            return data
        case {"number": text}:
            return Decimal(text)
        case {"at": text}:
            return datetime.fromisoformat(text)
        case {"day": text}:
            return date.fromisoformat(text)
        case {"span": [start, end]}:
            return Span(date.fromisoformat(start), date.fromisoformat(end))
        case {"refs": items}:
            return tuple(Ref.parse(item) for item in items)
        case {"list": items}:
            return tuple(items)
    raise ValueError(f"not an encoded value: {data!r}")


def canonical(number: Decimal) -> str:
    """Return a number's one spelling: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
