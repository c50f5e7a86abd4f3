"""A Russian workspace is spoken to in Russian: runs, plans, problems, refusals and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

import pytest
from typer.testing import CliRunner, Result

from tests.support.stages import ACME, Play, small_play, write_config
from worker.cli import app

RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("ru"), locale="ru") as found:
        write_config(found)
        found.edit(
            "projects",
            found.page("projects", ACME),
            start=date(2026, 12, 30),
            due=date(2026, 11, 1),
        )
        yield found


def run(play: Play, *words: str) -> Result:
    return CliRunner().invoke(
        app,
        [*words, "-c", str(play.folder / "rayline.toml")],
        env={"RAYLINE_LOG": "ERROR"},
    )


def test_every_problem_is_told_in_russian_with_its_place_and_the_way_out(
    play: Play,
) -> None:
    found = json.loads(run(play, "check", "--json").stdout)["problems"]
    assert {"reversed-dates"} <= {problem["code"] for problem in found}
    strange = [
        problem
        for problem in found
        if not RUSSIAN.search(problem["message"])
        or (problem["hint"] and not RUSSIAN.search(problem["hint"]))
    ]
    assert strange == []
    (dates,) = [problem for problem in found if problem["code"] == "reversed-dates"]
    assert dates["where"].startswith("Проекты: ")


def test_plan_sync_status_and_runs_speak_russian(play: Play) -> None:
    assert "создать" in run(play, "plan").stdout
    assert "Запуск 1, studio: создано" in run(play, "sync").stdout
    assert "последний запуск" in run(play, "status").stdout
    assert "Запуски" in run(play, "runs").stdout
    assert "повод" in run(play, "runs", "1").stdout
    assert "правило: progress" in run(play, "explain", "Acme portal#progress").stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("explain", "nobody at all"), 2, "строк с именем «nobody at all»: 0"),
        (("runs", "99"), 2, "запуска 99 нет"),
        (("sync", "--checksum", "0123"), 4, "Отказано: studio: план теперь"),
    ],
)
def test_errors_and_refusals_speak_russian(
    play: Play, words: tuple[str, ...], code: int, says: str
) -> None:
    result = run(play, *words)
    assert result.exit_code == code
    assert says in result.stdout + result.stderr
