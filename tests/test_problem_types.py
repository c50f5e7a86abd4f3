"""The type checker refuses a problem whose code is no `Code` or whose sentence is no `Text`, and no pattern is filled
before it is told."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.typing_checks import check_types

ROOT = Path(__file__).parent.parent
GOOD = 'code=Code.CONFIG, where=literal("x"), message=tell("y"), hint=NOTHING'
WRONG = {
    "a code in letters": (
        'Problem(code="config", where=literal("x"))',
        '"code" to "Problem" has incompatible type "str"',
    ),
    "a computed code": (
        'Problem(code=f"bad-{name}", where=literal("x"))',
        '"code" to "Problem" has incompatible type "str"',
    ),
    "a place in letters": (
        'Problem(code=Code.CONFIG, where="x")',
        '"where" to "Problem" has incompatible type "str"',
    ),
    "a sentence in letters": (
        'Problem(code=Code.CONFIG, where=literal("x"), message="y")',
        '"message" to "Problem" has incompatible type "str"',
    ),
    "a sentence filled at once": (
        'Problem(code=Code.CONFIG, where=literal("x"), message=f"y {name}")',
        '"message" to "Problem" has incompatible type "str"',
    ),
    "a way out in letters": (
        'Problem(code=Code.CONFIG, where=literal("x"), hint="y")',
        '"hint" to "Problem" has incompatible type "str"',
    ),
    "a sentence of a table": (
        'Problem(code=Code.CONFIG, where=literal("x"), hint=message("y"))',
        '"hint" to "Problem" has incompatible type "str"',
    ),
    "a sentence in a place of words": (
        'RenderedProblem(code="config", where="x", message=tell("y"))',
        '"message" to "RenderedProblem" has incompatible type "Text"',
    ),
    "a problem that nobody rendered": (
        f"send(Problem({GOOD}))",
        '"send" has incompatible type "Problem"',
    ),
    "problems in the order of no language": (
        f"sorted([Problem({GOOD})])",
        'of "sorted" cannot be "Problem"',
    ),
    "words joined to a sentence": (
        'tell("y") + name',
        'Unsupported left operand type for + ("Text")',
    ),
}
HEAD = """
from worker.domain.messages import NOTHING, literal, message, tell
from worker.errors import Code, Problem, RenderedProblem
def send(problem: RenderedProblem) -> None: ...
def make(name: str) -> None:
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the type checker says of each wrong line, and of a right one."""
    folder = tmp_path_factory.mktemp("types")
    lines = [*HEAD.strip().splitlines(), f"    Problem({GOOD})"]
    lines += [f"    {line}" for line, _ in WRONG.values()]
    report = check_types(lines, folder)
    said = dict(re.findall(r"snippet\.py:(\d+): error: (.*)", report))
    first = len(HEAD.strip().splitlines()) + 1
    assert str(first) not in said, report
    return {
        name: said.get(str(number), "")
        for number, name in enumerate(WRONG, start=first + 1)
    }


@pytest.mark.parametrize("name", WRONG)
def test_the_type_checker_refuses(refusals: dict[str, str], name: str) -> None:
    assert WRONG[name][1] in refusals[name]


def test_no_pattern_is_filled_before_it_is_told() -> None:
    filled = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("worker", "rayline_demo")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("tell", "message")
        and any(isinstance(given, ast.JoinedStr) for given in node.args)
    ]
    assert filled == []
