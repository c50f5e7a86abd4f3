"""Which boards of an agency play which part is proposed rightly, never wrongly, and without a single write.

Two sets of prepared workspaces: by the first the words of `mappings/synonyms.toml` were chosen, the second was described
afterwards, with names of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.adoption.agencies import FOREIGN, Agency, names, open_agency
from tests.adoption.measuring import SCHEMA, SYNONYMS, Tally, measure
from worker.domain.messages import literal
from worker.mapping.adoption import propose
from worker.mapping.boards import Board, Column, Label
from worker.mapping.likeness import likeness
from worker.mapping.pairing import Pair, Verdict, settle

FIRST = tuple(names(second=False))
SECOND = tuple(names(second=True))
RIGHT = 0.9


def tallies(which: tuple[str, ...]) -> dict[str, Tally]:
    return {name: measure(open_agency(name)) for name in which}


@pytest.fixture
def agency() -> Agency:
    return open_agency("agency")


@pytest.mark.parametrize("name", FIRST)
def test_nine_of_ten_parts_and_properties_are_proposed_rightly_and_none_wrongly(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    tally = measure(open_agency(name))
    record_property("told", f"adoption of {name}: {tally.line()}")
    assert tally.number("wrong") == 0, tally.notes
    assert tally.share("part", "column") >= RIGHT, tally.notes
    assert tally.share("label") >= RIGHT, tally.notes


def test_workspaces_described_afterwards_confirm_it(
    record_property: Callable[[str, object], None],
) -> None:
    every = Tally()
    for name, tally in tallies(SECOND).items():
        record_property("told", f"adoption of {name}: {tally.line()}")
        every.counts.update(tally.counts)
        every.notes += tally.notes
    assert every.number("wrong") == 0, every.notes
    assert every.share("part", "column") >= RIGHT, every.notes


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_in_a_language_that_nobody_taught_what_is_not_sure_is_asked(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    tally = measure(open_agency(name))
    record_property("told", f"adoption of {name}: {tally.line()}")
    assert tally.number("wrong") == 0, tally.notes
    assert tally.share("part") == 1, tally.notes


@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_names_in_other_cases_and_signs_change_no_answer(name: str) -> None:
    agency = open_agency(name)
    boards = agency.survey()
    shouted = tuple(
        replace(
            board,
            title=f"📌 {board.title.upper()}",
            columns=tuple(
                replace(column, name=f"{column.name.upper()} •")
                for column in board.columns
            ),
        )
        for board in boards
    )
    plain = propose(boards, SCHEMA, SYNONYMS)
    loud = propose(shouted, SCHEMA, SYNONYMS)
    assert {part: (one.verdict, one.board) for part, one in plain.parts.items()} == {
        part: (one.verdict, one.board) for part, one in loud.parts.items()
    }


def test_the_order_of_boards_changes_no_answer(agency: Agency) -> None:
    boards = agency.survey()
    there = propose(boards, SCHEMA, SYNONYMS)
    back = propose(tuple(reversed(boards)), SCHEMA, SYNONYMS)
    assert there.parts == back.parts


def test_looking_and_proposing_writes_nothing(agency: Agency) -> None:
    before = len(agency.sandbox.log)
    propose(agency.survey(), SCHEMA, SYNONYMS)
    sent = list(agency.sandbox.log)[before:]
    assert sent
    assert [entry for entry in sent if entry.write] == []


def board(identity: str, title: str = "Clients", **given: Any) -> Board:
    columns = (
        Column("title", "Name", "title"),
        Column("g", "Group", "select", (Label("1", "Newbiz"), Label("2", "Account"))),
        Column("f", "Monthly fee", "number"),
    )
    made = Board(identity, title, columns, rows=3)
    return replace(made, **given)


@pytest.mark.parametrize(
    "doubt", [{"in_archive": True}, {"read_only": True}, {"rows": 0}]
)
@pytest.mark.parametrize("order", [1, -1])
def test_two_boards_of_one_name_are_asked_about_and_the_unused_one_comes_last(
    doubt: dict[str, Any], order: int
) -> None:
    both = (board("living"), board("other", **doubt))[::order]
    found = propose(both, SCHEMA, SYNONYMS).parts["clients"]
    assert found.verdict is Verdict.ASK
    assert [pair.theirs for pair in found.choices] == ["living", "other"]


def test_an_archived_board_of_another_name_is_not_taken_silently_beside_one_in_use() -> (
    None
):
    boards = (board("old", "Clients", in_archive=True), board("new", "Customers"))
    found = propose(boards, SCHEMA, SYNONYMS).parts["clients"]
    assert found.choices[0].theirs == "new"


def test_what_a_person_chose_holds() -> None:
    both = (board("one"), board("two"))
    for chosen in ("one", "two"):
        found = propose(both, SCHEMA, SYNONYMS, {"clients": chosen}).parts["clients"]
        assert (found.verdict, found.board) == (Verdict.SURE, chosen)
    none = propose(both, SCHEMA, SYNONYMS, {"clients": ""}).parts["clients"]
    assert none.verdict is Verdict.NONE


def test_private_parts_and_those_rayline_makes_are_never_proposed() -> None:
    boards = tuple(
        board(name, source.title["en"]) for name, source in SCHEMA.sources.items()
    )
    found = propose(boards, SCHEMA, SYNONYMS).parts
    assert not {"feedback", "costs", "bonuses", "plans", "risks"} & found.keys()


def test_a_column_of_another_type_is_no_carrier() -> None:
    wrong = (
        Column("title", "Name", "title"),
        Column("f", "Monthly fee", "rich_text"),
        Column("g", "Group", "select", (Label("1", "Newbiz"), Label("2", "Account"))),
    )
    found = propose((board("b", columns=wrong),), SCHEMA, SYNONYMS).parts["clients"]
    by_name = {one.name: one.verdict for one in found.columns}
    assert by_name["monthly_fee"] is Verdict.NONE
    assert by_name["group"] is Verdict.SURE


def test_columns_that_rayline_fills_are_not_looked_for_among_those_of_people() -> None:
    own = (
        Column("title", "Name", "title"),
        Column("s", "Score", "number"),
        Column("h", "Health", "select", (Label("1", "Red"), Label("2", "Green"))),
    )
    found = propose(
        (board("b", columns=own),), SCHEMA, SYNONYMS, {"clients": "b"}
    ).parts["clients"]
    taken = {one.name for one in found.columns if one.verdict is Verdict.SURE}
    assert not {"score", "health"} & taken


def test_every_word_belongs_to_something_of_the_schema() -> None:
    strangers = []
    for part, words in SYNONYMS.items():
        source = SCHEMA.sources[part]
        strangers += [
            f"{part}.{name}"
            for name in (*words.first, *words.columns, *words.options)
            if name not in source.properties
        ]
        for name, options in words.options.items():
            keys = {option.key for option in source.properties[name].options}
            strangers += [f"{part}.{name}.{key}" for key in options.keys() - keys]
    assert strangers == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Accounts", "account"),
        ("Клиенты", "клиент"),
        ("Договоры", "договор"),
        ("🚀 Projects", "projects"),
        ("Team members", "members team"),
        ("Ёмкость", "емкость"),
    ],
)
def test_forms_of_one_name_are_alike(one: str, other: str) -> None:
    assert likeness(one, [other]) >= 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [("AM", "PM"), ("Due", "Done"), ("", "x"), ("Срок", "Стадия"), ("Lead", "Load")],
)
def test_other_names_are_not(one: str, other: str) -> None:
    assert likeness(one, [other]) < 0.55


def test_a_pair_that_is_nearly_as_likely_is_asked_about() -> None:
    def pair(ours: str, theirs: str, score: float) -> Pair:
        return Pair(ours, theirs, score, literal(""))

    close = settle([pair("due", "a", 0.95), pair("due", "b", 0.9)])
    assert close["due"].verdict is Verdict.ASK
    clear = settle([pair("due", "a", 0.95), pair("due", "b", 0.8)])
    assert clear["due"].choices == (pair("due", "a", 0.95),)
    better_off = settle(
        [pair("due", "a", 0.95), pair("due", "b", 0.9), pair("start", "b", 1.0)]
    )
    assert better_off["due"].verdict is Verdict.SURE
