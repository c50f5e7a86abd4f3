"""What a command does before its work: finds its configuration and its state, from wherever it is started."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.postgres import postgres_url as postgres_url
from tests.support.stages import Play, rayline, small_play, write_config
from worker.cli import app
from worker.cli.commands import LazyCommand, known_commands
from worker.state.store import Store

NOTHING_HERE = {
    "en": "no rayline.toml here: run `rayline init`, or `make demo` to look first",
    "ru": "здесь нет rayline.toml: выполните `rayline init`",
}
WITHOUT = {"demo", "sandbox"}
"""Commands that bring their own configuration along."""
LOOKING = {"status", "runs", "explain", "trigger"}
"""Commands that mean nothing where nothing was kept before."""
GIVEN = {"fleet": "status", "import": "revenue", "state": "check", "undo": "1"}
"""What a command wants that does not take any word."""


def commands() -> dict[str, Any]:
    known = known_commands().items()
    return {name: LazyCommand(name, entry).load() for name, entry in known}


def words_of(name: str) -> list[str]:
    """Return a command with something for each argument it cannot do without."""
    given = (
        GIVEN.get(name, "x")
        for param in commands()[name].params
        if param.param_type_name == "argument" and param.required
    )
    return [name, *given]


CONFIGURED = sorted(commands().keys() - WITHOUT)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("RAYLINE_", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("place")) as found:
        yield found


def test_every_command_but_the_emulators_takes_a_configuration() -> None:
    takes = {
        name
        for name, command in commands().items()
        if any(param.name == "config" for param in command.params)
    }
    assert takes == commands().keys() - WITHOUT


@pytest.mark.parametrize("name", sorted(set(CONFIGURED) - {"init"}))
@pytest.mark.parametrize("language", ["en", "ru"])
def test_without_a_configuration_a_command_says_how_to_begin(
    tmp_path: Path, name: str, language: str
) -> None:
    env = {"LANG": f"{language}_XX.UTF-8"}
    told = CliRunner().invoke(app, words_of(name), env=env)
    assert told.exit_code == 2
    assert NOTHING_HERE[language] in on_one_line(told.stderr)

    data = CliRunner().invoke(app, [*words_of(name), "--json"], env=env)
    assert data.exit_code == 2
    assert NOTHING_HERE[language] in json.loads(data.stdout)["message"]
    assert list(tmp_path.iterdir()) == []


def test_without_a_configuration_a_wrong_variable_is_told_too(tmp_path: Path) -> None:
    done = rayline("status", home=tmp_path, RAYLINE_TOKENS="x")
    assert done.returncode == 2
    assert NOTHING_HERE["en"] in on_one_line(done.stderr)
    assert "RAYLINE_TOKENS" in done.stderr


def test_a_configuration_without_workspaces_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "rayline.toml").write_text('state = "sqlite:///state/x.db"\n')
    done = rayline("plan", home=tmp_path)
    assert done.returncode == 2
    assert "which workspace?" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rayline.toml"]


@pytest.mark.parametrize("name", CONFIGURED)
@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, f"a = {'9' * 5000}", f"{'a.' * 5000}b = 1"]
)
def test_a_file_that_no_person_writes_ends_every_command_with_2_and_a_sentence(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / "rayline.toml").write_text(text)
    done = CliRunner().invoke(app, words_of(name))
    assert done.exit_code == 2
    assert done.stderr.startswith("rayline.toml: ")
    assert len(done.stderr) < 300


def test_a_secret_in_an_address_ends_a_command_with_2_and_is_nowhere_shown(
    tmp_path: Path,
) -> None:
    (tmp_path / "rayline.toml").write_text(
        '[workspaces.studio.jira]\nbase_url = "https://bot:hunter22@jira.example"\n'
    )
    done = rayline("status", "--json", home=tmp_path, LANG="ru_RU.UTF-8")
    assert done.returncode == 2
    assert "содержит имя пользователя или пароль" in on_one_line(done.stderr)
    assert "hunter22" not in done.stdout + done.stderr


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def placed(play: Play, tmp_path: Path) -> Path:
    """Return a configuration in a folder of its own, whose state is a path from there."""
    folder = tmp_path / "studio"
    folder.mkdir()
    text = write_config(play).read_text("utf-8")
    line = f'state = "sqlite:///{play.folder / "cli.db"}"'
    assert line in text
    path = folder / "rayline.toml"
    path.write_text(text.replace(line, 'state = "sqlite:///state/own.db"'), "utf-8")
    return path


@pytest.mark.parametrize("name", sorted(LOOKING))
def test_looking_at_a_state_that_is_not_there_says_so_and_makes_none(
    placed: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = files(tmp_path)
    done = rayline(*words_of(name), "-c", str(placed), home=elsewhere, COLUMNS="500")
    assert done.returncode == 2
    assert str(placed.parent / "state/own.db") in done.stderr
    assert "nothing is kept here yet" in done.stderr
    assert files(tmp_path) == before

    (placed.parent / "state").mkdir()
    (placed.parent / "state/own.db").touch()
    done = rayline(*words_of(name), "-c", str(placed), home=elsewhere, COLUMNS="500")
    assert (done.returncode, "nothing is kept here yet" in done.stderr) == (2, True)


def test_a_command_from_another_folder_finds_the_same_state(
    placed: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    written = rayline("sync", "--json", home=placed.parent)
    assert written.returncode == 0, written.stderr
    own = files(placed.parent)
    assert "state/own.db" in own

    number = json.loads(written.stdout)["run_id"]
    relative = os.path.relpath(placed, elsewhere)
    for words, env in (
        (("status", "-c", str(placed)), {}),
        (("runs", "-c", relative), {}),
        (("status",), {"RAYLINE_CONFIG": str(placed)}),
        (("plan",), {"RAYLINE_CONFIG": relative}),
    ):
        done = rayline(*words, "--json", home=elsewhere, **env)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        match words[0]:
            case "status":
                assert found["last_run"]["run_id"] == number
            case "runs":
                assert [run["run_id"] for run in found["runs"]] == [number]
            case _:
                assert found["changes"] == [], "the same memory plans the same"
    assert files(elsewhere) == set()
    assert files(placed.parent) == own


def test_a_state_of_postgresql_in_which_nothing_was_kept_is_not_made_by_looking(
    postgres_url: str, play: Play, tmp_path: Path
) -> None:
    text = write_config(play).read_text("utf-8")
    (tmp_path / "rayline.toml").write_text(text, "utf-8")
    for _ in range(2):
        done = rayline("status", home=tmp_path, RAYLINE_STATE=postgres_url)
        assert done.returncode == 2
        assert "nothing is kept here yet" in on_one_line(done.stderr)
    Store(postgres_url).close()
    assert rayline("status", home=tmp_path, RAYLINE_STATE=postgres_url).returncode == 0


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o640])
def test_a_database_that_others_can_read_is_closed_to_them_and_told(
    placed: Path, mode: int
) -> None:
    folder = placed.parent / "state"
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'own.db'}")
    # While another process has it open, the log and its index stand beside it.
    with store.transaction("studio"):
        pass
    beside = sorted(folder.glob("own.db*"))
    assert len(beside) == 3
    for path in beside:
        path.chmod(mode)
    done = rayline("status", home=placed.parent)
    assert done.returncode == 0, done.stderr
    assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
    store.close()
    assert "closed to others" in done.stderr
    assert f"{mode:04o}" in done.stderr

    again = rayline("status", home=placed.parent)
    assert "closed to others" not in again.stderr
