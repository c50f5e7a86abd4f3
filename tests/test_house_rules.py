"""Rules of the house that a machine can keep: few, and each for a reason."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.stages import environment
from worker import __version__
from worker.cli import app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "worker"
BROAD_EXCEPTS = 7
"""Places that may catch anything: the ends of processes and threads, foreign code, one change of many. Fewer is better.
"""
TYPE_IGNORES = 12
OWN = "tests/test_house_rules.py"
FOREIGN = re.compile(
    r"https?://[\w.-]*(?:artifactory|nexus|devpi|pypi\.[\w-]+\.(?:corp|internal|local))|/(?:root|work|home)/\w"
)


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
    return (token for token in tokens if token.type == tokenize.COMMENT)


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_only_the_command_line_prints() -> None:
    found = [
        place(path, node.lineno)
        for path in sources()
        for node in ast.walk(tree(path))
        if path.parent.name != "cli"
        and isinstance(node, ast.Call)
        and ast.unparse(node.func) == "print"
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    noted = [
        place(path, token.start[0])
        for path in sources()
        for token in comments(path)
        if unfinished.search(token.string)
    ]
    raised = [
        place(path, node.lineno)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Raise)
        and node.exc
        and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert noted + raised == []


def is_empty(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function does nothing and does not say why."""
    return all(
        isinstance(one, ast.Pass)
        or (
            isinstance(one, ast.Expr)
            and isinstance(one.value, ast.Constant)
            and one.value.value is Ellipsis
        )
        for one in function.body
    )


def test_no_function_is_a_stub() -> None:
    assert [
        place(path, one.lineno)
        for path in sources()
        for one in functions(path)
        if is_empty(one)
    ] == []


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler swallows anything at all: one that raises again only passes by."""
    is_wide = handler.type is None or (
        isinstance(handler.type, ast.Name)
        and handler.type.id in ("Exception", "BaseException")
    )
    return is_wide and not any(
        isinstance(node, ast.Raise) for node in ast.walk(handler)
    )


def test_few_places_catch_anything() -> None:
    found = [
        place(path, node.lineno)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert len(found) <= BROAD_EXCEPTS, found


def test_few_lines_are_kept_from_the_type_checker() -> None:
    found = [
        place(path, token.start[0])
        for path in sources()
        for token in comments(path)
        if "type: ignore" in token.string
    ]
    assert len(found) <= TYPE_IGNORES, found
    assert [one for one in found if "type: ignore\n" in one] == []


@pytest.mark.parametrize(
    "command",
    app.registered_commands,
    ids=lambda one: str(one.name or one.callback.__name__),
)
def test_every_command_says_what_it_does(command: object) -> None:
    callback = getattr(command, "callback", None)
    assert (getattr(callback, "__doc__", "") or "").strip().endswith(".")


def test_every_module_loads_without_a_home_and_without_the_network(
    tmp_path: Path,
) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources()
        if path.name != "__main__.py" and "migrations" not in path.parts
    ]
    program = (
        "import socket, importlib, sys\n"
        "def refuse(*_: object) -> None: raise OSError('no network here')\n"
        "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
    )
    bare = {
        name: value for name, value in environment(tmp_path).items() if name != "HOME"
    }
    done = subprocess.run(
        [sys.executable, "-c", program, *names],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=bare,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


def test_the_changelog_speaks_of_this_version() -> None:
    newest = re.search(
        r"^## \[?v?(\d+\.\d+\.\d+)",
        (ROOT / "CHANGELOG.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert newest is not None
    assert newest[1] == __version__
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_no_tracked_file_names_a_private_host_or_somebodys_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    texts = {
        name: (ROOT / name).read_bytes()
        for name in listed.stdout.split("\0")
        if name and (ROOT / name).is_file()
    }
    found = [
        f"{name}: {match[0]}"
        for name, data in texts.items()
        if b"\0" not in data and name != OWN
        for match in FOREIGN.finditer(data.decode("utf-8", "replace"))
    ]
    assert found == []
    assert [
        name for name in texts if name.endswith(".lock") and b"index-url" in texts[name]
    ] == []
