"""The tool that changes code in one place finds the places that matter, and only those."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants import ROOT, TESTS, changed_source, find_mutants, rounds

SOURCE = '''"""Words."""
@cache(size=9)
class Kept(Struct, frozen=True):
    days: Literal[3] = 2

def judge(found: int, least: int) -> bool:
    if not found:
        return False
    return found > least and any(one for one in range(found) if one)
'''
WANTED = {
    "2  ->  3",
    "2  ->  1",
    "if not found:  ->  if True:",
    "if not found:  ->  if False:",
    "not found  ->  found",
    "return False  ->  return None",
    "False  ->  True",
    "return found > least and any((one for one in range(found) if one))  ->  return None",
    "found > least and any((one for one in range(found) if one))  ->  "
    "found > least or any((one for one in range(found) if one))",
    "found > least and any((one for one in range(found) if one))  ->  "
    "any((one for one in range(found) if one))",
    "found > least and any((one for one in range(found) if one))  ->  found > least",
    "found > least  ->  found >= least",
    "found > least  ->  found <= least",
    "any((one for one in range(found) if one))  ->  "
    "all((one for one in range(found) if one))",
    "for one in range(found) if one  ->  for one in range(found)",
}


def test_every_place_that_says_what_is_done_is_changed_once(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(SOURCE, "utf-8")
    found = list(find_mutants(path))
    assert {mutant.text for mutant in found} == WANTED
    assert len(found) == len(WANTED)


def test_the_tests_that_may_notice_a_change_are_there() -> None:
    bare = [name for name in TESTS if not list((ROOT / "tests" / name).glob("test_*"))]
    assert bare == []


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("worker/domain/money.py", "tests/method/test_split.py"),
        ("worker/method/delivery/deadlines.py", "tests/method/test_rule_deadlines.py"),
        ("worker/plan/merge.py", "tests/plan/test_merge.py"),
        ("worker/world/links.py", "tests/mapping/test_links.py"),
        ("worker/charts/__init__.py", "tests/charts/test_charts.py"),
    ],
)
def test_the_tests_that_name_a_module_come_first(module: str, test: str) -> None:
    first, _ = rounds(ROOT / module)
    assert test in first


def test_every_change_gives_other_code_that_still_reads(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(SOURCE, "utf-8")
    texts = [changed_source(mutant) for mutant in find_mutants(path)]
    assert len({ast.dump(ast.parse(text)) for text in texts}) == len(texts)
    assert ast.unparse(ast.parse(SOURCE)) not in texts
