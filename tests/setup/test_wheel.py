"""The wheel is the whole product: it works in an empty environment, far from the checkout it was built from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from rayline_demo.checks import WANTED
from rayline_demo.stories.script import find_stories
from tests.support.stages import environment
from worker import __version__

ROOT = Path(__file__).parents[2]
LIMIT = 900
"""Seconds after which a process is thought to hang, also on a slow and busy machine."""

PACKAGES = {"worker", "rayline_sandbox", "rayline_demo"}


def call(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a process with an empty home, from a folder that has nothing to do with the checkout."""
    env = environment(cwd)
    env.pop("PYTHONPATH", None)
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def installed(
    wheel: Path, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the programs' folder of a new environment that holds the wheel.

    Its dependencies are those of the environment at work. A path file lends them and does not read the path files
    there, so the editable checkout stays out of reach.
    """
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False)
    names = {"base": str(folder), "platbase": str(folder)}
    scheme = sysconfig.get_preferred_scheme("prefix")
    packages = Path(sysconfig.get_path("purelib", scheme, names))
    programs = Path(sysconfig.get_path("scripts", scheme, names))
    lent = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (packages / "lent.pth").write_text("\n".join(lent), "utf-8")

    python = programs / f"python{'.exe' if os.name == 'nt' else ''}"
    pip = (sys.executable, "-m", "pip", "--isolated", "--python", python)
    done = call(*pip, "install", "-q", "--no-index", "--no-deps", wheel, cwd=home)
    assert done.returncode == 0, done.stderr
    return programs


def test_the_program_comes_from_the_wheel_and_not_from_the_checkout(
    installed: Path, home: Path
) -> None:
    look = "import sys, worker; print(worker.__file__, *sys.path, sep='\\n')"
    done = call(installed / "python", "-c", look, cwd=home)
    assert done.returncode == 0, done.stderr
    file, *paths = done.stdout.splitlines()
    assert Path(file).is_relative_to(installed.parent)
    assert str(ROOT) not in paths


def test_the_version_is_told_anywhere(installed: Path, home: Path) -> None:
    done = call(installed / "rayline", "--version", cwd=home)
    assert (done.returncode, done.stdout) == (0, f"rayline {__version__}\n")


@pytest.mark.slow
def test_the_checked_pass_of_the_demo_holds_anywhere(
    installed: Path, home: Path
) -> None:
    done = call(installed / "rayline", "demo", "--once", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checks"] == WANTED


@pytest.mark.slow
def test_a_storyline_is_lived_anywhere(installed: Path, home: Path) -> None:
    done = call(installed / "rayline", "demo", "--story", "01", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checks"]["as_worked_out"] is True


def test_every_storyline_comes_with_the_program(installed: Path, home: Path) -> None:
    look = "from rayline_demo.stories.script import find_stories; print(*(path.name for path in find_stories()))"
    done = call(installed / "python", "-c", look, cwd=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [path.name for path in find_stories()]


def test_the_wheel_holds_every_file_of_the_product_and_no_other(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES, "mappings"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    tracked = {name for name in listed.stdout.split("\0") if (ROOT / name).is_file()}
    wanted = {
        f"worker/{name}" if name.startswith("mappings/") else name for name in tracked
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert wanted - held == set()
    assert {name.partition("/")[0] for name in held} == PACKAGES
