"""Costs and margins from rows of people to rows of the worker, and that nothing of them stands anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rayline_demo.stories.judge import judge_days, judge_end
from rayline_demo.stories.play import Play, open_play
from rayline_demo.stories.script import load_story
from tests.stories.engine import empty_workspace

STORY = Path(__file__).parent / "margins"
SECRETS = ("713.77", "713,77", "613.77", "8888", "21413", "68586", "27550", "62449")
"""The cost rates, and every sum that is made with one."""


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_margins_come_out_by_hand_and_nothing_of_them_leaves_the_private_page(
    locale: str, tmp_path: Path
) -> None:
    scene = open_play(load_story(STORY), empty_workspace(locale), tmp_path)
    try:
        differences: list[str] = []
        problems: list[list[str]] = []
        for day in judge_days(scene):
            differences += day.differences
            assert day.lived.report is not None
            problems.append([str(one.code) for one in day.lived.report.plan.problems])
            private, public = texts_of(scene)
            assert secrets_in(private), "what people typed stands in their rows"
            assert secrets_in(public) == []
            told = str(day.lived.report.plan.problems)
            assert secrets_in(told) == []
        assert [*differences, *judge_end(scene).differences] == []
        assert ["no-cost-rate" in codes for codes in problems] == [False] * 3 + [
            True
        ] * 2 + [False] * 2
        assert all("incomplete-cost" in codes for codes in problems)
    finally:
        scene.rig.close()


@pytest.mark.parametrize("text", ["costs 21,413.10 €", "713.77", "8 888,00 ₽"])
def test_a_figure_is_found_however_it_is_written(text: str) -> None:
    assert secrets_in(text)


def texts_of(scene: Play) -> tuple[str, str]:
    """Return all that stands under the private page, and all that stands elsewhere."""
    store = scene.rig.notion.store
    root = scene.rig.notion.private_root_page_id
    private: list[str] = []
    public: list[str] = []
    for record in (
        *store.pages.values(),
        *store.blocks.values(),
        *store.databases.values(),
        *store.data_sources.values(),
    ):
        places = {step.id for step in store.line(record)}
        shelf = private if root in places else public
        shelf.append(repr(record))
    return "\n".join(private), "\n".join(public)


def secrets_in(text: str) -> list[str]:
    """Return the secrets a text shows, however its thousands are parted."""
    plain = re.sub(r"(?<=\d)[,\s\u00a0\u202f](?=\d{3}(?!\d))", "", text)
    # Longer runs of digits are ids.
    return [
        secret
        for secret in SECRETS
        if re.search(rf"(?<![\da-f-]){re.escape(secret)}(?![\da-f-])", plain)
    ]
