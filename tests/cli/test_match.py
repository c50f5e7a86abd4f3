"""`rayline match`: what lacks its counterpart is listed, accepted, written once and taken back like every run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.stages import (
    PITCH,
    Play,
    environment,
    one_object,
    rayline,
    small_play,
    write_config,
)
from tests.support.waiting import LONG
from worker.domain.values import Ref

DEVELOPER = 3
PITCH_CLIENT = 2
OPEN = {"en": "Nothing was written", "ru": "Ничего не записано"}


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
def play(locale: str, tmp_path: Path) -> Iterator[Play]:
    """A firm whose developer has no account yet, and whose pitch holds a key in its name."""
    with small_play(tmp_path, locale=locale) as found:
        write_config(found)
        pitch = found.page("projects", PITCH)
        found.edit("projects", pitch, name="Gamma idea (OTHER)")
        found.edit("people", found.page("people", DEVELOPER), jira_account="")
        yield found


def match(play: Play, *words: str) -> subprocess.CompletedProcess[str]:
    return rayline("match", *words, home=play.folder)


def told(play: Play, *words: str, code: int = 0) -> Mapping[str, Any]:
    done = match(play, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return one_object(done.stdout)


def cells(play: Play) -> tuple[Any, Any]:
    pitch = play.row("projects", PITCH).values["jira"]
    return pitch, play.row("people", DEVELOPER).values["jira_account"]


@pytest.mark.parametrize("locale", sorted(OPEN))
def test_what_is_sure_is_listed_written_once_and_taken_back(
    play: Play, locale: str
) -> None:
    mark = play.mark()
    listed = told(play)
    best = {one["field"]: one["candidates"][0] for one in listed["unmatched"]}
    assert best["jira"]["value"] == "OTHER"
    assert best["jira_account"]["value"] == "acc-developer"
    assert best["notion_user"]["name"] == "Am Person <am@studio.example>"
    assert all(one["sure"] for one in listed["unmatched"])
    assert listed["projects"] == ["OTHER"]
    seen = match(play, "--sure")
    assert seen.returncode == 0, seen.stderr
    assert OPEN[locale] in seen.stdout
    assert "OTHER" in seen.stdout
    assert play.writes(mark) == []

    written = told(play, "--sure", "--apply")
    assert (written["changes"]["update"], written["written"]) == (3, True)
    assert cells(play) == ("OTHER", "acc-developer")
    assert told(play, "--sure", "--apply")["accepted"] == []

    number = str(written["run_id"])
    plan = one_object(rayline("undo", number, "--json", home=play.folder).stdout)
    undone = rayline(
        *("undo", number, "--force", "--apply", plan["checksum"]), home=play.folder
    )
    assert undone.returncode == 0, undone.stderr
    assert cells(play) == ("", "")


def test_what_is_filled_in_by_hand_is_matched_and_what_is_nobodys_is_told_on_the_row(
    play: Play,
) -> None:
    pitch, developer = (play.page("projects", PITCH), play.page("people", DEVELOPER))
    play.edit("projects", pitch, client=(), jira="OTHER")
    play.edit("people", developer, jira_account="developer@studio.example")
    assert {one["field"] for one in told(play)["unmatched"]} >= {"client"}
    play.sync()
    notes = play.row("people", DEVELOPER).values["data_notes"]
    assert "“developer@studio.example” is no account's id" in notes
    assert "`rayline match`" in notes

    client = Ref("clients", play.page("clients", PITCH_CLIENT))
    play.edit("projects", pitch, client=(client,))
    play.edit("people", developer, jira_account="acc-developer")
    play.later(minutes=10)
    left = told(play)
    assert {one["field"] for one in left["unmatched"]} <= {"notion_user"}
    assert left["projects"] == []
    codes = {one.code for one in play.draw().plan.problems}
    assert "no-jira-account" not in codes


def test_answers_of_a_file_are_taken_and_unclear_ones_refused(play: Play) -> None:
    file = play.folder / "matches.toml"
    file.write_text('[projects.jira]\n"Gamma idea (OTHER)" = "BETA-3"\n', "utf-8")
    done = told(play, "--answers", "matches.toml", "--apply")
    assert [one["value"] for one in done["accepted"]] == ["BETA-3"]
    assert cells(play) == ("BETA-3", "")

    file.write_text('[people.jira_account]\n"Developer Person" = "Nobody"\n', "utf-8")
    refused = match(play, "--answers", "matches.toml", "--apply")
    assert refused.returncode == 2
    assert "Nobody" in refused.stderr
    assert cells(play) == ("BETA-3", "")


def test_at_a_terminal_a_number_other_words_and_nothing_are_answers(play: Play) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "worker", "match"],
        cwd=str(play.folder),
        env=environment(play.folder, TERM="xterm-256color"),
        encoding="utf-8",
        timeout=LONG,
        dimensions=(40, 100),
    )
    typed = iter(["some words here", "1", "", "developer@studio.example"])
    mark = play.mark()
    while child.expect([r"leave it open\): ", r"\(y/n\): "]) == 0:
        child.sendline(next(typed))
    assert play.writes(mark) == []
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert list(typed) == []
    assert cells(play) == ("OTHER", "acc-developer")
    assert play.row("people", 0).values["notion_user"] == ()
