"""Installing looks at the locks alone: what was published since changes nothing, what misses or differs is told.

The project's own Makefile installs a tiny project from a small index on a real socket.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.stages import environment

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
LIMIT = 900
"""Seconds after which a process is thought to hang, also on a slow and busy machine."""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny"
version = "1.0"
dependencies = ["outer>=1"]
[tool.hatch.build.targets.wheel]
packages = ["tiny"]
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves folders as lists of links, which is what an index is."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
        del format, args


@dataclass(frozen=True)
class Shop:
    """An index under way, with a project beside it."""

    index: Path
    url: str
    project: Path

    def publish(self, name: str, version: str, *requires: str) -> str:
        """Put a wheel on the index and return its line in a lock."""
        folder = self.index / name
        folder.mkdir(exist_ok=True)
        wheel = folder / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        asked = "".join(f"Requires-Dist: {one}\n" for one in requires)
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": (
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                f"Provides-Extra: toml\n{asked}"
            ),
            f"{info}/WHEEL": (
                "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\n"
                "Tag: py3-none-any\n"
            ),
        }
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
            record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
            archive.writestr(f"{info}/RECORD", record)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        return f"{name}=={version} --hash=sha256:{digest}\n"

    def lock(self, *lines: str) -> None:
        """Write the locks of the project."""
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.project / name).write_text("".join(lines), "utf-8")

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a process in the project, which knows no index but ours."""
        ours = {
            "UV_DEFAULT_INDEX": self.url,
            "UV_CACHE_DIR": str(self.project / "cache"),
            "PIP_INDEX_URL": self.url,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "NO_PROXY": "127.0.0.1",
        }
        kept = {
            name: value
            for name, value in environment(self.project).items()
            if not name.startswith(("PIP_", "UV_", "MAKE", "MFLAGS", "VIRTUAL_ENV"))
        }
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.project,
            env={**kept, **ours},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )

    def make(self) -> subprocess.CompletedProcess[str]:
        """Install as the Makefile does."""
        return self.run("make", f"UV={UV}", ".venv/.installed-dev")

    def resolve(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Install as a resolver does that takes the lock for a list of wishes."""
        venv.create(folder, with_pip=False)
        pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python")
        lock = self.project / "requirements-dev.lock"
        return self.run(*pip, "install", "-q", "--require-hashes", "-r", lock)

    def installed(self) -> dict[str, str]:
        """Return the versions that stand in the project's environment."""
        done = self.run(UV, "pip", "list", "-q", "--python", ".venv", "--format=freeze")
        assert done.returncode == 0, done.stderr
        return dict(
            line.split("==") for line in done.stdout.splitlines() if "==" in line
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Yield an index on which `outer` asks for `inner` with an extra, and a project that wants `outer`."""
    for tool in (shutil.which("make"), UV if UV.exists() else None):
        if tool is None or os.name == "nt":
            pytest.skip("make and the pinned uv are not here")
    index, project = tmp_path / "index", tmp_path / "project"
    for folder in (index, project, project / "tiny"):
        folder.mkdir()
    shutil.copy(ROOT / "Makefile", project)
    (project / "pyproject.toml").write_text(PROJECT, "utf-8")
    (project / "tiny/__init__.py").touch()
    # The installer is here already: its lock is older.
    (project / "requirements-installer.lock").touch()
    os.utime(project / "requirements-installer.lock", (0, 0))
    _lend_builder(project / ".venv")

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(index)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Shop(index, f"http://127.0.0.1:{server.server_port}/", project)
    server.shutdown()
    server.server_close()
    thread.join()


def _lend_builder(folder: Path) -> None:
    """Make an environment that builds the project with what is installed here."""
    venv.create(folder, with_pip=False)
    names = {"base": str(folder), "platbase": str(folder)}
    packages = sysconfig.get_path(
        "purelib", sysconfig.get_preferred_scheme("prefix"), names
    )
    (Path(packages) / "lent.pth").write_text(sysconfig.get_path("purelib"), "utf-8")


def test_what_was_published_since_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.lock(
        shop.publish("inner", "1.0", "leaf>=1; extra == 'toml'"),
        shop.publish("leaf", "1.0"),
        shop.publish("outer", "1.0", "inner[toml]>=1.0"),
    )
    done = shop.resolve(tmp_path / "before")
    assert done.returncode == 0, done.stderr

    for name in ("inner", "leaf", "outer"):
        shop.publish(name, "2.0")
    done = shop.resolve(tmp_path / "after")
    assert done.returncode != 0, "a lock that is resolved again depends on the day"
    assert "inner[toml]>=1.0" in done.stderr

    done = shop.make()
    assert done.returncode == 0, done.stderr
    found = shop.installed()
    assert {name: found[name] for name in ("inner", "leaf", "outer", "tiny")} == {
        "inner": "1.0",
        "leaf": "1.0",
        "outer": "1.0",
        "tiny": "1.0",
    }


def test_a_line_that_misses_is_told(shop: Shop) -> None:
    shop.lock(
        shop.publish("inner", "1.0"),
        shop.publish("outer", "1.0", "inner[toml]", "leaf"),
    )
    shop.publish("leaf", "1.0")
    done = shop.make()
    assert done.returncode != 0
    assert "leaf" in done.stderr
    assert not (shop.project / ".venv/.installed-dev").exists()


def test_a_file_that_is_not_the_one_locked_is_not_installed(shop: Shop) -> None:
    shop.lock(shop.publish("outer", "1.0"))
    shop.publish("outer", "1.0", "inner; extra == 'toml'")
    done = shop.make()
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
    assert "outer" not in shop.installed()
