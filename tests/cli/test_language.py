"""The console speaks one language: help, refusals of a command line, and what is wrong with a configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from worker.cli import app
from worker.cli.commands import known_commands
from worker.cli.voice import voice

COMMANDS = sorted(known_commands())
RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)
ENGLISH_WORD = re.compile(r"(?<![\w./`\[|_<-])[A-Za-z][a-z]+(?![\w./`\]|_>-])")
PROPER = frozenset(
    {"Jira", "Notion", "PostgreSQL", "Rayline", "Ctrl", "rayline"}
    | {"en", "ru", "cloud", "datacenter", "worker", "status", "id", "stdout", "page"}
)
"""Words that are the same in every language: names, and what is typed as it stands."""


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("RAYLINE_", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(*words: str, **env: str) -> Result:
    return CliRunner().invoke(
        app, words, env={"COLUMNS": "200", **env}, prog_name="rayline"
    )


def english_in(text: str) -> list[str]:
    """Return English words of a Russian text, but for commands, options, proper names and what is quoted."""
    text = re.sub(r"https?://\S+|'[^']*'|--[a-z-]+|rayline [a-z]+", "", text)
    known = PROPER | set(COMMANDS)
    return [word for word in ENGLISH_WORD.findall(text) if word not in known]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_of_every_command_is_in_the_language_asked_for(name: str) -> None:
    words = [name, "--help"] if name else ["--help"]
    spoken = run(*words, RAYLINE_LANG="ru")
    assert (spoken.exit_code, spoken.stderr) == (0, "")
    assert english_in(spoken.stdout) == []
    assert "Использование: " in spoken.stdout
    assert "Параметры:" in spoken.stdout

    english = run(*words, RAYLINE_LANG="en")
    assert RUSSIAN.findall(english.stdout) == []
    assert english.stdout.startswith("Usage: ")


def test_every_parameter_of_every_command_says_what_it_does() -> None:
    for name in COMMANDS:
        text = run(name, "--help", COLUMNS="200").stdout
        listed = re.findall(
            r"^  (-.*?|\[?[A-Z|a-z]+\]?)(  +(.*))?$", text, re.MULTILINE
        )
        assert [typed for typed, _, meaning in listed if not meaning] == [], name


MISUSES = [
    ("syn",),
    ("nonsense",),
    ("--nope",),
    ("--version=3",),
    ("sync", "--nope"),
    ("sync", "--forse"),
    ("sync", "-x"),
    ("sync", "a", "b"),
    ("sync", "-c"),
    ("sync", "--full=1"),
    ("sync", "--due", "--force"),
    ("runs", "abc"),
    ("runs", "1.5"),
    ("runs", "5", "6"),
    ("explain",),
    ("fleet",),
    ("fleet", "foo"),
    ("fleet", "worker", "--concurrency", "99"),
    ("fleet", "worker", "--concurrency", "0"),
    ("fleet", "worker", "--heartbeat", "x"),
    ("trigger", "--wait", "soon"),
    ("trigger", "--wait", "-1"),
    ("pause", "--hours", "-2"),
    ("sandbox", "--deployment", "server"),
    ("sandbox", "--locale", "de"),
    ("sandbox", "--limit", "many"),
    ("sandbox", "--jira-data", "no-such-file.jsonl"),
    ("demo", "--locale", "xx"),
    ("demo", "--days", "1", "--start", "someday"),
    ("demo", "--story", "no such story"),
]


@pytest.mark.parametrize("words", MISUSES, ids=" ".join)
def test_a_misuse_is_one_sentence_with_its_place_in_both_languages(
    words: tuple[str, ...],
) -> None:
    for language, begins in (("en", "command line: "), ("ru", "командная строка: ")):
        done = run(*words, RAYLINE_LANG=language)
        assert (done.exit_code, done.stdout) == (2, ""), done.stderr
        assert done.stderr.startswith(begins)
        assert done.stderr.count("\n") == 1
        if language == "ru":
            assert len(english_in(done.stderr.replace("no such story", ""))) <= 1
            assert RUSSIAN.search(done.stderr.removeprefix(begins))
        else:
            assert not RUSSIAN.search(done.stderr)


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("syn",), "sync"), (("stauts",), "status"), (("sync", "--forse"), "--force")],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    words: tuple[str, ...], meant: str
) -> None:
    assert f"did you mean {meant}?" in run(*words).stderr


def test_a_program_is_told_of_a_misuse_too() -> None:
    done = run("runs", "abc", "--json")
    assert done.exit_code == 2
    assert '"code": "command-line"' in done.stdout


def test_the_command_alone_shows_its_help_as_an_error() -> None:
    for language, title in (("en", "Commands:"), ("ru", "Команды:")):
        done = run(RAYLINE_LANG=language)
        assert (done.exit_code, done.stdout) == (2, "")
        assert title in done.stderr


@pytest.mark.parametrize(
    ("env", "locale", "spoken"),
    [
        ({}, "", "en"),
        ({"LANG": "ru_RU.UTF-8"}, "", "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C.UTF-8"}, "", "en"),
        ({"LC_MESSAGES": "ru_RU", "LANG": "en_US"}, "", "ru"),
        ({"LANG": "en_US.UTF-8"}, "ru", "ru"),
        ({"LANG": "ru_RU.UTF-8"}, "en", "en"),
        ({"RAYLINE_LANG": "ru", "LANG": "en_US.UTF-8"}, "en", "ru"),
        ({"RAYLINE_LANG": "en_GB", "LANG": "ru_RU.UTF-8"}, "ru", "en"),
        ({"RAYLINE_LANG": "RU"}, "", "ru"),
        ({"RAYLINE_LANG": "de", "LANG": "ru_RU.UTF-8"}, "", "ru"),
        ({"RAYLINE_LANG": " "}, "ru", "ru"),
        ({"LANG": "de_DE.UTF-8"}, "", "en"),
    ],
)
def test_the_language_is_that_of_the_variable_the_configuration_the_system(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], locale: str, spoken: str
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert voice(locale).locale == spoken


HEAD = """
[workspaces.studio]
locale = "ru"
currency = "RUB"
{line}
[workspaces.studio.notion]
token = "ntn_x"
root_page_id = "p"
{notion}
[workspaces.studio.jira]
base_url = "https://studio.atlassian.net"
email = "bot@studio.example"
token = "x"
{jira}
"""
WRONG = [
    "time_zone = 3",
    'time_zone = "Mars/Base"',
    'currency = "roubles"',
    "locale = 'de'",
    "mappings = 3",
    "mappings = 'nowhere'",
    "calendar = 3",
    "calendar.country = 'Mars'",
    "calendar.days_off = 'monday'",
    "calendar.days_off = ['someday']",
    "calendar.decreed = [26]",
    "schedule.delta = 'often'",
    "schedule.delta = -1",
    "schedule.delta = inf",
    "schedule.daily = 'morning'",
    "schedule.daily = 25",
    "thresholds.pace = 0.9",
    "thresholds.pace = { green = 0.5, amber = 0.9 }",
    "thresholds.pace = { green = 80, amber = 50 }",
    "thresholds.stalled_days = 1.5",
    "thresholds.stalled_days = 'two'",
    "thresholds.stalled_days = true",
    "thresholds.carry_over = 'maybe'",
    "thresholds.blocked_statuses = 'blocked'",
    "thresholds.blocked_statuses = [3]",
    "thresholds.overdue_share = 'half'",
    "thresholds.health_weights = { luck = 1 }",
    "thresholds.health_weights = { delivery = 0 }",
    "thresholds.health_anchors = { pace = [1, 1] }",
    "thresholds.health_anchors = { pace = [1] }",
    "thresholds.health_anchors = { pace = [1, 2, 3] }",
    "thresholds.underload = 2",
    "thresholds.nope = 2",
    "limits.changes = 0",
    "nope = 2",
    "webhooks = []",
    "webhooks.jira_secret_file = 7",
    "targets.policy = 'hope'",
    "notion: requests = 'all'",
    "notion: trust_env = 'perhaps'",
    "notion: timeout = nan",
    "notion: version = '1'",
    "notion: ca_file = 'nowhere.pem'",
    "jira: projects = 'SHOP'",
    "jira: projects = ['a b']",
    "jira: deployment = 'server'",
    "jira: token_file = 'nowhere'",
]


def configured(folder: Path, line: str) -> None:
    """Write a configuration with one wrong line in it."""
    side, colon, rest = line.partition(": ")
    lines = {"line": "", "notion": "", "jira": ""}
    lines[side if colon else "line"] = rest if colon else line
    text = HEAD.format(**lines)
    key = lines["line"].partition(" = ")[0]
    text = "\n".join(
        one
        for one in text.splitlines()
        if one in lines["line"].split("\n") or not (key and one.startswith(f"{key} = "))
    )
    (folder / "rayline.toml").write_text(text, encoding="utf-8")
    (folder / "rayline.toml").chmod(0o600)


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_with_a_setting_is_said_in_both_languages(
    tmp_path: Path, line: str
) -> None:
    configured(tmp_path, line)
    russian = run("status", RAYLINE_LANG="ru")
    assert (russian.exit_code, russian.stdout) == (2, "")
    said = [
        one.partition(": ")[2].partition(": ")[2] for one in russian.stderr.split("\n")
    ]
    assert [one for one in said if one and not RUSSIAN.search(one)] == []
    assert "rayline.toml: workspaces.studio." in russian.stderr
    assert "nput should" not in russian.stderr

    english = run("status", RAYLINE_LANG="en")
    assert english.exit_code == 2
    assert not RUSSIAN.search(english.stderr)
    assert "nput should" not in english.stderr


def test_several_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    configured(tmp_path, "schedule.delta = -1\nnope = 1\nlimits.changes = 0")
    done = run("check", RAYLINE_LANG="ru")
    for key in ("nope", "schedule.delta", "limits.changes"):
        assert f"workspaces.studio.{key}: " in done.stderr


NO_TOML = [
    "a = ",
    "a = nope",
    "a",
    "a = 'x",
    'a = """x',
    "[a",
    "[[a]",
    "a = [1",
    "a = {b = 1",
    "a = 1 b = 2",
    "a = 1\na = 2",
    "[a]\n[a]",
    "a = {b = 1, b = 2}",
    "a = {b = 1}\n[a.c]",
    "a = 1\n[a.b]",
    "= 1",
    "* = 1",
    "a = 2026-13-45",
    'a = "C:\\Users"',
    'a = "\\uD800"',
    'a = "\\uZZZZ"',
    "a = 'x\x01'",
    "\x01",
]


@pytest.mark.parametrize("text", NO_TOML)
def test_what_is_no_toml_is_told_with_its_line_in_both_languages(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "rayline.toml").write_text(text, encoding="utf-8")
    russian = run("status", RAYLINE_LANG="ru").stderr
    assert russian.startswith("rayline.toml: это не TOML, ")
    assert english_in(russian.replace("TOML", "").replace("toml", "")) == []
    assert re.search(r"строка \d+, знак \d+|в конце файла", russian)
    english = run("status", RAYLINE_LANG="en").stderr
    assert english.startswith("rayline.toml: is not valid TOML ")
