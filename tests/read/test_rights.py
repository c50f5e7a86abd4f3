"""Reading cannot write: what `worker.read` is given has no call that changes anything, by type."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, get_type_hints

import pytest

import worker.ports.notion
import worker.ports.tracker
import worker.read
from tests.support.typing_checks import check_types
from worker.ports.notion import (
    BlockReader,
    BlockWriter,
    BoardAdmin,
    BoardReader,
    RowReader,
    RowWriter,
)
from worker.ports.tracker import Tracker

ROOT = Path(__file__).parents[2]
READERS = (RowReader, BlockReader, BoardReader, Tracker)
PORTS = (worker.ports.notion, worker.ports.tracker)
MODULES = sorted(path.stem for path in Path(worker.read.__path__[0]).glob("[a-z]*.py"))


def calls_of(port: type) -> set[str]:
    """Return the names of what can be asked of a port."""
    return {
        name
        for name, _ in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    }


READING = set[str]().union(*map(calls_of, READERS))
WRITING = set[str]().union(*map(calls_of, (RowWriter, BlockWriter, BoardAdmin)))
WRITING -= READING


def test_the_writing_calls_are_those_that_change_something() -> None:
    changing = re.compile(r"create|update|archive|shelve|append|delete|upload")
    assert {name for name in WRITING if changing.match(name)} == WRITING - {
        "me",
        "views",
        "view_ids",
    }
    assert [name for name in READING if changing.match(name)] == []


def ports_in(module: str) -> Iterator[tuple[str, type]]:
    """Yield the ports a module of `worker.read` knows, by the name it knows them by."""
    for name, value in vars(importlib.import_module(f"worker.read.{module}")).items():
        if inspect.isclass(value) and Protocol in value.__mro__:
            yield name, value


@pytest.mark.parametrize("module", MODULES)
def test_no_module_that_reads_knows_a_port_that_writes(module: str) -> None:
    known = dict(ports_in(module))
    assert {name: calls_of(port) & WRITING for name, port in known.items()} == {
        name: set() for name in known
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_port_a_reading_function_is_given_is_a_reader(module: str) -> None:
    found = importlib.import_module(f"worker.read.{module}")
    given = {
        f"{name}({parameter})": hint
        for name, function in inspect.getmembers(found, inspect.isfunction)
        if function.__module__ == found.__name__
        for parameter, hint in get_type_hints(function).items()
        if parameter in ("notion", "jira")
    }
    assert {place: hint for place, hint in given.items() if hint not in READERS} == {}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_that_reads_makes_itself_a_gateway(module: str) -> None:
    tree = ast.parse((ROOT / f"worker/read/{module}.py").read_text("utf-8"))
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert imported & {"worker.notion.gateway", "worker.jira.gateway"} == set()


def test_the_type_checker_refuses_every_writing_call_of_a_reader(
    tmp_path: Path,
) -> None:
    asked = [(port, call) for port in READERS for call in sorted(WRITING)]
    lines = [
        "from worker.ports.notion import BlockReader, BoardReader, RowReader",
        "from worker.ports.tracker import Tracker",
        "def ask(*_: object) -> None: ...",
        "def read(block: BlockReader, board: BoardReader, row: RowReader) -> None:",
        "    ask(block.children, board.data_source, row.query)",
        *(
            f"def {port.__name__}_{call}(port: {port.__name__}) -> None: ask(port.{call})"
            for port, call in asked
        ),
    ]
    report = check_types(lines, tmp_path)
    refused = re.findall(r'"(\w+)" has no attribute "(\w+)"', report)
    assert refused == [(port.__name__, call) for port, call in asked], report
