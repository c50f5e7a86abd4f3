"""Every storyline comes out as worked out by hand, on real sandboxes with the real cycle: in English."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayline_demo.stories.script import find_stories
from tests.stories.engine import play


@pytest.mark.parametrize("folder", find_stories(), ids=lambda folder: folder.name)
def test_the_storyline_comes_out_as_worked_out_by_hand(
    folder: Path, tmp_path: Path
) -> None:
    differences = play(folder, locale="en", state=tmp_path)
    assert not differences, f"{len(differences)} differences:\n  " + "\n  ".join(
        differences
    )


@pytest.mark.parametrize("folder", find_stories(), ids=lambda folder: folder.name)
def test_every_storyline_is_worked_out_in_a_note(folder: Path) -> None:
    note = (folder / "note.md").read_text(encoding="utf-8")
    assert len(note.split()) > 60, "the note should show the calculation"
    assert (folder / "expected.toml").read_text(encoding="utf-8").count("[[after") > 1
