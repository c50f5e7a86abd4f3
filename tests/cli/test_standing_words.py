"""`status`, `runs`, `plan` and `explain` for people: names in place of keys, the workspace's clock, one language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from test_commands import _signals_and_logs
from typer.testing import CliRunner, Result

from tests.support.stages import Play, small_play, write_config
from worker.cli import app
from worker.cli.rows import Rows
from worker.locales import load_words

__all__ = ["_signals_and_logs"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d|\.\d{6}|UTC")
KEYS = re.compile(
    r"\b(manual|done|full|delta|create|update|archive|nightly|monday|put_off|at_work|run_id|all"
    r"|grey|green|amber|red|in_progress|month|week|monday_cut|portfolio|worker)\b"
)
"""Keys of data that are no words of a Russian reader."""
REF = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("standing"), locale="ru") as found:
        write_config(found)
        yield found


def run(play: Play, *words: str, **env: str) -> Result:
    path = str(play.folder / "rayline.toml")
    return CliRunner().invoke(
        app, [*words, "-c", path], env={"RAYLINE_LOG": "ERROR", **env}
    )


@pytest.fixture(scope="module")
def synced(play: Play) -> Play:
    assert run(play, "sync").exit_code == 0
    assert run(play, "trigger").exit_code == 0
    return play


def shown(play: Play, *words: str, **env: str) -> str:
    """Return what a command prints, without the links and the ids that stand in them."""
    done = run(play, *words, **env)
    assert done.exit_code == 0, done.stderr
    return re.sub(r"https?://\S+", "", done.stdout)


@pytest.mark.parametrize("words", [("status",), ("runs",), ("runs", "1"), ("plan",)])
def test_people_read_names_and_the_clock_of_the_workspace(
    synced: Play, words: tuple[str, ...]
) -> None:
    text = shown(synced, *words)
    without_rules = re.sub(r"\[[a-z_, ]+\]", "", text)
    assert INSTANT.findall(text) == []
    assert KEYS.findall(without_rules) == []


def test_a_status_says_when_how_long_and_in_which_zone(synced: Play) -> None:
    text = shown(synced, "status")
    assert "время по Europe/Moscow" in text
    assert re.search(r"начато: (сегодня|вчера) \d\d:\d\d", text)
    assert "изменения: создано" in text
    assert re.search(r"^ ждёт +все клиенты", text, re.MULTILINE)
    assert re.search(r"длительность: [\d,]+ с|длительность: \d+ мин", text)


def test_the_console_may_speak_another_language_than_the_boards(synced: Play) -> None:
    text = shown(synced, "status", RAYLINE_LANG="en")
    assert "last run" in text
    assert "asked by: a person" in text
    assert "последний запуск" not in text


def test_data_stays_as_programs_know_it_in_every_language(synced: Play) -> None:
    said = [
        json.loads(run(synced, "status", "--json", RAYLINE_LANG=language).stdout)
        for language in ("en", "ru")
    ]
    for data in said:
        assert data["last_run"]["trigger"] == "manual"
        assert data["last_run"]["status"] == "done"
        assert data["waiting"] == ["all"]
        assert data["last_run"]["started"].endswith("+00:00")
    assert said[0].keys() == said[1].keys()


def test_reasons_are_told_with_labels_dates_and_titles(synced: Play) -> None:
    text = shown(synced, "explain", "Acme portal")
    assert re.search(r"Прогресс = \d+(,\d)?\s%", text)
    assert re.search(r"\(P50\) = \d+ \w+\.? \d{4}", text)
    assert not re.search(r" = \d{4}-\d\d-\d\d", text)
    title = text.split("\n", 1)[0]
    assert REF.findall(text.removeprefix(title)) == []


def test_why_nothing_is_tried_is_told_in_the_language_of_the_reader(play: Play) -> None:
    token = play.folder / "notion-token"
    right = token.read_text()
    token.write_text("ntn_wrong")
    assert run(play, "sync").exit_code == 2
    token.write_text(right)
    russian = shown(play, "status")
    assert "причина: Notion не принимает это подключение" in russian
    assert "reason: Notion refused this connection" in shown(
        play, "status", RAYLINE_LANG="en"
    )


@pytest.mark.parametrize(
    ("locale", "days", "begins"),
    [
        ("en", 0, "today "),
        ("en", -1, "yesterday "),
        ("en", 1, "tomorrow "),
        ("ru", 0, "сегодня "),
        ("ru", -1, "вчера "),
        ("ru", 1, "завтра "),
    ],
)
def test_an_instant_near_by_is_said_as_people_say_it(
    play: Play, locale: str, days: int, begins: str
) -> None:
    context = play.stage.context
    at = context.now() + timedelta(days=days)
    told = Rows(context, load_words(locale, "")).moment(at)
    local = at.astimezone(ZoneInfo(context.settings.time_zone))
    assert told == f"{begins}{local:%H:%M}"


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0.25, "0.2 s", "0,2 с"),
        (7.9, "7.9 s", "7,9 с"),
        (60, "1 min 0 s", "1 мин 0 с"),
        (200, "3 min 20 s", "3 мин 20 с"),
        (3900, "1 h 5 min", "1 ч 5 мин"),
    ],
)
def test_a_duration_is_said_in_the_units_of_its_size(
    play: Play, seconds: float, english: str, russian: str
) -> None:
    for locale, told in (("en", english), ("ru", russian)):
        assert (
            Rows(play.stage.context, load_words(locale, "")).duration(seconds) == told
        )
