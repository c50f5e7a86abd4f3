"""Every code of a problem is told in the docs as in the code, has a way out, and is given by the program."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from worker.cli.look import API_ERRORS
from worker.errors import ApiError, Code

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| `(?P<code>[^`]+)` \| (?P<meaning>[^|]+) \| (?P<hint>[^|]+) \|$")


def told() -> list[re.Match[str]]:
    """Return the rows of the tables of docs/problems.md."""
    lines = (ROOT / "docs/problems.md").read_text(encoding="utf-8").splitlines()
    return [row for row in map(ROW.match, lines) if row]


def meanings() -> dict[str, str]:
    """Return what the sentence below each member of the enum says, by code."""
    tree = ast.parse((ROOT / "worker/errors.py").read_text(encoding="utf-8"))
    (enum,) = (
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Code"
    )
    found = {}
    for member, said in zip(enum.body, enum.body[1:], strict=False):
        if isinstance(member, ast.Assign):
            assert isinstance(said, ast.Expr), ast.unparse(member)
            found[ast.literal_eval(member.value)] = ast.literal_eval(said.value)
    return found


def given() -> set[str]:
    """Return the names of the codes that the program uses, wherever it says `Code.NAME`."""
    modules = [
        path
        for package in ("worker", "rayline_demo")
        for path in (ROOT / package).rglob("*.py")
    ]
    return {
        node.attr
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Code"
    }


def test_the_docs_tell_every_code_once_in_the_words_of_the_code() -> None:
    rows = told()
    assert {row["code"]: row["meaning"].strip() for row in rows} == meanings()
    assert [row["code"] for row in rows] == [code.value for code in Code]


def test_every_code_has_a_way_out() -> None:
    assert [row["code"] for row in told() if not row["hint"].strip()] == []


def test_every_code_is_given_by_the_program() -> None:
    assert given() == set(Code.__members__)


def test_every_error_of_a_service_has_its_code() -> None:
    assert {*ApiError.__subclasses__()} <= {*API_ERRORS}
    assert all(code == kind.__name__.lower() for kind, code in API_ERRORS.items())
