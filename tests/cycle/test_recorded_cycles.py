"""From a state that an earlier version left, this one plans what that one planned, but for what is told as a change."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.recorded import Lines, lines_of, load_moment, recalled
from worker.cycle.planning import recall

KEPT = Path(__file__).parent / "recorded"
STATES = sorted(KEPT.glob("*/*.db.xz"))
CHANGES = {
    one["place"]: one["why"]
    for one in tomllib.loads((KEPT / "changes.toml").read_text("utf-8"))["change"]
}


def _differences(file: Path, folder: Path) -> Lines:
    before = load_moment(file)
    with recalled(file, before.at, folder) as context:
        now = lines_of(recall(context).plan)
    return {
        place: f"{now.get(place, 'nothing')} instead of {before.plan.get(place, 'nothing')}"
        for place in sorted(before.plan.keys() | now.keys())
        if now.get(place) != before.plan.get(place)
    }


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lines]:
    found = {}
    for file in STATES:
        name = f"{file.parent.name}/{file.name}"
        found[name] = _differences(file, tmp_path_factory.mktemp("state"))
    return found


def test_what_is_planned_otherwise_than_before_is_told(
    differing: dict[str, Lines],
) -> None:
    assert len(differing) > 3
    untold = [
        f"{name}: {place}: {words}"
        for name, lines in differing.items()
        for place, words in lines.items()
        if not any(re.search(told, place) for told in CHANGES)
    ]
    assert "\n".join(untold) == ""


@pytest.mark.parametrize("place", CHANGES)
def test_what_is_told_as_a_change_is_one(
    place: str, differing: dict[str, Lines]
) -> None:
    assert CHANGES[place].strip()
    places = [found for lines in differing.values() for found in lines]
    assert any(re.search(place, found) for found in places)
