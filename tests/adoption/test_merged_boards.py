"""An agency's boards, bound by an overlay: existing relations are used, and rows of a merged board are told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.adoption.agencies import Agency, open_agency
from tests.adoption.measuring import SCHEMA, SYNONYMS
from tests.support.english import english
from worker.codecs.pages import is_meant
from worker.codecs.records import title_of
from worker.errors import ConfigError
from worker.mapping.adoption import propose
from worker.mapping.decisions import Decided, to_overlay
from worker.mapping.overlay import apply_overlay
from worker.mapping.pairing import Verdict
from worker.mapping.schema import Bindings, RowFilter, Schema
from worker.notion.bind import bind
from worker.notion.workspace import create_workspace, read_bindings


@dataclass(frozen=True, slots=True)
class Adopted:
    """An agency whose boards were adopted."""

    agency: Agency
    schema: Schema
    bindings: Bindings

    def titles(self, part: str) -> set[str]:
        """Return the titles of the rows that play a part."""
        binding = self.bindings[part]
        pages = self.agency.notion.query(binding.data_source_id).pages
        meant = [page for page in pages if is_meant(page, binding.only)]
        return {title_of(page.properties) for page in meant}


def schema_of(agency: Agency) -> Schema:
    boards = {board.id: board for board in agency.survey()}
    proposal = propose(list(boards.values()), SCHEMA, SYNONYMS)
    overlay = to_overlay(Decided(proposal, boards, {}), SCHEMA, SYNONYMS)
    schema, problems = apply_overlay(SCHEMA, overlay, Path("overlay.toml"))
    assert problems == []
    return schema


def make(agency: Agency, schema: Schema) -> Bindings:
    return create_workspace(
        agency.notion, schema, parent_page_id=agency.sandbox.root_page_id, locale="en"
    )


@pytest.fixture(scope="module")
def adopted() -> Adopted:
    agency = open_agency("agency")
    schema = schema_of(agency)
    return Adopted(agency, schema, make(agency, schema))


def test_each_row_of_a_merged_board_plays_the_part_its_kind_says(
    adopted: Adopted,
) -> None:
    assert adopted.titles("tasks") == {"Send the offer"}
    assert adopted.titles("meetings") == {"Kick-off call"}


def test_both_parts_of_a_merged_board_have_their_columns(adopted: Adopted) -> None:
    tasks, meetings = adopted.bindings["tasks"], adopted.bindings["meetings"]
    assert tasks.data_source_id == meetings.data_source_id
    assert tasks.properties["worker_key"] == meetings.properties["worker_key"]
    assert {"status", "due", "assignee", "reason"} <= tasks.properties.keys()
    assert {"date", "kind"} <= meetings.properties.keys()


def test_the_pair_of_relations_that_is_there_is_used(adopted: Adopted) -> None:
    accounts = adopted.agency.notion.data_source(adopted.agency.ids["accounts"])
    pipeline = [
        column.name
        for column in accounts.properties
        if column.relation
        and column.relation.data_source_id == adopted.agency.ids["pipeline"]
    ]
    assert pipeline == ["Pipeline"]
    clients, projects = adopted.bindings["clients"], adopted.bindings["projects"]
    assert {"projects"} <= clients.properties.keys()
    assert {"client"} <= projects.properties.keys()


def test_read_anew_without_memory_the_same_is_bound(adopted: Adopted) -> None:
    again, problems = read_bindings(
        adopted.agency.notion,
        adopted.schema,
        root_page_id=adopted.agency.sandbox.root_page_id,
        locale="en",
        known={},
    )
    # The ids of views are known from the making alone.
    made = {name: replace(one, views={}) for name, one in adopted.bindings.items()}
    assert again == made
    own = {
        source.title["en"] for source in adopted.schema.sources.values() if source.board
    }
    assert [one for one in problems if english(one.where) in own] == []


def test_making_it_again_changes_nothing(adopted: Adopted) -> None:
    before = sum(entry.write for entry in adopted.agency.sandbox.log)
    assert make(adopted.agency, adopted.schema) == adopted.bindings
    assert sum(entry.write for entry in adopted.agency.sandbox.log) == before


def test_a_kind_that_is_not_there_any_more_is_told_and_no_row_is_taken_for_it(
    adopted: Adopted,
) -> None:
    source = adopted.schema.sources["tasks"]
    raw = adopted.agency.notion.data_source(source.board)
    strange = replace(source, only=RowFilter("Type", ("Chore",)))
    binding, problems = bind(strange, raw, locale="en")
    assert any("Chore" in english(one.message) for one in problems)
    pages = adopted.agency.notion.query(source.board).pages
    assert not any(is_meant(page, binding.only) for page in pages)


def part_by_formula(agency: Agency) -> str:
    """Have a formula say what each row of the merged board is, as it does for people; return the board."""
    board = agency.ids["todos"]
    kinds = {"Send the offer": "To-do", "Kick-off call": "Meeting"}
    formula = {"formula": {"expression": 'if(empty(prop("When")), "To-do", "Meeting")'}}
    agency.notion.update_data_source(board, {"properties": {"Type": formula}})
    for page in agency.notion.query(board).pages:
        kind = {"type": "string", "string": kinds[title_of(page.properties)]}
        cell = {"Type": {"formula": kind}}
        agency.sandbox.control("edit", {"page_id": page.id, "properties": cell})
    return board


def test_a_board_parted_by_a_formula_is_asked_about_and_says_why() -> None:
    agency = open_agency("agency")
    board = part_by_formula(agency)
    proposal = propose(agency.survey(), SCHEMA, SYNONYMS)
    playing = [one for one in proposal.parts.values() if one.board == board]
    assert playing
    for part in playing:
        assert part.verdict is Verdict.ASK
        assert "by the formula “Type”" in english(part.choices[0].reason)
    held = propose(agency.survey(), SCHEMA, SYNONYMS, {"tasks": board})
    assert held.parts["tasks"].verdict is Verdict.SURE, "what a person says holds"


def test_rows_parted_by_what_is_no_choice_are_not_taken_and_it_says_what_to_make() -> (
    None
):
    agency = open_agency("agency")
    raw = agency.notion.data_source(part_by_formula(agency))
    source = replace(
        SCHEMA.sources["tasks"], board=raw.id, only=RowFilter("Type", ("To-do",))
    )
    binding, problems = bind(source, raw, locale="en")
    told = [one for one in problems if "is a formula" in english(one.message)]
    assert ["make a select or a status" in english(one.hint) for one in told] == [True]
    pages = agency.notion.query(raw.id).pages
    assert not any(is_meant(page, binding.only) for page in pages)


def test_a_board_that_is_not_shown_is_told_and_none_is_made_in_its_place() -> None:
    agency = open_agency("agency")
    schema = schema_of(agency)
    sources = dict(schema.sources)
    sources["clients"] = replace(
        sources["clients"], board="00000000-0000-4000-8000-000000000000"
    )
    before = sum(entry.write for entry in agency.sandbox.log)
    with pytest.raises(ConfigError):
        make(agency, Schema(sources))
    assert sum(entry.write for entry in agency.sandbox.log) == before
