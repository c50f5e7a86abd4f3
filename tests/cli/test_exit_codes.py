"""Every documented way to end, at the level of the process: its code, one sentence on stderr, nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.stages import (
    Play,
    environment,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import LONG
from worker.cli import exits
from worker.errors import Code, RenderedProblem, Severity
from worker.state import leases
from worker.state.store import Store

ROOT = Path(__file__).parents[2]
RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)
QUIET = {"RAYLINE_LOG": "CRITICAL"}


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("codes")) as found:
        write_config(found)
        yield found


@pytest.fixture
def home(play: Play, tmp_path: Path) -> Path:
    """Return a folder with a configuration that works."""
    path = tmp_path / "rayline.toml"
    path.write_text((play.folder / "rayline.toml").read_text("utf-8"), "utf-8")
    path.chmod(0o600)
    return tmp_path


def rewrite(home: Path, pattern: str, instead: str) -> None:
    path = home / "rayline.toml"
    text, count = re.subn(pattern, instead, path.read_text("utf-8"), count=1)
    assert count == 1
    path.write_text(text, "utf-8")


def with_address(address: str) -> Callable[[Path], None]:
    return lambda home: rewrite(home, r'base_url = ".*"', f'base_url = "{address}"')


def with_wrong_token(home: Path) -> None:
    (home / "wrong").write_text("ntn_wrong_but_secret")
    (home / "wrong").chmod(0o600)
    rewrite(home, r'token_file = ".*"', 'token_file = "wrong"')


def without_file(home: Path) -> None:
    (home / "rayline.toml").unlink()


def with_folder(home: Path) -> None:
    without_file(home)
    (home / "rayline.toml").mkdir()


def with_bytes(home: Path) -> None:
    (home / "rayline.toml").write_bytes(bytes(range(256)))


def with_no_toml(home: Path) -> None:
    (home / "rayline.toml").write_text("state = \n")


def as_it_is(home: Path) -> None:
    assert home.exists()


NO_CONFIG = ("status", "-c", "nowhere.toml")
CAUSES: list[tuple[str, Callable[[Path], None], tuple[str, ...], str]] = [
    ("no scheme", with_address("api.notion.com"), ("check",), "base_url"),
    ("wrong scheme", with_address("ftp://api.notion.com"), ("sync",), "base_url"),
    ("no host", with_address("https:///v1"), ("plan",), "base_url"),
    ("no port", with_address("https://host:99999"), ("plan",), "base_url"),
    ("secret in address", with_address("https://a:ntn_s@h"), ("plan",), "base_url"),
    ("unencrypted", with_address("http://example.com"), ("run",), "https"),
    ("unknown host", with_address("https://nobody.invalid"), ("sync",), "base_url"),
    ("wrong token", with_wrong_token, ("sync",), "notion.token"),
    ("unknown workspace", as_it_is, ("sync", "-w", "nope"), "studio"),
    ("unknown client", as_it_is, ("plan", "Nobody Ltd"), "Acme Bank"),
    ("unknown run", as_it_is, ("runs", "99"), "rayline runs"),
    ("no configuration", without_file, ("sync",), "rayline init"),
    ("missing configuration", as_it_is, NO_CONFIG, "--config"),
    ("folder as configuration", with_folder, ("sync",), "--config"),
    ("binary configuration", with_bytes, ("sync",), "TOML"),
    ("no TOML", with_no_toml, ("sync",), "TOML"),
    ("unknown command", as_it_is, ("syn",), "sync"),
    ("unknown option", as_it_is, ("sync", "--nope"), "--help"),
    ("missing argument", as_it_is, ("explain",), "--help"),
    ("nobody to ask", without_file, ("init",), "config.example.toml"),
]


@pytest.mark.parametrize(
    ("spoil", "words", "way_out"),
    [cause[1:] for cause in CAUSES],
    ids=[cause[0] for cause in CAUSES],
)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_waiting_does_not_mend_ends_with_2_and_one_sentence(
    home: Path,
    spoil: Callable[[Path], None],
    words: tuple[str, ...],
    way_out: str,
    language: str,
) -> None:
    if words[0] == "runs":
        Store(f"sqlite:///{home / 'state.db'}").close()
        rewrite(home, r'state = ".*"', f'state = "sqlite:///{home / "state.db"}"')
    spoil(home)
    done = rayline(*words, home=home, RAYLINE_LANG=language, **QUIET)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    told = done.stderr.strip()
    if words == ("init",):
        told = told.rpartition("\n")[2]
    assert told.count("\n") == 0, told
    assert way_out in told
    assert bool(RUSSIAN.search(told)) == (language == "ru")
    assert "Traceback" not in told
    assert "ntn_" not in told


def test_a_workspace_in_other_hands_ends_with_75(home: Path, play: Play) -> None:
    rewrite(home, r'state = ".*"', f'state = "sqlite:///{home / "state.db"}"')
    store = Store(f"sqlite:///{home / 'state.db'}")
    with leases.hold(
        store, "studio", "elsewhere:1:1", ttl=timedelta(minutes=30), now=store.now
    ):
        done = rayline("sync", home=home, **QUIET)
    store.close()
    assert (done.returncode, done.stdout) == (75, ""), done.stderr
    assert "Try again later" in done.stderr


def test_a_service_that_nobody_serves_now_ends_with_75(home: Path) -> None:
    rewrite(home, r'base_url = ".*"', 'base_url = "http://127.0.0.1:9"')
    done = rayline("check", home=home, **QUIET)
    assert (done.returncode, done.stderr) == (75, "")
    assert "nobody answers at this address" in " ".join(done.stdout.split())


def test_who_stops_reading_ends_a_command_without_a_word(home: Path) -> None:
    for words in (("plan",), ("plan", "--json"), ("--help",)):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "worker", *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LONG,
            cwd=home,
            env=environment(home, **QUIET),
            check=False,
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (141, ""), words


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_does_without_the_streams_that_are_closed(
    home: Path, closed: str
) -> None:
    rewrite(home, r'state = ".*"', f'state = "sqlite:///{home / "state.db"}"')
    Store(f"sqlite:///{home / 'state.db'}").close()
    line = f'"{sys.executable}" -m worker status {closed}'
    done = subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        timeout=LONG,
        cwd=home,
        env=environment(home, **QUIET),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_questions_that_nobody_can_answer_end_with_2(tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m worker init <&-'
    done = subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        timeout=LONG,
        cwd=tmp_path,
        env=environment(tmp_path, **QUIET),
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "nobody to ask" in done.stderr
    assert list(tmp_path.iterdir()) == []


@contextmanager
def hearing_interrupts() -> Iterator[None]:
    """Have the processes that are started end by SIGINT: whoever started this one may have had it ignored, as a shell
    does for what runs in its background, and that is inherited."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_at_a_question_ends_with_130_and_writes_nothing(
    tmp_path: Path,
) -> None:
    with hearing_interrupts():
        asking = start_asking(tmp_path)
    assert asking.stderr is not None
    seen = b""
    while b"Language of the boards" not in seen:
        byte = asking.stderr.read(1)
        assert byte, seen
        seen += byte
    asking.send_signal(signal.SIGINT)
    out, rest = asking.communicate(timeout=LONG)
    assert (asking.returncode, out) == (130, b"")
    assert b"Interrupted." in rest
    assert b"Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


def start_asking(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "worker", "init"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
        env=environment(home, RAYLINE_LANG="en", **QUIET),
    )


def test_what_a_person_interrupts_in_a_daemon_is_ended_in_good_order(
    home: Path,
) -> None:
    rewrite(home, r'state = ".*"', f'state = "sqlite:///{home / "state.db"}"')
    daemon = start_rayline("run", home=home)
    assert daemon.stderr is not None
    line = daemon.stderr.readline()
    assert line
    daemon.send_signal(signal.SIGINT)
    _, rest = daemon.communicate(timeout=LONG)
    assert daemon.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((), 0),
        ((Code.TRANSIENT, Code.POSTPONED, Code.UNKNOWN), 75),
        ((Code.TRANSIENT, Code.TOO_DESTRUCTIVE), 4),
        ((Code.TRANSIENT, Code.NEVER_READ, Code.DENIED), 2),
        ((Code.DENIED, Code.RULE_FAILED), 1),
    ],
)
def test_a_look_ends_with_the_worst_that_it_saw(
    errors: tuple[Code, ...], code: int
) -> None:
    warning = RenderedProblem(code=Code.DENIED, where="notion")
    seen = [
        RenderedProblem(code=one, where="notion", severity=Severity.ERROR)
        for one in errors
    ]
    assert exits.code_of_problems([*seen, warning]) == code


def test_the_codes_of_the_documentation_are_those_of_the_program() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    table = text.partition("## Exit codes")[2].partition("\n## ")[0]
    documented = [
        int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    ]
    published = [code for code in vars(exits).values() if isinstance(code, int)]
    assert documented == sorted(published)
