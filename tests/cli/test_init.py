"""`rayline init`, as a person who types its answers, against the sandbox."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.evening import Evening, bare, evening
from worker.app.settings import load_settings
from worker.cli import app
from worker.cli.interview.questions import KEYS
from worker.cli.interview.writing import system_file
from worker.config import Workspace

NOWHERE = {"RAYLINE_STATE": "sqlite:////proc/nowhere/x.db"}
"""Where there can be no state the command ends as soon as the configuration is written and read."""


@pytest.fixture(scope="module")
def services() -> Iterator[Evening]:
    with evening("ACME", "HR") as both:
        yield both


def typed(
    services: Evening,
    folder: Path,
    *words: str,
    lines: Sequence[str] | None = None,
    changed: dict[str, str] | None = None,
    env: Mapping[str, str] = {},
) -> Result:
    """Run `init` in a folder as a person who answers every question, or types these lines."""
    if lines is None:
        given = services.answers(**(changed or {}))
        lines = [given[key] for key in KEYS]
    return run(
        services, folder, *words, text="".join(f"{one}\n" for one in lines), env=env
    )


def run(
    services: Evening,
    folder: Path,
    *words: str,
    text: str = "",
    env: Mapping[str, str] = {},
) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
            patch.delenv(name, raising=False)
        for name, value in {**services.environment(folder), **env}.items():
            patch.setenv(name, value)
        return CliRunner().invoke(
            app, ["init", *words], input=text, prog_name="rayline"
        )


def everything(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def studio(
    folder: Path, name: str = "rayline.toml", *, workspace: str = "studio"
) -> Workspace:
    return load_settings(folder / name).workspaces[workspace]


def test_a_person_answers_and_gets_boards_with_secrets_kept_apart(
    tmp_path: Path,
) -> None:
    with evening() as services:
        private = services.notion.add_private_root()
        given = services.answers(private_root_page_id=private)
        lines = [given[key] for key in KEYS if key != "projects"]
        done = typed(services, tmp_path, "--json", lines=lines)
        again = run(services, tmp_path, "--json")
    assert done.exit_code == 0, done.stderr
    made = json.loads(done.stdout)
    assert {"projects", "feedback"} <= made["databases"].keys()
    said = done.stdout + done.stderr + (tmp_path / "rayline.toml").read_text()
    assert given["notion_token"] not in said
    assert given["jira_token"] not in said
    for name in ("rayline.toml", "secrets/rayline-jira-token"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert "git" not in done.stderr, "there is no checkout to speak of"
    assert "sees no project yet" in done.stderr
    assert "projects =" not in (tmp_path / "rayline.toml").read_text()
    assert json.loads(again.stdout) == made, "run again it makes nothing anew"


def test_without_a_terminal_it_says_so_and_ends_with_2(
    services: Evening, tmp_path: Path
) -> None:
    done = run(services, tmp_path, "--json")
    assert done.exit_code == 2
    assert "nobody to ask" in done.stderr
    assert json.loads(done.stdout)["error"] == "ConfigError"


@pytest.mark.parametrize(
    ("typed_keys", "listed"),
    [
        ((), ("ACME", "HR")),
        (("",), ("ACME", "HR")),
        (("all",), ("ACME", "HR")),
        (("acme",), ("ACME",)),
        (("ACMEE, HR", "hr; ACME"), ("ACME", "HR")),
    ],
)
def test_the_projects_that_may_be_read_are_asked_for_and_written_down(
    services: Evening, tmp_path: Path, typed_keys: Sequence[str], listed: Sequence[str]
) -> None:
    given = services.answers()
    lines = [given[key] for key in KEYS[:-1]] + list(typed_keys or ("",))
    done = typed(services, tmp_path, lines=lines, env=NOWHERE)
    assert studio(tmp_path).jira.projects == tuple(listed)
    assert "ACME, HR" in done.stderr
    if len(typed_keys) == 2:
        assert "did you mean ACME?" in done.stderr


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("inside", ["", "deploy/conf"])
@pytest.mark.parametrize("made", [(), ("secrets",)])
def test_git_takes_neither_secrets_nor_state_of_what_init_writes(
    services: Evening, tmp_path: Path, inside: str, made: tuple[str, ...]
) -> None:
    folder = tmp_path / inside
    for name in (".", *made):
        (folder / name).mkdir(parents=True, exist_ok=True)
    git(tmp_path, "init", "-q")
    # A wrong kind of boards ends it after the state was made.
    done = typed(
        services, folder, changed={"notion_token": services.where["notion"]["token"]}
    )
    assert {"secrets/rayline-notion-token", "state/rayline.db"} <= everything(folder)

    offered = git(tmp_path, "status", "--porcelain", "-uall").splitlines()
    wanted = (folder / "rayline.toml").relative_to(tmp_path)
    assert offered == [f"?? {wanted}"]
    for side in ("notion", "jira"):
        token = services.where[side]["token"]
        assert token not in (folder / "rayline.toml").read_text("utf-8")
    assert "rayline.toml holds no secret" in done.stderr


def test_a_wrong_answer_is_said_and_asked_again_before_anything_is_written(
    services: Evening, tmp_path: Path
) -> None:
    given = services.answers()
    lines = [given[key] for key in KEYS]
    wrong = ["fr", "en", "ключ", *lines[1:8], "Mars/Base"]
    done = typed(services, tmp_path, lines=wrong)
    assert done.exit_code == 2
    assert "Time zone: “Mars/Base” is no time zone" in done.stderr
    assert "nobody to ask" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert "ключ" not in done.stderr
    assert everything(tmp_path) == set(), (
        "who goes away in the middle is asked anew next time"
    )
    done = typed(services, tmp_path, lines=[*wrong, *lines[8:]], env=NOWHERE)
    assert done.stderr.count("Language of the boards (en, ru) [en]") == 2
    assert done.stderr.count("Address of your Jira: ") == 1, (
        "what was right is not asked again"
    )
    assert studio(tmp_path).time_zone == "Europe/Berlin"


def test_configurations_side_by_side_share_neither_tokens_nor_memory(
    services: Evening, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        typed(services, tmp_path, "-c", f"{name}.toml", env=NOWHERE)
    one, two = (load_settings(tmp_path / f"{name}.toml") for name in ("one", "two"))
    files = {str(found.workspaces["studio"].notion.token_file) for found in (one, two)}
    assert len(files) == 2
    assert one.state != two.state
    (tmp_path / "one.toml").unlink()
    (tmp_path / "secrets/one-notion-token").write_text("ntn_only_copy")
    typed(services, tmp_path, "-c", "one.toml", env=NOWHERE)
    assert (tmp_path / "secrets/one-notion-token").read_text() == "ntn_only_copy", (
        "a token that is there is left alone"
    )
    token = studio(tmp_path, "one.toml").notion.token.get_secret_value()
    assert token == services.where["notion"]["token"]


def test_a_configuration_in_a_folder_to_be_made_can_be_read_from_elsewhere(
    services: Evening, tmp_path: Path
) -> None:
    done = typed(services, tmp_path, "-c", "conf/deep/r.toml", env=NOWHERE)
    assert "Traceback" not in done.stderr
    settings = load_settings(tmp_path / "conf/deep/r.toml")
    token = settings.workspaces["studio"].jira.token.get_secret_value()
    assert token == services.where["jira"]["token"]
    assert (
        settings.state.get_secret_value()
        == f"sqlite:///{tmp_path / 'conf/deep/state/r.db'}"
    )


def test_a_place_that_cannot_be_written_is_said_before_the_questions(
    services: Evening, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = typed(services, tmp_path, "-c", "file/r.toml")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert "Language" not in done.stderr


@pytest.mark.parametrize("by_file", [False, True])
def test_a_token_in_the_environment_is_tried_out_but_neither_asked_nor_written(
    services: Evening, tmp_path: Path, *, by_file: bool
) -> None:
    given = services.answers()
    variable = "RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN"
    (tmp_path / "kept").write_text(given["notion_token"])
    (tmp_path / "kept").chmod(0o600)
    by = (
        {f"{variable}_FILE": str(tmp_path / "kept")}
        if by_file
        else {variable: given["notion_token"]}
    )
    lines = [given[key] for key in KEYS if key != "notion_token"]
    done = typed(services, tmp_path, lines=lines, env={**NOWHERE, **by})
    assert "Notion token" not in done.stderr
    assert "the connection “Rayline”" in done.stderr
    assert everything(tmp_path) == {
        "kept",
        "rayline.toml",
        "secrets/.gitignore",
        "secrets/rayline-jira-token",
    }


def test_a_wrong_token_in_the_environment_is_told_by_its_variable(
    services: Evening, tmp_path: Path
) -> None:
    variable = "RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN"
    done = typed(services, tmp_path, env={variable: "ntn_of_yesterday"})
    assert done.exit_code == 2
    assert f"{variable}: Notion does not know this token" in done.stderr
    assert everything(tmp_path) == set()


# -- changing, adding, going on ----------------------------------------------------------------------------------------


def test_one_answer_is_changed_and_the_rest_of_the_file_stays(
    services: Evening, tmp_path: Path
) -> None:
    typed(services, tmp_path, env=NOWHERE)
    file = tmp_path / "rayline.toml"
    text = file.read_text("utf-8").replace(
        'time_zone = "Europe/Berlin"', 'time_zone = "Europe/Berlin"  # ours'
    )
    text += (
        "\n# How patient we are.\n[workspaces.studio.thresholds]\nstalled_days = 21\n"
    )
    file.write_text(text, "utf-8")
    before = everything(tmp_path)
    done = typed(
        services, tmp_path, "--change", "time_zone", lines=["madrid"], env=NOWHERE
    )
    assert done.stderr.count("Time zone [Europe/Berlin]: ") == 1
    assert file.read_text("utf-8") == text.replace("Europe/Berlin", "Europe/Madrid")
    assert everything(tmp_path) == before
    assert "The Jira account counts its days in" in done.stderr


def test_a_changed_token_gets_a_file_of_its_own_and_the_old_one_stays(
    services: Evening, tmp_path: Path
) -> None:
    typed(services, tmp_path, env=NOWHERE)
    token = services.where["jira"]["token"]
    (tmp_path / "secrets/rayline-jira-token").write_text("ATATT_old")
    done = typed(
        services,
        tmp_path,
        "--change",
        "jira_token",
        lines=["ntn_wrong", token, "2999-12-31"],
        env=NOWHERE,
    )
    assert "is a token of Notion, not of Jira" in done.stderr
    jira = studio(tmp_path).jira
    assert (jira.token.get_secret_value(), str(jira.token_expires)) == (
        token,
        "2999-12-31",
    )
    assert (tmp_path / "secrets/rayline-jira-token").read_text() == "ATATT_old"


def test_a_change_of_what_there_is_not_is_refused_with_what_there_is(
    services: Evening, tmp_path: Path
) -> None:
    done = typed(services, tmp_path, "--change", "colour")
    assert done.exit_code == 2
    assert "time_zone" in done.stderr


@pytest.mark.parametrize("name", ["north", "Büro 🚀", "a/b"])
def test_a_workspace_is_added_beside_another_that_stays_as_it_is(
    services: Evening, tmp_path: Path, name: str
) -> None:
    typed(services, tmp_path, env=NOWHERE)
    file = tmp_path / "rayline.toml"
    text = file.read_text("utf-8")
    page = services.notion.add_private_root()
    changed = {"root_page_id": page, "locale": "ru"}
    given = {**services.answers(), **changed}
    answers = tmp_path / "answers.toml"
    answers.write_text(sheet(given), "utf-8")
    answers.chmod(0o600)
    # No variable can lead a workspace of such a name to the sandbox: its address stands in the file beforehand.
    where = services.where["notion"]["base_url"]
    quoted = json.dumps(name, ensure_ascii=False)
    with_place = f'{text}\n[workspaces.{quoted}.notion]\nbase_url = "{where}"\n'
    file.write_text(with_place, "utf-8")
    done = run(services, tmp_path, "-w", name, "--answers", "answers.toml", env=NOWHERE)
    assert "Traceback" not in done.stderr
    found = studio(tmp_path, workspace=name)
    assert (found.locale, found.notion.root_page_id) == ("ru", page)
    assert found.notion.token.get_secret_value() == given["notion_token"]
    assert file.read_text("utf-8").startswith(text)


def test_a_name_that_is_not_there_adds_a_workspace(
    services: Evening, tmp_path: Path
) -> None:
    typed(services, tmp_path, env=NOWHERE)
    page = services.notion.add_private_root()
    given = services.answers(root_page_id=page)
    more = {
        key.replace("STUDIO", "NORTH"): value
        for key, value in services.environment(tmp_path).items()
        if "STUDIO" in key
    }
    done = typed(
        services,
        tmp_path,
        "-w",
        "north",
        lines=[given[key] for key in KEYS],
        env={**NOWHERE, **more},
    )
    assert "Traceback" not in done.stderr
    settings = load_settings(tmp_path / "rayline.toml")
    assert list(settings.workspaces) == ["studio", "north"]
    assert settings.workspaces["north"].notion.root_page_id == page


def test_what_an_earlier_init_left_open_is_asked_and_nothing_else(
    services: Evening, tmp_path: Path
) -> None:
    typed(services, tmp_path, env=NOWHERE)
    file = tmp_path / "rayline.toml"
    whole = file.read_text("utf-8")
    half = re.sub(r"root_page_id = .*\n", "", whole)
    file.write_text(half, "utf-8")
    (tmp_path / "secrets/rayline-jira-token").unlink()
    given = {key: services.answers()[key] for key in ("root_page_id", "jira_token")}
    answers = tmp_path / "answers.toml"
    answers.write_text(sheet(given), "utf-8")
    answers.chmod(0o600)
    done = run(services, tmp_path, "--answers", "answers.toml", env=NOWHERE)
    assert "Traceback" not in done.stderr
    found = studio(tmp_path)
    assert found.notion.root_page_id == given["root_page_id"]
    assert found.jira.token.get_secret_value() == given["jira_token"]
    alone = run(services, tmp_path, env=NOWHERE)
    assert "is missing" not in alone.stderr


# -- a file of answers -------------------------------------------------------------------------------------------------


def sheet(answers: dict[str, str]) -> str:
    return "".join(
        f"{key} = {json.dumps(text, ensure_ascii=False)}\n"
        for key, text in answers.items()
        if text
    )


def answered(
    services: Evening, folder: Path, text: str, *words: str, mode: int = 0o600
) -> Result:
    file = folder / "answers.toml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return run(services, folder, "--answers", "answers.toml", *words, env=NOWHERE)


def test_a_file_answers_in_place_of_a_person(services: Evening, tmp_path: Path) -> None:
    (tmp_path / "jira.txt").write_text(services.where["jira"]["token"])
    given = services.answers(jira_token="", projects="")
    text = f'{sheet(given)}jira_token_file = "jira.txt"\nprojects = ["ACME"]\njira_token_expires = 2999-12-31\n'
    answered(services, tmp_path, text)
    found = studio(tmp_path)
    assert found.jira.projects == ("ACME",)
    assert found.jira.token.get_secret_value() == services.where["jira"]["token"]
    assert str(found.jira.token_expires) == "2999-12-31"


@pytest.mark.parametrize("key", ["notion_token", "root_page_id", "base_url", "email"])
def test_an_answer_that_is_missing_in_a_file_is_named_by_its_key(
    services: Evening, tmp_path: Path, key: str
) -> None:
    done = answered(services, tmp_path, sheet(services.answers(**{key: ""})))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith(f"answers.toml: {key}: ")
    assert everything(tmp_path) == {"answers.toml"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('locle = "en"\n', "locle: is not asked (did you mean locale?)"),
        ('time_zone = "Mars/Base"\n', "time_zone: “Mars/Base” is no time zone"),
        ('jira_token_file = "nothing"\n', "jira_token_file: "),
        ("locale = \n", "is not valid TOML"),
    ],
)
def test_what_is_wrong_in_a_file_of_answers_is_one_sentence_with_its_key(
    services: Evening, tmp_path: Path, text: str, said: str
) -> None:
    key = text.partition(" ")[0]
    done = answered(services, tmp_path, sheet(services.answers(**{key: ""})) + text)
    assert done.exit_code == 2
    assert said in done.stderr.splitlines()[-1]
    assert everything(tmp_path) == {"answers.toml"}


def test_tokens_in_a_file_that_others_can_read_are_not_taken(
    services: Evening, tmp_path: Path
) -> None:
    done = answered(services, tmp_path, sheet(services.answers()), mode=0o644)
    assert done.exit_code == 2
    assert "chmod 600" in done.stderr


# -- where tokens are kept ---------------------------------------------------------------------------------------------


def test_tokens_for_the_environment_are_written_nowhere_and_the_variables_named(
    services: Evening, tmp_path: Path
) -> None:
    done = typed(services, tmp_path, "--secrets", "environment", env=NOWHERE)
    assert everything(tmp_path) == {"rayline.toml"}
    assert "token" not in (tmp_path / "rayline.toml").read_text("utf-8")
    for side in ("NOTION", "JIRA"):
        assert f"set RAYLINE_WORKSPACES__STUDIO__{side}__TOKEN" in done.stderr
    assert "x.db" in done.stderr, "the run went on with the tokens that were typed"


def test_tokens_for_systemd_are_written_nowhere_and_their_places_named(
    services: Evening, tmp_path: Path
) -> None:
    done = typed(services, tmp_path, "--secrets", "systemd", env=NOWHERE)
    assert everything(tmp_path) == {"rayline.toml"}
    text = (tmp_path / "rayline.toml").read_text("utf-8")
    for side in ("notion", "jira"):
        assert f'token_file = "/etc/rayline/secrets/{side}-token"' in text
        assert f"/etc/rayline/secrets/{side}-token" in done.stderr
    unit = (
        Path(__file__).parents[2]
        / "deploy/systemd/rayline-.service.d/50-hardening.conf"
    )
    assert (
        "LoadCredential=notion-token:/etc/rayline/secrets/notion-token"
        in unit.read_text()
    )


def test_two_workspaces_share_no_file_that_systemd_takes() -> None:
    sides = ("notion", "jira")
    files = [system_file(name, side) for name in ("studio", "lab") for side in sides]
    assert len(set(files)) == 4
    assert "/etc/rayline/secrets/lab-jira-token" in files


def test_a_name_no_variable_can_have_keeps_no_tokens_in_the_environment(
    services: Evening, tmp_path: Path
) -> None:
    done = typed(services, tmp_path, "-w", "a-b", "--secrets", "environment")
    assert done.exit_code == 2
    assert "--secrets" in done.stderr
    assert bare(tmp_path)["HOME"] == str(tmp_path)
