"""The same storylines in Russian; a file of their own, so that both languages are lived side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayline_demo.stories.script import find_stories
from tests.stories.engine import play


@pytest.mark.parametrize("folder", find_stories(), ids=lambda folder: folder.name)
def test_the_storyline_comes_out_in_russian(folder: Path, tmp_path: Path) -> None:
    differences = play(folder, locale="ru", state=tmp_path)
    assert not differences, f"{len(differences)} differences:\n  " + "\n  ".join(
        differences
    )
