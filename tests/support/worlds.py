"""Small worlds to judge: builders with sensible defaults, and a stand-in for applying what the rules asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from worker.config import QuarterTargets, Thresholds
from worker.domain.entities import (
    Card,
    CardWork,
    Client,
    Contact,
    Document,
    Issue,
    LoggedTime,
    Move,
    Person,
    Revenue,
    Row,
    Stage,
    Unit,
)
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Unset, Value
from worker.domain.words import Words
from worker.mapping.playbooks import Playbooks, load_playbooks
from worker.method.outcome import Outcome
from worker.plan.facts import Fact
from worker.world.memory import Memory
from worker.world.world import World

TODAY = date(2026, 11, 18)
"""A Wednesday of ISO week 47, in the middle of Q4 2026."""

SOURCES = frozenset(
    {
        "clients",
        "units",
        "people",
        "contacts",
        "projects",
        "services",
        "documents",
        "revenue",
        "plans",
        "risks",
        "tasks",
    }
)
PLAYBOOKS: Playbooks = load_playbooks(Path(__file__).parents[2] / "mappings")


def at(day: date, hour: int = 12) -> datetime:
    """Return an instant of a day, in UTC."""
    return datetime.combine(day, time(hour), UTC)


def _with(defaults: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {**defaults, **fields}


def ref(source: str, key: str) -> Ref:
    """Return a ref."""
    return Ref(source, key)


def client(key: str = "c1", **fields: Any) -> Client:
    """Return a client of unit `u1` unless told otherwise."""
    return Client(
        Ref("clients", key),
        **_with(
            {"name": key.upper(), "group": "account", "unit": Ref("units", "u1")},
            fields,
        ),
    )


def unit(key: str = "u1", **fields: Any) -> Unit:
    """Return a unit with a whole triangle."""
    people = {
        "am": (Ref("people", "am"),),
        "tls": (Ref("people", "tl"),),
        "pms": (Ref("people", "pm"),),
    }
    return Unit(Ref("units", key), **_with({"name": "North", **people}, fields))


def person(key: str, **fields: Any) -> Person:
    """Return a person whose Jira account is named like the page."""
    return Person(
        Ref("people", key),
        **_with({"name": key.title(), "jira": key, "rate": Decimal(1000)}, fields),
    )


def card(
    key: str = "p1", stage: Stage | None = Stage.IN_PROGRESS, **fields: Any
) -> Card:
    """Return a card of client `c1` linked to Jira."""
    return Card(
        Ref("projects", key),
        stage=stage,
        **_with(
            {"name": f"Card {key}", "client": Ref("clients", "c1"), "jira": "ACME"},
            fields,
        ),
    )


def contact(key: str, **fields: Any) -> Contact:
    """Return a contact of client `c1`."""
    return Contact(
        Ref("contacts", key),
        **_with({"name": key.title(), "client": Ref("clients", "c1")}, fields),
    )


def document(key: str, **fields: Any) -> Document:
    """Return a document of client `c1`."""
    return Document(
        Ref("documents", key),
        **_with({"name": key.title(), "client": Ref("clients", "c1")}, fields),
    )


def revenue(
    amount: int | str, month: date, *, client: str = "c1", kind: str = "act"
) -> Revenue:
    """Return a money row."""
    return Revenue(
        Ref("revenue", f"{client}-{month}-{kind}"),
        Ref("clients", client),
        None,
        month,
        Decimal(amount),
        kind,
    )


def issue(
    number: int,
    *,
    done: date | None = None,
    created: date | None = None,
    category: str = "",
    **fields: Any,
) -> Issue:
    """Return an issue: finished on `done`, else new unless a category is given; made 100 days ago."""
    created = created or TODAY - timedelta(days=100)
    category = category or ("done" if done else "new")
    return Issue(
        id=str(number),
        key=f"ACME-{number}",
        project="ACME",
        category=category,
        created=at(created),
        **_with(
            {
                "type": "Story",
                "level": 0,
                "status": category.title(),
                "updated": at(done or created),
                "resolved": at(done) if done else None,
            },
            fields,
        ),
    )


def worked(number: int, started: date, finished: date, **fields: Any) -> Issue:
    """Return a finished issue with the history of its way there."""
    moves = (
        Move(at(started), "new", "indeterminate"),
        Move(at(finished), "indeterminate", "done"),
    )
    return issue(number, done=finished, moves=moves, **fields)


def steady(
    done: int,
    still_open: int,
    *,
    step: int = 2,
    last: date | None = None,
    **fields: Any,
) -> list[Issue]:
    """Return `done` issues finished one every `step` days up to `last` (yesterday), and `still_open` ones."""
    last = last or TODAY - timedelta(days=1)
    finished = [
        issue(number, done=last - timedelta(days=step * number))
        for number in range(done)
    ]
    return finished + [
        issue(1000 + number, updated=at(last), **fields) for number in range(still_open)
    ]


def worklog(
    day: date, hours: float, *, author: str = "dev", issue: str = "1"
) -> LoggedTime:
    """Return logged time."""
    return LoggedTime(issue, author, day, int(hours * 3600))


def row(
    source: str,
    key: str,
    /,
    *,
    worker: bool = True,
    created: date | None = None,
    title: str = "",
    **fields: Value,
) -> Row:
    """Return a decoded row; `worker` rows carry the key as their Worker key."""
    made = at(created or TODAY)
    return Row(
        Ref(source, key),
        f"page-{key}",
        key if worker else "",
        title or key,
        f"https://notion.so/{key}",
        made,
        made,
        "person",
        dict(fields),
    )


def world(
    *things: object,
    work: Mapping[str, Sequence[Issue]] | None = None,
    logs: Iterable[LoggedTime] = (),
    today: date = TODAY,
    memory: Memory | None = None,
    words: Words | None = None,
    rows: dict[str, tuple[Row, ...]] | None = None,
    **fields: Any,
) -> World:
    """Return a world of the given things; `work` maps card keys to issues, `logs` all belong to the cards' works."""

    def of(kind: type) -> dict[Ref, Any]:
        return {thing.ref: thing for thing in things if isinstance(thing, kind)}  # type: ignore[attr-defined]

    logged = tuple(logs)
    linked = {
        Ref("projects", key): CardWork("project ACME", tuple(issues), logged)
        for key, issues in (work or {}).items()
    }
    return World(
        **_with(
            {
                "workspace": "test",
                "now": at(today),
                "today": today,
                "thresholds": Thresholds(),
                "words": words or Words("en", "EUR"),
                "calendar": WorkCalendar(),
                "sources": SOURCES,
                "rows": rows or {},
                "clients": of(Client),
                "units": of(Unit),
                "people": of(Person),
                "contacts": of(Contact),
                "cards": of(Card),
                "documents": of(Document),
                "revenue": tuple(t for t in things if isinstance(t, Revenue)),
                "work": linked,
                "memory": memory or Memory(first_run=False),
                "targets": QuarterTargets(),
            },
            fields,
        )
    )


def applied(before: World, outcome: Outcome, *, today: date | None = None) -> World:
    """Return the world as it reads after the facts were written: rows made and changed, memory kept."""
    rows = {
        source: {item.ref: item for item in items}
        for source, items in before.rows.items()
    }
    for fact in outcome.facts:
        if fact.ref.source in ("plans", "risks", "tasks", "requests"):
            kept = rows.setdefault(fact.ref.source, {})
            kept[fact.ref] = _written(kept.get(fact.ref), fact, before.today)
    cards = {ref: _dated(card, outcome) for ref, card in before.cards.items()}
    taken = {
        (ref, "due") for ref, card in cards.items() if card.due != before.cards[ref].due
    }
    day = today or before.today
    return replace(
        before,
        rows={source: tuple(items.values()) for source, items in rows.items()},
        cards=cards,
        own_cells=before.own_cells | taken,
        memory=outcome.memory,
        today=day,
        now=at(day),
    )


def _written(found: Row | None, fact: Fact, today: date) -> Row:
    found = found or row(fact.ref.source, fact.ref.key, created=today)
    assert not isinstance(fact.value, Unset)
    if fact.field == "name":
        return replace(found, title=str(fact.value))
    return replace(found, fields={**found.fields, fact.field: fact.value})


def _dated(card: Card, outcome: Outcome) -> Card:
    due = next(
        (f.value for f in outcome.facts if f.ref == card.ref and f.field == "due"), None
    )
    return replace(card, due=card.due or due) if isinstance(due, date) else card


def changed(before: World, source: str, key: str, **fields: Value) -> World:
    """Return the world after a person changed fields of a worker's row."""
    items = tuple(
        replace(item, fields={**item.fields, **fields}) if item.ref.key == key else item
        for item in before.rows[source]
    )
    assert any(item.ref.key == key for item in items), f"no row {key}"
    return replace(before, rows={**before.rows, source: items})
