"""What a person's own configuration leaves in a checkout is nothing that git would take, and the program is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = (
    "rayline.toml",
    "deploy/rayline.toml",
    "secrets/rayline-notion-token",
    "deploy/secrets/jira-token",
    "state/rayline.db",
    "state/rayline.db-wal",
    "deploy/state/rayline.db-shm",
    "rayline.db",
    "deploy/studio.db-wal",
    "deploy/studio.db-shm",
    "deploy/studio.db-journal",
)
PROGRAM = (
    "worker/state/new.py",
    "worker/state/migrations/versions/new.py",
    "tests/state/test_new.py",
    "config.example.toml",
    "mappings/jira.toml",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a fresh checkout that has nothing but the rules of what git leaves out."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    return tmp_path


def test_git_offers_the_program_and_nothing_of_ones_own(checkout: Path) -> None:
    for name in (*OWN, *PROGRAM):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    listed = subprocess.run(
        ["git", "status", "--porcelain", "-uall"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    offered = {line.removeprefix("?? ") for line in listed.stdout.splitlines()}
    assert offered == {".gitignore", *PROGRAM}
