"""A plan as a head of accounts reads it: by client, telling fields alone, nothing of zeros and empties."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.support.worlds import card, client, row, unit, world
from worker.domain.document import Paragraph
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.mapping.load import load_schema
from worker.plan.digest import FIRST, MOST_ROWS, TELLING, WHY, Entry, Part, digest
from worker.plan.facts import Why
from worker.plan.plan import Change, FieldChange, Kind, Plan
from worker.plan.reading import Reader

SCHEMA = load_schema(None, currency="EUR")
READER = Reader(SCHEMA, Words(), ZoneInfo("UTC"), str, {Ref("people", "am"): "Anna"})
WORLD = world(
    client("bank"), client("agro"), unit(), card("p1", client=Ref("clients", "bank"))
)


def field(name: str, after: Value, before: Value = None) -> FieldChange:
    return FieldChange(name, before, after, Why("rule"))


def create(ref: Ref, title: str, *fields: FieldChange) -> Change:
    return Change(Kind.CREATE, ref, "", title, fields)


def update(ref: Ref, title: str, *fields: FieldChange) -> Change:
    return Change(Kind.UPDATE, ref, "page", title, fields)


def read(*changes: Change) -> tuple[Part, ...]:
    return digest(Plan("studio", changes), WORLD, READER)


def of(client: str) -> FieldChange:
    return field("client", (Ref("clients", client),))


def task(number: int, *fields: FieldChange) -> Change:
    return create(Ref("tasks", f"task:t:{number}"), f"Task {number}", *fields)


def test_rows_stand_with_their_client_by_name_and_the_firms_come_last() -> None:
    parts = read(
        task(1),
        task(2, of("bank")),
        task(3, field("project", (Ref("projects", "p1"),))),
        update(Ref("clients", "agro"), "Agro", field("health", "red", "green")),
        update(Ref("projects", "p1"), "P1", field("progress", Decimal("0.5"))),
    )
    told = {part.client: [entry.title for entry in part.entries] for part in parts}
    assert list(told) == ["AGRO", "BANK", ""]
    assert told == {
        "AGRO": ["Agro"],
        "BANK": ["Task 2", "Task 3", "P1"],
        "": ["Task 1"],
    }


def test_a_row_that_stands_belongs_to_the_client_that_it_names() -> None:
    standing = row("risks", "risk:x", title="X", client=(Ref("clients", "bank"),))
    seen = world(client("bank"), rows={"risks": (standing,)})
    change = update(Ref("risks", "risk:x"), "X", field("level", "high", "low"))
    (part,) = digest(Plan("studio", (change,)), seen, READER)
    assert part.client == "BANK"


@pytest.mark.parametrize("nothing", [None, "", (), Decimal(0), Decimal("0.00"), False])
@pytest.mark.parametrize("before", [None, Decimal(0), ""])
def test_zeros_and_empties_are_no_news(nothing: Value, before: Value) -> None:
    (part,) = read(
        task(
            1,
            field("assignee", (Ref("people", "am"),)),
            field("carried", nothing, before),
            field("steps", nothing, before),
        )
    )
    (entry,) = part.entries
    assert (entry.told, entry.more) == (("Assignee: Anna",), 0)


def test_what_becomes_zero_is_news() -> None:
    (part,) = read(
        update(
            Ref("clients", "bank"), "Bank", field("open_risks", Decimal(0), Decimal(3))
        )
    )
    assert part.entries[0].told == ("Open risks: 3 → 0",)


def test_a_new_row_is_told_by_its_telling_fields_in_their_order_and_says_why() -> None:
    (part,) = read(
        task(
            1,
            field("carried", Decimal(0)),
            field("due", date(2026, 11, 25)),
            field("kind", "signal"),
            field("reason", "The contract ends on Jan 7, 2027."),
            field("assignee", (Ref("people", "am"),)),
        )
    )
    assert part.entries == (
        Entry(
            Kind.CREATE,
            "Account sprint",
            "Task 1",
            ("Assignee: Anna", "Due: Nov 25, 2026"),
            "The contract ends on Jan 7, 2027.",
            more=1,
        ),
    )


def test_a_cell_that_changes_is_always_told_and_one_that_is_first_filled_is_counted() -> (
    None
):
    (part,) = read(
        update(
            Ref("projects", "p1"),
            "P1",
            field("blocked", Decimal(2), Decimal(1)),
            field("wip", Decimal(4)),
        )
    )
    (entry,) = part.entries
    assert entry.told == ("Blocked: 1 → 2",)
    assert entry.more == 1


def test_of_dozens_of_rows_the_first_are_told_and_the_rest_is_counted() -> None:
    plans = [
        create(
            Ref("plans", f"plan:firm:{grain}-{number}"),
            f"{grain} {number}",
            field("grain", grain),
            field("target", Decimal(100)),
        )
        for grain, count in (("month", 3), ("quarter", 1), ("week", 13))
        for number in range(count)
    ]
    (part,) = read(*plans)
    titles = [entry.title for entry in part.entries]
    assert titles == ["quarter 0", "month 0", "month 1", "month 2", "week 0"]
    assert part.more == {"Plans": 17 - MOST_ROWS}


def test_a_row_whose_further_cells_alone_are_filled_is_counted() -> None:
    (part,) = read(update(Ref("people", "am"), "Anna", field("ahead", "Nothing")))
    assert (part.entries, part.more) == ((), {"People": 1})


def test_a_page_is_told_with_its_row_and_alone_where_only_it_is_written() -> None:
    ref = Ref("clients", "bank")
    body = Change(Kind.SECTION, ref, "page", "Bank", blocks=(Paragraph("x"),))
    (part,) = read(update(ref, "Bank", field("health", "red", "green")), body)
    assert [entry.has_section for entry in part.entries] == [True]
    (part,) = read(body)
    assert [(one.kind, one.has_section) for one in part.entries] == [
        (Kind.SECTION, True)
    ]


def test_of_private_rows_only_their_number_is_told() -> None:
    secret = create(Ref("bonuses", "bonus:x"), "Secret", field("who", "Secret"))
    (part,) = read(secret)
    assert (part.entries, part.more) == ((), {"Bonuses": 1})


def test_what_is_put_away_is_always_told() -> None:
    (part,) = read(Change(Kind.ARCHIVE, Ref("tasks", "task:t:1"), "page", "Task 1"))
    assert [(one.kind, one.title) for one in part.entries] == [(Kind.ARCHIVE, "Task 1")]


def test_every_field_that_is_told_exists_and_every_order_is_of_its_options() -> None:
    for source, names in TELLING.items():
        assert set(names) <= SCHEMA.sources[source].properties.keys(), source
    for source, name in WHY.items():
        assert name in SCHEMA.sources[source].properties, source
    for source, (name, order) in FIRST.items():
        options = SCHEMA.sources[source].properties[name].options
        assert {option.key for option in options} == set(order), source
