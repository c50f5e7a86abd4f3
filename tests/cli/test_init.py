"""`rayline init`, as a person at a terminal and against the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from tests.support.waiting import LONG
from worker.app.settings import load_settings
from worker.cli.init import render

ANSWERS = {
    "locale": "ru",
    "time_zone": "Europe/Moscow",
    "currency": "RUB",
    "country": "RU",
    "root_page_id": "page",
    "private_root_page_id": "vault",
    "base_url": "http://127.0.0.1:1",
    "email": "a@example.com",
}


def test_the_rendered_configuration_is_one_the_program_accepts(tmp_path: Path) -> None:
    for side in ("notion", "jira"):
        (tmp_path / f"{side}-token").write_text("canary")
        (tmp_path / f"{side}-token").chmod(0o600)
    file = tmp_path / "rayline.toml"
    odd = 'a"b\\c\x7f\té'
    file.write_text(
        render(
            {**ANSWERS, "root_page_id": odd},
            state="sqlite:///state/x.db",
            secrets={"notion": "notion-token", "jira": "jira-token"},
        ),
        "utf-8",
    )
    workspace = load_settings(file).workspaces["studio"]
    assert (workspace.locale, workspace.jira.email) == ("ru", "a@example.com")
    assert (workspace.notion.root_page_id, workspace.notion.private_root_page_id) == (
        odd,
        "vault",
    )
    assert workspace.notion.token.get_secret_value() == "canary"
    assert "canary" not in file.read_text("utf-8")


def test_without_a_terminal_it_says_so_and_ends_with_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "init", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=_environment(tmp_path),
        check=False,
    )
    assert done.returncode == 2
    assert "nobody to ask" in done.stderr
    assert json.loads(done.stdout)["error"] == "ConfigError"


@contextmanager
def emulators(*projects: str) -> Iterator[tuple[NotionSandbox, dict[str, Any]]]:
    """Serve an empty Notion and a Jira of empty projects; yield the first, and where both are."""
    clock = Clock(start=datetime.now(UTC), speed=1.0, real=time.monotonic)
    notion = NotionSandbox(clock, limit=None)
    jira = JiraSandbox(clock)
    for key in projects:
        jira.control("add_project", {"key": key, "name": key})
    with serve(notion, jira) as sockets:
        yield notion, sockets.describe()


def answered(
    folder: Path,
    where: dict[str, Any],
    *,
    private: str = "",
    projects: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `init` in a folder as a person who answers every question."""
    # Against a sandbox the only thing not asked is its Notion's address.
    environment = {
        **_environment(folder),
        "RAYLINE_WORKSPACES__STUDIO__NOTION__BASE_URL": where["notion"]["base_url"],
        "RAYLINE_WORKSPACES__STUDIO__NOTION__REQUESTS": "100000",
    }
    answers = [
        "en",
        "",
        "EUR",
        "DE",
        where["notion"]["root_page_id"],
        private,
        where["notion"]["token"],
        where["jira"]["base_url"],
        where["jira"]["email"],
        where["jira"]["token"],
        *projects,
    ]
    return subprocess.run(
        [sys.executable, "-m", "worker", "init", "--json"],
        cwd=folder,
        env=environment,
        input="\n".join(answers) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )


def test_a_person_answers_and_gets_boards_with_secrets_kept_apart(
    tmp_path: Path,
) -> None:
    with emulators() as (notion, where):
        done = answered(tmp_path, where, private=notion.add_private_root())
    assert done.returncode == 0, done.stderr
    assert {"projects", "feedback"} <= json.loads(done.stdout)["databases"].keys()
    assert (
        where["notion"]["token"]
        not in done.stdout + done.stderr + (tmp_path / "rayline.toml").read_text()
    )
    assert stat.S_IMODE((tmp_path / "rayline.toml").stat().st_mode) == 0o600
    assert (
        stat.S_IMODE((tmp_path / "secrets" / "rayline-jira-token").stat().st_mode)
        == 0o600
    )
    assert "git" not in done.stderr, "there is no checkout to speak of"


@pytest.mark.parametrize(
    ("typed_keys", "listed"),
    [
        ((), ("ACME", "HR")),
        (("",), ("ACME", "HR")),
        (("all",), ("ACME", "HR")),
        (("acme",), ("ACME",)),
        (("NOSUCH, ACME", "hr; ACME"), ("ACME", "HR")),
    ],
)
def test_the_projects_that_may_be_read_are_asked_for_and_written_down(
    tmp_path: Path, typed_keys: Sequence[str], listed: Sequence[str]
) -> None:
    with emulators("ACME", "HR") as (_, where):
        done = answered(tmp_path, where, projects=typed_keys)
        assert done.returncode == 0, done.stderr
        settings = load_settings(tmp_path / "rayline.toml")
    assert settings.workspaces["studio"].jira.projects == tuple(listed)
    assert "ACME, HR" in done.stderr


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
    tmp_path: Path, inside: str, made: tuple[str, ...]
) -> None:
    folder = tmp_path / inside
    for name in (".", *made):
        (folder / name).mkdir(parents=True, exist_ok=True)
    git(tmp_path, "init", "-q")
    with emulators() as (_, where):
        done = answered(folder, where)
    assert done.returncode == 0, done.stderr
    assert {"secrets/rayline-notion-token", "state/rayline.db"} <= everything(folder)

    offered = git(tmp_path, "status", "--porcelain", "-uall").splitlines()
    wanted = (folder / "rayline.toml").relative_to(tmp_path)
    assert offered == [f"?? {wanted}"]
    for side in ("notion", "jira"):
        assert where[side]["token"] not in (folder / "rayline.toml").read_text("utf-8")
    assert "rayline.toml holds no secret" in done.stderr


# Where there can be no state the command ends as soon as the configuration is written and read.
TYPED = (
    "en",
    "",
    "EUR",
    "DE",
    "page",
    "",
    "ntn_typed",
    "http://127.0.0.1:1",
    "a@example.com",
    "jira-typed",
)


def typed(
    folder: Path, *answers: str, config: str = "rayline.toml", **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        **_environment(folder),
        "RAYLINE_STATE": "sqlite:////proc/nowhere/x.db",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "worker", "init", "-c", config],
        cwd=folder,
        env=environment,
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )


def everything(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    }


def test_a_wrong_answer_is_said_and_asked_again_before_anything_is_written(
    tmp_path: Path,
) -> None:
    done = typed(tmp_path, "fr", "Mars/Base", *TYPED[2:6], "ключ", *TYPED[7:])
    assert done.returncode == 2
    assert "Time zone: 'Mars/Base' is no time zone" in done.stderr
    assert done.stderr.rstrip().endswith("or run rayline init on a terminal)")
    assert done.stdout == ""
    assert "ключ" not in done.stderr
    assert everything(tmp_path) == set(), (
        "who goes away in the middle is asked anew next time"
    )
    done = typed(
        tmp_path,
        "fr",
        "Mars/Base",
        *TYPED[2:6],
        "ключ",
        *TYPED[7:],
        "ru",
        "Europe/Belgrade",
        "ntn_second",
    )
    assert done.stderr.count("Language of the boards (en, ru) [en]") == 2
    assert done.stderr.count("Jira address [") == 1, "what was right is not asked again"
    studio = load_settings(tmp_path / "rayline.toml").workspaces["studio"]
    assert (studio.locale, studio.time_zone, studio.currency) == (
        "ru",
        "Europe/Belgrade",
        "EUR",
    )
    assert studio.notion.token.get_secret_value() == "ntn_second"


def test_configurations_side_by_side_share_neither_tokens_nor_memory(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        typed(tmp_path, *TYPED[:6], f"ntn_{name}", *TYPED[7:], config=f"{name}.toml")
    one, two = (load_settings(tmp_path / f"{name}.toml") for name in ("one", "two"))
    assert [
        found.workspaces["studio"].notion.token.get_secret_value()
        for found in (one, two)
    ] == ["ntn_one", "ntn_two"]
    assert one.state != two.state
    (tmp_path / "one.toml").unlink()
    typed(tmp_path, *TYPED[:6], "ntn_three", *TYPED[7:], config="one.toml")
    assert (tmp_path / "secrets/one-notion-token").read_text() == "ntn_one", (
        "a token that is there is left alone"
    )
    assert (
        load_settings(tmp_path / "one.toml")
        .workspaces["studio"]
        .notion.token.get_secret_value()
        == "ntn_three"
    )


def test_a_configuration_in_a_folder_to_be_made_can_be_read_from_elsewhere(
    tmp_path: Path,
) -> None:
    done = typed(tmp_path, *TYPED, config="conf/deep/r.toml")
    assert "Traceback" not in done.stderr
    settings = load_settings(tmp_path / "conf/deep/r.toml")
    assert settings.workspaces["studio"].jira.token.get_secret_value() == "jira-typed"
    assert (
        settings.state.get_secret_value()
        == f"sqlite:///{tmp_path / 'conf/deep/state/r.db'}"
    )


def test_a_place_that_cannot_be_written_is_said_before_the_questions(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    done = typed(tmp_path, *TYPED, config="file/r.toml")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Language" not in done.stderr


def test_a_token_in_the_environment_is_neither_asked_nor_written(
    tmp_path: Path,
) -> None:
    done = typed(
        tmp_path,
        *TYPED[:6],
        *TYPED[7:],
        RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN="ntn_set",
    )
    assert "Notion token" not in done.stderr
    assert everything(tmp_path) >= {"rayline.toml", "secrets/rayline-jira-token"}
    assert "secrets/rayline-notion-token" not in everything(tmp_path)


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "COLUMNS": "200",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
