"""Two installations on one workspace: one keeps the boards, the other is told so before it writes anything."""

from __future__ import annotations

import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.stages import (
    Play,
    one_object,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import LONG
from worker.cycle.context import Mode
from worker.cycle.ownership import OWN_LINE, claim_boards
from worker.errors import ConfigError, Transient
from worker.ports.notion import Notion

OTHER = "other-installation"
LINE = "rayline-owner:"
QUICK = {"timeout": 4.0}
"""Settings of Notion under which an answer that never comes is soon not waited for."""


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def lines(play: Play) -> list[dict[str, Any]]:
    """Return the blocks of the root page that name an installation."""
    context = play.stage.context
    blocks = context.notion.children(context.settings.notion.root_page_id)
    return [block for block in blocks if LINE in str(block)]


def text_of(block: dict[str, Any]) -> str:
    runs = block[block["type"]]["rich_text"]
    return "".join(run["plain_text"] for run in runs)


def refused(play: Play, **order: Any) -> str:
    """Return why a cycle could not be."""
    with pytest.raises(ConfigError) as caught:
        play.sync(**order)
    assert [problem.code for problem in caught.value.problems] == [OTHER]
    return str(caught.value)


def take_over(play: Play) -> None:
    context = play.stage.context
    claim_boards(context, context.notion, take_over=True)


def doubled(play: Play) -> dict[str, int]:
    keys = Counter(str(one.values["worker_key"]) for one in play.all_keyed().values())
    return {key: number for key, number in keys.items() if number > 1}


def change(play: Play) -> None:
    """Let something happen that is to be written."""
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})


def test_a_second_installation_is_refused_before_any_write_with_the_others_name(
    play: Play,
) -> None:
    play.sync()
    before = play.all_keyed().keys()
    mark = play.mark()
    other = play.newcomer()
    told = refused(other)
    assert "studio@" in told
    assert "2026-11-18 06:40 UTC" in told
    assert refused(other, force=True)
    assert (play.writes(mark), play.all_keyed().keys()) == ([], before)


def test_a_second_installation_that_has_nothing_to_write_is_told_as_well(
    play: Play,
) -> None:
    play.sync()
    refused(play.newcomer(), mode=Mode.DELTA)


def test_boards_are_taken_over_at_a_persons_word_and_the_one_before_writes_no_more(
    play: Play,
) -> None:
    play.sync()
    other = play.newcomer()
    take_over(other)
    other.sync()
    assert doubled(play) == {}
    assert len(lines(play)) == 1
    change(play)
    mark = play.mark()
    refused(play, mode=Mode.DELTA)
    assert play.writes(mark) == []
    assert other.sync(Mode.DELTA).applied.counts()["update"] > 0
    take_over(play)
    play.sync()
    change(play)
    refused(other)


def test_a_state_that_is_moved_or_restored_stays_the_owner(
    play: Play, tmp_path: Path
) -> None:
    play.sync()
    play.stage.store.close()
    shutil.copyfile(tmp_path / "rayline.db", tmp_path / "moved.db")
    change(play)
    assert play.reopened("moved.db").sync().applied.counts()["update"] > 0


def test_an_installation_that_wrote_nothing_for_long_is_followed_without_a_word(
    play: Play,
) -> None:
    play.sync()
    play.later(days=29)
    refused(play.newcomer())
    play.later(days=2)
    other = play.newcomer()
    other.sync(force=True)
    assert doubled(play) == {}
    refused(play, force=True)


def test_the_line_is_renewed_once_a_day_and_only_by_a_cycle_that_writes(
    play: Play,
) -> None:
    play.sync()
    first = text_of(lines(play)[0])
    play.later(hours=20)
    play.sync()
    play.later(days=1, hours=2)
    assert play.sync(dry_run=True).plan.changes
    assert text_of(lines(play)[0]) == first
    play.sync()
    assert text_of(lines(play)[0]) != first
    mark = play.mark()
    play.sync()
    assert play.writes(mark) == []


@pytest.mark.parametrize("year", ["2099", "9999", "0001"])
def test_a_line_with_a_day_that_cannot_be_is_set_right_by_the_next_cycle_that_writes(
    play: Play, year: str
) -> None:
    play.sync()
    [line] = lines(play)
    notion = play.stage.context.notion
    typed = re.sub(r"\b2026-", f"{year}-", text_of(line))
    runs = [{"type": "text", "text": {"content": typed}}]
    notion.update_block(line["id"], {line["type"]: {"rich_text": runs}})
    assert f"{year}-" in text_of(lines(play)[0])
    change(play)
    report = play.sync(Mode.DELTA)
    assert not report.failures()
    [line] = lines(play)
    assert " 2026-" in text_of(line)


def test_an_idle_cycle_does_not_look_at_the_line(play: Play) -> None:
    play.sync()
    play.sync(Mode.DELTA)
    mark = play.mark()
    play.sync(Mode.DELTA)
    assert [one for one in play.reads(mark) if "/children" in one.path] == []


def test_a_line_that_was_deleted_is_put_back_and_told(play: Play) -> None:
    play.sync()
    play.stage.context.notion.delete_block(lines(play)[0]["id"])
    change(play)
    report = play.sync(Mode.DELTA)
    assert "owner-line" in {problem.code for problem in report.problems()}
    assert len(lines(play)) == 1
    refused(play.newcomer())


@pytest.mark.parametrize("kind", ["quote", "heading_2", "bulleted_list_item", "to_do"])
def test_a_line_that_people_retyped_or_wrote_around_still_names_its_owner(
    play: Play, kind: str
) -> None:
    play.sync()
    [line] = lines(play)
    notion, said = play.stage.context.notion, text_of(line)
    notion.delete_block(line["id"])
    typed = {"rich_text": [{"type": "text", "text": {"content": f"→ {said} (Ann?)"}}]}
    root = play.stage.context.settings.notion.root_page_id
    notion.append_children(root, [{"object": "block", "type": kind, kind: typed}])
    change(play)
    report = play.sync(Mode.DELTA)
    assert "owner-line" not in {problem.code for problem in report.problems()}
    assert len(lines(play)) == 1
    refused(play.newcomer())


def test_boards_of_an_older_version_are_taken_without_a_word(play: Play) -> None:
    play.sync()
    play.stage.context.notion.delete_block(lines(play)[0]["id"])
    with play.stage.store.transaction("studio") as tx:
        OWN_LINE.save(tx, "")
    change(play)
    report = play.sync()
    assert "owner-line" not in {problem.code for problem in report.problems()}
    assert len(lines(play)) == 1


def test_a_refused_plan_and_a_look_leave_no_line(play: Play) -> None:
    play.draw()
    assert play.sync(dry_run=True).plan.changes
    assert play.sync(checksum="0").refused
    assert lines(play) == []


def test_of_two_that_both_added_a_line_the_first_keeps_the_boards(play: Play) -> None:
    first, late = play.stage.context, play.newcomer()
    claim_boards(first, first.notion)
    [line] = lines(play)
    root = first.settings.notion.root_page_id
    said = text_of(line).replace(LINE, f"{LINE}0123456789abcdef ", 1)
    typed = {"rich_text": [{"type": "text", "text": {"content": said}}]}
    block = {"object": "block", "type": "paragraph", "paragraph": typed}
    first.notion.append_children(root, [block])
    assert claim_boards(first, first.notion) == ()
    refused(late)


class Meeting:
    """A way to Notion on which two installations both look at the page before either writes."""

    def __init__(self, notion: Notion, meeting: threading.Barrier) -> None:
        self._notion = notion
        self._meeting: threading.Barrier | None = meeting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._notion, name)

    def children(self, block_id: str) -> tuple[dict[str, Any], ...]:
        seen = self._notion.children(block_id)
        meeting, self._meeting = self._meeting, None
        if meeting is not None:
            meeting.wait(LONG)
        return seen


def test_of_two_that_find_the_page_free_at_once_exactly_one_keeps_it(
    play: Play,
) -> None:
    meeting = threading.Barrier(2)

    def claim(one: Play) -> str:
        context = one.stage.context
        way: Any = Meeting(context.notion, meeting)
        try:
            claim_boards(context, way)
        except ConfigError:
            return "refused"
        return "kept"

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(claim, (play, play.newcomer())))
    assert sorted(ended) == ["kept", "refused"]
    assert len(lines(play)) == 1
    change(play)
    owner, other = play, play
    if ended[0] == "refused":
        with pytest.raises(ConfigError):
            owner.sync()
    else:
        assert other.sync().applied.failures == ()


@pytest.mark.parametrize("outcome", ["hang_after", "hang_before", "reset_after"])
def test_a_line_whose_outcome_is_unknown_is_not_added_twice(
    play: Play, outcome: str
) -> None:
    match = {"method": "PATCH", "path_regex": "/children$", "nth": 1}
    rule = {"kind": outcome, "match": match, "times": 1}
    play.stage.notion.control("faults", {"rules": [rule]})
    quick = play.reopened("rayline.db", QUICK)
    with suppress(Transient):
        quick.sync()
    assert quick.sync().applied.failures == ()
    assert len(lines(play)) == 1
    assert doubled(play) == {}


def _config(play: Play, name: str) -> Path:
    return write_config(play, name=f"{name}.toml", state=f"{name}.db")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", "hang_after"])
def test_of_two_processes_that_start_at_once_on_a_fresh_workspace_one_writes(
    play: Play, fault: str
) -> None:
    if fault:
        match = {"method": "PATCH", "path_regex": "/children$", "nth": 1}
        rule = {"kind": fault, "match": match, "times": 1}
        play.stage.notion.control("faults", {"rules": [rule]})
    configs = [_config(play, name) for name in ("left", "right")]
    with ExitStack() as stack:
        both = []
        for config in configs:
            words = ("sync", "--json", "-c", str(config))
            process = start_rayline(*words, home=play.folder)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            both.append(process)
        told = [process.communicate(timeout=LONG) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes == [0, 2], told
    assert doubled(play) == {}
    assert len(lines(play)) == 1
    loser = next(
        config for config, one in zip(configs, both, strict=True) if one.returncode
    )
    ended = rayline("sync", "--json", "-c", str(loser), home=play.folder)
    assert ended.returncode == 2
    assert OTHER in ended.stdout
    ended = rayline("init", "--json", "-c", str(loser), home=play.folder)
    assert (ended.returncode, OTHER in ended.stdout) == (2, True)
    asked = ("init", "--take-over", "--json", "-c", str(loser))
    ended = rayline(*asked, home=play.folder)
    assert ended.returncode == 0, ended.stderr
    assert one_object(ended.stdout)["workspace"] == "studio"
