"""`rayline undo`: looked at first, applied by its checksum, and the workspace paused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stages import Play, one_object, rayline, small_play, write_config

LANGUAGES = {
    "en": ("Nothing was written.", "paused"),
    "ru": ("Ничего не записано.", "на паузе"),
}


@pytest.fixture(params=sorted(LANGUAGES))
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path, locale=request.param) as found:
        write_config(found)
        yield found


def test_a_run_is_looked_at_and_then_taken_back_as_it_was_looked_at(play: Play) -> None:
    home = play.folder
    looked, paused = LANGUAGES[play.stage.agency.locale]
    first = one_object(rayline("sync", "--json", home=home).stdout)
    number = str(first["run_id"])
    assert play.all_keyed()

    mark = play.mark()
    seen = rayline("undo", number, home=home)
    assert (seen.returncode, looked in seen.stdout) == (0, True), seen.stderr
    data = one_object(rayline("undo", number, "--json", home=home).stdout)
    assert data["changes"]
    assert {one["code"] for one in data["left"]} == {"not-undone"}
    assert play.writes(mark) == []

    limited = rayline("undo", number, "--apply", data["checksum"], home=home)
    assert limited.returncode == 4
    assert play.writes(mark) == []
    done = rayline(*("undo", number, "--force", "--apply", data["checksum"]), home=home)
    assert (done.returncode, paused in done.stdout) == (0, True), done.stderr
    assert play.all_keyed() == {}
    status = one_object(rayline("status", "--json", home=home).stdout)
    assert status["paused"]


@pytest.mark.parametrize("number", ["99", "0", "-1", "x"])
def test_a_run_that_is_not_there_is_told_with_the_way_out(
    play: Play, number: str
) -> None:
    play.sync()
    told = rayline("undo", "--", number, home=play.folder)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
    assert told.stderr.strip()
    assert told.stdout == ""
