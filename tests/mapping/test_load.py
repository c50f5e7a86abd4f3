"""The mapping files load, agree with each other, and complain well when they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.english import english
from tests.support.rules import reason_names
from worker.domain.messages import render
from worker.errors import ConfigError, Problem
from worker.locales import load_words
from worker.mapping.load import load_schema, mapping_files, shipped_folder
from worker.mapping.schema import KEY_PROPERTY, Owner, Rows

RUSSIAN = load_words("ru", "RUB")
SHIPPED = sorted((shipped_folder() / "workspace").glob("*.toml"))
SERVICES = (shipped_folder() / "workspace" / "services.toml").read_text("utf-8")


def problems_of(folder: Path) -> dict[tuple[str, str], Problem]:
    """Return the problems by file name and key."""
    with pytest.raises(ConfigError) as raised:
        load_schema(folder)
    return {(Path(english(p.where)).name, p.field): p for p in raised.value.problems}


def user_folder(tmp_path: Path, **files: str) -> Path:
    """Return a user's folder with these source files."""
    (tmp_path / "workspace").mkdir()
    for name, text in files.items():
        (tmp_path / "workspace" / f"{name}.toml").write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_is_a_source(path: Path) -> None:
    source = load_schema().sources[path.stem]
    assert source.title_property.type == "title"
    assert source.views, "a source without a view is not looked at"


def test_sources_of_the_method_are_shipped() -> None:
    assert {path.stem for path in SHIPPED} == {
        "clients",
        "units",
        "people",
        "contacts",
        "projects",
        "services",
        "documents",
        "revenue",
        "backlog",
        "plans",
        "risks",
        "tasks",
        "meetings",
        "feedback",
        "bonuses",
        "goals",
        "reviews",
        "terms",
        "ledger",
        "requests",
        "costs",
        "margins",
        "scenarios",
    }


FOR_PEOPLE = {"sync_now"}
"""What people tick and the worker clears: a mark would keep them from it."""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_the_worker_overwrites_is_marked_and_nothing_else(path: Path) -> None:
    for prop in load_schema().sources[path.stem].properties.values():
        for label in prop.label.values():
            is_ours = prop.owner is Owner.WORKER and prop.name not in FOR_PEOPLE
            assert label.startswith("⚙ ") == is_ours, (prop.name, label)


@pytest.mark.parametrize(
    ("currency", "shown"),
    [("EUR", "euro"), ("RUB", "ruble"), ("KZT", "number_with_commas")],
)
def test_money_is_shown_in_the_workspaces_currency_where_notion_knows_it(
    currency: str, shown: str
) -> None:
    clients = load_schema(currency=currency).sources["clients"].properties
    assert (clients["ltv"].format, clients["pace"].format) == (shown, "percent")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_rayline_writes_is_described_in_both_languages(path: Path) -> None:
    for prop in load_schema().sources[path.stem].properties.values():
        if prop.owner is Owner.HUMAN:
            continue
        assert set(prop.description) == {"en", "ru"}, prop.name
        english, russian = prop.description["en"], prop.description["ru"]
        assert not re.search("[а-яё]", english, re.IGNORECASE), prop.name
        assert re.search("[а-яё]{3}", russian), prop.name
        for text in (english, russian):
            assert 10 <= len(text) <= 120, (prop.name, len(text))
            assert text.endswith("."), (prop.name, text)


def test_a_description_says_whose_the_column_is_where_people_only_read_it() -> None:
    clients = load_schema().sources["clients"].properties
    assert clients["score"].told("en").endswith(" Kept by Rayline.")
    assert clients["score"].told("ru").endswith(" Ведёт Rayline.")
    tasks = load_schema().sources["tasks"].properties
    for prop in (clients["sync_now"], tasks["due"], clients["hours_frame"]):
        assert prop.told("en") == prop.description["en"]
    assert clients["name"].told("ru") == ""


def test_rows_made_by_the_worker_carry_a_key() -> None:
    for source in load_schema().sources.values():
        assert (KEY_PROPERTY in source.properties) == (
            source.rows is Rows.WORKER or source.seeded
        )


def test_a_users_file_replaces_the_shipped_one_whole(tmp_path: Path) -> None:
    folder = user_folder(
        tmp_path, services=SERVICES.replace('en = "Kind"', 'en = "Sort of service"')
    )
    schema = load_schema(folder)
    assert (
        schema.sources["services"].properties["kind"].label["en"] == "Sort of service"
    )
    assert schema.sources["clients"] == load_schema().sources["clients"]


def test_a_users_folder_may_add_a_source(tmp_path: Path) -> None:
    folder = user_folder(
        tmp_path,
        goals="""
        rows = "people"
        icon = "G"
        title = {en = "Goals", ru = "Цели"}
        [properties]
        name = {type = "title", owner = "human", en = "Goal", ru = "Цель"}
        unit = {type = "relation", owner = "human", en = "Unit", ru = "Юнит", target = "units"}
    """,
    )
    assert load_schema(folder).sources["goals"].properties["unit"].target == "units"
    assert set(mapping_files("workspace", folder)) == {
        path.stem for path in SHIPPED
    } | {"goals"}


def test_unknown_keys_and_values_are_named_all_at_once(tmp_path: Path) -> None:
    text = (
        SERVICES.replace('icon = "🛠️"', 'icon = "🛠️"\ncolour = "red"')
        .replace('color = "orange"', 'color = "teal"')
        .replace('type = "relation"', 'type = "button"')
    )
    found = problems_of(user_folder(tmp_path, services=text, units="rows = "))
    assert english(found["services.toml", "colour"].message) == "is not a known key"
    assert "'teal'" in english(
        found["services.toml", "properties.kind.options.0.color"].message
    )
    assert "'button'" in english(
        found["services.toml", "properties.clients.type"].message
    )
    assert "not valid TOML" in english(found["units.toml", ""].message)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("before", "after", "field", "says"),
    [
        ('type = "title"', 'type = "rich_text"', "properties", "exactly one"),
        (
            'mirror = "services"',
            'mirror = "unit"',
            "properties.clients.mirror",
            "must be a relation to services",
        ),
        (
            'target = "clients"',
            'target = "client"',
            "properties.clients.target",
            "no data source “client”",
        ),
        (
            'key = "endless", en = "Ongoing"',
            'key = "endless", en = "One-Off"',
            "properties.kind.options",
            "“one-off”",
        ),
        (
            'key = "endless"',
            'key = "one_off"',
            "properties.kind.options",
            "listed twice",
        ),
        (
            'en = "Ongoing"',
            'en = "Ongoing, really"',
            "properties.kind.options.1",
            "commas",
        ),
        (
            'color = "green"',
            'color = "green", group = "to_do"',
            "properties.kind.options.1.group",
            "status",
        ),
        ('ru = "Услуга"}', 'ru = "Вид"}', "properties", "“вид”"),
        ('show = ["kind"', 'show = ["kinds"', "views.0.show", "kinds"),
        ('sort = ["kind"', 'sort = ["-kinds"', "views.0.sort", "kinds"),
        ('type = "table"', 'type = "board"', "views.0.group_by", "needs one"),
        (
            'type = "table"',
            'type = "calendar"\ndate = "kind"',
            "views.0.date",
            "not a date",
        ),
        ('type = "table"', 'type = "calendar"', "views.0.date", "needs one"),
        (
            'type = "table"',
            'type = "table"\ngroup_by = "name"',
            "views.0.group_by",
            "cannot group",
        ),
        (
            'format = "number"',
            'format = "number", rule = "rays"',
            "properties.lead_weeks.rule",
            "cannot have a rule",
        ),
        (
            'format = "number"',
            'format = "number", transient = true',
            "properties.lead_weeks.transient",
            "only a property of Rayline",
        ),
        (
            'format = "number"',
            'format = "number", of_period = true',
            "properties.lead_weeks.of_period",
            "only a property of Rayline",
        ),
        (
            'en = "⚙ Clients served"',
            'of_period = true, en = "⚙ Clients served"',
            "properties.clients_served.of_period",
            "no period",
        ),
        (
            'format = "number"',
            'options = [{key = "a", en = "A", ru = "А"}]',
            "properties.lead_weeks.options",
            "only",
        ),
        (
            'format = "number"',
            'target = "clients"',
            "properties.lead_weeks.target",
            "only a relation",
        ),
        (
            'format = "number"',
            'mirror = "kind"',
            "properties.lead_weeks.mirror",
            "only a relation",
        ),
        (
            'type = "number", owner = "human", en = "Lead',
            'type = "date", owner = "human", en = "Lead',
            "properties.lead_weeks.format",
            "only a number",
        ),
        ('en = "Services"', 'en = "clients"', "title.en", "“clients”"),
        ('rows = "people"', 'rows = "worker"', "properties.worker_key", "rich_text"),
        (
            'rows = "people"',
            'rows = "people"\nseeded = true',
            "properties.worker_key",
            "rich_text",
        ),
        (
            'rows = "people"',
            'rows = "worker"\nseeded = true',
            "seeded",
            "only rows of people",
        ),
        (
            'rows = "people"',
            'rows = "people"\nprivate = true',
            "properties.clients.mirror",
            "would show the rows",
        ),
        (
            'format = "number"',
            'format = "number", technical = true',
            "views.0.show",
            "lead_weeks is for Rayline alone",
        ),
        (
            'type = "table"',
            'type = "table"\nstep = "day"\ngroup_by = "kind"',
            "views.0.step",
            "only dates",
        ),
        *(
            (
                'type = "table"',
                f'type = "table"\nonly = [[{{{test}}}]]',
                "views.0.only",
                says,
            )
            for test, says in (
                ('property = "kid", is_empty = true', "no property kid"),
                ('property = "kind"', "one test that fits a select"),
                (
                    'property = "kind", one_of = ["endless"], is_empty = true',
                    "one test",
                ),
                ('property = "kind", within = "this_week"', "one test"),
                ('property = "name", one_of = ["a"]', "one test that fits a title"),
                ('property = "kind", at_most = 1', "one test"),
                ('property = "kind", one_of = ["yearly"]', "no option yearly"),
            )
        ),
        (
            "[descriptions]",
            '[descriptions]\nwhite_sports = {en = "A", ru = "А"}',
            "descriptions.white_sports",
            "there is no property white_sports",
        ),
        (
            'en = "⚙ Clients served"',
            'description = {en = "A", ru = "А"}, en = "⚙ Clients served"',
            "descriptions.clients_served",
            "has a description already",
        ),
        (
            'title = {en = "Services"',
            'title = {formerly = {en = ["clients"]}, en = "Services"',
            "title.formerly",
            "“clients” is one of clients too",
        ),
        (
            'format = "number"',
            'format = "number", formerly = {ru = ["вид"]}',
            "properties.lead_weeks.formerly",
            "“вид” is one of kind too",
        ),
        (
            '{key = "one_off"',
            '{formerly = {en = ["Ongoing"]}, key = "one_off"',
            "properties.kind.options",
            "“Ongoing” is one of endless too",
        ),
    ],
)
def test_disagreements_are_named(
    tmp_path: Path, before: str, after: str, field: str, says: str
) -> None:
    assert before in SERVICES
    found = problems_of(
        user_folder(tmp_path, services=SERVICES.replace(before, after, 1))
    )
    problem = found["services.toml", field]
    assert says in english(problem.message)
    assert re.search("[а-яё]{3}", render(problem.message, RUSSIAN))


def test_a_file_that_cannot_be_read_is_not_also_reported_as_missing(
    tmp_path: Path,
) -> None:
    assert set(problems_of(user_folder(tmp_path, units="rows = 1"))) == {
        ("units.toml", "rows"),
        ("units.toml", "title"),
        ("units.toml", "icon"),
        ("units.toml", "properties"),
    }


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_schema(tmp_path / "nowhere")


def test_every_rule_that_a_mapping_names_is_there() -> None:
    named = {
        prop.rule
        for source in load_schema().sources.values()
        for prop in source.properties.values()
    }
    assert named - {""} <= reason_names() | {"pages", "sync"}
