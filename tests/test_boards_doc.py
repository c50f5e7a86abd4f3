"""docs/boards.md names every view with its use, and no other."""

from __future__ import annotations

from pathlib import Path

from worker.mapping.load import load_schema

DOC = Path(__file__).parents[1] / "docs" / "boards.md"


def rows() -> list[tuple[str, ...]]:
    """Return the cells of the rows below the heading of the table."""
    lines = [line for line in DOC.read_text("utf-8").splitlines() if line[:1] == "|"]
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]
    ]


def test_every_view_has_a_use_and_every_use_a_view() -> None:
    made = [
        (source.title["en"], view.label["en"])
        for source in load_schema().sources.values()
        for view in source.views
    ]
    named = [(board, view) for board, view, *_ in rows()]
    assert sorted(named) == sorted(made)


def test_every_use_says_who_opens_the_view_and_when() -> None:
    for board, view, who, use in rows():
        assert len(who) > 1, (board, view)
        assert len(use.split()) >= 3, (board, view)
