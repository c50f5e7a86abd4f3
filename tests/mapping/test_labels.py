"""A problem names its field as the column is headed, and whatever else it is about as it is."""

from __future__ import annotations

import pytest

from worker.domain.values import Ref
from worker.errors import RenderedProblem
from worker.mapping.labels import label_field, label_fields
from worker.mapping.load import load_schema

SCHEMA = load_schema()


@pytest.mark.parametrize(
    ("where", "field", "english", "russian"),
    [
        ("Team: Anna", "time_off", "Time off", "Отпуска и отсутствия"),
        ("Команда: Анна", "time_off", "Time off", "Отпуска и отсутствия"),
        ("Projects: Portal", "jira", "Jira", "Jira"),
        ("Goals: Closer", "measure", "Measure", "Показатель"),
        ("studio", "notion.token", "notion.token", "notion.token"),
        ("configuration", "calendar.country", "calendar.country", "calendar.country"),
        ("Anywhere", "no_such_field", "no_such_field", "no_such_field"),
        ("Anywhere", "", "", ""),
    ],
)
def test_a_field_is_named_as_its_column(
    where: str, field: str, english: str, russian: str
) -> None:
    problem = RenderedProblem(code="x", where=where, field=field)
    assert label_field(problem, SCHEMA, "en") == english
    assert label_field(problem, SCHEMA, "ru") == russian


def test_where_boards_differ_the_board_decides_else_the_name_stays() -> None:
    labels: dict[str, set[str]] = {}
    for source in SCHEMA.sources.values():
        for name, known in source.properties.items():
            labels.setdefault(name, set()).add(known.label["en"])
    differing = [name for name, several in labels.items() if len(several) > 1]
    assert differing
    for name in differing:
        for source in SCHEMA.sources.values():
            if name in source.properties:
                where = f"{source.title['en']}: Row"
                told = RenderedProblem(code="x", where=where, field=name)
                wanted = source.properties[name].label["en"]
                assert label_fields([told], SCHEMA, "en")[0].field == wanted
        unplaced = RenderedProblem(code="x", where="Row", field=name)
        assert label_field(unplaced, SCHEMA, "en") == name


@pytest.mark.parametrize(
    ("where", "locale", "wanted"),
    [
        ("tasks/task:t:1", "en", "Account sprint, “Call Vera”"),
        ("tasks/task:t:1", "ru", "Аккаунт-спринт, «Call Vera»"),
        # Without a title the key is all there is; of a private row no title is shown.
        ("tasks/task:t:2", "en", "Account sprint, task:t:2"),
        ("bonuses/bonus:1", "en", "Bonuses, bonus:1"),
        ("worker/plan.py", "en", "worker/plan.py"),
        ("tasks/", "en", "tasks/"),
        # What is wrong with a whole board names it alone.
        ("tasks", "en", "Account sprint"),
        ("tasks", "ru", "Аккаунт-спринт"),
    ],
)
def test_a_row_is_named_by_its_board_and_title(
    where: str, locale: str, wanted: str
) -> None:
    names = {Ref("tasks", "task:t:1"): "Call Vera", Ref("bonuses", "bonus:1"): "Secret"}
    problem = RenderedProblem(code="x", where=where)
    (told,) = label_fields([problem], SCHEMA, locale, names)
    assert told.where == wanted


def test_a_field_of_a_row_is_named_as_its_boards_column() -> None:
    for source in SCHEMA.sources.values():
        for name, known in source.properties.items():
            problem = RenderedProblem(code="x", where=f"{source.name}/x", field=name)
            (told,) = label_fields([problem], SCHEMA, "ru")
            assert told.field == known.label["ru"]
