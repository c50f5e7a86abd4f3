"""The tool that changes code in one place finds the places that matter, and only those."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.breakages import BREAKAGES, Breakage, Edit, break_source
from tests.mutants import (
    GUARDS,
    ROOT,
    TESTS,
    argued,
    changed_source,
    find_footprints,
    find_mutants,
    rounds,
    survives,
)

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


def test_a_change_is_known_by_its_function_when_lines_have_moved(
    tmp_path: Path,
) -> None:
    path = tmp_path / "code.py"
    path.write_text(
        "A = 2\nclass B:\n    def c(self):\n        return [1, *(one for one in (1, 1) if one)]\n"
        "    def d(self):\n        def e():\n            return 5\n        return e\n",
        "utf-8",
    )
    named = {(mutant.scope, mutant.text) for mutant in find_mutants(path)}
    assert ("-", "2  ->  3") in named
    assert {("B.c", f"1  ->  2{nth}") for nth in ("", " (2)", " (3)")} <= named
    assert ("B.c", "for one in (1, 1) if one  ->  for one in (1, 1)") in named
    assert ("B.d.e", "5  ->  6") in named
    assert ("B.d", "return e  ->  return None") in named


def test_what_is_argued_to_change_nothing_is_a_change_there_is() -> None:
    there = {mutant.name for name in GUARDS for mutant in find_mutants(ROOT / name)}
    assert argued() - there == set()


def test_it_is_seen_which_tests_come_by_a_line(tmp_path: Path) -> None:
    (tmp_path / "code_seen.py").write_text(
        "def one():\n    return 1\n\ndef two():\n    return 2\n", "utf-8"
    )
    (tmp_path / "test_seen.py").write_text(
        "import code_seen\ndef test_a(): assert code_seen.one()\n"
        "def test_b(): assert code_seen.one() < code_seen.two()\n",
        "utf-8",
    )
    found = {
        line: set(tests)
        for _, line, tests in find_footprints(
            ["code_seen.py"], tmp_path, [["test_seen.py"]]
        )
    }
    assert found[2] == {"test_seen.py::test_a", "test_seen.py::test_b"}
    assert found[5] == {"test_seen.py::test_b"}

    with pytest.raises(SystemExit, match=r"before anything is changed: test_other\.py"):
        list(find_footprints(["code_seen.py"], tmp_path, [["test_other.py"]]))


def test_the_tests_that_may_notice_a_change_are_there() -> None:
    bare = [name for name in TESTS if not list((ROOT / "tests" / name).glob("test_*"))]
    assert bare == []


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("worker/domain/money.py", "tests/method/test_split.py"),
        ("worker/method/delivery/deadlines.py", "tests/method/test_rule_deadlines.py"),
        ("worker/plan/provenance.py", "tests/plan/test_provenance.py"),
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


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda one: str(one.name))
def test_each_breakage_fits_the_code_and_leaves_code(breakage: Breakage) -> None:
    changed = break_source(breakage, ROOT)
    assert set(changed) == {edit.file for edit in breakage.edits}
    for name, text in changed.items():
        assert ast.dump(ast.parse(text)) != ast.dump(
            ast.parse((ROOT / name).read_text("utf-8"))
        )


def test_a_breakage_that_does_not_fit_is_told(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("one\ntwo\none\n", "utf-8")
    for old in ("one", "three"):
        misfit = Breakage("misfit", (Edit("code.py", old, "new"),), ())
        with pytest.raises(ValueError, match="misfit: code"):
            break_source(misfit, tmp_path)


def test_the_tests_that_guard_the_safety_code_are_there() -> None:
    guards = {arguments[0] for runs in GUARDS.values() for arguments in runs}
    guards |= {breakage.guard[0] for breakage in BREAKAGES}
    assert [name for name in GUARDS if not (ROOT / name).is_file()] == []
    for name, _, test in (guard.partition("::") for guard in guards):
        path = ROOT / name
        assert path.exists()
        assert not test or f"def {test}(" in path.read_text("utf-8")


def test_a_change_is_killed_by_a_test_that_fails_on_it_and_leaves_no_trace(
    tmp_path: Path,
) -> None:
    test = "from kept_number import FOUND\n\ndef test_it():\n    assert FOUND < 3\n"
    (tmp_path / "test_kept.py").write_text(test, "utf-8")
    (tmp_path / "kept_number.py").write_text("FOUND = 1\n", "utf-8")
    run = ("test_kept.py",)
    assert survives({"kept_number.py": "FOUND = 2\n"}, tmp_path, [run])
    assert not survives({"kept_number.py": "FOUND = 3\n"}, tmp_path, [run])
    assert (tmp_path / "kept_number.py").read_text("utf-8") == "FOUND = 1\n"
