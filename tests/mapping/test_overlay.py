"""The agency's own words over the mapping files: line by line, and each line that fits nothing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.english import english
from worker.errors import ConfigError, Problem
from worker.mapping.load import load_schema

WORDS = """
[clients]
board = "b1"
title = "Accounts"
columns.group = "Type"
labels.group.account = ["Client", "Active", "Key"]
without = ["score", "risks"]

[projects]
columns.stage = "Column"
types.stage = "select"
labels.stage.in_progress = ["Doing", "Care"]
types.jira = "url"

[documents]
columns.expires = "Valid until"

[tasks]
board = "b2"
title = "To-dos & meetings"
only = {column = "Type", labels = ["To-do"]}

[meetings]
board = "b2"
title = "To-dos & meetings"
only = {column = "Type", labels = ["Meeting", "Call"]}
"""


def overlay(tmp_path: Path, text: str) -> Path:
    (tmp_path / "overlay.toml").write_text(text, "utf-8")
    return tmp_path


def problems_of(folder: Path) -> dict[str, Problem]:
    with pytest.raises(ConfigError) as raised:
        load_schema(folder)
    return {problem.field: problem for problem in raised.value.problems}


def test_words_take_the_place_of_ours_and_nothing_else_changes(tmp_path: Path) -> None:
    schema = load_schema(overlay(tmp_path, WORDS))
    plain = load_schema()
    clients = schema.sources["clients"]
    assert (clients.board, clients.title["ru"]) == ("b1", "Accounts")
    group = clients.properties["group"]
    assert group.label == {"en": "Type", "ru": "Type"}
    account = next(one for one in group.options if one.key == "account")
    assert (account.label["en"], account.also) == ("Client", ("Active", "Key"))
    assert clients.properties["unit"] == plain.sources["clients"].properties["unit"]
    assert schema.sources["people"] == plain.sources["people"]


def test_a_stage_may_be_a_select_and_a_key_an_address(tmp_path: Path) -> None:
    projects = load_schema(overlay(tmp_path, WORDS)).sources["projects"]
    assert projects.properties["stage"].type == "select"
    assert {one.group for one in projects.properties["stage"].options} == {""}
    assert projects.properties["jira"].type == "url"


def test_a_formula_calls_the_columns_by_their_own_names(tmp_path: Path) -> None:
    documents = load_schema(overlay(tmp_path, WORDS)).sources["documents"]
    for text in documents.properties["days_to_expiry"].expression.values():
        assert 'prop("Valid until")' in text


def test_a_relation_leads_one_way_where_the_other_side_is_not_wanted(
    tmp_path: Path,
) -> None:
    schema = load_schema(overlay(tmp_path, WORDS))
    assert schema.sources["risks"].properties["client"].mirror == ""
    assert schema.sources["tasks"].properties["client"].mirror == "tasks"


def test_one_board_may_play_two_parts(tmp_path: Path) -> None:
    schema = load_schema(overlay(tmp_path, WORDS))
    tasks, meetings = schema.sources["tasks"], schema.sources["meetings"]
    assert tasks.board == meetings.board == "b2"
    assert tasks.only is not None
    assert meetings.only is not None
    assert meetings.only.labels == ("Meeting", "Call")


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("[client]\ntitle = 'x'", "client", "clients"),
        ("[clients]\ncolumns.gruop = 'x'", "clients.columns.gruop", "group"),
        ("[clients]\nlabels.grup.account = ['x']", "clients.labels.grup", "group"),
        (
            "[projects]\nlabels.stage.in_progres = ['x']",
            "projects.labels.stage.in_progres",
            "in_progress",
        ),
        ("[clients]\nwithout = ['scor']", "clients.without", "score"),
        (
            "[clients]\ntypes.monthly_fe = 'number'",
            "clients.types.monthly_fe",
            "monthly_fee",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_file_and_the_nearest(
    tmp_path: Path, text: str, key: str, hint: str
) -> None:
    problem = problems_of(overlay(tmp_path, text))[key]
    assert english(problem.where).endswith("overlay.toml")
    assert english(problem.hint) == f"did you mean {hint}?"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[clients]\nnames = 'x'", "clients.names"),
        ("[clients]\ncolumns.group = ''", "clients.columns.group"),
        ("[clients]\nlabels.group.account = 'x'", "clients.labels.group.account"),
        ("[clients]\ntypes.monthly_fee = 'date'", "clients.types.monthly_fee"),
        ("[tasks]\nonly = {column = 'Type', labels = []}", "tasks.only.labels"),
    ],
)
def test_what_makes_no_sense_is_told_by_its_key(
    tmp_path: Path, text: str, key: str
) -> None:
    assert key in problems_of(overlay(tmp_path, text))


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    folder = overlay(tmp_path, "[clients]\ncolumns.group = 'Source'")
    assert "properties" in problems_of(folder)
