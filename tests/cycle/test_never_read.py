"""A board of which nobody knows what stands in it: what is given once would be given wrongly, so that nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stages import Play, small_play


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as play:
        yield play


def _hide(play: Play, source: str) -> None:
    """Have Notion answer no query of a board, though it shows the board itself."""
    wanted = play.stage.bindings()[source].data_source_id.replace("-", "-?")
    match = {"path_regex": f"{wanted}/query$"}
    rule = {"kind": "404", "match": match, "times": 30}
    play.stage.notion.control("faults", {"rules": [rule]})


def test_a_first_import_waits_for_a_board_that_was_never_read(play: Play) -> None:
    _hide(play, "people")
    for _ in range(2):
        report = play.sync()
        assert [one.code for one in report.refused] == ["never-read"]
        assert play.all_keyed() == {}
        play.later(minutes=10)
    play.stage.notion.control("clear_faults", {})
    assert play.sync().refused == ()
    assert any(card.values["assignee"] for card in play.keyed("tasks"))


def test_a_first_import_waits_for_a_board_that_is_not_shown_since_it_was_made(
    play: Play,
) -> None:
    board = play.stage.bindings()["units"].database_id
    play.stage.notion.control("unshare", {"id": board})
    for _ in range(2):
        report = play.sync()
        assert [one.code for one in report.refused] == ["never-read"]
        assert "not shared" in report.refused[0].message
        assert play.all_keyed() == {}
        play.later(minutes=10)
    play.stage.notion.control("share", {"id": board})
    assert play.sync().refused == ()
    assert any(card.values["assignee"] for card in play.keyed("tasks"))


def test_a_board_that_was_read_once_holds_nothing_back_though_nothing_stood_in_it(
    play: Play,
) -> None:
    play.sync()
    for source in ("contacts", "people"):
        play.later(minutes=10)
        _hide(play, source)
        report = play.sync()
        assert "incomplete-read" in {one.code for one in report.plan.problems}
        assert report.refused == ()
        play.stage.notion.control("clear_faults", {})
