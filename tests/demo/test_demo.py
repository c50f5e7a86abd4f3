"""`rayline demo` in a process of its own, in an empty home; and that its checks would tell if the worker failed."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from rayline_demo.acts import Expected, HumanEdits
from rayline_demo.board import living
from rayline_demo.checks import (
    WANTED,
    duplicates,
    is_cascade_exact,
    is_progress_true,
    lost,
    writes,
)
from rayline_demo.stage import write_configuration
from tests.support.stages import (
    ACME,
    Play,
    environment,
    one_object,
    rayline,
    small_play,
    start_rayline,
)
from tests.support.waiting import LONG, end
from worker.mapping.schema import KEY_PROPERTY


def test_other_terminals_reach_a_demo_by_its_configuration(tmp_path: Path) -> None:
    with small_play(tmp_path, private=True) as play:
        play.sync()
        file = write_configuration(play.stage, tmp_path)
        status = rayline("status", "-c", str(file), "--json", home=tmp_path)
        assert one_object(status.stdout)["last_run"]["status"] == "done"
        planned = rayline("plan", "-c", str(file), "--json", home=tmp_path)
        assert planned.returncode == 0, planned.stderr
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["ru", "en"])
def test_one_command_shows_the_main_job_on_a_fresh_machine(
    tmp_path: Path, locale: str
) -> None:
    done = rayline(
        "demo",
        "--once",
        "--json",
        "--locale",
        locale,
        home=tmp_path,
        LC_ALL=f"{locale}.UTF-8",
    )
    shown = one_object(done.stdout)
    assert done.returncode == 0, done.stderr[-2000:]
    assert shown.keys() == {"first", "second", "third", "checks"}
    assert shown["checks"] == WANTED
    for name in ("first", "second", "third"):
        assert shown[name].keys() == {
            "run_id",
            "workspace",
            "seconds",
            "requests",
            "changes",
            "kept",
            "conflicts",
            "problems",
            "refused",
        }
        assert shown[name]["refused"] is None
    assert shown["first"]["changes"]["create"] > 100
    assert shown["second"]["changes"]["update"] > 0
    assert shown["third"]["changes"] == {
        "create": 0,
        "update": 0,
        "archive": 0,
        "sections": 0,
    }
    assert {"en": "its minute lasts 2 s", "ru": "минута длится 2 с"}[
        locale
    ] in done.stderr
    assert done.stderr.count("\n") < 60, "a demo is read by people"


def test_a_running_demo_shows_its_boards_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    process = start_rayline("demo", home=tmp_path, LC_ALL="C")
    assert process.stderr is not None
    lines: list[str] = []
    while not any(line.startswith("Boards:") for line in lines):
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    address = lines[-1].split()[1]
    assert (
        "<html" in urllib.request.urlopen(address, timeout=LONG).read().decode().lower()
    )
    end(process, signal.SIGINT)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_the_stage_is_set_ends_it_too(tmp_path: Path) -> None:
    process = start_rayline("demo", home=tmp_path)
    assert process.stderr is not None
    process.stderr.readline()
    end(process, signal.SIGINT)
    assert process.returncode == 0


def test_progress_is_drawn_where_a_person_watches(tmp_path: Path) -> None:
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", "demo"],
        stdout=inner,
        stderr=inner,
        stdin=inner,
        cwd=tmp_path,
        env=environment(tmp_path, TERM="xterm", COLUMNS="100"),
    )
    os.close(inner)
    seen = b""
    try:
        while b"databases" not in seen:
            ready, _, _ = select.select([outer], [], [], LONG)
            assert ready, seen[-2000:]
            seen += os.read(outer, 4096)
            assert b"Boards:" not in seen, seen[-2000:]
    finally:
        process.kill()
        process.wait(LONG)
        os.close(outer)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("checks")) as found:
        found.sync()
        yield found


def test_the_checks_are_content_with_an_honest_worker(play: Play) -> None:
    stage = play.stage
    assert duplicates(stage) == 0
    assert is_cascade_exact(living(stage, "plans"))
    assert is_progress_true(stage)


def test_a_row_made_twice_is_counted(play: Play) -> None:
    stage, risk = play.stage, play.keyed("risks")[0]
    binding = stage.bindings()["risks"]
    made = stage.context.notion.create_page(
        binding.data_source_id,
        {
            binding.properties[KEY_PROPERTY]: {
                "rich_text": [{"text": {"content": risk.values["worker_key"]}}]
            }
        },
    )
    assert duplicates(stage) == 1
    stage.notion.control("delete_forever", {"id": made.id})
    copy = stage.notion.control("duplicate", {"page_id": risk.page_id})
    assert duplicates(stage) == 0
    stage.notion.control("delete_forever", {"id": copy["id"]})


def test_an_overwritten_value_a_lost_copy_and_a_row_come_back_are_told(
    play: Play,
) -> None:
    task, other = play.keyed("tasks")[:2]
    kept = Expected("tasks", task.page_id, "name", task.values["name"], "left as it is")
    gone = Expected(
        "tasks", task.page_id, "name", "what the person wrote", "a task is rewritten"
    )
    deeds = HumanEdits(
        [kept, gone], ["no-such-copy"], [("tasks", str(other.values["worker_key"]))]
    )
    told = lost(play.stage, deeds)
    assert len(told) == 3
    assert told[0].startswith("a task is rewritten")


def test_a_plan_that_does_not_add_up_is_told(play: Play) -> None:
    week = next(
        card for card in play.keyed("plans") if "-W" in str(card.values["worker_key"])
    )
    play.edit("plans", week.page_id, target=Decimal("0.01"))
    assert not is_cascade_exact(living(play.stage, "plans"))
    assert not is_cascade_exact(())
    play.edit("plans", week.page_id, target=week.values["target"])


def test_a_progress_that_is_not_so_is_told(play: Play) -> None:
    play.edit("projects", play.page("projects", ACME), progress=Decimal("0.81"))
    assert not is_progress_true(play.stage)
    play.edit("projects", play.page("projects", ACME), progress=Decimal("0.8"))


def test_every_write_of_the_connection_counts(play: Play) -> None:
    mark = play.mark()
    play.stage.context.notion.update_page(play.page("projects", ACME), {})
    assert writes(play.stage, mark) == 1
