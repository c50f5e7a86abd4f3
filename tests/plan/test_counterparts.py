"""Which row belongs to what: what speaks for it, what is sure, and what stays a question."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.worlds import card, client, issue, person, ref, row, world
from worker.domain.entities import Account, Card, Client, JiraProject, Person
from worker.domain.messages import ENGLISH, render
from worker.domain.values import Ref
from worker.mapping.load import load_schema
from worker.mapping.spreadsheet import Unclear
from worker.plan.matching import Decision, plan_decisions, read_decision
from worker.world.proposals import Directory, Gap, find_gaps
from worker.world.world import World

PROJECTS = (
    JiraProject("1", "ACME", "Acme Bank"),
    JiraProject("2", "WEB", "Website"),
    JiraProject("3", "LOY", "Loyalty app"),
)
ANNA = Account("a-1", "Anna Petrova", "anna@studio.example")
IVAN = Account("a-2", "Ivan Smirnov", "ivan@studio.example")


def firm(*things: Card | Client | Person, **fields: Any) -> World:
    """Return a world in which every thing has its row, with the cells that may be missing."""
    rows: dict[str, list[Any]] = {}
    for thing in things:
        cells: dict[str, Any] = {"client": None, "jira": None, "jira_account": None}
        cells |= {"notion_user": None}
        made = row(thing.ref.source, thing.ref.key, **cells)
        rows.setdefault(thing.ref.source, []).append(made)
    packed = {name: tuple(some) for name, some in rows.items()}
    return world(*things, rows=packed, jira_projects=PROJECTS, **fields)


def gap(world: World, key: str, field: str, directory: Directory | None = None) -> Gap:
    gaps = find_gaps(world, directory or Directory())
    wanted = [one for one in gaps if (one.ref.key, one.field) == (key, field)]
    assert len(wanted) == 1
    return wanted[0]


def best(gap: Gap) -> tuple[str, str]:
    first = gap.candidates[0]
    return first.value, render(first.reason, ENGLISH)


@pytest.mark.parametrize(
    ("name", "value", "reason", "is_sure"),
    [
        ("Relaunch (WEB)", "WEB", "its name holds the key WEB", True),
        ("WEB-17: relaunch", "WEB-17", "its name holds the key WEB-17", True),
        ("Loyalty app", "LOY", "the same name", True),
        ("The loyalty application", "LOY", "a similar name", False),
        ("Bank portal", "ACME", "the project is called as the client", False),
    ],
)
def test_a_card_is_proposed_work_by_key_name_and_client(
    name: str, value: str, reason: str, *, is_sure: bool
) -> None:
    acme = client("c1", name="Acme Bank")
    found = gap(firm(acme, card("p1", name=name, jira=None)), "p1", "jira")
    assert best(found) == (value, reason)
    assert found.is_sure is is_sure


def test_what_another_card_has_already_is_never_sure() -> None:
    seen = firm(
        client("c1", name="Acme Bank"),
        card("p1", name="Loyalty app", jira=None),
        card("p2", name="Points", jira="LOY"),
    )
    found = gap(seen, "p1", "jira")
    assert best(found)[1] == "the same name; “Points” has it already"
    assert not found.is_sure


def test_two_rows_that_claim_one_project_leave_it_open() -> None:
    seen = firm(
        card("p1", name="Loyalty app", jira=None),
        card("p2", name="LOY second phase", jira=None),
    )
    for key in ("p1", "p2"):
        found = gap(seen, key, "jira")
        assert (found.candidates[0].value, found.is_sure) == ("LOY", False)


def test_an_open_epic_of_that_name_is_proposed_and_a_finished_one_is_not() -> None:
    open_one = issue(1, level=1, summary="Checkout")
    finished = issue(2, level=1, summary="Checkout", category="done")
    epics = {one.id: one for one in (open_one, finished)}
    seen = firm(card("p1", name="Checkout", jira=None), issues=epics)
    found = gap(seen, "p1", "jira")
    assert [one.value for one in found.candidates] == ["ACME-1"]
    assert found.is_sure


def test_a_card_finds_its_client_by_name_unless_two_fit() -> None:
    acme, bank = client("c1", name="Acme"), client("c2", name="Acme Bank")
    lone = gap(firm(acme, card("p1", name="Acme: site", client=None)), "p1", "client")
    assert (lone.candidates[0].value, lone.is_sure) == ("clients/c1", True)
    both = firm(acme, bank, card("p1", name="Acme Bank: site", client=None))
    assert not gap(both, "p1", "client").is_sure


@pytest.mark.parametrize(
    ("name", "member", "value", "is_sure"),
    [
        ("Anna Petrova", None, "a-1", True),
        ("Petrova Anna", None, "a-1", True),
        ("Анна Петрова", None, "a-1", False),
        ("Annie", "anna@studio.example", "a-1", True),
        ("Ivan", None, "a-2", False),
    ],
)
def test_a_person_is_proposed_an_account_by_mail_name_and_alphabet(
    name: str, member: str | None, value: str, *, is_sure: bool
) -> None:
    members = (Account("n-1", name, member),) if member else ()
    user = "n-1" if member else None
    anna = person("h1", name=name, jira=None, notion_user=user, role="developer")
    directory = Directory((ANNA, IVAN), members)
    found = gap(firm(anna), "h1", "jira_account", directory)
    assert found.candidates[0].value == value
    assert found.is_sure is is_sure


def test_an_account_that_is_somebodys_is_not_proposed() -> None:
    seen = firm(
        person("h1", name="Anna Petrova", jira=None, role="developer"),
        person("h2", name="Anna P.", jira="a-1", role="developer"),
    )
    assert gap(seen, "h1", "jira_account", Directory((ANNA,))).candidates == ()


def test_typed_answers_are_read_as_people_write_them() -> None:
    directory = Directory((ANNA, IVAN))
    seen = firm(
        person("h1", name="Nobody", jira=None, role="developer"),
        card("p1", name="Card", jira=None),
    )
    who = gap(seen, "h1", "jira_account", directory)
    for typed in ("anna petrova", "ANNA@studio.example", "a-1"):
        assert read_decision(who, typed, seen, directory).value == "a-1"
    with pytest.raises(Unclear):
        read_decision(who, "Anna", seen, directory)
    with pytest.raises(Unclear):
        read_decision(gap(seen, "p1", "jira"), "some words here", seen, directory)


def test_a_decision_fills_only_a_cell_that_is_still_empty() -> None:
    seen = firm(card("p1", name="One", jira=None, client=None), card("p2", name="Two"))
    rows = dict(seen.rows)
    filled = row("projects", "p2", jira="WEB", client=())
    rows["projects"] = (seen.rows["projects"][0], filled)
    decisions = [
        Decision(ref("projects", "p1"), "jira", "LOY"),
        Decision(ref("projects", "p1"), "client", "clients/c1"),
        Decision(ref("projects", "p2"), "jira", "LOY"),
        Decision(ref("projects", "p9"), "jira", "LOY"),
    ]
    schema = load_schema(None, currency="EUR")
    changes, faults = plan_decisions(decisions, rows, schema)
    assert [change.ref.key for change in changes] == ["p1"]
    written = {item.field: item.after for item in changes[0].fields}
    assert written == {"jira": "LOY", "client": (Ref("clients", "c1"),)}
    assert len(faults) == 2
