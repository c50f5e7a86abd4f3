"""Changes the code in one small place at a time and tells which changes no test notices.

    make mutants ARGS="worker/method -n 40 --seed 1"
    make mutants ARGS="worker/method/formulas/occurrences.py -n 0"
    make mutants ARGS="--safety -n 200 --seed 1"
    make mutants ARGS="--breakages"

Each mutant is one changed place in a copy of the tree, so that the tree itself is never touched: a comparison turned
or moved by one, a number off by one, `and` for `or`, a condition dropped, an answer gone. Tests run on it and stop at
the first that fails: of the safety code those that `GUARDS` names, of all other code the pure ones, those that name the
module first. With nothing changed they must pass, which is tried before. A survivor is a promise nobody checks, or a
change that changes nothing: a person tells which, and argues the latter in docs/reliability.md, where they are read.
`-n 0` takes every place there is, `--safety` every module of `GUARDS`; that fails when one survives that is not argued.
`--breakages` tries the named ones of tests/breakages.py instead, and fails when one survives.

Two things make it quick. While nothing is changed yet it is seen which tests come by which line: the quickest of those
run first, and all others only where none of them notices. And a mutant runs in a fork, which has what never changes
imported already.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import Coverage

from tests.breakages import BREAKAGES, SQLITE, Breakage, break_source

ROOT = Path(__file__).parents[1]
COPIED = ("worker", "rayline_sandbox", "rayline_demo", "tests", "mappings", "docs")
TESTS = ("domain", "method", "mapping", "plan", "pages", "charts")
PRELOADED = (
    "alembic.autogenerate",
    "alembic.command",
    "httpx",
    "hypothesis",
    "msgspec",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "structlog",
)
PATIENCE = 600
"""Seconds after which a mutant that never ends counts as noticed."""
FEW = 12
"""How many of the tests that come by a line are tried before all others."""
ARGUED = ROOT / "docs/reliability.md"
ARGUMENT = re.compile(r"^\* `(worker/\S+)`, `(\S+)`: `(.+?)`: \S", re.MULTILINE)
"""How a change that changes nothing is argued: its file, function and text, then why."""

_BUDGET_RULES = ("tests/state/test_budget_rules.py",)
_LEASE_RULES = ("tests/state/test_lease_rules.py", "-k", SQLITE)
_JOURNAL_RULES = ("tests/state/test_journal_rules.py",)
_JUDGED = (
    "tests/state/test_transitions.py",
    "-k",
    "wherever_it_begins or certainly_is_not or time_it_has_left or lease_of_days",
)
_SETTLING = ("tests/write/test_settling_rules.py",)
_STRAYS = ("tests/write/test_stray_rules.py",)
_TURNS = ("tests/write/test_turns.py",)
_PUTTING_AWAY = ("tests/write/test_putting_away_rules.py",)
_LOOKING_AGAIN = ("tests/write/test_looking_again_rules.py",)
_PLAN = ("tests/plan",)
_LIMITS = ("tests/plan/test_limits.py",)
_MERGE = ("tests/plan/test_merge.py",)
_LISTING = ("tests/mapping/test_listing.py",)
_REACH = ("tests/mapping/test_reach.py",)
_SURPLUS = ("tests/plan/test_surplus_rules.py",)
_OUTCOMES = ("tests/write/test_plan_outcomes.py",)
_MADE = ("tests/write/test_row_creations.py",)
_CHANGED = ("tests/write/test_row_updates.py",)
_PUT_AWAY = ("tests/write/test_putting_away.py",)

GUARDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "worker/state/leases.py": (_LEASE_RULES,),
    "worker/state/transitions.py": (_JUDGED,),
    "worker/state/journal.py": (_JOURNAL_RULES,),
    "worker/state/budgets.py": (_BUDGET_RULES,),
    "worker/write/settle.py": (_SETTLING,),
    "worker/write/turns.py": (_TURNS,),
    "worker/write/writer.py": (_OUTCOMES,),
    "worker/write/changes.py": (_MADE, _PUT_AWAY),
    "worker/write/bodies.py": (_MADE,),
    "worker/write/creations.py": (_MADE, _TURNS),
    "worker/write/updates.py": (_CHANGED,),
    "worker/write/surplus.py": (_PUTTING_AWAY,),
    "worker/write/strays.py": (_STRAYS,),
    "worker/write/edits.py": (_LOOKING_AGAIN,),
    "worker/plan/merge.py": (_MERGE,),
    "worker/plan/limits.py": (_LIMITS,),
    "worker/plan/surplus.py": (_SURPLUS,),
    "worker/plan/undo.py": (_PLAN,),
    "worker/world/listing.py": (_LISTING,),
    "worker/world/reach.py": (_REACH,),
}
"""The safety code, and the tests that guard each module: pytest's arguments, quick ones first."""

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
ALREADY_NO = ("None", "False")
"""Answers that nothing would say as well; the second is turned to `True` besides."""
OTHER = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}


class Mutant(NamedTuple):
    """One change of one file: the place in its tree, counted from its root, and the change's number there.

    `scope` is the function it stands in, with its class: `Journal.settle`; a module's own lines stand in `-`. Of texts
    that are alike there the second ends with `(2)`.
    """

    path: Path
    place: int
    number: int
    line: int
    scope: str
    text: str

    @property
    def name(self) -> tuple[str, str, str]:
        """Return what it is known by when lines have moved: file, function, text."""
        return self.path.relative_to(ROOT).as_posix(), self.scope, self.text


class Replace(ast.NodeTransformer):
    """Put one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the new node for the old one, any other as it is."""
        return self.new if node is self.old else self.generic_visit(node)


def find_mutants(path: Path) -> Iterator[Mutant]:
    """Yield every change of a file that the tables know."""
    tree = ast.parse(path.read_text("utf-8"))
    scopes = dict(_scopes(tree, ""))
    alike = Counter[tuple[str, str]]()
    for place, node in enumerate(walk(tree)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.comprehension):
            line = node.target.lineno
        for number, changed in enumerate(changes(node)):
            before, after = (ast.unparse(one).strip() for one in (node, changed))
            text = f"{before.splitlines()[0]}  ->  {after.splitlines()[0]}"
            scope = scopes.get(line, "-")
            alike[scope, text] += 1
            if (nth := alike[scope, text]) > 1:
                text = f"{text} ({nth})"
            yield Mutant(path, place, number, line, scope, text)


def _scopes(tree: ast.AST, outer: str) -> Iterator[tuple[int, str]]:
    """Yield each line that stands in a function, and the function; inner ones later than those around them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{outer}{node.name}"
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                for line in range(node.lineno, node.end_lineno + 1):
                    yield line, name
            yield from _scopes(node, f"{name}.")
        else:
            yield from _scopes(node, outer)


def argued() -> frozenset[tuple[str, str, str]]:
    """Return the names of the changes that are argued to change nothing."""
    return frozenset(ARGUMENT.findall(ARGUED.read_text("utf-8")))


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
        case ast.Return(ast.expr() as value) if ast.unparse(value) not in ALREADY_NO:
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()


def changed_source(mutant: Mutant) -> str:
    """Return the file's text with the one change."""
    tree = ast.parse(mutant.path.read_text("utf-8"))
    node = list(walk(tree))[mutant.place]
    new = list(changes(node))[mutant.number]
    return ast.unparse(ast.fix_missing_locations(Replace(node, new).visit(tree)))


def rounds(path: Path) -> Iterator[Sequence[str]]:
    """Yield the arguments of each run of tests: those that guard the module; of others the pure tests that name it, then
    all other pure ones."""
    relative = path.relative_to(ROOT)
    if guards := GUARDS.get(relative.as_posix()):
        yield from guards
        return
    name = ".".join(relative.with_suffix("").parts)
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


def survives(
    changed: Mapping[str, str], copy: Path, runs: Iterable[Sequence[str]]
) -> bool:
    """Tell whether all runs of tests pass on a copy in which files hold the changed texts."""
    kept = {name: (copy / name).read_text("utf-8") for name in changed}
    try:
        _put(copy, changed)
        return all(_pass(arguments, copy) for arguments in runs if arguments)
    finally:
        _put(copy, kept)


def _put(copy: Path, texts: Mapping[str, str]) -> None:
    """Write files; what was compiled goes, as two changes of one second and one length look alike to the interpreter."""
    for name, text in texts.items():
        target = copy / name
        target.write_text(text, "utf-8")
        for compiled in target.parent.glob(f"__pycache__/{target.stem}.*"):
            compiled.unlink()


class Footprints:
    """A plugin of pytest that keeps which tests come by which line, and how long each takes."""

    def __init__(self, files: Sequence[str]) -> None:
        self.coverage = Coverage(data_file=None, include=files, config_file=False)
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Let what one test comes by be told apart from what others do."""
        self.coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up how long a test takes, with what is set up for it."""
        self.seconds[report.nodeid] += report.duration

    def kept(self) -> dict[str, dict[int, list[str]]]:
        """Return, by file and line, the tests that come by, quick ones first."""
        data = self.coverage.get_data()
        return {
            file: {
                line: sorted(filter(None, tests), key=self.seconds.__getitem__)
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }


def find_footprints(
    files: Sequence[str], copy: Path, runs: Iterable[Sequence[str]]
) -> Iterator[tuple[str, int, list[str]]]:
    """Run the tests on a copy in which nothing is changed, and yield file, line, and the tests that come by it.

    Exits where one of them fails.
    """
    kept = copy / "footprints.json"
    for arguments in runs:
        if not _pass(arguments, copy, watched=[str(copy / file) for file in files]):
            told = " ".join(arguments)
            sys.exit(f"The tests fail before anything is changed: {told}")
        for file, lines in json.loads(kept.read_text("utf-8")).items():
            name = Path(file).relative_to(copy.resolve()).as_posix()
            for line, tests in lines.items():
                yield name, int(line), tests


def _pass(arguments: Sequence[str], copy: Path, watched: Sequence[str] = ()) -> bool:
    forked = multiprocessing.get_context("fork").Process(
        target=_test, args=(arguments, copy, watched)
    )
    forked.start()
    forked.join(PATIENCE)
    if forked.is_alive():
        forked.kill()
        forked.join()
    return forked.exitcode == 0


def _test(arguments: Sequence[str], copy: Path, watched: Sequence[str]) -> None:
    """Run tests of the copy, in a process of their own; what they come by in the watched files is left beside it."""
    os.setpgid(0, 0)
    os.chdir(copy)
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    for name in [name for name in sys.modules if name.partition(".")[0] in COPIED]:
        del sys.modules[name]
    sys.path[:0] = [str(copy)]
    options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    if not watched:
        os._exit(int(pytest.main([*options, *arguments])))

    footprints = Footprints(watched)
    footprints.coverage.start()
    code = pytest.main([*options, *arguments], plugins=[footprints])
    footprints.coverage.stop()
    (copy / "footprints.json").write_text(json.dumps(footprints.kept()), "utf-8")
    os._exit(int(code))


def _preload() -> None:
    """Import what no mutant changes."""
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)


def say(line: str) -> None:
    """Write a line for the person who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def try_mutants(paths: Sequence[Path], copy: Path, *, number: int, seed: int) -> bool:
    """Try a sample of the mutants of some files, print each with its fate, and tell whether none survived unargued."""
    mutants = [mutant for path in paths for mutant in find_mutants(path)]
    if 0 < number < len(mutants):
        mutants = random.Random(seed).sample(mutants, number)
    runs = {mutant.path: tuple(rounds(mutant.path)) for mutant in mutants}
    texts = {mutant: changed_source(mutant) for mutant in mutants}
    tried = {
        arguments: None for some in runs.values() for arguments in map(tuple, some)
    }
    files = [path.relative_to(ROOT).as_posix() for path in runs]
    by_line: dict[tuple[str, int], list[str]] = {}
    for name, line, tests in find_footprints(files, copy, filter(None, tried)):
        by_line.setdefault((name, line), []).extend(tests[:FEW])
    fates = Counter[str]()
    known = argued()
    for mutant in mutants:
        name, scope, _ = mutant.name
        first = by_line.get((name, mutant.line), [])
        if mutant.name in known:
            fate = "argued"
        elif survives({name: texts[mutant]}, copy, [first, *runs[mutant.path]]):
            fate = "SURVIVED"
        else:
            fate = "killed"
        fates[fate] += 1
        say(f"{fate:8} {name}:{mutant.line} {scope}: {mutant.text}")
    say(
        f"{fates['killed']} of {len(mutants)} killed, {fates['argued']} argued to change nothing"
    )
    return not fates["SURVIVED"]


def try_breakages(breakages: Sequence[Breakage], copy: Path) -> None:
    """Try each breakage, print its fate, and fail when one survives."""
    for arguments in {one.guard for one in breakages}:
        if not _pass(arguments, copy):
            sys.exit(f"The tests fail before anything is broken: {arguments}")
    survivors = []
    for one in breakages:
        alive = survives(break_source(one, ROOT), copy, [one.guard])
        say(f"{'SURVIVED' if alive else 'caught  '} {one.name}")
        survivors += [one.name] if alive else []
    say(f"{len(breakages) - len(survivors)} of {len(breakages)} caught")
    if survivors:
        sys.exit(1)


def main() -> None:
    """Try what was asked for on a copy of the tree."""
    parser = argparse.ArgumentParser("mutants", description=__doc__)
    parser.add_argument(
        "path", type=Path, nargs="*", help="folders or files of the code"
    )
    parser.add_argument("-n", type=int, default=40, help="how many; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--safety", action="store_true", help="all of the safety code")
    parser.add_argument("--breakages", action="store_true", help="the named breakages")
    asked = parser.parse_args()
    places = [Path(name) for name in GUARDS] if asked.safety else asked.path
    if not (places or asked.breakages):
        parser.error("name a path, --safety or --breakages")
    files = [
        path
        for where in (ROOT / place for place in places)
        for path in (sorted(where.rglob("*.py")) if where.is_dir() else [where])
    ]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name)
        shutil.copyfile(ROOT / "pyproject.toml", copy / "pyproject.toml")
        _preload()
        if asked.breakages:
            try_breakages(BREAKAGES, copy)
            return
        is_proven = try_mutants(files, copy, number=asked.n, seed=asked.seed)
    if asked.safety and not is_proven:
        sys.exit(1)


if __name__ == "__main__":
    main()
