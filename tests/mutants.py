"""Changes the code in one small place at a time and tells which changes no test notices.

    make mutants ARGS="worker/method -n 40 --seed 1"
    make mutants ARGS="worker/method/formulas/occurrences.py -n 0"

Each mutant is one changed place in a copy of the tree, so that the tree itself is never touched: a comparison turned
or moved by one, a number off by one, `and` for `or`, a condition dropped, an answer gone. The pure tests run on it, those
that name the module first, and stop at the first that fails. With nothing changed they must pass, which is tried
before. A survivor is a promise nobody checks, or a change that changes nothing: a person tells which. `-n 0` takes
every place there is.
"""

from __future__ import annotations

import argparse
import ast
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COPIED = ("worker", "rayline_sandbox", "rayline_demo", "tests", "mappings")
TESTS = ("domain", "method", "mapping", "plan", "pages", "charts")
PATIENCE = 600
"""Seconds after which a mutant that never ends counts as noticed."""

TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
OTHER = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}


class Mutant(NamedTuple):
    """One change of one file: the place in its tree, counted from its root, and the change's number there."""

    path: Path
    place: int
    number: int
    line: int
    text: str


class Replace(ast.NodeTransformer):
    """Put one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the new node for the old one, any other as it is."""
        return self.new if node is self.old else self.generic_visit(node)


def find_mutants(path: Path) -> Iterator[Mutant]:
    """Yield every change of a file that the tables know."""
    for place, node in enumerate(walk(ast.parse(path.read_text("utf-8")))):
        for number, changed in enumerate(changes(node)):
            before, after = (ast.unparse(one).strip() for one in (node, changed))
            told = f"{before.splitlines()[0]}  ->  {after.splitlines()[0]}"
            yield Mutant(path, place, number, getattr(node, "lineno", 0), told)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that say what is done; how things are declared and kept says nothing a test could see."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        if isinstance(node, ast.ClassDef) and name == "keywords":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from walk(child)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    match node:
        case ast.Compare(left, [one, *more], comparators):
            for turned in TURNED[type(one)]:
                yield ast.Compare(left, [turned(), *more], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for index in range(len(values)):
                kept = values[:index] + values[index + 1 :]
                yield kept[0] if len(kept) == 1 else ast.BoolOp(op, kept)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in SWAPPED:
            yield ast.BinOp(left, SWAPPED[type(op)](), right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(ast.Name(name), arguments, keywords) if name in OTHER:
            known = [] if name == "sorted" else keywords
            yield ast.Call(ast.Name(OTHER[name]), arguments, known)
        case ast.IfExp(_, body, otherwise):
            yield body
            yield otherwise
        case ast.comprehension(target, source, conditions, is_async) if conditions:
            yield ast.comprehension(target, source, conditions[1:], is_async)
        case ast.If(_, body, otherwise):
            yield ast.If(ast.Constant(True), body, otherwise)
            yield ast.If(ast.Constant(False), body, otherwise)
        case ast.Return(ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()


def changed_source(mutant: Mutant) -> str:
    """Return the file's text with the one change."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    node = list(walk(tree))[mutant.place]
    new = list(changes(node))[mutant.number]
    return ast.unparse(ast.fix_missing_locations(Replace(node, new).visit(tree)))


def rounds(path: Path) -> Iterator[list[str]]:
    """Yield the pure tests that name the module, then all others."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    name = name.removesuffix(".__init__")
    files = [
        found
        for folder in TESTS
        for found in sorted((ROOT / "tests" / folder).glob("test_*.py"))
    ]
    for is_named in (True, False):
        yield [
            str(found.relative_to(ROOT))
            for found in files
            if (name in found.read_text("utf-8")) is is_named
        ]


def survives(mutant: Mutant, copy: Path) -> bool:
    """Tell whether all tests pass on a copy with this change."""
    target = copy / mutant.path.relative_to(ROOT)
    target.write_text(changed_source(mutant), "utf-8")
    _forget(target)
    try:
        return all(_pass(files, copy) for files in rounds(mutant.path) if files)
    finally:
        shutil.copyfile(mutant.path, target)
        _forget(target)


def _forget(target: Path) -> None:
    """Remove what was compiled: two changes of one second and one length look alike to the interpreter."""
    for compiled in target.parent.glob(f"__pycache__/{target.stem}.*"):
        compiled.unlink()


def _pass(files: list[str], copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        ended = subprocess.run(
            [*command, *files],
            cwd=copy,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def say(line: str) -> None:
    """Write a line for the person who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Try the mutants asked for and print each with its fate."""
    parser = argparse.ArgumentParser("mutants", description=__doc__)
    parser.add_argument("path", type=Path, help="a folder or file of the pure layers")
    parser.add_argument("-n", type=int, default=40, help="how many; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    where = (ROOT / asked.path).resolve()
    files = sorted(where.rglob("*.py")) if where.is_dir() else [where]
    found = [mutant for path in files for mutant in find_mutants(path)]
    if 0 < asked.n < len(found):
        found = random.Random(asked.seed).sample(found, asked.n)
    survived = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name)
        shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
        if not _pass([f"tests/{name}" for name in TESTS], copy):
            sys.exit("The tests fail before anything is changed.")
        for mutant in found:
            alive = survives(mutant, copy)
            survived += alive
            fate = "SURVIVED" if alive else "killed  "
            where = mutant.path.relative_to(ROOT)
            say(f"{fate} {where}:{mutant.line}: {mutant.text}")
    say(f"{len(found) - survived} of {len(found)} killed")


if __name__ == "__main__":
    main()
