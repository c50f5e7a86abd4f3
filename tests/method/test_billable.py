"""Which hours are a client's to pay (docs/method.md 3.1)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.worlds import TODAY, card, client, issue, ref, worklog, world
from worker.domain.entities import Above
from worker.method.formulas.billable import billable_of
from worker.method.money.hours import hours_on_cards

LOGS = (
    worklog(TODAY, 3, issue="1"),
    worklog(TODAY, 5, issue="2"),
    worklog(TODAY, 7, issue="3"),
)


def test_all_hours_on_a_card_are_paid_by_default() -> None:
    around = world(client(), card(), work={"p1": [issue(1), issue(2)]}, logs=LOGS)
    (row,) = around.cards.values()
    assert list(billable_of(around).logs_of(row)) == list(LOGS)


def test_nothing_on_a_card_that_is_not_billable_is_paid() -> None:
    row = card(billable=False)
    around = world(client(), row, work={"p1": [issue(1)]}, logs=LOGS)
    assert not list(billable_of(around).logs_of(row))


@pytest.mark.parametrize(
    ("unpaid", "paid"), [("1", []), ("2", ["1"]), ("3", ["1", "2"])]
)
def test_a_label_holds_for_all_items_below(unpaid: str, paid: list[str]) -> None:
    """Sub-task 3 is below story 2, which is below epic 1, whose own hours stand on the card too."""
    items = [
        issue(1, level=1, billable=unpaid != "1"),
        issue(2, parent="1", billable=unpaid != "2"),
        issue(3, parent="2", level=-1, billable=unpaid != "3"),
    ]
    around = world(client(), card(), work={"p1": items}, logs=LOGS)
    found = billable_of(around).logs_of(around.cards[ref("projects", "p1")])
    assert [log.issue for log in found] == paid


def test_items_that_are_each_others_parents_are_looked_at_once() -> None:
    ring = [issue(1, parent="2", billable=False), issue(2, parent="1"), issue(3)]
    around = world(client(), card(), work={"p1": ring}, logs=LOGS)
    found = billable_of(around).logs_of(around.cards[ref("projects", "p1")])
    assert [log.issue for log in found] == ["3"]


def test_a_card_without_work_has_no_hours() -> None:
    around = world(client(), card())
    assert not list(billable_of(around).logs_of(card()))


@pytest.mark.parametrize(
    ("above", "paid"),
    [
        ({"8": Above(None, billable=False)}, ["3"]),
        ({"8": Above("9"), "9": Above(None, billable=False)}, ["3"]),
        ({"8": Above("9"), "9": Above("3")}, ["1", "2", "3"]),
        ({"8": Above("8")}, ["1", "2", "3"]),
        ({}, ["1", "2", "3"]),
    ],
)
def test_a_label_of_what_is_above_and_not_read_holds_for_what_is_below(
    above: dict[str, Above], paid: list[str]
) -> None:
    items = [issue(1, parent="8"), issue(2, parent="1", level=-1), issue(3)]
    around = world(client(), card(), work={"p1": items}, logs=LOGS)
    around = replace(around, above=above)
    found = billable_of(around).logs_of(around.cards[ref("projects", "p1")])
    assert [log.issue for log in found] == paid


@pytest.mark.parametrize("first_is_billable", [True, False])
def test_hours_are_summed_by_person_and_day_and_each_log_counts_once(
    first_is_billable: bool,
) -> None:
    """Two cards of one client show the same logs; they count where the client is to pay them."""
    logs = (*LOGS, worklog(TODAY, 2, issue="1", author="u2"))
    cards = [
        card("p1", billable=first_is_billable),
        card("p2", billable=not first_is_billable),
    ]
    items = [issue(number) for number in (1, 2, 3)]
    around = world(client(), *cards, work={"p1": items, "p2": items}, logs=logs)
    spent = list(hours_on_cards(around))
    billable = "p1" if first_is_billable else "p2"
    sums = {(one.author, one.hours, one.billable, one.card.key) for one in spent}
    assert sums == {
        (LOGS[0].author, Decimal(15), True, billable),
        ("u2", Decimal(2), True, billable),
    }
    assert len(spent) == 2
