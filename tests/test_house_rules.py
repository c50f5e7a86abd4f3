"""Rules of the house that a machine can keep: few, and each for a reason."""

from __future__ import annotations

import ast
import inspect
import io
import re
import subprocess
import sys
import textwrap
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.density import density, nested_conditionals
from tests.support.stages import environment
from tests.support.waiting import LONG
from worker import __version__
from worker.cli.commands import known_commands

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "worker", ROOT / "rayline_sandbox", ROOT / "rayline_demo")
TESTS = ROOT / "tests"
CLOCKS = frozenset(
    f"time.{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
)
PRESENT = frozenset({"datetime.datetime.now", "datetime.datetime.utcnow"})
WAITS = frozenset({"wait", "join", "communicate", "get", "result", "timeout"})
SHORT = 60
"""Seconds: an end to waiting that is nearer may come before the event on a busy machine."""
IN_TIME = frozenset(
    {
        # Nothing ever comes: it is the time-out that is waited for.
        'httpx.get(listener.url + "/x", timeout=0.2)'
    }
)
BROAD_EXCEPTS = 8
"""Places that may catch anything: the ends of processes and threads, foreign code, one change of many. Fewer is better.
"""
TYPE_IGNORES = 12
OWN = "tests/test_house_rules.py"
FOREIGN = re.compile(
    r"https?:[/]{2}[\w.-]*(?:artifactor[y]|nexu[s]|devp[i]|pyp[i]\.|pythonhoste[d]|npmj[s])"
    r"|[/](?:roo[t]|wor[k]|hom[e])[/]\w"
)


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in package.rglob("*.py"))


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


def imported(path: Path) -> dict[str, str]:
    """Return what names of a module stand for, as far as its imports tell."""
    found: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                found |= {one.asname or one.name: one.name for one in names}
            case ast.ImportFrom(module=str() as module, names=names):
                found |= {
                    one.asname or one.name: f"{module}.{one.name}" for one in names
                }
    return found


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls of a module with the full name of what is called, as far as its imports tell."""
    names = imported(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            yield node, names.get(first, f"({first})") + dot + rest


def is_within(
    node: ast.AST, kinds: type[ast.AST] | tuple[type, ...], path: Path
) -> bool:
    """Tell whether a node stands inside one of other kinds."""
    return any(
        node in ast.walk(outer)
        for outer in ast.walk(tree(path))
        if isinstance(outer, kinds)
    )


def is_hurried(call: ast.Call, name: str) -> bool:
    """Tell whether a call gives what it waits for so little time that a busy machine may not make it."""
    given = [one.value for one in call.keywords if one.arg == "timeout"]
    if name.rpartition(".")[2] in WAITS and len(call.args) == 1:
        given += call.args
    return any(
        isinstance(one, ast.Constant)
        and isinstance(one.value, int | float)
        and 0 < one.value < SHORT
        for one in given
    )


def has_deadline(call: ast.Call) -> bool:
    """Tell whether the examples of a property are to end in time."""
    given = [one.value for one in call.keywords if one.arg == "deadline"]
    return any(ast.unparse(one) != "None" for one in given)


def stopwatches(path: Path) -> list[str]:
    """Return what a test makes depend on how fast the machine is: a clock that is read, a present instant that is
    compared, a sleep that is no round of waiting for an event, a wait with a near end."""
    return [
        f"{place(path, call.lineno)}: {ast.unparse(call)}"
        for call, name in calls(path)
        if name in CLOCKS
        or name == "threading.Timer"
        or (name in PRESENT and is_within(call, ast.Compare, path))
        or (name == "hypothesis.settings" and has_deadline(call))
        or (name == "time.sleep" and not is_within(call, (ast.While, ast.For), path))
        or (
            is_hurried(call, name)
            and ast.unparse(call).replace("'", '"') not in IN_TIME
        )
    ]


def test_no_test_depends_on_how_fast_the_machine_is() -> None:
    """How long something takes is measured by `make bench`; how much work it is, by `tests.support.effort`."""
    found = [one for path in sorted(TESTS.rglob("*.py")) for one in stopwatches(path)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import time\nbegan = time.monotonic()",
        "import time as clock\nassert clock.perf_counter() < 5",
        "from time import process_time as cpu\ncpu()",
        "import time\ntime.time_ns()",
        "import time\ntime.sleep(1.5)",
        "import threading\nthreading.Timer(1, print).start()",
        "from datetime import datetime\nassert datetime.now() - began < limit",
        "process.communicate(timeout=10)",
        "thread.join(5)",
        "event.wait(timeout=0.5)",
        "from hypothesis import settings\nsettings(deadline=500)",
        "import hypothesis as h\n@h.settings(max_examples=9, deadline=LIMIT)\ndef test(): ...",
    ],
)
def test_a_stopwatch_in_a_test_is_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "test_it.py"
    path.write_text(line)
    assert len(stopwatches(path)) == 1


def test_properties_are_given_all_the_time_they_need() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check


def test_a_round_of_waiting_and_a_generous_end_are_no_stopwatch(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        "import time\nwhile not seen(): time.sleep(0.1)\n"
        "server.wait(0)\nprocess.communicate(timeout=600)\n"
        "run(clock=time.monotonic)\n', '.join(names)\n"
    )
    assert stopwatches(path) == []


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


LOCAL_ROOMS = ("worker/method", "worker/world", "worker/pages")
"""Where instants become days: only by the workspace's zone, through `local_day` and `day_begins`."""


def zoneless(path: Path) -> list[str]:
    """Return where a module takes the day of an instant, or the instant of a day, without asking for the zone."""
    return [
        place(path, call.lineno)
        for call, name in calls(path)
        if name == "datetime.datetime.combine"
        or (
            (isinstance(call.func, ast.Attribute) and call.func.attr == "date")
            and not call.args
        )
    ]


def test_no_day_is_counted_outside_the_zone_of_the_workspace() -> None:
    found = [
        one
        for room in LOCAL_ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for one in zoneless(path)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "day = issue.created.date()",
        "day = max(ends).date()",
        "from datetime import datetime, time, UTC\nbegin = datetime.combine(day, time(), UTC)",
    ],
)
def test_a_day_without_a_zone_is_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "it.py"
    path.write_text(line)
    assert len(zoneless(path)) == 1


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


DENSEST = 4.5
"""Nodes a line of code, what a reader's eye takes (structlog 3.3, httpx 3.4, starlette 4.2)."""
STILL_DENSER = {
    "rayline_demo/stories": 4.8,
    "worker/method/money": 4.59,
    "worker/method/whatif": 4.71,
    "worker/pages": 4.68,
}
"""Rooms to be thinned out: their numbers may only fall."""


@pytest.mark.parametrize(
    "room", sorted({str(path.parent.relative_to(ROOT)) for path in sources()})
)
def test_no_room_is_denser_than_a_readers_eye_takes(room: str) -> None:
    nodes, lines = density(sorted((ROOT / room).glob("*.py")))
    assert nodes <= STILL_DENSER.get(room, DENSEST) * max(lines, 1)


def test_no_conditional_expression_holds_another() -> None:
    found = [
        place(path, node.lineno)
        for path in sources()
        for node in nested_conditionals(tree(path))
    ]
    assert found == []


ANYTHING = {
    "worker/cli/commands.py:make_context": "typer's own type of it is private",
    "worker/jira/lookup.py:_issue_by_key": "the mapping makes the struct of an issue at run time",
}
"""Functions of the product that may return anything, and why."""
ANYTHING_ELSEWHERE = 44
"""Functions of the sandbox and the demo that do: what stands in JSON bodies. Fewer is better."""


def returns_anything(path: Path) -> list[str]:
    """Return the functions of a module whose callers' mistakes no type checker sees."""
    return [
        f"{path.relative_to(ROOT)}:{function.name}"
        for function in functions(path)
        if function.returns is not None
        and ast.unparse(function.returns) in ("Any", "Any | None", "None | Any")
    ]


def test_functions_of_the_product_return_something_typed() -> None:
    found = {one for path in sources() for one in returns_anything(path)}
    ours = {one for one in found if one.startswith("worker/")}
    assert ours == ANYTHING.keys()
    assert len(found - ours) <= ANYTHING_ELSEWHERE, sorted(found - ours)


MOST_PARAMETERS = 6
WIDE_DOORS = {
    "worker/cli/adopting.py:adopt": 7,
    "worker/cli/cycles.py:plan": 9,
    "worker/cli/cycles.py:sync_command": 11,
    "worker/cli/cycles.py:trigger": 8,
    "worker/cli/importing.py:import_command": 9,
    "worker/cli/init.py:init": 7,
    "worker/jira/gateway.py:__init__": 8,
    "worker/jira/search.py:search_server": 8,
    "worker/notion/gateway.py:_call": 7,
    "worker/notion/workspace.py:create_workspace": 7,
    "worker/notion/workspace.py:read_bindings": 7,
    "worker/plan/diff.py:make_plan": 8,
    "worker/plan/limits.py:check": 8,
    "worker/world/normalize.py:build_world": 10,
    "rayline_demo/cli/demo.py:_open_sandbox": 7,
    "rayline_demo/cli/demo.py:demo": 8,
    "rayline_demo/cli/demo.py:sandbox": 7,
}
"""Functions that take more than a reader keeps in mind: their numbers may only fall. Options of commands are some."""


def count_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many parameters a caller gives."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_few_functions_take_more_than_a_reader_keeps_in_mind() -> None:
    wide = {
        f"{path.relative_to(ROOT)}:{function.name}": count_parameters(function)
        for path in sources()
        if not path.is_relative_to(ROOT / "rayline_sandbox")
        for function in functions(path)
        if count_parameters(function) > MOST_PARAMETERS
    }
    assert {
        name: count for name, count in wide.items() if count > WIDE_DOORS.get(name, 0)
    } == {}
    assert [name for name in WIDE_DOORS if name not in wide] == []


VAGUE = frozenset({"found", "one", "said", "told"})
FARTHEST = 3
"""Lines from the first use of a vague name to its last: across more a reader forgets what it holds."""


def far_vague_names(path: Path) -> list[str]:
    """Return the local names of a module that say nothing of what they hold and are used far apart."""
    far = []
    for function in functions(path):
        lines: dict[str, list[int]] = {}
        for node in ast.walk(function):
            match node:
                case (
                    ast.Name(id=name)
                    | ast.arg(arg=name)
                    | ast.MatchAs(name=str() as name)
                    | ast.ExceptHandler(name=str() as name)
                ) if name in VAGUE:
                    lines.setdefault(name, []).append(node.lineno)
        far += [
            f"{place(path, min(used))}: {name}"
            for name, used in lines.items()
            if max(used) - min(used) > FARTHEST
        ]
    return far


def test_local_names_say_what_they_hold() -> None:
    assert [name for path in sources() for name in far_vague_names(path)] == []


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("found = []\n{}return found", ["found"]),
        ("for one in rows:\n{}    keep(one)", ["one"]),
        ("match row:\n    case found:\n{}        keep(found)", ["found"]),
        ("said = told = 1\n{}return said, told", ["said", "told"]),
        ("rows = []\n{}return rows", []),
        ("book.found = 1\n{}book.found += 1", []),
    ],
)
def test_a_vague_name_used_far_apart_is_found(
    lines: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for apart, is_far in ((FARTHEST, False), (FARTHEST + 1, True)):
        path = tmp_path / f"apart_{apart}.py"
        body = lines.replace("{}", "\n" * (apart - 1))
        path.write_text(f"def work():\n{textwrap.indent(body, '    ')}\n")
        named = [told.rpartition(" ")[2] for told in far_vague_names(path)]
        assert named == (names if is_far else [])


@pytest.mark.parametrize("line", ["found", "*, one", "said=None"])
def test_a_vague_parameter_used_far_down_is_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "invented.py"
    name = line.strip("*, ").partition("=")[0]
    path.write_text(f"async def work({line}):\n\n\n\n    return {name}\n")
    assert far_vague_names(path) == [f"invented.py:1: {name}"]


def cells_read_by_name(path: Path) -> list[int]:
    """Return the lines on which a module takes a cell out of a row by its name."""
    found = []
    for node in ast.walk(tree(path)):
        match node:
            case ast.Attribute(ast.Attribute(attr="fields"), attr="get"):
                found.append(node.lineno)
            case ast.Subscript(ast.Attribute(attr="fields")):
                found.append(node.lineno)
    return found


def test_rules_and_pages_read_rows_that_have_types() -> None:
    rooms = [ROOT / "worker/method", ROOT / "worker/pages"]
    files = [path for room in rooms for path in sorted(room.rglob("*.py"))]
    found = [place(path, line) for path in files for line in cells_read_by_name(path)]
    assert found == []


@pytest.mark.parametrize("line", ['row.fields.get("due")', 'row.fields["due"]'])
def test_a_cell_read_by_name_is_found(tmp_path: Path, line: str) -> None:
    module = tmp_path / "invented.py"
    module.write_text(f"due = {line}\n")
    assert cells_read_by_name(module) == [1]


@pytest.mark.parametrize("name", known_commands())
def test_every_command_says_what_it_does_in_the_words_it_is_listed_by(
    name: str,
) -> None:
    entry = known_commands()[name]
    paragraph = (inspect.getdoc(entry.load()) or "").partition("\n\n")[0]
    assert entry.help == " ".join(paragraph.split())
    assert entry.help.endswith(".")


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
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert (done.stdout, list(tmp_path.iterdir())) == ("", [])


NOT_IMPORTED = {
    "apprise": "an extra, loaded by its name when the first alert is sent",
    "editables": "hatchling needs it to install a checkout",
    "furo": "how the pages of `make docs` look",
    "hatchling": "builds the package",
    "import-linter": "a command of `make check`",
    "mypy": "a command of `make check`",
    "myst-parser": "`docs/conf.py` names it",
    "pytest-cov": "pytest loads it: `--cov`",
    "pytest-timeout": "pytest loads it: the setting `timeout`",
    "pytest-xdist": "pytest loads it: `-n`",
    "ruff": "a command of `make check`",
    "sphinx": "a command of `make docs`",
    "tzdata": "time zones, where the system has none",
}
"""What is declared and never imported, each with what it is for; stubs of types (`types-`) go without saying."""


def declared_dependencies() -> set[str]:
    """Return the distributions that the project asks for, with every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        asked += extra
    return {str(canonicalize_name(Requirement(one).name)) for one in asked}


def imported_distributions() -> set[str]:
    """Return the distributions of which the product, its tests or benchmarks import a module."""
    owners = packages_distributions()
    found: set[str] = set()
    for folder in (*PACKAGES, TESTS, ROOT / "benchmarks"):
        for path in folder.rglob("*.py"):
            modules = {name.partition(".")[0] for name in imported(path).values()}
            for module in modules:
                found |= {str(canonicalize_name(one)) for one in owners.get(module, ())}
    return found


def test_every_dependency_is_imported_or_needed_by_name() -> None:
    declared = {
        name for name in declared_dependencies() if not name.startswith("types-")
    }
    used = imported_distributions()
    assert sorted(declared - used - set(NOT_IMPORTED)) == []
    assert sorted(set(NOT_IMPORTED) - (declared - used)) == []


def test_stubs_are_of_what_is_imported() -> None:
    modules = {
        name.partition(".")[0].casefold()
        for folder in (*PACKAGES, TESTS)
        for path in folder.rglob("*.py")
        for name in imported(path).values()
    }
    stubs = {
        name.removeprefix("types-"): name
        for name in declared_dependencies()
        if name.startswith("types-")
    }
    of = {"pyyaml": "yaml"}
    assert [
        name for part, name in stubs.items() if of.get(part, part) not in modules
    ] == []


def mentions_of_tests(path: Path) -> Iterator[int]:
    """Yield the lines at which a module imports the tests or names a file of theirs."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                if any(one.name.partition(".")[0] == "tests" for one in names):
                    yield node.lineno
            case ast.ImportFrom(module=str() as module):
                if module.partition(".")[0] == "tests":
                    yield node.lineno
            case ast.Constant(value=str() as text):
                if re.search(r"(?<![\w/.-])tests(?:/|$)", text):
                    yield node.lineno


def test_no_product_file_reads_the_tests() -> None:
    found = [
        place(path, line) for path in sources() for line in mentions_of_tests(path)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import tests",
        "import os, tests.support.stages",
        "from tests.support import stages",
        "open('tests/data/a.json')",
        "ROOT / 'tests' / 'data'",
        "path = f'tests/{name}'",
    ],
)
def test_a_product_file_that_reads_the_tests_is_found(
    line: str, tmp_path: Path
) -> None:
    path = tmp_path / "it.py"
    path.write_text(line)
    assert list(mentions_of_tests(path)) == [1]


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
