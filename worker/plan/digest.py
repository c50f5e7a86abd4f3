"""A plan as a head of accounts reads it: client by client, what would appear and why; zeros and empties are no news.

Whole rows are told by their few telling fields. What comes in dozens, such as weekly plans, is counted. Nothing is
decided here and nothing is lost: `worker.plan.reading` shows every field.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.messages import message
from worker.domain.values import Ref, Value
from worker.plan.plan import Change, FieldChange, Kind, Plan
from worker.plan.reading import Reader
from worker.world.world import World

TELLING: Mapping[str, tuple[str, ...]] = {
    "clients": ("health", "plan", "revenue_month", "pace", "horizon", "next_action"),
    "tasks": ("assignee", "due"),
    "risks": ("level", "exposure", "owner", "review"),
    "projects": ("health", "progress", "on_time", "p85", "due", "next_task"),
    "requests": ("role", "hours", "since"),
    "plans": ("target", "fact", "forecast"),
    "units": ("triangle", "pace", "load", "utilization"),
    "people": ("utilization", "load_4"),
    "goals": ("owner", "target", "pace"),
    "meetings": (),
    "ledger": ("recognised", "billed", "paid"),
}
"""What is told of a row that Rayline fills for the first time, by board; boards and fields in the order of telling."""
WHY: Mapping[str, str] = {
    "clients": "why",
    "plans": "why",
    "projects": "why",
    "requests": "why",
    "risks": "evidence",
    "tasks": "reason",
}
"""The field in which a board says why."""
MOST_ROWS = 5
"""Rows of one board that are told one by one; of more, as many are, and the rest is counted."""
FIRST: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "plans": ("grain", ("quarter", "month", "week")),
    "risks": ("level", ("high", "medium", "low")),
}
"""Which rows of a board come first, by a field of theirs."""
MARK = "⚙ "
"""How columns that are the worker's are headed: here all are."""
_NO_REFS: tuple[Ref, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """One row: what happens to it, `told` field by field with `why`, and how many `more` cells are filled."""

    kind: Kind
    board: str
    title: str
    told: tuple[str, ...] = ()
    why: str = ""
    more: int = 0
    has_section: bool = False


class Part(msgspec.Struct, frozen=True):
    """What happens to one client's rows, or to the firm's (`client` is empty); `more` rows are not told, by board."""

    client: str
    entries: tuple[Entry, ...]
    more: Mapping[str, int]


def digest(plan: Plan, world: World, reader: Reader) -> tuple[Part, ...]:
    """Return a plan client by client, by name; what is no client's comes last."""
    owners = _owners(plan, world)
    parts: dict[str, list[Change]] = defaultdict(list)
    for change in plan.changes:
        client = world.client(owners.get(change.ref))
        name = client.name if client else ""
        parts[name].append(change)
    names = sorted(parts, key=lambda name: (not name, name))
    return tuple(_part(name, parts[name], reader) for name in names)


def _owners(plan: Plan, world: World) -> dict[Ref, Ref]:
    """Return the client of each row that has one: by what stands, and by what is to be written."""
    owners: dict[Ref, Ref] = {ref: ref for ref in world.clients}
    for ref, card in world.cards.items():
        if card.client is not None:
            owners[ref] = card.client
    for rows in world.rows.values():
        for row in rows:
            client = _client_in(row.fields, world)
            if client is not None:
                owners.setdefault(row.ref, client)
    for change in plan.changes:
        written = {field.field: field.after for field in change.fields}
        client = _client_in(written, world)
        if client is not None:
            owners.setdefault(change.ref, client)
    return owners


def _client_in(fields: Mapping[str, Value], world: World) -> Ref | None:
    clients = _refs(fields.get("client"))
    cards = _refs(fields.get("project"))
    client = clients[0] if clients else None
    card = cards[0] if cards else None
    return world.client_of(client, card)


def _refs(value: Value) -> tuple[Ref, ...]:
    if not isinstance(value, tuple):
        return _NO_REFS
    return tuple(item for item in value if isinstance(item, Ref))


def _part(client: str, changes: Sequence[Change], reader: Reader) -> Part:
    sectioned = {change.ref for change in changes if change.kind is Kind.SECTION}
    changed = {change.ref for change in changes if change.kind is not Kind.SECTION}
    alone = sectioned - changed
    rows_told = (
        change
        for change in changes
        if change.kind is not Kind.SECTION or change.ref in alone
    )
    boards: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(rows_told, key=_place):
        boards[change.ref.source].append(change)

    entries: list[Entry] = []
    more: Counter[str] = Counter()
    for source, rows in boards.items():
        board = reader.title_of(source)
        read = (
            replace(_entry(row, board, reader), has_section=row.ref in sectioned)
            for row in rows
        )
        is_private = reader.schema.is_private(source)
        telling = [entry for entry in read if _tells(entry) and not is_private]
        shown = telling[:MOST_ROWS]
        entries += shown
        more[board] += len(rows) - len(shown)
    return Part(client, tuple(entries), +more)


def _place(change: Change) -> tuple[int, str, int]:
    """Return where a change stands: board by board, in the order of its plan but for what comes first."""
    source = change.ref.source
    boards = list(TELLING)
    board = boards.index(source) if source in boards else len(boards)
    name, order = FIRST.get(source, ("", ()))
    for field in change.fields:
        if field.field == name and field.after in order:
            return board, source, order.index(str(field.after))
    return board, source, len(order)


def _entry(change: Change, board: str, reader: Reader) -> Entry:
    source = change.ref.source
    telling = TELLING.get(source, ())
    reason = WHY.get(source, "")
    news = {field.field: field for field in change.fields if _is_news(field)}
    why = news.pop(reason, None)
    order = [name for name in telling if name in news]
    order += [
        name
        for name, field in news.items()
        if name not in telling and not _is_nothing(field.before)
    ]
    return Entry(
        change.kind,
        board,
        change.title or change.ref.key,
        tuple(_told(source, (news[name] for name in order), reader)),
        _reason(change, why),
        len(news) - len(order),
    )


def _reason(change: Change, why: FieldChange | None) -> str:
    if change.why is not None:
        return change.why.formula
    return str(why.after) if why else ""


def _tells(entry: Entry) -> bool:
    """Tell whether an entry is more than that a row's further cells are filled."""
    return bool(entry.kind is not Kind.UPDATE or entry.told or entry.why)


def _is_news(field: FieldChange) -> bool:
    """Tell whether a cell says something: not that nothing becomes nothing, none or no."""
    return not (_is_nothing(field.before) and _is_nothing(field.after))


def _is_nothing(value: Value) -> bool:
    return value in (None, "", (), False, Decimal(0))


def _told(source: str, fields: Iterable[FieldChange], reader: Reader) -> Iterator[str]:
    for field in fields:
        prop = reader.schema.sources[source].properties.get(field.field)
        label = reader.label_of(source, field.field).removeprefix(MARK)
        after = reader.say_value(field.after, prop)
        if _is_nothing(field.before):
            yield f"{label}: {after}"
            continue
        before = reader.say_value(field.before, prop)
        yield f"{label}: {before} → {after}"


FIRM = message("The firm, its units and people")
