"""Every command that the documents show is one the program takes; those that look, write or keep are run on an agency."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.documents import DOCUMENTS, ROOT, code
from tests.support.stages import Play, rayline, small_play, write_config
from worker.cli.commands import LazyCommand, known_commands
from worker.errors import ConfigError

SHELLS = frozenset({"sh", "cron", "text", ""})
PAGES = [page for page in DOCUMENTS if page.name != "CHANGELOG.md"]
"""The log of changes speaks of what was, too."""
COMMAND = re.compile(r"(?:^|\*  )(rayline|make) (.+)")
STANDS_FOR = {
    "NAME": "studio",
    "FILE": "copy.db",
    "RUN": "1",
    "N": "1",
    "CLIENT": "Acme Bank",
    "ROW": "Acme portal",
    "ROW#field": "Acme portal#p85",
    "ROW[#field]": "Acme portal#p85",
    "Airline app#p85": "Acme portal#p85",
    "--client NAME": "Acme Bank",
}
"""What is put in the place of words that stand for something else."""
ELSEWHERE = {
    "init": "tests/cli/test_quickstart.py",
    "adopt": "tests/adoption/test_adopt_command.py",
    "run": "tests/cli/test_quickstart.py",
    "demo": "tests/demo",
    "sandbox": "tests/cli/test_sandbox_command.py",
    "fleet": "tests/fleet",
    "console": "tests/web",
    "import": "tests/cli/test_import.py",
    "feed": "tests/web/test_feed.py",
    "notify": "tests/cli/test_notify.py",
}
"""Commands that ask a person, go on until they are ended, or need more than boards; and where they are run."""
ENDS = {"rayline restore": 2, "rayline explain": 2}
"""Names of commands that want an argument."""
ORDER = ("sync", "check", "plan", "backup", "restore")
"""What has to come first; all others may come in any order."""


@cache
def shown() -> dict[str, tuple[str, ...]]:
    """Return every command line of the documents with the places that show it."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        for one in code(page.read_text("utf-8")):
            if one.kind.split(" ")[0] in SHELLS:
                place = f"{page.relative_to(ROOT)}:{one.line}"
                for line in _command_lines(one.text):
                    found.setdefault(line, []).append(place)
    return {line: tuple(places) for line, places in found.items()}


def _command_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if match := COMMAND.search(line):
            yield f"{match[1]} {match[2].partition('  #')[0].strip()}"


def words_of(line: str) -> list[str]:
    """Return what follows `rayline` on a command line, with something real for what stands for it."""
    words = shlex.split(line)[1:]
    plain = [word.strip("[]") if word[:1] == "[" else word for word in words]
    return [
        STANDS_FOR.get(f"{before} {word}", STANDS_FOR.get(word, word))
        for before, word in pairwise(["", *plain])
    ]


def program_lines() -> list[str]:
    return sorted(line for line in shown() if line.startswith("rayline "))


def refusal(line: str) -> str:
    """Return why the program would not take a command line, empty when it would; a name alone speaks of the command."""
    name, *rest = words_of(line)
    if name not in known_commands():
        return f"{name} is no command"
    if not rest:
        return ""
    try:
        LazyCommand(name, known_commands()[name]).make_context(name, rest)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("line", program_lines())
def test_every_command_line_is_one_that_the_program_takes(line: str) -> None:
    assert refusal(line) == "", shown()[line]


@pytest.mark.parametrize(
    "line",
    ["rayline synk", "rayline sync --onli x", "rayline undo NAME", "rayline runs a b"],
)
def test_a_command_line_that_it_would_not_take_is_found(line: str) -> None:
    assert refusal(line)


def test_every_target_of_make_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    given = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    for line, places in shown().items():
        if line.startswith("make "):
            target, *more = shlex.split(line)[1:]
            assert target in known, places
            assert {word.partition("=")[0] for word in more} <= given, places


def test_what_is_not_run_here_is_run_where_it_is_said() -> None:
    assert ELSEWHERE.keys() <= known_commands().keys()
    for name, place in ELSEWHERE.items():
        path = ROOT / place
        files = [path] if path.is_file() else sorted(path.glob("test_*.py"))
        texts = "".join(file.read_text("utf-8") for file in files)
        assert f'"{name}"' in texts, place


def _place_in_order(line: str) -> tuple[int, str]:
    name = words_of(line)[0]
    return (ORDER.index(name) if name in ORDER else len(ORDER), line)


@pytest.mark.slow
def test_every_command_line_that_needs_no_more_than_an_agency_is_run(
    tmp_path: Path,
) -> None:
    lines = [line for line in program_lines() if words_of(line)[0] not in ELSEWHERE]
    lines.sort(key=_place_in_order)
    with small_play(tmp_path) as play:
        config = write_config(play)
        ran = {line: _run(play, line, config) for line in lines}
    assert {line: told for line, told in ran.items() if told} == {}
    assert {words_of(line)[0] for line in ran} | ELSEWHERE.keys() == {*known_commands()}


def _run(play: Play, line: str, config: Path) -> str:
    """Run a command line as it stands; return what it said where it ended otherwise than it may."""
    words = words_of(line)
    if "-c" in words:
        words[words.index("-c") + 1] = str(config)
    done = rayline(*words, home=play.folder)
    if done.returncode == ENDS.get(line, 0):
        return ""
    return f"{done.returncode}: {done.stderr}"
